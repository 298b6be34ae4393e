//! Deadlines.

use super::*;

#[test]
fn deadlines_fire_at_their_time_and_not_before() {
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let config = Config {
        head_timeout: seconds(3),
        body_timeout: seconds(2),
        whole_timeout: seconds(10),
        continue_timeout: seconds(1),
        idle_timeout: seconds(5),
        ..Config::default()
    };
    let at = |seconds: u64| Instant::from_millis(seconds * 1000);
    let start = || {
        let mut dialogue = Dialogue::new(Client::new(config));
        dialogue.feed(b"");
        dialogue
    };
    /// Lets the next deadline pass, which must be `due`.
    fn pass(dialogue: &mut Dialogue, due: Instant) {
        assert_eq!(dialogue.client.poll_timeout(), Some(due));
        let before = Instant::from_nanos(due.as_nanos() - 1);
        dialogue.client.handle_timeout(before);
        assert_eq!(dialogue.client.poll_timeout(), Some(due));
        dialogue.client.handle_timeout(due);
        dialogue.now = due;
        dialogue.feed(b"");
    }
    fn late(dialogue: &Dialogue) -> Option<Timeout> {
        match dialogue.violation? {
            Violation::Timeout(timeout) => {
                assert_eq!(dialogue.client.wants(), Wants::Close);
                assert_eq!(dialogue.violation?.gateway_status(), Status::GATEWAY_TIMEOUT);
                Some(timeout)
            }
            other => panic!("{other}"),
        }
    }

    let mut idle = start();
    pass(&mut idle, at(5));
    assert_eq!((idle.client.unusable(), idle.client.wants()), (Some(Unusable::Idle), Wants::Close));
    assert_eq!((idle.violation, ask(&mut idle, Method::Get)), (None, Err(Misuse::Closed)));

    let mut head = start();
    ask(&mut head, Method::Get).unwrap();
    head.now = at(1);
    head.feed(b"HTTP/1.1 200");
    head.now = at(2);
    head.feed(b" OK\r\n");
    pass(&mut head, at(4));
    assert_eq!((late(&head), head.client.unanswered()), (Some(Timeout::Head), 1));

    // An interim response is a sign of life.
    let mut interim = start();
    ask(&mut interim, Method::Get).unwrap();
    interim.feed(b"");
    interim.now = at(2);
    interim.feed(b"HTTP/1.1 102 Processing\r\n\r\n");
    pass(&mut interim, at(5));
    assert_eq!(late(&interim), Some(Timeout::Head));

    // A request takes as long as it takes, but for the exchange as a whole.
    let mut slow = start();
    slow.call(|client, tx| client.request(Method::Put, b"/", &[HOST], BodyLength::Length(5), tx)).unwrap();
    slow.feed(b"");
    pass(&mut slow, at(10));
    assert_eq!(late(&slow), Some(Timeout::Whole));

    // Each read moves the deadline of content, and not that of the whole.
    let mut content = start();
    ask(&mut content, Method::Get).unwrap();
    content.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n");
    for second in 1..10 {
        content.now = at(second);
        content.feed(b"a");
    }
    pass(&mut content, at(10));
    assert_eq!(late(&content), Some(Timeout::Whole));
    let mut content = start();
    ask(&mut content, Method::Get).unwrap();
    content.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nh");
    content.now = at(1);
    content.feed(b"e\r");
    pass(&mut content, at(3));
    assert_eq!(late(&content), Some(Timeout::Body));
    // A whole chunk is a read like any other, and a poll that brings nothing is none.
    let mut content = start();
    ask(&mut content, Method::Get).unwrap();
    content.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na");
    content.now = at(1);
    content.feed(b"\r\n5\r\nhello");
    content.now = at(2);
    content.feed(b"");
    pass(&mut content, at(3));
    assert_eq!(late(&content), Some(Timeout::Body));

    // An exchange's deadlines are gone with it.
    let mut done = start();
    ask(&mut done, Method::Get).unwrap();
    done.feed(b"");
    done.now = at(1);
    done.feed(OK5);
    assert_eq!(done.client.poll_timeout(), Some(at(6)), "idle, from now");
    ask(&mut done, Method::Get).unwrap();
    assert_eq!(done.client.poll_timeout(), None);

    // Who still sends is not idle, whatever has been answered.
    let mut early = start();
    early.call(|client, tx| client.request(Method::Put, b"/", &[HOST], BodyLength::Length(5), tx)).unwrap();
    early.feed(OK5);
    assert_eq!((early.client.unusable(), early.client.poll_timeout()), (Some(Unusable::RequestIncomplete), None));

    let none = Config {
        head_timeout: None,
        body_timeout: None,
        whole_timeout: None,
        continue_timeout: None,
        idle_timeout: None,
        ..config
    };
    let mut never = Dialogue::new(Client::new(none));
    never.feed(b"");
    ask(&mut never, Method::Get).unwrap();
    never.feed(b"HTTP/1.1 200 OK\r\n\r\nhello");
    assert_eq!(never.client.poll_timeout(), None);
}
