//! What a block says before it has a code: literals and matches.

use super::tables::{DISTANCE_CODES, END_OF_BLOCK, FIRST_LENGTH, LENGTH_BASE, LITERAL_CODES, MAX_MATCH, MIN_MATCH};

/// A literal, or a match: its length less 3, plus 256, and its distance in the upper half.
#[derive(Clone, Copy, Debug)]
pub(super) struct Symbol(u32);

impl Symbol {
    #[inline]
    pub(super) const fn literal(byte: u8) -> Self {
        Self(byte as u32)
    }

    /// `length` is 3 to 258, `distance` 1 to 32,768.
    #[inline]
    pub(super) const fn a_match(length: u32, distance: u32) -> Self {
        debug_assert!(length >= 3 && length <= 258 && distance >= 1 && distance <= 32768);
        Self(distance << 16 | 0x100 | (length - 3))
    }

    /// A literal, or 256 and more for a match: a place in [`Codes::first`](super::block::Codes::first).
    #[inline]
    pub(super) const fn first(self) -> usize {
        (self.0 & 0x1ff) as usize
    }

    /// The distance of a match, 0 for a literal.
    #[inline]
    pub(super) const fn distance(self) -> u32 {
        self.0 >> 16
    }
}

/// The symbols of one block.
#[derive(Clone, Debug)]
pub(super) struct Symbols {
    symbols: [Symbol; Self::MOST],
    len: usize,
    /// How many literals have nine bits in the fixed code, which has eight for the others.
    long_literals: u32,
    matches: u32,
}

impl Symbols {
    pub(super) const fn new() -> Self {
        Self { symbols: [Symbol(0); Self::MOST], len: 0, long_literals: 0, matches: 0 }
    }

    pub(super) const fn clear(&mut self) {
        (self.len, self.long_literals, self.matches) = (0, 0, 0);
    }

    #[inline]
    pub(super) fn push_literal(&mut self, byte: u8) {
        self.long_literals += u32::from(byte > 143);
        self.push(Symbol::literal(byte));
    }

    #[inline]
    pub(super) fn push_match(&mut self, length: u32, distance: u32) {
        self.matches += 1;
        self.push(Symbol::a_match(length, distance));
    }

    #[inline]
    fn push(&mut self, symbol: Symbol) {
        if let Some(space) = self.symbols.get_mut(self.len) {
            *space = symbol;
            self.len += 1;
        }
    }

    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// How many more there is room for.
    #[inline]
    pub(super) const fn room(&self) -> usize {
        Self::MOST - self.len
    }

    #[inline]
    pub(super) fn as_slice(&self) -> &[Symbol] {
        &self.symbols[..self.len]
    }

    /// More bits than the symbols take in the fixed code: a match has at most eight for its length, five for its
    /// distance, and five and thirteen extra ones.
    pub(super) fn fixed_bits_at_most(&self) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "at most MOST")]
        let literals = self.len as u32 - self.matches;
        8 * literals + self.long_literals + 31 * self.matches
    }

    /// A block of so many symbols is written.
    const MOST: usize = 4096;
}

/// How often each code of a block's two alphabets occurs, the end of the block once.
#[derive(Debug)]
pub(super) struct Frequencies {
    pub(super) literals: [u16; LITERAL_CODES],
    pub(super) distances: [u16; DISTANCE_CODES],
}

impl Frequencies {
    pub(super) fn of(symbols: &[Symbol]) -> Self {
        let mut of = Self { literals: [0; LITERAL_CODES], distances: [0; DISTANCE_CODES] };
        let mut firsts = [0_u16; 512];
        let mut distances = [0_u16; 32];
        for symbol in symbols {
            firsts[symbol.first()] += 1;
            if symbol.distance() > 0 {
                distances[distance_code(symbol.distance()).0] += 1;
            }
        }
        of.literals[..256].copy_from_slice(&firsts[..256]);
        for (length, count) in firsts[256..].iter().enumerate() {
            of.literals[length_code(length + MIN_MATCH)] += count;
        }
        of.literals[END_OF_BLOCK] = 1;
        of.distances.copy_from_slice(&distances[..DISTANCE_CODES]);
        of
    }
}

/// The code of a match length (§3.2.5).
pub(super) const fn length_code(length: usize) -> usize {
    FIRST_LENGTH + LENGTH_CODE[length - MIN_MATCH] as usize
}

/// The code of a distance (§3.2.5), how many extra bits it has, and these: after four codes, every two have one more.
#[inline]
pub(super) const fn distance_code(distance: u32) -> (usize, u32, u32) {
    let less = distance - 1;
    let extra = (less | 2).ilog2() - 1;
    ((2 * extra + (less >> extra)) as usize, extra, less & ((1 << extra) - 1))
}

/// Of each length from 3 on, less 257.
const LENGTH_CODE: [u8; MAX_MATCH - MIN_MATCH + 1] = {
    let mut codes = [0; MAX_MATCH - MIN_MATCH + 1];
    let (mut length, mut code) = (MIN_MATCH, 0);
    while length <= MAX_MATCH {
        if code + 1 < LENGTH_BASE.len() && LENGTH_BASE[code + 1] as usize <= length {
            code += 1;
        }
        codes[length - MIN_MATCH] = code as u8;
        length += 1;
    }
    codes
};
