//! What `deflate::Deflater` writes, zlib (zlib-rs) reads: level, window, pieces and the size of the output come from
//! the data.
#![no_main]

use flate2::{Decompress, FlushDecompress};
use hopwire::deflate::{Deflater, Flush, Level, Status};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [level, bits, piece, room, text @ ..] = data else { return };
    let level = [Level::Stored, Level::Fast, Level::Default, Level::Best][usize::from(level % 4)];
    let bits = 9 + bits % 7;
    let mut deflater = Box::new(Deflater::<32768>::new(level));
    deflater.set_window_bits(bits);
    let (mut wire, mut output) = (Vec::new(), vec![0; 1 + usize::from(*room)]);
    let pieces = text.chunks(1 + usize::from(*piece)).map(|piece| (piece, [Flush::None, Flush::Sync][piece.len() % 2]));
    for (mut piece, flush) in pieces.chain([(&[][..], Flush::Finish)]) {
        loop {
            let progress = deflater.deflate(piece, &mut output, flush);
            wire.extend_from_slice(&output[..progress.produced]);
            piece = &piece[progress.consumed..];
            if progress.status != Status::Output {
                break;
            }
        }
    }
    let mut zlib = Decompress::new_with_window_bits(false, bits);
    let mut plain = Vec::with_capacity(text.len() + 1);
    let status = zlib.decompress_vec(&wire, &mut plain, FlushDecompress::Sync).expect("good data");
    assert_eq!(status, flate2::Status::StreamEnd);
    assert!(plain == text && zlib.total_in() == wire.len() as u64);
});
