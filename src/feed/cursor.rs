//! Places in a feed.
//!
//! ```text
//! cursor = epoch "." seq
//! epoch  = ( %x31-39 / %x61-66 ) *15( DIGIT / %x61-66 )    ; 64 bits, lower-case hexadecimal, not 0
//! seq    = "0" / ( %x31-39 *19DIGIT )                      ; 64 bits, decimal
//! start  = "oldest" / "now" / "snapshot" / cursor
//! ```

use core::{fmt, str};

use crate::bytes::num;

/// A place in a feed: everything up to entry `seq` of history `epoch` has been seen.
///
/// On the wire it is text that means nothing to anybody but the feed that made it. There is one spelling for each place,
/// so texts can be compared. It counts entries and knows no clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// Which history: drawn at random when it began, never 0.
    pub epoch: u64,
    /// How many entries of it are behind this place.
    pub seq: u64,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Start {
    /// With the oldest entry that is kept.
    Oldest,
    /// With the next entry that is published.
    Now,
    /// With the snapshot, and what came after it; if there is none, with the oldest entry.
    Snapshot,
    /// Behind this place.
    After(Cursor),
}

/// The text of a cursor, of its entity tag, or of a start.
#[derive(Clone, Copy)]
pub struct CursorText {
    /// A tag has quotes around it.
    bytes: [u8; Self::MAX + 2],
    len: usize,
}

impl Cursor {
    /// A place in no history: whoever asks for what follows it is told where there is something.
    pub const NOWHERE: Self = Self { epoch: 0, seq: 0 };

    /// Reads a cursor, in its one spelling.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let dot = text.iter().position(|&b| b == b'.')?;
        let (epoch, seq) = (hex(&text[..dot])?, num::decimal(&text[dot + 1..])?);
        let cursor = Self { epoch, seq };
        (epoch != 0 && cursor.text().as_bytes() == text).then_some(cursor)
    }

    /// Its text.
    pub fn text(self) -> CursorText {
        let mut text = CursorText::NEW;
        self.push_to(&mut text);
        text
    }

    /// The entity tag of an answer that ends here: the cursor in quotes, for `ETag` and `If-None-Match`.
    pub fn tag(self) -> CursorText {
        let mut text = CursorText::NEW;
        text.push(b"\"");
        self.push_to(&mut text);
        text.push(b"\"");
        text
    }

    fn push_to(self, text: &mut CursorText) {
        text.push(num::write_hex(self.epoch, &mut [0; 16]));
        text.push(b".");
        text.push(num::write_decimal(self.seq, &mut [0; 20]));
    }
}

impl Start {
    /// Reads a start: a word or a cursor.
    pub fn parse(text: &[u8]) -> Option<Self> {
        match text {
            b"oldest" => Some(Self::Oldest),
            b"now" => Some(Self::Now),
            b"snapshot" => Some(Self::Snapshot),
            _ => Cursor::parse(text).map(Self::After),
        }
    }

    /// Where a reader that comes back with this `Last-Event-ID` begins. What is no cursor was given out by nobody here,
    /// and that is not passed over in silence: see [`Cursor::NOWHERE`].
    pub fn resume(last_event_id: &[u8]) -> Self {
        Self::After(Cursor::parse(last_event_id).unwrap_or(Cursor::NOWHERE))
    }

    /// Its text.
    pub fn text(self) -> CursorText {
        let word: &[u8] = match self {
            Self::Oldest => b"oldest",
            Self::Now => b"now",
            Self::Snapshot => b"snapshot",
            Self::After(cursor) => return cursor.text(),
        };
        let mut text = CursorText::NEW;
        text.push(word);
        text
    }
}

impl CursorText {
    const NEW: Self = Self { bytes: [0; Self::MAX + 2], len: 0 };

    /// The longest text of a cursor, in bytes.
    pub const MAX: usize = 16 + 1 + 20;

    /// The text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).expect("digits, letters, a dot, quotes")
    }

    fn push(&mut self, part: &[u8]) {
        self.bytes[self.len..self.len + part.len()].copy_from_slice(part);
        self.len += part.len();
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl fmt::Debug for CursorText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// `1*16HEXDIG` as a number.
pub(super) fn hex(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 16 {
        return None;
    }
    text.iter().try_fold(0, |n, &b| num::hex_digit(b).map(|digit| (n << 4) | u64::from(digit)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn there_is_one_spelling_and_no_other() {
        for bad in [
            "",
            ".",
            "1",
            "1.",
            ".1",
            "0.0",
            "0.1",
            "01.1",
            "1.01",
            "1.+1",
            "1.-1",
            " 1.1",
            "1.1 ",
            "1.1.1",
            "A.1",
            "0x1.1",
            "g.1",
            "1.18446744073709551616",
            "10000000000000000.1",
            "1,1",
            "1.1\n",
            "1.1\0",
            "Oldest",
            "NOW",
            "1.\u{661}",
        ] {
            assert_eq!((Cursor::parse(bad.as_bytes()), Start::parse(bad.as_bytes())), (None, None), "{bad:?}");
            assert_eq!(Start::resume(bad.as_bytes()), Start::After(Cursor::NOWHERE));
        }
        assert_eq!(Cursor::parse(b"9f.17"), Some(Cursor { epoch: 0x9f, seq: 17 }));
        let last = Cursor { epoch: u64::MAX, seq: u64::MAX };
        assert_eq!(last.text().as_str(), "ffffffffffffffff.18446744073709551615");
        assert_eq!(last.text().as_bytes().len(), CursorText::MAX);
        assert_eq!(last.tag().as_str(), "\"ffffffffffffffff.18446744073709551615\"");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(epoch in 1_u64.., seq in any::<u64>()) {
            for start in [Start::After(Cursor { epoch, seq }), Start::Oldest, Start::Now, Start::Snapshot] {
                prop_assert_eq!(Start::parse(start.text().as_bytes()), Some(start));
            }
        }
    }
}
