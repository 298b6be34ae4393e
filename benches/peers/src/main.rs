//! `cargo run --release --manifest-path benches/peers/Cargo.toml -- <area|all> [case substring] [peer substring]`
//!
//! hopwire beside its peers, each driven in memory through its public API. One line for each case and peer:
//! `area case peer median_ns ratio allocs`, where ratio = peer's median / hopwire's median of the same run.
//! README.md beside this crate says how to read them.

#[cfg(feature = "accept_key")]
mod accept_key;
#[cfg(feature = "broadcast")]
mod broadcast;
#[cfg(feature = "client_exchange")]
mod client_exchange;
#[cfg(feature = "deflate")]
mod deflate;
#[cfg(feature = "forward")]
mod forward;
#[cfg(feature = "http_chunked")]
mod http_chunked;
#[cfg(feature = "http_exchange")]
mod http_exchange;
#[cfg(feature = "http_head")]
mod http_head;
#[cfg(feature = "inflate")]
mod inflate;
#[cfg(feature = "response_head")]
mod response_head;
#[cfg(feature = "sse_decode")]
mod sse_decode;
#[cfg(feature = "sse_encode")]
mod sse_encode;
#[cfg(feature = "ws_handshake")]
mod ws_handshake;
#[cfg(feature = "ws_mem")]
mod ws_mem;
#[cfg(feature = "ws_recv")]
mod ws_recv;
#[cfg(feature = "ws_send")]
mod ws_send;

// Shared by the areas; an official binary holds one of them, and that one uses a part of these.
#[cfg_attr(not(feature = "all"), allow(dead_code))]
mod harness;
#[cfg(any(feature = "http_exchange", feature = "ws_mem"))]
#[cfg_attr(not(feature = "all"), allow(dead_code))]
mod hyper_mem;
#[cfg_attr(not(feature = "all"), allow(dead_code))]
mod inputs;
#[cfg_attr(not(feature = "all"), allow(dead_code))]
mod memio;
#[cfg(any(feature = "deflate", feature = "inflate"))]
#[path = "../../texts/mod.rs"]
mod texts;

#[global_allocator]
static ALLOCATOR: harness::Counting = harness::Counting;

const AREAS: &[(&str, fn())] = &[
    #[cfg(feature = "forward")]
    ("forward", forward::run),
    #[cfg(feature = "http_head")]
    ("http_head", http_head::run),
    #[cfg(feature = "http_exchange")]
    ("http_exchange", http_exchange::run),
    #[cfg(feature = "http_chunked")]
    ("http_chunked", http_chunked::run),
    #[cfg(feature = "response_head")]
    ("response_head", response_head::run),
    #[cfg(feature = "client_exchange")]
    ("client_exchange", client_exchange::run),
    #[cfg(feature = "ws_recv")]
    ("ws_recv", ws_recv::run),
    #[cfg(feature = "ws_send")]
    ("ws_send", ws_send::run),
    #[cfg(feature = "ws_handshake")]
    ("ws_handshake", ws_handshake::run),
    #[cfg(feature = "ws_mem")]
    ("ws_mem", ws_mem::run),
    #[cfg(feature = "broadcast")]
    ("broadcast", broadcast::run),
    #[cfg(feature = "sse_decode")]
    ("sse_decode", sse_decode::run),
    #[cfg(feature = "sse_encode")]
    ("sse_encode", sse_encode::run),
    #[cfg(feature = "accept_key")]
    ("accept_key", accept_key::run),
    #[cfg(feature = "deflate")]
    ("deflate", deflate::run),
    #[cfg(feature = "inflate")]
    ("inflate", inflate::run),
];

fn main() -> std::process::ExitCode {
    let want = std::env::args().nth(1).unwrap_or_default();
    let wanted: Vec<_> = AREAS.iter().filter(|(name, _)| want == "all" || want == *name).collect();
    if wanted.is_empty() {
        eprintln!("areas: all {}", AREAS.iter().map(|a| a.0).collect::<Vec<_>>().join(" "));
        return 2.into();
    }
    for (_, run) in wanted {
        run();
    }
    harness::verdict()
}
