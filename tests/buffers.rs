//! The receive buffers under a server: whichever holds the bytes, and whatever pieces they come in, none is lost and none
//! comes twice.
#![cfg(feature = "alloc")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use hopwire::http::Status;
use hopwire::http1::server::{Event, Server};
use hopwire::http1::{Limit, Violation};
use hopwire::io::{GrowingBuffer, Rx, RxBuffer, Stash, Tx, Wants};
use hopwire::time::Instant;
use proptest::prelude::*;
use support::exchange::{Told, told};

/// One connection: what was told and sent, and what is still to come.
struct Connection<'w> {
    server: Server,
    told: Vec<Told>,
    sent: Vec<u8>,
    violation: Option<Violation>,
    coming: &'w [u8],
}

impl<'w> Connection<'w> {
    fn new(coming: &'w [u8]) -> Self {
        let server = Server::default();
        Self { server, told: Vec::new(), sent: Vec::new(), violation: None, coming }
    }

    /// Reads up to `len` bytes into `space`: how many.
    fn read(&mut self, space: &mut [u8], len: usize) -> usize {
        let len = len.min(space.len()).min(self.coming.len());
        let (now, later) = self.coming.split_at(len);
        space[..len].copy_from_slice(now);
        self.coming = later;
        len
    }

    /// Serves what is there, with room for `room` bytes unless more is asked for; how much was consumed.
    fn turn(&mut self, mut rx: Rx<'_>, mut room: usize) -> usize {
        while self.violation.is_none() {
            let mut out = vec![0; room];
            let mut tx = Tx::new(&mut out);
            let polled = self.server.poll(Instant::ZERO, &mut rx, &mut tx);
            self.sent.extend_from_slice(tx.written());
            match polled {
                Ok(Some(event)) => self.take(event),
                Ok(None) => match self.server.wants() {
                    Wants::Output(needed) => room = needed,
                    _ => break,
                },
                Err(violation) => self.violation = Some(violation),
            }
        }
        rx.consumed()
    }

    fn take(&mut self, event: Event<'_>) {
        match (told(event), self.told.last_mut()) {
            (Told::Body(more), Some(Told::Body(sum))) => sum.extend(more),
            (Told::End, _) => {
                self.told.push(Told::End);
                let mut out = [0; 100];
                let mut tx = Tx::new(&mut out);
                self.server.respond_with(Status::OK, &[], b"ok", &mut tx).unwrap();
                self.sent.extend_from_slice(tx.written());
            }
            (told, _) => self.told.push(told),
        }
    }

    fn outcome(self) -> (Vec<Told>, Vec<u8>, Option<Violation>, usize) {
        (self.told, self.sent, self.violation, if self.violation.is_some() { 0 } else { self.coming.len() })
    }
}

fn whole(wire: &[u8]) -> (Vec<Told>, Vec<u8>, Option<Violation>, usize) {
    let mut connection = Connection::new(&[]);
    connection.turn(Rx::new(&mut wire.to_vec()), 400);
    connection.outcome()
}

fn a_wire() -> impl Strategy<Value = Vec<u8>> {
    let part = prop::sample::select(vec![
        "GET /a HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\n\r\n",
        "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 300\r\n\r\n",
        "PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n5;a=b\r\nhello\r\n0\r\nT: u\r\n\r\n",
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "\r\n",
        "\n",
    ]);
    prop::collection::vec(part, 1..8).prop_map(|parts| {
        let content = |part: &str| if part.starts_with("POST") { "x".repeat(300) } else { String::new() };
        parts.into_iter().map(|part| part.to_owned() + &content(part)).collect::<String>().into_bytes()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_buffer_gives_what_the_whole_gives(
        wire in a_wire(), reads in prop::collection::vec(1_usize..200, 1..8), size in 120_usize..400, room in 0_usize..80,
    ) {
        let whole = whole(&wire);
        let reads = || reads.iter().copied().cycle();

        let mut connection = Connection::new(&wire);
        let mut inbox = RxBuffer::new(vec![0; size]);
        for len in reads().take(10_000).take_while(|_| !wire.is_empty()) {
            let n = connection.read(inbox.space(), len);
            inbox.advance(n);
            let used = connection.turn(inbox.rx(), room);
            inbox.consume(used);
            if n == 0 {
                break;
            }
        }
        prop_assert_eq!(&connection.outcome(), &whole, "fixed");

        let mut connection = Connection::new(&wire);
        let mut inbox = GrowingBuffer::new(size);
        for len in reads().take(10_000) {
            let n = connection.read(inbox.space(), len);
            inbox.advance(n);
            let used = connection.turn(inbox.rx(), room);
            inbox.consume(used);
            inbox.release();
            if n == 0 {
                break;
            }
        }
        prop_assert_eq!(&connection.outcome(), &whole, "growing");

        // Two connections take turns in one buffer.
        let mut connections = [(); 2].map(|()| (Connection::new(&wire), Stash::default()));
        let mut big = vec![0; size];
        for (len, at) in reads().zip([0, 1, 1, 0, 0].into_iter().cycle()).take(10_000) {
            let (connection, stash) = &mut connections[at];
            let mut inbox = stash.load(&mut big).unwrap();
            let n = connection.read(inbox.space(), len);
            inbox.advance(n);
            let used = connection.turn(inbox.rx(), room);
            inbox.consume(used);
            drop(inbox);
            if connections.iter().all(|(connection, _)| connection.coming.is_empty() || connection.violation.is_some()) {
                break;
            }
        }
        for (connection, _) in connections {
            prop_assert_eq!(&connection.outcome(), &whole, "shared");
        }
    }
}

/// A head that does not fit the buffer is answered with 431, one of a line that does not with 414, whichever the buffer is.
#[test]
fn a_full_buffer_is_answered_by_its_limit() {
    let line = [b"GET /".as_slice(), &[b'a'; 200]].concat();
    let head = [b"GET / HTTP/1.1\r\nHost: a\r\nX: ".as_slice(), &[b'a'; 200]].concat();
    for (wire, limit, status) in [(&line, Limit::RequestLine, "414"), (&head, Limit::Head, "431")] {
        let mut fixed = Connection::new(wire);
        let mut inbox = RxBuffer::new([0; 100]);
        let mut growing = Connection::new(wire);
        let mut grown = GrowingBuffer::new(100);
        let mut shared = Connection::new(wire);
        let (mut stash, mut big) = (Stash::default(), [0; 100]);
        for _ in 0..50 {
            let n = fixed.read(inbox.space(), 7);
            inbox.advance(n);
            fixed.turn(inbox.rx(), 400);
            let n = growing.read(grown.space(), 7);
            grown.advance(n);
            growing.turn(grown.rx(), 400);
            let mut loaded = stash.load(&mut big).unwrap();
            let n = shared.read(loaded.space(), 7);
            loaded.advance(n);
            shared.turn(loaded.rx(), 400);
        }
        for connection in [fixed, growing, shared] {
            assert_eq!(connection.violation, Some(Violation::Limit(limit)));
            assert!(connection.sent.starts_with(format!("HTTP/1.1 {status} ").as_bytes()));
        }
    }
}
