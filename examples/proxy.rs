//! A reverse proxy for one service on one machine: the standard library only, a thread a connection.
//!
//! `cargo run --release --example proxy -- 127.0.0.1:8080 127.0.0.1:9001` listens on the first address (port 0 takes any free
//! one) and forwards to the second, which is to speak HTTP/1.1. A third argument is how many seconds the service may take to
//! answer (60). Content streams both ways as fast as the slower side takes it; WebSocket and Server-Sent Events pass;
//! connections to the service are kept. Each request is a line on standard output when it is over:
//!
//! `1795280243 127.0.0.1:40312 "GET / HTTP/1.1" 200 1234 0.8ms`: the second, the client, what it asked for, the status it got
//! (`-`: none), bytes sent to it, time taken, and what went wrong, if anything did.
//!
//! A line `quit` on standard input ends it gracefully: what is under way has half a minute to finish, and nothing new begins.
//!
//! What is forwarded and how is decided by [`hopwire::http::forward`]; here are the sockets. One exchange after the other
//! goes over a connection. While the content of a request is still to come, a second thread takes it to the service, so
//! that an answer which begins early, or grows with its request, is never waited for. Only the first writes to the client.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that people watch")]

use std::error::Error;
use std::fmt::{self, Display, Write as _};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use std::{env, thread};

use hopwire::http::forward::{self, Asked, Content, Intermediary, Stop, Trace, Trailers};
use hopwire::http::{HttpDate, Status, Version};
use hopwire::http1::{self, Misuse, Server, Violation, client};
use hopwire::io::{RxBuffer, SendError, Tx, Wants};

/// What all connections share.
struct Proxy {
    service: SocketAddr,
    /// How long the service may take to answer.
    patience: Duration,
    rules: Intermediary<'static>,
    /// Connections to the service that wait for a request.
    idle: Mutex<Vec<Upstream>>,
    /// Lines that are not written yet, and how many had no room.
    log: Mutex<(String, usize)>,
    started: Instant,
    stopping: AtomicBool,
    clients: AtomicUsize,
}

/// A connection from a client.
struct Downstream {
    stream: TcpStream,
    http: Server,
    inbox: RxBuffer<Vec<u8>>,
    outbox: Vec<u8>,
    client: forward::Client,
    /// As the log says it.
    address: String,
    /// There are too many, and this one is told so.
    is_surplus: bool,
}

/// A connection to the service.
struct Upstream {
    stream: TcpStream,
    http: http1::Client,
    inbox: RxBuffer<Vec<u8>>,
    outbox: Vec<u8>,
    /// When its last exchange ended, if there was one.
    used: Option<Instant>,
}

/// A request that was sent on.
struct Sent {
    service: Upstream,
    asked: Asked,
    content: Content,
    trailers: Trailers,
}

/// Why an exchange ends before its time.
enum Fault {
    /// The client is gone, or has broken a rule.
    Client(Option<Violation>),
    /// The request goes no further, or the service has not done its part.
    Service(Stop),
}

/// Both ends of an exchange: each of its two threads needs both for a moment.
struct Engines<'e> {
    down: &'e mut Server,
    up: &'e mut http1::Client,
    /// The answer is complete, or nobody waits for it: what comes from the client now is none of this exchange's.
    is_answered: bool,
}

/// What both ways of an exchange share.
#[derive(Clone, Copy)]
struct Ends<'x> {
    proxy: &'x Proxy,
    engines: &'x Mutex<Engines<'x>>,
    client: &'x TcpStream,
    service: &'x TcpStream,
}

/// The way of a request's content.
struct Upload<'x> {
    ends: Ends<'x>,
    inbox: &'x mut RxBuffer<Vec<u8>>,
    outbox: &'x mut Vec<u8>,
    trailers: Trailers,
    /// What the engine tells the client.
    reply: Vec<u8>,
}

/// The way of an answer.
struct Download<'x> {
    ends: Ends<'x>,
    inbox: &'x mut RxBuffer<Vec<u8>>,
    outbox: &'x mut Vec<u8>,
    asked: Asked,
    line: &'x mut Line,
    /// Which trailers go on, from the head with content to the end of that.
    trailers: Option<Trailers>,
}

/// What came from a client between two exchanges.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, on the stack")]
enum Came {
    Request(Line, Result<Sent, Stop>),
    /// More of a request that is answered.
    Rest,
    Nothing,
    End,
}

/// What comes next on the way of an answer.
enum Next {
    Receive,
    /// The client may send the content that it holds back.
    Content,
    Done,
}

impl Proxy {
    /// Takes a client in, if there is any room.
    fn admit(&'static self, stream: TcpStream, address: SocketAddr) {
        let present = self.clients.fetch_add(1, SeqCst);
        let serve = move || {
            let _ = self.serve(stream, address, present >= CLIENTS);
            self.clients.fetch_sub(1, SeqCst);
        };
        // Without a thread for it the connection is closed.
        if present >= CLIENTS + SURPLUS || thread::Builder::new().spawn(serve).is_err() {
            self.clients.fetch_sub(1, SeqCst);
        }
    }

    /// Serves a client to its end.
    fn serve(&self, stream: TcpStream, address: SocketAddr, is_surplus: bool) -> io::Result<()> {
        prepare(&stream)?;
        let config = http1::Config { max_body: u64::MAX, ..http1::Config::new() };
        let mut down = Downstream {
            stream,
            http: Server::new(&config),
            inbox: RxBuffer::new(vec![0; BUFFER]),
            outbox: Vec::new(),
            client: forward::Client::new(Some(address.ip()), false),
            address: address.to_string(),
            is_surplus,
        };
        let mut own = None;
        while self.exchange(&mut down, &mut own) {}
        self.keep(own);
        linger(&mut down.stream)
    }

    /// One request and its answer; `own` is the connection to the service that this client had last. False: there are no more.
    fn exchange(&self, down: &mut Downstream, own: &mut Option<Upstream>) -> bool {
        let Some((mut line, sent)) = self.request(down, own) else { return false };
        let answered = sent.map_err(Fault::Service).and_then(|sent| self.relay(down, sent, &mut line));
        let goes_on = match answered {
            Ok(mut service) if down.http.has_switched() => {
                line.sent += tunnel(down, &mut service);
                false
            }
            Ok(service) => {
                *own = service.when_reusable();
                true
            }
            Err(fault) => {
                line.why = fault.to_string();
                matches!(fault, Fault::Service(stop) if line.status.is_none() && refuse(down, &mut line, stop))
            }
        };
        self.log(&down.address, &line);
        goes_on
    }

    /// Waits for a request, and sends its head on. `None`: none comes any more.
    fn request(&self, down: &mut Downstream, own: &mut Option<Upstream>) -> Option<(Line, Result<Sent, Stop>)> {
        loop {
            if self.stopping.load(SeqCst) {
                down.http.close();
            }
            let (mut rx, mut tx) = (down.inbox.rx(), Tx::growing(&mut down.outbox, OUTPUT));
            let now = self.now();
            let mut event = down.http.poll(now, &mut rx, &mut tx);
            if let Ok(None) = event {
                // What it has to say to who is late fits.
                let _ = down.http.handle_timeout(now, &mut tx);
                event = down.http.poll(now, &mut rx, &mut tx);
            }
            let came = match event {
                Ok(Some(http1::Event::Request(head))) => {
                    let version = head.version.as_str().as_bytes();
                    let asked = [head.method.as_bytes(), b" ", head.target.as_bytes(), b" ", version].concat();
                    // "A proxy server MUST NOT maintain a persistent connection with an HTTP/1.0 client" (RFC 9112 §9.3).
                    if down.is_surplus || head.version < Version::Http11 {
                        down.http.close();
                    }
                    let sent = match down.is_surplus {
                        true => Err(Stop::Busy),
                        false => self.send(&head, &down.client, own.take()),
                    };
                    Came::Request(Line::new(asked), sent)
                }
                Ok(Some(_)) => Came::Rest,
                Ok(None) if down.http.wants() == Wants::Close => Came::End,
                Ok(None) => Came::Nothing,
                Err(violation) => {
                    if !down.outbox.is_empty() {
                        // It could not be read, or did not come in time.
                        let (status, sent) = (Some(violation.status()), down.outbox.len());
                        let line = Line::new(b"-".to_vec());
                        self.log(&down.address, &Line { status, sent, why: violation.to_string(), ..line });
                    }
                    Came::End
                }
            };
            let used = rx.consumed();
            down.inbox.consume(used);
            flush(&down.stream, &mut down.outbox).ok()?;
            match came {
                Came::Request(line, sent) => return Some((line, sent)),
                Came::Rest => {}
                Came::Nothing => {
                    if !receive(&down.stream, &mut down.inbox).ok()? {
                        // Others may have use for the connection meanwhile.
                        self.keep(own.take());
                    }
                }
                Came::End => return None,
            }
        }
    }

    /// Sends a request's head to the service, over a connection that was used before if there is one.
    fn send(&self, head: &http1::Request<'_>, client: &forward::Client, own: Option<Upstream>) -> Result<Sent, Stop> {
        let request = self.rules.request(&head.into(), client)?;
        // "A proxy MUST NOT automatically retry non-idempotent requests" (RFC 9110 §9.2.2). Others are sent again when a
        // connection that was kept turns out to be closed, if no content is lost with it.
        let may_repeat = request.content() == Content::None && request.method().is_idempotent();
        let mut kept = own.filter(|own| own.is_usable(may_repeat)).or_else(|| self.kept());
        loop {
            let mut service = match kept.take() {
                Some(service) => service,
                None => Upstream::connect(self.service, self.patience)?,
            };
            let written = service.http.forward(&request, &mut Tx::growing(&mut service.outbox, OUTPUT));
            written.map_err(|error| match error {
                SendError::Misuse(Misuse::Http10) => Stop::LengthRequired,
                SendError::Misuse(_) | SendError::Full(_) => Stop::BadGateway,
            })?;
            let flushed = flush(&service.stream, &mut service.outbox);
            if service.used.is_some() && may_repeat {
                let answered = flushed.and_then(|()| service.await_answer(self.patience));
                if !matches!(answered, Ok(true)) {
                    continue;
                }
            }
            // If a new one is closed too, there may be an answer all the same.
            let (asked, content, trailers) = (request.asked(), request.content(), request.trailers());
            return Ok(Sent { service, asked, content, trailers });
        }
    }

    /// Takes the content to the service and the answer to the client. Gives the connection to the service back.
    fn relay(&self, down: &mut Downstream, mut sent: Sent, line: &mut Line) -> Result<Upstream, Fault> {
        let service = &mut sent.service;
        let engines = Mutex::new(Engines { down: &mut down.http, up: &mut service.http, is_answered: false });
        let ends = Ends { proxy: self, engines: &engines, client: &down.stream, service: &service.stream };
        let (inbox, outbox) = (&mut down.inbox, &mut service.outbox);
        let mut upload = Upload { ends, inbox, outbox, trailers: sent.trailers, reply: Vec::new() };
        let (inbox, outbox) = (&mut service.inbox, &mut down.outbox);
        let mut download = Download { ends, inbox, outbox, asked: sent.asked, line, trailers: None };
        let is_held_back = sent.asked.expects_continue();
        // Often there is no content, or all of it is here.
        let is_sent = match sent.content {
            Content::None => Ok(true),
            _ if is_held_back => Ok(false),
            _ => upload.step(),
        };
        match is_sent {
            Ok(false) => converse(upload, &mut download, is_held_back)?,
            Ok(true) | Err(Fault::Service(_)) => download.run(&mut || Ok(()))?,
            Err(fault) => {
                download.refused(&mut upload.reply, &fault);
                return Err(fault);
            }
        }
        Ok(sent.service)
    }

    /// A connection to the service that waits for a request, if there is one.
    fn kept(&self) -> Option<Upstream> {
        loop {
            let service = lock(&self.idle).pop()?;
            if service.is_usable(false) {
                return Some(service);
            }
        }
    }

    /// Lets others have a connection to the service.
    fn keep(&self, service: Option<Upstream>) {
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE {
            idle.extend(service);
        }
    }

    fn log(&self, address: &str, line: &Line) {
        let Line { request, status, sent, why, .. } = line;
        let status = status.map_or(String::from("-"), |status| status.code().to_string());
        let tenths = u64::try_from(line.began.elapsed().as_micros() / 100).unwrap_or(u64::MAX);
        let mut text = String::with_capacity(request.len() + why.len() + 100);
        // It goes into memory.
        let _ = write!(text, "{} {address} \"{}\" {status} {sent}", now_unix(), request.escape_ascii());
        let _ = writeln!(text, " {}.{}ms{}{why}", tenths / 10, tenths % 10, if why.is_empty() { "" } else { " " });
        let (lines, lost) = &mut *lock(&self.log);
        match lines.len() + text.len() <= LOG_SPACE {
            true => lines.push_str(&text),
            false => *lost += 1,
        }
    }

    /// Who does not read the log does not stop the service.
    fn write_log(&self) {
        let (mut lines, lost) = std::mem::take(&mut *lock(&self.log));
        if lost > 0 {
            lines += &format!("{lost} lines lost, for nobody reads them\n");
        }
        let _ = io::stdout().lock().write_all(lines.as_bytes());
    }

    fn now(&self) -> hopwire::time::Instant {
        hopwire::time::Instant::from_nanos(self.started.elapsed().as_nanos().try_into().unwrap_or(u64::MAX))
    }
}

/// Tells the client why it does not get what it asked for. False: that could not be said any more.
fn refuse(down: &mut Downstream, line: &mut Line, stop: Stop) -> bool {
    let is_trace = line.request.starts_with(b"TRACE ");
    let status = if stop == Stop::LastHop && is_trace { Status::METHOD_NOT_ALLOWED } else { stop.status() };
    let text = format!("{status} {}: {stop}\n", status.reason());
    let more: (&str, &[u8]) = match stop {
        Stop::LastHop => ("allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        Stop::Busy => ("retry-after", b"1"),
        _ => ("cache-control", b"no-store"),
    };
    let mut tx = Tx::growing(&mut down.outbox, OUTPUT);
    let said = down.http.respond_with(status, &[("content-type", b"text/plain"), more], text.as_bytes(), &mut tx);
    line.sent += down.outbox.len();
    if said.is_err() || flush(&down.stream, &mut down.outbox).is_err() {
        return false;
    }
    line.status = Some(status);
    true
}

/// Both ways at once: the content on a thread of its own, at once or when the service asks for it.
fn converse(upload: Upload<'_>, download: &mut Download<'_>, is_held_back: bool) -> Result<(), Fault> {
    let mut upload = Some(upload);
    thread::scope(|scope| {
        let mut running = None;
        let mut start = || {
            if let Some(mut upload) = upload.take() {
                let run = move || (upload.run(), upload.reply);
                let spawned = thread::Builder::new().spawn_scoped(scope, run);
                running = Some(spawned.map_err(|_| Fault::Service(Stop::Busy))?);
            }
            Ok(())
        };
        let started = if is_held_back { Ok(()) } else { start() };
        let answered = started.and_then(|()| download.run(&mut start));
        {
            let mut engines = lock(download.ends.engines);
            engines.is_answered = true;
            if engines.up.owes_content() {
                // Nobody reads the rest.
                let _ = download.ends.service.shutdown(Shutdown::Both);
            }
        }
        match running.map(thread::ScopedJoinHandle::join) {
            // The answer broke off because the request did.
            Some(Ok((Err(fault @ Fault::Client(_)), mut reply))) if answered.is_err() => {
                download.refused(&mut reply, &fault);
                Err(fault)
            }
            _ => answered,
        }
    })
}

impl Upload<'_> {
    /// All content as it comes, until there is no more or nobody wants it.
    fn run(&mut self) -> Result<(), Fault> {
        let outcome = loop {
            match self.step() {
                Ok(false) => {}
                outcome => break outcome.map(drop),
            }
            if receive(self.ends.client, self.inbox).is_err() {
                break Err(Fault::Client(None));
            }
        };
        if let Err(Fault::Client(_)) = outcome {
            self.give_up();
        }
        outcome
    }

    /// Hands on what has come; true: there is no more to be handed on.
    fn step(&mut self) -> Result<bool, Fault> {
        let (mut is_last, mut broken, now) = (false, None, self.ends.proxy.now());
        {
            let Engines { down, up, is_answered } = &mut *lock(self.ends.engines);
            if *is_answered {
                return Ok(true);
            }
            let mut rx = self.inbox.rx();
            let (mut tx, mut reply) = (Tx::growing(self.outbox, OUTPUT), Tx::growing(&mut self.reply, OUTPUT));
            loop {
                // The service may have broken off: then its answer says so, and this is sent to nobody.
                let _ = match down.poll(now, &mut rx, &mut reply) {
                    Ok(Some(http1::Event::Body(data))) => up.body(data, &mut tx).map(drop),
                    Ok(Some(http1::Event::Trailers(fields))) => {
                        is_last = true;
                        up.end(&relayed(&self.trailers, fields), &mut tx)
                    }
                    Ok(Some(http1::Event::End)) if is_last => break,
                    Ok(Some(http1::Event::End)) => {
                        is_last = true;
                        up.end(&[], &mut tx)
                    }
                    Ok(Some(_)) => Ok(()),
                    Ok(None) => {
                        // What it has to say to who is late fits.
                        let _ = down.handle_timeout(now, &mut reply);
                        break;
                    }
                    Err(violation) => {
                        broken = Some(Fault::Client(Some(violation)));
                        break;
                    }
                };
            }
            let used = rx.consumed();
            self.inbox.consume(used);
        }
        match broken {
            Some(fault) => Err(fault),
            // What the service does not take any more is not missed: its answer says why, or breaks off.
            None if flush(self.ends.service, self.outbox).is_err() => {
                self.give_up();
                Err(Fault::Service(Stop::BadGateway))
            }
            None => Ok(is_last),
        }
    }

    /// The rest of the request never comes: for an answer that is not here yet nobody is to wait.
    fn give_up(&self) {
        let _ = self.ends.service.shutdown(Shutdown::Both);
    }
}

impl Download<'_> {
    /// All of an answer, and those before it; `start` is called when the client may send its content.
    fn run(&mut self, start: &mut dyn FnMut() -> Result<(), Fault>) -> Result<(), Fault> {
        let mut silent_ticks = 0;
        loop {
            let next = self.step();
            self.flush()?;
            match next? {
                Next::Receive => {}
                Next::Content => {
                    start()?;
                    continue;
                }
                Next::Done => return Ok(()),
            }
            match receive(self.ends.service, self.inbox) {
                Ok(true) => silent_ticks = 0,
                Ok(false) => {
                    silent_ticks += 1;
                    // A client that has stopped writing may still read, but who reads for ever?
                    let is_sending = lock(self.ends.engines).up.owes_content();
                    if silent_ticks >= PRESENCE && !is_sending && is_gone(self.ends.client) {
                        return Err(Fault::Client(None));
                    }
                }
                Err(_) => return Err(Fault::Service(Stop::BadGateway)),
            }
        }
    }

    fn step(&mut self) -> Result<Next, Fault> {
        let Engines { down, up, is_answered } = &mut *lock(self.ends.engines);
        let mut rx = self.inbox.rx();
        let mut tx = Tx::growing(self.outbox, OUTPUT);
        let (now, mut is_on_time) = (self.ends.proxy.now(), false);
        let next = loop {
            let event = up.poll(now, &mut rx).map_err(|violation| Fault::Service(violation.into()))?;
            match event {
                Some(client::Event::Continue) => {
                    // Refused if the client did not wait: then it needs none.
                    let _ = down.inform(Status::CONTINUE, &[], &mut tx);
                    break Next::Content;
                }
                Some(client::Event::Interim(head) | client::Event::Response(head) | client::Event::Switched(head)) => {
                    let head =
                        self.ends.proxy.rules.response(&(&head).into(), &self.asked, HttpDate::from_unix(now_unix()));
                    let Some(head) = head.map_err(Fault::Service)? else { continue };
                    down.forward(&head, &mut tx).map_err(|_| Fault::Service(Stop::BadGateway))?;
                    if head.status().is_informational() && head.status() != Status::SWITCHING_PROTOCOLS {
                        continue;
                    }
                    self.line.status = Some(head.status());
                    self.trailers = (head.content() != Content::None).then(|| head.trailers());
                    if down.has_switched() {
                        break Next::Done;
                    }
                }
                Some(client::Event::Body(data)) => {
                    down.body(data, &mut tx).map_err(|_| Fault::Service(Stop::BadGateway))?;
                }
                Some(client::Event::Trailers(fields)) => {
                    if let Some(trailers) = self.trailers.take() {
                        down.end(&relayed(&trailers, fields), &mut tx).map_err(|_| Fault::Client(None))?;
                    }
                }
                Some(client::Event::End) => {
                    if self.trailers.take().is_some() {
                        down.end(&[], &mut tx).map_err(|_| Fault::Client(None))?;
                    }
                    break Next::Done;
                }
                Some(_) => {}
                None if is_on_time => break Next::Receive,
                None => {
                    up.handle_timeout(now);
                    is_on_time = true;
                }
            }
        };
        *is_answered = self.line.status.is_some() && self.trailers.is_none();
        let used = rx.consumed();
        self.inbox.consume(used);
        Ok(next)
    }

    fn flush(&mut self) -> Result<(), Fault> {
        self.line.sent += self.outbox.len();
        flush(self.ends.client, self.outbox).map_err(|_| Fault::Client(None))
    }

    /// The request broke off, and its client has been told so, if that was possible.
    fn refused(&mut self, reply: &mut Vec<u8>, fault: &Fault) {
        if let (Fault::Client(Some(violation)), false) = (fault, reply.is_empty()) {
            self.line.status = Some(violation.status());
            self.outbox.append(reply);
            // Whether or not it is there.
            let _ = self.flush();
        }
    }
}

impl Upstream {
    fn connect(service: SocketAddr, patience: Duration) -> Result<Self, Stop> {
        let stream = TcpStream::connect_timeout(&service, CONNECT).map_err(|error| match error.kind() {
            ErrorKind::TimedOut => Stop::Timeout,
            _ => Stop::Unreachable,
        })?;
        prepare(&stream).map_err(|_| Stop::Unreachable)?;
        let config =
            client::Config { head_timeout: Some(patience), body_timeout: Some(SILENCE), ..client::Config::new() };
        let inbox = RxBuffer::new(vec![0; BUFFER]);
        Ok(Self { stream, http: http1::Client::new(&config), inbox, outbox: Vec::new(), used: None })
    }

    /// If another request may follow.
    fn when_reusable(mut self) -> Option<Self> {
        self.used = Some(Instant::now());
        (self.http.unusable().is_none() && self.http.outstanding() == 0).then_some(self)
    }

    /// Whether a connection that was kept can be used again: it is open, and nothing has come that nobody asked for. The
    /// client that had it last may trust it for a moment.
    fn is_usable(&self, trusted: bool) -> bool {
        let idle = self.used.map_or(Duration::ZERO, |used| used.elapsed());
        let is_fresh = trusted && idle < FRESH;
        is_fresh || (idle < KEPT && peek(&self.stream).is_err_and(|error| error.kind() == ErrorKind::WouldBlock))
    }

    /// Waits for the first of an answer. False: the connection was closed.
    fn await_answer(&mut self, patience: Duration) -> io::Result<bool> {
        let since = Instant::now();
        while !receive(&self.stream, &mut self.inbox)? {
            if since.elapsed() > patience {
                return Ok(true); // the engine will say so
            }
        }
        Ok(!self.inbox.rx().bytes().is_empty())
    }
}

/// What the log says of an exchange.
struct Line {
    /// `GET /path HTTP/1.1`
    request: Vec<u8>,
    began: Instant,
    status: Option<Status>,
    sent: usize,
    why: String,
}

impl Line {
    fn new(request: Vec<u8>) -> Self {
        Self { request, began: Instant::now(), status: None, sent: 0, why: String::new() }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(None) => f.write_str("the client is gone"),
            Self::Client(Some(violation)) => violation.fmt(f),
            Self::Service(stop) => stop.fmt(f),
        }
    }
}

/// Carries bytes both ways between a client and the service, which have left HTTP, until both have stopped or the service
/// has been silent for long; how many the client got.
fn tunnel(down: &mut Downstream, service: &mut Upstream) -> usize {
    let carry = |from: &TcpStream, early: &[u8], to: &TcpStream| {
        let (mut source, mut sink) = (from, to);
        let copied = sink.write_all(early).and_then(|()| io::copy(&mut source, &mut sink));
        // An end is passed on; a failure ends both ways.
        let _ = to.shutdown(if copied.is_ok() { Shutdown::Write } else { Shutdown::Both });
        let _ = from.shutdown(if copied.is_ok() { Shutdown::Read } else { Shutdown::Both });
        early.len() + usize::try_from(copied.unwrap_or(0)).unwrap_or(usize::MAX)
    };
    let (client, upstream) = (&down.stream, &service.stream);
    let _ = client.set_read_timeout(None).and_then(|()| upstream.set_read_timeout(Some(SILENCE)));
    let (early, answered) = (down.inbox.rx(), service.inbox.rx());
    thread::scope(|scope| {
        let up = thread::Builder::new().spawn_scoped(scope, || carry(client, early.bytes(), upstream));
        if up.is_err() {
            let _ = upstream.shutdown(Shutdown::Both);
        }
        carry(upstream, answered.bytes(), client)
    })
}

/// The trailers that go on.
fn relayed<'b>(trailers: &Trailers, fields: hopwire::http::Fields<'b>) -> Vec<(&'b str, &'b [u8])> {
    trailers.of(fields).map(|field| (field.name.as_str(), field.value)).collect()
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TICK))?;
    stream.set_write_timeout(Some(STALL))
}

/// Reads once. False: nothing came for a while.
fn receive(mut stream: &TcpStream, inbox: &mut RxBuffer<Vec<u8>>) -> io::Result<bool> {
    loop {
        match stream.read(inbox.space()) {
            Ok(0) => inbox.end(),
            Ok(n) => inbox.advance(n),
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(false),
            Err(e) => return Err(e),
        }
        return Ok(true);
    }
}

fn flush(mut stream: &TcpStream, bytes: &mut Vec<u8>) -> io::Result<()> {
    let outcome = if bytes.is_empty() { Ok(()) } else { stream.write_all(bytes) };
    bytes.clear();
    outcome
}

/// Whether the peer has stopped writing, as far as that can be seen without waiting.
fn is_gone(stream: &TcpStream) -> bool {
    peek(stream).map_or_else(|error| error.kind() != ErrorKind::WouldBlock, |n| n == 0)
}

/// Looks for received bytes without waiting.
fn peek(stream: &TcpStream) -> io::Result<usize> {
    stream.set_nonblocking(true)?;
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false)?;
    peeked
}

/// Ends a connection so that the peer gets our last words: stop writing, read to its end for a bounded time, close.
fn linger(stream: &mut TcpStream) -> io::Result<()> {
    let since = Instant::now();
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(LINGER / 4))?;
    while since.elapsed() < LINGER && matches!(stream.read(&mut [0; 4096]), Ok(1..)) {}
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn now_unix() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_secs().try_into().unwrap_or(0)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [listen, service, rest @ ..] = arguments.as_slice() else {
        return Err("usage: proxy LISTEN SERVICE [SECONDS]".into());
    };
    let patience = rest.first().map_or(Ok(client::Config::HEAD_TIMEOUT.as_secs()), |seconds| seconds.parse())?;
    let listener = TcpListener::bind(listen)?;
    let address = listener.local_addr()?;
    // The name in Via, by which loops are found, is nobody else's.
    let name = format!("hopwire-{:016x}", RandomState::new().build_hasher().finish()).leak();
    let rules = Intermediary {
        // HTTP/1.0 may leave it out.
        authority: Some(service.clone().leak()),
        trailers: true,
        forwarded: Trace::Replace,
        x_forwarded: Trace::Replace,
        ..Intermediary::new(name).ok_or("a name")?
    };
    let proxy: &'static Proxy = Box::leak(Box::new(Proxy {
        service: service.to_socket_addrs()?.next().ok_or("the service has no address")?,
        patience: Duration::from_secs(patience),
        rules,
        idle: Mutex::default(),
        log: Mutex::default(),
        started: Instant::now(),
        stopping: AtomicBool::new(false),
        clients: AtomicUsize::new(0),
    }));
    println!("listening on {address}");
    thread::spawn(move || {
        if io::stdin().lock().lines().map_while(Result::ok).any(|line| line == "quit") {
            proxy.stopping.store(true, SeqCst);
            let _ = TcpStream::connect(address); // wakes the loop below
        }
    });
    thread::spawn(move || {
        loop {
            thread::sleep(LOG);
            proxy.write_log();
            lock(&proxy.idle).retain(|kept| kept.used.is_some_and(|used| used.elapsed() < KEPT));
        }
    });
    while !proxy.stopping.load(SeqCst) {
        match listener.accept() {
            Ok((stream, address)) => proxy.admit(stream, address),
            // There is no room for another descriptor until one is closed.
            Err(_) => thread::sleep(LOG),
        }
    }
    drop(listener);
    let since = Instant::now();
    while proxy.clients.load(SeqCst) > 0 && since.elapsed() < DRAIN {
        thread::sleep(LOG);
    }
    proxy.write_log();
    Ok(())
}

/// Clients at once. Each has two descriptors, of which a process often may have 1024.
const CLIENTS: usize = 480;
/// Clients at once that are told that there are too many; others are not even told.
const SURPLUS: usize = 20;
/// Connections to the service that are kept for whoever comes.
const IDLE: usize = 64;
/// Bytes read at once, and the longest head.
const BUFFER: usize = 64 << 10;
/// Bytes written in one turn: what one read brings, framed anew.
const OUTPUT: usize = 2 * BUFFER + (64 << 10);
/// How long a connection to the service may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long deadlines, a shutdown or a client that is gone may go unnoticed.
const TICK: Duration = Duration::from_secs(1);
/// Ticks without a word from the service until it matters whether the client is still there.
const PRESENCE: u32 = 10;
/// How long a peer may take nothing of what is written.
const STALL: Duration = Duration::from_secs(60);
/// How long the service may say nothing within an answer: streams of events are quiet at times.
const SILENCE: Duration = Duration::from_secs(3600);
/// A connection used so lately is not looked at before it is used again.
const FRESH: Duration = Duration::from_millis(100);
/// How long a connection to the service is kept.
const KEPT: Duration = Duration::from_secs(30);
/// Between two writes of the log.
const LOG: Duration = Duration::from_millis(100);
/// Bytes of lines that wait for who reads the log.
const LOG_SPACE: usize = 1 << 20;
/// How long what is under way may take to finish.
const DRAIN: Duration = Duration::from_secs(30);
/// How long the peer may take to stop after our last words.
const LINGER: Duration = Duration::from_millis(800);
