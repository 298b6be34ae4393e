//! Clients on every transport, a server that restarts, and a network that drops, repeats, reorders, delays, cuts and
//! serves stale answers, under virtual time: each client sees each update once and in order, or an explicit reset.
//!
//! All of it is the real thing but HTTP's heads: polls are `Hold` and `Pull`; streams are bytes in pieces, with comments when
//! quiet, read by a `Source`; WebSockets are frames in pieces between two `ws::Connection`s, which ping each other, and the
//! first message is the cursor to resume from.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use hopwire::feed::hold::{self, Answer, Key, Overlap};
use hopwire::feed::pull::{self, Mode};
use hopwire::feed::{Ask, Cursor, CursorText, History, Hold, Log, Pull, Reader, Start, Tail, Update, log};
use hopwire::http::Status;
use hopwire::io::{Rx, Tx};
use hopwire::sse::source::{self, State};
use hopwire::sse::{Decoder, Event, Head, KeepAlive, Source};
use hopwire::time::Instant;
use hopwire::ws;

use crate::prng::Prng;

type Random = Box<dyn FnMut(&mut [u8])>;

fn random(seed: u64) -> Random {
    let mut prng = Prng::new(seed);
    Box::new(move |bytes| bytes.fill_with(|| prng.next().to_le_bytes()[0]))
}

/// How a client reads now.
enum Transport {
    Pull(Box<Pull<Random>>),
    Sse(Box<Source<Random>>, Reader),
    Ws(Socket, Reader),
}

/// A WebSocket: each message is a block.
struct Socket {
    conn: Option<Box<ws::Connection<ws::Client<Random>>>>,
    /// The message that has begun.
    message: Vec<u8>,
    /// When to connect, again if nothing is heard until then.
    connect_at: Instant,
}

struct Client {
    transport: Transport,
    /// Which connection or request is the current one.
    attempt: u64,
    /// Bytes of a stream that are not consumed yet.
    inbox: Vec<u8>,
    /// When what it sent last reaches the server.
    reaches: Instant,
    /// What the test knows of its place.
    place: Option<Cursor>,
    resets: usize,
    /// Answers of before, for a cache that serves them again.
    stale: Vec<Vec<u8>>,
}

#[derive(Clone, Debug)]
enum Packet {
    Request(String, Option<CursorText>),
    Reply {
        status: Status,
        retry_after: Option<u64>,
        body: Vec<u8>,
    },
    /// A request for a stream, from there on unless it will say so itself.
    Connect(Option<Start>),
    Accept,
    /// A piece of a stream.
    Bytes(Vec<u8>),
    /// A piece of what a WebSocket's client says.
    Upstream(Vec<u8>),
    Broken,
}

/// A stream on the server.
struct Stream {
    kind: Kind,
    /// Where its reader is, once that is known.
    tail: Option<Tail>,
    /// A block that is to come behind the next one.
    late: Option<Vec<u8>>,
    /// Pieces of a stream arrive in order.
    arrives: Instant,
}

enum Kind {
    Sse(KeepAlive),
    Ws(Box<Served>),
}

struct Served {
    conn: ws::Connection<ws::Server>,
    inbox: Vec<u8>,
    /// The first message.
    token: Vec<u8>,
}

struct World {
    prng: Prng,
    now: Instant,
    log: Log,
    hold: Hold<(usize, u64)>,
    parked: Vec<Key>,
    streams: BTreeMap<(usize, u64), Stream>,
    clients: Vec<Client>,
    /// By arrival.
    network: BTreeMap<(Instant, u64), (usize, u64, Packet)>,
    sent: u64,
    faults: bool,
    /// How often a stream and how often a WebSocket was given up for a hole.
    gaps: [usize; 2],
    /// Whether restarts can lose the history.
    forgetful: bool,
    published: HashMap<Cursor, String>,
    snapshots: HashMap<Cursor, String>,
    epochs: u64,
    config: log::Config,
}

const MAX_PARKED: usize = 3;
const MAX_ENTRIES: usize = 4;
const MAX_BYTES: usize = 300;
/// More than two blocks and their frames.
const MAX_PIECES: usize = 512;

impl Socket {
    fn lost(&mut self, now: Instant) {
        (self.conn, self.connect_at) = (None, now.checked_add(Duration::from_secs(1)).unwrap());
    }
}

impl World {
    fn new(seed: u64, config: log::Config) -> Self {
        let mut hold = hold::Config::new();
        (hold.max_parked, hold.max_entries, hold.max_bytes) = (MAX_PARKED, MAX_ENTRIES, MAX_BYTES);
        hold.overlap =
            [Overlap::NewestWins, Overlap::OldestWins, Overlap::Independent][usize::try_from(seed % 3).unwrap()];
        let mut world = Self {
            prng: Prng::new(seed),
            now: Instant::from_millis(1000),
            log: Log::new(config, 1),
            hold: Hold::new(hold),
            parked: Vec::new(),
            streams: BTreeMap::new(),
            clients: Vec::new(),
            network: BTreeMap::new(),
            sent: 0,
            faults: true,
            gaps: [0; 2],
            forgetful: true,
            published: HashMap::new(),
            snapshots: HashMap::new(),
            epochs: 1,
            config,
        };
        for n in 0..6 {
            let start = [Start::Oldest, Start::Now, Start::Snapshot][world.prng.below(3)];
            let transport = world.transport(n, start);
            let (inbox, stale, reaches) = (Vec::new(), Vec::new(), world.now);
            world.clients.push(Client { transport, attempt: 0, inbox, reaches, place: None, resets: 0, stale });
        }
        world
    }

    fn transport(&mut self, kind: usize, start: Start) -> Transport {
        let seed = self.prng.next();
        let pull = |mode| {
            Transport::Pull(Box::new(Pull::new(
                pull::Config { mode, ..pull::Config::new() },
                start,
                seed | 1,
                random(seed),
            )))
        };
        match kind % 4 {
            0 => pull(Mode::Short),
            1 => pull(Mode::Long),
            2 => Transport::Sse(Box::new(Source::new(source::Config::default(), random(seed))), Reader::new(start)),
            _ => Transport::Ws(Socket { conn: None, message: Vec::new(), connect_at: self.now }, Reader::new(start)),
        }
    }

    fn millis(&mut self, below: usize) -> Duration {
        Duration::from_millis(self.prng.below(below) as u64)
    }

    /// Puts a packet on its way, or not, or (a request or an answer) twice.
    fn send(&mut self, client: usize, attempt: u64, packet: &Packet) {
        let copies = match self.faults {
            true if self.prng.percent(12) => 0,
            true if self.prng.percent(12) && matches!(packet, Packet::Request(..) | Packet::Reply { .. }) => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let delay = if self.faults && self.prng.percent(10) { self.millis(60_000) } else { self.millis(300) };
            self.deliver_at(self.now.checked_add(delay).unwrap(), client, attempt, packet.clone());
        }
    }

    fn deliver_at(&mut self, at: Instant, client: usize, attempt: u64, packet: Packet) {
        self.sent += 1;
        self.network.insert((at, self.sent), (client, attempt, packet));
    }

    /// Bytes of a stream, in pieces and in order from `after` on; when the last one arrives.
    fn stream(
        &mut self,
        after: Instant,
        n: usize,
        attempt: u64,
        bytes: &[u8],
        packet: fn(Vec<u8>) -> Packet,
    ) -> Instant {
        let (mut rest, mut at) = (bytes, after.max(self.now));
        while !rest.is_empty() {
            let len = 1 + self.prng.below(rest.len());
            let (piece, later) = rest.split_at(len);
            at = at.checked_add(self.millis(150)).unwrap();
            self.deliver_at(at, n, attempt, packet(piece.to_vec()));
            rest = later;
        }
        at
    }

    /// What a client says on its WebSocket.
    fn upstream(&mut self, n: usize, bytes: &[u8]) {
        let (reaches, attempt) = (self.clients[n].reaches, self.clients[n].attempt);
        self.clients[n].reaches = self.stream(reaches, n, attempt, bytes, Packet::Upstream);
    }

    /// What clients do by themselves.
    fn drive(&mut self) {
        for n in 0..self.clients.len() {
            let client = &mut self.clients[n];
            let mut said = Vec::new();
            let packet = match &mut client.transport {
                Transport::Pull(pull) => {
                    pull.handle_timeout(self.now);
                    (pull.state() == pull::State::Ask).then(|| {
                        pull.asking(self.now);
                        Packet::Request(pull.ask().to_string(), pull.if_none_match())
                    })
                }
                Transport::Sse(source, reader) => {
                    source.handle_timeout(self.now);
                    (source.state() == State::Connect).then(|| {
                        source.connecting(self.now);
                        let id = source.request_fields().find(|(name, _)| *name == "last-event-id");
                        Packet::Connect(Some(id.map_or(reader.start(), |(_, id)| Start::resume(id))))
                    })
                }
                Transport::Ws(socket, _) => match &mut socket.conn {
                    Some(conn) => {
                        conn.handle_timeout(self.now, &mut Tx::growing(&mut said, 1 << 16)).unwrap();
                        if conn.is_over() {
                            socket.lost(self.now);
                        }
                        None
                    }
                    None => (socket.connect_at <= self.now).then(|| {
                        socket.connect_at = self.now.checked_add(Duration::from_secs(20)).unwrap();
                        Packet::Connect(None)
                    }),
                },
            };
            self.upstream(n, &said);
            if let Some(packet) = packet {
                let client = &mut self.clients[n];
                client.attempt += 1;
                client.inbox.clear();
                client.reaches = self.now;
                let attempt = client.attempt;
                self.send(n, attempt, &packet);
            }
        }
    }

    /// What the server does in one turn.
    fn serve(&mut self) {
        self.log.handle_timeout(self.now);
        for _ in 0..3 {
            let Some(reply) = self.hold.poll(self.now, &self.log) else { break };
            let (client, attempt) = reply.token;
            let packet = Packet::Reply { status: reply.status, retry_after: None, body: reply.body.to_vec() };
            self.send(client, attempt, &packet);
        }
        let streams: Vec<_> = self.streams.keys().copied().collect();
        for key in streams {
            self.serve_stream(key);
        }
    }

    fn serve_stream(&mut self, key: (usize, u64)) {
        let Some(mut stream) = self.streams.remove(&key) else { return };
        let mut blocks = Vec::new();
        for _ in 0..2 {
            let Some(next) = stream.tail.and_then(|tail| tail.peek(&self.log)) else { break };
            let block = next.block().to_vec();
            stream.tail = Some(next.tail());
            // Something on the way loses or repeats a part of the stream, or swaps two.
            match self.prng.below(50) {
                0 if self.faults => {}
                1 if self.faults => blocks.extend([block.clone(), block]),
                2 if self.faults && stream.late.is_none() => stream.late = Some(block),
                _ => blocks.extend([block].into_iter().chain(stream.late.take())),
            }
        }
        let mut said = Vec::new();
        match &mut stream.kind {
            Kind::Sse(keep_alive) => {
                for block in &blocks {
                    said.extend_from_slice(block);
                    keep_alive.sent(self.now);
                }
                keep_alive.handle_timeout(self.now, &mut Tx::growing(&mut said, 1 << 16)).unwrap();
            }
            Kind::Ws(served) => {
                let conn = &mut served.conn;
                let mut tx = Tx::growing(&mut said, 1 << 16);
                for block in &blocks {
                    conn.send_text(std::str::from_utf8(block).unwrap(), &mut tx).unwrap();
                }
                conn.handle_timeout(self.now, &mut tx).unwrap();
                if conn.is_over() {
                    return;
                }
            }
        }
        stream.arrives = self.stream(stream.arrives, key.0, key.1, &said, Packet::Bytes);
        self.streams.insert(key, stream);
    }

    /// Everything that arrives up to now.
    fn arrive(&mut self) {
        while let Some(entry) = self.network.first_entry() {
            if entry.key().0 > self.now {
                return;
            }
            let (n, attempt, packet) = entry.remove();
            match packet {
                Packet::Request(query, tag) => self.request(n, attempt, &query, tag),
                Packet::Connect(start) => {
                    let kind = match start {
                        Some(_) => Kind::Sse(KeepAlive::new(self.now, KeepAlive::INTERVAL)),
                        None => {
                            let conn = ws::Connection::server(ws::Config::new());
                            Kind::Ws(Box::new(Served { conn, inbox: Vec::new(), token: Vec::new() }))
                        }
                    };
                    let stream = Stream { kind, tail: start.map(Tail::new), late: None, arrives: self.now };
                    self.streams.insert((n, attempt), stream);
                    self.deliver_at(self.now, n, attempt, Packet::Accept);
                }
                Packet::Upstream(bytes) => self.hear(n, attempt, &bytes),
                // Whatever belongs to an older request or connection is not read any more.
                _ if attempt != self.clients[n].attempt => {}
                packet => self.receive(n, packet),
            }
        }
    }

    fn request(&mut self, n: usize, attempt: u64, query: &str, tag: Option<CursorText>) {
        let ask = Ask::parse(query.as_bytes()).expect("clients ask well");
        let ask = Ask { if_none_match: tag.as_ref().map(CursorText::as_bytes), ..ask };
        let mut entropy = random(self.prng.next());
        match self.hold.ask(self.now, &ask, (n, attempt), &self.log, &mut entropy) {
            Answer::Parked(key) => self.parked.push(key),
            Answer::Reply(reply) => {
                let retry_after = reply.retry_after.map(|after| after.as_secs());
                let packet = Packet::Reply { status: reply.status, retry_after, body: reply.body.to_vec() };
                self.send(n, attempt, &packet);
            }
        }
    }

    /// What a WebSocket's client says: first of all, where it is.
    fn hear(&mut self, n: usize, attempt: u64, bytes: &[u8]) {
        let Some(Stream { kind: Kind::Ws(served), tail, arrives, .. }) = self.streams.get_mut(&(n, attempt)) else {
            return self.send(n, attempt, &Packet::Broken);
        };
        let Served { conn, inbox, token } = &mut **served;
        inbox.extend_from_slice(bytes);
        let mut said = Vec::new();
        let (mut rx, mut tx) = (Rx::new(inbox), Tx::growing(&mut said, 1 << 16));
        while let Some(event) = conn.poll(self.now, &mut rx, &mut tx).expect("a network cuts frames and breaks none") {
            if let ws::Event::Text { text, end } = event {
                assert_eq!(*tail, None, "it says one thing");
                token.extend_from_slice(text.as_bytes());
                *tail = end.then(|| Tail::new(Start::parse(token).expect("clients know where they are")));
            }
        }
        let used = rx.consumed();
        inbox.drain(..used);
        let arrives = *arrives;
        let arrives = self.stream(arrives, n, attempt, &said, Packet::Bytes);
        if let Some(stream) = self.streams.get_mut(&(n, attempt)) {
            stream.arrives = arrives;
        }
    }

    fn receive(&mut self, n: usize, packet: Packet) {
        let now = self.now;
        let cut = self.faults && self.prng.percent(10);
        let serve_stale = self.faults && self.prng.percent(10);
        let client = &mut self.clients[n];
        let mut updates = Updates { published: &self.published, snapshots: &self.snapshots };
        match (packet, &mut client.transport) {
            (Packet::Reply { status, retry_after, mut body }, Transport::Pull(pull)) => {
                if serve_stale && !client.stale.is_empty() && status == Status::OK {
                    body.clone_from(&client.stale[self.prng.below(client.stale.len())]);
                }
                let entries = body.windows(2).filter(|two| two == b"\n\n").count();
                assert!(
                    entries <= 1 || (entries <= MAX_ENTRIES && body.len() <= MAX_BYTES),
                    "an answer has its limits"
                );
                if client.stale.len() < 20 {
                    client.stale.push(body.clone());
                }
                let after = retry_after.map(|seconds| seconds.to_string());
                let head = Head { retry_after: after.as_deref().map(str::as_bytes), ..Head::of(status) };
                if pull.answered(now, &head) != pull::Verdict::Read {
                    return;
                }
                if cut {
                    body.truncate(self.prng.below(body.len() + 1));
                }
                let mut rx = Rx::new(&mut body);
                while let Some(update) = pull.poll(now, &mut rx) {
                    updates.check(&update, &mut client.place, &mut client.resets);
                }
                if cut { pull.lost(now) } else { pull.ended(now) }
            }
            (Packet::Accept, Transport::Sse(source, _)) => {
                let head = Head { content_type: Some(b"text/event-stream"), ..Head::of(Status::OK) };
                source.answered(now, &head);
            }
            (Packet::Accept, Transport::Ws(socket, reader)) => {
                let mut conn = Box::new(ws::Connection::client(random(self.prng.next()), ws::Config::new()));
                let mut said = Vec::new();
                conn.send_text(reader.start().text().as_str(), &mut Tx::growing(&mut said, 1 << 16)).unwrap();
                socket.message.clear();
                socket.conn = Some(conn);
                self.upstream(n, &said);
            }
            (Packet::Bytes(bytes), Transport::Sse(source, reader)) if source.state() == State::Open => {
                client.inbox.extend_from_slice(&bytes);
                let mut rx = Rx::new(&mut client.inbox);
                let mut gap = false;
                while let Some(Event::Message(message)) = source.poll(now, &mut rx) {
                    let id = source.last_event_id();
                    let update = reader.event(message, id.as_bytes());
                    gap |= update == Update::Gap;
                    updates.check(&update, &mut client.place, &mut client.resets);
                }
                reader.place(source.last_event_id().as_bytes());
                let used = rx.consumed();
                client.inbox.drain(..used);
                self.gaps[0] += usize::from(gap);
                if gap {
                    // The stream is beyond the hole; its reader is not.
                    let place = match reader.start() {
                        Start::After(cursor) => cursor.to_string(),
                        _ => String::new(),
                    };
                    source.restore(&place, None).unwrap();
                    source.lost(now);
                    client.attempt += 1;
                }
            }
            (Packet::Bytes(bytes), Transport::Ws(socket, reader)) => {
                let Some(conn) = &mut socket.conn else { return };
                client.inbox.extend_from_slice(&bytes);
                let mut said = Vec::new();
                let (mut rx, mut tx) = (Rx::new(&mut client.inbox), Tx::growing(&mut said, 1 << 16));
                let mut gap = false;
                while let Some(event) = conn.poll(now, &mut rx, &mut tx).expect("a network cuts frames and breaks none")
                {
                    let ws::Event::Text { text, end } = event else { continue };
                    socket.message.extend_from_slice(text.as_bytes());
                    if !end {
                        continue;
                    }
                    let mut decoder = Decoder::new();
                    let mut block = Rx::last(&mut socket.message);
                    let message = decoder.poll(&mut block);
                    let id = decoder.last_event_id();
                    let update = match message {
                        Some(Event::Message(message)) => reader.event(message, id.as_bytes()),
                        _ => {
                            reader.place(id.as_bytes());
                            Update::Known
                        }
                    };
                    gap |= update == Update::Gap;
                    updates.check(&update, &mut client.place, &mut client.resets);
                    socket.message.clear();
                }
                let used = rx.consumed();
                client.inbox.drain(..used);
                self.gaps[1] += usize::from(gap);
                self.upstream(n, &said);
                if gap {
                    let client = &mut self.clients[n];
                    client.attempt += 1;
                    let Transport::Ws(socket, _) = &mut client.transport else { return };
                    (socket.conn, socket.connect_at) = (None, now);
                }
            }
            (Packet::Broken, Transport::Pull(pull)) => pull.lost(now),
            (Packet::Broken, Transport::Sse(source, _)) => source.lost(now),
            (Packet::Broken, Transport::Ws(socket, _)) => socket.lost(now),
            // A transport that is not this client's any more.
            _ => {}
        }
    }

    fn publish(&mut self) {
        let data = format!("update {}\n{}", self.published.len(), "x".repeat(self.prng.below(60)));
        let cursor = self.log.publish(self.now, "", &data).unwrap();
        self.published.insert(cursor, data);
        if self.prng.percent(5) {
            let data = format!("all up to {cursor}");
            self.log.set_snapshot(&data).unwrap();
            self.snapshots.insert(cursor, data);
        }
    }

    /// The process ends and another begins; what is on the way, parked or open is lost, and not all hear of it.
    fn restart(&mut self, with_history: bool) {
        let old = &self.log;
        self.log = if with_history {
            let mut log = Log::resume(self.config, Cursor { epoch: old.epoch(), seq: old.oldest() - 1 });
            for seq in old.oldest()..=old.head() {
                let data = &self.published[&Cursor { epoch: old.epoch(), seq }];
                log.publish(self.now, "", data).unwrap();
                if old.snapshot().is_some_and(|(at, _)| at == seq) {
                    log.set_snapshot(&self.snapshots[&log.cursor()]).unwrap();
                }
            }
            log
        } else {
            self.epochs += 1;
            Log::new(self.config, self.epochs)
        };
        let streams: Vec<_> = self.streams.keys().copied().collect();
        self.streams.clear();
        for (client, attempt) in streams {
            self.send(client, attempt, &Packet::Broken);
        }
        for key in std::mem::take(&mut self.parked) {
            if let Some((client, attempt)) = self.hold.abort(key) {
                self.send(client, attempt, &Packet::Broken);
            }
        }
        assert!(self.hold.is_empty());
    }

    fn misfortune(&mut self) {
        match self.prng.below(12) {
            0 => {
                let with_history = !self.forgetful || self.prng.percent(50);
                self.restart(with_history);
            }
            // A connection is cut; its client may not hear of it.
            1 | 2 if !self.streams.is_empty() => {
                let at = self.prng.below(self.streams.len());
                let key = *self.streams.keys().nth(at).unwrap();
                self.streams.remove(&key);
                self.send(key.0, key.1, &Packet::Broken);
            }
            3 | 4 if !self.parked.is_empty() => {
                let at = self.prng.below(self.parked.len());
                if let Some((client, attempt)) = self.hold.abort(self.parked.swap_remove(at)) {
                    self.send(client, attempt, &Packet::Broken);
                }
            }
            // A client falls back to another transport, or comes back from one.
            5 => {
                let n = self.prng.below(self.clients.len());
                let start = match &self.clients[n].transport {
                    Transport::Pull(pull) => pull.reader().start(),
                    Transport::Sse(_, reader) | Transport::Ws(_, reader) => reader.start(),
                };
                let kind = self.prng.below(4);
                self.clients[n].transport = self.transport(kind, start);
                self.clients[n].attempt += 1;
            }
            _ => {}
        }
    }

    /// One turn of everybody, and then the time of whatever comes next, but not long.
    fn turn(&mut self) {
        self.arrive();
        self.drive();
        self.serve();
        self.check_bounds();
        let next = self.network.keys().next().map(|(at, _)| *at);
        let soon = self.now.checked_add(self.millis(2000)).unwrap();
        self.now = next
            .map_or(soon, |next| next.clamp(self.now, soon))
            .max(self.now.checked_add(Duration::from_millis(1)).unwrap());
    }

    fn check_bounds(&mut self) {
        assert!(self.log.len() <= self.config.max_count && self.log.bytes() <= self.config.max_bytes);
        assert!(self.log.poll_timeout().is_none_or(|at| at > self.now), "nothing is too old");
        assert_eq!(self.log.head() + 1 - self.log.oldest(), self.log.len() as u64);
        assert!(self.hold.len() <= MAX_PARKED);
        // A client holds one event that is unfinished, or one frame, and what came behind it in the same pieces.
        assert!(self.clients.iter().all(|client| client.inbox.len() <= MAX_PIECES));
        // Clients that go away without a word leave their streams to the server's own deadlines: those of the engine, or
        // (of a response, which is none of its business) of the system.
        let (clients, prng) = (&self.clients, &mut self.prng);
        self.streams.retain(|&(n, attempt), stream| {
            clients[n].attempt == attempt || matches!(stream.kind, Kind::Ws(_)) || !prng.percent(20)
        });
    }

    /// From here on nothing goes wrong: everybody gets everything.
    fn recover(&mut self) {
        self.faults = false;
        // What the end of a stream lost is missed when the next update comes.
        self.publish();
        let end = self.now.checked_add(Duration::from_secs(400)).unwrap();
        while self.now < end {
            self.turn();
        }
        for (n, client) in self.clients.iter().enumerate() {
            let start = match &client.transport {
                Transport::Pull(pull) => pull.reader().start(),
                Transport::Sse(_, reader) | Transport::Ws(_, reader) => reader.start(),
            };
            assert_eq!(start, Start::After(self.log.cursor()), "client {n} has everything");
            assert!(client.place.is_none_or(|place| place == self.log.cursor()), "client {n}");
        }
    }
}

/// What was published, to compare with.
struct Updates<'w> {
    published: &'w HashMap<Cursor, String>,
    snapshots: &'w HashMap<Cursor, String>,
}

impl Updates<'_> {
    fn check(&mut self, update: &Update<'_>, place: &mut Option<Cursor>, resets: &mut usize) {
        match *update {
            Update::Event { cursor, event, data } => {
                assert!(event == "message" && data == self.published[&cursor].as_str(), "{cursor}");
                if let Some(place) = place {
                    assert_eq!(cursor, Cursor { seq: place.seq + 1, ..*place }, "each once and in order");
                }
                *place = Some(cursor);
            }
            Update::Snapshot { cursor, data } => {
                assert!(data == self.snapshots[&cursor].as_str(), "{cursor}");
                assert!(place.is_none_or(|place| place.epoch == cursor.epoch && place.seq <= cursor.seq));
                *place = Some(cursor);
            }
            Update::Reset { oldest, head } => {
                assert!(oldest.epoch == head.epoch && oldest.seq <= head.seq);
                *place = Some(oldest);
                *resets += 1;
            }
            _ => {}
        }
    }
}

/// Little history: readers fall out of it.
fn little() -> log::Config {
    log::Config { max_count: 20, max_bytes: 1200, max_age: Some(Duration::from_secs(60)) }
}

#[test]
fn every_client_sees_each_update_once_and_in_order_or_a_reset() {
    let (mut resets, mut gaps) = (0, [0, 0]);
    for seed in 0..60 {
        let mut world = World::new(seed, little());
        for _ in 0..1500 {
            if world.prng.percent(25) {
                world.publish();
            }
            if world.prng.percent(10) {
                world.misfortune();
            }
            world.turn();
        }
        world.recover();
        resets += world.clients.iter().map(|client| client.resets).sum::<usize>();
        gaps = [gaps[0] + world.gaps[0], gaps[1] + world.gaps[1]];
    }
    assert!(resets > 100 && gaps.iter().all(|&gaps| gaps > 100), "they did their worst: {resets} {gaps:?}");
}

/// With history for all, and a server that keeps it over its restarts, nobody is ever reset, whatever the network does.
#[test]
fn without_loss_of_history_there_is_no_reset() {
    let config = log::Config { max_count: 10_000, max_bytes: 1 << 24, max_age: None };
    for seed in 100..120 {
        let mut world = World::new(seed, config);
        world.forgetful = false;
        for _ in 0..1000 {
            if world.prng.percent(25) {
                world.publish();
            }
            if world.prng.percent(10) {
                world.misfortune();
            }
            world.turn();
        }
        world.recover();
        assert!(world.clients.iter().all(|client| client.resets == 0), "{seed}");
    }
}
