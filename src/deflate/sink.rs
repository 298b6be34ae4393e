//! Bits on their way out, least significant first (RFC 1951 §3.1.1).

/// Writes bits to a piece of output, which may be too small for them: up to 63 wait for the next piece.
#[derive(Debug)]
pub(super) struct Sink<'o> {
    output: &'o mut [u8],
    /// Bytes written.
    at: usize,
    waiting: Waiting,
}

/// Bits that are not written yet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waiting {
    bits: u64,
    /// Of `bits`; those above are zero.
    count: u32,
}

impl Waiting {
    pub(super) const NONE: Self = Self { bits: 0, count: 0 };

    /// Writes whole bytes from `at` on, where fewer than eight may be left. How far, and what is left.
    #[cold]
    fn drain(mut self, output: &mut [u8], mut at: usize) -> (usize, Self) {
        while self.count >= 8 {
            let Some(space) = output.get_mut(at) else { break };
            *space = self.bits.to_le_bytes()[0];
            at += 1;
            self.bits >>= 8;
            self.count -= 8;
        }
        (at, self)
    }
}

impl<'o> Sink<'o> {
    /// Goes on where a sink stopped that left `waiting` behind.
    #[inline]
    pub(super) fn new(output: &'o mut [u8], waiting: Waiting) -> Self {
        Self { output, at: 0, waiting }
    }

    /// How many bytes were written, and what was not.
    #[inline]
    pub(super) fn end(mut self) -> (usize, Waiting) {
        self.room();
        (self.at, self.waiting)
    }

    /// The same sink, for a loop that keeps it in registers. What is left here writes nothing until that one is put back.
    #[inline]
    pub(super) fn take(&mut self) -> Self {
        core::mem::replace(self, Self { output: &mut [], at: 0, waiting: Waiting::NONE })
    }

    /// Writes whole bytes out until there is room for [`PUSH`](Self::PUSH) more bits. False if the output is full
    /// before that.
    #[inline]
    pub(super) fn room(&mut self) -> bool {
        let Some(space) = self.output.get_mut(self.at..self.at + 8).and_then(|rest| rest.first_chunk_mut()) else {
            (self.at, self.waiting) = self.waiting.drain(self.output, self.at);
            return self.waiting.count <= 63 - Self::PUSH;
        };
        *space = self.waiting.bits.to_le_bytes();
        self.at += (self.waiting.count >> 3) as usize;
        self.waiting.bits >>= self.waiting.count & !7;
        self.waiting.count &= 7;
        true
    }

    /// The lowest `count` bits of `bits`, which has no others. Between two calls of [`room`](Self::room) there is
    /// room for [`PUSH`](Self::PUSH).
    #[inline]
    pub(super) fn push(&mut self, bits: u64, count: u32) {
        debug_assert!(bits >> count == 0 && self.waiting.count + count <= 63);
        self.waiting.bits |= bits << self.waiting.count;
        self.waiting.count += count;
    }

    /// Zeros up to the next byte boundary (§3.2.4).
    #[inline]
    pub(super) fn align(&mut self) {
        self.waiting.count = self.waiting.count.next_multiple_of(8);
    }

    /// Whether everything could be written.
    pub(super) fn is_empty(&mut self) -> bool {
        self.room();
        self.waiting.count == 0
    }

    /// Copies as much of `bytes` as fits, and says how much. On a byte boundary only.
    pub(super) fn copy(&mut self, bytes: &[u8]) -> usize {
        debug_assert!(self.waiting.count.is_multiple_of(8));
        self.room();
        if self.waiting.count > 0 {
            return 0;
        }
        let space = &mut self.output[self.at..];
        let len = bytes.len().min(space.len());
        space[..len].copy_from_slice(&bytes[..len]);
        self.at += len;
        len
    }

    /// How many bits may follow [`room`](Self::room): the longest match and its distance with all their extra bits.
    pub(super) const PUSH: u32 = 48;
}
