//! Masking (§5.3), and in the same pass the question whether the result is ASCII.
//!
//! The last lane is read before the first is written, and written last: it overlaps what was done before,
//! so no tail is left to be done byte by byte, and no load waits for a store just made.
//! Up to 31 bytes go through integers, the rest through arrays: so the compiler finds the best of both.

/// Masks or unmasks `data` in place; `key` belongs to its first byte. Whether the result is all ASCII.
#[inline]
pub(super) fn apply(key: [u8; 4], data: &mut [u8]) -> bool {
    if data.len() >= 128 {
        return long(key, data);
    }
    if data.len() >= 32 {
        return lanes::<32>(key, data);
    }
    let (key, end_key) = (u32::from_le_bytes(key), u32::from_le_bytes(rotated(key, data.len())));
    if let (Some(&start), Some(&end)) = (data.first_chunk(), data.last_chunk()) {
        let start = u128::from_le_bytes(start) ^ twice128(twice64(key));
        let end = u128::from_le_bytes(end) ^ twice128(twice64(end_key));
        put(data, start.to_le_bytes(), end.to_le_bytes());
        return (start | end) & twice128(HIGH_BITS) == 0;
    }
    if let (Some(&start), Some(&end)) = (data.first_chunk(), data.last_chunk()) {
        let start = u64::from_le_bytes(start) ^ twice64(key);
        let end = u64::from_le_bytes(end) ^ twice64(end_key);
        put(data, start.to_le_bytes(), end.to_le_bytes());
        return (start | end) & HIGH_BITS == 0;
    }
    if let (Some(&start), Some(&end)) = (data.first_chunk(), data.last_chunk()) {
        let start = u32::from_le_bytes(start) ^ key;
        let end = u32::from_le_bytes(end) ^ end_key;
        put(data, start.to_le_bytes(), end.to_le_bytes());
        return u64::from(start | end) & HIGH_BITS == 0;
    }
    let mut all = 0;
    for (byte, key) in data.iter_mut().zip(key.to_le_bytes()) {
        *byte ^= key;
        all |= *byte;
    }
    all < 0x80
}

/// Writes `from`, masked, over `to`, which is as long; `key` belongs to the first byte.
#[inline]
pub(super) fn copy(key: [u8; 4], from: &[u8], to: &mut [u8]) {
    match from.len() {
        64.. => copy_lanes::<64>(key, from, to),
        32.. => copy_lanes::<32>(key, from, to),
        16.. => copy_lanes::<16>(key, from, to),
        8.. => copy_lanes::<8>(key, from, to),
        4.. => copy_lanes::<4>(key, from, to),
        _ => {
            for ((to, from), key) in to.iter_mut().zip(from).zip(key) {
                *to = from ^ key;
            }
        }
    }
}

/// The key as it belongs to the byte `n` further on.
#[inline]
pub(super) const fn rotated(key: [u8; 4], n: usize) -> [u8; 4] {
    #[allow(clippy::cast_possible_truncation, reason = "at most 3")]
    let n = (n & 3) as u32;
    u32::from_le_bytes(key).rotate_right(8 * n).to_le_bytes()
}

/// At least 128 bytes. Lanes begin at a multiple of 32: what lies in two lines of the cache takes twice as long, and what
/// has just been read into the buffer may not have got there yet when a lane needs two of its writes.
#[inline(never)]
fn long(key: [u8; 4], data: &mut [u8]) -> bool {
    let (start, rest) = data.split_at_mut(data.as_ptr().addr().wrapping_neg() % 32);
    let rest_key = rotated(key, start.len());
    apply(key, start) & lanes::<64>(rest_key, rest)
}

/// At least one lane.
fn lanes<const N: usize>(key: [u8; 4], data: &mut [u8]) -> bool {
    let mut all = [0; N];
    let mut end: [u8; N] = *data.last_chunk().expect("at least one lane");
    lane(&mut end, &repeated(rotated(key, data.len())), &mut all);
    let key = repeated(key);
    for chunk in data.as_chunks_mut().0 {
        lane(chunk, &key, &mut all);
    }
    if let Some(space) = data.last_chunk_mut() {
        *space = end;
    }
    all.iter().fold(0, |all, byte| all | byte) < 0x80
}

/// At least one lane.
#[inline]
fn copy_lanes<const N: usize>(key: [u8; 4], from: &[u8], to: &mut [u8]) {
    let lane_key = repeated(key);
    for (to, from) in to.as_chunks_mut::<N>().0.iter_mut().zip(from.as_chunks().0) {
        copy_lane(to, from, &lane_key);
    }
    let end_key = repeated(rotated(key, from.len()));
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<N>(), from.last_chunk()) {
        copy_lane(to, from, &end_key);
    }
}

#[inline]
fn copy_lane<const N: usize>(to: &mut [u8; N], from: &[u8; N], key: &[u8; N]) {
    for ((to, from), key) in to.iter_mut().zip(from).zip(key) {
        *to = from ^ key;
    }
}

#[inline]
fn lane<const N: usize>(chunk: &mut [u8; N], key: &[u8; N], all: &mut [u8; N]) {
    for ((byte, key), all) in chunk.iter_mut().zip(key).zip(all) {
        *byte ^= key;
        *all |= *byte;
    }
}

#[inline]
fn repeated<const N: usize>(key: [u8; 4]) -> [u8; N] {
    let mut lane = [0; N];
    lane.as_chunks_mut().0.fill(key);
    lane
}

#[inline]
fn put<const N: usize>(data: &mut [u8], start: [u8; N], end: [u8; N]) {
    if let Some(space) = data.first_chunk_mut() {
        *space = start;
    }
    if let Some(space) = data.last_chunk_mut() {
        *space = end;
    }
}

#[inline]
const fn twice64(half: u32) -> u64 {
    (half as u64) << 32 | half as u64
}

#[inline]
const fn twice128(half: u64) -> u128 {
    (half as u128) << 64 | half as u128
}

const HIGH_BITS: u64 = u64::from_le_bytes([0x80; 8]);

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
            data.fill(0);
            copy(key, &masked, &mut data);
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
    fn agrees_with_the_naive_loop_wherever_a_lane_begins() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let plain: Vec<u8> = (b'a'..=b'z').cycle().take(600).collect();
        for from in 0..64 {
            for len in [127, 128, 129, 159, 160, 191, 192, 223, 224, 500] {
                for bad in [0, 1, from, 31, 32, 63, 64, len - 65, len - 64, len - 1] {
                    for flip in [0, 0x80] {
                        let mut data = plain.clone();
                        data[from + bad] ^= flip;
                        let twin = data.clone();
                        naive(key, &mut data[from..from + len]);
                        assert_eq!(apply(key, &mut data[from..from + len]), flip == 0, "{from} {len} {bad}");
                        assert_eq!(data, twin, "{from} {len} {bad}");
                    }
                }
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
