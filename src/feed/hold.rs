//! The server's side of polls, short and long.

use alloc::vec::Vec;
use core::time::Duration;

use super::history::Made;
use super::parked::{Parked, Parking};
use super::{Ask, Cursor, History, Start, Tail};
use crate::Entropy;
use crate::http::Status;
use crate::retry;
use crate::time::Instant;

pub use super::parked::Key;

/// Polls that wait for something new, each with a token `T` of the caller's: say, which connection it came on.
///
/// Looking and parking are one step, so nothing can be published in between. Nothing is kept of a poll once it is
/// answered: an answer that gets lost is asked for again with the cursor of before.
///
/// Parking, waking and aborting are a few steps each, however many wait. With a token of 8 bytes, 10,000 parked polls take
/// at most 1 MiB, 104 bytes each, and a publish to all of them makes one answer.
///
/// ```
/// use hopwire::{feed::{Ask, Hold, Log, hold::{self, Answer}, log}, time::Instant};
///
/// let (mut log, mut hold) = (Log::new(log::Config::new(), 0x9f), Hold::new(hold::Config::new()));
/// let mut entropy = |bytes: &mut [u8]| bytes.fill(7); // a random source
/// let ask = Ask::parse(b"cursor=9f.0&wait=25").unwrap(); // else 400
/// let Answer::Parked(key) = hold.ask(Instant::ZERO, &ask, "connection 4", &log, &mut entropy) else { panic!() };
/// log.publish(Instant::ZERO, "", "news")?;
/// let reply = hold.poll(Instant::ZERO, &log).unwrap(); // one at a time: as many a turn as the caller likes
/// assert_eq!((reply.token, reply.body), ("connection 4", &b"id: 9f.1\ndata: news\n\n"[..]));
/// assert!(hold.poll(Instant::ZERO, &log).is_none() && hold.abort(key).is_none());
/// # Ok::<(), hopwire::feed::Misuse>(())
/// ```
#[derive(Debug)]
pub struct Hold<T> {
    config: Config,
    parking: Parking<T>,
    /// The last answer put together: the next one is often the same.
    body: Vec<u8>,
    /// What it was made of, and where it ended.
    made: Option<(Source, Start)>,
}

/// From where an answer was made, and what of the history can make another of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Source {
    start: Start,
    head: Cursor,
    oldest: u64,
    snapshot: Option<u64>,
}

/// What becomes of a poll.
#[derive(Debug)]
pub enum Answer<'h, T> {
    /// It is answered now.
    Reply(Reply<'h, T>),
    /// It waits: [`Hold::poll`] answers it.
    Parked(Key),
}

/// An answer: status, fields and content of a response.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply<'h, T> {
    /// Whose poll it answers.
    pub token: T,
    /// 200; 204: nothing will ever follow; 304: nothing is new; 429 or 503: not now, see `retry_after`.
    pub status: Status,
    /// Events of a stream (`text/event-stream`), of which the last id is the next poll's cursor. Empty unless 200.
    pub body: &'h [u8],
    /// Where the answer ends; [`Cursor::tag`] of it is the `ETag` of a 200 or 304 that was not held.
    pub cursor: Option<Cursor>,
    /// `Retry-After`, with 429 and 503.
    pub retry_after: Option<Duration>,
}

/// What a second poll of the same client does to the first that is still parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// The older one is answered at once, with nothing new: its client has gone, and came back.
    NewestWins,
    /// The newer one is refused (429).
    OldestWins,
    /// Nothing.
    Independent,
}

/// Limits and habits of a [`Hold`]. Every default is a named constant of this type. More
/// settings may come: write `..Config::new()` behind your own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// For how long a poll is held unless it says otherwise.
    pub hold: Duration,
    /// The longest that a poll can ask for.
    pub max_hold: Duration,
    /// How many polls can wait at a time.
    pub max_parked: usize,
    /// How many entries an answer has at most.
    pub max_entries: usize,
    /// How many bytes an answer has at most, if it has more than one entry.
    pub max_bytes: usize,
    /// What a second poll of the same client does.
    pub overlap: Overlap,
    /// When those that are refused may come back.
    pub retry_after: Duration,
}

impl<T> Hold<T> {
    /// No polls so far, and no memory.
    pub const fn new(config: Config) -> Self {
        Self { config, parking: Parking::new(), body: Vec::new(), made: None }
    }

    /// Takes a poll: it is answered if there is something new for it, or parked.
    #[must_use = "an answer that is dropped is never sent"]
    pub fn ask<H: History + ?Sized>(
        &mut self,
        now: Instant,
        ask: &Ask<'_>,
        token: T,
        history: &H,
        entropy: &mut impl Entropy,
    ) -> Answer<'_, T> {
        let wait = ask.wait.unwrap_or(self.config.hold).min(self.config.max_hold);
        let cursor = match ask.start {
            // It has all there is.
            Start::After(cursor) if cursor == history.cursor() && !wait.is_zero() && !history.is_closed() => cursor,
            start => {
                let reply = self.reply(token, start, history);
                let unchanged = wait.is_zero() && ask.if_none_match.is_some_and(|tags| names(tags, reply.cursor));
                return Answer::Reply(match unchanged && reply.status == Status::OK {
                    true => Reply { status: Status::NOT_MODIFIED, body: &[], ..reply },
                    false => reply,
                });
            }
        };
        if self.parking.len() >= self.config.max_parked {
            return Answer::Reply(self.refuse(token, Status::SERVICE_UNAVAILABLE));
        }
        let client = ask.client.filter(|_| self.config.overlap != Overlap::Independent).unwrap_or(0);
        if let Some(first) = (client != 0).then(|| self.parking.of_client(client)).flatten() {
            if self.config.overlap == Overlap::OldestWins {
                return Answer::Reply(self.refuse(token, Status::TOO_MANY_REQUESTS));
            }
            self.parking.hurry(first);
        }
        // Polls that began in the same moment, by the same news, do not all end in the same moment.
        let until = now.checked_add(wait - retry::below(wait / 8, entropy)).unwrap_or(Instant::from_nanos(u64::MAX));
        Answer::Parked(self.parking.park(Parked { token, cursor, client }, until, now, entropy))
    }

    /// The next answer to a parked poll: there is news for it, its time has come, or it was overtaken. Those that waited
    /// longest come first; the caller can leave the others for its next turn.
    #[must_use = "an answer that is dropped is never sent"]
    pub fn poll<H: History + ?Sized>(&mut self, now: Instant, history: &H) -> Option<Reply<'_, T>> {
        let parked = match self.has_news(history) {
            true => self.parking.take_first(),
            false => self.parking.take_due(now),
        }?;
        Some(self.reply(parked.token, Start::After(parked.cursor), history))
    }

    /// Whether [`poll`](Self::poll) has news for somebody.
    pub fn has_news<H: History + ?Sized>(&self, history: &H) -> bool {
        // Whoever was parked had all there was then. So those without news, if any, are those who came last.
        self.parking.first().is_some_and(|cursor| cursor != history.cursor() || history.is_closed())
    }

    /// When the time of the next parked poll comes.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.parking.next_due()
    }

    /// The connection of a parked poll is gone: its token, if it was still parked. Nothing is consumed by that.
    pub fn abort(&mut self, key: Key) -> Option<T> {
        self.parking.abort(key).map(|parked| parked.token)
    }

    /// How many polls wait.
    pub const fn len(&self) -> usize {
        self.parking.len()
    }

    /// Whether no poll waits.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives the memory back that the most polls so far have needed, if none waits now.
    pub fn release(&mut self) {
        self.parking.release();
        (self.body, self.made) = (Vec::new(), None);
    }

    fn reply<H: History + ?Sized>(&mut self, token: T, start: Start, history: &H) -> Reply<'_, T> {
        if history.is_closed() && Tail::new(start).peek(history).is_none() {
            let cursor = Some(history.cursor());
            return Reply { token, status: Status::NO_CONTENT, body: &[], cursor, retry_after: None };
        }
        let snapshot = history.snapshot().map(|(seq, _)| seq);
        let source = Source { start, head: history.cursor(), oldest: history.oldest(), snapshot };
        let end = match self.made {
            Some((made, end)) if made == source => end,
            _ => self.put_together(source, history),
        };
        let cursor = match end {
            Start::After(cursor) => Some(cursor),
            _ => None,
        };
        Reply { token, status: Status::OK, body: &self.body, cursor, retry_after: None }
    }

    /// Makes the body of an answer; where it ends.
    fn put_together<H: History + ?Sized>(&mut self, source: Source, history: &H) -> Start {
        self.body.clear();
        let mut tail = Tail::new(source.start);
        let mut lasts = true;
        for _ in 0..self.config.max_entries.max(1) {
            // Of the same place there may be another snapshot next time.
            lasts &= tail.start() != Start::Snapshot;
            let Some(next) = tail.peek(history) else { break };
            let block = next.block();
            if !self.body.is_empty() && self.body.len() + block.len() > self.config.max_bytes {
                break;
            }
            self.body.extend_from_slice(block);
            tail = next.tail();
        }
        if self.body.is_empty() {
            self.body.extend_from_slice(Made::place(history.cursor()).as_bytes());
        }
        self.made = lasts.then_some((source, tail.start()));
        tail.start()
    }

    const fn refuse(&self, token: T, status: Status) -> Reply<'_, T> {
        Reply { token, status, body: &[], cursor: None, retry_after: Some(self.config.retry_after) }
    }
}

impl Config {
    /// 25 seconds, as a client [asks](super::pull::Config::HOLD) for.
    pub const HOLD: Duration = super::pull::Config::HOLD;
    /// 55 seconds: nginx, as a proxy, gives up after 60 (`proxy_read_timeout`).
    pub const MAX_HOLD: Duration = Duration::from_secs(55);
    /// 10,000 polls, which wait in 1 MiB.
    pub const MAX_PARKED: usize = 10_000;
    /// 100 entries in an answer, as in Telegram's API for bots (`getUpdates`).
    pub const MAX_ENTRIES: usize = 100;
    /// 64 KiB in an answer: about what TCP sends without hearing back, where windows do not scale (RFC 7323 §2.1).
    pub const MAX_BYTES: usize = 64 << 10;
    /// The newest wins: a client that comes again has lost the poll of before.
    pub const OVERLAP: Overlap = Overlap::NewestWins;
    /// 5 seconds until coming back: as many as can wait are 2,000 requests a second then.
    pub const RETRY_AFTER: Duration = Duration::from_secs(5);

    /// The defaults.
    pub const fn new() -> Self {
        Self {
            hold: Self::HOLD,
            max_hold: Self::MAX_HOLD,
            max_parked: Self::MAX_PARKED,
            max_entries: Self::MAX_ENTRIES,
            max_bytes: Self::MAX_BYTES,
            overlap: Self::OVERLAP,
            retry_after: Self::RETRY_AFTER,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// What the response to a poll needs beside its status, and `ETag` and `Retry-After` where there are some.
pub const REPLY_FIELDS: [(&str, &[u8]); 2] = [("content-type", b"text/event-stream"), ("cache-control", b"no-store")];

/// Whether `If-None-Match` names this place (RFC 9110 §13.1.2). No tag of ours has a comma in it.
fn names(tags: &[u8], cursor: Option<Cursor>) -> bool {
    let Some(own) = cursor.map(Cursor::tag) else { return false };
    tags.split(|&b| b == b',')
        .map(<[u8]>::trim_ascii)
        .any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == own.as_bytes())
}
