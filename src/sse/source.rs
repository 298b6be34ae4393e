//! The client of a stream (WHATWG HTML §9.2.2, §9.2.3): when to connect, what an answer means, when to come back.

use core::fmt;
use core::time::Duration;

use super::{Decoder, Event, MAX_ID, Misuse};
use crate::Entropy;
use crate::bytes::{Text, scan};
use crate::http::{self, Fields, Status};
use crate::io::Rx;
use crate::retry::{self, Backoff};
use crate::time::{Deadlines, Instant};

/// What `EventSource` is in a browser, without its connection: the caller makes the requests, by whatever HTTP, and says
/// what came of them.
///
/// ```text
///   Connect ──connecting──▶ Connecting ──200──▶ Open ──lost, idle──▶ Waiting ──handle_timeout──▶ Connect
///                               └─────lost, 5xx, 429─────────────────────▲
///                               └─────204, 4xx, wrong type──▶ Closed
/// ```
///
/// ```
/// use hopwire::{http::Status, io::Rx, sse::{Event, Head, Source, source::{Config, State, Verdict}}, time::Instant};
///
/// let mut now = Instant::ZERO;
/// let mut source = Source::new(Config::new(), |bytes: &mut [u8]| bytes.fill(7)); // a random source
/// assert_eq!(source.state(), State::Connect); // GET with the fields of source.request_fields()
/// source.connecting(now);
/// let head = Head { status: Status::OK, content_type: Some(b"text/event-stream"), ..Head::of(Status::OK) };
/// assert_eq!(source.answered(now, &head), Verdict::Open);
/// let mut body = *b"id: 7\ndata: x\n\n";
/// assert!(matches!(source.poll(now, &mut Rx::new(&mut body)), Some(Event::Message(_))));
/// source.lost(now); // the connection, for whatever reason
/// assert_eq!(source.state(), State::Waiting);
/// now = source.poll_timeout().unwrap();
/// source.handle_timeout(now);
/// assert_eq!(source.state(), State::Connect);
/// assert!(source.request_fields().any(|field| field == ("last-event-id", b"7")));
/// ```
pub struct Source<E, const ID: usize = MAX_ID> {
    config: Config,
    entropy: E,
    decoder: Decoder<ID>,
    state: State,
    backoff: Backoff,
    redirects: u8,
    opened: Instant,
    /// How many unconsumed bytes were there when the last `poll` returned.
    seen: usize,
    deadlines: Deadlines<2>,
}

/// What a [`Source`] waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// A request of the caller's, then [`Source::connecting`]. A connection that is still there is to be closed.
    Connect,
    /// The answer to it: [`Source::answered`] or [`Source::lost`].
    Connecting,
    /// The body: [`Source::poll`], at its end [`Source::lost`].
    Open,
    /// The time of [`Source::poll_timeout`]. A connection that is still there is to be closed.
    Waiting,
    /// Nothing more: "it does not attempt to reconnect!"
    Closed,
}

/// The head of an answer, as far as it counts.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// Its status.
    pub status: Status,
    /// `Content-Type`.
    pub content_type: Option<&'a [u8]>,
    /// `Location`.
    pub location: Option<&'a [u8]>,
    /// `Retry-After`.
    pub retry_after: Option<&'a [u8]>,
    /// `Date`, from which a date in `Retry-After` counts.
    pub date: Option<&'a [u8]>,
}

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict<'a> {
    /// The stream is open: its body goes to [`Source::poll`].
    Open,
    /// The next request goes there, at once.
    Redirect {
        /// `Location`, relative to the URL that was asked.
        location: &'a [u8],
        /// Whether later requests go there too (301, 308).
        permanent: bool,
        /// Whether a method other than GET and HEAD becomes GET (303; for POST also 301 and 302).
        to_get: bool,
    },
    /// Another try comes, when [`Source::poll_timeout`] says. So it is with an answer that came too late.
    Retry,
    /// It is over: 204.
    Closed,
    /// It is over, for this status, or for 200 with another media type.
    Failed,
}

/// Limits and habits of a [`Source`]. Every default is a named constant of this type. More
/// settings may come: write `..Config::new()` behind your own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How long to wait before connecting again, until the server says it by `retry`.
    pub retry: Duration,
    /// The shortest wait, whatever the server says: `retry: 0` is a busy loop.
    pub min_retry: Duration,
    /// The longest wait, however often it failed and whatever a stream's `retry` says.
    pub max_retry: Duration,
    /// The longest wait that a server can ask for by `Retry-After`.
    pub max_retry_after: Duration,
    /// After how much silence a stream is given up; comments are no silence. `None`: never.
    pub idle_timeout: Option<Duration>,
    /// How long an answer may take. `None`: for ever.
    pub answer_timeout: Option<Duration>,
    /// How many redirects in a row are followed.
    pub max_redirects: u8,
    /// How many bytes an event may have on the wire; what is longer is skipped.
    pub max_event: usize,
}

impl<E: Entropy> Source<E> {
    /// A source that is to connect now. `entropy` spreads the clients of a server that went away.
    pub const fn new(config: Config, entropy: E) -> Self {
        Self::with_room(config, entropy)
    }
}

impl<E: Entropy, const ID: usize> Source<E, ID> {
    /// A source with room for ids of `ID` bytes.
    pub const fn with_room(config: Config, entropy: E) -> Self {
        Self {
            config,
            entropy,
            decoder: Decoder::with_room(config.max_event),
            state: State::Connect,
            backoff: Backoff::new(config.min_retry, config.max_retry),
            redirects: 0,
            opened: Instant::ZERO,
            seen: 0,
            deadlines: Deadlines::new(),
        }
    }

    /// What is to be done next.
    pub const fn state(&self) -> State {
        self.state
    }

    /// What a restart of the program should not forget: "the last event ID string" and the reconnection time.
    pub fn saved(&self) -> (Text<'_>, Option<Duration>) {
        (self.decoder.last_event_id(), self.decoder.reconnection_time())
    }

    /// Takes up what another source [saved](Self::saved).
    ///
    /// # Errors
    /// See [`Decoder::set_last_event_id`].
    pub fn restore(&mut self, last_event_id: &str, reconnection_time: Option<Duration>) -> Result<(), Misuse> {
        self.decoder.set_last_event_id(last_event_id)?;
        self.decoder.set_reconnection_time(reconnection_time);
        Ok(())
    }

    /// The id of the last event, the one just polled included.
    pub fn last_event_id(&self) -> Text<'_> {
        self.decoder.last_event_id()
    }

    /// Fields for the request, beside the caller's own. Method and target are the caller's.
    ///
    /// Of an id, a field carries no white space at its ends, and an id with control characters not at all (RFC 9110 §5.5).
    pub fn request_fields(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        // "If the EventSource object's last event ID string is not the empty string"
        let id = http::trim(self.decoder.last_event_id().as_bytes());
        let id = (!id.is_empty() && scan::field_end(id) == id.len()).then_some(("last-event-id", id));
        [("accept", &b"text/event-stream"[..]), ("cache-control", b"no-store")].into_iter().chain(id)
    }

    /// A request is on its way.
    pub fn connecting(&mut self, now: Instant) {
        if self.state == State::Connect {
            self.state = State::Connecting;
            self.deadlines.set(SILENCE, now, self.config.answer_timeout);
        }
    }

    /// An answer came; what it means. Anything but [`Verdict::Open`] is the end of this connection.
    pub fn answered<'a>(&mut self, now: Instant, head: &Head<'a>) -> Verdict<'a> {
        match self.state {
            State::Connecting => {}
            State::Closed => return Verdict::Failed,
            // Too late, or to nobody's question: what was to be done is still to be done.
            _ => return Verdict::Retry,
        }
        self.deadlines.clear(SILENCE);
        match head.status.code() {
            // "HTTP 200 OK responses with a `Content-Type` header specifying the type `text/event-stream`, ignoring any
            // MIME type parameters"
            200 if head.content_type.is_some_and(is_event_stream) => {
                self.state = State::Open;
                (self.seen, self.opened) = (0, now);
                self.decoder.restart();
                self.deadlines.set(SILENCE, now, self.config.idle_timeout);
                Verdict::Open
            }
            // "a client can be told to stop reconnecting using the HTTP 204 No Content response code"
            204 => self.close_for(Verdict::Closed),
            code @ (301 | 302 | 303 | 307 | 308) => match head.location {
                Some(location) if self.redirects < self.config.max_redirects => {
                    self.redirects += 1;
                    self.state = State::Connect;
                    Verdict::Redirect { location, permanent: matches!(code, 301 | 308), to_get: code <= 303 }
                }
                _ => self.close_for(Verdict::Failed),
            },
            // What a server says that may be well again soon.
            408 | 425 | 429 | 500 | 502 | 503 | 504 => {
                let after = head.retry_after.and_then(|value| retry::retry_after(value, head.date));
                self.retry(now, after.map(|after| after.min(self.config.max_retry_after)));
                Verdict::Retry
            }
            _ => self.close_for(Verdict::Failed),
        }
    }

    /// The next event of the open stream; `None`: more of the body is needed.
    #[must_use = "an event is told once"]
    pub fn poll<'b>(&mut self, now: Instant, rx: &mut Rx<'b>) -> Option<Event<'b>> {
        if self.state != State::Open {
            return None;
        }
        if rx.bytes().len() > self.seen {
            self.deadlines.set(SILENCE, now, self.config.idle_timeout);
        }
        let event = self.decoder.poll(rx);
        self.seen = rx.bytes().len();
        if event.is_some() {
            self.backoff.reset();
        }
        event
    }

    /// The connection ended, or could not be made.
    pub fn lost(&mut self, now: Instant) {
        match self.state {
            // A stream that stood for long was no failure, even if it had nothing to say.
            State::Open if now.saturating_since(self.opened) >= self.config.max_retry => self.backoff.reset(),
            State::Connect | State::Connecting | State::Open => {}
            State::Waiting | State::Closed => return,
        }
        self.retry(now, None);
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
            Some(RETRY) => {
                self.deadlines.clear(RETRY);
                self.state = State::Connect;
            }
            Some(_) => self.lost(now),
            None => {}
        }
    }

    /// "Wait a delay equal to the reconnection time of the event source." "Optionally, wait some more."
    fn retry(&mut self, now: Instant, at_least: Option<Duration>) {
        let base = self.decoder.reconnection_time().unwrap_or(self.config.retry);
        let delay = self.backoff.next(base, at_least, &mut self.entropy);
        self.state = State::Waiting;
        self.redirects = 0;
        self.deadlines.clear(SILENCE);
        self.deadlines.set(RETRY, now, Some(delay));
    }

    fn close_for<'a>(&mut self, verdict: Verdict<'a>) -> Verdict<'a> {
        self.close();
        verdict
    }
}

/// Without the random source: a closure has no `Debug`, and its state is nobody's business.
impl<E, const ID: usize> fmt::Debug for Source<E, ID> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("config", &self.config)
            .field("decoder", &self.decoder)
            .field("state", &self.state)
            .field("deadlines", &self.deadlines)
            .finish_non_exhaustive()
    }
}

impl<'a> Head<'a> {
    /// An answer without fields.
    pub const fn of(status: Status) -> Self {
        Self { status, content_type: None, location: None, retry_after: None, date: None }
    }

    /// The head of an HTTP/1.1 answer.
    pub fn new(status: Status, fields: &Fields<'a>) -> Self {
        let first = |name| fields.first(name);
        Self {
            status,
            content_type: first("content-type"),
            location: first("location"),
            retry_after: first("retry-after"),
            date: first("date"),
        }
    }
}

impl Config {
    /// 3 seconds until connecting again, as in Chromium.
    pub const RETRY: Duration = Duration::from_secs(3);
    /// 500 milliseconds at least, as in Google's HTTP client for Java (`ExponentialBackOff`).
    pub const MIN_RETRY: Duration = Duration::from_millis(500);
    /// 60 seconds at most, as in the same.
    pub const MAX_RETRY: Duration = Duration::from_secs(60);
    /// An hour: no server sends its clients away for longer by mistake.
    pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);
    /// 60 seconds of silence: four comments of [`KeepAlive::INTERVAL`](super::KeepAlive::INTERVAL), and as in nginx
    /// (`proxy_read_timeout`).
    pub const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
    /// 30 seconds for an answer, half of what nginx gives any: the head of a stream waits for no event.
    pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
    /// 20 redirects, as in Fetch.
    pub const MAX_REDIRECTS: u8 = 20;
    /// As for a [`Decoder`] on its own.
    pub const MAX_EVENT: usize = super::MAX_EVENT;

    /// The defaults.
    pub const fn new() -> Self {
        Self {
            retry: Self::RETRY,
            min_retry: Self::MIN_RETRY,
            max_retry: Self::MAX_RETRY,
            max_retry_after: Self::MAX_RETRY_AFTER,
            idle_timeout: Some(Self::IDLE_TIMEOUT),
            answer_timeout: Some(Self::ANSWER_TIMEOUT),
            max_redirects: Self::MAX_REDIRECTS,
            max_event: Self::MAX_EVENT,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// `media-type = type "/" subtype parameters` (RFC 9110 §8.3.1), without regard to case.
fn is_event_stream(content_type: &[u8]) -> bool {
    let essence = content_type.split(|&b| b == b';').next().unwrap_or(&[]);
    essence.trim_ascii().eq_ignore_ascii_case(b"text/event-stream")
}

const RETRY: usize = 0;
/// No answer, or no bytes of the stream.
const SILENCE: usize = 1;
