//! UTF-8 against the standard library on several scripts; SHA-1 and base64 as the handshake uses them.
//! Run it for the baseline and with `RUSTFLAGS='-C target-cpu=x86-64-v3'`: no case may be slower there.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hopwire::{
    bytes::utf8,
    digest::{base64, sha1},
};

criterion_main!(benches);
criterion_group!(benches, judge_utf8, digest);

fn judge_utf8(c: &mut Criterion) {
    let cases = [
        ("ascii_16", ASCII, 16),
        ("ascii_125", ASCII, 125),
        ("ascii_4k", ASCII, 4 << 10),
        ("japanese_36", JAPANESE, 36),
        ("japanese_125", JAPANESE, 125),
        ("japanese_1k", JAPANESE, 1 << 10),
        ("japanese_4k", JAPANESE, 4 << 10),
        ("japanese_64k", JAPANESE, 64 << 10),
        ("cyrillic_4k", CYRILLIC, 4 << 10),
        ("mixed_4k", MIXED, 4 << 10),
    ];
    for (case, sample, len) in cases {
        let text = text(sample, len);
        assert_eq!(utf8::check(&text), Ok(text.len()));
        let mut group = c.benchmark_group(format!("utf8/{case}"));
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("hopwire", |b| b.iter(|| utf8::check(black_box(&text))));
        group.bench_function("std", |b| b.iter(|| std::str::from_utf8(black_box(&text)).is_ok()));
        group.finish();
    }
}

fn digest(c: &mut Criterion) {
    let key = b"dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let sum = sha1::digest(key);
    c.bench_function("sha1/60", |b| b.iter(|| sha1::digest(black_box(key))));
    c.bench_function("sha1/4k", |b| b.iter(|| sha1::digest(black_box(&[0; 4096]))));
    c.bench_function("base64/encode_20", |b| {
        let mut out = [0; 28];
        b.iter(|| base64::encode(black_box(&sum), black_box(&mut out)).is_some());
    });
    c.bench_function("base64/decode_24", |b| {
        let mut out = [0; 16];
        b.iter(|| base64::decode(black_box(&key[..24]), black_box(&mut out)).is_some());
    });
}

/// About `len` bytes of `sample`, repeated, and cut between two characters.
fn text(sample: &str, len: usize) -> Vec<u8> {
    let mut text = sample.repeat(len / sample.len() + 1);
    while text.len() > len {
        text.pop();
    }
    text.into_bytes()
}

const ASCII: &str = "The quick brown fox jumps over the lazy dog. ";
const JAPANESE: &str = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。";
const CYRILLIC: &str = "Все счастливые семьи похожи друг на друга, каждая несчастлива по-своему. ";
const MIXED: &str = "Hello 👋 wörld 🌍! 日本語 и русский text, emoji 🎉🎉 and a longer run of plain ASCII after it. ";
