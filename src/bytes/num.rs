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
        space[at] = b'0' + (n % 10) as u8;
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
        space[at] = b"0123456789abcdef"[(n & 15) as usize];
        n >>= 4;
        if n == 0 {
            return &space[at..];
        }
    }
}
