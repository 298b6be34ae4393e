//! `http::forward` rule by rule, on requests and responses as text.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use hopwire::http::forward::{
    Asked, Content, ForwardedPolicy, Intermediary, Node, ReceivedRequest, Stop, TargetUri, Trailers, combined,
};
use hopwire::http::{Fields, HttpDate, Method, Version};
use hopwire::http1::{HeadLimits, Misuse, Request, RequestHead, ResponseHead, Timeout, Violation};
use hopwire::io::{Rx, SendError, Tx};
use proptest::prelude::*;

/// Fields that an intermediary sets.
type SetFields<'a> = &'a [(&'a str, &'a [u8])];

fn edge() -> Intermediary<'static> {
    Intermediary::new("edge").unwrap()
}

fn parse(head: &str) -> Request<'static> {
    let mut rx = Rx::new(head.as_bytes().to_vec().leak());
    let request = RequestHead::new().poll(&mut rx, &HeadLimits::new()).unwrap().unwrap();
    assert_eq!(rx.bytes(), b"");
    request
}

/// What leaves when this head comes from 192.0.2.7.
fn through(proxy: &Intermediary<'_>, head: &str) -> Result<String, Stop> {
    let (request, client) = (parse(head), Node::new(Some([192, 0, 2, 7].into()), false));
    let forwarded = proxy.request(&(&request).into(), &client)?;
    let mut space = [0; 4096];
    let mut tx = Tx::new(&mut space);
    forwarded.write_http1(&mut tx).unwrap();
    Ok(str::from_utf8(tx.written()).unwrap().to_owned())
}

/// The fields that leave, but for Via, when these come in a GET.
fn fields(proxy: &Intermediary<'_>, fields: &str) -> String {
    let left = through(proxy, &format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")).unwrap();
    let left = left.strip_prefix("GET / HTTP/1.1\r\nHost: a\r\n").unwrap().strip_suffix("\r\n").unwrap().to_owned();
    left.replace("via: 1.1 edge\r\n", "")
}

fn stop(head: &str) -> Stop {
    through(&edge(), head).unwrap_err()
}

/// What is remembered of a GET with these fields.
fn asked(proxy: &Intermediary<'static>, version: &str, fields: &str) -> Asked {
    let head: &'static str = format!("GET / HTTP/{version}\r\nHost: a\r\n{fields}\r\n").leak();
    let client = Box::leak(Box::new(Node::new(None, false)));
    proxy.request(&(&parse(head)).into(), client).unwrap().asked()
}

/// The fields that leave when this response comes, its content, and which trailers go on.
fn back(asked: &Asked, head: &str) -> Result<Option<(String, Content, Trailers)>, Stop> {
    let mut bytes = head.as_bytes().to_vec();
    let response = ResponseHead::new(Method::Get).poll(&mut Rx::new(&mut bytes), &HeadLimits::default())?.unwrap();
    let proxy = edge();
    let Some(response) = proxy.response(&(&response).into(), asked, HttpDate::from_unix(0))? else { return Ok(None) };
    let mut left = String::new();
    response.each_field(|name, value| {
        let value: Vec<u8> = value.pieces().flatten().copied().collect();
        left += &format!("{name}: {}\r\n", String::from_utf8_lossy(&value));
    });
    if let Some(protocol) = response.upgrade() {
        left += &format!("upgrade: {protocol}\r\n");
    }
    Ok(Some((left, response.content(), response.trailers())))
}

#[test]
fn hop_by_hop_fields_end_here() {
    let hop = "Connection: close, X-Hop\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nX-HOP: 1\r\nTE: trailers\r\n\
        Accept: */*\r\nHTTP2-Settings: AAMAAABkAAQ\r\nProxy-Authorization: Basic YTpi\r\nConnection: x-other\r\nX-Other: 2\r\n";
    assert_eq!(fields(&edge(), hop), "Accept: */*\r\n");
}

#[test]
fn connection_cannot_strip_what_is_for_the_other_end() {
    let kept = "Authorization: a\r\nCookie: b\r\nX-Forwarded-For: c\r\nCache-Control: d\r\n";
    let head =
        format!("Connection: host, Authorization, cookie, X-Forwarded-For, via, cache-control\r\nX: 1\r\n{kept}");
    assert_eq!(fields(&edge(), &head), format!("X: 1\r\n{kept}"));
    let text = format!("GET / HTTP/1.1\r\nHost: a\r\n{head}\r\n");
    let (request, client) = (parse(&text), Node::new(None, false));
    assert!(edge().request(&(&request).into(), &client).unwrap().tried_to_strip());
    let left =
        through(&edge(), "POST / HTTP/1.1\r\nHost: a\r\nConnection: Content-Length\r\nContent-Length: 5\r\n\r\n")
            .unwrap();
    assert!(left.ends_with("\r\ncontent-length: 5\r\n\r\n"), "{left}");
}

#[test]
fn an_absolute_target_makes_the_host() {
    let left = through(&edge(), "GET http://Real.example:81/x?y HTTP/1.1\r\nX: 1\r\nHost: other\r\n\r\n").unwrap();
    assert_eq!(left, "GET /x?y HTTP/1.1\r\nhost: Real.example:81\r\nX: 1\r\nvia: 1.1 edge\r\n\r\n");
    let left = through(&edge(), "GET http://a?y HTTP/1.1\r\nX: 1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!(left, "GET /?y HTTP/1.1\r\nX: 1\r\nHost: a\r\nvia: 1.1 edge\r\n\r\n");
    assert_eq!(stop("GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), Stop::Scheme);
    assert_eq!(stop("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), Stop::Scheme);
    let left = through(&edge(), "OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert!(left.starts_with("OPTIONS * HTTP/1.1\r\n"), "{left}");
    let left = through(&edge(), "OPTIONS http://a/ HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert!(left.starts_with("OPTIONS / HTTP/1.1\r\n"), "{left}");
}

#[test]
fn http10_is_forwarded_as_our_own_version() {
    let left =
        through(&edge(), "GET /x HTTP/1.0\r\nHost: a\r\nConnection: keep-alive, upgrade\r\nUpgrade: websocket\r\n\r\n")
            .unwrap();
    assert_eq!(left, "GET /x HTTP/1.1\r\nHost: a\r\nvia: 1.0 edge\r\n\r\n");
    assert_eq!(stop("GET / HTTP/1.0\r\n\r\n"), Stop::NoAuthority);
    assert_eq!(stop("GET / HTTP/1.1\r\nHost:\r\n\r\n"), Stop::NoAuthority);
    let proxy = Intermediary { authority: Some("site.example"), ..edge() };
    let left = through(&proxy, "GET / HTTP/1.0\r\n\r\n").unwrap();
    assert_eq!(left, "GET / HTTP/1.1\r\nhost: site.example\r\nvia: 1.0 edge\r\n\r\n");
}

#[test]
fn via_is_added_and_loops_are_found() {
    let head = "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.0 fred\r\nX: 1\r\nvia: 1.1 p.example.net (x, 1.1 edge)\r\n\r\n";
    let left = through(&edge(), head).unwrap();
    assert!(left.ends_with("\r\nX: 1\r\nvia: 1.0 fred, 1.1 p.example.net (x, 1.1 edge), 1.1 edge\r\n\r\n"), "{left}");
    assert_eq!(stop(&left), Stop::Loop);
    assert_eq!(stop("GET / HTTP/1.1\r\nHost: a\r\nConnection: via\r\nVia: 1.1 Edge\r\n\r\n"), Stop::Loop);
    assert_eq!(Stop::Loop.status().code(), 508);
}

#[test]
fn max_forwards_counts_down_for_options_and_trace() {
    for (value, left) in [("1", "0"), ("010", "9"), ("99999999999999999999", "18446744073709551614")] {
        for method in ["OPTIONS", "TRACE"] {
            let head = format!("{method} / HTTP/1.1\r\nHost: a\r\nMax-Forwards: {value}\r\n\r\n");
            let sent = through(&edge(), &head).unwrap();
            assert!(sent.ends_with(&format!("via: 1.1 edge\r\nmax-forwards: {left}\r\n\r\n")), "{sent}");
        }
    }
    assert_eq!(fields(&edge(), "Max-Forwards: 0\r\n"), "Max-Forwards: 0\r\n", "GET");
    for (value, why) in
        [("0", Stop::LastHop), ("00", Stop::LastHop), ("", Stop::MaxForwards), ("-1", Stop::MaxForwards)]
    {
        assert_eq!(stop(&format!("TRACE / HTTP/1.1\r\nHost: a\r\nMax-Forwards: {value}\r\n\r\n")), why);
    }
    assert_eq!(stop("TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"), Stop::TraceContent);
    let twice = "OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 3\r\nMax-Forwards: 3\r\n\r\n";
    assert_eq!(stop(twice), Stop::MaxForwards);
    let named = "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: max-forwards\r\nMax-Forwards: 0\r\n\r\n";
    assert_eq!(stop(named), Stop::LastHop);
}

#[test]
fn upgrade_is_ours_to_offer_again() {
    let offer = |fields: &str| through(&edge(), &format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")).unwrap();
    let sent = offer("Connection: Upgrade\r\nUpgrade: h2c, WebSocket\r\n");
    assert!(sent.ends_with("via: 1.1 edge\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"), "{sent}");
    for none in [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n",
        "Upgrade: websocket\r\n",
        "Connection: upgrade\r\nUpgrade: irc\r\n",
        "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n",
    ] {
        assert!(!offer(none).to_ascii_lowercase().contains("upgrade"), "{none}");
    }
    let old = Intermediary { upstream: Version::Http10, ..edge() };
    assert_eq!(fields(&old, "Connection: upgrade\r\nUpgrade: websocket\r\n"), "");
    let proxy = Intermediary { upgrades: &["irc/6.9", "h2c"], ..edge() };
    let sent = fields(&proxy, "Connection: upgrade\r\nUpgrade: H2c, IRC/6.9\r\n");
    assert_eq!(sent, "upgrade: irc/6.9\r\nconnection: upgrade\r\n");
}

#[test]
fn te_is_said_on_by_who_relays_trailers() {
    let proxy = Intermediary { trailers: true, ..edge() };
    assert_eq!(
        fields(&proxy, "Connection: te\r\nTE: gzip, Trailers;q=1, trailers\r\nTrailer: X\r\n"),
        "Trailer: X\r\nte: trailers\r\nconnection: te\r\n"
    );
    assert_eq!(fields(&edge(), "Connection: te\r\nTE: trailers\r\nTrailer: X\r\n"), "");
    assert_eq!(fields(&proxy, "TE: gzip\r\n"), "");
    let old = Intermediary { upstream: Version::Http10, ..proxy };
    assert_eq!(fields(&old, "Connection: te\r\nTE: trailers\r\n"), "", "HTTP/1.0 has none");
}

#[test]
fn expectations_are_kept_where_they_mean_something() {
    let put = |version: &str, length: &str| {
        let head =
            format!("PUT / HTTP/{version}\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n");
        through(&edge(), &head).unwrap().contains("Expect: 100-continue\r\n")
    };
    assert!(put("1.1", "5") && !put("1.1", "0") && !put("1.0", "5"));
    assert_eq!(fields(&edge(), "Expect: something\r\n"), "Expect: something\r\n");
    let old = Intermediary { upstream: Version::Http10, ..edge() };
    let head = "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(through(&old, head), Err(Stop::LengthRequired));
    assert!(
        !through(&old, &head.replace("Transfer-Encoding: chunked", "Content-Length: 1")).unwrap().contains("Expect")
    );
}

#[test]
fn where_a_request_came_from_is_told_as_the_policy_says() {
    let came = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\nForwarded: for=203.0.113.9\r\n";
    let left = |trace| fields(&Intermediary { forwarded: trace, x_forwarded: trace, ..edge() }, came);
    assert_eq!(left(ForwardedPolicy::Pass), came);
    assert_eq!(left(ForwardedPolicy::Remove), "");
    assert_eq!(
        left(ForwardedPolicy::Replace),
        "forwarded: for=192.0.2.7;proto=http;host=a\r\nx-forwarded-for: 192.0.2.7\r\nx-forwarded-proto: http\r\nx-forwarded-host: a\r\n"
    );
    assert_eq!(
        left(ForwardedPolicy::Append),
        "X-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\nforwarded: for=203.0.113.9, for=192.0.2.7;proto=http;host=a\r\n\
         x-forwarded-for: 203.0.113.9, 192.0.2.7\r\n"
    );
    // What needs quotes gets them, and who is not told is unknown.
    let told = |client: Node, host: &str, field: &str| {
        let replace = ForwardedPolicy::Replace;
        let proxy = Intermediary { forwarded: replace, x_forwarded: replace, ..edge() };
        let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let request = parse(&head);
        let mut told = String::new();
        proxy.request(&(&request).into(), &client).unwrap().each_field(|name, value| {
            if name == field {
                told = String::from_utf8(value.pieces().flatten().copied().collect()).unwrap();
            }
        });
        told
    };
    let tell = |client: Node, host: &str| told(client, host, "forwarded");
    assert_eq!(told(Node::new(None, false), "a", "x-forwarded-for"), "unknown");
    let mapped = Node::new(Some("::ffff:192.0.2.7".parse().unwrap()), false);
    assert_eq!(tell(mapped, "a"), "for=192.0.2.7;proto=http;host=a");
    let v6 = Node::new(Some("2001:db8::1".parse().unwrap()), true);
    assert_eq!(tell(v6, "a:81"), "for=\"[2001:db8::1]\";proto=https;host=\"a:81\"");
    assert_eq!(tell(Node::new(None, false), "a,b;c"), "for=unknown;proto=http;host=\"a,b;c\"");
}

#[test]
fn what_the_intermediary_sets_is_its_own() {
    let proxy = Intermediary { set: &[("x-real-ip", b"192.0.2.7"), ("Host", b"inside")], ..edge() };
    let left = through(&proxy, "GET http://b/ HTTP/1.1\r\nHost: a\r\nX-Real-IP: 127.0.0.1\r\nX: 1\r\n\r\n").unwrap();
    assert_eq!(left, "GET / HTTP/1.1\r\nX: 1\r\nvia: 1.1 edge\r\nx-real-ip: 192.0.2.7\r\nHost: inside\r\n\r\n");
    let cases: [(SetFields<'_>, Misuse); 11] = [
        (&[("a b", b"c")], Misuse::FieldName),
        (&[("a", b"b\r\nc: d")], Misuse::FieldValue),
        (&[("content-length", b"5")], Misuse::FieldReserved),
        (&[("Connection", b"close")], Misuse::FieldReserved),
        (&[("upgrade", b"foo")], Misuse::FieldReserved),
        (&[("te", b"trailers")], Misuse::FieldReserved),
        (&[("Expect", b"100-continue")], Misuse::FieldReserved),
        (&[("max-forwards", b"0")], Misuse::FieldReserved),
        (&[("via", b"1.1 x")], Misuse::FieldReserved),
        (&[("host", b"a b")], Misuse::Host),
        (&[("host", b"b"), ("Host", b"b")], Misuse::Host),
    ];
    for (set, misuse) in cases {
        let (request, client) = (parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Node::new(None, false));
        let proxy = Intermediary { set, ..edge() };
        let forwarded = proxy.request(&(&request).into(), &client).unwrap();
        let mut space = [0; 200];
        assert_eq!(forwarded.write_http1(&mut Tx::new(&mut space)), Err(SendError::Misuse(misuse)));
    }
}

/// What came in another version, or from a caller who did not look, is one request all the same.
#[test]
fn a_target_never_is_more_than_one() {
    let (request, client) =
        (parse("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"), Node::new(None, false));
    let came = ReceivedRequest::from(&request);
    let proxy = edge();
    let stop = |received: &ReceivedRequest<'_>| proxy.request(received, &client).map(drop).unwrap_err();
    for path in ["/ HTTP/1.1\r\nx: y", "/a b", "/\0", "/\u{e9}", "/\x7f", "?\r\n", "a", "*", "http://a/"] {
        assert_eq!(stop(&ReceivedRequest { path_and_query: path.as_bytes(), ..came }), Stop::Target, "{path:?}");
    }
    for authority in ["a\r\nx: y", "a b", "a/b", "u@a", "a\"", "a\\", "\u{e9}"] {
        assert_eq!(
            stop(&ReceivedRequest { authority: authority.as_bytes(), ..came }),
            Stop::NoAuthority,
            "{authority:?}"
        );
    }
    // Content of no length is none, whoever says so.
    let empty = ReceivedRequest { content: Content::Length(0), ..came };
    let mut space = [0; 200];
    let mut tx = Tx::new(&mut space);
    proxy.request(&empty, &client).unwrap().write_http1(&mut tx).unwrap();
    assert_eq!(tx.written(), b"PUT / HTTP/1.1\r\nHost: a\r\nvia: 1.1 edge\r\ncontent-length: 0\r\n\r\n");
    assert!(proxy.request(&ReceivedRequest { method: Method::Trace, ..empty }, &client).is_ok());
}

#[test]
fn a_tunnel_is_not_forwarded() {
    assert_eq!(stop("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"), Stop::Connect);
}

#[test]
fn set_cookie_is_never_combined() {
    let response = "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX: 1\r\nDate: d\r\nSet-Cookie: b=2\r\nX: 2\r\nConnection: set-cookie\r\n\r\n";
    let (left, ..) = back(&asked(&edge(), "1.1", ""), response).unwrap().unwrap();
    assert_eq!(left, "Set-Cookie: a=1\r\nX: 1\r\nDate: d\r\nSet-Cookie: b=2\r\nX: 2\r\nvia: 1.1 edge\r\n");
}

#[test]
fn lines_of_one_name_make_one_list() {
    let fields = parse(
        "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nSet-Cookie: a\r\nx:\r\nX:2\r\nCookie: a=1\r\ncookie: b=2; c\r\n\r\n",
    )
    .fields;
    let one = |name| -> Option<Vec<u8>> { Some(combined(fields, name)?.pieces().flatten().copied().collect()) };
    assert_eq!(one("x"), Some(b"1, 2".to_vec()));
    assert_eq!(one("host"), Some(b"a".to_vec()));
    assert_eq!(one("y"), None);
    assert_eq!(one("Set-Cookie"), None);
    assert_eq!(one("Cookie"), Some(b"a=1; b=2; c".to_vec()), "no list");
}

#[test]
fn responses_lose_what_was_for_us_and_gain_a_date() {
    let response = "HTTP/1.0 200 OK\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nUpgrade: h2c\r\nTrailer: X\r\nVia: 1.1 b\r\n\r\n";
    let (left, content, _) = back(&asked(&edge(), "1.1", ""), response).unwrap().unwrap();
    assert_eq!(left, "via: 1.1 b, 1.0 edge\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
    assert_eq!(content, Content::Unknown);
}

#[test]
fn interim_responses_are_for_those_who_know_them() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let (left, ..) = back(&asked(&edge(), "1.1", ""), hints).unwrap().unwrap();
    assert_eq!(left, "Link: </a>\r\nvia: 1.1 edge\r\n");
    assert!(back(&asked(&edge(), "1.0", ""), hints).unwrap().is_none());
    assert!(back(&asked(&edge(), "1.0", ""), "HTTP/1.1 100 Continue\r\n\r\n").unwrap().is_none());
}

#[test]
fn nobody_switches_to_what_was_not_offered() {
    let offered = asked(&edge(), "1.1", "Connection: upgrade\r\nUpgrade: websocket\r\n");
    let switch =
        |to: &str| format!("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: {to}\r\nX: 1\r\n\r\n");
    let (left, ..) = back(&offered, &switch("WebSocket")).unwrap().unwrap();
    assert_eq!(left, "X: 1\r\nvia: 1.1 edge\r\nupgrade: websocket\r\n");
    assert_eq!(back(&offered, &switch("h2c")).err(), Some(Stop::Switch));
    for nothing in [asked(&edge(), "1.1", ""), asked(&edge(), "1.0", "Connection: upgrade\r\nUpgrade: websocket\r\n")] {
        assert_eq!(back(&nothing, &switch("websocket")).err(), Some(Stop::Switch));
    }
    let required =
        "HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade\r\nUpgrade: h2c, websocket\r\nContent-Length: 0\r\n\r\n";
    let (left, ..) = back(&offered, required).unwrap().unwrap();
    assert!(left.ends_with("upgrade: websocket\r\n"), "{left}");
}

#[test]
fn responses_nobody_could_read_become_502() {
    let asked = asked(&edge(), "1.1", "");
    for bad in [
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX : 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 205 Reset Content\r\nContent-Length: 5\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
    ] {
        let stop = back(&asked, bad).unwrap_err();
        assert_eq!(stop.status().code(), 502, "{bad:?}: {stop}");
    }
    assert_eq!(Stop::from(Violation::Eof).status().code(), 502);
    for timeout in [Timeout::Head, Timeout::Body, Timeout::Whole] {
        assert_eq!(Stop::from(Violation::Timeout(timeout)).status().code(), 504);
    }
}

#[test]
fn the_length_of_what_is_not_sent_is_kept() {
    let head: &'static str = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
    let client = Node::new(None, false);
    let proxy = edge();
    let asked = proxy.request(&(&parse(head)).into(), &client).unwrap().asked();
    let answer = |fields: &str, status: &str| {
        let mut bytes = format!("HTTP/1.1 {status}\r\n{fields}\r\n").into_bytes();
        let response =
            ResponseHead::new(Method::Head).poll(&mut Rx::new(&mut bytes), &HeadLimits::default()).unwrap().unwrap();
        proxy.response(&(&response).into(), &asked, None).unwrap().unwrap().content()
    };
    assert_eq!(answer("Content-Length: 7\r\n", "200 OK"), Content::Length(7));
    assert_eq!(answer("", "200 OK"), Content::None);
    assert_eq!(answer("Content-Length: 7\r\n", "304 Not Modified"), Content::Length(7));
    // "in any response with a status code of 1xx (Informational) or 204" there is none (RFC 9110 §8.6).
    assert_eq!(answer("Content-Length: 7\r\n", "103 Early Hints"), Content::None);
    assert_eq!(answer("Content-Length: 7\r\n", "204 No Content"), Content::None);
}

#[test]
fn trailers_go_on_to_who_takes_them() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: x-t\r\nTrailer: X-U\r\n\r\n";
    let names = |trailers: &Trailers, request: &str| -> Vec<String> {
        let section = parse(request).fields;
        trailers.of(section).map(|field| field.name.as_str().to_owned()).collect()
    };
    let came = "GET / HTTP/1.1\r\nX-T: 1\r\nX-U: 2\r\nHost: a\r\nConnection: x-u\r\nX-T: 3\r\nTrailer: a\r\nProxy-Authorization: b\r\n\r\n";
    let proxy = Intermediary { trailers: true, ..edge() };
    let takes = asked(&proxy, "1.1", "Connection: te\r\nTE: trailers\r\n");
    let (left, _, trailers) = back(&takes, chunked).unwrap().unwrap();
    assert!(left.starts_with("Trailer: X-U\r\n"));
    assert_eq!(names(&trailers, came), ["X-U"]);
    let whole = chunked.replace("Transfer-Encoding: chunked", "Content-Length: 5");
    let (left, ..) = back(&takes, &whole).unwrap().unwrap();
    assert!(!left.contains("Trailer"), "none follow content of a known length");
    let (left, _, trailers) = back(&asked(&proxy, "1.1", ""), chunked).unwrap().unwrap();
    assert!(!left.contains("Trailer") && names(&trailers, came).is_empty());
    let unpromised = asked(&edge(), "1.1", "Connection: te\r\nTE: trailers\r\n");
    let (left, _, trailers) = back(&unpromised, chunked).unwrap().unwrap();
    assert!(!left.contains("Trailer") && names(&trailers, came).is_empty(), "nobody promised to relay them");
    let (_, _, trailers) = back(&asked(&proxy, "1.0", "Connection: te\r\nTE: trailers\r\n"), chunked).unwrap().unwrap();
    assert!(names(&trailers, came).is_empty());
    // Of requests too; and where an intermediary sets more names than are remembered, none.
    let (many, client) = ([("a-name-of-20-letters", &b""[..]); 5], Node::new(None, false));
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: x-t\r\n\r\n";
    for (set, left) in [(&many[..1], vec!["X-U"]), (&many, vec![])] {
        let trailers = Intermediary { set, ..proxy }.request(&(&parse(head)).into(), &client).unwrap().trailers();
        assert_eq!(names(&trailers, came), left);
        assert_eq!(trailers.of(Fields::EMPTY).count(), 0);
    }
}

/// A head of 16 KiB whose Connection names thousands costs no more than one of that length.
#[test]
fn names_are_not_looked_for_among_thousands() {
    let fields: String = (0..90).map(|n| format!("f-{n:02}: 1\r\n")).collect();
    assert_eq!(
        stop(&format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: {}x\r\n{fields}\r\n", "abcd,".repeat(2500))),
        Stop::Nominations
    );
}

#[test]
fn cache_keys_are_target_uris() {
    let uri = |head: &str, secure: bool| {
        let request = parse(head);
        TargetUri::of(&(&request).into(), &Node::new(None, secure)).map(|uri| uri.to_string())
    };
    let get = |target: &str, host: &str| uri(&format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"), false).unwrap();
    assert_eq!(get("/pub/a.html", "www.Example.org"), "http://www.example.org/pub/a.html");
    assert_eq!(get("/", "a:80"), get("http://A:080", "b"));
    assert_eq!(get("/", "a:443"), "http://a:443/", "the other scheme's default");
    assert_eq!(get("http://a?q", "b"), "http://a/?q");
    assert_eq!(get("/%7e", "[::AB]:81"), "http://[::ab]:81/%7e");
    assert_eq!(get("/%7E", "a:"), "http://a/%7E", "percent-encoding stays as it came");
    assert_eq!(uri("GET / HTTP/1.1\r\nHost: a:443\r\n\r\n", true).unwrap(), "https://a/");
    assert_eq!(
        uri("OPTIONS * HTTP/1.1\r\nHost: www.example.org:8080\r\n\r\n", false).unwrap(),
        "http://www.example.org:8080"
    );
    assert_eq!(uri("GET / HTTP/1.0\r\n\r\n", false), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// A head that leaves has the lines it is to have, whatever another version's path and authority were.
    #[test]
    fn a_start_line_and_a_host_are_a_line_each(
        path in prop::collection::vec(prop_oneof![9 => b'!'..=b'~', 1 => any::<u8>()], 0..12),
        authority in prop::collection::vec(prop_oneof![9 => b'a'..=b'z', 1 => any::<u8>()], 0..12),
    ) {
        let (request, client) = (parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Node::new(None, false));
        let path = [b"/", &path[..]].concat();
        let came = ReceivedRequest { path_and_query: &path, authority: &authority, ..(&request).into() };
        if let Ok(forwarded) = edge().request(&came, &client) {
            let mut space = [0; 200];
            let mut tx = Tx::new(&mut space);
            forwarded.write_http1(&mut tx).unwrap();
            let lines: Vec<&str> = str::from_utf8(tx.written()).unwrap().split("\r\n").collect();
            let [line, host, "via: 1.1 edge", "", ""] = lines[..] else { panic!("{lines:?}") };
            prop_assert_eq!(line.as_bytes(), [b"GET ", &path[..], b" HTTP/1.1"].concat());
            prop_assert!(host[..6].eq_ignore_ascii_case("host: ") && !host[6..].contains([' ', '\n', '"']));
        }
    }
}
