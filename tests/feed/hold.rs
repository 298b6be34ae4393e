//! The server's side of polls.

use std::cell::Cell;
use std::time::Duration;

use hopwire::feed::hold::{self, Answer, Key, Overlap, Reply};
use hopwire::feed::{Ask, Cursor, History, Hold, Log, Start, Tail, log};
use hopwire::http::Status;
use hopwire::time::Instant;

type Token = u32;

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn log(entries: u32) -> Log {
    let mut log = Log::new(log::Config::default(), 0x9f);
    for n in 1..=entries {
        log.publish(Instant::ZERO, "", &n.to_string()).unwrap();
    }
    log
}

fn config(change: impl FnOnce(&mut hold::Config)) -> hold::Config {
    let mut config = hold::Config::new();
    change(&mut config);
    config
}

fn ask<'h>(hold: &'h mut Hold<Token>, query: &str, token: Token, log: &Log, now: Instant) -> Answer<'h, Token> {
    let ask = Ask::parse(query.as_bytes()).unwrap();
    hold.ask(now, &ask, token, log, &mut |bytes: &mut [u8]| bytes.fill(0))
}

fn park(hold: &mut Hold<Token>, query: &str, token: Token, log: &Log, now: Instant) -> Key {
    match ask(hold, query, token, log, now) {
        Answer::Parked(key) => key,
        Answer::Reply(reply) => panic!("{reply:?}"),
    }
}

fn reply<'h>(hold: &'h mut Hold<Token>, query: &str, token: Token, log: &Log) -> Reply<'h, Token> {
    match ask(hold, query, token, log, at(0)) {
        Answer::Reply(reply) => reply,
        Answer::Parked(_) => panic!("parked"),
    }
}

#[test]
fn what_is_there_is_answered_at_once_in_bounded_answers() {
    let log = log(5);
    let mut hold = Hold::new(config(|it| it.max_entries = 2));
    let first = reply(&mut hold, "wait=25", 1, &log);
    assert_eq!((first.token, first.status), (1, Status::OK));
    assert_eq!(first.body, b"id: 9f.1\ndata: 1\n\nid: 9f.2\ndata: 2\n\n");
    assert_eq!(first.cursor.unwrap().to_string(), "9f.2");
    let mut hold = Hold::new(config(|it| it.max_bytes = 40));
    assert_eq!(reply(&mut hold, "cursor=9f.2", 1, &log).body, b"id: 9f.3\ndata: 3\n\nid: 9f.4\ndata: 4\n\n");
    let mut hold = Hold::new(config(|it| it.max_bytes = 1));
    assert_eq!(reply(&mut hold, "cursor=9f.2", 1, &log).body, b"id: 9f.3\ndata: 3\n\n", "one entry is always sent");
    let mut hold = Hold::new(config(|it| it.max_entries = 0));
    for _ in 0..2 {
        assert_eq!(reply(&mut hold, "cursor=9f.2", 1, &log).body, b"id: 9f.3\ndata: 3\n\n");
        hold.release();
    }
    // An empty answer says where it ends, too.
    assert_eq!(reply(&mut hold, "cursor=9f.5&wait=0", 1, &log).body, b"id: 9f.5\n\n");
    assert_eq!(reply(&mut hold, "cursor=now&wait=25", 1, &log).body, b"id: 9f.5\n\n");
}

#[test]
fn a_publish_between_an_answer_and_the_next_poll_is_not_lost() {
    let mut log = log(1);
    let mut hold = Hold::new(hold::Config::default());
    park(&mut hold, "cursor=9f.1", 1, &log, at(0));
    log.publish(at(0), "", "2").unwrap();
    assert_eq!(hold.poll(at(0), &log).unwrap().body, b"id: 9f.2\ndata: 2\n\n");
    log.publish(at(0), "", "3").unwrap(); // nobody waits
    assert_eq!(reply(&mut hold, "cursor=9f.2", 2, &log).body, b"id: 9f.3\ndata: 3\n\n");
    // The answer got lost: the same poll, the same answer. A proxy that repeats a GET takes nothing away.
    assert_eq!(reply(&mut hold, "cursor=9f.2", 3, &log).body, b"id: 9f.3\ndata: 3\n\n");
}

/// A log that counts how often a block is taken from it.
struct Counting {
    log: Log,
    blocks: Cell<u64>,
}

impl History for Counting {
    fn epoch(&self) -> u64 {
        self.log.epoch()
    }

    fn oldest(&self) -> u64 {
        self.log.oldest()
    }

    fn head(&self) -> u64 {
        self.log.head()
    }

    fn block(&self, seq: u64) -> Option<&[u8]> {
        self.blocks.set(self.blocks.get() + 1);
        self.log.block(seq)
    }

    fn snapshot(&self) -> Option<(u64, &[u8])> {
        self.log.snapshot()
    }

    fn is_closed(&self) -> bool {
        self.log.is_closed()
    }
}

#[test]
fn ten_thousand_polls_are_woken_in_bounded_turns_and_the_answer_is_made_once() {
    let mut log = log(1);
    let mut hold = Hold::new(hold::Config::default());
    for n in 0..10_000 {
        park(&mut hold, &format!("cursor=9f.1&client={:x}", n + 1), n, &log, at(0));
    }
    assert_eq!((hold.len(), hold.has_news(&log)), (10_000, false));
    let refused = reply(&mut hold, "cursor=9f.1", 10_000, &log);
    assert_eq!((refused.status, refused.retry_after), (Status::SERVICE_UNAVAILABLE, Some(Duration::from_secs(5))));
    log.publish(at(1), "", "2").unwrap();
    let history = Counting { log, blocks: Cell::new(0) };
    let mut woken = 0;
    for turn in 0..100 {
        for _ in 0..100 {
            let reply = hold.poll(at(1), &history).unwrap();
            assert_eq!((reply.token, reply.body), (woken, &b"id: 9f.2\ndata: 2\n\n"[..]));
            woken += 1;
        }
        assert_eq!(hold.has_news(&history), turn < 99);
    }
    assert_eq!((hold.len(), history.blocks.get()), (0, 1));
    assert!(hold.poll(at(1), &history).is_none());
}

#[test]
fn who_parks_after_a_publish_waits_behind_those_who_have_news() {
    let mut log = log(1);
    let mut hold = Hold::new(hold::Config::default());
    park(&mut hold, "cursor=9f.1", 1, &log, at(0));
    log.publish(at(0), "", "2").unwrap();
    park(&mut hold, "cursor=9f.2", 2, &log, at(0));
    assert_eq!(hold.poll(at(0), &log).unwrap().token, 1);
    assert!(hold.poll(at(0), &log).is_none());
    log.publish(at(0), "", "3").unwrap();
    assert_eq!(hold.poll(at(0), &log).unwrap().body, b"id: 9f.3\ndata: 3\n\n");
}

#[test]
fn time_runs_out_at_its_time_and_never_before() {
    let log = log(1);
    let mut hold = Hold::new(hold::Config::default());
    for (token, wait) in [(1, "wait=30"), (2, "wait=1"), (3, "wait=9999"), (4, "x")] {
        park(&mut hold, &format!("cursor=9f.1&{wait}"), token, &log, at(100));
    }
    let mut ended = Vec::new();
    for millis in (0..70_000).step_by(10) {
        let due = hold.poll_timeout().is_some_and(|due| due <= at(millis));
        let reply = hold.poll(at(millis), &log).map(|reply| {
            assert_eq!((reply.status, reply.body), (Status::OK, &b"id: 9f.1\n\n"[..]));
            reply.token
        });
        assert_eq!(due, reply.is_some(), "{millis}");
        ended.extend(reply.map(|token| (token, millis)));
    }
    // To the quarter of a second; 25 s by default, at most 55 s.
    assert_eq!(ended, [(2, 1250), (4, 25_250), (1, 30_250), (3, 55_250)]);
    // Jitter shortens: a guard of hold + 10 s never fires first.
    let ask = Ask::parse(b"cursor=9f.1&wait=40").unwrap();
    let _ = hold.ask(at(0), &ask, 1, &log, &mut |bytes: &mut [u8]| bytes.fill(255));
    assert_eq!(hold.poll_timeout(), Some(at(35_250)));
    // Longer than once around the clock that finds them.
    let mut hold = Hold::new(config(|it| it.max_hold = Duration::from_secs(1000)));
    for wait in [64, 200] {
        park(&mut hold, &format!("cursor=9f.1&wait={wait}"), 1, &log, at(0));
    }
    let times: Vec<_> = (0..300_000).step_by(250).filter(|&millis| hold.poll(at(millis), &log).is_some()).collect();
    assert_eq!(times, [64_000, 200_000]);
    // For ever is not at once.
    let mut endless = Hold::new(config(|it| it.max_hold = Duration::MAX));
    park(&mut endless, "cursor=9f.1&wait=18446744073709551615", 1, &log, at(0));
    assert!((0..300_000).step_by(250).all(|millis| endless.poll(at(millis), &log).is_none()));
    // Nobody looked for a long time.
    park(&mut hold, "cursor=9f.1&wait=1", 1, &log, at(300_000));
    assert!(hold.poll(at(90_000_000), &log).is_some());
}

#[test]
fn an_aborted_poll_is_gone_and_consumes_nothing() {
    let mut log = log(1);
    let mut hold = Hold::new(hold::Config::default());
    let keys: Vec<_> = (0..100).map(|n| park(&mut hold, "cursor=9f.1&client=7", n, &log, at(0))).collect();
    // All but the last were overtaken by the next of the same client: their time has come.
    while let Some(reply) = hold.poll(at(0), &log) {
        assert_eq!(reply.body, b"id: 9f.1\n\n");
    }
    assert_eq!(hold.len(), 1);
    assert!(keys[..99].iter().all(|&key| hold.abort(key).is_none()));
    assert_eq!((hold.abort(keys[99]), hold.abort(keys[99]), hold.len()), (Some(99), None, 0));
    log.publish(at(0), "", "2").unwrap();
    assert!(hold.poll(at(0), &log).is_none());
    assert_eq!(reply(&mut hold, "cursor=9f.1", 1, &log).body, b"id: 9f.2\ndata: 2\n\n");
    // A key says nothing about who has its slot now.
    let newer = park(&mut hold, "cursor=9f.2", 5, &log, at(0));
    assert!(keys.iter().all(|&key| key == newer || hold.abort(key).is_none()));
    hold.abort(newer);
    hold.release();
    let key = park(&mut hold, "cursor=9f.2", 6, &log, at(0));
    assert!(keys.iter().all(|&key| hold.abort(key).is_none()));
    assert_eq!((hold.abort(newer), hold.abort(key)), (None, Some(6)));
}

#[test]
fn a_second_poll_of_a_client_wins_loses_or_is_one_more() {
    let log = log(1);
    for overlap in [Overlap::NewestWins, Overlap::OldestWins, Overlap::Independent] {
        let mut hold = Hold::new(config(|it| it.overlap = overlap));
        park(&mut hold, "cursor=9f.1&client=7", 1, &log, at(0));
        park(&mut hold, "cursor=9f.1&client=8", 9, &log, at(0));
        let second = ask(&mut hold, "cursor=9f.1&client=7", 2, &log, at(0));
        match (overlap, second) {
            (Overlap::OldestWins, Answer::Reply(reply)) => assert_eq!((reply.token, reply.status.code()), (2, 429)),
            (_, Answer::Parked(_)) => {}
            (_, answer) => panic!("{answer:?}"),
        }
        let overtaken = hold.poll(at(0), &log).map(|reply| (reply.token, reply.status, reply.body.to_vec()));
        assert_eq!(overtaken, (overlap == Overlap::NewestWins).then(|| (1, Status::OK, b"id: 9f.1\n\n".to_vec())));
        assert!(hold.poll(at(0), &log).is_none());
        assert_eq!(hold.len(), if overlap == Overlap::Independent { 3 } else { 2 });
    }
}

#[test]
fn a_poll_that_was_overtaken_is_nobodys_however_many_come() {
    let log = log(1);
    let mut hold = Hold::new(hold::Config::default());
    let first = park(&mut hold, "cursor=9f.1", 0, &log, at(0));
    park(&mut hold, "cursor=9f.1&client=7", 1, &log, at(0));
    hold.abort(first);
    park(&mut hold, "cursor=9f.1&client=7", 2, &log, at(0));
    // So many that all are looked for anew.
    for n in 4..100 {
        park(&mut hold, "cursor=9f.1", n, &log, at(0));
    }
    park(&mut hold, "cursor=9f.1&client=7", 3, &log, at(0));
    let overtaken: Vec<_> = std::iter::from_fn(|| hold.poll(at(0), &log).map(|reply| reply.token)).collect();
    assert_eq!(overtaken, [1, 2]);
}

#[test]
fn an_unchanged_short_poll_is_304() {
    let mut log = log(2);
    let mut hold = Hold::new(hold::Config::default());
    let mut status = |log: &Log, query: &str, tags: Option<&[u8]>| {
        let ask = Ask { if_none_match: tags, ..Ask::parse(query.as_bytes()).unwrap() };
        match hold.ask(at(0), &ask, 1, log, &mut |bytes: &mut [u8]| bytes.fill(0)) {
            Answer::Reply(reply) => {
                assert_eq!(reply.body.is_empty(), reply.status == Status::NOT_MODIFIED);
                (reply.status.code(), reply.cursor.unwrap().to_string())
            }
            Answer::Parked(_) => panic!("a poll that is not to be held"),
        }
    };
    let place = |code| (code, "9f.2".to_owned());
    assert_eq!(status(&log, "cursor=oldest&wait=0", None), place(200));
    for tags in [&b"\"9f.2\""[..], b"W/\"9f.2\"", b"\"x\" , \"9f.2\"", b"*"] {
        assert_eq!(status(&log, "cursor=oldest&wait=0", Some(tags)), place(304), "{}", tags.escape_ascii());
        assert_eq!(status(&log, "cursor=9f.2&wait=0", Some(tags)), place(304));
    }
    for tags in [&b"9f.2"[..], b"\"9f.1\"", b"\"9f.2", b""] {
        assert_eq!(status(&log, "cursor=oldest&wait=0", Some(tags)), place(200), "{}", tags.escape_ascii());
    }
    assert_eq!(status(&log, "cursor=oldest&wait=5", Some(b"\"9f.2\"")), place(200), "only if it is not to be held");
    log.publish(at(0), "", "3").unwrap();
    assert_eq!(status(&log, "cursor=oldest&wait=0", Some(b"\"9f.2\"")), (200, "9f.3".to_owned()));
}

#[test]
fn a_closed_log_answers_at_once() {
    let mut log = log(1);
    let mut hold = Hold::new(hold::Config::default());
    park(&mut hold, "cursor=9f.1", 1, &log, at(0));
    log.close();
    assert_eq!(hold.poll(at(0), &log).unwrap().status, Status::NO_CONTENT);
    assert_eq!(reply(&mut hold, "cursor=9f.0", 2, &log).status, Status::OK, "what is there is still to be had");
    assert_eq!(reply(&mut hold, "cursor=9f.1", 3, &log).status, Status::NO_CONTENT);
    // Nor is it unchanged for a short poll: it is over.
    let ask = Ask { if_none_match: Some(b"\"9f.1\""), ..Ask::parse(b"cursor=9f.1&wait=0").unwrap() };
    let answer = hold.ask(at(0), &ask, 4, &log, &mut |bytes: &mut [u8]| bytes.fill(0));
    assert!(matches!(answer, Answer::Reply(reply) if reply.status == Status::NO_CONTENT));
}

#[test]
fn another_epoch_wakes_everybody_with_a_reset() {
    let mut hold = Hold::new(hold::Config::default());
    park(&mut hold, "cursor=9f.3", 1, &log(3), at(0));
    let new = Log::new(log::Config::default(), 0xa0);
    assert!(hold.poll(at(0), &new).unwrap().body.starts_with(b"event: feed-reset\nid: a0.0\n"));
}

/// Nothing was published in between, and yet there is another answer.
#[test]
fn a_snapshot_is_seen_at_once() {
    let mut log = log(2);
    let mut hold = Hold::new(hold::Config::default());
    let entries = b"id: 9f.1\ndata: 1\n\nid: 9f.2\ndata: 2\n\n";
    assert_eq!(reply(&mut hold, "cursor=snapshot&wait=0", 1, &log).body, entries);
    assert!(reply(&mut hold, "cursor=a.1&wait=0", 1, &log).body.ends_with(entries));
    log.set_snapshot("both").unwrap();
    let snapshot = b"event: feed-snapshot\nid: 9f.2\ndata: both\n\n";
    assert!(reply(&mut hold, "cursor=a.1&wait=0", 1, &log).body.ends_with(snapshot));
    assert_eq!(reply(&mut hold, "cursor=snapshot&wait=0", 1, &log).body, snapshot);
    // Of the same place, and as long.
    log.set_snapshot("and!").unwrap();
    let snapshot = b"event: feed-snapshot\nid: 9f.2\ndata: and!\n\n";
    assert_eq!(reply(&mut hold, "cursor=snapshot&wait=0", 1, &log).body, snapshot);
    assert!(reply(&mut hold, "cursor=a.1&wait=0", 1, &log).body.ends_with(snapshot));
    log.set_snapshot("more").unwrap();
    assert!(reply(&mut hold, "cursor=a.1&wait=0", 1, &log).body.ends_with(b"\ndata: more\n\n"));
}

#[test]
fn what_has_become_too_old_is_not_answered_again() {
    let (mut log, mut hold) = (log(2), Hold::new(hold::Config::default()));
    assert_eq!(reply(&mut hold, "wait=0", 1, &log).body, b"id: 9f.1\ndata: 1\n\nid: 9f.2\ndata: 2\n\n");
    log.handle_timeout(log.poll_timeout().unwrap());
    assert_eq!(reply(&mut hold, "wait=0", 2, &log).body, b"id: 9f.2\n\n");
}

#[test]
fn who_is_refused_for_want_of_room_has_lost_nothing() {
    let log = log(1);
    let mut hold = Hold::new(config(|it| it.max_parked = 1));
    let key = park(&mut hold, "cursor=9f.1&client=7", 1, &log, at(0));
    assert_eq!(reply(&mut hold, "cursor=9f.1&client=7", 2, &log).status, Status::SERVICE_UNAVAILABLE);
    assert!(hold.poll(at(0), &log).is_none());
    assert_eq!(hold.abort(key), Some(1), "the first still waits");
}

/// A poll that waits, as somebody sees it who keeps a list.
struct Waiting {
    token: Token,
    key: Key,
    cursor: Cursor,
    client: u64,
    until: u64,
}

/// What is to be answered, put together anew.
fn naive(start: Start, log: &Log, config: hold::Config) -> Vec<u8> {
    let (mut tail, mut body) = (Tail::new(start), Vec::new());
    for _ in 0..config.max_entries {
        let Some(next) = tail.peek(log) else { break };
        if !body.is_empty() && body.len() + next.block().len() > config.max_bytes {
            break;
        }
        body.extend_from_slice(next.block());
        tail = next.tail();
    }
    if body.is_empty() { format!("id: {}\n\n", log.cursor()).into_bytes() } else { body }
}

/// Whatever the order of arrivals, news, snapshots, restarts, ends and aborts: every poll is answered once or aborted, for a reason, in
/// time, and with what somebody would answer who remembers no answer.
#[test]
fn every_poll_ends_once() {
    let config = config(|it| (it.max_parked, it.max_entries, it.max_bytes) = (200, 3, 100));
    let (mut log, mut hold, mut random) = (log(1), Hold::new(config), 1_u64);
    let mut next = |n: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % n
    };
    let (mut waiting, mut now, mut ended) = (Vec::<Waiting>::new(), 0, [0; 3]);
    for token in 0..20_000 {
        now += if next(1000) == 0 { 100_000 } else { next(50) };
        let start = match next(10) {
            0 => Start::Oldest,
            1 => Start::Snapshot,
            2 => Start::After(Cursor { epoch: log.epoch() - next(2), seq: next(log.head() + 2) }),
            _ => Start::After(log.cursor()),
        };
        let (wait, client) = (next(60), next(300));
        match ask(&mut hold, &format!("cursor={start}&wait={wait}&client={client:x}"), token, &log, at(now)) {
            Answer::Parked(key) => {
                let overtaken = waiting.iter_mut().filter(|it| client != 0 && it.client == client);
                overtaken.for_each(|it| (it.until, it.client) = (now, 0));
                let until = now + wait.min(55) * 1000;
                waiting.push(Waiting { token, key, cursor: log.cursor(), client, until });
            }
            Answer::Reply(reply) if reply.status == Status::OK => assert_eq!(reply.body, naive(start, &log, config)),
            Answer::Reply(reply) => assert!(reply.status.code() == 503 && waiting.len() == 200),
        }
        match next(400) {
            0..4 => _ = log.publish(at(now), "", &format!("{token}")).unwrap(),
            4..8 => log.set_snapshot(&format!("all up to {token}")).unwrap(),
            8 => log = Log::new(log::Config::default(), log.epoch() + 1),
            9..80 if !waiting.is_empty() => {
                let gone = waiting.swap_remove(usize::try_from(next(waiting.len() as u64)).unwrap());
                assert_eq!((hold.abort(gone.key), hold.abort(gone.key)), (Some(gone.token), None));
                ended[0] += 1;
            }
            _ => {}
        }
        for _ in 0..next(4) * 100 {
            let Some(reply) = hold.poll(at(now), &log) else {
                let in_vain = |it: &Waiting| it.cursor == log.cursor() && now < it.until + 250;
                assert!(waiting.iter().all(in_vain), "all who have news, or whose time has come, are answered");
                break;
            };
            let place = waiting.iter().position(|it| it.token == reply.token).expect("it waited");
            let Waiting { cursor, until, .. } = waiting.swap_remove(place);
            let has_news = cursor != log.cursor();
            assert!(has_news || until <= now, "nobody is answered without a reason");
            assert_eq!(reply.body, naive(Start::After(cursor), &log, config));
            ended[1 + usize::from(has_news)] += 1;
        }
        assert!(hold.len() == waiting.len() && hold.len() <= 200);
    }
    assert!(ended.iter().all(|&ended| ended > 500), "{ended:?}");
    while let Some(reply) = hold.poll(at(now + 100_000), &log) {
        waiting.retain(|it| it.token != reply.token);
    }
    assert!(waiting.is_empty() && hold.is_empty() && hold.poll_timeout().is_none());
}
