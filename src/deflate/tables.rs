//! The numbers of the format (RFC 1951 §3.2.5 to §3.2.7), for both directions.

/// How far back a match may reach at most.
pub(super) const MAX_DISTANCE: usize = 1 << 15;
/// The shortest match.
pub(super) const MIN_MATCH: usize = 3;
/// The longest match.
pub(super) const MAX_MATCH: usize = 258;

/// The longest code of a literal, length or distance, in bits.
pub(super) const MAX_CODE_BITS: usize = 15;
/// The longest code of a code length.
pub(super) const MAX_CODE_LENGTH_BITS: usize = 7;

/// Literals (0 to 255), the end of the block and lengths (257 to 285).
pub(super) const LITERAL_CODES: usize = 286;
/// Distances, 0 to 29.
pub(super) const DISTANCE_CODES: usize = 30;
/// Code lengths (0 to 15) and their three repeats.
pub(super) const CODE_LENGTH_CODES: usize = 19;

/// The symbol that ends a block.
pub(super) const END_OF_BLOCK: usize = 256;
/// The symbol of the shortest length.
pub(super) const FIRST_LENGTH: usize = 257;

/// Code length symbols: the last length again, 3 to 6 times (2 bits).
pub(super) const REPEAT_LAST: u8 = 16;
/// A length of zero 3 to 10 times (3 bits).
pub(super) const REPEAT_ZERO: u8 = 17;
/// A length of zero 11 to 138 times (7 bits).
pub(super) const REPEAT_ZERO_LONG: u8 = 18;

/// The smallest match length of each symbol from 257 on.
pub(super) const LENGTH_BASE: [u16; 29] = {
    let mut base = bases(MIN_MATCH, &LENGTH_EXTRA);
    // 258, which 284 could spell too, has a symbol of its own.
    base[28] = 258;
    base
};

/// Extra bits behind each length symbol.
pub(super) const LENGTH_EXTRA: [u8; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

/// The smallest distance of each distance symbol.
pub(super) const DISTANCE_BASE: [u16; DISTANCE_CODES] = bases(1, &DISTANCE_EXTRA);

/// Extra bits behind each distance symbol.
pub(super) const DISTANCE_EXTRA: [u8; DISTANCE_CODES] =
    [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];

/// In which order the lengths of the code length code are written.
pub(super) const CODE_LENGTH_ORDER: [u8; CODE_LENGTH_CODES] =
    [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Code lengths of the fixed literal/length code. 286 and 287 have codes that never occur.
pub(super) const FIXED_LITERAL_BITS: [u8; 288] = {
    let mut bits = [8; 288];
    let mut symbol = 144;
    while symbol < 256 {
        bits[symbol] = 9;
        symbol += 1;
    }
    while symbol < 280 {
        bits[symbol] = 7;
        symbol += 1;
    }
    bits
};

/// Code lengths of the fixed distance code. 30 and 31 have codes that never occur.
pub(super) const FIXED_DISTANCE_BITS: [u8; 32] = [5; 32];

/// Each symbol begins where the one before it ends.
#[expect(clippy::cast_possible_truncation, reason = "24,577 is the largest base")]
const fn bases<const N: usize>(first: usize, extra: &[u8; N]) -> [u16; N] {
    let mut base = [first as u16; N];
    let mut symbol = 1;
    while symbol < N {
        base[symbol] = base[symbol - 1] + (1 << extra[symbol - 1]);
        symbol += 1;
    }
    base
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ends of the tables in §3.2.5.
    #[test]
    fn bases_are_those_of_the_rfc() {
        assert_eq!(LENGTH_BASE[..9], [3, 4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(LENGTH_BASE[20..], [67, 83, 99, 115, 131, 163, 195, 227, 258]);
        assert_eq!(DISTANCE_BASE[..8], [1, 2, 3, 4, 5, 7, 9, 13]);
        assert_eq!(DISTANCE_BASE[24..], [4097, 6145, 8193, 12289, 16385, 24577]);
    }

    /// §3.2.6: `Lit Value 0 - 143: 8 bits; 144 - 255: 9; 256 - 279: 7; 280 - 287: 8`
    #[test]
    fn fixed_codes_are_those_of_the_rfc() {
        let of = |bits: u8| FIXED_LITERAL_BITS.iter().filter(|&&b| b == bits).count();
        assert_eq!((of(7), of(8), of(9)), (24, 152, 112));
        assert_eq!([0, 143, 144, 255, 256, 279, 280, 287].map(|s| FIXED_LITERAL_BITS[s]), [8, 8, 9, 9, 7, 7, 8, 8]);
    }
}
