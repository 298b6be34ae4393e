//! Heads, and exchanges of the engines. Run it for the baseline and with `RUSTFLAGS='-C target-cpu=x86-64-v3'`: no case may
//! be slower there.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hopwire::http::Method;
use hopwire::http1::client::{Client, Prepared};
use hopwire::http1::{BodyLength, HeadLimits, ResponseHead};
use hopwire::io::{Rx, Tx};
use hopwire::time::Instant;

criterion_main!(benches);
criterion_group!(benches, response_head, client_exchange);

fn response_head(c: &mut Criterion) {
    let mut group = c.benchmark_group("response_head");
    let limits = HeadLimits::default();
    for (case, times) in [("200B", 1), ("1kB", 8)] {
        let mut head = [START, &FIELDS.repeat(times), b"\r\n"].concat();
        group.throughput(Throughput::Bytes(head.len() as u64));
        group.bench_function(case, |b| {
            b.iter(|| {
                let mut rx = Rx::new(black_box(&mut head));
                let response = ResponseHead::new(Method::Get).poll(&mut rx, &limits).unwrap().unwrap();
                (response.status, response.length(), rx.consumed())
            });
        });
    }
}

fn client_exchange(c: &mut Criterion) {
    let mut group = c.benchmark_group("client_exchange");
    let mut response = [START, FIELDS, b"\r\n", &[b'x'; 1024]].concat();
    let fields: [(&str, &[u8]); 3] = [("host", b"a.example"), ("accept", b"*/*"), ("user-agent", b"bench/1.0")];
    let (mut out, mut space) = ([0; 256], [0; 256]);
    let mut client = Client::default();
    group.bench_function("made", |b| {
        b.iter(|| {
            let mut tx = Tx::new(&mut out);
            client.request(Method::Get, b"/a?b=c", black_box(&fields), BodyLength::None, &mut tx).unwrap();
            read(&mut client, &mut response)
        });
    });
    let prepared = Prepared::new(Method::Get, b"/a?b=c", &fields, BodyLength::None, &mut space).unwrap();
    group.bench_function("prepared", |b| {
        b.iter(|| {
            client.request_prepared(black_box(&prepared), &mut Tx::new(&mut out)).unwrap();
            read(&mut client, &mut response)
        });
    });
}

/// The number of events of one response.
fn read(client: &mut Client, response: &mut [u8]) -> usize {
    let mut rx = Rx::new(response);
    let mut events = 0;
    while let Some(event) = client.poll(Instant::ZERO, &mut rx).unwrap() {
        black_box(event);
        events += 1;
    }
    events
}

const START: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 1024\r\nContent-Type: application/json\r\n";
const FIELDS: &[u8] =
    b"Date: Sat, 21 Nov 2026 16:00:00 GMT\r\nServer: nginx/1.26.2\r\nCache-Control: private, max-age=0, no-cache\r\n";
