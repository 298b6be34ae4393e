//! `http1::Client` and `http1::Server` wired to each other: every framing of requests times every framing of responses, in
//! whatever pieces the link delivers them, and with the link cut at every byte.
#![allow(clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation, reason = "a test fails by panicking")]

use std::collections::VecDeque;

use hopwire::http::{Method, Status};
use hopwire::http1::client::{self, Client, Unusable};
use hopwire::http1::{BodyLength, Misuse, Server, Violation, server};
use hopwire::io::{Rx, SendError, Tx, Wants};
use hopwire::time::Instant;
use proptest::prelude::*;

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Get,
    Head,
    /// With so much content in one piece, behind its head.
    Whole(usize),
    /// With so much content in pieces.
    Length(usize),
    Chunked(usize),
    /// As `Length`, sent when the server says so.
    Expect(usize),
}

/// How it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Whole(usize),
    Length(usize),
    Chunked(usize),
    NoContent,
    NotModified,
    /// Behind two interim responses.
    Hinted,
    /// Before the request's content, which stays unread.
    Early,
    /// The last on this connection.
    Close(usize),
}

const ASKS: &[Ask] = &[
    Ask::Get,
    Ask::Head,
    Ask::Whole(0),
    Ask::Whole(5),
    Ask::Length(9),
    Ask::Chunked(0),
    Ask::Chunked(9),
    Ask::Expect(5),
];
const ANSWERS: &[Answer] = &[
    Answer::Whole(0),
    Answer::Whole(7),
    Answer::Length(9),
    Answer::Chunked(0),
    Answer::Chunked(9),
    Answer::NoContent,
    Answer::NotModified,
    Answer::Hinted,
    Answer::Early,
    Answer::Close(3),
];

/// One direction of the link.
#[derive(Debug)]
struct Pipe {
    /// Sent and not delivered.
    flight: VecDeque<u8>,
    /// Delivered and not consumed.
    inbox: Vec<u8>,
    /// How much more is delivered before the link is cut.
    left: usize,
    sent: usize,
    /// The sender writes no more.
    closed: bool,
}

/// Both ends and what they saw.
#[derive(Debug)]
struct Pair {
    client: Client,
    server: Server,
    to_server: Pipe,
    to_client: Pipe,
    plan: Vec<(Ask, Answer)>,
    /// Requests begun, and how much content of the newest has been sent.
    asked: usize,
    sent: usize,
    /// The newest waits for `Continue`.
    waits: bool,
    /// Requests that the server saw begin, and what it read of the newest.
    seen: usize,
    read: Vec<u8>,
    /// Statuses and contents of the responses that the client has got completely.
    got: Vec<(u16, Vec<u8>)>,
    status: u16,
    content: Vec<u8>,
    trailer: bool,
    violation: Option<Violation>,
    /// How many bytes a piece of content has at most.
    piece: usize,
}

impl Pipe {
    fn new(left: usize) -> Self {
        Self { flight: VecDeque::new(), inbox: Vec::new(), left, sent: 0, closed: false }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.sent += bytes.len();
        self.flight.extend(bytes);
    }

    /// Delivers at most `n` bytes; whether any were there.
    fn deliver(&mut self, n: usize) -> bool {
        let n = n.min(self.flight.len()).min(self.left);
        self.inbox.extend(self.flight.drain(..n));
        self.left -= n;
        n > 0
    }

    /// What the receiver holds, and whether that is all there will be.
    fn rx(&mut self) -> Rx<'_> {
        let is_last = self.left == 0 || (self.closed && self.flight.is_empty());
        if is_last { Rx::last(&mut self.inbox) } else { Rx::new(&mut self.inbox) }
    }
}

fn pattern(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|at| b'a' + ((at + seed) % 26) as u8).collect()
}

impl Pair {
    fn new(plan: &[(Ask, Answer)], piece: usize, to_server: usize, to_client: usize) -> Self {
        Self {
            client: Client::default(),
            server: Server::default(),
            to_server: Pipe::new(to_server),
            to_client: Pipe::new(to_client),
            plan: plan.to_vec(),
            asked: 0,
            sent: 0,
            waits: false,
            seen: 0,
            read: Vec::new(),
            got: Vec::new(),
            status: 0,
            content: Vec::new(),
            trailer: false,
            violation: None,
            piece,
        }
    }

    /// Runs until nothing moves, `sizes` saying how much is delivered each time.
    fn run(&mut self, mut sizes: impl FnMut() -> usize) {
        loop {
            let before = (self.to_server.sent, self.to_client.sent, self.got.len());
            self.client_turn();
            self.server_turn();
            let moved = self.to_server.deliver(sizes()) | self.to_client.deliver(sizes());
            if !moved && before == (self.to_server.sent, self.to_client.sent, self.got.len()) {
                return;
            }
        }
    }

    fn client_turn(&mut self) {
        while self.violation.is_none() && self.client_event() {}
        while !self.to_server.closed && self.client_sends() {}
        if self.client.wants() == Wants::Close {
            self.to_server.closed = true;
        }
    }

    fn client_event(&mut self) -> bool {
        let mut rx = self.to_client.rx();
        match self.client.poll(Instant::ZERO, &mut rx) {
            Ok(None) => {
                let used = rx.consumed();
                self.to_client.inbox.drain(..used);
                return false;
            }
            Ok(Some(client::Event::Continue)) => self.waits = false,
            Ok(Some(client::Event::Interim(response))) => assert!(matches!(response.code(), 102 | 103)),
            Ok(Some(client::Event::Response(response))) => {
                self.status = response.code();
                // An answer to the request before says nothing of this one.
                self.waits &= self.client.outstanding() > 1;
                assert_eq!(response.fields.first("x-a"), (self.status != 400).then_some(&b"b"[..]));
            }
            Ok(Some(client::Event::Body(data))) => self.content.extend_from_slice(data),
            Ok(Some(client::Event::Trailers(fields))) => {
                assert_eq!(fields.first("x-sum"), Some(&b"1"[..]));
                self.trailer = true;
            }
            Ok(Some(client::Event::End)) => self.got.push((self.status, std::mem::take(&mut self.content))),
            Ok(Some(other)) => panic!("{other:?}"),
            Err(violation) => self.violation = Some(violation),
        }
        let used = rx.consumed();
        self.to_client.inbox.drain(..used);
        true
    }

    /// Sends something; whether there was something to send.
    fn client_sends(&mut self) -> bool {
        let mut space = vec![0; 4096];
        let mut tx = Tx::new(&mut space);
        if self.client.owes_content() && !self.waits {
            let (ask, _) = self.plan[self.asked - 1];
            let (Ask::Length(len) | Ask::Chunked(len) | Ask::Expect(len)) = ask else { panic!("{ask:?} is whole") };
            let content = pattern(len, self.asked);
            let rest = &content[self.sent..];
            if rest.is_empty() {
                let trailers: &[(&str, &[u8])] = if matches!(ask, Ask::Chunked(_)) { &[("x-sum", b"1")] } else { &[] };
                self.client.end(trailers, &mut tx).unwrap();
            } else {
                self.sent += self.client.body(&rest[..rest.len().min(self.piece)], &mut tx).unwrap();
            }
            self.to_server.send(tx.written());
            return true;
        }
        let Some(&(ask, _)) = self.plan.get(self.asked) else { return false };
        let (host, expect) = (("host", &b"a"[..]), ("expect", &b"100-continue"[..]));
        let (method, fields, length) = match ask {
            Ask::Get => (Method::Get, vec![host], BodyLength::None),
            Ask::Head => (Method::Head, vec![host], BodyLength::None),
            Ask::Whole(len) | Ask::Length(len) => (Method::Put, vec![host], BodyLength::Length(len as u64)),
            Ask::Chunked(_) => (Method::Post, vec![host], BodyLength::Chunked),
            Ask::Expect(len) => (Method::Put, vec![host, expect], BodyLength::Length(len as u64)),
        };
        let target = format!("/{}", self.asked).into_bytes();
        let taken = match ask {
            Ask::Whole(len) => {
                self.client.request_with(method, &target, &fields, &pattern(len, self.asked + 1), &mut tx)
            }
            _ => self.client.request(method, &target, &fields, length, &mut tx),
        };
        match taken {
            Ok(()) => {
                (self.sent, self.waits) = (0, matches!(ask, Ask::Expect(_)));
                self.asked += 1;
                self.to_server.send(tx.written());
                true
            }
            Err(SendError::Misuse(Misuse::Pipeline | Misuse::RequestIncomplete | Misuse::Closed)) => false,
            Err(error) => panic!("{error}"),
        }
    }

    fn server_turn(&mut self) {
        loop {
            let mut space = vec![0; 4096];
            let mut tx = Tx::new(&mut space);
            let mut rx = self.to_server.rx();
            let polled = self.server.poll(Instant::ZERO, &mut rx, &mut tx);
            let event = match polled {
                Ok(Some(server::Event::Request(request))) => {
                    assert_eq!(request.target.as_bytes(), format!("/{}", self.seen).as_bytes());
                    self.seen += 1;
                    self.read.clear();
                    Some(false)
                }
                Ok(Some(server::Event::Body(data))) => {
                    self.read.extend_from_slice(data);
                    None
                }
                Ok(Some(server::Event::Trailers(fields))) => {
                    assert_eq!(fields.first("x-sum"), Some(&b"1"[..]));
                    None
                }
                Ok(Some(server::Event::End)) => Some(true),
                Ok(Some(other)) => panic!("{other:?}"),
                Ok(None) | Err(_) => {
                    let used = rx.consumed();
                    self.to_server.inbox.drain(..used);
                    self.to_client.send(tx.written());
                    self.to_client.closed |= self.server.wants() == Wants::Close;
                    return;
                }
            };
            let used = rx.consumed();
            self.to_server.inbox.drain(..used);
            if let Some(is_end) = event {
                self.server_answers(is_end, &mut tx);
            }
            self.to_client.send(tx.written());
        }
    }

    fn server_answers(&mut self, is_end: bool, tx: &mut Tx<'_>) {
        let (ask, answer) = self.plan[self.seen - 1];
        if is_end {
            let (Ask::Whole(len) | Ask::Length(len) | Ask::Chunked(len) | Ask::Expect(len)) = ask else {
                assert_eq!(self.read, b"");
                if answer != Answer::Early {
                    self.server_writes(answer, tx);
                }
                return;
            };
            assert_eq!(self.read, pattern(len, self.seen));
        }
        if is_end != (answer == Answer::Early) {
            self.server_writes(answer, tx);
        }
    }

    fn server_writes(&mut self, answer: Answer, tx: &mut Tx<'_>) {
        let fields: &[(&str, &[u8])] = &[("x-a", b"b")];
        let closing: &[(&str, &[u8])] = &[("x-a", b"b"), ("connection", b"close")];
        let server = &mut self.server;
        if answer == Answer::Hinted {
            server.inform(Status::PROCESSING, &[], tx).unwrap();
            server.inform(Status::EARLY_HINTS, fields, tx).unwrap();
        }
        let (_, content) = response(answer, self.seen);
        let (status, length, fields) = match answer {
            Answer::Whole(_) | Answer::Hinted | Answer::Early => {
                return server.respond_with(Status::OK, fields, &content, tx).unwrap();
            }
            Answer::NoContent => return server.respond(Status::NO_CONTENT, fields, BodyLength::None, tx).unwrap(),
            Answer::Length(len) => (Status::OK, BodyLength::Length(len as u64), fields),
            Answer::Close(len) => (Status::OK, BodyLength::Length(len as u64), closing),
            Answer::Chunked(_) => (Status::OK, BodyLength::Chunked, fields),
            Answer::NotModified => (Status::NOT_MODIFIED, BodyLength::Length(content.len() as u64), fields),
        };
        server.respond(status, fields, length, tx).unwrap();
        for piece in content.chunks(self.piece) {
            assert_eq!(server.body(piece, tx), Ok(piece.len()));
        }
        let trailers: &[(&str, &[u8])] = if length == BodyLength::Chunked { &[("x-sum", b"1")] } else { &[] };
        server.end(trailers, tx).unwrap();
    }

    /// What the client must have got of the first `n` answers.
    fn wanted(&self, n: usize) -> Vec<(u16, Vec<u8>)> {
        let answers = self.plan.iter().enumerate().take(n);
        answers
            .map(|(at, &(ask, answer))| {
                let (status, content) = response(answer, at + 1);
                (status, if ask == Ask::Head || status == 304 { Vec::new() } else { content })
            })
            .collect()
    }
}

/// Status and content of an answer to the nth request.
fn response(answer: Answer, nth: usize) -> (u16, Vec<u8>) {
    match answer {
        Answer::Whole(len) | Answer::Length(len) | Answer::Chunked(len) | Answer::Close(len) => {
            (200, pattern(len, nth))
        }
        Answer::NoContent => (204, Vec::new()),
        Answer::NotModified => (304, pattern(6, nth)),
        Answer::Hinted | Answer::Early => (200, pattern(4, nth)),
    }
}

/// An exchange, and one behind it that tells whether the connection is still in step.
fn plans() -> impl Iterator<Item = [(Ask, Answer); 2]> {
    let all = ASKS.iter().flat_map(|&ask| ANSWERS.iter().map(move |&answer| (ask, answer)));
    all.map(|first| [first, (Ask::Get, Answer::Whole(2))])
}

/// Whether the first exchange is the last one.
fn closes((ask, answer): (Ask, Answer)) -> bool {
    // Whether the content held back for a 100 will come, nobody can know.
    matches!(answer, Answer::Close(_)) || matches!((ask, answer), (Ask::Expect(_), Answer::Early))
}

#[test]
fn every_framing_in_every_two_pieces() {
    for plan in plans() {
        let mut whole = Pair::new(&plan, 4, usize::MAX, usize::MAX);
        whole.run(|| usize::MAX);
        let n = if closes(plan[0]) { 1 } else { 2 };
        assert_eq!(whole.got, whole.wanted(n), "{plan:?}");
        assert_eq!(whole.violation, None, "{plan:?}");
        assert_eq!(whole.client.unusable(), closes(plan[0]).then_some(Unusable::ServerCloses), "{plan:?}");
        let most = whole.to_server.sent.max(whole.to_client.sent);
        let lens = [1, 2, 3, 5].into_iter().map(Some).chain([None]);
        for (cut, rest) in (0..=most).map(|cut| (cut, usize::MAX)).chain(lens.map(|n| (n.unwrap_or(7), n.unwrap_or(1))))
        {
            let mut pair = Pair::new(&plan, 4, usize::MAX, usize::MAX);
            let (mut left, mut first) = (cut, true);
            // Both directions: `cut` bytes, however many turns they take, and then the rest.
            pair.run(|| {
                if left > 0 && first {
                    left -= 1;
                    return 1;
                }
                first = false;
                rest
            });
            assert_eq!((&pair.got, pair.violation), (&whole.got, None), "{plan:?} cut at {cut}");
            assert_eq!(pair.client.unusable(), whole.client.unusable(), "{plan:?} cut at {cut}");
            assert_eq!(pair.trailer, whole.trailer);
        }
    }
}

#[test]
fn a_link_cut_at_any_byte_cuts_off_a_response_and_never_makes_one() {
    for plan in plans() {
        let mut whole = Pair::new(&plan, 4, usize::MAX, usize::MAX);
        whole.run(|| usize::MAX);
        let mut before = 0;
        for cut in 0..=whole.to_client.sent {
            let mut pair = Pair::new(&plan, 4, usize::MAX, cut);
            pair.run(|| usize::MAX);
            let n = pair.got.len();
            assert_eq!(pair.got, pair.wanted(n), "{plan:?} to the client cut at {cut}");
            assert!(n >= before && pair.client.unusable().is_some(), "{plan:?} to the client cut at {cut}");
            assert_eq!(pair.client.outstanding(), pair.asked - n, "{plan:?} to the client cut at {cut}");
            if pair.violation.is_some() {
                assert_eq!(pair.violation, Some(Violation::Eof));
                assert!(pair.asked > n);
            }
            before = n;
        }
        assert_eq!(before, whole.got.len());
        for cut in 0..=whole.to_server.sent {
            let mut pair = Pair::new(&plan, 4, cut, usize::MAX);
            pair.run(|| usize::MAX);
            // A request that is cut off may be answered with 400, and is never answered as if it were whole.
            let refused = pair.got.last().is_some_and(|(status, _)| *status == 400);
            let n = pair.got.len() - usize::from(refused);
            assert_eq!(pair.got[..n], pair.wanted(n), "{plan:?} to the server cut at {cut}");
            assert!(n <= pair.seen && pair.client.unusable().is_some(), "{plan:?} to the server cut at {cut}");
        }
    }
}

/// 101 and a tunnel: what stands behind the last of HTTP is left to the other protocol, to the byte, on both sides.
#[test]
fn a_change_of_protocol_in_every_two_pieces() {
    for method in [Method::Get, Method::Connect] {
        let target: &[u8] = if method == Method::Connect { b"a:1" } else { b"/" };
        let offer: &[(&str, &[u8])] = &[("host", b"a:1"), ("upgrade", b"chat")];
        let fields = if method == Method::Connect { &offer[..1] } else { offer };
        let asked = |tx: &mut Tx<'_>| {
            let mut client = Client::default();
            client.request(method, target, fields, BodyLength::None, tx).unwrap();
            client
        };
        let (mut space, mut answer) = ([0; 200], Vec::new());
        let mut tx = Tx::new(&mut space);
        asked(&mut tx);
        let sent = [tx.written(), b"GET / early"].concat();
        for cut in 0..=sent.len() {
            let mut server = Server::default();
            answer.clear();
            let rest = in_two(&sent, cut, |rx| {
                let mut space = [0; 200];
                let mut tx = Tx::new(&mut space);
                while let Some(event) = server.poll(Instant::ZERO, rx, &mut tx).unwrap() {
                    match event {
                        server::Event::Request(_) if method == Method::Connect => {
                            server.respond(Status::OK, &[], BodyLength::None, &mut tx).unwrap();
                        }
                        server::Event::Request(_) => server.switch_protocols(&[("upgrade", b"chat")], &mut tx).unwrap(),
                        other => panic!("{other:?}"),
                    }
                }
                answer.extend_from_slice(tx.written());
            });
            assert!(server.has_switched() && rest == b"GET / early", "{method:?} cut at {cut}");
        }
        answer.extend_from_slice(b"HTTP/1.1 200 late");
        for cut in 0..=answer.len() {
            let mut client = asked(&mut Tx::new(&mut [0; 200]));
            let rest = in_two(&answer, cut, |rx| {
                while let Some(event) = client.poll(Instant::ZERO, rx).unwrap() {
                    assert!(matches!(event, client::Event::Switched(_)));
                }
            });
            assert!(client.has_switched() && rest == b"HTTP/1.1 200 late", "{method:?} cut at {cut}");
            assert_eq!(client.unusable(), Some(Unusable::Switched));
        }
    }
}

/// Both parts of `bytes`, one after the other; what is not consumed.
fn in_two(bytes: &[u8], cut: usize, mut turn: impl FnMut(&mut Rx<'_>)) -> Vec<u8> {
    let mut held = Vec::new();
    for part in [&bytes[..cut], &bytes[cut..]] {
        held.extend_from_slice(part);
        let mut rx = Rx::new(&mut held);
        turn(&mut rx);
        let used = rx.consumed();
        held.drain(..used);
    }
    held
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 1000 }))]

    #[test]
    fn any_exchanges_over_any_link(
        plan in prop::collection::vec((prop::sample::select(ASKS), prop::sample::select(ANSWERS)), 1..12),
        sizes in prop::collection::vec(0..60_usize, 1..20), piece in 1..10_usize,
    ) {
        let mut pair = Pair::new(&plan, piece, usize::MAX, usize::MAX);
        let mut sizes = sizes.iter().map(|size| size + 1).cycle();
        pair.run(|| sizes.next().unwrap());
        let n = plan.iter().position(|&exchange| closes(exchange)).map_or(plan.len(), |at| at + 1);
        prop_assert_eq!(&pair.got, &pair.wanted(n));
        prop_assert_eq!(pair.violation, None);
        prop_assert_eq!(pair.client.unusable().is_some(), n < plan.len() || closes(plan[n - 1]));
    }
}
