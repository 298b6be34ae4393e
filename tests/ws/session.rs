//! The paved path: whole messages in and out, compressed as was negotiated, and what a session holds.

use hopwire::deflate::Level;
use hopwire::io::{Full, Rx, SendError, Tx, Wants};
use hopwire::ws::handshake::deflate::Params;
use hopwire::ws::{
    Client, CloseCode, Config, Event, Limit, Message, Misuse, Prepared, Received, Role, Server, Session, Shared,
    Violation,
};

use crate::driver::{KEY, Keys, NOW, frame, frames};
use crate::support::prng::Prng;

fn server(params: Option<Params>) -> Session<Server> {
    Session::server(Config::new(), params)
}

fn client(params: Option<Params>) -> Session<Client<Keys>> {
    Session::client(|key| key.copy_from_slice(&KEY), Config::new(), params)
}

/// Every agreement there can be about the context.
fn agreements() -> impl Iterator<Item = Option<Params>> {
    let each = (0..4).map(|n| {
        let mut params = Params::default();
        (params.server_no_context_takeover, params.client_no_context_takeover) = (n & 1 != 0, n & 2 != 0);
        Some(params)
    });
    each.chain([None])
}

/// All messages in `wire`, received in pieces of `size`, and what was sent back.
fn hear<R: Role>(
    session: &mut Session<R>,
    shared: &mut Shared,
    wire: &[u8],
    size: usize,
) -> Result<Vec<Vec<u8>>, Violation> {
    let (mut inbox, mut out, mut messages) = (vec![], vec![], vec![]);
    for piece in wire.chunks(size) {
        inbox.extend_from_slice(piece);
        let (mut rx, mut tx) = (Rx::new(&mut inbox), Tx::growing(&mut out, 1 << 20));
        while let Some((message, _)) = session.poll(NOW, shared, &mut rx, &mut tx)? {
            messages.push(match message {
                Message::Text(text) => text.as_bytes().to_vec(),
                Message::Binary(data) => data.to_vec(),
            });
        }
        let used = rx.consumed();
        inbox.drain(..used);
    }
    Ok(messages)
}

/// What `session` sends for each of `messages`.
fn say<R: Role>(session: &mut Session<R>, shared: &mut Shared, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![];
    let mut tx = Tx::growing(&mut out, 1 << 24);
    for (n, message) in messages.iter().enumerate() {
        let mut outbox = session.outbox(shared);
        match str::from_utf8(message) {
            Ok(text) if n % 3 == 0 => outbox.send_text(text, &mut tx).unwrap(),
            Ok(text) if n % 3 == 1 => {
                let prepared = Prepared::text(text).compressed(&mut Shared::default());
                outbox.send_prepared(&prepared, &mut tx).unwrap();
            }
            _ => outbox.send_binary(message, &mut tx).unwrap(),
        }
    }
    out
}

fn conversation() -> Vec<Vec<u8>> {
    let json = r#"{"type":"update","symbol":"EURUSD","bid":1.0862,"ask":1.0864,"at":1732204800}"#;
    let mut state = 1_u64;
    let noise = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    });
    let noise: Vec<u8> = noise.take(3000).collect();
    vec![
        json.into(),
        json.repeat(2).into(),
        vec![],
        "short".into(),
        json.repeat(40).into(),
        noise.clone(),
        json.into(),
        "日本語 €".repeat(3000).into(),
        noise,
        json.replace("EUR", "GBP").into(),
        vec![0; 70_000],
        json.into(),
    ]
}

#[test]
fn what_one_side_says_the_other_hears() {
    let messages = conversation();
    for params in agreements() {
        for level in [Level::Stored, Level::Fast, Level::Default, Level::Best] {
            let (mut at_server, mut at_client) = (Shared::new(level), Shared::new(level));
            let (mut s, mut c) = (server(params), client(params));
            let wire = say(&mut s, &mut at_server, &messages);
            assert_eq!(hear(&mut c, &mut at_client, &wire, 1000), Ok(messages.clone()), "{params:?} {level:?}");
            let wire = say(&mut c, &mut at_client, &messages);
            assert_eq!(hear(&mut s, &mut at_server, &wire, 77), Ok(messages.clone()), "{params:?} {level:?}");
        }
    }
}

#[test]
fn many_sessions_take_turns_with_what_they_share() {
    let messages = conversation();
    let mut shared = Shared::default();
    let mut pairs: Vec<_> = agreements().map(|params| (server(params), client(params))).collect();
    for _ in 0..3 {
        // Each is in the middle of a message when the others begin theirs.
        let wires: Vec<_> = pairs.iter_mut().map(|(s, _)| say(s, &mut shared, &messages)).collect();
        let mut heard: Vec<Vec<Vec<u8>>> = vec![vec![]; pairs.len()];
        let mut inboxes = vec![vec![]; pairs.len()];
        let longest = wires.iter().map(Vec::len).max().unwrap();
        for at in (0..longest).step_by(501) {
            for (n, (_, c)) in pairs.iter_mut().enumerate() {
                inboxes[n].extend_from_slice(&wires[n][at.min(wires[n].len())..(at + 501).min(wires[n].len())]);
                let (mut rx, mut out) = (Rx::new(&mut inboxes[n]), [0; 64]);
                while let Some((message, _)) = c.poll(NOW, &mut shared, &mut rx, &mut Tx::new(&mut out)).unwrap() {
                    heard[n].push(match message {
                        Message::Text(text) => text.as_bytes().to_vec(),
                        Message::Binary(data) => data.to_vec(),
                    });
                }
                let used = rx.consumed();
                inboxes[n].drain(..used);
            }
        }
        assert!(heard.iter().all(|heard| *heard == messages));
    }
}

/// Who sees how small its own messages become must not learn from it what another one was told meanwhile.
#[test]
fn the_size_of_a_message_says_nothing_of_another_session() {
    for level in [Level::Fast, Level::Default, Level::Best] {
        let text = |from: u32, len: u32| -> Vec<u8> {
            (from..from + len).flat_map(|n| n.wrapping_mul(0x9e37_79b1).to_le_bytes()).collect()
        };
        let guess = b"token=7f3a9c";
        let sizes = [guess, b"another text"].map(|told| {
            let mut shared = Shared::new(level);
            let (mut one, mut other) = (server(Some(Params::default())), server(Some(Params::default())));
            // What the other says last lies far behind what the one says. It comes from another thread.
            say(&mut other, &mut Shared::new(level), &[vec![b' '; 40_000]]);
            say(&mut one, &mut shared, &[[guess, &text(50_000, 1100)[..]].concat()]);
            say(&mut other, &mut shared, &[[told, &text(60_000, 20)[..]].concat()]);
            say(&mut one, &mut shared, &[[guess, &text(70_000, 20)[..]].concat()]).len()
        });
        assert_eq!(sizes[0], sizes[1], "{level:?}");
    }
}

/// Nor without context, where what all say goes through one history, and a place in it is that of 64 KiB before.
#[test]
fn a_message_without_context_says_nothing_of_one_before() {
    let params = Params { server_no_context_takeover: true, ..Params::default() };
    for level in [Level::Fast, Level::Default, Level::Best] {
        let sizes = ["token=7f3a9c", "another text"].map(|told| {
            let mut shared = Shared::new(level);
            let (mut one, mut other) = (server(Some(params)), server(Some(params)));
            let known = [&vec![0; 59_000][..], b"oken=7", &[0; 6_500], b"token=7f", &[0; 60]].concat();
            say(&mut other, &mut shared, &[format!("{told:-<100}").into()]);
            say(&mut one, &mut shared, &[known]).len()
        });
        assert_eq!(sizes[0], sizes[1], "{level:?}");
    }
}

#[test]
fn compression_is_used_where_it_was_negotiated_and_saves_something() {
    let text = "to be or not to be, ".repeat(20);
    let sent = |params| {
        let (mut shared, mut s) = (Shared::default(), server(params));
        let first = frames(&say(&mut s, &mut shared, &[text.clone().into()])).remove(0);
        let second = frames(&say(&mut s, &mut shared, &[text.clone().into()])).remove(0);
        (first, second)
    };
    let (first, second) = sent(None);
    assert_eq!((first.0, second.0, first.1.len()), (0x81, 0x81, text.len()));
    let (first, second) = sent(Some(Params::default()));
    assert_eq!((first.0, second.0), (0xc1, 0xc1));
    assert!(first.1.len() < 60 && second.1.len() < first.1.len() / 2, "{} {}", first.1.len(), second.1.len());
    let params = Params { server_no_context_takeover: true, ..Params::default() };
    let (first, second) = sent(Some(params));
    assert_eq!(first, second);
    // What is short, or would not be smaller, goes out as it is.
    let noise = conversation().remove(5);
    let (mut shared, mut s) = (Shared::default(), server(Some(params)));
    let plain = frames(&say(&mut s, &mut shared, &["x".repeat(63).into(), vec![], noise]));
    assert_eq!(plain.iter().map(|(first, _)| *first).collect::<Vec<_>>(), [0x81, 0x81, 0x82]);
    for (compressed_from, firsts) in [(64, [0x81, 0xc1]), (65, [0x81, 0x81]), (63, [0xc1, 0xc1]), (0, [0xc1, 0xc1])] {
        let config = Config { compressed_from, ..Config::new() };
        let mut s = Session::server(config, Some(params));
        let mut sent = say(&mut s, &mut shared, &["x".repeat(63).into()]);
        sent.extend(say(&mut s, &mut shared, &["x".repeat(64).into()]));
        assert_eq!(frames(&sent).iter().map(|(first, _)| *first).collect::<Vec<_>>(), firsts, "{compressed_from}");
    }
}

/// Each side keeps to the window that was agreed, and holds the other to it, context or not.
#[test]
fn nothing_refers_back_beyond_the_window_that_was_agreed() {
    let noise = conversation().remove(5);
    for bits in 8..15 {
        // What is said again stood farther back than the window is large, and not twice as far.
        let message = [&noise[..], &vec![0; (1_usize << bits).saturating_sub(2950)], &noise[..]].concat();
        let message = if bits < 12 { noise[..(1 << bits) + 10].repeat(2) } else { message };
        let messages = [message.clone(), message];
        for no_takeover in [false, true] {
            let params = Params {
                server_no_context_takeover: no_takeover,
                client_no_context_takeover: no_takeover,
                server_max_window_bits: Some(bits),
                client_max_window_bits: Some(bits),
            };
            let larger = Params { server_max_window_bits: Some(bits + 1), client_max_window_bits: None, ..params };
            let mut shared = Shared::default();
            let kept = say(&mut server(Some(params)), &mut shared, &messages);
            assert_eq!(hear(&mut client(Some(params)), &mut shared, &kept, 1000), Ok(messages.to_vec()));
            let broken = say(&mut server(Some(larger)), &mut shared, &messages);
            assert_eq!(hear(&mut client(Some(larger)), &mut shared, &broken, 1000), Ok(messages.to_vec()));
            let heard = hear(&mut client(Some(params)), &mut shared, &broken, 1000);
            assert_eq!(heard, Err(Violation::Deflate), "{bits}");
            let broken = say(&mut client(Some(larger)), &mut shared, &messages);
            assert_eq!(hear(&mut server(Some(params)), &mut shared, &broken, 1000), Err(Violation::Deflate), "{bits}");
        }
    }
}

/// Who keeps a context that was to be forgotten refers to what is not there.
#[test]
fn a_context_that_was_to_be_forgotten_is_not_there() {
    let messages = vec![r#"{"type":"update","symbol":"EURUSD","bid":1.0862,"ask":1.0864,"at":1}"#.into(); 3];
    let none = Params { server_no_context_takeover: true, client_no_context_takeover: true, ..Params::default() };
    for (agreed, kept) in [(none, Params::default()), (none, none)] {
        let mut shared = Shared::default();
        let heard = if kept == agreed { Ok(messages.clone()) } else { Err(Violation::Deflate) };
        let wire = say(&mut client(Some(kept)), &mut shared, &messages);
        assert_eq!(hear(&mut server(Some(agreed)), &mut shared, &wire, 1000), heard);
        let wire = say(&mut server(Some(kept)), &mut shared, &messages);
        assert_eq!(hear(&mut client(Some(agreed)), &mut shared, &wire, 1000), heard);
    }
}

/// What others were told is not to be had from the memory they used before.
#[test]
fn a_window_that_served_others_is_empty() {
    let hello = |payload: &[u8]| frame(0xc1, payload, true);
    let none = Params { client_no_context_takeover: true, ..Params::default() };
    for params in [none, Params::default()] {
        let mut shared = Shared::default();
        let heard = hear(&mut server(Some(none)), &mut shared, &hello(b"\xf2\x48\xcd\xc9\xc9\x07\x00"), 99);
        assert_eq!(heard, Ok(vec![b"Hello".to_vec()]));
        // RFC 7692 §7.2.3.2: "Hello" again, which refers to the one before.
        let heard = hear(&mut server(Some(params)), &mut shared, &hello(b"\xf2\x00\x11\x00\x00"), 99);
        assert_eq!(heard, Err(Violation::Deflate), "{params:?}");
    }
}

/// Each message goes out whole or not at all, whatever the room, and the other side never notices.
#[test]
fn a_tx_of_every_size() {
    let text = r#"{"type":"update","symbol":"EURUSD","bid":1.0862,"ask":1.0864,"at":1732204800}"#.repeat(2);
    let prepared = Prepared::text(text.as_str()).compressed(&mut Shared::default());
    for params in agreements() {
        let mut shared = Shared::default();
        let (mut s, mut c) = (server(params), client(params));
        let (mut from_server, mut from_client, mut sent) = (vec![], vec![], 0);
        for room in 0..180 {
            let mut out = vec![0; room];
            let mut tx = Tx::new(&mut out);
            let outcome = match room % 3 {
                0 => s.outbox(&mut shared).send_prepared(&prepared, &mut tx),
                _ => s.outbox(&mut shared).send_text(text.as_str(), &mut tx),
            };
            let len = tx.len();
            match outcome {
                Ok(()) => sent += 1,
                Err(SendError::Full(Full { needed })) => assert!(len == 0 && needed > room),
                Err(misuse) => panic!("{misuse}"),
            }
            from_server.extend_from_slice(&out[..len]);
            let mut out = vec![0; room];
            let mut tx = Tx::new(&mut out);
            let is_sent = c.outbox(&mut shared).send_text(text.as_str(), &mut tx).is_ok();
            assert_eq!(is_sent, !tx.is_empty());
            from_client.extend_from_slice(tx.written());
        }
        assert!(sent > 0, "{params:?}");
        let heard = hear(&mut c, &mut shared, &from_server, 100).unwrap();
        assert!(heard.len() == sent && heard.iter().all(|heard| heard == text.as_bytes()));
        assert!(hear(&mut s, &mut shared, &from_client, 100).unwrap().iter().all(|heard| heard == text.as_bytes()));
    }
}

#[test]
fn a_prepared_message_fits_whom_it_is_sent_to() {
    let text = "prepared ".repeat(30);
    let prepared = Prepared::text(text.as_str()).compressed(&mut Shared::default());
    let plain = frame(0x81, text.as_bytes(), false);
    assert_eq!(prepared.frame_for(None).as_bytes(), plain);
    // 270 bytes refer back at most 269: too far for a window of 256.
    assert_eq!(prepared.frame_for(Some(8)).as_bytes(), plain);
    assert!(prepared.frame_for(Some(9)).as_bytes().len() < 40 && prepared.frame_for(Some(15)).is_compressed());
    assert_eq!(Prepared::text(text.as_str()).frame_for(Some(15)).as_bytes(), plain);
    // No match is farther back than 2^15, however long the message.
    let long = Prepared::binary(&vec![0; 40_000]).compressed(&mut Shared::default());
    assert!(long.frame_for(Some(15)).is_compressed() && !long.frame_for(Some(14)).is_compressed());
    // A session knows whom it sends to.
    let params = |bits| Some(Params { server_max_window_bits: Some(bits), ..Params::default() });
    for (params, first) in [(None, 0x81), (params(8), 0x81), (params(9), 0xc1), (Some(Params::default()), 0xc1)] {
        let (mut shared, mut copied) = (Shared::default(), vec![]);
        server(params).outbox(&mut shared).send_prepared(&prepared, &mut Tx::growing(&mut copied, 1 << 16)).unwrap();
        assert_eq!(copied[0], first, "{params:?}");
        assert_eq!(server(params).outbox(&mut shared).send_prepared_in_place(&prepared), Ok(&*copied));
    }
    // What went out plain is no part of the context.
    let (mut shared, mut s, mut wire) = (Shared::default(), server(Some(Params::default())), vec![]);
    s.outbox(&mut shared).send_prepared(&Prepared::text(&*text), &mut Tx::growing(&mut wire, 1 << 16)).unwrap();
    wire.extend(say(&mut s, &mut shared, &[text.clone().into()]));
    let heard = hear(&mut client(Some(Params::default())), &mut shared, &wire, 999);
    assert_eq!(heard, Ok(vec![text.clone().into_bytes(); 2]));
    // Compressing what only grows leaves it as it was.
    let noise = conversation().remove(5);
    assert!(!Prepared::binary(&noise).compressed(&mut Shared::default()).frame_for(Some(15)).is_compressed());
}

/// The same frames, whether they are copied or lie where they are; and what is sent after them refers to them.
#[test]
fn a_prepared_message_can_be_sent_from_where_it_lies() {
    let text = "prepared, compressed and shared by many; ".repeat(10);
    let prepared = Prepared::text(text.as_str()).compressed(&mut Shared::default());
    for params in agreements() {
        let mut shared = Shared::default();
        let (mut copying, mut lending, mut c) = (server(params), server(params), client(params));
        let (mut copied, mut wire) = (vec![], vec![]);
        for _ in 0..3 {
            copying.outbox(&mut shared).send_prepared(&prepared, &mut Tx::growing(&mut copied, 1 << 16)).unwrap();
            let lent = lending.outbox(&mut shared).send_prepared_in_place(&prepared).unwrap();
            assert_eq!(lent, prepared.frame_for(params.map(|_| 15)).as_bytes());
            wire.extend_from_slice(lent);
            let before = wire.len();
            wire.extend(say(&mut lending, &mut shared, &[text.clone().into()]));
            copied.extend(say(&mut copying, &mut shared, &[text.clone().into()]));
            if params.is_some_and(|params| !params.server_no_context_takeover) {
                assert!(wire.len() - before < 20, "{}", wire.len() - before);
            }
        }
        assert_eq!(wire, copied);
        assert_eq!(hear(&mut c, &mut shared, &wire, 999), Ok(vec![text.clone().into_bytes(); 6]));
        // As any other: not inside a message, and not after a Close.
        let mut out = [0; 64];
        let tx = &mut Tx::new(&mut out);
        lending.outbox(&mut shared).close(NOW, CloseCode::NORMAL, "", tx).unwrap();
        let refused = lending.outbox(&mut shared).send_prepared_in_place(&prepared);
        assert_eq!(refused, Err(Misuse::Closed.into()));
    }
}

#[test]
fn a_failed_send_leaves_the_context_in_step() {
    let (mut shared, mut s, mut c) =
        (Shared::default(), server(Some(Params::default())), client(Some(Params::default())));
    let text = "over and over and over and over and over and over and over and over".to_owned();
    let mut wire = say(&mut s, &mut shared, &[text.clone().into()]);
    let mut out = [0; 99];
    let mut send = |room: usize| s.outbox(&mut shared).send_text(text.as_str(), &mut Tx::new(&mut out[..room]));
    let Err(SendError::Full(Full { needed })) = send(4) else { panic!("no room") };
    // It says what a message takes that refers to nothing before it: with so much there is no second refusal.
    assert_eq!(send(needed - 1), Err(SendError::Full(Full { needed })));
    assert_eq!(send(needed), Ok(()));
    wire.extend_from_slice(&out[..needed]);
    wire.extend(say(&mut s, &mut shared, &[text.clone().into(), text.clone().into()]));
    assert_eq!(hear(&mut c, &mut shared, &wire, 999), Ok(vec![text.into_bytes(); 4]));
}

/// Noise is what a context that is kept makes longer, whatever was said before and at each level.
#[test]
fn a_message_needs_never_a_fiftieth_and_30_bytes_more() {
    let mut prng = Prng::new(3);
    for level in [Level::Stored, Level::Fast, Level::Default, Level::Best] {
        let (mut shared, mut c) = (Shared::new(level), client(Some(Params::default())));
        for len in (0..300).chain([1000, 4096, 16_383, 16_384, 16_385, 65_535, 65_536, 100_000, 300_000]) {
            let noise: Vec<u8> = (0..len).map(|_| prng.next() as u8).collect();
            let mut out = vec![0; len + len / 50 + 30];
            assert_eq!(c.outbox(&mut shared).send_binary(&noise, &mut Tx::new(&mut out)), Ok(()), "{level:?} {len}");
        }
    }
}

/// A message that is never in memory as a whole: uncompressed, pings and pongs between its pieces, and nothing else; the context of
/// the messages around it is as it was.
#[test]
fn a_message_in_pieces_goes_between_compressed_ones() {
    let text = "over and over and over and over and over and over and over and over".as_bytes();
    let whole = [text.to_vec()];
    let mut config = Config::new();
    config.auto_pong = false;
    for params in agreements() {
        let (mut shared, mut s, mut c) = (Shared::default(), Session::server(config, params), client(params));
        let mut wire = say(&mut s, &mut shared, &whole);
        let mut outbox = s.outbox(&mut shared);
        let tx = &mut Tx::growing(&mut wire, 1 << 16);
        outbox.send_binary_piece(b"in ", false, tx).unwrap();
        outbox.send_pong(b"unasked", tx).unwrap();
        let before = tx.len();
        for refused in [outbox.send_text("x", tx), outbox.send_text_piece("x", true, tx), outbox.send_binary(text, tx)]
        {
            assert_eq!(refused, Err(Misuse::Interleaved.into()));
        }
        assert_eq!(tx.len(), before);
        outbox.send_binary_piece(b"pieces", true, tx).unwrap();
        outbox.send_text_piece("", true, tx).unwrap();
        let again = say(&mut s, &mut shared, &whole);
        if params.is_some_and(|params| !params.server_no_context_takeover) {
            assert!(again.len() < 10, "{}", again.len());
        }
        wire.extend(again);
        let heard = hear(&mut c, &mut shared, &wire, 999).unwrap();
        assert_eq!(heard, [text, b"in pieces", b"", text]);
        // What is asked is answered by the caller.
        let (mut ping, mut out) = (frame(0x89, b"?", true), [0; 16]);
        let (mut rx, mut tx) = (Rx::new(&mut ping), Tx::new(&mut out));
        let Some(Received::Control(Event::Ping(data))) = s.poll_any(NOW, &mut shared, &mut rx, &mut tx).unwrap() else {
            panic!("a ping")
        };
        assert!(tx.is_empty());
        s.outbox(&mut shared).send_pong(data, &mut tx).unwrap();
        assert_eq!(tx.written(), b"\x8a\x01?");
    }
}

#[test]
fn control_frames_are_told_to_who_asks_and_passed_over_for_who_does_not() {
    let wire = [frame(0x89, b"?", true), frame(0x8a, b"!", true), frame(0x82, b"x", true), frame(0x88, b"", true)];
    for params in [None, Some(Params::default())] {
        let mut shared = Shared::default();
        let mut asks = server(params);
        let (mut wire, mut out) = (wire.concat(), [0; 16]);
        assert_eq!(hear(&mut server(params), &mut shared, &wire, 3), Ok(vec![b"x".to_vec()]));
        let (mut rx, mut tx) = (Rx::new(&mut wire), Tx::new(&mut out));
        let mut told = vec![];
        while let Some(received) = asks.poll_any(NOW, &mut shared, &mut rx, &mut tx).unwrap() {
            told.push(match received {
                Received::Message(Message::Binary(b"x"), _) => "message",
                Received::Control(Event::Ping(b"?")) => "ping",
                Received::Control(Event::Pong(b"!")) => "pong",
                Received::Control(Event::Close { .. }) => "close",
                other => panic!("{other:?}"),
            });
        }
        assert_eq!(told, ["ping", "pong", "message", "close"]);
        assert_eq!(tx.written(), b"\x8a\x01?\x88\x00");
    }
}

/// Zeros compress a thousandfold, which passes for a bomb. What one session sends, another takes.
#[test]
fn what_would_pass_for_a_bomb_is_sent_as_it_is() {
    // The last would refer to the one before it, if the other side had seen that compressed.
    let messages = [vec![b'a'; 100_000], vec![b'a'; 100_000], vec![0; 3 << 20], vec![0; 100]];
    let prepared = Prepared::binary(&messages[2]).compressed(&mut Shared::default());
    for params in agreements() {
        let (mut shared, mut s, mut c) = (Shared::default(), server(params), client(params));
        let mut wire = say(&mut s, &mut shared, &messages);
        s.outbox(&mut shared).send_prepared(&prepared, &mut Tx::growing(&mut wire, usize::MAX)).unwrap();
        wire.extend(say(&mut s, &mut shared, &messages[..1]));
        let heard = hear(&mut c, &mut shared, &wire, 1 << 20).unwrap();
        assert!(heard.iter().eq(messages.iter().chain(&messages[2..3]).chain(&messages[..1])), "{params:?}");
    }
}

#[test]
fn limits_and_broken_data_fail_the_session() {
    let config = Config { max_message: 1000, ..Config::new() };
    let bomb = say(&mut client(Some(Params::default())), &mut Shared::default(), &[vec![b'x'; 5000]]);
    for (wire, violation) in [
        (bomb, Violation::Limit(Limit::Message)),
        (frame(0xc1, b"\x07", true), Violation::Deflate),
        (frame(0xe1, b"", true), Violation::ReservedBit),
        ([frame(0x02, &[0; 600], true), frame(0x80, &[0; 600], true)].concat(), Violation::Limit(Limit::Message)),
    ] {
        let mut session = Session::server(config, Some(Params::default()));
        let mut shared = Shared::default();
        let (mut wire, mut out) = (wire, [0; 4]);
        // The Close waits for room.
        let mut rx = Rx::new(&mut wire);
        assert!(session.poll(NOW, &mut shared, &mut rx, &mut Tx::new(&mut [])).is_ok_and(|message| message.is_none()));
        assert_eq!(session.wants(), Wants::Output(4));
        let mut tx = Tx::new(&mut out);
        for _ in 0..2 {
            assert_eq!(session.poll(NOW, &mut shared, &mut rx, &mut tx).err(), Some(violation));
        }
        assert_eq!(tx.written()[2..], violation.close_code().unwrap().code().to_be_bytes());
        assert_eq!(session.wants(), Wants::Close);
    }
}

#[test]
fn after_a_close_nothing_is_compressed_for_nothing() {
    let (mut shared, mut s) = (Shared::default(), server(Some(Params::default())));
    let mut out = [0; 64];
    let mut tx = Tx::new(&mut out);
    s.outbox(&mut shared).close(NOW, CloseCode::NORMAL, "", &mut tx).unwrap();
    assert!(s.outbox(&mut shared).is_closing());
    let sent = s.outbox(&mut shared).send_binary(&[b'x'; 100], &mut tx);
    assert_eq!(sent, Err(Misuse::Closed.into()));
    let prepared = Prepared::binary(&[b'x'; 100]);
    assert_eq!(s.outbox(&mut shared).send_prepared(&prepared, &mut tx), Err(Misuse::Closed.into()));
    assert_eq!(s.outbox(&mut shared).send_ping(b"", &mut tx), Err(Misuse::Closed.into()));
    assert_eq!(tx.written(), b"\x88\x02\x03\xe8");
}
