//! Whole connections through an intermediary, both ways: what leaves is read by a twin of the recipient's kind, which must see
//! what was understood and sent on, and never a byte more.

use hopwire::http::forward::{self, Asked, Content, Intermediary, Stop, Trailers};
use hopwire::http::{Fields, HttpDate, Method, Status};
use hopwire::http1::server::{Event, Server};
use hopwire::http1::{self, BodyLength, HeadLimits, Violation, client, server};
use hopwire::io::{Rx, Tx};
use hopwire::time::Instant;

use super::{Prng, feeds};

/// A message, as one side of a connection sees it.
#[derive(Debug, Default, PartialEq)]
struct Message {
    /// Method and target, or the code.
    start: Vec<u8>,
    content: Vec<u8>,
    trailers: Vec<(String, Vec<u8>)>,
    is_whole: bool,
}

pub fn run(data: &[u8]) {
    let whole = requests(&[data]);
    for pieces in feeds(data) {
        assert_eq!(requests(&pieces), whole, "{}", data.escape_ascii());
    }
    for request in REQUESTS {
        let eof = Prng::of(data).below(2) == 0;
        let whole = answers(request, &[data], eof);
        for pieces in feeds(data) {
            assert_eq!(answers(request, &pieces, eof), whole, "{request:?} {}", data.escape_ascii());
        }
    }
}

/// What the answers are to.
const REQUESTS: [&str; 5] = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
    "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: te\r\nTE: trailers\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
];

fn edge() -> Intermediary<'static> {
    Intermediary { trailers: true, authority: Some("a"), ..Intermediary::new("edge").unwrap() }
}

/// These bytes come from a client. Gives the requests that were sent on.
fn requests(pieces: &[&[u8]]) -> Vec<Message> {
    let (proxy, who) = (edge(), forward::Node::new(None, false));
    let mut server = Server::default();
    let (mut held, mut sent) = (Vec::new(), Vec::<(Message, Vec<u8>)>::new());
    // The request under way, if it goes on: whether its end is written yet.
    let mut under_way: Option<(http1::Client, Trailers, bool)> = None;
    for (nth, piece) in pieces.iter().chain([&&b""[..]]).enumerate() {
        held.extend_from_slice(piece);
        let mut out = vec![0; ANSWERS * (1 + held.len() / 20)];
        let mut rx = if nth == pieces.len() { Rx::last(&mut held) } else { Rx::new(&mut held) };
        let mut tx = Tx::new(&mut out);
        while let Ok(Some(event)) = server.poll(Instant::ZERO, &mut rx, &mut tx) {
            match (event, &mut under_way) {
                (Event::Request(head), _) => match proxy.request(&(&head).into(), &who) {
                    Ok(request) => {
                        let mut up = http1::Client::default();
                        let mut wire = Vec::new();
                        put(&mut wire, HEAD, |tx| up.forward(&request, tx).unwrap());
                        let start = [request.method().as_bytes(), b" ", request.target()[0], request.target()[1]];
                        sent.push((Message { start: start.concat(), ..Message::default() }, wire));
                        under_way = Some((up, request.trailers(), request.content() == Content::None));
                    }
                    Err(stop) => {
                        under_way = None;
                        respond(&mut server, stop.status(), &mut tx);
                    }
                },
                (Event::Body(data), Some((up, ..))) => {
                    let (message, wire) = sent.last_mut().unwrap();
                    message.content.extend_from_slice(data);
                    assert_eq!(put(wire, data.len(), |tx| up.body(data, tx)), Ok(data.len()));
                }
                (Event::Trailers(fields), Some((up, trailers, is_ended))) => {
                    let (message, wire) = sent.last_mut().unwrap();
                    message.trailers = list(trailers, fields);
                    end(&message.trailers, |fields| put(wire, HEAD, |tx| up.end(fields, tx).unwrap()));
                    *is_ended = true;
                }
                (Event::End, Some((up, _, is_ended))) => {
                    let (message, wire) = sent.last_mut().unwrap();
                    if !*is_ended {
                        put(wire, 0, |tx| up.end(&[], tx).unwrap());
                    }
                    message.is_whole = true;
                    respond(&mut server, Status::OK, &mut tx);
                }
                _ => {}
            }
        }
        let used = rx.consumed();
        held.drain(..used);
    }
    for (message, wire) in &sent {
        let (read, violation) = read_requests(wire);
        let shown = wire.escape_ascii();
        match message.is_whole {
            true => assert_eq!((&read[..], violation), (std::slice::from_ref(message), None), "{shown}"),
            false => assert!(!read.iter().any(|read| read.is_whole) && violation == Some(Violation::Eof), "{shown}"),
        }
    }
    sent.into_iter().map(|(message, _)| message).collect()
}

fn respond(server: &mut Server, status: Status, tx: &mut Tx<'_>) {
    server.respond_with(status, &[], b"", tx).unwrap();
}

/// What a service understands.
fn read_requests(wire: &[u8]) -> (Vec<Message>, Option<Violation>) {
    // Heads grow on their way.
    let head = HeadLimits { line: 1 << 20, bytes: 1 << 20, fields: 1000, ..HeadLimits::new() };
    let mut server = Server::new(server::Config { head, ..server::Config::new() });
    let (mut held, mut out, mut read) = (wire.to_vec(), vec![0; 1 << 12], Vec::<Message>::new());
    let (mut rx, mut tx) = (Rx::last(&mut held), Tx::new(&mut out));
    loop {
        match server.poll(Instant::ZERO, &mut rx, &mut tx) {
            Ok(Some(Event::Request(head))) => {
                let start = [head.method.as_bytes(), b" ", head.target.as_bytes()].concat();
                read.push(Message { start, ..Message::default() });
            }
            Ok(Some(Event::Body(data))) => read.last_mut().unwrap().content.extend_from_slice(data),
            Ok(Some(Event::Trailers(fields))) => read.last_mut().unwrap().trailers = all(fields),
            Ok(Some(Event::End)) => {
                read.last_mut().unwrap().is_whole = true;
                respond(&mut server, Status::OK, &mut tx);
            }
            Ok(Some(_)) => {}
            Ok(None) => return (read, None),
            Err(violation) => return (read, Some(violation)),
        }
    }
}

/// These bytes come from a service that was asked for this. Gives the responses that were sent on, the last of them final.
fn answers(request: &str, pieces: &[&[u8]], eof: bool) -> Vec<Message> {
    let (proxy, who) = (edge(), forward::Node::new(None, false));
    let (mut server, mut up) = (Server::default(), http1::Client::default());
    let mut space = vec![0; HEAD + 2 * pieces.iter().map(|piece| piece.len() + 20).sum::<usize>()];
    let mut tx = Tx::new(&mut space);
    let mut came = request.as_bytes().to_vec();
    let Ok(Some(Event::Request(head))) = server.poll(Instant::ZERO, &mut Rx::new(&mut came), &mut tx) else { panic!() };
    let method = head.method;
    let forwarded = proxy.request(&(&head).into(), &who).unwrap();
    put(&mut Vec::new(), 0, |tx| up.forward(&forwarded, tx).unwrap());
    let mut relay = Relay { proxy, asked: forwarded.asked(), server, up, sent: Vec::new(), trailers: None };
    let (mut held, mut stop) = (Vec::new(), None);
    for (nth, piece) in pieces.iter().chain([&&b""[..]]).enumerate() {
        held.extend_from_slice(piece);
        let is_last = eof && nth == pieces.len();
        let mut rx = if is_last { Rx::last(&mut held) } else { Rx::new(&mut held) };
        stop = stop.or_else(|| relay.turn(&mut rx, &mut tx).err());
        let used = rx.consumed();
        held.drain(..used);
    }
    let is_answered = relay.sent.last().is_some_and(|message| !message.start.starts_with(b"1"));
    if let (Some(stop), false) = (stop, is_answered) {
        respond(&mut relay.server, stop.status(), &mut tx);
        relay.sent.push(Message { start: code(stop.status()), is_whole: true, ..Message::default() });
    }
    let out = tx.written();
    // HTTP/1.0 cannot be told that content broke off.
    let is_blind = request.contains("HTTP/1.0");
    let mut twin = read_answers(method, out, stop.is_some() || is_blind);
    if let (true, Some(last), Some(read)) = (is_blind, relay.sent.last(), twin.last_mut()) {
        read.is_whole = last.is_whole;
    }
    assert_eq!(twin, relay.sent, "{}", out.escape_ascii());
    relay.sent
}

struct Relay {
    proxy: Intermediary<'static>,
    asked: Asked,
    server: Server,
    up: http1::Client,
    sent: Vec<Message>,
    /// Of a response with content that goes on.
    trailers: Option<Trailers>,
}

impl Relay {
    fn turn(&mut self, rx: &mut Rx<'_>, tx: &mut Tx<'_>) -> Result<(), Stop> {
        if self.sent.last().is_some_and(|message| message.is_whole && !message.start.starts_with(b"1")) {
            return Ok(());
        }
        while let Some(event) = self.up.poll(Instant::ZERO, rx)? {
            match event {
                client::Event::Interim(head) | client::Event::Response(head) | client::Event::Switched(head) => {
                    let head = self.proxy.response(&(&head).into(), &self.asked, HttpDate::from_unix(0))?;
                    let Some(head) = head else { continue };
                    self.server.forward(&head, tx).unwrap();
                    self.trailers = (head.content() != Content::None).then(|| head.trailers());
                    // A 205 is sent on without content, whatever comes.
                    let is_whole = head.status().is_informational() || head.status() == Status::RESET_CONTENT;
                    self.sent.push(Message { start: code(head.status()), is_whole, ..Message::default() });
                }
                client::Event::Body(data) => {
                    self.server.body(data, tx).map_err(|_| Stop::BadGateway)?;
                    self.sent.last_mut().unwrap().content.extend_from_slice(data);
                }
                client::Event::Trailers(fields) => {
                    if let Some(trailers) = self.trailers.take() {
                        let message = self.sent.last_mut().unwrap();
                        message.trailers = list(&trailers, fields);
                        end(&message.trailers, |fields| self.server.end(fields, tx).unwrap());
                    }
                }
                client::Event::End => {
                    if self.trailers.take().is_some() {
                        self.server.end(&[], tx).unwrap();
                    }
                    self.sent.last_mut().unwrap().is_whole = true;
                    return Ok(());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What a client understands that asked by this method.
fn read_answers(method: Method<'_>, wire: &[u8], eof: bool) -> Vec<Message> {
    let head = HeadLimits { line: 1 << 20, bytes: 1 << 20, fields: 1000, ..HeadLimits::new() };
    let mut client = http1::Client::new(client::Config { head, ..client::Config::new() });
    let offer: &[(&str, &[u8])] = &[("host", b"a"), ("upgrade", b"websocket")];
    client.request(method, b"/", offer, BodyLength::None, &mut Tx::new(&mut [0; 100])).unwrap();
    let (mut held, mut read) = (wire.to_vec(), Vec::<Message>::new());
    let mut rx = if eof { Rx::last(&mut held) } else { Rx::new(&mut held) };
    while let Ok(Some(event)) = client.poll(Instant::ZERO, &mut rx) {
        match event {
            client::Event::Interim(head) | client::Event::Response(head) | client::Event::Switched(head) => {
                let is_whole = head.status.is_informational();
                read.push(Message { start: code(head.status), is_whole, ..Message::default() });
            }
            client::Event::Body(data) => read.last_mut().unwrap().content.extend_from_slice(data),
            client::Event::Trailers(fields) => read.last_mut().unwrap().trailers = all(fields),
            client::Event::End => read.last_mut().unwrap().is_whole = true,
            other => panic!("{other:?}"),
        }
    }
    assert!(rx.bytes().is_empty(), "more than one answer: {}", wire.escape_ascii());
    read
}

/// More than the answers to 20 bytes of requests have, which are less than one request.
const ANSWERS: usize = 100;

/// More than any head here has.
const HEAD: usize = 1 << 17;

/// Writes what may be so long, and a little more.
fn put<R>(wire: &mut Vec<u8>, len: usize, write: impl FnOnce(&mut Tx<'_>) -> R) -> R {
    let mut space = vec![0; len + 1000];
    let mut tx = Tx::new(&mut space);
    let outcome = write(&mut tx);
    wire.extend_from_slice(tx.written());
    outcome
}

fn code(status: Status) -> Vec<u8> {
    status.code().to_string().into_bytes()
}

fn all(fields: Fields<'_>) -> Vec<(String, Vec<u8>)> {
    fields.iter().map(|field| (field.name.as_str().to_owned(), field.value.to_vec())).collect()
}

fn list(trailers: &Trailers, fields: Fields<'_>) -> Vec<(String, Vec<u8>)> {
    trailers.of(fields).map(|field| (field.name.as_str().to_owned(), field.value.to_vec())).collect()
}

fn end(trailers: &[(String, Vec<u8>)], send: impl FnOnce(&[(&str, &[u8])])) {
    let fields: Vec<_> = trailers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    send(&fields);
}
