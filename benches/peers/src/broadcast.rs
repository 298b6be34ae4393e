//! One text message of 300 bytes, sent to 10,000 connections; one operation is one connection.
//!
//! Every peer in the best way its public API has: hopwire compresses once (`Prepared`); sockudo compresses for each
//! connection (`CompressedProtocol`; with a hundred connections, for ten thousand of its compressors are 3 GB) or sends plain;
//! tungstenite knows no compression and shares the payload. All encode into a buffer that a socket would be written from;
//! `…_in_place`: hopwire hands out the shared bytes instead, to be written from where they lie. No peer can: each copies
//! what is shared into the connection's buffer, and a half of what hopwire's first variant takes is that copy (`@copy150B`).
use crate::harness::*;
use crate::inputs::parse;
use crate::memio::{MemIo, Sink};
use hopwire::{io, ws};
use std::hint::black_box;
use std::sync::Arc;

const AREA: &str = "broadcast";
const N: usize = 10_000;
/// sockudo's, with a compressor each.
const FEW: usize = 100;

const TEXT: &str = "{\"type\":\"quote\",\"symbol\":\"EURUSD\",\"bid\":1.08623,\"ask\":1.08641,\"time\":\"2026-11-21T16:00:00.123Z\",\
    \"venue\":\"A\",\"depth\":[{\"price\":1.08622,\"size\":1000000},{\"price\":1.08621,\"size\":2500000},{\"price\":1.08620,\"size\":5000000},\
    {\"price\":1.08619,\"size\":7500000}],\"status\":\"open\",\"sequence\":1234567,\"desk\":\"eu-1\"}";

pub fn run() {
    assert!((290..310).contains(&TEXT.len()), "{}", TEXT.len());
    let mut group = Group::new(AREA, "text300B");
    if !group.wanted() {
        return;
    }
    let g = &mut group;

    let params = ws::handshake::deflate::Params {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        ..Default::default()
    };
    let mut shared = ws::Shared::default();
    let message = ws::Prepared::text(TEXT).compressed(&mut shared);
    let mut sessions: Vec<_> = (0..N).map(|_| ws::Session::server(ws::Config::new(), Some(params))).collect();
    let mut out = vec![0; 1024];
    sessions[0].outbox(&mut shared).send_prepared(&message, &mut io::Tx::new(&mut out)).unwrap();
    assert!(out[0] == 0xc1 && out[1] > 100, "compressed");
    g.add_hopwire("", N, move || {
        // Encoded anew in each round: it is another message.
        let message = ws::Prepared::text(black_box(TEXT)).compressed(&mut shared);
        for session in &mut sessions {
            let mut tx = io::Tx::new(&mut out);
            session.outbox(&mut shared).send_prepared(&message, &mut tx).unwrap();
            black_box(tx.written().as_ptr());
        }
    });

    let mut shared = ws::Shared::default();
    let mut sessions: Vec<_> = (0..N).map(|_| ws::Session::server(ws::Config::new(), Some(params))).collect();
    g.add_hopwire("in_place", N, move || {
        let message = ws::Prepared::text(black_box(TEXT)).compressed(&mut shared);
        for session in &mut sessions {
            black_box(session.outbox(&mut shared).send_prepared_in_place(black_box(&message)).unwrap());
        }
    });

    use sockudo_ws::protocol::{CompressedProtocol, Message, Protocol, Role};
    let bytes = bytes::Bytes::from_static(TEXT.as_bytes());
    let config = sockudo_ws::DeflateConfig { compression_level: 1, ..sockudo_ws::DeflateConfig::low_memory() };
    let mut all: Vec<_> = (0..FEW).map(|_| CompressedProtocol::server(16 << 20, 64 << 20, config.clone())).collect();
    let (mut out, payload) = (bytes::BytesMut::with_capacity(1024), bytes.clone());
    all[0].encode_message(&Message::Text(payload.clone()), &mut out).unwrap();
    assert!(out[0] == 0xc1, "compressed");
    g.add("sockudo-ws", FEW, move || {
        let message = Message::Text(payload.clone());
        for connection in &mut all {
            out.clear();
            connection.encode_message(black_box(&message), &mut out).unwrap();
            black_box(out.as_ptr());
        }
    });
    let mut all: Vec<_> = (0..N).map(|_| Protocol::new(Role::Server, 16 << 20, 64 << 20)).collect();
    let (mut out, payload) = (bytes::BytesMut::with_capacity(1024), bytes.clone());
    g.add("sockudo-ws(plain)", N, move || {
        let message = Message::Text(payload.clone());
        for connection in &mut all {
            out.clear();
            connection.encode_message(black_box(&message), &mut out).unwrap();
            black_box(out.as_ptr());
        }
    });

    let config = tungstenite::protocol::WebSocketConfig::default().read_buffer_size(1024).write_buffer_size(0);
    let connection = || {
        let io = MemIo::once(b"", Sink::Null);
        tungstenite::WebSocket::from_raw_socket(io, tungstenite::protocol::Role::Server, Some(config))
    };
    let mut check = connection();
    check.get_mut().sink = Sink::Collect(Vec::new());
    let text = tungstenite::Utf8Bytes::from_static(TEXT);
    check.send(tungstenite::Message::Text(text.clone())).unwrap();
    let Sink::Collect(wire) = &check.get_ref().sink else { panic!() };
    assert_eq!(parse(wire)[0].2, TEXT.as_bytes());
    let mut all: Vec<_> = (0..N).map(|_| connection()).collect();
    g.add("tungstenite(plain)", N, move || {
        for connection in &mut all {
            connection.send(tungstenite::Message::Text(black_box(&text).clone())).unwrap();
        }
    });

    // What is left to do: the frame copied into each connection's buffer.
    let shared: Arc<[u8]> = Arc::from(&[0; 150][..]);
    let mut out = vec![0; 1024];
    g.add("@copy150B", N, move || {
        for _ in 0..N {
            out[..150].copy_from_slice(black_box(&shared));
            black_box(out.as_ptr());
        }
    });
    group.run();
}
