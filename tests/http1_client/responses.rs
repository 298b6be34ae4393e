//! What received bytes become.

use super::*;

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
    let mut dialogue = Dialogue::new(Client::new(config));
    for _ in 0..2 {
        ask(&mut dialogue, Method::Get).unwrap();
        dialogue.feed(&CONTINUE.repeat(2));
        dialogue.feed(OK0);
    }
    ask(&mut dialogue, Method::Get).unwrap();
    dialogue.feed(&CONTINUE.repeat(3));
    assert_eq!(dialogue.violation, Some(Violation::Limit(Limit::Interim)), "counted for each request");
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
