//! Raw DEFLATE, decompressed. All read the same input, made by zlib (zlib-rs) at level 6.
//!
//! `json300_context`: 512 different JSON messages of about 300 bytes on one stream, each flushed, with the window kept;
//! per message. They are more than fits the window, so that none meets its own copy of the last round.
//! `json1MiB`, `random1MiB`: one stream each, in one call. `memory` is struct and heap of one decompressor.
use crate::harness::*;
use crate::texts::{json_document, json_messages, noise};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use hopwire::deflate::{Decoder, Inflater, Status, Window};
use miniz_oxide::inflate::stream::{InflateState, inflate as miniz_inflate};
use miniz_oxide::{DataFormat, MZFlush, MZStatus};
use std::hint::black_box;

const AREA: &str = "inflate";

/// Decompresses all of `wire` into `output`, and says how much came out.
trait Peer: Sized + 'static {
    const NAME: &'static str;
    fn new() -> Self;
    /// To the beginning of another stream.
    fn reset(&mut self);
    fn inflate(&mut self, wire: &[u8], output: &mut [u8]) -> usize;
}

struct Hopwire(Box<Inflater>);
impl Peer for Hopwire {
    const NAME: &'static str = "hopwire";
    fn new() -> Self {
        Self(Box::default())
    }
    fn reset(&mut self) {
        self.0.reset();
    }
    fn inflate(&mut self, wire: &[u8], output: &mut [u8]) -> usize {
        let inflated = self.0.inflate(wire, output).unwrap();
        assert!(inflated.consumed == wire.len() && inflated.status != Status::Output);
        inflated.produced
    }
}

struct ZlibRs(Decompress);
impl Peer for ZlibRs {
    const NAME: &'static str = "zlib-rs";
    fn new() -> Self {
        Self(Decompress::new(false))
    }
    fn reset(&mut self) {
        self.0.reset(false);
    }
    fn inflate(&mut self, wire: &[u8], output: &mut [u8]) -> usize {
        let before = (self.0.total_in(), self.0.total_out());
        self.0.decompress(wire, output, FlushDecompress::Sync).unwrap();
        assert!(self.0.total_in() - before.0 == wire.len() as u64);
        (self.0.total_out() - before.1) as usize
    }
}

struct Miniz(Box<InflateState>);
impl Peer for Miniz {
    const NAME: &'static str = "miniz_oxide";
    fn new() -> Self {
        Self(InflateState::new_boxed(DataFormat::Raw))
    }
    fn reset(&mut self) {
        self.0.reset(DataFormat::Raw);
    }
    fn inflate(&mut self, wire: &[u8], output: &mut [u8]) -> usize {
        let done = miniz_inflate(&mut self.0, wire, output, MZFlush::Sync);
        assert!(matches!(done.status, Ok(MZStatus::Ok | MZStatus::StreamEnd)) && done.bytes_consumed == wire.len());
        done.bytes_written
    }
}

pub fn run() {
    differential();
    let messages = json_messages(512);
    let mut zlib = Compress::new(Compression::new(6), false);
    let wire = messages.iter().map(|text| compress(&mut zlib, text, FlushCompress::Sync)).collect();
    case("json300_context", messages, wire);
    for (name, text) in [("json1MiB", json_document(1 << 20)), ("random1MiB", noise(1 << 20))] {
        let mut zlib = Compress::new(Compression::new(6), false);
        let wire = compress(&mut zlib, &text, FlushCompress::Finish);
        case(name, vec![text], vec![wire]);
    }
    memory();
}

/// One stream, in as many calls as there are texts.
fn case(name: &str, texts: Vec<Vec<u8>>, wire: Vec<Vec<u8>>) {
    let mut group = Group::new(AREA, name);
    let wire: &'static [Vec<u8>] = wire.leak();
    let ops = texts.len();
    group.add_hopwire("", ops, round::<Hopwire>(&texts, wire));
    group.add(ZlibRs::NAME, ops, round::<ZlibRs>(&texts, wire));
    group.add(Miniz::NAME, ops, round::<Miniz>(&texts, wire));
    group.run();
}

fn round<P: Peer>(texts: &[Vec<u8>], wire: &'static [Vec<u8>]) -> impl FnMut() + 'static {
    let mut peer = P::new();
    let longest = texts.iter().map(Vec::len).max().unwrap();
    let mut output = vec![0; longest.max(4096) + 64];
    for (text, wire) in texts.iter().zip(wire) {
        let produced = peer.inflate(wire, &mut output);
        assert!(output[..produced] == text[..], "{}", P::NAME);
    }
    move || {
        peer.reset();
        for wire in wire {
            black_box(peer.inflate(black_box(wire), &mut output));
        }
    }
}

fn compress(zlib: &mut Compress, text: &[u8], flush: FlushCompress) -> Vec<u8> {
    let mut wire = Vec::with_capacity(2 * text.len() + 100);
    let before = zlib.total_in();
    zlib.compress_vec(text, &mut wire, flush).unwrap();
    assert!(zlib.total_in() - before == text.len() as u64 && wire.len() < wire.capacity());
    wire
}

/// What zlib writes, at each of its levels, hopwire reads: with each size of output, in pieces of any size.
fn differential() {
    let repeated = b"abcabcabcab".repeat(300);
    let texts = [noise(5000), json_document(30_000), vec![0; 70_000], repeated, Vec::new(), b"x".to_vec()];
    let mut inflater = Box::<Inflater>::default();
    for level in 0..=9 {
        for text in &texts {
            let mut zlib = Compress::new(Compression::new(level), false);
            let mut wire = Vec::new();
            for piece in text.chunks(4000) {
                wire.extend(compress(&mut zlib, piece, FlushCompress::Sync));
            }
            wire.extend(compress(&mut zlib, b"", FlushCompress::Finish));
            for room in (1..700).chain([1 << 10, 1 << 12, 1 << 15, 1 << 17]) {
                inflater.reset();
                assert!(inflated(&mut inflater, &wire, wire.len(), room) == *text, "level {level}, output {room}");
            }
            for piece in (1..70).chain([1 << 10]) {
                inflater.reset();
                assert!(inflated(&mut inflater, &wire, piece, 1 << 17) == *text, "level {level}, input {piece}");
            }
        }
    }
}

fn inflated(inflater: &mut Inflater, wire: &[u8], piece: usize, room: usize) -> Vec<u8> {
    let (mut text, mut output) = (Vec::new(), vec![0; room]);
    for mut piece in wire.chunks(piece) {
        loop {
            let inflated = inflater.inflate(piece, &mut output).unwrap();
            text.extend_from_slice(&output[..inflated.produced]);
            piece = &piece[inflated.consumed..];
            match inflated.status {
                Status::Input => break,
                Status::Output => assert!(inflated.produced == room),
                Status::End => {
                    assert!(piece.is_empty());
                    return text;
                }
            }
        }
    }
    panic!("no end");
}

/// Bytes of a decompressor that has seen the messages, and blocks on the heap. hopwire's can be in two: what a
/// connection keeps between messages (`window`) and what connections take turns with.
fn memory() {
    let messages = json_messages(512);
    let mut zlib = Compress::new(Compression::new(6), false);
    let wire: Vec<_> = messages.iter().map(|text| compress(&mut zlib, text, FlushCompress::Sync)).collect();
    let ours = (size_of::<Inflater>() + size_of::<usize>()) as f64;
    fn row<P: Peer>(wire: &[Vec<u8>], ours: f64) {
        let mut output = vec![0; 4096];
        let (_peer, heap) = counted(|| {
            let mut peer = P::new();
            for wire in wire {
                peer.inflate(wire, &mut output);
            }
            peer
        });
        let (size, heap, blocks) = (size_of::<P>(), heap.live as f64, heap.blocks as f64);
        let total = size as f64 + heap;
        print_line(AREA, "memory", &format!("{}({size}+{heap})", P::NAME), total, total / ours, blocks);
    }
    row::<Hopwire>(&wire, ours);
    row::<ZlibRs>(&wire, ours);
    row::<Miniz>(&wire, ours);
    for (part, size) in [("@window", size_of::<Window>()), ("@decoder", size_of::<Decoder>())] {
        print_line(AREA, "memory", part, size as f64, size as f64 / ours, 0.0);
    }
}
