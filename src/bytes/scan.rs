//! Searching a slice for the first byte outside (or inside) a class, 16 bytes at a time.
//!
//! Words of eight bytes in plain arithmetic, two a turn: on heads this is as fast as lanes of sixteen that the
//! compiler turns into vector code, faster on short input, and the same whatever the build's target.

use super::table;

/// Offset of the first byte that is not a field value's (HTAB, SP, VCHAR, obs-text), or the length.
#[inline]
pub(crate) fn field_end(bytes: &[u8]) -> usize {
    // A tab shows up among the controls, and is let pass by the exact test.
    first(bytes, |word| below(word, b' ') | equal(word, 0x7f), |b| !table::is_field_byte(b))
}

/// Offset of the first byte that is not a `tchar`, or the length.
#[inline]
pub(crate) fn token_end(bytes: &[u8]) -> usize {
    // Tokens are short, and their class has too many edges for arithmetic: the table, eight steps a turn.
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (turn, chunk) in chunks.iter().enumerate() {
        for (n, &b) in chunk.iter().enumerate() {
            if !table::is_tchar(b) {
                return turn * 8 + n;
            }
        }
    }
    let end = rest.iter().position(|&b| !table::is_tchar(b)).unwrap_or(rest.len());
    chunks.len() * 8 + end
}

/// Offset of the first `needle`, or the length.
#[inline]
pub(crate) fn find(needle: u8, bytes: &[u8]) -> usize {
    // The lowest bit that `equal` sets is never a borrow's, so every hit is one.
    let mut at = 0;
    while let Some([low, high]) = words(bytes, at) {
        let (low, high) = (equal(low, needle), equal(high, needle));
        if low | high != 0 {
            return at + if low != 0 { lowest(low) } else { 8 + lowest(high) };
        }
        at += 16;
    }
    let rest = &bytes[at..];
    at + rest.iter().position(|&b| b == needle).unwrap_or(rest.len())
}

/// Offset of the first byte for which `is_hit`. `hits` sets the top bit of a byte that may be one: surely where it is one,
/// and nowhere before the first that it was made for.
#[inline(always)]
fn first(bytes: &[u8], hits: impl Fn(u64) -> u64, is_hit: impl Fn(u8) -> bool) -> usize {
    let mut at = 0;
    while let Some([low, high]) = words(bytes, at) {
        let (low, high) = (hits(low), hits(high));
        if low | high == 0 {
            at += 16;
            continue;
        }
        at += if low != 0 { lowest(low) } else { 8 + lowest(high) };
        if is_hit(bytes[at]) {
            return at;
        }
        at += 1;
    }
    let rest = &bytes[at..];
    at + rest.iter().position(|&b| is_hit(b)).unwrap_or(rest.len())
}

/// The sixteen bytes from `at` on, if there are so many.
#[inline(always)]
pub(crate) fn words(bytes: &[u8], at: usize) -> Option<[u64; 2]> {
    let chunk = bytes.get(at..)?.first_chunk::<16>()?;
    let ([low, high], []) = chunk.as_chunks::<8>() else { return None };
    Some([u64::from_le_bytes(*low), u64::from_le_bytes(*high)])
}

/// The top bit of each byte below `limit` (at most 0x80). The borrow of one may set those above it, never those below.
#[inline(always)]
pub(crate) const fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * limit as u64) & !word & TOPS
}

/// The top bit of each byte that is `b`, with the same reservation.
#[inline(always)]
const fn equal(word: u64, b: u8) -> u64 {
    below(word ^ (ONES * b as u64), 1)
}

/// The place of the lowest byte whose top bit is set, 8 if none is.
#[inline(always)]
pub(crate) const fn lowest(hits: u64) -> usize {
    (hits.trailing_zeros() / 8) as usize
}

const ONES: u64 = 0x0101_0101_0101_0101;
/// The top bit of each byte.
pub(crate) const TOPS: u64 = ONES << 7;

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    /// Each function beside its naive twin.
    type Twins = (fn(&[u8]) -> usize, fn(u8) -> bool);
    const TWINS: [Twins; 5] = [
        (field_end, |b| b != b'\t' && (b < b' ' || b == 0x7f)),
        (token_end, |b| !b.is_ascii_alphanumeric() && !b"!#$%&'*+-.^_`|~".contains(&b)),
        (|bytes| find(b'\r', bytes), |b| b == b'\r'),
        (|bytes| find(0, bytes), |b| b == 0),
        (|bytes| find(0xff, bytes), |b| b == 0xff),
    ];

    fn agree(bytes: &[u8]) {
        for (n, (fast, is_hit)) in TWINS.into_iter().enumerate() {
            let naive = bytes.iter().position(|&b| is_hit(b)).unwrap_or(bytes.len());
            assert_eq!(fast(bytes), naive, "{n}: {bytes:02x?}");
        }
    }

    #[test]
    fn every_byte_at_every_place_of_every_length() {
        let fillers = [b'a', b'\t', 0xa1];
        for filler in fillers {
            for len in (0..27).chain([33, 41]) {
                let mut bytes = std::vec![filler; len];
                agree(&bytes);
                for at in 0..len {
                    for b in 0..=u8::MAX {
                        bytes[at] = b;
                        for (fast, is_hit) in TWINS {
                            let naive = bytes.iter().position(|&b| is_hit(b)).unwrap_or(len);
                            assert_eq!(fast(&bytes), naive);
                        }
                    }
                    bytes[at] = filler;
                }
            }
        }
    }

    #[test]
    fn every_alignment_and_every_length_to_a_hundred() {
        let line: Vec<u8> = b"a-token_of.many~bytes!and|more".iter().copied().cycle().take(120).collect();
        for from in 0..16 {
            for len in 0..100 {
                let mut bytes = line[from..from + len].to_vec();
                agree(&bytes);
                agree(&line[from..from + len]);
                for at in 0..len {
                    let before = bytes[at];
                    for b in *b"\r\0\t \x7f:\xff" {
                        bytes[at] = b;
                        agree(&bytes);
                    }
                    bytes[at] = before;
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in prop::collection::vec(prop_oneof![8 => b' '..=b'~', 1 => any::<u8>(), 1 => Just(b'\t')], 0..200)) {
            agree(&bytes);
        }
    }
}
