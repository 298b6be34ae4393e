//! The client of a stream: what every answer means, and when it comes back.

use std::time::Duration;

use hopwire::http::{Method, Status};
use hopwire::http1::{HeadLimits, ResponseHead};
use hopwire::io::Rx;
use hopwire::sse::source::{Config, State, Verdict};
use hopwire::sse::{Event, Head, Limit, Source};
use hopwire::time::Instant;
use proptest::prelude::*;

/// A random source that always says the same.
type Constant = fn(&mut [u8]);
const LEAST: Constant = |bytes| bytes.fill(0);
const MOST: Constant = |bytes| bytes.fill(255);

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn connecting(config: Config, entropy: Constant) -> Source<Constant> {
    let mut source = Source::new(config, entropy);
    source.connecting(Instant::ZERO);
    source
}

fn stream_head() -> Head<'static> {
    Head { content_type: Some(b"text/event-stream"), ..Head::of(Status::OK) }
}

fn open(entropy: Constant) -> Source<Constant> {
    let mut source = connecting(Config::default(), entropy);
    assert_eq!(source.answered(Instant::ZERO, &stream_head()), Verdict::Open);
    source
}

/// Feeds one read and counts the events.
fn read(source: &mut Source<Constant>, now: Instant, bytes: &[u8]) -> usize {
    let mut bytes = bytes.to_vec();
    let mut rx = Rx::new(&mut bytes);
    std::iter::from_fn(|| source.poll(now, &mut rx).map(|event| assert!(matches!(event, Event::Message(_))))).count()
}

#[test]
fn any_entropy_leaves_it_debug() {
    let source = Source::new(Config::default(), |bytes: &mut [u8]| bytes.fill(7));
    assert!(format!("{source:?}").contains("state: Connect,"));
}

#[test]
fn every_status_opens_redirects_retries_or_ends() {
    for code in 200..=599 {
        let status = Status::new(code).unwrap();
        let head = Head { content_type: Some(b"text/event-stream"), location: Some(b"/b"), ..Head::of(status) };
        let mut source = connecting(Config::default(), LEAST);
        let verdict = source.answered(at(5), &head);
        let expected = match code {
            200 => (Verdict::Open, State::Open),
            204 => (Verdict::Closed, State::Closed),
            301 | 302 | 303 | 307 | 308 => {
                let (permanent, to_get) = (code == 301 || code == 308, code < 304);
                (Verdict::Redirect { location: b"/b", permanent, to_get }, State::Connect)
            }
            408 | 425 | 429 | 500 | 502 | 503 | 504 => (Verdict::Retry, State::Waiting),
            _ => (Verdict::Failed, State::Closed),
        };
        assert_eq!((verdict, source.state()), expected, "{code}");
        if source.state() == State::Closed {
            source.lost(at(9));
            source.handle_timeout(at(1_000_000));
            source.connecting(at(9));
            assert_eq!((source.state(), source.poll_timeout()), (State::Closed, None), "{code}: closed is closed");
        }
    }
}

#[test]
fn only_an_event_stream_is_one() {
    for (content_type, verdict) in [
        (Some(&b"text/event-stream"[..]), Verdict::Open),
        (Some(b"Text/Event-Stream ; charset=utf-8"), Verdict::Open),
        (Some(b"text/event-stream;"), Verdict::Open),
        (Some(b"text/event-streams"), Verdict::Failed),
        (Some(b"text/plain; a=text/event-stream"), Verdict::Failed),
        (Some(b""), Verdict::Failed),
        (None, Verdict::Failed),
    ] {
        let head = Head { content_type, ..Head::of(Status::OK) };
        assert_eq!(connecting(Config::default(), LEAST).answered(at(0), &head), verdict, "{content_type:?}");
    }
}

#[test]
fn redirects_end_somewhere() {
    let found = Status::new(302).unwrap();
    let mut source = connecting(Config::default(), LEAST);
    assert_eq!(source.answered(at(0), &Head::of(found)), Verdict::Failed, "without a Location");
    let mut source = connecting(Config::default(), LEAST);
    let mut now = at(0);
    // Those before a failure, or before a stream, are not in a row with those behind it.
    for answer in [Head::of(Status::new(503).unwrap()), stream_head(), Head { location: Some(b"/"), ..Head::of(found) }]
    {
        for _ in 0..20 {
            let verdict = source.answered(now, &Head { location: Some(b"/"), ..Head::of(found) });
            assert!(matches!(verdict, Verdict::Redirect { .. }));
            source.connecting(now);
        }
        let verdict = source.answered(now, &answer);
        assert_eq!(verdict == Verdict::Failed, answer.location.is_some());
        source.lost(now);
        now = source.poll_timeout().unwrap_or(now);
        source.handle_timeout(now);
        source.connecting(now);
    }
}

#[test]
fn the_first_retry_is_spread_and_progress_resets_the_wait() {
    for (entropy, first) in [(LEAST, 3000), (MOST, 4499)] {
        let mut source = open(entropy);
        source.lost(at(0));
        assert_eq!(source.poll_timeout().unwrap().as_nanos() / 1_000_000, first);
    }
    let mut source = open(LEAST);
    let mut now = at(0);
    for (wait, stream) in [(3, ""), (6, ": only a comment\n\n"), (12, ""), (3, "data: progress\n\n"), (6, "")] {
        read(&mut source, now, stream.as_bytes());
        source.lost(now);
        source.lost(now);
        let then = source.poll_timeout().unwrap();
        assert_eq!(then.saturating_since(now), Duration::from_secs(wait), "{stream}");
        source.handle_timeout(now);
        assert_eq!(source.state(), State::Waiting, "early does nothing");
        now = then;
        source.handle_timeout(now);
        assert_eq!(source.state(), State::Connect);
        source.connecting(now);
        assert_eq!(source.answered(now, &stream_head()), Verdict::Open);
    }
    // A stream that stood for a minute has not failed.
    now = at(1_000_000);
    source.lost(now);
    now = source.poll_timeout().unwrap();
    assert_eq!(now.saturating_since(at(1_000_000)), Duration::from_secs(3));
    // The next one did not stand.
    source.handle_timeout(now);
    source.connecting(now);
    assert_eq!(source.answered(now, &stream_head()), Verdict::Open);
    source.lost(now);
    assert_eq!(source.poll_timeout().unwrap().saturating_since(now), Duration::from_secs(6));
}

#[test]
fn what_the_server_says_has_a_floor_and_a_cap() {
    for (retry, millis) in [("0", 500), ("499", 500), ("7000", 7000), ("99999999999999999999", 60_000)] {
        let mut source = open(LEAST);
        read(&mut source, at(0), format!("retry: {retry}\n\n").as_bytes());
        source.lost(at(0));
        assert_eq!(source.poll_timeout(), Some(at(millis)), "{retry}");
    }
    let short = Config { max_retry_after: Duration::from_secs(99), ..Config::new() };
    for (config, after, millis) in
        [(Config::new(), &b"100"[..], 100_000), (Config::new(), b"3601", 3_600_000), (short, b"100", 99_000)]
    {
        let mut source = connecting(config, LEAST);
        let busy = Head { retry_after: Some(after), ..Head::of(Status::new(503).unwrap()) };
        assert_eq!(source.answered(at(0), &busy), Verdict::Retry);
        assert_eq!(source.poll_timeout(), Some(at(millis)), "{config:?}");
    }
}

#[test]
fn a_head_is_what_the_fields_of_an_answer_say() {
    let mut answer = *b"HTTP/1.1 503 Busy\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/html\r\n\
        Retry-After: Sun, 06 Nov 1994 08:50:00 GMT\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n";
    let response = ResponseHead::new(Method::Get).poll(&mut Rx::new(&mut answer), &HeadLimits::new()).unwrap().unwrap();
    let head = Head::new(response.status, &response.fields);
    assert_eq!((head.content_type, head.location), (Some(&b"text/html"[..]), Some(&b"/b"[..])));
    let mut source = connecting(Config::default(), LEAST);
    assert_eq!(source.answered(at(0), &head), Verdict::Retry);
    assert_eq!(source.poll_timeout(), Some(at(23_000)), "from one date to the other");
}

#[test]
fn the_longest_event_is_a_setting() {
    let stream = b"data: 1234\n\ndata: 123\n\n";
    for (max_event, expected) in [(11, vec!["1234", "123"]), (10, vec!["123"])] {
        let mut source = connecting(Config { max_event, ..Config::new() }, LEAST);
        assert_eq!(source.answered(at(0), &stream_head()), Verdict::Open);
        let mut bytes = stream.to_vec();
        let mut rx = Rx::new(&mut bytes);
        let mut data = Vec::new();
        while let Some(event) = source.poll(at(0), &mut rx) {
            match event {
                Event::Message(message) => data.push(message.data.to_string()),
                event => assert_eq!(event, Event::Skipped(Limit::Event)),
            }
        }
        assert_eq!(data, expected);
    }
}

#[test]
fn silence_ends_a_stream_and_comments_are_no_silence() {
    let mut source = open(LEAST);
    read(&mut source, at(50_000), b":\n\n");
    assert_eq!(source.poll_timeout(), Some(at(110_000)));
    // Nothing new: the same bytes again.
    let mut bytes = *b"data: ha";
    assert_eq!(source.poll(at(60_000), &mut Rx::new(&mut bytes)), None);
    assert_eq!(source.poll(at(90_000), &mut Rx::new(&mut bytes)), None);
    assert_eq!(source.poll_timeout(), Some(at(120_000)));
    source.handle_timeout(at(120_000));
    assert_eq!(source.state(), State::Waiting);
    // What was left of that stream says nothing of the next.
    let now = source.poll_timeout().unwrap();
    source.handle_timeout(now);
    source.connecting(now);
    assert_eq!(source.answered(now, &stream_head()), Verdict::Open);
    read(&mut source, at(170_000), b"data:");
    assert_eq!(source.poll_timeout(), Some(at(230_000)));
    // No answer is silence as well.
    let mut source = connecting(Config::default(), LEAST);
    source.handle_timeout(at(29_999));
    assert_eq!(source.state(), State::Connecting);
    source.handle_timeout(at(30_000));
    assert_eq!(source.state(), State::Waiting);
    // It comes after all: that is no end, and no beginning.
    let next = source.poll_timeout();
    assert_eq!(source.answered(at(30_001), &stream_head()), Verdict::Retry);
    assert_eq!((source.state(), source.poll_timeout()), (State::Waiting, next));
    source.close();
    assert_eq!(source.answered(at(30_002), &stream_head()), Verdict::Failed);
}

#[test]
fn an_id_goes_along_as_far_as_a_field_can_carry_it() {
    for (id, sent) in
        [(&b"7"[..], Some(&b"7"[..])), (b" \t7 8\t ", Some(b"7 8")), (b"\xe6\x97\xa5", Some(b"\xe6\x97\xa5"))]
            .into_iter()
            .chain([(&b" "[..], None), (b"a\x01", None), (b"a\x7f", None), (b"a\x1b[2J", None)])
    {
        let mut source = open(LEAST);
        read(&mut source, at(0), &[b"id: ", id, b"\ndata: x\n\n"].concat());
        source.lost(at(0));
        let field = source.request_fields().find(|(name, _)| *name == "last-event-id").map(|(_, value)| value);
        assert_eq!(field, sent, "{}", id.escape_ascii());
    }
}

#[test]
fn the_id_goes_along_and_survives_a_restart() {
    let mut source = open(LEAST);
    assert_eq!(source.request_fields().count(), 2);
    assert_eq!(read(&mut source, at(0), b"retry: 900\nid: 7\ndata: x\n\nid: 8\ndata: half"), 1);
    source.lost(at(0));
    let (id, retry) = source.saved();
    let mut next: Source<Constant> = Source::new(Config::default(), LEAST);
    next.restore(id.as_str(), retry).unwrap();
    assert!(next.request_fields().any(|field| field == ("last-event-id", b"7")));
    next.connecting(at(0));
    next.lost(at(0));
    assert_eq!(next.poll_timeout(), Some(at(900)));
}

/// What a caller and a server can do, in any order.
#[derive(Clone, Debug)]
enum Doing {
    Connecting,
    Answered { code: u16, retry_after: Option<&'static str>, location: bool },
    Body(&'static [u8]),
    Lost,
    Later(u64),
    Timeout,
}

fn doing() -> impl Strategy<Value = Doing> {
    let code = prop_oneof![4 => Just(200), 1 => Just(204), 3 => 301..309_u16, 3 => 500..505_u16, 1 => 100..600_u16];
    let after = prop::option::of(prop::sample::select(AFTER));
    let body = prop::sample::select(BODIES);
    prop_oneof![
        3 => Just(Doing::Connecting),
        3 => (code, after, any::<bool>()).prop_map(|(code, retry_after, location)| Doing::Answered { code, retry_after, location }),
        2 => body.prop_map(Doing::Body),
        1 => Just(Doing::Lost),
        1 => (0..100_000_u64).prop_map(Doing::Later),
        3 => Just(Doing::Timeout),
    ]
}

const AFTER: &[&str] = &["0", "7", "18446744073709551615", "99999999999999999999", "x"];
const BODIES: &[&[u8]] =
    &[b"data: x\n\n", b"retry: 0\n\n", b"retry: 99999999999999999999\n", b": c\n", b"id: 7\n\n", b"id: \x01\ndata"];

proptest! {
    /// Whatever is done in whatever order, it has something to wait for, waits neither too long nor too short, and ends.
    #[test]
    fn no_order_of_calls_makes_a_busy_loop_or_a_dead_end(doing in prop::collection::vec(doing(), 0..80)) {
        let (mut source, mut now, mut requests) = (Source::new(Config::default(), MOST), 0, 0);
        for doing in doing {
            let before = source.state();
            match doing {
                Doing::Connecting => source.connecting(at(now)),
                Doing::Answered { code, retry_after, location } => {
                    let head = Head {
                        content_type: Some(b"text/event-stream"),
                        retry_after: retry_after.map(str::as_bytes),
                        location: location.then_some(b"/".as_slice()),
                        ..Head::of(Status::new(code).unwrap())
                    };
                    // A redirect is no new try.
                    requests -= i64::from(matches!(source.answered(at(now), &head), Verdict::Redirect { .. }));
                }
                Doing::Body(bytes) => {
                    read(&mut source, at(now), bytes);
                }
                Doing::Lost => source.lost(at(now)),
                Doing::Later(millis) => now += millis,
                Doing::Timeout => {
                    let due = source.poll_timeout().map_or(now, |due| due.as_nanos().div_ceil(1_000_000));
                    now = now.max(due);
                    source.handle_timeout(at(now));
                }
            }
            let state = source.state();
            requests += i64::from(before == State::Connect && state == State::Connecting);
            prop_assert!(before != State::Closed || state == State::Closed);
            let due = source.poll_timeout();
            match state {
                State::Closed | State::Connect => prop_assert_eq!(due, None),
                _ => prop_assert!(due.is_some_and(|due| due <= at(now + 3600 * 1500)), "{:?} {:?}", state, due),
            }
            // Half a second at least between two tries.
            prop_assert!(requests <= 1 + i64::try_from(now / 500).unwrap(), "{} in {} ms", requests, now);
        }
    }
}
