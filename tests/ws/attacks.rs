//! What took peers down: length lies, fragments, floods, quadratic cost, UTF-8, close.

use hopwire::io::{Rx, Tx, Wants};
use hopwire::ws::{Config, Event, Limit, Violation};

use crate::driver::{Got, NOW, client, frame, frames, play, server};
use crate::naive::{agree, naive};

fn fails(wire: &[u8], config: Config) -> (Option<Violation>, Option<u16>) {
    let told = play(&mut server(config), [wire], 9, false);
    assert_eq!(play(&mut server(config), wire.chunks(1), 9, false), told);
    (told.violation, told.close_code())
}

#[test]
fn length_lies_fail_at_the_header() {
    let config = Config::default();
    let mut small = config;
    small.max_message = 1024;
    // 2^63 and more, from the first of the eight bytes; a length that wraps a sum.
    assert_eq!(fails(b"\x82\xff\x80", config), (Some(Violation::LengthRange), Some(1002)));
    assert_eq!(fails(&[&b"\x82\xff"[..], &[0xff; 8]].concat(), config), (Some(Violation::LengthRange), Some(1002)));
    // 1 TiB under 1 KiB, and under the default: no key, no payload.
    let tib = [&b"\x82\xff"[..], &(1_u64 << 40).to_be_bytes()].concat();
    assert_eq!(fails(&tib, small), (Some(Violation::Limit(Limit::Frame)), Some(1009)));
    assert_eq!(fails(&tib, config), (Some(Violation::Limit(Limit::Frame)), Some(1009)));
    assert_eq!(fails(b"\x82\xfe\x04\x01", small), (Some(Violation::Limit(Limit::Message)), Some(1009)));
    // Forms that are not the shortest.
    assert_eq!(fails(b"\x82\xfe\x00\x7d", config), (Some(Violation::LengthForm), Some(1002)));
    assert_eq!(fails(b"\x82\xff\0\0\0\0\0\0\xff\xff", config), (Some(Violation::LengthForm), Some(1002)));
}

#[test]
fn the_first_two_bytes_are_judged_alone() {
    for (wire, violation) in [
        (&b"\xc1"[..], Violation::ReservedBit),
        (b"\xa1", Violation::ReservedBit),
        (b"\x9a", Violation::ReservedBit),
        (b"\x83", Violation::Opcode),
        (b"\x8f", Violation::Opcode),
        (b"\x09", Violation::ControlFragment),
        (b"\x80", Violation::Continuation),
        (b"\x81\x05", Violation::Unmasked),
        (b"\x89\xfe", Violation::ControlLength),
        (b"\x88\x81", Violation::CloseLength),
    ] {
        assert_eq!(fails(wire, Config::default()), (Some(violation), Some(1002)), "{wire:?}");
    }
    let begun = frame(0x01, b"x", true);
    assert_eq!(fails(&[&begun[..], b"\x81"].concat(), Config::default()).0, Some(Violation::Interleaved));
    assert_eq!(fails(&[&begun[..], b"\x02"].concat(), Config::default()).0, Some(Violation::Interleaved));
}

#[test]
fn a_million_empty_fragments_are_too_many() {
    let empty = frame(0x00, b"", true);
    let wire = [frame(0x01, b"", true), empty.repeat(1_000_000)].concat();
    let mut conn = server(Config::default());
    let told = play(&mut conn, [&wire[..]], 9, false);
    assert_eq!((told.violation, told.close_code()), (Some(Violation::Limit(Limit::Fragments)), Some(1009)));
    // The most that are allowed are more than the Autobahn suite sends.
    let max = usize::try_from(Config::default().max_fragments).unwrap();
    assert!(max > 65_536);
    let wire = [frame(0x01, b"", true), empty.repeat(max - 2), frame(0x80, b"", true)].concat();
    let told = play(&mut server(Config::default()), [&wire[..]], 9, false);
    assert_eq!((told.got, told.violation), (vec![Got::Text(vec![])], None));
}

#[test]
fn the_limit_of_a_message_is_over_all_its_fragments() {
    let config = Config { max_message: 10, ..Config::new() };
    let wire = [frame(0x02, b"12345", true), frame(0x00, b"12345", true)].concat();
    assert_eq!(fails(&wire, config), (None, None));
    assert_eq!(fails(&[&wire[..], b"\x80\x81"].concat(), config), (Some(Violation::Limit(Limit::Message)), Some(1009)));
    assert_eq!(fails(&[wire, frame(0x80, b"", true)].concat(), config), (None, None));
}

/// What is as long as it may be passes, whole and byte by byte; what is longer by one does not.
#[test]
fn each_limit_is_exact() {
    let of = |max_frame, max_message| Config { max_frame, max_message, ..Config::new() };
    for most in [0, 10, 125, 126, 4096, 5000, 65_535, 65_536] {
        let n = most as u64;
        for (config, limit) in [(of(n, n + 1), Limit::Frame), (of(n + 1, n), Limit::Message), (of(n, n), Limit::Frame)]
        {
            for first in [0x81, 0x82] {
                let wire = |len| frame(first, &vec![b'x'; len], true);
                assert_eq!(fails(&wire(most), config), (None, None), "{most} {limit:?}");
                assert_eq!(fails(&wire(most + 1), config), (Some(Violation::Limit(limit)), Some(1009)), "{most}");
            }
        }
    }
    let config = Config { max_fragments: 3, ..Config::new() };
    let wire =
        |n: usize| [frame(0x02, b"", true), frame(0x00, b"x", true).repeat(n - 2), frame(0x80, b"", true)].concat();
    assert_eq!(fails(&wire(3), config), (None, None));
    assert_eq!(fails(&wire(4), config), (Some(Violation::Limit(Limit::Fragments)), Some(1009)));
}

#[test]
fn ten_pings_in_one_read_get_ten_pongs() {
    let wire: Vec<u8> = (0..10).flat_map(|n| frame(0x89, &[n; 20], true)).collect();
    for room in [0, 22, 50, 1000] {
        let told = play(&mut server(Config::default()), [&wire[..]], room, false);
        assert_eq!(told.frames(), (0..10).map(|n| (0x8a, vec![n; 20])).collect::<Vec<_>>());
    }
}

/// What is in the output may be on its way already: nothing replaces it, not even a newer pong.
#[test]
fn bytes_once_exposed_are_frozen() {
    let wire: Vec<u8> =
        (0..20).flat_map(|n| [frame(0x89, &[n; 9], true), frame(0x81, &[b'a' + n], true)].concat()).collect();
    let mut input = [&wire[..], &frame(0x88, b"\x03\xe8", true)].concat();
    let (mut conn, mut out) = (server(Config::default()), [0; 1000]);
    let (mut rx, mut tx) = (Rx::new(&mut input), Tx::new(&mut out));
    let mut before = vec![];
    let mut frozen = |tx: &Tx<'_>| {
        assert!(tx.written().starts_with(&before), "{:?}", tx.written());
        before = tx.written().to_vec();
    };
    while let Some(event) = conn.poll(NOW, &mut rx, &mut tx).unwrap() {
        frozen(&tx);
        if let Event::Text { text, .. } = event {
            conn.send_text(text, &mut tx).unwrap();
            frozen(&tx);
            assert!(conn.send_ping(&[0; 126], &mut tx).is_err());
            frozen(&tx);
        }
    }
    assert_eq!(frames(tx.written()).len(), 41);
}

#[test]
fn a_flood_of_pings_waits_for_room() {
    // Nothing is queued: with no room for a pong, not one ping more is consumed.
    let wire = frame(0x89, &[b'p'; 125], true).repeat(10_000);
    let mut input = wire.clone();
    let mut out = [0; 127 * 3 + 100];
    let mut conn = server(Config::default());
    let mut rx = Rx::new(&mut input);
    let mut tx = Tx::new(&mut out);
    let mut pings = 0;
    while conn.poll(NOW, &mut rx, &mut tx).unwrap().is_some() {
        pings += 1;
    }
    assert_eq!((pings, tx.len(), rx.consumed()), (3, 127 * 3, 131 * 3));
    assert_eq!(conn.wants(), Wants::Output(127));
    assert_eq!(rx.bytes(), &wire[131 * 3..]);
}

/// What is consumed is never looked at again, and of what comes byte by byte no more is left unconsumed than a header and
/// the start of a code point (or a control frame, whose payload is not looked at before it is whole).
#[test]
fn cost_is_linear() {
    let mut wire = frame(0x01, "é".as_bytes(), true);
    for _ in 0..10_000 {
        wire.extend(frame(0x00, "😀€é".as_bytes(), true));
        wire.extend(frame(0x00, b"", true));
    }
    wire.extend(frame(0x80, &[b'x'; 100_000], true));
    let mut conn = server(Config::default());
    let (mut kept, mut looks) = (Vec::new(), 0);
    for &byte in &wire {
        kept.push(byte);
        let mut rx = Rx::new(&mut kept);
        while conn.poll(NOW, &mut rx, &mut Tx::new(&mut [])).unwrap().is_some() {}
        let used = rx.consumed();
        looks += kept.len();
        kept.drain(..used);
        assert!(kept.len() <= 14 + 3, "{}", kept.len());
    }
    assert!(looks <= 6 * wire.len(), "{looks} for {}", wire.len());
}

#[test]
fn text_is_judged_at_its_tail_too() {
    // Cut at the end of the message, in one frame or by an empty last one.
    for tail in [&b"\xc3"[..], b"\xe2\x82", b"\xf0\x9f\x98"] {
        assert_eq!(fails(&frame(0x81, tail, true), Config::default()).0, Some(Violation::Utf8));
        let wire = [frame(0x01, tail, true), frame(0x80, b"", true)].concat();
        assert_eq!(fails(&wire, Config::default()), (Some(Violation::Utf8), Some(1007)));
        let wire = [frame(0x01, tail, true), frame(0x00, b"a", true)].concat();
        assert_eq!(fails(&wire, Config::default()), (Some(Violation::Utf8), Some(1007)));
    }
    // Ill-formed whatever follows: in a frame still arriving, and across two frames.
    for bad in [&b"\xf4\x90"[..], b"\xed\xa0", b"\xe0\x80", b"\xf0\x80", b"\xc0", b"\xf5", b"\x80", b"\xe2\x28"] {
        let mut wire = frame(0x81, &[b"ok", bad, b"more to come"].concat(), true);
        wire.truncate(6 + 2 + bad.len());
        assert_eq!(fails(&wire, Config::default()), (Some(Violation::Utf8), Some(1007)), "{bad:?}");
        let wire = [frame(0x01, &bad[..1], true), frame(0x00, &bad[1..], true)].concat();
        assert_eq!(fails(&wire, Config::default()), (Some(Violation::Utf8), Some(1007)), "{bad:?}");
    }
}

/// Long text is unmasked and judged in blocks: a code point across their edges is one, and one that is cut there is none.
#[test]
fn text_is_judged_across_the_edges_of_blocks() {
    let config = Config::default();
    for sequence in ["é", "€", "😀"].map(str::as_bytes) {
        for at in [4096, 8192].into_iter().flat_map(|edge| edge - 4..=edge + 1) {
            for whole in 1..=sequence.len() {
                for after in [&b"a"[..], "é".as_bytes(), b""] {
                    let payload = [&vec![b'a'; at], &sequence[..whole], &after.repeat(5000)].concat();
                    for masked in [true, false] {
                        let wire = frame(0x81, &payload, masked);
                        let told = match masked {
                            true => play(&mut server(config), [&wire[..]], 9, false),
                            false => play(&mut client(config), [&wire[..]], 9, false),
                        };
                        agree(&told, &naive(&wire, masked, config));
                        assert_eq!(told.violation.is_none(), whole == sequence.len(), "{at} {whole}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_codes_of_a_close() {
    let fine = (1000..=1003).chain(1007..=1014).chain(3000..=4999);
    let fine: Vec<u16> = fine.collect();
    for code in (0..6000).chain(65_000..=u16::MAX) {
        let wire = frame(0x88, &code.to_be_bytes(), true);
        let told = play(&mut server(Config::default()), [&wire[..]], 9, false);
        if fine.contains(&code) {
            assert_eq!(told.got, [Got::Close(Some(code), String::new())]);
            assert_eq!((told.close_code(), told.violation), (Some(code), None));
        } else {
            assert_eq!((told.close_code(), told.violation), (Some(1002), Some(Violation::CloseCode)), "{code}");
        }
    }
    let reason = frame(0x88, b"\x03\xe8\xed\xa0\x80", true);
    assert_eq!(fails(&reason, Config::default()), (Some(Violation::Utf8), Some(1007)));
}

#[test]
fn an_oversized_close_is_not_echoed() {
    let told = play(&mut server(Config::default()), [&frame(0x88, &[b'x'; 126], true)[..]], 9, false);
    assert_eq!(told.frames(), [(0x88, vec![0x03, 0xea])]);
}
