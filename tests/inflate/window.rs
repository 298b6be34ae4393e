//! Windows of each size, kept, shared and forgotten.

use hopwire::deflate::{Decoder, InflateError, Inflater, Status, Window};

use super::driver::{self, Outcome, Told};
use super::streams::Writer;

/// A match of 3 so far back, in a fixed block.
fn matched(is_last: bool, distance: usize) -> Vec<u8> {
    let code = (0..30).rev().find(|code| base(*code) <= distance).unwrap();
    let mut writer = Writer::default();
    writer.block(is_last, 1).code(7, 1).code(5, code);
    writer.number(if code < 4 { 0 } else { code / 2 - 1 }, distance - base(code)).code(7, 0);
    if !is_last {
        writer.block(false, 0).stored(&[]);
    }
    writer.bytes
}

fn base(code: usize) -> usize {
    if code < 4 { code + 1 } else { 1 + ((2 + code % 2) << (code / 2 - 1)) }
}

fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut writer = Writer::default();
    for piece in bytes.chunks(65535) {
        writer.block(false, 0).stored(piece);
    }
    writer.bytes
}

fn each_window<const N: usize>() {
    let text: Vec<u8> = (0..3 * N + 5).map(|at| (at % 253) as u8).collect();
    for written in [0, 1, N - 1, N, N + 1, 2 * N, 3 * N + 5] {
        for room in [N / 7, N - 1, 1 << 18] {
            for distance in [1, 3, N - 1, N, N + 1] {
                if distance > 32768 {
                    continue;
                }
                let mut inflater = Inflater::<N>::new();
                let history = &text[..written];
                assert_eq!(driver::inflate(&mut inflater, [&stored(history)[..]], room).output, history);
                let wire = matched(true, distance);
                let told = driver::inflate(&mut inflater, [&wire[..]], room);
                // In one call, and through the window.
                let both = [stored(history), wire.clone()].concat();
                let whole = driver::inflate(&mut Inflater::<N>::new(), [&both[..]], room);
                if distance > N.min(written) {
                    assert_eq!(told, Told { output: Vec::new(), outcome: Outcome::Bad(InflateError::Distance) });
                    assert_eq!(whole.outcome, told.outcome, "a window is not larger for what one call wrote");
                } else {
                    let mut expected = history.to_vec();
                    (0..3).for_each(|_| expected.push(expected[expected.len() - distance]));
                    assert_eq!((&told.output[..], &whole.output), (&expected[written..], &expected));
                    assert_eq!(told.outcome, Outcome::End { consumed: wire.len() });
                }
            }
        }
    }
}

#[test]
fn windows_from_2_8_to_2_15() {
    each_window::<256>();
    each_window::<512>();
    each_window::<1024>();
    each_window::<2048>();
    each_window::<4096>();
    each_window::<8192>();
    each_window::<16384>();
    each_window::<32768>();
}

/// A decoder between two blocks holds nothing of a stream: two of them take turns, message by message.
#[test]
fn streams_share_a_decoder() {
    let mut decoder = Decoder::new();
    let mut windows = [Window::<[u8; 256]>::new(), Window::new()];
    let mut output = [0; 16];
    for (window, text) in windows.iter_mut().zip([b"left", b"body"]) {
        let inflated = decoder.inflate(window, &stored(text), &mut output).unwrap();
        assert_eq!((&output[..inflated.produced], inflated.status), (&text[..], Status::Input));
        assert!(decoder.is_between_blocks());
    }
    for (window, expected) in windows.iter_mut().zip([b"lef", b"bod"]) {
        let inflated = decoder.inflate(window, &matched(false, 4), &mut output).unwrap();
        assert_eq!(&output[..inflated.produced], &expected[..]);
        assert!(decoder.is_between_blocks());
    }
    let again = decoder.inflate(&mut windows[0], &matched(false, 8), &mut output);
    assert_eq!(again, Err(InflateError::Distance), "7 bytes were written");
    decoder.reset();
    let inflated = decoder.inflate(&mut windows[1], &matched(false, 7), &mut output).unwrap();
    assert_eq!(&output[..inflated.produced], b"bod", "the other stream goes on");
}

#[test]
fn a_reset_forgets() {
    let mut inflater = Inflater::<32768>::new();
    driver::inflate(&mut inflater, [&stored(b"secret")[..]], 100);
    inflater.reset();
    let told = driver::inflate(&mut inflater, [&matched(true, 1)[..]], 100);
    assert_eq!(told.outcome, Outcome::Bad(InflateError::Distance));
    inflater.reset();
    let told = driver::inflate(&mut inflater, [&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..]], 100);
    assert_eq!((&told.output[..], told.outcome), (&b"Hello"[..], Outcome::End { consumed: 7 }), "and an error too");
}

/// In the middle of a block, or of a byte, is not between two blocks.
#[test]
fn between_blocks() {
    let wire = [&b"\x00\x05\x00\xfa\xffHello"[..], &matched(false, 5)].concat();
    let mut inflater = Inflater::<32768>::new();
    let mut output = [0; 16];
    for (at, byte) in wire.iter().enumerate() {
        assert_eq!(inflater.is_between_blocks(), at == 0 || at == 10, "{at}");
        assert_eq!(inflater.inflate(&[*byte], &mut output).unwrap().consumed, 1);
    }
    assert!(inflater.is_between_blocks());
}
