//! Limits, and what becomes of a connection whose peer broke a rule.

use super::*;

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

/// What is in the output may be on its way already: a call that is refused leaves it, and so does one that has no room.
#[test]
fn bytes_once_exposed_are_frozen() {
    let (mut server, mut received, mut space) = (Server::default(), GET.repeat(3), [0; 200]);
    let (mut rx, mut tx) = (Rx::new(&mut received), Tx::new(&mut space));
    let mut before = Vec::new();
    let mut polled = server.poll(Instant::ZERO, &mut rx, &mut tx).is_ok_and(|event| event.is_some());
    while polled {
        for value in [&b"a\rb"[..], b"a\0b", b"\n", b" a"] {
            let refused = server.respond_with(Status::OK, &[("a", b"b"), ("c", value)], b"hi", &mut tx);
            assert!(matches!(refused, Err(SendError::Misuse(_))) && tx.written() == before);
        }
        assert!(
            server.respond_with(Status::OK, &[("a", &[b'x'; 300])], b"hi", &mut tx).is_err() && tx.written() == before
        );
        if server.owes_response() {
            server.respond_with(Status::OK, &[("a", b"b")], b"hi", &mut tx).unwrap();
            assert!(tx.written().starts_with(&before));
            before = tx.written().to_vec();
        }
        polled = server.poll(Instant::ZERO, &mut rx, &mut tx).is_ok_and(|event| event.is_some());
    }
    assert_eq!(tx.written(), b"HTTP/1.1 200 OK\r\na: b\r\ncontent-length: 2\r\n\r\nhi".repeat(3));
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
        head: HeadLimits { line: 40, bytes: 120, fields: 3, ..HeadLimits::new() },
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
        let mut exchange = Exchange::new(Server::new(config));
        exchange.feed(request.as_bytes(), &mut ignore);
        assert_eq!(exchange.violation, Some(Violation::Limit(limit)), "{request:?}");
        let reason = Status::new(status).unwrap().reason();
        let want = format!("HTTP/1.1 {status} {reason}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(exchange.wire(), want);
    }
}

/// What is as long as it may be passes, in any of two pieces; what is longer by one does not.
#[test]
fn each_limit_is_exact() {
    let config = Config {
        head: HeadLimits { line: 40, bytes: 120, fields: 3, empty_lines: 2 },
        max_body: 9,
        max_chunk_ext: 5,
        ..Config::default()
    };
    let get = |line: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(line - 14));
    let head = |bytes: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nX:{}\r\n\r\n", "a".repeat(bytes - 31));
    let fields = |n: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "a:\r\n".repeat(n - 1));
    let empty_lines = |n: usize| "\r\n".repeat(n) + &get(14);
    let length = |n: usize| format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {n}\r\n\r\n{}", "x".repeat(n));
    let coded = |body: String| format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    let in_one = |n: usize| coded(format!("{n:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(n)));
    let in_many = |n: usize| coded("1\r\nx\r\n".repeat(n) + "0\r\n\r\n");
    let extension = |n: usize| coded(format!("1;{}\r\nx\r\n0;a\r\n\r\n", "a".repeat(n - 3)));
    let section = |bytes: usize| coded(format!("0\r\nX:{}\r\n\r\n", "a".repeat(bytes - 6)));
    let trailers = |n: usize| coded(format!("0\r\n{}\r\n", "a:\r\n".repeat(n)));
    type Case<'a> = (&'a dyn Fn(usize) -> String, usize, u16);
    let cases: [Case<'_>; 10] = [
        (&get, 40, 414),
        (&head, 120, 431),
        (&fields, 3, 431),
        (&empty_lines, 2, 400),
        (&length, 9, 413),
        (&in_one, 9, 413),
        (&in_many, 9, 413),
        (&extension, 5, 413),
        (&section, 120, 431),
        (&trailers, 3, 431),
    ];
    for (case, (request, most, status)) in cases.into_iter().enumerate() {
        for n in [most, most + 1] {
            let request = request(n);
            for cut in 0..request.len() {
                let mut exchange = Exchange::new(Server::new(config));
                exchange.feed(&request.as_bytes()[..cut], &mut answer_ok);
                exchange.feed(&request.as_bytes()[cut..], &mut answer_ok);
                let refused = exchange.violation.map(|violation| violation.status().code());
                assert_eq!(refused, (n > most).then_some(status), "case {case}, {n}: {request:?} at {cut}");
                let line = format!("HTTP/1.1 {} ", refused.unwrap_or(200));
                assert!(exchange.wire().starts_with(&line), "case {case}, {n}: {}", exchange.wire());
            }
        }
    }
}

/// What is refused for what it is, and not for its length.
#[test]
fn each_refusal_has_its_status() {
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", "400 Bad Request"),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "501 Not Implemented"),
        ("GET / HTTP/2.0\r\n", "505 HTTP Version Not Supported"),
        ("GET / HTTP/0.9\r\n", "505 HTTP Version Not Supported"),
    ] {
        let mut exchange = Exchange::new(Server::default());
        exchange.feed(request.as_bytes(), &mut ignore);
        assert!(exchange.violation.is_some_and(|violation| status.starts_with(&violation.status().code().to_string())));
        assert_eq!(exchange.wire(), format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"));
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
