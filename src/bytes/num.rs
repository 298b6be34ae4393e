//! Numbers on the wire, strictly: digits only, no sign, no space, no prefix, no overflow.

/// `1*DIGIT` as a number; `None` for anything else and for more than `u64::MAX`.
pub(crate) fn decimal(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0_u64, |n, &b| {
        let digit = b.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        n.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// The value of one HEXDIG, either case.
pub(crate) const fn hex_digit(b: u8) -> Option<u8> {
    match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        b'A'..=b'F' => Some(b - b'A' + 10),
        _ => None,
    }
}

/// `n` in decimal, written to the end of `space`.
pub(crate) fn write_decimal(mut n: u64, space: &mut [u8; 20]) -> &[u8] {
    let mut at = space.len();
    loop {
        at -= 1;
        space[at] = b'0' + low_byte(n % 10);
        n /= 10;
        if n == 0 {
            return &space[at..];
        }
    }
}

/// `n` in lower-case hexadecimal, written to the end of `space`.
pub(crate) fn write_hex(mut n: u64, space: &mut [u8; 16]) -> &[u8] {
    let mut at = space.len();
    loop {
        at -= 1;
        let digit = low_byte(n & 0xf);
        space[at] = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
        n >>= 4;
        if n == 0 {
            return &space[at..];
        }
    }
}

const fn low_byte(n: u64) -> u8 {
    n.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use std::{format, string::ToString};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_are_digits_and_nothing_else() {
        for bad in [
            "", "+5", "-0", "-5", " 5", "5 ", "5\r", "\t5", "0x5", "5h", "1_000", "1,000", "5.0", "1e3", "٣", "5\0",
            ":", "/",
        ] {
            assert_eq!(decimal(bad.as_bytes()), None, "{bad:?}");
        }
        for (good, n) in [("0", 0), ("5", 5), ("007", 7), ("18446744073709551615", u64::MAX)] {
            assert_eq!(decimal(good.as_bytes()), Some(n));
        }
        assert_eq!(decimal(&[b'0'; 1000]), Some(0));
        for over in ["18446744073709551616", "18446744073709551620", "99999999999999999999", "100000000000000000000"] {
            assert_eq!(decimal(over.as_bytes()), None, "{over}");
        }
    }

    #[test]
    fn every_byte_is_a_hex_digit_or_none() {
        for b in 0..=u8::MAX {
            let expected = char::from(b).to_digit(16).map(|digit| u8::try_from(digit).unwrap());
            assert_eq!(hex_digit(b), expected);
        }
    }

    proptest! {
        #[test]
        fn written_as_the_formatter_would(n in any::<u64>(), shift in 0..64_u32) {
            let n: u64 = n >> shift;
            let (decimal_digits, hex_digits) = (n.to_string(), format!("{n:x}"));
            prop_assert!(write_decimal(n, &mut [0; 20]) == decimal_digits.as_bytes());
            prop_assert!(write_hex(n, &mut [0; 16]) == hex_digits.as_bytes());
            prop_assert_eq!(decimal(decimal_digits.as_bytes()), Some(n));
        }
    }

    #[test]
    fn the_ends_of_the_range_are_written() {
        assert_eq!(write_decimal(0, &mut [0; 20]), b"0");
        assert_eq!(write_decimal(u64::MAX, &mut [0; 20]), b"18446744073709551615");
        assert_eq!(write_hex(0, &mut [0; 16]), b"0");
        assert_eq!(write_hex(u64::MAX, &mut [0; 16]), b"ffffffffffffffff");
    }
}
