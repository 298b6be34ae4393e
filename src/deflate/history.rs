//! What was said before, for matches to point at, and behind it the input that is not encoded yet.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;

use super::tables;

/// A ring of the last bytes of input, as many as `R` has: 2^9 to 2^15. This is what context takeover must keep, and all
/// of it.
///
/// What works with histories takes them as `History<[u8]>`, of any size.
//
// Positions count bytes since the start and wrap around at 2^32.
#[derive(Clone, Debug)]
pub struct History<R: ?Sized = [u8; 32768]> {
    /// The oldest position that may be pointed at.
    start: u32,
    /// The next position to encode.
    at: u32,
    /// Behind the last byte taken.
    end: u32,
    /// How far back matches may reach, though more were here.
    limit: u16,
    /// Which turn of the encoder that worked for it last this was; 0, of none.
    turn: u32,
    /// The byte of position `p` is at `p` modulo the size, which is a power of two.
    ring: R,
}

impl<const WINDOW: usize> History<[u8; WINDOW]> {
    /// Nothing said yet.
    pub const fn new() -> Self {
        const { assert!(WINDOW.is_power_of_two() && WINDOW >= 512 && WINDOW <= 32768, "the window is 2^9 to 2^15") };
        Self { start: FIRST, at: FIRST, end: FIRST, limit: 1 << 15, turn: 0, ring: [0; WINDOW] }
    }
}

impl<R: ?Sized> History<R> {
    /// Forgets everything that was said; a limit of the window stays. It costs nothing.
    pub const fn reset(&mut self) {
        self.start = self.end;
        self.at = self.end;
    }

    /// From now on no match reaches back over more than 2^`bits` bytes, 8 to 15. The size is the limit in any case.
    pub const fn set_window_bits(&mut self, bits: u8) {
        self.limit = match bits {
            ..8 => 1 << 8,
            8..15 => 1 << bits,
            15.. => 1 << 15,
        };
    }
}

impl History<[u8]> {
    /// A history of 2^`bits` bytes, 9 to 15; 8 bits are kept in a history of 9.
    #[cfg(feature = "alloc")]
    pub fn boxed(bits: u8) -> Box<Self> {
        let mut history: Box<Self> = match bits {
            ..=9 => Box::new(History::<[u8; 1 << 9]>::new()),
            10 => Box::new(History::<[u8; 1 << 10]>::new()),
            11 => Box::new(History::<[u8; 1 << 11]>::new()),
            12 => Box::new(History::<[u8; 1 << 12]>::new()),
            13 => Box::new(History::<[u8; 1 << 13]>::new()),
            14 => Box::new(History::<[u8; 1 << 14]>::new()),
            15.. => Box::new(History::<[u8; 1 << 15]>::new()),
        };
        history.set_window_bits(bits);
        history
    }

    /// Takes the beginning of `input`, up to `most` bytes waiting, and says how much.
    pub(super) fn take(&mut self, input: &[u8], most: u32) -> usize {
        let len = input.len().min(most.saturating_sub(self.ahead()) as usize);
        let index = self.index(self.end);
        let (front, back) = input[..len].split_at(len.min(self.ring.len() - index));
        self.ring[index..index + front.len()].copy_from_slice(front);
        self.ring[..back.len()].copy_from_slice(back);
        #[expect(clippy::cast_possible_truncation, reason = "at most `most`")]
        let taken = len as u32;
        self.end = self.end.wrapping_add(taken);
        if self.end.wrapping_sub(self.start) > self.size() {
            self.start = self.end.wrapping_sub(self.size());
        }
        len
    }

    /// Goes on behind what was compressed elsewhere, and is known to the other side. All before it must be flushed.
    pub fn append(&mut self, bytes: &[u8]) {
        debug_assert_eq!(self.ahead(), 0, "nothing waits to be encoded");
        let bytes = &bytes[bytes.len().saturating_sub(self.ring.len())..];
        self.take(bytes, self.size());
        self.pass(self.ahead());
        self.turn = 0;
    }

    /// Whether the encoder with this turn worked for it last. A new turn begins in any case: histories that come from other
    /// encoders may have the same number, but not twice. (Then the places of another are taken for its own: less is found,
    /// and where the other's words stood may show in the size.)
    pub(super) fn is_of_turn(&mut self, turn: &mut u32) -> bool {
        let is_of_turn = self.turn == *turn;
        *turn = turn.wrapping_add(1).max(1);
        self.turn = *turn;
        is_of_turn
    }

    /// Counts positions anew: the next one is [`FIRST`] or less than as much behind it.
    pub(super) fn renumber(&mut self) {
        // A multiple of the size, so that all stays in its place.
        let by = (self.at & !(FIRST - 1)).wrapping_sub(FIRST);
        for position in [&mut self.start, &mut self.at, &mut self.end] {
            *position = position.wrapping_sub(by);
        }
    }

    /// How many bytes of input there is room for, those waiting among them.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "at most 32,768")]
    pub(super) const fn size(&self) -> u32 {
        self.ring.len() as u32
    }

    /// The next position to encode.
    #[inline]
    pub(super) const fn at(&self) -> u32 {
        self.at
    }

    /// Bytes that are not encoded yet.
    #[inline]
    pub(super) const fn ahead(&self) -> u32 {
        self.end.wrapping_sub(self.at)
    }

    /// Bytes before the next position that are still here, though matches may have to stay nearer.
    #[inline]
    pub(super) const fn behind(&self) -> u32 {
        self.at.wrapping_sub(self.start)
    }

    /// The greatest distance that a match at the next position may have.
    #[inline]
    pub(super) fn reach(&self) -> u32 {
        self.behind().min(self.limit.into())
    }

    /// `len` bytes are encoded now.
    #[inline]
    pub(super) fn pass(&mut self, len: u32) {
        debug_assert!(len <= self.ahead());
        self.at = self.at.wrapping_add(len);
    }

    /// The `len` bytes before the next position, the older part first.
    pub(super) fn last(&self, len: u32) -> (&[u8], &[u8]) {
        debug_assert!(len <= self.behind());
        let (start, end) = (self.index(self.at.wrapping_sub(len)), self.index(self.at));
        if len > 0 && end <= start { (&self.ring[start..], &self.ring[..end]) } else { (&self.ring[start..end], &[]) }
    }

    #[inline]
    pub(super) fn byte(&self, position: u32) -> u8 {
        self.ring[self.index(position)]
    }

    /// Eight bytes from `position` on, the first in the lowest bits. Those behind the end mean nothing.
    #[inline]
    pub(super) fn eight(&self, position: u32) -> u64 {
        let index = self.index(position);
        match self.ring.get(index..index + 8).and_then(<[u8]>::first_chunk) {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => self.eight_around(index),
        }
    }

    #[cold]
    fn eight_around(&self, index: usize) -> u64 {
        u64::from_le_bytes(core::array::from_fn(|i| self.ring[(index + i) & (self.ring.len() - 1)]))
    }

    /// How many bytes from `position` on are the same as from `position - distance` on. `most` limits it.
    #[inline]
    pub(super) fn common(&self, position: u32, distance: u32, most: u32) -> u32 {
        let mut len = 0;
        while len < most {
            let differ = |len| {
                let here = position.wrapping_add(len);
                self.eight(here) ^ self.eight(here.wrapping_sub(distance))
            };
            // Two at a time: how many bytes agree can hardly be predicted, so there shall be few turns.
            let (first, second) = (differ(len), differ(len + 8));
            let both = u128::from(second) << 64 | u128::from(first);
            if both != 0 {
                return (len + both.trailing_zeros() / 8).min(most);
            }
            len += 16;
        }
        most
    }

    /// The longest match that the input here allows at the next position.
    #[inline]
    pub(super) fn longest(&self) -> u32 {
        self.ahead().min(LONGEST)
    }

    #[inline]
    const fn index(&self, position: u32) -> usize {
        position as usize & (self.ring.len() - 1)
    }
}

impl<const WINDOW: usize> Default for History<[u8; WINDOW]> {
    fn default() -> Self {
        Self::new()
    }
}

/// The position of the first byte: the zeros in a matcher's new table, taken for positions, are beyond its reach. For what
/// waits to be encoded takes room, too, so that every match stays nearer than 2^15 bytes.
pub(super) const FIRST: u32 = 1 << 15;
/// The longest match.
#[expect(clippy::cast_possible_truncation, reason = "258")]
const LONGEST: u32 = tables::MAX_MATCH as u32;
