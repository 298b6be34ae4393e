//! Any split, any output, any order of calls: the same outcome as whole, and as a decoder with no cleverness.

use std::time::Duration;

use hopwire::io::{Rx, SendError, Tx, Wants};
use hopwire::time::Instant;
use hopwire::ws::{CloseCode, Config, Kind, Role};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::driver::{Got, KEY, NOW, client, frame, frames, play, server};
use crate::naive::{agree, naive};

fn in_pieces<'a>(wire: &'a [u8], sizes: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut sizes = sizes.iter().copied().cycle();
    let mut rest = wire;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = rest.split_at(sizes.next().unwrap_or(1).clamp(1, rest.len()));
        rest = after;
        Some(piece)
    })
}

/// Payloads near the edges of UTF-8 and of lanes and blocks.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let scrap = prop_oneof![
        Just(b"a".to_vec()),
        Just("é".into()),
        Just("€".into()),
        Just("😀".into()),
        "[ -~]{1,40}".prop_map(String::into_bytes),
        Just("吾輩は猫である".into()),
    ];
    let broken = prop_oneof![
        Just(vec![0xc3]),
        Just(vec![0xe2, 0x82]),
        Just(vec![0xf0, 0x9f, 0x98]),
        Just(vec![0x98, 0x80]),
        Just(vec![0xa9]),
        Just(vec![0xff]),
        Just(vec![0xf4, 0x90]),
    ];
    let text = vec(scrap, 0..12).prop_map(|scraps| scraps.concat());
    let maybe = vec(prop_oneof![6 => text.clone(), 1 => broken], 0..4).prop_map(|scraps| scraps.concat());
    let long = (text.clone(), 0..600_usize).prop_map(|(text, n)| text.repeat(n / (text.len() + 1)));
    prop_oneof![4 => text, 3 => maybe, 1 => long, 1 => vec(any::<u8>(), 0..140)]
}

/// Frames that are mostly legal in themselves, and mostly in a legal order.
fn conversation(masked: bool) -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        4 => Just(0x81_u8), 2 => Just(0x82), 3 => Just(0x01), 1 => Just(0x02), 4 => Just(0x00), 4 => Just(0x80),
        2 => Just(0x89), 1 => Just(0x8a), 1 => Just(0x88), 1 => any::<u8>(),
    ];
    let one = (first, payload()).prop_map(|(first, payload)| (first, payload));
    vec(one, 0..12).prop_map(move |steps| {
        let mut wire = vec![];
        let mut open = false;
        for (first, mut payload) in steps {
            let mut first = first;
            if matches!(first, 0x88..=0x8a) {
                payload.truncate(125);
                if first == 0x88 && payload.len() >= 2 {
                    payload[..2].copy_from_slice(&1000_u16.to_be_bytes());
                }
            } else if first & 0x70 == 0 && first & 0x0f <= 2 && (first & 0x0f == 0) != open {
                first = if open { first & 0x80 } else { first | 1 };
            }
            if first & 0x78 == 0 {
                open = first & 0x80 == 0;
            }
            wire.extend(frame(first, &payload, masked));
        }
        wire
    })
}

fn tight() -> Config {
    Config { max_frame: 600, max_message: 900, max_fragments: 6, ..Config::new() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_server_agrees_with_the_naive_decoder_at_any_split(
        wire in conversation(true), sizes in vec(1..40_usize, 1..6), room in 0..300_usize, cut in 0..20_usize, tightly: bool,
    ) {
        let config = if tightly { tight() } else { Config::default() };
        let wire = &wire[..wire.len().saturating_sub(cut)];
        let whole = play(&mut server(config), [wire], 1000, false);
        agree(&whole, &naive(wire, true, config));
        prop_assert_eq!(&play(&mut server(config), in_pieces(wire, &sizes), room, false), &whole);
        prop_assert_eq!(&play(&mut server(config), wire.chunks(1), room, false), &whole);
    }

    #[test]
    fn a_client_agrees_with_the_naive_decoder_at_any_split(
        wire in conversation(false), sizes in vec(1..40_usize, 1..6), room in 0..300_usize, cut in 0..20_usize, tightly: bool,
    ) {
        let config = if tightly { tight() } else { Config::default() };
        let wire = &wire[..wire.len().saturating_sub(cut)];
        let whole = play(&mut client(config), [wire], 1000, false);
        agree(&whole, &naive(wire, false, config));
        prop_assert_eq!(&play(&mut client(config), in_pieces(wire, &sizes), room, false), &whole);
        prop_assert_eq!(&play(&mut client(config), wire.chunks(1), room, false), &whole);
    }

    #[test]
    fn any_bytes_do_no_harm(wire in vec(any::<u8>(), 0..200), masked: bool) {
        let config = Config::default();
        let told = match masked {
            true => play(&mut server(config), wire.chunks(1), 0, true),
            false => play(&mut client(config), wire.chunks(1), 0, true),
        };
        let whole = match masked {
            true => play(&mut server(config), [&wire[..]], 0, true),
            false => play(&mut client(config), [&wire[..]], 0, true),
        };
        prop_assert_eq!(told, whole);
    }

    #[test]
    fn what_is_sent_is_received(payload in payload(), pieces in vec(0..100_usize, 0..5), masked: bool) {
        let mut out = vec![0; payload.len() * 2 + 200];
        let mut tx = Tx::new(&mut out);
        let text = String::from_utf8(payload.clone()).ok();
        let expected = if masked {
            send(&mut client(Config::default()), &payload, text.as_deref(), &pieces, &mut tx)
        } else {
            send(&mut server(Config::default()), &payload, text.as_deref(), &pieces, &mut tx)
        };
        let wire = tx.written();
        let told = match masked {
            true => play(&mut server(Config::default()), [wire], 200, false),
            false => play(&mut client(Config::default()), [wire], 200, false),
        };
        prop_assert_eq!(told.got, expected);
    }

    #[test]
    fn calls_in_any_order_leave_a_legal_wire(
        calls in vec((0..12_u8, 0..160_usize), 0..40), input in conversation(true), room in 0..400_usize,
    ) {
        let wire = in_any_order(&calls, input, room);
        // The peer finds nothing wrong with it, and nothing after a Close.
        let told = play(&mut client(Config::default()), [&wire[..]], 1000, false);
        prop_assert_eq!(told.violation, None);
        let frames = frames(&wire);
        prop_assert!(frames.iter().rev().skip(1).all(|(first, _)| *first != 0x88 || after_our_close(&frames)));
    }
}

/// Makes the calls while `input` comes in; what was sent. A call that is refused, for whatever reason, has changed nothing.
fn in_any_order(calls: &[(u8, usize)], mut input: Vec<u8>, room: usize) -> Vec<u8> {
    let mut conn = server(Config::default());
    let (mut wire, mut now, mut start, mut failed) = (vec![], NOW, 0, None);
    for &(call, len) in calls {
        let mut out = vec![0; room];
        let mut tx = Tx::new(&mut out);
        let text = "x".repeat(len);
        let before = format!("{conn:?}");
        let mut payload = 0;
        let done = match call {
            0 => conn.send_text(text.as_str(), &mut tx),
            1 => conn.send_binary(text.as_bytes(), &mut tx),
            2 => conn.send_ping(text.as_bytes(), &mut tx),
            3 => conn.send_pong(text.as_bytes(), &mut tx),
            4 => conn.send_text_piece(text.as_str(), len % 2 == 0, &mut tx),
            5 => conn.send_binary_piece(text.as_bytes(), len % 2 == 0, &mut tx),
            6 if len % 5 == 0 => conn.close(now, CloseCode::NORMAL, &text, &mut tx),
            7 => conn.send_prefix(Kind::Binary, len as u64, len % 2 == 0, &mut tx).map(|()| payload = len),
            8 => {
                now = now.checked_add(Duration::from_millis(100 * len as u64)).unwrap();
                conn.handle_timeout(now, &mut tx).map_err(SendError::Full)
            }
            9 => {
                let early = conn.poll_timeout().map_or(u64::MAX, |at| at.as_nanos().saturating_sub(1));
                // Before the first call that knows the time, that is the time.
                if early > 0 {
                    assert_eq!(conn.handle_timeout(Instant::from_nanos(early), &mut tx), Ok(()));
                    assert_eq!(format!("{conn:?}"), before, "a deadline before its time");
                }
                Ok(())
            }
            _ => {
                let end = input.len().min(start + len);
                let twin = input.clone();
                let mut rx = match len {
                    0 => Rx::last(&mut input[start..end]),
                    1 => Rx::full(&mut input[start..end]),
                    _ => Rx::new(&mut input[start..end]),
                };
                match conn.poll(now, &mut rx, &mut tx) {
                    Ok(event) => {
                        assert_eq!(failed, None);
                        if event.is_none()
                            && let Wants::Output(needed) = conn.wants()
                        {
                            assert!(needed > room && tx.is_empty(), "{needed} of {room}");
                        }
                    }
                    Err(violation) => {
                        assert_eq!(*failed.get_or_insert(violation), violation);
                        assert_eq!(conn.wants(), Wants::Close);
                    }
                }
                let used = rx.consumed();
                assert_eq!(rx.bytes(), &twin[start + used..end], "only what is consumed may change");
                start += used;
                Ok(())
            }
        };
        if let Err(error) = done {
            assert_eq!((format!("{conn:?}"), tx.written()), (before, &b""[..]), "refused: {error:?}");
            if let SendError::Full(full) = error {
                assert!(full.needed > room);
            }
        }
        wire.extend_from_slice(tx.written());
        wire.extend_from_slice(&text.as_bytes()[..payload]);
    }
    wire
}

/// After our Close only pongs may follow (§5.5.2: until the peer's Close is received).
fn after_our_close(frames: &[(u8, Vec<u8>)]) -> bool {
    frames.iter().skip_while(|(first, _)| *first != 0x88).skip(1).all(|(first, _)| *first == 0x8a)
}

fn send<R: Role>(
    conn: &mut hopwire::ws::Connection<R>,
    payload: &[u8],
    text: Option<&str>,
    pieces: &[usize],
    tx: &mut Tx<'_>,
) -> Vec<Got> {
    let mut expected = vec![];
    if let Some(text) = text {
        conn.send_text(text, tx).unwrap();
        expected.push(Got::Text(payload.to_vec()));
    }
    let mut rest = payload;
    for &piece in pieces {
        let (now, later) = rest.split_at(piece.min(rest.len()));
        conn.send_binary_piece(now, false, tx).unwrap();
        rest = later;
    }
    conn.send_binary_piece(rest, true, tx).unwrap();
    conn.send_pong(&KEY, tx).unwrap();
    expected.push(Got::Binary(payload.to_vec()));
    expected.push(Got::Pong(KEY.to_vec()));
    expected
}
