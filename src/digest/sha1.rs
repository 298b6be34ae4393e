//! SHA-1 (RFC 3174).
