//! Limits, and what becomes of a connection whose peer broke a rule.

use super::*;

#[test]
fn each_limit() {
    let config = Config {
        head: HeadLimits { line: 30, bytes: 100, fields: 2, ..HeadLimits::new() },
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
        let mut dialogue = Dialogue::new(Client::new(config));
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
