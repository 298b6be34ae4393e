//! A chunked request body of 1 MiB in chunks of 4 KiB, and of 64 KiB in chunks of 16 bytes, decoded.
//!
//! The connections (hopwire's server, http-net's, shiguredo's) are fed 16 KiB at a time, which they copy into a receive
//! buffer, and include the head; `@copy` is that copy alone. `.._inplace` is hopwire's server without it, `.._codec` its
//! decoder alone, on the wire where it lies, like the other decoders.
use crate::harness::*;
use hopwire::http1::server::{Config, Event, Server};
use hopwire::http1::{HeadLimits, chunked};
use hopwire::io::{Rx, RxBuffer, Tx};
use hopwire::time::Instant;
use std::hint::black_box;

const AREA: &str = "http_chunked";

fn wire(total: usize, chunk: usize) -> (Vec<u8>, Vec<u8>) {
    let body: Vec<u8> = (0..total).map(|i| ((i * 31) >> 3) as u8).collect();
    let mut w = Vec::new();
    for c in body.chunks(chunk) {
        w.extend_from_slice(format!("{:x}\r\n", c.len()).as_bytes());
        w.extend_from_slice(c);
        w.extend_from_slice(b"\r\n");
    }
    w.extend_from_slice(b"0\r\n\r\n");
    (w, body)
}

fn hopwire(config: Config, inbox: &mut RxBuffer<Vec<u8>>, head: &[u8], wire: &[u8], mut f: impl FnMut(&[u8])) {
    let (mut server, mut out) = (Server::new(config), [0; 256]);
    for mut w in [head, wire] {
        while !w.is_empty() {
            let space = inbox.space();
            let (read, rest) = w.split_at(w.len().min(space.len()));
            space[..read.len()].copy_from_slice(read);
            inbox.advance(read.len());
            w = rest;
            let (mut rx, mut tx) = (inbox.rx(), Tx::new(&mut out));
            let mut ended = false;
            while let Some(event) = server.poll(Instant::ZERO, &mut rx, &mut tx).unwrap() {
                match event {
                    Event::Request(request) => _ = black_box(request),
                    Event::Body(piece) => f(piece),
                    Event::End => {
                        ended = true;
                        break;
                    }
                    event => panic!("{event:?}"),
                }
            }
            let consumed = rx.consumed();
            inbox.consume(consumed);
            if ended {
                assert!(w.is_empty());
                return;
            }
        }
    }
    panic!("the body has no end");
}
/// `wire` is the whole request.
fn hopwire_inplace(config: Config, wire: &mut [u8], mut f: impl FnMut(&[u8])) {
    let (mut server, mut out) = (Server::new(config), [0; 256]);
    let (mut rx, mut tx) = (Rx::new(wire), Tx::new(&mut out));
    loop {
        match server.poll(Instant::ZERO, &mut rx, &mut tx).unwrap() {
            Some(Event::Request(request)) => _ = black_box(request),
            Some(Event::Body(piece)) => f(piece),
            Some(Event::End) => return,
            event => panic!("{event:?}"),
        }
    }
}
fn hopwire_codec(limits: &HeadLimits, wire: &mut [u8], mut f: impl FnMut(&[u8])) {
    let mut decoder = chunked::Decoder::new(2 << 20, Config::MAX_CHUNK_EXT);
    let mut rx = Rx::new(wire);
    loop {
        match decoder.poll(&mut rx, limits).unwrap() {
            Some(chunked::Piece::Data(piece)) => f(piece),
            Some(chunked::Piece::End) => return,
            piece => panic!("{piece:?}"),
        }
    }
}

fn net_spans(w: &[u8], limits: &http_net::Limits, mut f: impl FnMut(&[u8])) {
    let mut d = http_net::ChunkedDecoder::new(limits);
    let mut p = 0;
    loop {
        match d.decode(&w[p..], false).unwrap() {
            http_net::ChunkStep::Data { skip, len } => {
                f(&w[p + skip..p + skip + len]);
                p += skip + len;
            }
            http_net::ChunkStep::Done { .. } => return,
            e => panic!("{e:?}"),
        }
    }
}
fn net_conn(c: &mut http_net::ServerConn, head: &[u8], mut w: &[u8], mut f: impl FnMut(&[u8])) {
    use http_net::ServerEvent::*;
    c.reset();
    let _ = c.feed(head);
    loop {
        match c.poll() {
            Ok(Request(_)) => {}
            Ok(Body(b)) => f(b),
            Ok(RequestEnd) => return,
            Ok(NeedInput) => {
                let n = c.feed(&w[..w.len().min(16384)]);
                w = &w[n..];
            }
            e => panic!("{e:?}"),
        }
    }
}
fn httparse_loop(w: &[u8], mut f: impl FnMut(&[u8])) {
    let mut p = 0;
    loop {
        let Ok(httparse::Status::Complete((used, len))) = httparse::parse_chunk_size(&w[p..]) else { panic!() };
        p += used;
        if len == 0 {
            return;
        }
        f(&w[p..p + len as usize]);
        p += len as usize + 2;
    }
}
fn ureq_reply() -> ureq_proto::server::Reply<ureq_proto::server::state::RecvBody> {
    use ureq_proto::server::*;
    let mut r = Reply::new().unwrap();
    let _ = r.try_request(b"POST /up HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
    let RecvRequestResult::RecvBody(r) = r.proceed().unwrap() else { panic!() };
    r
}
fn ureq(mut w: &[u8], out: &mut [u8], mut f: impl FnMut(&[u8])) {
    let mut r = ureq_reply();
    while !r.is_ended() {
        let (i, o) = r.read(w, out).unwrap();
        f(&out[..o]);
        w = &w[i..];
        assert!(i + o > 0 || r.is_ended());
    }
}
fn phr(w: &[u8], buf: &mut [u8]) -> usize {
    use picohttpparser_sys::*;
    buf[..w.len()].copy_from_slice(w);
    let mut d: phr_chunked_decoder = unsafe { std::mem::zeroed() };
    d.consume_trailer = 1;
    let mut n = w.len();
    let r = unsafe { phr_decode_chunked(&mut d, buf.as_mut_ptr().cast(), &mut n) };
    assert!(r >= 0);
    n
}
fn shiguredo(d: &mut shiguredo_http11::RequestDecoder, head: &[u8], w: &[u8], mut f: impl FnMut(&[u8])) {
    d.reset();
    d.feed(head).unwrap();
    let _ = d.decode_headers().unwrap().unwrap();
    let mut pieces = w.chunks(16384);
    loop {
        if let Some(b) = d.peek_body().map(|b| {
            f(b);
            b.len()
        }) {
            if let shiguredo_http11::BodyProgress::Complete { .. } = d.consume_body(b).unwrap() {
                return;
            }
            continue;
        }
        match d.progress().unwrap() {
            shiguredo_http11::BodyProgress::Complete { .. } => return,
            _ => {
                if d.peek_body().is_none() {
                    match pieces.next() {
                        Some(p) => d.feed(p).unwrap(),
                        None => {
                            // one call may stop at a state change
                            while !matches!(d.progress().unwrap(), shiguredo_http11::BodyProgress::Complete { .. }) {}
                            return;
                        }
                    }
                }
            }
        }
    }
}

pub fn run() {
    for (name, total, chunk) in [("1MiB_4KiB", 1 << 20, 4096), ("64KiB_16B", 65536, 16)] {
        let mut g = Group::new(AREA, name);
        if !g.wanted() {
            continue;
        }
        let (w, body) = wire(total, chunk);
        let w = leak(w);
        let limits = http_net::Limits::new().with_max_body(2 << 20);
        const HEAD: &[u8] = b"POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut got = Vec::new();

        let config = Config { max_body: 2 << 20, ..Config::new() };
        let mut inbox = RxBuffer::new(vec![0; 16384]);
        hopwire(config, &mut inbox, HEAD, w, |b| got.extend_from_slice(b));
        assert!(got == body);
        g.add_hopwire("", 1, move || {
            hopwire(config, &mut inbox, HEAD, black_box(w), |b| {
                black_box((b.as_ptr(), b.len()));
            });
        });
        got.clear();
        let mut whole = [HEAD, w].concat();
        hopwire_inplace(config, &mut whole, |b| got.extend_from_slice(b));
        assert!(got == body);
        g.add_hopwire("inplace", 1, move || {
            hopwire_inplace(config, black_box(&mut whole), |b| {
                black_box((b.as_ptr(), b.len()));
            });
        });
        got.clear();
        let mut wire = w.to_vec();
        hopwire_codec(&config.head, &mut wire, |b| got.extend_from_slice(b));
        assert!(got == body);
        g.add_hopwire("codec", 1, move || {
            hopwire_codec(&config.head, black_box(&mut wire), |b| {
                black_box((b.as_ptr(), b.len()));
            });
        });
        got.clear();

        net_spans(w, &limits, |b| got.extend_from_slice(b));
        assert!(got == body);
        g.add("http-net-ChunkedDecoder(spans)", 1, move || {
            net_spans(black_box(w), &limits, |b| {
                black_box((b.as_ptr(), b.len()));
            });
        });
        got.clear();
        let mut c = http_net::ServerConn::with_limits(limits);
        net_conn(&mut c, HEAD, w, |b| got.extend_from_slice(b));
        assert!(got == body);
        g.add("http-net-ServerConn(feed16K)", 1, move || {
            net_conn(&mut c, HEAD, black_box(w), |b| {
                black_box((b.as_ptr(), b.len()));
            });
        });
        got.clear();
        httparse_loop(w, |b| got.extend_from_slice(b));
        assert!(got == body);
        g.add("httparse-parse_chunk_size(spans)", 1, move || {
            httparse_loop(black_box(w), |b| {
                black_box((b.as_ptr(), b.len()));
            });
        });
        got.clear();
        let mut out = vec![0u8; 65536];
        ureq(w, &mut out, |b| got.extend_from_slice(b));
        assert!(got == body);
        g.add("ureq-proto(copy_to_64K_out)", 1, move || {
            ureq(black_box(w), &mut out, |b| {
                black_box((b.as_ptr(), b.len()));
            });
        });
        let mut buf = vec![0u8; w.len()];
        let n = phr(w, &mut buf);
        assert!(buf[..n] == body);
        g.add("picohttpparser(copy+in_place)", 1, move || {
            black_box(phr(black_box(w), &mut buf));
        });
        got.clear();
        let mut d = shiguredo_http11::RequestDecoder::new();
        shiguredo(&mut d, HEAD, w, |b| got.extend_from_slice(b));
        assert!(got == body, "{} {}", got.len(), body.len());
        g.add("shiguredo_http11(feed16K)", 1, move || {
            shiguredo(&mut d, HEAD, black_box(w), |b| {
                black_box((b.as_ptr(), b.len()));
            });
        });
        let mut inbox = vec![0; 16384];
        g.add("@copy", 1, move || copy(black_box(w), &mut inbox));
        g.run();
    }
}
