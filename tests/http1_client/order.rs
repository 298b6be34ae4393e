//! Any order of calls, any pieces, any room.

use hopwire::http::forward::{self, Intermediary};
use hopwire::http1::{HeadLimits, RequestHead};

use super::*;

/// One thing a caller, or the server, or the clock does.
#[derive(Clone, Debug)]
enum Do {
    Request(usize, usize, usize),
    RequestWith(usize),
    Forward(usize),
    Body(usize),
    Prefix(u64),
    Suffix,
    End(bool),
    Close,
    Feed(usize),
    Finish,
    Timeout,
}

fn anything() -> impl Strategy<Value = Do> {
    prop_oneof![
        6 => (0..METHODS.len(), 0..FIELDS.len(), 0..4_usize).prop_map(|(method, fields, body)| Do::Request(method, fields, body)),
        2 => (0..METHODS.len()).prop_map(Do::RequestWith),
        2 => (0..RECEIVED.len()).prop_map(Do::Forward),
        4 => (0..12_usize).prop_map(Do::Body),
        2 => (0..4_u64).prop_map(Do::Prefix),
        1 => Just(Do::Suffix),
        4 => any::<bool>().prop_map(Do::End),
        1 => Just(Do::Close),
        8 => (0..RESPONSES.len()).prop_map(Do::Feed),
        1 => Just(Do::Finish),
        1 => Just(Do::Timeout),
    ]
}

const METHODS: &[Method<'_>] = &[Method::Get, Method::Head, Method::Post, Method::Put, Method::Connect, Method::Trace];
const FIELDS: &[Fields<'_>] = &[
    &[HOST],
    &[HOST, ("upgrade", b"websocket")],
    &[HOST, EXPECT],
    &[HOST, ("connection", b"close")],
    &[HOST, ("a", b"b\r\n\r\nGET / HTTP/1.1")],
    &[HOST, ("content-length", b"3")],
    &[HOST, ("te", b"trailers")],
    &[],
];
/// Heads from a client of our own.
const RECEIVED: &[&[u8]] = &[
    b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
    b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 7\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, te\r\nTE: trailers\r\nUpgrade: websocket\r\n\r\n",
];
const RECEIVED_METHODS: &[&str] = &["GET", "HEAD", "PUT", "POST", "GET"];
const RESPONSES: &[&[u8]] = &[
    OK5,
    OK0,
    CLOSE0,
    CONTINUE,
    SWITCH,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\nuntil close",
    b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-",
    b"Length: 3\r\n\r\nabc",
    b"\r\n",
    b"\0",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 8 } else { 1000 }))]

    /// Calls in any order, right and wrong: no panic, and what goes out is a row of whole requests (the last one may be
    /// cut), one for each call that was taken.
    #[test]
    fn any_order_of_calls(steps in prop::collection::vec(anything(), 0..30), size in 1_usize..80) {
        let mut dialogue = dialogue();
        dialogue.out.size = size;
        let (mut taken, mut open_before) = (Vec::new(), false);
        for step in steps {
            let was_over = matches!(dialogue.client.unusable(), Some(Unusable::Failed(_) | Unusable::Switched | Unusable::Ended));
            let wire = dialogue.out.wire.len();
            match step {
                Do::Request(method, fields, body) => {
                    let length = [BodyLength::None, BodyLength::Length(0), BodyLength::Length(7), BodyLength::Chunked][body];
                    let target: &[u8] = if METHODS[method] == Method::Connect { b"a:1" } else { b"/" };
                    if dialogue.call(|client, tx| client.request(METHODS[method], target, FIELDS[fields], length, tx)).is_ok() {
                        prop_assert!(!open_before);
                        taken.push(METHODS[method].as_str());
                    }
                }
                Do::RequestWith(method) => {
                    if dialogue.call(|client, tx| client.request_with(METHODS[method], b"/", &[HOST], b"hi", tx)).is_ok() {
                        prop_assert!(!open_before);
                        taken.push(METHODS[method].as_str());
                    }
                }
                Do::Forward(nth) => {
                    let (mut received, limits) = (RECEIVED[nth].to_vec(), HeadLimits::new());
                    let received = RequestHead::new().poll(&mut Rx::new(&mut received), &limits).unwrap().unwrap();
                    let (edge, behind) = (Intermediary::new("edge").unwrap(), forward::Node::new(None, false));
                    let request = edge.request(&(&received).into(), &behind).unwrap();
                    if dialogue.call(|client, tx| client.forward(&request, tx)).is_ok() {
                        prop_assert!(!open_before);
                        taken.push(RECEIVED_METHODS[nth]);
                    }
                }
                Do::Body(len) => {
                    let sent = send(&mut dialogue, &b"hello, world"[..len]);
                    prop_assert!(open_before || sent.is_err());
                }
                Do::Prefix(len) => {
                    if let Ok(len) = dialogue.call(|client, tx| client.body_prefix(len, tx)) {
                        dialogue.out.wire.extend((0..len).map(|_| b'x'));
                    }
                }
                Do::Suffix => drop(dialogue.call(Client::body_suffix)),
                Do::End(trailers) => {
                    let trailers: Fields<'_> = if trailers { &[("x", b"y")] } else { &[] };
                    let _ = dialogue.call(|client, tx| client.end(trailers, tx));
                }
                Do::Close => dialogue.client.close(),
                Do::Feed(response) => dialogue.feed(RESPONSES[response]),
                Do::Finish => dialogue.finish(),
                Do::Timeout => if let Some(due) = dialogue.client.poll_timeout() {
                    dialogue.client.handle_timeout(due);
                    dialogue.now = due;
                },
            }
            prop_assert!(!was_over || dialogue.out.wire.len() == wire, "nothing is sent any more");
            open_before = dialogue.client.owes_content();
            prop_assert!(dialogue.client.unanswered() <= dialogue.client.outstanding());
            prop_assert!(dialogue.client.outstanding() <= usize::from(Config::MAX_PIPELINE));
        }
        // The wire as a server reads it.
        let mut server = Exchange::new(Server::default());
        server.feed(&dialogue.out.wire, &mut |server, told, out| {
            if *told == Told::End {
                let _ = out.call(|tx| server.respond_with(Status::NOT_FOUND, &[], b"", tx));
            }
        });
        prop_assert_eq!(server.violation, None);
        let methods: Vec<_> = server.events().into_iter().filter_map(|told| match told {
            Told::Request(head) => Some(head.method),
            _ => None,
        }).collect();
        prop_assert_eq!(methods, taken);
    }

    /// What is received does not depend on the pieces it comes in.
    #[test]
    fn any_pieces_give_the_same(
        asks in prop::collection::vec(0..3_usize, 1..5),
        responses in prop::collection::vec(0..RESPONSES.len(), 0..8),
        mut ends in prop::collection::vec(any::<prop::sample::Index>(), 0..8), last in any::<bool>(),
    ) {
        let wire: Vec<u8> = responses.iter().flat_map(|&response| RESPONSES[response].iter().copied()).collect();
        let play = |pieces: &mut dyn Iterator<Item = &[u8]>| {
            let mut dialogue = dialogue();
            for &method in &asks {
                let _ = ask(&mut dialogue, METHODS[method]);
            }
            dialogue.feed(b"");
            pieces.for_each(|piece| dialogue.feed(piece));
            if last {
                dialogue.finish();
            }
            let rest = if dialogue.violation.is_some() { Vec::new() } else { dialogue.rest().to_vec() };
            let client = &dialogue.client;
            let state = (client.unusable(), client.outstanding(), client.unanswered(), client.wants(), client.poll_timeout());
            (dialogue.heard.clone(), rest, dialogue.violation, state)
        };
        let whole = play(&mut [&wire[..]].into_iter());
        prop_assert_eq!(&play(&mut wire.chunks(1)), &whole);
        let mut ends: Vec<_> = ends.drain(..).map(|end| end.index(wire.len() + 1)).collect();
        ends.sort_unstable();
        prop_assert_eq!(&play(&mut support::vectors::pieces(&wire, &ends).into_iter()), &whole);
    }

    /// What is sent does not depend on the room there is, nor on what comes in meanwhile.
    #[test]
    fn any_room_sends_the_same_content(
        content in prop::collection::vec(any::<u8>(), 1..300), size in 8_usize..100, chunked in any::<bool>(),
        response in 0..RESPONSES.len(),
    ) {
        let length = if chunked { BodyLength::Chunked } else { BodyLength::Length(content.len() as u64) };
        let mut dialogue = posting(length, &[]);
        dialogue.out.size = size;
        let mut rest = &content[..];
        while !rest.is_empty() {
            let taken = send(&mut dialogue, rest).unwrap();
            rest = &rest[taken..];
            if rest.len() < content.len() / 2 && dialogue.events().is_empty() && response == 0 {
                dialogue.feed(&OK5[..OK5.len() - 1]);
            }
        }
        end(&mut dialogue).unwrap();
        let mut server = Exchange::new(Server::default());
        server.feed(&dialogue.out.wire, &mut |_, _, _| {});
        let events = server.events();
        prop_assert_eq!(&events[1..], &[Told::Body(content), Told::End]);
    }
}
