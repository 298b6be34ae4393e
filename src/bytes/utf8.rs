//! UTF-8 in pieces (RFC 3629): every byte is judged as soon as it is there.

/// How much of `bytes` is whole, valid UTF-8.
///
/// `Ok(n)`: the first `n` bytes are valid, and the rest (at most 3 bytes) can still become one code point.
/// `Err(n)`: the first `n` bytes are valid, and an ill-formed sequence starts at `n`, whatever follows.
pub fn check(bytes: &[u8]) -> Result<usize, usize> {
    match core::str::from_utf8(bytes) {
        Ok(_) => Ok(bytes.len()),
        Err(e) if e.error_len().is_none() => Ok(e.valid_up_to()),
        Err(e) => Err(e.valid_up_to()),
    }
}
