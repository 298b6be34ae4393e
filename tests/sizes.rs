//! An idle connection costs its struct and nothing else.

use std::mem::needs_drop;

use hopwire::deflate::{Decoder, Inflater, Window};
use hopwire::{Entropy, http, http1, sse, ws};

struct Keys([u64; 4]);

impl Entropy for Keys {
    fn fill(&mut self, dest: &mut [u8]) {
        dest.fill(self.0[0].to_le_bytes()[0]);
    }
}

#[test]
fn engines_fit_in_256_bytes() {
    assert!(size_of::<http1::Server>() <= 256, "http1::Server: {}", size_of::<http1::Server>());
    assert_eq!(size_of::<Option<http::HttpDate>>(), size_of::<http::HttpDate>(), "to have no date costs no space");
    assert!(size_of::<http1::Client>() <= 256, "http1::Client: {}", size_of::<http1::Client>());
    assert!(size_of::<ws::Connection<ws::Server>>() <= 256, "ws: {}", size_of::<ws::Connection<ws::Server>>());
    // With 32 bytes of state for the mask keys: those of a small generator.
    assert!(
        size_of::<ws::Connection<ws::Client<Keys>>>() <= 256,
        "ws client: {}",
        size_of::<ws::Connection<ws::Client<Keys>>>()
    );
    assert!(size_of::<sse::Decoder<0>>() <= 192, "sse: {}", size_of::<sse::Decoder<0>>());
    assert_eq!(size_of::<sse::Decoder>(), size_of::<sse::Decoder<0>>() + sse::MAX_ID);
}

/// What owns heap must free it.
#[test]
fn engines_own_no_heap() {
    assert!(!needs_drop::<http1::Server>());
    assert!(!needs_drop::<http1::Client>());
    assert!(!needs_drop::<ws::Connection<ws::Server>>());
    assert!(!needs_drop::<ws::Connection<ws::Client<Keys>>>());
    assert!(!needs_drop::<sse::Decoder>());
    assert!(!needs_drop::<http1::RequestHead>());
    assert!(!needs_drop::<http1::ResponseHead>());
    assert!(!needs_drop::<http1::chunked::Decoder>());
}

/// What a history keeps is the window; an encoder adds the table, three times the window in all, and a fixed part.
#[test]
fn a_deflater_fits_in_128_kib() {
    use hopwire::deflate::{Deflater, Encoder, History};

    assert!(size_of::<Deflater>() <= 128 << 10, "{}", size_of::<Deflater>());
    fn check<const WINDOW: usize>() {
        let (history, encoder) = (size_of::<History<[u8; WINDOW]>>(), size_of::<Encoder<WINDOW>>());
        assert!(history <= WINDOW + 20, "{WINDOW}: {history}");
        assert!(encoder <= 2 * WINDOW + (20 << 10), "{WINDOW}: {encoder}");
        assert_eq!(size_of::<Deflater<WINDOW>>(), (history + encoder).next_multiple_of(align_of::<u64>()));
        assert!(!needs_drop::<Deflater<WINDOW>>());
    }
    check::<512>();
    check::<4096>();
    check::<32768>();
}

/// What a stream costs: its window, and what a decoder needs in the middle of a block. zlib takes 40 to 48 KiB.
#[test]
fn an_inflater_fits_in_44_kib() {
    assert!(size_of::<Inflater>() <= 44 << 10, "Inflater: {}", size_of::<Inflater>());
    assert!(size_of::<Decoder>() <= 8 << 10, "Decoder: {}", size_of::<Decoder>());
    assert_eq!(size_of::<Window<[u8; 32768]>>(), 32768 + 2 * size_of::<usize>());
    assert_eq!(size_of::<Window<[u8; 256]>>(), 256 + 2 * size_of::<usize>());
    assert!(!needs_drop::<Inflater>());
}

/// A session, too: only what the other side's context demands is on the heap (tests/alloc.rs).
#[cfg(feature = "alloc")]
#[test]
fn a_session_is_small() {
    assert!(size_of::<ws::Session<ws::Server>>() <= 336, "{}", size_of::<ws::Session<ws::Server>>());
}
