//! `http1::Server` with a caller who answers in every way there is.

use hopwire::http::Status;
use hopwire::http1::server::{Config, Server};
use hopwire::http1::{BodyLength, Misuse};
use hopwire::io::Wants;

use super::exchange::{Exchange, Out, Told};
use super::{Prng, crlf_lines, feeds, field_line};

/// All that came of one input.
#[derive(Debug, PartialEq)]
struct Outcome {
    told: Vec<Told>,
    violation: Option<hopwire::http1::Violation>,
    wants: Option<Wants>,
    switched: bool,
    responses: Vec<Response>,
}

/// A response as a client reads it.
#[derive(Debug, PartialEq)]
struct Response {
    status: u16,
    close: bool,
    content: Vec<u8>,
}

pub fn run(data: &[u8]) {
    let mut prng = Prng::of(data);
    let mut config = Config::default();
    if prng.below(4) == 0 {
        (config.max_body, config.max_chunk_ext, config.max_drain) = (40, 20, 10);
        (config.head.bytes, config.head.fields) = (300, 5);
    }
    let (seed, eof) = (prng.next(), prng.below(2) == 0);
    let whole = play(config, &[data], eof, seed, 4096);
    for pieces in feeds(data) {
        for size in [0, 40, 4096] {
            assert_eq!(play(config, &pieces, eof, seed, size), whole, "room for {size}: {}", data.escape_ascii());
        }
    }
}

/// `seed` decides how each request is answered, whatever the pieces are.
fn play(config: Config, pieces: &[&[u8]], eof: bool, seed: u64, size: usize) -> Outcome {
    let mut exchange = Exchange::new(Server::new(config));
    exchange.out.size = size;
    let mut prng = Prng::new(seed);
    let mut request = Request { habit: 0, ok: Status::OK };
    let mut heads = Vec::new();
    let mut answer = |server: &mut Server, told: &Told, out: &mut Out| {
        if let Told::Request(head) = told {
            heads.push(head.method == "HEAD");
            // A 2xx to CONNECT opens a tunnel, and has no content.
            let ok = if head.method == "CONNECT" { Status::FORBIDDEN } else { Status::OK };
            request = Request { habit: prng.below(7), ok };
        }
        request.answer(server, told, out).expect("the call is right here");
        illegal_calls(server, out);
    };
    for piece in pieces {
        exchange.feed(piece, &mut answer);
    }
    if eof {
        exchange.finish(&mut answer);
    }
    let wants = exchange.server.wants();
    let told = exchange.events();
    let ended = exchange.violation.is_some() || wants == Wants::Close;
    let finished = told.last().is_none_or(|told| *told == Told::End) || ended || exchange.server.has_switched();
    Outcome {
        violation: exchange.violation,
        // Whether the rest of an unwanted request has been dropped yet, nobody can say from outside.
        wants: (finished && !matches!(wants, Wants::Output(_))).then_some(wants),
        switched: exchange.server.has_switched(),
        responses: responses(&exchange.out.wire, &heads, ended),
        told,
    }
}

/// How one request is answered.
struct Request {
    habit: usize,
    ok: Status,
}

impl Request {
    fn answer(&self, server: &mut Server, told: &Told, out: &mut Out) -> Result<(), Misuse> {
        let fields: &[(&str, &[u8])] = &[("server", b"x"), ("x-empty", b"")];
        match (self.habit, told) {
            // At once, before the content has come.
            (0, Told::Request(_)) => out.call(|tx| server.respond_with(Status::NOT_FOUND, fields, b"no", tx)),
            (1, Told::Request(_)) => {
                out.call(|tx| server.inform(Status::EARLY_HINTS, &[("link", b"</a>")], tx))?;
                out.call(|tx| server.respond(self.ok, fields, BodyLength::Length(6), tx))?;
                out.content(server, b"abcdef")?;
                out.call(|tx| server.end(&[], tx))
            }
            // The content comes back while it arrives.
            (2, Told::Request(_)) => out.call(|tx| server.respond(self.ok, fields, BodyLength::Chunked, tx)),
            (2, Told::Body(data)) => out.content(server, data),
            (2, Told::End) => out.call(|tx| server.end(&[], tx)),
            // After the end.
            (3, Told::End) => {
                if out.call(|tx| server.switch_protocols(&[("upgrade", b"x")], tx)).is_err() {
                    out.call(|tx| server.respond(Status::NO_CONTENT, &[], BodyLength::None, tx))?;
                }
                Ok(())
            }
            (4, Told::End) => {
                out.call(|tx| server.respond(Status::NOT_MODIFIED, fields, BodyLength::Length(9), tx))?;
                out.call(|tx| server.end(&[], tx))
            }
            (5, Told::End) => out.call(|tx| server.respond_with(self.ok, &[("connection", b"close")], b"bye", tx)),
            (6, Told::End) => out.call(|tx| server.respond_with(self.ok, fields, b"hello", tx)),
            _ => Ok(()),
        }
    }
}

/// What must be refused whatever the state is; `Out::call` sees to it that nothing is written.
fn illegal_calls(server: &mut Server, out: &mut Out) {
    let split: &[(&str, &[u8])] = &[("x", b"a\r\nb: c")];
    assert!(out.call(|tx| server.respond_with(Status::OK, split, b"", tx)).is_err());
    assert!(out.call(|tx| server.respond(Status::CONTINUE, &[], BodyLength::None, tx)).is_err());
    assert!(out.call(|tx| server.inform(Status::OK, &[], tx)).is_err());
    assert!(out.call(|tx| server.inform(Status::EARLY_HINTS, split, tx)).is_err());
    assert!(out.call(|tx| server.switch_protocols(&[], tx)).is_err());
}

/// Reads responses as a client does that sent requests with these methods (`true`: HEAD). `ended`: the last one may be
/// cut, for the connection is closed.
fn responses(mut wire: &[u8], heads: &[bool], ended: bool) -> Vec<Response> {
    let mut responses: Vec<Response> = Vec::new();
    while !wire.is_empty() {
        let end = wire.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head") + 4;
        let lines = crlf_lines(&wire[..end - 2]).expect("a head in lines");
        let (line, fields) = lines.split_first().expect("a status line");
        wire = &wire[end..];
        assert!(line.starts_with(b"HTTP/1.1 ") && line[12] == b' ', "{}", line.escape_ascii());
        let status: u16 = std::str::from_utf8(&line[9..12]).unwrap().parse().expect("three digits");
        let fields: Vec<_> = fields.iter().map(|line| field_line(line).expect("a field line")).collect();
        let value = |name: &str| {
            let mut named = fields.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes()));
            let value = named.next().map(|(_, value)| *value);
            assert!(named.next().is_none(), "{name} twice");
            value
        };
        let (length, coding) = (value("content-length"), value("transfer-encoding"));
        assert!(length.is_none() || coding.is_none());
        if (100..200).contains(&status) {
            assert!(length.is_none() && coding.is_none(), "content in a {status}");
            if status == 101 {
                assert!(wire.is_empty(), "HTTP after the switch");
            }
            continue;
        }
        let close =
            value("connection").is_some_and(|value| value.split(|&b| b == b',').any(|it| super::trim(it) == b"close"));
        let mut content = Vec::new();
        let head = heads.get(responses.len()).copied().unwrap_or(false);
        if head || status == 204 || status == 304 {
            assert!(status != 204 || (length.is_none() && coding.is_none()));
        } else if let Some(length) = length {
            let length: usize = std::str::from_utf8(length).unwrap().parse().expect("a length");
            assert!(wire.len() >= length || ended, "content cut short");
            let (own, rest) = wire.split_at(length.min(wire.len()));
            content = own.to_vec();
            wire = rest;
        } else if coding.is_some() {
            wire = dechunk(wire, &mut content);
        } else {
            assert!(close, "content without a length, and not closed");
            content = std::mem::take(&mut wire).to_vec();
        }
        assert!(!responses.last().is_some_and(|last| last.close), "a response after the last");
        responses.push(Response { status, close, content });
    }
    responses
}

/// What follows a chunked body, or nothing if that is not finished yet.
fn dechunk<'w>(mut wire: &'w [u8], content: &mut Vec<u8>) -> &'w [u8] {
    while let Some(end) = wire.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&wire[..end]).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok());
        let size = size.expect("a chunk size");
        let data = &wire[end + 2..];
        assert_eq!(&data[size..size + 2], b"\r\n");
        content.extend_from_slice(&data[..size]);
        wire = &data[size + 2..];
        if size == 0 {
            return wire;
        }
    }
    assert!(wire.is_empty());
    wire
}
