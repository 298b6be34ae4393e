//! Content that waits for `100 Continue`.

use super::*;

#[test]
fn content_waits_for_continue() {
    let mut dialogue = posting(BodyLength::Length(5), &[EXPECT]);
    dialogue.feed(b"HTTP/1.1 103 Early Hints\r\n\r\n");
    assert_eq!(dialogue.client.wants(), Wants::Input);
    dialogue.feed(CONTINUE);
    assert_eq!(dialogue.events().last(), Some(&Heard::Continue));
    assert_eq!(dialogue.client.poll_timeout(), None, "its deadline is gone with it");
}

#[test]
fn a_final_response_instead_of_continue_leaves_the_content_owed() {
    let mut dialogue = posting(BodyLength::Length(5), &[EXPECT]);
    dialogue.feed(b"");
    dialogue.feed(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
    assert_eq!((dialogue.codes(), dialogue.client.poll_timeout()), (vec![417, 0], None));
    // The server may wait for the content that was declared: whatever else came next would be taken for it.
    assert_eq!(dialogue.client.unusable(), Some(Unusable::RequestIncomplete));
    assert_eq!(ask(&mut dialogue, Method::Get), Err(Misuse::RequestIncomplete));
    send(&mut dialogue, b"hello").unwrap();
    end(&mut dialogue).unwrap();
    assert_eq!((dialogue.client.unusable(), dialogue.client.outstanding()), (None, 0));
    ask(&mut dialogue, Method::Get).unwrap();

    let mut dialogue = posting(BodyLength::Length(5), &[EXPECT]);
    dialogue.feed(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    assert_eq!(dialogue.client.unusable(), Some(Unusable::ServerCloses));
    assert_eq!(send(&mut dialogue, b"hello"), Err(Misuse::Closed));
    assert_eq!(dialogue.client.wants(), Wants::Close);

    let mut dialogue = posting(BodyLength::Length(5), &[EXPECT]);
    dialogue.feed(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
    dialogue.client.close();
    assert_eq!((dialogue.client.unusable(), dialogue.client.wants()), (Some(Unusable::Closing), Wants::Close));
}

/// RFC 9112 §9.2: a client "MUST associate each received response message on that connection to the first outstanding
/// request that has not yet received a final (non-1xx) response".
#[test]
fn the_100_of_another_request_is_not_waited_for() {
    let mut dialogue = asked(Method::Get);
    let fields = &[HOST, EXPECT];
    dialogue.call(|client, tx| client.request(Method::Put, b"/", fields, BodyLength::Length(5), tx)).unwrap();
    dialogue.feed(&[CONTINUE, OK5].concat());
    assert_eq!((dialogue.codes(), dialogue.events().contains(&Heard::Continue)), (vec![100, 200, 0], false));
    dialogue.feed(CONTINUE);
    assert_eq!(dialogue.events().last(), Some(&Heard::Continue));
}

#[test]
fn continue_that_does_not_come_is_not_waited_for() {
    let mut dialogue = posting(BodyLength::Length(5), &[EXPECT]);
    dialogue.feed(b"");
    let due = dialogue.client.poll_timeout().unwrap();
    assert_eq!(due, Instant::from_millis(1000));
    dialogue.client.handle_timeout(Instant::from_millis(999));
    dialogue.feed(b"");
    assert_eq!(dialogue.events(), []);
    dialogue.client.handle_timeout(due);
    dialogue.client.handle_timeout(due);
    dialogue.now = due;
    dialogue.feed(b"");
    assert_eq!((dialogue.events(), dialogue.client.poll_timeout()), (vec![Heard::Continue], None));
    send(&mut dialogue, b"hello").unwrap();
    end(&mut dialogue).unwrap();
    dialogue.feed(CONTINUE);
    dialogue.feed(OK0);
    assert_eq!(dialogue.codes(), [100, 200, 0], "a late 100 is one of many");
}

#[test]
fn who_sends_does_not_wait() {
    for sends in [
        |dialogue: &mut Dialogue| send(dialogue, b"hello").is_ok(),
        |dialogue: &mut Dialogue| dialogue.call(|client, tx| client.body_prefix(5, tx)).is_ok(),
        |dialogue: &mut Dialogue| end(dialogue).is_ok(),
    ] {
        let mut dialogue = posting(BodyLength::Chunked, &[EXPECT]);
        dialogue.feed(b"");
        assert!(sends(&mut dialogue));
        assert_eq!(dialogue.client.poll_timeout(), None);
        dialogue.feed(CONTINUE);
        assert_eq!(dialogue.codes(), [100]);
    }
    // Nor who has sent all of it at once.
    let mut dialogue = dialogue();
    dialogue.call(|client, tx| client.request_with(Method::Post, b"/", &[HOST, EXPECT], b"hello", tx)).unwrap();
    dialogue.feed(b"");
    assert_eq!(dialogue.client.poll_timeout(), Some(Instant::from(Config::HEAD_TIMEOUT)));
    dialogue.feed(CONTINUE);
    assert_eq!(dialogue.codes(), [100]);
}

#[test]
fn nothing_is_to_be_sent_when_the_whole_exchange_is_late() {
    let config = Config { whole_timeout: Some(Duration::from_secs(2)), ..Config::default() };
    let mut dialogue = Dialogue::new(Client::new(config));
    let fields = &[HOST, EXPECT];
    dialogue.call(|client, tx| client.request(Method::Put, b"/", fields, BodyLength::Length(5), tx)).unwrap();
    dialogue.feed(b"");
    // Both deadlines have passed since anybody looked.
    for _ in 0..2 {
        dialogue.client.handle_timeout(Instant::from_millis(2000));
    }
    dialogue.feed(b"");
    assert_eq!((dialogue.events(), dialogue.violation), (vec![], Some(Violation::Timeout(Timeout::Whole))));
}
