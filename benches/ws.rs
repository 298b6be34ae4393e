//! WebSocket: messages received and sent in both roles, compressed or not, and one message to many.
//! Beside other libraries: benches/peers.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use hopwire::io::{Rx, Tx};
use hopwire::time::Instant;
use hopwire::ws::handshake::deflate::Params;
use hopwire::ws::{Config, Connection, Event, Message, Prepared, Session, Shared};

criterion_main!(benches);
criterion_group!(benches, receive, send, sessions, broadcast);

fn keys(key: &mut [u8]) {
    key.copy_from_slice(&[0x37, 0xfa, 0x21, 0x3d]);
}

fn receive(c: &mut Criterion) {
    for len in [16, 125, 1 << 10, 16 << 10] {
        let mut wire = vec![0; len + 14];
        let mut tx = Tx::new(&mut wire);
        Connection::client(keys, Config::new()).send_text(&*text(len), &mut tx).expect("there is room");
        let used = tx.len();
        wire.truncate(used);
        let mut group = c.benchmark_group("receive");
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(format!("text_{len}"), |b| {
            let mut conn = Connection::default();
            b.iter_batched_ref(
                || wire.clone(),
                |wire| {
                    let (mut rx, mut tx) = (Rx::new(wire), Tx::new(&mut []));
                    matches!(conn.poll(Instant::ZERO, &mut rx, &mut tx), Ok(Some(Event::Text { end: true, .. })))
                },
                BatchSize::SmallInput,
            );
        });
        group.finish();
    }
}

fn send(c: &mut Criterion) {
    for len in [16, 1 << 10, 64 << 10] {
        let data = text(len).into_bytes();
        let mut out = vec![0; len + 14];
        let mut group = c.benchmark_group("send");
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(format!("server_{len}"), |b| {
            let mut conn = Connection::default();
            b.iter(|| conn.send_binary(black_box(&data), &mut Tx::new(&mut out)));
        });
        group.bench_function(format!("client_{len}"), |b| {
            let mut conn = Connection::client(keys, Config::new());
            b.iter(|| conn.send_binary(black_box(&data), &mut Tx::new(&mut out)));
        });
        group.finish();
    }
}

/// A client says it, a server hears it.
fn sessions(c: &mut Criterion) {
    let text = text(300);
    let no_context = Params { server_no_context_takeover: true, client_no_context_takeover: true, ..Params::default() };
    for (name, params) in [("plain", None), ("deflate", Some(Params::default())), ("no_context", Some(no_context))] {
        let mut client = Session::client(keys, Config::new(), params);
        let mut server = Session::server(Config::new(), params);
        let (mut shared, mut wire) = (Shared::default(), Vec::new());
        c.bench_function(&format!("session/{name}_300"), |b| {
            b.iter(|| {
                wire.clear();
                client.outbox(&mut shared).send_text(&*text, &mut Tx::growing(&mut wire, 4096)).expect("there is room");
                let (mut rx, mut tx) = (Rx::new(&mut wire), Tx::new(&mut []));
                let heard = server.poll(Instant::ZERO, &mut shared, &mut rx, &mut tx);
                matches!(heard, Ok(Some((Message::Text(_), _))))
            });
        });
    }
}

fn broadcast(c: &mut Criterion) {
    let mut shared = Shared::default();
    let mut sessions: Vec<_> = (0..1000).map(|_| Session::server(Config::new(), Some(Params::default()))).collect();
    let (text, mut out) = (text(300), vec![0; 1024]);
    c.bench_function("broadcast/1000", |b| {
        b.iter(|| {
            let message = Prepared::text(&*text).compressed(&mut shared);
            for session in &mut sessions {
                let _ = session.outbox(&mut shared).send_prepared(&message, &mut Tx::new(&mut out));
            }
        });
    });
}

/// Text that can be compressed, but not to nothing.
fn text(len: usize) -> String {
    let words = (0_u32..)
        .flat_map(|n| format!("{{\"id\":{},\"price\":{}}},", n % 17, n.wrapping_mul(2_654_435_761) >> 16).into_bytes());
    words.take(len).map(char::from).collect()
}
