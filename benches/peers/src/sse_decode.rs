//! Decoding of events in chunks, per event. A new parser for each round of many events.
//!
//! Peers on streams get ready-made `Bytes` chunks (cloning one is a reference count), the others get the same chunks as
//! slices and copy them into buffers of their own. hopwire reads them through a receive buffer, as from a socket, with
//! room for two of the longest events: with less, what is there of the next one is moved to the front for each.
//! `.._inplace` lets it have the whole stream where it lies. `@copy` is the copy into the buffer alone.
use crate::harness::*;
use bytes::Bytes;
use futures::Stream;
use hopwire::io::{Rx, RxBuffer};
use hopwire::sse::{Decoder, Event};
use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

const AREA: &str = "sse_decode";
const INBOX: usize = 80 << 10;

#[derive(Clone)]
struct Chunks(Rc<Vec<Bytes>>, usize);

impl Stream for Chunks {
    type Item = Result<Bytes, Infallible>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = self.0.get(self.1).cloned();
        self.1 += 1;
        Poll::Ready(chunk.map(Ok))
    }
}

fn drain<S: Stream + Unpin>(mut s: S, mut f: impl FnMut(S::Item)) {
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        match Pin::new(&mut s).poll_next(&mut cx) {
            Poll::Ready(Some(e)) => f(e),
            Poll::Ready(None) => return,
            Poll::Pending => panic!("in-memory stream was pending"),
        }
    }
}

/// Through a receive buffer, which takes a chunk at a time as far as there is room.
fn hopwire(inbox: &mut RxBuffer<Vec<u8>>, chunks: &Chunks, f: &mut impl FnMut(&[u8])) {
    let mut decoder = Decoder::new();
    for chunk in chunks.0.iter() {
        let mut rest = &chunk[..];
        while !rest.is_empty() {
            let space = inbox.space();
            let (read, later) = rest.split_at(rest.len().min(space.len()));
            space[..read.len()].copy_from_slice(read);
            inbox.advance(read.len());
            rest = later;
            let mut rx = inbox.rx();
            poll_all(&mut decoder, &mut rx, f);
            let consumed = rx.consumed();
            inbox.consume(consumed);
        }
    }
}
fn poll_all(decoder: &mut Decoder, rx: &mut Rx<'_>, f: &mut impl FnMut(&[u8])) {
    while let Some(event) = decoder.poll(rx) {
        match event {
            Event::Message(message) => f(message.data.as_bytes()),
            event => panic!("{event:?}"),
        }
    }
}

fn sse_core(c: &Chunks, f: &mut impl FnMut(&[u8])) {
    let mut d = sse_core::SseDecoder::new();
    for b in c.0.iter() {
        let mut b = &b[..];
        while let Some(e) = d.next(&mut b) {
            match e.unwrap() {
                sse_core::SseEvent::Message(m) => f(m.data.as_bytes()),
                e => panic!("{e:?}"),
            }
        }
    }
}
fn sse_parse(c: &Chunks, f: &mut impl FnMut(&[u8])) {
    let mut p = sse_parse::SseParser::new();
    for b in c.0.iter() {
        p.feed(b);
        while let Some(e) = p.next_event() {
            f(e.data.as_bytes());
        }
    }
}
fn es_stream(c: &Chunks, f: &mut impl FnMut(&[u8])) {
    drain(eventsource_stream::EventStream::new(c.clone()), |e| f(e.unwrap().data.as_bytes()));
}
fn sse_stream(c: &Chunks, f: &mut impl FnMut(&[u8])) {
    drain(sse_stream::SseByteStream::new(c.clone()), |e| f(e.unwrap().data.as_deref().unwrap().as_bytes()));
}
fn sseer(c: &Chunks, f: &mut impl FnMut(&[u8])) {
    drain(sseer::event_stream::EventStream::new(c.clone()), |e| f(e.unwrap().data.as_bytes()));
}

/// All of them; `want`: what each event carries.
fn measure(case: String, one: &str, n: usize, size: usize, want: Option<&'static str>) {
    let mut g = Group::new(AREA, case);
    if !g.wanted() {
        return;
    }
    let all = Bytes::from(one.repeat(n));
    let chunks = (0..all.len()).step_by(size).map(|p| all.slice(p..p.saturating_add(size).min(all.len()))).collect();
    let c = Chunks(Rc::new(chunks), 0);
    let expected = if want.is_some() { n } else { 0 };

    let mut inbox = RxBuffer::new(vec![0; INBOX]);
    let mut seen = 0;
    hopwire(&mut inbox, &c, &mut |d| {
        assert_eq!(Some(d), want.map(str::as_bytes), "hopwire");
        seen += 1;
    });
    assert_eq!(seen, expected, "hopwire");
    let chunks = c.clone();
    g.add_hopwire("", n, move || {
        hopwire(&mut inbox, black_box(&chunks), &mut |d| {
            black_box((d.as_ptr(), d.len()));
        });
    });
    if size == usize::MAX {
        let mut whole = all.to_vec();
        let mut seen = 0;
        poll_all(&mut Decoder::new(), &mut Rx::new(&mut whole), &mut |_| seen += 1);
        assert_eq!(seen, expected, "hopwire in place");
        // Only data of several lines is moved, and here is none: the stream stays as it was.
        g.add_hopwire("inplace", n, move || {
            poll_all(&mut Decoder::new(), &mut Rx::new(black_box(&mut whole)), &mut |d| {
                black_box((d.as_ptr(), d.len()));
            });
        });
    }
    macro_rules! peer {
        ($name:literal, $f:ident) => {{
            let mut seen = 0;
            $f(&c, &mut |d| {
                assert_eq!(Some(d), want.map(str::as_bytes), $name);
                seen += 1;
            });
            assert_eq!(seen, expected, $name);
            let c = c.clone();
            g.add($name, n, move || {
                $f(black_box(&c), &mut |d| {
                    black_box((d.as_ptr(), d.len()));
                })
            });
        }};
    }
    peer!("sse-core", sse_core);
    peer!("sse-parse", sse_parse);
    peer!("sse-stream", sse_stream);
    peer!("sseer", sseer);
    peer!("eventsource-stream", es_stream);
    let mut inbox = RxBuffer::new(vec![0; INBOX]);
    g.add("@copy", n, move || {
        for chunk in black_box(&c).0.iter() {
            for read in chunk.chunks(INBOX) {
                inbox.space()[..read.len()].copy_from_slice(read);
                inbox.advance(read.len());
                black_box(inbox.rx().bytes());
                inbox.consume(read.len());
            }
        }
    });
    g.run();
}

pub fn run() {
    let json100 = "{\"id\":123456,\"object\":\"chunk\",\"delta\":{\"content\":\" the quick brown fox\"},\"model\":\"m-1\",\"n\":1,\"x\":42}";
    let json100 = format!("{json100:<100}")[..100].to_owned();
    let big = "word".repeat(10_000);
    for (name, head, data, n) in [
        ("9B", "", "x", 10_000),
        ("json100", "", &json100[..], 2000),
        ("40KB", "", &big[..], 16),
        // one delta of an LLM's answer with its event name and id
        ("tokens", "event: content_block_delta\nid: 4711\n", &json100[..], 2000),
    ] {
        let one = format!("{head}data: {data}\n\n");
        let want: &'static str = data.to_owned().leak();
        for (cname, size) in [("64B", 64), ("4KiB", 4096), ("whole", usize::MAX)] {
            measure(format!("{name}_{cname}"), &one, n, size, Some(want));
        }
    }
    // Comments only: no event may come out; per comment.
    for (cname, size) in [("64B", 64), ("4KiB", 4096)] {
        measure(format!("keepalive_{cname}"), ": keepalive\n\n", 4000, size, None);
    }
}
