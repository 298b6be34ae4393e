//! Masking (§5.3), and in the same pass the question whether the result is ASCII.
//!
//! The last lane is read before the loop and written after it: it overlaps what the loop did, so no
//! tail is left to be done byte by byte, and no load waits for a store just made.

/// Masks or unmasks `data` in place; `key` belongs to its first byte. Whether the result is all ASCII.
#[inline]
pub(super) fn apply(key: [u8; 4], data: &mut [u8]) -> bool {
    if data.len() >= 32 {
        return lanes(key, data);
    }
    let end_key = rotated(key, data.len());
    // 16 to 31, 8 to 15, 4 to 7 bytes: two lanes that meet or overlap.
    if let (Some(first), Some(last)) = (data.first_chunk::<16>(), data.last_chunk::<16>()) {
        let first = u128::from_ne_bytes(*first) ^ u128::from_ne_bytes(repeated(key));
        let last = u128::from_ne_bytes(*last) ^ u128::from_ne_bytes(repeated(end_key));
        put(data, first.to_ne_bytes(), last.to_ne_bytes());
        return (first | last) & u128::from_ne_bytes([0x80; 16]) == 0;
    }
    if let (Some(first), Some(last)) = (data.first_chunk::<8>(), data.last_chunk::<8>()) {
        let first = u64::from_ne_bytes(*first) ^ u64::from_ne_bytes(repeated(key));
        let last = u64::from_ne_bytes(*last) ^ u64::from_ne_bytes(repeated(end_key));
        put(data, first.to_ne_bytes(), last.to_ne_bytes());
        return (first | last) & u64::from_ne_bytes([0x80; 8]) == 0;
    }
    if let (Some(first), Some(last)) = (data.first_chunk::<4>(), data.last_chunk::<4>()) {
        let first = u32::from_ne_bytes(*first) ^ u32::from_ne_bytes(key);
        let last = u32::from_ne_bytes(*last) ^ u32::from_ne_bytes(end_key);
        put(data, first.to_ne_bytes(), last.to_ne_bytes());
        return (first | last) & u32::from_ne_bytes([0x80; 4]) == 0;
    }
    let mut all = 0;
    for (byte, key) in data.iter_mut().zip(key) {
        *byte ^= key;
        all |= *byte;
    }
    all < 0x80
}

/// The key as it belongs to the byte `n` further on.
#[inline]
pub(super) const fn rotated(key: [u8; 4], n: usize) -> [u8; 4] {
    let [a, b, c, d] = key;
    match n & 3 {
        0 => [a, b, c, d],
        1 => [b, c, d, a],
        2 => [c, d, a, b],
        _ => [d, a, b, c],
    }
}

/// At least 32 bytes.
fn lanes(key: [u8; 4], data: &mut [u8]) -> bool {
    let mut all = [0; 32];
    let mut last: [u8; 32] = *data.last_chunk().expect("at least one lane long");
    lane(&mut last, &repeated(rotated(key, data.len())), &mut all);
    let key = repeated(key);
    for chunk in data.as_chunks_mut().0 {
        lane(chunk, &key, &mut all);
    }
    if let Some(end) = data.last_chunk_mut() {
        *end = last;
    }
    all.iter().fold(0, |all, b| all | b) < 0x80
}

#[inline]
fn lane(chunk: &mut [u8; 32], key: &[u8; 32], all: &mut [u8; 32]) {
    for ((byte, key), all) in chunk.iter_mut().zip(key).zip(all) {
        *byte ^= key;
        *all |= *byte;
    }
}

#[inline]
fn put<const N: usize>(data: &mut [u8], first: [u8; N], last: [u8; N]) {
    if let Some(end) = data.last_chunk_mut() {
        *end = last;
    }
    if let Some(start) = data.first_chunk_mut() {
        *start = first;
    }
}

#[inline]
const fn repeated<const N: usize>(key: [u8; 4]) -> [u8; N] {
    let mut lane = [0; N];
    let mut i = 0;
    while i < N {
        lane[i] = key[i & 3];
        i += 1;
    }
    lane
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn naive(key: [u8; 4], data: &mut [u8]) -> bool {
        data.iter_mut().enumerate().for_each(|(i, b)| *b ^= key[i & 3]);
        data.is_ascii()
    }

    #[test]
    fn agrees_with_the_naive_loop_at_every_length_and_place() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        for len in 0..200_usize {
            let plain: Vec<u8> = (b'a'..=b'z').cycle().take(len).collect();
            let mut masked = plain.clone();
            naive(key, &mut masked);
            let mut data = masked.clone();
            assert!(apply(key, &mut data), "{len}");
            assert_eq!(data, plain, "{len}");
            for bad in 0..len {
                let mut data = masked.clone();
                data[bad] ^= 0x80;
                let mut twin = data.clone();
                assert!(!apply(key, &mut data), "{len} {bad}");
                naive(key, &mut twin);
                assert_eq!(data, twin);
            }
        }
    }

    #[test]
    fn a_piece_takes_the_key_where_the_last_one_left_it() {
        let key = [1, 2, 3, 4];
        for cut in 0..=70 {
            let mut whole: Vec<u8> = (0..70).collect();
            let mut pieces = whole.clone();
            apply(key, &mut whole);
            let (a, b) = pieces.split_at_mut(cut);
            apply(key, a);
            apply(rotated(key, cut), b);
            assert_eq!(pieces, whole);
        }
    }
}
