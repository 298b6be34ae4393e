//! `deflate::Inflater` against zlib (zlib-rs): what one takes the other takes, to the same bytes.
#![no_main]

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use hopwire::deflate::{self, Inflater, Progress};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    as_stream(data);
    as_text(data);
});

/// The data as what came from a peer.
fn as_stream(data: &[u8]) {
    // zlib finds some faults only a few bits later.
    let wire = [data, &[0; 64]].concat();
    // More than it can stand for, a match of 258 bytes in two bits: zlib looks behind an output that is just full.
    let mut theirs = vec![0; 1032 * wire.len()];
    let mut zlib = Decompress::new(false);
    let status = zlib.decompress(&wire, &mut theirs, FlushDecompress::None);
    let mut ours = vec![0; theirs.len()];
    let inflated = inflate_all(&wire, &mut ours);
    match (status, inflated) {
        (Err(_), Err(_)) => {}
        (Ok(status), Ok(inflated)) => {
            assert_eq!(status == Status::StreamEnd, inflated.status == deflate::Status::End);
            let produced = zlib.total_out() as usize;
            assert_eq!(produced, inflated.produced);
            assert!(theirs[..produced] == ours[..produced]);
            if status == Status::StreamEnd {
                assert_eq!(zlib.total_in() as usize, inflated.consumed);
            }
        }
        differ => panic!("{differ:?}"),
    }
}

/// In one call; what came before an error is not looked at.
fn inflate_all(wire: &[u8], output: &mut [u8]) -> Result<Progress, deflate::InflateError> {
    let mut inflater = Box::new(Inflater::<32768>::new());
    let inflated = inflater.inflate(wire, output)?;
    if inflated.status == deflate::Status::Output && inflated.produced < output.len() {
        _ = inflater.inflate(&wire[inflated.consumed..], output)?;
    }
    Ok(inflated)
}

/// The data as what zlib compresses: level, pieces and the size of the output come from it.
fn as_text(data: &[u8]) {
    let [level, piece, room, text @ ..] = data else { return };
    let (piece, room) = (1 + usize::from(*piece), 1 + usize::from(*room));
    let mut zlib = Compress::new(Compression::new(u32::from(level % 10)), false);
    let mut inflater = Box::new(Inflater::<32768>::new());
    let (mut wire, mut output, mut got) = (Vec::new(), vec![0; room], Vec::new());
    for piece in text.chunks(piece) {
        wire.clear();
        wire.reserve(2 * piece.len() + 64);
        zlib.compress_vec(piece, &mut wire, FlushCompress::Sync).expect("room for all of it");
        let mut rest = &wire[..];
        loop {
            let inflated = inflater.inflate(rest, &mut output).expect("good data");
            got.extend_from_slice(&output[..inflated.produced]);
            rest = &rest[inflated.consumed..];
            if inflated.status != deflate::Status::Output {
                break;
            }
        }
        assert!(rest.is_empty() && inflater.is_between_blocks());
    }
    assert!(got == text);
}
