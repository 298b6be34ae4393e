//! The client's side of polls, short and long.

use core::fmt;
use core::time::Duration;

use super::{Ask, Cursor, CursorText, Reader, Start, Update};
use crate::Entropy;
use crate::io::Rx;
use crate::retry::{self, Backoff};
use crate::sse::{Decoder, Event, Head, source};
use crate::time::{Deadlines, Instant};

/// A client that polls: when to ask, for what, and what came of it. The requests are the caller's, by whatever HTTP.
///
/// ```
/// use hopwire::{feed::{Pull, Start, Update, pull::{Config, State, Verdict}}, http::Status, io::Rx, sse::Head, time::Instant};
///
/// let now = Instant::ZERO;
/// let mut pull = Pull::new(Config::new(), Start::Oldest, 0xc1, |bytes: &mut [u8]| bytes.fill(7)); // random
/// assert_eq!((pull.state(), pull.ask().to_string()), (State::Ask, "cursor=oldest&wait=25&client=c1".into()));
/// pull.asking(now); // GET /feed?cursor=oldest&wait=25&client=c1
/// assert_eq!(pull.answered(now, &Head::of(Status::OK)), Verdict::Read);
/// let mut body = *b"id: 9f.1\ndata: news\n\n";
/// let update = pull.poll(now, &mut Rx::new(&mut body));
/// assert!(matches!(update, Some(Update::Event { data, .. }) if data == "news"));
/// pull.ended(now);
/// assert_eq!(pull.ask().to_string(), "cursor=9f.1&wait=25&client=c1");
/// ```
pub struct Pull<E> {
    config: Config,
    entropy: E,
    client: u64,
    reader: Reader,
    decoder: Decoder<{ CursorText::MAX }>,
    state: State,
    backoff: Backoff,
    /// How long a short poll waits for the next.
    interval: Duration,
    /// Whether the current answer had updates.
    news: bool,
    /// Requests that may be made at once, and since when.
    tokens: u32,
    tokens_at: Instant,
    deadlines: Deadlines<2>,
}

/// How a [`Pull`] learns of news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It asks again and again: the more often, the more there is.
    Short,
    /// It asks, and the server answers when there is something.
    Long,
}

/// What a [`Pull`] waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// A request of the caller's with [`Pull::ask`] as its query, then [`Pull::asking`]. One that is still under way is to
    /// be given up.
    Ask,
    /// The answer to it: [`Pull::answered`] or [`Pull::lost`].
    Asking,
    /// Its content: [`Pull::poll`], at its end [`Pull::ended`].
    Reading,
    /// The time of [`Pull::poll_timeout`]. A request that is still under way is to be given up.
    Waiting,
    /// Nothing more: the feed is closed, or cannot be read.
    Closed,
}

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Its content goes to [`Pull::poll`].
    Read,
    /// Nothing is new (304).
    Unchanged,
    /// Another try comes, when [`Pull::poll_timeout`] says. So it is with an answer that came too late.
    Retry,
    /// The feed is closed (204): there will be nothing more.
    Closed,
    /// It is over, for this status.
    Failed,
}

/// Limits and habits of a [`Pull`]. Every default is a named constant of this type. More
/// settings may come: write `..Config::new()` behind your own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Short or long.
    pub mode: Mode,
    /// For how long to be held.
    pub hold: Duration,
    /// How much longer than that an answer may take.
    pub guard: Duration,
    /// The shortest time between short polls.
    pub min_interval: Duration,
    /// The longest.
    pub max_interval: Duration,
    /// How long to wait after the first failure; it doubles.
    pub min_retry: Duration,
    /// The longest wait after a failure.
    pub max_retry: Duration,
    /// The longest wait that a server can ask for by `Retry-After`.
    pub max_retry_after: Duration,
    /// How many requests may follow each other at once.
    pub burst: u32,
    /// After them, how long one takes to be allowed.
    pub refill: Duration,
    /// How many bytes an event may have on the wire; what is longer is a gap.
    pub max_event: usize,
}

impl<E: Entropy> Pull<E> {
    /// A client that is to ask now, and that calls itself `client`: a random number of its own.
    pub const fn new(config: Config, start: Start, client: u64, entropy: E) -> Self {
        Self {
            config,
            entropy,
            client,
            reader: Reader::new(start),
            decoder: Decoder::with_room(config.max_event),
            state: State::Ask,
            backoff: Backoff::new(config.min_retry, config.max_retry),
            interval: config.min_interval,
            news: false,
            tokens: config.burst,
            tokens_at: Instant::ZERO,
            deadlines: Deadlines::new(),
        }
    }

    /// What is to be done next.
    pub const fn state(&self) -> State {
        self.state
    }

    /// Where it is in the feed; another transport goes on from there.
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// What to ask for: the query of the request is its [`Display`](core::fmt::Display).
    pub const fn ask(&self) -> Ask<'static> {
        let wait = match self.config.mode {
            Mode::Short => Duration::ZERO,
            Mode::Long => self.config.hold,
        };
        Ask { start: self.reader.start(), wait: Some(wait), client: Some(self.client), if_none_match: None }
    }

    /// `If-None-Match` of a short poll by a client that has a place: without news the answer is a head alone (304).
    pub fn if_none_match(&self) -> Option<CursorText> {
        match (self.config.mode, self.reader.start()) {
            (Mode::Short, Start::After(cursor)) if cursor != Cursor::NOWHERE => Some(cursor.tag()),
            _ => None,
        }
    }

    /// A request is on its way.
    pub fn asking(&mut self, now: Instant) {
        if self.state != State::Ask {
            return;
        }
        self.refill(now);
        self.tokens = self.tokens.saturating_sub(1);
        self.state = State::Asking;
        let hold = if self.config.mode == Mode::Long { self.config.hold } else { Duration::ZERO };
        self.deadlines.set(GUARD, now, Some(hold.saturating_add(self.config.guard)));
    }

    /// An answer came; what it means.
    pub fn answered(&mut self, now: Instant, head: &Head<'_>) -> Verdict {
        match self.state {
            State::Asking => {}
            State::Closed => return Verdict::Failed,
            // Too late, or to nobody's question: what was to be done is still to be done.
            _ => return Verdict::Retry,
        }
        match head.status.code() {
            200 => {
                self.state = State::Reading;
                self.news = false;
                self.decoder = Decoder::with_room(self.config.max_event);
                Verdict::Read
            }
            304 => {
                self.news = false;
                self.backoff.reset();
                self.pause(now);
                Verdict::Unchanged
            }
            204 => self.close_for(Verdict::Closed),
            // What a server says that may be well again soon.
            408 | 425 | 429 | 500 | 502 | 503 | 504 => {
                let after = head.retry_after.and_then(|value| retry::retry_after(value, head.date));
                self.retry(now, after.map(|after| after.min(self.config.max_retry_after)));
                Verdict::Retry
            }
            _ => self.close_for(Verdict::Failed),
        }
    }

    /// The next update in the content of an answer; `None`: more of it is needed, or it was of no use and
    /// [`state`](Self::state) says so. What is known already is passed over. An event too long for the buffer behind `rx` is a hole,
    /// and is asked for again, less and less often: the buffer needs room for the longest.
    #[must_use = "an update is told once"]
    pub fn poll<'b>(&mut self, now: Instant, rx: &mut Rx<'b>) -> Option<Update<'b>> {
        while self.state == State::Reading {
            let Some(event) = self.decoder.poll(rx) else {
                self.reader.place(self.decoder.last_event_id().as_bytes());
                return None;
            };
            let update = match event {
                Event::Message(message) => self.reader.event(message, self.decoder.last_event_id().as_bytes()),
                Event::Skipped(_) => Update::Gap,
            };
            match update {
                Update::Known => {}
                Update::Gap => self.lost(now),
                update => {
                    self.news = true;
                    return Some(update);
                }
            }
        }
        None
    }

    /// The content of an answer came to its end. Every answer says where it ends: one without a cursor is none, whoever
    /// gave it, and counts as [lost](Self::lost).
    pub fn ended(&mut self, now: Instant) {
        if self.state != State::Reading {
            return;
        }
        if Cursor::parse(self.decoder.last_event_id().as_bytes()).is_none() {
            return self.lost(now);
        }
        self.backoff.reset();
        self.pause(now);
    }

    /// The request failed, or its answer broke off. What came of it counts.
    pub fn lost(&mut self, now: Instant) {
        if matches!(self.state, State::Ask | State::Asking | State::Reading) {
            if self.news {
                self.backoff.reset();
            }
            self.retry(now, None);
        }
    }

    /// Ends it for good.
    pub fn close(&mut self) {
        self.state = State::Closed;
        self.deadlines = Deadlines::new();
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Acts on the deadlines that are due at `now`; early or twice, it does nothing. Then [`state`](Self::state) says
    /// what to do.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.deadlines.due(now) {
            Some(NEXT) => {
                self.deadlines.clear(NEXT);
                self.state = State::Ask;
            }
            Some(_) => self.lost(now),
            None => {}
        }
    }

    /// An answer is done with: when to ask again.
    fn pause(&mut self, now: Instant) {
        self.deadlines.clear(GUARD);
        let wait = match self.config.mode {
            // What was new may be followed by more; what is quiet will be for longer.
            Mode::Short => {
                let next = if self.news { self.interval / 2 } else { self.interval.saturating_mul(3) / 2 };
                self.interval = next.min(self.config.max_interval).max(self.config.min_interval);
                self.interval.saturating_add(retry::below(self.interval / 8, &mut self.entropy))
            }
            Mode::Long => Duration::ZERO,
        };
        self.wait(now, wait);
    }

    fn retry(&mut self, now: Instant, server: Option<Duration>) {
        self.deadlines.clear(GUARD);
        self.news = false;
        let wait = self.backoff.next(self.config.min_retry, server, &mut self.entropy);
        self.wait(now, wait);
    }

    /// A token bucket besides: whatever a server answers, and however fast, there is no busy loop.
    fn wait(&mut self, now: Instant, wait: Duration) {
        self.refill(now);
        let wait = if self.tokens == 0 { wait.max(self.config.refill) } else { wait };
        if wait.is_zero() {
            self.state = State::Ask;
            return;
        }
        self.state = State::Waiting;
        self.deadlines.set(NEXT, now, Some(wait));
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_since(self.tokens_at).as_nanos() / self.config.refill.as_nanos().max(1);
        if passed > 0 {
            self.tokens = u32::try_from(passed).unwrap_or(u32::MAX).saturating_add(self.tokens).min(self.config.burst);
            self.tokens_at = now;
        }
    }

    fn close_for(&mut self, verdict: Verdict) -> Verdict {
        self.close();
        verdict
    }
}

/// Without the random source: a closure has no `Debug`, and its state is nobody's business.
impl<E> fmt::Debug for Pull<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pull")
            .field("config", &self.config)
            .field("reader", &self.reader)
            .field("state", &self.state)
            .field("deadlines", &self.deadlines)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Long: news come when there are some.
    pub const MODE: Mode = Mode::Long;
    /// 25 seconds: Heroku's router, for one, gives up after 30.
    pub const HOLD: Duration = Duration::from_secs(25);
    /// 10 seconds more, for the way there and back, and a server that has to wake many.
    pub const GUARD: Duration = Duration::from_secs(10);
    /// 1 second between short polls, the least that `Retry-After` can say (RFC 9110 §10.2.3).
    pub const MIN_INTERVAL: Duration = Duration::from_secs(1);
    /// 30 seconds between them: about as many requests as long polls make of a quiet feed.
    pub const MAX_INTERVAL: Duration = Duration::from_secs(30);
    /// 1 second after the first failure, as in gRPC (`INITIAL_BACKOFF`).
    pub const MIN_RETRY: Duration = Duration::from_secs(1);
    /// 60 seconds at most, as [for a stream](source::Config::MAX_RETRY).
    pub const MAX_RETRY: Duration = source::Config::MAX_RETRY;
    /// An hour, as [for a stream](source::Config::MAX_RETRY_AFTER).
    pub const MAX_RETRY_AFTER: Duration = source::Config::MAX_RETRY_AFTER;
    /// 20 requests at once, as many as a browser follows redirects.
    pub const BURST: u32 = 20;
    /// 200 milliseconds for another: 5 a second, where a server has news without end.
    pub const REFILL: Duration = Duration::from_millis(200);
    /// As [for a stream](source::Config::MAX_EVENT).
    pub const MAX_EVENT: usize = source::Config::MAX_EVENT;

    /// The defaults.
    pub const fn new() -> Self {
        Self {
            mode: Self::MODE,
            hold: Self::HOLD,
            guard: Self::GUARD,
            min_interval: Self::MIN_INTERVAL,
            max_interval: Self::MAX_INTERVAL,
            min_retry: Self::MIN_RETRY,
            max_retry: Self::MAX_RETRY,
            max_retry_after: Self::MAX_RETRY_AFTER,
            burst: Self::BURST,
            refill: Self::REFILL,
            max_event: Self::MAX_EVENT,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

const NEXT: usize = 0;
/// The server's hold, and then some.
const GUARD: usize = 1;
