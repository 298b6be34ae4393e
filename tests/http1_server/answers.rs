//! What the caller's answers become: framing, fields, content, and the calls that are wrong.

use hopwire::http::{Method, forward};
use hopwire::http1::{RequestHead, ResponseHead};

use super::*;

#[test]
fn content_is_framed_as_status_method_and_version_allow() {
    let get10: &[u8] = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let head10: &[u8] = b"HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let kept = "connection: keep-alive\r\n";
    let (none, five, chunked) = (BodyLength::None, BodyLength::Length(5), BodyLength::Chunked);
    let cases: [(&[u8], Status, BodyLength, String, Wants); 16] = [
        (GET, Status::OK, none, "200 OK\r\ncontent-length: 0\r\n\r\n".into(), Wants::Input),
        (GET, Status::OK, five, "200 OK\r\ncontent-length: 5\r\n\r\nhello".into(), Wants::Input),
        (
            GET,
            Status::OK,
            chunked,
            "200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".into(),
            Wants::Input,
        ),
        (HEAD, Status::OK, none, "200 OK\r\n\r\n".into(), Wants::Input),
        (HEAD, Status::OK, five, "200 OK\r\ncontent-length: 5\r\n\r\n".into(), Wants::Input),
        (HEAD, Status::OK, chunked, "200 OK\r\ntransfer-encoding: chunked\r\n\r\n".into(), Wants::Input),
        (GET, Status::NO_CONTENT, none, "204 No Content\r\n\r\n".into(), Wants::Input),
        (GET, Status::NO_CONTENT, BodyLength::Length(0), "204 No Content\r\n\r\n".into(), Wants::Input),
        (GET, Status::NOT_MODIFIED, none, "304 Not Modified\r\n\r\n".into(), Wants::Input),
        (GET, Status::NOT_MODIFIED, five, "304 Not Modified\r\ncontent-length: 5\r\n\r\n".into(), Wants::Input),
        (GET, Status::NOT_MODIFIED, chunked, "304 Not Modified\r\n\r\n".into(), Wants::Input),
        (GET, Status::RESET_CONTENT, none, "205 Reset Content\r\ncontent-length: 0\r\n\r\n".into(), Wants::Input),
        (get10, Status::OK, five, format!("200 OK\r\n{kept}content-length: 5\r\n\r\nhello"), Wants::Input),
        (get10, Status::OK, chunked, "200 OK\r\nconnection: close\r\n\r\nhello".into(), Wants::Close),
        (head10, Status::OK, chunked, format!("200 OK\r\n{kept}\r\n"), Wants::Input),
        (
            b"GET / HTTP/1.0\r\n\r\n",
            Status::OK,
            five,
            "200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello".into(),
            Wants::Close,
        ),
    ];
    for (request, status, body, want, wants) in cases {
        let (wire, then) = reply_to(request, |server, out| {
            out.call(|tx| server.respond(status, &[], body, tx)).unwrap();
            if body != none {
                let content: &[u8] = if body == BodyLength::Length(0) { b"" } else { b"hello" };
                out.content(server, content).unwrap();
                out.call(|tx| server.end(&[], tx)).unwrap();
            }
            assert!(!server.owes_response());
        });
        assert_eq!((wire, then), (format!("HTTP/1.1 {want}"), wants), "{} {status} {body:?}", request.escape_ascii());
    }
}

#[test]
fn content_that_is_not_allowed_is_misuse() {
    let cases = [
        (Status::NO_CONTENT, BodyLength::Length(1), Misuse::ContentNotAllowed),
        (Status::NO_CONTENT, BodyLength::Chunked, Misuse::ContentNotAllowed),
        (Status::RESET_CONTENT, BodyLength::Length(1), Misuse::ContentNotAllowed),
        (Status::RESET_CONTENT, BodyLength::Chunked, Misuse::ContentNotAllowed),
        (Status::CONTINUE, BodyLength::None, Misuse::Interim),
        (Status::SWITCHING_PROTOCOLS, BodyLength::None, Misuse::Interim),
    ];
    reply_to(GET, |server, out| {
        for (status, body, misuse) in cases {
            assert_eq!(out.call(|tx| server.respond(status, &[], body, tx)), Err(misuse), "{status} {body:?}");
        }
        ok(server, out);
    });
}

#[test]
fn fields_are_judged_and_framing_is_the_engines() {
    let cases: [(&str, &[u8], Misuse); 16] = [
        ("", b"a", Misuse::FieldName),
        ("a b", b"a", Misuse::FieldName),
        ("a:", b"a", Misuse::FieldName),
        ("a\r\nb", b"a", Misuse::FieldName),
        ("\u{e9}", b"a", Misuse::FieldName),
        ("a", b"\r\nset-cookie: b", Misuse::FieldValue),
        ("a", b"b\nc", Misuse::FieldValue),
        ("a", b"b\rc", Misuse::FieldValue),
        ("a", b"b\0c", Misuse::FieldValue),
        ("a", b"b\x7f", Misuse::FieldValue),
        ("a", b" b", Misuse::FieldValue),
        ("a", b"b\t", Misuse::FieldValue),
        ("Content-Length", b"2", Misuse::FieldReserved),
        ("transfer-encoding", b"chunked", Misuse::FieldReserved),
        ("connection", b"keep-alive", Misuse::FieldReserved),
        ("Connection", b"x, Keep-Alive", Misuse::FieldReserved),
    ];
    reply_to(GET, |server, out| {
        for (name, value, misuse) in cases {
            let fields: [(&str, &[u8]); 2] = [("x", b"y"), (name, value)];
            let refused = Err(misuse);
            let length = BodyLength::Length(2);
            assert_eq!(out.call(|tx| server.respond_with(Status::OK, &fields, b"hi", tx)), refused, "{name:?}");
            assert_eq!(out.call(|tx| server.respond(Status::OK, &fields, length, tx)), refused, "{name:?}");
            assert_eq!(out.call(|tx| server.inform(Status::EARLY_HINTS, &fields, tx)), refused, "{name:?}");
        }
        let fields: [(&str, &[u8]); 4] = [("a", b""), ("b", b"\xff \tc"), ("!#$%&'*+-.^_`|~", b"d"), ("upgrade", b"x")];
        out.call(|tx| server.respond_with(Status::OK, &fields, b"", tx)).unwrap();
        let wire = "HTTP/1.1 200 OK\r\na: \r\nb: \u{fffd} \tc\r\n!#$%&'*+-.^_`|~: d\r\nupgrade: x\r\n\
            connection: upgrade\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(String::from_utf8_lossy(&out.wire), wire);
    });
}

#[test]
fn calls_out_of_turn_are_misuse() {
    let mut server = Server::default();
    let mut out = Out { wire: Vec::new(), size: 64 };
    let refuse = |server: &mut Server, out: &mut Out, heads: Misuse, content: Misuse| {
        let wire = out.wire.len();
        assert_eq!(out.call(|tx| server.respond_with(Status::OK, &[], b"", tx)), Err(heads));
        assert_eq!(out.call(|tx| server.inform(Status::EARLY_HINTS, &[], tx)), Err(heads));
        assert_eq!(out.call(|tx| server.switch_protocols(&[("upgrade", b"x")], tx)), Err(heads));
        assert_eq!(out.call(|tx| server.body(b"x", tx)), Err(content));
        assert_eq!(out.call(|tx| server.body_prefix(1, tx)), Err(content));
        assert_eq!(out.call(|tx| server.body_suffix(tx)), Err(content));
        assert_eq!(out.call(|tx| server.end(&[], tx)), Err(content));
        assert_eq!(out.wire.len(), wire);
    };
    refuse(&mut server, &mut out, Misuse::NothingToAnswer, Misuse::NothingToAnswer);
    let mut exchange = Exchange::new(server);
    exchange.feed(POST5, &mut |server, told, out| match told {
        Told::Request(_) => {
            assert_eq!(out.call(|tx| server.body(b"x", tx)), Err(Misuse::NoResponse));
            assert_eq!(out.call(|tx| server.inform(Status::OK, &[], tx)), Err(Misuse::Interim));
            assert_eq!(out.call(|tx| server.inform(Status::SWITCHING_PROTOCOLS, &[], tx)), Err(Misuse::Interim));
            out.call(|tx| server.respond(Status::OK, &[], BodyLength::Length(3), tx)).unwrap();
            assert_eq!(out.call(|tx| server.respond_with(Status::OK, &[], b"", tx)), Err(Misuse::AlreadyAnswered));
        }
        Told::Body(_) => {
            assert_eq!(out.call(|tx| server.end(&[], tx)), Err(Misuse::ShortOfLength));
            assert_eq!(out.call(|tx| server.body(b"four", tx)), Err(Misuse::PastLength));
            assert_eq!(out.call(|tx| server.body_prefix(4, tx)), Err(Misuse::PastLength));
            assert_eq!(out.call(|tx| server.body(b"th", tx)), Ok(2));
            assert_eq!(out.call(|tx| server.body(b"re", tx)), Err(Misuse::PastLength));
            assert_eq!(out.call(|tx| server.body(b"r", tx)), Ok(1));
            assert_eq!(out.call(|tx| server.end(&[("a", b"b")], tx)), Err(Misuse::Trailer));
        }
        _ => {
            out.call(|tx| server.end(&[], tx)).unwrap();
            refuse(server, out, Misuse::NothingToAnswer, Misuse::NothingToAnswer);
            server.close();
            refuse(server, out, Misuse::Closed, Misuse::Closed);
        }
    });
    assert_eq!(exchange.wire(), "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nthr");
    assert_eq!(exchange.server.wants(), Wants::Close);
}

#[test]
fn content_is_partial_and_says_how_much() {
    reply_to(GET, |server, out| {
        out.call(|tx| server.respond(Status::OK, &[], BodyLength::Length(10), tx)).unwrap();
        let mut space = [0; 4];
        assert_eq!(server.body(b"0123456789", &mut Tx::new(&mut space)), Ok(4));
        assert_eq!(&space, b"0123");
        let full = server.body(b"456789", &mut Tx::new(&mut []));
        assert!(matches!(full, Err(SendError::Full(full)) if full.needed == 1));
        assert_eq!(out.call(|tx| server.body(b"456789", tx)), Ok(6));
        out.call(|tx| server.end(&[], tx)).unwrap();
    });
}

#[test]
fn trailers_follow_chunked_content_only() {
    let (wire, _) = reply_to(GET, |server, out| {
        out.call(|tx| server.respond(Status::OK, &[], BodyLength::Chunked, tx)).unwrap();
        assert_eq!(out.call(|tx| server.body(b"", tx)), Ok(0));
        out.content(server, b"hi").unwrap();
        assert_eq!(out.call(|tx| server.end(&[("Content-Length", b"2")], tx)), Err(Misuse::Trailer));
        assert_eq!(out.call(|tx| server.end(&[("a", b"b\r\nc: d")], tx)), Err(Misuse::FieldValue));
        out.call(|tx| server.end(&[("a", b"b"), ("c", b"d")], tx)).unwrap();
    });
    assert!(wire.ends_with("\r\n\r\n2\r\nhi\r\n0\r\na: b\r\nc: d\r\n\r\n"), "{wire:?}");
    // To HEAD as to GET, but for what is sent.
    for (body, trailers) in [(BodyLength::Length(2), Err(Misuse::Trailer)), (BodyLength::Chunked, Ok(()))] {
        let (wire, _) = reply_to(HEAD, |server, out| {
            out.call(|tx| server.respond(Status::OK, &[], body, tx)).unwrap();
            out.content(server, b"hi").unwrap();
            assert_eq!(out.call(|tx| server.end(&[("a", b"b")], tx)), trailers);
        });
        assert!(wire.ends_with("\r\n\r\n") && !wire.contains("a: b"), "{wire:?}");
    }
}

#[test]
fn content_written_by_the_caller() {
    let (wire, _) = reply_to(&[GET, HEAD, GET].concat(), |server, out| {
        out.call(|tx| server.respond(Status::OK, &[], BodyLength::Chunked, tx)).unwrap();
        for (payload, suffix) in [("0123456789abcdef", false), ("x", true), ("y", false)] {
            let n = out.call(|tx| server.body_prefix(payload.len() as u64, tx)).unwrap();
            out.wire.extend_from_slice(&payload.as_bytes()[..n as usize]);
            if suffix {
                out.call(|tx| server.body_suffix(tx)).unwrap();
                out.call(|tx| server.body_suffix(tx)).unwrap();
            }
        }
        assert_eq!(out.call(|tx| server.body_prefix(0, tx)), Ok(0));
        out.content(server, b"z").unwrap();
        out.call(|tx| server.body_prefix(1, tx)).unwrap();
        if out.wire.ends_with(b"\r\n1\r\n") {
            out.wire.push(b'!');
        }
        out.call(|tx| server.end(&[], tx)).unwrap();
    });
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let content = "10\r\n0123456789abcdef\r\n1\r\nx\r\n1\r\ny\r\n1\r\nz\r\n1\r\n!\r\n0\r\n\r\n";
    assert_eq!(wire, format!("{head}{content}{head}{head}{content}"));

    let (wire, _) = reply_to(GET, |server, out| {
        out.call(|tx| server.respond(Status::OK, &[], BodyLength::Length(3), tx)).unwrap();
        assert_eq!(out.call(|tx| server.body_prefix(2, tx)), Ok(2));
        out.wire.extend_from_slice(b"hi");
        assert_eq!(out.call(|tx| server.end(&[], tx)), Err(Misuse::ShortOfLength));
        out.content(server, b"!").unwrap();
        out.call(|tx| server.end(&[], tx)).unwrap();
    });
    assert!(wire.ends_with("content-length: 3\r\n\r\nhi!"));
}

/// Prepared or not, an answer is the same, to every request and for every status; so is a refusal.
#[test]
fn what_is_prepared_is_what_is_written_each_time() {
    let fields: [&[(&str, &[u8])]; 5] = [
        &[],
        &[("server", b"x"), ("date", b"Sat, 21 Nov 2026 12:00:00 GMT")],
        &[("connection", b"close")],
        &[("upgrade", b"a")],
        &[("connection", b"upgrade"), ("upgrade", b"a")],
    ];
    let old = b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n";
    for (fields, code) in
        fields.into_iter().flat_map(|fields| [200, 204, 205, 304, 404, 599].map(|code| (fields, code)))
    {
        let (status, mut space) = (Status::new(code).unwrap(), [0; 256]);
        let prepared = Prepared::new(status, fields, &mut space).unwrap();
        for (request, content) in [GET, HEAD, POST5, old].into_iter().flat_map(|it| [(it, &b""[..]), (it, b"hello")]) {
            let results = std::cell::RefCell::new(Vec::new());
            let made = reply_to(request, |server, out| {
                results.borrow_mut().push(out.call(|tx| server.respond_with(status, fields, content, tx)));
            });
            let again = reply_to(request, |server, out| {
                results.borrow_mut().push(out.call(|tx| server.respond_prepared(&prepared, content, tx)));
            });
            assert_eq!(made, again);
            let results = results.into_inner();
            assert_eq!(results[0], results[1], "{code} {fields:?}");
        }
    }
    let mut space = [0; 64];
    for (code, field, misuse) in [
        (103, ("a", &b"b"[..]), Misuse::Interim),
        (200, ("a b", b""), Misuse::FieldName),
        (200, ("a", b"\r\nb: c"), Misuse::FieldValue),
        (200, ("content-length", b"5"), Misuse::FieldReserved),
    ] {
        let refused = Prepared::new(Status::new(code).unwrap(), &[field], &mut space).map(drop);
        assert_eq!(refused, Err(SendError::Misuse(misuse)));
    }
    let needed = b"HTTP/1.1 200 OK\r\na: b\r\n".len();
    let fits = |room: usize| Prepared::new(Status::OK, &[("a", b"b")], &mut [0; 64][..room]).map(drop);
    assert_eq!((fits(needed), fits(needed - 1)), (Ok(()), Err(SendError::Full(Full { needed }))));
}

#[test]
fn every_final_response_has_one_date_once_it_is_told() {
    const LINE: &str = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    type Call<'a> = &'a dyn Fn(&mut Server, &mut Tx<'_>) -> Result<(), SendError<Misuse>>;
    let own = [("Date", &b"Sat, 21 Nov 2026 12:00:00 GMT"[..])];
    let (mut space, mut other) = ([0; 64], [0; 64]);
    let prepared = Prepared::new(Status::OK, &[], &mut space).unwrap();
    let prepared_own = Prepared::new(Status::OK, &own, &mut other).unwrap();
    let told = |server: &mut Server| server.set_date(Duration::from_secs(784_111_777).into());
    let answered = |request: &[u8], answer: Call<'_>| {
        let undated = reply_to(request, |server, out| out.call(|tx| answer(server, tx)).unwrap()).0;
        let dated = reply_to(request, |server, out| {
            told(server);
            out.call(|tx| answer(server, tx)).unwrap();
        });
        assert_eq!(dated.0.replace(LINE, ""), undated, "and nothing else differs");
        dated.0.matches(LINE).count()
    };
    for code in [200, 204, 205, 304, 404, 500, 599] {
        let status = Status::new(code).unwrap();
        assert_eq!(answered(GET, &|server, tx| server.respond_with(status, &[("a", b"b")], b"", tx)), 1);
        assert_eq!(answered(GET, &|server, tx| server.respond_with(status, &own, b"", tx)), 0);
    }
    for request in [HEAD, POST5, b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"] {
        let close = [("connection", &b"close"[..]), ("upgrade", b"a")];
        assert_eq!(answered(request, &|server, tx| server.respond(Status::OK, &[], BodyLength::Chunked, tx)), 1);
        assert_eq!(answered(request, &|server, tx| server.respond_with(Status::OK, &close, b"hi", tx)), 1);
        assert_eq!(answered(request, &|server, tx| server.respond_prepared(&prepared, b"hi", tx)), 1);
        assert_eq!(answered(request, &|server, tx| server.respond_prepared(&prepared_own, b"hi", tx)), 0);
    }
    let hints = Status::new(103).unwrap();
    assert_eq!(answered(GET, &|server, tx| server.inform(hints, &[], tx)), 0);

    let mut exchange = Exchange::new(Server::default());
    told(&mut exchange.server);
    exchange.feed(b"GET / HTTP/1.1\r\n\r\n", &mut ignore);
    let refused = format!("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n{LINE}content-length: 0\r\n\r\n");
    assert_eq!(exchange.wire(), refused);
}

#[test]
fn interim_responses_come_before_the_final_one_and_never_to_http10() {
    let hint: [(&str, &[u8]); 1] = [("link", b"</a>; rel=preload")];
    let answer = |server: &mut Server, out: &mut Out| {
        // It is judged alike for a client that does not get it. The connection is the final response's to close.
        for (field, misuse) in [
            (("a", &b"b\r\nc: d"[..]), Misuse::FieldValue),
            (("a b", b""), Misuse::FieldName),
            (("connection", b"close"), Misuse::FieldReserved),
        ] {
            assert_eq!(out.call(|tx| server.inform(Status::EARLY_HINTS, &[field], tx)), Err(misuse));
        }
        out.call(|tx| server.inform(Status::EARLY_HINTS, &hint, tx)).unwrap();
        ok(server, out);
    };
    let (wire, _) = reply_to(GET, answer);
    assert!(
        wire.starts_with("HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n"),
        "{wire}"
    );
    let (wire, _) = reply_to(b"GET / HTTP/1.0\r\n\r\n", answer);
    assert!(wire.starts_with("HTTP/1.1 200 OK\r\n"), "{wire}");
}

/// An answer that comes from an upstream is held to the rules of one's own.
#[test]
fn what_is_forwarded_keeps_its_turn() {
    let edge = forward::Intermediary::new("edge").unwrap();
    let mut upgrade = *b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    let upgrade = RequestHead::new().poll(&mut Rx::new(&mut upgrade), &HeadLimits::new()).unwrap().unwrap();
    let client = forward::Node::new(None, false);
    let asked = edge.request(&(&upgrade).into(), &client).unwrap().asked();
    let forward = |server: &mut Server, out: &mut Out, head: &str| {
        let mut head = format!("HTTP/1.1 {head}\r\n\r\n").into_bytes();
        let head = ResponseHead::new(Method::Get).poll(&mut Rx::new(&mut head), &HeadLimits::new()).unwrap().unwrap();
        let response = edge.response(&(&head).into(), &asked, None).unwrap().unwrap();
        out.call(|tx| server.forward(&response, tx))
    };
    let switch = "101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket";
    let play = |fields: &str, head: &str| {
        let (mut exchange, mut outcome) = (Exchange::new(Server::default()), None);
        exchange.feed(format!("PUT / HTTP/{fields}\r\n\r\n").as_bytes(), &mut |server, told, out| {
            if matches!(told, Told::Request(_)) {
                outcome = Some(forward(server, out, head));
            }
        });
        (outcome.unwrap(), exchange.wire())
    };
    // "A server MAY omit sending a 100 (Continue) response if it has already received some or all of the content": and it
    // sends one, not two (RFC 9110 §10.1.1).
    let (outcome, wire) = play("1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5", "100 Continue");
    assert_eq!((outcome, wire.matches("100 Continue").count()), (Ok(()), 1));
    // "A server MUST NOT send a 1xx response to an HTTP/1.0 client" (RFC 9110 §15.2).
    assert_eq!(play("1.0\r\nContent-Length: 5", "103 Early Hints"), (Ok(()), String::new()));
    // §7.8: not before the request is complete, and not unasked.
    let offer = "1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5";
    assert_eq!(play(offer, switch), (Err(Misuse::RequestIncomplete), String::new()));
    assert_eq!(play("1.1\r\nHost: a\r\nContent-Length: 5", switch), (Err(Misuse::NoUpgrade), String::new()));
}
