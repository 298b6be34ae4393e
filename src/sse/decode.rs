//! Reading a stream (WHATWG HTML §9.2.5).
//!
//! The bytes of an event stay where they are until its blank line is there; then its lines of data are moved together
//! in place and all of it is consumed at once. Between events nothing is kept: comments, unknown fields and blank lines
//! are consumed as they come.

use core::mem;
use core::time::Duration;

use super::line::{self, Line};
use super::{Lossy, MAX_EVENT, MAX_ID, Misuse};
use crate::bytes::{Text, num};
use crate::io::Rx;

/// Turns a stream into [`Event`]s. `ID` is the room for the last event ID, in bytes.
///
/// ```
/// use hopwire::{io::Rx, sse::{Decoder, Event}};
///
/// let mut decoder = Decoder::new();
/// let mut received = *b"id: 7\ndata: two\ndata: lines\n\n: a comment\n\ndata: unfini";
/// let mut rx = Rx::new(&mut received);
/// let Some(Event::Message(message)) = decoder.poll(&mut rx) else { panic!() };
/// assert_eq!((message.event, message.data), ("message".into(), "two\nlines".into()));
/// assert_eq!(decoder.last_event_id(), "7");
/// assert_eq!(decoder.poll(&mut rx), None); // more input is needed: the rest is presented again with more behind it
/// assert_eq!(rx.bytes(), b"data: unfini");
/// ```
#[derive(Clone, Debug)]
pub struct Decoder<const ID: usize = MAX_ID> {
    phase: Phase,
    /// The last byte was a CR: an LF right behind it belongs to it.
    after_cr: bool,
    max_event: usize,
    /// Where the current line starts, from the start of the block.
    line: usize,
    /// How far was looked, from the start of the block.
    scanned: usize,
    block: Block,
    reconnection_time: Option<Duration>,
    last_id: [u8; ID],
    last_id_len: usize,
}

/// What a stream says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'b> {
    /// An event.
    Message(Message<'b>),
    /// An event was left out, and its id with it: it passed a limit. What follows it is read again.
    Skipped(Limit),
}

/// An event. Its id is [`Decoder::last_event_id`], which holds until the next `poll`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'b> {
    /// Its type, "message" if it has none of its own.
    pub event: Lossy<'b>,
    /// Its lines of data, with LF between them.
    pub data: Lossy<'b>,
}

/// Which limit an event passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// It is longer than the decoder takes, or than the receive buffer ([`Rx::full`]).
    Event,
    /// Its id is longer than the decoder has room for.
    Id,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// "one leading UTF-8 Byte Order Mark (BOM)" may come.
    Bom,
    /// Lines have a meaning.
    Lines,
    /// The rest of this line has none, and nothing before it waits for a blank line.
    RestOfLine,
    /// The lines up to a blank one have none; whether the current one is known not to be blank.
    RestOfBlock { mid_line: bool },
}

/// What is known of the lines since the last blank one; places count from its start.
#[derive(Clone, Copy, Debug)]
struct Block {
    /// The value of the first line of data.
    data: Option<Span>,
    /// Whether more lines of data follow the first.
    more_data: bool,
    event: Option<Span>,
    id: Option<Span>,
    ascii: bool,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    from: usize,
    to: usize,
}

impl Decoder {
    /// A decoder at the start of a stream, with room for ids of [`MAX_ID`] bytes and events of [`MAX_EVENT`] bytes.
    pub const fn new() -> Self {
        Self::with_room(MAX_EVENT)
    }
}

impl<const ID: usize> Decoder<ID> {
    /// A decoder at the start of a stream that has room for ids of `ID` bytes, and takes events of `max_event` bytes on the
    /// wire: what is longer is [skipped](Event::Skipped).
    pub const fn with_room(max_event: usize) -> Self {
        Self {
            phase: Phase::Bom,
            after_cr: false,
            max_event,
            line: 0,
            scanned: 0,
            block: Block::NEW,
            reconnection_time: None,
            last_id: [0; ID],
            last_id_len: 0,
        }
    }

    /// The last event ID, to begin with or to go back to: that of an earlier stream.
    ///
    /// # Errors
    /// `Misuse::IdLength` if there is no room for it; `LineEnd` or `Nul` if no stream can have set it.
    pub fn set_last_event_id(&mut self, id: &str) -> Result<(), Misuse> {
        id.bytes().try_for_each(super::encode::check_byte)?;
        let room = self.last_id.get_mut(..id.len()).ok_or(Misuse::IdLength)?;
        room.copy_from_slice(id.as_bytes());
        self.last_id_len = id.len();
        Ok(())
    }

    /// "The last event ID string", for `Last-Event-ID`; empty if none was set.
    pub fn last_event_id(&self) -> Text<'_> {
        Text::from_validated(self.last_id.get(..self.last_id_len).unwrap_or(&[]))
    }

    /// What the last `retry` said.
    pub const fn reconnection_time(&self) -> Option<Duration> {
        self.reconnection_time
    }

    pub(super) const fn set_reconnection_time(&mut self, time: Option<Duration>) {
        self.reconnection_time = time;
    }

    /// Another stream begins: all is forgotten but the last event ID, the reconnection time and the limits.
    pub fn restart(&mut self) {
        self.phase = Phase::Bom;
        self.after_cr = false;
        self.end_block();
    }

    /// Consumes input up to the next event; `None`: more input is needed. No input is an error.
    #[must_use = "an event is told once"]
    #[inline]
    pub fn poll<'b>(&mut self, rx: &mut Rx<'b>) -> Option<Event<'b>> {
        if self.phase == Phase::Lines && !self.after_cr {
            if self.line > 0 || self.block.is_begun() {
                if self.goes_on(rx) {
                    return None;
                }
            } else {
                if self.scanned == 0 {
                    rx.take(line::comments(rx.bytes()));
                }
                if let Some(message) = self.at_once(rx) {
                    return Some(Event::Message(message));
                }
                // All of it is one line so far, or ends within a comment that more bytes will show the rest of.
                let is_begun = self.scanned == rx.bytes().len() || line::is_short_comment(rx.bytes());
                if is_begun && self.waits(rx) {
                    return None;
                }
            }
        }
        self.step(rx)
    }

    /// A usual case: a line that goes on through all that came.
    #[inline(always)]
    fn goes_on(&mut self, rx: &Rx<'_>) -> bool {
        let bytes = rx.bytes();
        let Some(ascii) = bytes.get(self.scanned..).and_then(line::goes_on) else { return false };
        if self.waits(rx) {
            self.scanned = bytes.len();
            self.block.ascii &= ascii;
            return true;
        }
        false
    }

    /// Whether more of an event may follow, and may be kept.
    fn waits(&self, rx: &Rx<'_>) -> bool {
        !rx.is_full() && !rx.is_last() && rx.bytes().len() <= self.max_event
    }

    /// The usual case: one line of data alone, ended with LF, of which some may have been looked at before. Of anything
    /// else only how far it was looked at is remembered.
    #[inline(always)]
    fn at_once<'b>(&mut self, rx: &mut Rx<'b>) -> Option<Message<'b>> {
        let bytes = rx.bytes();
        if !bytes.starts_with(b"data: ") {
            return None;
        }
        let from = self.scanned.max(DATA);
        let rest = bytes.get(from..)?;
        // What was long before goes on.
        let goes_on = if from > LONG { line::goes_on(rest).map(|ascii| (rest.len(), ascii)) } else { None };
        let (length, ascii) = goes_on.unwrap_or_else(|| line::end(rest));
        let (end, ascii) = (from + length, ascii && self.block.ascii);
        if bytes.get(end..end + 2) != Some(b"\n\n") || end + 1 > self.max_event {
            (self.scanned, self.block.ascii) = (end, ascii);
            return None;
        }
        (self.scanned, self.block.ascii) = (0, true);
        let data = rx.take(end + 2).get(DATA..end)?;
        Some(Message { event: MESSAGE, data: Lossy::of(data, ascii) })
    }

    #[inline(never)]
    fn step<'b>(&mut self, rx: &mut Rx<'b>) -> Option<Event<'b>> {
        if self.phase == Phase::Bom {
            self.skip_bom(rx)?;
        }
        // What was not consumed is presented again. If it is not, it is forgotten here as well.
        if self.scanned > rx.bytes().len() {
            self.end_block();
        }
        // Where the block starts, where the line starts, and how far was looked.
        let (mut start, mut line, mut scanned) = (0, self.line, self.scanned);
        loop {
            let bytes = rx.bytes();
            if self.after_cr && line < bytes.len() {
                self.after_cr = false;
                line += usize::from(bytes[line] == b'\n');
                scanned = line;
            }
            if !self.block.is_begun() {
                start = line;
            }
            let (length, ascii) = line::end(&bytes[scanned..]);
            self.block.ascii &= ascii;
            scanned += length;
            if scanned - start > self.max_event && self.keeps(&bytes[line..scanned]) {
                return Some(self.skip(rx, scanned > line, scanned));
            }
            let Some(&ending) = bytes.get(scanned) else {
                return self.pause(rx, start, line, scanned);
            };
            self.after_cr = ending == b'\r';
            let content = &bytes[line..scanned];
            let value = move |from| Span { from: line - start + from, to: scanned - start };
            (line, scanned) = (scanned + 1, scanned + 1);
            match (self.phase, Line::of(content)) {
                (Phase::RestOfBlock { mid_line: false }, Line::Blank) | (Phase::RestOfLine, _) => {
                    self.phase = Phase::Lines;
                }
                (Phase::RestOfBlock { .. }, _) => self.phase = Phase::RestOfBlock { mid_line: false },
                (_, Line::Data(_)) if self.block.data.is_some() => self.block.more_data = true,
                (_, Line::Data(from)) => self.block.data = Some(value(from)),
                (_, Line::Event(from)) => self.block.event = Some(value(from)),
                // "If the field value does not contain U+0000 NULL, then set the last event ID buffer"
                (_, Line::Id(from)) if !content[from..].contains(&0) => self.block.id = Some(value(from)),
                (_, Line::Retry(from)) => self.retry(&content[from..]),
                (_, Line::Blank) if self.block.is_begun() => {
                    let block = self.end_block();
                    rx.take(start);
                    let bytes = rx.take(line - start);
                    if !self.commit_id(block, bytes) {
                        return Some(Event::Skipped(Limit::Id));
                    }
                    if let Some(message) = block.message(bytes) {
                        return Some(Event::Message(message));
                    }
                    (line, scanned) = (0, 0);
                }
                (_, Line::Id(_) | Line::Blank | Line::Ignored) => {}
            }
            if !self.block.is_begun() {
                self.block.ascii = true;
                if self.phase == Phase::Lines && !self.after_cr {
                    line += line::comments(rx.bytes().get(line..).unwrap_or(&[]));
                    scanned = line;
                }
            }
        }
    }

    /// Whether these lines wait for a blank line: `line` is the last of them.
    fn keeps(&self, line: &[u8]) -> bool {
        self.phase == Phase::Lines && (self.block.is_begun() || !Line::is_ignored(line))
    }

    /// There is nothing more to look at.
    fn pause<'b>(&mut self, rx: &mut Rx<'b>, start: usize, line: usize, scanned: usize) -> Option<Event<'b>> {
        let mid_line = scanned > line;
        if rx.is_last() {
            // "Once the end of the file is reached, any pending data must be discarded."
            self.restart();
        } else if let Phase::RestOfBlock { mid_line: before } = self.phase {
            self.phase = Phase::RestOfBlock { mid_line: mid_line || before };
        } else if mid_line && !self.keeps(&rx.bytes()[line..scanned]) {
            if line::is_short_comment(&rx.bytes()[line..]) && self.waits(rx) {
                self.end_block();
                rx.take(line);
                return None;
            }
            self.phase = Phase::RestOfLine;
        } else if rx.is_stuck() && start == 0 && scanned > 0 {
            return Some(self.skip(rx, mid_line, scanned));
        } else {
            (self.line, self.scanned) = (line - start, scanned - start);
            rx.take(start);
            return None;
        }
        self.end_block();
        rx.take_all();
        None
    }

    /// Leaves out the event of which `scanned` bytes are here.
    #[cold]
    fn skip<'b>(&mut self, rx: &mut Rx<'b>, mid_line: bool, scanned: usize) -> Event<'b> {
        self.phase = Phase::RestOfBlock { mid_line };
        self.end_block();
        rx.take(scanned);
        Event::Skipped(Limit::Event)
    }

    fn end_block(&mut self) -> Block {
        (self.line, self.scanned) = (0, 0);
        mem::replace(&mut self.block, Block::NEW)
    }

    /// "If the field value consists of only ASCII digits, then interpret the field value as an integer in base ten".
    /// No digits are none; more than 64 bits are as many as there can be.
    fn retry(&mut self, value: &[u8]) {
        if !value.is_empty() && value.iter().all(u8::is_ascii_digit) {
            let millis = num::decimal(value).unwrap_or(u64::MAX);
            self.reconnection_time = Some(Duration::from_millis(millis));
        }
    }

    /// "Set the last event ID string of the event source to the value of the last event ID buffer." Whether there was
    /// room for it.
    #[inline]
    fn commit_id(&mut self, block: Block, bytes: &[u8]) -> bool {
        let Some(id) = block.id else { return true };
        let id = &bytes[id.from..id.to];
        if block.ascii {
            let Some(room) = self.last_id.get_mut(..id.len()) else { return false };
            room.copy_from_slice(id);
            self.last_id_len = id.len();
            return true;
        }
        let id = Lossy::of(id, false);
        let len = id.pieces().map(str::len).sum();
        let Some(mut room) = self.last_id.get_mut(..len) else { return false };
        for piece in id.pieces() {
            let (start, rest) = room.split_at_mut(piece.len());
            start.copy_from_slice(piece.as_bytes());
            room = rest;
        }
        self.last_id_len = len;
        true
    }

    fn skip_bom(&mut self, rx: &mut Rx<'_>) -> Option<()> {
        const BOM: &[u8] = b"\xef\xbb\xbf";
        if rx.bytes().starts_with(BOM) {
            rx.take(BOM.len());
        } else if BOM.starts_with(rx.bytes()) && !rx.is_last() {
            return None;
        }
        self.phase = Phase::Lines;
        Some(())
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Block {
    const NEW: Self = Self { data: None, more_data: false, event: None, id: None, ascii: true };

    /// Whether anything waits for the blank line.
    const fn is_begun(&self) -> bool {
        self.data.is_some() || self.event.is_some() || self.id.is_some()
    }

    /// The event that these lines are. "If the data buffer is an empty string", there is none.
    #[inline]
    fn message(self, bytes: &mut [u8]) -> Option<Message<'_>> {
        let mut data = self.data?;
        let mut event = self.event;
        if self.more_data {
            let mut end = bytes.len();
            // What is moved must not be moved over.
            if let Some(name) = &mut event
                && name.from > data.from
            {
                let length = name.to - name.from;
                bytes[name.from..].rotate_left(length);
                end -= length;
                *name = Span { from: end, to: end + length };
            }
            data.to = join(&mut bytes[..end], data.to);
        }
        let bytes: &[u8] = bytes;
        let text = |span: Span| Lossy::of(&bytes[span.from..span.to], self.ascii);
        let event = event.map(text).filter(|event| !event.is_empty()).unwrap_or(MESSAGE);
        Some(Message { event, data: text(data) })
    }
}

/// Moves the values of the lines of data behind the first, which ends at `to`, up to it, an LF before each; where the
/// last one ends.
fn join(block: &mut [u8], mut to: usize) -> usize {
    let mut at = to;
    while at < block.len() {
        at += if block[at..].starts_with(b"\r\n") { 2 } else { 1 };
        let end = at + line::end(&block[at..]).0;
        if let Line::Data(from) = Line::of(&block[at..end]) {
            block[to] = b'\n';
            block.copy_within(at + from..end, to + 1);
            to += 1 + end - (at + from);
        }
        at = end;
    }
    to
}

const DATA: usize = b"data: ".len();

/// A line of more bytes than this is likely to have many more.
const LONG: usize = 256;

/// "Initialize event's type attribute to message".
const MESSAGE: Lossy<'static> = Lossy::ascii(b"message");

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::super::line::tests::looks;
    use super::*;

    /// Reads `stream` in pieces, from a buffer that keeps what is not consumed; how many events there were.
    fn read(stream: &[u8], size: usize) -> usize {
        let (mut decoder, mut inbox, mut events) = (Decoder::new(), Vec::new(), 0);
        for piece in stream.chunks(size) {
            inbox.extend_from_slice(piece);
            let mut rx = Rx::new(&mut inbox);
            while decoder.poll(&mut rx).is_some() {
                events += 1;
            }
            let used = rx.consumed();
            inbox.drain(..used);
        }
        events
    }

    #[test]
    fn no_byte_is_looked_at_more_than_a_few_times_however_the_stream_is_cut() {
        let long = |name: &str, end: &str| [name.as_bytes(), &[b'x'; 20_000], end.as_bytes(), b"\n\n"].concat();
        for (stream, events) in [
            (long("data: ", ""), 1),
            (long("data: ", "\r\ndata: y\r\nid: 1"), 1),
            (long("data:", "\nevent: z\ndata"), 1),
            (long(":", "\n\ndata: 1"), 1),
            (long("unknown: ", "\n\ndata: 1"), 1),
            (long("id: 1\ndata: ", ""), 1),
            (b"data: x\n".repeat(2500).into_iter().chain(*b"\n").collect(), 1),
            (b"data\n: a comment\r".repeat(1000).into_iter().chain(*b"\n\n").collect(), 1),
            (b"data: \xe6\x97\xa5\n\n".repeat(2000), 2000),
            (b"event: e\nid: 7\ndata: {}\n\n".repeat(800), 800),
            (b": keepalive\n\n".repeat(1500), 0),
        ] {
            for size in [1, 2, 7, 64, 1000, stream.len()] {
                let looks = looks(|| assert_eq!(read(&stream, size), events));
                assert!(looks <= 4 * stream.len(), "{size} {looks} {}", stream[..20].escape_ascii());
            }
        }
    }
}
