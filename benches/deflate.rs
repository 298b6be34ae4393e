//! DEFLATE: JSON messages of about 300 bytes on one stream, a document of 1 MiB, and 1 MiB that does not compress.
//! Run it for the baseline and with `RUSTFLAGS='-C target-cpu=x86-64-v3'`: no case may be slower there.
//! `benches/peers` has the same beside other libraries.

mod texts;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hopwire::deflate::{Deflater, Flush, Inflater, Level, Status};

criterion_main!(benches);
criterion_group!(benches, inflate, deflate);

fn inflate(c: &mut Criterion) {
    let cases = [
        ("json300_context", texts::json_messages(512)),
        ("json1MiB", vec![texts::json_document(1 << 20)]),
        ("random1MiB", vec![texts::noise(1 << 20)]),
    ];
    for (case, texts) in cases {
        let mut deflater = Box::new(Deflater::<32768>::new(Level::Default));
        let wire: Vec<Vec<u8>> = texts.iter().map(|text| compress(&mut deflater, text)).collect();
        let mut inflater = Box::<Inflater>::default();
        let mut output = vec![0; (1 << 20) + 300];
        let mut group = c.benchmark_group(format!("inflate/{case}"));
        group.throughput(Throughput::Bytes(texts.iter().map(|text| text.len() as u64).sum()));
        group.bench_function("hopwire", |b| {
            b.iter(|| {
                inflater.reset();
                for wire in &wire {
                    let inflated = inflater.inflate(black_box(wire), &mut output).expect("good data");
                    assert_eq!(black_box(inflated).status, Status::Input);
                }
            });
        });
        group.finish();
    }
}

fn deflate(c: &mut Criterion) {
    let cases = [
        ("json300_context", texts::json_messages(512)),
        ("json1MiB", vec![texts::json_document(1 << 20)]),
        ("random1MiB", vec![texts::noise(1 << 20)]),
    ];
    for (case, texts) in cases {
        let mut output = vec![0; Deflater::<32768>::bound(1 << 20)];
        let mut group = c.benchmark_group(format!("deflate/{case}"));
        group.throughput(Throughput::Bytes(texts.iter().map(|text| text.len() as u64).sum()));
        for (name, level) in [("fast", Level::Fast), ("default", Level::Default), ("best", Level::Best)] {
            let mut deflater = Box::new(Deflater::<32768>::new(level));
            group.bench_function(name, |b| {
                b.iter(|| {
                    for text in &texts {
                        let progress = deflater.deflate(black_box(text), &mut output, Flush::Sync);
                        assert_eq!(black_box(progress).status, Status::Input);
                    }
                });
            });
        }
        group.finish();
    }
}

/// The next message of a stream.
fn compress(deflater: &mut Deflater, text: &[u8]) -> Vec<u8> {
    let mut wire = vec![0; Deflater::<32768>::bound(text.len())];
    let progress = deflater.deflate(text, &mut wire, Flush::Sync);
    assert_eq!((progress.consumed, progress.status), (text.len(), Status::Input));
    wire.truncate(progress.produced);
    wire
}
