//! `ws::Connection` against a decoder with no cleverness, on any bytes and on frames made of them.

use hopwire::ws::Config;

use super::driver::{client, frame, play, server};
use super::naive::{agree, naive};
use super::{Prng, feeds};

pub fn run(data: &[u8]) {
    let mut prng = Prng::of(data);
    let mut config = Config::default();
    if prng.below(2) == 0 {
        (config.max_frame, config.max_message, config.max_fragments) = (600, 900, 6);
    }
    let room = prng.below(300);
    for (masked, wire) in
        [(true, data.to_vec()), (false, data.to_vec()), (true, framed(data, true)), (false, framed(data, false))]
    {
        let told = |pieces: &[&[u8]], room| match masked {
            true => play(&mut server(config), pieces.iter().copied(), room, false),
            false => play(&mut client(config), pieces.iter().copied(), room, false),
        };
        let whole = told(&[&wire], 1000);
        agree(&whole, &naive(&wire, masked, config));
        for pieces in feeds(&wire) {
            assert_eq!(told(&pieces, room), whole, "masked {masked}, room for {room}: {}", wire.escape_ascii());
        }
    }
}

/// Frames whose first byte and payload come from `data`: a byte, a length, so many bytes.
fn framed(mut data: &[u8], masked: bool) -> Vec<u8> {
    let mut wire = Vec::new();
    while let [first, len, rest @ ..] = data {
        let (payload, rest) = rest.split_at(usize::from(*len).min(rest.len()));
        // Mostly what can be: text, binary, continuation, ping, close.
        let opcode = [1, 0, 2, 0, 9, 1, 0, 8, 10, 0, 1, 2, 0, 9, first >> 4, 0][usize::from(first & 15)];
        wire.extend(frame(if first & 0x30 == 0 { opcode } else { opcode | 0x80 }, payload, masked));
        data = rest;
    }
    wire
}
