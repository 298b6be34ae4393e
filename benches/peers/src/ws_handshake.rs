//! A server's handshake: an upgrade request of 230 bytes in, `101 Switching Protocols` out.
//!
//! hopwire reads the head where it lies, judges the handshake and the origin, and writes the answer; that is what its peers
//! do with a slice (none of them looks at the origin). `.._connection` goes through the whole `Server`, with its copy
//! into a receive buffer, and ends with a WebSocket connection, like the peers marked `incl_conn`.
use crate::harness::*;
use crate::inputs::UPGRADE_230;
use crate::memio::{MemIo, Sink};
use hopwire::http1::server::{Event, Server};
use hopwire::http1::{HeadLimits, RequestHead};
use hopwire::io::{Rx, RxBuffer, Tx};
use hopwire::time::Instant;
use hopwire::ws::{Connection, Handshake, OriginPolicy};
use std::hint::black_box;

fn ok(r: &[u8]) {
    let s = std::str::from_utf8(r).unwrap();
    assert!(
        s.starts_with("HTTP/1.1 101 ") && s.ends_with("\r\n\r\n") && s.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        "{s}"
    );
}

const ORIGIN: OriginPolicy<'_> = OriginPolicy::Only(&["http://example.com"]);

pub fn run() {
    let mut g = Group::new("ws_handshake", "server230B");
    if !g.wanted() {
        return;
    }
    let limits = HeadLimits::default();
    let mut wire = UPGRADE_230.to_vec();
    let mut f = move |out: &mut [u8]| {
        let request = RequestHead::new().poll(&mut Rx::new(black_box(&mut wire)), &limits).unwrap().unwrap();
        let mut tx = Tx::new(out);
        Handshake::of(&request).unwrap().unwrap().accept(ORIGIN).unwrap().write(&mut tx).unwrap();
        tx.len()
    };
    let mut out = [0; 512];
    let written = f(&mut out);
    ok(&out[..written]);
    g.add_hopwire("", 1, move || {
        f(&mut out);
        black_box(&out);
    });
    let mut inbox = RxBuffer::new(vec![0; 1024]);
    let mut f = move |out: &mut [u8]| {
        let mut server = Server::default();
        let request = black_box(UPGRADE_230);
        inbox.space()[..request.len()].copy_from_slice(request);
        inbox.advance(request.len());
        let (mut rx, mut tx) = (inbox.rx(), Tx::new(out));
        let Some(Event::Request(request)) = server.poll(Instant::ZERO, &mut rx, &mut tx).unwrap() else { panic!() };
        let handshake = Handshake::of(&request).unwrap().unwrap();
        let answer = handshake.accept(ORIGIN).unwrap();
        let mut fields = [("", &b""[..]); 3];
        for (to, field) in fields.iter_mut().zip(answer.header().unwrap()) {
            *to = field;
        }
        server.switch_protocols(&fields, &mut tx).unwrap();
        black_box(Connection::default());
        let (consumed, written) = (rx.consumed(), tx.len());
        inbox.consume(consumed);
        written
    };
    let written = f(&mut out);
    ok(&out[..written]);
    g.add_hopwire("connection", 1, move || {
        f(&mut out);
        black_box(&out);
    });

    let mut out = Vec::with_capacity(512);
    let f = |out: &mut Vec<u8>| {
        out.clear();
        let (h, _) = ws_net::ServerHandshake::from_head(black_box(UPGRADE_230)).unwrap().unwrap();
        h.write_response(None, out).unwrap();
    };
    f(&mut out);
    ok(&out);
    g.add("ws-net", 1, move || {
        f(&mut out);
        black_box(out.as_ptr());
    });
    let f = || {
        let (r, _) = sockudo_ws::handshake::parse_request(black_box(UPGRADE_230)).unwrap().unwrap();
        let k = sockudo_ws::handshake::generate_accept_key(r.key);
        sockudo_ws::handshake::build_response(&k, None, None)
    };
    ok(&f());
    g.add("sockudo-ws", 1, move || {
        black_box(f());
    });
    let f = || {
        let o = shiguredo_websocket::ServerConnectionOptions::new();
        let mut c = shiguredo_websocket::WebSocketServerConnection::new(o);
        c.feed_recv_buf(black_box(UPGRADE_230)).unwrap();
        c.accept_handshake_auto().unwrap();
        loop {
            match c.poll_output() {
                Some(shiguredo_websocket::ConnectionOutput::SendData(d)) => break (c, d),
                Some(_) => {}
                None => panic!(),
            }
        }
    };
    ok(&f().1);
    g.add("shiguredo_websocket(incl_conn)", 1, move || {
        black_box(f());
    });
    let f = |s| tungstenite::accept(MemIo::once(UPGRADE_230, s)).unwrap();
    match &f(Sink::Collect(vec![])).get_ref().sink {
        Sink::Collect(v) => ok(v),
        _ => panic!(),
    }
    g.add("tungstenite-accept(incl_conn)", 1, move || {
        black_box(f(Sink::Null));
    });
    let f = |s| now(tokio_websockets::ServerBuilder::new().accept(MemIo::once(UPGRADE_230, s))).unwrap().1;
    match &f(Sink::Collect(vec![])).get_ref().sink {
        Sink::Collect(v) => ok(v),
        _ => panic!(),
    }
    g.add("tokio-websockets-accept(incl_conn)", 1, move || {
        black_box(f(Sink::Null));
    });
    g.run();
}
