//! A reverse proxy for one service on one machine: the standard library only, a thread a connection.
//!
//! `cargo run --release --example proxy -- 127.0.0.1:8080 127.0.0.1:9001` listens on the first address (port 0 takes any free
//! one) and forwards to the second. A third argument is how many seconds the service may take to answer (60). Content streams both ways as fast as the slower side takes it; WebSocket and
//! Server-Sent Events pass; connections to the service are kept. Each request is a line on standard output. A line `quit` on
//! standard input ends it gracefully: what is under way is finished, and nothing new begins.
//!
//! What is forwarded and how is decided by [`hopwire::http::forward`]; here are the sockets. One exchange after the other
//! goes over a connection. While the content of a request is still to come, a second thread takes it to the service, so
//! that an answer which begins early, or grows with its request, is never waited for.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that people watch")]

use std::error::Error;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use std::{env, thread};

use hopwire::http::forward::{self, Asked, Content, Intermediary, Stop, Trace, Trailers};
use hopwire::http::{HttpDate, Status};
use hopwire::http1::{self, Misuse, Server, client};
use hopwire::io::{RxBuffer, SendError, Tx, Wants};

/// What all connections share.
struct Proxy {
    service: SocketAddr,
    /// How long the service may take to answer.
    patience: Duration,
    rules: Intermediary<'static>,
    /// Connections to the service that wait for a request.
    idle: Mutex<Vec<Upstream>>,
    log: Mutex<Vec<u8>>,
    started: Instant,
    stopping: AtomicBool,
    connections: AtomicUsize,
}

/// A connection from a client.
struct Downstream {
    stream: TcpStream,
    http: Server,
    inbox: RxBuffer<Vec<u8>>,
    outbox: Vec<u8>,
    client: forward::Client,
    address: SocketAddr,
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

/// What the log says of an exchange.
struct Line {
    /// `GET /path HTTP/1.1`
    request: Vec<u8>,
    began: Instant,
    status: Option<Status>,
    sent: usize,
}

/// Why an exchange ends before its time.
enum Fault {
    /// The client is gone, or has broken a rule and been told so.
    Client,
    /// The service has not done its part.
    Service(Stop),
}

/// The engines at both ends of an exchange: each of its two threads needs both for a moment.
type Engines<'e> = Mutex<(&'e mut Server, &'e mut http1::Client)>;

/// The way of a request's content.
struct Upload<'x> {
    proxy: &'x Proxy,
    engines: &'x Engines<'x>,
    client: &'x TcpStream,
    service: &'x TcpStream,
    inbox: &'x mut RxBuffer<Vec<u8>>,
    outbox: &'x mut Vec<u8>,
    trailers: Trailers,
}

/// The way of an answer.
struct Download<'x> {
    proxy: &'x Proxy,
    engines: &'x Engines<'x>,
    client: &'x TcpStream,
    service: &'x TcpStream,
    inbox: &'x mut RxBuffer<Vec<u8>>,
    outbox: &'x mut Vec<u8>,
    asked: &'x Asked,
    line: &'x mut Line,
    /// Which trailers go on, once the head has come whose content they follow.
    trailers: Option<Trailers>,
    held: Vec<(String, Vec<u8>)>,
}

/// What comes next on the way of an answer.
enum Next {
    Receive,
    /// The client may send the content that it holds back.
    Content,
    Done,
}

impl Proxy {
    /// Serves a client to its end.
    fn serve(&self, stream: TcpStream, address: SocketAddr) -> io::Result<()> {
        prepare(&stream)?;
        let config = http1::Config { max_body: u64::MAX, ..http1::Config::new() };
        let mut down = Downstream {
            stream,
            http: Server::new(&config),
            inbox: RxBuffer::new(vec![0; BUFFER]),
            outbox: Vec::new(),
            client: forward::Client::new(Some(address.ip()), false),
            address,
        };
        let mut own = None;
        while let Ok(true) = self.exchange(&mut down, &mut own) {}
        lock(&self.idle).extend(own);
        linger(&mut down.stream)
    }

    /// One request and its answer; `own` is the connection to the service that this client had last. False: there are no more.
    fn exchange(&self, down: &mut Downstream, own: &mut Option<Upstream>) -> Result<bool, Fault> {
        let Some((mut line, sent)) = self.request(down, own)? else { return Ok(false) };
        let mut sent = match sent {
            Ok(sent) => sent,
            Err(stop) => {
                self.refuse(down, &mut line, stop)?;
                return Ok(true);
            }
        };
        match self.relay(down, &mut sent, &mut line) {
            // It has been answered with something else, if that was possible.
            Err(Fault::Service(stop)) if line.status.is_none() => self.refuse(down, &mut line, stop)?,
            outcome => {
                self.log(down, &line);
                outcome?;
            }
        }
        let mut service = sent.service;
        if down.http.has_switched() {
            tunnel(down, &mut service);
            return Ok(false);
        }
        if service.http.unusable().is_none() && service.http.outstanding() == 0 {
            service.used = Some(Instant::now());
            *own = Some(service);
        }
        Ok(true)
    }

    /// Waits for a request, and sends its head on. `None`: none comes any more.
    #[expect(clippy::type_complexity, reason = "the line is needed whether or not the request was sent on")]
    fn request(
        &self,
        down: &mut Downstream,
        own: &mut Option<Upstream>,
    ) -> Result<Option<(Line, Result<Sent, Stop>)>, Fault> {
        loop {
            if self.stopping.load(SeqCst) {
                down.http.close();
            }
            let (mut rx, mut tx) = (down.inbox.rx(), Tx::growing(&mut down.outbox, OUTPUT));
            let event = down.http.poll(self.now(), &mut rx, &mut tx);
            let (mut request, mut wants_more) = (None, false);
            match event {
                Ok(Some(http1::Event::Request(head))) => {
                    let version = head.version.as_str().as_bytes();
                    let line = [head.method.as_bytes(), b" ", head.target.as_bytes(), b" ", version].concat();
                    let line = Line { request: line, began: Instant::now(), status: None, sent: 0 };
                    let sent = self.rules.request(&(&head).into(), &down.client);
                    request = Some((line, sent.and_then(|head| self.send(&head, own.take()))));
                }
                Ok(Some(_)) => {} // what is left of a request that is answered
                Ok(None) => wants_more = down.http.wants() != Wants::Close,
                Err(_) => {}
            }
            let is_over = event.is_err() || (event.is_ok_and(|event| event.is_none()) && !wants_more);
            let used = rx.consumed();
            down.inbox.consume(used);
            flush(&down.stream, &mut down.outbox).map_err(|_| Fault::Client)?;
            if request.is_some() || is_over {
                return Ok(request);
            }
            if wants_more && !receive(&down.stream, &mut down.inbox).map_err(|_| Fault::Client)? {
                // Others may have use for the connection meanwhile.
                lock(&self.idle).extend(own.take());
                // What it has to say fits.
                let _ = down.http.handle_timeout(self.now(), &mut Tx::growing(&mut down.outbox, OUTPUT));
            }
        }
    }

    /// Sends a request's head to the service, over a connection that was used before if there is one.
    fn send(&self, request: &forward::Request<'_>, own: Option<Upstream>) -> Result<Sent, Stop> {
        let mut kept = own.or_else(|| lock(&self.idle).pop()).filter(Upstream::is_alive);
        loop {
            let mut service = match kept.take() {
                Some(service) => service,
                None => Upstream::connect(self.service, self.patience)?,
            };
            service.http.forward(request, &mut Tx::growing(&mut service.outbox, OUTPUT)).map_err(
                |error| match error {
                    SendError::Misuse(Misuse::Http10) => Stop::LengthRequired,
                    SendError::Misuse(_) | SendError::Full(_) => Stop::BadGateway,
                },
            )?;
            let flushed = flush(&service.stream, &mut service.outbox);
            // "A proxy MUST NOT automatically retry non-idempotent requests" (RFC 9110 §9.2.2). Others are sent again when a
            // connection that was kept turns out to be closed.
            if service.used.is_some() && request.content() == Content::None && request.method().is_idempotent() {
                let answered = flushed.and_then(|()| service.await_answer(self.patience));
                if !matches!(answered, Ok(true)) {
                    continue;
                }
            }
            // If this one is closed too, there may be an answer all the same.
            let (asked, content, trailers) = (request.asked(), request.content(), request.trailers());
            return Ok(Sent { service, asked, content, trailers });
        }
    }

    /// Takes the content to the service and the answer to the client.
    fn relay(&self, down: &mut Downstream, sent: &mut Sent, line: &mut Line) -> Result<(), Fault> {
        let (asked, service) = (sent.asked, &mut sent.service);
        let engines = Mutex::new((&mut down.http, &mut service.http));
        let mut upload = Upload {
            proxy: self,
            engines: &engines,
            client: &down.stream,
            service: &service.stream,
            inbox: &mut down.inbox,
            outbox: &mut service.outbox,
            trailers: sent.trailers,
        };
        let mut download = Download {
            proxy: self,
            engines: &engines,
            client: &down.stream,
            service: &service.stream,
            inbox: &mut service.inbox,
            outbox: &mut down.outbox,
            asked: &asked,
            line,
            trailers: None,
            held: Vec::new(),
        };
        let is_held_back = asked.expects_continue();
        // Often there is no content, or all of it is here. A service that takes none may have answered already.
        let is_sent = match sent.content {
            Content::None => true,
            _ if is_held_back => false,
            _ => match upload.step() {
                Err(Fault::Service(_)) => true,
                step => step?,
            },
        };
        if is_sent {
            return download.run(&mut || {});
        }
        let is_answered = &AtomicBool::new(false);
        thread::scope(|scope| {
            let mut upload = Some(upload);
            let mut start = || {
                if let Some(mut upload) = upload.take() {
                    scope.spawn(move || upload.run(is_answered));
                }
            };
            if !is_held_back {
                start();
            }
            let outcome = download.run(&mut start);
            is_answered.store(true, SeqCst);
            if lock(&engines).1.owes_content() {
                // Nobody reads the rest.
                let _ = download.service.shutdown(Shutdown::Both);
            }
            outcome
        })
    }

    /// Tells the client why it does not get what it asked for.
    fn refuse(&self, down: &mut Downstream, line: &mut Line, stop: Stop) -> Result<(), Fault> {
        let is_trace = line.request.starts_with(b"TRACE ");
        let status = if stop == Stop::LastHop && is_trace { Status::METHOD_NOT_ALLOWED } else { stop.status() };
        let text = format!("{status} {}: {stop}\n", status.reason());
        let fields: [(&str, &[u8]); 2] =
            [("content-type", b"text/plain"), ("allow", b"GET, HEAD, POST, PUT, DELETE, OPTIONS")];
        let fields = if stop == Stop::LastHop { &fields[..] } else { &fields[..1] };
        let mut tx = Tx::growing(&mut down.outbox, OUTPUT);
        // Where it cannot be said any more, the connection ends.
        let said = down.http.respond_with(status, fields, text.as_bytes(), &mut tx);
        (line.status, line.sent) = (said.is_ok().then_some(status), down.outbox.len());
        self.log(down, line);
        flush(&down.stream, &mut down.outbox).map_err(|_| Fault::Client)?;
        said.map_err(|_| Fault::Client)
    }

    /// `1795280243 127.0.0.1:40312 "GET / HTTP/1.1" 200 1234 0.8ms`: the second of its end, who, what, status (0 if there was none
    /// of ours or the service's), bytes sent, time taken.
    fn log(&self, down: &Downstream, line: &Line) {
        let mut log = lock(&self.log);
        let status = line.status.map_or(0, Status::code);
        let (request, took) = (line.request.escape_ascii(), line.began.elapsed().as_secs_f64() * 1000.0);
        let now = now_unix();
        // Writing to memory does not fail.
        let _ = writeln!(log, "{now} {} \"{request}\" {status} {} {took:.1}ms", down.address, line.sent);
    }

    fn write_log(&self) {
        let lines = std::mem::take(&mut *lock(&self.log));
        // Who does not read the log does not stop the service.
        let _ = io::stdout().lock().write_all(&lines);
    }

    fn now(&self) -> hopwire::time::Instant {
        hopwire::time::Instant::from_nanos(self.started.elapsed().as_nanos().try_into().unwrap_or(u64::MAX))
    }
}

impl Upload<'_> {
    /// All content as it comes, until there is no more or nobody wants it.
    fn run(&mut self, is_answered: &AtomicBool) {
        let outcome = loop {
            match self.step() {
                Ok(false) if !is_answered.load(SeqCst) => {}
                outcome => break outcome,
            }
            match receive(self.client, self.inbox) {
                Ok(true) => {}
                Ok(false) => {
                    let mut replies = Vec::new();
                    let _ =
                        lock(self.engines).0.handle_timeout(self.proxy.now(), &mut Tx::growing(&mut replies, OUTPUT));
                    let _ = flush(self.client, &mut replies);
                }
                Err(_) => break Err(Fault::Client),
            }
        };
        if let Err(Fault::Client) = outcome {
            // The request breaks off: nobody is to wait for its answer.
            let _ = self.service.shutdown(Shutdown::Both);
        }
    }

    /// Hands on what has come; true: that was the last.
    fn step(&mut self) -> Result<bool, Fault> {
        let mut replies = Vec::new();
        let (mut is_last, mut is_broken) = (false, false);
        {
            let (down, up) = &mut *lock(self.engines);
            let mut rx = self.inbox.rx();
            let (mut tx, mut reply) = (Tx::growing(self.outbox, OUTPUT), Tx::growing(&mut replies, OUTPUT));
            loop {
                // The service may have broken off: then its answer says so, and this is sent to nobody.
                let _ = match down.poll(self.proxy.now(), &mut rx, &mut reply) {
                    Ok(Some(http1::Event::Body(data))) => up.body(data, &mut tx).map(drop),
                    Ok(Some(http1::Event::Trailers(fields))) => {
                        let trailers: Vec<_> =
                            self.trailers.of(fields).map(|field| (field.name.as_str(), field.value)).collect();
                        is_last = true;
                        up.end(&trailers, &mut tx)
                    }
                    Ok(Some(http1::Event::End)) if is_last => break,
                    Ok(Some(http1::Event::End)) => {
                        is_last = true;
                        up.end(&[], &mut tx)
                    }
                    Ok(Some(_)) => Ok(()),
                    Ok(None) => break,
                    Err(_) => {
                        is_broken = true;
                        break;
                    }
                };
            }
            let used = rx.consumed();
            self.inbox.consume(used);
        }
        flush(self.client, &mut replies).map_err(|_| Fault::Client)?;
        if is_broken {
            return Err(Fault::Client);
        }
        // What the service does not take any more is not missed: its answer says why, or breaks off.
        flush(self.service, self.outbox).map_err(|_| Fault::Service(Stop::BadGateway))?;
        Ok(is_last)
    }
}

impl Download<'_> {
    /// All of an answer, and those before it; `start` is called when the client may send its content.
    fn run(&mut self, start: &mut dyn FnMut()) -> Result<(), Fault> {
        loop {
            let next = self.step();
            self.line.sent += self.outbox.len();
            flush(self.client, self.outbox).map_err(|_| Fault::Client)?;
            match next? {
                Next::Receive => {}
                Next::Content => {
                    start();
                    continue;
                }
                Next::Done => return Ok(()),
            }
            match receive(self.service, self.inbox) {
                Ok(true) => {}
                Ok(false) => {
                    let (_, up) = &mut *lock(self.engines);
                    up.handle_timeout(self.proxy.now());
                    if !up.owes_content() && is_gone(self.client) {
                        return Err(Fault::Client);
                    }
                }
                Err(_) => return Err(Fault::Service(Stop::BadGateway)),
            }
        }
    }

    fn step(&mut self) -> Result<Next, Fault> {
        let (down, up) = &mut *lock(self.engines);
        let mut rx = self.inbox.rx();
        let mut tx = Tx::growing(self.outbox, OUTPUT);
        let next = loop {
            let event = up.poll(self.proxy.now(), &mut rx).map_err(|violation| Fault::Service(violation.into()))?;
            match event {
                Some(client::Event::Continue) => break Next::Content,
                Some(client::Event::Interim(head) | client::Event::Response(head) | client::Event::Switched(head)) => {
                    let head = self.proxy.rules.response(&(&head).into(), self.asked, HttpDate::from_unix(now_unix()));
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
                Some(client::Event::Body(data)) => _ = down.body(data, &mut tx).map_err(|_| Fault::Client)?,
                Some(client::Event::Trailers(fields)) => {
                    let trailers = self.trailers.iter().flat_map(|trailers| trailers.of(fields));
                    self.held = trailers.map(|field| (field.name.as_str().to_owned(), field.value.to_vec())).collect();
                }
                Some(client::Event::End) => {
                    if self.trailers.is_some() {
                        let trailers: Vec<_> =
                            self.held.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
                        down.end(&trailers, &mut tx).map_err(|_| Fault::Client)?;
                    }
                    break Next::Done;
                }
                Some(_) => {}
                None => break Next::Receive,
            }
        };
        let used = rx.consumed();
        self.inbox.consume(used);
        Ok(next)
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

    /// Whether a connection that was kept can be used again.
    fn is_alive(&self) -> bool {
        self.used.is_some_and(|used| used.elapsed() < FRESH || (used.elapsed() < KEPT && !is_gone(&self.stream)))
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

/// Carries bytes both ways between a client and the service, which have left HTTP, until both have stopped.
fn tunnel(down: &mut Downstream, service: &mut Upstream) {
    let carry = |from: &TcpStream, early: &[u8], to: &TcpStream| {
        let (mut source, mut sink) = (from, to);
        let _ = sink.write_all(early).and_then(|()| io::copy(&mut source, &mut sink));
        let _ = to.shutdown(Shutdown::Write);
    };
    let (client, upstream) = (&down.stream, &service.stream);
    let _ = client.set_read_timeout(None).and_then(|()| upstream.set_read_timeout(None));
    let (early, answered) = (down.inbox.rx(), service.inbox.rx());
    thread::scope(|scope| {
        scope.spawn(|| carry(client, early.bytes(), upstream));
        carry(upstream, answered.bytes(), client);
    });
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

/// Whether the peer has closed, as far as that can be seen without waiting.
fn is_gone(stream: &TcpStream) -> bool {
    let peek = stream.set_nonblocking(true).and_then(|()| stream.peek(&mut [0]));
    let restored = stream.set_nonblocking(false);
    let is_open = matches!(&peek, Ok(1..)) || matches!(&peek, Err(e) if e.kind() == ErrorKind::WouldBlock);
    !is_open || restored.is_err()
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
    // The name in Via, by which loops are found: another proxy of this kind on the way has another port, or host.
    let name = format!("hopwire-{}", address.to_string().replace([':', '[', ']'], "-")).leak();
    let rules = Intermediary::new(name).ok_or("a name")?;
    let proxy: &'static Proxy = Box::leak(Box::new(Proxy {
        service: service.parse()?,
        patience: Duration::from_secs(patience),
        rules: Intermediary { trailers: true, forwarded: Trace::Replace, x_forwarded: Trace::Replace, ..rules },
        idle: Mutex::default(),
        log: Mutex::default(),
        started: Instant::now(),
        stopping: AtomicBool::new(false),
        connections: AtomicUsize::new(0),
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
    for stream in listener.incoming() {
        if proxy.stopping.load(SeqCst) {
            break;
        }
        let Ok(stream) = stream else { continue };
        let Ok(address) = stream.peer_addr() else { continue };
        proxy.connections.fetch_add(1, SeqCst);
        thread::spawn(move || {
            let _ = proxy.serve(stream, address);
            proxy.connections.fetch_sub(1, SeqCst);
        });
    }
    let since = Instant::now();
    while proxy.connections.load(SeqCst) > 0 && since.elapsed() < DRAIN {
        thread::sleep(LOG);
    }
    proxy.write_log();
    Ok(())
}

/// Bytes read at once, and the longest head.
const BUFFER: usize = 64 << 10;
/// Bytes written in one turn: what one read brings, framed anew.
const OUTPUT: usize = 2 * BUFFER + (64 << 10);
/// How long a connection to the service may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long deadlines, a shutdown or a client that is gone may go unnoticed.
const TICK: Duration = Duration::from_secs(1);
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
/// How long what is under way may take to finish.
const DRAIN: Duration = Duration::from_secs(30);
/// How long the peer may take to stop after our last words.
const LINGER: Duration = Duration::from_millis(800);
