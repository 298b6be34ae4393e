//! Events in and out, and a feed with many polls parked. Beside peers: `benches/peers`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hopwire::feed::hold::{self, Answer};
use hopwire::feed::{Ask, Hold, Log, log};
use hopwire::io::{Rx, Tx};
use hopwire::sse::{Decoder, Event, Outgoing};
use hopwire::time::Instant;

criterion_main!(benches);
criterion_group!(benches, decode, encode, publish);

fn decode(c: &mut Criterion) {
    let json = "{\"id\":123456,\"text\":\" the quick brown fox\"}";
    let cases = [
        ("short", "data: x\n\n".to_owned()),
        ("json", format!("data: {json}\n\n")),
        ("token", format!("event: delta\nid: 4711\ndata: {json}\n\n")),
        ("crlf", format!("data: {json}\r\n\r\n")),
        ("ten_lines", format!("data: {json}\n").repeat(10) + "\n"),
        ("japanese", format!("data: {}\n\n", "\u{65e5}\u{672c}\u{8a9e}".repeat(100))),
        ("40k", format!("data: {}\n\n", "word".repeat(10_000))),
        ("comment", ": keepalive\n\n".to_owned()),
    ];
    let mut group = c.benchmark_group("sse/decode");
    for (case, one) in cases {
        let count = (64 << 10) / one.len() + 1;
        group.throughput(Throughput::Elements(count as u64));
        let wire = one.repeat(count).into_bytes();
        group.bench_function(case, |b| {
            b.iter_batched_ref(
                || wire.clone(),
                |wire| {
                    let (mut decoder, mut rx) = (Decoder::new(), Rx::new(wire));
                    while let Some(event) = decoder.poll(&mut rx) {
                        let Event::Message(message) = event else { continue };
                        black_box(message.data.as_bytes());
                    }
                },
                criterion::BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

fn encode(c: &mut Criterion) {
    let line = "x".repeat(100);
    let mut group = c.benchmark_group("sse/encode");
    for (case, data) in
        [("100", line.clone()), ("ten_lines", vec![line; 10].join("\n")), ("40k", "word".repeat(10_000))]
    {
        let mut out = vec![0; data.len() + 256];
        group.throughput(Throughput::Bytes(data.len() as u64));
        group.bench_function(case, |b| {
            b.iter(|| Outgoing::data(black_box(&data)).id("4711").encode(&mut Tx::new(&mut out)).is_ok());
        });
    }
    group.finish();
}

/// One update to 10,000 parked polls: parked, woken, answered.
fn publish(c: &mut Criterion) {
    let mut log = Log::new(log::Config::default(), 1);
    let mut hold = Hold::new(hold::Config::default());
    let mut entropy = |bytes: &mut [u8]| bytes.fill(7);
    c.bench_function("feed/publish_to_10000", |b| {
        b.iter(|| {
            let query = format!("cursor={}", hopwire::feed::History::cursor(&log));
            let ask = Ask::parse(query.as_bytes()).expect("a good query");
            for n in 0..10_000 {
                let answer = hold.ask(Instant::ZERO, &ask, n, &log, &mut entropy);
                assert!(matches!(answer, Answer::Parked(_)));
            }
            log.publish(Instant::ZERO, "", "x").expect("a good event");
            while let Some(reply) = hold.poll(Instant::ZERO, &log) {
                black_box(reply.body);
            }
        });
    });
}
