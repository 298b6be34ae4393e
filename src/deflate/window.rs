//! What was written already, for matches to copy from: in this call, and before it.

use super::tables::MAX_DISTANCE;

/// The last `N` bytes written; `N` is a power of two from 256 (2^8) to 32,768 (2^15).
///
/// This is all that must be kept of a stream between two messages if the second may refer to the first.
#[derive(Clone, Debug)]
pub struct Window<const N: usize = 32768> {
    /// A ring.
    bytes: [u8; N],
    /// Where the next byte goes, below `N`.
    next: usize,
    /// How many bytes count, at most `N`.
    filled: usize,
}

/// The bytes of one call, behind a window.
#[derive(Debug)]
pub(super) struct Output<'o, const N: usize> {
    bytes: &'o mut [u8],
    /// How many bytes are written.
    pub(super) at: usize,
    window: &'o Window<N>,
}

impl<const N: usize> Window<N> {
    /// Nothing written yet.
    pub const fn new() -> Self {
        const { assert!(N.is_power_of_two() && N >= 1 << 8 && N <= MAX_DISTANCE, "a window has 2^8 to 2^15 bytes") };
        Self { bytes: [0; N], next: 0, filled: 0 }
    }

    /// Forgets what was written: no match reaches it any more.
    pub const fn reset(&mut self) {
        (self.next, self.filled) = (0, 0);
    }

    /// What was written since the last call.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(N)..];
        let (front, back) = bytes.split_at(bytes.len().min(N - self.next));
        self.bytes[self.next..self.next + front.len()].copy_from_slice(front);
        self.bytes[..back.len()].copy_from_slice(back);
        self.next = (self.next + bytes.len()) % N;
        self.filled = N.min(self.filled + bytes.len());
    }

    /// Where the byte is that was written `back` bytes ago, 1 to `N`.
    #[inline(always)]
    const fn index(&self, back: usize) -> usize {
        self.next.wrapping_sub(back) % N
    }
}

impl<const N: usize> Default for Window<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'o, const N: usize> Output<'o, N> {
    pub(super) const fn new(bytes: &'o mut [u8], window: &'o Window<N>) -> Self {
        Self { bytes, at: 0, window }
    }

    #[inline(always)]
    pub(super) const fn room(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The same, in fields that are nobody else's.
    #[inline(always)]
    pub(super) const fn reborrow(&mut self) -> Output<'_, N> {
        Output { bytes: self.bytes, at: self.at, window: self.window }
    }

    /// "a distance cannot refer past the beginning of the output stream" (§3.2.3), and not out of the window.
    #[inline(always)]
    pub(super) const fn reaches(&self, distance: usize) -> bool {
        (N == MAX_DISTANCE || distance <= N) && distance <= self.at + self.window.filled
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
            let run = (end - self.at).min(back).min(N - start);
            self.extend(&self.window.bytes[start..start + run]);
        }
        let Some(start) = self.at.checked_sub(distance) else { return length };
        if distance == 1 {
            let byte = self.bytes[start];
            self.bytes[self.at..end].fill(byte);
            self.at = end;
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

/// Matches are copied in blocks of so many bytes.
const BLOCK: usize = 32;
