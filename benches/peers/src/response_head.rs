//! One complete response head, held in a slice. hopwire runs `ResponseHead`: at the end there is a checked response with
//! its framing decided, as the answer to a GET (the parsers decide none).
use crate::harness::*;
use crate::inputs::{RESPONSE_200, response_1000};
use hopwire::http::Method;
use hopwire::http1::{HeadLimits, ResponseHead};
use hopwire::io::Rx;
use std::hint::black_box;
use std::mem::MaybeUninit;

const AREA: &str = "response_head";

pub fn run() {
    for (name, input, fields) in [("200B", RESPONSE_200, 5), ("1kB", leak(response_1000()), 17)] {
        let mut g = Group::new(AREA, name);
        if !g.wanted() {
            continue;
        }
        let n = input.len();

        let (mut held, limits) = (input.to_vec(), HeadLimits::default());
        {
            let mut rx = Rx::new(&mut held);
            let response = ResponseHead::new(Method::Get).poll(&mut rx, &limits).unwrap().unwrap();
            assert_eq!((rx.consumed(), response.code(), response.fields.iter().count()), (n, 200, fields));
        }
        g.add_hopwire("", 1, move || {
            let mut rx = Rx::new(black_box(&mut held));
            let response = ResponseHead::new(Method::Get).poll(&mut rx, &limits).unwrap().unwrap();
            black_box((response.status, response.reason(), response.fields, response.length(), rx.consumed()));
        });

        // httparse, the documented way: an initialised array of 64 headers per call
        {
            let mut h = [httparse::EMPTY_HEADER; 64];
            let mut r = httparse::Response::new(&mut h);
            assert_eq!(r.parse(input).unwrap().unwrap(), n);
            assert_eq!((r.code, r.headers.len()), (Some(200), fields));
        }
        g.add("httparse", 1, move || {
            let mut h = [httparse::EMPTY_HEADER; 64];
            let mut r = httparse::Response::new(&mut h);
            black_box(r.parse(black_box(input)).unwrap());
            black_box((r.code, r.reason, r.headers.len()));
        });
        let config = httparse::ParserConfig::default();
        g.add("httparse-uninit", 1, move || {
            let mut h = [const { MaybeUninit::<httparse::Header<'_>>::uninit() }; 64];
            let mut r = httparse::Response::new(&mut []);
            black_box(config.parse_response_with_uninit_headers(&mut r, black_box(input), &mut h).unwrap());
            black_box((r.code, r.reason, r.headers.len()));
        });

        let limits = http_net::Limits::new();
        let asked = http_net::Asked::default();
        let mut f = [http_net::FieldSpan::default(); 64];
        {
            let Ok(http_net::Parsed::Complete { head, len }) =
                http_net::parse_response_head(input, &limits, asked, &mut f)
            else {
                panic!()
            };
            assert_eq!((len, head.view().status(), head.view().headers().count()), (n, 200, fields));
        }
        g.add("http-net-parse_response_head", 1, move || {
            match http_net::parse_response_head(black_box(input), &limits, asked, &mut f) {
                Ok(http_net::Parsed::Complete { head, len }) => {
                    black_box((head.view().status(), len));
                }
                _ => panic!(),
            }
        });

        // ureq-proto: httparse + http::Response with a HeaderMap
        {
            let (used, r) = ureq_proto::parser::try_parse_response::<64>(input).unwrap().unwrap();
            assert_eq!((used, r.headers().len()), (n, fields));
        }
        g.add("ureq-proto", 1, move || {
            black_box(ureq_proto::parser::try_parse_response::<64>(black_box(input)).unwrap().unwrap());
        });

        // picohttpparser (C, -msse4)
        fn phr(input: &[u8]) -> (i32, usize) {
            use picohttpparser_sys::*;
            let (mut minor, mut status, mut msg, mut msg_len) = (0, 0, std::ptr::null(), 0);
            let mut h = [const { MaybeUninit::<phr_header>::uninit() }; 64];
            let mut nh = 64usize;
            // SAFETY: the pointers are to live locals, the lengths are theirs.
            let r = unsafe {
                phr_parse_response(
                    input.as_ptr().cast(),
                    input.len(),
                    &mut minor,
                    &mut status,
                    &mut msg,
                    &mut msg_len,
                    h.as_mut_ptr().cast(),
                    &mut nh,
                    0,
                )
            };
            black_box((&h, status, msg));
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
