//! A request with twelve fields and a Connection that nominates three of them, rewritten into the outgoing buffer: the rules alone, and with the
//! writing.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use hopwire::http::forward::{Intermediary, Node, ReceivedRequest};
use hopwire::http1::{HeadLimits, RequestHead};
use hopwire::io::{Rx, Tx};

criterion_main!(benches);
criterion_group!(benches, forward);

fn forward(c: &mut Criterion) {
    let mut wire = REQUEST.to_vec();
    let request =
        RequestHead::new().poll(&mut Rx::new(&mut wire), &HeadLimits::new()).ok().flatten().expect("a good head");
    let received = ReceivedRequest::from(&request);
    let (proxy, client) = (Intermediary::new("edge").expect("a name"), Node::new(None, false));
    let mut out = [0; 4096];
    c.bench_function("forward/rules", |b| b.iter(|| black_box(proxy.request(black_box(&received), &client).is_ok())));
    c.bench_function("forward/written", |b| {
        b.iter(|| {
            let mut tx = Tx::new(&mut out);
            let forwarded = proxy.request(black_box(&received), &client).expect("it is forwarded");
            forwarded.write_http1(&mut tx).expect("there is room");
            black_box(tx.len())
        });
    });
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
