//! No engine allocates: not in an exchange, not in a failure, not while it waits.
#![expect(unsafe_code, reason = "an allocator that counts is one; the library itself forbids unsafe code")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use hopwire::deflate;
use hopwire::http::{Method, Status};
use hopwire::http1::{self, BodyLength, client, server};
use hopwire::io::{Rx, Tx};
use hopwire::sse;
use hopwire::time::Instant;
use hopwire::ws::{self, CloseCode};

/// Counts what the current thread asks of the system's allocator.
struct Counting;

thread_local! {
    static ASKED: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
    static GIVEN_BACK: Cell<usize> = const { Cell::new(0) };
}

fn count(bytes: usize) {
    // Past the end of a thread nobody counts any more.
    let _ = ASKED.try_with(|asked| asked.set((asked.get().0 + 1, asked.get().1 + bytes)));
}

// SAFETY: every call is handed to `System` as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let _ = GIVEN_BACK.try_with(|given| given.set(given.get() + layout.size()));
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `work` allocates, and how many bytes in all.
fn allocations(work: impl FnOnce()) -> (usize, usize) {
    let before = ASKED.get();
    work();
    let after = ASKED.get();
    (after.0 - before.0, after.1 - before.1)
}

/// How many bytes of heap are given back with `value`.
#[cfg(feature = "alloc")]
fn held<T>(value: T) -> usize {
    let before = GIVEN_BACK.get();
    drop(black_box(value));
    GIVEN_BACK.get() - before
}

#[test]
fn the_count_counts() {
    assert_eq!(allocations(|| drop(black_box(Box::new([0_u8; 100])))), (1, 100));
    assert_eq!(allocations(|| ()), (0, 0));
}

#[test]
fn forwarding() {
    use hopwire::http::forward::{ForwardedPolicy, Intermediary, Node};
    let mut head = *b"GET https://b/ HTTP/1.1\r\nHost: a\r\nVia: 1.0 x\r\nConnection: y, upgrade\r\nUpgrade: websocket\r\nY: 1\r\nZ: 2\r\n\r\n";
    let mut out = [0; 1024];
    let asked = allocations(|| {
        let client = Node::new(Some([192, 0, 2, 1].into()), true);
        let edge = Intermediary::new("edge").expect("a name");
        let edge = Intermediary { forwarded: ForwardedPolicy::Append, x_forwarded: ForwardedPolicy::Append, ..edge };
        let (mut rx, limits) = (Rx::new(&mut head), http1::HeadLimits::new());
        let request = http1::RequestHead::new().poll(&mut rx, &limits).ok().flatten().expect("whole");
        let mut tx = Tx::new(&mut out);
        edge.request(&(&request).into(), &client).expect("forwarded").write_http1(&mut tx).expect("there is room");
        assert!(tx.written().ends_with(b"connection: upgrade\r\n\r\n"));
    });
    assert_eq!(asked, (0, 0));
}

/// A request, its answer with trailers, and all that is between them.
#[test]
fn forwarding_both_ways() {
    use hopwire::http::forward::{Intermediary, Node};
    let mut came =
        *b"PUT / HTTP/1.1\r\nHost: a\r\nConnection: te, x\r\nTE: trailers\r\nX: 1\r\nContent-Length: 5\r\n\r\nhello";
    let mut answered = *b"HTTP/1.1 103 E\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nVia: 1.0 x\r\nY: a\r\n b\r\n\r\n\
        2\r\nhi\r\n0\r\nZ: 1\r\n\r\n";
    let (mut out, mut on) = ([0; 1024], [0; 1024]);
    let asked = allocations(|| {
        let edge = Intermediary { trailers: true, ..Intermediary::new("edge").expect("a name") };
        let who = Node::new(None, false);
        let (mut server, mut client) = (http1::Server::default(), http1::Client::default());
        let (mut rx, mut tx) = (Rx::new(&mut came), Tx::new(&mut out));
        let (mut answer, mut up) = (Rx::new(&mut answered), Tx::new(&mut on));
        let mut asked = None;
        while let Some(event) = server.poll(Instant::ZERO, &mut rx, &mut tx).expect("a good request") {
            match event {
                server::Event::Request(head) => {
                    let request = edge.request(&(&head).into(), &who).expect("forwarded");
                    client.forward(&request, &mut up).expect("there is room");
                    asked = Some(request.asked());
                }
                server::Event::Body(data) => assert_eq!(client.body(data, &mut up), Ok(5)),
                server::Event::End => client.end(&[], &mut up).expect("all is there"),
                _ => {}
            }
        }
        let mut trailers = None;
        while let Some(event) = client.poll(Instant::ZERO, &mut answer).expect("a good answer") {
            match event {
                client::Event::Interim(head) | client::Event::Response(head) => {
                    let head = edge.response(&(&head).into(), asked.as_ref().expect("asked"), None);
                    let head = head.expect("good").expect("it goes on");
                    server.forward(&head, &mut tx).expect("there is room");
                    trailers = Some(head.trailers());
                }
                client::Event::Body(data) => assert_eq!(server.body(data, &mut tx), Ok(2)),
                client::Event::Trailers(fields) => {
                    let field = trailers.and_then(|trailers| trailers.of(fields).next()).expect("one goes on");
                    server.end(&[(field.name.as_str(), field.value)], &mut tx).expect("there is room");
                }
                _ => {}
            }
        }
        assert!(tx.written().ends_with(b"2\r\nhi\r\n0\r\nZ: 1\r\n\r\n") && client.unusable().is_none());
    });
    assert_eq!(asked, (0, 0));
}

#[test]
fn an_http_server() {
    let mut input = [
        &b"GET /a?b HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\nCookie: a=b\r\n\r\n"[..],
        b"HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
    ]
    .concat()
    .repeat(50);
    let mut out = vec![0; 1 << 20];
    let (mut requests, mut bodies) = (0, 0);
    let asked = allocations(|| {
        let mut server = http1::Server::default();
        let (mut rx, mut tx) = (Rx::new(&mut input), Tx::new(&mut out));
        while let Some(event) = server.poll(Instant::ZERO, &mut rx, &mut tx).expect("good requests") {
            match event {
                server::Event::Request(request) => {
                    requests += 1;
                    assert!(request.fields.first("host").is_some() && request.authority().is_some());
                }
                server::Event::Body(data) => {
                    bodies += data.len();
                    server.respond(Status::OK, FIELDS, BodyLength::Chunked, &mut tx).expect("once a request");
                    server.body(data, &mut tx).expect("there is room");
                    server.body_prefix(1 << 16, &mut tx).expect("there is room");
                    server.body_suffix(&mut tx).expect("there is room");
                }
                server::Event::End if server.owes_response() => {
                    server.inform(Status::EARLY_HINTS, FIELDS, &mut tx).expect("before the answer");
                    server.respond_with(Status::OK, FIELDS, b"hello", &mut tx).expect("there is room");
                }
                server::Event::End => server.end(&[("x-sum", b"1")], &mut tx).expect("the answer is open"),
                _ => {}
            }
        }
        let _ = (server.poll_timeout(), server.handle_timeout(Instant::ZERO, &mut tx));
    });
    assert_eq!((requests, bodies, asked), (200, 500, (0, 0)));
}

#[test]
fn an_http_server_that_refuses() {
    for bad in [
        &b"GET  / HTTP/1.1\r\n\r\n"[..],
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n",
    ] {
        let mut input = bad.to_vec();
        let mut out = [0; 512];
        let asked = allocations(|| {
            let mut server = http1::Server::default();
            let mut tx = Tx::new(&mut out);
            let violation = server.poll(Instant::ZERO, &mut Rx::new(&mut input), &mut tx).expect_err("a bad request");
            assert_eq!(violation.status().code(), 400);
            assert!(tx.written().starts_with(b"HTTP/1.1 400 "));
        });
        assert_eq!(asked, (0, 0));
    }
}

#[test]
fn an_http_client() {
    let responses = [
        &b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: a\r\n b\r\n\r\nhello"
            [..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
    ];
    let mut input = [0; 256];
    let mut out = [0; 256];
    let mut bodies = 0;
    let asked = allocations(|| {
        let mut client = http1::Client::default();
        for response in responses.iter().cycle().take(100) {
            let mut tx = Tx::new(&mut out);
            client.request(Method::Put, b"/a?b", HOST, BodyLength::Chunked, &mut tx).expect("a good request");
            client.body(b"hello", &mut tx).expect("there is room");
            client.end(&[("x-sum", b"1")], &mut tx).expect("the request is open");
            let received = &mut input[..response.len()];
            received.copy_from_slice(response);
            let mut rx = Rx::new(received);
            while let Some(event) = client.poll(Instant::ZERO, &mut rx).expect("a good response") {
                match event {
                    client::Event::Response(response) => assert!(response.fields.iter().count() > 0),
                    client::Event::Body(data) => bodies += data.len(),
                    _ => {}
                }
            }
        }
        client.handle_timeout(Instant::ZERO);
        let _ = (client.poll_timeout(), client.unusable());
    });
    assert_eq!((bodies, asked), (500, (0, 0)));
}

#[test]
fn an_http_client_that_fails() {
    for bad in [
        &b"HTTP/1.1 2000 OK\r\n\r\n"[..],
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n",
    ] {
        let mut input = bad.to_vec();
        let mut out = [0; 64];
        let asked = allocations(|| {
            let mut client = http1::Client::default();
            let mut tx = Tx::new(&mut out);
            assert!(client.request(Method::Get, b"/", &[], BodyLength::None, &mut tx).is_err());
            client.request(Method::Get, b"/", HOST, BodyLength::None, &mut tx).expect("a good request");
            assert!(client.poll(Instant::ZERO, &mut Rx::new(&mut input)).is_err());
        });
        assert_eq!(asked, (0, 0));
    }
}

#[test]
fn an_upgrade() {
    let mut input =
        b"GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: http://a.example\r\n\
        Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
            .to_vec();
    let mut out = [0; 512];
    let asked = allocations(|| {
        let mut server = http1::Server::default();
        let (mut rx, mut tx) = (Rx::new(&mut input), Tx::new(&mut out));
        let Ok(Some(server::Event::Request(request))) = server.poll(Instant::ZERO, &mut rx, &mut tx) else {
            unreachable!("a good request");
        };
        let handshake = ws::Handshake::of(&request).expect("a good handshake").expect("a handshake");
        let answer = handshake.accept(ws::OriginPolicy::default()).expect("the same origin");
        answer.subprotocol("chat").fields(FIELDS).write(&mut tx).expect("there is room");
        assert!(tx.written().starts_with(b"HTTP/1.1 101 "));
    });
    assert_eq!(asked, (0, 0));
}

#[test]
fn a_websocket() {
    let text = "x".repeat(1000) + &"\u{65e5}\u{672c}".repeat(300);
    let once = [
        frame(0x81, b"hello"),
        frame(0x81, text.as_bytes()),
        frame(0x01, &text.as_bytes()[..1001]),
        frame(0x89, b"between"),
        frame(0x80, &text.as_bytes()[1001..]),
        frame(0x82, &[7; 3000]),
        frame(0x8a, b""),
    ]
    .concat();
    let mut input = once.repeat(20);
    input.extend(frame(0x88, b"\x03\xe8bye"));
    let mut out = vec![0; 1 << 20];
    let mut events = 0;
    let asked = allocations(|| {
        let mut conn = ws::Connection::<ws::Server>::default();
        let mut tx = Tx::new(&mut out);
        // Reads end anywhere, as they do on a socket.
        let (mut start, mut end) = (0, 0);
        while end < input.len() {
            end = input.len().min(end + 777);
            let mut rx = Rx::new(&mut input[start..end]);
            while let Some(event) = conn.poll(Instant::ZERO, &mut rx, &mut tx).expect("good frames") {
                events += 1;
                match event {
                    ws::Event::Text { text, end } => conn.send_text_piece(text, end, &mut tx).expect("there is room"),
                    ws::Event::Binary { data, end } => {
                        conn.send_binary_piece(data, end, &mut tx).expect("there is room");
                    }
                    ws::Event::Close { code, .. } => assert_eq!(code, Some(CloseCode::NORMAL)),
                    _ => {}
                }
            }
            start += rx.consumed();
        }
        let _ = (conn.poll_timeout(), conn.handle_timeout(Instant::ZERO, &mut tx));
    });
    assert!(events > 141);
    assert_eq!(asked, (0, 0));
}

/// Messages, pieces, prefixes and control frames of both roles, and what deadlines send.
#[test]
fn what_a_websocket_sends() {
    let text = "x".repeat(1024);
    let mut payload = vec![7; 1 << 16];
    let (mut out, mut space) = (vec![0; 1 << 16], [0; 64]);
    let asked = allocations(|| {
        let mut server = ws::Connection::<ws::Server>::default();
        let mut client = ws::Connection::client(|key: &mut [u8]| key.fill(7), ws::Config::new());
        for _ in 0..10 {
            let mut tx = Tx::new(&mut out);
            let tx = &mut tx;
            server.send_text(&text[..16], tx).expect("there is room");
            server.send_binary(text.as_bytes(), tx).expect("there is room");
            server.send_prefix(ws::Kind::Binary, 1 << 16, true, tx).expect("there is room");
            server.send_text_piece("be", false, tx).expect("there is room");
            server.send_ping(b"?", tx).expect("there is room");
            server.send_text_piece("gun", true, tx).expect("there is room");
            let frame = ws::Frame::text("hello", &mut space).expect("there is room");
            server.send_frame(frame, tx).expect("there is room");
            client.send_text(&text[..16], tx).expect("there is room");
            client.send_binary(text.as_bytes(), tx).expect("there is room");
            client.send_prefix(ws::Kind::Binary, &mut payload[..], true, tx).expect("there is room");
            client.send_pong(b"!", tx).expect("there is room");
            client.send_frame(frame, tx).expect("there is room");
        }
        let mut tx = Tx::new(&mut out);
        let start = server.poll_timeout().expect("the clock");
        server.handle_timeout(start, &mut tx).expect("there is room");
        let ping = server.poll_timeout().expect("a deadline");
        server.handle_timeout(ping, &mut tx).expect("there is room");
        assert_eq!(tx.written(), [0x89, 0]);
        server.close(ping, CloseCode::NORMAL, "bye", &mut tx).expect("there is room");
        client.close(ping, CloseCode::NORMAL, "bye", &mut tx).expect("there is room");
    });
    assert_eq!(asked, (0, 0));
}

#[test]
fn a_websocket_that_fails() {
    for bad in [frame(0x81, b"\xff"), frame(0x83, b""), frame(0x88, b"\x03\xed"), vec![0x82, 0xff, 0x80]] {
        let mut input = bad;
        let mut out = [0; 64];
        let asked = allocations(|| {
            let mut conn = ws::Connection::<ws::Server>::default();
            let mut tx = Tx::new(&mut out);
            assert!(conn.poll(Instant::ZERO, &mut Rx::new(&mut input), &mut tx).is_err());
            assert!(tx.written().starts_with(&[0x88, 2]));
        });
        assert_eq!(asked, (0, 0));
    }
}

#[test]
fn an_inflater() {
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00, 0x00, 0xff, 0xff];
    let mut output = [0; 64];
    let asked = allocations(|| {
        let mut inflater = deflate::Inflater::<32768>::new();
        for _ in 0..100 {
            let inflated = inflater.inflate(&hello, &mut output).expect("good data");
            assert_eq!(&output[..inflated.produced], b"Hello");
        }
        assert!(inflater.inflate(&[0x06], &mut output).is_err());
    });
    assert_eq!(asked, (0, 0));
}

/// A header is a claim: memory is taken for what has come.
#[cfg(feature = "alloc")]
#[test]
fn a_declared_length_reserves_nothing() {
    let mut header = frame(0x82, &[1; 70_000])[..14 + 10].to_vec();
    header[2..10].copy_from_slice(&(1_u64 << 24).to_be_bytes());
    let asked = allocations(|| {
        let mut conn = ws::Connection::<ws::Server>::default();
        let mut messages = ws::Messages::new(1 << 24);
        let (mut rx, mut out) = (Rx::new(&mut header), [0; 16]);
        let event = conn.poll(Instant::ZERO, &mut rx, &mut Tx::new(&mut out)).expect("a good header").expect("a piece");
        assert!(messages.push(event).expect("within the limit").is_none());
    });
    assert!(asked.0 == 1 && asked.1 < 100, "{asked:?}");
}

/// A message in one piece is not copied.
#[cfg(feature = "alloc")]
#[test]
fn whole_messages_in_one_piece() {
    let mut input = frame(0x81, &[b'x'; 4000]).repeat(10);
    let mut out = vec![0; 1 << 16];
    let asked = allocations(|| {
        let mut conn = ws::Connection::<ws::Server>::default();
        let mut messages = ws::Messages::new(1 << 20);
        let (mut rx, mut tx) = (Rx::new(&mut input), Tx::new(&mut out));
        while let Some(event) = conn.poll(Instant::ZERO, &mut rx, &mut tx).expect("good frames") {
            if let Some(ws::Message::Text(text)) = messages.push(event).expect("within the limit") {
                conn.send_text(text, &mut tx).expect("there is room");
            }
        }
        assert_eq!(tx.len(), 10 * 4004);
    });
    assert_eq!(asked, (0, 0));
}

/// After 64 MiB of messages, whole and in fragments, a session without compression holds what it did at first: nothing.
#[cfg(feature = "alloc")]
#[test]
fn an_idle_session_holds_nothing() {
    let mut session = ws::Session::server(ws::Config::new(), None);
    let mut shared = ws::Shared::default();
    let text = vec![b'x'; 1 << 20];
    let once = [frame(0x81, &text), frame(0x01, &text), frame(0x00, &text), frame(0x80, &text)].concat();
    let mut out = vec![0; 1 << 22];
    let (mut messages, mut end) = (0, 0);
    for _ in 0..16 {
        let mut input = once.clone();
        let (mut rx, mut tx) = (Rx::new(&mut input), Tx::new(&mut out));
        while let Some((message, mut outbox)) =
            session.poll(Instant::ZERO, &mut shared, &mut rx, &mut tx).expect("good frames")
        {
            messages += 1;
            if let ws::Message::Text(text) = message {
                end += text.len();
                outbox.send_binary(&text.as_bytes()[..1000], &mut tx).expect("there is room");
            }
        }
    }
    assert_eq!((messages, end), (32, 64 << 20));
    assert_eq!(held(session), 0);
}

/// Short messages in fragments: memory for the first is kept for those behind it.
#[cfg(feature = "alloc")]
#[test]
fn short_fragments_are_put_together_without_asking_again() {
    let mut messages = ws::Messages::new(1 << 20);
    for round in 0..3 {
        let asked = allocations(|| {
            for end in [false, true] {
                let event = ws::Event::Binary { data: &mut [0; 1500], end };
                assert_eq!(messages.push(event).expect("within the limit").is_some(), end);
            }
        });
        assert!(round == 0 || asked == (0, 0), "{asked:?}");
    }
}

/// From the second message in fragments on, the memory they are put together in is the one before's, whoever's it was.
#[cfg(feature = "alloc")]
#[test]
fn fragments_are_put_together_in_shared_memory() {
    let mut shared = ws::Shared::default();
    for round in 0..3 {
        let mut session = ws::Session::server(ws::Config::new(), None);
        let mut input = [frame(0x02, &[b'x'; 5000]), frame(0x80, &[b'x'; 5000])].concat();
        let asked = allocations(|| {
            let (mut rx, mut out) = (Rx::new(&mut input), [0; 16]);
            let mut messages = 0;
            while session.poll(Instant::ZERO, &mut shared, &mut rx, &mut Tx::new(&mut out)).expect("good").is_some() {
                messages += 1;
            }
            assert_eq!(messages, 1);
        });
        assert!(round == 0 || asked == (0, 0), "{asked:?}");
    }
}

/// What sessions share keeps no more than 1 MiB of a big message, compressed for one or for many.
#[cfg(feature = "alloc")]
#[test]
fn what_is_shared_gives_big_memory_back() {
    let most = size_of::<deflate::Encoder>() + size_of::<deflate::History>() + (1 << 20);
    let (mut out, big) = (vec![0; 4 << 20], vec![b'x'; 3 << 20]);
    let mut shared = ws::Shared::new(deflate::Level::Fast);
    let mut session = ws::Session::server(ws::Config::new(), Some(Default::default()));
    session.outbox(&mut shared).send_binary(&big, &mut Tx::new(&mut out)).expect("there is room");
    assert!(held(shared) <= most);
    let mut shared = ws::Shared::new(deflate::Level::Fast);
    black_box(ws::Prepared::binary(&big).compressed(&mut shared));
    assert!(held(shared) <= most);
    // Nor of one that was received.
    let (mut shared, mut session) = (ws::Shared::default(), ws::Session::server(ws::Config::new(), None));
    let mut wire = [frame(0x02, &big), frame(0x80, b"")].concat();
    let mut rx = Rx::new(&mut wire);
    for message in [true, false] {
        let heard = session.poll(Instant::ZERO, &mut shared, &mut rx, &mut Tx::new(&mut out)).expect("good frames");
        assert_eq!(heard.is_some(), message);
    }
    assert!(held(shared) <= 1 << 20);
}

/// A message in tiny fragments, plain or compressed, pins no more than twice what it carries, and a little: for what is
/// compressed, a decoder and a window.
#[cfg(feature = "alloc")]
#[test]
fn tiny_fragments_pin_no_more_than_they_carry() {
    let plain = [frame(0x02, b"x"), frame(0x00, b"x").repeat(50_000)].concat();
    // Stored, the first of one block.
    let stored = b"\x00\xff\xff\x00\x00".iter().chain([b'x'; 50_001].iter());
    let compressed =
        stored.enumerate().flat_map(|(n, byte)| frame(if n == 0 { 0x42 } else { 0x00 }, &[*byte])).collect();
    let window = size_of::<deflate::Decoder>() + size_of::<deflate::Window>();
    for (params, mut input, more) in [(None, plain, 0), (Some(Default::default()), compressed, window)] {
        let mut session = ws::Session::server(ws::Config::new(), params);
        let mut shared = ws::Shared::default();
        let (mut rx, mut out) = (Rx::new(&mut input), [0; 16]);
        let outcome = session.poll(Instant::ZERO, &mut shared, &mut rx, &mut Tx::new(&mut out));
        assert!(outcome.is_ok_and(|message| message.is_none()));
        let pinned = held(session);
        assert!((more + 50_001..=more + 2 * 50_001 + 1024).contains(&pinned), "{pinned}");
    }
}

/// 64 MiB that come in as 64 KiB: the limit is noticed when it is passed, not when all of it is there; and nothing is held
/// any longer, though the connection has yet to end.
#[cfg(feature = "alloc")]
#[test]
fn a_bomb_costs_no_more_than_the_limit() {
    let (mut bomb, mut text) = (Vec::new(), vec![0; 1 << 20]);
    let mut deflater = Box::new(deflate::Deflater::<32768>::new(deflate::Level::Fast));
    for _ in 0..64 {
        let progress = deflater.deflate(&vec![0; 1 << 20], &mut text, deflate::Flush::Sync);
        bomb.extend_from_slice(&text[..progress.produced]);
    }
    let limit = 1 << 20;
    let config = |max_ratio| {
        let mut config = ws::Config::new();
        (config.max_message, config.max_ratio) =
            if max_ratio < 1000 { (64 << 20, max_ratio) } else { (limit, max_ratio) };
        config
    };
    // By size, and by ratio, of which the first 1 MiB is free.
    for (config, violation) in [(config(2000), ws::Limit::Message), (config(10), ws::Limit::Ratio)] {
        let mut session = ws::Session::server(config, Some(Default::default()));
        let (mut input, mut out) = (frame(0xc2, &bomb), [0; 16]);
        let mut tx = Tx::new(&mut out);
        let mut shared = ws::Shared::default();
        let (_, asked) = allocations(|| {
            let outcome = session.poll(Instant::ZERO, &mut shared, &mut Rx::new(&mut input), &mut tx);
            assert!(outcome.is_err_and(|error| error == ws::Violation::Limit(violation)), "{violation:?}");
        });
        assert_eq!(tx.written(), [0x88, 2, 0x03, 0xf1], "1009");
        // What a vector that doubles asks for in all.
        assert!(asked < 5 << 20, "{asked}");
        assert_eq!(held(session), 0);
    }
}

/// A message that will not be finished is not kept while the end of the connection is waited for.
#[cfg(feature = "alloc")]
#[test]
fn what_a_lost_message_held_is_given_back() {
    for (end, fails) in [(frame(0x88, b"\x03\xe8"), false), (frame(0x83, b""), true), (vec![], true)] {
        let mut session = ws::Session::server(ws::Config::new(), Some(Default::default()));
        let mut shared = ws::Shared::default();
        let mut input = [frame(0x42, b"\x00\xff\xff\x00\x00and so on"), end.clone()].concat();
        let mut out = [0; 16];
        let mut tx = Tx::new(&mut out);
        let outcome = session.poll(Instant::ZERO, &mut shared, &mut Rx::new(&mut input), &mut tx).map(|m| m.is_some());
        if end.is_empty() {
            let stalled = session.poll_timeout().expect("a deadline");
            session.handle_timeout(stalled, &mut tx).expect("there is room");
            let stalled = session.poll_timeout().expect("a deadline");
            session.handle_timeout(stalled, &mut tx).expect("there is room");
        } else {
            assert_eq!(outcome.is_err(), fails);
        }
        assert_eq!(tx.written()[0] & 0x0f, if end.is_empty() { 0x09 } else { 0x08 });
        assert_eq!(held(session), 0);
    }
}

/// With compression: nothing where no context is kept, else the window that was agreed for each side that keeps one, and
/// nothing more; whoever keeps it, and whoever asked for it. It is so after 64 MiB of messages, too.
#[cfg(feature = "alloc")]
#[test]
fn an_idle_session_with_compression_holds_its_contexts() {
    use hopwire::deflate::{History, Window};
    use ws::handshake::deflate::Params;

    let window = |bits: u8| size_of::<Window<[u8; 256]>>() - 256 + (1 << bits);
    // A history is at least of 9 bits: of a window of 8, half may wait to be encoded.
    let history = |bits: u8| size_of::<History<[u8; 512]>>() - 512 + (1 << bits.max(9));
    assert_eq!((window(15), history(15)), (32_768 + 2 * size_of::<usize>(), 32_768 + 20));
    for bits in [None, Some(8), Some(9), Some(10), Some(11), Some(12), Some(13), Some(14), Some(15)] {
        let (asked, other) = (bits.unwrap_or(15), 23 - bits.unwrap_or(15));
        for (of_server, of_client) in [(false, false), (true, false), (false, true), (true, true)] {
            let params = Params {
                server_no_context_takeover: !of_server,
                client_no_context_takeover: !of_client,
                server_max_window_bits: bits,
                client_max_window_bits: Some(other),
            };
            let kept = |is_kept: bool, size: usize| if is_kept { size } else { 0 };
            let (server, client) = talk(params, 5, 3000);
            assert_eq!(server, kept(of_server, history(asked)) + kept(of_client, window(other)), "{params}");
            assert_eq!(client, kept(of_server, window(asked)) + kept(of_client, history(other)), "{params}");
        }
    }
    // What is prepared for many is no reason to keep a context.
    let params = Params { server_no_context_takeover: true, client_no_context_takeover: true, ..Params::default() };
    let mut server = ws::Session::server(ws::Config::new(), Some(params));
    let mut shared = ws::Shared::default();
    let (prepared, mut out) = (ws::Prepared::binary(&[b'x'; 1000]).compressed(&mut shared), [0; 100]);
    server.outbox(&mut shared).send_prepared(&prepared, &mut Tx::new(&mut out)).expect("there is room");
    assert_eq!(held(server), 0);
    for is_kept in [false, true] {
        let (server_no_context_takeover, client_no_context_takeover) = (!is_kept, !is_kept);
        let params = Params { server_no_context_takeover, client_no_context_takeover, ..Params::default() };
        let kept = if is_kept { window(15) + history(15) } else { 0 };
        assert_eq!(talk(params, 32, 1 << 20), (kept, kept));
    }
}

/// What a server and a client still hold after so many messages of `len` bytes in each direction. From the second on
/// those that are not big allocate nothing.
#[cfg(feature = "alloc")]
fn talk(params: ws::handshake::deflate::Params, messages: usize, len: usize) -> (usize, usize) {
    /// The memory of bigger messages is not kept.
    const BIG: usize = 1 << 16;
    let mut server = ws::Session::server(ws::Config::new(), Some(params));
    let mut client = ws::Session::client(|key: &mut [u8]| key.fill(7), ws::Config::new(), Some(params));
    let level = if len > BIG { deflate::Level::Fast } else { deflate::Level::Default };
    let (mut shared, mut others) = (ws::Shared::new(level), ws::Shared::new(level));
    let message = vec![7; len];
    let (mut wire, mut back) = (Vec::with_capacity(1 << 16), Vec::with_capacity(1 << 16));
    for round in 0..messages {
        wire.clear();
        back.clear();
        let asked = allocations(|| {
            let mut tx = Tx::growing(&mut wire, 1 << 16);
            client.outbox(&mut others).send_binary(&message, &mut tx).expect("there is room");
            let (mut rx, mut tx) = (Rx::new(&mut wire), Tx::growing(&mut back, 1 << 16));
            let (heard, mut outbox) =
                server.poll(Instant::ZERO, &mut shared, &mut rx, &mut tx).expect("good frames").expect("a message");
            let ws::Message::Binary(data) = heard else { unreachable!("bytes were sent") };
            assert!(data == message);
            outbox.send_binary(data, &mut tx).expect("there is room");
            let (mut rx, mut tx) = (Rx::new(&mut back), Tx::new(&mut []));
            let heard = client.poll(Instant::ZERO, &mut others, &mut rx, &mut tx).expect("good frames");
            assert!(heard.is_some_and(|(heard, _)| heard == ws::Message::Binary(&message)));
            // The memory of a message goes back with the next call.
            assert!(server.poll(Instant::ZERO, &mut shared, &mut Rx::new(&mut []), &mut tx).is_ok_and(|m| m.is_none()));
            assert!(client.poll(Instant::ZERO, &mut others, &mut Rx::new(&mut []), &mut tx).is_ok_and(|m| m.is_none()));
        });
        assert!(round == 0 || len > BIG || asked == (0, 0), "{asked:?} in round {round}");
    }
    (held(server), held(client))
}

#[test]
fn an_event_stream() {
    let once =
        b"event: a\nid: 7\ndata: one\ndata: \xff\xe6\x97\xa5\r\n\r\n: comment\n\ndata: x\n\nretry: 5\nunknown: x\n\n";
    let mut input = once.repeat(100);
    let mut out = [0; 64];
    let mut events = 0;
    let asked = allocations(|| {
        let mut decoder = sse::Decoder::new();
        let (mut start, mut end) = (0, 0);
        while end < input.len() {
            end = input.len().min(end + 77);
            let mut rx = Rx::new(&mut input[start..end]);
            while let Some(event) = decoder.poll(&mut rx) {
                events += 1;
                let sse::Event::Message(message) = event else { unreachable!("nothing is long") };
                let Some(data) = message.data.text() else { continue };
                let outgoing = sse::Outgoing::data(data.as_str()).event("x").id(decoder.last_event_id().as_str());
                outgoing.encode(&mut Tx::new(&mut out)).expect("there is room");
            }
            start += rx.consumed();
        }
    });
    assert_eq!((events, asked), (200, (0, 0)));
}

/// One masked frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let len = payload.len();
    let mut wire = match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len @ 0..=125), _) => vec![first, 0x80 | len],
        (_, Ok(len)) => [&[first, 0x80 | 126][..], &len.to_be_bytes()].concat(),
        _ => [&[first, 0x80 | 127][..], &(len as u64).to_be_bytes()].concat(),
    };
    wire.extend_from_slice(&KEY);
    wire.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    wire
}

const FIELDS: &[(&str, &[u8])] = &[("server", b"x"), ("date", b"Sun, 06 Nov 1994 08:49:37 GMT")];

const HOST: &[(&str, &[u8])] = &[("host", b"a.example"), ("accept", b"*/*")];
