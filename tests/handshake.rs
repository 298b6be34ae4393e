//! The WebSocket handshake, the server's side: the vectors, and what RFC 6455 §4.2, §10.2 and known attacks ask for.

#![allow(clippy::panic, reason = "a test fails by panicking")]

mod support;

use hopwire::http::Version;
use hopwire::http1::server::{Event, Server};
use hopwire::http1::{HeadLimits, RequestHead};
use hopwire::io::{Full, Rx, SendError, Tx};
use hopwire::time::Instant;
use hopwire::ws;
use hopwire::ws::handshake::{Answer, Handshake, Misuse, OriginPolicy, Refusal, deflate};
use proptest::prelude::*;
use support::json::Value;
use support::{show, vectors};

#[test]
fn vectors_for_the_server() {
    vectors::run(&vectors::Suite {
        name: "ws_handshake",
        skip: &|case| (case.text("role") != "server").then_some("of the client: tests/handshake_client.rs"),
        input: "bytes_hex",
        play: &|case, pieces| play(case, pieces),
        judge: &judge,
    });
}

#[test]
fn an_ordinary_request_is_none() {
    assert!(handshake(&[("Host", "a")]).unwrap().is_none());
    assert!(handshake(&[("Host", "a"), ("Upgrade", "h2c"), ("Connection", "Upgrade")]).unwrap().is_none());
    let post = Handshake::from_parts(b"POST", Version::Http11, [("content-length", &b"5"[..])]);
    assert!(post.unwrap().is_none());
}

#[test]
fn an_upgrade_in_http10_is_ignored() {
    let fields: [(&str, &[u8]); 3] = [("Host", b"a"), ("Connection", b"Upgrade"), ("Upgrade", b"websocket")];
    let judged = Handshake::from_parts(b"GET", Version::Http10, fields);
    assert!(judged.is_ok_and(|handshake| handshake.is_none()));
}

#[test]
fn names_and_tokens_in_any_case() {
    let fields: Vec<_> = GOOD.iter().map(|(n, v)| (n.to_uppercase(), v.replace("websocket", "WebSocket"))).collect();
    let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert!(handshake(&fields).unwrap().is_some());
    assert!(with(&[("connection", "keep-alive, Upgrade")]).unwrap().is_some());
    // Options are tokens: `http1` sees this one too.
    assert!(with(&[("connection", "\"a, Upgrade")]).unwrap().is_some());
}

#[test]
fn each_requirement_has_its_refusal() {
    for (name, value, refusal) in [
        ("host", "", Refusal::Host),
        ("upgrade", "h2c", Refusal::Upgrade),
        ("upgrade", "websocket/13", Refusal::Upgrade),
        ("connection", "keep-alive", Refusal::Connection),
        ("connection", "upgraded", Refusal::Connection),
        ("sec-websocket-key", "", Refusal::Key),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=", Refusal::Key),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ===", Refusal::Key),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQA=", Refusal::Key),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=A", Refusal::Key),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25j\u{e9}==", Refusal::Key),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZ-==", Refusal::Key),
        ("sec-websocket-version", "", Refusal::Version),
        ("sec-websocket-version", "8", Refusal::Version),
        ("sec-websocket-version", "+13", Refusal::Version),
        ("sec-websocket-version", "013", Refusal::Version),
        ("sec-websocket-version", "13, 8", Refusal::Version),
    ] {
        if value.is_empty() {
            let without: Vec<_> = GOOD.iter().copied().filter(|(n, _)| *n != name).collect();
            assert_eq!(handshake(&without).unwrap_err(), refusal, "no {name}");
            continue;
        }
        assert_eq!(with(&[(name, value)]).unwrap_err(), refusal, "{name}: {value}");
    }
    let good = || GOOD.iter().map(|(n, v)| (*n, v.as_bytes()));
    assert_eq!(Handshake::from_parts(b"POST", Version::Http11, good()).unwrap_err(), Refusal::Method);
    assert_eq!(Handshake::from_parts(b"get", Version::Http11, good()).unwrap_err(), Refusal::Method);
    assert_eq!(Handshake::from_parts(b"GET", Version::Http10, good()).unwrap_err(), Refusal::HttpVersion);
}

#[test]
fn what_must_stand_alone_does() {
    for name in ["host", "sec-websocket-key", "sec-websocket-version"] {
        let value = GOOD.iter().find(|(n, _)| *n == name).unwrap().1;
        assert_eq!(and(&[(name, value)]).unwrap_err(), Refusal::Repeated, "{name}");
    }
    let two = [("Origin", "http://a"), ("origin", "http://b")];
    assert_eq!(and(&two).unwrap_err(), Refusal::Repeated);
}

/// Content behind the head would be taken for frames.
#[test]
fn content_on_the_upgrade_is_refused() {
    for (name, value) in [
        ("Content-Length", "1"),
        ("Content-Length", "+0"),
        ("Content-Length", ""),
        ("Content-Length", "18446744073709551616"),
        ("Transfer-Encoding", "chunked"),
        ("transfer-encoding", "identity"),
    ] {
        assert_eq!(and(&[(name, value)]).unwrap_err(), Refusal::Body, "{name}: {value}");
    }
    assert!(and(&[("Content-Length", " 0 ")]).unwrap().is_some());
}

#[test]
fn subprotocols_are_tokens_over_any_lines() {
    let lines = [("Sec-WebSocket-Protocol", "chat, superchat"), ("sec-websocket-protocol", ",v2.x")];
    let handshake = and(&lines).unwrap().unwrap();
    assert_eq!(
        handshake.subprotocols().map(|p| p.as_str().to_owned()).collect::<Vec<_>>(),
        ["chat", "superchat", "v2.x"]
    );
    for bad in ["", ",", "chat room", "a/b", "\"chat\"", "chat\u{e9}"] {
        assert_eq!(and(&[("Sec-WebSocket-Protocol", bad)]).unwrap_err(), Refusal::Subprotocol, "{bad:?}");
    }
    let many = [("Sec-WebSocket-Protocol", "chat"); 5];
    assert!(and(&many[..4]).is_ok());
    assert_eq!(and(&many).unwrap_err(), Refusal::Subprotocol);
}

#[test]
fn extensions_fit_their_grammar() {
    let handshake = and(&[("Sec-WebSocket-Extensions", "a; b=1, permessage-deflate;c=\"8\" , d")]).unwrap().unwrap();
    let offers: Vec<_> = handshake.extensions().collect();
    assert_eq!(offers, [&b"a; b=1"[..], b"permessage-deflate;c=\"8\"", b"d"]);
    for bad in
        ["", "a b", "a;", "a; ;b", "a; =1", "a; b=", "a; b=\"\"", "a; b=\"1 2\"", "a; b=\"1", "a; b=1 2", "\"a\""]
    {
        assert_eq!(and(&[("Sec-WebSocket-Extensions", bad)]).unwrap_err(), Refusal::Extension, "{bad:?}");
    }
}

/// Cross-site hijacking: a page of another site makes the user's browser connect, cookies and all.
#[test]
fn pages_of_other_sites_are_refused_unless_allowed() {
    let handshake = and(&[("Origin", "https://evil.example")]).unwrap().unwrap();
    assert_eq!(handshake.accept(OriginPolicy::default()).unwrap_err(), Refusal::Origin);
    assert_eq!(Refusal::Origin.status().code(), 403);
    assert!(handshake.accept(OriginPolicy::Only(&["https://evil.example"])).is_ok());
    assert!(handshake.accept(OriginPolicy::Any).is_ok());
    let same = and(&[("Origin", "https://server.example.com")]).unwrap().unwrap();
    assert!(same.accept(OriginPolicy::default()).is_ok());
    let none = with(&[]).unwrap().unwrap();
    assert!(none.accept(OriginPolicy::default()).is_ok());
}

#[test]
fn refusals_are_ready_to_send() {
    for (refusal, status, field) in [
        (Refusal::Method, 405, "Allow: GET"),
        (Refusal::Version, 426, "Sec-WebSocket-Version: 13"),
        (Refusal::NotWebSocket, 426, "Upgrade: websocket"),
        (Refusal::Origin, 403, ""),
        (Refusal::Key, 400, ""),
    ] {
        let response = write(|tx| refusal.write(tx));
        assert_eq!(refusal.status().code(), status);
        let start = format!("HTTP/1.1 {status} {}\r\n", refusal.status().reason());
        assert!(response.starts_with(&start) && response.ends_with("\r\nContent-Length: 0\r\n\r\n"), "{response}");
        assert!(response.contains("close\r\n") && response.contains(field), "{response}");
        for (name, value) in refusal.fields() {
            assert!(response.contains(&format!("{name}: {}\r\n", core::str::from_utf8(value).unwrap())), "{response}");
        }
        let mut little = vec![0; response.len() - 1];
        assert_eq!(refusal.write(&mut Tx::new(&mut little)), Err(Full { needed: response.len() }));
    }
}

/// The example of §1.2 and §1.3.
#[test]
fn the_answer_is_written_whole_or_not_at_all() {
    let handshake = and(&[("Sec-WebSocket-Protocol", "chat, superchat")]).unwrap().unwrap();
    let fields = [("Set-Cookie", &b"a=b"[..]), ("Server", b"x")];
    let answer = handshake.accept(OriginPolicy::default()).unwrap().subprotocol("chat").fields(&fields);
    let expected = "HTTP/1.1 101 Switching Protocols\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
        Sec-WebSocket-Protocol: chat\r\n\
        Set-Cookie: a=b\r\n\
        Server: x\r\n\r\n";
    assert_eq!(write(|tx| answer.write(tx)), expected);
    let header: String = answer
        .header()
        .unwrap()
        .map(|(name, value)| format!("{name}: {}\r\n", core::str::from_utf8(value).unwrap()))
        .collect();
    assert_eq!(format!("HTTP/1.1 101 Switching Protocols\r\n{header}\r\n"), expected);
    for room in 0..expected.len() {
        let mut out = vec![0; room];
        let mut tx = Tx::new(&mut out);
        assert_eq!(answer.write(&mut tx), Err(SendError::Full(Full { needed: expected.len() })));
        assert!(tx.written().is_empty());
    }
}

/// Fields of the application's own are a way to inject others, and into the frames behind.
#[test]
fn an_answer_cannot_be_misused() {
    let handshake = and(&[("Sec-WebSocket-Protocol", "chat")]).unwrap().unwrap();
    let answer = handshake.accept(OriginPolicy::default()).unwrap();
    let misuse = |answer: Answer<'_>| {
        let mut out = [0; 512];
        let mut tx = Tx::new(&mut out);
        let error = answer.write(&mut tx).unwrap_err();
        assert!(tx.written().is_empty());
        assert_eq!(answer.header().err().map(SendError::Misuse), Some(error));
        error
    };
    for name in ["superchat", "Chat", "", "chat\r\nX: y"] {
        assert_eq!(misuse(answer.subprotocol(name)), SendError::Misuse(Misuse::Subprotocol), "{name}");
    }
    for (name, value) in
        [("X", "a\r\nY: b"), ("X", "a\n"), ("X", "a\0"), ("X\r\n", "a"), ("", "a"), ("X Y", "a"), ("X:", "")]
    {
        assert_eq!(misuse(answer.fields(&[(name, value.as_bytes())])), SendError::Misuse(Misuse::Field), "{name:?}");
    }
    for name in [
        "upgrade",
        "Connection",
        "SEC-WEBSOCKET-ACCEPT",
        "Sec-WebSocket-Extensions",
        "content-length",
        "Transfer-Encoding",
    ] {
        assert_eq!(misuse(answer.fields(&[(name, b"x")])), SendError::Misuse(Misuse::Reserved), "{name}");
    }
}

#[test]
fn windows_are_negotiated() {
    let small = deflate::Config { server_max_window_bits: 10, client_max_window_bits: 9, ..deflate::Config::default() };
    let any = deflate::Config::default();
    let both = deflate::Config {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        ..deflate::Config::default()
    };
    for (offer, config, expected) in [
        ("permessage-deflate", small, None),
        (
            "permessage-deflate; client_max_window_bits",
            small,
            Some("; server_max_window_bits=10; client_max_window_bits=9"),
        ),
        (
            "permessage-deflate; client_max_window_bits=8",
            small,
            Some("; server_max_window_bits=10; client_max_window_bits=8"),
        ),
        (
            "permessage-deflate; client_max_window_bits; server_max_window_bits=8",
            small,
            Some("; server_max_window_bits=8; client_max_window_bits=9"),
        ),
        ("permessage-deflate; client_max_window_bits=16", small, None),
        ("permessage-deflate; client_max_window_bits; client_max_window_bits", small, None),
        ("permessage-deflate", both, Some("; server_no_context_takeover; client_no_context_takeover")),
        // What a client says of itself need not be repeated.
        ("permessage-deflate; client_max_window_bits=10", any, Some("")),
        (
            "permessage-deflate; client_max_window_bits=\"10\"",
            small,
            Some("; server_max_window_bits=10; client_max_window_bits=9"),
        ),
        ("permessage-deflate; client_no_context_takeover", any, Some("")),
        ("permessage-deflate; server_max_window_bits=8", any, Some("; server_max_window_bits=8")),
        // "by including the 'server_max_window_bits' extension parameter" a server accepts one (RFC 7692 §7.1.2.1): any.
        ("permessage-deflate; server_max_window_bits=15", any, Some("; server_max_window_bits=15")),
        // The first offer that can be kept counts.
        ("permessage-deflate; client_max_window_bits=08, x, permessage-deflate", any, Some("")),
        (
            "permessage-deflate, permessage-deflate; client_max_window_bits",
            small,
            Some("; server_max_window_bits=10; client_max_window_bits=9"),
        ),
    ] {
        let handshake = and(&[("Sec-WebSocket-Extensions", offer)]).unwrap().unwrap();
        let params = deflate::negotiate(&handshake, config);
        let answer = handshake.accept(OriginPolicy::Any).unwrap().deflate(params);
        let expected = expected.map(|params| format!("Sec-WebSocket-Extensions: permessage-deflate{params}\r\n"));
        let text = write(|tx| answer.write(tx));
        assert_eq!(
            text.lines().find(|line| line.contains("Extensions")),
            expected.as_deref().map(str::trim_end),
            "{offer}"
        );
        let header = answer.header().unwrap().map(|(name, value)| format!("{name}: {}\r\n", value.escape_ascii()));
        assert_eq!(header.last().filter(|line| line.contains("Extensions")), expected, "{offer}");
    }
}

/// What the client did not offer, it must fail the connection for.
#[test]
fn only_what_was_offered_is_agreed_to() {
    let none = deflate::Params::default();
    let server = |bits| deflate::Params { server_max_window_bits: Some(bits), ..none };
    let client = |bits| deflate::Params { client_max_window_bits: Some(bits), ..none };
    for (offer, params, fits) in [
        ("x-foo", none, false),
        ("permessage-deflate; unknown", none, false),
        ("permessage-deflate", none, true),
        ("permessage-deflate", server(15), true),
        ("permessage-deflate", server(16), false),
        ("permessage-deflate", server(7), false),
        ("permessage-deflate", client(15), false),
        ("permessage-deflate; client_max_window_bits", client(15), true),
        ("permessage-deflate; client_max_window_bits", client(7), false),
        ("permessage-deflate; client_max_window_bits=10", client(11), false),
        ("permessage-deflate; server_max_window_bits=10", server(10), true),
        ("permessage-deflate; server_max_window_bits=10", server(11), false),
        ("permessage-deflate; server_max_window_bits=10", none, false),
        ("permessage-deflate; server_no_context_takeover", none, false),
        ("permessage-deflate; server_no_context_takeover, permessage-deflate", none, true),
    ] {
        let handshake = and(&[("Sec-WebSocket-Extensions", offer)]).unwrap().unwrap();
        let answer = handshake.accept(OriginPolicy::Any).unwrap().deflate(Some(params));
        let mut out = [0; 512];
        let written = answer.write(&mut Tx::new(&mut out));
        assert_eq!(written, if fits { Ok(()) } else { Err(SendError::Misuse(Misuse::Deflate)) }, "{offer}: {params}");
    }
}

/// "when an absolute-form target is received, an origin server MUST ignore the received Host" (RFC 9112 §3.2.2).
#[test]
fn the_target_names_the_host_where_it_is_absolute() {
    let rest = GOOD.map(|(name, value)| format!("{name}: {value}\r\n")).concat();
    let origin = "origin: http://other.example\r\n";
    let mut head = format!("GET http://other.example/chat HTTP/1.1\r\n{rest}{origin}\r\n").into_bytes();
    let request = RequestHead::new().poll(&mut Rx::new(&mut head), &HeadLimits::new()).unwrap().unwrap();
    let handshake = Handshake::of(&request).unwrap().unwrap();
    assert_eq!(handshake.host(), b"other.example");
    assert!(handshake.accept(OriginPolicy::SameHost).is_ok());
}

/// Over `http1::Server`: the frames behind the head stay unread, and belong to the connection that follows.
#[test]
fn answered_over_http1_in_any_pieces() {
    let head = GOOD.map(|(name, value)| format!("{name}: {value}\r\n")).concat();
    let input =
        [format!("GET / HTTP/1.1\r\n{head}\r\n").as_bytes(), &b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"[..]]
            .concat();
    for cut in 0..input.len() {
        let (mut http, mut inbox, mut used, mut done) = (Server::default(), Vec::new(), 0, false);
        let mut out = [0; 256];
        let mut tx = Tx::new(&mut out);
        for piece in [&input[..cut], &input[cut..]] {
            inbox.extend_from_slice(piece);
            let mut rx = Rx::new(&mut inbox[used..]);
            while let Some(event) = if done { None } else { http.poll(Instant::ZERO, &mut rx, &mut tx).unwrap() } {
                let Event::Request(request) = event else { continue };
                let handshake = Handshake::of(&request).unwrap().unwrap();
                let answer = handshake.accept(OriginPolicy::default()).unwrap();
                let mut little = [0; 128];
                assert_eq!(
                    answer.respond(&mut http, &mut Tx::new(&mut little)),
                    Err(SendError::Full(Full { needed: 129 })),
                );
                answer.respond(&mut http, &mut tx).unwrap();
                let again = answer.respond(&mut http, &mut tx).unwrap_err();
                assert!(matches!(again, SendError::Misuse(Misuse::Http(_))));
                done = true;
            }
            used += rx.consumed();
        }
        assert!(done && input[used..].starts_with(b"\x81\x85"), "{cut}");
        assert!(tx.written().starts_with(b"HTTP/1.1 101 ") && tx.len() == 129);
    }
}

#[test]
fn refused_over_http1() {
    let head = GOOD.map(|(name, value)| format!("{name}: {}\r\n", value.replace("13", "8"))).concat();
    let mut input = format!("GET / HTTP/1.1\r\n{head}\r\n").into_bytes();
    let (mut http, mut out) = (Server::default(), [0; 256]);
    let (mut rx, mut tx) = (Rx::new(&mut input), Tx::new(&mut out));
    let Some(Event::Request(request)) = http.poll(Instant::ZERO, &mut rx, &mut tx).unwrap() else { unreachable!() };
    Handshake::of(&request).unwrap_err().respond(&mut http, &mut tx).unwrap();
    let response = core::str::from_utf8(tx.written()).unwrap().to_lowercase();
    assert!(response.starts_with("http/1.1 426 upgrade required\r\n"), "{response}");
    for field in ["upgrade: websocket", "sec-websocket-version: 13", "connection: upgrade", "content-length: 0"] {
        assert!(response.contains(&format!("{field}\r\n")), "{response}");
    }
}

/// The paved path of the same: one call answers what speaks WebSocket, well or badly, and leaves the rest.
#[test]
#[cfg(feature = "alloc")]
fn a_session_accepts() {
    let deflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let good = GOOD.map(|(name, value)| format!("{name}: {value}\r\n")).concat();
    let accept = |fields: &str, deflate, room| {
        let mut input = format!("GET / HTTP/1.1\r\n{fields}\r\n").into_bytes();
        let (mut http, mut out) = (Server::default(), vec![0; room]);
        let (mut rx, mut tx) = (Rx::new(&mut input), Tx::new(&mut out));
        let Some(Event::Request(request)) = http.poll(Instant::ZERO, &mut rx, &mut tx).unwrap() else { panic!() };
        let accept = |http: &mut Server, tx: &mut Tx<'_>| {
            ws::Session::accept(&request, OriginPolicy::SameHost, deflate, ws::Config::new(), http, tx)
                .map(|s| s.is_some())
        };
        let outcome = accept(&mut http, &mut tx);
        let again = accept(&mut http, &mut tx);
        (outcome, again, http.owes_response(), http.has_switched(), String::from_utf8(tx.written().to_vec()).unwrap())
    };
    let answered = Err(SendError::Misuse(Misuse::Http(hopwire::http1::Misuse::Closed)));

    let (outcome, again, owes, switched, sent) = accept(&good, None, 300);
    assert_eq!((outcome, again, owes, switched), (Ok(true), answered, false, true));
    assert!(sent.starts_with("HTTP/1.1 101 ") && !sent.contains("Extensions"), "{sent}");

    for (config, agreed) in [(None, false), (Some(deflate::Config::new()), true)] {
        let (outcome, .., sent) = accept(&(good.clone() + deflate), config, 300);
        assert_eq!((outcome, sent.contains("Extensions: permessage-deflate")), (Ok(true), agreed), "{sent}");
    }

    // The longest there is, so that 300 bytes are always enough.
    let longest = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=15; client_max_window_bits\r\n";
    let config = deflate::Config {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        client_max_window_bits: 14,
        ..deflate::Config::new()
    };
    let (outcome, .., sent) = accept(&(good.clone() + longest), Some(config), 300);
    assert_eq!((outcome, sent.matches(['=', ';']).count(), sent.len()), (Ok(true), 7, 285), "{sent}");

    assert_eq!(accept("Host: a\r\n", None, 300), (Ok(false), Ok(false), true, false, String::new()), "ordinary");

    let other_site = good.clone() + "Origin: https://other.example\r\n";
    for (fields, status) in [(good.replace("13", "8"), "426"), (other_site, "403")] {
        let (outcome, again, owes, switched, sent) = accept(&fields, None, 300);
        let twice = Err(SendError::Misuse(Misuse::Http(hopwire::http1::Misuse::NothingToAnswer)));
        assert_eq!((outcome, again, owes, switched), (Ok(false), twice, false, false));
        assert!(sent.starts_with(&format!("HTTP/1.1 {status} ")), "{sent}");
        let (outcome, again, owes, _, sent) = accept(&fields, None, 20);
        assert!(matches!(outcome, Err(SendError::Full(_))) && outcome == again && owes && sent.is_empty());
    }
    let full = Err(SendError::Full(Full { needed: 129 }));
    assert_eq!(accept(&good, None, 128), (full, full, true, false, String::new()));
}

proptest! {
    /// Any fields at all: no panic, and what is accepted is answered.
    #[test]
    fn any_fields(fields in proptest::collection::vec(
        (prop_oneof![
            proptest::sample::select(vec!["host", "upgrade", "connection", "sec-websocket-key", "sec-websocket-version",
                "origin", "sec-websocket-protocol", "sec-websocket-extensions"]).prop_map(str::to_owned),
            "[a-z-]{0,30}",
        ], prop_oneof![
            proptest::sample::select(GOOD.map(|(_, v)| v.as_bytes().to_vec()).to_vec()),
            proptest::collection::vec(any::<u8>(), 0..40),
        ]), 0..8), replace in 0..GOOD.len()) {
        let good = GOOD.iter().enumerate().filter(|(at, _)| *at != replace).map(|(_, (n, v))| (*n, v.as_bytes()));
        let all = good.chain(fields.iter().map(|(n, v)| (n.as_str(), v.as_slice())));
        if let Ok(Some(handshake)) = Handshake::from_parts(b"GET", Version::Http11, all) {
            let answer = handshake.accept(OriginPolicy::Any).unwrap();
            let first = handshake.subprotocols().next();
            let answer = first.as_ref().map_or(answer, |p| answer.subprotocol(p.as_str()));
            let answer = answer.deflate(deflate::negotiate(&handshake, deflate::Config::default()));
            let mut out = [0; 512];
            prop_assert!(answer.write(&mut Tx::new(&mut out)).is_ok());
        }
    }
}

const GOOD: [(&str, &str); 5] = [
    ("host", "server.example.com"),
    ("upgrade", "websocket"),
    ("connection", "Upgrade"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("sec-websocket-version", "13"),
];

fn handshake<'a>(fields: &[(&str, &'a str)]) -> Result<Option<Handshake<'a>>, Refusal> {
    Handshake::from_parts(b"GET", Version::Http11, fields.iter().map(|(n, v)| (*n, v.as_bytes())))
}

/// The good request with some fields replaced.
fn with<'a>(fields: &[(&str, &'a str)]) -> Result<Option<Handshake<'a>>, Refusal> {
    let kept = GOOD.iter().copied().filter(|(name, _)| !fields.iter().any(|(other, _)| name == other));
    handshake(&kept.chain(fields.iter().copied()).collect::<Vec<_>>())
}

/// The good request with some fields more.
fn and<'a>(fields: &[(&str, &'a str)]) -> Result<Option<Handshake<'a>>, Refusal> {
    handshake(&GOOD.iter().copied().chain(fields.iter().copied()).collect::<Vec<_>>())
}

fn write<E: core::fmt::Debug>(write: impl FnOnce(&mut Tx<'_>) -> Result<(), E>) -> String {
    let mut out = [0; 1024];
    let mut tx = Tx::new(&mut out);
    write(&mut tx).expect("there is room");
    String::from_utf8(tx.written().to_vec()).expect("ASCII")
}

/// What a server said to a vector's request.
#[derive(Debug, PartialEq)]
struct Told {
    response: Vec<u8>,
    /// The text in the frames behind the head.
    text: String,
}

/// As a caller does: HTTP until the handshake is answered, WebSocket behind it.
fn play(case: &Value, pieces: &[&[u8]]) -> Told {
    let options = case.get("options").expect("options");
    let spoken: Vec<_> = options.get("subprotocols").map_or(&[][..], Value::items).iter().collect();
    let spoken: Vec<_> = spoken.iter().filter_map(|name| name.as_str()).collect();
    let (mut http, mut websocket) = (Server::default(), ws::Connection::server(ws::Config::default()));
    let (mut inbox, mut out) = (Vec::new(), [0; 1024]);
    let mut told = Told { response: Vec::new(), text: String::new() };
    for piece in pieces {
        inbox.extend_from_slice(piece);
        let (mut rx, mut tx) = (Rx::new(&mut inbox), Tx::new(&mut out));
        while let Ok(Some(event)) = http.poll(Instant::ZERO, &mut rx, &mut tx) {
            let Event::Request(request) = event else { continue };
            let handshake = match Handshake::of(&request) {
                Ok(handshake) => handshake.ok_or(Refusal::NotWebSocket),
                Err(refusal) => Err(refusal),
            };
            // The vectors know RFC 6455 alone, which leaves it to the server which origins it takes.
            match handshake.as_ref().map(|it| it.accept(OriginPolicy::Any).expect("any origin may")) {
                Ok(answer) => {
                    let handshake = handshake.as_ref().expect("it was answered");
                    let chosen = handshake.subprotocols().find_map(|p| spoken.iter().find(|name| p == **name).copied());
                    let answer = chosen.map_or(answer, |name| answer.subprotocol(name));
                    let wanted = options.is_true("deflate");
                    let deflate = deflate::negotiate(handshake, deflate::Config::default()).filter(|_| wanted);
                    answer.deflate(deflate).respond(&mut http, &mut tx).expect("there is room");
                }
                Err(refusal) => refusal.respond(&mut http, &mut tx).expect("there is room"),
            }
        }
        if http.has_switched() {
            while let Some(event) = websocket.poll(Instant::ZERO, &mut rx, &mut tx).expect("frames follow") {
                let ws::Event::Text { text, .. } = event else { panic!("not text: {event:?}") };
                told.text.push_str(text.as_str());
            }
        }
        let used = rx.consumed();
        told.response.extend_from_slice(tx.written());
        inbox.drain(..used);
    }
    told
}

fn judge(case: &Value, told: &Told) -> Result<(), String> {
    let expect = case.get("expect").ok_or("no expectation")?;
    let wrong = |what: &str| Err(format!("{what}: {}", show(&told.response)));
    let response = core::str::from_utf8(&told.response).map_err(|_| "not text")?;
    let status: i64 = response[9..12].parse().map_err(|_| "no status")?;
    let wanted = expect.num("status").ok_or("no status expected")?;
    let also: Vec<i64> = expect.get("also_ok").map_or(&[][..], Value::items).iter().filter_map(Value::as_i64).collect();
    if status != wanted && !also.contains(&status) {
        return wrong("status");
    }
    let field = |name: &str| {
        let mut lines = response.split("\r\n").filter_map(|line| line.split_once(": "));
        lines.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    for (name, value) in expect.get("headers").map_or(&[][..], Value::members) {
        if status == wanted && field(name) != value.as_str() {
            return wrong(name);
        }
    }
    if status != 101 || wanted != 101 {
        return Ok(());
    }
    let text = |key: &str| expect.get(key).and_then(Value::as_str);
    if field("Sec-WebSocket-Accept") != text("accept") || field("Upgrade") != Some("websocket") {
        return wrong("accept");
    }
    if field("Sec-WebSocket-Protocol") != text("subprotocol") {
        return wrong("subprotocol");
    }
    let input = case.bytes("bytes_hex").expect("an input");
    let end = input.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
    let behind = match &input[end + 4..] {
        [0x81, _, key @ .., b'\x7f', b'\x9f', b'\x4d', b'\x51', b'\x58'] if key == b"\x37\xfa\x21\x3d" => "Hello",
        [] => "",
        other => return Err(format!("a frame without a test: {}", show(other))),
    };
    if told.text != behind {
        return wrong("the text behind the head");
    }
    if field("Sec-WebSocket-Extensions") != text("extensions") {
        return wrong("extensions");
    }
    Ok(())
}
