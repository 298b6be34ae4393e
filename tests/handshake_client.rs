//! The WebSocket handshake, the client's side: what RFC 6455 §4.1, RFC 7692 §7.1 and known attacks ask for.

#![allow(clippy::panic, reason = "a test fails by panicking")]

mod support;

use core::time::Duration;
use hopwire::digest::base64;
use hopwire::http::{Status, Version};
use hopwire::http1::client::{Config, Event, Unusable};
use hopwire::http1::{self, Client, Limit, Server, server};
use hopwire::io::{Full, Rx, SendError, Tx, Wants};
use hopwire::time::Instant;
use hopwire::ws::handshake::{Agreed, Handshake, Misuse, OriginPolicy, Request, Violation, deflate};
use hopwire::ws::{self, Url};
use proptest::prelude::*;
use support::json::Value;
use support::vectors;

#[test]
fn vectors_for_the_client() {
    vectors::run(&vectors::Suite {
        name: "ws_handshake",
        skip: &|case| (case.text("role") != "client").then_some("of the server: tests/handshake.rs"),
        input: "bytes_hex",
        play: &|case, pieces| play(case, pieces),
        judge: &|case, opened| {
            let fail = case.get("expect").is_some_and(|expect| expect.is_true("fail"));
            if fail == opened.is_none() { Ok(()) } else { Err(format!("{opened:?}")) }
        },
    });
}

#[test]
fn the_url_becomes_the_request() {
    for (url, line, host) in [
        ("ws://a.example", "GET / HTTP/1.1", "a.example"),
        ("ws://a.example:80/b?c", "GET /b?c HTTP/1.1", "a.example"),
        ("wss://a.example:80?c", "GET /?c HTTP/1.1", "a.example:80"),
        ("ws://[::1]:9001/%20?", "GET /%20 HTTP/1.1", "[::1]:9001"),
    ] {
        let text = write(&Request::new(Url::parse(url).unwrap(), NONCE));
        assert!(text.starts_with(&format!("{line}\r\nHost: {host}\r\nUpgrade: websocket\r\n")), "{text}");
    }
}

#[test]
fn the_request_is_written_whole_or_not_at_all() {
    let offers = [
        deflate::Offer { server_max_window_bits: Some(10), server_no_context_takeover: true, ..deflate::Offer::ANY },
        deflate::Offer::ANY,
    ];
    let fields = [("Cookie", &b"a=b"[..]), ("X-Empty", b"")];
    let request = request().subprotocols(&["v2", "v1"]).deflate(&offers).fields(&fields);
    let text = write(&request);
    let ours: String = request.header().unwrap().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    assert_eq!(text, format!("GET /chat HTTP/1.1\r\n{ours}Cookie: a=b\r\nX-Empty: \r\n\r\n"));
    assert!(text.contains("\r\nSec-WebSocket-Protocol: v2, v1\r\n"));
    assert!(text.contains(
        "\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; server_max_window_bits=10; \
         client_max_window_bits, permessage-deflate; client_max_window_bits\r\n"
    ));
    for room in 0..text.len() {
        let mut out = vec![0; room];
        let mut tx = Tx::new(&mut out);
        assert_eq!(request.write(&mut tx), Err(SendError::Full(Full { needed: text.len() })));
        assert!(tx.is_empty());
    }
}

#[test]
fn a_request_cannot_be_misused() {
    let misuse = |request: Request<'_>| {
        let mut out = [0; 1024];
        let mut tx = Tx::new(&mut out);
        let error = request.write(&mut tx).expect_err("a misuse");
        assert!(tx.is_empty());
        assert_eq!(request.header().err().map(SendError::Misuse), Some(error));
        error
    };
    for names in [&[""][..], &["a b"], &["a,b"], &["a\r\nX: y"], &["caf\u{e9}"], &["a", "b", "a"], &["a", "b", "b"]] {
        assert_eq!(misuse(request().subprotocols(names)), SendError::Misuse(Misuse::Subprotocol), "{names:?}");
    }
    for bits in [0, 7, 16, 255] {
        let server = deflate::Offer { server_max_window_bits: Some(bits), ..deflate::Offer::ANY };
        let client = deflate::Offer { client_max_window_bits: Some(bits), ..deflate::Offer::ANY };
        for offers in [[server, deflate::Offer::ANY], [deflate::Offer::ANY, client]] {
            assert_eq!(misuse(request().deflate(&offers)), SendError::Misuse(Misuse::Deflate), "{bits}");
        }
    }
    for (name, value) in
        [("X", "a\r\nY: b"), ("X", "a\n"), ("X", "a\0"), ("X\r\n", "a"), ("", "a"), ("X Y", "a"), ("X:", "")]
    {
        assert_eq!(
            misuse(request().fields(&[(name, value.as_bytes())])),
            SendError::Misuse(Misuse::Field),
            "{name:?}: {value:?}"
        );
    }
    for name in [
        "host",
        "UPGRADE",
        "connection",
        "content-length",
        "Transfer-Encoding",
        "Expect",
        "Sec-WebSocket-Key",
        "sec-websocket-anything",
    ] {
        assert_eq!(misuse(request().fields(&[(name, b"x")])), SendError::Misuse(Misuse::Reserved), "{name}");
    }
}

#[test]
fn each_requirement_has_its_violation() {
    for (name, value, violation) in [
        ("Upgrade", "", Violation::Upgrade),
        ("Upgrade", "h2c", Violation::Upgrade),
        ("Upgrade", "websocket, h2c", Violation::Upgrade),
        ("Upgrade", "websocket/13", Violation::Upgrade),
        ("Connection", "", Violation::Connection),
        ("Connection", "close", Violation::Connection),
        ("Connection", "upgraded", Violation::Connection),
        ("Sec-WebSocket-Accept", "", Violation::Accept),
        ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOp=", Violation::Accept),
        ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo", Violation::Accept),
        ("Sec-WebSocket-Accept", "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=", Violation::Accept),
        ("Sec-WebSocket-Accept", "dGhlIHNhbXBsZSBub25jZQ==", Violation::Accept),
    ] {
        let without: Vec<_> = GOOD.iter().copied().filter(|(own, _)| *own != name).collect();
        assert_eq!(judge(&request(), &without), Err(violation), "no {name}");
        let wrong: Vec<_> = without.into_iter().chain((!value.is_empty()).then_some((name, value))).collect();
        assert_eq!(judge(&request(), &wrong), Err(violation), "{name}: {value}");
    }
    for (name, value) in
        [("UPGRADE", "WebSocket"), ("connection", "keep-alive, upgrade"), ("connection", "\"a, upgrade")]
    {
        let other: Vec<_> = GOOD.iter().copied().filter(|(own, _)| !own.eq_ignore_ascii_case(name)).collect();
        let all: Vec<_> = other.into_iter().chain([(name, value)]).collect();
        assert!(judge(&request(), &all).unwrap().is_some(), "{name}: {value}");
    }
    let old = request().judge_parts(Version::Http10, Status::SWITCHING_PROTOCOLS, bytes(&GOOD));
    assert_eq!(old, Err(Violation::Version));
}

#[test]
fn what_must_stand_alone_does() {
    let offers = [deflate::Offer::ANY];
    let request = request().subprotocols(&["a"]).deflate(&offers);
    for (name, value) in [
        ("Sec-WebSocket-Protocol", "a"),
        ("Sec-WebSocket-Extensions", "permessage-deflate"),
        ("Sec-WebSocket-Accept", GOOD[2].1),
    ] {
        let once = (name != "Sec-WebSocket-Accept").then_some((name, value));
        let fields: Vec<_> = GOOD.into_iter().chain(once).collect();
        assert!(judge(&request, &fields).unwrap().is_some());
        let twice: Vec<_> = fields.into_iter().chain([(name, value)]).collect();
        assert_eq!(judge(&request, &twice), Err(Violation::Repeated), "{name}");
    }
    let upgrades: Vec<_> = GOOD.into_iter().chain([GOOD[0]]).collect();
    assert_eq!(judge(&request, &upgrades), Err(Violation::Upgrade));
}

/// Content behind the head would be taken for frames.
#[test]
fn content_in_the_answer_is_refused() {
    for (name, value) in [("Content-Length", "1"), ("content-length", "+0"), ("Transfer-Encoding", "chunked")] {
        assert_eq!(and(&request(), &[(name, value)]), Err(Violation::Body), "{name}: {value}");
    }
    assert!(and(&request(), &[("Content-Length", "0")]).unwrap().is_some());
}

#[test]
fn only_an_offered_subprotocol_is_taken() {
    let names = ["v2.chat", "v1.chat"];
    let request = request().subprotocols(&names);
    let chosen = |value| and(&request, &[("Sec-WebSocket-Protocol", value)]);
    assert_eq!(chosen(" v1.chat ").unwrap().unwrap().subprotocol, Some("v1.chat"));
    for value in ["", "V1.chat", "v2.chat, v1.chat", "v2", "v3.chat", "\"v1.chat\""] {
        assert_eq!(chosen(value), Err(Violation::Subprotocol), "{value}");
    }
    assert_eq!(judge(&request, &GOOD).unwrap().unwrap().subprotocol, None);
    assert_eq!(and(&self::request(), &[("Sec-WebSocket-Protocol", "a")]), Err(Violation::Subprotocol));
}

#[test]
fn only_an_offered_extension_is_taken() {
    let offers = [deflate::Offer::ANY];
    for value in [
        "x-foo",
        "x-foo, permessage-deflate",
        "permessage-deflate, permessage-deflate",
        "Permessage-Deflate",
        "permessage-deflate;",
        "permessage-deflate; ; server_no_context_takeover",
        "permessage-deflate; server_max_window_bits=\"1 0\"",
        "permessage-deflate server_no_context_takeover",
        "",
        ",",
    ] {
        let answer = and(&request().deflate(&offers), &[("Sec-WebSocket-Extensions", value)]);
        assert_eq!(answer, Err(Violation::Extension), "{value}");
    }
    let answer = and(&request(), &[("Sec-WebSocket-Extensions", "permessage-deflate")]);
    assert_eq!(answer, Err(Violation::Extension), "nothing was offered");
    assert_eq!(judge(&request().deflate(&offers), &GOOD).unwrap().unwrap().deflate, None, "declined");
}

/// RFC 7692 §7.1: the answer repeats or outdoes what was demanded, and asks for nothing the client did not say it can do.
#[test]
fn the_answer_keeps_to_an_offer() {
    const NONE: deflate::Offer = deflate::Offer {
        server_no_context_takeover: false,
        client_no_context_takeover: false,
        server_max_window_bits: None,
        client_max_window_bits: None,
    };
    let any = deflate::Offer::ANY;
    let server = |bits| deflate::Offer { server_max_window_bits: Some(bits), ..NONE };
    let client = |bits| deflate::Offer { client_max_window_bits: Some(bits), ..NONE };
    let no_context = deflate::Offer { server_no_context_takeover: true, ..NONE };
    let hint = deflate::Offer { client_no_context_takeover: true, ..NONE };
    type Agreed = Option<(bool, bool, Option<u8>, Option<u8>)>;
    let cases: &[(&[deflate::Offer], &str, Agreed)] = &[
        (&[NONE], "", Some((false, false, None, None))),
        (&[NONE], "; server_no_context_takeover", Some((true, false, None, None))),
        (&[NONE], "; client_no_context_takeover", Some((false, true, None, None))),
        (&[NONE], "; server_max_window_bits=8", Some((false, false, Some(8), None))),
        (&[NONE], "; server_max_window_bits=\"9\"", Some((false, false, Some(9), None))),
        (&[NONE], "; client_max_window_bits=15", None),
        (&[any], "; client_max_window_bits=8", Some((false, false, None, Some(8)))),
        (&[any], "; client_max_window_bits", None),
        (&[any], "; client_max_window_bits=16", None),
        (&[any], "; client_max_window_bits=08", None),
        (&[any], "; client_max_window_bits=+8", None),
        (&[any], "; server_max_window_bits=7", None),
        (&[any], "; server_max_window_bits", None),
        (&[any], "; server_max_window_bits=8; server_max_window_bits=8", None),
        (&[any], "; server_no_context_takeover; server_no_context_takeover", None),
        (&[any], "; client_no_context_takeover=1", None),
        (&[any], "; unknown", None),
        (&[server(10)], "; server_max_window_bits=10", Some((false, false, Some(10), None))),
        (&[server(10)], "; server_max_window_bits=9", Some((false, false, Some(9), None))),
        (&[server(10)], "; server_max_window_bits=11", None),
        (&[server(10)], "", None),
        (&[server(15)], "", None),
        (&[no_context], "", None),
        (&[no_context], "; server_no_context_takeover", Some((true, false, None, None))),
        // What the client said of itself holds, whether or not the answer repeats it.
        (&[hint], "", Some((false, true, None, None))),
        (&[client(10)], "", Some((false, false, None, Some(10)))),
        (&[client(10)], "; client_max_window_bits=9", Some((false, false, None, Some(9)))),
        (&[client(10)], "; client_max_window_bits=11", None),
        // Several offers: the answer keeps to one of them at least.
        (&[no_context, server(10)], "; server_max_window_bits=10", Some((false, false, Some(10), None))),
        (&[no_context, server(10)], "", None),
        (&[no_context, NONE], "", Some((false, false, None, None))),
        (&[no_context, client(9), client(12)], "; client_max_window_bits=11", Some((false, false, None, Some(11)))),
        (&[client(12), client(9), hint], "", Some((false, true, None, Some(9)))),
    ];
    for &(offers, parameters, agreed) in cases {
        let value = format!("permessage-deflate{parameters}");
        let answer = and(&request().deflate(offers), &[("Sec-WebSocket-Extensions", &value)]);
        let got = answer.map(|agreed| {
            let params = agreed.unwrap().deflate.unwrap();
            (
                params.server_no_context_takeover,
                params.client_no_context_takeover,
                params.server_max_window_bits,
                params.client_max_window_bits,
            )
        });
        assert_eq!(got, agreed.ok_or(Violation::Deflate), "{offers:?} {value}");
    }
}

#[test]
fn other_statuses_are_ordinary_responses() {
    for status in [100, 103, 200, 302, 400, 401, 426, 503] {
        let status = Status::new(status).unwrap();
        assert_eq!(request().judge_parts(Version::Http11, status, bytes(&GOOD)), Ok(None));
        assert_eq!(request().judge_parts(Version::Http10, status, bytes(&[])), Ok(None));
    }
}

/// Over `http1::Client`: the frames behind the head stay unread, and belong to the connection that follows. What comes
/// before the answer (1xx) is none.
#[test]
fn answered_over_http1_in_any_pieces() {
    let head = GOOD.map(|(name, value)| format!("{name}: {value}\r\n")).concat();
    let answer = format!("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 101 Yes\r\n{head}\r\n\u{1}\u{2}Hello");
    for cut in 0..=answer.len() {
        let (mut http, mut inbox, mut agreed) = (open(&request()), Vec::new(), None);
        for piece in [&answer[..cut], &answer[cut..]] {
            inbox.extend_from_slice(piece.as_bytes());
            let mut rx = Rx::new(&mut inbox);
            while let Some(event) = http.poll(Instant::ZERO, &mut rx).unwrap() {
                match event {
                    Event::Interim(response) => assert_eq!(request().judge(&response), Ok(None)),
                    Event::Switched(response) => agreed = request().judge(&response).unwrap(),
                    other => panic!("{other:?}"),
                }
            }
            let used = rx.consumed();
            inbox.drain(..used);
        }
        assert_eq!(agreed, Some(Agreed { subprotocol: None, deflate: None }));
        assert!(http.has_switched() && http.poll_timeout().is_none());
        assert_eq!(inbox, b"\x01\x02Hello", "{cut}");
    }
}

/// A refusal is an ordinary response, and the connection can be used again: here with the password that was asked for.
#[test]
fn a_refusal_comes_with_its_content() {
    let mut http = open(&request());
    let mut refusal = *b"HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic\r\nContent-Length: 5\r\n\r\nwhat?";
    let (mut rx, mut content) = (Rx::new(&mut refusal), Vec::new());
    while let Some(event) = http.poll(Instant::ZERO, &mut rx).unwrap() {
        match event {
            Event::Response(response) => {
                assert_eq!(request().judge(&response), Ok(None));
                assert!(response.status.code() == 401 && response.fields.contains("WWW-Authenticate"));
            }
            Event::Body(data) => content.extend_from_slice(data),
            Event::End => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((content.as_slice(), http.unusable()), (&b"what?"[..], None));
    let fields = [("Authorization", &b"Basic YTpi"[..])];
    let mut out = [0; 512];
    request().fields(&fields).send(&mut http, &mut Tx::new(&mut out)).unwrap();
    let head = GOOD.map(|(name, value)| format!("{name}: {value}\r\n")).concat();
    let mut answer = format!("HTTP/1.1 101 Yes\r\n{head}\r\n").into_bytes();
    let mut rx = Rx::new(&mut answer);
    let Some(Event::Switched(response)) = http.poll(Instant::ZERO, &mut rx).unwrap() else { panic!("no 101") };
    assert!(request().judge(&response).unwrap().is_some());
}

#[test]
fn nothing_follows_the_request_before_its_answer() {
    let mut http = Client::default();
    let mut out = [0; 512];
    let mut tx = Tx::new(&mut out[..100]);
    assert!(matches!(request().send(&mut http, &mut tx), Err(SendError::Full(_))));
    assert!(tx.is_empty() && http.outstanding() == 0);
    let mut tx = Tx::new(&mut out);
    let reserved = request().fields(&[("Host", b"b")]).send(&mut http, &mut tx);
    assert_eq!((reserved, http.outstanding()), (Err(SendError::Misuse(Misuse::Reserved)), 0));
    request().send(&mut http, &mut tx).unwrap();
    let again = request().send(&mut http, &mut tx);
    assert_eq!(again, Err(SendError::Misuse(Misuse::Http(http1::Misuse::Pipeline))));
    assert_eq!(tx.written(), write(&request()).as_bytes());
}

/// An answer that drips in, with a 1xx before it, has no more time than one that never comes.
#[test]
fn the_whole_handshake_has_a_deadline() {
    let mut http = open(&request());
    let mut wire = *b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101";
    let mut rx = Rx::new(&mut wire);
    assert!(http.poll(Instant::from_millis(1000), &mut Rx::new(&mut [])).unwrap().is_none());
    assert!(matches!(http.poll(Instant::from_millis(1400), &mut rx), Ok(Some(Event::Interim(_)))));
    assert!(http.poll(Instant::from_millis(1400), &mut rx).unwrap().is_none());
    assert_eq!(http.poll_timeout(), Some(Instant::from_millis(1500)));
    http.handle_timeout(Instant::from_nanos(1_499_999_999));
    assert_eq!((http.wants(), http.unusable()), (Wants::Input, None));
    http.handle_timeout(Instant::from_millis(1500));
    assert!(http.wants() == Wants::Close && matches!(http.unusable(), Some(Unusable::Failed(_))));
    assert!(http.poll(Instant::from_millis(1500), &mut rx).is_err());
}

/// An answer that does not end is cut off where the limits of a head are.
#[test]
fn an_endless_answer_has_its_limits() {
    let long = "x".repeat(1 << 20);
    for (answer, limit) in [
        (format!("HTTP/1.1 101 {long}"), Limit::StatusLine),
        (format!("HTTP/1.1 101 Yes\r\nX: {long}"), Limit::Head),
        (format!("HTTP/1.1 101 Yes\r\n{}", "X: y\r\n".repeat(101)), Limit::Fields),
        ("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(21), Limit::Interim),
    ] {
        let (mut http, mut answer) = (open(&request()), answer.into_bytes());
        let mut rx = Rx::new(&mut answer);
        let violation = loop {
            match http.poll(Instant::ZERO, &mut rx) {
                Ok(event) => assert!(matches!(event, Some(Event::Interim(_)))),
                Err(violation) => break violation,
            }
        };
        assert_eq!(violation, http1::Violation::Limit(limit));
    }
}

/// Both ends of this crate, from the first byte of HTTP to an echoed message, in pieces of any size.
#[test]
fn both_ends_meet() {
    let offers = [deflate::Offer::ANY];
    let request = request().subprotocols(&["b", "a"]).deflate(&offers);
    for size in [1, 2, 3, 7, 64, 1024] {
        let (mut client, mut server) = (Client::default(), Server::default());
        let (mut up, mut down) = ([0; 1024], [0; 1024]);
        let (mut up, mut tx) = (Tx::new(&mut up), Tx::new(&mut down));
        request.send(&mut client, &mut up).unwrap();
        let mut inbox = Vec::new();
        for piece in up.written().chunks(size) {
            inbox.extend_from_slice(piece);
            let mut rx = Rx::new(&mut inbox);
            while let Some(event) = server.poll(Instant::ZERO, &mut rx, &mut tx).unwrap() {
                let server::Event::Request(request) = event else { continue };
                let handshake = Handshake::of(&request).unwrap().unwrap();
                let deflate = deflate::negotiate(&handshake, deflate::Config::default());
                let answer = handshake.accept(OriginPolicy::default()).unwrap().subprotocol("a").deflate(deflate);
                answer.respond(&mut server, &mut tx).unwrap();
                ws::Connection::default().send_text("first", &mut tx).unwrap();
            }
            let used = rx.consumed();
            inbox.drain(..used);
        }
        let (mut agreed, mut texts) = (None, String::new());
        let mut conn = ws::Connection::client(|key: &mut [u8]| key.fill(7), ws::Config::new());
        for piece in tx.written().chunks(size) {
            inbox.extend_from_slice(piece);
            let (mut rx, mut tx) = (Rx::new(&mut inbox), Tx::new(&mut []));
            if let Some(Event::Switched(response)) = client.poll(Instant::ZERO, &mut rx).unwrap() {
                agreed = request.judge(&response).unwrap();
            }
            while let Some(event) =
                if agreed.is_some() { conn.poll(Instant::ZERO, &mut rx, &mut tx).unwrap() } else { None }
            {
                let ws::Event::Text { text, .. } = event else { panic!("{event:?}") };
                texts.push_str(text.as_str());
            }
            let used = rx.consumed();
            inbox.drain(..used);
        }
        assert_eq!(agreed, Some(Agreed { subprotocol: Some("a"), deflate: Some(deflate::Params::default()) }));
        assert_eq!((texts.as_str(), inbox.as_slice()), ("first", &b""[..]), "{size}");
    }
}

proptest! {
    /// Both ends of this crate understand each other, whatever is offered and whatever the server is ready to do.
    #[test]
    fn client_and_server_agree(
        offers in proptest::collection::vec(any_offer(), 0..4),
        bits in (8..=15_u8, 8..=15_u8),
        contexts in any::<(bool, bool)>(),
        subprotocols in proptest::sample::subsequence(vec!["a", "b", "c"], 0..=3),
    ) {
        let request = request().subprotocols(&subprotocols).deflate(&offers);
        let lines: Vec<_> = request.header().unwrap().map(|(name, value)| (name, value.to_string())).collect();
        let handshake = Handshake::from_parts(
            b"GET", Version::Http11, lines.iter().map(|(name, value)| (*name, value.as_bytes())),
        ).unwrap().unwrap();
        let config = deflate::Config {
            server_max_window_bits: bits.0,
            client_max_window_bits: bits.1,
            server_no_context_takeover: contexts.0,
            client_no_context_takeover: contexts.1,
        };
        let params = deflate::negotiate(&handshake, config);
        let mut answer = handshake.accept(OriginPolicy::SameHost).unwrap().deflate(params);
        if let Some(last) = subprotocols.last() {
            answer = answer.subprotocol(last);
        }
        let agreed = request
            .judge_parts(Version::Http11, Status::SWITCHING_PROTOCOLS, answer.header().unwrap())
            .unwrap()
            .unwrap();
        prop_assert_eq!(agreed.subprotocol, subprotocols.last().copied());
        let Some(params) = params else {
            prop_assert_eq!(agreed.deflate, None);
            return Ok(());
        };
        let ours = agreed.deflate.unwrap();
        let window = |bits: Option<u8>| bits.unwrap_or(15);
        // The server writes as the client reads, and reads at least what the client writes.
        prop_assert_eq!(ours.server_no_context_takeover, params.server_no_context_takeover);
        prop_assert_eq!(window(ours.server_max_window_bits), window(params.server_max_window_bits));
        prop_assert!(window(params.server_max_window_bits) <= bits.0);
        prop_assert!(window(ours.client_max_window_bits) <= window(params.client_max_window_bits).min(bits.1));
        prop_assert!(ours.client_no_context_takeover || !params.client_no_context_takeover);
    }

    /// Any fields at all: no panic, and what is taken was asked for.
    #[test]
    fn any_fields(fields in proptest::collection::vec((
        prop_oneof![
            proptest::sample::select(vec!["upgrade", "connection", "sec-websocket-accept", "sec-websocket-protocol",
                "sec-websocket-extensions", "content-length"]).prop_map(str::to_owned),
            "[a-z-]{0,30}",
        ],
        prop_oneof![
            proptest::sample::select(vec!["a", "b", "permessage-deflate", "permessage-deflate; server_max_window_bits=9"])
                .prop_map(|value| value.as_bytes().to_vec()),
            proptest::collection::vec(any::<u8>(), 0..40),
        ],
    ), 0..6)) {
        let offers = [deflate::Offer::ANY];
        let request = request().subprotocols(&["a"]).deflate(&offers);
        let all = bytes(&GOOD).chain(fields.iter().map(|(name, value)| (name.as_str(), value.as_slice())));
        if let Ok(Some(agreed)) = request.judge_parts(Version::Http11, Status::SWITCHING_PROTOCOLS, all) {
            let said = |name: &str| fields.iter().filter(|(own, _)| own == name).count();
            prop_assert_eq!(said("sec-websocket-protocol"), usize::from(agreed.subprotocol == Some("a")));
            prop_assert_eq!(said("sec-websocket-extensions"), usize::from(agreed.deflate.is_some()));
            prop_assert_eq!(said("upgrade") + said("sec-websocket-accept"), 0);
        }
    }
}

fn any_offer() -> impl Strategy<Value = deflate::Offer> {
    let bits = || proptest::option::of(8..=15_u8);
    (any::<bool>(), any::<bool>(), bits(), bits()).prop_map(|(server, client, server_bits, client_bits)| {
        deflate::Offer {
            server_no_context_takeover: server,
            client_no_context_takeover: client,
            server_max_window_bits: server_bits,
            client_max_window_bits: client_bits,
        }
    })
}

const CONFIG: Config = Config { whole_timeout: Some(Duration::from_millis(500)), ..Config::new() };

/// §1.2, §1.3.
const NONCE: [u8; 16] = *b"the sample nonce";
const GOOD: [(&str, &str); 3] =
    [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")];

fn request() -> Request<'static> {
    request_with(NONCE)
}

fn request_with(nonce: [u8; 16]) -> Request<'static> {
    Request::new(Url::parse("ws://server.example.com/chat").expect("a URL"), nonce)
}

fn bytes<'f>(fields: &'f [(&'f str, &'f str)]) -> impl Iterator<Item = (&'f str, &'f [u8])> {
    fields.iter().map(|(name, value)| (*name, value.as_bytes()))
}

fn judge<'a>(request: &Request<'a>, fields: &[(&str, &str)]) -> Result<Option<Agreed<'a>>, Violation> {
    request.judge_parts(Version::Http11, Status::SWITCHING_PROTOCOLS, bytes(fields))
}

/// The good answer with some fields more.
fn and<'a>(request: &Request<'a>, fields: &[(&str, &str)]) -> Result<Option<Agreed<'a>>, Violation> {
    judge(request, &GOOD.iter().copied().chain(fields.iter().copied()).collect::<Vec<_>>())
}

fn write(request: &Request<'_>) -> String {
    let mut out = [0; 1024];
    let mut tx = Tx::new(&mut out);
    request.write(&mut tx).expect("there is room");
    String::from_utf8(tx.written().to_vec()).expect("ASCII")
}

/// What a client makes of a vector's answer: what was agreed to and the bytes behind the head, or nothing.
fn play(case: &Value, pieces: &[&[u8]]) -> Option<(String, Vec<u8>)> {
    let options = case.get("options").expect("options");
    let subprotocols = options.get("subprotocols").map_or(&[][..], Value::items);
    let subprotocols: Vec<_> = subprotocols.iter().map(|name| name.as_str().expect("a name")).collect();
    let offers: Vec<_> =
        options.get("offer").map(|offer| offered(offer.as_str().expect("an offer"))).into_iter().collect();
    let mut nonce = [0; 16];
    base64::decode(options.text("key").as_bytes(), &mut nonce).expect("a key of 16 bytes");
    let request = request_with(nonce).subprotocols(&subprotocols).deflate(&offers);
    let (mut http, mut inbox, mut agreed) = (open(&request), Vec::new(), None);
    for piece in pieces {
        inbox.extend_from_slice(piece);
        let mut rx = Rx::new(&mut inbox);
        while let Some(event) = http.poll(Instant::ZERO, &mut rx).ok()? {
            let (Event::Switched(response) | Event::Response(response)) = event else { continue };
            agreed = Some(request.judge(&response).ok()??);
        }
        let used = rx.consumed();
        inbox.drain(..used);
    }
    Some((format!("{:?}", agreed?), inbox))
}

/// A connection on which the request was sent.
fn open(request: &Request<'_>) -> Client {
    let (mut http, mut out) = (Client::new(CONFIG), [0; 1024]);
    request.send(&mut http, &mut Tx::new(&mut out)).expect("the first request");
    http
}

/// An offer as the vectors write it.
fn offered(text: &str) -> deflate::Offer {
    let mut offer = deflate::Offer { client_max_window_bits: None, ..deflate::Offer::ANY };
    for parameter in text.split("; ").skip(1) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, "15"));
        let bits = value.parse().ok();
        match name {
            "server_no_context_takeover" => offer.server_no_context_takeover = true,
            "client_no_context_takeover" => offer.client_no_context_takeover = true,
            "server_max_window_bits" => offer.server_max_window_bits = bits,
            "client_max_window_bits" => offer.client_max_window_bits = bits,
            other => panic!("no such parameter: {other}"),
        }
    }
    assert_eq!(offer.to_string(), text);
    offer
}
