//! Finding matches: where the same few bytes were seen before.
//!
//! The table holds positions by a hash of the bytes there. Nothing in it is trusted: a position is used if it lies within
//! reach and the bytes there agree. Out of reach it is the same as none, so the table is not cleared after a reset.
//!
//! But a position is kept modulo 2^16 or 2^20, and one that grew so old would seem near again: with what others said before,
//! matches would be hidden, or found, and the compressed size tell of it. So positions are aged in time. For another
//! history, which counts its own, all are forgotten.
#![expect(
    clippy::cast_possible_truncation,
    reason = "positions are kept modulo 2^16; of eight bytes the first ones are the lowest"
)]

use core::mem;

use super::history::{FIRST, History};
use super::symbols::{Symbol, Symbols};

#[derive(Clone, Debug)]
pub(super) struct Matcher<const TABLE: usize> {
    table: [u16; TABLE],
    /// Where the table was aged last: all in it stood at most [`FIRST`] bytes behind.
    aged: u32,
}

impl<const TABLE: usize> Matcher<TABLE> {
    pub(super) const fn new() -> Self {
        const { assert!(TABLE.is_power_of_two() && TABLE >= 512, "some rows of up to 64 positions") };
        Self { table: [0; TABLE], aged: FIRST }
    }

    /// Turns input into symbols until there is no room for more, or no more than `keep` bytes are left.
    ///
    /// The first match is taken: with each position stands a mark, a part of the hash, and where that is the same, what is
    /// there is worth a look. Whether a byte begins a match can hardly be predicted, so two are looked at before anything
    /// depends on the answer: that one of them does can be.
    pub(super) fn fast(&mut self, history: &mut History<[u8]>, symbols: &mut Symbols, keep: u32) {
        self.age_fast(history);
        while history.ahead() > keep.max(7) {
            let Some(space) = symbols.space::<{ TOGETHER + 1 }>() else { return };
            let (at, reach) = (history.at(), history.reach());
            let bytes = history.eight(at);
            let (mut literals, mut distance) = (TOGETHER, 0);
            for ahead in 0..TOGETHER {
                let back = self.note(bytes >> (8 * ahead), at.wrapping_add(ahead as u32));
                let first = (back.wrapping_sub(1) < reach) & (literals == TOGETHER);
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
            let len = history.common(history.at(), distance, history.longest());
            if len < HASHED {
                // Other bytes with the same hash.
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
        self.age(history);
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
    pub(super) fn learn<const ROW: usize>(&mut self, history: &mut History<[u8]>, most: u32) {
        self.forget(TABLE, history);
        for back in (HASHED..=history.behind().min(most)).rev() {
            let at = history.at().wrapping_sub(back);
            remember(self.row::<ROW>(history.eight(at)), at);
        }
    }

    /// The same, for [`fast`](Self::fast).
    pub(super) fn learn_fast(&mut self, history: &mut History<[u8]>, most: u32) {
        self.forget(2 << Self::FAST_BITS, history);
        for back in (8..=history.behind().min(most)).rev() {
            let at = history.at().wrapping_sub(back);
            self.note(history.eight(at), at);
        }
    }

    fn forget(&mut self, len: usize, history: &mut History<[u8]>) {
        self.table[..len].fill(0);
        history.renumber();
        self.aged = FIRST;
    }

    /// Moves positions that are out of reach to where they just are, before they could seem near again.
    fn age(&mut self, history: &History<[u8]>) {
        let Some(at) = self.must_age(history, 1 << 16) else { return };
        for place in &mut self.table {
            let back = (at as u16).wrapping_sub(*place);
            *place = place.wrapping_add(back.saturating_sub(FIRST as u16));
        }
    }

    /// The same, for [`fast`](Self::fast).
    fn age_fast(&mut self, history: &History<[u8]>) {
        let Some(at) = self.must_age(history, 1 << MARKED_FROM) else { return };
        for place in self.places() {
            let there = whole(*place);
            let back = at.wrapping_sub(there) & !MARK;
            *place = halves(there.wrapping_add(back.saturating_sub(FIRST)));
        }
    }

    /// The next position, if one in the table could be `modulus` bytes behind before all that waits is encoded.
    fn must_age(&mut self, history: &History<[u8]>, modulus: u32) -> Option<u32> {
        let since = history.at().wrapping_sub(self.aged);
        if since.saturating_add(history.ahead()) < modulus - FIRST {
            return None;
        }
        self.aged = history.at();
        Some(self.aged)
    }

    /// Puts a position in the place of the six bytes there: how far back the one is that was there, if its mark is the
    /// same; if not, out of reach.
    #[inline]
    fn note(&mut self, bytes: u64, at: u32) -> u32 {
        // The six bytes above zeros. Of their hash, the highest bits choose the place, the next are the mark.
        let hash = (bytes << 16).wrapping_mul(FAST_HASH);
        let here = at.wrapping_add((hash >> (32 - Self::FAST_BITS)) as u32 & MARK);
        let place = &mut self.places()[(hash >> (64 - Self::FAST_BITS)) as usize];
        here.wrapping_sub(whole(mem::replace(place, halves(here))))
    }

    /// Where [`fast`](Self::fast) keeps positions, modulo 2^20, each with its mark added above.
    #[inline]
    fn places(&mut self) -> &mut [[u16; 2]] {
        &mut self.table.as_chunks_mut().0[..1 << Self::FAST_BITS]
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

#[inline]
fn halves(place: u32) -> [u16; 2] {
    [place as u16, (place >> 16) as u16]
}

#[inline]
fn whole([low, high]: [u16; 2]) -> u32 {
    u32::from(low) | u32::from(high) << 16
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

/// The bits of a mark.
const MARK: u32 = u32::MAX << MARKED_FROM;
const MARKED_FROM: u32 = 20;

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

#[cfg(test)]
mod tests {
    use super::*;

    /// Zeros all have the same hash, so that all but the places for it are never taken: those must stay out of reach, whoever
    /// comes, and however long it lasts.
    #[test]
    fn what_is_out_of_reach_stays_there() {
        for fast in [false, true] {
            let (mut matcher, mut symbols) = (Matcher::<512>::new(), Symbols::new());
            let mut histories = [History::<[u8; 512]>::new(), History::new()];
            for (turn, steps) in [163, 300, 7000, 150, 6000, 290].into_iter().enumerate() {
                let history: &mut History<[u8]> = &mut histories[turn % 2];
                if fast {
                    matcher.learn_fast(history, 100);
                } else {
                    matcher.learn::<16>(history, 100);
                }
                for _ in 0..steps {
                    history.take(&[0; 200], 512);
                    let near = if fast {
                        matcher.fast(history, &mut symbols, 0);
                        let near = |place: &[u16; 2]| history.at().wrapping_sub(whole(*place)) & !MARK < FIRST;
                        matcher.places().iter().filter(|place| near(place)).count()
                    } else {
                        matcher.lazy::<16>(16, history, &mut symbols, 0);
                        matcher.table.iter().filter(|place| before(history.at(), **place) < FIRST).count()
                    };
                    symbols.clear();
                    assert!(near <= 16, "{near} places");
                }
            }
        }
    }
}
