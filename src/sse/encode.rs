//! Writing a stream (WHATWG HTML §9.2.4).

use core::time::Duration;

use super::{MAX_ID, Misuse, line};
use crate::bytes::num;
use crate::io::{Full, SendError, Tx};

/// An event to send. Encode it once and send the bytes to as many streams as there are.
///
/// ```
/// use hopwire::{io::Tx, sse::Outgoing};
///
/// let mut out = [0; 64];
/// let mut tx = Tx::new(&mut out);
/// Outgoing::data("two\r\nlines").event("news").id("7").encode(&mut tx)?;
/// assert_eq!(tx.written(), b"event: news\nid: 7\ndata: two\ndata: lines\n\n");
/// # Ok::<(), hopwire::io::SendError<hopwire::sse::Misuse>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "it is not written yet"]
pub struct Outgoing<'a> {
    data: Option<&'a str>,
    event: Option<&'a str>,
    id: Option<&'a str>,
    retry: Option<Duration>,
}

impl<'a> Outgoing<'a> {
    /// An event with `data`, which may have any number of lines: CR, LF and CRLF end one, and all arrive as LF.
    #[inline]
    pub const fn data(data: &'a str) -> Self {
        Self { data: Some(data), event: None, id: None, retry: None }
    }

    /// No event: only an id that takes effect, or a reconnection time.
    pub const fn silent() -> Self {
        Self { data: None, event: None, id: None, retry: None }
    }

    /// Of this type; "" is the default, "message". To a browser's listeners, "open" and "error" are taken.
    #[inline]
    pub const fn event(self, event: &'a str) -> Self {
        Self { event: Some(event), ..self }
    }

    /// With this id, which a reader that comes back sends as `Last-Event-ID`; "" takes the last one away.
    #[inline]
    pub const fn id(self, id: &'a str) -> Self {
        Self { id: Some(id), ..self }
    }

    /// How long a reader is to wait before it comes back, in whole milliseconds.
    #[inline]
    pub const fn retry(self, retry: Duration) -> Self {
        Self { retry: Some(retry), ..self }
    }

    /// Writes the event, whole or not at all.
    ///
    /// # Errors
    /// `Full` when `tx` has no room; `Misuse` for what a reader would take for something else.
    #[inline]
    pub fn encode(&self, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        if let Self { data: Some(data), event: None, id: None, retry: None } = *self {
            return encode_data(data, tx);
        }
        self.encode_all(tx)
    }

    #[inline(never)]
    fn encode_all(&self, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        let event = self.event.unwrap_or("");
        check_event(event)?;
        check_id(self.id.unwrap_or(""))?;
        let millis = self.retry.map(|retry| u64::try_from(retry.as_millis()).unwrap_or(u64::MAX));
        let mut digits = [0; 20];
        let fields = [
            (EVENT, (!event.is_empty()).then_some(event.as_bytes())),
            (ID, self.id.map(str::as_bytes)),
            (RETRY, millis.map(|millis| num::write_decimal(millis, &mut digits))),
        ];
        let lines = self.data.map(|data| Lines::of(data.as_bytes()));
        let head: usize =
            fields.iter().map(|(name, value)| value.map_or(0, |value| name.len() + value.len() + 1)).sum();
        let space = tx.reserve(head + lines.as_ref().map_or(0, |lines| lines.len(DATA)) + 1)?;
        let mut at = 0;
        for (name, value) in fields {
            if let Some(value) = value {
                at = put_line(space, at, name, value);
            }
        }
        if let Some(lines) = lines {
            at = lines.put(DATA, space, at);
        }
        space[at] = b'\n';
        Ok(())
    }
}

#[inline]
fn encode_data(data: &str, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
    if data.len() >= LONG && encode_long_line(data.as_bytes(), tx) {
        return Ok(());
    }
    let lines = Lines::of(data.as_bytes());
    let space = tx.reserve(lines.len(DATA) + 1)?;
    let at = lines.put(DATA, space, 0);
    space[at] = b'\n';
    Ok(())
}

/// Looks for line ends while it copies; whether there is none, and room.
#[inline(never)]
fn encode_long_line(data: &[u8], tx: &mut Tx<'_>) -> bool {
    let needed = DATA.len() + data.len() + 2;
    let Ok(space) = tx.reserve(needed) else { return false };
    let (name, rest) = space.split_at_mut(DATA.len());
    let (value, end) = rest.split_at_mut(data.len());
    if !line::copy(data, value) {
        tx.retract(needed);
        return false;
    }
    name.copy_from_slice(DATA);
    end.copy_from_slice(b"\n\n");
    true
}

/// Writes a comment, which no reader delivers. Like data it may have any number of lines.
///
/// # Errors
/// `Full` when `tx` has no room.
pub fn encode_comment(text: &str, tx: &mut Tx<'_>) -> Result<(), Full> {
    let lines = Lines::of(text.as_bytes());
    let space = tx.reserve(lines.len(COMMENT) + 1)?;
    let at = lines.put(COMMENT, space, 0);
    space[at] = b'\n';
    Ok(())
}

/// What a stream without events is kept open with: a comment without text.
pub const KEEP_ALIVE: &[u8] = b":\n\n";

/// What the response needs beside status 200: nobody on the way is to store, change or hold back a stream.
///
/// RFC 9111 §5.2.2.5, RFC 9110 §7.7; the last one is nginx's.
pub const RESPONSE_FIELDS: [(&str, &[u8]); 3] = [
    ("content-type", b"text/event-stream"),
    ("cache-control", b"no-store, no-transform"),
    ("x-accel-buffering", b"no"),
];

/// Text whose lines each get a field name.
struct Lines<'a> {
    text: &'a [u8],
    /// Where the first line ends.
    first: usize,
}

impl<'a> Lines<'a> {
    #[inline(always)]
    fn of(text: &'a [u8]) -> Self {
        Self { text, first: line::end(text).0 }
    }

    /// Length on the wire.
    #[inline(always)]
    fn len(&self, name: &[u8]) -> usize {
        let plain = name.len() + self.text.len() + 1;
        if self.first == self.text.len() { plain } else { plain + growth(&self.text[self.first..], name) }
    }

    #[inline(always)]
    fn put(&self, name: &[u8], space: &mut [u8], at: usize) -> usize {
        let mut at = put_line(space, at, name, &self.text[..self.first]);
        let mut rest = &self.text[self.first..];
        while let [ending, after @ ..] = rest {
            rest = match after {
                [b'\n', after @ ..] if *ending == b'\r' => after,
                _ => after,
            };
            let (content, later) = rest.split_at(line::end(rest).0);
            at = put_line(space, at, name, content);
            rest = later;
        }
        at
    }
}

/// How much longer text gets when each of its line ends becomes an LF and a field name.
#[inline(never)]
fn growth(text: &[u8], name: &[u8]) -> usize {
    // Few enough at a time for a byte to count them.
    let count =
        |b| text.chunks(128).map(|part| usize::from(part.iter().map(|&it| u8::from(it == b)).sum::<u8>())).sum();
    let (lf, cr): (usize, usize) = (count(b'\n'), count(b'\r'));
    let pairs = if cr == 0 { 0 } else { text.windows(2).filter(|two| two == b"\r\n").count() };
    (lf + cr - pairs) * name.len() - pairs
}

/// Writes a line to `space[at..]`; where it ends.
#[inline(always)]
fn put_line(space: &mut [u8], at: usize, name: &[u8], value: &[u8]) -> usize {
    let end = at + name.len() + value.len();
    let (start, rest) = space[at..=end].split_at_mut(name.len());
    start.copy_from_slice(name);
    rest[..value.len()].copy_from_slice(value);
    rest[value.len()] = b'\n';
    end + 1
}

fn check_event(event: &str) -> Result<(), Misuse> {
    event.bytes().try_for_each(check_byte)
}

/// A field value (RFC 9110 §5.5) that comes back as it was sent: it cannot have controls, and loses white space at its
/// ends.
fn check_id(id: &str) -> Result<(), Misuse> {
    if id.len() > MAX_ID {
        return Err(Misuse::IdLength);
    }
    id.bytes().try_for_each(check_byte)?;
    let edge = |b: Option<&u8>| matches!(b, Some(b' ' | b'\t'));
    let bytes = id.as_bytes();
    let lost = edge(bytes.first()) || edge(bytes.last()) || bytes.iter().any(|b| b.is_ascii_control() && *b != b'\t');
    if lost { Err(Misuse::IdUnsafe) } else { Ok(()) }
}

pub(super) fn check_byte(b: u8) -> Result<(), Misuse> {
    match b {
        b'\r' | b'\n' => Err(Misuse::LineEnd),
        0 => Err(Misuse::Nul),
        _ => Ok(()),
    }
}

/// From here on one pass instead of two is worth a copy that may be in vain.
const LONG: usize = 1024;

const EVENT: &[u8] = b"event: ";
const ID: &[u8] = b"id: ";
const RETRY: &[u8] = b"retry: ";
const DATA: &[u8] = b"data: ";
const COMMENT: &[u8] = b": ";
