//! Which answer is whose, and when a connection can be used again.

use hopwire::http::forward;
use hopwire::http1::RequestHead;

use super::*;

#[test]
fn answers_go_to_requests_in_the_order_sent() {
    let methods = [Method::Get, Method::Head, Method::Get, Method::Options, Method::Head, Method::Put];
    let mut dialogue = dialogue();
    for method in methods {
        ask(&mut dialogue, method).unwrap();
    }
    assert_eq!((dialogue.client.outstanding(), dialogue.client.unanswered()), (6, 6));
    // The same head each time: how long it makes the response depends on whose answer it is.
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    for method in methods {
        dialogue.feed(head);
        if method != Method::Head {
            dialogue.feed(b"hello");
        }
    }
    assert_eq!(dialogue.codes(), [200, 0].repeat(6));
    assert_eq!((dialogue.violation, dialogue.client.outstanding()), (None, 0));
}

#[test]
fn a_pipeline_has_an_end() {
    for (pipeline, most) in [(0, 0), (1, 1), (3, 3), (8, 8), (200, 8)] {
        let mut dialogue = Dialogue::new(Client::new(Config { max_pipeline: pipeline, ..Config::default() }));
        for _ in 0..most {
            ask(&mut dialogue, Method::Get).unwrap();
        }
        assert_eq!(ask(&mut dialogue, Method::Get), Err(Misuse::Pipeline));
        if most > 0 {
            dialogue.feed(OK5);
            ask(&mut dialogue, Method::Get).unwrap();
        }
    }
}

#[test]
fn nothing_follows_what_cannot_be_repeated_or_leaves_http() {
    let upgrade: Fields<'_> = &[HOST, ("upgrade", b"websocket")];
    for (method, fields) in [(Method::Post, &[HOST][..]), (Method::Get, upgrade), (Method::Connect, &[HOST])] {
        let mut dialogue = asked(Method::Get);
        let target: &[u8] = if method == Method::Connect { b"a:1" } else { b"/" };
        dialogue.call(|client, tx| client.request(method, target, fields, BodyLength::None, tx)).unwrap();
        assert_eq!(ask(&mut dialogue, Method::Get), Err(Misuse::Pipeline), "{method}");
        dialogue.feed(OK5);
        assert_eq!(ask(&mut dialogue, Method::Get), Err(Misuse::Pipeline), "{method}");
        dialogue.feed(b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n");
        ask(&mut dialogue, Method::Get).unwrap();
        dialogue.feed(b"hello");
        dialogue.feed(OK5);
        assert_eq!(dialogue.codes(), [200, 0, 404, 0, 200, 0], "{method}");
    }
}

/// RFC 9112 §9.3.2, for requests that came from elsewhere.
#[test]
fn nothing_follows_what_is_forwarded_and_cannot_be_repeated_or_leaves_http() {
    let edge = forward::Intermediary::new("edge").unwrap();
    for (head, follows) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Ok(())),
        ("POST / HTTP/1.1\r\nHost: a\r\n\r\n", Err(Misuse::Pipeline)),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", Err(Misuse::Pipeline)),
    ] {
        let (mut head, behind) = (head.as_bytes().to_vec(), forward::Node::new(None, false));
        let received = RequestHead::new().poll(&mut Rx::new(&mut head), &HeadLimits::new()).unwrap().unwrap();
        let request = edge.request(&(&received).into(), &behind).unwrap();
        let mut dialogue = dialogue();
        dialogue.call(|client, tx| client.forward(&request, tx)).unwrap();
        assert_eq!(ask(&mut dialogue, Method::Get), follows);
    }
}

#[test]
fn pipelined_content_follows_while_answers_come() {
    let mut dialogue = asked(Method::Get);
    dialogue.call(|client, tx| client.request(Method::Put, b"/", &[HOST], BodyLength::Length(5), tx)).unwrap();
    assert_eq!(ask(&mut dialogue, Method::Get), Err(Misuse::RequestIncomplete));
    send(&mut dialogue, b"he").unwrap();
    dialogue.feed(OK5);
    send(&mut dialogue, b"llo").unwrap();
    dialogue.feed(&OK5[..10]);
    end(&mut dialogue).unwrap();
    ask(&mut dialogue, Method::Head).unwrap();
    dialogue.feed(&OK5[10..]);
    dialogue.feed(OK5.strip_suffix(b"hello").unwrap());
    assert_eq!((dialogue.codes(), dialogue.client.unusable()), ([200, 0].repeat(3), None));
}

#[test]
fn an_answer_that_says_close_leaves_the_others_unanswered() {
    let mut dialogue = asked(Method::Get);
    ask(&mut dialogue, Method::Get).unwrap();
    dialogue.call(|client, tx| client.request(Method::Put, b"/", &[HOST], BodyLength::Length(5), tx)).unwrap();
    dialogue.feed(&[CLOSE0, OK5].concat());
    assert_eq!((dialogue.codes(), dialogue.client.unusable()), (vec![200, 0], Some(Unusable::ServerCloses)));
    assert_eq!((dialogue.client.wants(), dialogue.client.unanswered()), (Wants::Close, 2));
    assert_eq!(send(&mut dialogue, b"hello"), Err(Misuse::Closed));
    assert_eq!(ask(&mut dialogue, Method::Get), Err(Misuse::Closed));
}

#[test]
fn our_own_close_ends_with_the_last_answer() {
    let mut dialogue = asked(Method::Get);
    let close: Fields<'_> = &[HOST, ("Connection", b"close")];
    dialogue.call(|client, tx| client.request(Method::Get, b"/", close, BodyLength::None, tx)).unwrap();
    assert_eq!(ask(&mut dialogue, Method::Get), Err(Misuse::Closed));
    dialogue.feed(OK5);
    assert_eq!((dialogue.client.wants(), dialogue.client.outstanding()), (Wants::Input, 1));
    dialogue.feed(OK5);
    assert_eq!((dialogue.codes(), dialogue.client.wants()), ([200, 0].repeat(2), Wants::Close));

    let mut dialogue = asked(Method::Get);
    dialogue.client.close();
    dialogue.client.close();
    dialogue.feed(OK5);
    assert_eq!((dialogue.codes(), dialogue.client.unusable()), (vec![200, 0], Some(Unusable::Closing)));
    assert_eq!(dialogue.client.wants(), Wants::Close);

    // An early answer to the last request ends it, wherever it stood in the pipeline.
    let mut dialogue = asked(Method::Get);
    dialogue.call(|client, tx| client.request(Method::Put, b"/", close, BodyLength::Length(10), tx)).unwrap();
    dialogue.feed(&OK5.repeat(2));
    assert_eq!((dialogue.codes(), dialogue.client.wants()), ([200, 0].repeat(2), Wants::Close));
    assert_eq!(send(&mut dialogue, b"hello"), Err(Misuse::Closed));

    let mut client = Client::default();
    client.close();
    assert_eq!((client.wants(), client.unusable()), (Wants::Close, Some(Unusable::Closing)));
}

#[test]
fn why_a_connection_cannot_be_used_again() {
    let eof = Some(Unusable::Failed(Violation::Eof));
    for (response, reason) in [
        ("1.1 200 OK\r\nContent-Length: 0\r\n\r\n", None),
        ("1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", None),
        ("1.1 200 OK\r\nContent-Length: 0\r\nConnection: a, Close\r\n\r\n", Some(Unusable::ServerCloses)),
        ("1.0 200 OK\r\nContent-Length: 0\r\n\r\n", Some(Unusable::Http10)),
        ("1.1 200 OK\r\n\r\n", Some(Unusable::UntilClose)),
        ("1.1 200 OK\r\nConnection: close\r\n\r\n", Some(Unusable::ServerCloses)),
    ] {
        let mut dialogue = asked(Method::Get);
        dialogue.feed(format!("HTTP/{response}").as_bytes());
        assert_eq!(dialogue.client.unusable(), reason, "{response:?}");
        dialogue.finish();
        assert_eq!(dialogue.client.unusable(), reason.or(Some(Unusable::Ended)), "{response:?}");
        assert_eq!((dialogue.client.wants(), dialogue.violation), (Wants::Close, None));
        assert_eq!(ask(&mut dialogue, Method::Get), Err(Misuse::Closed));
    }
    assert_eq!(answered(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n").client.unusable(), eof);
}

#[test]
fn a_server_of_http10_gets_no_chunks() {
    let mut dialogue = asked(Method::Get);
    dialogue.feed(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
    let chunked =
        |client: &mut Client, tx: &mut Tx<'_>| client.request(Method::Put, b"/", &[HOST], BodyLength::Chunked, tx);
    assert_eq!(dialogue.call(chunked), Err(Misuse::Http10));
    ask(&mut dialogue, Method::Get).unwrap();
    dialogue.feed(OK0);
    dialogue.call(chunked).unwrap();
}

#[test]
fn an_early_answer_does_not_end_its_request() {
    let mut dialogue = posting(BodyLength::Chunked, &[]);
    send(&mut dialogue, b"hello").unwrap();
    dialogue.feed(OK5);
    assert_eq!((dialogue.codes(), dialogue.client.outstanding()), (vec![200, 0], 1));
    assert_eq!(dialogue.client.unusable(), Some(Unusable::RequestIncomplete));
    assert_eq!((dialogue.client.owes_content(), dialogue.client.wants()), (true, Wants::Caller));
    send(&mut dialogue, b"hello").unwrap();
    end(&mut dialogue).unwrap();
    ask(&mut dialogue, Method::Get).unwrap();
    dialogue.feed(OK5);
    assert_eq!((dialogue.codes(), dialogue.client.unusable()), ([200, 0].repeat(2), None));

    // With `close`, the rest may go while the answer is still coming, and no longer.
    let mut dialogue = posting(BodyLength::Length(10), &[]);
    dialogue.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhel");
    send(&mut dialogue, b"hello").unwrap();
    dialogue.feed(b"lo");
    assert_eq!((dialogue.codes(), dialogue.client.wants()), (vec![200, 0], Wants::Close));
    assert_eq!(send(&mut dialogue, b"hello"), Err(Misuse::Closed));
    assert_eq!(dialogue.client.unusable(), Some(Unusable::ServerCloses));

    // A server that closes in silence after an early answer.
    let mut dialogue = posting(BodyLength::Length(10), &[]);
    dialogue.feed(OK5);
    dialogue.finish();
    assert_eq!((dialogue.client.unusable(), dialogue.violation), (Some(Unusable::Ended), None));
    assert_eq!(send(&mut dialogue, b"hello"), Err(Misuse::Closed));
}
