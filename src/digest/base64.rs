//! Base64 (RFC 4648 §4): the standard alphabet, with padding, canonical in both directions.

/// Length of the base64 of `len` bytes. Saturates: no buffer is that long.
pub const fn encoded_len(len: usize) -> usize {
    len.div_ceil(3).saturating_mul(4)
}

/// `src` in base64, written to the start of `out`; `None` when `out` is shorter than [`encoded_len`].
pub fn encode<'o>(src: &[u8], out: &'o mut [u8]) -> Option<&'o [u8]> {
    let out = out.get_mut(..encoded_len(src.len()))?;
    let (groups, tail) = src.as_chunks::<3>();
    let (whole, last) = out.as_chunks_mut::<4>().0.split_at_mut(groups.len());
    for (quad, &[a, b, c]) in whole.iter_mut().zip(groups) {
        *quad = digits(a, b, c);
    }
    if let [quad] = last {
        // The bits that stand for no byte are zero (§3.5).
        *quad = match *tail {
            [a, b] => {
                let [a, b, c, _] = digits(a, b, 0);
                [a, b, c, PAD]
            }
            [a] => {
                let [a, b, ..] = digits(a, 0, 0);
                [a, b, PAD, PAD]
            }
            _ => [PAD; 4],
        };
    }
    Some(out)
}

/// The bytes `src` stands for, written to the start of `out`.
///
/// `None` when `out` is too short, and for anything [`encode`] would not have written: another alphabet,
/// white space, missing padding (§3.2), bits set behind the last byte (§3.5).
pub fn decode<'o>(src: &[u8], out: &'o mut [u8]) -> Option<&'o [u8]> {
    let (quads, []) = src.as_chunks::<4>() else { return None };
    let Some((last, quads)) = quads.split_last() else { return Some(&[]) };

    let padding = match last {
        [_, _, PAD, PAD] => 2,
        [_, _, _, PAD] => 1,
        _ => 0,
    };
    let out = out.get_mut(..quads.len() * 3 + (3 - padding))?;
    let (whole, tail) = out.as_chunks_mut::<3>();
    let mut errors = 0;
    for (group, quad) in whole.iter_mut().zip(quads) {
        let (bytes, error) = values(*quad);
        *group = bytes;
        errors |= error;
    }

    let mut quad = *last;
    quad[4 - padding..].fill(ZERO_DIGIT);
    let (bytes, error) = values(quad);
    errors |= error;
    let (kept, dropped) = bytes.split_at(3 - padding);
    if padding == 0 {
        whole[quads.len()] = bytes;
    } else {
        tail.copy_from_slice(kept);
    }
    // RFC 4648 §3.5: "pad bits MUST be set to zero by conforming encoders".
    let canonical = dropped.iter().all(|&b| b == 0);
    (errors & INVALID == 0 && canonical).then_some(&*out)
}

/// The four digits of three bytes.
const fn digits(a: u8, b: u8, c: u8) -> [u8; 4] {
    [
        ALPHABET[(a >> 2) as usize],
        ALPHABET[((a & 0x03) << 4 | b >> 4) as usize],
        ALPHABET[((b & 0x0f) << 2 | c >> 6) as usize],
        ALPHABET[(c & 0x3f) as usize],
    ]
}

/// The three bytes of four digits; the second value has the bit [`INVALID`] when one of them is none.
const fn values(quad: [u8; 4]) -> ([u8; 3], u8) {
    let [a, b, c, d] = quad;
    let (a, b, c, d) = (VALUES[a as usize], VALUES[b as usize], VALUES[c as usize], VALUES[d as usize]);
    ([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d], a | b | c | d)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PAD: u8 = b'=';
const ZERO_DIGIT: u8 = ALPHABET[0];
/// Set in no digit's value.
const INVALID: u8 = 0x80;

/// Each digit's value, [`INVALID`] for every other byte.
const VALUES: [u8; 256] = {
    let mut values = [INVALID; 256];
    let mut value = 0;
    while value < 64 {
        values[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use std::{string::String, vec::Vec};

    use proptest::prelude::*;

    use super::*;

    fn encoded(src: &[u8]) -> Vec<u8> {
        let mut out = [0xaa; 1000];
        encode(src, &mut out).unwrap().to_vec()
    }

    fn decoded(src: &[u8]) -> Option<Vec<u8>> {
        let mut out = [0xaa; 1000];
        decode(src, &mut out).map(<[u8]>::to_vec)
    }

    /// Bit by bit, as RFC 4648 §4 tells it.
    fn naive(src: &[u8]) -> Vec<u8> {
        let bits: Vec<u8> = src.iter().flat_map(|b| (0..8).rev().map(move |n| b >> n & 1)).collect();
        let mut out: Vec<u8> = bits
            .chunks(6)
            .map(|six| six.iter().fold(0, |n, bit| n << 1 | bit) << (6 - six.len()))
            .map(|value: u8| ALPHABET[usize::from(value)])
            .collect();
        while !out.len().is_multiple_of(4) {
            out.push(PAD);
        }
        out
    }

    #[test]
    fn rfc_4648_vectors() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, base64) in vectors {
            assert_eq!(encoded(bytes.as_bytes()), base64.as_bytes());
            assert_eq!(decoded(base64.as_bytes()).as_deref(), Some(bytes.as_bytes()));
        }
    }

    #[test]
    fn only_the_canonical_form_is_decoded() {
        for bad in [
            "Z",
            "Zg",
            "Zg=",
            "Zm8",
            "Zm9vY",
            "Zg===",
            "====",
            "Z===",
            "=",
            "Zh==",
            "Zm9=",
            "Z=g=",
            "Zg=A",
            "=Zg=",
            "Zg==Zg==",
            "Zm8=Zm9v",
            "Zm9v\n",
            "Zm 8",
            "Zm-_",
            "Zm9\u{80}",
            "Zg==\r\n",
            " Zg==",
        ] {
            assert_eq!(decoded(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn every_byte_in_every_place_is_a_digit_or_refused() {
        for at in 0..8 {
            for b in 0..=255 {
                let mut src = *b"AAAAAAAA";
                src[at] = b;
                let is_digit = b.is_ascii_alphanumeric() || b == b'+' || b == b'/' || (b == PAD && at == 7);
                assert_eq!(decoded(&src).is_some(), is_digit, "{b:#x} at {at}");
            }
        }
    }

    #[test]
    fn room_is_checked() {
        let mut out = [0; 7];
        assert_eq!(encode(b"four", &mut out), None);
        assert_eq!(decode(b"Zm9vYmFyZm8=", &mut out), None);
        assert_eq!(decode(b"Zm9vYmFyZg==", &mut out), Some(&b"foobarf"[..]));
        assert_eq!(encode(b"", &mut []), Some(&b""[..]));
        assert_eq!(decode(b"", &mut []), Some(&b""[..]));
        assert_eq!(encoded_len(16), 24);
        assert_eq!(encoded_len(20), 28);
        assert_eq!(encoded_len(usize::MAX), usize::MAX);
    }

    proptest! {
        #[test]
        fn agrees_with_the_naive_twin_and_comes_back(src in prop::collection::vec(any::<u8>(), 0..200)) {
            let base64 = encoded(&src);
            prop_assert_eq!(base64.len(), encoded_len(src.len()));
            prop_assert_eq!(&base64, &naive(&src));
            prop_assert_eq!(decoded(&base64), Some(src));
        }

        #[test]
        fn what_is_decoded_is_what_would_be_encoded(src in "[A-Da-d0+/=]{0,12}") {
            let src: String = src;
            if let Some(bytes) = decoded(src.as_bytes()) {
                prop_assert_eq!(encoded(&bytes), src.as_bytes());
            }
        }
    }
}
