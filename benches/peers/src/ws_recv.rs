//! A server receives masked text frames and delivers unmasked, UTF-8-checked messages.
//!
//! Everyone starts from the same immutable wire bytes and pays for exactly one copy of them into a receive buffer (the
//! read from the socket); `@copy` is that copy alone. All messages lie in one feed; in `.._single` each comes alone.
//! hopwire reads into a buffer of 16 KiB, which a processor's first cache holds, and delivers in place, longer frames in pieces, as `Text` (in `.._str` as
//! `&str`; in `.._inplace` without the read, which its user's socket does); the other peers assemble.
use crate::harness::*;
use crate::inputs::*;
use crate::memio::{MemIo, Sink};
use hopwire::{io, time::Instant, ws};
use std::hint::black_box;

const AREA: &str = "ws_recv";

#[derive(Clone)]
struct Wire {
    pub all: &'static [u8],
    /// what one feed hands over
    pub feeds: Vec<&'static [u8]>,
    pub n: usize,
    /// for MemIo
    pub unit: usize,
}
impl Wire {
    pub fn io(&self) -> MemIo {
        MemIo::new(self.all, self.unit, Sink::Null)
    }
}

/// One peer: receive one round (all messages of the wire), calling `f` with each piece of payload and whether it is
/// the last of its message. Only hopwire delivers pieces.
trait Rx: 'static {
    fn round(&mut self, f: &mut impl FnMut(&[u8], bool));
}

fn add(g: &mut Group, name: &str, w: &Wire, payload: &'static [u8], rx: impl Rx) {
    let work = checked(name, w, payload, rx);
    g.add(name, w.n, work);
}

/// Runs two rounds, checks every payload, and gives back the work to be timed.
fn checked(name: &str, w: &Wire, payload: &'static [u8], mut rx: impl Rx) -> impl FnMut() + 'static {
    let (mut seen, mut at) = (0, 0);
    for _ in 0..2 {
        rx.round(&mut |piece, end| {
            assert!(payload[at..].starts_with(piece), "{name}: wrong payload");
            at += piece.len();
            if end {
                assert_eq!(at, payload.len(), "{name}: short payload");
                (seen, at) = (seen + 1, 0);
            }
        });
    }
    assert_eq!(seen, 2 * w.n, "{name}: message count");
    move || {
        rx.round(&mut |piece, end| {
            black_box((piece.as_ptr(), piece.len(), end));
        });
    }
}

/// A receive buffer of 16 KiB, filled anew by each read; text in place, as `Text` or as `&str`.
struct Hopwire<const AS_STR: bool> {
    conn: ws::Connection<ws::Server>,
    inbox: io::RxBuffer<Vec<u8>>,
    out: [u8; 256],
    w: Wire,
}
impl<const AS_STR: bool> Hopwire<AS_STR> {
    fn new(w: &Wire) -> Self {
        let inbox = io::RxBuffer::new(vec![0; 16384]);
        Self { conn: ws::Connection::default(), inbox, out: [0; 256], w: w.clone() }
    }
}
impl<const AS_STR: bool> Rx for Hopwire<AS_STR> {
    fn round(&mut self, f: &mut impl FnMut(&[u8], bool)) {
        for w in &self.w.feeds {
            let mut w = *w;
            while !w.is_empty() {
                let space = self.inbox.space();
                let (read, rest) = w.split_at(w.len().min(space.len()));
                space[..read.len()].copy_from_slice(read);
                self.inbox.advance(read.len());
                w = rest;
                let (mut rx, mut tx) = (self.inbox.rx(), io::Tx::new(&mut self.out));
                while let Some(event) = self.conn.poll(Instant::ZERO, &mut rx, &mut tx).unwrap() {
                    match event {
                        ws::Event::Text { text, end } if AS_STR => f(black_box(text.as_str()).as_bytes(), end),
                        ws::Event::Text { text, end } => f(text.as_bytes(), end),
                        event => panic!("{event:?}"),
                    }
                }
                let consumed = rx.consumed();
                self.inbox.consume(consumed);
            }
        }
    }
}

/// hopwire over a buffer in which the frame lies already: the work without the read. Masked with a key of zeros, it stays
/// as it is and can be received again.
struct InPlace {
    conn: ws::Connection<ws::Server>,
    frame: Vec<u8>,
    n: usize,
}
impl InPlace {
    fn new(payload: &[u8], n: usize) -> Self {
        let len = (payload.len() as u64).to_be_bytes();
        let head = if payload.len() < 1 << 16 {
            [&[0x81, 0xfe], &len[6..]].concat()
        } else {
            [&[0x81, 0xff], &len[..]].concat()
        };
        Self { conn: ws::Connection::default(), frame: [&head, &[0; 4][..], payload].concat(), n }
    }
}
impl Rx for InPlace {
    fn round(&mut self, f: &mut impl FnMut(&[u8], bool)) {
        for _ in 0..self.n {
            let (mut rx, mut tx) = (io::Rx::new(black_box(&mut self.frame)), io::Tx::new(&mut []));
            while let Some(event) = self.conn.poll(Instant::ZERO, &mut rx, &mut tx).unwrap() {
                let ws::Event::Text { text, end } = event else { panic!("{event:?}") };
                f(text.as_bytes(), end);
            }
        }
    }
}

struct Tungstenite(tungstenite::WebSocket<MemIo>, usize);
impl Rx for Tungstenite {
    fn round(&mut self, f: &mut impl FnMut(&[u8], bool)) {
        for _ in 0..self.1 {
            match self.0.read().unwrap() {
                tungstenite::Message::Text(t) => f(t.as_bytes(), true),
                m => panic!("{m:?}"),
            }
        }
    }
}

struct Fast(fastwebsockets::FragmentCollector<MemIo>, usize);
impl Rx for Fast {
    fn round(&mut self, f: &mut impl FnMut(&[u8], bool)) {
        for _ in 0..self.1 {
            let m = now(self.0.read_frame()).unwrap();
            assert!(m.opcode == fastwebsockets::OpCode::Text);
            f(&m.payload, true);
        }
    }
}

struct TokioWs(tokio_websockets::WebSocketStream<MemIo>, usize);
impl Rx for TokioWs {
    fn round(&mut self, f: &mut impl FnMut(&[u8], bool)) {
        use futures::Stream;
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        for _ in 0..self.1 {
            match std::pin::Pin::new(&mut self.0).poll_next(&mut cx) {
                std::task::Poll::Ready(Some(Ok(m))) => f(m.as_text().unwrap().as_bytes(), true),
                _ => panic!(),
            }
        }
    }
}

struct Sockudo {
    p: sockudo_ws::protocol::Protocol,
    buf: bytes::BytesMut,
    out: Vec<sockudo_ws::protocol::Message>,
    w: Wire,
}
impl Rx for Sockudo {
    fn round(&mut self, f: &mut impl FnMut(&[u8], bool)) {
        for w in &self.w.feeds {
            self.buf.extend_from_slice(w);
            self.p.process_into(&mut self.buf, &mut self.out).unwrap();
            for m in self.out.drain(..) {
                match m {
                    sockudo_ws::protocol::Message::Text(t) => f(&t, true),
                    _ => panic!(),
                }
            }
        }
    }
}

struct Shiguredo(shiguredo_websocket::WebSocketServerConnection, Wire);
impl Rx for Shiguredo {
    fn round(&mut self, f: &mut impl FnMut(&[u8], bool)) {
        for w in &self.1.feeds {
            self.0.feed_recv_buf(w).unwrap();
            while let Some(e) = self.0.poll_event() {
                match e {
                    shiguredo_websocket::ConnectionEvent::TextMessage(t) => f(t.as_bytes(), true),
                    e => panic!("{e:?}"),
                }
            }
        }
    }
}

struct WsNet(ws_net::Connection, Wire);
impl Rx for WsNet {
    fn round(&mut self, f: &mut impl FnMut(&[u8], bool)) {
        for w in &self.1.feeds {
            let mut w = *w;
            loop {
                match self.0.poll().unwrap() {
                    ws_net::Event::Text(t) => f(t.as_bytes(), true),
                    ws_net::Event::NeedInput => {
                        if w.is_empty() {
                            break;
                        }
                        let n = self.0.feed(w);
                        w = &w[n..];
                    }
                    e => panic!("{e:?}"),
                }
            }
        }
    }
}

/// Codec only; reads into a Vec, std's UTF-8 check added by hand to do the same work.
struct SansIo(websocket_sans_io::WebsocketFrameDecoder, Vec<u8>, Wire);
impl Rx for SansIo {
    fn round(&mut self, f: &mut impl FnMut(&[u8], bool)) {
        use websocket_sans_io::WebsocketFrameEvent::*;
        for w in &self.2.feeds {
            self.1.clear();
            self.1.extend_from_slice(w);
            let mut pos = 0;
            loop {
                let rest = &mut self.1[pos..];
                let r = self.0.add_data(rest).unwrap();
                match r.event {
                    Some(PayloadChunk { .. }) => {
                        let p = &rest[..r.consumed_bytes];
                        f(std::str::from_utf8(p).unwrap().as_bytes(), true);
                    }
                    None if r.consumed_bytes == 0 => break,
                    _ => {}
                }
                pos += r.consumed_bytes;
            }
        }
    }
}

/// Codec only; reads into a Vec, std's UTF-8 check added by hand to do the same work.
struct Soketto(soketto::base::Codec, Vec<u8>, Wire);
impl Rx for Soketto {
    fn round(&mut self, f: &mut impl FnMut(&[u8], bool)) {
        for w in &self.2.feeds {
            self.1.clear();
            self.1.extend_from_slice(w);
            let mut buf = &mut self.1[..];
            while !buf.is_empty() {
                let soketto::Parsing::Done { value: h, offset } = self.0.decode_header(buf).unwrap() else { panic!() };
                let (p, rest) = buf[offset..].split_at_mut(h.payload_len());
                soketto::base::Codec::apply_mask(&h, p);
                f(std::str::from_utf8(p).unwrap().as_bytes(), true);
                buf = rest;
            }
        }
    }
}

/// No UTF-8 check in this crate.
struct WebSock(web_socket::WebSocket<MemIo>, usize);
impl Rx for WebSock {
    fn round(&mut self, f: &mut impl FnMut(&[u8], bool)) {
        for _ in 0..self.1 {
            match now(self.0.recv()).unwrap() {
                web_socket::Event::Data { data, .. } => f(&data, true),
                _ => panic!(),
            }
        }
    }
}

/// Hand-written, safe, std only: what plain code without SIMD costs.
struct SafeFloor(Vec<u8>, Wire, bool);
impl Rx for SafeFloor {
    fn round(&mut self, f: &mut impl FnMut(&[u8], bool)) {
        for w in &self.1.feeds {
            self.0.clear();
            self.0.extend_from_slice(w);
            let mut buf = &mut self.0[..];
            while buf.len() >= 6 {
                assert!(buf[0] == 0x81 && buf[1] & 0x80 != 0);
                let (len, o) = match buf[1] & 0x7f {
                    126 => (u16::from_be_bytes([buf[2], buf[3]]) as usize, 4),
                    127 => (u64::from_be_bytes(buf[2..10].try_into().unwrap()) as usize, 10),
                    n => (n as usize, 2),
                };
                let key: [u8; 4] = buf[o..o + 4].try_into().unwrap();
                let (p, rest) = buf[o + 4..].split_at_mut(len);
                mask_safe(p, key);
                if self.2 {
                    simdutf8::basic::from_utf8(p).unwrap();
                } else {
                    std::str::from_utf8(p).unwrap();
                }
                f(p, true);
                buf = rest;
            }
        }
    }
}

fn cases() -> Vec<(&'static str, Vec<u8>, usize)> {
    vec![
        ("ascii16B", ascii(16), 64),
        ("ascii125B", ascii(125), 64),
        ("ascii1KiB", ascii(1024), 64),
        ("ascii16KiB", ascii(16384), 64),
        ("ascii1MiB", ascii(1 << 20), 4),
        ("japanese1KiB", japanese(1024), 64),
        ("japanese64KiB", japanese(65536), 16),
    ]
}

pub fn run() {
    for (name, payload, n) in cases() {
        let (all, one) = masked_text(&payload, n);
        let (all, payload) = (leak(all), leak(payload));
        for batch in [true, false] {
            let mut group = Group::new(AREA, format!("{name}{}", if batch { "" } else { "_single" }));
            if !group.wanted() {
                continue;
            }
            let w = Wire {
                all,
                feeds: if batch { vec![all] } else { all.chunks(one).collect() },
                n,
                unit: if batch { 0 } else { one },
            };
            let (g, p) = (&mut group, payload);
            g.add_hopwire("", n, checked("hopwire", &w, p, Hopwire::<false>::new(&w)));
            if p.len() >= 16384 {
                g.add_hopwire("inplace", n, checked("hopwire", &w, p, InPlace::new(p, n)));
            }
            if p.len() <= 1024 {
                g.add_hopwire("str", n, checked("hopwire", &w, p, Hopwire::<true>::new(&w)));
            }
            let ws = tungstenite::WebSocket::from_raw_socket(w.io(), tungstenite::protocol::Role::Server, None);
            add(g, "tungstenite", &w, p, Tungstenite(ws, n));
            let ws = fastwebsockets::WebSocket::after_handshake(w.io(), fastwebsockets::Role::Server);
            add(g, "fastwebsockets", &w, p, Fast(fastwebsockets::FragmentCollector::new(ws), n));
            add(g, "tokio-websockets", &w, p, TokioWs(tokio_websockets::ServerBuilder::new().serve(w.io()), n));
            let server = sockudo_ws::protocol::Protocol::new(sockudo_ws::protocol::Role::Server, 16 << 20, 64 << 20);
            let (buf, out) = (bytes::BytesMut::with_capacity(65536), Vec::with_capacity(64));
            add(g, "sockudo-ws", &w, p, Sockudo { p: server, buf, out, w: w.clone() });
            add(g, "ws-net", &w, p, WsNet(ws_net::Connection::server(), w.clone()));
            add(g, "shiguredo_websocket", &w, p, Shiguredo(shiguredo_server(), w.clone()));
            let inbox = || Vec::with_capacity(all.len());
            let decoder = websocket_sans_io::WebsocketFrameDecoder::default();
            add(g, "websocket-sans-io(codec,std_utf8)", &w, p, SansIo(decoder, inbox(), w.clone()));
            add(g, "soketto(codec,std_utf8)", &w, p, Soketto(soketto::base::Codec::new(), inbox(), w.clone()));
            add(g, "web-socket(no_utf8_check)", &w, p, WebSock(web_socket::WebSocket::server(w.io()), n));
            add(g, "@safe-std", &w, p, SafeFloor(inbox(), w.clone(), false));
            add(g, "@safe-mask+simdutf8", &w, p, SafeFloor(inbox(), w.clone(), true));
            let (mut to, feeds) = (vec![0; 16384], w.feeds.clone());
            g.add("@copy", n, move || {
                for feed in &feeds {
                    copy(black_box(feed), &mut to);
                }
            });
            group.run();
        }
    }
}
