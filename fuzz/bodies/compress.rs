//! `deflate::Deflater`: what it writes inflates to what it was given, with the window that was agreed.

use hopwire::deflate::{Deflater, Flush, Inflater, Level, Status};

use super::{Prng, feeds};

pub fn run(data: &[u8]) {
    let mut prng = Prng::of(data);
    for level in [Level::Stored, Level::Fast, Level::Default, Level::Best] {
        play::<512>(level, data, &mut prng);
        play::<4096>(level, data, &mut prng);
    }
}

fn play<const N: usize>(level: Level, data: &[u8], prng: &mut Prng) {
    let mut deflater = Deflater::<N>::new(level);
    // A window of the size that was agreed and no more: a distance beyond it is an error.
    let mut inflater = Inflater::<N>::new();
    let mut plain = vec![0; data.len() + 1];
    for (pieces, room) in feeds(data).into_iter().zip([1 << 14, 1, 7, 60]) {
        deflater.reset();
        let mut wire = Vec::new();
        for piece in pieces {
            let flush = if prng.below(3) == 0 { Flush::Sync } else { Flush::None };
            compress(&mut deflater, piece, flush, room, &mut wire);
        }
        compress(&mut deflater, &[], Flush::Finish, room, &mut wire);
        inflater.reset();
        let inflated = inflater.inflate(&wire, &mut plain).unwrap();
        assert_eq!((inflated.status, inflated.consumed), (Status::End, wire.len()));
        assert!(plain[..inflated.produced] == *data, "{level:?} {N} {room}");
    }
}

fn compress<const N: usize>(
    deflater: &mut Deflater<N>,
    mut piece: &[u8],
    flush: Flush,
    room: usize,
    wire: &mut Vec<u8>,
) {
    let mut output = vec![0; room];
    loop {
        let progress = deflater.deflate(piece, &mut output, flush);
        wire.extend_from_slice(&output[..progress.produced]);
        piece = &piece[progress.consumed..];
        if progress.status != Status::Output {
            assert!(piece.is_empty() && (progress.status == Status::End) == (flush == Flush::Finish));
            return;
        }
        assert_eq!(progress.produced, room, "more would have fitted");
    }
}
