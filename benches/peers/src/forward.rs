//! A request with 12 fields and a Connection that nominates three of them, rewritten into the outgoing buffer: hop-by-hop fields gone, Via added.
//! The head is parsed before; http-net's way is its documented one, `Request::forward_from` and `ClientConn::send_request`.
//! `.._rules` is the decision alone, `@memcpy` a copy of the head.
use crate::harness::*;
use hopwire::http::forward::{Intermediary, Node, ReceivedRequest};
use hopwire::http1::{HeadLimits, RequestHead};
use hopwire::io::{Rx, Tx};
use std::hint::black_box;

const AREA: &str = "forward";

pub fn run() {
    let mut g = Group::new(AREA, "fields12_nominated3");
    if !g.wanted() {
        return;
    }
    let wire = REQUEST.to_vec().leak();
    let request = RequestHead::new().poll(&mut Rx::new(wire), &HeadLimits::new()).unwrap().unwrap();
    let received = ReceivedRequest::from(&request);
    let client: &'static Node = Box::leak(Box::new(Node::new(None, false)));
    let proxy = Intermediary::new("edge").unwrap();
    let mut out = [0; 4096];
    {
        let mut tx = Tx::new(&mut out);
        proxy.request(&received, client).unwrap().write_http1(&mut tx).unwrap();
        assert_eq!(tx.written(), EXPECTED);
    }
    g.add_hopwire("", 1, move || {
        let mut tx = Tx::new(&mut out);
        proxy.request(black_box(&received), client).unwrap().write_http1(&mut tx).unwrap();
        black_box(tx.len());
    });
    g.add_hopwire("rules", 1, move || {
        black_box(proxy.request(black_box(&received), client).unwrap());
    });

    let conn: &'static mut http_net::ServerConn = Box::leak(Box::new(http_net::ServerConn::new()));
    let _ = conn.feed(REQUEST);
    let Ok(http_net::ServerEvent::Request(head)) = conn.poll() else { panic!("a request") };
    let forward = move |out: &mut Vec<u8>| {
        out.clear();
        let request = http_net::Request::forward_from(black_box(&head)).header("via", "1.1 edge");
        http_net::ClientConn::new().send_request(&request, out).unwrap();
    };
    let mut out = Vec::with_capacity(4096);
    forward(&mut out);
    assert_eq!(out, EXPECTED);
    g.add("http-net-forward_from", 1, move || {
        forward(&mut out);
        black_box(out.len());
    });
    let mut copy = vec![0; REQUEST.len()];
    g.add("@memcpy", 1, move || {
        copy.copy_from_slice(black_box(REQUEST));
        black_box(copy.as_ptr());
    });
    g.run();
}

const REQUEST: &[u8] = b"GET /api/v1/items?page=2&sort=name HTTP/1.1\r\n\
    Host: shop.example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Cookie: session=8f14e45fceea167a5a36dedd4bea2543; theme=dark\r\n\
    Referer: https://shop.example.com/api/v1/items?page=1\r\n\
    Connection: keep-alive, X-Trace-Id, X-Debug, X-Hop\r\n\
    X-Trace-Id: 4bf92f3577b34da6a3ce929d0e0e4736\r\n\
    X-Debug: on\r\n\
    X-Hop: 1\r\n\
    If-None-Match: \"33a64df551425fcc55e4d42a148795d9\"\r\n\
    Cache-Control: max-age=0\r\n\r\n";

const EXPECTED: &[u8] = b"GET /api/v1/items?page=2&sort=name HTTP/1.1\r\n\
    Host: shop.example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Cookie: session=8f14e45fceea167a5a36dedd4bea2543; theme=dark\r\n\
    Referer: https://shop.example.com/api/v1/items?page=1\r\n\
    If-None-Match: \"33a64df551425fcc55e4d42a148795d9\"\r\n\
    Cache-Control: max-age=0\r\n\
    via: 1.1 edge\r\n\r\n";
