//! Compressed messages: pieces of any size, text, limits, and data that is broken.

use hopwire::deflate::{Decoder, Deflater, Encoder, Flush, History, Level, Window};
use hopwire::io::{Full, Tx};
use hopwire::ws::deflate::{Piece, Receiver, Sender};
use hopwire::ws::{Config, Event, Kind, Limit, Violation};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::driver::{Got, Inflation, Player, Told, client, frame, server};

/// A message compressed by itself, as its payload is on the wire.
fn packed(data: &[u8]) -> Vec<u8> {
    let mut space = vec![0; data.len() + 1000];
    let progress = Deflater::<32768>::new(Level::Default).deflate(data, &mut space, Flush::Sync);
    assert_eq!(progress.consumed, data.len());
    space[..progress.produced].strip_suffix(&[0, 0, 0xff, 0xff]).unwrap().to_vec()
}

fn compressing() -> Config {
    Config { compression: true, ..Config::new() }
}

/// A server that inflates `room` bytes at a time hears `wire`.
fn hear(wire: &[u8], config: Config, room: usize) -> Told {
    Player::inflating(200, Inflation::new(config, true, room)).play(&mut server(config), [wire], false)
}

/// What comes of one compressed message, whatever is inflated at a time.
fn inflated(kind: u8, payload: &[u8], config: Config) -> Told {
    let wire = frame(0xc0 | kind, payload, true);
    let told = hear(&wire, config, 1 << 16);
    for room in [4, 5, 7, 64] {
        assert_eq!(hear(&wire, config, room), told, "{room} at a time");
    }
    told
}

#[test]
fn blocks_that_say_they_are_the_last() {
    for (payload, text) in [
        (&b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"[..], "Hello"),
        // The octet behind it, of which RFC 7692 §7.2.3.4 speaks, was forgotten: nothing is unclear all the same.
        (b"\xf3\x48\xcd\xc9\xc9\x07\x00", "Hello"),
        // Two of them, and one that is not.
        (b"\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x48\xcd\xc9\xc9\x07\x00", "HelloHelloHello"),
        // One whose last byte is taken before there is room for all it says.
        (b"\xf3\x48\xcd\xc9\xc2\x07\x00", "Heljjjjjjjjjjjjjjjjjjjjjjjjjjjjj"),
        // An empty one; this loops one peer for ever.
        (b"\x03\x80", ""),
        (b"\x03\x00\x00", ""),
        // No payload at all.
        (b"", ""),
        (b"\x00", ""),
    ] {
        let told = inflated(1, payload, compressing());
        assert_eq!((told.got, told.violation), (vec![Got::Text(text.into())], None), "{payload:02x?}");
        // In fragments, with a ping inside, and an empty fragment at the end.
        let wire = payload.iter().enumerate().flat_map(|(n, b)| {
            let piece = frame(if n == 0 { 0x41 } else { 0x00 }, &[*b], true);
            [piece, frame(0x89, b"", true)].concat()
        });
        let mut wire: Vec<u8> = wire.collect();
        wire.extend(frame(if payload.is_empty() { 0xc1 } else { 0x80 }, b"", true));
        let mut told = hear(&wire, compressing(), 4);
        told.got.retain(|got| *got != Got::Ping(vec![]));
        assert_eq!((told.got, told.violation), (vec![Got::Text(text.into())], None), "{payload:02x?}");
    }
}

#[test]
fn broken_data_fails_behind_what_is_right() {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    for (payload, part) in [
        (&b"\x07"[..], ""),
        (b"\xff\xff", ""),
        // Cut off inside a block; a stored block longer than what follows.
        (&hello[..4], "Hel"),
        (b"\x00\x05\x00\xfa\xff\x48\x65\x6c", "Hel"),
        // Cut off just before its end: what is appended to the payload would complete it, but for the rest of that.
        (b"\x03", ""),
        (b"\xf3\x48\xcd\xc9\xc9\x07", "Hello"),
        // So behind a block that said it was the last.
        (b"\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x48\xcd", "Hello"),
        // A distance before the beginning, behind three letters.
        (b"\xf2\x00\x11\x00\x00", "H"),
    ] {
        let told = inflated(2, payload, compressing());
        assert_eq!((told.violation, told.close_code()), (Some(Violation::Deflate), Some(1002)), "{payload:02x?}");
        assert!(told.got.is_empty() && told.part.starts_with(part.as_bytes()), "{payload:02x?}: {:?}", told.part);
    }
    // The decoder goes to others as it was left.
    let mut decoder = Decoder::new();
    for left in [&b"\x07"[..], &hello[..4]] {
        let mut window = Window::<[u8; 32768]>::new();
        let mut piece = Piece { kind: Kind::Binary, data: left, end: false };
        let _ = Receiver::new(compressing(), false).inflate(&mut piece, &mut decoder, &mut window, &mut [0; 64]);
        let mut piece = Piece { kind: Kind::Binary, data: hello, end: true };
        let mut out = [0; 64];
        let outcome = Receiver::new(compressing(), false).inflate(&mut piece, &mut decoder, &mut window, &mut out);
        assert_eq!(outcome, Ok(Some(Event::Binary { data: &mut b"Hello".to_vec(), end: true })), "{left:02x?}");
    }
}

#[test]
fn text_is_judged_byte_by_byte_once_it_is_inflated() {
    for bad in [&b"\xff"[..], b"\xc0\x80", b"\xe2\x28", b"\xed\xa0\x80", b"\xf4\x90", b"\x80"] {
        let text = [&"a€".repeat(50).into_bytes()[..], bad, b"more to come"].concat();
        let told = inflated(1, &packed(&text), compressing());
        assert_eq!((told.violation, told.close_code()), (Some(Violation::Utf8), Some(1007)));
        assert_eq!(told.part, "a€".repeat(50).as_bytes());
        assert_eq!(inflated(2, &packed(&text), compressing()).got, [Got::Binary(text)]);
    }
    // That is final, whatever comes next.
    let mut receiver = Receiver::new(compressing(), true);
    let (mut decoder, mut window) = (Decoder::new(), Window::<[u8; 32768]>::new());
    for payload in [packed(b"\xff"), packed(b"well")] {
        let mut piece = Piece { kind: Kind::Text, data: &payload, end: true };
        let mut out = [0; 64];
        assert_eq!(receiver.inflate(&mut piece, &mut decoder, &mut window, &mut out), Err(Violation::Utf8));
    }
    // Cut at the end of the message; or at that of a fragment, which is fine.
    for cut in ["é", "€", "😀"] {
        let text = format!("text {cut}");
        let told = inflated(1, &packed(&text.as_bytes()[..text.len() - 1]), compressing());
        assert_eq!((told.violation, told.part), (Some(Violation::Utf8), b"text ".to_vec()));
        assert_eq!(inflated(1, &packed(text.as_bytes()), compressing()).got, [Got::Text(text.into())]);
    }
    // The first byte that shows it fails the message, though the rest of the frame has not come.
    let payload = packed(&[&b"ok \xff"[..], &[b'x'; 500]].concat());
    let mut wire = frame(0x41, &payload[..6], true);
    let told = hear(&wire, compressing(), 100);
    assert_eq!((told.violation, told.part), (Some(Violation::Utf8), b"ok ".to_vec()));
    wire.truncate(wire.len() - 1);
    assert_eq!(hear(&wire, compressing(), 100).violation, Some(Violation::Utf8));
}

#[test]
fn a_bomb_fails_before_its_memory_is_spent() {
    let mut config = compressing();
    config.max_message = 1000;
    let bomb = packed(&vec![0; 1 << 20]);
    let mut receiver = Receiver::new(config, true);
    let (mut decoder, mut window) = (Decoder::new(), Window::<[u8; 32768]>::new());
    let mut out = vec![0xaa; 1 << 16];
    let mut piece = Piece { kind: Kind::Binary, data: &bomb, end: true };
    let failed = Err(Violation::Limit(Limit::Message));
    let event = receiver.inflate(&mut piece, &mut decoder, &mut window, &mut out);
    assert_eq!(event, Ok(Some(Event::Binary { data: &mut [0; 1000], end: false })));
    assert_eq!(receiver.inflate(&mut piece, &mut decoder, &mut window, &mut out), failed);
    assert_eq!(receiver.inflate(&mut piece, &mut decoder, &mut window, &mut out), failed);
    assert!(out[1001..].iter().all(|&b| b == 0xaa), "more was inflated than the limit and a byte");
    assert_eq!(inflated(2, &bomb, config).close_code(), Some(1009));
    // Exactly the limit is fine.
    assert_eq!(inflated(2, &packed(&[0; 1000]), config).got, [Got::Binary(vec![0; 1000])]);
    assert_eq!(inflated(2, &packed(&[0; 1001]), config).violation, failed.err());
}

/// One peer's inflater stops where its output is full, and takes what is left for the start of the next message.
#[test]
fn a_full_output_glues_nothing_to_the_next_message() {
    let (long, short) = (vec![b'a'; 5000], b"b".to_vec());
    let wire = [&long, &short, &long, &short].map(|data| frame(0xc2, &packed(data), true)).concat();
    for room in [4, 5, 100, 4999, 5000, 5001] {
        let told = hear(&wire, compressing(), room);
        assert_eq!(told.got, [&long, &short, &long, &short].map(|data| Got::Binary(data.clone())), "{room}");
    }
}

#[test]
fn the_ratio_counts_beyond_the_first_mebibyte() {
    let big = vec![0; (1 << 20) + 1];
    let told = hear(&frame(0xc2, &packed(&big), true), compressing(), 1 << 16);
    assert_eq!((told.violation, told.close_code()), (Some(Violation::Limit(Limit::Ratio)), Some(1009)));
    let told = hear(&frame(0xc2, &packed(&big[1..]), true), compressing(), 1 << 16);
    assert_eq!(told.got, [Got::Binary(big[1..].to_vec())]);
    // What one message had on the wire allows nothing to the next.
    let noise: Vec<u8> = (0..10_000_u32).map(|n| n.wrapping_mul(0x9e37_79b1).to_be_bytes()[0]).collect();
    let wire = [&noise, &big].map(|data| frame(0xc2, &packed(data), true)).concat();
    assert_eq!(hear(&wire, compressing(), 1 << 16).violation, Some(Violation::Limit(Limit::Ratio)));
    let mut generous = compressing();
    generous.max_ratio = 1032;
    assert_eq!(hear(&frame(0xc2, &packed(&big), true), generous, 1 << 16).got, [Got::Binary(big)]);
}

#[test]
fn an_output_of_less_than_a_code_point_is_too_small() {
    // None of these could ever say the second: rather than lose it in silence, none is taken.
    let payload = packed("€😀".as_bytes());
    for len in 0..4 {
        let mut receiver = Receiver::new(compressing(), true);
        let (mut decoder, mut window) = (Decoder::new(), Window::<[u8; 32768]>::new());
        let mut piece = Piece { kind: Kind::Text, data: &payload, end: true };
        let mut out = [0; 3];
        let outcome = receiver.inflate(&mut piece, &mut decoder, &mut window, &mut out[..len]);
        assert_eq!((outcome, piece.data), (Err(Violation::Limit(Limit::Buffer)), &payload[..]), "{len}");
    }
}

#[test]
fn room_for_less_than_the_tail_is_too_small_to_send_from() {
    let (mut encoder, mut history) =
        (Box::new(Encoder::<32768>::new(Level::Fast)), Box::new(History::<[u8; 32768]>::new()));
    let (mut sender, mut space) = (Sender::new(true), [0; 16]);
    let mut piece = Piece { kind: Kind::Text, data: b"hello", end: true };
    for len in 0..16 {
        let result = sender.deflate(&mut piece, &mut encoder, &mut *history, &mut space[..len]);
        assert_eq!((result, piece.data.len()), (Err(Full { needed: 16 }), 5));
    }
    assert!(matches!(sender.deflate(&mut piece, &mut encoder, &mut *history, &mut space), Ok(Some((_, true)))));
}

#[test]
fn what_somebody_left_in_an_encoder_is_not_sent_to_another() {
    let (mut encoder, mut space) = (Box::new(Encoder::<32768>::new(Level::Default)), [0; 256]);
    let mut history = Box::new(History::<[u8; 32768]>::new());
    let secret = b"the token is 7f3a9c, ".repeat(1500);
    let mut left = Piece { kind: Kind::Binary, data: &secret, end: false };
    assert_eq!(Sender::new(true).deflate(&mut left, &mut encoder, &mut *history, &mut space), Ok(None));
    let mut history = Box::new(History::<[u8; 32768]>::new());
    let mut piece = Piece { kind: Kind::Binary, data: b"hello", end: true };
    let sent = Sender::new(true).deflate(&mut piece, &mut encoder, &mut *history, &mut space).unwrap();
    let Some((payload, true)) = sent else { panic!("{sent:?}") };
    assert_eq!(inflated(2, payload, compressing()).got, [Got::Binary(b"hello".to_vec())]);
}

#[test]
fn a_message_that_was_not_compressed_leaves_the_context_alone() {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    let wire = [frame(0xc1, hello, true), frame(0x81, b"other", true), frame(0xc1, b"\xf2\x00\x11\x00\x00", true)];
    let told = hear(&wire.concat(), compressing(), 100);
    assert_eq!(told.got, ["Hello", "other", "Hello"].map(|text| Got::Text(text.into())));
}

/// Words that compress, and bytes that do not.
fn message() -> impl Strategy<Value = (bool, Vec<u8>)> {
    let word =
        prop_oneof![Just("the "), Just("quick "), Just("€uro "), Just("😀"), Just("\"key\": "), Just("aaaaaaaaaa")];
    let text = vec(word, 0..200).prop_map(|words| (true, words.concat().into_bytes()));
    prop_oneof![3 => text, 1 => vec(any::<u8>(), 0..600).prop_map(|data| (false, data))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Compressed in pieces, sent in frames with pings between them, received in reads, and inflated in pieces of any size: what was
    /// said is heard.
    #[test]
    fn what_is_compressed_is_inflated(
        messages in vec(message(), 0..6), piece in 1..300_usize, out in 16..200_usize, read in 1..200_usize,
        room in 4..200_usize, takeover: bool, masked: bool, level in 0..4_usize, bits in 9..16_u8,
    ) {
        let level = [Level::Stored, Level::Fast, Level::Default, Level::Best][level];
        let config = compressing();
        let mut sender = Sender::new(takeover);
        let (mut encoder, mut history) = (Box::new(Encoder::<32768>::new(level)), Box::new(History::<[u8; 32768]>::new()));
        history.set_window_bits(bits);
        let (mut wire, mut pings) = (vec![], 0);
        let (mut from_server, mut from_client) = (server(config), client(config));
        for (is_text, data) in &messages {
            let kind = if *is_text { Kind::Text } else { Kind::Binary };
            let mut chunks = data.chunks(piece).peekable();
            let mut space = vec![0; out];
            loop {
                let data = chunks.next().unwrap_or(&[]);
                let end = chunks.peek().is_none();
                let mut left = Piece { kind, data, end };
                while let Some((data, end)) = sender.deflate(&mut left, &mut encoder, &mut *history, &mut space).unwrap() {
                    let mut out = [0; 300];
                    let mut tx = Tx::new(&mut out);
                    match masked {
                        true => from_client.send_compressed_piece(kind, data, end, &mut tx).unwrap(),
                        false => from_server.send_compressed_piece(kind, data, end, &mut tx).unwrap(),
                    }
                    pings += 1;
                    match masked {
                        true => from_client.send_ping(b"", &mut tx).unwrap(),
                        false => from_server.send_ping(b"", &mut tx).unwrap(),
                    }
                    wire.extend_from_slice(tx.written());
                }
                if end {
                    break;
                }
            }
        }
        let player = Player::inflating(9, Inflation::new(config, takeover, room));
        let told = match masked {
            true => player.play(&mut server(config), wire.chunks(read), false),
            false => player.play(&mut client(config), wire.chunks(read), false),
        };
        prop_assert_eq!(told.violation, None);
        let said = messages.into_iter().map(|(text, data)| if text { Got::Text(data) } else { Got::Binary(data) });
        let (heard, pinged): (Vec<_>, Vec<_>) = told.got.into_iter().partition(|got| !matches!(got, Got::Ping(_)));
        prop_assert_eq!((heard, pinged.len()), (said.collect(), pings));
    }

    /// Whatever the data, pieces of any size tell the same.
    #[test]
    fn any_data_does_no_harm(payload in vec(any::<u8>(), 0..100), text: bool, cut in 0..100_usize) {
        let first = if text { 0x41 } else { 0x42 };
        let (front, back) = payload.split_at(cut.min(payload.len()));
        let wire = [frame(first, front, true), frame(0x80, back, true)].concat();
        let told = hear(&wire, compressing(), 1 << 16);
        prop_assert_eq!(&hear(&wire, compressing(), 4), &told);
        let whole = hear(&frame(first | 0x80, &payload, true), compressing(), 1 << 16);
        prop_assert_eq!((&whole.got, &whole.part, whole.violation), (&told.got, &told.part, told.violation));
    }
}

/// After the event that ends a message, the decoder and a window without context may serve others.
#[test]
fn receivers_take_turns_with_a_decoder() {
    let payload = packed(b"hello hello hello");
    let mut receivers = [(); 2].map(|()| Receiver::new(compressing(), false));
    let (mut decoder, mut window) = (Decoder::new(), Window::<[u8; 32768]>::new());
    let mut out = [0; 64];
    for turn in 0..4 {
        let receiver = &mut receivers[turn % 2];
        let (front, back) = payload.split_at(3);
        let (mut heard, mut ended) = (String::new(), false);
        for (data, end) in [(front, false), (back, true)] {
            let mut piece = Piece { kind: Kind::Text, data, end };
            while let Some(event) = receiver.inflate(&mut piece, &mut decoder, &mut window, &mut out).unwrap() {
                assert!(!ended);
                let Event::Text { text, end } = event else { panic!("{event:?}") };
                heard.push_str(text.as_str());
                ended = end;
            }
        }
        assert_eq!((&*heard, ended), ("hello hello hello", true));
    }
}
