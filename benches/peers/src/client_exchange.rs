//! A client's exchange: a GET with five fields is written, and a 200 with nine fields and 1 KiB of content is read.
//!
//! The request is made and judged each time (http-net's: `made`), or once, before (case `.._prepared`, http-net's:
//! `prepared`). The connections copy the response into a receive buffer first.
use crate::harness::*;
use crate::inputs::{ascii, response_1kib};
use hopwire::http::Method;
use hopwire::http1::client::{Event, Prepared};
use hopwire::http1::{BodyLength, Client};
use hopwire::io::{RxBuffer, Tx};
use hopwire::time::Instant;
use std::hint::black_box;

const AREA: &str = "client_exchange";
const TARGET: &str = "/api/v1/items?state=open&page=3";
const FIELDS: [(&str, &str); 5] = [
    ("host", "api.example.com"),
    ("user-agent", "example-client/1.4"),
    ("accept", "application/json"),
    ("accept-encoding", "gzip, deflate"),
    ("authorization", "Bearer 0123456789abcdef0123456789abcdef"),
];

/// The request line, all fields in order.
fn check(out: &[u8]) {
    let mut want = format!("GET {TARGET} HTTP/1.1\r\n");
    FIELDS.iter().for_each(|(n, v)| want.push_str(&format!("{n}: {v}\r\n")));
    want.push_str("\r\n");
    assert_eq!(String::from_utf8_lossy(out), want);
}

/// How much content came in answer to what was sent.
fn hopwire(client: &mut Client, inbox: &mut RxBuffer<Vec<u8>>, response: &[u8]) -> usize {
    inbox.space()[..response.len()].copy_from_slice(response);
    inbox.advance(response.len());
    let mut rx = inbox.rx();
    let mut content = 0;
    while let Some(event) = client.poll(Instant::ZERO, &mut rx).unwrap() {
        match event {
            Event::Response(response) => {
                black_box((response.status, response.fields));
            }
            Event::Body(data) => {
                content += data.len();
                black_box(data);
            }
            _ => {}
        }
    }
    let consumed = rx.consumed();
    inbox.consume(consumed);
    content
}

fn request() -> http_net::Request {
    FIELDS.iter().fold(http_net::Request::get(TARGET), |request, (n, v)| request.header(n, v))
}

/// How much content came.
fn http_net(
    conn: &mut http_net::ClientConn,
    request: &http_net::Request,
    mut response: &[u8],
    out: &mut Vec<u8>,
) -> usize {
    use http_net::ClientEvent::*;
    out.clear();
    conn.send_request(request, out).unwrap();
    let mut content = 0;
    loop {
        match conn.poll() {
            Ok(Response(r)) => {
                black_box(r.status());
            }
            Ok(Body(data)) => {
                content += data.len();
                black_box(data);
            }
            Ok(ResponseEnd) => {}
            Ok(NeedInput) => {
                let n = conn.feed(response);
                response = &response[n..];
            }
            Ok(Idle) => return content,
            e => panic!("{e:?}"),
        }
    }
}

/// What one would write by hand around httparse: a floor, it checks nothing about the messages.
fn manual(inbox: &mut [u8], response: &[u8], out: &mut Vec<u8>) -> usize {
    out.clear();
    out.extend_from_slice(b"GET ");
    out.extend_from_slice(TARGET.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    for (n, v) in FIELDS {
        out.extend_from_slice(n.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(v.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    let inbox = &mut inbox[..response.len()];
    inbox.copy_from_slice(response);
    let mut h = [const { std::mem::MaybeUninit::<httparse::Header<'_>>::uninit() }; 64];
    let mut r = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    let n = config.parse_response_with_uninit_headers(&mut r, inbox, &mut h).unwrap().unwrap();
    let length = r.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length")).unwrap();
    let length: usize = std::str::from_utf8(length.value).unwrap().parse().unwrap();
    black_box(&inbox[n..n + length]).len()
}

pub fn run() {
    let mut g = Group::new(AREA, "get_1KiB");
    if !g.wanted() {
        return;
    }
    let response = leak(response_1kib());
    assert!(response.ends_with(&ascii(1024)));

    let fields = FIELDS.map(|(n, v)| (n, v.as_bytes()));
    let (mut client, mut inbox, mut out) = (Client::default(), RxBuffer::new(vec![0; 4096]), vec![0; 1024]);
    let mut exchange = move || {
        let mut tx = Tx::new(&mut out);
        client.request(Method::Get, TARGET.as_bytes(), black_box(&fields), BodyLength::None, &mut tx).unwrap();
        (hopwire(&mut client, &mut inbox, black_box(response)), tx.written().as_ptr(), tx.len())
    };
    assert_eq!(exchange().0, 1024);
    g.add_hopwire("", 1, move || {
        black_box(exchange());
    });

    let mut client = Client::default();
    let (mut inbox, mut out) = (RxBuffer::new(vec![0; 4096]), vec![0; 1024]);
    let space = Box::leak(vec![0; 1024].into_boxed_slice());
    let prepared = Prepared::new(Method::Get, TARGET.as_bytes(), &fields, BodyLength::None, space).unwrap();
    let mut tx = Tx::new(&mut out);
    client.request_prepared(&prepared, &mut tx).unwrap();
    check(tx.written());
    assert_eq!(hopwire(&mut client, &mut inbox, response), 1024);
    g.add_hopwire("prepared", 1, move || {
        let mut tx = Tx::new(&mut out);
        client.request_prepared(black_box(&prepared), &mut tx).unwrap();
        black_box((hopwire(&mut client, &mut inbox, black_box(response)), tx.len()));
    });

    let (prepared, mut conn, mut out) = (request(), http_net::ClientConn::new(), Vec::with_capacity(1024));
    assert_eq!(http_net(&mut conn, &prepared, response, &mut out), 1024);
    check(&out);
    g.add("http-net-prepared", 1, move || {
        black_box(http_net(&mut conn, &prepared, black_box(response), &mut out));
    });
    let (mut conn, mut out) = (http_net::ClientConn::new(), Vec::with_capacity(1024));
    g.add("http-net-made", 1, move || {
        black_box(http_net(&mut conn, &request(), black_box(response), &mut out));
    });

    let (mut inbox, mut out) = (vec![0; 4096], Vec::with_capacity(1024));
    assert_eq!(manual(&mut inbox, response, &mut out), 1024);
    check(&out);
    g.add("@httparse+manual", 1, move || {
        black_box(manual(&mut inbox, black_box(response), &mut out));
    });
    let mut inbox = vec![0; 4096];
    g.add("@copy", 1, move || copy(black_box(response), &mut inbox));
    g.run();
}
