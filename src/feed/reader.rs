//! What a client may believe: each update once and in order, or a reset.

use super::{Cursor, RESET, SNAPSHOT, Start};
use crate::sse::{Lossy, Message};

/// Where a client is in a feed. It outlives connections, and serves whatever transport the client is on: give it every
/// event that comes, and act on what it says.
///
/// ```
/// use hopwire::{feed::{Reader, Start, Update}, io::Rx, sse::{Decoder, Event}};
///
/// let mut reader = Reader::new(Start::Oldest);
/// // From a stream, a poll or a WebSocket, where each message is one event: the bytes are the same.
/// for (transport, outcome) in [("stream", "news"), ("WebSocket", "known already")] {
///     let (mut decoder, mut received) = (Decoder::new(), *b"id: 9f.17\ndata: news\n\n");
///     let Some(Event::Message(message)) = decoder.poll(&mut Rx::new(&mut received)) else { panic!() };
///     match reader.event(message, decoder.last_event_id().as_bytes()) {
///         Update::Event { data, .. } => assert_eq!((data, outcome), ("news".into(), "news")),
///         update => assert_eq!((update, outcome), (Update::Known, "known already"), "{transport}"),
///     }
///     // `Last-Event-ID` of the next stream, `cursor=` of the next poll, the first message of the next WebSocket:
///     assert_eq!(reader.start().text().as_str(), "9f.17");
/// }
/// ```
///
/// A decoder changes what it reads, and the text of a WebSocket is not to be changed. So a client that shall not copy is sent
/// binary messages: each is the caller's to change, and the decoder's as it lies.
///
/// ```
/// # use hopwire::{feed::{Reader, Start, Update}, io::{Rx, Tx}, sse::{Decoder, Event}, time::Instant, ws};
/// # let (mut conn, mut out) = (ws::Connection::client(|key: &mut [u8]| key.fill(7), ws::Config::new()), [0; 64]);
/// # let (mut reader, mut received) = (Reader::new(Start::Oldest), *b"\x82\x16id: 9f.17\ndata: news\n\n");
/// # let (mut rx, mut tx) = (Rx::new(&mut received), Tx::new(&mut out));
/// if let Some(ws::Event::Binary { data, end: true }) = conn.poll(Instant::ZERO, &mut rx, &mut tx)? {
///     let mut decoder = Decoder::new();
///     let Some(Event::Message(message)) = decoder.poll(&mut Rx::last(data)) else { panic!("no event of a feed") };
///     let update = reader.event(message, decoder.last_event_id().as_bytes());
///     assert!(matches!(update, Update::Event { data, .. } if data == "news"));
/// }
/// # assert_eq!(reader.start().text().as_str(), "9f.17");
/// # Ok::<(), ws::Violation>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    at: Start,
    /// The feed was reset, and a snapshot may follow.
    reset: bool,
}

/// What an event means to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Update<'b> {
    /// The next update.
    Event {
        /// The place behind it.
        cursor: Cursor,
        /// Its type, "message" by default.
        event: Lossy<'b>,
        /// Its data.
        data: Lossy<'b>,
    },
    /// What all updates up to `cursor` come to; it takes the place of everything before.
    Snapshot {
        /// The place behind the last update in it.
        cursor: Cursor,
        /// Its data.
        data: Lossy<'b>,
    },
    /// The feed does not know (any more) what followed the last update: some may be missing. It goes on behind `oldest`,
    /// perhaps with a snapshot.
    Reset {
        /// The place before the oldest entry that is still kept.
        oldest: Cursor,
        /// The place behind the newest entry.
        head: Cursor,
    },
    /// Known already: nothing to do.
    Known,
    /// Not what comes next: something before it is missing on this connection, or it is of another feed. The connection
    /// is of no more use; asking again from [`Reader::start`] brings what is missing.
    Gap,
}

impl Reader {
    /// A client that begins here.
    pub const fn new(start: Start) -> Self {
        Self { at: start, reset: false }
    }

    /// Where to ask from: the `cursor` of a poll, the `Last-Event-ID` of a stream, the token to resume a WebSocket with.
    pub const fn start(&self) -> Start {
        self.at
    }

    /// An event came, and `id` is the last event ID at its end.
    pub fn event<'b>(&mut self, message: Message<'b>, id: &[u8]) -> Update<'b> {
        let Some(cursor) = Cursor::parse(id) else { return Update::Gap };
        let Message { event, data } = message;
        if event == RESET {
            return self.reset(cursor, data.as_bytes());
        }
        if event == SNAPSHOT {
            return self.snapshot(cursor, data);
        }
        match self.at {
            Start::After(known) if known.epoch != cursor.epoch || cursor.seq > known.seq.saturating_add(1) => {
                Update::Gap
            }
            Start::After(known) if cursor.seq <= known.seq => Update::Known,
            // To whoever has no place yet, the first event is the next one.
            _ => {
                self.at = Start::After(cursor);
                self.reset = false;
                Update::Event { cursor, event, data }
            }
        }
    }

    /// An id came without an event: a place. Only a client that has none yet takes it for its own.
    pub fn place(&mut self, id: &[u8]) {
        if let (Start::Now | Start::Oldest | Start::Snapshot, Some(cursor)) = (self.at, Cursor::parse(id)) {
            self.at = Start::After(cursor);
        }
    }

    fn snapshot<'b>(&mut self, cursor: Cursor, data: Lossy<'b>) -> Update<'b> {
        let news = match self.at {
            Start::Snapshot => true,
            Start::After(known) => known.epoch == cursor.epoch && self.reset && cursor.seq >= known.seq,
            Start::Oldest | Start::Now => false,
        };
        if !news {
            return Update::Known;
        }
        self.at = Start::After(cursor);
        self.reset = false;
        Update::Snapshot { cursor, data }
    }

    /// A reset is the answer to one cursor. To a client that has moved on since it says nothing.
    fn reset<'b>(&mut self, oldest: Cursor, data: &[u8]) -> Update<'b> {
        let member = |name: &[u8]| {
            let at = data.windows(name.len()).position(|window| window == name)? + name.len();
            data[at..].split(|&b| b == b'"').next()
        };
        let asked = member(b"\"asked\":\"").and_then(|text| match text {
            b"0.0" => Some(Cursor::NOWHERE),
            _ => Cursor::parse(text),
        });
        let (Some(asked), Some(head)) = (asked, member(b"\"head\":\"").and_then(Cursor::parse)) else {
            return Update::Gap;
        };
        if self.at != Start::After(asked) {
            return Update::Known;
        }
        self.at = Start::After(oldest);
        self.reset = true;
        Update::Reset { oldest, head }
    }
}
