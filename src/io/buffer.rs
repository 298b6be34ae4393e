//! Receive buffers: storage that keeps the unconsumed tail contiguous. An engine needs none of them,
//! any `&mut [u8]` will do.
//!
//! | | storage | idle cost |
//! |---|---|---|
//! | [`RxBuffer`] | fixed: an array, a slice, a `Box<[u8]>` | the storage |
//! | [`GrowingBuffer`] | grows as needed, to a limit | nothing, once released |
//! | [`Stash`] | one buffer a thread, shared by its connections | the unconsumed tail |

#[cfg(feature = "alloc")]
use super::Full;
use super::Rx;
use crate::bytes::looked_at;
#[cfg(feature = "alloc")]
use alloc::vec::Vec;
#[cfg(feature = "alloc")]
use core::ops::{Deref, DerefMut};

/// Received bytes in storage of a fixed size.
///
/// ```
/// use hopwire::io::RxBuffer;
/// let mut inbox = RxBuffer::new([0; 8]);
/// inbox.space()[..3].copy_from_slice(b"abc"); // socket.read(inbox.space())
/// inbox.advance(3);
/// assert_eq!(inbox.rx().bytes(), b"abc");
/// inbox.consume(2); // rx.consumed()
/// assert_eq!(inbox.rx().bytes(), b"c");
/// ```
#[derive(Debug)]
pub struct RxBuffer<S> {
    storage: S,
    start: usize,
    filled: usize,
    ended: bool,
}

impl<S: AsMut<[u8]>> RxBuffer<S> {
    /// An empty buffer over `storage`.
    pub const fn new(storage: S) -> Self {
        Self { storage, start: 0, filled: 0, ended: false }
    }

    /// Where the next bytes are to be read to; empty only when the buffer is full. Then do not read: 0 bytes would come, as at
    /// the end of input. An engine that wants input has never left the buffer full.
    pub fn space(&mut self) -> &mut [u8] {
        let storage = self.storage.as_mut();
        let (tail, room) = (self.filled - self.start, storage.len() - self.filled);
        // Moving the tail costs less than many short reads. While there is room, it waits until as much was consumed as
        // is to be moved: so each byte is moved once, on average.
        if room == 0 || room < storage.len() / 2 && tail <= self.start || tail == 0 {
            looked_at(tail);
            storage.copy_within(self.start..self.filled, 0);
            (self.start, self.filled) = (0, tail);
        }
        &mut storage[self.filled..]
    }

    /// `n` bytes were read into [`space`](Self::space).
    pub fn advance(&mut self, n: usize) {
        let room = self.storage.as_mut().len() - self.filled;
        debug_assert!(n <= room, "more was read than there was space");
        self.filled += n.min(room);
    }

    /// The peer has stopped writing: what is here is all there will be.
    pub const fn end(&mut self) {
        self.ended = true;
    }

    /// A cursor over the unconsumed bytes, which knows whether the buffer is full or the input at its end.
    pub fn rx(&mut self) -> Rx<'_> {
        let storage = self.storage.as_mut();
        let full = self.filled - self.start == storage.len();
        let bytes = &mut storage[self.start..self.filled];
        match (self.ended, full) {
            (true, _) => Rx::last(bytes),
            (false, true) => Rx::full(bytes),
            (false, false) => Rx::new(bytes),
        }
    }

    /// Forgets the first `n` unconsumed bytes: [`Rx::consumed`] of the cursor that is gone now.
    pub fn consume(&mut self, n: usize) {
        debug_assert!(n <= self.filled - self.start, "more was consumed than received");
        self.start = self.filled.min(self.start.saturating_add(n));
    }

    #[cfg(feature = "alloc")]
    fn unconsumed(&mut self) -> &[u8] {
        &self.storage.as_mut()[self.start..self.filled]
    }
}

/// Received bytes in storage that grows as it must, up to a limit, and is given back by [`release`](Self::release).
#[cfg(feature = "alloc")]
#[derive(Debug)]
pub struct GrowingBuffer {
    buffer: RxBuffer<Vec<u8>>,
    limit: usize,
}

#[cfg(feature = "alloc")]
impl GrowingBuffer {
    /// An empty buffer, without memory so far, of at most `limit` bytes.
    pub const fn new(limit: usize) -> Self {
        Self { buffer: RxBuffer::new(Vec::new()), limit }
    }

    /// See [`RxBuffer::space`]; empty only when `limit` bytes are unconsumed.
    pub fn space(&mut self) -> &mut [u8] {
        let buffer = &mut self.buffer;
        if buffer.filled - buffer.start == buffer.storage.len() {
            let len = (buffer.storage.len() * 2).clamp(FIRST_GROWTH.min(self.limit), self.limit);
            buffer.storage.resize(len, 0);
        }
        buffer.space()
    }

    /// See [`RxBuffer::advance`].
    pub fn advance(&mut self, n: usize) {
        self.buffer.advance(n);
    }

    /// See [`RxBuffer::end`].
    pub const fn end(&mut self) {
        self.buffer.end();
    }

    /// See [`RxBuffer::rx`]; full only at the limit.
    pub fn rx(&mut self) -> Rx<'_> {
        let can_grow = self.buffer.storage.len() < self.limit;
        let mut rx = self.buffer.rx();
        if can_grow {
            rx.reopen();
        }
        rx
    }

    /// See [`RxBuffer::consume`].
    pub fn consume(&mut self, n: usize) {
        self.buffer.consume(n);
    }

    /// Gives the memory back if nothing is in it: for a connection that goes idle.
    pub fn release(&mut self) {
        if self.buffer.unconsumed().is_empty() {
            self.buffer.storage = Vec::new();
            self.buffer.start = 0;
            self.buffer.filled = 0;
        }
    }

    /// Bytes of memory held.
    pub const fn capacity(&self) -> usize {
        self.buffer.storage.capacity()
    }
}

/// The first size of a [`GrowingBuffer`], in bytes: most heads and chat messages fit.
#[cfg(feature = "alloc")]
const FIRST_GROWTH: usize = 2048;

/// What one connection keeps while its thread's big buffer serves another: the unconsumed tail, and whether it is the last.
///
/// ```
/// use hopwire::io::Stash;
/// let mut big = vec![0; 65536]; // one a thread
/// let mut stash = Stash::default(); // one a connection
/// {
///     let mut inbox = stash.load(&mut big)?;
///     inbox.space()[..3].copy_from_slice(b"abc"); // socket.read(inbox.space())
///     inbox.advance(3);
///     inbox.consume(2); // rx.consumed()
/// } // the tail goes back into the stash
/// assert_eq!(stash.load(&mut big)?.rx().bytes(), b"c");
/// # Ok::<(), hopwire::io::Full>(())
/// ```
#[cfg(feature = "alloc")]
#[derive(Debug, Default)]
pub struct Stash {
    tail: Vec<u8>,
    ended: bool,
}

/// A big buffer while it serves one connection: an [`RxBuffer`] whose unconsumed tail goes back into the [`Stash`] when
/// this is dropped, however that comes about.
#[cfg(feature = "alloc")]
#[derive(Debug)]
pub struct Loaded<'s> {
    inbox: RxBuffer<&'s mut [u8]>,
    stash: &'s mut Stash,
}

#[cfg(feature = "alloc")]
impl Stash {
    /// The tail at the front of `shared`, which must be at least as long.
    ///
    /// # Errors
    /// `Full` if `shared` is shorter than the tail.
    pub fn load<'s>(&'s mut self, shared: &'s mut [u8]) -> Result<Loaded<'s>, Full> {
        let front = shared.get_mut(..self.tail.len()).ok_or(Full { needed: self.tail.len() })?;
        front.copy_from_slice(&self.tail);
        let mut inbox = RxBuffer::new(shared);
        inbox.filled = self.tail.len();
        inbox.ended = self.ended;
        Ok(Loaded { inbox, stash: self })
    }

    /// Bytes of memory held.
    pub const fn capacity(&self) -> usize {
        self.tail.capacity()
    }
}

#[cfg(feature = "alloc")]
impl<'s> Deref for Loaded<'s> {
    type Target = RxBuffer<&'s mut [u8]>;

    fn deref(&self) -> &Self::Target {
        &self.inbox
    }
}

#[cfg(feature = "alloc")]
impl DerefMut for Loaded<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.inbox
    }
}

/// Keeps what was not consumed, in little more memory than that takes; without any, in none.
#[cfg(feature = "alloc")]
impl Drop for Loaded<'_> {
    fn drop(&mut self) {
        self.stash.ended = self.inbox.ended;
        let (tail, kept) = (self.inbox.unconsumed(), &mut self.stash.tail);
        if tail.is_empty() || kept.capacity() > 2 * tail.len() + SLACK {
            *kept = Vec::new();
        }
        kept.clear();
        kept.extend_from_slice(tail);
    }
}

/// Bytes of memory not worth giving back while a tail is kept.
#[cfg(feature = "alloc")]
const SLACK: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::LOOKED_AT;

    fn read<S: AsMut<[u8]>>(inbox: &mut RxBuffer<S>, bytes: &[u8]) {
        inbox.space()[..bytes.len()].copy_from_slice(bytes);
        inbox.advance(bytes.len());
    }

    #[test]
    fn the_tail_stays_contiguous() {
        let mut inbox = RxBuffer::new([0; 8]);
        read(&mut inbox, b"abcdef");
        inbox.consume(4);
        assert_eq!(inbox.space().len(), 6, "the tail moves to the front when little room is left");
        read(&mut inbox, b"ghi");
        assert_eq!(inbox.rx().bytes(), b"efghi");
        inbox.consume(5);
        assert_eq!(inbox.space().len(), 8);
    }

    #[test]
    fn the_tail_moves_when_it_is_worth_it() {
        let mut inbox = RxBuffer::new([0; 16]);
        read(&mut inbox, &[1; 12]);
        inbox.consume(2);
        assert_eq!((inbox.space().len(), inbox.start), (4, 2), "ten bytes are not moved to gain two");
        read(&mut inbox, &[2; 4]);
        assert_eq!((inbox.space().len(), inbox.start), (2, 0), "but there must be room");
        inbox.consume(7);
        assert_eq!((inbox.space().len(), inbox.start), (9, 0), "as many are gone as are left");
    }

    /// A mebibyte in small frames: not each of them moves what is behind it.
    #[test]
    fn a_byte_is_moved_about_once() {
        for (per_read, frame) in [(4096, 6), (1000, 6), (100, 90), (4096, 1500), (7, 2000), (1, 6)] {
            let (mut inbox, mut left, mut unconsumed) = (RxBuffer::new([0; 4096]), 1 << 20, 0);
            LOOKED_AT.set(0);
            while left > 0 {
                let n = inbox.space().len().min(per_read).min(left);
                inbox.advance(n);
                left -= n;
                unconsumed += n;
                while unconsumed >= frame {
                    inbox.consume(frame);
                    unconsumed -= frame;
                }
            }
            assert!(LOOKED_AT.get() <= 1 << 20, "{} for {frame} of {per_read}", LOOKED_AT.get());
        }
    }

    #[test]
    fn a_full_buffer_marks_the_cursor() {
        let mut inbox = RxBuffer::new([0; 4]);
        read(&mut inbox, b"abc");
        assert!(!inbox.rx().is_full());
        read(&mut inbox, b"d");
        assert!(inbox.rx().is_full());
        inbox.consume(1);
        assert!(!inbox.rx().is_full());
        inbox.end();
        assert!(inbox.rx().is_last());
    }

    #[test]
    #[cfg(feature = "alloc")]
    fn growth_ends_at_the_limit_and_memory_is_given_back() {
        let mut inbox = GrowingBuffer::new(5000);
        assert_eq!(inbox.capacity(), 0);
        let mut read = 0;
        while !inbox.rx().is_full() {
            let n = inbox.space().len();
            inbox.advance(n);
            read += n;
        }
        assert_eq!((read, inbox.space().len()), (5000, 0));
        inbox.release();
        assert_eq!(inbox.rx().bytes().len(), 5000, "release keeps what is unconsumed");
        inbox.consume(5000);
        inbox.release();
        assert_eq!(inbox.capacity(), 0);
        assert!(!inbox.rx().is_last() && !inbox.rx().is_full());
        inbox.end();
        assert!(inbox.rx().is_last(), "whatever room there is");
    }

    #[test]
    #[cfg(feature = "alloc")]
    fn a_stash_holds_the_tail_and_no_more() {
        let (mut big, mut stash) = ([0; 16], Stash::default());
        let mut inbox = stash.load(&mut big).unwrap();
        read(&mut inbox, b"0123456789");
        inbox.consume(7);
        drop(inbox);
        assert_eq!(stash.load(&mut [0; 2]).unwrap_err(), Full { needed: 3 });
        let mut inbox = stash.load(&mut big).unwrap();
        read(&mut inbox, b"abc");
        assert_eq!(inbox.rx().bytes(), b"789abc");
        inbox.consume(6);
        drop(inbox);
        assert_eq!(stash.capacity(), 0);
    }

    /// Who sends much once and then little does not hold the memory of much.
    #[test]
    #[cfg(feature = "alloc")]
    fn a_stash_does_not_keep_the_memory_of_a_longer_tail() {
        let (mut big, mut stash) = (alloc::vec![0; 65_536], Stash::default());
        read(&mut stash.load(&mut big).unwrap(), &[b'x'; 60_000]);
        assert!((60_000..61_000).contains(&stash.capacity()), "{}", stash.capacity());
        stash.load(&mut big).unwrap().consume(59_900);
        assert!((100..=2 * 100 + SLACK).contains(&stash.capacity()), "{}", stash.capacity());
        stash.load(&mut big).unwrap().consume(99);
        assert_eq!(stash.load(&mut big).unwrap().rx().bytes(), b"x");
        assert!(stash.capacity() <= 2 + SLACK, "{}", stash.capacity());
    }

    /// Bytes once consumed must not come again, or a request would be answered twice.
    #[test]
    #[cfg(feature = "alloc")]
    fn nothing_consumed_comes_back_from_a_stash() {
        let (mut big, mut stash) = ([0; 16], Stash::default());
        let mut fails_half_way = |stash: &mut Stash, consumed: usize| -> Result<(), Full> {
            let mut inbox = stash.load(&mut big)?;
            if inbox.rx().bytes().is_empty() {
                read(&mut inbox, b"abcdef");
            }
            inbox.consume(consumed);
            Err(Full { needed: 1 })
        };
        assert!(fails_half_way(&mut stash, 2).is_err());
        assert!(fails_half_way(&mut stash, 3).is_err());
        assert_eq!(stash.load(&mut big).unwrap().rx().bytes(), b"f");
    }

    #[test]
    #[cfg(feature = "alloc")]
    fn a_stash_remembers_the_end_of_input() {
        let (mut big, mut stash) = ([0; 16], Stash::default());
        let mut inbox = stash.load(&mut big).unwrap();
        assert!(!inbox.rx().is_last());
        read(&mut inbox, b"a");
        inbox.end();
        drop(inbox);
        assert!(stash.load(&mut big).unwrap().rx().is_last());
    }
}
