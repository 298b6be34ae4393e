//! What the caller's requests become: framing, fields, content, and the calls that are wrong.

use super::*;

#[test]
fn requests_are_framed_as_method_and_content_say() {
    let (none, five, chunked) = (BodyLength::None, BodyLength::Length(5), BodyLength::Chunked);
    let chunks = "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let upgrade: Fields<'_> = &[HOST, ("upgrade", b"websocket")];
    let cases: [(Method<'_>, &str, Fields<'_>, BodyLength, String); 19] = [
        (Method::Get, "/", &[HOST], none, "GET / HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        (Method::Get, "/", &[HOST], five, "GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello".into()),
        (Method::Head, "/?q", &[HOST], none, "HEAD /?q HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        (Method::Delete, "/", &[HOST], BodyLength::Length(0), "DELETE / HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        (Method::Post, "/", &[HOST], none, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n".into()),
        (Method::Put, "/", &[HOST], none, "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n".into()),
        (Method::Patch, "/", &[HOST], none, "PATCH / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n".into()),
        (Method::Patch, "/", &[HOST], five, "PATCH / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello".into()),
        (Method::Post, "/", &[HOST], chunked, format!("POST / HTTP/1.1\r\nhost: a\r\n{chunks}")),
        (Method::Options, "*", &[HOST], none, "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        (Method::Trace, "/", &[HOST], none, "TRACE / HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        (Method::Connect, "a:1", &[HOST], none, "CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        (Method::Get, "http://A/b", &[HOST], none, "GET http://A/b HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        (Method::Get, "/", &[("host", b"")], none, "GET / HTTP/1.1\r\nhost: \r\n\r\n".into()),
        (
            Method::Get,
            "/",
            upgrade,
            none,
            "GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n".into(),
        ),
        (
            Method::Get,
            "/",
            &[HOST, ("Connection", b"Upgrade, TE"), ("TE", b"trailers"), ("Upgrade", b"a")],
            none,
            "GET / HTTP/1.1\r\nhost: a\r\nConnection: Upgrade, TE\r\nTE: trailers\r\nUpgrade: a\r\n\r\n".into(),
        ),
        (
            Method::Get,
            "/",
            &[HOST, ("te", b"trailers")],
            none,
            "GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\nconnection: te\r\n\r\n".into(),
        ),
        (
            Method::Get,
            "/",
            &[HOST, ("te", b"trailers"), ("connection", b"te"), ("connection", b"b")],
            none,
            "GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\nconnection: te\r\nconnection: b\r\n\r\n".into(),
        ),
        (
            Method::Get,
            "/",
            &[HOST, ("te", b"trailers"), ("upgrade", b"a")],
            none,
            "GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\nupgrade: a\r\nconnection: te, upgrade\r\n\r\n".into(),
        ),
    ];
    for (method, target, fields, length, want) in cases {
        let mut dialogue = dialogue();
        dialogue.call(|client, tx| client.request(method, target.as_bytes(), fields, length, tx)).unwrap();
        assert_eq!(dialogue.client.owes_content(), length != none);
        if length != none {
            if length != BodyLength::Length(0) {
                send(&mut dialogue, b"hello").unwrap();
            }
            end(&mut dialogue).unwrap();
        }
        assert_eq!(dialogue.wire(), want);
        assert_eq!((dialogue.client.outstanding(), dialogue.client.owes_content()), (1, false));
        // Our own server takes each of them, and sees the same.
        let mut server = Exchange::new(Server::default());
        server.feed(want.as_bytes(), &mut |_, _, _| {});
        let Some(Told::Request(head)) = server.events().first().cloned() else { panic!("{:?}", server.violation) };
        assert_eq!((head.method, head.target), (method.as_str().to_owned(), target.as_bytes().to_vec()));
        assert_eq!(server.events().last(), Some(&Told::End));
    }
}

#[test]
fn a_prepared_request_is_the_same_each_time() {
    let mut space = [0; 128];
    let fields: Fields<'_> = &[HOST, ("connection", b"close")];
    let get = Prepared::new(Method::Get, b"/", &[HOST], BodyLength::None, &mut space).unwrap();
    let mut last = [0; 128];
    let last = Prepared::new(Method::Post, b"/", fields, BodyLength::Chunked, &mut last).unwrap();
    let mut dialogue = dialogue();
    dialogue.call(|client, tx| client.request_prepared(&get, tx)).unwrap();
    dialogue.call(|client, tx| client.request_prepared(&get, tx)).unwrap();
    dialogue.feed(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(dialogue.call(|client, tx| client.request_prepared(&last, tx)), Err(Misuse::Http10));
    dialogue.feed(OK5);
    dialogue.call(|client, tx| client.request_prepared(&last, tx)).unwrap();
    end(&mut dialogue).unwrap();
    assert_eq!(dialogue.call(|client, tx| client.request_prepared(&get, tx)), Err(Misuse::Closed));
    let get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let last = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(dialogue.wire(), [get, get, last].concat());

    let prepare = |fields, len: usize| {
        let mut space = [0; 100];
        Prepared::new(Method::Get, b"/", fields, BodyLength::None, &mut space[..len]).map(|_| ())
    };
    assert_eq!(prepare(&[HOST], 27), Ok(()));
    assert_eq!(prepare(&[HOST], 26), Err(SendError::Full(Full { needed: 27 })));
    assert_eq!(prepare(&[], 100), Err(SendError::Misuse(Misuse::Host)));
}

#[test]
fn a_request_with_all_its_content_is_written_whole_or_not_at_all() {
    let mut dialogue = dialogue();
    dialogue.out.size = 1;
    dialogue.call(|client, tx| client.request_with(Method::Post, b"/", &[HOST], b"hello", tx)).unwrap();
    assert_eq!(dialogue.wire(), "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello");
    assert!(!dialogue.client.owes_content());
    dialogue.feed(OK5);
    assert_eq!((dialogue.codes(), dialogue.client.unusable()), (vec![200, 0], None));
}

#[test]
fn what_a_request_must_not_be_is_misuse() {
    let (get, none) = (Method::Get, BodyLength::None);
    let cases: [(Method<'_>, &[u8], Fields<'_>, BodyLength, Misuse); 35] = [
        (get, b"", &[HOST], none, Misuse::Target),
        (get, b"a", &[HOST], none, Misuse::Target),
        (get, b"*", &[HOST], none, Misuse::Target),
        (get, b"/ HTTP/1.1\r\nx: y", &[HOST], none, Misuse::Target),
        (get, b"/\0", &[HOST], none, Misuse::Target),
        (get, b"/\xe9", &[HOST], none, Misuse::Target),
        (get, b"/#a", &[HOST], none, Misuse::Target),
        (get, b"/?a[]=1", &[HOST], none, Misuse::Target),
        (get, b"http://a/?a|b", &[HOST], none, Misuse::Target),
        (Method::Connect, b"/", &[HOST], none, Misuse::Target),
        (Method::Connect, b"a", &[HOST], none, Misuse::Target),
        (get, b"/", &[], none, Misuse::Host),
        (get, b"/", &[HOST, ("Host", b"a")], none, Misuse::Host),
        (get, b"/", &[("host", b"a b")], none, Misuse::Host),
        (get, b"/", &[("host", b"a/b")], none, Misuse::Host),
        (get, b"http://b/", &[HOST], none, Misuse::Host),
        (get, b"http://a:80/", &[HOST], none, Misuse::Host),
        (Method::Connect, b"b:1", &[HOST], none, Misuse::Host),
        (Method::Connect, b"b:1", &[("host", b"")], none, Misuse::Host),
        (get, b"/", &[HOST, ("", b"a")], none, Misuse::FieldName),
        (get, b"/", &[HOST, ("a b", b"a")], none, Misuse::FieldName),
        (get, b"/", &[HOST, ("a\r\nb", b"a")], none, Misuse::FieldName),
        (get, b"/", &[HOST, ("a", b"b\r\nc: d")], none, Misuse::FieldValue),
        (get, b"/", &[HOST, ("a", b"b\nc")], none, Misuse::FieldValue),
        (get, b"/", &[HOST, ("a", b"b\0c")], none, Misuse::FieldValue),
        (get, b"/", &[HOST, ("a", b" b")], none, Misuse::FieldValue),
        (get, b"/", &[HOST, ("Content-Length", b"5")], BodyLength::Length(5), Misuse::FieldReserved),
        (get, b"/", &[HOST, ("transfer-encoding", b"chunked")], BodyLength::Chunked, Misuse::FieldReserved),
        (get, b"/", &[HOST, ("expect", b"100-continue")], none, Misuse::Expectation),
        (get, b"/", &[HOST, ("expect", b"100-continue")], BodyLength::Length(0), Misuse::Expectation),
        (get, b"/", &[HOST, ("expect", b"more")], BodyLength::Length(5), Misuse::Expectation),
        (Method::Trace, b"/", &[HOST], BodyLength::Length(5), Misuse::ContentNotAllowed),
        (Method::Trace, b"/", &[HOST], BodyLength::Chunked, Misuse::ContentNotAllowed),
        (Method::Connect, b"a:1", &[HOST], BodyLength::Length(5), Misuse::ContentNotAllowed),
        (get, b"/", &[HOST, ("upgrade", &[b'a'; 31])], none, Misuse::Offer),
    ];
    let mut dialogue = dialogue();
    for (method, target, fields, length, misuse) in cases {
        let refused = dialogue.call(|client, tx| client.request(method, target, fields, length, tx));
        assert_eq!(refused, Err(misuse), "{method} {} {fields:?} {length:?}", target.escape_ascii());
        assert_eq!(dialogue.client.outstanding(), 0);
    }
    assert_eq!(dialogue.wire(), "");
    ask(&mut dialogue, Method::Get).unwrap();
}

#[test]
fn content_is_as_long_as_declared() {
    let mut dialogue = posting(BodyLength::Length(5), &[]);
    assert_eq!(send(&mut dialogue, b"hello!"), Err(Misuse::PastLength));
    assert_eq!(end(&mut dialogue), Err(Misuse::ShortOfLength));
    assert_eq!(send(&mut dialogue, b"hel"), Ok(3));
    assert_eq!(dialogue.call(|client, tx| client.body_prefix(3, tx)), Err(Misuse::PastLength));
    assert_eq!(dialogue.call(|client, tx| client.body_prefix(2, tx)), Ok(2));
    assert_eq!(dialogue.call(|client, tx| client.end(&[("a", b"b")], tx)), Err(Misuse::Trailer));
    end(&mut dialogue).unwrap();
    assert_eq!(end(&mut dialogue), Err(Misuse::NoRequest));
    assert_eq!(send(&mut dialogue, b"x"), Err(Misuse::NoRequest));
    assert!(dialogue.wire().ends_with("content-length: 5\r\n\r\nhel"));
}

#[test]
fn chunks_by_the_engine_and_by_the_caller_and_trailers() {
    let mut dialogue = posting(BodyLength::Chunked, &[]);
    dialogue.out.wire.clear();
    assert_eq!(send(&mut dialogue, b""), Ok(0));
    assert_eq!(send(&mut dialogue, b"hello"), Ok(5));
    assert_eq!(dialogue.call(|client, tx| client.body_prefix(0x1f, tx)), Ok(0x1f));
    dialogue.out.wire.extend_from_slice(b"(thirty-one bytes)");
    dialogue.call(Client::body_suffix).unwrap();
    dialogue.call(Client::body_suffix).unwrap();
    assert_eq!(dialogue.call(|client, tx| client.body_prefix(1, tx)), Ok(1));
    dialogue.out.wire.extend_from_slice(b"x");
    for name in ["content-length", "Host", "connection"] {
        assert_eq!(dialogue.call(|client, tx| client.end(&[(name, b"1")], tx)), Err(Misuse::Trailer));
    }
    dialogue.call(|client, tx| client.end(&[("x-sum", b"1")], tx)).unwrap();
    let want = "5\r\nhello\r\n1f\r\n(thirty-one bytes)\r\n1\r\nx\r\n0\r\nx-sum: 1\r\n\r\n";
    assert_eq!(dialogue.wire(), want);
}

#[test]
fn partial_content_says_how_much() {
    let mut dialogue = posting(BodyLength::Length(10), &[]);
    let mut space = [0; 4];
    let mut tx = Tx::new(&mut space);
    assert_eq!(dialogue.client.body(b"0123456789", &mut tx), Ok(4));
    assert_eq!(tx.written(), b"0123");
    assert!(matches!(dialogue.client.body(b"456789", &mut tx), Err(SendError::Full(_))));
    assert_eq!(dialogue.client.body(b"456789", &mut Tx::new(&mut [0; 6])), Ok(6));
    end(&mut dialogue).unwrap();
}
