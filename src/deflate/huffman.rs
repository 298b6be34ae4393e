//! Huffman codes as tables (RFC 1951 §3.2.2): the next bits of the input are the index of what they stand for.
//!
//! A table has two levels. The next `BITS` bits lead to a symbol whose code is no longer than that, or to a second
//! table for the bits behind them.

use super::error::{Alphabet, InflateError};
use super::tables::{
    CODE_LENGTH_CODES, DISTANCE_BASE, DISTANCE_EXTRA, END_OF_BLOCK, FIRST_LENGTH, FIXED_DISTANCE_BITS,
    FIXED_LITERAL_BITS, LENGTH_BASE, LENGTH_EXTRA, MAX_CODE_BITS, MAX_CODE_LENGTH_BITS, REPEAT_LAST, REPEAT_ZERO,
    REPEAT_ZERO_LONG,
};

/// The codes of one block.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    pub(super) literal: Literals,
    pub(super) distance: Distances,
}

/// Literals, the end of the block, and lengths. 286 codes of up to 15 bits never need more than 1334 entries.
pub(super) type Literals = Table<10, 1334>;
/// Distances. 30 codes of up to 15 bits never need more than 402 entries.
pub(super) type Distances = Table<8, 402>;
/// Code lengths; the second level is never used.
pub(super) type CodeLengths = Table<MAX_CODE_LENGTH_BITS, { 1 << MAX_CODE_LENGTH_BITS }>;

/// Symbols by the bits that spell them, for codes of which most have at most `BITS` bits. `SIZE` is that of both levels.
#[derive(Clone, Debug)]
pub(super) struct Table<const BITS: usize, const SIZE: usize> {
    entries: [Entry; SIZE],
}

/// What some bits stand for.
///
/// ```text
/// bits  0 to 5   how many bits it takes, the extra bits behind the code included
///       6        the repeat is of the last code length, not of zero
///       7        the end of the block
///       8 to 13  how many bits are the code; of a link, how many bits index the second table
///       14       no symbol: bits that are no code, or a symbol that must not occur
///       15       a link to a second table
///       16 to 30 the literal, the smallest length or distance, or where the second table starts
///       31       a literal
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry(u32);

impl Codes {
    pub(super) const EMPTY: Self = Self { literal: Table::EMPTY, distance: Table::EMPTY };
}

/// The fixed codes (§3.2.6).
pub(super) static FIXED: Codes = Codes {
    literal: Table::of_short_codes(&FIXED_LITERAL_BITS, &LITERALS),
    distance: Table::of_short_codes(&FIXED_DISTANCE_BITS, &DISTANCES),
};

impl<const BITS: usize, const SIZE: usize> Table<BITS, SIZE> {
    pub(super) const EMPTY: Self = Self { entries: [Entry::NO_CODE; SIZE] };

    /// What the next bits stand for. With fewer bits at hand than [`Entry::code_bits`], it is not known yet.
    #[inline(always)]
    pub(super) fn look_up(&self, bits: u64) -> Entry {
        let entry = self.entries[low(bits, BITS)];
        if entry.0 & Entry::LINK == 0 {
            return entry;
        }
        let at = entry.value() + low(bits >> BITS, entry.code_bits() as usize);
        self.entries.get(at).copied().unwrap_or(Entry::NO_CODE)
    }

    /// Makes the table of the code in which `symbols[i]` has `lengths[i]` bits, 0 for none (§3.2.2).
    pub(super) fn build(&mut self, lengths: &[u8], symbols: &[Entry], alphabet: Alphabet) -> Result<(), InflateError> {
        let mut counts = count(lengths);
        if !is_complete(&counts).ok_or(InflateError::OverSubscribed(alphabet))? {
            return self.build_of_one(lengths, symbols, alphabet, &counts);
        }

        // "consecutive values, in the same order as the symbols they represent", shorter codes first
        let mut starts = [0_u16; MAX_CODE_BITS + 2];
        for (length, count) in counts.iter().enumerate() {
            starts[length + 1] = starts[length] + count;
        }
        let mut sorted = [0_u16; 288];
        for (symbol, &length) in (0..).zip(lengths) {
            if length > 0 {
                let at = &mut starts[usize::from(length)];
                sorted[usize::from(*at)] = symbol;
                *at += 1;
            }
        }

        let mut sorted = sorted.iter().map(|&symbol| symbols[usize::from(symbol)]);
        let mut code = Code(0);
        for (bits, &count) in (1..=BITS).zip(&counts[1..]) {
            // What stands for n bits stands for n + 1, whatever the next one is.
            let half = 1 << (bits - 1);
            self.entries.copy_within(..half, half);
            for symbol in sorted.by_ref().take(usize::from(count)) {
                self.entries[code.0] = symbol.with_code(bits);
                code.advance(bits);
            }
        }
        self.build_second_level(code, &mut counts, sorted);
        Ok(())
    }

    fn build_second_level(&mut self, mut code: Code, counts: &mut [u16; 16], mut sorted: impl Iterator<Item = Entry>) {
        // The second table being filled: the end of all so far, and its start.
        let (mut end, mut start, mut prefix) = (1 << BITS, 0, usize::MAX);
        for bits in BITS + 1..=MAX_CODE_BITS {
            while counts[bits] > 0 {
                let Some(symbol) = sorted.next() else { return };
                if code.0 & ((1 << BITS) - 1) != prefix {
                    prefix = code.0 & ((1 << BITS) - 1);
                    start = end;
                    let size = second_size(bits - BITS, &counts[bits..]);
                    end += 1 << size;
                    self.entries[prefix] = Entry::link(start, size);
                }
                for at in (start + (code.0 >> BITS)..end).step_by(1 << (bits - BITS)) {
                    self.entries[at] = symbol.with_code(bits);
                }
                counts[bits] -= 1;
                code.advance(bits);
            }
        }
    }

    /// "If only one distance code is used, it is encoded using one bit, not zero bits; [...] One distance code of zero
    /// bits means that there are no distance codes used at all" (§3.2.7). A literal code can be as short: then it is
    /// the end of the block that has it.
    #[cold]
    fn build_of_one(
        &mut self,
        lengths: &[u8],
        symbols: &[Entry],
        alphabet: Alphabet,
        counts: &[u16; 16],
    ) -> Result<(), InflateError> {
        let codes: u16 = counts.iter().sum();
        if alphabet == Alphabet::CodeLength || codes > counts[1] {
            return Err(InflateError::UnderSubscribed(alphabet));
        }
        let used = lengths.iter().zip(symbols).find(|(length, _)| **length == 1);
        let zero = used.map_or(Entry::NO_CODE, |(_, symbol)| symbol.with_code(1));
        for pair in self.entries[..1 << BITS].as_chunks_mut().0 {
            *pair = [zero, Entry::NO_CODE];
        }
        Ok(())
    }

    /// The same for a complete code without a second level, at build time.
    const fn of_short_codes<const N: usize>(lengths: &[u8; N], symbols: &[Entry; N]) -> Self {
        let mut table = Self::EMPTY;
        let (mut code, mut bits) = (Code(0), 1);
        while bits <= BITS {
            let mut symbol = 0;
            while symbol < N {
                if lengths[symbol] as usize == bits {
                    let mut at = code.0;
                    while at < 1 << BITS {
                        table.entries[at] = symbols[symbol].with_code(bits);
                        at += 1 << bits;
                    }
                    code.advance(bits);
                }
                symbol += 1;
            }
            bits += 1;
        }
        table
    }
}

/// A code as it arrives: its first bit, which is the most significant, lowest.
#[derive(Clone, Copy)]
struct Code(usize);

impl Code {
    /// To the next code of as many bits: plus one, with the carry towards the lowest bit. A longer code that begins
    /// there differs in nothing, since the bits appended to it are zeros.
    const fn advance(&mut self, bits: usize) {
        let zeros = !self.0 & ((1 << bits) - 1);
        let Some(highest) = zeros.checked_ilog2() else {
            return; // the last code of all
        };
        self.0 = self.0 & ((1 << highest) - 1) | 1 << highest;
    }
}

/// How many codes there are of each length; no code is none.
fn count(lengths: &[u8]) -> [u16; MAX_CODE_BITS + 1] {
    // Neighbours are often alike: four counts each do not wait for one another.
    let mut counts = [[0_u16; MAX_CODE_BITS + 1]; 4];
    let (fours, rest) = lengths.as_chunks::<4>();
    for four in fours {
        for (counts, length) in counts.iter_mut().zip(four) {
            counts[usize::from(length & 15)] += 1;
        }
    }
    for length in rest {
        counts[0][usize::from(length & 15)] += 1;
    }
    let [mut sums, others @ ..] = counts;
    for counts in others {
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum += count;
        }
    }
    sums[0] = 0;
    sums
}

/// Whether each sequence of bits begins with a code; `None` if two codes would begin with the same.
fn is_complete(counts: &[u16; MAX_CODE_BITS + 1]) -> Option<bool> {
    let mut left = 1_u16;
    for count in &counts[1..] {
        left = (left << 1).checked_sub(*count)?;
    }
    Some(left == 0)
}

/// How many bits tell codes with one beginning apart, if the shortest needs `size` and `counts` are the codes left of
/// this length and of those above.
fn second_size(mut size: usize, counts: &[u16]) -> usize {
    let mut codes = 0;
    for count in counts {
        codes = codes * 2 + usize::from(*count);
        if codes >= 1 << size {
            break;
        }
        size += 1;
    }
    size
}

impl Entry {
    const LITERAL: u32 = 1 << 31;
    const LINK: u32 = 1 << 15;
    const BAD: u32 = 1 << 14;
    const END: u32 = 1 << 7;
    const LAST: u32 = 1 << 6;
    /// Bits that are no code: one bit shows it.
    const NO_CODE: Self = Self(Self::BAD).with_code(1);

    const fn literal(byte: u8) -> Self {
        Self(Self::LITERAL | (byte as u32) << 16)
    }

    const fn with_extra(base: u16, extra: u8) -> Self {
        Self((base as u32) << 16 | extra as u32)
    }

    #[expect(clippy::cast_possible_truncation, reason = "tables have fewer than 2^15 entries")]
    const fn link(start: usize, size: usize) -> Self {
        Self((start as u32) << 16 | Self::LINK | (size as u32) << 8)
    }

    #[expect(clippy::cast_possible_truncation, reason = "codes have at most 15 bits")]
    const fn with_code(self, bits: usize) -> Self {
        Self(self.0 + bits as u32 * 0x101)
    }

    #[inline(always)]
    pub(super) const fn is_literal(self) -> bool {
        self.0 & Self::LITERAL != 0
    }

    #[inline(always)]
    pub(super) const fn is_end(self) -> bool {
        self.0 & Self::END != 0
    }

    #[inline(always)]
    pub(super) const fn is_bad(self) -> bool {
        self.0 & Self::BAD != 0
    }

    #[inline(always)]
    pub(super) const fn is_of_last(self) -> bool {
        self.0 & Self::LAST != 0
    }

    /// Neither a literal nor a length nor a distance.
    #[inline(always)]
    pub(super) const fn is_special(self) -> bool {
        self.0 & (Self::BAD | Self::END) != 0
    }

    #[inline(always)]
    pub(super) const fn byte(self) -> u8 {
        self.0.to_le_bytes()[2]
    }

    /// The bits of the code and those behind it.
    #[inline(always)]
    pub(super) const fn bits(self) -> u32 {
        self.0 & 63
    }

    #[inline(always)]
    pub(super) const fn code_bits(self) -> u32 {
        self.0 >> 8 & 63
    }

    /// The length, distance or repeat: the smallest plus the extra bits, which stand in `bits` behind the code.
    #[inline(always)]
    pub(super) fn value_in(self, bits: u64) -> usize {
        self.value() + (low(bits, self.bits() as usize) >> self.code_bits())
    }

    #[inline(always)]
    pub(super) const fn value(self) -> usize {
        (self.0 >> 16) as usize
    }
}

/// The lowest `n` bits, fewer than 32.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "32 bits are more than enough")]
fn low(bits: u64, n: usize) -> usize {
    bits as usize & ((1 << n) - 1)
}

pub(super) const LITERALS: [Entry; 288] = {
    let mut entries = [Entry(Entry::BAD); 288];
    let mut byte = u8::MAX;
    loop {
        entries[byte as usize] = Entry::literal(byte);
        match byte.checked_sub(1) {
            Some(less) => byte = less,
            None => break,
        }
    }
    entries[END_OF_BLOCK] = Entry(Entry::END);
    let mut length = 0;
    while length < LENGTH_BASE.len() {
        entries[FIRST_LENGTH + length] = Entry::with_extra(LENGTH_BASE[length], LENGTH_EXTRA[length]);
        length += 1;
    }
    entries
};

pub(super) const DISTANCES: [Entry; 32] = {
    let mut entries = [Entry(Entry::BAD); 32];
    let mut symbol = 0;
    while symbol < DISTANCE_BASE.len() {
        entries[symbol] = Entry::with_extra(DISTANCE_BASE[symbol], DISTANCE_EXTRA[symbol]);
        symbol += 1;
    }
    entries
};

/// A literal is a length; the others are how often one is repeated.
pub(super) const CODE_LENGTHS: [Entry; CODE_LENGTH_CODES] = {
    let mut entries = [Entry::literal(0); CODE_LENGTH_CODES];
    let mut symbol = 0;
    while symbol < REPEAT_LAST {
        entries[symbol as usize] = Entry::literal(symbol);
        symbol += 1;
    }
    entries[REPEAT_LAST as usize] = Entry(Entry::with_extra(3, 2).0 | Entry::LAST);
    entries[REPEAT_ZERO as usize] = Entry::with_extra(3, 3);
    entries[REPEAT_ZERO_LONG as usize] = Entry::with_extra(11, 7);
    entries
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// Lengths of a complete code, most of them deep: leaves of a tree that is split `splits` times.
    fn complete(symbols: usize, mut seed: u64, depth: u64) -> Vec<u8> {
        let mut leaves = Vec::from([0_u8]);
        while leaves.len() < symbols {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let back = usize::try_from(seed >> 33).expect("31 bits") % leaves.len();
            let at = if seed >> 60 < depth { leaves.len() - 1 - back % 3 % leaves.len() } else { back };
            if leaves[at] < 15 {
                leaves[at] += 1;
                leaves.insert(at, leaves[at]);
            } else {
                // Deep enough: split the shallowest.
                let (at, _) = leaves.iter().enumerate().min_by_key(|(_, bits)| **bits).expect("a leaf");
                leaves[at] += 1;
                leaves.insert(at, leaves[at]);
            }
        }
        let len = leaves.len();
        for at in 0..len {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            leaves.swap(at, usize::try_from(seed >> 33).expect("31 bits") % len);
        }
        leaves
    }

    /// Every 15 bits stand for the symbol whose code they begin with, by the algorithm of §3.2.2.
    fn assert_right<const BITS: usize, const SIZE: usize>(
        table: &Table<BITS, SIZE>,
        lengths: &[u8],
        symbols: &[Entry],
    ) {
        let mut code = 0_u32;
        for bits in 1..=15 {
            code <<= 1;
            for (_, symbol) in lengths.iter().zip(symbols).filter(|(length, _)| usize::from(**length) == bits) {
                let reversed = u64::from(code.reverse_bits() >> (32 - bits));
                for behind in [0, 1, 0x5555, 0x7fff] {
                    assert_eq!(table.look_up(reversed | behind << bits), symbol.with_code(bits));
                }
                code += 1;
            }
        }
        assert!(code == 1 << 15, "complete");
    }

    #[test]
    fn every_code_leads_to_its_symbol_and_every_table_has_room() {
        let (mut literal, mut distance) = (Literals::EMPTY, Distances::EMPTY);
        for seed in 0..300 {
            let (symbols, depth) = (2 + seed * 97 % 285, seed % 17);
            let lengths = complete(usize::try_from(symbols).expect("below 287"), seed, depth);
            literal.build(&lengths, &LITERALS, Alphabet::Literal).expect("a complete code");
            assert_right(&literal, &lengths, &LITERALS);
            let lengths = complete(usize::try_from(2 + seed % 29).expect("below 31"), seed, depth);
            distance.build(&lengths, &DISTANCES, Alphabet::Distance).expect("a complete code");
            assert_right(&distance, &lengths, &DISTANCES);
        }
    }

    #[test]
    fn fixed_codes_are_built_alike() {
        let mut codes = Codes::EMPTY;
        codes.literal.build(&FIXED_LITERAL_BITS, &LITERALS, Alphabet::Literal).expect("a complete code");
        codes.distance.build(&FIXED_DISTANCE_BITS, &DISTANCES, Alphabet::Distance).expect("a complete code");
        assert_eq!(codes.literal.entries[..1 << 10], FIXED.literal.entries[..1 << 10]);
        assert_eq!(codes.distance.entries[..1 << 8], FIXED.distance.entries[..1 << 8]);
    }
}
