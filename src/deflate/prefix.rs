//! Prefix codes for given frequencies (RFC 1951 §3.2.1, §3.2.2).

use super::tables::{LITERAL_CODES, MAX_CODE_BITS};

/// The length of each symbol's code, 0 if it does not occur: the best there is (Huffman's), and none over `limit` bits.
///
/// If codes come out too long, the frequencies are halved, rounded up, until they do not. At last all are equal,
/// and 286 equal ones have codes of at most nine bits, 19 of at most five.
pub(super) fn lengths<const N: usize>(frequencies: &[u16; N], limit: usize) -> [u8; N] {
    let mut lengths = [0; N];
    // Those that occur, the rarest first: the frequency, and the symbol in the lowest nine bits.
    let mut used = [0; LITERAL_CODES];
    let mut count = 0;
    for (symbol, &frequency) in (0..).zip(frequencies) {
        if frequency > 0 {
            used[count] = u32::from(frequency) << 9 | symbol;
            count += 1;
        }
    }
    let used = &mut used[..count];
    used.sort_unstable();
    loop {
        let depths = depths(used);
        if usize::from(depths[0]) <= limit {
            for (leaf, depth) in used.iter().zip(depths) {
                lengths[(leaf & 0x1ff) as usize] = depth;
            }
            return lengths;
        }
        for leaf in &mut *used {
            *leaf = (*leaf >> 9).div_ceil(2) << 9 | *leaf & 0x1ff;
        }
    }
}

/// How deep each leaf lies in the tree, the deepest first. A leaf alone lies at one.
///
/// The two lightest nodes join, again and again. Leaves are sorted and joined nodes come out sorted, so the
/// lightest is always the next of one or the other.
fn depths(leaves: &[u32]) -> [u8; LITERAL_CODES] {
    let mut depths = [0; 2 * LITERAL_CODES];
    let mut parents = [0; 2 * LITERAL_CODES];
    let mut weights = [0; 2 * LITERAL_CODES];
    let count = leaves.len();
    for (weight, leaf) in weights.iter_mut().zip(leaves) {
        *weight = leaf >> 9;
    }
    let (mut leaf, mut joined) = (0, count);
    for node in count..(2 * count).saturating_sub(1) {
        for _ in 0..2 {
            let next = if leaf < count && (joined == node || weights[leaf] <= weights[joined]) {
                &mut leaf
            } else {
                &mut joined
            };
            weights[node] += weights[*next];
            parents[*next] = node;
            *next += 1;
        }
    }
    for node in (0..(2 * count).saturating_sub(2)).rev() {
        depths[node] = depths[parents[node]] + 1;
    }
    if count == 1 {
        depths[0] = 1;
    }
    let mut leaves = [0; LITERAL_CODES];
    leaves.copy_from_slice(&depths[..LITERAL_CODES]);
    leaves
}

/// The codes that belong to code lengths (§3.2.2), as they are written: the first bit lowest.
pub(super) const fn codes<const N: usize>(lengths: &[u8; N]) -> [u16; N] {
    let mut next = [0_u16; MAX_CODE_BITS + 1];
    let mut symbol = 0;
    while symbol < N {
        next[lengths[symbol] as usize] += 1;
        symbol += 1;
    }
    // From how many codes have a length to the first code of it.
    let (mut code, mut bits) = (0, 1);
    while bits <= MAX_CODE_BITS {
        let count = next[bits];
        next[bits] = code;
        code = (code + count) << 1;
        bits += 1;
    }
    let mut codes = [0; N];
    symbol = 0;
    while symbol < N {
        let bits = lengths[symbol] as usize;
        if bits > 0 {
            codes[symbol] = next[bits].reverse_bits() >> (16 - bits);
            next[bits] += 1;
        }
        symbol += 1;
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// What the best code costs: the sum of all joined weights (Huffman).
    fn best_cost(frequencies: &[u16]) -> u32 {
        let mut weights: Vec<u32> = frequencies.iter().filter(|&&f| f > 0).map(|&f| u32::from(f)).collect();
        let mut cost = 0;
        while weights.len() > 1 {
            weights.sort_unstable_by(|a, b| b.cmp(a));
            let joined = weights.pop().unwrap() + weights.pop().unwrap();
            weights.push(joined);
            cost += joined;
        }
        cost
    }

    fn cost<const N: usize>(frequencies: &[u16; N], lengths: &[u8; N]) -> u32 {
        frequencies.iter().zip(lengths).map(|(&f, &len)| u32::from(f) * u32::from(len)).sum()
    }

    /// Exactly the symbols that occur have a code, none is too long, and together they are complete.
    fn check<const N: usize>(frequencies: &[u16; N], limit: usize) -> [u8; N] {
        let lengths = lengths(frequencies, limit);
        let mut room = 0;
        for (&frequency, &len) in frequencies.iter().zip(&lengths) {
            assert_eq!(frequency > 0, len > 0);
            assert!(usize::from(len) <= limit);
            room += if len > 0 { 1 << (limit - usize::from(len)) } else { 0 };
        }
        assert_eq!(room, 1 << limit, "{frequencies:?}");
        lengths
    }

    #[test]
    fn codes_are_the_best_there_are() {
        let mut state = 1_u32;
        for round in 2..200 {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state >> 16
            };
            let mut frequencies = [0_u16; 286];
            for frequency in frequencies.iter_mut().take(round + 2) {
                *frequency = (1 + next() % 40).try_into().unwrap();
                if next() % 3 == 0 {
                    *frequency += 50;
                }
            }
            let lengths = check(&frequencies, 15);
            assert_eq!(cost(&frequencies, &lengths), best_cost(&frequencies));
        }
    }

    /// Fibonacci numbers make the deepest tree there is.
    #[test]
    fn codes_keep_to_their_limit() {
        let mut frequencies = [1_u16; 22];
        for at in 2..22 {
            frequencies[at] = frequencies[at - 1] + frequencies[at - 2];
        }
        check(&frequencies, 15);
        let mut frequencies: [u16; 19] = frequencies[..19].try_into().unwrap();
        check(&frequencies, 7);
        frequencies.reverse();
        let lengths = check(&frequencies, 7);
        assert!(lengths[0] < 3 && lengths[18] == 7);
        check(&[4095_u16; 286], 15);
    }

    #[test]
    fn one_symbol_has_a_code_of_one_bit_and_none_has_no_code() {
        let mut frequencies = [0; 30];
        assert_eq!(lengths(&frequencies, 15), [0; 30]);
        frequencies[7] = 9;
        assert_eq!(lengths(&frequencies, 15).iter().sum::<u8>(), 1);
        assert_eq!(lengths(&frequencies, 15)[7], 1);
    }

    /// The example in §3.2.2: ABCDEFGH with lengths (3, 3, 3, 3, 3, 2, 4, 4).
    #[test]
    fn codes_of_the_rfc() {
        let codes = codes(&[3, 3, 3, 3, 3, 2, 4, 4]);
        assert_eq!(codes, [0b010, 0b110, 0b001, 0b101, 0b011, 0b00, 0b0111, 0b1111]);
    }
}
