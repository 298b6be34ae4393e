//! Any pieces, any room, any order of calls.

use hopwire::http::Method;
use hopwire::http::forward::{Asked, Intermediary, Node};
use hopwire::http1::ResponseHead;
use hopwire::http1::server::Event;

use super::*;

/// A response as a client reads it.
type Response = (u16, Vec<(String, String)>, Vec<u8>);

/// Reads all responses off a wire, by the plain rules; `methods` of the requests, in order. The second value: a last
/// response that is incomplete.
fn responses(wire: &[u8], methods: &[String]) -> Result<(Vec<Response>, bool), String> {
    let (mut at, mut asked, mut all) = (0, methods.iter(), Vec::new());
    'responses: while at < wire.len() {
        let text = String::from_utf8_lossy(&wire[at..]);
        let Some((head, _)) = text.split_once("\r\n\r\n") else { return Ok((all, true)) };
        at += head.len() + 4;
        let mut lines = head.split("\r\n");
        let line = lines.next().unwrap_or_default();
        let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse::<u16>().ok());
        let status = status.ok_or_else(|| format!("status line {line:?}"))?;
        let mut fields = Vec::new();
        for line in lines {
            let (name, value) = line.split_once(": ").ok_or_else(|| format!("field line {line:?}"))?;
            fields.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let value = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        let informational = status < 200;
        let none = String::new();
        let method = if informational { asked.as_slice().first() } else { asked.next() }.unwrap_or(&none);
        let mut content = Vec::new();
        if informational || status == 204 || status == 304 || method == "HEAD" {
            assert!(!(informational || status == 204) || value("content-length").is_none());
        } else if value("transfer-encoding").is_some() {
            loop {
                let Some(end) = wire[at..].windows(2).position(|pair| pair == b"\r\n") else { return Ok((all, true)) };
                let size = std::str::from_utf8(&wire[at..at + end]).map_err(|error| error.to_string())?;
                let size = usize::from_str_radix(size, 16).map_err(|error| format!("{size:?}: {error}"))?;
                at += end + 2;
                if size == 0 {
                    break;
                }
                let Some(chunk) = wire.get(at..at + size + 2) else { return Ok((all, true)) };
                if !chunk.ends_with(b"\r\n") {
                    return Err(format!("chunk {}", chunk.escape_ascii()));
                }
                content.extend_from_slice(&chunk[..size]);
                at += size + 2;
            }
            loop {
                let Some(end) = wire[at..].windows(2).position(|pair| pair == b"\r\n") else { return Ok((all, true)) };
                at += end + 2;
                if end == 0 {
                    break;
                }
            }
        } else if let Some(length) = value("content-length") {
            let length: usize = length.parse().map_err(|_| length.clone())?;
            let Some(data) = wire.get(at..at + length) else { return Ok((all, true)) };
            content.extend_from_slice(data);
            at += length;
        } else {
            content.extend_from_slice(&wire[at..]);
            at = wire.len();
        }
        let switched = status == 101 || method == "CONNECT" && (200..300).contains(&status);
        all.push((status, fields, content));
        if switched {
            break 'responses;
        }
    }
    if at < wire.len() { Err("bytes after the last response".into()) } else { Ok((all, false)) }
}

fn a_stream() -> impl Strategy<Value = Vec<u8>> {
    let part = prop::sample::select(vec![
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nPOST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
        "POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
        "PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nT: u\r\nHost: v\r\n\r\n",
        "GET /0 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "GET /0 HTTP/1.0\r\n\r\n",
        "GET /u HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: foo, websocket\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel",
        "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcde\r\n",
        "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "\0",
        "G",
    ]);
    prop::collection::vec(part, 1..6).prop_map(|parts| parts.concat().into_bytes())
}

/// Answers request after request in the ways that `plan` says. None of it depends on the pieces content came in.
fn by_plan(plan: Vec<u8>) -> impl FnMut(&mut Server, &Told, &mut Out) {
    let (mut n, mut content) = (0, Vec::new());
    move |server, told, out| {
        let way = plan[n % plan.len()] % 7;
        match (told, way) {
            (Told::Request(_), 0) => {
                n += 1;
                out.call(|tx| server.respond_with(Status::FORBIDDEN, &[("a", b"b")], b"early", tx)).unwrap();
            }
            (Told::Request(_), 1) => {
                out.call(|tx| server.inform(Status::EARLY_HINTS, &[("link", b"x")], tx)).unwrap();
                match out.call(|tx| server.respond(Status::OK, &[], BodyLength::Chunked, tx)) {
                    Err(Misuse::ContentNotAllowed) => {
                        n += 1;
                        out.call(|tx| server.respond(Status::OK, &[], BodyLength::None, tx)).unwrap();
                    }
                    other => other.unwrap(),
                }
            }
            (Told::Request(_), _) => content.clear(),
            (Told::Body(data), _) => content.extend_from_slice(data),
            (Told::Trailers(_), _) => {}
            (Told::End, way) => {
                n += 1;
                let data = std::mem::take(&mut content);
                match way {
                    1 => {
                        out.content(server, &data).unwrap();
                        out.call(|tx| server.end(&[("t", b"u")], tx)).unwrap();
                    }
                    2 => {
                        let n = BodyLength::Length(data.len() as u64);
                        if out.call(|tx| server.respond(Status::CREATED, &[], n, tx)).is_ok() && !server.has_switched()
                        {
                            out.content(server, &data).unwrap();
                            out.call(|tx| server.end(&[], tx)).unwrap();
                        }
                    }
                    3 if out.call(|tx| server.switch_protocols(&[("upgrade", b"foo")], tx)).is_ok() => {}
                    4 => out.call(|tx| server.respond_with(Status::NOT_MODIFIED, &[], &data, tx)).unwrap_or_default(),
                    5 => out.call(|tx| server.respond(Status::NO_CONTENT, &[], BodyLength::None, tx)).unwrap(),
                    _ => out.call(|tx| server.respond_with(Status::NOT_FOUND, &[], b"", tx)).unwrap(),
                }
            }
        }
    }
}

/// All that can be seen from outside after `wire` came in these pieces.
#[derive(Debug, PartialEq)]
struct Seen {
    told: Vec<Told>,
    wire: Vec<u8>,
    violation: Option<Violation>,
    wants: Wants,
    rest: Vec<u8>,
}

fn run(wire: &[u8], ends: &[usize], plan: &[u8], room: usize, last: bool) -> Seen {
    let mut exchange = Exchange::new(Server::new(Config { max_drain: 20, ..Config::default() }));
    exchange.out.size = room;
    let mut answer = by_plan(plan.to_vec());
    let mut start = 0;
    for &end in ends.iter().chain([&wire.len()]) {
        exchange.feed(&wire[start..end], &mut answer);
        start = end;
    }
    if last {
        exchange.finish(&mut answer);
    }
    // What is left unread on a connection that closes depends on the pieces.
    let rest = if exchange.server.wants() == Wants::Close { Vec::new() } else { exchange.rest().to_vec() };
    Seen {
        told: exchange.events(),
        wire: exchange.out.wire.clone(),
        violation: exchange.violation,
        wants: exchange.server.wants(),
        rest,
    }
}

fn methods(told: &[Told]) -> Vec<String> {
    told.iter()
        .filter_map(|told| if let Told::Request(head) = told { Some(head.method.clone()) } else { None })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_split_gives_the_same_events_and_output(
        wire in a_stream(), plan in prop::collection::vec(any::<u8>(), 1..6), last in any::<bool>(),
        ends in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let whole = run(&wire, &[], &plan, 4096, last);
        let mut ends: Vec<usize> = ends.iter().map(|end| end.index(wire.len() + 1)).collect();
        ends.sort_unstable();
        prop_assert_eq!(&run(&wire, &ends, &plan, 4096, last), &whole);
        let bytewise: Vec<usize> = (1..wire.len()).collect();
        prop_assert_eq!(&run(&wire, &bytewise, &plan, 4096, last), &whole);
        let read = responses(&whole.wire, &methods(&whole.told));
        // A response may be cut where its request is.
        let may_be_cut = whole.violation.is_some() || whole.wants == Wants::Input;
        prop_assert!(read.as_ref().is_ok_and(|(_, cut)| !cut || may_be_cut), "{:?}", read);
    }

    /// Little room, or room at other times: the same bytes, but that chunks may be smaller.
    #[test]
    fn any_room_gives_the_same_output(
        wire in a_stream(), plan in prop::collection::vec(any::<u8>(), 1..6), room in 0_usize..60,
    ) {
        let whole = run(&wire, &[], &plan, 4096, true);
        let small = run(&wire, &[], &plan, room, true);
        prop_assert_eq!(&small.told, &whole.told);
        prop_assert_eq!((small.violation, small.wants, &small.rest), (whole.violation, whole.wants, &whole.rest));
        let methods = methods(&whole.told);
        prop_assert_eq!(responses(&small.wire, &methods), responses(&whole.wire, &methods));
        if !String::from_utf8_lossy(&whole.wire).contains("transfer-encoding") {
            prop_assert_eq!(&small.wire, &whole.wire);
        }
    }

    /// Any calls in any order: no panic, and what is on the wire is responses, in order, at most one to each request.
    #[test]
    fn any_order_of_calls_keeps_the_wire_whole(
        wire in a_stream(), calls in prop::collection::vec((0_u8..17, 0_usize..40, 0_u8..40), 1..60),
    ) {
        let (told, sent) = in_any_order(&wire, &calls);
        let methods = methods(&told);
        let read = responses(&sent, &methods);
        prop_assert!(read.is_ok(), "{:?}: {}", read, sent.escape_ascii());
        let finals = read.iter().flat_map(|(all, _)| all).filter(|(status, ..)| *status >= 200).count();
        prop_assert!(finals <= methods.len() + 1, "{finals} answers to {methods:?}");
    }
}

/// Heads from a service.
const ANSWERS: &[&[u8]] = &[
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 205 Reset Content\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n",
];

/// Makes the calls while `wire` comes in; what was told and sent. A call that is refused, for whatever reason, has changed
/// nothing.
fn in_any_order(wire: &[u8], calls: &[(u8, usize, u8)]) -> (Vec<Told>, Vec<u8>) {
    let mut server = Server::new(Config { max_drain: 20, ..Config::default() });
    let (mut told, mut sent, mut received) = (Vec::new(), Vec::new(), Vec::new());
    let (mut input, mut now, mut failed) = (wire, Instant::ZERO, None);
    let (edge, client) = (Intermediary::new("edge").unwrap(), Node::new(None, false));
    let mut asked = None::<Asked>;
    for &(call, room, n) in calls {
        let mut space = vec![0; if n % 2 == 0 { 400 } else { room }];
        let room_then = space.len();
        let mut tx = Tx::new(&mut space);
        let data = vec![b'd'; usize::from(n)];
        let before = format!("{server:?}");
        let mut payload = 0;
        let result = match call {
            0..=4 => {
                let (piece, rest) = input.split_at(input.len().min(room));
                input = rest;
                received.extend_from_slice(piece);
                let twin = received.clone();
                let mut rx = match (call, n) {
                    (4, 0) => Rx::last(&mut received),
                    (4, 1) => Rx::full(&mut received),
                    _ => Rx::new(&mut received),
                };
                match server.poll(now, &mut rx, &mut tx) {
                    Ok(event) => {
                        assert_eq!(failed, None);
                        if let Some(Event::Request(head)) = &event {
                            asked = edge.request(&head.into(), &client).ok().map(|request| request.asked());
                        }
                        if event.is_none()
                            && let Wants::Output(needed) = server.wants()
                        {
                            assert!(needed > room_then && tx.is_empty(), "{needed} of {room_then}");
                        }
                        // Who waits for the client has a deadline, unless that waits for a 100; who waits for the caller has none.
                        let (timeout, state) = (server.poll_timeout(), format!("{server:?}"));
                        match (&event, server.wants()) {
                            (None, Wants::Input) => {
                                assert!(timeout.is_some() || state.contains("expects_continue: true"), "{state}");
                                assert!(!rx.is_last(), "{state}");
                            }
                            (None, Wants::Caller | Wants::Close) => assert_eq!(timeout, None, "{state}"),
                            _ => {}
                        }
                        told.extend(event.map(support::exchange::told));
                    }
                    Err(violation) => {
                        assert_eq!(*failed.get_or_insert(violation), violation);
                        assert_eq!(server.wants(), Wants::Close);
                    }
                }
                let used = rx.consumed();
                assert_eq!(rx.bytes(), &twin[used..], "only what is consumed may change");
                received.drain(..used);
                Ok(())
            }
            5 => server.respond_with(Status::OK, &[("a", b"b")], &data, &mut tx),
            6 => {
                let body = [BodyLength::None, BodyLength::Length(n.into()), BodyLength::Chunked][usize::from(n % 3)];
                let status = [Status::OK, Status::NO_CONTENT, Status::NOT_MODIFIED, Status::CONTINUE][room % 4];
                server.respond(status, &[], body, &mut tx)
            }
            7 | 8 => server.body(&data, &mut tx).map(|taken| assert!(taken <= data.len())),
            9 => server.body_prefix(n.into(), &mut tx).map(|len| payload = len as usize),
            10 => server.end(if n % 3 == 0 { &[("t", b"u")] } else { &[] }, &mut tx),
            11 => server.inform(Status::EARLY_HINTS, &[("bad", if n == 0 { b"\r\n" } else { b"ok" })], &mut tx),
            12 if n < 6 => server.switch_protocols(&[("upgrade", b"foo")], &mut tx),
            12 if n == 39 => {
                server.close();
                Ok(())
            }
            12 => server.body_suffix(&mut tx),
            13 => {
                now = now.checked_add(Duration::from_secs(n.into())).unwrap();
                server.handle_timeout(now, &mut tx).map_err(SendError::Full)
            }
            14 | 15 => {
                let mut answer = ANSWERS[room % ANSWERS.len()].to_vec();
                let answer = ResponseHead::new(Method::Get).poll(&mut Rx::new(&mut answer), &HeadLimits::new());
                let (answer, asked) = (answer.unwrap().unwrap(), asked.as_ref());
                let answer = asked.and_then(|asked| edge.response(&(&answer).into(), asked, None).ok().flatten());
                answer.map_or(Ok(()), |answer| server.forward(&answer, &mut tx))
            }
            _ => {
                let early = server.poll_timeout().map(|at| at.as_nanos().saturating_sub(1));
                let result = server.handle_timeout(Instant::from_nanos(early.unwrap_or(u64::MAX)), &mut tx);
                assert_eq!((result, format!("{server:?}")), (Ok(()), before.clone()), "a deadline before its time");
                Ok(())
            }
        };
        if let Err(error) = result {
            assert_eq!((format!("{server:?}"), tx.written()), (before, &b""[..]), "refused: {error:?}");
            if let SendError::Full(full) = error {
                assert!(full.needed > room_then, "{full:?} of {room_then}");
            }
        }
        sent.extend_from_slice(tx.written());
        sent.extend_from_slice(&data[..payload]);
    }
    (told, sent)
}
