//! One exchange after the other, and how the connection leaves HTTP or ends.

use super::*;

#[test]
fn pipelined_requests_are_answered_in_order() {
    let mut exchange = Exchange::new(Server::default());
    let mut n = 0;
    exchange.feed(&GET.repeat(3), &mut |server, told, out| {
        if *told == Told::End {
            n += 1;
            let content = [b'0' + n];
            out.call(|tx| server.respond_with(Status::OK, &[("n", &content)], &content, tx)).unwrap();
        }
    });
    let reply = |n| format!("HTTP/1.1 200 OK\r\nn: {n}\r\ncontent-length: 1\r\n\r\n{n}");
    assert_eq!(exchange.wire(), reply(1) + &reply(2) + &reply(3));
    assert_eq!((exchange.server.wants(), exchange.told.len()), (Wants::Input, 6));
}

#[test]
fn the_next_request_waits_for_the_answer() {
    let mut exchange = Exchange::new(Server::default());
    exchange.feed(&GET.repeat(2), &mut ignore);
    assert_eq!((exchange.server.wants(), exchange.told.len(), exchange.rest()), (Wants::Caller, 2, GET));
    let Exchange { server, out, .. } = &mut exchange;
    out.call(|tx| server.respond(Status::OK, &[], BodyLength::Length(2), tx)).unwrap();
    exchange.feed(b"", &mut ignore);
    assert_eq!((exchange.server.wants(), exchange.told.len(), exchange.rest()), (Wants::Caller, 2, GET));
    let Exchange { server, out, .. } = &mut exchange;
    out.content(server, b"hi").unwrap();
    out.call(|tx| server.end(&[], tx)).unwrap();
    exchange.feed(b"", &mut answer_ok);
    assert_eq!((exchange.server.wants(), exchange.told.len(), exchange.rest()), (Wants::Input, 4, &b""[..]));
}

#[test]
fn close_is_the_clients_or_the_callers_to_ask() {
    let (wire, wants) = reply_to(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /", ok);
    assert_eq!(wire, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi");
    assert_eq!(wants, Wants::Close);

    let (wire, wants) = reply_to(GET, |server, out| {
        out.call(|tx| server.respond_with(Status::OK, &[("Connection", b"x, Close")], b"", tx)).unwrap();
    });
    assert_eq!((wire.matches("lose").count(), wants), (1, Wants::Close));

    let (wire, wants) = reply_to(&GET.repeat(2), |server, out| {
        server.close();
        ok(server, out);
    });
    assert_eq!((wire.matches("connection: close").count(), wants), (1, Wants::Close));

    let mut idle = Exchange::new(Server::default());
    idle.server.close();
    idle.feed(GET, &mut ignore);
    assert_eq!((idle.server.wants(), idle.told.len()), (Wants::Close, 0));
}

#[test]
fn continue_is_sent_when_the_content_is_asked_for() {
    let head: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    // Unasked, by itself, and once.
    for pieces in [vec![head, b"hello"], vec![&[head, b"hello"].concat()[..]]] {
        let mut exchange = Exchange::new(Server::default());
        exchange.out.size = 1;
        pieces.iter().for_each(|piece| exchange.feed(piece, &mut answer_ok));
        assert_eq!(exchange.wire(), "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
        assert_eq!(exchange.server.wants(), Wants::Input);
    }
    // By hand, and not again.
    let mut exchange = Exchange::new(Server::default());
    exchange.feed(&[head, b"hello"].concat(), &mut |server, told, out| match told {
        Told::Request(_) => out.call(|tx| server.inform(Status::CONTINUE, &[], tx)).unwrap(),
        _ => answer_ok(server, told, out),
    });
    assert_eq!(exchange.wire().matches("100 Continue").count(), 1);
    // Not where nothing is to come.
    let mut exchange = Exchange::new(Server::default());
    exchange.feed(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n", &mut answer_ok);
    assert_eq!((exchange.wire().matches("100 Continue").count(), exchange.server.wants()), (0, Wants::Input));
}

/// 0.CL and kin: whether the client sends its content after a final answer cannot be known, so nothing is read on.
/// "A server that receives an Expect field value containing a member other than 100-continue MAY respond with a 417" (RFC
/// 9110 §10.1.1): the caller, who can read the field.
#[test]
fn another_expectation_is_the_callers_to_judge() {
    for expect in ["x", "100-continued", "\"100-continue\"", "100-continue=1", "x=\"a, 100-continue\"", ""] {
        let wire = format!("POST / HTTP/1.1\r\nHost: a\r\nExpect: {expect}\r\nContent-Length: 5\r\n\r\n");
        let mut exchange = Exchange::new(Server::default());
        exchange.feed(wire.as_bytes(), &mut ignore);
        assert_eq!((exchange.wire(), exchange.server.wants()), (String::new(), Wants::Input), "{expect}");
        let answered = exchange.out.call(|tx| exchange.server.respond_with(Status::EXPECTATION_FAILED, &[], b"", tx));
        assert_eq!(answered, Ok(()));
        assert!(exchange.wire().starts_with("HTTP/1.1 417 Expectation Failed\r\n"));
    }
    for expect in ["100-Continue", ", 100-continue ,", "x, 100-continue"] {
        let wire = format!("POST / HTTP/1.1\r\nHost: a\r\nExpect: {expect}\r\nContent-Length: 5\r\n\r\n");
        let mut exchange = Exchange::new(Server::default());
        exchange.feed(wire.as_bytes(), &mut ignore);
        assert_eq!(exchange.wire(), "HTTP/1.1 100 Continue\r\n\r\n", "{expect}");
    }
}

/// "If a server receives both an Upgrade and an Expect header field with the "100-continue" expectation, the server MUST send
/// a 100 (Continue) response before sending a 101 (Switching Protocols) response" (RFC 9110 §7.8).
#[test]
fn continue_comes_before_a_switch() {
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nExpect: 100-continue\r\n\
        Content-Length: 2\r\n\r\n";
    let mut exchange = Exchange::new(Server::default());
    let mut switch = |server: &mut Server, told: &Told, out: &mut Out| {
        let switched = out.call(|tx| server.switch_protocols(&[("upgrade", b"x")], tx));
        assert_eq!(switched.is_ok(), matches!(told, Told::Body(_)));
    };
    exchange.feed(head, &mut switch);
    exchange.feed(b"hiNEXT", &mut switch);
    assert!(exchange.wire().starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 "), "{}", exchange.wire());
    assert_eq!((exchange.server.has_switched(), exchange.rest()), (true, &b"NEXT"[..]));
}

#[test]
fn an_answer_instead_of_continue_closes() {
    let head: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 26\r\n\r\n";
    let chunked: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (head, body) in [(head, GET), (chunked, b"0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")] {
        for whole in [true, false] {
            let mut exchange = Exchange::new(Server::default());
            let mut answer = |server: &mut Server, _: &Told, out: &mut Out| {
                if whole {
                    return out.call(|tx| server.respond_with(Status::UNAUTHORIZED, &[], b"", tx)).unwrap();
                }
                out.call(|tx| server.respond(Status::UNAUTHORIZED, &[], BodyLength::Chunked, tx)).unwrap();
                out.call(|tx| server.end(&[], tx)).unwrap();
            };
            exchange.feed(head, &mut answer);
            exchange.feed(body, &mut answer);
            assert_eq!((exchange.server.wants(), exchange.told.len(), exchange.rest()), (Wants::Close, 1, body));
            let wire = exchange.wire();
            assert_eq!((wire.matches("HTTP/1.1").count(), wire.matches("connection: close").count()), (1, 1));
        }
    }
}

#[test]
fn unwanted_content_is_dropped_up_to_a_budget() {
    let config = Config { max_drain: 8, ..Config::default() };
    let early = |server: &mut Server, told: &Told, out: &mut Out| {
        if matches!(told, Told::Request(_)) {
            out.call(|tx| server.respond_with(Status::FORBIDDEN, &[], b"", tx)).unwrap();
        }
    };
    let run = |request: &str| {
        let mut ends = Vec::new();
        for cut in 0..request.len() {
            let mut exchange = Exchange::new(Server::new(config));
            exchange.feed(&request.as_bytes()[..cut], &mut { early });
            exchange.feed(&request.as_bytes()[cut..], &mut { early });
            assert!(exchange.violation.is_none() || exchange.wire().matches("HTTP/1.1").count() == 1);
            ends.push((exchange.server.wants(), exchange.told.len(), exchange.wire()));
        }
        ends.dedup();
        assert_eq!(ends.len(), 1, "{request:?}: {ends:?}");
        let (wants, told, wire) = ends.remove(0);
        (wants, told, wire.contains("connection: close"))
    };
    let next = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let length = |n: usize| format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {n}\r\n\r\n{}{next}", "x".repeat(n));
    assert_eq!(run(&length(8)), (Wants::Input, 2, false));
    assert_eq!(run(&length(9)), (Wants::Close, 1, true), "known beforehand, and said");
    let chunked = |body: &str| format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}{next}");
    assert_eq!(run(&chunked("0\r\nA:\r\n\r\n")).0, Wants::Close);
    assert_eq!(run(&chunked("0\r\n\r\n")), (Wants::Input, 2, false));
    assert_eq!(run(&chunked("5\r\nhello\r\n0\r\n\r\n")).0, Wants::Close);
    // A fault in what is dropped gets no second answer.
    assert_eq!(run(&chunked("x\r\n")), (Wants::Close, 1, false));
}

/// Chunks that come one by one behind the answer, or all at once, are dropped, not told.
#[test]
fn nothing_is_told_of_a_request_that_is_answered() {
    let chunks = "1\r\na\r\n".repeat(5) + "10\r\n0123456789abcdef\r\n0\r\nT: u\r\n\r\n";
    for request in [
        format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"),
        format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n{}", "x".repeat(40)),
    ] {
        let head = request.find("\r\n\r\n").unwrap() + 4;
        for size in 1..=request.len() - head {
            let mut exchange = Exchange::new(Server::default());
            let mut early = |server: &mut Server, told: &Told, out: &mut Out| {
                assert!(matches!(told, Told::Request(_)), "{told:?}");
                ok(server, out);
            };
            exchange.feed(&request.as_bytes()[..head], &mut early);
            request.as_bytes()[head..].chunks(size).for_each(|piece| exchange.feed(piece, &mut early));
            exchange.feed(GET, &mut early);
            let wire = exchange.wire();
            assert_eq!((exchange.told.len(), wire.matches("200 OK").count()), (2, 2), "{size}");
        }
    }
}

#[test]
fn an_answer_that_goes_on_closes_only_if_its_request_is_left_unread() {
    let request = |n: usize| format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {n}\r\n\r\n{}", "x".repeat(n));
    for body in [BodyLength::Chunked, BodyLength::Length(20)] {
        let mut exchange = Exchange::new(Server::new(Config { max_drain: 8, ..Config::default() }));
        exchange.feed(&[request(20).as_bytes(), GET].concat(), &mut |server, told, out| match told {
            Told::Request(Head { method, .. }) if method == "POST" => {
                out.call(|tx| server.respond(Status::OK, &[], body, tx)).unwrap();
            }
            Told::Body(data) => out.content(server, data).unwrap(),
            Told::End if server.owes_response() => ok(server, out),
            Told::End => out.call(|tx| server.end(&[], tx)).unwrap(),
            _ => {}
        });
        let wire = exchange.wire();
        assert!(wire.contains(&"x".repeat(20)) && wire.ends_with("hi") && !wire.contains("connection"), "{wire}");
        assert_eq!(exchange.server.wants(), Wants::Input);
    }
    for (n, wants) in [(8, Wants::Input), (9, Wants::Close)] {
        let mut exchange = Exchange::new(Server::new(Config { max_drain: 8, ..Config::default() }));
        exchange.feed(request(n).as_bytes(), &mut |server, told, out| {
            if matches!(told, Told::Request(_)) {
                out.call(|tx| server.respond(Status::OK, &[], BodyLength::Chunked, tx)).unwrap();
                out.call(|tx| server.end(&[], tx)).unwrap();
            }
        });
        assert_eq!((exchange.server.wants(), exchange.wire().contains("connection")), (wants, false));
    }
}

#[test]
fn an_answer_may_overtake_its_request() {
    let mut exchange = Exchange::new(Server::default());
    exchange.feed(&[POST5, GET].concat(), &mut |server, told, out| match told {
        Told::Request(Head { method, .. }) if method == "POST" => {
            out.call(|tx| server.respond(Status::OK, &[], BodyLength::Chunked, tx)).unwrap();
        }
        Told::Body(data) => out.content(server, data).unwrap(),
        Told::End if server.owes_response() => ok(server, out),
        Told::End => out.call(|tx| server.end(&[], tx)).unwrap(),
        _ => {}
    });
    assert!(exchange.wire().contains("5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"));
}

#[test]
fn the_end_of_input_is_clean_between_requests_only() {
    let chunked: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for (whole, clean_until) in [(GET, 0), (b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 4), (POST5, 0), (chunked, 0)]
    {
        for len in 0..=whole.len() {
            let mut exchange = Exchange::new(Server::default());
            exchange.feed(&whole[..len], &mut answer_ok);
            exchange.finish(&mut answer_ok);
            let clean = len <= clean_until || len == whole.len();
            assert_eq!(exchange.violation, (!clean).then_some(Violation::Eof), "{len}");
            assert_eq!(exchange.wire().contains("400 Bad Request"), !clean, "{len}");
            assert_eq!(exchange.server.wants(), Wants::Close);
        }
    }
    // A client that has stopped writing still gets its answers.
    let mut exchange = Exchange::new(Server::default());
    exchange.feed(b"", &mut ignore);
    let mut late = Exchange::new(Server::default());
    late.feed(GET, &mut ignore);
    late.finish(&mut ignore);
    assert_eq!(late.server.wants(), Wants::Caller);
    let Exchange { server, out, .. } = &mut late;
    ok(server, out);
    late.finish(&mut ignore);
    assert_eq!((late.server.wants(), late.violation), (Wants::Close, None));
}

#[test]
fn upgrades_leave_the_rest_to_the_next_protocol() {
    let upgrade: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n";
    let with_body: &[u8] =
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: foo\r\nContent-Length: 2\r\n\r\nhi";
    for (request, at_once) in [(upgrade, true), (upgrade, false), (with_body, false)] {
        let mut exchange = Exchange::new(Server::default());
        exchange.feed(&[request, b"\0foo"].concat(), &mut |server, told, out| {
            let fields: [(&str, &[u8]); 1] = [("upgrade", b"foo")];
            if matches!(told, Told::Request(_)) && request == with_body {
                let early = out.call(|tx| server.switch_protocols(&fields, tx));
                assert_eq!(early, Err(Misuse::RequestIncomplete));
            }
            if matches!(told, Told::Request(_)) == at_once && !matches!(told, Told::Body(_)) {
                assert_eq!(out.call(|tx| server.switch_protocols(&[], tx)), Err(Misuse::NoUpgrade));
                let closes: [(&str, &[u8]); 2] = [("upgrade", b"foo"), ("connection", b"close")];
                assert_eq!(out.call(|tx| server.switch_protocols(&closes, tx)), Err(Misuse::FieldReserved));
                out.call(|tx| server.switch_protocols(&fields, tx)).unwrap();
                assert_eq!(out.call(|tx| server.respond_with(Status::OK, &[], b"", tx)), Err(Misuse::Closed));
            }
        });
        assert_eq!(exchange.wire(), "HTTP/1.1 101 Switching Protocols\r\nupgrade: foo\r\nconnection: upgrade\r\n\r\n");
        assert_eq!((exchange.rest(), exchange.server.wants()), (&b"\0foo"[..], Wants::Caller));
        assert!(exchange.server.has_switched() && exchange.server.poll_timeout().is_none());
        exchange.finish(&mut ignore);
        assert_eq!((exchange.rest(), exchange.violation), (&b"\0foo"[..], None));
    }
    // Nobody who did not offer it is switched.
    for request in [GET, b"GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n"] {
        reply_to(request, |server, out| {
            let refused = out.call(|tx| server.switch_protocols(&[("upgrade", b"foo")], tx));
            assert_eq!(refused, Err(Misuse::NoUpgrade));
        });
    }
}

#[test]
fn connect_opens_a_tunnel_or_ends_the_connection() {
    let connect: &[u8] = b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n";
    let mut exchange = Exchange::new(Server::default());
    exchange.feed(&[connect, b"\x16\x03"].concat(), &mut |server, told, out| {
        if matches!(told, Told::Request(_)) {
            let long = out.call(|tx| server.respond(Status::OK, &[], BodyLength::Chunked, tx));
            assert_eq!(long, Err(Misuse::ContentNotAllowed));
            out.call(|tx| server.respond(Status::OK, &[], BodyLength::None, tx)).unwrap();
        }
    });
    assert_eq!((exchange.wire().as_str(), exchange.rest()), ("HTTP/1.1 200 OK\r\n\r\n", &b"\x16\x03"[..]));
    assert!(exchange.server.has_switched());
    // Whether at once or in pieces, and whatever comes behind: an impatient client sends what was meant for the tunnel.
    for behind in [b"".as_slice(), connect, GET, b"\x16\x03"] {
        for body in [BodyLength::None, BodyLength::Length(2), BodyLength::Chunked] {
            let (wire, wants) = reply_to(&[connect, behind].concat(), |server, out| {
                out.call(|tx| server.respond(Status::FORBIDDEN, &[], body, tx)).unwrap();
                if body != BodyLength::None {
                    out.content(server, b"no").unwrap();
                    out.call(|tx| server.end(&[], tx)).unwrap();
                }
            });
            assert!(wire.starts_with("HTTP/1.1 403 Forbidden\r\nconnection: close\r\n"), "{wire}");
            assert_eq!((wire.matches("HTTP/1.1").count(), wants), (1, Wants::Close));
        }
    }
}
