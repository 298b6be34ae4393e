//! The client's side of polls.

use std::time::Duration;

use hopwire::feed::hold::{self, Answer};
use hopwire::feed::pull::{self, Mode};
use hopwire::feed::{Ask, Cursor, CursorText, Hold, Log, Pull, Reader, Start, Update, log};
use hopwire::http::Status;
use hopwire::io::Rx;
use hopwire::sse::{self, Decoder, Head};
use hopwire::time::Instant;
use proptest::prelude::*;

type Constant = fn(&mut [u8]);
const LEAST: Constant = |bytes| bytes.fill(0);
const MOST: Constant = |bytes| bytes.fill(255);

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn pull(mode: Mode) -> Pull<Constant> {
    Pull::new(pull::Config { mode, ..pull::Config::new() }, Start::Oldest, 1, LEAST)
}

/// One answer, whole; how many updates it had.
fn answer(pull: &mut Pull<Constant>, now: Instant, body: &str) -> usize {
    pull.asking(now);
    assert_eq!(pull.answered(now, &Head::of(Status::OK)), pull::Verdict::Read);
    let mut body = body.as_bytes().to_vec();
    let mut rx = Rx::new(&mut body);
    let updates = std::iter::from_fn(|| pull.poll(now, &mut rx).map(|_| ())).count();
    pull.ended(now);
    updates
}

fn status(code: u16) -> Head<'static> {
    Head::of(Status::new(code).unwrap())
}

#[test]
fn any_entropy_leaves_it_debug() {
    let pull = Pull::new(pull::Config::new(), Start::Oldest, 1, |bytes: &mut [u8]| bytes.fill(7));
    assert!(format!("{pull:?}").contains("state: Ask,"));
}

#[test]
fn short_polls_come_closer_with_news_and_part_without() {
    let mut pull = pull(Mode::Short);
    let mut now = at(0);
    let mut waits = Vec::new();
    for n in 0..14 {
        let body = if n < 10 { "id: 9f.1\n\n".to_owned() } else { format!("id: 9f.{}\ndata: x\n\n", n - 8) };
        answer(&mut pull, now, &body);
        let next = pull.poll_timeout().unwrap();
        waits.push(next.saturating_since(now).as_millis());
        pull.handle_timeout(next);
        now = next;
    }
    assert_eq!(
        waits,
        [1500, 2250, 3375, 5062, 7593, 11390, 17085, 25628, 30000, 30000, 15000, 7500, 3750, 1875].map(|it: u128| it)
    );
}

#[test]
fn a_304_is_no_news_whatever_came_before() {
    let mut pull = pull(Mode::Short);
    let mut now = at(0);
    let mut waits = Vec::new();
    for body in [Some("id: 9f.1\n\n"), Some("id: 9f.1\n\n"), Some("id: 9f.2\ndata: x\n\n"), None, None] {
        match body {
            Some(body) => {
                answer(&mut pull, now, body);
            }
            None => {
                pull.asking(now);
                assert_eq!(pull.answered(now, &status(304)), pull::Verdict::Unchanged);
            }
        }
        let next = pull.poll_timeout().unwrap();
        waits.push(next.saturating_since(now).as_millis());
        pull.handle_timeout(next);
        now = next;
    }
    assert_eq!(waits, [1500, 2250, 1125, 1687, 2531]);
}

/// A feed that is quiet for long, and polled: a failure now and then does not add up.
#[test]
fn a_304_is_an_answer_and_what_failed_before_it_is_over() {
    let mut pull = pull(Mode::Short);
    for seconds in [1, 2, 4] {
        pull.asking(at(0));
        pull.lost(at(0));
        assert_eq!(pull.poll_timeout(), Some(at(seconds * 1000)));
        pull.handle_timeout(at(seconds * 1000));
    }
    pull.asking(at(0));
    pull.answered(at(0), &status(304));
    pull.handle_timeout(pull.poll_timeout().unwrap());
    pull.asking(at(0));
    pull.lost(at(0));
    assert_eq!(pull.poll_timeout(), Some(at(1000)));
}

/// Client and server without news: a head and no content.
#[test]
fn a_short_poll_without_news_is_a_304() {
    let mut log = Log::new(log::Config::default(), 0x9f);
    let mut hold = Hold::new(hold::Config::default());
    let mut pull = pull(Mode::Short);
    let (mut now, mut told) = (at(0), Vec::new());
    for turn in 0..5 {
        if turn == 1 || turn == 4 {
            log.publish(now, "", "x").unwrap();
        }
        let tag = pull.if_none_match();
        let query = pull.ask().to_string();
        let ask =
            Ask { if_none_match: tag.as_ref().map(CursorText::as_bytes), ..Ask::parse(query.as_bytes()).unwrap() };
        pull.asking(now);
        let Answer::Reply(reply) = hold.ask(now, &ask, (), &log, &mut |bytes: &mut [u8]| bytes.fill(0)) else {
            panic!("not to be held")
        };
        let verdict = pull.answered(now, &Head::of(reply.status));
        let mut body = reply.body.to_vec();
        let mut rx = Rx::new(&mut body);
        let updates = std::iter::from_fn(|| pull.poll(now, &mut rx).map(|_| ())).count();
        pull.ended(now);
        told.push((reply.status.code(), updates));
        assert_eq!(verdict == pull::Verdict::Unchanged, reply.body.is_empty());
        now = pull.poll_timeout().unwrap();
        pull.handle_timeout(now);
    }
    assert_eq!(told, [(200, 0), (200, 1), (304, 0), (304, 0), (200, 1)]);
    assert!(pull_at(b"9f.3").if_none_match().is_none(), "a long poll is to be held");
    let config = pull::Config { mode: Mode::Short, ..pull::Config::new() };
    assert!(Pull::new(config, Start::resume(b"4711"), 1, LEAST).if_none_match().is_none(), "no place has no tag");
}

#[test]
fn a_long_poll_follows_the_last_at_once_but_not_in_a_busy_loop() {
    let mut pull = pull(Mode::Long);
    let mut asked = 0;
    // A server, or a cache, that answers at once whatever is asked.
    for millis in 0..10_000 {
        pull.handle_timeout(at(millis));
        while pull.state() == pull::State::Ask {
            answer(&mut pull, at(millis), "id: 9f.1\n\n");
            asked += 1;
        }
    }
    assert_eq!(asked, 20 + 49, "a burst, and then five a second");
    // However long it was quiet, there is no greater burst.
    pull.handle_timeout(at(1_000_000));
    while pull.state() == pull::State::Ask {
        answer(&mut pull, at(1_000_000), "id: 9f.1\n\n");
        asked += 1;
    }
    assert_eq!(asked, 20 + 49 + 20);
}

/// Each refused at once, by a server or a network that allows no wait to be kept from it.
#[test]
fn failures_are_no_busy_loop_either_however_short_the_waits() {
    let mut config = pull::Config { mode: Mode::Short, ..pull::Config::new() };
    (config.min_retry, config.max_retry) = (Duration::ZERO, Duration::ZERO);
    (config.min_interval, config.max_interval) = (Duration::ZERO, Duration::ZERO);
    for how in 0..3 {
        let mut pull = Pull::new(config, Start::Oldest, 1, MOST);
        let mut asked = 0;
        for millis in 0..10_000 {
            pull.handle_timeout(at(millis));
            while pull.state() == pull::State::Ask {
                match how {
                    0 => {
                        pull.asking(at(millis));
                        pull.lost(at(millis));
                    }
                    1 => {
                        pull.asking(at(millis));
                        pull.answered(at(millis), &Head { retry_after: Some(b"0"), ..status(503) });
                    }
                    _ => assert_eq!(answer(&mut pull, at(millis), "id: 9f.1\n\n"), 0),
                }
                asked += 1;
            }
        }
        assert_eq!(asked, 20 + 49, "{how}");
    }
}

/// What a portal answers, or an error page, or a body that was lost on the way.
#[test]
fn an_answer_without_a_cursor_is_none() {
    for body in ["", "<!doctype html>\n\nLog in first\n\n", "id: 7\n\n", "id: 9f.1\n"] {
        let mut pull = pull(Mode::Long);
        for seconds in [1, 2, 4] {
            assert_eq!(answer(&mut pull, at(0), body), 0);
            assert_eq!((pull.state(), pull.poll_timeout()), (pull::State::Waiting, Some(at(seconds * 1000))), "{body}");
            pull.handle_timeout(at(seconds * 1000));
        }
        assert_eq!(pull.reader().start(), Start::Oldest);
    }
}

#[test]
fn habits_that_contradict_each_other_are_no_panic() {
    let mut config = pull::Config { mode: Mode::Short, ..pull::Config::new() };
    (config.min_interval, config.max_interval) = (Duration::from_secs(9), Duration::from_secs(3));
    let mut pull = Pull::new(config, Start::Oldest, 1, LEAST);
    answer(&mut pull, at(0), "id: 9f.1\n\n");
    assert_eq!(pull.poll_timeout(), Some(at(9000)));
    // Without end is never, not an overflow.
    for mode in [Mode::Short, Mode::Long] {
        let mut config = pull::Config { mode, ..pull::Config::new() };
        (config.hold, config.guard) = (Duration::MAX, Duration::MAX);
        (config.min_interval, config.max_interval) = (Duration::MAX, Duration::MAX);
        (config.min_retry, config.max_retry) = (Duration::MAX, Duration::MAX);
        let mut pull = Pull::new(config, Start::Oldest, 1, |bytes: &mut [u8]| bytes.fill(0xff));
        pull.asking(at(0));
        assert_eq!(pull.poll_timeout(), None);
        pull.lost(at(0));
        assert_eq!((pull.state(), pull.poll_timeout()), (pull::State::Waiting, None));
    }
}

#[test]
fn the_guard_is_the_hold_and_ten_seconds() {
    for (mode, guard) in [(Mode::Long, 35_000), (Mode::Short, 10_000)] {
        let mut pull = pull(mode);
        pull.asking(at(0));
        assert_eq!(pull.poll_timeout(), Some(at(guard)));
        pull.handle_timeout(at(guard - 1));
        assert_eq!(pull.state(), pull::State::Asking);
        pull.handle_timeout(at(guard));
        assert_eq!(pull.state(), pull::State::Waiting);
        // It comes after all: that is no end, and no beginning.
        let next = pull.poll_timeout();
        assert_eq!(pull.answered(at(guard), &status(200)), pull::Verdict::Retry);
        assert_eq!((pull.state(), pull.poll_timeout()), (pull::State::Waiting, next));
    }
}

#[test]
fn every_status_is_read_tried_again_or_the_end() {
    for code in 200..=599 {
        let mut pull = pull(Mode::Long);
        pull.asking(at(0));
        let expected = match code {
            200 => (pull::Verdict::Read, pull::State::Reading),
            204 => (pull::Verdict::Closed, pull::State::Closed),
            304 => (pull::Verdict::Unchanged, pull::State::Ask),
            408 | 425 | 429 | 500 | 502 | 503 | 504 => (pull::Verdict::Retry, pull::State::Waiting),
            _ => (pull::Verdict::Failed, pull::State::Closed),
        };
        assert_eq!((pull.answered(at(0), &status(code)), pull.state()), expected, "{code}");
    }
}

#[test]
fn failures_double_the_wait_and_progress_resets_it() {
    let mut pull = pull(Mode::Long);
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        pull.asking(at(0));
        pull.lost(at(0));
        assert_eq!(pull.poll_timeout(), Some(at(seconds * 1000)));
        pull.handle_timeout(at(seconds * 1000));
    }
    answer(&mut pull, at(0), "id: 9f.1\ndata: x\n\n");
    pull.asking(at(0));
    let busy = Head { retry_after: Some(b"30"), ..status(503) };
    assert_eq!(pull.answered(at(0), &busy), pull::Verdict::Retry);
    assert_eq!(pull.poll_timeout(), Some(at(30_000)), "Retry-After is honoured");
    for (max, seconds) in [(pull::Config::MAX_RETRY_AFTER, 3600), (Duration::from_secs(7), 7)] {
        let config = pull::Config { max_retry_after: max, ..pull::Config::new() };
        let mut pull = Pull::new(config, Start::Oldest, 1, LEAST);
        pull.asking(at(0));
        pull.answered(at(0), &Head { retry_after: Some(b"99999"), ..status(503) });
        assert_eq!(pull.poll_timeout(), Some(at(seconds * 1000)), "but not for ever");
    }
    let mut pull = Pull::new(pull::Config::new(), Start::Oldest, 1, MOST);
    pull.asking(at(0));
    pull.lost(at(0));
    assert_eq!(pull.poll_timeout().unwrap().saturating_since(at(1499)).as_millis(), 0, "spread from the first");
    assert!(pull.poll_timeout().unwrap() > at(1400));
}

#[test]
fn the_longest_event_is_a_setting() {
    let body = "id: 9f.1\ndata: 123\n\n";
    for (max_event, updates, state) in
        [(body.len() - 1, 1, pull::State::Ask), (body.len() - 2, 0, pull::State::Waiting)]
    {
        let config = pull::Config { max_event, ..pull::Config::new() };
        let mut pull = Pull::new(config, Start::Oldest, 1, LEAST);
        assert_eq!((answer(&mut pull, at(0), body), pull.state()), (updates, state), "{max_event}");
    }
}

#[test]
fn what_came_before_a_break_counts() {
    let mut pull = pull(Mode::Long);
    for _ in 0..3 {
        pull.lost(at(0));
        pull.handle_timeout(pull.poll_timeout().unwrap());
    }
    pull.asking(at(0));
    pull.answered(at(0), &Head::of(Status::OK));
    let mut body = *b"id: 9f.1\ndata: x\n\nid: 9f.2\nda";
    let mut rx = Rx::new(&mut body);
    assert!(matches!(pull.poll(at(0), &mut rx), Some(Update::Event { .. })));
    assert_eq!(pull.poll(at(0), &mut rx), None);
    // So the wait is the shortest again: once.
    for seconds in [1, 2] {
        pull.lost(at(0));
        assert_eq!(pull.poll_timeout(), Some(at(seconds * 1000)));
        pull.handle_timeout(at(seconds * 1000));
    }
    assert_eq!(pull.ask().to_string(), "cursor=9f.1&wait=25&client=1");
}

#[test]
fn a_repeated_or_broken_answer_is_never_believed() {
    let mut pull = pull(Mode::Long);
    assert_eq!(answer(&mut pull, at(0), "id: 9f.1\ndata: x\n\nid: 9f.2\ndata: y\n\n"), 2);
    assert_eq!(answer(&mut pull, at(0), "id: 9f.1\ndata: x\n\nid: 9f.2\ndata: y\n\nid: 9f.3\ndata: z\n\n"), 1);
    // A hole, another epoch without a reset, no cursor at all: the request has failed.
    for bad in ["id: 9f.5\ndata: v\n\n", "id: a0.4\ndata: v\n\n", "id: 7\ndata: v\n\n", "data: v\n\n"] {
        let mut pull = pull_at(b"9f.3");
        assert_eq!(answer(&mut pull, at(0), bad), 0, "{bad}");
        assert_eq!((pull.state(), pull.reader().start()), (pull::State::Waiting, Start::resume(b"9f.3")), "{bad}");
    }
    // A reset counts for the cursor that it answers, and for no other.
    let reset = "event: feed-reset\nid: a0.0\ndata: {\"asked\":\"9f.3\",\"oldest\":\"a0.0\",\"head\":\"a0.1\"}\n\n";
    assert_eq!(answer(&mut pull_at(b"9f.2"), at(0), reset), 0);
    let mut pull = pull_at(b"9f.3");
    assert_eq!(answer(&mut pull, at(0), &format!("{reset}id: a0.1\ndata: new\n\n")), 2);
    assert_eq!(pull.reader().start(), Start::resume(b"a0.1"));
}

fn pull_at(cursor: &[u8]) -> Pull<Constant> {
    Pull::new(pull::Config::new(), Start::resume(cursor), 1, LEAST)
}

#[test]
fn a_place_is_taken_by_who_has_none() {
    let mut reader = Reader::new(Start::Now);
    reader.place(b"no cursor");
    assert_eq!(reader.start(), Start::Now);
    reader.place(b"9f.4");
    reader.place(b"9f.9");
    assert_eq!(reader.start(), Start::resume(b"9f.4"));
    // The place and the first event after it may come in one piece.
    let mut pull = Pull::new(pull::Config::new(), Start::Now, 1, LEAST);
    assert_eq!(answer(&mut pull, at(0), "id: 9f.4\n\nid: 9f.5\ndata: x\n\n"), 1);
    assert_eq!(pull.reader().start(), Start::resume(b"9f.5"));
}

/// It takes the place of everything before, so who was not told that something is missing does not take it; nor one of before
/// its own place, or of another feed.
#[test]
fn a_snapshot_is_for_who_asked_for_one_or_was_reset() {
    let reset = "event: feed-reset\nid: a0.2\ndata: {\"asked\":\"9f.3\",\"oldest\":\"a0.2\",\"head\":\"a0.5\"}\n\n";
    let event = |at: &str| format!("id: {at}\ndata: x\n\n");
    let snapshot = |at: &str| format!("event: feed-snapshot\nid: {at}\ndata: all\n\n");
    let told = |start: &[u8], body: String| {
        let (mut reader, mut decoder, mut body) =
            (Reader::new(Start::parse(start).unwrap()), Decoder::new(), body.into_bytes());
        let (mut rx, mut told) = (Rx::new(&mut body), Vec::new());
        while let Some(sse::Event::Message(message)) = decoder.poll(&mut rx) {
            told.push(match reader.event(message, decoder.last_event_id().as_bytes()) {
                Update::Event { .. } => "event",
                Update::Snapshot { .. } => "snapshot",
                Update::Reset { .. } => "reset",
                Update::Known => "known",
                update => panic!("{update:?}"),
            });
        }
        told
    };
    assert_eq!(told(b"snapshot", [snapshot("9f.5"), event("9f.6")].concat()), ["snapshot", "event"]);
    assert_eq!(told(b"oldest", snapshot("9f.5")), ["known"]);
    assert_eq!(told(b"now", snapshot("9f.5")), ["known"]);
    assert_eq!(told(b"9f.3", snapshot("9f.5")), ["known"]);
    for (at, outcome) in [("a0.1", "known"), ("a0.2", "snapshot"), ("a0.4", "snapshot"), ("9f.7", "known")] {
        assert_eq!(told(b"9f.3", [reset.to_owned(), snapshot(at)].concat()), ["reset", outcome], "{at}");
    }
    let behind = [reset.to_owned(), event("a0.3"), snapshot("a0.4")];
    assert_eq!(told(b"9f.3", behind.concat()), ["reset", "event", "known"]);
    let twice = [reset.to_owned(), snapshot("a0.3"), snapshot("a0.4")];
    assert_eq!(told(b"9f.3", twice.concat()), ["reset", "snapshot", "known"]);
}

#[test]
fn who_comes_with_a_place_of_nobodys_is_reset() {
    let reset = "event: feed-reset\nid: a0.2\ndata: {\"asked\":\"0.0\",\"oldest\":\"a0.2\",\"head\":\"a0.5\"}\n\n";
    let mut pull = pull_at(b"4711");
    assert_eq!(answer(&mut pull, at(0), &format!("{reset}id: a0.3\ndata: x\n\n")), 2);
    assert_eq!(pull.reader().start(), Start::resume(b"a0.3"));
}

/// What a caller and a server can do, in any order.
#[derive(Clone, Debug)]
enum Doing {
    Asking,
    Answered(u16, Option<&'static str>),
    Body(&'static [u8]),
    Ended,
    Lost,
    Later(u64),
    Timeout,
}

const AFTER: &[&str] = &["0", "7", "18446744073709551615", "99999999999999999999", "x"];
const BODIES: &[&[u8]] = &[
    b"id: 9f.1\n\n",
    b"id: 9f.1\ndata: x\n\n",
    b"id: 9f.2\ndata: y\n\nid: 9f.3\ndata: z\n\n",
    b"id: 9f.18446744073709551615\ndata: x\n\n",
    b"event: feed-reset\nid: a0.4\ndata: {\"asked\":\"9f.1\",\"oldest\":\"a0.4\",\"head\":\"a0.9\"}\n\n",
    b"event: feed-reset\nid: a0.4\ndata: \"asked\":\"\n\n",
    b"event: feed-snapshot\nid: a0.5\ndata: all\n\n",
    b"id: 4\ndata: x\n\n",
    b"<html>",
];

fn doing() -> impl Strategy<Value = Doing> {
    let code = prop_oneof![5 => Just(200), 2 => Just(304), 2 => 500..505_u16, 1 => 100..600_u16];
    prop_oneof![
        4 => Just(Doing::Asking),
        4 => (code, prop::option::of(prop::sample::select(AFTER))).prop_map(|(code, after)| Doing::Answered(code, after)),
        4 => prop::sample::select(BODIES).prop_map(Doing::Body),
        3 => Just(Doing::Ended),
        1 => Just(Doing::Lost),
        1 => (0..100_000_u64).prop_map(Doing::Later),
        3 => Just(Doing::Timeout),
    ]
}

proptest! {
    /// Whatever is done in whatever order, it has something to wait for, asks not too often, and each update comes once.
    #[test]
    fn no_order_of_calls_makes_a_busy_loop_or_a_dead_end(
        mode in prop::sample::select(&[Mode::Short, Mode::Long][..]),
        doing in prop::collection::vec(doing(), 0..120),
    ) {
        let (mut pull, mut now, mut requests) = (Pull::new(pull::Config { mode, ..pull::Config::new() }, Start::Oldest, 1, MOST), 0, 0);
        let mut place: Option<Cursor> = None;
        for doing in doing {
            let before = pull.state();
            match doing {
                Doing::Asking => pull.asking(at(now)),
                Doing::Answered(code, after) => {
                    pull.answered(at(now), &Head { retry_after: after.map(str::as_bytes), ..status(code) });
                }
                Doing::Body(body) => {
                    let mut body = body.to_vec();
                    let mut rx = Rx::new(&mut body);
                    while let Some(update) = pull.poll(at(now), &mut rx) {
                        match update {
                            Update::Event { cursor, .. } => {
                                prop_assert!(place.is_none_or(|place| Some(cursor.seq) == place.seq.checked_add(1)));
                                place = Some(cursor);
                            }
                            Update::Snapshot { cursor: to, .. } | Update::Reset { oldest: to, .. } => place = Some(to),
                            update => panic!("{update:?}"),
                        }
                    }
                }
                Doing::Ended => pull.ended(at(now)),
                Doing::Lost => pull.lost(at(now)),
                Doing::Later(millis) => now += millis,
                Doing::Timeout => {
                    let due = pull.poll_timeout().map_or(now, |due| due.as_nanos().div_ceil(1_000_000));
                    now = now.max(due);
                    pull.handle_timeout(at(now));
                }
            }
            let state = pull.state();
            requests += u64::from(before == pull::State::Ask && state == pull::State::Asking);
            prop_assert!(before != pull::State::Closed || state == pull::State::Closed);
            match (state, pull.poll_timeout()) {
                (pull::State::Closed | pull::State::Ask, due) => prop_assert_eq!(due, None),
                (_, due) => prop_assert!(due.is_some_and(|due| due <= at(now + 3600 * 1500)), "{:?} {:?}", state, due),
            }
            // A burst of 20, and then one in 200 ms.
            prop_assert!(requests <= 20 + now / 200, "{} in {} ms", requests, now);
        }
    }
}
