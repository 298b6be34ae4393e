//! One complete request head, held in a slice.
//!
//! Against the parsers hopwire runs `RequestHead`: the same slice, no copy, and at the end a checked request with its
//! framing decided (the parsers decide none). Case `.._connection` is the whole `Server` with its copy of the wire
//! into a receive buffer, to compare with http-net's connection, which copies too.
use crate::harness::*;
use crate::inputs::*;
use hopwire::http1::server::{Event, Server};
use hopwire::http1::{HeadLimits, RequestHead};
use hopwire::io::{Rx, RxBuffer, Tx};
use hopwire::time::Instant;
use std::hint::black_box;
use std::mem::MaybeUninit;

const AREA: &str = "http_head";

/// Case, bytes, number of fields.
fn inputs() -> [(&'static str, &'static [u8], usize); 4] {
    [
        ("short68", SHORT_68, 2),
        ("upgrade230", UPGRADE_230, 7),
        ("browser703", BROWSER_703, 9),
        ("chrome1500", leak(chrome_1500()), 17),
    ]
}

pub fn run() {
    for (name, input, fields) in inputs() {
        let mut g = Group::new(AREA, name);
        if !g.wanted() {
            continue;
        }
        let n = input.len();

        let (limits, mut wire) = (HeadLimits::new(), input.to_vec());
        let mut rx = Rx::new(&mut wire);
        let request = RequestHead::new().poll(&mut rx, &limits).unwrap().unwrap();
        assert_eq!((rx.consumed(), request.fields.iter().count()), (n, fields));
        g.add_hopwire("", 1, move || {
            let mut rx = Rx::new(black_box(&mut wire));
            let request = RequestHead::new().poll(&mut rx, &limits).unwrap().unwrap();
            black_box((request.target.path(), request.fields, request.length(), rx.consumed()));
        });
        let (mut inbox, mut out) = (RxBuffer::new(vec![0; 4096]), [0; 256]);
        g.add_hopwire("connection", 1, move || {
            let mut server = Server::default();
            inbox.space()[..n].copy_from_slice(black_box(input));
            inbox.advance(n);
            let (mut rx, mut tx) = (inbox.rx(), Tx::new(&mut out));
            match server.poll(Instant::ZERO, &mut rx, &mut tx) {
                Ok(Some(Event::Request(request))) => black_box(request.target.path()),
                other => panic!("{other:?}"),
            };
            let consumed = rx.consumed();
            inbox.consume(consumed);
        });

        // httparse, the documented way: an initialised array of 64 headers per call
        {
            let mut h = [httparse::EMPTY_HEADER; 64];
            let mut r = httparse::Request::new(&mut h);
            assert_eq!(r.parse(input).unwrap().unwrap(), n);
            assert_eq!(r.headers.len(), fields);
        }
        g.add("httparse", 1, move || {
            let mut h = [httparse::EMPTY_HEADER; 64];
            let mut r = httparse::Request::new(&mut h);
            black_box(r.parse(black_box(input)).unwrap());
            black_box((r.method, r.path, r.headers.len()));
        });
        g.add("httparse-uninit", 1, move || {
            let mut h = [const { MaybeUninit::<httparse::Header<'_>>::uninit() }; 64];
            let mut r = httparse::Request::new(&mut []);
            black_box(r.parse_with_uninit_headers(black_box(input), &mut h).unwrap());
            black_box((r.method, r.path, r.headers.len()));
        });

        // http-net tier 3 (stateless) and tier 2 (connection, copies into its own buffer)
        {
            let mut f = [http_net::FieldSpan::default(); 64];
            let Ok(http_net::Parsed::Complete { head, len }) =
                http_net::parse_request_head(input, &http_net::Limits::new(), &mut f)
            else {
                panic!()
            };
            assert_eq!(len, n);
            assert_eq!(head.view().headers().count(), fields);
        }
        let limits = http_net::Limits::new();
        let mut f = [http_net::FieldSpan::default(); 64];
        g.add("http-net-parse_request_head", 1, move || {
            match http_net::parse_request_head(black_box(input), &limits, &mut f) {
                Ok(http_net::Parsed::Complete { head, len }) => {
                    black_box((head.view().path(), len));
                }
                _ => panic!(),
            }
        });
        let mut c = http_net::ServerConn::new();
        g.add("http-net-ServerConn", 1, move || {
            let _ = c.feed(black_box(input));
            match c.poll() {
                Ok(http_net::ServerEvent::Request(r)) => {
                    black_box(r.path());
                }
                e => panic!("{e:?}"),
            }
            c.reset();
        });

        // shiguredo_http11: copies into its own buffer, a String per name and value
        {
            let mut d = shiguredo_http11::RequestDecoder::new();
            d.feed(input).unwrap();
            let (h, _) = d.decode_headers().unwrap().unwrap();
            assert_eq!(h.headers().len(), fields);
        }
        let mut d = shiguredo_http11::RequestDecoder::new();
        g.add("shiguredo_http11", 1, move || {
            d.feed(black_box(input)).unwrap();
            black_box(d.decode_headers().unwrap().unwrap());
            d.reset();
        });

        // ureq-proto: httparse + http::Request with a HeaderMap
        {
            let (used, r) = ureq_proto::parser::try_parse_request::<64>(input).unwrap().unwrap();
            assert_eq!((used, r.headers().len()), (n, fields));
        }
        g.add("ureq-proto", 1, move || {
            black_box(ureq_proto::parser::try_parse_request::<64>(black_box(input)).unwrap().unwrap());
        });

        // picohttpparser (C, -msse4)
        fn phr(input: &[u8]) -> (i32, usize) {
            use picohttpparser_sys::*;
            let (mut m, mut ml, mut p, mut pl, mut v) = (std::ptr::null(), 0, std::ptr::null(), 0, 0);
            let mut h = [const { MaybeUninit::<phr_header>::uninit() }; 64];
            let mut nh = 64usize;
            let r = unsafe {
                phr_parse_request(
                    input.as_ptr().cast(),
                    input.len(),
                    &mut m,
                    &mut ml,
                    &mut p,
                    &mut pl,
                    &mut v,
                    h.as_mut_ptr().cast(),
                    &mut nh,
                    0,
                )
            };
            black_box((&h, m, p));
            (r, nh)
        }
        assert_eq!(phr(input), (n as i32, fields));
        g.add("picohttpparser-sys-1.0.0", 1, move || {
            black_box(phr(black_box(input)));
        });
        let mut dst = vec![0u8; n];
        g.add("@memcpy", 1, move || {
            dst.copy_from_slice(black_box(input));
            black_box(dst.as_ptr());
        });
        g.run();
    }
}
