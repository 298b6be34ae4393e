//! hyper's connection future over memory, polled by hand, and the answer it shares with the other peers.
use crate::memio::{MemIo, Sink};
use std::cell::RefCell;
use std::hint::black_box;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

pub type Connection = Pin<Box<dyn Future<Output = hyper::Result<()>>>>;

pub const BODY: &[u8] = b"Hello, World!";
pub const FIELDS: [(&str, &str); 5] = [
    ("content-type", "text/plain; charset=utf-8"),
    ("cache-control", "no-store"),
    ("x-request-id", "0123456789abcdef"),
    ("server", "bench/1.0"),
    ("vary", "accept-encoding"),
];

struct SharedIo(Rc<RefCell<MemIo>>);
impl hyper::rt::Read for SharedIo {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        hyper::rt::Read::poll_read(Pin::new(&mut *self.0.borrow_mut()), cx, buf)
    }
}
impl hyper::rt::Write for SharedIo {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, b: &[u8]) -> Poll<std::io::Result<usize>> {
        hyper::rt::Write::poll_write(Pin::new(&mut *self.0.borrow_mut()), cx, b)
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        b: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        hyper::rt::Write::poll_write_vectored(Pin::new(&mut *self.0.borrow_mut()), cx, b)
    }
    fn is_write_vectored(&self) -> bool {
        true
    }
}

/// hyper's connection future over memory, polled by hand until all answers are written.
pub fn hyper_conn(input: &'static [u8], sink: Sink) -> (Rc<RefCell<MemIo>>, Connection) {
    use http::header::{HeaderName, HeaderValue};
    let io = Rc::new(RefCell::new(MemIo::once(input, sink)));
    let fields: Vec<(HeaderName, HeaderValue)> =
        FIELDS.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect();
    let svc = hyper::service::service_fn(move |r: hyper::Request<hyper::body::Incoming>| {
        black_box(r.uri().path());
        let mut resp = hyper::Response::new(http_body_util::Full::new(bytes::Bytes::from_static(BODY)));
        for (n, v) in &fields {
            resp.headers_mut().insert(n.clone(), v.clone());
        }
        std::future::ready(Ok::<_, std::convert::Infallible>(resp))
    });
    let conn = hyper::server::conn::http1::Builder::new()
        .pipeline_flush(true)
        .auto_date_header(false)
        .serve_connection(SharedIo(io.clone()), svc);
    (io, Box::pin(conn))
}
pub fn hyper_round(io: &RefCell<MemIo>, conn: &mut Connection, want: u64) {
    let end = {
        let mut io = io.borrow_mut();
        io.rewind();
        io.written + want
    };
    let mut cx = Context::from_waker(Waker::noop());
    while io.borrow().written < end {
        assert!(conn.as_mut().poll(&mut cx).is_pending());
    }
}
