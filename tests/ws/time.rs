//! Deadlines, under a clock of the test's.

use std::time::Duration;

use hopwire::io::{Full, Rx, Tx, Wants};
use hopwire::time::Instant;
use hopwire::ws::{CloseCode, Config, Connection, Event, Role, Server, Violation};

use crate::driver::{Got, NOW, client, frame, play, server};

fn after(seconds: u64) -> Instant {
    NOW.checked_add(Duration::from_secs(seconds)).unwrap()
}

/// Whatever is due at `now` is done; what it sends.
fn tick<R: Role>(conn: &mut Connection<R>, now: Instant) -> Vec<u8> {
    let mut out = [0; 64];
    let mut tx = Tx::new(&mut out);
    conn.handle_timeout(now, &mut tx).unwrap();
    tx.written().to_vec()
}

/// Receives `wire` at `now`.
fn hear<R: Role>(conn: &mut Connection<R>, now: Instant, mut wire: Vec<u8>) -> Result<(), Violation> {
    let mut out = [0; 256];
    let (mut rx, mut tx) = (Rx::new(&mut wire), Tx::new(&mut out));
    while conn.poll(now, &mut rx, &mut tx)?.is_some() {}
    Ok(())
}

/// Nothing happens up to a nanosecond before `at`, which is what `poll_timeout` says.
fn quiet_until<R: Role>(conn: &mut Connection<R>, at: Instant) {
    assert_eq!(conn.poll_timeout(), Some(at));
    assert_eq!(tick(conn, Instant::from_nanos(at.as_nanos() - 1)), b"");
    assert_eq!(conn.poll_timeout(), Some(at));
}

/// A connection with one deadline, which has seen the time.
fn with(set: impl Fn(&mut Config)) -> Connection<Server> {
    let mut config = Config { ping_interval: None, pong_timeout: None, stall_timeout: None, ..Config::new() };
    set(&mut config);
    let mut conn = server(config);
    hear(&mut conn, NOW, vec![]).unwrap();
    conn
}

#[test]
fn the_clock_starts_with_the_first_call_that_knows_it() {
    let mut conn = server(Config::default());
    assert_eq!(conn.poll_timeout(), Some(Instant::ZERO));
    assert_eq!(tick(&mut conn, NOW), b"");
    assert_eq!(conn.poll_timeout(), NOW.checked_add(Config::PING_INTERVAL));
    assert_eq!(with(|_| ()).poll_timeout(), None);
    let off = Config { ping_interval: None, ..Config::new() };
    assert_eq!(server(off).poll_timeout(), None);
}

#[test]
fn a_silent_peer_is_pinged_and_one_that_does_not_answer_is_gone() {
    let pings = |config: &mut Config| {
        config.ping_interval = Some(Duration::from_secs(20));
        config.pong_timeout = Some(Duration::from_secs(5));
    };
    let mut conn = with(pings);
    quiet_until(&mut conn, after(20));
    // Whatever comes says that the peer is there.
    hear(&mut conn, after(19), frame(0x82, b"data", true)).unwrap();
    quiet_until(&mut conn, after(39));
    hear(&mut conn, after(38), frame(0x89, b"ping", true)).unwrap();
    quiet_until(&mut conn, after(58));
    assert_eq!(tick(&mut conn, after(58)), b"\x89\0");
    // Early or twice: nothing.
    assert_eq!(tick(&mut conn, after(58)), b"");
    quiet_until(&mut conn, after(63));
    hear(&mut conn, after(62), frame(0x8a, b"", true)).unwrap();
    quiet_until(&mut conn, after(82));
    assert_eq!(tick(&mut conn, after(82)), b"\x89\0");
    quiet_until(&mut conn, after(87));
    assert_eq!(tick(&mut conn, after(87)), b"");
    assert_eq!(hear(&mut conn, after(87), frame(0x8a, b"", true)), Err(Violation::Silent));
    assert_eq!((conn.wants(), conn.is_over(), conn.poll_timeout()), (Wants::Close, true, None));

    // Late by an hour: the peer still has all of its time to answer.
    let mut conn = with(pings);
    assert_eq!(tick(&mut conn, after(3600)), b"\x89\0");
    quiet_until(&mut conn, after(3605));
}

#[test]
fn pings_without_a_deadline_go_on() {
    let mut conn = with(|config| config.ping_interval = Some(Duration::from_secs(20)));
    for n in 1..4 {
        quiet_until(&mut conn, after(20 * n));
        assert_eq!(tick(&mut conn, after(20 * n)), b"\x89\0");
    }
    let mut always = with(|config| config.ping_interval = Some(Duration::ZERO));
    assert_eq!(
        (tick(&mut always, NOW), tick(&mut always, after(1)), tick(&mut always, after(1))),
        (vec![], vec![0x89, 0], vec![])
    );
}

#[test]
fn a_ping_without_room_is_sent_later() {
    let mut conn = client(Config::default());
    hear(&mut conn, NOW, vec![]).unwrap();
    let due = NOW.checked_add(Config::PING_INTERVAL).unwrap();
    let mut out = [0; 6];
    assert_eq!(conn.handle_timeout(due, &mut Tx::new(&mut out[..5])), Err(Full { needed: 6 }));
    assert_eq!(conn.poll_timeout(), Some(due));
    assert_eq!(tick(&mut conn, due), [&[0x89, 0x80][..], &crate::driver::KEY].concat());
}

#[test]
fn a_connection_without_messages_is_closed() {
    let mut conn = with(|config| config.idle_timeout = Some(Duration::from_secs(60)));
    quiet_until(&mut conn, after(60));
    hear(&mut conn, after(50), frame(0x81, b"text", true)).unwrap();
    // A ping is no message.
    hear(&mut conn, after(60), frame(0x89, b"", true)).unwrap();
    quiet_until(&mut conn, after(110));
    assert_eq!(tick(&mut conn, after(110)), b"\x88\x06\x03\xe9idle");
    assert!(conn.is_closing());
    quiet_until(&mut conn, after(120));
    hear(&mut conn, after(111), frame(0x88, b"\x03\xe9", true)).unwrap();
    assert_eq!(conn.wants(), Wants::Close);
}

#[test]
fn a_message_that_stalls_fails() {
    for begun in [frame(0x01, b"begun", true), frame(0x82, b"begun", true)[..8].to_vec(), frame(0x01, b"", true)] {
        let mut conn = with(|config| config.stall_timeout = Some(Duration::from_secs(60)));
        assert_eq!(conn.poll_timeout(), None);
        hear(&mut conn, after(100), begun.clone()).unwrap();
        // Control frames are no progress.
        hear(&mut conn, after(150), if begun[0] & 0x80 == 0 { frame(0x8a, b"", true) } else { vec![] }).unwrap();
        quiet_until(&mut conn, after(160));
        assert_eq!(tick(&mut conn, after(160)), b"\x88\x02\x03\xf0");
        assert_eq!(hear(&mut conn, after(160), vec![]), Err(Violation::Stalled));
        assert_eq!(Violation::Stalled.close_code(), Some(CloseCode::POLICY));
        // The Close is on its way: the end of input is waited for.
        assert!(!conn.is_over());
        quiet_until(&mut conn, after(165));
    }
    let mut conn = with(|config| config.stall_timeout = Some(Duration::from_secs(60)));
    // A ping in the same read as an empty first fragment.
    hear(&mut conn, after(100), [frame(0x01, b"", true), frame(0x89, b"", true)].concat()).unwrap();
    quiet_until(&mut conn, after(160));
    hear(&mut conn, after(159), frame(0x00, b"piece", true)).unwrap();
    quiet_until(&mut conn, after(219));
    hear(&mut conn, after(218), frame(0x80, b"", true)).unwrap();
    assert_eq!(conn.poll_timeout(), None);
}

#[test]
fn a_close_for_a_deadline_waits_for_room() {
    let mut conn = with(|config| config.stall_timeout = Some(Duration::from_secs(60)));
    hear(&mut conn, NOW, frame(0x01, b"", true)).unwrap();
    assert_eq!(conn.handle_timeout(after(60), &mut Tx::new(&mut [0; 3])), Err(Full { needed: 4 }));
    assert_eq!(tick(&mut conn, after(61)), b"\x88\x02\x03\xf0");
    assert_eq!(tick(&mut conn, after(61)), b"");
}

#[test]
fn a_last_word_without_room_is_not_waited_for_for_ever() {
    let mut conn = server(Config::default());
    assert_eq!(conn.poll(NOW, &mut Rx::new(&mut [0x83]), &mut Tx::new(&mut [])), Ok(None));
    assert_eq!(conn.poll(after(4), &mut Rx::new(&mut [0x83]), &mut Tx::new(&mut [])), Ok(None));
    assert_eq!((conn.wants(), conn.is_over()), (Wants::Output(4), false));
    quiet_until(&mut conn, after(5));
    assert_eq!(tick(&mut conn, after(5)), b"");
    assert_eq!((conn.wants(), conn.is_over(), conn.poll_timeout()), (Wants::Close, true, None));
    assert_eq!(conn.poll(after(5), &mut Rx::new(&mut [0x83]), &mut Tx::new(&mut [])), Err(Violation::Opcode));
}

#[test]
fn our_close_waits_for_the_answer_until_its_deadline() {
    let mut out = [0; 64];
    let due = NOW.checked_add(Duration::from_secs(10)).unwrap();

    let mut conn = server(Config::default());
    let mut tx = Tx::new(&mut out);
    conn.close(NOW, CloseCode::GOING_AWAY, "bye", &mut tx).unwrap();
    assert_eq!(tx.written(), b"\x88\x05\x03\xe9bye");
    assert_eq!(conn.poll_timeout(), Some(due));
    // What the peer sent before it saw our Close is still delivered, and its Close gets no second answer.
    let wire = [frame(0x81, b"late", true), frame(0x88, b"\x03\xe9", true), frame(0x81, b"never", true)].concat();
    let told = play(&mut conn, [&wire[..]], 0, false);
    assert_eq!(told.got, [Got::Text(b"late".to_vec()), Got::Close(Some(1001), String::new())]);
    assert_eq!((told.wire, told.wants, conn.is_over()), (vec![], Wants::Close, false));

    let mut conn = server(Config::default());
    let mut tx = Tx::new(&mut out);
    conn.close(NOW, CloseCode::NORMAL, "", &mut tx).unwrap();
    conn.handle_timeout(Instant::from_nanos(due.as_nanos() - 1), &mut tx).unwrap();
    assert_eq!(conn.poll(NOW, &mut Rx::new(&mut []), &mut tx), Ok(None));
    for _ in 0..2 {
        conn.handle_timeout(due, &mut tx).unwrap();
        assert_eq!(conn.poll(due, &mut Rx::new(&mut []), &mut tx), Err(Violation::Timeout));
        assert_eq!((conn.wants(), conn.is_over(), conn.poll_timeout()), (Wants::Close, true, None));
    }
    assert_eq!(tx.len(), 4);
}

#[test]
fn the_end_of_input_is_waited_for() {
    // The peer closed, or broke a rule: all is said, and the socket stays open for reading.
    for wire in [frame(0x88, b"\x03\xe8", true), vec![0xff]] {
        let mut conn = server(Config::default());
        let _ = hear(&mut conn, NOW, wire.clone());
        assert_eq!((conn.wants(), conn.is_over()), (Wants::Close, false));
        quiet_until(&mut conn, after(5));
        let _ = hear(&mut conn, after(4), frame(0x81, b"unread", true));
        quiet_until(&mut conn, after(5));
        assert_eq!(tick(&mut conn, after(5)), b"");
        assert_eq!((conn.is_over(), conn.poll_timeout()), (true, None));

        let mut conn = server(Config::default());
        let _ = hear(&mut conn, NOW, wire);
        let _ = conn.poll(after(1), &mut Rx::last(&mut []), &mut Tx::new(&mut []));
        assert_eq!((conn.is_over(), conn.poll_timeout()), (true, None));
    }
    let mut conn = server(Config::default());
    assert_eq!(conn.poll(NOW, &mut Rx::last(&mut []), &mut Tx::new(&mut [])), Err(Violation::Eof));
    assert!(conn.is_over());
}

#[test]
fn a_deadline_that_is_off_never_fires() {
    let mut conn = with(|config| (config.close_timeout, config.linger_timeout) = (None, None));
    hear(&mut conn, NOW, frame(0x01, b"begun", true)).unwrap();
    let end = Instant::from_nanos(u64::MAX);
    assert_eq!((conn.poll_timeout(), tick(&mut conn, end)), (None, vec![]));
    conn.close(NOW, CloseCode::NORMAL, "", &mut Tx::new(&mut [0; 9])).unwrap();
    assert_eq!((conn.poll_timeout(), tick(&mut conn, end)), (None, vec![]));
    let mut wire = frame(0x88, b"", true);
    let event = conn.poll(NOW, &mut Rx::new(&mut wire), &mut Tx::new(&mut [])).unwrap();
    assert!(matches!(event, Some(Event::Close { .. })));
    assert_eq!((conn.poll_timeout(), tick(&mut conn, end), conn.is_over()), (None, vec![], false));
}
