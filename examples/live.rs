//! One feed under four transports, on a page that shows why each is as it is: short polling, long polling, Server-Sent
//! Events and WebSocket, side by side.
//!
//! `cargo run --release --example live [-- PORT [STREAMS]]` listens on 127.0.0.1 (port 9000; 0 takes any free one): open
//! the page it names. The standard library only: each connection has a thread that reads and one that writes; all that
//! speaks a protocol runs in one thread, and locks nothing.
//!
//! | | |
//! |---|---|
//! | `GET /` | the page |
//! | `GET /poll?cursor=C&wait=S` | a poll, short (`wait=0`) or long |
//! | `GET /events?cursor=C` | the feed as an event stream |
//! | `GET /ws?cursor=C` | the feed as WebSocket messages |
//! | `GET /stats?client=ID` | what all that cost on the wire, to the page with this `client=` |
//! | `GET /streams/NAME` | a recorded event stream: the file of this name in the folder STREAMS, for a reader that comes back with an id rather `NAME.again`; each request is told on the standard output |
//! | `POST /do/...` | `slower`, `faster`, `flood`, `restart` of the feed; `cut?client=ID&via=TRANSPORT` |
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that people watch")]

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::hash::{BuildHasher, Hasher};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, UNIX_EPOCH};
use std::{env, fmt::Write as _, fs, str, thread};

use hopwire::feed::hold::{self, Answer, Reply};
use hopwire::feed::{Ask, Cursor, History, Hold, Log, Start, Tail, log};
use hopwire::http::{Method, Status};
use hopwire::http1::{self, BodyLength, Request, server};
use hopwire::io::{GrowingBuffer, Tx, Wants};
use hopwire::time::Instant;
use hopwire::{sse, ws};

/// What happens on a connection, told by its threads.
enum News {
    Opened(TcpStream),
    Received(Vec<u8>),
    Ended,
    /// All that was to be written is written.
    Written,
}

/// The one thread that thinks.
struct Live {
    log: Log,
    hold: Hold<u64>,
    conns: HashMap<u64, Conn>,
    /// What each client's transports cost.
    costs: HashMap<(u64, &'static str), Cost>,
    pace: usize,
    next_update: Instant,
    streams: Option<PathBuf>,
    news: SyncSender<(u64, News)>,
    began: std::time::Instant,
}

struct Conn {
    stream: TcpStream,
    inbox: GrowingBuffer,
    out: Vec<u8>,
    /// Gives bytes to the thread that writes.
    writer: Sender<Vec<u8>>,
    /// Whether that thread has not finished: a slow reader gets nothing more until it has.
    writing: bool,
    protocol: Protocol,
    /// Whose costs these are, and of which transport.
    payer: (u64, &'static str),
    /// The last words are said.
    closing: bool,
}

enum Protocol {
    Http(http1::Server, Pending),
    WebSocket(ws::Connection<ws::Server>, Tail),
}

/// What an HTTP response waits for.
enum Pending {
    Nothing,
    Poll(hold::Key),
    Stream(Tail, sse::KeepAlive),
}

#[derive(Clone, Copy, Default)]
struct Cost {
    requests: u64,
    received: u64,
    sent: u64,
}

type Outcome<T> = Result<T, Box<dyn Error>>;

impl Live {
    fn now(&self) -> Instant {
        Instant::from(self.began.elapsed())
    }

    fn run(&mut self, news: &Receiver<(u64, News)>) {
        loop {
            let deadline = self.poll_timeout();
            match news.recv_timeout(deadline.saturating_since(self.now())) {
                Ok((id, News::Opened(stream))) => self.open(id, stream),
                Ok((id, News::Received(bytes))) => self.with(id, |live, conn| {
                    let mut rest = &bytes[..];
                    while !rest.is_empty() {
                        let n = rest.read(conn.inbox.space())?;
                        if n == 0 {
                            return Err("more than an exchange can wait for".into());
                        }
                        conn.inbox.advance(n);
                        live.turn(id, conn)?;
                    }
                    Ok(())
                }),
                Ok((id, News::Ended)) => self.with(id, |live, conn| {
                    conn.inbox.end();
                    live.turn(id, conn)?;
                    Err("the client has gone".into())
                }),
                Ok((id, News::Written)) => self.with(id, |live, conn| {
                    conn.writing = false;
                    // What was received may have waited for room, or for an answer before its own.
                    live.turn(id, conn)
                }),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.handle_timeout();
        }
    }

    /// When something is to be done though nothing happens.
    fn poll_timeout(&self) -> Instant {
        let conns = self.conns.values().filter_map(Conn::poll_timeout);
        let feed = [self.log.poll_timeout(), self.hold.poll_timeout()].into_iter().flatten();
        conns.chain(feed).fold(self.next_update, Instant::min)
    }

    fn handle_timeout(&mut self) {
        let now = self.now();
        if self.next_update <= now {
            self.publish(now);
            self.next_update = now.checked_add(PACES[self.pace]).unwrap_or(now);
        }
        self.log.handle_timeout(now);
        while let Some(reply) = self.hold.poll(now, &self.log) {
            if let Some(conn) = self.conns.get_mut(&reply.token) {
                // One that cannot be answered is on its way out.
                let _ = conn.reply(&reply);
            }
        }
        for id in self.conns.keys().copied().collect::<Vec<_>>() {
            self.with(id, |live, conn| conn.handle_timeout(&live.log, now));
        }
    }

    /// An update: when it was published, and something to look at.
    fn publish(&mut self, now: Instant) {
        let at = since_1970();
        let data =
            format!("{{\"at\":{}.{:03},\"value\":{}}}", at.as_millis(), at.subsec_micros() % 1000, random() % 1000);
        if let Err(e) = self.log.publish(now, "", &data) {
            eprintln!("not published: {e}");
        }
    }

    fn open(&mut self, id: u64, stream: TcpStream) {
        let (writer, to_write) = channel::<Vec<u8>>();
        let (Ok(mut reading), Ok(mut writing)) = (stream.try_clone(), stream.try_clone()) else { return };
        let news = self.news.clone();
        let _ = writing.set_write_timeout(Some(PATIENCE));
        let write = move || {
            for bytes in to_write {
                if writing.write_all(&bytes).is_err() || news.send((id, News::Written)).is_err() {
                    break;
                }
            }
            // No more to say: the client gets it all before the connection goes (RFC 9112 §9.6).
            let _ = writing.shutdown(Shutdown::Write);
            thread::sleep(LINGER);
            let _ = writing.shutdown(Shutdown::Both);
        };
        let news = self.news.clone();
        let read = move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = reading.read(&mut buffer) {
                if news.send((id, News::Received(buffer[..n].to_vec()))).is_err() {
                    return;
                }
            }
            let _ = news.send((id, News::Ended));
        };
        let spawned = thread::Builder::new().spawn(write).and_then(|_| thread::Builder::new().spawn(read));
        if spawned.is_err() {
            return; // no room for another
        }
        let _ = stream.set_nodelay(true);
        let conn = Conn {
            stream,
            inbox: GrowingBuffer::new(INBOX),
            out: Vec::new(),
            writer,
            writing: false,
            protocol: Protocol::Http(http1::Server::default(), Pending::Nothing),
            payer: (0, ""),
            closing: false,
        };
        self.conns.insert(id, conn);
    }

    /// Works on a connection, then writes what came of it, and drops it when it is over.
    fn with(&mut self, id: u64, work: impl FnOnce(&mut Self, &mut Conn) -> Outcome<()>) {
        let Some(mut conn) = self.conns.remove(&id) else { return };
        if let Protocol::Http(http, _) = &mut conn.protocol {
            http.set_date(since_1970().into());
        }
        let outcome = work(self, &mut conn);
        // The last words are written even if others are being written.
        if (!conn.writing || outcome.is_err()) && !conn.out.is_empty() {
            self.cost(conn.payer).sent += conn.out.len() as u64;
            conn.writing = conn.writer.send(std::mem::take(&mut conn.out)).is_ok();
        }
        let over = outcome.is_err() || (conn.closing && conn.out.is_empty() && !conn.writing);
        if !over {
            self.conns.insert(id, conn);
        } else if let Protocol::Http(_, Pending::Poll(key)) = conn.protocol {
            self.hold.abort(key);
        }
    }

    /// All that speaks HTTP or WebSocket: takes what there is, and answers what can be answered at once.
    fn turn(&mut self, id: u64, conn: &mut Conn) -> Outcome<()> {
        let now = self.now();
        let mut inbox = std::mem::replace(&mut conn.inbox, GrowingBuffer::new(INBOX));
        let mut rx = inbox.rx();
        let mut counted = 0;
        loop {
            let more = match &mut conn.protocol {
                Protocol::Http(http, pending) => match http.poll(now, &mut rx, &mut Tx::growing(&mut conn.out, OUT))? {
                    Some(server::Event::Request(request)) => {
                        conn.payer = payer(&request);
                        self.cost(conn.payer).requests += 1;
                        self.request(id, conn, &request, now)?;
                        true
                    }
                    Some(_) => true,
                    None => {
                        // One who waits for an answer says nothing; so input that ends has to be looked for.
                        conn.closing |=
                            http.wants() == Wants::Close || (rx.is_last() && !matches!(pending, Pending::Nothing));
                        false
                    }
                },
                Protocol::WebSocket(ws, _) => {
                    let more = ws.poll(now, &mut rx, &mut Tx::growing(&mut conn.out, OUT))?.is_some();
                    conn.closing |= !more && ws.wants() == Wants::Close;
                    more
                }
            };
            self.cost(conn.payer).received += (rx.consumed() - counted) as u64;
            counted = rx.consumed();
            if !more {
                inbox.consume(counted);
                conn.inbox = inbox;
                return Ok(());
            }
        }
    }

    fn request(&mut self, id: u64, conn: &mut Conn, request: &Request<'_>, now: Instant) -> Outcome<()> {
        let Protocol::Http(http, pending) = &mut conn.protocol else { return Ok(()) };
        let mut tx = Tx::growing(&mut conn.out, OUT);
        let query = request.target.query().unwrap_or_default();
        match (request.method, request.target.path()) {
            (Method::Get, b"/") => http.respond_with(Status::OK, &PAGE_FIELDS, PAGE, &mut tx)?,
            (Method::Get, b"/poll") => {
                let Some(ask) = Ask::parse(query) else { return refuse(http, Status::BAD_REQUEST, &mut tx) };
                let ask = Ask { if_none_match: request.fields.first("if-none-match"), ..ask };
                match self.hold.ask(now, &ask, id, &self.log, &mut entropy) {
                    Answer::Reply(reply) => conn.reply(&reply)?,
                    Answer::Parked(key) => *pending = Pending::Poll(key),
                }
            }
            (Method::Get, b"/events") => {
                // A stream that comes back says where it was; what the first request said is old by then.
                let last = request.fields.first("last-event-id").map(Start::resume);
                let start = last.or_else(|| Ask::parse(query).map(|ask| ask.start)).unwrap_or(Start::Now);
                http.respond(Status::OK, &sse::RESPONSE_FIELDS, BodyLength::Chunked, &mut tx)?;
                *pending = Pending::Stream(Tail::new(start), sse::KeepAlive::new(now, sse::KeepAlive::INTERVAL));
            }
            (Method::Get, b"/ws") => match ws::Handshake::of(request) {
                Ok(Some(handshake)) => match handshake.accept(ws::OriginPolicy::SameHost) {
                    Ok(answer) => {
                        let start = Ask::parse(query).map_or(Start::Now, |ask| ask.start);
                        answer.respond(http, &mut tx)?;
                        conn.protocol = Protocol::WebSocket(ws::Connection::default(), Tail::new(start));
                    }
                    Err(refusal) => http.respond_with(refusal.status(), refusal.fields(), b"", &mut tx)?,
                },
                Ok(None) => refuse(http, Status::UPGRADE_REQUIRED, &mut tx)?,
                Err(refusal) => http.respond_with(refusal.status(), refusal.fields(), b"", &mut tx)?,
            },
            (Method::Get, b"/stats") => {
                // This one is not among them now.
                let stats = stats(&self.costs, conn.payer.0, &self.log, PACES[self.pace], self.conns.len() + 1);
                http.respond_with(Status::OK, &[("content-type", b"application/json")], stats.as_bytes(), &mut tx)?;
            }
            (Method::Get, path) if path.starts_with(STREAMS) => {
                match self.recorded(&path[STREAMS.len()..], request.fields.first("last-event-id")) {
                    Some(stream) => http.respond_with(Status::OK, &sse::RESPONSE_FIELDS, &stream, &mut tx)?,
                    None => refuse(http, Status::NOT_FOUND, &mut tx)?,
                }
            }
            (Method::Post, path) => {
                let known = self.command(path, query, now);
                refuse(http, if known { Status::NO_CONTENT } else { Status::NOT_FOUND }, &mut tx)?;
            }
            _ => refuse(http, Status::NOT_FOUND, &mut tx)?,
        }
        Ok(())
    }

    /// A stream to try a reader with.
    fn recorded(&self, name: &[u8], last_event_id: Option<&[u8]>) -> Option<Vec<u8>> {
        let folder = self.streams.as_ref()?;
        // No name leads out of the folder.
        let name = str::from_utf8(name).ok().filter(|it| it.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))?;
        println!(
            "stream {name} {}",
            last_event_id.map_or("from the start".into(), |id| format!("after {}", id.escape_ascii()))
        );
        let again = last_event_id.and_then(|_| fs::read(folder.join(format!("{name}.again"))).ok());
        again.or_else(|| fs::read(folder.join(name)).ok())
    }

    /// The buttons.
    fn command(&mut self, path: &[u8], query: &[u8], now: Instant) -> bool {
        match path {
            b"/do/slower" => self.pace = (self.pace + 1).min(PACES.len() - 1),
            b"/do/faster" => self.pace = self.pace.saturating_sub(1),
            b"/do/flood" => (0..FLOOD).for_each(|_| self.publish(now)),
            b"/do/restart" => self.log = new_log(),
            b"/do/cut" => {
                let client = client(query);
                let via = query.rsplit(|&b| b == b'=').next().unwrap_or_default();
                for conn in self.conns.values().filter(|conn| conn.payer.0 == client && conn.payer.1.as_bytes() == via)
                {
                    let _ = conn.stream.shutdown(Shutdown::Both);
                }
            }
            _ => return false,
        }
        self.next_update = self.next_update.min(now.checked_add(PACES[self.pace]).unwrap_or(now));
        true
    }

    fn cost(&mut self, mut payer: (u64, &'static str)) -> &mut Cost {
        if self.costs.len() >= PAYERS && !self.costs.contains_key(&payer) {
            payer = (0, "");
        }
        self.costs.entry(payer).or_default()
    }
}

impl Conn {
    fn poll_timeout(&self) -> Option<Instant> {
        let (engine, stream) = match &self.protocol {
            Protocol::Http(http, Pending::Stream(_, keep_alive)) => (http.poll_timeout(), keep_alive.poll_timeout()),
            Protocol::Http(http, _) => (http.poll_timeout(), None),
            Protocol::WebSocket(ws, _) => (ws.poll_timeout(), None),
        };
        // While it writes there is nothing else to do.
        [engine, stream].into_iter().flatten().filter(|_| !self.writing).min()
    }

    /// Deadlines, and what is new in the feed.
    fn handle_timeout(&mut self, log: &Log, now: Instant) -> Outcome<()> {
        if self.writing {
            return Ok(());
        }
        let mut tx = Tx::growing(&mut self.out, OUT);
        match &mut self.protocol {
            Protocol::Http(http, pending) => {
                http.handle_timeout(now, &mut tx)?;
                if let Pending::Stream(tail, keep_alive) = pending {
                    while let Some(next) = tail.peek(log).filter(|_| tx.len() < TURN) {
                        http.body(next.block(), &mut tx)?;
                        *tail = next.tail();
                        keep_alive.sent(now);
                    }
                    let mut comment = [0; 8];
                    let mut comment = Tx::new(&mut comment);
                    keep_alive.handle_timeout(now, &mut comment)?;
                    http.body(comment.written(), &mut tx)?;
                }
                self.closing |= http.wants() == Wants::Close;
            }
            Protocol::WebSocket(ws, tail) => {
                ws.handle_timeout(now, &mut tx)?;
                while let Some(next) = tail.peek(log).filter(|_| tx.len() < TURN && !ws.is_closing()) {
                    ws.send_text(str::from_utf8(next.block())?, &mut tx)?;
                    *tail = next.tail();
                }
                self.closing |= ws.wants() == Wants::Close;
            }
        }
        Ok(())
    }

    /// The answer to a poll.
    fn reply<T>(&mut self, reply: &Reply<'_, T>) -> Outcome<()> {
        let Protocol::Http(http, pending) = &mut self.protocol else { return Ok(()) };
        *pending = Pending::Nothing;
        http.set_date(since_1970().into());
        let tag = reply.cursor.map(Cursor::tag);
        let after = reply.retry_after.map(|after| after.as_secs().to_string());
        let mut fields = hold::REPLY_FIELDS.to_vec();
        fields.extend(tag.as_ref().map(|tag| ("etag", tag.as_bytes())));
        fields.extend(after.as_ref().map(|after| ("retry-after", after.as_bytes())));
        Ok(http.respond_with(reply.status, &fields, reply.body, &mut Tx::growing(&mut self.out, OUT))?)
    }
}

/// A response without content.
fn refuse(http: &mut http1::Server, status: Status, tx: &mut Tx<'_>) -> Outcome<()> {
    Ok(http.respond_with(status, &[], b"", tx)?)
}

/// Who asks, and by which transport.
fn payer(request: &Request<'_>) -> (u64, &'static str) {
    let query = request.target.query().unwrap_or_default();
    let via = match request.target.path() {
        b"/poll" if query.split(|&b| b == b'&').any(|param| param == b"wait=0") => "short",
        b"/poll" => "long",
        b"/events" => "sse",
        b"/ws" => "ws",
        _ => "",
    };
    (client(query), via)
}

fn client(query: &[u8]) -> u64 {
    Ask::parse(query).and_then(|ask| ask.client).unwrap_or(0)
}

fn stats(
    costs: &HashMap<(u64, &'static str), Cost>,
    client: u64,
    log: &Log,
    pace: Duration,
    connections: usize,
) -> String {
    let cursor = History::cursor(log);
    let mut json = format!("{{\"cursor\":\"{cursor}\",\"kept\":{},\"pace\":{}", log.len(), pace.as_millis());
    let _ = write!(json, ",\"connections\":{connections}");
    let at = since_1970();
    let _ = write!(json, ",\"now\":{}.{:03}", at.as_millis(), at.subsec_micros() % 1000);
    let own: BTreeMap<_, _> = costs.iter().filter(|((payer, via), _)| *payer == client && !via.is_empty()).collect();
    for ((_, via), Cost { requests, received, sent }) in own {
        let _ = write!(json, ",\"{via}\":{{\"requests\":{requests},\"received\":{received},\"sent\":{sent}}}");
    }
    json + "}"
}

fn since_1970() -> Duration {
    UNIX_EPOCH.elapsed().unwrap_or_default()
}

fn new_log() -> Log {
    let config = log::Config { max_count: KEPT, ..log::Config::new() };
    Log::new(config, random() | 1)
}

/// The standard library's own randomness is seeded by the system for every process, and differs for each state.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn entropy(bytes: &mut [u8]) {
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(&random().to_le_bytes()[..chunk.len()]);
    }
}

fn main() -> Outcome<()> {
    let port = env::args().nth(1).map_or(Ok(9000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    let address = listener.local_addr()?;
    println!("listening on {address}: open http://{address}/");
    let (news, inbox) = sync_channel(NEWS);
    let mut live = Live {
        log: new_log(),
        hold: Hold::new(hold::Config::new()),
        conns: HashMap::new(),
        costs: HashMap::new(),
        pace: 3,
        next_update: Instant::ZERO,
        streams: env::args_os().nth(2).map(PathBuf::from),
        news: news.clone(),
        began: std::time::Instant::now(),
    };
    thread::spawn(move || {
        for (id, stream) in (1..).zip(listener.incoming()) {
            match stream.map(|stream| news.send((id, News::Opened(stream)))) {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return,
                Err(_) => thread::sleep(PAUSE), // no room until a connection ends
            }
        }
    });
    live.run(&inbox);
    Ok(())
}

const STREAMS: &[u8] = b"/streams/";
const PAGE: &[u8] = include_bytes!("live.html");
const PAGE_FIELDS: [(&str, &[u8]); 2] = [("content-type", b"text/html; charset=utf-8"), ("cache-control", b"no-cache")];
/// The time between two updates, from the fastest to the slowest.
const PACES: [Duration; 6] = [
    Duration::from_millis(20),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(3),
];
/// So few entries are kept that a flood shows what happens to who is too slow.
const KEPT: usize = 256;
const FLOOD: usize = 400;
/// How many transports of clients have their costs counted.
const PAYERS: usize = 10_000;
/// What the threads of connections have to tell and nobody has heard yet: they wait then.
const NEWS: usize = 256;
/// Bytes received and not yet understood, on one connection.
const INBOX: usize = 64 << 10;
/// Bytes to be written, on one connection.
const OUT: usize = 1 << 20;
/// Bytes of the feed that are written at a time.
const TURN: usize = 64 << 10;
/// Before a connection is tried again that there was no room for.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a client may read nothing.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a client may take to stop after our last words.
const LINGER: Duration = Duration::from_millis(800);
