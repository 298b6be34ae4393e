//! The bounds of a history, and what a reader is told at them.

use std::time::Duration;

use hopwire::feed::{Cursor, History, Log, Misuse, RESET, Start, Tail, log};
use hopwire::time::Instant;

fn config(max_count: usize, max_bytes: usize, max_age: Option<u64>) -> log::Config {
    log::Config { max_count, max_bytes, max_age: max_age.map(Duration::from_secs) }
}

fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1000)
}

/// All that a reader gets who begins here.
fn read(log: &Log, start: Start) -> String {
    let (mut tail, mut all) = (Tail::new(start), Vec::new());
    while let Some(next) = tail.peek(log) {
        all.extend_from_slice(next.block());
        tail = next.tail();
    }
    assert_eq!(tail.start(), Start::After(log.cursor()));
    String::from_utf8(all).unwrap()
}

#[test]
fn a_flood_stays_within_count_bytes_and_age() {
    // Each of the three is the one that counts in some of these; an update comes each millisecond.
    for (count, bytes, age) in
        [(10, 1 << 20, 2), (1000, 500, 2), (1, 100, 2), (3, 64, 2), (5000, 1 << 20, 2), (5000, 1 << 20, 1)]
    {
        let mut log = Log::new(config(count, bytes, Some(age)), 1);
        let (age, mut reached) = (usize::try_from(age).unwrap() * 1000, [false; 3]);
        for n in 0..5000_u64 {
            let before = log.bytes();
            let cursor =
                log.publish(Instant::from_millis(n), "", &"x".repeat(usize::try_from(n % 40).unwrap())).unwrap();
            assert_eq!(cursor, Cursor { epoch: 1, seq: n + 1 });
            // What was published in the last seconds, one a millisecond, and no more.
            assert!((1..=count.min(age)).contains(&log.len()) && log.bytes() <= bytes);
            assert!(log.poll_timeout().is_some_and(|at| at > Instant::from_millis(n)));
            let added = log.block(log.head()).unwrap().len();
            for (reached, now) in reached.iter_mut().zip([log.len() == count, before + added > bytes, log.len() == age])
            {
                *reached |= now;
            }
            let blocks: usize = (log.oldest()..=log.head()).map(|seq| log.block(seq).unwrap().len()).sum();
            assert_eq!((blocks, log.head() - log.oldest() + 1), (log.bytes(), log.len() as u64));
            assert_eq!((log.block(log.oldest() - 1), log.block(log.head() + 1)), (None, None));
        }
        assert!(reached.contains(&true), "{count} {bytes} {age}");
        let ends = |millis: usize| Instant::from_millis(u64::try_from(millis + age).unwrap());
        log.handle_timeout(ends(4998));
        assert_eq!(log.len(), 1, "the newest is too old a millisecond later");
        assert_eq!(log.poll_timeout(), Some(ends(4999)));
        log.handle_timeout(ends(4999));
        assert!(log.is_empty() && log.bytes() == 0 && log.poll_timeout().is_none());
        assert_eq!((log.oldest(), log.head()), (5001, 5000));
    }
}

#[test]
fn a_place_that_is_not_known_is_a_reset_and_never_a_hole() {
    let mut log = Log::new(config(2, 1 << 20, None), 0x9f);
    for n in 1..=4 {
        log.publish(at(n), "", &n.to_string()).unwrap();
    }
    let rest = "id: 9f.3\ndata: 3\n\nid: 9f.4\ndata: 4\n\n";
    let reset = |asked: &str| {
        format!(
            "event: {RESET}\nid: 9f.2\ndata: {{\"asked\":\"{asked}\",\"oldest\":\"9f.2\",\"head\":\"9f.4\"}}\n\n{rest}"
        )
    };
    assert_eq!(read(&log, Start::Oldest), rest);
    assert_eq!(read(&log, Start::resume(b"9f.2")), rest);
    assert_eq!(read(&log, Start::resume(b"9f.4")), "");
    assert_eq!(read(&log, Start::Now), "id: 9f.4\n\n");
    // Expired, of the future, of another epoch, of another server.
    for asked in ["9f.0", "9f.1", "9f.5", "9f.18446744073709551615", "9e.3", "9e.4"] {
        assert_eq!(read(&log, Start::resume(asked.as_bytes())), reset(asked));
    }
    assert_eq!(read(&log, Start::resume(b"4711")), reset("0.0"));
    let bytes = log.bytes();
    log.set_snapshot("all").unwrap();
    assert_eq!(log.bytes(), bytes, "without the snapshot");
    log.publish(at(5), "", "5").unwrap();
    let snapshot = "event: feed-snapshot\nid: 9f.4\ndata: all\n\nid: 9f.5\ndata: 5\n\n";
    assert_eq!(read(&log, Start::Snapshot), snapshot);
    assert!(read(&log, Start::resume(b"9e.1")).ends_with(snapshot));
    log.publish(at(6), "", "6").unwrap();
    assert!(log.snapshot().is_some());
    // It says what the entries said that are gone, to the last of them.
    let rest = "id: 9f.5\ndata: 5\n\nid: 9f.6\ndata: 6\n\n";
    assert!(read(&log, Start::resume(b"9f.3")).ends_with(&format!("id: 9f.4\ndata: all\n\n{rest}")));
    log.publish(at(7), "", "7").unwrap();
    assert!(log.snapshot().is_none(), "what follows it is gone");
}

#[test]
fn a_history_is_taken_up_again_with_or_without_its_entries() {
    let mut log = Log::resume(log::Config::default(), Cursor { epoch: 7, seq: 41 });
    assert_eq!(read(&log, Start::resume(b"7.41")), "");
    assert!(read(&log, Start::resume(b"7.40")).starts_with("event: feed-reset\nid: 7.41\n"));
    assert_eq!(log.publish(at(0), "", ""), Ok(Cursor { epoch: 7, seq: 42 }));
    assert_eq!(read(&log, Start::resume(b"7.41")), "id: 7.42\ndata: \n\n");
    assert_eq!(Log::new(log::Config::default(), 0).epoch(), 1);
    // Something else than what was saved.
    let mut log = Log::resume(log::Config::default(), Cursor { epoch: 7, seq: u64::MAX });
    assert_eq!((log.oldest(), log.head()), ((1 << 63) + 1, 1 << 63));
    log.set_snapshot("").unwrap();
    assert_eq!(log.publish(at(0), "", ""), Ok(Cursor { epoch: 7, seq: (1 << 63) + 1 }));
    assert!(
        read(&log, Start::resume(b"7.18446744073709551615"))
            .starts_with("event: feed-reset\nid: 7.9223372036854775808\n")
    );
}

#[test]
fn what_cannot_be_published_is_refused_and_changes_nothing() {
    let mut log = Log::new(config(10, 40, None), 1);
    log.publish(at(0), "a", "b").unwrap();
    for (event, data, misuse) in [
        ("a\nb", "", Misuse::Event(hopwire::sse::Misuse::LineEnd)),
        (RESET, "", Misuse::Reserved),
        ("feed-snapshot", "", Misuse::Reserved),
        ("", &"x".repeat(40)[..], Misuse::TooLong),
    ] {
        assert_eq!(log.publish(at(0), event, data), Err(misuse));
    }
    assert_eq!(log.set_snapshot(&"x".repeat(40)), Err(Misuse::TooLong));
    // What just fits is kept.
    let mut exact = Log::new(config(10, 17, None), 1);
    assert_eq!(exact.publish(at(0), "", "xx"), Err(Misuse::TooLong));
    exact.publish(at(0), "", "x").unwrap();
    assert_eq!(read(&exact, Start::Oldest), "id: 1.1\ndata: x\n\n");
    log.close();
    assert_eq!(log.publish(at(0), "", ""), Err(Misuse::Closed));
    assert_eq!(read(&log, Start::Oldest), "event: a\nid: 1.1\ndata: b\n\n");
}

/// An engine that loses entries between two looks, though not what it says it has: the reader is told, and comes to the end.
#[test]
fn an_entry_that_is_gone_after_all_is_a_reset() {
    struct Forgetful {
        snapshot: Option<u64>,
    }
    impl History for Forgetful {
        fn epoch(&self) -> u64 {
            1
        }
        fn oldest(&self) -> u64 {
            1
        }
        fn head(&self) -> u64 {
            9
        }
        fn block(&self, seq: u64) -> Option<&[u8]> {
            (seq == 8).then_some(b"id: 1.8\ndata: kept\n\n")
        }
        fn snapshot(&self) -> Option<(u64, &[u8])> {
            self.snapshot.map(|seq| (seq, &b"event: feed-snapshot\n\n"[..]))
        }
    }
    for snapshot in [None, Some(0), Some(3), Some(6), Some(9)] {
        let history = Forgetful { snapshot };
        for start in [Start::resume(b"1.4"), Start::resume(b"2.1"), Start::Oldest, Start::Snapshot] {
            let (mut tail, mut read) = (Tail::new(start), Vec::new());
            while let Some(next) = tail.peek(&history) {
                read.push(String::from_utf8(next.block().to_vec()).unwrap());
                tail = next.tail();
                assert!(read.len() <= 12, "{start:?} {read:?}");
            }
            assert_eq!(tail.start(), Start::After(history.cursor()));
            let is_in_snapshot = snapshot == Some(9);
            assert!(is_in_snapshot || read.contains(&"id: 1.8\ndata: kept\n\n".to_owned()), "{start:?} {read:?}");
            if start == Start::resume(b"1.4") {
                assert!(read[0].starts_with("event: feed-reset\nid: 1.5\n"), "{}", read[0]);
            }
        }
    }
}
