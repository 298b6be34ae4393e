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
    dialogue.feed(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(dialogue.codes(), [417, 0]);
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
    let mut dialogue = posting(BodyLength::Length(5), &[EXPECT]);
    dialogue.feed(b"");
    send(&mut dialogue, b"hello").unwrap();
    assert_eq!(dialogue.client.poll_timeout(), None);
    end(&mut dialogue).unwrap();
    dialogue.feed(CONTINUE);
    assert_eq!(dialogue.codes(), [100]);
}
