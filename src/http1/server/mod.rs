//! The server's end of an HTTP/1.1 connection.
//!
//! Looking for what happens to received bytes? `receive`. For answers? `send`. For those of an upstream? `forward`. For
//! those made once? `prepared`. For limits and deadlines? `config`.

mod config;
mod receive;
mod send;

// Their methods stand behind the others in the documentation.
mod forward;
mod prepared;

use config::{Bounds, TIMERS, timer};

use super::chunked::Piece;
use super::content::Content;
use super::cycle::{Cycle, Side, State, Step};
use super::incoming::Incoming;
use super::request::{Request, RequestHead};
use super::violation::{Timeout, Violation};
use super::{emit, emit::Length, emit::Persistence};
use crate::http::{Fields, HttpDate, Version};
use crate::io::{Full, Tx, Wants};
use crate::time::{Instant, Timers};

pub use config::Config;
pub use prepared::Prepared;

/// The server's end of one connection: requests come in, responses go out, one exchange after the other.
///
/// ```
/// use hopwire::http::Status;
/// use hopwire::http1::{BodyLength, Server, server::Event};
/// use hopwire::io::{Rx, Tx};
/// use hopwire::time::Instant;
///
/// let mut received = *b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n";
/// let mut sent = [0; 256];
/// let (mut rx, mut tx) = (Rx::new(&mut received), Tx::new(&mut sent));
///
/// let mut server = Server::default();
/// while let Some(event) = server.poll(Instant::ZERO, &mut rx, &mut tx)? {
///     if let Event::Request(request) = event {
///         assert_eq!(request.target.as_bytes(), b"/");
///         server.respond_with(Status::OK, &[("content-type", b"text/plain")], b"hello", &mut tx)?;
///     }
/// }
/// assert!(tx.written().ends_with(b"content-length: 5\r\n\r\nhello"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Receiving
///
/// [`poll`](Self::poll) gives, for each request, [`Event::Request`], its content as [`Event::Body`] in pieces as they
/// arrive, [`Event::Trailers`] if there are any, and [`Event::End`]. A request without content has an `End` too.
/// The answer may begin at any time from `Request` on. Once it is complete, nothing more is told of its request: what
/// is left of it is read and dropped up to [`Config::max_drain`], or the connection is closed.
/// The next request is not looked at before the answer to this one is complete.
///
/// `Expect: 100-continue` is answered with 100 when the content is first asked for, that is, by the `poll` after
/// `Request`, unless the response has begun. So: who has to think about a request before its content may come does not
/// poll meanwhile. An answer without that 100 closes the connection, for nobody can know whether the content will come.
/// So who begins it before the content, and wants that, sends 100 by [`inform`](Self::inform).
///
/// # Answering
///
/// [`respond`](Self::respond) or [`respond_with`](Self::respond_with); [`inform`](Self::inform) for 1xx before it;
/// [`switch_protocols`](Self::switch_protocols) for 101. A response to HEAD takes its content like any other and sends
/// none of it. A 2xx to CONNECT opens a tunnel; any other answer to it is the last one. After 101 and in a tunnel the
/// connection has left HTTP ([`has_switched`](Self::has_switched)): `poll` touches nothing any more, and the bytes not
/// consumed are the other protocol's.
///
/// Date is sent once the caller has told it, by [`set_date`](Self::set_date): the engine has no calendar.
///
/// # Failing
///
/// A request that cannot be understood is answered by the engine itself (`Connection: close`, no content) before
/// `poll` returns the violation, unless a response to it has begun; that one then stays incomplete. A violation is
/// final.
#[derive(Debug)]
pub struct Server {
    incoming: Incoming<RequestHead>,
    cycle: Cycle,
    /// The client waits to be told by 100 to send its content: it was not, and nothing of it has come.
    expects_continue: bool,
    /// The request's method is HEAD.
    head_method: bool,
    connect_method: bool,
    /// The request offers to upgrade.
    offers_upgrade: bool,
    version: Version,
    content: Content,
    wants: Wants,
    failure: Option<Violation>,
    /// The failure's own response is not written yet.
    failure_unsent: bool,
    /// How much more of a request that is answered may be dropped.
    drain_left: u32,
    timers: Timers<TIMERS>,
    bounds: Bounds,
    date: Option<HttpDate>,
}

/// What has been received.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'b> {
    /// The head of a request.
    Request(Request<'b>),
    /// A piece of its content, never empty; the caller's to change.
    Body(&'b mut [u8]),
    /// The trailer fields of chunked content, never empty, without those that may not be there.
    Trailers(Fields<'b>),
    /// The request is complete.
    End,
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

impl Server {
    /// The start of a connection.
    pub fn new(config: Config) -> Self {
        Self {
            incoming: Incoming::Head(RequestHead::new()),
            cycle: Cycle::new(),
            expects_continue: false,
            head_method: false,
            connect_method: false,
            offers_upgrade: false,
            version: Version::Http11,
            content: Content::UntilClose,
            wants: Wants::Input,
            failure: None,
            failure_unsent: false,
            drain_left: 0,
            timers: config.timers(),
            bounds: Bounds::new(&config),
            date: None,
        }
    }

    /// What the last `poll`, that gave no event, waits for.
    pub const fn wants(&self) -> Wants {
        self.wants
    }

    /// Whether a request has come whose final response has not begun.
    pub fn owes_response(&self) -> bool {
        self.cycle.server == State::Owing
    }

    /// Whether the connection has left HTTP, by 101 or by a tunnel.
    pub fn has_switched(&self) -> bool {
        self.cycle.server == State::Switched
    }

    /// The Date of every final response from now on, the engine's own too: "An origin server with a clock [..] MUST generate a
    /// Date header field in all 2xx (Successful), 3xx (Redirection), and 4xx (Client Error) responses" (RFC 9110 §6.6.1). So
    /// whoever has one says what it shows before each [`poll`](Self::poll), and before an answer that took longer.
    ///
    /// A `date` among the fields of a response stands instead of this one. What is [forwarded](Self::forward) keeps its own.
    ///
    /// ```
    /// # use hopwire::{http1, io::{Rx, Tx}, time::Instant};
    /// use std::time::{Duration, UNIX_EPOCH};
    ///
    /// let mut http = http1::Server::default();
    /// http.set_date(UNIX_EPOCH.elapsed()?.into());
    /// # http.set_date(Duration::from_secs(784_111_777).into());
    /// let (mut received, mut sent) = (*b"GET\r\n\r\n", [0; 256]);
    /// let mut tx = Tx::new(&mut sent);
    /// assert!(http.poll(Instant::ZERO, &mut Rx::new(&mut received), &mut tx).is_err());
    /// let head = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    /// assert!(tx.written().starts_with(head.as_bytes()));
    /// # Ok::<(), std::time::SystemTimeError>(())
    /// ```
    pub const fn set_date(&mut self, now: HttpDate) {
        self.date = Some(now);
    }

    /// Lets no request follow the one under way, whose answer says so if its head is not sent yet. Between two
    /// requests that is the end at once. For a server that shuts down.
    pub fn close(&mut self) {
        self.cycle.last_exchange();
        if self.cycle.server == State::MustClose {
            self.stop();
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Acts on a deadline that has passed; without one, does nothing. What was received in time is to be
    /// [polled](Self::poll) first.
    ///
    /// A request that is not complete in time is answered with 408 and fails the connection, which the next `poll`
    /// reports. A connection without a request is closed quietly. Look at [`wants`](Self::wants) afterwards.
    ///
    /// # Errors
    /// `Full` when the 408 has no room in `tx`. The deadline stays due, so wait for room, not for
    /// [`poll_timeout`](Self::poll_timeout), and for no longer than any peer may take to read.
    pub fn handle_timeout(&mut self, now: Instant, tx: &mut Tx<'_>) -> Result<(), Full> {
        let Some(due) = self.timers.due(now) else { return Ok(()) };
        match due {
            timer::HEAD => self.fail_now(Violation::Timeout(Timeout::Head), tx),
            timer::BODY => self.fail_now(Violation::Timeout(Timeout::Body), tx),
            timer::WHOLE => self.fail_now(Violation::Timeout(Timeout::Whole), tx),
            // Idle or drain, of input or of what leaves no room for a last word.
            _ => {
                self.failure_unsent = false;
                self.close();
                self.stop();
                Ok(())
            }
        }
    }

    /// Fails the connection if its last words fit `tx`, else changes nothing.
    #[cold]
    fn fail_now(&mut self, violation: Violation, tx: &mut Tx<'_>) -> Result<(), Full> {
        if self.may_begin_response() {
            self.write_failure(violation, tx)?;
        }
        self.failure = Some(violation);
        self.failure_unsent = false;
        self.stop();
        // Refused only after a switch, and then nothing is received that could fail.
        let _ = self.cycle.step(Side::Server, Step::Fail);
        Ok(())
    }

    fn write_failure(&self, violation: Violation, tx: &mut Tx<'_>) -> Result<(), Full> {
        emit::bare(violation.status(), self.date, Persistence::Close, Length::Exact(0), tx)
    }

    /// Whether a response, the engine's own at least, can still be put on the wire.
    fn may_begin_response(&self) -> bool {
        matches!(self.cycle.server, State::Idle | State::Owing)
    }

    /// Nothing is received any more.
    fn stop(&mut self) {
        self.incoming = Incoming::Nothing;
        self.timers.stop_all();
        self.wants = Wants::Close;
    }
}

impl Default for Server {
    fn default() -> Self {
        Self::new(Config::new())
    }
}
