//! `http::forward` against a twin that works on lists of names and values.

use hopwire::http::forward::{Content, Intermediary, Node, Stop, TargetUri};
use hopwire::http::{Fields, HttpDate, Method, Status, Version};
use hopwire::http1::{BodyLength, HeadLimits, Request, RequestHead, ResponseHead};
use hopwire::io::{Rx, Tx};

type List = Vec<(String, Vec<u8>)>;

pub fn run(data: &[u8]) {
    let mut bytes = data.to_vec();
    if let Ok(Some(request)) = RequestHead::new().poll(&mut Rx::new(&mut bytes), &HeadLimits::new()) {
        forward(&request);
    }
    for (asked, method) in [(&b"GET"[..], Method::Get), (b"HEAD", Method::Head)] {
        let mut bytes = data.to_vec();
        let mut rx = Rx::new(&mut bytes);
        if let Ok(Some(response)) = ResponseHead::new(method).poll(&mut rx, &HeadLimits::default()) {
            for version in ["1.0", "1.1"] {
                answer(&response, asked, version);
            }
        }
    }
}

/// A request goes through two intermediaries, and never again through the first.
fn forward(request: &Request<'_>) {
    let client = Node::new(Some([192, 0, 2, 7].into()), false);
    let first = Intermediary::new("first").unwrap();
    let received = request.into();
    let fields = list(request.fields);
    let forwarded = match first.request(&received, &client) {
        Ok(forwarded) => forwarded,
        Err(stop) => return stopped(request, &fields, stop),
    };
    let mut space = vec![0; 20_000];
    let mut tx = Tx::new(&mut space);
    forwarded.write_http1(&mut tx).expect("there is room");
    let mut wire = tx.written().to_vec();
    let mut rx = Rx::new(&mut wire);
    // Heads grow on their way.
    let limits = HeadLimits { bytes: 1 << 20, fields: 1000, ..HeadLimits::new() };
    let again = RequestHead::new().poll(&mut rx, &limits).expect("a good head").expect("a whole head");
    assert_eq!(rx.bytes(), b"", "nothing behind it: {}", tx.written().escape_ascii());

    // What it asks for is the same, and so is how it ends.
    assert_eq!((again.method, again.version), (request.method, Version::Http11));
    assert_eq!(again.authority().map(|it| it.as_bytes()), request.authority().map(|it| it.as_bytes()));
    assert_eq!(again.length(), request.length());
    let path = if request.target.path().is_empty() { b"/" } else { request.target.path() };
    let is_server_wide =
        request.method == Method::Options && request.target.path() == b"" && request.target.query().is_none();
    assert!(is_server_wide || (again.target.path(), again.target.query()) == (path, request.target.query()));
    assert!(is_server_wide == (again.target.as_bytes() == b"*"));
    let uri = TargetUri::of(&received, &client).expect("it was forwarded");
    assert_eq!(uri, TargetUri::of(&(&again).into(), &client).unwrap());

    // The pure form and the written one are the same, but for what is the connection's.
    let sent = list(again.fields);
    let mut pure: List = Vec::new();
    forwarded
        .each_field(|name, value| pure.push((name.to_ascii_lowercase(), value.pieces().flatten().copied().collect())));
    let own = ["connection", "te", "upgrade", "content-length", "transfer-encoding"];
    let written: List = sent.iter().filter(|(name, _)| !own.contains(&name.as_str())).cloned().collect();
    assert_eq!(pure, written);

    // What is left of what came, by the book.
    let changed = ["via", "host", "max-forwards", "expect", "trailer", "proxy-authorization"];
    let unchanged = |list: &List| -> List {
        list.iter()
            .filter(|(name, _)| !changed.contains(&name.as_str()) && !own.contains(&name.as_str()))
            .cloned()
            .collect()
    };
    assert_eq!(unchanged(&sent), unchanged(&kept(&fields)));
    let via = |list: &List| joined(list, "via");
    let said = if request.version == Version::Http10 { "1.0 first" } else { "1.1 first" };
    let before = via(&fields);
    assert_eq!(via(&sent), if before.is_empty() { said.into() } else { format!("{before}, {said}") });
    assert!(!forwarded.te_trailers() && !sent.iter().any(|(name, _)| name == "te"));
    match forwarded.upgrade() {
        Some(protocol) => {
            assert!(protocol == "websocket" && request.length() == BodyLength::None && again.offers_upgrade());
            assert!(request.upgrades().any(|it| it.eq_ignore_ascii_case(b"websocket")));
        }
        None => assert!(!sent.iter().any(|(name, _)| name == "upgrade" || name == "connection")),
    }
    assert!(
        again.expects_continue() == request.expects_continue()
            && forwarded.asked().expects_continue() == again.expects_continue()
    );

    // Forwarding is done once: the next one only adds itself. (And here Max-Forwards may end.)
    assert_eq!(first.request(&(&again).into(), &client).err(), Some(Stop::Loop));
    let second = Intermediary::new("second").unwrap();
    if let Ok(twice) = second.request(&(&again).into(), &client) {
        let mut last: List = Vec::new();
        twice.each_field(|name, value| {
            last.push((name.to_ascii_lowercase(), value.pieces().flatten().copied().collect()));
        });
        assert_eq!(unchanged(&last), unchanged(&sent));
        assert_eq!(via(&last), format!("{}, 1.1 second", via(&sent)));
    }
}

fn stopped(request: &Request<'_>, fields: &List, stop: Stop) {
    let max_forwards: Vec<_> = fields.iter().filter(|(name, _)| name == "max-forwards").collect();
    let limits = matches!(request.method, Method::Options | Method::Trace);
    match stop {
        Stop::Nominations => assert!(joined(fields, "connection").len() > hopwire::http::hop::NOMINATED - 2),
        Stop::Loop => assert!(joined(fields, "via").to_ascii_lowercase().contains("first")),
        Stop::LastHop => assert!(limits && max_forwards.len() == 1 && max_forwards[0].1.iter().all(|&b| b == b'0')),
        Stop::MaxForwards => assert!(limits && !max_forwards.is_empty()),
        Stop::NoAuthority => assert!(request.authority().is_none()),
        Stop::Scheme => assert!(request.target.scheme().is_some_and(|scheme| !scheme.eq_ignore_ascii_case(b"http"))),
        Stop::TraceContent => assert!(request.method == Method::Trace && request.length() != BodyLength::None),
        Stop::Connect => assert_eq!(request.method, Method::Connect),
        other => panic!("{other}"),
    }
    assert!(stop.status().code() >= 200 && stop.clause().contains('§'));
}

fn answer(response: &hopwire::http1::Response<'_>, method: &[u8], version: &str) {
    let mut head = [
        method,
        b" / HTTP/",
        version.as_bytes(),
        b"\r\nHost: a\r\nConnection: te, upgrade\r\nTE: trailers\r\nUpgrade: websocket\r\n\r\n",
    ]
    .concat();
    let request = RequestHead::new().poll(&mut Rx::new(&mut head), &HeadLimits::new()).unwrap().unwrap();
    let client = Node::new(None, true);
    let proxy = Intermediary::new("first").unwrap();
    let asked = proxy.request(&(&request).into(), &client).unwrap().asked();
    let now = HttpDate::from_unix(784_111_777);
    let answer = match proxy.response(&response.into(), &asked, now) {
        Ok(Some(answer)) => answer,
        Ok(None) => return assert!(response.status.is_informational() && version == "1.0"),
        Err(stop) => return assert_eq!(stop.status(), Status::BAD_GATEWAY),
    };
    assert_eq!(answer.status(), response.status);
    let mut sent: List = Vec::new();
    answer
        .each_field(|name, value| sent.push((name.to_ascii_lowercase(), value.pieces().flatten().copied().collect())));
    let came = list(response.fields);
    let unchanged = |list: &List| -> List {
        list.iter()
            .filter(|(name, _)| !["via", "date", "trailer", "content-length"].contains(&name.as_str()))
            .cloned()
            .collect()
    };
    assert_eq!(unchanged(&sent), unchanged(&kept(&came)));
    assert!(response.status.is_informational() || sent.iter().any(|(name, _)| name == "date"));
    assert!(joined(&sent, "via").ends_with(" first"));
    let switches = response.status == Status::SWITCHING_PROTOCOLS;
    assert!(!switches || answer.upgrade() == Some("websocket"));
    assert!(answer.content() != Content::Unknown || method != b"HEAD");
}

/// What may go on of a section: neither hop-by-hop nor nominated, unless that could not be.
fn kept(fields: &List) -> List {
    let hop = ["connection", "http2-settings", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"];
    let lines = fields.iter().filter(|(name, _)| name == "connection");
    let options: Vec<String> = lines
        .flat_map(|(_, value)| value.split(|&b| b == b','))
        .map(|option| String::from_utf8_lossy(option.trim_ascii()).to_ascii_lowercase())
        .collect();
    let ends = |name: &String| {
        hop.contains(&name.as_str())
            || (options.contains(name) && !hopwire::http::hop::END_TO_END.contains(&name.as_str()))
    };
    fields.iter().filter(|(name, _)| !ends(name) && name != "content-length").cloned().collect()
}

fn list(fields: Fields<'_>) -> List {
    fields.iter().map(|field| (field.name.as_str().to_ascii_lowercase(), field.value.to_vec())).collect()
}

fn joined(fields: &List, wanted: &str) -> String {
    let values = fields.iter().filter(|(name, value)| name == wanted && !value.is_empty());
    values.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>().join(", ")
}
