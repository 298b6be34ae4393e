//! Cursors over the caller's buffers ([`Rx`], [`Tx`]), and buffers for callers that want them made.
//!
//! Looking for how an engine says what it waits for? [`Wants`]. For why a send failed? [`SendError`]. For what a full output
//! does? [`Full`]. For one big buffer a thread? `Stash`.
//!
//! No buffer type is asked for. Where the kernel has the buffer until a read completes (io_uring, IOCP), an [`Rx`] is made of
//! what came, and what it leaves stays in front of what comes next; a [`Tx`] fills the buffer that is submitted then.

mod buffer;

use core::{fmt, mem};

#[cfg(feature = "alloc")]
use alloc::vec::Vec;

pub use buffer::RxBuffer;
#[cfg(feature = "alloc")]
pub use buffer::{GrowingBuffer, Loaded, Stash};

/// Received bytes that no engine has consumed yet.
///
/// An engine takes bytes off the front and hands them out inside events, so an event borrows the
/// caller's buffer and neither the engine nor this cursor. There is no `Drop`, on purpose: the buffer
/// is free again as soon as the last event is gone.
#[derive(Debug)]
pub struct Rx<'b> {
    rest: &'b mut [u8],
    consumed: usize,
    more: More,
}

/// What can follow the bytes of an [`Rx`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum More {
    /// Anything.
    Open,
    /// Nothing until some bytes are consumed: the caller's buffer is full.
    Full,
    /// Nothing, ever: the peer has stopped writing.
    Last,
}

impl<'b> Rx<'b> {
    /// Bytes behind which more may come.
    #[inline]
    pub const fn new(received: &'b mut [u8]) -> Self {
        Self { rest: received, consumed: 0, more: More::Open }
    }

    /// The last bytes of the stream: the peer has stopped writing.
    pub const fn last(received: &'b mut [u8]) -> Self {
        Self { rest: received, consumed: 0, more: More::Last }
    }

    /// Bytes that fill the caller's buffer. An engine that could only wait for more answers with a
    /// limit violation instead (431, 1009), for the wait would never end.
    pub const fn full(received: &'b mut [u8]) -> Self {
        Self { rest: received, consumed: 0, more: More::Full }
    }

    /// How many bytes have been consumed since this cursor was made.
    #[inline]
    pub const fn consumed(&self) -> usize {
        self.consumed
    }

    /// The bytes not consumed yet.
    #[inline]
    pub const fn bytes(&self) -> &[u8] {
        self.rest
    }

    /// Whether nothing follows these bytes.
    pub fn is_last(&self) -> bool {
        self.more == More::Last
    }

    /// Whether nothing can follow these bytes until some are consumed.
    pub fn is_full(&self) -> bool {
        self.more == More::Full
    }

    /// Whether an engine that consumes nothing now waits without end. Bytes taken from this cursor earlier make room for more.
    pub(crate) fn is_stuck(&self) -> bool {
        self.is_full() && self.consumed == 0
    }

    /// Takes everything left, for a caller that leaves the protocol (after an upgrade, in a tunnel).
    pub fn take_all(&mut self) -> &'b mut [u8] {
        self.take(self.rest.len())
    }

    /// More can follow after all: the buffer behind can grow.
    #[cfg(feature = "alloc")]
    pub(crate) fn reopen(&mut self) {
        if self.more == More::Full {
            self.more = More::Open;
        }
    }

    /// The bytes not consumed yet. An engine changes only those it consumes in the same call.
    #[inline]
    pub(crate) const fn bytes_mut(&mut self) -> &mut [u8] {
        self.rest
    }

    /// Consumes `n` bytes, at most all that are left.
    #[inline]
    pub(crate) fn take(&mut self, n: usize) -> &'b mut [u8] {
        let n = n.min(self.rest.len());
        let (taken, rest) = mem::take(&mut self.rest).split_at_mut(n);
        self.rest = rest;
        self.consumed += n;
        taken
    }
}

/// Space for bytes to send. Every write is whole or not at all.
#[derive(Debug)]
pub struct Tx<'o> {
    sink: Sink<'o>,
}

#[derive(Debug)]
enum Sink<'o> {
    Slice {
        buf: &'o mut [u8],
        len: usize,
    },
    #[cfg(feature = "alloc")]
    Vec {
        buf: &'o mut Vec<u8>,
        start: usize,
        limit: usize,
    },
}

/// The output has no room: nothing was written, consumed or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Full {
    /// How many free bytes the call needs to succeed.
    pub needed: usize,
}

impl<'o> Tx<'o> {
    /// Writes to the start of `buf`.
    #[inline]
    pub const fn new(buf: &'o mut [u8]) -> Self {
        Self { sink: Sink::Slice { buf, len: 0 } }
    }

    /// Appends to `buf`, which may grow to `limit` bytes in all.
    #[cfg(feature = "alloc")]
    pub const fn growing(buf: &'o mut Vec<u8>, limit: usize) -> Self {
        let start = buf.len();
        Self { sink: Sink::Vec { buf, start, limit } }
    }

    /// What was written through this cursor.
    #[inline]
    pub fn written(&self) -> &[u8] {
        match &self.sink {
            Sink::Slice { buf, len } => &buf[..*len],
            #[cfg(feature = "alloc")]
            Sink::Vec { buf, start, .. } => &buf[*start..],
        }
    }

    /// How many bytes were written through this cursor.
    pub fn len(&self) -> usize {
        self.written().len()
    }

    /// Whether nothing was written through this cursor.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes still fit.
    #[inline]
    pub const fn room(&self) -> usize {
        match &self.sink {
            Sink::Slice { buf, len } => buf.len() - *len,
            #[cfg(feature = "alloc")]
            Sink::Vec { buf, limit, .. } => limit.saturating_sub(buf.len()),
        }
    }

    /// Room for exactly `needed` bytes, counted as written; the caller fills all of it.
    #[inline]
    pub(crate) fn reserve(&mut self, needed: usize) -> Result<&mut [u8], Full> {
        match &mut self.sink {
            Sink::Slice { buf, len } => claim(buf, len, needed),
            #[cfg(feature = "alloc")]
            Sink::Vec { buf, limit, .. } => grow(buf, *limit, needed),
        }
    }

    /// Writes all of `head` and `body`, or nothing; what was written of `body`.
    #[inline]
    pub(crate) fn put_both(&mut self, head: &[u8], body: &[u8]) -> Result<&mut [u8], Full> {
        match &mut self.sink {
            Sink::Slice { buf, len } => {
                let (start, rest) = claim(buf, len, head.len() + body.len())?.split_at_mut(head.len());
                start.copy_from_slice(head);
                rest.copy_from_slice(body);
                Ok(rest)
            }
            #[cfg(feature = "alloc")]
            Sink::Vec { buf, limit, .. } => extend(buf, *limit, head, body),
        }
    }

    /// Takes back the last `n` bytes reserved: what was made of them turned out to be wrong.
    #[cold]
    pub(crate) fn retract(&mut self, n: usize) {
        match &mut self.sink {
            Sink::Slice { len, .. } => *len = len.saturating_sub(n),
            #[cfg(feature = "alloc")]
            Sink::Vec { buf, .. } => buf.truncate(buf.len().saturating_sub(n)),
        }
    }

    /// Writes all of `bytes`, or nothing.
    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.reserve(bytes.len())?.copy_from_slice(bytes);
        Ok(())
    }
}

#[inline]
fn claim<'s>(buf: &'s mut [u8], len: &mut usize, needed: usize) -> Result<&'s mut [u8], Full> {
    let (_, free) = buf.split_at_mut_checked(*len).ok_or(Full { needed })?;
    let space = free.get_mut(..needed).ok_or(Full { needed })?;
    *len += needed;
    Ok(space)
}

#[cfg(feature = "alloc")]
#[inline(never)]
fn grow(buf: &mut Vec<u8>, limit: usize, needed: usize) -> Result<&mut [u8], Full> {
    let at = buf.len();
    if limit.saturating_sub(at) < needed {
        return Err(Full { needed });
    }
    buf.resize(at + needed, 0);
    Ok(&mut buf[at..])
}

/// Unlike `grow`, writes every byte once.
#[cfg(feature = "alloc")]
#[inline(never)]
fn extend<'v>(buf: &'v mut Vec<u8>, limit: usize, head: &[u8], body: &[u8]) -> Result<&'v mut [u8], Full> {
    let (at, needed) = (buf.len() + head.len(), head.len() + body.len());
    if limit.saturating_sub(buf.len()) < needed {
        return Err(Full { needed });
    }
    buf.reserve(needed);
    buf.extend_from_slice(head);
    buf.extend_from_slice(body);
    Ok(&mut buf[at..])
}

/// What an engine needs before the next `poll` can make progress; valid after `Ok(None)` or an error.
///
/// A caller that gives every single `poll` room for the longest reply of the protocol (131 bytes for WebSocket, fewer for
/// HTTP), and answers a request before it reads on, need only tell `Close` from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// More received bytes (or the end of input).
    Input,
    /// A [`Tx`] with at least this many free bytes: write what is in it and poll again, without reading. If an empty one has
    /// less, use a larger one. How long a peer may leave unread what is written is the caller's to bound.
    Output(usize),
    /// A call of the caller's: an answer, the rest of a body, the next request.
    Caller,
    /// The end: write what is in `tx`, stop writing (shut down), read and drop input for a bounded
    /// time ([`is_over`](crate::ws::Connection::is_over) says when, of a WebSocket), close. Closing at once can make the kernel
    /// reset the connection, which destroys what the peer has not read yet.
    Close,
}

/// Why a `send_*` or `respond` call did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SendError<M> {
    /// No room in `tx`: call again with more.
    Full(Full),
    /// The call is wrong here, and would be again.
    Misuse(M),
}

impl<M> From<Full> for SendError<M> {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the output needs {} free bytes", self.needed)
    }
}

impl core::error::Error for Full {}

impl<M: fmt::Display> fmt::Display for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(full) => full.fmt(f),
            Self::Misuse(misuse) => misuse.fmt(f),
        }
    }
}

impl<M: fmt::Debug + fmt::Display> core::error::Error for SendError<M> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_bytes_outlive_the_cursor() {
        let mut buf = *b"abcdef";
        let mut rx = Rx::new(&mut buf);
        let first = rx.take(2);
        let second = rx.take(9);
        assert_eq!((&*first, &*second, rx.consumed()), (&b"ab"[..], &b"cdef"[..], 6));
    }

    #[test]
    fn a_write_is_whole_or_not_at_all() {
        let mut out = [0; 4];
        let mut tx = Tx::new(&mut out);
        assert_eq!(tx.put(b"abc"), Ok(()));
        assert_eq!(tx.put(b"de"), Err(Full { needed: 2 }));
        assert_eq!((tx.written(), tx.room()), (&b"abc"[..], 1));
    }

    /// In two parts as in one, into a slice or a vector.
    #[test]
    fn two_parts_are_written_whole_or_not_at_all() {
        let two_parts = |mut tx: Tx<'_>| {
            assert_eq!(tx.put_both(b"ab", b"c").map(|body| body.to_vec()), Ok(b"c".to_vec()));
            assert_eq!(tx.put_both(b"d", b"ef").map(|_| ()), Err(Full { needed: 3 }));
            assert_eq!((tx.written(), tx.room()), (&b"abc"[..], 2));
            assert_eq!(tx.put_both(b"d", b"e").map(|body| body.to_vec()), Ok(b"e".to_vec()));
            assert_eq!((tx.written(), tx.room()), (&b"abcde"[..], 0));
        };
        two_parts(Tx::new(&mut [0; 5]));
        #[cfg(feature = "alloc")]
        two_parts(Tx::growing(&mut alloc::vec![b'x'; 3], 8));
    }

    #[test]
    #[cfg(feature = "alloc")]
    fn growing_output_appends_up_to_its_limit() {
        let mut out = alloc::vec![b'x'];
        let mut tx = Tx::growing(&mut out, 4);
        assert_eq!(tx.put(b"abc"), Ok(()));
        assert_eq!(tx.put(b"d"), Err(Full { needed: 1 }));
        assert_eq!((tx.written(), tx.room(), tx.len()), (&b"abc"[..], 0, 3));
        assert_eq!(out, b"xabc");
    }
}
