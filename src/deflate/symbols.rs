//! What a block says before it has a code: literals and matches.

use super::tables::{DISTANCE_CODES, END_OF_BLOCK, FIRST_LENGTH, LENGTH_BASE, LITERAL_CODES, MAX_MATCH, MIN_MATCH};

/// A literal, or a match, ready to be counted and written.
///
/// From the lowest bit on: nine bits of [`first`](Self::first), six of [`second`](Self::second), and the distance
/// less one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Symbol(u32);

impl Symbol {
    #[inline]
    pub(super) const fn literal(byte: u8) -> Self {
        // One place of several, so that counting need not wait for the literal before.
        Self(byte as u32 | (NO_DISTANCE | byte as u32 & 31) << 9)
    }

    /// `length` is 3 to 258, `distance` 1 to 32,768.
    #[inline]
    pub(super) const fn a_match(length: u32, distance: u32) -> Self {
        debug_assert!(length >= 3 && length <= 258 && distance >= 1 && distance <= 32768);
        Self(0x100 | (length - 3) | distance_code(distance) << 9 | (distance - 1) << 15)
    }

    /// A literal, or a match length less 3, plus 256.
    #[inline]
    pub(super) const fn first(self) -> usize {
        (self.0 & 0x1ff) as usize
    }

    /// The code of the distance, below 30, or for a literal [`NO_DISTANCE`] or more.
    #[inline]
    pub(super) const fn second(self) -> usize {
        (self.0 >> 9 & 0x3f) as usize
    }

    /// The distance less one; of a literal, 0.
    #[inline]
    pub(super) const fn distance(self) -> u32 {
        self.0 >> 15
    }
}

/// The symbols of one block.
#[derive(Clone, Debug)]
pub(super) struct Symbols {
    symbols: [Symbol; Self::MOST as usize],
    len: u32,
}

impl Symbols {
    pub(super) const fn new() -> Self {
        Self { symbols: [Symbol(0); Self::MOST as usize], len: 0 }
    }

    pub(super) const fn clear(&mut self) {
        self.len = 0;
    }

    #[inline]
    pub(super) fn push_literal(&mut self, byte: u8) {
        self.push(Symbol::literal(byte));
    }

    #[inline]
    pub(super) fn push_match(&mut self, length: u32, distance: u32) {
        self.push(Symbol::a_match(length, distance));
    }

    /// The next `N` places, if there are so many.
    #[inline]
    pub(super) fn space<const N: usize>(&mut self) -> Option<&mut [Symbol; N]> {
        self.symbols.get_mut(self.len as usize..).and_then(|rest| rest.first_chunk_mut())
    }

    /// `count` symbols were put into the space.
    #[inline]
    pub(super) fn add(&mut self, count: u32) {
        self.len += count;
    }

    #[inline]
    fn push(&mut self, symbol: Symbol) {
        if let Some(space) = self.symbols.get_mut(self.len as usize) {
            *space = symbol;
            self.len += 1;
        }
    }

    #[inline]
    pub(super) const fn len(&self) -> u32 {
        self.len
    }

    /// How many more there is room for.
    #[inline]
    pub(super) const fn room(&self) -> u32 {
        Self::MOST - self.len
    }

    #[inline]
    pub(super) fn as_slice(&self) -> &[Symbol] {
        &self.symbols[..self.len as usize]
    }

    /// At least as many bits as symbols and end take in the fixed code: a match has at most eight for its length, five for its
    /// distance, and five and thirteen extra ones.
    pub(super) fn fixed_bits_at_most(&self) -> u32 {
        let bits = |symbol: &Symbol| match symbol.first() {
            0..144 => 8,
            144..256 => 9,
            _ => 31,
        };
        self.as_slice().iter().map(bits).sum::<u32>() + 7
    }

    /// With room for fewer, the block is full: a step of a matcher takes up to four.
    pub(super) const ROOM: u32 = 5;
    /// A block of so many symbols is written. More make fewer headers, fewer follow the data closer.
    const MOST: u32 = 4096;
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
        let mut distances = [0_u16; 64];
        for symbol in symbols {
            firsts[symbol.first()] += 1;
            distances[symbol.second()] += 1;
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

/// The code of a distance (§3.2.5): after four codes, every two have one more extra bit.
#[inline]
const fn distance_code(distance: u32) -> u32 {
    let less = distance - 1;
    let extra = (less | 2).ilog2() - 1;
    2 * extra + (less >> extra)
}

/// From here to 63: no distance. So literals and matches are treated alike.
const NO_DISTANCE: u32 = 32;

/// Of each length from 3 on, less 257.
const LENGTH_CODE: [u8; MAX_MATCH - MIN_MATCH + 1] = {
    let mut codes = [0; MAX_MATCH - MIN_MATCH + 1];
    let (mut length, mut code) = (MIN_MATCH, 0_u8);
    while length <= MAX_MATCH {
        let next = code as usize + 1;
        if next < LENGTH_BASE.len() && LENGTH_BASE[next] as usize <= length {
            code += 1;
        }
        codes[length - MIN_MATCH] = code;
        length += 1;
    }
    codes
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deflate::tables::{DISTANCE_BASE, DISTANCE_EXTRA, LENGTH_EXTRA};

    /// §3.2.5, read the other way round.
    #[test]
    fn codes_are_those_of_the_tables() {
        for length in 3..=258 {
            let at = length_code(length) - FIRST_LENGTH;
            let most = usize::from(LENGTH_BASE[at]) + (1 << LENGTH_EXTRA[at]) - 1;
            assert!(
                (usize::from(LENGTH_BASE[at])..=most).contains(&length) && (length == 258) == (at == 28),
                "{length}"
            );
        }
        for distance in 1..=32768 {
            let symbol = Symbol::a_match(3, distance);
            let code = symbol.second();
            let extra = distance - u32::from(DISTANCE_BASE[code]);
            assert!(symbol.distance() + 1 == distance && extra < 1 << DISTANCE_EXTRA[code]);
        }
    }

    #[test]
    fn frequencies_count_and_the_estimate_of_the_fixed_code_is_none_too_low() {
        let mut symbols = Symbols::new();
        symbols.push_literal(b'a');
        symbols.push_literal(b'a');
        symbols.push_literal(200);
        symbols.push_match(258, 32768);
        symbols.push_match(227, 24577);
        symbols.push_match(3, 1);
        let of = Frequencies::of(symbols.as_slice());
        assert_eq!((of.literals[usize::from(b'a')], of.literals[200], of.literals[256]), (2, 1, 1));
        assert_eq!((of.literals[285], of.literals[284], of.literals[257]), (1, 1, 1));
        assert_eq!((of.distances[29], of.distances[0]), (2, 1));
        assert_eq!((of.literals.iter().sum::<u16>(), of.distances.iter().sum::<u16>()), (7, 3));
        // 8 + 8 + 9, 8 + 0 + 5 + 13, 8 + 5 + 5 + 13, 7 + 0 + 5 + 0, and 7 for the end
        assert!(symbols.fixed_bits_at_most() >= 25 + 26 + 31 + 12 + 7);
    }
}
