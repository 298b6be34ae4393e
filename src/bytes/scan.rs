//! Searching a slice for the first byte outside (or inside) a class, 16 bytes at a time.

use super::table;

/// Offset of the first byte that is not a field value's (HTAB, SP, VCHAR, obs-text), or the length.
pub(crate) fn field_end(bytes: &[u8]) -> usize {
    bytes.iter().position(|&b| !table::is_field_byte(b)).unwrap_or(bytes.len())
}

/// Offset of the first byte that is not a `tchar`, or the length.
pub(crate) fn token_end(bytes: &[u8]) -> usize {
    bytes.iter().position(|&b| !table::is_tchar(b)).unwrap_or(bytes.len())
}

/// Offset of the first byte that is not visible ASCII (0x21 to 0x7e), or the length.
pub(crate) fn visible_end(bytes: &[u8]) -> usize {
    bytes.iter().position(|b| !b.is_ascii_graphic()).unwrap_or(bytes.len())
}

/// Offset of the first `needle`, or the length.
pub(crate) fn find(needle: u8, bytes: &[u8]) -> usize {
    bytes.iter().position(|&b| b == needle).unwrap_or(bytes.len())
}
