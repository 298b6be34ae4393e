//! Heads of requests, whole exchanges and chunked content, as a server meets them.
//! Run it for the baseline and with `RUSTFLAGS='-C target-cpu=x86-64-v3'`: no case may be slower there. Beside its peers: `benches/peers`.

#![allow(clippy::unwrap_used, reason = "a bench that fails is to stop")]

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hopwire::{
    http::Status,
    http1::server::{Config, Event, Server},
    http1::{HeadLimits, RequestHead},
    io::{Rx, Tx},
    time::Instant,
};

criterion_main!(benches);
criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = head, exchange, chunked
}

fn head(c: &mut Criterion) {
    let mut group = c.benchmark_group("head");
    for (case, bytes) in HEADS {
        let (limits, mut wire) = (HeadLimits::new(), bytes.to_vec());
        assert!(RequestHead::new().poll(&mut Rx::new(&mut wire), &limits).is_ok_and(|request| request.is_some()));
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(case, |b| {
            b.iter(|| {
                let mut rx = Rx::new(black_box(&mut wire));
                let request = RequestHead::new().poll(&mut rx, &limits).unwrap().unwrap();
                black_box((request.target, request.fields, request.length(), rx.consumed()));
            });
        });
        // The worst split: as many calls as bytes.
        group.bench_function(format!("{case}_bytewise"), |b| {
            b.iter(|| {
                let mut head = RequestHead::new();
                for end in 1..bytes.len() {
                    assert!(head.poll(&mut Rx::new(black_box(&mut wire[..end])), &limits).unwrap().is_none());
                }
            });
        });
    }
}

fn exchange(c: &mut Criterion) {
    const PIPELINED: usize = 16;
    let fields: [(&str, &[u8]); 5] = [
        ("content-type", b"text/plain; charset=utf-8"),
        ("cache-control", b"no-store"),
        ("date", b"Sun, 06 Nov 1994 08:49:37 GMT"),
        ("server", b"bench/1.0"),
        ("vary", b"accept-encoding"),
    ];
    let mut group = c.benchmark_group("exchange");
    for (case, bytes) in HEADS {
        let (mut input, mut out) = (bytes.repeat(PIPELINED), vec![0; 16 << 10]);
        let mut server = Server::default();
        group.throughput(Throughput::Elements(PIPELINED as u64));
        group.bench_function(case, |b| {
            b.iter(|| {
                let (mut rx, mut tx) = (Rx::new(black_box(&mut input)), Tx::new(&mut out));
                while let Some(event) = server.poll(Instant::ZERO, &mut rx, &mut tx).unwrap() {
                    if let Event::Request(request) = event {
                        black_box(request.target);
                        server.respond_with(Status::OK, &fields, b"Hello, World!", &mut tx).unwrap();
                    }
                }
                assert!(rx.bytes().is_empty());
            });
        });
    }
}

fn chunked(c: &mut Criterion) {
    let mut group = c.benchmark_group("chunked");
    for (case, len, chunk) in [("64KiB_in_16B", 64 << 10, 16), ("1MiB_in_4KiB", 1 << 20, 4 << 10)] {
        let mut input = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for data in vec![b'x'; len].chunks(chunk) {
            input.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
            input.extend_from_slice(data);
            input.extend_from_slice(b"\r\n");
        }
        input.extend_from_slice(b"0\r\n\r\n");
        let mut out = [0; 256];
        let mut server = Server::new(Config { max_body: len as u64, ..Config::default() });
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(case, |b| {
            b.iter(|| {
                let (mut rx, mut tx) = (Rx::new(black_box(&mut input)), Tx::new(&mut out));
                let mut read = 0;
                while let Some(event) = server.poll(Instant::ZERO, &mut rx, &mut tx).unwrap() {
                    match event {
                        Event::Body(data) => read += data.len(),
                        Event::End => server.respond_with(Status::NO_CONTENT, &[], b"", &mut tx).unwrap(),
                        _ => {}
                    }
                }
                assert_eq!(read, len);
            });
        });
    }
}

const HEADS: [(&str, &[u8]); 3] = [
    ("curl_68", b"GET /cookies HTTP/1.1\r\nHost: 127.0.0.1:8090\r\nUser-Agent: curl/8.\r\n\r\n"),
    (
        "upgrade_230",
        b"GET /chat?id=42 HTTP/1.1\r\n\
          Host: server.example.com:8080\r\n\
          Upgrade: websocket\r\n\
          Connection: Upgrade\r\n\
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
          Origin: http://example.com\r\n\
          Sec-WebSocket-Protocol: chat\r\n\
          Sec-WebSocket-Version: 13\r\n\r\n",
    ),
    (
        "browser_609",
        b"GET /app/dashboard/projects/4711/issues?state=open&sort=updated&page=3 HTTP/1.1\r\n\
          Host: app.example.com\r\n\
          Connection: keep-alive\r\n\
          sec-ch-ua-platform: \"Linux\"\r\n\
          User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n\
          Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
          Sec-Fetch-Site: same-origin\r\n\
          Sec-Fetch-Mode: navigate\r\n\
          Referer: https://app.example.com/app/dashboard\r\n\
          Accept-Encoding: gzip, deflate, br, zstd\r\n\
          Accept-Language: en-GB,en;q=0.9\r\n\
          Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n\r\n",
    ),
];
