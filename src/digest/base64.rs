//! Base64 (RFC 4648 §4).
