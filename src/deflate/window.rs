//! What was written already, for matches to copy from: in this call, and before it.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;

use super::tables::MAX_DISTANCE;

/// The last bytes written, as many as `R` has: 2^8 to 2^15.
///
/// This is all that must be kept of a stream between two messages if the second may refer to the first. What works with
/// windows takes them as `Window<[u8]>`, of any size.
///
/// ```
/// use hopwire::deflate::{Decoder, Window};
///
/// let (mut decoder, mut output) = (Decoder::new(), [0; 8]);
/// let mut small: Window<[u8; 512]> = Window::new();
/// let mut large: Window = Window::new();
/// for window in [&mut small as &mut Window<[u8]>, &mut large] {
///     let inflated = decoder.inflate(window, b"\xf2\x48\xcd\xc9\xc9\x07\x00", &mut output)?;
///     assert_eq!(output[..inflated.produced], *b"Hello");
///     decoder.reset();
/// }
/// # Ok::<(), hopwire::deflate::InflateError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Window<R: ?Sized = [u8; 32768]> {
    /// Where the next byte goes.
    next: usize,
    /// How many bytes count.
    filled: usize,
    /// A ring, its size a power of two.
    bytes: R,
}

/// The bytes of one call, behind a window.
#[derive(Debug)]
pub(super) struct Output<'o> {
    bytes: &'o mut [u8],
    /// How many bytes are written.
    pub(super) at: usize,
    window: &'o Window<[u8]>,
}

impl<const N: usize> Window<[u8; N]> {
    /// Nothing written yet.
    pub const fn new() -> Self {
        const { assert!(N.is_power_of_two() && N >= 1 << 8 && N <= MAX_DISTANCE, "a window has 2^8 to 2^15 bytes") };
        Self { next: 0, filled: 0, bytes: [0; N] }
    }
}

impl<R: ?Sized> Window<R> {
    /// Forgets what was written: no match reaches it any more.
    pub const fn reset(&mut self) {
        (self.next, self.filled) = (0, 0);
    }
}

impl Window<[u8]> {
    /// A window of 2^`bits` bytes, 8 to 15, as it was negotiated.
    #[cfg(feature = "alloc")]
    pub fn boxed(bits: u8) -> Box<Self> {
        match bits {
            ..=8 => Box::new(Window::<[u8; 1 << 8]>::new()),
            9 => Box::new(Window::<[u8; 1 << 9]>::new()),
            10 => Box::new(Window::<[u8; 1 << 10]>::new()),
            11 => Box::new(Window::<[u8; 1 << 11]>::new()),
            12 => Box::new(Window::<[u8; 1 << 12]>::new()),
            13 => Box::new(Window::<[u8; 1 << 13]>::new()),
            14 => Box::new(Window::<[u8; 1 << 14]>::new()),
            15.. => Box::new(Window::<[u8; 1 << 15]>::new()),
        }
    }

    /// Whether it has 2^`bits` bytes.
    #[cfg(feature = "alloc")]
    pub(crate) const fn has_bits(&self, bits: u8) -> bool {
        self.bytes.len() == 1 << bits
    }

    /// What was written since the last call.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let size = self.bytes.len();
        let bytes = &bytes[bytes.len().saturating_sub(size)..];
        let (front, back) = bytes.split_at(bytes.len().min(size - self.next));
        self.bytes[self.next..self.next + front.len()].copy_from_slice(front);
        self.bytes[..back.len()].copy_from_slice(back);
        self.next = (self.next + bytes.len()) & (size - 1);
        self.filled = size.min(self.filled + bytes.len());
    }

    /// Where the byte is that was written `back` bytes ago, at most as many as there are.
    #[inline(always)]
    const fn index(&self, back: usize) -> usize {
        self.next.wrapping_sub(back) & (self.bytes.len() - 1)
    }
}

impl<const N: usize> Default for Window<[u8; N]> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'o> Output<'o> {
    pub(super) const fn new(bytes: &'o mut [u8], window: &'o Window<[u8]>) -> Self {
        Self { bytes, at: 0, window }
    }

    #[inline(always)]
    pub(super) const fn room(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The same, in fields that are nobody else's.
    #[inline(always)]
    pub(super) const fn reborrow(&mut self) -> Output<'_> {
        Output { bytes: self.bytes, at: self.at, window: self.window }
    }

    /// "a distance cannot refer past the beginning of the output stream" (§3.2.3), and not out of the window.
    #[inline(always)]
    pub(super) const fn reaches(&self, distance: usize) -> bool {
        distance <= self.window.bytes.len() && distance <= self.at + self.window.filled
    }

    /// A literal, where there is room.
    #[inline(always)]
    pub(super) fn push(&mut self, byte: u8) {
        self.bytes[self.at] = byte;
        self.at += 1;
    }

    /// As many bytes as there is room for, at least.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.bytes[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    /// As much of a match as there is room for: how much.
    pub(super) fn copy(&mut self, distance: usize, length: usize) -> usize {
        let length = length.min(self.room());
        let end = self.at + length;
        while self.at < end && distance > self.at {
            let back = distance - self.at;
            let start = self.window.index(back);
            let source = &self.window.bytes[start..];
            self.extend(&source[..source.len().min(end - self.at).min(back)]);
        }
        let Some(start) = self.at.checked_sub(distance) else { return length };
        if distance == 1 {
            let byte = self.bytes[start];
            self.bytes[self.at..end].fill(byte);
            self.at = end;
            return length;
        }
        let (past, room) = self.bytes.split_at_mut(self.at);
        if repeat(past, distance, room, end - self.at) {
            self.at = end;
            return length;
        }
        // Each round doubles what there is to copy from.
        while self.at < end {
            let run = (end - self.at).min(self.at - start);
            self.bytes.copy_within(start..start + run, self.at);
            self.at += run;
        }
        length
    }

    /// A match that [`reaches`](Self::reaches), where there is room for it: in whole blocks, if there is room for
    /// those. What is in the last of them behind the match is written over later.
    #[inline(always)]
    pub(super) fn copy_blocks(&mut self, distance: usize, length: usize) {
        let (past, room) = self.bytes.split_at_mut(self.at);
        let is_copied = if let Some(start) = past.len().checked_sub(distance) {
            copy_blocks(&past[start..], room, length)
        } else {
            let back = distance - past.len();
            length <= back && copy_blocks(&self.window.bytes[self.window.index(back)..], room, length)
        };
        if is_copied {
            self.at += length;
        } else {
            let mut output = self.reborrow();
            output.copy(distance, length);
            self.at = output.at;
        }
    }
}

/// `false` where the source or the room is too short.
#[inline(always)]
fn copy_blocks(source: &[u8], room: &mut [u8], length: usize) -> bool {
    let mut done = 0;
    while done < length {
        let Some(from) = source.get(done..).and_then(<[u8]>::first_chunk::<BLOCK>) else { return false };
        let Some(to) = room.get_mut(done..).and_then(<[u8]>::first_chunk_mut) else { return false };
        *to = *from;
        done += BLOCK;
    }
    true
}

/// The last `distance` bytes of `past` again and again, in words of sixteen; `false` if these are more, or where there are too few
/// bytes or too little room for one.
#[inline]
fn repeat(past: &[u8], distance: usize, room: &mut [u8], length: usize) -> bool {
    let (Some(last), Some(&(factor, step))) = (past.last_chunk(), REPEATS.get(distance)) else { return false };
    let word = (u128::from_le_bytes(*last) >> (128 - 8 * distance)).wrapping_mul(factor).to_le_bytes();
    let mut done = 0;
    while done < length {
        let Some(to) = room.get_mut(done..).and_then(<[u8]>::first_chunk_mut) else { return false };
        *to = word;
        done += step;
    }
    true
}

/// For each distance what makes so many bytes a full word, and after how many bytes that may come again.
static REPEATS: [(u128, usize); 17] = {
    let mut repeats = [(0, 0); 17];
    let mut distance = 1;
    while distance <= 16 {
        let mut at = 0;
        while at < 16 {
            repeats[distance].0 |= 1 << (8 * at);
            at += distance;
        }
        repeats[distance].1 = 16 - 16 % distance;
        distance += 1;
    }
    repeats
};

/// Matches are copied in blocks of so many bytes.
const BLOCK: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn a_match_may_overlap_what_it_makes() {
        let (window, past): (Window<[u8; 256]>, Vec<u8>) = (Window::new(), (1..=40).collect());
        for distance in 1..=past.len() {
            for length in 3..=258 {
                let mut twin = past.clone();
                (0..length).for_each(|n| twin.push(twin[past.len() + n - distance]));
                for behind in [0, 1, 14, 15, 16, 31, 64] {
                    let mut bytes = past.clone();
                    bytes.resize(past.len() + length + behind, 0);
                    let mut out = Output { bytes: &mut bytes, at: past.len(), window: &window };
                    out.copy_blocks(distance, length);
                    assert_eq!(out.at, twin.len());
                    assert_eq!(bytes[..twin.len()], twin, "{length} bytes from {distance} back, {behind} behind");
                }
            }
        }
    }
}
