//! SHA-1 (RFC 3174). It proves that a server read the handshake; it protects nothing.

use core::hint::black_box;

/// SHA-1 of `bytes`.
pub fn digest(bytes: &[u8]) -> [u8; 20] {
    let mut sha1 = Sha1::new();
    sha1.update(bytes);
    sha1.finish()
}

/// SHA-1 of 60 bytes, the handshake's key and constant, as the words they make. The second block is padding and nothing
/// else, so that its schedule is known at build time.
#[inline(always)]
pub(crate) fn digest_60(words: [u32; 15]) -> [u8; 20] {
    let mut block = [0x8000_0000; 16];
    block[..15].copy_from_slice(&words);
    let mut state = INITIAL;
    compress(&mut state, block);
    compress_padding(&mut state);
    output(&state)
}

/// SHA-1 of bytes that come in pieces.
#[derive(Clone, Debug)]
pub struct Sha1 {
    state: [u32; 5],
    /// The begun block. Its first `len % 64` bytes count.
    block: [u8; BLOCK],
    /// Bytes taken so far.
    len: u64,
}

impl Sha1 {
    /// Nothing taken yet.
    pub const fn new() -> Self {
        Self { state: INITIAL, block: [0; BLOCK], len: 0 }
    }

    /// Takes `bytes`. Any split of the input gives the digest of the whole.
    pub fn update(&mut self, bytes: &[u8]) {
        let filled = self.filled();
        self.len = self.len.wrapping_add(bytes.len() as u64);
        let mut rest = bytes;
        if filled > 0 {
            let (head, tail) = rest.split_at(rest.len().min(BLOCK - filled));
            self.block[filled..filled + head.len()].copy_from_slice(head);
            if filled + head.len() < BLOCK {
                return;
            }
            compress_block(&mut self.state, &self.block);
            rest = tail;
        }
        let (blocks, tail) = rest.as_chunks();
        for block in blocks {
            compress_block(&mut self.state, block);
        }
        self.block[..tail.len()].copy_from_slice(tail);
    }

    /// The digest, in network byte order.
    pub fn finish(mut self) -> [u8; 20] {
        // §4: a one bit, zeros, and the length in bits as the last 64.
        let bits = self.len.wrapping_mul(8).to_be_bytes();
        let filled = self.filled();
        self.block[filled] = 0x80;
        self.block[filled + 1..].fill(0);
        if filled >= BLOCK - bits.len() {
            compress_block(&mut self.state, &self.block);
            self.block = [0; BLOCK];
        }
        self.block[BLOCK - bits.len()..].copy_from_slice(&bits);
        compress_block(&mut self.state, &self.block);

        output(&self.state)
    }

    /// How much of the block counts, always less than a block.
    const fn filled(&self) -> usize {
        // The low six bits are all the block's offset needs.
        (self.len.to_le_bytes()[0] % 64) as usize
    }
}

impl Default for Sha1 {
    fn default() -> Self {
        Self::new()
    }
}

fn compress_block(state: &mut [u32; 5], block: &[u8; BLOCK]) {
    let mut w = [0_u32; 16];
    for (word, bytes) in w.iter_mut().zip(block.as_chunks().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    compress(state, w);
}

/// One block (§6.1), its schedule kept in a ring of 16 words.
#[inline(always)]
fn compress(state: &mut [u32; 5], mut w: [u32; 16]) {
    let constants = black_box(CONSTANTS);
    let mut word = |t: usize| {
        if t >= 16 {
            w[t % 16] = (w[(t + 13) % 16] ^ w[(t + 8) % 16] ^ w[(t + 2) % 16] ^ w[t % 16]).rotate_left(1);
        }
        w[t % 16].wrapping_add(constants[t / 20])
    };
    let mut now = *state;
    macro_rules! twenty {
        ($f:ident, $($t:expr)*) => {
            $(now = five($f, now, [word($t), word($t + 1), word($t + 2), word($t + 3), word($t + 4)]);)*
        };
    }
    twenty!(choose, 0 5 10 15);
    twenty!(parity, 20 25 30 35);
    twenty!(majority, 40 45 50 55);
    twenty!(parity, 60 65 70 75);
    add(state, now);
}

/// The block that follows 60 bytes: in loops, for the less code a handshake runs through, the faster it is.
#[inline(always)]
fn compress_padding(state: &mut [u32; 5]) {
    let mut now = *state;
    macro_rules! twenty {
        ($f:ident, $n:literal) => {
            // That the compiler does not see how many there are keeps it from unrolling.
            for words in black_box(PADDING_OF_60[$n].as_slice()) {
                now = five($f, now, *words);
            }
        };
    }
    twenty!(choose, 0);
    twenty!(parity, 1);
    twenty!(majority, 2);
    twenty!(parity, 3);
    add(state, now);
}

/// Five rounds, after which each name is back in its place. Constants are added to the words already.
#[inline(always)]
fn five(f: impl Fn(u32, u32, u32) -> u32, now: [u32; 5], words: [u32; 5]) -> [u32; 5] {
    let [mut a, mut b, mut c, mut d, mut e] = now;
    // The names rotate instead of the values.
    macro_rules! round {
        ($word:expr, $a:ident $b:ident $c:ident $d:ident $e:ident) => {
            let scheduled = $e.wrapping_add($word);
            $e = f($b, $c, $d).wrapping_add(scheduled).wrapping_add($a.rotate_left(5));
            $b = $b.rotate_left(30);
        };
    }
    round!(words[0], a b c d e);
    round!(words[1], e a b c d);
    round!(words[2], d e a b c);
    round!(words[3], c d e a b);
    round!(words[4], b c d e a);
    [a, b, c, d, e]
}

fn add(state: &mut [u32; 5], now: [u32; 5]) {
    for (sum, word) in state.iter_mut().zip(now) {
        *sum = sum.wrapping_add(word);
    }
}

fn output(state: &[u32; 5]) -> [u8; 20] {
    let mut digest = [0; 20];
    for (out, word) in digest.as_chunks_mut().0.iter_mut().zip(state) {
        *out = word.to_be_bytes();
    }
    digest
}

const fn choose(b: u32, c: u32, d: u32) -> u32 {
    d ^ (b & (c ^ d))
}

const fn parity(b: u32, c: u32, d: u32) -> u32 {
    b ^ c ^ d
}

const fn majority(b: u32, c: u32, d: u32) -> u32 {
    (c & d) | (b & (c | d))
}

const BLOCK: usize = 64;
const CONSTANTS: [u32; 4] = [0x5a82_7999, 0x6ed9_eba1, 0x8f1b_bcdc, 0xca62_c1d6];

/// The words, constants added, of the block that follows 60 bytes and `0x80`: zeros, and 480 bits as the length.
const PADDING_OF_60: [[[u32; 5]; 4]; 4] = {
    let mut w = [0_u32; 80];
    w[15] = 480;
    let mut padding = [[[0; 5]; 4]; 4];
    let mut t = 0;
    while t < 80 {
        if t >= 16 {
            w[t] = (w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16]).rotate_left(1);
        }
        padding[t / 20][t / 5 % 4][t % 5] = w[t].wrapping_add(CONSTANTS[t / 20]);
        t += 1;
    }
    padding
};
const INITIAL: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

#[cfg(test)]
mod tests {
    use std::{format, string::String, vec, vec::Vec};

    use proptest::prelude::*;

    use super::*;

    fn hex(digest: [u8; 20]) -> String {
        digest.iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn rfc_3174_vectors() {
        assert_eq!(hex(digest(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(
            hex(digest(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
        );
        assert_eq!(hex(digest(&vec![b'a'; 1_000_000])), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
        assert_eq!(
            hex(digest(&b"0123456701234567012345670123456701234567012345670123456701234567".repeat(10))),
            "dea356a2cddd90c7a7ecedc5ebb563934f460452"
        );
        assert_eq!(hex(digest(b"")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    }

    #[test]
    fn the_accept_key_of_rfc_6455() {
        let sum = digest(b"dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
        assert_eq!(hex(sum), "b37a4f2cc0624f1690f64606cf385945b2bec4ea");
        let mut out = [0; 28];
        let accept = crate::digest::base64::encode(&sum, &mut out);
        assert_eq!(accept, Some(&b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="[..]));
    }

    /// RFC 3174 read aloud: the padded message as a whole, an 80-word schedule, one loop.
    fn naive(bytes: &[u8]) -> [u8; 20] {
        let mut message = bytes.to_vec();
        message.push(0x80);
        while !(message.len() + 8).is_multiple_of(64) {
            message.push(0);
        }
        message.extend((bytes.len() as u64 * 8).to_be_bytes());
        let mut h = INITIAL;
        for block in message.chunks(64) {
            let mut w: Vec<u32> = block.chunks(4).map(|b| u32::from_be_bytes(b.try_into().unwrap())).collect();
            for t in 16..80 {
                w.push((w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16]).rotate_left(1));
            }
            let [mut a, mut b, mut c, mut d, mut e] = h;
            for (t, word) in w.iter().enumerate() {
                let (f, k) = match t {
                    0..20 => ((b & c) | (!b & d), 0x5a82_7999),
                    20..40 => (b ^ c ^ d, 0x6ed9_eba1),
                    40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
                    _ => (b ^ c ^ d, 0xca62_c1d6_u32),
                };
                let next = a.rotate_left(5).wrapping_add(f).wrapping_add(e).wrapping_add(*word).wrapping_add(k);
                (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
            }
            for (sum, word) in h.iter_mut().zip([a, b, c, d, e]) {
                *sum = sum.wrapping_add(word);
            }
        }
        h.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>().try_into().unwrap()
    }

    #[test]
    fn agrees_with_the_naive_twin_at_every_length() {
        let bytes: Vec<u8> = (0..300_u32).map(|n| (n * 151 + 7).to_le_bytes()[0]).collect();
        for len in 0..bytes.len() {
            assert_eq!(digest(&bytes[..len]), naive(&bytes[..len]), "{len}");
        }
        for bytes in bytes.windows(60) {
            let words = core::array::from_fn(|n| u32::from_be_bytes(*bytes.as_chunks().0.get(n).expect("60 bytes")));
            assert_eq!(digest_60(words), naive(bytes));
        }
    }

    proptest! {
        #[test]
        fn any_split_gives_the_digest_of_the_whole(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..150), 0..8)
        ) {
            let mut sha1 = Sha1::default();
            for piece in &pieces {
                sha1.update(piece);
            }
            prop_assert_eq!(sha1.finish(), naive(&pieces.concat()));
        }
    }
}
