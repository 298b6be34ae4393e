//! The deflater: what it writes inflates to what it was given, however both are cut, and is what it promises.
#![allow(unreachable_pub, reason = "a module of a test crate says `pub` to its siblings")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation, reason = "a test fails by panicking")]

mod naive;
#[path = "../support/prng.rs"]
mod prng;

use hopwire::deflate::{Deflater, Encoder, Flush, History, Inflater, Level, Progress, Status};
use naive::{Kind, Told, inflate};
use prng::Prng;
use proptest::prelude::*;

const LEVELS: [Level; 4] = [Level::Stored, Level::Fast, Level::Default, Level::Best];

/// Compresses all of `input` with outputs of the sizes in `rooms`, again and again.
fn compress<const WINDOW: usize>(
    deflater: &mut Deflater<WINDOW>,
    mut input: &[u8],
    rooms: &[usize],
    flush: Flush,
) -> Vec<u8> {
    let mut all = Vec::new();
    for turn in 0.. {
        let mut output = vec![0; rooms[turn % rooms.len()]];
        let Progress { consumed, produced, status } = deflater.deflate(input, &mut output, flush);
        all.extend_from_slice(&output[..produced]);
        input = &input[consumed..];
        match status {
            Status::Output => assert_eq!(produced, output.len(), "more would have fitted"),
            Status::Input => {
                assert!(input.is_empty() && flush != Flush::Finish);
                break;
            }
            Status::End => {
                assert!(input.is_empty() && flush == Flush::Finish);
                break;
            }
        }
    }
    all
}

fn finished(level: Level, input: &[u8]) -> Vec<u8> {
    compress(&mut boxed::<32768>(level), input, &[input.len() + 64], Flush::Finish)
}

fn boxed<const WINDOW: usize>(level: Level) -> Box<Deflater<WINDOW>> {
    Box::new(Deflater::new(level))
}

/// Text-like data: words of a small dictionary, numbers, some noise.
fn text(len: usize, seed: u64) -> Vec<u8> {
    let mut prng = Prng::new(seed);
    let words = ["\"type\":", "order", "update", "{", "}", ",", "\"id\":", "total", "shipped", "true", "\n", "été"];
    let mut out = Vec::new();
    while out.len() < len {
        match prng.below(8) {
            0 => out.extend_from_slice(prng.below(100_000).to_string().as_bytes()),
            1 => out.push(prng.below(256) as u8),
            2 => out.extend(vec![b'='; prng.below(600) / (1 + prng.below(50))]),
            _ => out.extend_from_slice(words[prng.below(words.len())].as_bytes()),
        }
    }
    out.truncate(len);
    out
}

fn noise(len: usize) -> Vec<u8> {
    let mut prng = Prng::new(7);
    (0..len).map(|_| prng.below(256) as u8).collect()
}

/// RFC 7692 §7.2.3.1, §7.2.3.3, §7.2.3.6: "Hello" in one block, in a stored one, and nothing. Said a second time,
/// it is one match here, a byte shorter than in §7.2.3.2.
#[test]
fn examples_of_rfc_7692() {
    let mut deflater = boxed::<32768>(Level::Default);
    let mut message = |text: &[u8]| compress(&mut deflater, text, &[64], Flush::Sync);
    assert_eq!(message(b"Hello"), b"\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff");
    assert_eq!(message(b"Hello"), b"\x02\x13\x00\x00\x00\x00\xff\xff");
    assert_eq!(message(b""), b"\x00\x00\x00\xff\xff");
    let mut stored = boxed::<32768>(Level::Stored);
    let message = compress(&mut stored, b"Hello", &[64], Flush::Sync);
    assert_eq!(message, b"\x00\x05\x00\xfa\xffHello\x00\x00\x00\xff\xff");
}

#[test]
fn nothing_at_all() {
    for level in LEVELS {
        let told = inflate(&finished(level, b"")).unwrap();
        assert!(told.ended && told.bytes.is_empty());
        assert_eq!(compress(&mut boxed::<512>(level), b"", &[64], Flush::None), b"");
    }
}

/// After the end there is no more until `reset`, and then everything starts over.
#[test]
fn the_end_is_final_and_reset_begins_again() {
    let mut deflater = boxed::<32768>(Level::Default);
    let first = compress(&mut deflater, &text(5000, 1), &[100], Flush::Finish);
    let again = deflater.deflate(b"more", &mut [0; 9], Flush::Sync);
    assert_eq!(again, Progress { consumed: 0, produced: 0, status: Status::End });
    deflater.reset();
    assert_eq!(compress(&mut deflater, &text(5000, 1), &[7000], Flush::Finish), first);
    // Not what was waiting when it came, either.
    deflater.reset();
    let stopped = deflater.deflate(&text(5000, 2), &mut [0; 3], Flush::Sync);
    assert_eq!(stopped.status, Status::Output);
    deflater.reset();
    assert_eq!(compress(&mut deflater, &text(5000, 1), &[7000], Flush::Finish), first);
}

/// The context goes from message to message, unless it is dropped.
#[test]
fn context_is_kept_or_dropped() {
    let message = text(300, 3);
    for level in [Level::Fast, Level::Default, Level::Best] {
        let mut deflater = boxed::<32768>(level);
        let first = compress(&mut deflater, &message, &[999], Flush::Sync);
        let second = compress(&mut deflater, &message, &[999], Flush::Sync);
        assert!(second.len() < 20, "{level:?}: {}", second.len());
        assert_eq!(inflate(&[first.clone(), second].concat()).unwrap().bytes, [&message[..], &message].concat());
        deflater.reset();
        let third = compress(&mut deflater, &message, &[999], Flush::Sync);
        assert_eq!(third, first);
    }
}

/// What was compressed before, and how much it was, changes nothing: a place left in the table is the same as none, also
/// when it is 2^16 or 2^20 bytes old and would seem near again.
#[test]
fn a_reset_leaves_no_trace() {
    let known = noise(30 << 8);
    for level in LEVELS {
        let (mut prng, mut used) = (Prng::new(1), boxed::<32768>(level));
        for _ in 0..60 {
            // In part new, in part known: that stands at the same place of 256 bytes each time.
            let mut message = Vec::new();
            for _ in 0..prng.below(200) {
                let new = prng.below(3) * prng.below(128);
                let from = prng.below(30) << 8;
                message.extend((0..new).map(|_| prng.below(256) as u8));
                message.extend_from_slice(&known[from + new..from + 256]);
            }
            let expected = compress(&mut boxed::<32768>(level), &message, &[1 << 17], Flush::Sync);
            used.reset();
            let actual = compress(&mut used, &message, &[1 << 17], Flush::Sync);
            assert!(actual == expected, "{level:?}: {} bytes", message.len());
            let modulus = if level == Level::Fast { 1 << 20 } else { 1 << 16 };
            used.reset();
            compress(&mut used, &vec![0; modulus - (prng.below(128) << 8)], &[1 << 17], Flush::Sync);
        }
    }
}

/// Data that says the same again after exactly so many bytes: matches reach as far as the window, and no farther.
/// Messages about the same things, all different.
fn message(stream: usize, n: usize) -> Vec<u8> {
    let about = ["order", "quote", "trade", "depth"][stream % 4];
    let text = format!(
        r#"{{"type":"{about}.update","seq":{},"customer":"c{stream:05}","state":"{}","total":{},"region":"eu-central-1"}}"#,
        n * 7919 + stream,
        ["pending", "shipped", "delivered"][n % 3],
        (n * 31 + stream * 17) % 1000,
    );
    text.into_bytes()
}

/// A message behind what `history` says, and what it comes to.
fn packed(encoder: &mut Encoder, history: &mut History<[u8]>, message: &[u8]) -> Vec<u8> {
    let mut output = vec![0; Encoder::<32768>::bound(message.len())];
    let progress = encoder.deflate(history, message, &mut output, Flush::Sync);
    assert_eq!((progress.consumed, progress.status), (message.len(), Status::Input));
    output.truncate(progress.produced);
    output
}

/// It learns the history of each again, so that they save nearly as much as alone, and far more than without context.
#[test]
fn streams_take_turns_with_an_encoder() {
    for level in LEVELS {
        let (mut shared, mut own) = (Box::new(Encoder::new(level)), Box::new(Encoder::new(level)));
        let (mut in_turn, mut alone, mut without) = (0, 0, 0);
        let mut streams: Vec<_> =
            (0..40).map(|_| (Box::new(History::<[u8; 32768]>::new()), Box::new(Inflater::<32768>::new()))).collect();
        let mut single = Box::new(History::<[u8; 4096]>::new());
        let mut output = vec![0; 1000];
        for n in 0..30 {
            for (stream, (history, inflater)) in streams.iter_mut().enumerate() {
                let message = message(stream, n);
                let wire = packed(&mut shared, &mut **history, &message);
                let inflated = inflater.inflate(&wire, &mut output).unwrap();
                assert_eq!(output[..inflated.produced], message);
                in_turn += wire.len() - 4;
                if stream == 0 {
                    alone += packed(&mut own, &mut *single, &message).len() - 4;
                    without += packed(&mut own, &mut History::<[u8; 512]>::new(), &message).len() - 4;
                }
            }
        }
        let in_turn = in_turn / streams.len();
        if level != Level::Stored {
            assert!(4 * in_turn < 5 * alone && 2 * in_turn < without, "{level:?}: {in_turn}, {alone}, {without}");
        }
    }
}

/// Nor does it matter how many turns the others had: a number of 16 bits came round, and what one of them said hid matches.
#[test]
fn no_number_of_turns_makes_a_stream_another() {
    for level in LEVELS {
        let after = |turns| {
            let mut encoder = Box::new(Encoder::new(level));
            let mine: &mut History<[u8]> = &mut History::<[u8; 1024]>::new();
            let other: &mut History<[u8]> = &mut History::<[u8; 1024]>::new();
            packed(&mut encoder, mine, &message(0, 0));
            packed(&mut encoder, other, &message(1, 0));
            for _ in 1..turns {
                let _ = encoder.deflate(other, b"", &mut [], Flush::None);
            }
            packed(&mut encoder, mine, &message(0, 1))
        };
        let expected = after(1);
        for turns in [65_533, 65_534, 65_535, 65_536] {
            assert_eq!(after(turns), expected, "{level:?}: {turns} turns");
        }
    }
}

#[test]
fn a_history_goes_on_behind_what_was_compressed_elsewhere() {
    for level in [Level::Fast, Level::Default, Level::Best] {
        let mut encoder = Box::new(Encoder::new(level));
        let mine: &mut History<[u8]> = &mut History::<[u8; 1024]>::new();
        let mut other = History::<[u8; 32768]>::new();
        let mut inflater = Box::new(Inflater::<1024>::new());
        let mut output = vec![0; 1 << 14];
        for len in [300, 1000, 1024, 1025, 5000] {
            let (before, elsewhere) = (message(1, len), noise(len));
            let wires = [
                packed(&mut encoder, mine, &before),
                // Without context, and with no match farther back than the smaller window.
                packed(
                    &mut encoder,
                    {
                        other.reset();
                        &mut other
                    },
                    &elsewhere,
                ),
            ];
            mine.append(&elsewhere);
            let again = &elsewhere[len - 200..];
            let wire = packed(&mut encoder, mine, again);
            assert!(wire.len() < 24, "{level:?}: {} for 200 bytes said before", wire.len());
            for (wire, text) in [(&wires[0], &before[..]), (&wires[1], &elsewhere), (&wire, again)] {
                let inflated = inflater.inflate(wire, &mut output).unwrap();
                assert_eq!(&output[..inflated.produced], text);
            }
        }
    }
}

#[test]
fn no_distance_exceeds_the_window() {
    fn check<const WINDOW: usize>() {
        for bits in 8..=15 {
            let limit = (1 << bits).min(WINDOW);
            for level in LEVELS {
                let mut deflater = boxed::<WINDOW>(level);
                deflater.set_window_bits(bits);
                // The noise comes back after a little more than the window, and after a little less than half of it.
                let (far, near) = (noise(limit + 1), noise(limit * 2 / 5));
                let data = [&far[..], &far, &near, &near, &near, &text(20_000, 4)].concat();
                let all = compress(&mut deflater, &data, &[100_000], Flush::Finish);
                let told = inflate(&all).unwrap();
                assert!(told.bytes == data);
                assert!(told.farthest <= limit, "{level:?} {WINDOW} {bits}: {}", told.farthest);
                if level != Level::Stored {
                    assert!(told.farthest > limit / 3, "{level:?} {WINDOW} {bits}: {}", told.farthest);
                }
            }
        }
    }
    check::<512>();
    check::<1024>();
    check::<4096>();
    check::<32768>();
}

/// In what is random fewer and fewer places are looked at, yet what comes again is soon found.
#[test]
fn what_comes_again_behind_noise_is_found() {
    for level in [Level::Default, Level::Best] {
        for len in (1000..15_000).step_by(977) {
            let again = finished(level, &noise(len).repeat(2)).len() - finished(level, &noise(len)).len();
            assert!(again < 100 + len / 50, "{level:?}: {len} bytes, again in {again}");
        }
    }
}

/// Each kind of block where it is the shortest.
#[test]
fn the_cheapest_kind_of_block_is_chosen() {
    let kinds = |level, input: &[u8]| -> Vec<Kind> {
        inflate(&finished(level, input)).unwrap().blocks.into_iter().map(|(kind, _)| kind).collect()
    };
    for level in [Level::Fast, Level::Default, Level::Best] {
        assert_eq!(kinds(level, b"Hello, World"), [Kind::Fixed]);
        assert_eq!(kinds(level, &noise(100)), [Kind::Stored]);
        assert_eq!(kinds(level, &noise(3000)), [Kind::Stored]);
        assert_eq!(kinds(level, &text(3000, 5)), [Kind::Dynamic]);
        // Sixteen values alike: four bits each instead of eight.
        let nibbles: Vec<u8> = noise(600).iter().map(|byte| b'a' + byte % 16).collect();
        assert_eq!(kinds(level, &nibbles), [Kind::Dynamic]);
        // Where the eight bits of the fixed code are the best, a header does not pay.
        let flat: Vec<u8> = (0..140).collect();
        assert_eq!(kinds(level, &flat), [Kind::Fixed]);
    }
    assert_eq!(kinds(Level::Stored, &text(3000, 5)), [Kind::Stored]);
}

/// What cannot be compressed grows by no more than is promised.
#[test]
fn growth_is_bounded() {
    fn check<const WINDOW: usize>(input: &[u8]) {
        for level in LEVELS {
            for flush in [Flush::Sync, Flush::Finish] {
                let most = Deflater::<WINDOW>::bound(input.len());
                let mut output = vec![0; most];
                let progress = boxed::<WINDOW>(level).deflate(input, &mut output, flush);
                assert_ne!(
                    progress.status,
                    Status::Output,
                    "{level:?} {WINDOW}: {} take more than {most}",
                    input.len()
                );
            }
        }
    }
    // Every third byte of a rare match: the worst that a poor block can be.
    let mut poor = noise(9000);
    for at in (400..9000).step_by(9) {
        poor.copy_within(at - 390..at - 386, at);
    }
    for input in [noise(0), noise(1), noise(255), noise(4096), noise(70_000), text(9000, 6), poor] {
        check::<512>(&input);
        check::<1024>(&input);
        check::<32768>(&input);
    }
}

fn any_input() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (0..3000_usize, any::<u64>()).prop_map(|(len, seed)| text(len, seed)),
        (0..20_000_usize, any::<u64>()).prop_map(|(len, seed)| text(len, seed)),
        proptest::collection::vec(any::<u8>(), 0..2000),
        (any::<u8>(), 0..5000_usize).prop_map(|(byte, len)| vec![byte; len]),
        proptest::collection::vec(0..3_u8, 0..3000),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Any level, window, split of the input, flush at each, and size of the output.
    #[test]
    fn it_inflates_to_what_it_was(
        input in any_input(),
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..6),
        rooms in proptest::collection::vec(1..40_usize, 1..4),
        level in prop::sample::select(LEVELS.to_vec()),
        bits in 8..16_u8,
    ) {
        fn run<const WINDOW: usize>(
            level: Level, bits: u8, rooms: &[usize], pieces: &[(&[u8], Flush)],
        ) -> (Vec<u8>, Vec<u8>) {
            let mut deflater = boxed::<WINDOW>(level);
            deflater.set_window_bits(bits);
            let in_rooms = pieces.iter().flat_map(|(piece, flush)| compress(&mut deflater, piece, rooms, *flush)).collect();
            deflater.reset();
            let at_once = pieces.iter().flat_map(|(piece, flush)| compress(&mut deflater, piece, &[100_000], *flush)).collect();
            (in_rooms, at_once)
        }
        let mut cuts: Vec<(usize, bool)> = cuts.iter().map(|(at, sync)| (at.index(input.len() + 1), *sync)).collect();
        cuts.sort_unstable();
        let mut pieces: Vec<(&[u8], Flush)> = Vec::new();
        let mut start = 0;
        for (cut, sync) in cuts {
            pieces.push((&input[start..cut], if sync { Flush::Sync } else { Flush::None }));
            start = cut;
        }
        pieces.push((&input[start..], Flush::Finish));
        for (run, window) in [(run::<512> as fn(_, _, &_, &_) -> _, 512), (run::<2048>, 2048), (run::<32768>, 32768)] {
            let (in_rooms, at_once): (Vec<u8>, Vec<u8>) = run(level, bits, &rooms, &pieces);
            let told = inflate(&in_rooms).unwrap();
            prop_assert!(told.bytes == input);
            prop_assert!(told.ended && told.farthest <= window.min(1 << bits));
            prop_assert!(in_rooms == at_once, "the size of the output changes what is written");
        }
    }

    /// Byte by byte, input and output, with a flush behind each byte or none.
    #[test]
    fn one_byte_at_a_time(seed in any::<u64>(), len in 0..600_usize, level in prop::sample::select(LEVELS.to_vec()), sync in any::<bool>()) {
        let input = text(len, seed);
        let mut deflater = boxed::<1024>(level);
        let flush = if sync { Flush::Sync } else { Flush::None };
        let mut all: Vec<u8> = input.chunks(1).flat_map(|byte| compress(&mut deflater, byte, &[1], flush)).collect();
        all.extend(compress(&mut deflater, b"", &[1], Flush::Finish));
        prop_assert_eq!(inflate(&all), Ok(Told { bytes: input, ..inflate(&all).unwrap() }));
    }
}
