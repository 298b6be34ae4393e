//! Clients on every transport, a server that restarts, and a network that drops, repeats, reorders, delays, cuts and
//! serves stale answers, under virtual time: each client sees each update once and in order, or an explicit reset.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use hopwire::feed::{
    Answer, Ask, Cursor, History, Hold, HoldConfig, Key, Log, LogConfig, Mode, Overlap, Pull, PullConfig, PullState,
    PullVerdict, Reader, Start, Tail, Update,
};
use hopwire::http::Status;
use hopwire::io::Rx;
use hopwire::sse::{self, Decoder, Event, Head, Source, State};
use hopwire::time::Instant;

/// SplitMix64.
#[derive(Clone)]
struct Prng(u64);

impl Prng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// Whether something happens that does in `n` of 100 cases.
    fn percent(&mut self, n: u64) -> bool {
        self.below(100) < n
    }
}

type Random = Box<dyn FnMut(&mut [u8])>;

fn random(seed: u64) -> Random {
    let mut prng = Prng(seed);
    Box::new(move |bytes| bytes.fill_with(|| prng.next().to_le_bytes()[0]))
}

/// How a client reads now.
enum Transport {
    Pull(Box<Pull<Random>>),
    Sse(Box<Source<Random>>, Reader),
    /// A WebSocket that resumes: each message is a block. When to connect (again) if nothing is heard until then.
    Ws(Reader, Instant),
}

struct Client {
    transport: Transport,
    /// Which connection or request is the current one.
    attempt: u64,
    /// Bytes of a stream that are not consumed yet.
    inbox: Vec<u8>,
    /// What the test knows of its place.
    place: Option<Cursor>,
    resets: usize,
    /// Answers of before, for a cache that serves them again.
    stale: Vec<Vec<u8>>,
}

#[derive(Clone, Debug)]
enum Packet {
    Request(String),
    Reply { status: Status, retry_after: Option<u64>, body: Vec<u8> },
    Connect(Start),
    Accept,
    Block(Vec<u8>),
    Broken,
}

/// A stream on the server.
struct Stream {
    tail: Tail,
    /// Packets of a stream arrive in order.
    arrives: Instant,
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
    /// Whether restarts can lose the history.
    forgetful: bool,
    published: HashMap<Cursor, String>,
    snapshots: HashMap<Cursor, String>,
    epochs: u64,
    config: LogConfig,
}

const MAX_PARKED: usize = 3;

impl World {
    fn new(seed: u64, config: LogConfig) -> Self {
        let mut hold = HoldConfig::new();
        (hold.max_parked, hold.max_entries, hold.max_bytes) = (MAX_PARKED, 4, 300);
        hold.overlap =
            [Overlap::NewestWins, Overlap::OldestWins, Overlap::Independent][usize::try_from(seed % 3).unwrap()];
        let mut world = Self {
            prng: Prng(seed),
            now: Instant::from_millis(1000),
            log: Log::new(config, 1),
            hold: Hold::new(hold),
            parked: Vec::new(),
            streams: BTreeMap::new(),
            clients: Vec::new(),
            network: BTreeMap::new(),
            sent: 0,
            faults: true,
            forgetful: true,
            published: HashMap::new(),
            snapshots: HashMap::new(),
            epochs: 1,
            config,
        };
        for n in 0..6 {
            let start = [Start::Oldest, Start::Now, Start::Snapshot][usize::try_from(world.prng.below(3)).unwrap()];
            let transport = world.transport(n, start);
            let (inbox, stale) = (Vec::new(), Vec::new());
            world.clients.push(Client { transport, attempt: 0, inbox, place: None, resets: 0, stale });
        }
        world
    }

    fn transport(&mut self, kind: u64, start: Start) -> Transport {
        let seed = self.prng.next();
        let pull = |mode| Transport::Pull(Box::new(Pull::new(PullConfig::new(mode), start, seed | 1, random(seed))));
        match kind % 4 {
            0 => pull(Mode::Short),
            1 => pull(Mode::Long),
            2 => Transport::Sse(Box::new(Source::new(sse::Config::default(), random(seed))), Reader::new(start)),
            _ => Transport::Ws(Reader::new(start), self.now),
        }
    }

    fn millis(&mut self, below: u64) -> Duration {
        Duration::from_millis(self.prng.below(below))
    }

    /// Puts a packet on its way, or not, or twice.
    fn send(&mut self, client: usize, attempt: u64, packet: &Packet) {
        let copies = match self.faults {
            true if self.prng.percent(12) => 0,
            true if self.prng.percent(12) => 2,
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

    /// What clients do by themselves.
    fn drive(&mut self) {
        for n in 0..self.clients.len() {
            let client = &mut self.clients[n];
            let packet = match &mut client.transport {
                Transport::Pull(pull) => {
                    pull.handle_timeout(self.now);
                    (pull.state() == PullState::Ask).then(|| {
                        pull.asking(self.now);
                        Packet::Request(pull.ask().to_string())
                    })
                }
                Transport::Sse(source, reader) => {
                    source.handle_timeout(self.now);
                    (source.state() == State::Connect).then(|| {
                        source.connecting(self.now);
                        Packet::Connect(reader.start())
                    })
                }
                Transport::Ws(reader, at) => (*at <= self.now).then(|| {
                    *at = self.now.checked_add(Duration::from_secs(20)).unwrap();
                    Packet::Connect(reader.start())
                }),
            };
            if let Some(packet) = packet {
                client.attempt += 1;
                client.inbox.clear();
                let attempt = client.attempt;
                self.send(n, attempt, &packet);
            }
        }
    }

    /// What the server does in one turn.
    fn serve(&mut self) {
        self.log.handle_timeout(self.now);
        for _ in 0..3 {
            let Some(reply) = self.hold.poll(&self.log, self.now) else { break };
            let (client, attempt) = reply.token;
            let packet = Packet::Reply { status: reply.status, retry_after: None, body: reply.body.to_vec() };
            self.send(client, attempt, &packet);
        }
        let streams: Vec<_> = self.streams.keys().copied().collect();
        for (client, attempt) in streams {
            for _ in 0..2 {
                let stream = self.streams.get_mut(&(client, attempt)).unwrap();
                let Some(next) = stream.tail.peek(&self.log) else { break };
                let block = next.block().to_vec();
                stream.tail = next.tail();
                let delay = Duration::from_millis(self.prng.below(200));
                stream.arrives = stream.arrives.max(self.now.checked_add(delay).unwrap());
                let at = stream.arrives;
                // Something on the way loses or repeats a part of the stream, or swaps two.
                match self.prng.below(200) {
                    0 if self.faults => {}
                    1 if self.faults => {
                        (0..2).for_each(|_| self.deliver_at(at, client, attempt, Packet::Block(block.clone())));
                    }
                    2 if self.faults => {
                        let late = at.checked_add(Duration::from_millis(400)).unwrap();
                        self.deliver_at(late, client, attempt, Packet::Block(block));
                    }
                    _ => self.deliver_at(at, client, attempt, Packet::Block(block)),
                }
            }
        }
    }

    /// Everything that arrives up to now.
    fn arrive(&mut self) {
        while let Some(entry) = self.network.first_entry() {
            if entry.key().0 > self.now {
                return;
            }
            let (n, attempt, packet) = entry.remove();
            match packet {
                Packet::Request(query) => self.request(n, attempt, &query),
                Packet::Connect(start) => {
                    self.streams.insert((n, attempt), Stream { tail: Tail::new(start), arrives: self.now });
                    self.deliver_at(self.now, n, attempt, Packet::Accept);
                }
                // Whatever belongs to an older request or connection is not read any more.
                _ if attempt != self.clients[n].attempt => {}
                packet => self.receive(n, packet),
            }
        }
    }

    fn request(&mut self, n: usize, attempt: u64, query: &str) {
        let ask = Ask::parse(query.as_bytes()).expect("clients ask well");
        let mut entropy = random(self.prng.next());
        match self.hold.ask(&ask, (n, attempt), &self.log, self.now, &mut entropy) {
            Answer::Parked(key) => self.parked.push(key),
            Answer::Reply(reply) => {
                let retry_after = reply.retry_after.map(|after| after.as_secs());
                let packet = Packet::Reply { status: reply.status, retry_after, body: reply.body.to_vec() };
                self.send(n, attempt, &packet);
            }
        }
    }

    fn receive(&mut self, n: usize, packet: Packet) {
        let now = self.now;
        let cut = self.faults && self.prng.percent(10);
        let serve_stale = self.faults && self.prng.percent(10);
        let pick = self.prng.next();
        let client = &mut self.clients[n];
        let mut updates = Updates { published: &self.published, snapshots: &self.snapshots };
        match (packet, &mut client.transport) {
            (Packet::Reply { status, retry_after, mut body }, Transport::Pull(pull)) => {
                if serve_stale && !client.stale.is_empty() && status == Status::OK {
                    let pick = usize::try_from(pick).unwrap() % client.stale.len();
                    body.clone_from(&client.stale[pick]);
                }
                if client.stale.len() < 20 {
                    client.stale.push(body.clone());
                }
                let after = retry_after.map(|seconds| seconds.to_string());
                let head = Head { retry_after: after.as_deref().map(str::as_bytes), ..Head::of(status) };
                if pull.answered(&head, now) != PullVerdict::Read {
                    return;
                }
                if cut {
                    body.truncate(usize::try_from(pick).unwrap() % (body.len() + 1));
                }
                let mut rx = Rx::new(&mut body);
                while let Some(update) = pull.poll(now, &mut rx) {
                    updates.check(&update, &mut client.place, &mut client.resets);
                }
                if cut { pull.lost(now) } else { pull.ended(now) }
            }
            (Packet::Accept, Transport::Sse(source, _)) => {
                let head = Head { content_type: Some(b"text/event-stream"), ..Head::of(Status::OK) };
                source.answered(&head, now);
            }
            (Packet::Accept, Transport::Ws(_, at)) => *at = now.checked_add(Duration::from_secs(60)).unwrap(),
            (Packet::Block(block), Transport::Sse(source, reader)) => {
                client.inbox.extend_from_slice(&block);
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
                if gap {
                    source.lost(now);
                    client.attempt += 1;
                }
            }
            (Packet::Block(mut block), Transport::Ws(reader, at)) => {
                let mut decoder = Decoder::new();
                let mut rx = Rx::last(&mut block);
                let update = match decoder.poll(&mut rx) {
                    Some(Event::Message(message)) => reader.event(message, decoder.last_event_id().as_bytes()),
                    _ => {
                        reader.place(decoder.last_event_id().as_bytes());
                        Update::Known
                    }
                };
                updates.check(&update, &mut client.place, &mut client.resets);
                *at = now.checked_add(Duration::from_secs(60)).unwrap();
                if update == Update::Gap {
                    client.attempt += 1;
                    *at = now;
                }
            }
            (Packet::Broken, Transport::Pull(pull)) => pull.lost(now),
            (Packet::Broken, Transport::Sse(source, _)) => source.lost(now),
            (Packet::Broken, Transport::Ws(_, at)) => *at = now.checked_add(Duration::from_secs(1)).unwrap(),
            // A transport that is not this client's any more.
            _ => {}
        }
    }

    fn publish(&mut self) {
        let data =
            format!("update {}\n{}", self.published.len(), "x".repeat(usize::try_from(self.prng.below(60)).unwrap()));
        let cursor = self.log.publish("", &data, self.now).unwrap();
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
                log.publish("", data, self.now).unwrap();
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
                let at = usize::try_from(self.prng.next()).unwrap() % self.streams.len();
                let key = *self.streams.keys().nth(at).unwrap();
                self.streams.remove(&key);
                self.send(key.0, key.1, &Packet::Broken);
            }
            3 | 4 if !self.parked.is_empty() => {
                let at = usize::try_from(self.prng.next()).unwrap() % self.parked.len();
                if let Some((client, attempt)) = self.hold.abort(self.parked.swap_remove(at)) {
                    self.send(client, attempt, &Packet::Broken);
                }
            }
            // A client falls back to another transport, or comes back from one.
            5 => {
                let n = usize::try_from(self.prng.next()).unwrap() % self.clients.len();
                let start = match &self.clients[n].transport {
                    Transport::Pull(pull) => pull.reader().start(),
                    Transport::Sse(_, reader) | Transport::Ws(reader, _) => reader.start(),
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
        // Clients that go away without a word leave their streams to the server's own deadlines.
        let (clients, prng) = (&self.clients, &mut self.prng);
        self.streams.retain(|&(n, attempt), _| clients[n].attempt == attempt || !prng.percent(20));
    }

    /// From here on nothing goes wrong: everybody gets everything.
    fn recover(&mut self) {
        self.faults = false;
        let end = self.now.checked_add(Duration::from_secs(400)).unwrap();
        while self.now < end {
            self.turn();
        }
        for (n, client) in self.clients.iter().enumerate() {
            let start = match &client.transport {
                Transport::Pull(pull) => pull.reader().start(),
                Transport::Sse(_, reader) | Transport::Ws(reader, _) => reader.start(),
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
fn little() -> LogConfig {
    let mut config = LogConfig::new();
    (config.max_count, config.max_bytes, config.max_age) = (20, 1200, Some(Duration::from_secs(60)));
    config
}

#[test]
fn every_client_sees_each_update_once_and_in_order_or_a_reset() {
    let mut resets = 0;
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
    }
    assert!(resets > 100, "the network and the server did their worst: {resets}");
}

/// With history for all, and a server that keeps it over its restarts, nobody is ever reset, whatever the network does.
#[test]
fn without_loss_of_history_there_is_no_reset() {
    let mut config = LogConfig::new();
    (config.max_count, config.max_bytes, config.max_age) = (10_000, 1 << 24, None);
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
