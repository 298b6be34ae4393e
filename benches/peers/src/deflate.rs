//! Raw DEFLATE, compressed. `fast` is zlib's level 1, `default` its level 6.
//!
//! `json300_context`: 512 different JSON messages of about 300 bytes on one stream, each flushed, with the window kept;
//! per message. They are more than fits the window, so that none meets its own copy of the last round.
//! `json1MiB`, `random1MiB`: one stream each, in one call. `…_ratio` is how many times shorter the output is, without the
//! four bytes that a WebSocket message leaves out; it must be that of zlib-rs, nearly. `memory` is struct and heap of
//! one compressor.
use crate::harness::*;
use crate::texts::{json_document, json_messages, noise};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use hopwire::deflate::{Deflater, Encoder, Flush, History, Level, Status};
use miniz_oxide::deflate::core::{CompressorOxide, TDEFLFlush, TDEFLStatus, compress as miniz_compress};
use miniz_oxide::{DataFormat, deflate::CompressionLevel};
use std::hint::black_box;

const AREA: &str = "deflate";

/// Compresses all of `text` into `output`, and says how much came out.
trait Peer: Sized + 'static {
    const NAME: &'static str;
    fn new(grade: &Grade) -> Self;
    /// A message on a stream.
    fn message(&mut self, text: &[u8], output: &mut [u8]) -> usize;
    /// A stream of its own.
    fn document(&mut self, text: &[u8], output: &mut [u8]) -> usize;
}

struct Grade {
    name: &'static str,
    ours: Level,
    zlib: u32,
    miniz: CompressionLevel,
    /// The least ratio, as a part of that of zlib-rs.
    least: f64,
}

const GRADES: [Grade; 2] = [
    Grade { name: "fast", ours: Level::Fast, zlib: 1, miniz: CompressionLevel::BestSpeed, least: 0.97 },
    Grade { name: "default", ours: Level::Default, zlib: 6, miniz: CompressionLevel::DefaultLevel, least: 0.98 },
];

struct Hopwire(Box<Deflater>);
impl Hopwire {
    fn compress(&mut self, text: &[u8], output: &mut [u8], flush: Flush) -> usize {
        let progress = self.0.deflate(text, output, flush);
        assert!(progress.consumed == text.len() && progress.status != Status::Output);
        progress.produced
    }
}
impl Peer for Hopwire {
    const NAME: &'static str = "hopwire";
    fn new(grade: &Grade) -> Self {
        Self(Box::new(Deflater::new(grade.ours)))
    }
    fn message(&mut self, text: &[u8], output: &mut [u8]) -> usize {
        self.compress(text, output, Flush::Sync)
    }
    fn document(&mut self, text: &[u8], output: &mut [u8]) -> usize {
        self.0.reset();
        self.compress(text, output, Flush::Finish)
    }
}

struct ZlibRs(Compress);
impl ZlibRs {
    fn compress(&mut self, text: &[u8], output: &mut [u8], flush: FlushCompress) -> usize {
        let before = (self.0.total_in(), self.0.total_out());
        self.0.compress(text, output, flush).unwrap();
        let produced = (self.0.total_out() - before.1) as usize;
        assert!(self.0.total_in() - before.0 == text.len() as u64 && produced < output.len());
        produced
    }
}
impl Peer for ZlibRs {
    const NAME: &'static str = "zlib-rs";
    fn new(grade: &Grade) -> Self {
        Self(Compress::new(Compression::new(grade.zlib), false))
    }
    fn message(&mut self, text: &[u8], output: &mut [u8]) -> usize {
        self.compress(text, output, FlushCompress::Sync)
    }
    fn document(&mut self, text: &[u8], output: &mut [u8]) -> usize {
        self.0.reset();
        self.compress(text, output, FlushCompress::Finish)
    }
}

struct Miniz(Box<CompressorOxide>);
impl Miniz {
    fn compress(&mut self, text: &[u8], output: &mut [u8], flush: TDEFLFlush) -> usize {
        let (status, consumed, produced) = miniz_compress(&mut self.0, text, output, flush);
        assert!(matches!(status, TDEFLStatus::Okay | TDEFLStatus::Done) && consumed == text.len());
        produced
    }
}
impl Peer for Miniz {
    const NAME: &'static str = "miniz_oxide";
    fn new(grade: &Grade) -> Self {
        let mut compressor = Box::<CompressorOxide>::default();
        compressor.set_format_and_level(DataFormat::Raw, grade.miniz as u8);
        Self(compressor)
    }
    fn message(&mut self, text: &[u8], output: &mut [u8]) -> usize {
        self.compress(text, output, TDEFLFlush::Sync)
    }
    fn document(&mut self, text: &[u8], output: &mut [u8]) -> usize {
        self.0.reset();
        self.compress(text, output, TDEFLFlush::Finish)
    }
}

pub fn run() {
    differential();
    let messages: &'static [Vec<u8>] = json_messages(512).leak();
    let documents = [("json1MiB", json_document(1 << 20)), ("random1MiB", noise(1 << 20))];
    let documents = documents.map(|(name, text)| (name, leak(text)));
    for grade in &GRADES {
        let mut group = Group::new(AREA, format!("{}_json300_context", grade.name));
        let ratios = [
            of_messages::<Hopwire>(&mut group, grade, messages),
            of_messages::<ZlibRs>(&mut group, grade, messages),
            of_messages::<Miniz>(&mut group, grade, messages),
        ];
        judge(grade, "json300_context", ratios);
        group.run();
        for (name, text) in documents {
            let mut group = Group::new(AREA, format!("{}_{name}", grade.name));
            let ratios = [
                of_document::<Hopwire>(&mut group, grade, text),
                of_document::<ZlibRs>(&mut group, grade, text),
                of_document::<Miniz>(&mut group, grade, text),
            ];
            judge(grade, name, ratios);
            group.run();
        }
    }
    memory();
}

/// What hopwire writes, at each of its levels, zlib reads: with each size of output, from pieces of any size.
fn differential() {
    let repeated = b"abcabcabcab".repeat(300);
    let texts = [noise(5000), json_document(30_000), vec![0; 70_000], repeated, Vec::new(), b"x".to_vec()];
    for level in [Level::Stored, Level::Fast, Level::Default, Level::Best] {
        let mut deflater = Box::new(Deflater::<32768>::new(level));
        for text in &texts {
            let rooms = (1..700).chain([1 << 10, 1 << 12, 1 << 15, 1 << 17]).map(|room| (4000, room));
            let pieces = (1..70).chain([1 << 10]).map(|piece| (piece, 1 << 17));
            for (piece, room) in rooms.chain(pieces) {
                deflater.reset();
                let wire = compressed(&mut deflater, text, piece, room);
                assert!(inflated(&wire, text.len()) == *text, "{level:?}, input {piece}, output {room}");
            }
        }
    }
}

fn compressed(deflater: &mut Deflater, text: &[u8], piece: usize, room: usize) -> Vec<u8> {
    let (mut wire, mut output) = (Vec::new(), vec![0; room]);
    let pieces = text.chunks(piece).enumerate().map(|(at, piece)| (piece, [Flush::Sync, Flush::None][at % 2]));
    for (mut piece, flush) in pieces.chain([(&[][..], Flush::Finish)]) {
        loop {
            let progress = deflater.deflate(piece, &mut output, flush);
            wire.extend_from_slice(&output[..progress.produced]);
            piece = &piece[progress.consumed..];
            if progress.status != Status::Output {
                assert!(piece.is_empty());
                break;
            }
        }
    }
    wire
}

fn inflated(wire: &[u8], len: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(len + 1);
    Decompress::new(false).decompress_vec(wire, &mut text, FlushDecompress::Sync).unwrap();
    text
}

/// The ratio. The messages are checked on the way.
fn of_messages<P: Peer>(group: &mut Group, grade: &Grade, messages: &'static [Vec<u8>]) -> f64 {
    let mut peer = P::new(grade);
    let mut output = vec![0; 4096];
    let mut wire = Vec::new();
    for text in messages {
        let produced = peer.message(text, &mut output);
        wire.extend_from_slice(&output[..produced]);
        assert!(wire.ends_with(&[0, 0, 0xff, 0xff]));
    }
    let all = messages.concat();
    assert!(inflated(&wire, all.len()) == all, "{}", P::NAME);
    add::<P>(group, messages.len(), move || {
        for text in messages {
            black_box(peer.message(black_box(text), &mut output));
        }
    });
    all.len() as f64 / (wire.len() - 4 * messages.len()) as f64
}

fn of_document<P: Peer>(group: &mut Group, grade: &Grade, text: &'static [u8]) -> f64 {
    let mut peer = P::new(grade);
    let mut output = vec![0; text.len() + text.len() / 4];
    let produced = peer.document(text, &mut output);
    assert!(inflated(&output[..produced], text.len()) == text, "{}", P::NAME);
    add::<P>(group, 1, move || {
        black_box(peer.document(black_box(text), &mut output));
    });
    text.len() as f64 / produced as f64
}

fn add<P: Peer>(group: &mut Group, ops: usize, f: impl FnMut() + 'static) {
    if P::NAME == Hopwire::NAME {
        group.add_hopwire("", ops, f);
    } else {
        group.add(P::NAME, ops, f);
    }
}

/// Prints the ratios of hopwire, zlib-rs and miniz_oxide, and fails if hopwire's is too low.
fn judge(grade: &Grade, case: &str, ratios: [f64; 3]) {
    for (name, ratio) in [Hopwire::NAME, ZlibRs::NAME, Miniz::NAME].into_iter().zip(ratios) {
        print_line(AREA, &format!("{}_{case}_ratio", grade.name), name, ratio, ratio / ratios[0], 0.0);
    }
    assert!(ratios[0] >= grade.least * ratios[1], "{} {case}: {ratios:?}", grade.name);
}

/// Bytes of a compressor that has seen a message, and blocks on the heap. hopwire's can be in two: what a connection
/// keeps between messages (`history`) and what connections take turns with.
fn memory() {
    let message = &json_messages(1)[0];
    let ours = (size_of::<Deflater>() + size_of::<usize>()) as f64;
    fn row<P: Peer>(message: &[u8], ours: f64) {
        let mut output = vec![0; 4096];
        let (_peer, heap) = counted(|| {
            let mut peer = P::new(&GRADES[1]);
            peer.message(message, &mut output);
            peer
        });
        let (size, heap, blocks) = (size_of::<P>(), heap.live as f64, heap.blocks as f64);
        let total = size as f64 + heap;
        print_line(AREA, "memory", &format!("{}({size}+{heap})", P::NAME), total, total / ours, blocks);
    }
    row::<Hopwire>(message, ours);
    row::<ZlibRs>(message, ours);
    row::<Miniz>(message, ours);
    for (part, size) in [("@history", size_of::<History>()), ("@encoder", size_of::<Encoder>())] {
        print_line(AREA, "memory", part, size as f64, size as f64 / ours, 0.0);
    }
}
