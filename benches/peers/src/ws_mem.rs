//! Memory of an idle connection: 10,000 of them, each after a handshake and one message of 100 bytes in each direction.
//!
//! Lines are `ws_mem case peer(struct+heap) bytes ratio blocks`: bytes a connection, without the in-memory stream, and
//! blocks on the heap. Buffers that serve all connections of a thread are not a connection's.
use crate::harness::*;
use crate::hyper_mem::hyper_conn;
use crate::inputs::*;
use crate::memio::{MemIo, Sink};
use futures::{Sink as _, Stream};
use hopwire::http1::{self, server};
use hopwire::{http, io as hop, time::Instant, ws};
use std::pin::Pin;
use std::task::{Context, Waker};

const N: usize = 10_000;

/// One case: bytes on the struct, bytes and blocks on the heap.
struct Memory {
    case: &'static str,
    rows: Vec<(&'static str, f64, f64, f64)>,
}

impl Memory {
    fn new(case: &'static str) -> Self {
        Self { case, rows: Vec::new() }
    }

    /// `io` is the size of what is in the struct but not the connection's own.
    fn measure<T>(&mut self, peer: &'static str, io: usize, make: impl FnMut() -> T) {
        self.measure_n(N, peer, io, make);
    }

    /// Of what would be gigabytes, a hundredth.
    fn measure_few<T>(&mut self, peer: &'static str, make: impl FnMut() -> T) {
        self.measure_n(N / 100, peer, 0, make);
    }

    fn measure_n<T>(&mut self, n: usize, peer: &'static str, io: usize, mut make: impl FnMut() -> T) {
        // Shared one-time state (thread locals, lazies) is not the connection's.
        drop(make());
        let mut v = Vec::with_capacity(n);
        let ((), heap) = counted(|| (0..n).for_each(|_| v.push(make())));
        let each = |total: i64| total as f64 / n as f64;
        self.rows.push((peer, (size_of::<T>() - io) as f64, each(heap.live), each(heap.blocks)));
    }

    fn print(self) {
        let total = |row: &(&str, f64, f64, f64)| row.1 + row.2;
        let ours = self.rows.iter().find(|row| row.0 == "hopwire").map_or(f64::NAN, total);
        for row in &self.rows {
            let (peer, size, heap, blocks) = row;
            print_line(
                "ws_mem",
                self.case,
                &format!("{peer}({size}+{heap:.0})"),
                total(row),
                total(row) / ours,
                *blocks,
            );
        }
    }
}

fn check(io: &MemIo, payload: &[u8]) {
    if let Sink::Collect(v) = &io.sink {
        assert_eq!(parse(&v[v.len() - 102..])[0].2, payload);
    }
}

pub fn run() {
    let mut idle = Memory::new("idle");
    let io = size_of::<MemIo>();
    let p = leak(ascii(100));
    let msg = bytes::Bytes::from_static(p);
    let mut fr = Vec::new();
    frame(1, Some([1, 2, 3, 4]), p, &mut fr);
    let fr = leak(fr);
    let full = leak([UPGRADE_PLAIN, fr].concat());

    // hopwire: received bytes and answers lie in buffers the connections share, as long as nothing is left over
    let (mut inbox, mut out) = (hop::RxBuffer::new(vec![0; 4096]), vec![0; 4096]);
    idle.measure("hopwire", 0, || {
        inbox.space()[..full.len()].copy_from_slice(full);
        inbox.advance(full.len());
        let (mut rx, mut tx) = (inbox.rx(), hop::Tx::new(&mut out));
        let mut server = http1::Server::default();
        let Ok(Some(server::Event::Request(request))) = server.poll(Instant::ZERO, &mut rx, &mut tx) else { panic!() };
        let handshake = ws::Handshake::of(&request).unwrap().unwrap();
        handshake.accept(ws::OriginPolicy::SameHost).unwrap().write(&mut tx).unwrap();
        let mut connection = ws::Connection::default();
        match connection.poll(Instant::ZERO, &mut rx, &mut tx) {
            Ok(Some(ws::Event::Text { text, end: true })) => assert_eq!(text.as_bytes(), p),
            other => panic!("{other:?}"),
        }
        connection.send_binary(p, &mut tx).unwrap();
        let consumed = rx.consumed();
        assert_eq!(consumed, full.len());
        inbox.consume(consumed);
        connection
    });

    // hopwire's paved path, plain and with compression, whose decoder and encoder the connections share. A message of
    // 2 KiB goes each way.
    let text = "what is said again and again ".repeat(70);
    let mut shared = ws::Shared::default();
    let mut session = |deflate: Option<ws::handshake::deflate::Params>| {
        let (mut session, mut client) = (
            ws::Session::server(ws::Config::new(), deflate),
            ws::Session::client(|key: &mut [u8]| key.fill(7), ws::Config::new(), deflate),
        );
        let (mut wire, mut out) = (Vec::with_capacity(4096), vec![0; 4096]);
        client.outbox(&mut shared).send_text(&*text, &mut hop::Tx::growing(&mut wire, 4096)).unwrap();
        let (mut rx, mut tx) = (hop::Rx::new(&mut wire), hop::Tx::new(&mut out));
        while let Some((ws::Message::Text(message), mut outbox)) =
            session.poll(Instant::ZERO, &mut shared, &mut rx, &mut tx).unwrap()
        {
            assert_eq!(message, *text);
            outbox.send_text(message, &mut tx).unwrap();
        }
        session
    };
    idle.measure("hopwire-Session", 0, || session(None));
    let params = ws::handshake::deflate::Params::default();
    let no_context =
        ws::handshake::deflate::Params { server_no_context_takeover: true, client_no_context_takeover: true, ..params };
    idle.measure("hopwire-Session,deflate-no_context", 0, || session(Some(no_context)));
    let (server_max_window_bits, client_max_window_bits) = (Some(12), Some(12));
    let small = ws::handshake::deflate::Params { server_max_window_bits, client_max_window_bits, ..params };
    idle.measure("hopwire-Session,deflate-4KiB", 0, || session(Some(small)));
    idle.measure("hopwire-Session,deflate", 0, || session(Some(params)));

    // tungstenite
    let tung = |mut w: tungstenite::WebSocket<MemIo>| {
        assert_eq!(w.read().unwrap().into_data(), p);
        w.send(tungstenite::Message::Binary(msg.clone())).unwrap();
        w
    };
    {
        let w = tung(tungstenite::accept(MemIo::once_split(full, UPGRADE_PLAIN.len(), Sink::Collect(vec![]))).unwrap());
        check(w.get_ref(), p);
    }
    idle.measure("tungstenite-default", io, || {
        tung(tungstenite::accept(MemIo::once_split(full, UPGRADE_PLAIN.len(), Sink::Null)).unwrap())
    });
    let small = tungstenite::protocol::WebSocketConfig::default().read_buffer_size(1024).write_buffer_size(0);
    idle.measure("tungstenite-read_buffer_1KiB", io, || {
        tung(
            tungstenite::accept_with_config(MemIo::once_split(full, UPGRADE_PLAIN.len(), Sink::Null), Some(small))
                .unwrap(),
        )
    });

    // fastwebsockets: the handshake belongs to hyper, so after_handshake only
    idle.measure("fastwebsockets-no_handshake", io, || {
        let mut w = fastwebsockets::FragmentCollector::new(fastwebsockets::WebSocket::after_handshake(
            MemIo::once(fr, Sink::Null),
            fastwebsockets::Role::Server,
        ));
        assert_eq!(&now(w.read_frame()).unwrap().payload[..], p);
        now(w.write_frame(fastwebsockets::Frame::binary(fastwebsockets::Payload::Borrowed(p)))).unwrap();
        w
    });

    // tokio-websockets
    idle.measure("tokio-websockets", io, || {
        let (_, mut w) = now(tokio_websockets::ServerBuilder::new().accept(MemIo::once(full, Sink::Null))).unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(&mut w).poll_next(&mut cx) {
            std::task::Poll::Ready(Some(Ok(m))) => assert_eq!(&m.as_payload()[..], p),
            _ => panic!(),
        }
        assert!(Pin::new(&mut w).poll_ready(&mut cx).is_ready());
        Pin::new(&mut w).start_send(tokio_websockets::Message::binary(msg.clone())).unwrap();
        assert!(Pin::new(&mut w).poll_flush(&mut cx).is_ready());
        w
    });

    // sockudo-ws: the sans-IO Protocol with buffers shared by all connections, and its stream
    let mut rbuf = bytes::BytesMut::with_capacity(65536);
    let mut wbuf = bytes::BytesMut::with_capacity(65536);
    use sockudo_ws::protocol::{Message, Protocol, Role};
    idle.measure("sockudo-ws-Protocol", 0, || {
        let (r, n) = sockudo_ws::handshake::parse_request(full).unwrap().unwrap();
        let k = sockudo_ws::handshake::generate_accept_key(r.key);
        std::hint::black_box(sockudo_ws::handshake::build_response(&k, None, None));
        let mut c = Protocol::new(Role::Server, 16 << 20, 64 << 20);
        rbuf.clear();
        rbuf.extend_from_slice(&full[n..]);
        let m = c.process(&mut rbuf).unwrap();
        assert_eq!(m[0].as_bytes(), p);
        wbuf.clear();
        c.encode_message(&Message::Binary(msg.clone()), &mut wbuf).unwrap();
        c
    });
    {
        let rt = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _g = rt.enter();
        sockudo_ws::init_clock();
        idle.measure("sockudo-ws-Stream-no_handshake", io, || {
            let cfg = sockudo_ws::Config::builder().auto_ping(false).idle_timeout(0).build();
            let mut w = sockudo_ws::WebSocketStream::server(MemIo::once(fr, Sink::Null), cfg);
            let mut cx = Context::from_waker(Waker::noop());
            match Pin::new(&mut w).poll_next(&mut cx) {
                std::task::Poll::Ready(Some(Ok(m))) => assert_eq!(m.as_bytes(), p),
                _ => panic!(),
            }
            assert!(Pin::new(&mut w).poll_ready(&mut cx).is_ready());
            Pin::new(&mut w).start_send(Message::Binary(msg.clone())).unwrap();
            assert!(Pin::new(&mut w).poll_flush(&mut cx).is_ready());
            w
        });
    }

    for (name, config) in [
        ("sockudo-ws-CompressedProtocol", sockudo_ws::DeflateConfig::default()),
        ("sockudo-ws-CompressedProtocol,low_memory", sockudo_ws::DeflateConfig::low_memory()),
    ] {
        idle.measure_few(name, || {
            let mut c = sockudo_ws::protocol::CompressedProtocol::server(16 << 20, 64 << 20, config.clone());
            rbuf.clear();
            rbuf.extend_from_slice(fr);
            assert_eq!(c.process(&mut rbuf).unwrap()[0].as_bytes(), p);
            wbuf.clear();
            c.encode_message(&Message::Text(msg.clone()), &mut wbuf).unwrap();
            c
        });
    }

    // ws-net
    idle.measure("ws-net", 0, || {
        let mut out = Vec::new();
        let (h, n) = ws_net::ServerHandshake::from_head(full).unwrap().unwrap();
        h.write_response(None, &mut out).unwrap();
        let mut c = ws_net::Connection::server();
        let _ = c.feed(&full[n..]);
        match c.poll().unwrap() {
            ws_net::Event::Text(t) => assert_eq!(t.as_bytes(), p),
            e => panic!("{e:?}"),
        }
        assert!(matches!(c.poll().unwrap(), ws_net::Event::NeedInput));
        c.send_binary(p).unwrap();
        let n = c.output().len();
        c.advance_output(n);
        c
    });

    // shiguredo_websocket
    idle.measure("shiguredo_websocket", 0, || {
        let mut c =
            shiguredo_websocket::WebSocketServerConnection::new(shiguredo_websocket::ServerConnectionOptions::new());
        c.feed_recv_buf(UPGRADE_PLAIN).unwrap();
        c.accept_handshake_auto().unwrap();
        while c.poll_output().is_some() {}
        while c.poll_event().is_some() {}
        c.feed_recv_buf(fr).unwrap();
        let mut got = false;
        while let Some(e) = c.poll_event() {
            if let shiguredo_websocket::ConnectionEvent::TextMessage(t) = e {
                assert_eq!(t.as_bytes(), p);
                got = true;
            }
        }
        assert!(got);
        c.send_binary(p).unwrap();
        let mut first = 0;
        while let Some(o) = c.poll_output() {
            if let shiguredo_websocket::ConnectionOutput::SendData(d) = o {
                first = d[0];
            }
        }
        assert_eq!(first, 0x82);
        c
    });

    // codecs only
    idle.measure("websocket-sans-io-codec", 0, || {
        let mut d = websocket_sans_io::WebsocketFrameDecoder::default();
        let mut b: [u8; 106] = fr.try_into().unwrap();
        let mut pos = 0;
        loop {
            let r = d.add_data(&mut b[pos..]).unwrap();
            if r.event.is_none() && r.consumed_bytes == 0 {
                break;
            }
            pos += r.consumed_bytes;
        }
        (d, websocket_sans_io::WebsocketFrameEncoder::new())
    });
    idle.measure("soketto-codec", 0, || {
        let c = soketto::base::Codec::new();
        let soketto::Parsing::Done { .. } = c.decode_header(fr).unwrap() else { panic!() };
        c
    });
    idle.measure("web-socket-no_handshake", io, || {
        let mut w = web_socket::WebSocket::server(MemIo::once(fr, Sink::Null));
        match now(w.recv()).unwrap() {
            web_socket::Event::Data { data, .. } => assert_eq!(&data[..], p),
            _ => panic!(),
        }
        now(w.send(p)).unwrap();
        w
    });

    // HTTP/1 connections after one exchange, for comparison
    idle.print();

    let mut http_idle = Memory::new("http_idle");
    let (mut inbox, mut out) = (hop::RxBuffer::new(vec![0; 4096]), vec![0; 4096]);
    http_idle.measure("hopwire", 0, || {
        inbox.space()[..SHORT_68.len()].copy_from_slice(SHORT_68);
        inbox.advance(SHORT_68.len());
        let (mut rx, mut tx) = (inbox.rx(), hop::Tx::new(&mut out));
        let mut server = http1::Server::default();
        while let Some(event) = server.poll(Instant::ZERO, &mut rx, &mut tx).unwrap() {
            if let server::Event::Request(_) = event {
                server.respond_with(http::Status::OK, &[], b"Hello, World!", &mut tx).unwrap();
            }
        }
        let consumed = rx.consumed();
        inbox.consume(consumed);
        server
    });
    let resp = http_net::Response::text(200, "Hello, World!");
    let mut out = Vec::with_capacity(4096);
    let mut http_net = |shrink: bool| {
        let mut c = http_net::ServerConn::new();
        let _ = c.feed(SHORT_68);
        assert!(matches!(c.poll(), Ok(http_net::ServerEvent::Request(_))));
        assert!(matches!(c.poll(), Ok(http_net::ServerEvent::RequestEnd)));
        out.clear();
        c.respond(&resp, &mut out).unwrap();
        assert!(matches!(c.poll(), Ok(http_net::ServerEvent::NeedInput)));
        if shrink {
            assert!(c.shrink_idle());
        }
        c
    };
    http_idle.measure("http-net-ServerConn", 0, || http_net(false));
    http_idle.measure("http-net-ServerConn+shrink_idle", 0, || http_net(true));
    http_idle.measure("shiguredo_http11-RequestDecoder", 0, || {
        let mut d = shiguredo_http11::RequestDecoder::new();
        d.feed(SHORT_68).unwrap();
        assert!(d.decode().unwrap().is_some());
        d
    });
    http_idle.measure("hyper-server", 0, || {
        let mut c = hyper_conn(SHORT_68, Sink::Null);
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..8 {
            assert!(c.1.as_mut().poll(&mut cx).is_pending());
        }
        assert!(c.0.borrow().written > 100);
        c
    });
    http_idle.print();
}
