//! Where polls wait: one slot each, in three lists at once, so that each of parking, waking, timing out and aborting is a
//! few steps however many wait.

use alloc::vec;
use alloc::vec::Vec;

use super::Cursor;
use crate::Entropy;
use crate::time::Instant;

/// Slots, and who waits in them: in the order they came, by when their time comes, by their client.
#[derive(Debug)]
pub(super) struct Parking<T> {
    slots: Vec<Slot<T>>,
    free: u32,
    len: usize,
    generation: u32,
    /// All, the longest waiting first.
    queue: List,
    /// All, by the tick that their time comes in.
    wheel: Vec<List>,
    /// No bucket before this tick holds anybody.
    tick: u64,
    /// The first of each chain of clients.
    clients: Vec<u32>,
    /// What clients cannot know, so that they cannot choose to share a chain.
    salt: u64,
}

/// A poll that waits.
#[derive(Debug)]
pub(super) struct Parked<T> {
    pub(super) token: T,
    pub(super) cursor: Cursor,
    /// 0: nobody in particular.
    pub(super) client: u64,
}

/// A parked poll, for as long as it is parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    slot: u32,
    generation: u32,
}

#[derive(Debug)]
struct Slot<T> {
    parked: Option<Parked<T>>,
    until: Instant,
    generation: u32,
    bucket: u32,
    queue: Link,
    wheel: Link,
    /// The next of the same chain of clients, or the next free slot.
    chain: u32,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    prev: u32,
    next: u32,
}

#[derive(Clone, Copy, Debug)]
struct List {
    first: u32,
    last: u32,
}

impl<T> Parking<T> {
    pub(super) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: NONE,
            len: 0,
            generation: 0,
            queue: List::EMPTY,
            wheel: Vec::new(),
            tick: 0,
            clients: Vec::new(),
            salt: 0,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The cursor of who waits longest.
    pub(super) fn first(&self) -> Option<Cursor> {
        Some(self.slots.get(index(self.queue.first))?.parked.as_ref()?.cursor)
    }

    pub(super) fn park(&mut self, parked: Parked<T>, until: Instant, now: Instant, entropy: &mut impl Entropy) -> Key {
        if self.len == 0 {
            self.tick = tick_of(now);
            self.wheel.resize(BUCKETS, List::EMPTY);
        }
        let at = self.claim(entropy);
        self.len += 1;
        self.generation = self.generation.wrapping_add(1);
        let key = Key { slot: at, generation: self.generation };
        let client = parked.client;
        let slot = &mut self.slots[index(at)];
        (slot.generation, slot.until, slot.parked) = (key.generation, until, Some(parked));
        self.queue.push(at, &mut self.slots, |slot| &mut slot.queue);
        self.enter_wheel(at);
        if client != 0 {
            let chain = self.chain_of(client);
            self.slots[index(at)].chain = self.clients[chain];
            self.clients[chain] = at;
        }
        key
    }

    /// Takes who waits longest.
    pub(super) fn take_first(&mut self) -> Option<Parked<T>> {
        self.take(self.queue.first)
    }

    /// Takes somebody whose time has come.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Parked<T>> {
        if self.len == 0 {
            return None;
        }
        // Full ticks only: nobody is early.
        let due = now.as_nanos() / TICK;
        self.tick = self.tick.max(due.saturating_sub(BUCKETS as u64 - 1));
        while self.tick <= due {
            step();
            let at = self.wheel[bucket_of(self.tick)].first;
            let Some(slot) = self.slots.get(index(at)) else {
                self.tick += 1;
                continue;
            };
            if tick_of(slot.until) <= due {
                return self.take(at);
            }
            // Longer than once around the wheel.
            self.leave_wheel(at);
            self.enter_wheel(at);
        }
        None
    }

    pub(super) fn abort(&mut self, key: Key) -> Option<Parked<T>> {
        let slot = self.slots.get(index(key.slot))?;
        if slot.generation != key.generation {
            return None;
        }
        self.take(key.slot)
    }

    /// The poll of this client.
    pub(super) fn of_client(&self, client: u64) -> Option<Key> {
        let mut at = *self.clients.get(self.chain_of(client))?;
        while let Some(slot) = self.slots.get(index(at)) {
            step();
            if slot.parked.as_ref().is_some_and(|parked| parked.client == client) {
                return Some(Key { slot: at, generation: slot.generation });
            }
            at = slot.chain;
        }
        None
    }

    /// Its time has come, and it is nobody's any more.
    pub(super) fn hurry(&mut self, key: Key) {
        self.leave_chain(key.slot);
        self.leave_wheel(key.slot);
        let slot = &mut self.slots[index(key.slot)];
        slot.until = Instant::ZERO;
        if let Some(parked) = &mut slot.parked {
            parked.client = 0;
        }
        self.enter_wheel(key.slot);
    }

    /// When the next one's time comes.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let mut ticks = self.tick..self.tick + BUCKETS as u64;
        let tick = ticks.find(|&tick| self.wheel.get(bucket_of(tick)).is_some_and(|list| list.first != NONE))?;
        Some(Instant::from_nanos(tick.saturating_mul(TICK)))
    }

    /// Gives the memory back, if nobody waits.
    pub(super) fn release(&mut self) {
        if self.len == 0 {
            *self = Self { generation: self.generation, ..Self::new() };
        }
    }

    fn take(&mut self, at: u32) -> Option<Parked<T>> {
        self.slots.get(index(at))?.parked.as_ref()?;
        self.leave_chain(at);
        self.leave_wheel(at);
        self.queue.remove(at, &mut self.slots, |slot| &mut slot.queue);
        self.len -= 1;
        let slot = &mut self.slots[index(at)];
        slot.chain = self.free;
        self.free = at;
        slot.parked.take()
    }

    /// A free slot. All grow by a quarter at a time: what is not used costs little.
    fn claim(&mut self, entropy: &mut impl Entropy) -> u32 {
        if let Some(slot) = self.slots.get(index(self.free)) {
            return core::mem::replace(&mut self.free, slot.chain);
        }
        let len = self.slots.len();
        if len == self.slots.capacity() {
            self.slots.reserve_exact(len / 4 + 16);
        }
        if len >= self.clients.len() {
            self.rehash(entropy);
        }
        self.slots.push(Slot {
            parked: None,
            until: Instant::ZERO,
            generation: 0,
            bucket: 0,
            queue: Link::NONE,
            wheel: Link::NONE,
            chain: NONE,
        });
        u32::try_from(len).unwrap_or(NONE)
    }

    /// Twice as many chains, for twice as many clients.
    fn rehash(&mut self, entropy: &mut impl Entropy) {
        let mut salt = [0; 8];
        entropy.fill(&mut salt);
        self.salt = u64::from_le_bytes(salt);
        self.clients = vec![NONE; (self.clients.len() * 2).max(64)];
        for at in 0..self.slots.len() {
            step();
            let client = self.slots[at].parked.as_ref().map_or(0, |parked| parked.client);
            if client != 0 {
                let chain = self.chain_of(client);
                self.slots[at].chain = self.clients[chain];
                self.clients[chain] = u32::try_from(at).unwrap_or(NONE);
            }
        }
    }

    /// SplitMix64's mixing.
    fn chain_of(&self, client: u64) -> usize {
        let mut mixed = client ^ self.salt;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % (self.clients.len() as u64).max(1)).unwrap_or(0)
    }

    fn leave_chain(&mut self, at: u32) {
        let slot = &self.slots[index(at)];
        let (client, next) = (slot.parked.as_ref().map_or(0, |parked| parked.client), slot.chain);
        if client == 0 {
            return;
        }
        let chain = self.chain_of(client);
        if self.clients[chain] == at {
            self.clients[chain] = next;
            return;
        }
        let mut before = self.clients[chain];
        while let Some(slot) = self.slots.get_mut(index(before)) {
            step();
            if slot.chain == at {
                slot.chain = next;
                return;
            }
            before = slot.chain;
        }
    }

    fn enter_wheel(&mut self, at: u32) {
        let slot = &mut self.slots[index(at)];
        let tick = tick_of(slot.until).clamp(self.tick, self.tick + BUCKETS as u64 - 1);
        let bucket = bucket_of(tick);
        slot.bucket = u32::try_from(bucket).unwrap_or(0);
        self.wheel[bucket].push(at, &mut self.slots, |slot| &mut slot.wheel);
    }

    fn leave_wheel(&mut self, at: u32) {
        let bucket = index(self.slots[index(at)].bucket);
        self.wheel[bucket].remove(at, &mut self.slots, |slot| &mut slot.wheel);
    }
}

impl List {
    const EMPTY: Self = Self { first: NONE, last: NONE };

    fn push<T>(&mut self, at: u32, slots: &mut [Slot<T>], link: fn(&mut Slot<T>) -> &mut Link) {
        *link(&mut slots[index(at)]) = Link { prev: self.last, next: NONE };
        match slots.get_mut(index(self.last)) {
            Some(last) => link(last).next = at,
            None => self.first = at,
        }
        self.last = at;
    }

    fn remove<T>(&mut self, at: u32, slots: &mut [Slot<T>], link: fn(&mut Slot<T>) -> &mut Link) {
        let Link { prev, next } = *link(&mut slots[index(at)]);
        match slots.get_mut(index(prev)) {
            Some(prev) => link(prev).next = next,
            None => self.first = next,
        }
        match slots.get_mut(index(next)) {
            Some(next) => link(next).prev = prev,
            None => self.last = prev,
        }
    }
}

impl Link {
    const NONE: Self = Self { prev: NONE, next: NONE };
}

/// The place of a slot; of [`NONE`], where no slot is.
const fn index(at: u32) -> usize {
    at as usize
}

/// The first tick that is not before `until`.
const fn tick_of(until: Instant) -> u64 {
    until.as_nanos().div_ceil(TICK)
}

#[allow(clippy::cast_possible_truncation, reason = "less than 256")]
const fn bucket_of(tick: u64) -> usize {
    (tick % BUCKETS as u64) as usize
}

const NONE: u32 = u32::MAX;

/// A quarter of a second, in nanoseconds: so much late an answer can be when nothing happens.
const TICK: u64 = 250_000_000;

/// 64 seconds in all.
const BUCKETS: usize = 256;

/// One more turn of a loop: the tests count them.
#[cfg(not(test))]
const fn step() {}

#[cfg(test)]
use tests::step;

#[cfg(test)]
mod tests {
    use core::cell::Cell;
    use std::vec::Vec;

    use super::*;

    std::thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn step() {
        STEPS.set(STEPS.get() + 1);
    }

    /// How many turns of loops `work` takes.
    fn steps<R>(work: impl FnOnce() -> R) -> (R, usize) {
        let before = STEPS.get();
        (work(), STEPS.get() - before)
    }

    #[test]
    fn which_clients_share_a_chain_is_not_for_them_to_know() {
        let chains = [1, 2].map(|salt| {
            let mut parking = Parking::new();
            let who = Parked { token: (), cursor: Cursor { epoch: 1, seq: 0 }, client: 1 };
            parking.park(who, Instant::ZERO, Instant::ZERO, &mut |bytes: &mut [u8]| bytes.fill(salt));
            [1, 2, 3, 4].map(|client| parking.chain_of(client))
        });
        assert_ne!(chains[0], chains[1]);
    }

    #[test]
    fn parking_finding_waking_and_aborting_are_a_few_steps_however_many_wait() {
        const MOST: usize = 10_000;
        let now = Instant::ZERO;
        let mut entropy =
            |bytes: &mut [u8]| bytes.copy_from_slice(&[0x6b, 0x1f, 0xc2, 0x90, 0x35, 0xe8, 0x47, 0xda][..bytes.len()]);
        let cursor = Cursor { epoch: 1, seq: 0 };
        // Numbers in a row, and some that share all their low or high bits.
        for client in [|n| n + 1, |n| (n + 1) << 40, |n| (n + 1) * 64 * 16_384] {
            let mut parking = Parking::new();
            let mut keys = Vec::new();
            let (mut parked, mut most) = (0, 0);
            for n in 0..MOST as u64 {
                let until = Instant::from_millis(1000 + n % 200_000);
                let who = Parked { token: n, cursor, client: client(n) };
                let (key, steps_of_one) = steps(|| parking.park(who, until, now, &mut entropy));
                (parked, most) = (parked + steps_of_one, most.max(steps_of_one));
                keys.push(key);
            }
            // Now and then all chains are made anew, twice as many: a few steps for each in the end.
            assert!(parked <= 2 * MOST && most <= MOST, "{parked} {most}");
            for (n, &parked) in (0..).zip(&keys) {
                let (key, steps) = steps(|| parking.of_client(client(n)));
                assert!(key == Some(parked) && steps <= 10, "{steps}");
            }
            // From the middle, from the front, by time.
            for n in (0..MOST).filter(|n| n % 3 == 1) {
                let (gone, steps) = steps(|| parking.abort(keys[n]));
                assert!(gone.is_some_and(|gone| gone.token == n as u64) && steps <= 10, "{steps}");
            }
            for _ in 0..MOST / 3 {
                let (gone, steps) = steps(|| parking.take_first());
                assert!(gone.is_some() && steps <= 10, "{steps}");
            }
            let (left, mut ended, mut turns, mut ticks) = (parking.len(), 0, 0, 0);
            while parking.len() > 0 {
                ticks += 1;
                let now = Instant::from_nanos(ticks * TICK);
                let (all, steps) = steps(|| core::iter::from_fn(|| parking.take_due(now)).count());
                (ended, turns) = (ended + all, turns + steps);
            }
            // A few for each poll, one for each tick, however often the wheel goes round.
            assert!(left > 3000 && ended == left && turns <= 3 * left, "{turns} {ticks}");
            // The room of those who have gone is used again, without a step.
            let who = Parked { token: 0, cursor, client: 1 };
            assert_eq!(steps(|| parking.park(who, now, now, &mut entropy)).1, 0);
        }
    }
}
