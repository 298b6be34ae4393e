//! How a connection leaves HTTP.

use super::*;

#[test]
fn an_upgrade_leaves_the_rest_to_the_next_protocol() {
    let mut dialogue = dialogue();
    let fields: Fields<'_> = &[HOST, ("upgrade", b"a/1, websocket")];
    dialogue.call(|client, tx| client.request(Method::Get, b"/", fields, BodyLength::None, tx)).unwrap();
    dialogue.feed(b"HTTP/1.1 103 Early Hints\r\n\r\n");
    dialogue.feed(SWITCH);
    dialogue.finish();
    assert!(matches!(dialogue.events().last(), Some(Heard::Switched(reply)) if reply.code == 101));
    assert_eq!((dialogue.rest(), dialogue.client.has_switched()), (&b"\x81\x02hi"[..], true));
    assert_eq!((dialogue.client.unusable(), dialogue.client.wants()), (Some(Unusable::Switched), Wants::Caller));
    assert_eq!(ask(&mut dialogue, Method::Get), Err(Misuse::Closed));
    assert_eq!(send(&mut dialogue, b"x"), Err(Misuse::Closed));
    assert_eq!((dialogue.client.poll_timeout(), dialogue.violation), (None, None));
}

#[test]
fn a_101_is_what_was_offered_or_a_violation() {
    let unasked = Some(Violation::Ambiguous(Ambiguous::SwitchUnasked));
    let offer = |offer: &'static [u8]| {
        let mut dialogue = dialogue();
        let fields = [HOST, ("upgrade", offer)];
        dialogue.call(|client, tx| client.request(Method::Get, b"/", &fields, BodyLength::None, tx)).unwrap();
        dialogue
    };
    let mut plain = asked(Method::Get);
    plain.feed(SWITCH);
    assert_eq!((plain.violation, plain.events()), (unasked, vec![]));
    for response in [
        "Connection: upgrade\r\nUpgrade: h2c\r\n",
        "Connection: upgrade\r\nUpgrade: websocket, h2c\r\n",
        "Connection: upgrade\r\n",
        "Upgrade: websocket\r\n",
        "",
    ] {
        let mut dialogue = offer(b"websocket");
        dialogue.feed(format!("HTTP/1.1 101 Switching Protocols\r\n{response}\r\n").as_bytes());
        assert_eq!((dialogue.violation, dialogue.events()), (unasked, vec![]), "{response:?}");
    }
    // An offer that was declined does not count later.
    let mut later = offer(b"websocket");
    later.feed(OK5);
    ask(&mut later, Method::Get).unwrap();
    later.feed(SWITCH);
    assert_eq!(later.violation, unasked);
    // Nor one behind a request that is still to be answered, nor one of a request that is not complete.
    let mut behind = asked(Method::Get);
    let fields: Fields<'_> = &[HOST, ("upgrade", b"websocket")];
    behind.call(|client, tx| client.request(Method::Get, b"/", fields, BodyLength::None, tx)).unwrap();
    behind.feed(SWITCH);
    assert_eq!(behind.violation, unasked);
    let mut open = posting(BodyLength::Length(1), &[("upgrade", b"websocket")]);
    open.feed(SWITCH);
    assert_eq!(open.violation, unasked);
}

#[test]
fn connect_opens_a_tunnel_or_is_refused_like_any_other() {
    for head in ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", ""] {
        let mut dialogue = asked(Method::Connect);
        dialogue.feed(format!("HTTP/1.1 299 Yes\r\n{head}\r\nhello").as_bytes());
        let events = dialogue.events();
        assert!(matches!(&events[..], [Heard::Switched(reply)] if reply.code == 299), "{events:?}");
        assert_eq!((dialogue.rest(), dialogue.client.has_switched()), (&b"hello"[..], true));
    }
    let mut refused = asked(Method::Connect);
    refused.feed(b"HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!((refused.codes(), refused.client.unusable()), (vec![407, 0], None));
}
