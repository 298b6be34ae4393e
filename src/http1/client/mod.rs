//! The client's end of an HTTP/1.1 connection.
//!
//! Looking for requests? `send`. For how their heads are judged and written? `request`. For those made once? `prepared`. For
//! those of clients behind us? `forward`. For what happens to received bytes? `receive`. For which answer is whose?
//! `pipeline`. For limits and deadlines? `config`. For what a request offers to change to? `offer`.

mod config;
mod offer;
mod pipeline;
mod receive;
mod request;
mod send;

// Their methods stand behind the others in the documentation.
mod forward;
mod prepared;

use config::{Bounds, TIMERS, timer};
use offer::Offer;
use pipeline::Pipeline;

use super::chunked::Piece;
use super::content::Content;
use super::cycle::{Side, State, Step};
use super::incoming::Incoming;
use super::response::{Response, ResponseHead};
use super::violation::{Timeout, Violation};
use crate::http::Fields;
use crate::io::Wants;
use crate::time::{Instant, Timers};

pub use config::Config;
pub use prepared::Prepared;
pub(super) use request::framing;

/// The client's end of one connection: requests go out, responses come in, in the same order.
///
/// ```
/// use hopwire::http::{Method, Status};
/// use hopwire::http1::{BodyLength, Client, client::Event};
/// use hopwire::io::{Rx, Tx};
/// use hopwire::time::Instant;
///
/// let mut client = Client::default();
/// let mut sent = [0; 256];
/// let mut tx = Tx::new(&mut sent);
/// client.request(Method::Get, b"/", &[("host", b"example.org")], BodyLength::None, &mut tx)?;
/// assert_eq!(tx.written(), b"GET / HTTP/1.1\r\nhost: example.org\r\n\r\n");
///
/// let mut received = *b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
/// let mut rx = Rx::new(&mut received);
/// while let Some(event) = client.poll(Instant::ZERO, &mut rx)? {
///     match event {
///         Event::Response(response) => assert_eq!(response.status, Status::OK),
///         Event::Body(data) => assert_eq!(data, b"hello"),
///         _ => {}
///     }
/// }
/// assert_eq!(client.unusable(), None); // the next request may go
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Sending
///
/// [`request`](Self::request) or [`request_with`](Self::request_with), one after the other; [`body`](Self::body) and
/// [`end`](Self::end) for content that does not come whole. The next request may follow before the answer has come, up to
/// [`Config::max_pipeline`], but not behind one that could not be repeated (POST) or that offers to leave HTTP.
///
/// With `Expect: 100-continue` among its fields the caller holds the content back until [`Event::Continue`], which comes
/// with the server's 100 or when [`Config::continue_timeout`] is over, or until a final response comes instead.
/// Who sends content before that has decided not to wait.
///
/// # Receiving
///
/// [`poll`](Self::poll) gives, for each request in its turn, any number of [`Event::Interim`], then [`Event::Response`], the
/// content as [`Event::Body`] in pieces as they arrive, [`Event::Trailers`] if there are any, and [`Event::End`]. A
/// response without content has an `End` too. 101 and a 2xx to CONNECT are [`Event::Switched`]: the connection has
/// left HTTP ([`has_switched`](Self::has_switched)), `poll` touches nothing any more, and the bytes not consumed are the
/// other protocol's.
///
/// The response can come before its request is complete. Then the rest may still be sent, and must be if the connection
/// is to be kept; but if the response is an error and says `close`, nobody will read it: stop, and let the response end.
///
/// Content of [`ResponseLength::UntilClose`](super::ResponseLength::UntilClose) ends with the input, so
/// [`Rx::last`](crate::io::Rx::last) must not be said of a connection that broke, nor of TLS that ended without a closure
/// alert (RFC 9112 §9.8). Content of any other length that is cut off is [`Violation::Eof`].
///
/// # Using the connection again
///
/// [`unusable`](Self::unusable) says why no request can follow, if none can. After a failure
/// [`unanswered`](Self::unanswered) says how many of the requests sent got no answer: those may be repeated on another
/// connection if their methods are idempotent (RFC 9110 §9.2.2).
#[derive(Debug)]
pub struct Client {
    /// `Nothing`: no response is awaited.
    incoming: Incoming<ResponseHead>,
    pipeline: Pipeline,
    /// Of the newest request.
    content: Content,
    offer: Offer,
    expects: Expects,
    /// Interim responses to the first request so far.
    interims: u8,
    /// The last response was HTTP/1.0.
    http10: bool,
    unusable: Option<Unusable>,
    wants: Wants,
    timers: Timers<TIMERS>,
    bounds: Bounds,
}

/// What the newest request waits for before its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expects {
    Nothing,
    Continue,
    /// The time to wait for it is over, and the caller not told.
    NothingMore,
}

/// What has been received.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'b> {
    /// The content held back by `Expect: 100-continue` is to be sent now: 100 came, or did not come in time.
    Continue,
    /// An interim response (1xx): another one follows.
    Interim(Response<'b>),
    /// The head of the final response.
    Response(Response<'b>),
    /// A piece of its content, never empty; the caller's to change.
    Body(&'b mut [u8]),
    /// The trailer fields of chunked content, never empty, without those that may not be there.
    Trailers(Fields<'b>),
    /// The response is complete.
    End,
    /// The final response, and the last of HTTP: 101 to what the request offered, or a 2xx to CONNECT.
    Switched(Response<'b>),
}

/// Why a connection cannot carry another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unusable {
    /// Our own side said `close`, in a request or by [`Client::close`].
    Closing,
    /// A response says `close`.
    ServerCloses,
    /// A response in HTTP/1.0 that does not say `keep-alive`.
    Http10,
    /// A response whose content ends with the connection.
    UntilClose,
    /// The answer is complete and its request is not. The connection can be used again once that has been sent to its end.
    RequestIncomplete,
    /// The connection has left HTTP.
    Switched,
    /// The server stopped writing between two responses.
    Ended,
    /// No request came in time ([`Config::idle_timeout`]).
    Idle,
    /// The server broke a rule, or was late.
    Failed(Violation),
}

impl<'b> From<Piece<'b>> for Event<'b> {
    fn from(piece: Piece<'b>) -> Self {
        match piece {
            Piece::Data(data) => Self::Body(data),
            Piece::Trailers(fields) => Self::Trailers(fields),
            Piece::End => Self::End,
        }
    }
}

impl Client {
    /// The start of a connection.
    pub fn new(config: Config) -> Self {
        Self {
            incoming: Incoming::Nothing,
            pipeline: Pipeline::new(),
            content: Content::Exact(0),
            offer: Offer::NONE,
            expects: Expects::Nothing,
            interims: 0,
            http10: false,
            unusable: None,
            wants: Wants::Caller,
            timers: config.timers(),
            bounds: Bounds::new(&config),
        }
    }

    /// What the last `poll`, that gave no event, waits for. With [`Wants::Caller`] (between two exchanges) the end of
    /// input is still worth a `poll`.
    pub const fn wants(&self) -> Wants {
        self.wants
    }

    /// Why no request can follow those that were sent; `None`: one can, perhaps after the answers to come.
    pub fn unusable(&self) -> Option<Unusable> {
        let is_behind = self.pipeline.cycle.server == State::Done;
        self.unusable.or_else(|| is_behind.then_some(Unusable::RequestIncomplete))
    }

    /// How many requests were sent whose answers are not complete.
    pub const fn outstanding(&self) -> usize {
        self.pipeline.len()
    }

    /// How many requests were sent whose final responses have not begun: the last ones.
    pub fn unanswered(&self) -> usize {
        self.pipeline.unanswered()
    }

    /// Whether the newest request's content is not complete, and may be sent.
    pub fn owes_content(&self) -> bool {
        self.pipeline.is_open()
    }

    /// Whether the connection has left HTTP, by 101 or by a tunnel.
    pub fn has_switched(&self) -> bool {
        self.pipeline.cycle.client == State::Switched
    }

    /// Lets no request follow those that were sent. Between two exchanges that is the end at once.
    pub fn close(&mut self) {
        self.pipeline.close();
        self.ends(Unusable::Closing);
        if self.pipeline.cycle.client == State::MustClose {
            self.stop();
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Acts on a deadline that has passed; without one, does nothing. What was received in time is to be
    /// [polled](Self::poll) first. What came of it is for the next `poll` to tell:
    /// [`Event::Continue`], a violation, or [`Wants::Close`].
    pub fn handle_timeout(&mut self, now: Instant) {
        let Some(due) = self.timers.due(now) else { return };
        match due {
            timer::HEAD => self.fails(Violation::Timeout(Timeout::Head)),
            timer::BODY => self.fails(Violation::Timeout(Timeout::Body)),
            timer::WHOLE => self.fails(Violation::Timeout(Timeout::Whole)),
            timer::CONTINUE => {
                self.expects = Expects::NothingMore;
                self.timers.stop(timer::CONTINUE);
            }
            // Idle.
            _ => self.quits(Unusable::Idle),
        }
    }

    /// Why no request follows: the first reason counts.
    fn ends(&mut self, reason: Unusable) {
        self.unusable.get_or_insert(reason);
    }

    /// The end, between two exchanges.
    fn quits(&mut self, reason: Unusable) {
        self.ends(reason);
        self.pipeline.step(Side::Server, Step::Close);
        // A request that is answered and not complete stays so.
        if self.pipeline.cycle.step(Side::Client, Step::Close).is_err() {
            self.pipeline.step(Side::Client, Step::Fail);
        }
        self.stop();
    }

    /// The end, with what the server did wrong.
    #[cold]
    fn fails(&mut self, violation: Violation) {
        self.unusable = Some(Unusable::Failed(violation));
        self.stop();
        // Refused only after a switch, and then nothing is received that could fail.
        let _ = self.pipeline.cycle.step(Side::Server, Step::Fail);
    }

    /// Nothing is received any more.
    fn stop(&mut self) {
        self.incoming = Incoming::Nothing;
        self.expects = Expects::Nothing;
        self.timers.stop_all();
        self.wants = Wants::Close;
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new(Config::new())
    }
}
