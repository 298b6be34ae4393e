//! What took other inflaters down, and what RFC 7692 sends.

use hopwire::deflate::{InflateError, Inflater, Status};

use super::driver::{self, Outcome};
use super::streams::Writer;

/// The octets that a sender of RFC 7692 takes off the end of a message, and a receiver puts there (§7.2.2).
const TAIL: &[u8] = b"\x00\x00\xff\xff";

/// One message, with the stream going on behind it.
fn message<const N: usize>(inflater: &mut Inflater<N>, payload: &[u8]) -> Vec<u8> {
    let (mut text, mut output) = (Vec::new(), [0; 3]);
    for mut piece in [payload, TAIL] {
        loop {
            let inflated = inflater.inflate(piece, &mut output).unwrap();
            text.extend_from_slice(&output[..inflated.produced]);
            piece = &piece[inflated.consumed..];
            match inflated.status {
                Status::Input => break,
                Status::Output => {}
                Status::End => inflater.next_stream(),
            }
        }
    }
    assert!(inflater.is_between_blocks());
    text
}

/// RFC 7692 §7.2.3
#[test]
fn examples_of_rfc_7692() {
    let mut inflater = Inflater::<32768>::new();
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    assert_eq!(message(&mut inflater, &hello), b"Hello");
    assert_eq!(message(&mut inflater, &[0xf2, 0x00, 0x11, 0x00, 0x00]), b"Hello", "with what was before");
    for whole in [
        &hello[..],
        b"\x00\x05\x00\xfa\xffHello\x00",
        &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
        &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
    ] {
        assert_eq!(message(&mut inflater, whole), b"Hello");
        assert_eq!(message(&mut inflater, b"\x00"), b"", "an empty message (§7.2.3.6)");
    }
}

/// A block with BFINAL inside a message is the end of a stream and not of the window.
#[test]
fn final_blocks_inside_a_message_keep_the_window() {
    let mut inflater = Inflater::<32768>::new();
    let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    // The same again, by a match of length 5 at distance 5, in a final block of its own.
    let mut again = Writer::default();
    again.block(true, 1).code(7, 3).code(5, 4).number(1, 0).code(7, 0);
    let payload = [&last[..], &again.bytes, &again.bytes, b"\x00"].concat();
    assert_eq!(message(&mut inflater, &payload), b"HelloHelloHello");
    assert_eq!(message(&mut inflater, &[0xf2, 0x00, 0x11, 0x00, 0x00]), b"Hello");
}

/// `c2 02 03 80`: a frame whose payload is an empty final block. A peer looped on it for ever.
#[test]
fn an_empty_final_block_ends() {
    let mut inflater = Inflater::<32768>::new();
    let mut output = [0; 8];
    for _ in 0..3 {
        let inflated = inflater.inflate(&[0x03, 0x80], &mut output).unwrap();
        assert_eq!((inflated.consumed, inflated.produced, inflated.status), (2, 0, Status::End));
        // It says so for ever, and takes nothing more until it is told to go on.
        let inflated = inflater.inflate(&[0x03, 0x80], &mut output).unwrap();
        assert_eq!((inflated.consumed, inflated.produced, inflated.status), (0, 0, Status::End));
        inflater.next_stream();
    }
}

/// CVE-2018-1000518, CVE-2026-1526: the caller's output is the bound, and each call returns when it is full.
#[test]
fn a_bomb_is_bounded_by_the_output() {
    // One byte, then matches of 258 at distance 1, 13 bits each.
    let mut bomb = Writer::default();
    bomb.block(false, 1).code(8, 0x30);
    for _ in 0..8000 {
        bomb.code(8, 0xc5).code(5, 0);
    }
    let mut inflater = Inflater::<32768>::new();
    let mut output = vec![0xaa; 4096 + 64];
    let mut rest = &bomb.bytes[..];
    for _ in 0..500 {
        let inflated = inflater.inflate(rest, &mut output[..4096]).unwrap();
        assert!(inflated.produced == 4096 && inflated.status == Status::Output);
        assert!(output[4096..].iter().all(|byte| *byte == 0xaa) && output[..4096].iter().all(|byte| *byte == 0));
        assert!(inflated.consumed <= 32, "not more input than the output takes");
        rest = &rest[inflated.consumed..];
    }
}

/// A peer stopped at its limit of pending output and put the rest of a message in front of the next one. Here the
/// call says that there is more, and an output that is exactly full is not more.
#[test]
fn output_that_is_exactly_full_is_no_lack_of_room() {
    let mut inflater = Inflater::<32768>::new();
    let wire = [&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..], TAIL].concat();
    let mut output = [0; 5];
    let inflated = inflater.inflate(&wire, &mut output).unwrap();
    assert_eq!((inflated.consumed, inflated.produced, inflated.status), (wire.len(), 5, Status::Input));
    assert!(inflater.is_between_blocks());
    inflater.reset();
    let inflated = inflater.inflate(&wire, &mut output[..4]).unwrap();
    assert_eq!((inflated.produced, inflated.status), (4, Status::Output));
    assert!(!inflater.is_between_blocks());
    let inflated = inflater.inflate(&wire[inflated.consumed..], &mut []).unwrap();
    assert_eq!((inflated.consumed, inflated.produced, inflated.status), (0, 0, Status::Output), "no room at all");
}

/// What was decompressed before a fault is delivered before it, however the input comes.
#[test]
fn output_before_an_error_is_not_lost() {
    let mut writer = Writer::default();
    writer.block(false, 0).stored(b"before").block(true, 3);
    for size in 1..=writer.bytes.len() {
        let told = driver::inflate(&mut Inflater::<32768>::new(), writer.bytes.chunks(size), 100);
        assert_eq!((&told.output[..], told.outcome), (&b"before"[..], Outcome::Bad(InflateError::BlockType)));
    }
}

/// A truncated stream is no error and no end: more is to come.
#[test]
fn a_truncated_stream_asks_for_more() {
    let wire = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    for len in 0..wire.len() {
        let told = driver::inflate(&mut Inflater::<32768>::new(), [&wire[..len]], 100);
        assert_eq!(told.outcome, Outcome::More);
        assert!(b"Hello".starts_with(&told.output));
    }
}

/// Blocks that hold nothing, as many as one likes: input is used up, and nothing else happens.
#[test]
fn a_flood_of_empty_blocks() {
    let mut empty = Writer::default();
    for _ in 0..4000 {
        empty.block(false, 1).code(7, 0);
    }
    let told = driver::inflate(&mut Inflater::<32768>::new(), [&empty.bytes[..]], 1);
    assert_eq!((told.output.len(), told.outcome), (0, Outcome::More));
}
