//! What hostile streams do, and where a stream is at its limits.

use hopwire::io::{Rx, RxBuffer};
use hopwire::sse::{Decoder, Event, Limit, MAX_EVENT, MAX_ID, Misuse, Outgoing};

use super::driver::play;

/// Reads `stream` through a buffer of `SIZE` bytes; data of messages, or which limit was passed.
fn through<const SIZE: usize>(stream: &[u8]) -> Vec<Result<String, Limit>> {
    let (mut decoder, mut inbox) = (Decoder::new(), RxBuffer::new([0; SIZE]));
    let (mut told, mut rest) = (Vec::new(), stream);
    while !rest.is_empty() {
        let space = inbox.space();
        assert!(!space.is_empty(), "a full buffer that nobody empties");
        let (read, later) = rest.split_at(rest.len().min(space.len()));
        space[..read.len()].copy_from_slice(read);
        inbox.advance(read.len());
        rest = later;
        let mut rx = inbox.rx();
        while let Some(event) = decoder.poll(&mut rx) {
            told.push(match event {
                Event::Message(message) => Ok(message.data.to_string()),
                Event::Skipped(limit) => Err(limit),
                event => panic!("{event:?}"),
            });
        }
        let used = rx.consumed();
        inbox.consume(used);
    }
    told
}

#[test]
fn comments_and_unknown_lines_take_no_room() {
    for name in [":", "x", "dat", "datax", "retryx: "] {
        let stream =
            [name.as_bytes(), &[b'c'; 100_000], b"\r\ndata: 1\n\n", name.as_bytes(), &[b'c'; 100], b"\n\ndata: 2\n\n"]
                .concat();
        assert_eq!(through::<32>(&stream), [Ok("1".to_owned()), Ok("2".to_owned())], "{name}");
    }
    assert_eq!(through::<32>(&[&b":\n\n".repeat(10_000)[..], b"data: 1\n\n"].concat()), [Ok("1".to_owned())]);
}

#[test]
fn an_event_larger_than_the_buffer_is_skipped_and_the_next_is_read() {
    let long = [&b"id: 9\ndata: "[..], &[b'x'; 1000], b"\n: c\ndata: y\r\n\r\nid: 3\ndata: 1\n\n"].concat();
    assert_eq!(through::<64>(&long), [Err(Limit::Event), Ok("1".to_owned())]);
    // 14 bytes fill the buffer up to the first line end: the second is needed to see the event.
    assert_eq!(through::<16>(b"data: 12345678\n\ndata: 1\n\n"), [Ok("12345678".to_owned()), Ok("1".to_owned())]);
    assert_eq!(through::<16>(b"data: 1234567890\n\ndata: 1\n\n"), [Err(Limit::Event), Ok("1".to_owned())]);
}

#[test]
fn the_limit_of_an_event_is_exact_at_any_split() {
    let stream =
        b"data: 123\n\ndata: 1234\n\nid: 1\n: c\ndata:\n\nevent: 12345\nretry: 5\n\n:long comment\ndata: 1\r\n\r\n";
    // Up to the blank line: 10, 11, 18, 24 bytes (5 in the line that passes it), 8.
    for (max, expected, skipped) in
        [(10, vec!["123", "1"], 3), (11, vec!["123", "1234", "1"], 2), (18, vec!["123", "1234", "", "1"], 1)]
    {
        let mut whole = None;
        for size in [1, 2, 3, 7, stream.len()] {
            let told = play(&mut Decoder::<MAX_ID>::with_room(max), stream.chunks(size));
            let data: Vec<_> = told.events.iter().map(|[_, data, _]| data.as_str()).collect();
            assert_eq!((data, told.skipped), (expected.clone(), skipped), "{max} {size}");
            assert_eq!(*whole.get_or_insert(told.clone()), told);
        }
    }
}

#[test]
fn the_limit_is_noticed_with_the_byte_that_passes_it() {
    for start in ["data: ", "id: 1\ndata: ", "event: e\r"] {
        for piece in [1, 40, 64] {
            let mut decoder = Decoder::<MAX_ID>::with_room(100);
            let mut stream = [start.as_bytes(), &[b'x'; 200]].concat();
            for end in (piece..200).step_by(piece) {
                let told = decoder.poll(&mut Rx::new(&mut stream[..end]));
                assert_eq!(told, (end > 100).then_some(Event::Skipped(Limit::Event)), "{start:?} {piece} {end}");
                if told.is_some() {
                    break;
                }
            }
        }
    }
}

#[test]
fn an_id_without_room_takes_its_event_along() {
    let stream = b"id: 12\ndata: a\n\nid: 12345\ndata: b\n\nid: \xff\ndata: c\n\nid: \xff\xff\ndata: d\n\ndata: e\n\n";
    for size in [1, stream.len()] {
        let told = play(&mut Decoder::<4>::with_room(MAX_EVENT), stream.chunks(size));
        let told: (Vec<_>, _) =
            (told.events.iter().map(|[_, data, id]| (data.as_str(), id.as_str())).collect(), told.skipped);
        assert_eq!(told, (vec![("a", "12"), ("c", "\u{fffd}"), ("e", "\u{fffd}")], 2));
    }
}

#[test]
fn an_id_without_room_for_its_replacements_leaves_the_one_before() {
    // A byte that is no UTF-8 becomes three.
    let told = play(&mut Decoder::<7>::with_room(MAX_EVENT), [&b"id: 1\n\nid: \xff\xff\xff\ndata: x\n\n"[..]]);
    assert_eq!((told.last_id.as_str(), told.skipped), ("1", 1));
    let long = [&b"id: 1\n\nid: "[..], &[0xff; MAX_ID / 3 + 1], b"\n\n"].concat();
    assert_eq!(play(&mut Decoder::new(), [&long[..]]).last_id, "1");
    let mut stream = *b"id: 12345\n\n";
    let told = Decoder::<4>::with_room(MAX_EVENT).poll(&mut Rx::new(&mut stream));
    assert_eq!(told, Some(Event::Skipped(Limit::Id)));
}

#[test]
fn ids_that_would_not_come_back_are_refused() {
    let encode = |id: &str| Outgoing::data("").id(id).encode(&mut hopwire::io::Tx::new(&mut [0; 2048]));
    for good in ["", "a", "a b", "a\tb", "\u{e9}", &"x".repeat(MAX_ID)] {
        assert_eq!(encode(good), Ok(()), "{good:?}");
    }
    for (bad, misuse) in [
        (" a", Misuse::IdUnsafe),
        ("a\t", Misuse::IdUnsafe),
        ("a\x07b", Misuse::IdUnsafe),
        ("a\x7f", Misuse::IdUnsafe),
        ("a\0", Misuse::Nul),
        ("a\nb", Misuse::LineEnd),
        ("a\r", Misuse::LineEnd),
        (&"x".repeat(MAX_ID + 1), Misuse::IdLength),
    ] {
        assert_eq!(encode(bad), Err(misuse.into()), "{bad:?}");
    }
    for bad in ["a\r", "\n", "\0"] {
        assert!(Outgoing::data("").event(bad).encode(&mut hopwire::io::Tx::new(&mut [0; 64])).is_err());
    }
    let mut decoder = Decoder::<4>::with_room(MAX_EVENT);
    assert_eq!(decoder.set_last_event_id("12345"), Err(Misuse::IdLength));
    assert_eq!(decoder.set_last_event_id("1\n"), Err(Misuse::LineEnd));
    assert_eq!(decoder.set_last_event_id("1234"), Ok(()));
    assert_eq!(decoder.last_event_id(), "1234");
}

#[test]
fn a_caller_who_does_not_present_again_what_was_not_consumed_loses_an_event_and_not_the_stream() {
    for first in ["data: a long line", "data: a\nid: 7\ndata: b", "event: x\ndata: y\r", ": half a comment"] {
        for next in ["", "x", "da", "\n", "data: z\n\n"] {
            let mut decoder = Decoder::new();
            for piece in [first, next] {
                let mut bytes = piece.as_bytes().to_vec();
                while decoder.poll(&mut Rx::new(&mut bytes)).is_some() {
                    bytes.clear();
                }
            }
            let mut last = *b"\n\ndata: lost perhaps\n\ndata: 1\n\n";
            let mut rx = Rx::new(&mut last);
            let mut told = Vec::new();
            while let Some(Event::Message(message)) = decoder.poll(&mut rx) {
                told.push(message.data.to_string());
            }
            assert_eq!(told.last().map(String::as_str), Some("1"), "{first:?} {next:?}");
        }
    }
}

#[test]
fn a_cr_is_a_line_end_at_once() {
    let mut decoder = Decoder::new();
    let mut bytes = *b"data: x\r\r";
    assert!(matches!(decoder.poll(&mut Rx::new(&mut bytes)), Some(Event::Message(message)) if message.data == "x"));
    // The LF that comes later belongs to it, and ends no event.
    let mut bytes = *b"\ndata: y\r\n\r";
    assert!(matches!(decoder.poll(&mut Rx::new(&mut bytes)), Some(Event::Message(message)) if message.data == "y"));
}

#[test]
fn a_new_stream_keeps_the_id_and_nothing_else() {
    let mut decoder = Decoder::new();
    play(&mut decoder, [&b"id: 5\nretry: 70\ndata: x\n\ndata: half"[..]]);
    let told = play(&mut decoder, [&b"\xef\xbb\xbfdata: y\n\n"[..]]);
    assert_eq!(told.events, [["message".to_owned(), "y".to_owned(), "5".to_owned()]]);
    assert_eq!(told.retry, Some(70));
    // Nor does what the stream before ended in: a comment, an event too long.
    for end in
        [&b": half a comment, longer than a word"[..], b"x", b"\xef\xbb", b"data: x\r", b"data: too long for four"]
    {
        let mut decoder = Decoder::<MAX_ID>::with_room(20);
        play(&mut decoder, [end]);
        assert_eq!(play(&mut decoder, [&b"data: y\n\n"[..]]).events.len(), 1, "{}", end.escape_ascii());
    }
}

#[test]
fn a_type_between_lines_of_data_survives_their_move() {
    let told = play(&mut Decoder::new(), [&b"data: a\nevent: type\ndata: bcdefghijklmnop\nid: 4\ndata: q\n\n"[..]]);
    assert_eq!(told.events, [["type".to_owned(), "a\nbcdefghijklmnop\nq".to_owned(), "4".to_owned()]]);
}
