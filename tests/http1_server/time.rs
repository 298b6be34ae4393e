//! Deadlines.

use hopwire::http1::Ambiguous;

use super::*;

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
    let cases: [Case<'_>; 8] = [
        (b"", &mut ignore, wait(7), None, None),
        (b"\r\n\r", &mut ignore, wait(7), None, None),
        (b"\r\nGET", &mut ignore, wait(3), Some(Timeout::Head), answered_408),
        (half, &mut ignore, wait(5), Some(Timeout::Body), answered_408),
        (GET, &mut answer_ok, wait(7), None, None),
        (&[GET, b"\r\n"].concat(), &mut |server, told, out| answer_ok(server, told, out), wait(7), None, None),
        (half, early, wait(2), None, None),
        (b"GET / HTTP/1.1\r\nHost: a", &mut ignore, wait(3), Some(Timeout::Head), answered_408),
    ];
    let second = 1_000_000_000;
    for (bytes, answer, (seconds, after), violation, wire) in cases {
        let start = Instant::from_nanos(77);
        let mut exchange = Exchange::new(Server::new(config));
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

/// Nothing is counted from before the engine was told the time.
#[test]
fn deadlines_begin_with_the_first_poll() {
    let mut exchange = Exchange::new(Server::default());
    assert_eq!(exchange.server.poll_timeout(), None);
    exchange.now = Instant::from_millis(5);
    exchange.feed(b"", &mut ignore);
    assert_eq!(exchange.server.poll_timeout(), exchange.now.checked_add(Config::IDLE_TIMEOUT));
}

/// A client that has asked for something is neither idle nor late, however long the answer takes.
#[test]
fn no_deadline_runs_while_it_is_the_callers_turn() {
    let at = |seconds: u64| Instant::from_millis(1000 * seconds);
    for size in [1, 7, 1000] {
        let mut exchange = Exchange::new(Server::default());
        for (start, request) in [(100, GET), (200, POST5), (300, GET)] {
            exchange.now = at(start);
            exchange.feed(b"", &mut ignore);
            assert_eq!(exchange.server.poll_timeout(), at(start).checked_add(Config::IDLE_TIMEOUT));
            request.chunks(size).for_each(|piece| exchange.feed(piece, &mut ignore));
            assert_eq!((exchange.server.poll_timeout(), exchange.server.wants()), (None, Wants::Caller), "{size}");
            ok(&mut exchange.server, &mut exchange.out);
            assert_eq!(exchange.server.poll_timeout(), None);
        }
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
    exchange.feed(b"lo", &mut ignore);
    assert_eq!(exchange.server.poll_timeout(), Instant::ZERO.checked_add(Config::IDLE_TIMEOUT), "all of it is dropped");
}

/// Two status lines for one request would be read as answers to two.
#[test]
fn no_408_follows_a_response_that_has_begun() {
    for begun in [false, true] {
        let mut exchange = Exchange::new(Server::default());
        exchange.feed(&POST5[..POST5.len() - 2], &mut |server, told, out| {
            if begun && matches!(told, Told::Request(_)) {
                out.call(|tx| server.respond(Status::OK, &[], BodyLength::Length(9), tx)).unwrap();
            }
        });
        let due = exchange.server.poll_timeout().unwrap();
        let mut space = [0; 200];
        let mut tx = Tx::new(&mut space[..if begun { 0 } else { 200 }]);
        assert_eq!(exchange.server.handle_timeout(due, &mut tx), Ok(()));
        assert_eq!((exchange.server.wants(), tx.is_empty()), (Wants::Close, begun));
        exchange.feed(b"lo", &mut ignore);
        assert_eq!(exchange.violation, Some(Violation::Timeout(Timeout::Body)));
        assert_eq!(exchange.wire().matches("HTTP/1.1").count(), usize::from(begun));
    }
}

#[test]
fn a_client_that_was_never_told_to_go_on_is_not_late() {
    let mut exchange = Exchange::new(Server::default());
    let request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    exchange.feed(request, &mut |server, _, out| {
        out.call(|tx| server.respond(Status::OK, &[], BodyLength::Chunked, tx)).unwrap();
    });
    assert_eq!((exchange.server.poll_timeout(), exchange.server.wants()), (None, Wants::Input));
    // But one that begins nevertheless does not hold the connection for ever.
    exchange.feed(b"h", &mut ignore);
    assert_eq!(exchange.server.poll_timeout(), Instant::ZERO.checked_add(Config::BODY_TIMEOUT));
}

/// A byte in time, again and again: the deadline of the whole content stands, from when it was first waited for.
#[test]
fn content_that_drips_has_a_deadline_for_all_of_it() {
    let (head, second) = (POST5.len() - 5, Duration::from_secs(1));
    let config = Config { body_timeout: Some(3 * second), whole_timeout: Some(7 * second), ..Config::new() };
    let at = |seconds: u64| Instant::from_millis(1000 * seconds);
    let drip = |config: Config, bytes: &[u8]| {
        let mut exchange = Exchange::new(Server::new(config));
        exchange.now = at(10);
        exchange.feed(&POST5[..head], &mut ignore);
        for (n, byte) in bytes.iter().enumerate() {
            exchange.now = at(12 + 2 * n as u64);
            exchange.feed(&[*byte], &mut ignore);
        }
        exchange
    };
    let mut late = drip(config, b"1234");
    assert_eq!((late.now, late.server.poll_timeout()), (at(18), Some(at(17))));
    let mut slow = drip(config, b"123");
    assert_eq!(slow.server.poll_timeout(), Some(at(17)), "not 3 seconds after the last byte");
    let (mut space, before) = ([0; 200], Instant::from_nanos(at(17).as_nanos() - 1));
    let mut tx = Tx::new(&mut space);
    assert_eq!(slow.server.handle_timeout(before, &mut tx), Ok(()));
    assert_eq!((tx.len(), slow.server.poll_timeout()), (0, Some(at(17))));
    assert_eq!(slow.server.handle_timeout(at(17), &mut tx), Ok(()));
    assert!(tx.written().starts_with(b"HTTP/1.1 408 "));
    for exchange in [&mut slow, &mut late] {
        let _ = exchange.server.handle_timeout(exchange.now.max(at(17)), &mut tx);
        exchange.feed(b"", &mut ignore);
        assert_eq!(exchange.violation, Some(Violation::Timeout(Timeout::Whole)));
    }

    // The end of the content is the end of its deadline, and so is the answer; the next content has one of its own.
    let mut whole = drip(config, b"12345");
    assert_eq!((whole.server.poll_timeout(), whole.server.wants()), (None, Wants::Caller));
    ok(&mut whole.server, &mut whole.out);
    whole.now = at(30);
    whole.feed(&POST5[..head], &mut ignore);
    whole.feed(b"1", &mut ignore);
    assert_eq!(whole.server.poll_timeout(), Some(at(33)));
    ok(&mut whole.server, &mut whole.out);
    assert_eq!(whole.server.poll_timeout(), None);
    let never = Config { body_timeout: None, whole_timeout: None, ..config };
    assert_eq!(drip(never, b"1").server.poll_timeout(), None);
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

#[test]
fn a_chunk_is_progress_whole_or_in_parts() {
    for size in [1, 3, 9] {
        let mut exchange = Exchange::new(Server::new(Config { whole_timeout: None, ..Config::new() }));
        exchange.feed(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwhat", &mut ignore);
        let mut now = 0;
        for piece in b"\r\n4\r\never".repeat(5).chunks(size) {
            now += 10_000;
            exchange.now = Instant::from_millis(now);
            exchange.feed(piece, &mut ignore);
            assert_eq!(exchange.server.poll_timeout(), exchange.now.checked_add(Config::BODY_TIMEOUT), "{size}");
        }
    }
}

#[test]
fn room_to_refuse_a_request_is_not_waited_for_without_end() {
    let refused: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
    let violation = Violation::Ambiguous(Ambiguous::HostRepeated);
    let due = Instant::from_nanos(7).checked_add(Config::DRAIN_TIMEOUT).unwrap();
    for in_time in [true, false] {
        let (mut server, mut bytes) = (Server::default(), refused.to_vec());
        for now in [7, 8].map(Instant::from_nanos) {
            let polled = server.poll(now, &mut Rx::new(&mut bytes), &mut Tx::new(&mut []));
            assert!(matches!((polled, server.wants()), (Ok(None), Wants::Output(_))));
            assert_eq!(server.poll_timeout(), Some(due));
        }
        let mut space = [0; 200];
        let mut tx = Tx::new(&mut space);
        assert_eq!(server.handle_timeout(Instant::from_nanos(due.as_nanos() - 1), &mut tx), Ok(()));
        if !in_time {
            assert_eq!(server.handle_timeout(due, &mut tx), Ok(()));
            assert_eq!(server.wants(), Wants::Close);
        }
        let polled = server.poll(due, &mut Rx::new(&mut []), &mut tx);
        assert!(matches!(polled, Err(it) if it == violation));
        assert_eq!((server.poll_timeout(), server.wants()), (None, Wants::Close));
        assert_eq!(tx.written().starts_with(b"HTTP/1.1 400 "), in_time);
    }
}
