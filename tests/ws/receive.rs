//! What receiving promises beyond the vectors.

use hopwire::io::{Rx, RxBuffer, Tx, Wants};
use hopwire::ws::{CloseCode, Config, Connection, Event, Limit, Misuse, Role, Server, Violation};

use crate::driver::{Got, NOW, Player, client, frame, play, server};

#[test]
fn a_piece_is_delivered_as_soon_as_it_is_there() {
    let mut conn = server(Config::default());
    let mut wire = frame(0x81, "abc€def".as_bytes(), true);
    let mut tx = Tx::new(&mut []);
    let mut rx = Rx::new(&mut wire[..6 + 4]);
    let event = conn.poll(NOW, &mut rx, &mut tx).unwrap();
    assert_eq!(event, Some(Event::Text { text: "abc".into(), end: false }));
    assert_eq!(conn.poll(NOW, &mut rx, &mut tx), Ok(None));
    assert_eq!((rx.consumed(), conn.wants()), (9, Wants::Input));
    let mut rx = Rx::new(&mut wire[9..]);
    let event = conn.poll(NOW, &mut rx, &mut tx).unwrap();
    assert_eq!(event, Some(Event::Text { text: "€def".into(), end: true }));
}

#[test]
fn sending_is_allowed_while_an_event_is_alive() {
    let mut conn = server(Config::default());
    let mut wire = [frame(0x81, b"one", true), frame(0x82, b"two", true)].concat();
    let mut out = [0; 64];
    let (mut rx, mut tx) = (Rx::new(&mut wire), Tx::new(&mut out));
    while let Some(event) = conn.poll(NOW, &mut rx, &mut tx).unwrap() {
        match event {
            Event::Text { text, .. } => conn.send_text(text, &mut tx).unwrap(),
            Event::Binary { data, .. } => conn.send_binary(data, &mut tx).unwrap(),
            event => panic!("{event:?}"),
        }
    }
    assert_eq!(tx.written(), b"\x81\x03one\x82\x03two");
}

#[test]
fn an_answer_must_fit_before_its_cause_is_consumed() {
    for (wire, needed) in [(frame(0x89, b"ping", true), 6), (frame(0x88, b"\x03\xe8bye", true), 4), (vec![0xff], 4)] {
        let mut conn = server(Config::default());
        let mut input = wire.clone();
        let mut out = vec![0; needed - 1];
        let mut rx = Rx::new(&mut input);
        for _ in 0..2 {
            assert_eq!(conn.poll(NOW, &mut rx, &mut Tx::new(&mut out)), Ok(None));
            assert_eq!((rx.consumed(), conn.wants()), (0, Wants::Output(needed)));
            assert_eq!(rx.bytes(), wire);
        }
        out.push(0);
        let mut tx = Tx::new(&mut out);
        let _ = conn.poll(NOW, &mut rx, &mut tx);
        assert_eq!((rx.consumed(), tx.len()), (wire.len(), needed));
    }
}

#[test]
fn the_owner_of_the_pongs_can_be_the_caller() {
    let config = Config { auto_pong: false, ..Config::new() };
    let told = play(&mut server(config), [&frame(0x89, b"ping", true)[..]], 0, false);
    assert_eq!((told.got, told.wire), (vec![Got::Ping(b"ping".to_vec())], vec![]));
    let mut wire = frame(0x89, b"ping", true);
    let event = server(config).poll(NOW, &mut Rx::new(&mut wire), &mut Tx::new(&mut []));
    assert_eq!(event, Ok(Some(Event::Ping(b"ping"))), "no room is needed for what is not sent");
}

#[test]
fn the_end_of_input_needs_a_close_before_it() {
    for wire in [vec![], frame(0x81, b"text", true), frame(0x01, b"text", true), vec![0x81]] {
        let told = play(&mut server(Config::default()), [&wire[..]], 9, true);
        assert_eq!((told.violation, told.wire), (Some(Violation::Eof), vec![]), "{wire:?}");
    }
    let told = play(&mut server(Config::default()), [&frame(0x88, b"", true)[..]], 9, true);
    assert_eq!((told.violation, told.wants, told.wire), (None, Wants::Close, vec![0x88, 0]));
}

#[test]
fn a_full_buffer_without_progress_is_a_limit() {
    let mut conn = server(Config::default());
    let mut out = [0; 16];
    let mut wire = frame(0x89, &[b'p'; 100], true);
    let mut rx = Rx::full(&mut wire[..64]);
    let mut tx = Tx::new(&mut out);
    assert_eq!(conn.poll(NOW, &mut rx, &mut tx), Err(Violation::Limit(Limit::Buffer)));
    assert_eq!(tx.written(), [0x88, 2, 0x03, 0xf1]);

    // A buffer from which something was consumed will have room.
    let mut conn = server(Config::default());
    let mut wire = [frame(0x8a, b"", true), frame(0x89, &[b'p'; 100], true)].concat();
    let mut rx = Rx::full(&mut wire[..64]);
    let mut tx = Tx::new(&mut out);
    assert_eq!(conn.poll(NOW, &mut rx, &mut tx), Ok(Some(Event::Pong(b""))));
    assert_eq!(conn.poll(NOW, &mut rx, &mut tx), Ok(None));
    assert_eq!(conn.wants(), Wants::Input);
}

/// The text and the number of pings that came through a receive buffer of `size` bytes.
fn through<R: Role>(mut conn: Connection<R>, mut wire: &[u8], size: usize) -> Result<(Vec<u8>, usize), Violation> {
    let (mut inbox, mut out) = (RxBuffer::new(vec![0; size]), [0; 200]);
    let (mut received, mut pings) = (vec![], 0);
    while !wire.is_empty() {
        let space = inbox.space();
        let (now, later) = wire.split_at(space.len().min(wire.len()));
        space[..now.len()].copy_from_slice(now);
        inbox.advance(now.len());
        wire = later;
        let mut rx = inbox.rx();
        while let Some(event) = conn.poll(NOW, &mut rx, &mut Tx::new(&mut out))? {
            match event {
                Event::Text { text, .. } => received.extend_from_slice(text.as_bytes()),
                Event::Ping(_) => pings += 1,
                event => panic!("{event:?}"),
            }
        }
        let used = rx.consumed();
        inbox.consume(used);
    }
    Ok((received, pings))
}

#[test]
fn a_buffer_for_a_control_frame_is_enough_for_everything() {
    let text = "aé€😀".repeat(20_000).into_bytes();
    for (masked, enough) in [(true, 2 + 4 + 125), (false, 2 + 125 + 1)] {
        let (mut wire, mut rest, mut count) = (vec![], &text[..], 0);
        for len in [1, 2, 1, 3, 1, 1, 125, 126, 127, 70_001, 5, 2].into_iter().cycle() {
            let (part, later) = rest.split_at(len.min(rest.len()));
            let first = if count == 0 { 0x01 } else { 0x00 };
            wire.extend(frame(if later.is_empty() { first | 0x80 } else { first }, part, masked));
            wire.extend(frame(0x89, &[b'p'; 125], masked));
            (rest, count) = (later, count + 1);
            if rest.is_empty() {
                break;
            }
        }
        let through = |size| match masked {
            true => through(server(Config::default()), &wire, size),
            false => through(client(Config::default()), &wire, size),
        };
        assert!(through(enough) == Ok((text.clone(), count)), "{masked}");
        assert_eq!(through(enough - 1).err(), Some(Violation::Limit(Limit::Buffer)), "{masked}");
    }
}

#[test]
fn a_violation_after_our_close_sends_no_second_one() {
    let mut conn = server(Config::default());
    let mut out = [0; 64];
    conn.close(NOW, CloseCode::NORMAL, "", &mut Tx::new(&mut out)).unwrap();
    let told = play(&mut conn, [&b"\x83"[..]], 0, false);
    assert_eq!((told.violation, told.wire), (Some(Violation::Opcode), vec![]));
}

#[test]
fn a_code_point_across_frames_with_control_frames_between() {
    let text = "aé€😀z";
    for masked in [true, false] {
        for cuts in 0..1_u32 << (text.len() - 1) {
            let mut wire = vec![];
            let mut first = 0x01;
            let mut part = vec![];
            for (i, &byte) in text.as_bytes().iter().enumerate() {
                part.push(byte);
                let last = i + 1 == text.len();
                if last || cuts >> i & 1 == 1 {
                    wire.extend(frame(first | if last { 0x80 } else { 0 }, &part, masked));
                    first = 0;
                    part.clear();
                    if !last && cuts & 2 == 0 {
                        wire.extend(frame(0x89, b"", masked));
                        wire.extend(frame(0x8a, b"12345", masked));
                    }
                    if !last && cuts & 4 == 0 {
                        wire.extend(frame(0x00, b"", masked));
                    }
                }
            }
            for pieces in [wire.chunks(wire.len()), wire.chunks(1), wire.chunks(3)] {
                let told = match masked {
                    true => play(&mut server(Config::default()), pieces, 9, false),
                    false => play(&mut client(Config::default()), pieces, 9, false),
                };
                let messages: Vec<_> = told.got.iter().filter(|got| matches!(got, Got::Text(_))).collect();
                assert_eq!(messages, [&Got::Text(text.into())]);
                assert!(told.got.iter().all(|got| *got != Got::Pong(vec![]) && *got != Got::Ping(vec![b'1'])));
                let pongs = told.got.iter().filter(|got| matches!(got, Got::Pong(_)));
                assert!(pongs.into_iter().all(|pong| *pong == Got::Pong(b"12345".to_vec())));
                assert_eq!(told.violation, None);
            }
        }
    }
}

#[test]
fn failure_is_a_state_for_sending_too() {
    let mut conn = server(Config::default());
    let told = play(&mut conn, [&b"\x83"[..]], 9, false);
    assert_eq!((told.violation, told.close_code()), (Some(Violation::Opcode), Some(1002)));
    let mut out = [0; 64];
    let mut tx = Tx::new(&mut out);
    assert!(conn.is_closing());
    assert_eq!(conn.send_text("no", &mut tx), Err(Misuse::Closed.into()));
    assert_eq!(conn.close(NOW, CloseCode::NORMAL, "", &mut tx), Ok(()), "it closes already");
    assert!(tx.is_empty());
}

#[test]
fn what_came_before_a_fault_is_delivered() {
    let wire = [frame(0x81, b"one", true), frame(0x81, b"two\xff", true)].concat();
    let told = play(&mut server(Config::default()), [&wire[..]], 9, false);
    assert_eq!((&told.got[..], &told.part[..]), (&[Got::Text(b"one".to_vec())][..], &b"two"[..]));
    assert_eq!((told.violation, told.frames()), (Some(Violation::Utf8), vec![(0x88, vec![0x03, 0xef])]));
}

#[test]
fn output_taken_at_any_time_is_the_same_output() {
    let mut wire = vec![];
    for n in 0..60_u8 {
        wire.extend(frame(0x89, &vec![n; usize::from(n)], true));
        wire.extend(frame(0x82, &[n], true));
    }
    wire.extend(frame(0x88, b"\x03\xe8", true));
    let whole = play(&mut server(Config::default()), [&wire[..]], 1 << 16, false);
    for room in [0, 1, 2, 7, 61, 62, 100, 128] {
        for chunk in [1, 2, 3, 50, wire.len()] {
            let told = play(&mut server(Config::default()), wire.chunks(chunk), room, false);
            assert_eq!(told, whole, "{room} {chunk}");
        }
    }
}

#[test]
fn a_player_can_go_on_after_a_close() {
    let mut conn = server(Config::default());
    let mut player = Player::new(9);
    player.feed(&mut conn, &frame(0x88, b"", true), false);
    player.feed(&mut conn, &frame(0x81, b"ignored", true), false);
    player.feed(&mut conn, b"\xff\xff\xff", true);
    assert_eq!(player.told.got, [Got::Close(None, String::new())]);
    assert_eq!((player.told.violation, player.told.wants), (None, Wants::Close));
}

#[test]
fn state_is_small() {
    assert!(size_of::<Connection<Server>>() <= 256);
}

#[test]
fn a_piece_that_fills_the_buffer_is_echoed_with_a_header_more() {
    let wire = frame(0x82, &[7; 20_000], true);
    let (mut inbox, mut out) = (RxBuffer::new([0; 4096]), [0; 4096 + 16]);
    let mut conn = server(Config::default());
    let (mut left, mut longest) = (&wire[..], 0);
    while !left.is_empty() {
        let space = inbox.space();
        let (now, later) = left.split_at(space.len().min(left.len()));
        space[..now.len()].copy_from_slice(now);
        inbox.advance(now.len());
        left = later;
        let (mut rx, mut tx) = (inbox.rx(), Tx::new(&mut out));
        while let Some(event) = conn.poll(NOW, &mut rx, &mut tx).unwrap() {
            let Event::Binary { data, end } = event else { panic!("{event:?}") };
            assert_eq!(conn.send_binary_piece(data, end, &mut tx), Ok(()), "as in the tour of the crate");
        }
        longest = longest.max(tx.len());
        let used = rx.consumed();
        inbox.consume(used);
    }
    assert_eq!(longest, 4100);
}
