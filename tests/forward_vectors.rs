//! `http1_forward.jsonl` through `http::forward`: a request into a server engine and out as it goes upstream, a response
//! from upstream out through a server engine whose client sent what the case's context says.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use hopwire::http::forward::{Asked, Content, Intermediary, Node, Stop, Trailers};
use hopwire::http::{HttpDate, Method, Version};
use hopwire::http1::chunked::{Decoder, Piece};
use hopwire::http1::server::{Event, Server};
use hopwire::http1::{HeadLimits, ResponseHead, ResponseLength};
use hopwire::io::{Rx, Tx};
use hopwire::time::Instant;
use support::json::Value;
use support::vectors::{self, Suite};
use support::{show, unhex};

type List = Vec<(String, Vec<u8>)>;

/// What left, or why nothing did.
#[derive(Debug, Default, PartialEq)]
struct Left {
    /// Heads on the wire, interim ones first.
    wire: String,
    body: Vec<u8>,
    trailers: List,
    status: Option<u16>,
    /// Bytes that were kept back.
    rest: Vec<u8>,
}

#[test]
fn cases() {
    vectors::run(&Suite {
        name: "http1_forward",
        skip: &|_| None,
        input: "bytes_hex",
        play: &|case, pieces| match case.text("role") {
            "request" => request(case, pieces),
            "response" => response(case, pieces),
            other => panic!("a role without a test: {other:?}"),
        },
        judge: &judge,
    });
}

fn context<'a>(case: &'a Value, key: &str) -> &'a str {
    case.get("context").map_or("", |context| context.text(key))
}

/// A case of a loop names us in its own Via.
fn own_name(case: &Value) -> String {
    for key in ["name", "pseudonym", "received_by", "via", "own_name", "self"] {
        if !context(case, key).is_empty() {
            return context(case, key).to_owned();
        }
    }
    let input = case.bytes("bytes_hex").unwrap();
    let text = String::from_utf8_lossy(&input).into_owned();
    let via = text.lines().find(|line| line.to_ascii_lowercase().starts_with("via:"));
    let last = via.and_then(|via| via[4..].rsplit(',').next()).and_then(|member| member.split_whitespace().nth(1));
    let loops = case.text("action") != "forward";
    last.filter(|_| loops).unwrap_or("edge.example").to_owned()
}

fn intermediary(name: &str, case: &Value) -> Intermediary<'static> {
    let name: &'static str = String::leak(name.to_owned());
    let mut intermediary = Intermediary::new(name).expect("a name");
    if context(case, "upstream_version") == "1.0" {
        intermediary.upstream = Version::Http10;
    }
    intermediary.trailers = true;
    intermediary
}

fn list<'b>(fields: impl Iterator<Item = hopwire::http::Field<'b>>) -> List {
    fields.map(|field| (field.name.as_str().to_ascii_lowercase(), field.value.to_vec())).collect()
}

fn request(case: &Value, pieces: &[&[u8]]) -> Left {
    let proxy = intermediary(&own_name(case), case);
    let client = Node::new(Some([192, 0, 2, 7].into()), false);
    let mut server = Server::default();
    let (mut left, mut trailers, mut received) = (Left::default(), None::<Trailers>, Vec::new());
    for piece in pieces {
        received.extend_from_slice(piece);
        let mut space = [0; 4096];
        let (mut rx, mut tx) = (Rx::new(&mut received), Tx::new(&mut space));
        loop {
            match server.poll(Instant::ZERO, &mut rx, &mut tx) {
                Ok(Some(Event::Request(request))) => match proxy.request(&(&request).into(), &client) {
                    Ok(request) => {
                        let mut space = [0; 4096];
                        let mut tx = Tx::new(&mut space);
                        request.write_http1(&mut tx).unwrap();
                        left.wire.push_str(str::from_utf8(tx.written()).unwrap());
                        trailers = Some(request.trailers());
                    }
                    Err(stop) => left.status = Some(stop.status().code()),
                },
                Ok(Some(Event::Body(data))) => left.body.extend_from_slice(data),
                Ok(Some(Event::Trailers(fields))) => left.trailers = list(trailers.unwrap().of(fields)),
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(violation) => {
                    left.status = Some(violation.status().code());
                    break;
                }
            }
        }
        let used = rx.consumed();
        received.drain(..used);
    }
    if left.status.is_some() {
        received.clear();
    }
    Left { rest: received, ..left }
}

/// A server engine that owes the answer to what the context says was asked, and what is remembered of that.
fn asked(case: &Value, proxy: &Intermediary<'static>) -> (Server, Asked) {
    let or = |key: &str, other: &'static str| {
        if context(case, key).is_empty() { other } else { String::leak(context(case, key).to_owned()) }
    };
    let (method, version) = (or("method", "GET"), or("client_version", "1.1"));
    let mut text = format!("{method} / HTTP/{version}\r\nHost: a\r\n");
    if !context(case, "client_te").is_empty() {
        text += &format!("Connection: te\r\nTE: {}\r\n", context(case, "client_te"));
    }
    for key in ["request_upgrade", "client_upgrade", "upgrade"] {
        if !context(case, key).is_empty() {
            text += &format!("Connection: upgrade\r\nUpgrade: {}\r\n", context(case, key));
        }
    }
    text += "\r\n";
    let mut server = Server::default();
    let bytes = text.into_bytes().leak();
    let mut rx = Rx::new(bytes);
    let Ok(Some(Event::Request(request))) = server.poll(Instant::ZERO, &mut rx, &mut Tx::new(&mut [])) else {
        panic!()
    };
    let client = Box::leak(Box::new(Node::new(None, false)));
    let asked = proxy.request(&(&request).into(), client).expect("forwarded").asked();
    (server, asked)
}

fn response(case: &Value, pieces: &[&[u8]]) -> Left {
    let proxy = intermediary("edge.example", case);
    let (mut server, asked) = asked(case, &proxy);
    let mut left = Left::default();
    // What a response means does not depend on its pieces: that is the client engine's to show.
    let mut bytes = pieces.concat();
    let mut rx = Rx::last(&mut bytes);
    let mut out = [0; 4096];
    let mut tx = Tx::new(&mut out);
    if let Err(stop) = relay(&proxy, &asked, &mut server, &mut rx, &mut tx, &mut left) {
        left.status = Some(stop.status().code());
        return left;
    }
    left.wire = str::from_utf8(tx.written()).unwrap().to_owned();
    left
}

fn relay(
    proxy: &Intermediary<'static>,
    asked: &Asked,
    server: &mut Server,
    rx: &mut Rx<'_>,
    tx: &mut Tx<'_>,
    left: &mut Left,
) -> Result<(), Stop> {
    let (limits, now) = (HeadLimits::default(), HttpDate::from_unix(0));
    loop {
        let Some(response) = ResponseHead::new(Method::Get).poll(rx, &limits)? else { return Err(Stop::BadGateway) };
        let Some(forwarded) = proxy.response(&(&response).into(), asked, now)? else { continue };
        server.forward(&forwarded, tx).unwrap();
        if response.status.is_informational() {
            continue;
        }
        match response.length() {
            ResponseLength::None => {}
            ResponseLength::Length(length) => {
                let all = rx.take_all();
                let length = usize::try_from(length).unwrap();
                left.body = all.get(..length).ok_or(Stop::BadGateway)?.to_vec();
            }
            ResponseLength::UntilClose => left.body = rx.take_all().to_vec(),
            ResponseLength::Chunked => {
                let mut decoder = Decoder::new(1 << 20, 1 << 10);
                loop {
                    match decoder.poll(rx, &limits)?.ok_or(Stop::BadGateway)? {
                        Piece::Data(data) => left.body.extend_from_slice(data),
                        Piece::Trailers(fields) => left.trailers = list(forwarded.trailers().of(fields)),
                        _ => break,
                    }
                }
            }
        }
        assert!(forwarded.content() != Content::None || left.body.is_empty());
        return Ok(());
    }
}

/// Heads as they left: start line and fields.
fn heads(wire: &str) -> Vec<(&str, List)> {
    let heads = wire.split("\r\n\r\n").filter(|head| !head.is_empty());
    heads
        .map(|head| {
            let mut lines = head.split("\r\n");
            let line = lines.next().unwrap();
            let fields = lines.map(|line| {
                let (name, value) = line.split_once(':').expect("a field line");
                (name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).as_bytes().to_vec())
            });
            (line, fields.collect())
        })
        .collect()
}

fn judge(case: &Value, left: &Left) -> Result<(), String> {
    let allowed = case.get("status_also").map(Value::items).unwrap_or_default();
    let allowed: Vec<u16> = allowed.iter().chain(case.get("status")).filter_map(Value::as_num).collect();
    if case.text("action") != "forward" {
        return match left.status {
            None => Err(format!("forwarded: {left:?}")),
            Some(status) if !allowed.is_empty() && !allowed.contains(&status) => {
                Err(format!("{status}, not {allowed:?}"))
            }
            Some(_) if !left.wire.is_empty() => Err(format!("sent before it was stopped: {left:?}")),
            Some(_) => Ok(()),
        };
    }
    if let Some(status) = left.status {
        return Err(format!("stopped with {status}"));
    }
    let heads = heads(&left.wire);
    let (line, _) = heads.last().ok_or("nothing left")?;
    let fields: List = heads.iter().flat_map(|(_, fields)| fields.clone()).chain(left.trailers.clone()).collect();
    let values = |name: &str| -> Vec<&[u8]> {
        fields.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice()).collect()
    };
    let has = |name: &str| !values(name).is_empty();
    for (key, want) in case.members() {
        let ok = match key.as_str() {
            "line" => want.as_str() == Some(*line),
            "present" => want.items().iter().filter_map(Value::as_str).all(has),
            "absent" => !want.items().iter().filter_map(Value::as_str).any(has),
            "value" => want.members().iter().all(|(name, want)| match want.as_str() {
                Some(one) => values(name) == [unhex(one)],
                None => values(name).into_iter().eq(want.items().iter().map(|one| unhex(one.as_str().unwrap()))),
            }),
            "contains" => want.members().iter().all(|(name, want)| {
                let joined = String::from_utf8(values(name).join(&b", "[..])).unwrap();
                let wanted = want.as_str().map_or_else(
                    || want.items().iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                    |one| vec![one.to_owned()],
                );
                wanted.iter().all(|want| joined.contains(want.as_str()))
            }),
            "framing" => {
                let (length, chunked) = (values("content-length"), has("transfer-encoding"));
                let closes = values("connection").iter().any(|value| value.eq_ignore_ascii_case(b"close"));
                let is_one = |framing: &str| match framing.split_once(':') {
                    Some(("content-length", n)) => length == [n.as_bytes()] && left.body.len().to_string() == n,
                    _ => match framing {
                        "content-length" => length.len() == 1,
                        "chunked" => chunked,
                        "close" => closes,
                        "none" => length.is_empty() && !chunked,
                        "hold until 101" => heads.len() == 1 && left.body.is_empty() && !left.rest.is_empty(),
                        other => panic!("a framing without a test: {other:?}"),
                    },
                };
                (length.is_empty() || !chunked) && want.as_str().unwrap().split(" or ").any(is_one)
            }
            "id" | "role" | "bytes_hex" | "action" | "level" | "clause" | "why" | "context" | "status"
            | "status_also" => true,
            other => return Err(format!("a key without a test: {other:?}")),
        };
        if !ok {
            return Err(format!("{key}: {}", show(left.wire.as_bytes())));
        }
    }
    Ok(())
}

#[test]
fn nothing_is_written_where_there_is_no_room() {
    let proxy = Intermediary::new("edge").unwrap();
    let client = Node::new(None, false);
    let mut bytes = *b"GET / HTTP/1.1\r\nHost:a\r\nX:\r\nConnection: x\r\nVia: 1.0 fred\r\n\r\n";
    let mut server = Server::default();
    let mut rx = Rx::new(&mut bytes);
    let Ok(Some(Event::Request(request))) = server.poll(Instant::ZERO, &mut rx, &mut Tx::new(&mut [])) else {
        panic!()
    };
    let forwarded = proxy.request(&(&request).into(), &client).unwrap();
    let want = b"GET / HTTP/1.1\r\nHost: a\r\nvia: 1.0 fred, 1.1 edge\r\n\r\n";
    for room in 0..200 {
        let mut space = vec![0; room];
        let mut tx = Tx::new(&mut space);
        match forwarded.write_http1(&mut tx) {
            Ok(()) => assert!(room >= want.len() && tx.written() == want, "{room}: {}", tx.written().escape_ascii()),
            Err(error) => assert!(room < want.len() && tx.is_empty(), "{room}: {error}"),
        }
    }
}
