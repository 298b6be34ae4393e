//! Lines of a stream (WHATWG HTML §9.2.4, §9.2.5): where one ends, and which field it is.
//!
//! ```text
//! event       = *( comment / field ) end-of-line
//! comment     = colon *any-char end-of-line
//! field       = 1*name-char [ colon [ space ] *any-char ] end-of-line
//! end-of-line = ( cr lf / cr / lf )
//! ```

use crate::bytes::scan::{TOPS, below, lowest, words};

/// A line, and where its value starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Blank,
    Data(usize),
    Event(usize),
    Id(usize),
    Retry(usize),
    /// A comment or an unknown field.
    Ignored,
}

impl Line {
    /// "Field names must be compared literally, with no case folding performed."
    #[inline(always)]
    pub(super) fn of(line: &[u8]) -> Self {
        match *line {
            [] => Self::Blank,
            [b'd', b'a', b't', b'a', ref rest @ ..] => value(4, rest).map_or(Self::Ignored, Self::Data),
            [b'e', b'v', b'e', b'n', b't', ref rest @ ..] => value(5, rest).map_or(Self::Ignored, Self::Event),
            [b'i', b'd', ref rest @ ..] => value(2, rest).map_or(Self::Ignored, Self::Id),
            [b'r', b'e', b't', b'r', b'y', ref rest @ ..] => value(5, rest).map_or(Self::Ignored, Self::Retry),
            _ => Self::Ignored,
        }
    }

    /// Whether a line that starts so will be ignored, however it goes on.
    pub(super) fn is_ignored(start: &[u8]) -> bool {
        const NAMES: [&[u8]; 4] = [b"data:", b"event:", b"id:", b"retry:"];
        !NAMES.iter().any(|name| start.iter().zip(*name).all(|(a, b)| a == b))
    }
}

/// "If value starts with a U+0020 SPACE character, remove it from value."
#[inline(always)]
fn value(name: usize, rest: &[u8]) -> Option<usize> {
    match rest {
        [] => Some(name),
        [b':', b' ', ..] => Some(name + 2),
        [b':', ..] => Some(name + 1),
        _ => None,
    }
}

/// Offset of the first CR or LF, or the length; and whether all bytes up to it are ASCII (it may say no for the sake of
/// bytes shortly behind it).
///
/// Short lines are searched in words. Long ones are in blocks, of which only the least byte and the union are asked for.
#[inline(always)]
pub(super) fn end(bytes: &[u8]) -> (usize, bool) {
    let mut union = 0;
    let short = bytes.len().min(SHORT);
    let at = word_end(bytes, 0, short, &mut union);
    if at < short || short == bytes.len() {
        looked_at(at);
        return (at, union & TOPS == 0);
    }
    let (at, ascii) = long_end(bytes, SHORT, union);
    looked_at(at);
    (at, ascii)
}

/// How many comments and blank lines there are at the front, in bytes: those in sight that end with LF.
#[inline(always)]
pub(super) fn comments(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some([low, high]) = words(bytes, at) {
        if low.to_le_bytes()[0] != b':' {
            break;
        }
        let (low, high) = (up_to_cr(low), up_to_cr(high));
        let end = at + if low != 0 { lowest(low) } else { 8 + lowest(high) };
        match bytes.get(end..) {
            Some([b'\n', b'\n', ..]) => at = end + 2,
            Some([b'\n', ..]) => at = end + 1,
            _ => break,
        }
    }
    looked_at(at);
    at
}

/// Whether these are comments that [`comments`] leaves for when there are more bytes: few, and without a line end last.
#[inline(always)]
pub(super) fn is_short_comment(bytes: &[u8]) -> bool {
    bytes.len() < 16 && matches!(bytes, [b':', .., last] if !matches!(last, b'\r' | b'\n'))
}

/// Whether a line goes on through all of this short piece; then, whether the piece is ASCII.
#[inline(always)]
pub(super) fn goes_on(bytes: &[u8]) -> Option<bool> {
    let last = bytes.last_chunk()?;
    if bytes.len() > SHORT {
        return None;
    }
    let (mut least, mut union) = both([u8::MAX; LANES], [0; LANES], last);
    for block in bytes.as_chunks().0 {
        (least, union) = both(least, union, block);
    }
    looked_at(bytes.len());
    (!has_control(&least)).then(|| is_ascii(&union))
}

/// Copies `from` to `to`, which is as long, up to the first CR or LF; whether there is none. A page at a time: what was
/// just looked through is copied from the nearest cache.
#[inline(never)]
pub(super) fn copy(from: &[u8], to: &mut [u8]) -> bool {
    for (page, copy) in from.chunks(PAGE).zip(to.chunks_mut(PAGE)) {
        if long_end(page, 0, 0).0 < page.len() {
            return false;
        }
        copy.copy_from_slice(page);
    }
    true
}

#[inline(never)]
fn long_end(bytes: &[u8], mut at: usize, mut union: u64) -> (usize, bool) {
    while at < bytes.len() {
        at += plain_blocks(&bytes[at..], &mut union);
        let stop = bytes.len().min(at + BLOCK);
        let end = word_end(bytes, at, stop, &mut union);
        if end < stop {
            return (end, union & TOPS == 0);
        }
        at = stop;
    }
    (at, union & TOPS == 0)
}

/// The offset of the first CR or LF in `bytes[at..stop]`, or `stop`.
#[inline(always)]
fn word_end(bytes: &[u8], mut at: usize, stop: usize, union: &mut u64) -> usize {
    let bytes = &bytes[..stop];
    while let Some([low, high]) = words(bytes, at) {
        *union |= low | high;
        let (low, high) = (up_to_cr(low), up_to_cr(high));
        if low | high == 0 {
            at += 16;
            continue;
        }
        at += if low != 0 { lowest(low) } else { 8 + lowest(high) };
        if matches!(bytes[at], b'\n' | b'\r') {
            return at;
        }
        at += 1;
    }
    if let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let word = u64::from_le_bytes(*word);
        if up_to_cr(word) == 0 {
            *union |= word;
            at += 8;
        }
    }
    while at < stop && !matches!(bytes[at], b'\n' | b'\r') {
        *union |= u64::from(bytes[at]);
        at += 1;
    }
    at
}

/// How many bytes at the front are in blocks without CR, LF and the rarer controls below them.
#[inline(always)]
fn plain_blocks(bytes: &[u8], union: &mut u64) -> usize {
    let mut any = [0; LANES];
    let mut plain = 0;
    for block in bytes.as_chunks::<BLOCK>().0 {
        let mut least = [u8::MAX; LANES];
        for lanes in block.as_chunks().0 {
            (least, any) = both(least, any, lanes);
        }
        if has_control(&least) {
            break;
        }
        plain += BLOCK;
    }
    if !is_ascii(&any) {
        *union |= TOPS;
    }
    plain
}

/// The least and the union of each lane, with those of another block.
#[inline(always)]
fn both(mut least: [u8; LANES], mut union: [u8; LANES], block: &[u8; LANES]) -> ([u8; LANES], [u8; LANES]) {
    for n in 0..LANES {
        least[n] = least[n].min(block[n]);
        union[n] |= block[n];
    }
    (least, union)
}

#[inline(always)]
fn has_control(least: &[u8; LANES]) -> bool {
    least.iter().fold(u8::MAX, |a, &b| a.min(b)) <= b'\r'
}

#[inline(always)]
fn is_ascii(union: &[u8; LANES]) -> bool {
    union.iter().fold(0, |a, b| a | b) < 0x80
}

/// The top bit of each byte up to CR; the borrow of one may set those above it.
#[inline(always)]
const fn up_to_cr(word: u64) -> u64 {
    below(word, b'\r' + 1)
}

const SHORT: usize = 128;
const BLOCK: usize = 128;
const LANES: usize = 32;
/// Well within the nearest cache.
const PAGE: usize = 16 << 10;

/// So many bytes, and a few behind them: the tests count them.
#[cfg(not(test))]
const fn looked_at(_: usize) {}

#[cfg(test)]
pub(super) use tests::looked_at;

#[cfg(test)]
pub(super) mod tests {
    use core::cell::Cell;
    use std::vec;

    use super::*;

    std::thread_local! {
        static LOOKED_AT: Cell<usize> = const { Cell::new(0) };
    }

    pub(in super::super) fn looked_at(bytes: usize) {
        LOOKED_AT.set(LOOKED_AT.get() + bytes + 1);
    }

    /// How often bytes were looked at for `work`.
    pub(in super::super) fn looks(work: impl FnOnce()) -> usize {
        let before = LOOKED_AT.get();
        work();
        LOOKED_AT.get() - before
    }

    fn agree(bytes: &[u8]) {
        let naive = bytes.iter().position(|b| b"\r\n".contains(b)).unwrap_or(bytes.len());
        let (at, ascii) = end(bytes);
        assert_eq!(at, naive, "{bytes:02x?}");
        assert!(!ascii || bytes[..at].is_ascii(), "{bytes:02x?}");
        assert!(ascii || !bytes.is_ascii(), "{bytes:02x?}");
        let mut copied = vec![0; bytes.len()];
        assert_eq!(copy(bytes, &mut copied), naive == bytes.len(), "{bytes:02x?}");
        assert!(naive < bytes.len() || copied == bytes, "{bytes:02x?}");
        if let Some(ascii) = goes_on(bytes) {
            assert_eq!((naive, ascii), (bytes.len(), bytes.is_ascii()), "{bytes:02x?}");
        }
    }

    #[test]
    fn any_byte_at_any_place_of_lines_short_and_long() {
        for filler in *b"x\t" {
            for len in (0..40).chain(125..132).chain(253..292).chain([400]) {
                let mut bytes = vec![filler; len];
                agree(&bytes);
                for at in 0..len {
                    for b in *b"\n\r\0\x0e\x80\xff" {
                        bytes[at] = b;
                        agree(&bytes);
                    }
                    bytes[at] = filler;
                }
            }
        }
    }

    #[test]
    fn comments_at_the_front() {
        for (bytes, len) in [
            (&b": keepalive\n\n: keepalive\n\ndata: 0123456789abcdef"[..], 26),
            (b":\n\n:\ndata: x                ", 5),
            (b":a\r\n\r\n                      ", 0),
            (b": longer than what is in sight\n\n", 0),
            (b":\n\n", 0),
            (b"data: :                          ", 0),
        ] {
            assert_eq!(comments(bytes), len, "{}", bytes.escape_ascii());
        }
    }
}
