//! Whole messages from pieces.

use alloc::vec::Vec;
use core::mem;

use super::{Event, Kind, Limit, Violation};
use crate::bytes::Text;

/// Puts the pieces of messages together. A message that comes in one piece is not copied.
///
/// ```
/// use hopwire::{io::{Rx, Tx}, time::Instant, ws};
///
/// // "Hel" and "lo", masked with a key of zeros
/// let mut received = *b"\x01\x83\0\0\0\0Hel\x80\x82\0\0\0\0lo";
/// let mut sent = [0; 16];
/// let (mut rx, mut tx) = (Rx::new(&mut received), Tx::new(&mut sent));
/// let (mut conn, mut messages) = (ws::Connection::default(), ws::Messages::new(1 << 20));
/// while let Some(event) = conn.poll(Instant::ZERO, &mut rx, &mut tx)? {
///     match messages.push(event)? {
///         Some(ws::Message::Text(text)) => conn.send_text(text, &mut tx)?,
///         Some(ws::Message::Binary(data)) => conn.send_binary(data, &mut tx)?,
///         None => {}
///     }
/// }
/// assert_eq!(tx.written(), b"\x81\x05Hello");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Messages {
    buf: Vec<u8>,
    max_message: usize,
    /// Whether `buf` holds a message that was handed out.
    done: bool,
    /// Whether a message was too big: what follows of it must not pass for a whole one.
    failed: bool,
}

/// A whole message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'m> {
    /// Of text.
    Text(Text<'m>),
    /// Of bytes.
    Binary(&'m [u8]),
}

/// A message that is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready<'b> {
    kind: Kind,
    /// `None`: it was put together.
    whole: Option<&'b [u8]>,
}

impl Ready<'_> {
    pub(super) const fn assembled(kind: Kind) -> Self {
        Self { kind, whole: None }
    }
}

impl Messages {
    /// Messages of at most `max_message` bytes; no memory is taken before it is needed.
    ///
    /// Give [`Config::max_message`](super::Config::max_message) the same value: then a message that is too big
    /// fails at its header, with the right Close on the wire.
    pub const fn new(max_message: usize) -> Self {
        Self { buf: Vec::new(), max_message, done: false, failed: false }
    }

    /// The message that `event` ends, if it ends one. Events that are no piece of a message are passed over.
    ///
    /// # Errors
    /// The message is bigger than allowed, or one before it was: its memory is given back, and every further piece
    /// gets the same answer. Then [fail](super::Connection::fail) the connection.
    pub fn push<'m>(&'m mut self, event: Event<'m>) -> Result<Option<Message<'m>>, Violation> {
        self.release();
        Ok(self.take(event)?.map(|ready| self.message(ready)))
    }

    /// The same, but what is put together stays here until [`message`](Self::message) asks for it.
    pub(super) fn take<'b>(&mut self, event: Event<'b>) -> Result<Option<Ready<'b>>, Violation> {
        let (kind, bytes, end) = match event {
            Event::Text { text, end } => (Kind::Text, text.as_bytes(), end),
            Event::Binary { data, end } => (Kind::Binary, &*data, end),
            _ => return Ok(None),
        };
        self.check(bytes.len())?;
        if end && self.buf.is_empty() {
            return Ok(Some(Ready { kind, whole: Some(bytes) }));
        }
        self.buf.extend_from_slice(bytes);
        self.done = end;
        Ok(end.then_some(Ready { kind, whole: None }))
    }

    /// The message that [`take`](Self::take) or [`filled`](Self::filled) said is ready.
    pub(super) fn message<'m>(&'m self, ready: Ready<'m>) -> Message<'m> {
        let bytes = ready.whole.unwrap_or(&self.buf);
        match ready.kind {
            Kind::Text => Message::Text(Text::from_validated(bytes)),
            Kind::Binary => Message::Binary(bytes),
        }
    }

    /// Room for `len` bytes more of a message; those that count are told to [`filled`](Self::filled).
    pub(super) fn space(&mut self, len: usize) -> &mut [u8] {
        let at = self.buf.len();
        self.buf.resize(at + len, 0);
        &mut self.buf[at..]
    }

    /// Of `space` bytes of room the first `len` are the message's, which may end with them.
    pub(super) fn filled(&mut self, space: usize, len: usize, end: bool) {
        self.buf.truncate(self.buf.len() - space + len);
        self.done = end;
    }

    fn check(&mut self, more: usize) -> Result<(), Violation> {
        if self.failed || self.buf.len().saturating_add(more) > self.max_message {
            self.failed = true;
            self.buf = Vec::new();
            return Err(Violation::Limit(Limit::Message));
        }
        Ok(())
    }

    /// Takes `spare` memory for a message that begins.
    pub(super) fn borrow(&mut self, spare: &mut Vec<u8>) {
        if self.buf.capacity() == 0 {
            mem::swap(&mut self.buf, spare);
        }
    }

    /// Gives back the memory of a message already handed out, as `spare` if it is not too much.
    pub(super) fn give_back(&mut self, spare: &mut Vec<u8>) {
        if self.done {
            self.done = false;
            self.buf.clear();
            let kept = mem::take(&mut self.buf);
            if kept.capacity() <= SPARE && kept.capacity() > spare.capacity() {
                *spare = kept;
            }
        }
    }

    /// Gives back the memory of a message already handed out (the next `push` would, too). A small buffer is kept.
    pub fn release(&mut self) {
        if !self.done {
            return;
        }
        self.done = false;
        if self.buf.capacity() > KEPT {
            self.buf = Vec::new();
        } else {
            self.buf.clear();
        }
    }

    /// How many bytes of memory are held.
    pub const fn capacity(&self) -> usize {
        self.buf.capacity()
    }
}

/// The most memory kept between messages: those in fragments, up to this size, then cost no allocation.
const KEPT: usize = 4096;
/// The most memory kept for the messages of many connections.
pub(super) const SPARE: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, end: bool) -> Event<'_> {
        Event::Text { text: Text::from(text), end }
    }

    #[test]
    fn one_piece_is_not_copied_and_several_are_joined() {
        let mut messages = Messages::new(10);
        assert_eq!(messages.push(text("whole", true)), Ok(Some(Message::Text(Text::from("whole")))));
        assert_eq!(messages.capacity(), 0);
        assert_eq!(messages.push(text("in ", false)), Ok(None));
        assert_eq!(messages.push(Event::Ping(b"between")), Ok(None));
        assert_eq!(messages.push(text("two", true)), Ok(Some(Message::Text(Text::from("in two")))));
        assert_eq!(messages.push(text("", true)), Ok(Some(Message::Text(Text::from("")))));
        let mut data = *b"0123456789";
        assert_eq!(
            messages.push(Event::Binary { data: &mut data, end: true }),
            Ok(Some(Message::Binary(b"0123456789")))
        );
        assert_eq!(messages.push(text("12345", false)), Ok(None));
        assert_eq!(messages.push(text("678901", true)), Err(Violation::Limit(Limit::Message)));
    }

    #[test]
    fn the_rest_of_a_message_that_was_too_big_is_no_message() {
        let mut messages = Messages::new(10);
        assert_eq!(messages.push(text("12345", false)), Ok(None));
        for (piece, end) in [("678901", false), ("x", true), ("next", true)] {
            assert_eq!(messages.push(text(piece, end)), Err(Violation::Limit(Limit::Message)));
        }
        assert_eq!(messages.push(Event::Ping(b"")), Ok(None));
        assert_eq!(messages.capacity(), 0);
    }

    #[test]
    fn memory_of_a_big_message_is_given_back() {
        let mut messages = Messages::new(usize::MAX);
        let mut data = alloc::vec![0; 100_000];
        assert_eq!(messages.push(Event::Binary { data: &mut data, end: false }), Ok(None));
        messages.release();
        assert!(messages.capacity() >= 100_000, "an unfinished message is kept");
        assert!(messages.push(Event::Binary { data: &mut [], end: true }).is_ok_and(|message| message.is_some()));
        messages.release();
        assert_eq!(messages.capacity(), 0);
    }
}
