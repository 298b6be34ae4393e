//! A server's exchange: a GET is parsed and answered with 200, five fields, Content-Length and 13 bytes of body, into
//! one output buffer. 16 requests lie pipelined in the input; figures are for one request.
//! hopwire and http-net twice: with fields judged and written for each answer, and made once (`prepared`; `respond`).
//! The connections (hopwire's, http-net's, shiguredo's, hyper's) copy the wire into a receive buffer first.
use crate::harness::*;
use crate::hyper_mem::{BODY, FIELDS, hyper_conn, hyper_round};
use crate::inputs::{BROWSER_703, SHORT_68};
use crate::memio::Sink;
use hopwire::http::Status;
use hopwire::http1::server::{Event, Prepared, Server};
use hopwire::io::{RxBuffer, Tx};
use hopwire::time::Instant;
use std::hint::black_box;

const AREA: &str = "http_exchange";
const N: usize = 16;
/// status line, all fields in any order and case, the body
fn check(out: &[u8], n: usize) {
    let s = std::str::from_utf8(out).unwrap();
    let parts: Vec<&str> = s.split_inclusive("Hello, World!").collect();
    assert_eq!(parts.len(), n, "{s}");
    for p in parts {
        let (head, body) = p.split_once("\r\n\r\n").unwrap();
        assert_eq!(body.as_bytes(), BODY);
        let mut lines = head.split("\r\n");
        assert_eq!(lines.next(), Some("HTTP/1.1 200 OK"));
        let mut got: Vec<String> = lines
            .map(|l| {
                let (n, v) = l.split_once(": ").unwrap();
                format!("{}: {v}", n.to_ascii_lowercase())
            })
            .collect();
        got.sort();
        let mut want: Vec<String> = FIELDS.iter().map(|(n, v)| format!("{n}: {v}")).collect();
        want.push("content-length: 13".into());
        want.sort();
        assert_eq!(got, want);
    }
}

/// Answers each request as it comes; what was written lies in `out`.
fn hopwire(
    server: &mut Server,
    inbox: &mut RxBuffer<Vec<u8>>,
    input: &[u8],
    answer: impl Fn(&mut Server, &mut Tx<'_>),
    out: &mut [u8],
) -> usize {
    inbox.space()[..input.len()].copy_from_slice(input);
    inbox.advance(input.len());
    let (mut rx, mut tx) = (inbox.rx(), Tx::new(out));
    while let Some(event) = server.poll(Instant::ZERO, &mut rx, &mut tx).unwrap() {
        if let Event::Request(request) = event {
            black_box(request.target.path());
            answer(server, &mut tx);
        }
    }
    let (consumed, written) = (rx.consumed(), tx.len());
    inbox.consume(consumed);
    written
}

fn http_net_fixed(conn: &mut http_net::ServerConn, mut input: &[u8], resp: &http_net::Response, out: &mut Vec<u8>) {
    use http_net::ServerEvent::*;
    out.clear();
    loop {
        match conn.poll() {
            Ok(Request(r)) => {
                black_box(r.path());
            }
            Ok(RequestEnd) => conn.respond(resp, out).unwrap(),
            Ok(NeedInput) => {
                if input.is_empty() {
                    return;
                }
                let n = conn.feed(input);
                input = &input[n..];
            }
            e => panic!("{e:?}"),
        }
    }
}
fn http_net_head(conn: &mut http_net::ServerConn, mut input: &[u8], fields: &[(&str, &[u8])], out: &mut Vec<u8>) {
    use http_net::ServerEvent::*;
    let head = http_net::ResponseHeadRef::new(200, fields, http_net::OutgoingBody::Full(13));
    out.clear();
    loop {
        match conn.poll() {
            Ok(Request(r)) => {
                black_box(r.path());
            }
            Ok(RequestEnd) => {
                if conn.write_head(&head, None, out) == Ok(http_net::BodyPlan::Raw) {
                    out.extend_from_slice(BODY);
                }
            }
            Ok(NeedInput) => {
                if input.is_empty() {
                    return;
                }
                let n = conn.feed(input);
                input = &input[n..];
            }
            e => panic!("{e:?}"),
        }
    }
}

fn ureq(mut input: &[u8], proto: &http::Response<()>, out: &mut [u8]) -> usize {
    use ureq_proto::server::*;
    let mut w = 0;
    while !input.is_empty() {
        let mut r = Reply::new().unwrap();
        let (used, req) = r.try_request(input).unwrap();
        black_box(req.unwrap());
        input = &input[used..];
        let RecvRequestResult::ProvideResponse(r) = r.proceed().unwrap() else { panic!() };
        let mut r = r.provide(proto.clone()).unwrap();
        w += r.write(&mut out[w..]).unwrap();
        let SendResponseResult::SendBody(mut r) = r.proceed() else { panic!() };
        let (_, n) = r.write(BODY, &mut out[w..]).unwrap();
        w += n;
        let r = r.proceed();
        assert!(!r.must_close_connection());
    }
    w
}

fn shiguredo(d: &mut shiguredo_http11::RequestDecoder, input: &[u8], out: &mut Vec<u8>) {
    out.clear();
    d.feed(input).unwrap();
    while let Some(r) = d.decode().unwrap() {
        black_box(r.uri());
        let mut resp = shiguredo_http11::Response::with_status(shiguredo_http11::StatusCode::OK);
        for (n, v) in FIELDS {
            resp = resp.header(n, v).unwrap();
        }
        out.extend_from_slice(&resp.body(BODY.to_vec()).encode().unwrap());
    }
}

/// What one would write by hand around httparse: a floor, it checks nothing about the message.
fn manual(mut input: &[u8], out: &mut Vec<u8>) {
    out.clear();
    while !input.is_empty() {
        let mut h = [const { std::mem::MaybeUninit::<httparse::Header<'_>>::uninit() }; 64];
        let mut r = httparse::Request::new(&mut []);
        let httparse::Status::Complete(n) = r.parse_with_uninit_headers(input, &mut h).unwrap() else { panic!() };
        black_box(r.path);
        input = &input[n..];
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        for (n, v) in FIELDS {
            out.extend_from_slice(n.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(v.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"content-length: 13\r\n\r\n");
        out.extend_from_slice(BODY);
    }
}

pub fn run() {
    for (name, one) in [("short68", SHORT_68), ("browser703", BROWSER_703)] {
        let mut g = Group::new(AREA, name);
        if !g.wanted() {
            continue;
        }
        let input = leak(one.repeat(N));

        let fields = FIELDS.map(|(n, v)| (n, v.as_bytes()));
        let (mut server, mut inbox, mut out) = (Server::default(), RxBuffer::new(vec![0; 16384]), vec![0; 16384]);
        let made = move |server: &mut Server, tx: &mut Tx<'_>| {
            server.respond_with(Status::OK, black_box(&fields), BODY, tx).unwrap();
        };
        let written = hopwire(&mut server, &mut inbox, input, made, &mut out);
        check(&out[..written], N);
        g.add_hopwire("", N, move || {
            hopwire(&mut server, &mut inbox, black_box(input), made, &mut out);
            black_box(out.as_ptr());
        });
        let (mut server, mut inbox, mut out) = (Server::default(), RxBuffer::new(vec![0; 16384]), vec![0; 16384]);
        let response = Prepared::new(Status::OK, &fields, Box::leak(Box::new([0; 1024]))).unwrap();
        let prepared = move |server: &mut Server, tx: &mut Tx<'_>| {
            server.respond_prepared(black_box(&response), BODY, tx).unwrap();
        };
        let written = hopwire(&mut server, &mut inbox, input, prepared, &mut out);
        check(&out[..written], N);
        g.add_hopwire("prepared", N, move || {
            hopwire(&mut server, &mut inbox, black_box(input), prepared, &mut out);
            black_box(out.as_ptr());
        });

        let mut resp = http_net::Response::new(200);
        for (n, v) in FIELDS {
            resp = resp.header(n, v);
        }
        let resp = resp.body(BODY);
        let mut conn = http_net::ServerConn::new();
        let mut out = Vec::with_capacity(16384);
        http_net_fixed(&mut conn, input, &resp, &mut out);
        check(&out, N);
        g.add("http-net-respond", N, move || {
            http_net_fixed(&mut conn, black_box(input), &resp, &mut out);
            black_box(out.as_ptr());
        });
        let fields: Vec<(&str, &[u8])> = FIELDS.iter().map(|(n, v)| (*n, v.as_bytes())).collect();
        let mut conn = http_net::ServerConn::new();
        let mut out = Vec::with_capacity(16384);
        http_net_head(&mut conn, input, &fields, &mut out);
        check(&out, N);
        g.add("http-net-write_head", N, move || {
            http_net_head(&mut conn, black_box(input), &fields, &mut out);
            black_box(out.as_ptr());
        });

        let mut rb = http::Response::builder().status(200).header("content-length", "13");
        for (n, v) in FIELDS {
            rb = rb.header(n, v);
        }
        let proto = rb.body(()).unwrap();
        let mut out = vec![0u8; 16384];
        let n = ureq(input, &proto, &mut out);
        check(&out[..n], N);
        g.add("ureq-proto", N, move || {
            black_box(ureq(black_box(input), &proto, &mut out));
        });

        let mut d = shiguredo_http11::RequestDecoder::new();
        let mut out = Vec::with_capacity(16384);
        shiguredo(&mut d, input, &mut out);
        check(&out, N);
        g.add("shiguredo_http11", N, move || {
            shiguredo(&mut d, black_box(input), &mut out);
            black_box(out.as_ptr());
        });

        let mut out = Vec::with_capacity(16384);
        manual(input, &mut out);
        check(&out, N);
        let total = out.len() as u64;
        g.add("@httparse+manual", N, move || {
            manual(black_box(input), &mut out);
            black_box(out.as_ptr());
        });

        let (io, mut c) = hyper_conn(input, Sink::Collect(Vec::new()));
        hyper_round(&io, &mut c, total);
        let Sink::Collect(v) = &io.borrow().sink else { panic!() };
        check(v, N);
        let (io, mut c) = hyper_conn(input, Sink::Null);
        g.add("hyper-inmem", N, move || {
            hyper_round(&io, &mut c, total);
        });
        g.run();
    }
}
