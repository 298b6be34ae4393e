//! What parked polls and a history cost in memory, in live bytes of the heap.
#![cfg(feature = "alloc")]
#![expect(unsafe_code, reason = "an allocator that counts is one; the library itself forbids unsafe code")]
#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use hopwire::feed::hold::{self, Answer};
use hopwire::feed::{Ask, Hold, Log, log};
use hopwire::time::Instant;

/// Counts what the current thread holds of the system's allocator's memory.
struct Counting;

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
}

fn change(more: usize, less: usize) {
    // Past the end of a thread nobody counts any more.
    let _ = LIVE.try_with(|live| live.set(live.get().wrapping_add(more).wrapping_sub(less)));
}

// SAFETY: every call is handed to `System` as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        change(layout.size(), 0);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        change(0, layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        change(size, layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn ten_thousand_parked_polls_cost_a_megabyte_and_give_it_back() {
    let log = Log::new(log::Config::default(), 1);
    let mut hold = Hold::new(hold::Config::default());
    let before = LIVE.get();
    // Parked polls that end and come again cost nothing more.
    for round in 0..3 {
        let now = Instant::from_millis(round * 60_000);
        for n in 1..=10_000_u64 {
            let ask = Ask { client: Some(n), ..Ask::parse(b"cursor=1.0").expect("a good query") };
            // Any number that does not repeat soon.
            let mut entropy = |bytes: &mut [u8]| bytes.fill(n.wrapping_mul(151).to_le_bytes()[0]);
            let answer = hold.ask(now, &ask, n, &log, &mut entropy);
            assert!(matches!(answer, Answer::Parked(_)));
        }
        let cost = LIVE.get() - before;
        assert!(cost <= 1 << 20, "{cost}");
        assert!(cost / 10_000 <= 104, "bytes for each poll: {}", cost / 10_000);
        for n in 0..10_000 {
            let reply = hold.poll(Instant::from_millis((round + 1) * 60_000), &log).expect("all of them have ended");
            assert_eq!(reply.body, b"id: 1.0\n\n", "{n}");
        }
        let emptied = LIVE.get() - before;
        assert!(emptied <= cost + 100, "{emptied}");
    }
    hold.release();
    assert_eq!(LIVE.get(), before);
}

#[test]
fn a_thousand_entries_cost_their_blocks_and_32_bytes_each() {
    let before = LIVE.get();
    let mut log = Log::new(log::Config::default(), 0x9f3a_77c1_0b52_e4d8);
    for n in 0..5000 {
        log.publish(Instant::from_millis(n), "", &"x".repeat(100)).expect("a good event");
    }
    assert_eq!((log.len(), log.bytes()), (1000, 1000 * (4 + 21 + 1 + 106 + 1 + 1)));
    let cost = LIVE.get() - before;
    assert!(cost <= log.bytes() + 32 * 1024, "{cost}");
    drop(log);
    assert_eq!(LIVE.get(), before);
}

/// Publishing costs one block, whoever waits; answering all of them costs one body.
#[test]
fn a_publish_to_all_costs_one_block_and_one_body() {
    let mut log = Log::new(log::Config::default(), 1);
    let mut hold = Hold::new(hold::Config::default());
    for n in 0..10_000_u64 {
        let ask = Ask::parse(b"cursor=1.0").expect("a good query");
        let answer = hold.ask(Instant::ZERO, &ask, n, &log, &mut |bytes: &mut [u8]| bytes.fill(0));
        assert!(matches!(answer, Answer::Parked(_)));
    }
    let before = LIVE.get();
    log.publish(Instant::ZERO, "", &"x".repeat(1000)).expect("a good event");
    let mut bodies = std::collections::BTreeSet::new();
    let mut answered = 0;
    while let Some(reply) = hold.poll(Instant::ZERO, &log) {
        bodies.insert(reply.body.as_ptr());
        answered += 1;
    }
    assert_eq!((answered, bodies.len()), (10_000, 1));
    let cost = LIVE.get() - before - bodies.len() * 200;
    assert!(cost < 4000, "{cost}");
}
