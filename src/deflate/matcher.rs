//! Finding matches: where the same few bytes were seen before.
//!
//! The table holds positions, modulo 2^16, by a hash of the bytes there. Nothing in it is trusted: a position
//! is used if it lies within reach and the bytes there agree. So the table is not cleared after a reset. It is for another
//! history: what the one left would hide matches of the other, whose compressed size then told what the one had said.
#![expect(
    clippy::cast_possible_truncation,
    reason = "positions are kept modulo 2^16; of eight bytes the first ones are the lowest"
)]

use core::mem;

use super::history::History;
use super::symbols::{Symbol, Symbols};

#[derive(Clone, Debug)]
pub(super) struct Matcher<const TABLE: usize> {
    table: [u16; TABLE],
}

impl<const TABLE: usize> Matcher<TABLE> {
    pub(super) const fn new() -> Self {
        const { assert!(TABLE.is_power_of_two() && TABLE >= 512, "some rows of up to 64 positions") };
        Self { table: [0; TABLE] }
    }

    /// Turns input into symbols until there is no room for more, or no more than `keep` bytes are left.
    ///
    /// The first match is taken: beside each position stands a part of the hash, and where that is the same, what is
    /// there is worth a look. Whether a byte begins a match can hardly be predicted, so two are looked at before anything
    /// depends on the answer: that one of them does can be.
    pub(super) fn fast(&mut self, history: &mut History<[u8]>, symbols: &mut Symbols, keep: u32) {
        while history.ahead() > keep.max(7) {
            let Some(space) = symbols.space::<{ TOGETHER + 1 }>() else { return };
            let (at, reach) = (history.at(), history.reach());
            let bytes = history.eight(at);
            let (mut literals, mut distance, mut last) = (TOGETHER, 0, (0, false));
            for ahead in 0..TOGETHER {
                let (back, alike) = self.note(bytes >> (8 * ahead), at.wrapping_add(ahead as u32));
                let first = alike & (back.wrapping_sub(1) < reach) & (literals == TOGETHER);
                last = (back, alike);
                (literals, distance) = if first { (ahead, back) } else { (literals, distance) };
            }
            for (ahead, symbol) in space[..TOGETHER].iter_mut().enumerate() {
                *symbol = Symbol::literal((bytes >> (8 * ahead)) as u8);
            }
            if literals == TOGETHER {
                // By a constant: the next two need not wait for the answer.
                symbols.add(TOGETHER as u32);
                history.pass(TOGETHER as u32);
                continue;
            }
            symbols.add(literals as u32);
            history.pass(literals as u32);
            let mut len = history.common(history.at(), distance, history.longest());
            if len < HASHED && literals == 0 && last.1 && last.0.wrapping_sub(1) < reach {
                // Other bytes with the same hash, or what another history left, hide no match.
                symbols.add(1);
                history.pass(1);
                distance = last.0;
                len = history.common(history.at(), distance, history.longest());
            }
            if len < HASHED {
                symbols.add(1);
                history.pass(1);
                continue;
            }
            symbols.push_match(len, distance);
            history.pass(len);
        }
        literals(history, symbols, keep);
    }

    /// The same, but the longest match of `ROW` candidates is taken, and not before the next position has none longer; unless
    /// it has `enough` bytes.
    pub(super) fn lazy<const ROW: usize>(
        &mut self,
        enough: u32,
        history: &mut History<[u8]>,
        symbols: &mut Symbols,
        keep: u32,
    ) {
        let mut misses = 0;
        while history.ahead() > keep.max(HASHED - 1) && symbols.room() >= Symbols::ROOM {
            let mut byte = history.byte(history.at());
            let Some((mut len, mut distance)) = self.longest::<ROW>(history, HASHED - 1) else {
                // What is random, or compressed already, has no matches: the fewer there were, the less is looked for them.
                misses += 1;
                for _ in 0..(1 + misses / PATIENCE).min(symbols.room()).min(history.ahead()) {
                    symbols.push_literal(history.byte(history.at()));
                    history.pass(1);
                }
                continue;
            };
            misses = 0;
            history.pass(1);
            let mut passed = 0;
            while len < enough && symbols.room() >= Symbols::ROOM {
                passed = 1;
                let next = history.byte(history.at());
                let Some(better) = self.longest::<ROW>(history, len) else { break };
                symbols.push_literal(byte);
                byte = next;
                (len, distance) = better;
                history.pass(1);
                passed = 0;
            }
            symbols.push_match(len, distance);
            for ahead in passed..(len - 1).min(REMEMBERED).min(history.ahead().saturating_sub(HASHED - 1)) {
                let at = history.at().wrapping_add(ahead);
                remember(self.row::<ROW>(history.eight(at)), at);
            }
            history.pass(len - 1);
        }
        literals(history, symbols, keep);
    }

    /// Remembers the last `most` positions before the next, for [`lazy`](Self::lazy), and nothing of another history.
    pub(super) fn learn<const ROW: usize>(&mut self, history: &History<[u8]>, most: u32) {
        self.table.fill(0);
        for back in (HASHED..=history.behind().min(most)).rev() {
            let at = history.at().wrapping_sub(back);
            remember(self.row::<ROW>(history.eight(at)), at);
        }
    }

    /// The same, for [`fast`](Self::fast).
    pub(super) fn learn_fast(&mut self, history: &History<[u8]>, most: u32) {
        self.table[..2 << Self::FAST_BITS].fill(0);
        for back in (8..=history.behind().min(most)).rev() {
            let at = history.at().wrapping_sub(back);
            self.note(history.eight(at), at);
        }
    }

    /// Puts a position in the place of the six bytes there: what stood there, as a distance, and whether its hash is the
    /// same.
    #[inline]
    fn note(&mut self, bytes: u64, at: u32) -> (u32, bool) {
        // The six bytes above zeros.
        let hash = (bytes << 16).wrapping_mul(FAST_HASH);
        let here = [at as u16, (hash >> 32) as u16];
        let place = &mut self.table.as_chunks_mut().0[(hash >> (64 - Self::FAST_BITS)) as usize];
        let [there, mark] = mem::replace(place, here);
        (before(at, there), mark == here[1])
    }

    /// The longest match at the next position, if it is longer than `over`: its length and distance. The nearest
    /// of several. Then the position is remembered.
    #[inline]
    fn longest<const ROW: usize>(&mut self, history: &History<[u8]>, over: u32) -> Option<(u32, u32)> {
        if history.ahead() < HASHED {
            return None;
        }
        let (at, reach, most) = (history.at(), history.reach(), history.longest());
        let row = self.row::<ROW>(history.eight(at));
        let (mut best, mut found) = (over, None);
        // The four bytes that end one behind the best match.
        let end = |best: u32, distance: u32| history.eight(at.wrapping_add(best - 3).wrapping_sub(distance)) as u32;
        let mut wanted = end(best, 0);
        for &place in row.iter() {
            let distance = before(at, place);
            if distance.wrapping_sub(1) >= reach || best >= most {
                break;
            }
            if end(best, distance) != wanted {
                continue;
            }
            let len = history.common(at, distance, most);
            if len > best {
                (best, found) = (len, Some((len, distance)));
                wanted = end(best, 0);
            }
        }
        remember(row, at);
        found
    }

    /// The newest positions with the same hash as that of `bytes`, the newest first.
    #[inline]
    fn row<const ROW: usize>(&mut self, bytes: u64) -> &mut [u16; ROW] {
        &mut self.table.as_chunks_mut().0[(hash(bytes) >> (32 - (TABLE / ROW).ilog2())) as usize]
    }

    /// Four times this many bytes shall fit a first-level cache, beside the window.
    const FAST_BITS: u32 = if TABLE.ilog2() < 13 { TABLE.ilog2() - 1 } else { 12 };
}

/// Of what must be encoded now, the last bytes: too few to look for a match.
fn literals(history: &mut History<[u8]>, symbols: &mut Symbols, keep: u32) {
    while history.ahead() > keep && history.ahead() < 8 && symbols.room() > 0 {
        symbols.push_literal(history.byte(history.at()));
        history.pass(1);
    }
}

#[inline]
fn remember<const ROW: usize>(row: &mut [u16; ROW], at: u32) {
    row.copy_within(..ROW - 1, 1);
    row[0] = at as u16;
}

/// How far `place`, a position modulo 2^16, lies before `at`.
#[inline]
const fn before(at: u32, place: u16) -> u32 {
    (at as u16).wrapping_sub(place) as u32
}

/// Of the first four bytes, in the highest bits.
#[inline]
const fn hash(bytes: u64) -> u32 {
    (bytes as u32).wrapping_mul(0x9e37_79b1)
}

/// Positions that are looked at together: eight bytes hold six from each of them on.
const TOGETHER: usize = 2;

/// 2^64 divided by the golden ratio.
const FAST_HASH: u64 = 0x9e37_79b9_7f4a_7c15;

/// After so many positions in a row without a match one byte is passed by behind each, after twice as many two.
const PATIENCE: u32 = 128;

/// Of a long match, so many positions are remembered: what the others begin was seen before.
const REMEMBERED: u32 = 48;

/// How many bytes are hashed: the shortest match that is found.
const HASHED: u32 = 4;
