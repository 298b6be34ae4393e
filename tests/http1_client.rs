//! `http1::Client`: exchanges, limits, deadlines, misuse; in any pieces, in any order of calls.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::unreachable,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

mod support;

use std::time::Duration;

use hopwire::http::{Method, Status};
use hopwire::http1::client::{Client, Config, Prepared, Unusable};
use hopwire::http1::{
    Ambiguous, BodyLength, HeadLimits, Limit, Malformed, Misuse, ResponseLength, Server, Timeout, Violation,
};
use hopwire::io::{Full, Rx, SendError, Tx, Wants};
use hopwire::time::Instant;
use proptest::prelude::*;
use support::dialogue::{Dialogue, Heard};
use support::exchange::{Exchange, Told};

type Fields<'a> = &'a [(&'a str, &'a [u8])];

const HOST: (&str, &[u8]) = ("host", b"a");
const OK5: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const OK0: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const CLOSE0: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

fn dialogue() -> Dialogue {
    Dialogue::new(Client::default())
}

/// A dialogue in which that was asked, without content.
fn asked(method: Method<'_>) -> Dialogue {
    let mut dialogue = dialogue();
    ask(&mut dialogue, method).unwrap();
    dialogue
}

fn ask(dialogue: &mut Dialogue, method: Method<'_>) -> Result<(), Misuse> {
    let target: &[u8] = if method == Method::Connect { b"a:1" } else { b"/" };
    dialogue.call(|client, tx| client.request(method, target, &[HOST], BodyLength::None, tx))
}

/// A dialogue in which a POST with so much content was begun.
fn posting(body: BodyLength, fields: &[(&str, &[u8])]) -> Dialogue {
    let mut dialogue = dialogue();
    let fields = [&[HOST], fields].concat();
    dialogue.call(|client, tx| client.request(Method::Post, b"/", &fields, body, tx)).unwrap();
    dialogue
}

fn send(dialogue: &mut Dialogue, data: &[u8]) -> Result<usize, Misuse> {
    dialogue.call(|client, tx| client.body(data, tx))
}

fn end(dialogue: &mut Dialogue) -> Result<(), Misuse> {
    dialogue.call(|client, tx| client.end(&[], tx))
}

/// What came of a response to GET, and of the end of input behind it.
fn answered(response: &[u8]) -> Dialogue {
    let mut dialogue = asked(Method::Get);
    dialogue.feed(response);
    dialogue.finish();
    dialogue
}

fn body(dialogue: &Dialogue) -> Vec<u8> {
    let bodies = dialogue.events().into_iter().filter_map(|heard| match heard {
        Heard::Body(body) => Some(body),
        _ => None,
    });
    bodies.flatten().collect()
}

#[test]
fn requests_are_framed_as_method_and_content_say() {
    let (none, five, chunked) = (BodyLength::None, BodyLength::Length(5), BodyLength::Chunked);
    let chunks = "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let upgrade: Fields<'_> = &[HOST, ("upgrade", b"websocket")];
    let cases: [(Method<'_>, &str, Fields<'_>, BodyLength, String); 17] = [
        (Method::Get, "/", &[HOST], none, "GET / HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        (Method::Get, "/", &[HOST], five, "GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello".into()),
        (Method::Head, "/?q", &[HOST], none, "HEAD /?q HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        (Method::Delete, "/", &[HOST], BodyLength::Length(0), "DELETE / HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        (Method::Post, "/", &[HOST], none, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n".into()),
        (Method::Put, "/", &[HOST], none, "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n".into()),
        (Method::Patch, "/", &[HOST], five, "PATCH / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello".into()),
        (Method::Post, "/", &[HOST], chunked, format!("POST / HTTP/1.1\r\nhost: a\r\n{chunks}")),
        (Method::Options, "*", &[HOST], none, "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        (Method::Trace, "/", &[HOST], none, "TRACE / HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        (Method::Connect, "a:1", &[HOST], none, "CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        (Method::Get, "http://A/b", &[HOST], none, "GET http://A/b HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        (Method::Get, "/", &[("host", b"")], none, "GET / HTTP/1.1\r\nhost: \r\n\r\n".into()),
        (
            Method::Get,
            "/",
            upgrade,
            none,
            "GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n".into(),
        ),
        (
            Method::Get,
            "/",
            &[HOST, ("Connection", b"Upgrade, TE"), ("TE", b"trailers"), ("Upgrade", b"a")],
            none,
            "GET / HTTP/1.1\r\nhost: a\r\nConnection: Upgrade, TE\r\nTE: trailers\r\nUpgrade: a\r\n\r\n".into(),
        ),
        (
            Method::Get,
            "/",
            &[HOST, ("te", b"trailers")],
            none,
            "GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\nconnection: te\r\n\r\n".into(),
        ),
        (
            Method::Get,
            "/",
            &[HOST, ("te", b"trailers"), ("upgrade", b"a")],
            none,
            "GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\nupgrade: a\r\nconnection: te, upgrade\r\n\r\n".into(),
        ),
    ];
    for (method, target, fields, length, want) in cases {
        let mut dialogue = dialogue();
        dialogue.call(|client, tx| client.request(method, target.as_bytes(), fields, length, tx)).unwrap();
        assert_eq!(dialogue.client.owes_content(), length != none);
        if length != none {
            if length != BodyLength::Length(0) {
                send(&mut dialogue, b"hello").unwrap();
            }
            end(&mut dialogue).unwrap();
        }
        assert_eq!(dialogue.wire(), want);
        assert_eq!((dialogue.client.outstanding(), dialogue.client.owes_content()), (1, false));
        // Our own server takes each of them, and sees the same.
        let mut server = Exchange::new(Server::default());
        server.feed(want.as_bytes(), &mut |_, _, _| {});
        let Some(Told::Request(head)) = server.events().first().cloned() else { panic!("{:?}", server.violation) };
        assert_eq!((head.method, head.target), (method.as_str().to_owned(), target.as_bytes().to_vec()));
        assert_eq!(server.events().last(), Some(&Told::End));
    }
}

#[test]
fn a_prepared_request_is_the_same_each_time() {
    let mut space = [0; 128];
    let fields: Fields<'_> = &[HOST, ("connection", b"close")];
    let get = Prepared::new(Method::Get, b"/", &[HOST], BodyLength::None, &mut space).unwrap();
    let mut last = [0; 128];
    let last = Prepared::new(Method::Post, b"/", fields, BodyLength::Chunked, &mut last).unwrap();
    let mut dialogue = dialogue();
    dialogue.call(|client, tx| client.request_prepared(&get, tx)).unwrap();
    dialogue.call(|client, tx| client.request_prepared(&get, tx)).unwrap();
    dialogue.feed(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(dialogue.call(|client, tx| client.request_prepared(&last, tx)), Err(Misuse::Http10));
    dialogue.feed(OK5);
    dialogue.call(|client, tx| client.request_prepared(&last, tx)).unwrap();
    end(&mut dialogue).unwrap();
    assert_eq!(dialogue.call(|client, tx| client.request_prepared(&get, tx)), Err(Misuse::Closed));
    let get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let last = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(dialogue.wire(), [get, get, last].concat());

    let prepare = |fields, len: usize| {
        let mut space = [0; 100];
        Prepared::new(Method::Get, b"/", fields, BodyLength::None, &mut space[..len]).map(|_| ())
    };
    assert_eq!(prepare(&[HOST], 27), Ok(()));
    assert_eq!(prepare(&[HOST], 26), Err(SendError::Full(Full { needed: 27 })));
    assert_eq!(prepare(&[], 100), Err(SendError::Misuse(Misuse::Host)));
}

#[test]
fn a_request_with_all_its_content_is_written_whole_or_not_at_all() {
    let mut dialogue = dialogue();
    dialogue.out.size = 1;
    dialogue.call(|client, tx| client.request_with(Method::Post, b"/", &[HOST], b"hello", tx)).unwrap();
    assert_eq!(dialogue.wire(), "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello");
    assert!(!dialogue.client.owes_content());
    dialogue.feed(OK5);
    assert_eq!((dialogue.codes(), dialogue.client.unusable()), (vec![200, 0], None));
}

#[test]
fn what_a_request_must_not_be_is_misuse() {
    let (get, none) = (Method::Get, BodyLength::None);
    let cases: [(Method<'_>, &[u8], Fields<'_>, BodyLength, Misuse); 33] = [
        (get, b"", &[HOST], none, Misuse::Target),
        (get, b"a", &[HOST], none, Misuse::Target),
        (get, b"*", &[HOST], none, Misuse::Target),
        (get, b"/ HTTP/1.1\r\nx: y", &[HOST], none, Misuse::Target),
        (get, b"/\0", &[HOST], none, Misuse::Target),
        (get, b"/\xe9", &[HOST], none, Misuse::Target),
        (get, b"/#a", &[HOST], none, Misuse::Target),
        (Method::Connect, b"/", &[HOST], none, Misuse::Target),
        (Method::Connect, b"a", &[HOST], none, Misuse::Target),
        (get, b"/", &[], none, Misuse::Host),
        (get, b"/", &[HOST, ("Host", b"a")], none, Misuse::Host),
        (get, b"/", &[("host", b"a b")], none, Misuse::Host),
        (get, b"/", &[("host", b"a/b")], none, Misuse::Host),
        (get, b"http://b/", &[HOST], none, Misuse::Host),
        (get, b"http://a:80/", &[HOST], none, Misuse::Host),
        (Method::Connect, b"b:1", &[HOST], none, Misuse::Host),
        (Method::Connect, b"b:1", &[("host", b"")], none, Misuse::Host),
        (get, b"/", &[HOST, ("", b"a")], none, Misuse::FieldName),
        (get, b"/", &[HOST, ("a b", b"a")], none, Misuse::FieldName),
        (get, b"/", &[HOST, ("a\r\nb", b"a")], none, Misuse::FieldName),
        (get, b"/", &[HOST, ("a", b"b\r\nc: d")], none, Misuse::FieldValue),
        (get, b"/", &[HOST, ("a", b"b\nc")], none, Misuse::FieldValue),
        (get, b"/", &[HOST, ("a", b"b\0c")], none, Misuse::FieldValue),
        (get, b"/", &[HOST, ("a", b" b")], none, Misuse::FieldValue),
        (get, b"/", &[HOST, ("Content-Length", b"5")], BodyLength::Length(5), Misuse::FieldReserved),
        (get, b"/", &[HOST, ("transfer-encoding", b"chunked")], BodyLength::Chunked, Misuse::FieldReserved),
        (get, b"/", &[HOST, ("expect", b"100-continue")], none, Misuse::Expectation),
        (get, b"/", &[HOST, ("expect", b"100-continue")], BodyLength::Length(0), Misuse::Expectation),
        (get, b"/", &[HOST, ("expect", b"more")], BodyLength::Length(5), Misuse::Expectation),
        (Method::Trace, b"/", &[HOST], BodyLength::Length(5), Misuse::ContentNotAllowed),
        (Method::Trace, b"/", &[HOST], BodyLength::Chunked, Misuse::ContentNotAllowed),
        (Method::Connect, b"a:1", &[HOST], BodyLength::Length(5), Misuse::ContentNotAllowed),
        (get, b"/", &[HOST, ("upgrade", &[b'a'; 31])], none, Misuse::Offer),
    ];
    let mut dialogue = dialogue();
    for (method, target, fields, length, misuse) in cases {
        let refused = dialogue.call(|client, tx| client.request(method, target, fields, length, tx));
        assert_eq!(refused, Err(misuse), "{method} {} {fields:?} {length:?}", target.escape_ascii());
        assert_eq!(dialogue.client.outstanding(), 0);
    }
    assert_eq!(dialogue.wire(), "");
    ask(&mut dialogue, Method::Get).unwrap();
}

#[test]
fn content_is_as_long_as_declared() {
    let mut dialogue = posting(BodyLength::Length(5), &[]);
    assert_eq!(send(&mut dialogue, b"hello!"), Err(Misuse::PastLength));
    assert_eq!(end(&mut dialogue), Err(Misuse::ShortOfLength));
    assert_eq!(send(&mut dialogue, b"hel"), Ok(3));
    assert_eq!(dialogue.call(|client, tx| client.body_prefix(3, tx)), Err(Misuse::PastLength));
    assert_eq!(dialogue.call(|client, tx| client.body_prefix(2, tx)), Ok(2));
    assert_eq!(dialogue.call(|client, tx| client.end(&[("a", b"b")], tx)), Err(Misuse::Trailer));
    end(&mut dialogue).unwrap();
    assert_eq!(end(&mut dialogue), Err(Misuse::NoRequest));
    assert_eq!(send(&mut dialogue, b"x"), Err(Misuse::NoRequest));
    assert!(dialogue.wire().ends_with("content-length: 5\r\n\r\nhel"));
}

#[test]
fn chunks_by_the_engine_and_by_the_caller_and_trailers() {
    let mut dialogue = posting(BodyLength::Chunked, &[]);
    dialogue.out.wire.clear();
    assert_eq!(send(&mut dialogue, b""), Ok(0));
    assert_eq!(send(&mut dialogue, b"hello"), Ok(5));
    assert_eq!(dialogue.call(|client, tx| client.body_prefix(0x1f, tx)), Ok(0x1f));
    dialogue.out.wire.extend_from_slice(b"(thirty-one bytes)");
    dialogue.call(Client::body_suffix).unwrap();
    dialogue.call(Client::body_suffix).unwrap();
    assert_eq!(dialogue.call(|client, tx| client.body_prefix(1, tx)), Ok(1));
    dialogue.out.wire.extend_from_slice(b"x");
    for name in ["content-length", "Host", "connection"] {
        assert_eq!(dialogue.call(|client, tx| client.end(&[(name, b"1")], tx)), Err(Misuse::Trailer));
    }
    dialogue.call(|client, tx| client.end(&[("x-sum", b"1")], tx)).unwrap();
    let want = "5\r\nhello\r\n1f\r\n(thirty-one bytes)\r\n1\r\nx\r\n0\r\nx-sum: 1\r\n\r\n";
    assert_eq!(dialogue.wire(), want);
}

#[test]
fn partial_content_says_how_much() {
    let mut dialogue = posting(BodyLength::Length(10), &[]);
    let mut space = [0; 4];
    let mut tx = Tx::new(&mut space);
    assert_eq!(dialogue.client.body(b"0123456789", &mut tx), Ok(4));
    assert_eq!(tx.written(), b"0123");
    assert!(matches!(dialogue.client.body(b"456789", &mut tx), Err(SendError::Full(_))));
    assert_eq!(dialogue.client.body(b"456789", &mut Tx::new(&mut [0; 6])), Ok(6));
    end(&mut dialogue).unwrap();
}

#[test]
fn every_framing_of_a_response() {
    let cases: [(Method<'_>, &str, &str, ResponseLength); 12] = [
        (Method::Get, "200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", ResponseLength::Length(5)),
        (Method::Get, "200 OK\r\nContent-Length: 0\r\n\r\n", "", ResponseLength::None),
        (
            Method::Get,
            "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\n\r\n",
            "hello",
            ResponseLength::Chunked,
        ),
        (Method::Get, "200 OK\r\n\r\nhello", "hello", ResponseLength::UntilClose),
        (Method::Get, "200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello", "hello", ResponseLength::UntilClose),
        (Method::Get, "200 OK\r\n\r\n", "", ResponseLength::UntilClose),
        (Method::Head, "200 OK\r\nContent-Length: 5\r\n\r\n", "", ResponseLength::None),
        (Method::Head, "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", ResponseLength::None),
        (Method::Get, "204 No Content\r\n\r\n", "", ResponseLength::None),
        (Method::Get, "304 Not Modified\r\nContent-Length: 5\r\n\r\n", "", ResponseLength::None),
        (Method::Connect, "407 No\r\nContent-Length: 5\r\n\r\nhello", "hello", ResponseLength::Length(5)),
        (Method::Get, "205 Reset\r\nContent-Length: 5\r\n\r\nhello", "hello", ResponseLength::Length(5)),
    ];
    for (method, response, content, length) in cases {
        let mut dialogue = asked(method);
        dialogue.feed(format!("HTTP/1.1 {response}").as_bytes());
        if length == ResponseLength::UntilClose {
            assert_eq!(dialogue.client.wants(), Wants::Input);
            dialogue.finish();
        }
        let events = dialogue.events();
        let Some(Heard::Response(reply)) = events.first() else { panic!("{response:?}: {events:?}") };
        assert_eq!((reply.length, events.last()), (length, Some(&Heard::End)), "{response:?}");
        assert_eq!((body(&dialogue), dialogue.client.outstanding()), (content.into(), 0), "{response:?}");
        let unusable = (length == ResponseLength::UntilClose).then_some(Unusable::UntilClose);
        assert_eq!(dialogue.client.unusable(), unusable, "{response:?}");
    }
}

#[test]
fn trailers_come_apart_and_only_those_that_may() {
    let dialogue = answered(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\nX-Sum: 1\r\nSet-Cookie: a\r\n\r\n",
    );
    let trailers = Heard::Trailers(vec![("x-sum".to_owned(), b"1".to_vec())]);
    assert_eq!(dialogue.events()[1..], [trailers, Heard::End]);
}

#[test]
fn a_body_cut_off_is_told_from_one_that_ends_with_the_connection() {
    for (response, cut) in [
        ("Content-Length: 10\r\n\r\nhello", true),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", true),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", true),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nhel", true),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: a\r\n", true),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", false),
        ("\r\nhello", false),
        ("Content-Length: 5\r\n\r\nhello", false),
    ] {
        let dialogue = answered(format!("HTTP/1.1 200 OK\r\n{response}").as_bytes());
        assert_eq!(dialogue.violation, cut.then_some(Violation::Eof), "{response:?}");
        assert_eq!(dialogue.codes().contains(&0), !cut, "{response:?}");
        assert_eq!(dialogue.client.wants(), Wants::Close);
    }
    let dialogue = answered(b"HTTP/1.1 200 OK\r\nX:");
    assert_eq!((dialogue.violation, dialogue.client.unanswered()), (Some(Violation::Eof), 1));
    let dialogue = answered(b"");
    assert_eq!((dialogue.violation, dialogue.client.unanswered()), (Some(Violation::Eof), 1), "to be repeated");
}

#[test]
fn interim_responses_come_before_the_final_one_so_many_and_no_more() {
    let mut dialogue = asked(Method::Get);
    dialogue.feed(b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 199 X\r\n\r\n");
    dialogue.feed(OK5);
    assert_eq!(dialogue.codes(), [103, 100, 199, 200, 0]);
    let Heard::Interim(reply) = &dialogue.events()[0] else { panic!("{:?}", dialogue.events()) };
    assert_eq!(reply.fields, [("link".to_owned(), b"a".to_vec())]);

    let config = Config { max_interim: 2, ..Config::default() };
    let mut dialogue = Dialogue::new(Client::new(&config));
    for _ in 0..2 {
        ask(&mut dialogue, Method::Get).unwrap();
        dialogue.feed(&CONTINUE.repeat(2));
        dialogue.feed(OK0);
    }
    ask(&mut dialogue, Method::Get).unwrap();
    dialogue.feed(&CONTINUE.repeat(3));
    assert_eq!(dialogue.violation, Some(Violation::Limit(Limit::Interim)), "counted for each request");
}

const EXPECT: (&str, &[u8]) = ("Expect", b"100-Continue");

#[test]
fn content_waits_for_continue() {
    let mut dialogue = posting(BodyLength::Length(5), &[EXPECT]);
    dialogue.feed(b"HTTP/1.1 103 Early Hints\r\n\r\n");
    assert_eq!(dialogue.client.wants(), Wants::Input);
    dialogue.feed(CONTINUE);
    assert_eq!(dialogue.events().last(), Some(&Heard::Continue));
    assert_eq!(dialogue.client.poll_timeout(), None, "its deadline is gone with it");
}

#[test]
fn a_final_response_instead_of_continue_leaves_the_content_owed() {
    let mut dialogue = posting(BodyLength::Length(5), &[EXPECT]);
    dialogue.feed(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(dialogue.codes(), [417, 0]);
    // The server may wait for the content that was declared: whatever else came next would be taken for it.
    assert_eq!(dialogue.client.unusable(), Some(Unusable::RequestIncomplete));
    assert_eq!(ask(&mut dialogue, Method::Get), Err(Misuse::RequestIncomplete));
    send(&mut dialogue, b"hello").unwrap();
    end(&mut dialogue).unwrap();
    assert_eq!((dialogue.client.unusable(), dialogue.client.outstanding()), (None, 0));
    ask(&mut dialogue, Method::Get).unwrap();

    let mut dialogue = posting(BodyLength::Length(5), &[EXPECT]);
    dialogue.feed(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    assert_eq!(dialogue.client.unusable(), Some(Unusable::ServerCloses));
    assert_eq!(send(&mut dialogue, b"hello"), Err(Misuse::Closed));
    assert_eq!(dialogue.client.wants(), Wants::Close);

    let mut dialogue = posting(BodyLength::Length(5), &[EXPECT]);
    dialogue.feed(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
    dialogue.client.close();
    assert_eq!((dialogue.client.unusable(), dialogue.client.wants()), (Some(Unusable::Closing), Wants::Close));
}

#[test]
fn continue_that_does_not_come_is_not_waited_for() {
    let mut dialogue = posting(BodyLength::Length(5), &[EXPECT]);
    dialogue.feed(b"");
    let due = dialogue.client.poll_timeout().unwrap();
    assert_eq!(due, Instant::from_millis(1000));
    dialogue.client.handle_timeout(Instant::from_millis(999));
    dialogue.feed(b"");
    assert_eq!(dialogue.events(), []);
    dialogue.client.handle_timeout(due);
    dialogue.client.handle_timeout(due);
    dialogue.now = due;
    dialogue.feed(b"");
    assert_eq!((dialogue.events(), dialogue.client.poll_timeout()), (vec![Heard::Continue], None));
    send(&mut dialogue, b"hello").unwrap();
    end(&mut dialogue).unwrap();
    dialogue.feed(CONTINUE);
    dialogue.feed(OK0);
    assert_eq!(dialogue.codes(), [100, 200, 0], "a late 100 is one of many");
}

#[test]
fn who_sends_does_not_wait() {
    let mut dialogue = posting(BodyLength::Length(5), &[EXPECT]);
    dialogue.feed(b"");
    send(&mut dialogue, b"hello").unwrap();
    assert_eq!(dialogue.client.poll_timeout(), None);
    end(&mut dialogue).unwrap();
    dialogue.feed(CONTINUE);
    assert_eq!(dialogue.codes(), [100]);
}

#[test]
fn answers_go_to_requests_in_the_order_sent() {
    let methods = [Method::Get, Method::Head, Method::Get, Method::Options, Method::Head, Method::Put];
    let mut dialogue = dialogue();
    for method in methods {
        ask(&mut dialogue, method).unwrap();
    }
    assert_eq!((dialogue.client.outstanding(), dialogue.client.unanswered()), (6, 6));
    // The same head each time: how long it makes the response depends on whose answer it is.
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    for method in methods {
        dialogue.feed(head);
        if method != Method::Head {
            dialogue.feed(b"hello");
        }
    }
    assert_eq!(dialogue.codes(), [200, 0].repeat(6));
    assert_eq!((dialogue.violation, dialogue.client.outstanding()), (None, 0));
}

#[test]
fn a_pipeline_has_an_end() {
    for (pipeline, most) in [(0, 0), (1, 1), (3, 3), (8, 8), (200, 8)] {
        let mut dialogue = Dialogue::new(Client::new(&Config { pipeline, ..Config::default() }));
        for _ in 0..most {
            ask(&mut dialogue, Method::Get).unwrap();
        }
        assert_eq!(ask(&mut dialogue, Method::Get), Err(Misuse::Pipeline));
        if most > 0 {
            dialogue.feed(OK5);
            ask(&mut dialogue, Method::Get).unwrap();
        }
    }
}

#[test]
fn nothing_follows_what_cannot_be_repeated_or_leaves_http() {
    let upgrade: Fields<'_> = &[HOST, ("upgrade", b"websocket")];
    for (method, fields) in [(Method::Post, &[HOST][..]), (Method::Get, upgrade), (Method::Connect, &[HOST])] {
        let mut dialogue = asked(Method::Get);
        let target: &[u8] = if method == Method::Connect { b"a:1" } else { b"/" };
        dialogue.call(|client, tx| client.request(method, target, fields, BodyLength::None, tx)).unwrap();
        assert_eq!(ask(&mut dialogue, Method::Get), Err(Misuse::Pipeline), "{method}");
        dialogue.feed(OK5);
        assert_eq!(ask(&mut dialogue, Method::Get), Err(Misuse::Pipeline), "{method}");
        dialogue.feed(b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n");
        ask(&mut dialogue, Method::Get).unwrap();
        dialogue.feed(b"hello");
        dialogue.feed(OK5);
        assert_eq!(dialogue.codes(), [200, 0, 404, 0, 200, 0], "{method}");
    }
}

#[test]
fn pipelined_content_follows_while_answers_come() {
    let mut dialogue = asked(Method::Get);
    dialogue.call(|client, tx| client.request(Method::Put, b"/", &[HOST], BodyLength::Length(5), tx)).unwrap();
    assert_eq!(ask(&mut dialogue, Method::Get), Err(Misuse::RequestIncomplete));
    send(&mut dialogue, b"he").unwrap();
    dialogue.feed(OK5);
    send(&mut dialogue, b"llo").unwrap();
    dialogue.feed(&OK5[..10]);
    end(&mut dialogue).unwrap();
    ask(&mut dialogue, Method::Head).unwrap();
    dialogue.feed(&OK5[10..]);
    dialogue.feed(OK5.strip_suffix(b"hello").unwrap());
    assert_eq!((dialogue.codes(), dialogue.client.unusable()), ([200, 0].repeat(3), None));
}

#[test]
fn an_answer_that_says_close_leaves_the_others_unanswered() {
    let mut dialogue = asked(Method::Get);
    ask(&mut dialogue, Method::Get).unwrap();
    dialogue.call(|client, tx| client.request(Method::Put, b"/", &[HOST], BodyLength::Length(5), tx)).unwrap();
    dialogue.feed(&[CLOSE0, OK5].concat());
    assert_eq!((dialogue.codes(), dialogue.client.unusable()), (vec![200, 0], Some(Unusable::ServerCloses)));
    assert_eq!((dialogue.client.wants(), dialogue.client.unanswered()), (Wants::Close, 2));
    assert_eq!(send(&mut dialogue, b"hello"), Err(Misuse::Closed));
    assert_eq!(ask(&mut dialogue, Method::Get), Err(Misuse::Closed));
}

#[test]
fn our_own_close_ends_with_the_last_answer() {
    let mut dialogue = asked(Method::Get);
    let close: Fields<'_> = &[HOST, ("Connection", b"close")];
    dialogue.call(|client, tx| client.request(Method::Get, b"/", close, BodyLength::None, tx)).unwrap();
    assert_eq!(ask(&mut dialogue, Method::Get), Err(Misuse::Closed));
    dialogue.feed(OK5);
    assert_eq!((dialogue.client.wants(), dialogue.client.outstanding()), (Wants::Input, 1));
    dialogue.feed(OK5);
    assert_eq!((dialogue.codes(), dialogue.client.wants()), ([200, 0].repeat(2), Wants::Close));

    let mut dialogue = asked(Method::Get);
    dialogue.client.close();
    dialogue.client.close();
    dialogue.feed(OK5);
    assert_eq!((dialogue.codes(), dialogue.client.unusable()), (vec![200, 0], Some(Unusable::Closing)));
    assert_eq!(dialogue.client.wants(), Wants::Close);

    let mut client = Client::default();
    client.close();
    assert_eq!((client.wants(), client.unusable()), (Wants::Close, Some(Unusable::Closing)));
}

#[test]
fn why_a_connection_cannot_be_used_again() {
    let eof = Some(Unusable::Failed(Violation::Eof));
    for (response, reason) in [
        ("1.1 200 OK\r\nContent-Length: 0\r\n\r\n", None),
        ("1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", None),
        ("1.1 200 OK\r\nContent-Length: 0\r\nConnection: a, Close\r\n\r\n", Some(Unusable::ServerCloses)),
        ("1.0 200 OK\r\nContent-Length: 0\r\n\r\n", Some(Unusable::Http10)),
        ("1.1 200 OK\r\n\r\n", Some(Unusable::UntilClose)),
        ("1.1 200 OK\r\nConnection: close\r\n\r\n", Some(Unusable::ServerCloses)),
    ] {
        let mut dialogue = asked(Method::Get);
        dialogue.feed(format!("HTTP/{response}").as_bytes());
        assert_eq!(dialogue.client.unusable(), reason, "{response:?}");
        dialogue.finish();
        assert_eq!(dialogue.client.unusable(), reason.or(Some(Unusable::Ended)), "{response:?}");
        assert_eq!((dialogue.client.wants(), dialogue.violation), (Wants::Close, None));
        assert_eq!(ask(&mut dialogue, Method::Get), Err(Misuse::Closed));
    }
    assert_eq!(answered(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n").client.unusable(), eof);
}

#[test]
fn a_server_of_http10_gets_no_chunks() {
    let mut dialogue = asked(Method::Get);
    dialogue.feed(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
    let chunked =
        |client: &mut Client, tx: &mut Tx<'_>| client.request(Method::Put, b"/", &[HOST], BodyLength::Chunked, tx);
    assert_eq!(dialogue.call(chunked), Err(Misuse::Http10));
    ask(&mut dialogue, Method::Get).unwrap();
    dialogue.feed(OK0);
    dialogue.call(chunked).unwrap();
}

#[test]
fn an_early_answer_does_not_end_its_request() {
    let mut dialogue = posting(BodyLength::Chunked, &[]);
    send(&mut dialogue, b"hello").unwrap();
    dialogue.feed(OK5);
    assert_eq!((dialogue.codes(), dialogue.client.outstanding()), (vec![200, 0], 1));
    assert_eq!(dialogue.client.unusable(), Some(Unusable::RequestIncomplete));
    assert_eq!((dialogue.client.owes_content(), dialogue.client.wants()), (true, Wants::Caller));
    send(&mut dialogue, b"hello").unwrap();
    end(&mut dialogue).unwrap();
    ask(&mut dialogue, Method::Get).unwrap();
    dialogue.feed(OK5);
    assert_eq!((dialogue.codes(), dialogue.client.unusable()), ([200, 0].repeat(2), None));

    // With `close`, the rest may go while the answer is still coming, and no longer.
    let mut dialogue = posting(BodyLength::Length(10), &[]);
    dialogue.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhel");
    send(&mut dialogue, b"hello").unwrap();
    dialogue.feed(b"lo");
    assert_eq!((dialogue.codes(), dialogue.client.wants()), (vec![200, 0], Wants::Close));
    assert_eq!(send(&mut dialogue, b"hello"), Err(Misuse::Closed));
    assert_eq!(dialogue.client.unusable(), Some(Unusable::ServerCloses));

    // A server that closes in silence after an early answer.
    let mut dialogue = posting(BodyLength::Length(10), &[]);
    dialogue.feed(OK5);
    dialogue.finish();
    assert_eq!((dialogue.client.unusable(), dialogue.violation), (Some(Unusable::Ended), None));
    assert_eq!(send(&mut dialogue, b"hello"), Err(Misuse::Closed));
}

#[test]
fn bytes_that_no_request_waits_for_are_never_a_response() {
    let unasked = Violation::Ambiguous(Ambiguous::ResponseUnasked);
    let mut before = dialogue();
    before.feed(OK5);
    assert_eq!((before.violation, before.events()), (Some(unasked), vec![]));
    assert_eq!(ask(&mut before, Method::Get), Err(Misuse::Closed));

    // A second response hidden behind the first is not the next request's, whether or not poll was called before it.
    let mut behind = asked(Method::Get);
    let mut bytes = [OK5, OK5].concat();
    let mut rx = Rx::new(&mut bytes);
    for _ in 0..3 {
        assert!(behind.client.poll(Instant::ZERO, &mut rx).unwrap().is_some());
    }
    assert_eq!(behind.client.unusable(), Some(Unusable::Failed(unasked)));
    assert_eq!(ask(&mut behind, Method::Get), Err(Misuse::Closed));
    assert_eq!(behind.client.poll(Instant::ZERO, &mut rx).unwrap_err(), unasked);
    assert_eq!(rx.bytes(), OK5);

    // So with content that a HEAD, a 204 or a 304 does not have, and behind an early answer.
    for (method, response) in [
        (Method::Head, OK5),
        (Method::Get, b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"),
        (Method::Get, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello"),
    ] {
        let mut dialogue = asked(method);
        dialogue.feed(response);
        assert_eq!((dialogue.violation, dialogue.rest()), (Some(unasked), &b"hello"[..]));
        assert_eq!(dialogue.client.wants(), Wants::Close);
    }
    let mut early = posting(BodyLength::Length(10), &[]);
    early.feed(&[OK5, OK5].concat());
    assert_eq!(early.violation, Some(unasked));
    assert_eq!(send(&mut early, b"hello"), Err(Misuse::Closed));
}

#[test]
fn empty_lines_between_responses_are_nothing() {
    let mut dialogue = dialogue();
    dialogue.feed(b"\r\n\r");
    assert_eq!(dialogue.rest(), b"\r");
    ask(&mut dialogue, Method::Get).unwrap();
    dialogue.feed(b"\n");
    dialogue.feed(&[b"\r\n", OK5, b"\r\n\r\n"].concat());
    assert_eq!((dialogue.codes(), dialogue.rest(), dialogue.violation), (vec![200, 0], &b""[..], None));
    dialogue.feed(b"\r\r");
    assert_eq!(dialogue.violation, Some(Violation::Ambiguous(Ambiguous::ResponseUnasked)));
}

const SWITCH: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n\x81\x02hi";

#[test]
fn an_upgrade_leaves_the_rest_to_the_next_protocol() {
    let mut dialogue = dialogue();
    let fields: Fields<'_> = &[HOST, ("upgrade", b"a/1, websocket")];
    dialogue.call(|client, tx| client.request(Method::Get, b"/", fields, BodyLength::None, tx)).unwrap();
    dialogue.feed(b"HTTP/1.1 103 Early Hints\r\n\r\n");
    dialogue.feed(SWITCH);
    dialogue.finish();
    assert!(matches!(dialogue.events().last(), Some(Heard::Switched(reply)) if reply.code == 101));
    assert_eq!((dialogue.rest(), dialogue.client.has_switched()), (&b"\x81\x02hi"[..], true));
    assert_eq!((dialogue.client.unusable(), dialogue.client.wants()), (Some(Unusable::Switched), Wants::Caller));
    assert_eq!(ask(&mut dialogue, Method::Get), Err(Misuse::Closed));
    assert_eq!((dialogue.client.poll_timeout(), dialogue.violation), (None, None));
}

#[test]
fn a_101_is_what_was_offered_or_a_violation() {
    let unasked = Some(Violation::Ambiguous(Ambiguous::SwitchUnasked));
    let offer = |offer: &'static [u8]| {
        let mut dialogue = dialogue();
        let fields = [HOST, ("upgrade", offer)];
        dialogue.call(|client, tx| client.request(Method::Get, b"/", &fields, BodyLength::None, tx)).unwrap();
        dialogue
    };
    let mut plain = asked(Method::Get);
    plain.feed(SWITCH);
    assert_eq!((plain.violation, plain.events()), (unasked, vec![]));
    for response in [
        "Connection: upgrade\r\nUpgrade: h2c\r\n",
        "Connection: upgrade\r\nUpgrade: websocket, h2c\r\n",
        "Connection: upgrade\r\n",
        "Upgrade: websocket\r\n",
        "",
    ] {
        let mut dialogue = offer(b"websocket");
        dialogue.feed(format!("HTTP/1.1 101 Switching Protocols\r\n{response}\r\n").as_bytes());
        assert_eq!((dialogue.violation, dialogue.events()), (unasked, vec![]), "{response:?}");
    }
    // An offer that was declined does not count later.
    let mut later = offer(b"websocket");
    later.feed(OK5);
    ask(&mut later, Method::Get).unwrap();
    later.feed(SWITCH);
    assert_eq!(later.violation, unasked);
    // Nor one behind a request that is still to be answered, nor one of a request that is not complete.
    let mut behind = asked(Method::Get);
    let fields: Fields<'_> = &[HOST, ("upgrade", b"websocket")];
    behind.call(|client, tx| client.request(Method::Get, b"/", fields, BodyLength::None, tx)).unwrap();
    behind.feed(SWITCH);
    assert_eq!(behind.violation, unasked);
    let mut open = posting(BodyLength::Length(1), &[("upgrade", b"websocket")]);
    open.feed(SWITCH);
    assert_eq!(open.violation, unasked);
}

#[test]
fn connect_opens_a_tunnel_or_is_refused_like_any_other() {
    for head in ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", ""] {
        let mut dialogue = asked(Method::Connect);
        dialogue.feed(format!("HTTP/1.1 299 Yes\r\n{head}\r\nhello").as_bytes());
        let events = dialogue.events();
        assert!(matches!(&events[..], [Heard::Switched(reply)] if reply.code == 299), "{events:?}");
        assert_eq!((dialogue.rest(), dialogue.client.has_switched()), (&b"hello"[..], true));
    }
    let mut refused = asked(Method::Connect);
    refused.feed(b"HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!((refused.codes(), refused.client.unusable()), (vec![407, 0], None));
}

#[test]
fn each_limit() {
    let config = Config {
        head: HeadLimits { line: 30, bytes: 100, fields: 2 },
        max_body: 5,
        max_chunk_ext: 3,
        ..Config::default()
    };
    let chunked = "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let long = "a".repeat(100);
    for (response, limit) in [
        (format!("200 {long}"), Some(Limit::StatusLine)),
        (format!("200 OK\r\nX: {long}"), Some(Limit::Head)),
        ("200 OK\r\nA:\r\nB:\r\nC:\r\n".into(), Some(Limit::Fields)),
        ("200 OK\r\nContent-Length: 6\r\n\r\n".into(), Some(Limit::Body)),
        ("200 OK\r\nContent-Length: 5\r\n\r\nhello".into(), None),
        (format!("{chunked}3\r\nhel\r\n3\r\nl"), Some(Limit::Body)),
        (format!("{chunked}3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"), None),
        (format!("{chunked}1;abc"), Some(Limit::ChunkExtensions)),
        (format!("{chunked}0\r\nX: {long}"), Some(Limit::Trailers)),
        ("200 OK\r\n\r\nhello!".into(), Some(Limit::Body)),
        ("200 OK\r\n\r\nhello".into(), None),
    ] {
        let mut dialogue = Dialogue::new(Client::new(&config));
        ask(&mut dialogue, Method::Get).unwrap();
        dialogue.feed(format!("HTTP/1.1 {response}").as_bytes());
        assert_eq!(dialogue.violation, limit.map(Violation::Limit), "{response:?}");
        if limit.is_some() {
            assert_eq!(dialogue.client.wants(), Wants::Close);
            assert_eq!(dialogue.violation.unwrap().gateway_status(), Status::BAD_GATEWAY);
        }
    }
}

#[test]
fn a_full_buffer_without_progress_is_a_limit() {
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    for (before, held, limit) in [
        (&b""[..], &b"HTTP/1.1 200"[..], Limit::StatusLine),
        (b"", b"HTTP/1.1 200 OK\r\nX:", Limit::Head),
        (chunked, b"X: a", Limit::Trailers),
    ] {
        let mut dialogue = asked(Method::Get);
        dialogue.feed(before);
        let mut held = held.to_vec();
        let violation = dialogue.client.poll(Instant::ZERO, &mut Rx::full(&mut held)).unwrap_err();
        assert_eq!(violation, Violation::Limit(limit));
    }
}

#[test]
fn deadlines_fire_at_their_time_and_not_before() {
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let config = Config {
        head_timeout: seconds(3),
        body_timeout: seconds(2),
        whole_timeout: seconds(10),
        continue_timeout: seconds(1),
        idle_timeout: seconds(5),
        ..Config::default()
    };
    let at = |seconds: u64| Instant::from_millis(seconds * 1000);
    let start = || {
        let mut dialogue = Dialogue::new(Client::new(&config));
        dialogue.feed(b"");
        dialogue
    };
    /// Lets the next deadline pass, which must be `due`.
    fn pass(dialogue: &mut Dialogue, due: Instant) {
        assert_eq!(dialogue.client.poll_timeout(), Some(due));
        let before = Instant::from_nanos(due.as_nanos() - 1);
        dialogue.client.handle_timeout(before);
        assert_eq!(dialogue.client.poll_timeout(), Some(due));
        dialogue.client.handle_timeout(due);
        dialogue.now = due;
        dialogue.feed(b"");
    }
    fn late(dialogue: &Dialogue) -> Option<Timeout> {
        match dialogue.violation? {
            Violation::Timeout(timeout) => {
                assert_eq!(dialogue.client.wants(), Wants::Close);
                assert_eq!(dialogue.violation?.gateway_status(), Status::GATEWAY_TIMEOUT);
                Some(timeout)
            }
            other => panic!("{other}"),
        }
    }

    let mut idle = start();
    pass(&mut idle, at(5));
    assert_eq!((idle.client.unusable(), idle.client.wants()), (Some(Unusable::Idle), Wants::Close));
    assert_eq!((idle.violation, ask(&mut idle, Method::Get)), (None, Err(Misuse::Closed)));

    let mut head = start();
    ask(&mut head, Method::Get).unwrap();
    head.now = at(1);
    head.feed(b"HTTP/1.1 200");
    head.now = at(2);
    head.feed(b" OK\r\n");
    pass(&mut head, at(4));
    assert_eq!((late(&head), head.client.unanswered()), (Some(Timeout::Head), 1));

    // An interim response is a sign of life.
    let mut interim = start();
    ask(&mut interim, Method::Get).unwrap();
    interim.feed(b"");
    interim.now = at(2);
    interim.feed(b"HTTP/1.1 102 Processing\r\n\r\n");
    pass(&mut interim, at(5));
    assert_eq!(late(&interim), Some(Timeout::Head));

    // A request takes as long as it takes, but for the exchange as a whole.
    let mut slow = start();
    slow.call(|client, tx| client.request(Method::Put, b"/", &[HOST], BodyLength::Length(5), tx)).unwrap();
    slow.feed(b"");
    pass(&mut slow, at(10));
    assert_eq!(late(&slow), Some(Timeout::Whole));

    // Each read moves the deadline of content, and not that of the whole.
    let mut content = start();
    ask(&mut content, Method::Get).unwrap();
    content.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n");
    for second in 1..10 {
        content.now = at(second);
        content.feed(b"a");
    }
    pass(&mut content, at(10));
    assert_eq!(late(&content), Some(Timeout::Whole));
    let mut content = start();
    ask(&mut content, Method::Get).unwrap();
    content.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nh");
    content.now = at(1);
    content.feed(b"e\r");
    pass(&mut content, at(3));
    assert_eq!(late(&content), Some(Timeout::Body));

    // An exchange's deadlines are gone with it.
    let mut done = start();
    ask(&mut done, Method::Get).unwrap();
    done.feed(b"");
    done.now = at(1);
    done.feed(OK5);
    assert_eq!(done.client.poll_timeout(), Some(at(6)), "idle, from now");
    ask(&mut done, Method::Get).unwrap();
    assert_eq!(done.client.poll_timeout(), None);

    let none = Config {
        head_timeout: None,
        body_timeout: None,
        whole_timeout: None,
        continue_timeout: None,
        idle_timeout: None,
        ..config
    };
    let mut never = Dialogue::new(Client::new(&none));
    never.feed(b"");
    ask(&mut never, Method::Get).unwrap();
    never.feed(b"HTTP/1.1 200 OK\r\n\r\nhello");
    assert_eq!(never.client.poll_timeout(), None);
}

#[test]
fn a_violation_is_final() {
    let mut dialogue = asked(Method::Get);
    ask(&mut dialogue, Method::Get).unwrap();
    dialogue.feed(b"HTTP/1.1 2000 OK\r\n\r\n");
    let violation = Violation::Malformed(Malformed::StatusLine);
    assert_eq!((dialogue.violation, dialogue.client.unanswered()), (Some(violation), 2));
    dialogue.feed(OK5);
    dialogue.finish();
    assert_eq!((dialogue.events(), dialogue.client.poll_timeout()), (vec![], None));
    assert_eq!(ask(&mut dialogue, Method::Get), Err(Misuse::Closed));
    dialogue.client.close();
    dialogue.client.handle_timeout(Instant::from_millis(1 << 40));
    assert_eq!(dialogue.client.unusable(), Some(Unusable::Failed(violation)));
}

/// One thing a caller, or the server, or the clock does.
#[derive(Clone, Debug)]
enum Do {
    Request(usize, usize, usize),
    RequestWith(usize),
    Body(usize),
    Prefix(u64),
    Suffix,
    End(bool),
    Close,
    Feed(usize),
    Finish,
    Timeout,
}

fn anything() -> impl Strategy<Value = Do> {
    prop_oneof![
        6 => (0..METHODS.len(), 0..FIELDS.len(), 0..4_usize).prop_map(|(method, fields, body)| Do::Request(method, fields, body)),
        2 => (0..METHODS.len()).prop_map(Do::RequestWith),
        4 => (0..12_usize).prop_map(Do::Body),
        2 => (0..4_u64).prop_map(Do::Prefix),
        1 => Just(Do::Suffix),
        4 => any::<bool>().prop_map(Do::End),
        1 => Just(Do::Close),
        8 => (0..RESPONSES.len()).prop_map(Do::Feed),
        1 => Just(Do::Finish),
        1 => Just(Do::Timeout),
    ]
}

const METHODS: &[Method<'_>] = &[Method::Get, Method::Head, Method::Post, Method::Put, Method::Connect, Method::Trace];
const FIELDS: &[Fields<'_>] = &[
    &[HOST],
    &[HOST, ("upgrade", b"websocket")],
    &[HOST, EXPECT],
    &[HOST, ("connection", b"close")],
    &[HOST, ("a", b"b\r\n\r\nGET / HTTP/1.1")],
    &[HOST, ("content-length", b"3")],
    &[HOST, ("te", b"trailers")],
    &[],
];
const RESPONSES: &[&[u8]] = &[
    OK5,
    OK0,
    CLOSE0,
    CONTINUE,
    SWITCH,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\nuntil close",
    b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-",
    b"Length: 3\r\n\r\nabc",
    b"\r\n",
    b"\0",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 8 } else { 1000 }))]

    /// Calls in any order, right and wrong: no panic, and what goes out is a row of whole requests (the last one may be
    /// cut), one for each call that was taken.
    #[test]
    fn any_order_of_calls(steps in prop::collection::vec(anything(), 0..30), size in 1_usize..80) {
        let mut dialogue = dialogue();
        dialogue.out.size = size;
        let (mut taken, mut open_before) = (Vec::new(), false);
        for step in steps {
            let was_over = matches!(dialogue.client.unusable(), Some(Unusable::Failed(_) | Unusable::Switched | Unusable::Ended));
            let wire = dialogue.out.wire.len();
            match step {
                Do::Request(method, fields, body) => {
                    let length = [BodyLength::None, BodyLength::Length(0), BodyLength::Length(7), BodyLength::Chunked][body];
                    let target: &[u8] = if METHODS[method] == Method::Connect { b"a:1" } else { b"/" };
                    if dialogue.call(|client, tx| client.request(METHODS[method], target, FIELDS[fields], length, tx)).is_ok() {
                        prop_assert!(!open_before);
                        taken.push(METHODS[method].as_str());
                    }
                }
                Do::RequestWith(method) => {
                    if dialogue.call(|client, tx| client.request_with(METHODS[method], b"/", &[HOST], b"hi", tx)).is_ok() {
                        prop_assert!(!open_before);
                        taken.push(METHODS[method].as_str());
                    }
                }
                Do::Body(len) => {
                    let sent = send(&mut dialogue, &b"hello, world"[..len]);
                    prop_assert!(open_before || sent.is_err());
                }
                Do::Prefix(len) => {
                    if let Ok(len) = dialogue.call(|client, tx| client.body_prefix(len, tx)) {
                        dialogue.out.wire.extend((0..len).map(|_| b'x'));
                    }
                }
                Do::Suffix => drop(dialogue.call(Client::body_suffix)),
                Do::End(trailers) => {
                    let trailers: Fields<'_> = if trailers { &[("x", b"y")] } else { &[] };
                    let _ = dialogue.call(|client, tx| client.end(trailers, tx));
                }
                Do::Close => dialogue.client.close(),
                Do::Feed(response) => dialogue.feed(RESPONSES[response]),
                Do::Finish => dialogue.finish(),
                Do::Timeout => if let Some(due) = dialogue.client.poll_timeout() {
                    dialogue.client.handle_timeout(due);
                    dialogue.now = due;
                },
            }
            prop_assert!(!was_over || dialogue.out.wire.len() == wire, "nothing is sent any more");
            open_before = dialogue.client.owes_content();
            prop_assert!(dialogue.client.unanswered() <= dialogue.client.outstanding());
            prop_assert!(dialogue.client.outstanding() <= usize::from(Config::PIPELINE));
        }
        // The wire as a server reads it.
        let mut server = Exchange::new(Server::default());
        server.feed(&dialogue.out.wire, &mut |server, told, out| {
            if *told == Told::End {
                let _ = out.call(|tx| server.respond_with(Status::NOT_FOUND, &[], b"", tx));
            }
        });
        prop_assert_eq!(server.violation, None);
        let methods: Vec<_> = server.events().into_iter().filter_map(|told| match told {
            Told::Request(head) => Some(head.method),
            _ => None,
        }).collect();
        prop_assert_eq!(methods, taken);
    }

    /// What is received does not depend on the pieces it comes in.
    #[test]
    fn any_pieces_give_the_same(
        asks in prop::collection::vec(0..3_usize, 1..5),
        responses in prop::collection::vec(0..RESPONSES.len(), 0..8),
        mut ends in prop::collection::vec(any::<prop::sample::Index>(), 0..8), last in any::<bool>(),
    ) {
        let wire: Vec<u8> = responses.iter().flat_map(|&response| RESPONSES[response].iter().copied()).collect();
        let play = |pieces: &mut dyn Iterator<Item = &[u8]>| {
            let mut dialogue = dialogue();
            for &method in &asks {
                let _ = ask(&mut dialogue, METHODS[method]);
            }
            dialogue.feed(b"");
            pieces.for_each(|piece| dialogue.feed(piece));
            if last {
                dialogue.finish();
            }
            let rest = if dialogue.violation.is_some() { Vec::new() } else { dialogue.rest().to_vec() };
            let client = &dialogue.client;
            let state = (client.unusable(), client.outstanding(), client.unanswered(), client.wants(), client.poll_timeout());
            (dialogue.heard.clone(), rest, dialogue.violation, state)
        };
        let whole = play(&mut [&wire[..]].into_iter());
        prop_assert_eq!(&play(&mut wire.chunks(1)), &whole);
        let mut ends: Vec<_> = ends.drain(..).map(|end| end.index(wire.len() + 1)).collect();
        ends.sort_unstable();
        prop_assert_eq!(&play(&mut support::vectors::pieces(&wire, &ends).into_iter()), &whole);
    }

    /// What is sent does not depend on the room there is, nor on what comes in meanwhile.
    #[test]
    fn any_room_sends_the_same_content(
        content in prop::collection::vec(any::<u8>(), 1..300), size in 8_usize..100, chunked in any::<bool>(),
        response in 0..RESPONSES.len(),
    ) {
        let length = if chunked { BodyLength::Chunked } else { BodyLength::Length(content.len() as u64) };
        let mut dialogue = posting(length, &[]);
        dialogue.out.size = size;
        let mut rest = &content[..];
        while !rest.is_empty() {
            let taken = send(&mut dialogue, rest).unwrap();
            rest = &rest[taken..];
            if rest.len() < content.len() / 2 && dialogue.events().is_empty() && response == 0 {
                dialogue.feed(&OK5[..OK5.len() - 1]);
            }
        }
        end(&mut dialogue).unwrap();
        let mut server = Exchange::new(Server::default());
        server.feed(&dialogue.out.wire, &mut |_, _, _| {});
        let events = server.events();
        prop_assert_eq!(&events[1..], &[Told::Body(content), Told::End]);
    }
}
