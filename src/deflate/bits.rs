//! Bits out of bytes, the least significant first (RFC 1951 §3.1.1).

/// Bits that were taken from the input and not used: between two calls, the beginning of something unfinished.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bits {
    /// The first bit is the lowest. Bits from `count` on are 0.
    buffer: u64,
    /// At most 63.
    count: u32,
}

/// Reads bits from one call's input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'i> {
    input: &'i [u8],
    /// What is not yet counted in `count`.
    rest: &'i [u8],
    /// The first bit is the lowest. Bits from `count` on are 0 or those that come next.
    buffer: u64,
    /// At most 63.
    count: u32,
}

impl Bits {
    pub(super) const EMPTY: Self = Self { buffer: 0, count: 0 };

    pub(super) const fn is_empty(self) -> bool {
        self.count == 0
    }
}

impl<'i> Reader<'i> {
    pub(super) const fn new(bits: Bits, input: &'i [u8]) -> Self {
        Self { input, rest: input, buffer: bits.buffer, count: bits.count }
    }

    /// The next bits, the first of them lowest. Only the lowest [`count`](Self::count) are sure to be there.
    #[inline(always)]
    pub(super) const fn peek(&self) -> u64 {
        self.buffer
    }

    /// How many bits are at hand.
    #[inline(always)]
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// Takes `n` bits that are at hand.
    #[inline(always)]
    pub(super) const fn consume(&mut self, n: u32) {
        debug_assert!(n <= self.count);
        self.buffer >>= n;
        self.count -= n;
    }

    /// Gets 56 bits or more at hand, or all there are.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        let Some(word) = self.rest.first_chunk() else {
            *self = self.refilled_from_tail();
            return;
        };
        // Whole bytes are counted, with no branch. What is in the buffer above them is there again next time.
        self.buffer |= u64::from_le_bytes(*word) << self.count;
        self.rest = &self.rest[((63 - self.count) >> 3 & 7) as usize..];
        self.count |= 56;
    }

    /// By value, so that a loop that refills can keep the reader in registers.
    #[cold]
    fn refilled_from_tail(mut self) -> Self {
        while self.count < 56
            && let [byte, rest @ ..] = self.rest
        {
            self.buffer |= u64::from(*byte) << self.count;
            self.count += 8;
            self.rest = rest;
        }
        self
    }

    /// The next `n` bits, at most 32, once they are all there.
    pub(super) fn take(&mut self, n: u32) -> Option<u32> {
        if self.count < n {
            self.refill();
        }
        if self.count < n {
            return None;
        }
        let bits = self.buffer & mask(n);
        self.consume(n);
        u32::try_from(bits).ok()
    }

    /// Drops what is left of the current byte.
    pub(super) const fn align(&mut self) {
        self.consume(self.count % 8);
    }

    /// Up to `max` whole bytes, from a byte boundary on.
    pub(super) fn take_bytes(&mut self, max: usize) -> &'i [u8] {
        self.unread();
        debug_assert_eq!(self.count, 0, "nothing of an earlier call is at hand, and no part of a byte");
        let (taken, rest) = self.rest.split_at(self.rest.len().min(max));
        self.rest = rest;
        taken
    }

    /// Whether no byte of the input is left, but for bits at hand.
    pub(super) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// What the next call goes on with, and how many bytes of the input were used.
    pub(super) fn finish(self) -> (Bits, usize) {
        (Bits { buffer: self.buffer & mask(self.count), count: self.count }, self.input.len() - self.rest.len())
    }

    /// Gives back the whole bytes at hand. Those of an earlier call stay: they belong to something that was unfinished
    /// without this call's input.
    pub(super) fn unread(&mut self) {
        let taken = self.input.len() - self.rest.len();
        let back = (self.count / 8).min(u32::try_from(taken).unwrap_or(u32::MAX));
        self.rest = &self.input[taken - back as usize..];
        self.count -= 8 * back;
        self.buffer &= mask(self.count);
    }
}

/// The lowest `n` bits, fewer than 64.
#[inline(always)]
pub(super) const fn mask(n: u32) -> u64 {
    (1 << n) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bit_is_the_lowest_of_the_first_byte() {
        let mut reader = Reader::new(Bits::EMPTY, &[0b1010_0110, 0xff, 0x01]);
        assert_eq!((reader.take(3), reader.take(4), reader.take(3)), (Some(0b110), Some(0b0100), Some(0b111)));
        reader.align();
        assert_eq!((reader.take(8), reader.take(1)), (Some(1), None));
    }

    /// Every way to read 40 bytes as numbers of two lengths, from one input or two.
    #[test]
    fn any_split_gives_the_same_bits() {
        let bytes: [u8; 40] = core::array::from_fn(|at| u8::try_from(at * 37 % 251).expect("a byte"));
        let bit = |at: usize| u32::from(bytes[at / 8] >> (at % 8) & 1);
        for split in 0..=bytes.len() {
            for (a, b) in [(1, 13), (5, 9), (15, 32), (7, 7)] {
                let (mut reader, mut second) = (Reader::new(Bits::EMPTY, &bytes[..split]), Some(&bytes[split..]));
                let mut at = 0;
                for n in [a, b].into_iter().cycle() {
                    let got = reader.take(n).or_else(|| {
                        let (bits, used) = reader.finish();
                        assert_eq!(used, reader.input.len(), "what is unfinished is kept");
                        reader = Reader::new(bits, second.take()?);
                        reader.take(n)
                    });
                    let Some(got) = got else { break };
                    let expected = (0..n as usize).fold(0, |bits, i| bits | bit(at + i) << i);
                    assert_eq!(got, expected);
                    at += n as usize;
                }
                assert!(at + 32 > 8 * bytes.len() && second.is_none());
            }
        }
    }

    #[test]
    fn unused_bytes_are_given_back() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
        let mut reader = Reader::new(Bits::EMPTY, &bytes);
        assert_eq!(reader.take(9), Some(1));
        reader.unread();
        let (bits, used) = reader.finish();
        assert_eq!((bits.count, bits.buffer, used), (7, 1, 2), "the rest of the second byte");
        let mut reader = Reader::new(bits, &bytes[2..]);
        reader.align();
        assert_eq!((reader.take_bytes(2), reader.take(8)), (&bytes[2..4], Some(5)));
        assert_eq!(reader.take_bytes(100), &bytes[5..]);
        assert!(reader.finish().0.is_empty());
    }
}
