//! Any split, any output: the same as whole, and as the twin's.

use hopwire::deflate::Inflater;
use proptest::collection::vec;
use proptest::prelude::*;

use super::driver::{self, Outcome};
use super::naive;
use super::streams::stream;

/// Each output from one byte to what is enough, each split in two, and byte by byte.
#[test]
fn every_split_and_every_output() {
    let mut inflater = Inflater::<32768>::new();
    for seed in 0..12 {
        let wire = stream(seed, 0, 32768);
        let wire = &wire[..wire.len().min(400)];
        let told = naive::inflate(wire, &[], 32768);
        for room in 1..=told.output.len().min(300) + 1 {
            inflater.reset();
            assert_eq!(driver::inflate(&mut inflater, wire.chunks(1), room), told, "{seed} {room}");
        }
        for at in 0..=wire.len() {
            let (front, back) = wire.split_at(at);
            for room in [1, 7, 1000] {
                inflater.reset();
                assert_eq!(driver::inflate(&mut inflater, [front, back], room), told, "{seed} {at} {room}");
            }
        }
    }
}

/// What is at hand counts as used, and what is not does not: any end of the input, then the rest.
#[test]
fn a_stream_ends_at_its_last_byte() {
    let mut inflater = Inflater::<32768>::new();
    for seed in 0..200 {
        let mut wire = stream(seed, 0, 32768);
        let end = Outcome::End { consumed: wire.len() };
        wire.extend_from_slice(b"what follows");
        for size in [1, 2, 3, 5, 8, 13, usize::MAX] {
            inflater.reset();
            assert_eq!(driver::inflate(&mut inflater, wire.chunks(size), 4096).outcome, end, "{seed} {size}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn good_streams(seed: u64, size in 1_usize..100, room in 1_usize..1000) {
        let wire = stream(seed, 0, 32768);
        let told = driver::inflate(&mut Inflater::<32768>::new(), wire.chunks(size), room);
        prop_assert_eq!(&told.outcome, &Outcome::End { consumed: wire.len() });
        prop_assert_eq!(told, naive::inflate(&wire, &[], 32768));
    }

    #[test]
    fn changed_streams(
        seed: u64, changes in vec((any::<prop::sample::Index>(), 0_u32..8), 1..4), size in 1_usize..100,
        room in prop_oneof![1_usize..10, Just(1_usize << 17)],
    ) {
        let mut wire = stream(seed, 0, 32768);
        for (at, bit) in changes {
            let at = at.index(wire.len());
            wire[at] ^= 1 << bit;
        }
        let told = driver::inflate(&mut Inflater::<32768>::new(), wire.chunks(size), room);
        prop_assert_eq!(told, naive::inflate(&wire, &[], 32768));
    }

    #[test]
    fn any_bytes(wire in vec(any::<u8>(), 0..200), kind in 0_u8..3, size in 1_usize..100, room in 1_usize..400) {
        let wire = [&[kind << 1][..], &wire].concat();
        let told = driver::inflate(&mut Inflater::<32768>::new(), wire.chunks(size), room);
        prop_assert_eq!(told, naive::inflate(&wire, &[], 32768));
    }

    /// Through a small window, with a history of any length behind the stream.
    #[test]
    fn small_windows(seed: u64, history in 0_usize..700, reach in 8_u32..11, size in 1_usize..100, room in 1_usize..1000) {
        let history: Vec<u8> = (0..history).map(|at| (at * 7 % 251) as u8).collect();
        let wire = stream(seed, history.len(), 1 << reach);
        let mut inflater = Inflater::<256>::new();
        let stored = [&[0][..], &(history.len() as u16).to_le_bytes(), &(!history.len() as u16).to_le_bytes(), &history].concat();
        let told = driver::inflate(&mut inflater, [&stored[..]], room);
        prop_assert_eq!(&told.output, &history);
        let told = driver::inflate(&mut inflater, wire.chunks(size), room);
        prop_assert_eq!(told, naive::inflate(&wire, &history, 256));
    }
}
