//! Connections to the service: made, kept, and used again.

use std::io::{self, ErrorKind};
use std::iter;
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use hopwire::http::forward::{Content, Intermediary, Node, Stop};
use hopwire::http1::{self, Misuse, Request, client::Config};
use hopwire::io::SendError;

use crate::exchange::Sent;
use crate::socket::{Sink, Source, halves, peek};
use crate::{lock, now};

pub(crate) struct Service {
    pub(crate) rules: Intermediary<'static>,
    /// All that its name stands for.
    pub(crate) addresses: Vec<SocketAddr>,
    /// How long it may take to answer.
    pub(crate) patience: Duration,
    /// Connections that wait for a request.
    pub(crate) idle: Mutex<Vec<Upstream>>,
}

/// A connection to the service.
pub(crate) struct Upstream {
    pub(crate) http: http1::Client,
    pub(crate) source: Source,
    pub(crate) sink: Sink,
    /// When its last exchange ended, if there was one.
    used: Option<Instant>,
}

impl Service {
    /// Sends a request's head, over a connection that was used before if there is one: best the client's `own`.
    pub(crate) fn send(&self, head: &Request<'_>, client: &Node, own: Option<Upstream>) -> Result<Sent, Stop> {
        let request = self.rules.request(&head.into(), client)?;
        // "A proxy MUST NOT automatically retry non-idempotent requests" (RFC 9110 §9.2.2). Others are sent again when a
        // connection that was kept turns out to be closed, if no content is lost with it.
        let may_repeat = request.content() == Content::None && request.method().is_idempotent();
        let waiting = iter::from_fn(|| lock(&self.idle).pop());
        let mut kept = own.into_iter().chain(waiting).find(Upstream::is_usable);
        loop {
            let mut service = match kept.take() {
                Some(service) => service,
                None => self.connect()?,
            };
            service.http.forward(&request, &mut service.sink.tx()).map_err(|error| match error {
                SendError::Misuse(Misuse::Http10) => Stop::LengthRequired,
                SendError::Misuse(_) | SendError::Full(_) => Stop::BadGateway,
            })?;
            let flushed = service.sink.flush();
            // If a new one is closed too, there may be an answer all the same.
            let is_trusted = service.used.is_none() || !may_repeat;
            if is_trusted || matches!(flushed.and_then(|()| service.await_answer()), Ok(true)) {
                let (asked, content, trailers) = (request.asked(), request.content(), request.trailers());
                return Ok(Sent { service, asked, content, trailers });
            }
        }
    }

    /// A new connection, to the first of the service's addresses where it can be had.
    fn connect(&self) -> Result<Upstream, Stop> {
        let mut stop = Stop::Unreachable;
        for address in &self.addresses {
            match TcpStream::connect_timeout(address, CONNECT).and_then(halves) {
                Ok((source, sink)) => {
                    let patience = Some(self.patience);
                    let config = Config { head_timeout: patience, body_timeout: Some(SILENCE), ..Config::new() };
                    return Ok(Upstream { http: http1::Client::new(config), source, sink, used: None });
                }
                Err(error) if error.kind() == ErrorKind::TimedOut => stop = Stop::Timeout,
                Err(_) => {}
            }
        }
        Err(stop)
    }

    /// Lets others have a connection.
    pub(crate) fn keep(&self, connection: Option<Upstream>) {
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE {
            idle.extend(connection);
        }
    }

    /// Closes what has been kept for long.
    pub(crate) fn forget_old(&self) {
        lock(&self.idle).retain(|kept| kept.idle() < KEPT);
    }
}

impl Upstream {
    /// If another request may follow.
    pub(crate) fn when_reusable(mut self) -> Option<Self> {
        self.used = Some(Instant::now());
        (self.http.unusable().is_none() && self.http.outstanding() == 0).then_some(self)
    }

    /// Whether a connection that was kept can be used again: it is open, and nothing has come that nobody asked for.
    fn is_usable(&self) -> bool {
        self.idle() < KEPT && matches!(peek(&self.source.stream), Ok(None))
    }

    /// How long it has not been used.
    fn idle(&self) -> Duration {
        self.used.map_or(Duration::ZERO, |used| used.elapsed())
    }

    /// Waits a moment for the first of an answer. False: the connection was closed.
    fn await_answer(&mut self) -> io::Result<bool> {
        // The time for the answer begins; nothing has come yet.
        let _ = self.http.poll(now(), &mut self.source.inbox.rx());
        Ok(!self.source.receive()? || !self.source.inbox.rx().bytes().is_empty())
    }
}

/// Connections to the service that are kept for whoever comes.
const IDLE: usize = 64;
/// How long a connection to the service may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the service may say nothing within an answer: streams of events are quiet at times.
pub(crate) const SILENCE: Duration = Duration::from_secs(3600);
/// How long a connection to the service is kept.
const KEPT: Duration = Duration::from_secs(30);
