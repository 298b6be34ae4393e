//! `http1::Server`: exchanges, limits, deadlines, misuse; in any pieces, in any order of calls.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::unreachable,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

mod support;

use std::time::Duration;

use hopwire::http::Status;
use hopwire::http1::{BodyLength, Config, HeadLimits, Limit, Misuse, Prepared, Server, Timeout, Violation};
use hopwire::io::{Full, Rx, SendError, Tx, Wants};
use hopwire::time::Instant;
use proptest::prelude::*;
use support::exchange::{Exchange, Head, Out, Told};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const HEAD: &[u8] = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST5: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";

type Answer<'a> = &'a mut dyn FnMut(&mut Server, &Told, &mut Out);

/// The bytes that `answer` makes of `request`, and what the server wants then.
fn reply_to(request: &[u8], answer: impl Fn(&mut Server, &mut Out)) -> (String, Wants) {
    let mut exchange = Exchange::new(Server::default());
    exchange.feed(request, &mut |server, told, out| {
        if *told == Told::End {
            answer(server, out);
        }
    });
    (exchange.wire(), exchange.server.wants())
}

fn ok(server: &mut Server, out: &mut Out) {
    out.call(|tx| server.respond_with(Status::OK, &[], b"hi", tx)).expect("an answer is due");
}

fn answer_ok(server: &mut Server, told: &Told, out: &mut Out) {
    if *told == Told::End {
        ok(server, out);
    }
}

fn ignore(_: &mut Server, _: &Told, _: &mut Out) {}

#[test]
fn is_small() {
    assert!(size_of::<Server>() <= 256, "{}", size_of::<Server>());
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let mut exchange = Exchange::new(Server::default());
    let mut n = 0;
    exchange.feed(&GET.repeat(3), &mut |server, told, out| {
        if *told == Told::End {
            n += 1;
            let content = [b'0' + n];
            out.call(|tx| server.respond_with(Status::OK, &[("n", &content)], &content, tx)).unwrap();
        }
    });
    let reply = |n| format!("HTTP/1.1 200 OK\r\nn: {n}\r\ncontent-length: 1\r\n\r\n{n}");
    assert_eq!(exchange.wire(), reply(1) + &reply(2) + &reply(3));
    assert_eq!((exchange.server.wants(), exchange.told.len()), (Wants::Input, 6));
}

#[test]
fn the_next_request_waits_for_the_answer() {
    let mut exchange = Exchange::new(Server::default());
    exchange.feed(&GET.repeat(2), &mut ignore);
    assert_eq!((exchange.server.wants(), exchange.told.len(), exchange.rest()), (Wants::Caller, 2, GET));
    let Exchange { server, out, .. } = &mut exchange;
    out.call(|tx| server.respond(Status::OK, &[], BodyLength::Length(2), tx)).unwrap();
    exchange.feed(b"", &mut ignore);
    assert_eq!((exchange.server.wants(), exchange.told.len(), exchange.rest()), (Wants::Caller, 2, GET));
    let Exchange { server, out, .. } = &mut exchange;
    out.content(server, b"hi").unwrap();
    out.call(|tx| server.end(&[], tx)).unwrap();
    exchange.feed(b"", &mut answer_ok);
    assert_eq!((exchange.server.wants(), exchange.told.len(), exchange.rest()), (Wants::Input, 4, &b""[..]));
}

#[test]
fn content_is_framed_as_status_method_and_version_allow() {
    let get10: &[u8] = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let head10: &[u8] = b"HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let kept = "connection: keep-alive\r\n";
    let (none, five, chunked) = (BodyLength::None, BodyLength::Length(5), BodyLength::Chunked);
    let cases: [(&[u8], Status, BodyLength, String, Wants); 15] = [
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
                out.content(server, b"hello").unwrap();
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
fn interim_responses_come_before_the_final_one_and_never_to_http10() {
    let hint: [(&str, &[u8]); 1] = [("link", b"</a>; rel=preload")];
    let answer = |server: &mut Server, out: &mut Out| {
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

#[test]
fn close_is_the_clients_or_the_callers_to_ask() {
    let (wire, wants) = reply_to(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /", ok);
    assert_eq!(wire, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi");
    assert_eq!(wants, Wants::Close);

    let (wire, wants) = reply_to(GET, |server, out| {
        out.call(|tx| server.respond_with(Status::OK, &[("Connection", b"x, Close")], b"", tx)).unwrap();
    });
    assert_eq!((wire.matches("lose").count(), wants), (1, Wants::Close));

    let (wire, wants) = reply_to(&GET.repeat(2), |server, out| {
        server.close();
        ok(server, out);
    });
    assert_eq!((wire.matches("connection: close").count(), wants), (1, Wants::Close));

    let mut idle = Exchange::new(Server::default());
    idle.server.close();
    idle.feed(GET, &mut ignore);
    assert_eq!((idle.server.wants(), idle.told.len()), (Wants::Close, 0));
}

#[test]
fn continue_is_sent_when_the_content_is_asked_for() {
    let head: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    // Unasked, by itself, and once.
    for pieces in [vec![head, b"hello"], vec![&[head, b"hello"].concat()[..]]] {
        let mut exchange = Exchange::new(Server::default());
        exchange.out.size = 1;
        pieces.iter().for_each(|piece| exchange.feed(piece, &mut answer_ok));
        assert_eq!(exchange.wire(), "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
        assert_eq!(exchange.server.wants(), Wants::Input);
    }
    // By hand, and not again.
    let mut exchange = Exchange::new(Server::default());
    exchange.feed(&[head, b"hello"].concat(), &mut |server, told, out| match told {
        Told::Request(_) => out.call(|tx| server.inform(Status::CONTINUE, &[], tx)).unwrap(),
        _ => answer_ok(server, told, out),
    });
    assert_eq!(exchange.wire().matches("100 Continue").count(), 1);
    // Not where nothing is to come.
    let mut exchange = Exchange::new(Server::default());
    exchange.feed(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n", &mut answer_ok);
    assert_eq!((exchange.wire().matches("100 Continue").count(), exchange.server.wants()), (0, Wants::Input));
}

/// 0.CL and kin: whether the client sends its content after a final answer cannot be known, so nothing is read on.
#[test]
fn an_answer_instead_of_continue_closes() {
    let head: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 26\r\n\r\n";
    let chunked: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (head, body) in [(head, GET), (chunked, b"0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")] {
        for whole in [true, false] {
            let mut exchange = Exchange::new(Server::default());
            let mut answer = |server: &mut Server, _: &Told, out: &mut Out| {
                if whole {
                    return out.call(|tx| server.respond_with(Status::UNAUTHORIZED, &[], b"", tx)).unwrap();
                }
                out.call(|tx| server.respond(Status::UNAUTHORIZED, &[], BodyLength::Chunked, tx)).unwrap();
                out.call(|tx| server.end(&[], tx)).unwrap();
            };
            exchange.feed(head, &mut answer);
            exchange.feed(body, &mut answer);
            assert_eq!((exchange.server.wants(), exchange.told.len(), exchange.rest()), (Wants::Close, 1, body));
            let wire = exchange.wire();
            assert_eq!((wire.matches("HTTP/1.1").count(), wire.matches("connection: close").count()), (1, 1));
        }
    }
}

#[test]
fn unwanted_content_is_dropped_up_to_a_budget() {
    let config = Config { max_drain: 8, ..Config::default() };
    let early = |server: &mut Server, told: &Told, out: &mut Out| {
        if matches!(told, Told::Request(_)) {
            out.call(|tx| server.respond_with(Status::FORBIDDEN, &[], b"", tx)).unwrap();
        }
    };
    let run = |request: &str| {
        let mut ends = Vec::new();
        for cut in 0..request.len() {
            let mut exchange = Exchange::new(Server::new(&config));
            exchange.feed(&request.as_bytes()[..cut], &mut { early });
            exchange.feed(&request.as_bytes()[cut..], &mut { early });
            assert!(exchange.violation.is_none() || exchange.wire().matches("HTTP/1.1").count() == 1);
            ends.push((exchange.server.wants(), exchange.told.len(), exchange.wire()));
        }
        ends.dedup();
        assert_eq!(ends.len(), 1, "{request:?}: {ends:?}");
        let (wants, told, wire) = ends.remove(0);
        (wants, told, wire.contains("connection: close"))
    };
    let next = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let length = |n: usize| format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {n}\r\n\r\n{}{next}", "x".repeat(n));
    assert_eq!(run(&length(8)), (Wants::Input, 2, false));
    assert_eq!(run(&length(9)), (Wants::Close, 1, true), "known beforehand, and said");
    let chunked = |body: &str| format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}{next}");
    assert_eq!(run(&chunked("0\r\nA:\r\n\r\n")).0, Wants::Close);
    assert_eq!(run(&chunked("0\r\n\r\n")), (Wants::Input, 2, false));
    assert_eq!(run(&chunked("5\r\nhello\r\n0\r\n\r\n")).0, Wants::Close);
    // A fault in what is dropped gets no second answer.
    assert_eq!(run(&chunked("x\r\n")), (Wants::Close, 1, false));
}

#[test]
fn an_answer_that_goes_on_closes_only_if_its_request_is_left_unread() {
    let request = |n: usize| format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {n}\r\n\r\n{}", "x".repeat(n));
    for body in [BodyLength::Chunked, BodyLength::Length(20)] {
        let mut exchange = Exchange::new(Server::new(&Config { max_drain: 8, ..Config::default() }));
        exchange.feed(&[request(20).as_bytes(), GET].concat(), &mut |server, told, out| match told {
            Told::Request(Head { method, .. }) if method == "POST" => {
                out.call(|tx| server.respond(Status::OK, &[], body, tx)).unwrap();
            }
            Told::Body(data) => out.content(server, data).unwrap(),
            Told::End if server.owes_response() => ok(server, out),
            Told::End => out.call(|tx| server.end(&[], tx)).unwrap(),
            _ => {}
        });
        let wire = exchange.wire();
        assert!(wire.contains(&"x".repeat(20)) && wire.ends_with("hi") && !wire.contains("connection"), "{wire}");
        assert_eq!(exchange.server.wants(), Wants::Input);
    }
    for (n, wants) in [(8, Wants::Input), (9, Wants::Close)] {
        let mut exchange = Exchange::new(Server::new(&Config { max_drain: 8, ..Config::default() }));
        exchange.feed(request(n).as_bytes(), &mut |server, told, out| {
            if matches!(told, Told::Request(_)) {
                out.call(|tx| server.respond(Status::OK, &[], BodyLength::Chunked, tx)).unwrap();
                out.call(|tx| server.end(&[], tx)).unwrap();
            }
        });
        assert_eq!((exchange.server.wants(), exchange.wire().contains("connection")), (wants, false));
    }
}

#[test]
fn an_answer_may_overtake_its_request() {
    let mut exchange = Exchange::new(Server::default());
    exchange.feed(&[POST5, GET].concat(), &mut |server, told, out| match told {
        Told::Request(Head { method, .. }) if method == "POST" => {
            out.call(|tx| server.respond(Status::OK, &[], BodyLength::Chunked, tx)).unwrap();
        }
        Told::Body(data) => out.content(server, data).unwrap(),
        Told::End if server.owes_response() => ok(server, out),
        Told::End => out.call(|tx| server.end(&[], tx)).unwrap(),
        _ => {}
    });
    assert!(exchange.wire().contains("5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"));
}

#[test]
fn a_violation_is_answered_once_and_returned_for_ever() {
    let mut exchange = Exchange::new(Server::default());
    exchange.out.size = 1;
    exchange.feed(&[GET, b"GET /\x01 HTTP/1.1\r\n\r\n", GET].concat(), &mut answer_ok);
    assert_eq!(
        exchange.wire(),
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi\
         HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    );
    let wire = exchange.wire();
    for _ in 0..3 {
        exchange.feed(GET, &mut answer_ok);
        assert!(exchange.violation.is_some() && exchange.wire() == wire);
        assert_eq!((exchange.server.poll_timeout(), exchange.server.wants()), (None, Wants::Close));
    }
}

#[test]
fn a_violation_waits_for_room_and_nothing_else_is_sent_meanwhile() {
    let mut server = Server::default();
    let mut received = b"GET /\x01 HTTP/1.1\r\n\r\n".to_vec();
    let mut small = [0; 10];
    let mut rx = Rx::new(&mut received);
    let mut tx = Tx::new(&mut small);
    assert!(matches!(server.poll(Instant::ZERO, &mut rx, &mut tx), Ok(None)));
    let Wants::Output(needed) = server.wants() else { unreachable!() };
    assert!(tx.is_empty());
    assert_eq!(
        server.respond_with(Status::OK, &[], b"", &mut Tx::new(&mut [0; 99])),
        Err(SendError::Misuse(Misuse::Closed))
    );
    let mut space = vec![0; needed];
    let mut tx = Tx::new(&mut space);
    let violation = server.poll(Instant::ZERO, &mut rx, &mut tx).err();
    assert!(violation.is_some());
    assert_eq!(tx.len(), needed);
    assert_eq!(server.poll(Instant::ZERO, &mut rx, &mut tx).err(), violation);
}

/// A response that has begun cannot be followed by another one to the same request.
#[test]
fn a_fault_in_content_after_the_response_began_is_not_answered() {
    let mut exchange = Exchange::new(Server::default());
    exchange.feed(
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX",
        &mut |server, told, out| match told {
            Told::Request(_) => out.call(|tx| server.respond(Status::OK, &[], BodyLength::Length(9), tx)).unwrap(),
            Told::Body(data) => out.content(server, data).unwrap(),
            _ => unreachable!(),
        },
    );
    assert_eq!(exchange.wire(), "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello");
    assert!(exchange.violation.is_some());
}

#[test]
fn each_limit_has_its_status() {
    let config = Config {
        head: HeadLimits { line: 40, bytes: 120, fields: 3 },
        max_body: 4,
        max_chunk_ext: 2,
        ..Config::default()
    };
    let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let cases = [
        (format!("GET /{} HTTP/1.1\r\n", "a".repeat(27)), 414, Limit::RequestLine),
        (format!("GET / HTTP/1.1\r\nX: {}\r\n", "a".repeat(110)), 431, Limit::Head),
        ("GET / HTTP/1.1\r\nHost: a\r\na:\r\nb:\r\nc:\r\n".into(), 431, Limit::Fields),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n".into(), 413, Limit::Body),
        (format!("{chunked}5\r\n"), 413, Limit::Body),
        (format!("{chunked}3\r\nabc\r\n2\r\n"), 413, Limit::Body),
        (format!("{chunked}1;a\r\nx\r\n1;"), 413, Limit::ChunkExtensions),
        (format!("{chunked}0\r\nX: {}", "a".repeat(120)), 431, Limit::Trailers),
        (format!("{chunked}0\r\na:\r\nb:\r\nc:\r\nd:\r\n"), 431, Limit::Fields),
    ];
    for (request, status, limit) in cases {
        let mut exchange = Exchange::new(Server::new(&config));
        exchange.feed(request.as_bytes(), &mut ignore);
        assert_eq!(exchange.violation, Some(Violation::Limit(limit)), "{request:?}");
        let reason = Status::new(status).unwrap().reason();
        let want = format!("HTTP/1.1 {status} {reason}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(exchange.wire(), want);
    }
}

#[test]
fn a_full_buffer_without_progress_is_a_limit() {
    let chunked: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: abc";
    let cases: [(&[u8], u16); 3] = [(b"GET /aaa", 414), (b"GET / HTTP/1.1\r\nX: a", 431), (chunked, 431)];
    for (bytes, status) in cases {
        let mut server = Server::default();
        let mut received = bytes.to_vec();
        let mut space = [0; 200];
        let mut consumed = 0;
        // The first time, something may be consumed, and then the buffer is not full any more.
        for _ in 0..2 {
            let mut rx = Rx::full(&mut received[consumed..]);
            while let Ok(Some(_)) = server.poll(Instant::ZERO, &mut rx, &mut Tx::new(&mut space)) {}
            consumed += rx.consumed();
        }
        assert_eq!(server.wants(), Wants::Close);
        assert!(space.starts_with(format!("HTTP/1.1 {status}").as_bytes()), "{}", bytes.escape_ascii());
    }
}

#[test]
fn the_end_of_input_is_clean_between_requests_only() {
    let chunked: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for (whole, clean_until) in [(GET, 0), (b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 4), (POST5, 0), (chunked, 0)]
    {
        for len in 0..=whole.len() {
            let mut exchange = Exchange::new(Server::default());
            exchange.feed(&whole[..len], &mut answer_ok);
            exchange.finish(&mut answer_ok);
            let clean = len <= clean_until || len == whole.len();
            assert_eq!(exchange.violation, (!clean).then_some(Violation::Eof), "{len}");
            assert_eq!(exchange.wire().contains("400 Bad Request"), !clean, "{len}");
            assert_eq!(exchange.server.wants(), Wants::Close);
        }
    }
    // A client that has stopped writing still gets its answers.
    let mut exchange = Exchange::new(Server::default());
    exchange.feed(b"", &mut ignore);
    let mut late = Exchange::new(Server::default());
    late.feed(GET, &mut ignore);
    late.finish(&mut ignore);
    assert_eq!(late.server.wants(), Wants::Caller);
    let Exchange { server, out, .. } = &mut late;
    ok(server, out);
    late.finish(&mut ignore);
    assert_eq!((late.server.wants(), late.violation), (Wants::Close, None));
}

#[test]
fn upgrades_leave_the_rest_to_the_next_protocol() {
    let upgrade: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n";
    let with_body: &[u8] =
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: foo\r\nContent-Length: 2\r\n\r\nhi";
    for (request, at_once) in [(upgrade, true), (upgrade, false), (with_body, false)] {
        let mut exchange = Exchange::new(Server::default());
        exchange.feed(&[request, b"\0foo"].concat(), &mut |server, told, out| {
            let fields: [(&str, &[u8]); 1] = [("upgrade", b"foo")];
            if matches!(told, Told::Request(_)) && request == with_body {
                let early = out.call(|tx| server.switch_protocols(&fields, tx));
                assert_eq!(early, Err(Misuse::RequestIncomplete));
            }
            if matches!(told, Told::Request(_)) == at_once && !matches!(told, Told::Body(_)) {
                assert_eq!(out.call(|tx| server.switch_protocols(&[], tx)), Err(Misuse::NoUpgrade));
                out.call(|tx| server.switch_protocols(&fields, tx)).unwrap();
                assert_eq!(out.call(|tx| server.respond_with(Status::OK, &[], b"", tx)), Err(Misuse::Closed));
            }
        });
        assert_eq!(exchange.wire(), "HTTP/1.1 101 Switching Protocols\r\nupgrade: foo\r\nconnection: upgrade\r\n\r\n");
        assert_eq!((exchange.rest(), exchange.server.wants()), (&b"\0foo"[..], Wants::Caller));
        assert!(exchange.server.has_switched() && exchange.server.poll_timeout().is_none());
        exchange.finish(&mut ignore);
        assert_eq!((exchange.rest(), exchange.violation), (&b"\0foo"[..], None));
    }
    // Nobody who did not offer it is switched.
    for request in [GET, b"GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n"] {
        reply_to(request, |server, out| {
            let refused = out.call(|tx| server.switch_protocols(&[("upgrade", b"foo")], tx));
            assert_eq!(refused, Err(Misuse::NoUpgrade));
        });
    }
}

#[test]
fn connect_opens_a_tunnel_or_is_refused_like_any_other() {
    let connect: &[u8] = b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n";
    let mut exchange = Exchange::new(Server::default());
    exchange.feed(&[connect, b"\x16\x03"].concat(), &mut |server, told, out| {
        if matches!(told, Told::Request(_)) {
            let long = out.call(|tx| server.respond(Status::OK, &[], BodyLength::Chunked, tx));
            assert_eq!(long, Err(Misuse::ContentNotAllowed));
            out.call(|tx| server.respond(Status::OK, &[], BodyLength::None, tx)).unwrap();
        }
    });
    assert_eq!((exchange.wire().as_str(), exchange.rest()), ("HTTP/1.1 200 OK\r\n\r\n", &b"\x16\x03"[..]));
    assert!(exchange.server.has_switched());
    let (wire, wants) = reply_to(&[connect, connect].concat(), |server, out| {
        out.call(|tx| server.respond_with(Status::FORBIDDEN, &[], b"no", tx)).unwrap();
    });
    assert_eq!((wire.matches("403 Forbidden\r\ncontent-length: 2\r\n\r\nno").count(), wants), (2, Wants::Input));
}

#[test]
fn deadlines_fire_at_their_time_and_not_before() {
    let config = Config {
        head_timeout: Some(Duration::from_secs(3)),
        body_timeout: Some(Duration::from_secs(5)),
        idle_timeout: Some(Duration::from_secs(7)),
        drain_timeout: Some(Duration::from_secs(2)),
        ..Config::default()
    };
    let early = &mut |server: &mut Server, told: &Told, out: &mut Out| {
        if matches!(told, Told::Request(_)) {
            ok(server, out);
        }
    };
    let half: &[u8] = &POST5[..POST5.len() - 2];
    let wait = |seconds| (seconds, Duration::from_secs(seconds));
    let answered_408 = Some("HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    type Case<'a> = (&'a [u8], Answer<'a>, (u64, Duration), Option<Timeout>, Option<&'a str>);
    let cases: [Case<'_>; 6] = [
        (b"", &mut ignore, wait(7), None, None),
        (b"\r\nGET", &mut ignore, wait(3), Some(Timeout::Head), answered_408),
        (half, &mut ignore, wait(5), Some(Timeout::Body), answered_408),
        (GET, &mut answer_ok, wait(7), None, None),
        (half, early, wait(2), None, None),
        (b"GET / HTTP/1.1\r\nHost: a", &mut ignore, wait(3), Some(Timeout::Head), answered_408),
    ];
    let second = 1_000_000_000;
    for (bytes, answer, (seconds, after), violation, wire) in cases {
        let start = Instant::from_nanos(77);
        let mut exchange = Exchange::new(Server::new(&config));
        exchange.now = start;
        exchange.feed(bytes, answer);
        // A poll without news, later, changes nothing.
        exchange.now = Instant::from_nanos(77 + second);
        exchange.feed(b"", answer);
        let sent = exchange.out.wire.len();
        let due = start.checked_add(after);
        assert_eq!(exchange.server.poll_timeout(), due, "{} in {seconds} s", bytes.escape_ascii());
        let mut space = [0; 200];
        let before = Instant::from_nanos(77 + seconds * second - 1);
        assert_eq!(exchange.server.handle_timeout(before, &mut Tx::new(&mut space)), Ok(()));
        assert_eq!((exchange.server.poll_timeout(), exchange.server.wants()), (due, Wants::Input));
        let due = due.unwrap();
        if let Some(wire) = wire {
            let full = exchange.server.handle_timeout(due, &mut Tx::new(&mut [])).unwrap_err();
            assert_eq!((full.needed, exchange.server.poll_timeout()), (wire.len(), Some(due)));
        }
        let mut tx = Tx::new(&mut space);
        for _ in 0..2 {
            assert_eq!(exchange.server.handle_timeout(due, &mut tx), Ok(()));
            assert_eq!(tx.written(), wire.unwrap_or("").as_bytes());
            assert_eq!((exchange.server.poll_timeout(), exchange.server.wants()), (None, Wants::Close));
        }
        exchange.feed(GET, &mut |_, _, _| unreachable!());
        assert_eq!(exchange.violation, violation.map(Violation::Timeout));
        assert_eq!((exchange.server.wants(), exchange.out.wire.len()), (Wants::Close, sent));
    }
}

#[test]
fn an_answer_ends_the_deadline_of_content() {
    let mut exchange = Exchange::new(Server::default());
    exchange.feed(&POST5[..POST5.len() - 2], &mut ignore);
    assert!(exchange.server.poll_timeout().is_some());
    ok(&mut exchange.server, &mut exchange.out);
    assert_eq!(exchange.server.poll_timeout(), None, "what is left is dropped, from the next poll on");
    exchange.feed(b"", &mut ignore);
    assert_eq!(exchange.server.poll_timeout(), Instant::ZERO.checked_add(Config::DRAIN_TIMEOUT));
}

#[test]
fn a_client_that_was_never_told_to_go_on_is_not_late() {
    let mut exchange = Exchange::new(Server::default());
    let request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    exchange.feed(request, &mut |server, _, out| {
        out.call(|tx| server.respond(Status::OK, &[], BodyLength::Chunked, tx)).unwrap();
    });
    assert_eq!((exchange.server.poll_timeout(), exchange.server.wants()), (None, Wants::Input));
}

#[test]
fn progress_moves_the_deadline_of_content_and_not_of_a_head() {
    let mut exchange = Exchange::new(Server::default());
    let at = |seconds: u64| Instant::from_millis(seconds * 1000);
    for (n, byte) in GET.iter().enumerate().take(10) {
        exchange.now = at(n as u64);
        exchange.feed(&[*byte], &mut ignore);
        assert_eq!(exchange.server.poll_timeout(), at(0).checked_add(Config::HEAD_TIMEOUT));
    }
    exchange.feed(&GET[10..], &mut answer_ok);
    assert_eq!(exchange.server.poll_timeout(), at(9).checked_add(Config::IDLE_TIMEOUT));
    for (n, byte) in POST5.iter().enumerate() {
        exchange.now = at(100 + n as u64);
        exchange.feed(&[*byte], &mut ignore);
        let head = POST5.len() - 5;
        let due = match () {
            () if n + 1 < head => at(100).checked_add(Config::HEAD_TIMEOUT),
            () if n + 1 < POST5.len() => exchange.now.checked_add(Config::BODY_TIMEOUT),
            () => None,
        };
        assert_eq!(exchange.server.poll_timeout(), due, "{n}");
    }
    assert_eq!(exchange.server.wants(), Wants::Caller);
}

/// A response as a client reads it.
type Response = (u16, Vec<(String, String)>, Vec<u8>);

/// Reads all responses off a wire, by the plain rules; `methods` of the requests, in order. The second value: a last
/// response that is incomplete.
fn responses(wire: &[u8], methods: &[String]) -> Result<(Vec<Response>, bool), String> {
    let (mut at, mut asked, mut all) = (0, methods.iter(), Vec::new());
    'responses: while at < wire.len() {
        let text = String::from_utf8_lossy(&wire[at..]);
        let Some((head, _)) = text.split_once("\r\n\r\n") else { return Ok((all, true)) };
        at += head.len() + 4;
        let mut lines = head.split("\r\n");
        let line = lines.next().unwrap_or_default();
        let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse::<u16>().ok());
        let status = status.ok_or_else(|| format!("status line {line:?}"))?;
        let mut fields = Vec::new();
        for line in lines {
            let (name, value) = line.split_once(": ").ok_or_else(|| format!("field line {line:?}"))?;
            fields.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let value = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        let informational = status < 200;
        let none = String::new();
        let method = if informational { asked.as_slice().first() } else { asked.next() }.unwrap_or(&none);
        let mut content = Vec::new();
        if informational || status == 204 || status == 304 || method == "HEAD" {
            assert!(!(informational || status == 204) || value("content-length").is_none());
        } else if value("transfer-encoding").is_some() {
            loop {
                let Some(end) = wire[at..].windows(2).position(|pair| pair == b"\r\n") else { return Ok((all, true)) };
                let size = std::str::from_utf8(&wire[at..at + end]).map_err(|error| error.to_string())?;
                let size = usize::from_str_radix(size, 16).map_err(|error| format!("{size:?}: {error}"))?;
                at += end + 2;
                if size == 0 {
                    break;
                }
                let Some(chunk) = wire.get(at..at + size + 2) else { return Ok((all, true)) };
                if !chunk.ends_with(b"\r\n") {
                    return Err(format!("chunk {}", chunk.escape_ascii()));
                }
                content.extend_from_slice(&chunk[..size]);
                at += size + 2;
            }
            loop {
                let Some(end) = wire[at..].windows(2).position(|pair| pair == b"\r\n") else { return Ok((all, true)) };
                at += end + 2;
                if end == 0 {
                    break;
                }
            }
        } else if let Some(length) = value("content-length") {
            let length: usize = length.parse().map_err(|_| length.clone())?;
            let Some(data) = wire.get(at..at + length) else { return Ok((all, true)) };
            content.extend_from_slice(data);
            at += length;
        } else {
            content.extend_from_slice(&wire[at..]);
            at = wire.len();
        }
        let switched = status == 101 || method == "CONNECT" && (200..300).contains(&status);
        all.push((status, fields, content));
        if switched {
            break 'responses;
        }
    }
    if at < wire.len() { Err("bytes after the last response".into()) } else { Ok((all, false)) }
}

fn a_stream() -> impl Strategy<Value = Vec<u8>> {
    let part = prop::sample::select(vec![
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nPOST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
        "POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
        "PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nT: u\r\nHost: v\r\n\r\n",
        "GET /0 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "GET /0 HTTP/1.0\r\n\r\n",
        "GET /u HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel",
        "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcde\r\n",
        "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "\0",
        "G",
    ]);
    prop::collection::vec(part, 1..6).prop_map(|parts| parts.concat().into_bytes())
}

/// Answers request after request in the ways that `plan` says. None of it depends on the pieces content came in.
fn by_plan(plan: Vec<u8>) -> impl FnMut(&mut Server, &Told, &mut Out) {
    let (mut n, mut content) = (0, Vec::new());
    move |server, told, out| {
        let way = plan[n % plan.len()] % 7;
        match (told, way) {
            (Told::Request(_), 0) => {
                n += 1;
                out.call(|tx| server.respond_with(Status::FORBIDDEN, &[("a", b"b")], b"early", tx)).unwrap();
            }
            (Told::Request(_), 1) => {
                out.call(|tx| server.inform(Status::EARLY_HINTS, &[("link", b"x")], tx)).unwrap();
                match out.call(|tx| server.respond(Status::OK, &[], BodyLength::Chunked, tx)) {
                    Err(Misuse::ContentNotAllowed) => {
                        n += 1;
                        out.call(|tx| server.respond(Status::OK, &[], BodyLength::None, tx)).unwrap();
                    }
                    other => other.unwrap(),
                }
            }
            (Told::Request(_), _) => content.clear(),
            (Told::Body(data), _) => content.extend_from_slice(data),
            (Told::Trailers(_), _) => {}
            (Told::End, way) => {
                n += 1;
                let data = std::mem::take(&mut content);
                match way {
                    1 => {
                        out.content(server, &data).unwrap();
                        out.call(|tx| server.end(&[("t", b"u")], tx)).unwrap();
                    }
                    2 => {
                        let n = BodyLength::Length(data.len() as u64);
                        if out.call(|tx| server.respond(Status::CREATED, &[], n, tx)).is_ok() && !server.has_switched()
                        {
                            out.content(server, &data).unwrap();
                            out.call(|tx| server.end(&[], tx)).unwrap();
                        }
                    }
                    3 if out.call(|tx| server.switch_protocols(&[("upgrade", b"foo")], tx)).is_ok() => {}
                    4 => out.call(|tx| server.respond_with(Status::NOT_MODIFIED, &[], &data, tx)).unwrap_or_default(),
                    5 => out.call(|tx| server.respond(Status::NO_CONTENT, &[], BodyLength::None, tx)).unwrap(),
                    _ => out.call(|tx| server.respond_with(Status::NOT_FOUND, &[], b"", tx)).unwrap(),
                }
            }
        }
    }
}

/// All that can be seen from outside after `wire` came in these pieces.
#[derive(Debug, PartialEq)]
struct Seen {
    told: Vec<Told>,
    wire: Vec<u8>,
    violation: Option<Violation>,
    wants: Wants,
    rest: Vec<u8>,
}

fn run(wire: &[u8], ends: &[usize], plan: &[u8], room: usize, last: bool) -> Seen {
    let mut exchange = Exchange::new(Server::new(&Config { max_drain: 20, ..Config::default() }));
    exchange.out.size = room;
    let mut answer = by_plan(plan.to_vec());
    let mut start = 0;
    for &end in ends.iter().chain([&wire.len()]) {
        exchange.feed(&wire[start..end], &mut answer);
        start = end;
    }
    if last {
        exchange.finish(&mut answer);
    }
    // What is left unread on a connection that closes depends on the pieces.
    let rest = if exchange.server.wants() == Wants::Close { Vec::new() } else { exchange.rest().to_vec() };
    Seen {
        told: exchange.events(),
        wire: exchange.out.wire.clone(),
        violation: exchange.violation,
        wants: exchange.server.wants(),
        rest,
    }
}

fn methods(told: &[Told]) -> Vec<String> {
    told.iter()
        .filter_map(|told| if let Told::Request(head) = told { Some(head.method.clone()) } else { None })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_split_gives_the_same_events_and_output(
        wire in a_stream(), plan in prop::collection::vec(any::<u8>(), 1..6), last in any::<bool>(),
        ends in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let whole = run(&wire, &[], &plan, 4096, last);
        let mut ends: Vec<usize> = ends.iter().map(|end| end.index(wire.len() + 1)).collect();
        ends.sort_unstable();
        prop_assert_eq!(&run(&wire, &ends, &plan, 4096, last), &whole);
        let bytewise: Vec<usize> = (1..wire.len()).collect();
        prop_assert_eq!(&run(&wire, &bytewise, &plan, 4096, last), &whole);
        let read = responses(&whole.wire, &methods(&whole.told));
        // A response may be cut where its request is.
        let may_be_cut = whole.violation.is_some() || whole.wants == Wants::Input;
        prop_assert!(read.as_ref().is_ok_and(|(_, cut)| !cut || may_be_cut), "{:?}", read);
    }

    /// Little room, or room at other times: the same bytes, but that chunks may be smaller.
    #[test]
    fn any_room_gives_the_same_output(
        wire in a_stream(), plan in prop::collection::vec(any::<u8>(), 1..6), room in 0_usize..60,
    ) {
        let whole = run(&wire, &[], &plan, 4096, true);
        let small = run(&wire, &[], &plan, room, true);
        prop_assert_eq!(&small.told, &whole.told);
        prop_assert_eq!((small.violation, small.wants, &small.rest), (whole.violation, whole.wants, &whole.rest));
        let methods = methods(&whole.told);
        prop_assert_eq!(responses(&small.wire, &methods), responses(&whole.wire, &methods));
        if !String::from_utf8_lossy(&whole.wire).contains("transfer-encoding") {
            prop_assert_eq!(&small.wire, &whole.wire);
        }
    }

    /// Any calls in any order: no panic, and what is on the wire is responses, in order, at most one to each request.
    #[test]
    fn any_order_of_calls_keeps_the_wire_whole(
        wire in a_stream(), calls in prop::collection::vec((0_u8..14, 0_usize..40, 0_u8..40), 1..60),
    ) {
        let mut server = Server::new(&Config { max_drain: 20, ..Config::default() });
        let (mut told, mut sent) = (Vec::new(), Vec::new());
        let mut received = Vec::new();
        let mut input = wire.as_slice();
        let mut now = Instant::ZERO;
        for (call, room, n) in calls {
            let mut space = vec![0; if n % 2 == 0 { 400 } else { room }];
            let mut tx = Tx::new(&mut space);
            let data = vec![b'd'; usize::from(n)];
            match call {
                0..=4 => {
                    let (piece, rest) = input.split_at(input.len().min(room));
                    input = rest;
                    received.extend_from_slice(piece);
                    let mut rx = if call == 4 && n == 0 { Rx::last(&mut received) } else { Rx::new(&mut received) };
                    if let Ok(Some(event)) = server.poll(now, &mut rx, &mut tx) {
                        told.push(support::exchange::told(event));
                    }
                    let used = rx.consumed();
                    received.drain(..used);
                }
                5 => {
 let _ = server.respond_with(Status::OK, &[("a", b"b")], &data, &mut tx);
}
                6 => {
                    let body = [BodyLength::None, BodyLength::Length(n.into()), BodyLength::Chunked][usize::from(n % 3)];
                    let status = [Status::OK, Status::NO_CONTENT, Status::NOT_MODIFIED, Status::CONTINUE][room % 4];
                    let _ = server.respond(status, &[], body, &mut tx);
                }
                7 | 8 => {
 let _ = server.body(&data, &mut tx);
}
                9 => {
                    if let Ok(len) = server.body_prefix(n.into(), &mut tx) {
                        // The payload follows what is in `tx`.
                        sent.extend_from_slice(tx.written());
                        sent.extend_from_slice(&data[..usize::try_from(len).unwrap()]);
                        tx = Tx::new(&mut []);
                    }
                }
                10 => {
 let _ = server.end(if n % 3 == 0 { &[("t", b"u")] } else { &[] }, &mut tx);
}
                11 => {
 let _ = server.inform(Status::EARLY_HINTS, &[("bad", if n == 0 { b"\r\n" } else { b"ok" })], &mut tx);
}
                12 if n < 6 => {
 let _ = server.switch_protocols(&[("upgrade", b"foo")], &mut tx);
}
                12 if n == 39 => server.close(),
                12 => {
 let _ = server.body_suffix(&mut tx);
}
                _ => {
                    now = now.checked_add(Duration::from_secs(n.into())).unwrap();
                    let _ = server.handle_timeout(now, &mut tx);
                }
            }
            sent.extend_from_slice(tx.written());
        }
        let methods = methods(&told);
        let read = responses(&sent, &methods);
        prop_assert!(read.is_ok(), "{:?}: {}", read, sent.escape_ascii());
        let finals = read.iter().flat_map(|(all, _)| all).filter(|(status, ..)| *status >= 200).count();
        prop_assert!(finals <= methods.len() + 1, "{finals} answers to {methods:?}");
    }
}
