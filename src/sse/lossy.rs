//! Text as the UTF-8 decode algorithm gives it, without a place to write it to.

use core::fmt;

#[cfg(feature = "alloc")]
use alloc::{borrow::Cow, string::String};

use crate::bytes::{Text, utf8};

/// Received bytes that are to be read as UTF-8, in which U+FFFD stands for what is not.
///
/// A replacement takes three bytes and may stand for one, so it cannot be written in place. Nearly always nothing needs
/// one, and [`text`](Self::text) is all there is to call. Comparing and formatting see the replacements.
#[derive(Clone, Copy)]
pub struct Lossy<'b> {
    bytes: &'b [u8],
    is_valid: bool,
}

impl<'b> Lossy<'b> {
    #[inline]
    pub(super) const fn ascii(bytes: &'b [u8]) -> Self {
        Self { bytes, is_valid: true }
    }

    /// `ascii`: whether all of it is known to be.
    #[inline(always)]
    pub(super) fn of(bytes: &'b [u8], ascii: bool) -> Self {
        if ascii { Self::ascii(bytes) } else { Self::judged(bytes) }
    }

    #[inline(never)]
    fn judged(bytes: &'b [u8]) -> Self {
        Self { bytes, is_valid: utf8::check(bytes) == Ok(bytes.len()) }
    }

    /// The bytes as they came.
    pub const fn as_bytes(self) -> &'b [u8] {
        self.bytes
    }

    /// The text, if all of it is UTF-8.
    pub fn text(self) -> Option<Text<'b>> {
        self.is_valid.then(|| Text::from_validated(self.bytes))
    }

    /// The text in pieces, replacements among them.
    pub fn pieces(self) -> impl Iterator<Item = &'b str> {
        self.bytes.utf8_chunks().flat_map(|chunk| {
            let replacement = if chunk.invalid().is_empty() { "" } else { "\u{fffd}" };
            [chunk.valid(), replacement]
        })
    }

    /// The text in one, copied only if something is replaced.
    #[cfg(feature = "alloc")]
    pub fn to_str(self) -> Cow<'b, str> {
        String::from_utf8_lossy(self.bytes)
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }
}

impl<'b> From<&'b str> for Lossy<'b> {
    fn from(text: &'b str) -> Self {
        Self { bytes: text.as_bytes(), is_valid: true }
    }
}

impl PartialEq for Lossy<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes || self.pieces().flat_map(str::bytes).eq(other.pieces().flat_map(str::bytes))
    }
}

impl Eq for Lossy<'_> {}

impl PartialEq<str> for Lossy<'_> {
    fn eq(&self, other: &str) -> bool {
        *self == Lossy::from(other)
    }
}

impl PartialEq<&str> for Lossy<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Display for Lossy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces().try_for_each(|piece| f.write_str(piece))
    }
}

impl fmt::Debug for Lossy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        self.pieces().try_for_each(|piece| write!(f, "{}", piece.escape_debug()))?;
        f.write_str("\"")
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn replacements_are_seen_by_all_who_read() {
        let bad = Lossy::judged(b"a\xff\xe2\x82b");
        assert_eq!(bad, "a\u{fffd}\u{fffd}b");
        assert!(bad != "a\u{fffd}\u{fffd}" && bad != "a\u{fffd}\u{fffd}bc");
        assert_eq!((bad.text(), bad.as_bytes().len()), (None, 5));
        assert_eq!(
            (bad.to_string(), std::format!("{bad:?}")),
            ("a\u{fffd}\u{fffd}b".into(), "\"a\u{fffd}\u{fffd}b\"".into())
        );
        let good = Lossy::judged("\u{65e5}\u{672c}".as_bytes());
        assert!(good.text().is_some_and(|text| text == "\u{65e5}\u{672c}") && good == "\u{65e5}\u{672c}");
        #[cfg(feature = "alloc")]
        assert_eq!(bad.to_str(), "a\u{fffd}\u{fffd}b");
    }
}
