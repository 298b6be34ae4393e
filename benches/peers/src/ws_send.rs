//! Encoding one binary message as a server (unmasked) or a client (masked) and handing it over.
//!
//! The sink takes note of the bytes and nothing more, so a case is the library's own work (peers that write vectored
//! never copy the payload); in `.._copied` the sink copies as a kernel would. hopwire's first variant writes the whole
//! frame into a fixed buffer; `prefix` writes the frame header alone and hands the payload over as it is.
use crate::harness::*;
use crate::inputs::*;
use crate::memio::{MemIo, Sink};
use bytes::{Bytes, BytesMut};
use hopwire::{io, ws};
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Waker};

const AREA: &str = "ws_send";

trait Tx: 'static {
    /// Encode one message and hand all bytes to the sink.
    fn send(&mut self, payload: &'static [u8], bytes: &Bytes);
    fn sink(&mut self) -> &mut MemIo;
    fn masks(&self) -> bool {
        false
    }
}

/// A client's end of a peer.
struct Masked<T>(T);
impl<T: Tx> Tx for Masked<T> {
    fn send(&mut self, p: &'static [u8], b: &Bytes) {
        self.0.send(p, b);
    }
    fn sink(&mut self) -> &mut MemIo {
        self.0.sink()
    }
    fn masks(&self) -> bool {
        true
    }
}

fn add(g: &mut Group, name: &str, payload: &'static [u8], tx: impl Tx) {
    let work = checked(name, payload, tx);
    g.add(name, 1, work);
}

/// Sends three messages, checks what was written, and gives back the work to be timed.
fn checked(name: &str, payload: &'static [u8], mut tx: impl Tx) -> impl FnMut() + 'static {
    let bytes = Bytes::copy_from_slice(payload);
    let old = std::mem::replace(&mut tx.sink().sink, Sink::Collect(Vec::new()));
    for _ in 0..3 {
        tx.send(payload, &bytes);
    }
    let Sink::Collect(v) = std::mem::replace(&mut tx.sink().sink, old) else { panic!() };
    let frames = parse(&v);
    assert_eq!(frames.len(), 3, "{name}");
    for (b0, masked, p) in frames {
        assert!(b0 == 0x82 && masked == tx.masks() && p == payload, "{name}");
    }
    move || tx.send(black_box(payload), black_box(&bytes))
}

struct Hopwire<R>(ws::Connection<R>, Box<[u8]>, MemIo);
impl<R: ws::Role + 'static> Tx for Hopwire<R> {
    fn send(&mut self, p: &'static [u8], _: &Bytes) {
        let mut tx = io::Tx::new(&mut self.1);
        self.0.send_binary(p, &mut tx).unwrap();
        write(&mut self.2, tx.written());
    }
    fn sink(&mut self) -> &mut MemIo {
        &mut self.2
    }
}
/// The frame header alone; the payload is handed over from where it lies.
struct HopwirePrefix(ws::Connection<ws::Server>, Box<[u8]>, MemIo);
impl Tx for HopwirePrefix {
    fn send(&mut self, p: &'static [u8], _: &Bytes) {
        let mut tx = io::Tx::new(&mut self.1);
        self.0.send_prefix(ws::Kind::Binary, p.len() as u64, true, &mut tx).unwrap();
        write(&mut self.2, tx.written());
        write(&mut self.2, p);
    }
    fn sink(&mut self) -> &mut MemIo {
        &mut self.2
    }
}

struct Tungstenite(tungstenite::WebSocket<MemIo>);
impl Tx for Tungstenite {
    fn send(&mut self, _: &'static [u8], b: &Bytes) {
        self.0.send(tungstenite::Message::Binary(b.clone())).unwrap();
    }
    fn sink(&mut self) -> &mut MemIo {
        self.0.get_mut()
    }
}
struct Fast(fastwebsockets::WebSocket<MemIoRef>, Box<MemIo>);
/// fastwebsockets gives no access to its stream: share it through a raw pointer owned by the peer.
struct MemIoRef(*mut MemIo);
unsafe impl Send for MemIoRef {}
impl MemIoRef {
    fn io(&mut self) -> Pin<&mut MemIo> {
        Pin::new(unsafe { &mut *self.0 })
    }
}
impl tokio::io::AsyncRead for MemIoRef {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        b: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        tokio::io::AsyncRead::poll_read(self.io(), cx, b)
    }
}
impl tokio::io::AsyncWrite for MemIoRef {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, b: &[u8]) -> std::task::Poll<std::io::Result<usize>> {
        tokio::io::AsyncWrite::poll_write(self.io(), cx, b)
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }
    #[inline]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        b: &[std::io::IoSlice<'_>],
    ) -> std::task::Poll<std::io::Result<usize>> {
        tokio::io::AsyncWrite::poll_write_vectored(self.io(), cx, b)
    }
    fn is_write_vectored(&self) -> bool {
        true
    }
}
impl Tx for Fast {
    fn send(&mut self, p: &'static [u8], _: &Bytes) {
        let f = fastwebsockets::Frame::binary(fastwebsockets::Payload::Borrowed(p));
        now(self.0.write_frame(f)).unwrap();
    }
    fn sink(&mut self) -> &mut MemIo {
        &mut self.1
    }
}
struct TokioWs(tokio_websockets::WebSocketStream<MemIo>);
impl Tx for TokioWs {
    fn send(&mut self, _: &'static [u8], b: &Bytes) {
        use futures::Sink;
        let mut cx = Context::from_waker(Waker::noop());
        let mut s = Pin::new(&mut self.0);
        assert!(s.as_mut().poll_ready(&mut cx).is_ready());
        s.as_mut().start_send(tokio_websockets::Message::binary(b.clone())).unwrap();
        assert!(s.poll_flush(&mut cx).is_ready());
    }
    fn sink(&mut self) -> &mut MemIo {
        self.0.get_mut()
    }
}
struct Sockudo(sockudo_ws::protocol::Protocol, BytesMut, MemIo);
impl Tx for Sockudo {
    fn send(&mut self, _: &'static [u8], b: &Bytes) {
        self.1.clear();
        self.0.encode_message(&sockudo_ws::protocol::Message::Binary(b.clone()), &mut self.1).unwrap();
        write(&mut self.2, &self.1);
    }
    fn sink(&mut self) -> &mut MemIo {
        &mut self.2
    }
}
struct WsNet(ws_net::Connection, MemIo);
impl Tx for WsNet {
    fn send(&mut self, p: &'static [u8], _: &Bytes) {
        self.0.send_binary(p).unwrap();
        let out = self.0.output();
        let n = out.len();
        write(&mut self.1, out);
        self.0.advance_output(n);
    }
    fn sink(&mut self) -> &mut MemIo {
        &mut self.1
    }
}
struct Shiguredo(shiguredo_websocket::WebSocketServerConnection, MemIo);
impl Tx for Shiguredo {
    fn send(&mut self, p: &'static [u8], _: &Bytes) {
        self.0.send_binary(p).unwrap();
        while let Some(o) = self.0.poll_output() {
            if let shiguredo_websocket::ConnectionOutput::SendData(d) = o {
                write(&mut self.1, &d);
            }
        }
    }
    fn sink(&mut self) -> &mut MemIo {
        &mut self.1
    }
}
/// The keys of those who are given them.
fn keys(key: &mut u32) -> [u8; 4] {
    *key = key.wrapping_mul(1664525).wrapping_add(1013904223);
    key.to_le_bytes()
}

struct SansIo(websocket_sans_io::WebsocketFrameEncoder, Vec<u8>, Option<u32>, MemIo);
impl Tx for SansIo {
    fn send(&mut self, p: &'static [u8], _: &Bytes) {
        let h = self.0.start_frame(&websocket_sans_io::FrameInfo {
            opcode: websocket_sans_io::Opcode::Binary,
            payload_length: p.len() as u64,
            mask: self.2.as_mut().map(keys),
            fin: true,
            reserved: 0,
        });
        self.1.clear();
        self.1.extend_from_slice(&h);
        self.1.extend_from_slice(p);
        self.0.transform_frame_payload(&mut self.1[h.len()..]);
        write(&mut self.3, &self.1);
    }
    fn sink(&mut self) -> &mut MemIo {
        &mut self.3
    }
}

struct Soketto(soketto::base::Codec, Vec<u8>, MemIo);
impl Tx for Soketto {
    fn send(&mut self, p: &'static [u8], _: &Bytes) {
        let mut h = soketto::base::Header::new(soketto::base::OpCode::Binary);
        h.set_payload_len(p.len());
        self.1.clear();
        self.1.extend_from_slice(self.0.encode_header(&h));
        self.1.extend_from_slice(p);
        write(&mut self.2, &self.1);
    }
    fn sink(&mut self) -> &mut MemIo {
        &mut self.2
    }
}

struct WebSock(web_socket::WebSocket<MemIo>);
impl Tx for WebSock {
    fn send(&mut self, p: &'static [u8], _: &Bytes) {
        now(self.0.send(p)).unwrap();
    }
    fn sink(&mut self) -> &mut MemIo {
        &mut self.0.stream
    }
}

/// Plain safe code: header, then copy.
struct Safe(Vec<u8>, MemIo);
impl Tx for Safe {
    fn send(&mut self, p: &'static [u8], _: &Bytes) {
        let mut h = [0u8; 10];
        h[0] = 0x82;
        let n = match p.len() {
            l @ 0..=125 => {
                h[1] = l as u8;
                2
            }
            l @ 126..=65535 => {
                h[1] = 126;
                h[2..4].copy_from_slice(&(l as u16).to_be_bytes());
                4
            }
            l => {
                h[1] = 127;
                h[2..10].copy_from_slice(&(l as u64).to_be_bytes());
                10
            }
        };
        self.0.clear();
        self.0.extend_from_slice(&h[..n]);
        self.0.extend_from_slice(p);
        write(&mut self.1, &self.0);
    }
    fn sink(&mut self) -> &mut MemIo {
        &mut self.1
    }
}

/// What no frame in one piece can do without: a header, made beforehand, and a copy of the payload behind it.
struct Floor(Vec<u8>, Box<[u8]>, MemIo);
impl Tx for Floor {
    fn send(&mut self, p: &'static [u8], _: &Bytes) {
        let (head, rest) = self.1.split_at_mut(self.0.len());
        head.copy_from_slice(&self.0);
        rest[..p.len()].copy_from_slice(p);
        write(&mut self.2, &self.1[..self.0.len() + p.len()]);
    }
    fn sink(&mut self) -> &mut MemIo {
        &mut self.2
    }
}

#[inline]
fn write(io: &mut MemIo, b: &[u8]) {
    std::io::Write::write_all(io, b).unwrap();
}

pub fn run() {
    for (size, label) in [(16, "16B"), (1024, "1KiB"), (65536, "64KiB")] {
        let payload = leak(ascii(size));
        for copy in [false, true] {
            let mut group = Group::new(AREA, format!("server{label}{}", if copy { "_copied" } else { "" }));
            if !group.wanted() {
                continue;
            }
            let io = || {
                let sink = if copy { Sink::Copy(vec![0; size + 64].into_boxed_slice()) } else { Sink::Null };
                MemIo::once(b"", sink)
            };
            let g = &mut group;
            let conn = ws::Connection::default;
            let out = || vec![0; size + 64].into_boxed_slice();
            g.add_hopwire("", 1, checked("hopwire", payload, Hopwire(conn(), out(), io())));
            if size > 125 {
                g.add_hopwire("prefix", 1, checked("hopwire", payload, HopwirePrefix(conn(), out(), io())));
            }
            let ws = tungstenite::WebSocket::from_raw_socket(io(), tungstenite::protocol::Role::Server, None);
            add(g, "tungstenite", payload, Tungstenite(ws));
            let mut stream = Box::new(io());
            let ws = fastwebsockets::WebSocket::after_handshake(MemIoRef(&mut *stream), fastwebsockets::Role::Server);
            add(g, "fastwebsockets(vectored)", payload, Fast(ws, stream));
            add(g, "tokio-websockets", payload, TokioWs(tokio_websockets::ServerBuilder::new().serve(io())));
            let p = sockudo_ws::protocol::Protocol::new(sockudo_ws::protocol::Role::Server, 16 << 20, 64 << 20);
            add(g, "sockudo-ws", payload, Sockudo(p, BytesMut::with_capacity(size + 64), io()));
            add(g, "ws-net", payload, WsNet(ws_net::Connection::server(), io()));
            add(g, "shiguredo_websocket", payload, Shiguredo(shiguredo_server(), io()));
            let out = || Vec::with_capacity(size + 64);
            add(g, "websocket-sans-io(codec)", payload, SansIo(Default::default(), out(), None, io()));
            add(g, "soketto(codec)", payload, Soketto(soketto::base::Codec::new(), out(), io()));
            add(g, "web-socket(vectored)", payload, WebSock(web_socket::WebSocket::server(io())));
            add(g, "@safe", payload, Safe(out(), io()));
            let mut head = vec![0; 16];
            let mut tx = io::Tx::new(&mut head);
            conn().send_prefix(ws::Kind::Binary, size as u64, true, &mut tx).unwrap();
            let floor = Floor(tx.written().to_vec(), vec![0; size + 64].into_boxed_slice(), io());
            add(g, "@floor", payload, floor);
            let mut dst = vec![0u8; size];
            g.add("@memcpy", 1, move || {
                dst.copy_from_slice(black_box(payload));
                black_box(dst.as_ptr());
            });
            group.run();
        }
    }
    for (size, label) in [(16, "16B"), (1024, "1KiB"), (65536, "64KiB")] {
        client(size, label);
    }
}

fn client(size: usize, label: &str) {
    let mut group = Group::new(AREA, format!("client{label}"));
    if !group.wanted() {
        return;
    }
    let payload = leak(ascii(size));
    let g = &mut group;
    let io = || MemIo::once(b"", Sink::Null);
    let (out, vec) = (vec![0; size + 64].into_boxed_slice(), || Vec::with_capacity(size + 64));
    let mut key = 1;
    let conn = ws::Connection::client(move |to: &mut [u8]| to.copy_from_slice(&keys(&mut key)), ws::Config::new());
    g.add_hopwire("", 1, checked("hopwire", payload, Masked(Hopwire(conn, out, io()))));
    let ws = tungstenite::WebSocket::from_raw_socket(io(), tungstenite::protocol::Role::Client, None);
    add(g, "tungstenite", payload, Masked(Tungstenite(ws)));
    let mut stream = Box::new(io());
    let ws = fastwebsockets::WebSocket::after_handshake(MemIoRef(&mut *stream), fastwebsockets::Role::Client);
    add(g, "fastwebsockets", payload, Masked(Fast(ws, stream)));
    add(g, "tokio-websockets", payload, Masked(TokioWs(tokio_websockets::ClientBuilder::new().take_over(io()))));
    let p = sockudo_ws::protocol::Protocol::new(sockudo_ws::protocol::Role::Client, 16 << 20, 64 << 20);
    add(g, "sockudo-ws", payload, Masked(Sockudo(p, BytesMut::with_capacity(size + 64), io())));
    add(g, "ws-net", payload, Masked(WsNet(ws_net::Connection::client_with_seed([7; 32]), io())));
    add(g, "websocket-sans-io(codec)", payload, Masked(SansIo(Default::default(), vec(), Some(1), io())));
    add(g, "web-socket", payload, Masked(WebSock(web_socket::WebSocket::client(io()))));
    let mut dst = vec![0u8; size];
    g.add("@memcpy", 1, move || {
        dst.copy_from_slice(black_box(payload));
        black_box(dst.as_ptr());
    });
    group.run();
}
