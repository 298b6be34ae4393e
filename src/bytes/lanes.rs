//! Sixteen bytes at a time, one bit for each: where in a slice are the bytes that something has to be done about?

use core::hint::black_box;

/// How many bytes are looked at together.
pub(crate) const LANES: usize = 16;

/// Walks the odd bytes of a slice in order: those that end a line or may not be in one, and HTAB and obs-text, which a cheap
/// test cannot tell from them.
#[derive(Debug)]
pub(crate) struct Odd<'b> {
    bytes: &'b [u8],
    /// Where the block starts that was looked at last.
    block: usize,
    /// The odd ones in it that have not been given.
    bits: u32,
}

impl<'b> Odd<'b> {
    /// Those from `at` on.
    #[inline(always)]
    pub(crate) fn new(bytes: &'b [u8], at: usize) -> Self {
        let (block, bits) = odd_block(bytes, at);
        Self { bytes, block, bits }
    }

    /// Where the next one is, or the length of the slice.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> usize {
        if self.bits == 0 {
            (self.block, self.bits) = odd_block(self.bytes, self.block + LANES);
            if self.bits == 0 {
                return self.bytes.len();
            }
        }
        let at = self.block + self.bits.trailing_zeros() as usize;
        self.skip();
        at
    }

    /// Leaves out the next one, unless that is in another block.
    #[inline(always)]
    pub(crate) const fn skip(&mut self) {
        self.bits &= self.bits.wrapping_sub(1);
    }
}

/// How many bytes from `at` on are no hits.
#[inline(always)]
pub(crate) fn first(bytes: &[u8], at: usize, is_hit: impl Fn(u8) -> bool + Copy) -> usize {
    let Some((_, rest)) = bytes.split_at_checked(at) else { return 0 };
    let Some((block, behind)) = rest.split_first_chunk() else { return later(bytes, rest, is_hit) };
    match first_lane(lanes(block, is_hit)) {
        Some(n) => n,
        None => LANES + later(bytes, behind, is_hit),
    }
}

/// As [`first`], in `rest`, which is the end of `bytes`.
#[inline(never)]
fn later(bytes: &[u8], rest: &[u8], is_hit: impl Fn(u8) -> bool + Copy) -> usize {
    let mut left = rest;
    while let Some((block, behind)) = left.split_first_chunk() {
        if let Some(n) = first_lane(lanes(block, is_hit)) {
            return rest.len() - left.len() + n;
        }
        left = behind;
    }
    // Fewer than a block: in the last block of all, without what comes before.
    let end = match bytes.last_chunk() {
        Some(block) if !left.is_empty() => {
            let lanes = u128::from_le_bytes(lanes(block, is_hit)) >> (8 * (LANES - left.len()));
            (lanes.trailing_zeros() / 8) as usize
        }
        _ => left.iter().position(|&b| is_hit(b)).unwrap_or(left.len()),
    };
    rest.len() - left.len() + end.min(left.len())
}

/// Whether `bytes` are `name`, which is of as many lower-case letters and hyphens, without regard to case; no byte of
/// `bytes` may be CR. `W`, a size of words, is at least half of the length and at most all of it.
#[inline(always)]
pub(crate) fn is_name<const W: usize>(bytes: &[u8], name: &[u8]) -> bool {
    // Nothing else becomes a letter or a hyphen by one bit, but for CR.
    let is = |word: Option<&[u8; W]>, name: Option<&[u8; W]>| match (word, name) {
        (Some(word), Some(name)) => word.map(|b| b | 0x20) == *name,
        _ => false,
    };
    is(bytes.first_chunk(), name.first_chunk()) && is(bytes.last_chunk(), name.last_chunk())
}

/// 0xff for every hit, 0 for the others.
///
/// The compiler makes a few vector instructions of this. It would then, on some targets, take the lanes apart one by one to
/// join them into words again; that they pass through memory keeps it from that.
#[inline(always)]
fn lanes(block: &[u8; LANES], is_hit: impl Fn(u8) -> bool) -> [u8; LANES] {
    let mut lanes = [0; LANES];
    for (lane, &b) in lanes.iter_mut().zip(block) {
        *lane = if is_hit(b) { 0xff } else { 0 };
    }
    black_box(lanes)
}

/// The number of the first lane that is not zero.
#[inline(always)]
fn first_lane(lanes: [u8; LANES]) -> Option<usize> {
    let (low, high) = lanes.split_first_chunk::<8>()?;
    let low = u64::from_le_bytes(*low);
    if low != 0 {
        return Some((low.trailing_zeros() / 8) as usize);
    }
    let high = u64::from_le_bytes(*high.first_chunk()?);
    (high != 0).then(|| 8 + (high.trailing_zeros() / 8) as usize)
}

/// How many odd bytes there are.
#[inline]
pub(crate) fn count_odd(blocks: &[[u8; LANES]]) -> usize {
    // A sum of bytes is what the compiler makes the most of, so no more of them than one byte counts.
    let sums = blocks
        .chunks(15)
        .map(|blocks| blocks.as_flattened().iter().fold(0_u8, |sum, &b| sum.wrapping_add(u8::from(is_odd(b)))));
    sums.map(usize::from).sum()
}

/// The first block from `at` on that has an odd byte: where it starts, and for each of its bytes whether it is odd, the first
/// in bit 0. No bits: there is none.
#[inline(never)]
fn odd_block(bytes: &[u8], at: usize) -> (usize, u32) {
    let mut rest = bytes.get(at..).unwrap_or_default();
    while let Some((block, behind)) = rest.split_first_chunk() {
        let bits = odd_bits(block);
        if bits != 0 {
            return (bytes.len() - rest.len(), bits);
        }
        rest = behind;
    }
    // Fewer than a block: in the last block of all, without what comes before.
    let bits = match bytes.last_chunk() {
        Some(block) => odd_bits(block) >> (LANES - rest.len()),
        None => rest.iter().rev().fold(0, |bits, &b| bits << 1 | u32::from(is_odd(b))),
    };
    (bytes.len() - rest.len(), bits)
}

/// Of steps of five the compiler makes the one instruction that x86 has for it.
#[inline(always)]
fn odd_bits(block: &[u8; LANES]) -> u32 {
    let five = |odd: &[bool]| odd.iter().rev().fold(0, |bits: u32, &is_odd| bits << 1 | u32::from(is_odd));
    block.map(is_odd).chunks(5).rev().map(five).fold(0, |bits, five| bits << 5 | five)
}

/// Whether a byte ends a line or may not be in one, or is HTAB or obs-text.
#[inline(always)]
const fn is_odd(b: u8) -> bool {
    // One addition puts NUL to US, DEL and obs-text together.
    b.wrapping_add(1).cast_signed() <= b' '.cast_signed()
}

/// Whether `b` is below `first` or above `last`.
#[inline(always)]
pub(crate) const fn is_out(b: u8, first: u8, last: u8) -> bool {
    // One signed comparison, which vectors have, for an unsigned one, which they have not.
    b.wrapping_sub(first).wrapping_add(0x80).cast_signed() > (last - first).wrapping_add(0x80).cast_signed()
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn agrees_with_its_naive_twin() {
        let is_hit = |b: u8| b == b'\r';
        for len in 0..70 {
            for at in 0..=len {
                for (one, two) in [(at, at + 1), (at, len), (len, len), (at + 7, at + 16), (at + 15, at + 33)] {
                    let bytes: Vec<u8> =
                        (0..len).map(|n| if n < at || n == one || n == two { b'\r' } else { b'.' }).collect();
                    let twin: Vec<usize> = (at..len).filter(|&n| bytes[n] == b'\r').collect();
                    assert_eq!(at + first(&bytes, at, is_hit), *twin.first().unwrap_or(&len));
                    let mut odd = Odd::new(&bytes, at);
                    twin.iter().for_each(|&at| assert_eq!(odd.next(), at, "{}", bytes.escape_ascii()));
                    assert_eq!(odd.next(), len);
                }
            }
        }
    }

    #[test]
    fn counts_the_odd() {
        for len in [0, 1, 2, 14, 15, 16, 31, 300] {
            let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(len * LANES).collect();
            let odd = bytes.iter().filter(|b| !(b' '..=b'~').contains(b)).count();
            assert_eq!(count_odd(bytes.as_chunks().0), odd);
            assert_eq!(count_odd(&std::vec![[b'\r'; LANES]; len]), len * LANES);
        }
    }

    #[test]
    fn leaves_out_the_next() {
        let mut odd = Odd::new(b"..\r\n.\t..........\r", 0);
        assert_eq!(odd.next(), 2);
        odd.skip();
        assert_eq!(odd.next(), 5);
        odd.skip();
        assert_eq!(odd.next(), 16);
    }

    #[test]
    fn every_byte_at_every_place() {
        for b in 0..=u8::MAX {
            let expected = u32::from(!(b' '..=b'~').contains(&b));
            for at in 0..LANES {
                let mut block = [b' '; LANES];
                block[at] = b;
                assert_eq!(odd_bits(&block), expected << at);
                block = [0; LANES];
                block[at] = b;
                assert_eq!(odd_bits(&block), !(1 << at) & 0xffff | expected << at);
            }
        }
    }

    #[test]
    fn names() {
        names_of("host", |bytes| is_name::<4>(bytes, b"host"));
        names_of("keep-alive", |bytes| is_name::<8>(bytes, b"keep-alive"));
    }

    fn names_of(name: &str, is: fn(&[u8]) -> bool) {
        for whole in [name.to_uppercase(), name.into()] {
            for at in 0..name.len() {
                let mut bytes = Vec::from(whole.as_bytes());
                assert!(is(&bytes));
                for b in (0..=u8::MAX).filter(|&b| b != b'\r') {
                    bytes[at] = b;
                    assert_eq!(is(&bytes), bytes.eq_ignore_ascii_case(name.as_bytes()));
                }
            }
        }
    }

    #[test]
    fn ranges() {
        for (first, last) in [(b'a', b'z'), (b'0', b'9'), (b'&', b';'), (0, 5), (0x80, 0xff), (3, 3), (0, 0x7f)] {
            for b in 0..=u8::MAX {
                assert_eq!(is_out(b, first, last), b < first || b > last, "{b} {first} {last}");
            }
        }
    }
}
