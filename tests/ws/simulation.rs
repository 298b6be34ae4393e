//! A client and a server through a link that splits, delays and sometimes dies, under virtual time.
//!
//! Everything follows from a seed: what is said, in which pieces it travels and how long, who closes and when, what was
//! negotiated. `cargo test` runs a few hundred; `HOPWIRE_RUNS=100000 cargo test --release --test ws -- --ignored simulation`
//! sends millions of messages.

use std::collections::VecDeque;
use std::time::Duration;

use hopwire::io::{Rx, Tx, Wants};
use hopwire::time::Instant;
use hopwire::ws::handshake::deflate::Params;
use hopwire::ws::{Client, CloseCode, Config, Message, Prepared, Role, Server, Session, Shared, Violation};

use crate::driver::{KEY, Keys};
use crate::support::prng::Prng;

#[test]
fn what_is_said_is_heard_and_every_end_comes() {
    let messages: usize = (0..300).map(run).sum();
    assert!(messages > 3000, "{messages}");
}

#[test]
#[ignore = "long: HOPWIRE_RUNS seeds, 100,000 if it is not set"]
fn simulation_of_many() {
    let runs = std::env::var("HOPWIRE_RUNS").map_or(100_000, |runs| runs.parse().unwrap());
    let messages: usize = (0..runs).map(run).sum();
    crate::support::say(&format!("{messages} messages"));
}

/// One connection from its first byte to its end. How many messages were heard.
fn run(seed: u64) -> usize {
    let mut world = World::new(seed);
    world.live();
    let World { server, client, .. } = &world;
    let heard = [(&client.said, &server.heard), (&server.said, &client.heard)];
    for (said, heard) in heard {
        assert!(said.starts_with(heard), "seed {seed}: something else was heard");
        assert!(heard.len() == said.len() || world.died, "seed {seed}: not all was heard");
    }
    let violations = [server.violation, client.violation];
    if !world.died {
        assert_eq!(violations, [None, None], "seed {seed}");
    }
    server.heard.len() + client.heard.len()
}

struct World {
    rng: Prng,
    now: Instant,
    server: End<Server>,
    client: End<Client<Keys>>,
    to_server: Link,
    to_client: Link,
    /// Whether a process or the network died.
    died: bool,
    /// What is still to be said.
    left: u32,
}

/// One end, as a program keeps it.
struct End<R> {
    session: Session<R>,
    shared: Shared,
    inbox: Vec<u8>,
    input_ended: bool,
    /// No more is written.
    shut: bool,
    /// The socket is closed.
    gone: bool,
    said: Vec<Vec<u8>>,
    heard: Vec<Vec<u8>>,
    violation: Option<Violation>,
}

/// Bytes on their way in one direction, each piece with the time when it arrives. An empty one is the end.
#[derive(Default)]
struct Link {
    pieces: VecDeque<(Instant, Vec<u8>)>,
    last: Instant,
    cut: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Prng::new(seed);
        let params = rng.one_in(4).then(Params::default).or_else(|| {
            (!rng.one_in(3)).then(|| Params {
                server_no_context_takeover: rng.one_in(2),
                client_no_context_takeover: rng.one_in(2),
                server_max_window_bits: rng.one_in(2).then(|| 8 + rng.below(8) as u8),
                client_max_window_bits: rng.one_in(2).then(|| 8 + rng.below(8) as u8),
            })
        });
        let mut config = || {
            let mut config = Config::new();
            if rng.one_in(3) {
                config.max_frame_sent = 1 + rng.below(60);
            }
            config.ping_interval = (!rng.one_in(3)).then(|| Duration::from_millis(500 + rng.next() % 5000));
            config.pong_timeout = Some(Duration::from_secs(10));
            config.idle_timeout = rng.one_in(3).then_some(Duration::from_secs(90));
            config
        };
        let (of_server, of_client) = (config(), config());
        Self {
            server: End::new(Session::server(of_server, params)),
            client: End::new(Session::client(|key| key.copy_from_slice(&KEY), of_client, params)),
            to_server: Link::default(),
            to_client: Link::default(),
            now: Instant::from_millis(1),
            died: false,
            left: 10 + rng.below(30) as u32,
            rng,
        }
    }

    /// Until both have closed their sockets.
    fn live(&mut self) {
        let mut next_word = self.now;
        for turn in 0.. {
            assert!(turn < 100_000, "it never ends");
            self.server.turn(self.now, &mut self.to_server, &mut self.to_client, &mut self.rng);
            self.client.turn(self.now, &mut self.to_client, &mut self.to_server, &mut self.rng);
            if self.server.gone && self.client.gone {
                return;
            }
            if next_word <= self.now {
                self.act();
                next_word = later(self.now, self.rng.next() % 3000);
                continue;
            }
            let links = [&self.to_server, &self.to_client].map(|link| link.pieces.front().map(|(at, _)| *at));
            let ends = [self.server.next(), self.client.next()];
            let next = links.into_iter().chain(ends).flatten().chain([next_word]).min().unwrap();
            self.now = self.now.max(next);
        }
    }

    /// Somebody says something; at the end somebody closes, or both, or the network dies, or a program.
    fn act(&mut self) {
        let rng = &mut self.rng;
        if self.left > 0 {
            self.left -= 1;
            match rng.one_in(2) {
                true => self.server.say(self.now, &mut self.to_client, rng),
                false => self.client.say(self.now, &mut self.to_server, rng),
            }
            return;
        }
        match rng.below(8) {
            0 | 1 => self.server.close(self.now, &mut self.to_client, rng),
            2 | 3 => self.client.close(self.now, &mut self.to_server, rng),
            4 => {
                self.server.close(self.now, &mut self.to_client, rng);
                self.client.close(self.now, &mut self.to_server, rng);
            }
            5 => {
                (self.died, self.to_server.cut) = (true, true);
                self.to_client.cut |= rng.one_in(2);
            }
            6 if !self.client.gone => {
                (self.died, self.client.gone) = (true, true);
                self.to_server.end(self.now);
            }
            _ => self.left = rng.below(5) as u32,
        }
    }
}

impl<R: Role> End<R> {
    fn new(session: Session<R>) -> Self {
        Self {
            session,
            shared: Shared::default(),
            inbox: vec![],
            input_ended: false,
            shut: false,
            gone: false,
            said: vec![],
            heard: vec![],
            violation: None,
        }
    }

    fn next(&self) -> Option<Instant> {
        if self.gone { None } else { self.session.poll_timeout() }
    }

    /// What a program does when it wakes: read, poll, deadlines, write, and the steps of the end.
    fn turn(&mut self, now: Instant, from: &mut Link, to: &mut Link, rng: &mut Prng) {
        self.input_ended |= from.receive(now, &mut self.inbox);
        if self.gone {
            return;
        }
        let mut room = rng.below(200);
        loop {
            let mut out = vec![0; room];
            let mut tx = Tx::new(&mut out);
            let done = self.poll(now, &mut tx);
            if let Err(full) = self.session.handle_timeout(now, &mut tx) {
                room = room.max(full.needed) + tx.len();
                to.send(now, tx.written(), rng);
                continue;
            }
            to.send(now, tx.written(), rng);
            match self.session.wants() {
                Wants::Output(needed) if !done => room = room.max(needed),
                _ => break,
            }
        }
        if self.session.wants() == Wants::Close && !self.shut {
            self.shut = true;
            to.end(now);
        }
        self.gone = self.session.connection().is_over();
        if self.gone && !self.shut {
            to.end(now);
        }
    }

    /// Whether that is the end.
    fn poll(&mut self, now: Instant, tx: &mut Tx<'_>) -> bool {
        let mut rx = if self.input_ended { Rx::last(&mut self.inbox) } else { Rx::new(&mut self.inbox) };
        let done = loop {
            match self.session.poll(now, &mut self.shared, &mut rx, tx) {
                Ok(Some((message, _))) => self.heard.push(match message {
                    Message::Text(text) => text.as_bytes().to_vec(),
                    Message::Binary(data) => data.to_vec(),
                }),
                Ok(None) => break false,
                Err(violation) => {
                    assert!(self.violation.is_none_or(|told| told == violation), "failure is a state");
                    self.violation = Some(violation);
                    break true;
                }
            }
        };
        let used = rx.consumed();
        self.inbox.drain(..used);
        done
    }

    fn say(&mut self, now: Instant, to: &mut Link, rng: &mut Prng) {
        let mut outbox = self.session.outbox(&mut self.shared);
        if self.gone || outbox.is_closing() {
            return;
        }
        let mut out = vec![];
        let mut tx = Tx::growing(&mut out, 1 << 20);
        let len = [rng.below(20), rng.below(300), rng.below(5000)][rng.below(3)];
        let words = ["again ", "and ", "über ", "€", "😀", "{\"key\":", "0123456789"];
        let mut text = String::new();
        while text.len() < len {
            text += words[rng.below(words.len())];
        }
        match rng.below(4) {
            0 => outbox.send_binary(text.as_bytes(), &mut tx).unwrap(),
            1 => {
                let prepared = Prepared::text(text.as_str()).compressed(&mut Shared::default());
                outbox.send_prepared(&prepared, &mut tx).unwrap();
            }
            _ => outbox.send_text(text.as_str(), &mut tx).unwrap(),
        }
        if rng.one_in(5) {
            self.session.outbox(&mut self.shared).send_ping(b"?", &mut tx).unwrap();
        }
        self.said.push(text.into_bytes());
        to.send(now, &out, rng);
    }

    fn close(&mut self, now: Instant, to: &mut Link, rng: &mut Prng) {
        let mut out = [0; 64];
        let mut tx = Tx::new(&mut out);
        if !self.gone {
            self.session.outbox(&mut self.shared).close(now, CloseCode::NORMAL, "bye", &mut tx).unwrap();
            to.send(now, tx.written(), rng);
        }
    }
}

impl Link {
    /// Splits `bytes` and sends the pieces on their way.
    fn send(&mut self, now: Instant, bytes: &[u8], rng: &mut Prng) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(rest.len().min([1 + rng.below(8), 1 + rng.below(2000)][rng.below(2)]));
            // Nothing overtakes, and nothing takes longer than 2 seconds.
            self.last = self.last.max(later(now, [0, rng.next() % 2000][rng.below(2)]));
            self.push(piece);
            rest = behind;
        }
    }

    /// Nothing more is sent.
    fn end(&mut self, now: Instant) {
        self.last = self.last.max(now);
        self.push(&[]);
    }

    fn push(&mut self, piece: &[u8]) {
        if !self.cut {
            self.pieces.push_back((self.last, piece.to_vec()));
        }
    }

    /// What has arrived; whether the end has.
    fn receive(&mut self, now: Instant, inbox: &mut Vec<u8>) -> bool {
        let mut ended = false;
        while self.pieces.front().is_some_and(|(at, _)| *at <= now) {
            let (_, piece) = self.pieces.pop_front().expect("it was just seen");
            ended |= piece.is_empty();
            inbox.extend(piece);
        }
        ended
    }
}

fn later(now: Instant, millis: u64) -> Instant {
    now.checked_add(Duration::from_millis(millis)).unwrap()
}
