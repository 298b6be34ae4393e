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
            *leaf = ((*leaf >> 9) + 1) / 2 << 9 | *leaf & 0x1ff;
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
            let next = if leaf < count && (joined == node || weights[leaf] <= weights[joined]) { &mut leaf } else { &mut joined };
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
