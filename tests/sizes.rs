//! An idle connection costs its struct and nothing else.

use std::mem::needs_drop;

use hopwire::{http1, ws};

#[test]
fn engines_fit_in_256_bytes() {
    assert!(size_of::<http1::Server>() <= 256, "http1::Server: {}", size_of::<http1::Server>());
    assert!(size_of::<ws::Connection<ws::Server>>() <= 256, "ws: {}", size_of::<ws::Connection<ws::Server>>());
}

/// What owns heap must free it.
#[test]
fn engines_own_no_heap() {
    assert!(!needs_drop::<http1::Server>());
    assert!(!needs_drop::<ws::Connection<ws::Server>>());
    assert!(!needs_drop::<http1::RequestHead>());
    assert!(!needs_drop::<http1::chunked::Decoder>());
}
