//! What the fuzz targets do with their input, as plain functions: `cargo test` runs them over the seeds too.
//!
//! Each asserts more than that nothing panics: the outcome is the same however the input is cut, an obvious reader
//! of the same input (the twin) agrees, work is bounded by input, and what goes out is well-formed.
#![allow(dead_code, reason = "each target uses its own part")]
#![allow(unreachable_pub, reason = "modules of a test say `pub` to their siblings")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a fuzz body fails by panicking")]
#![allow(clippy::cast_possible_truncation, reason = "lengths that were just looked at")]

pub mod chunked;
pub mod client;
pub mod compress;
pub mod cursor;
pub mod forward;
pub mod handshake;
pub mod handshake_client;
pub mod http1_server;
pub mod inflate;
pub mod relay;
pub mod request_head;
pub mod sse_decode;
pub mod sse_encode;
pub mod utf8;
pub mod ws_connection;
pub mod ws_deflate;
pub mod ws_frames;

#[path = "../../tests/support/dialogue.rs"]
mod dialogue;
#[path = "../../tests/ws/driver.rs"]
mod driver;
#[path = "../../tests/support/exchange.rs"]
mod exchange;
#[path = "../../tests/ws/naive.rs"]
mod naive;
#[path = "../../tests/support/prng.rs"]
mod prng;

pub use prng::Prng;

/// A target: its name and what it runs.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("chunked", chunked::run),
    ("client", client::run),
    ("compress", compress::run),
    ("cursor", cursor::run),
    ("forward", forward::run),
    ("handshake", handshake::run),
    ("handshake_client", handshake_client::run),
    ("http1_server", http1_server::run),
    ("inflate", inflate::run),
    ("relay", relay::run),
    ("request_head", request_head::run),
    ("sse_decode", sse_decode::run),
    ("sse_encode", sse_encode::run),
    ("utf8", utf8::run),
    ("ws_connection", ws_connection::run),
    ("ws_deflate", ws_deflate::run),
    ("ws_frames", ws_frames::run),
];

/// Some ways to cut `data` into pieces: byte by byte while that is cheap, in two, and in many.
pub fn feeds(data: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut prng = Prng::of(data);
    let mut feeds = vec![vec![data]];
    if data.len() <= 4096 {
        feeds.push(data.chunks(1).collect());
    }
    let (front, back) = data.split_at(prng.below(data.len() + 1));
    feeds.push(vec![front, back]);
    let mut rest = data;
    let mut pieces = Vec::new();
    let most = 1 + prng.below(64);
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(prng.below(most + 1).min(rest.len()));
        pieces.push(piece);
        rest = later;
    }
    feeds.push(pieces);
    feeds
}

/// `token` of RFC 9110 §5.6.2, by the book.
pub fn is_token(bytes: &[u8]) -> bool {
    let is_tchar = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    !bytes.is_empty() && bytes.iter().all(is_tchar)
}

/// A field line without its CRLF (RFC 9112 §5): its name and its value without the white space around it.
pub fn field_line(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|&b| b == b':')?;
    let (name, value) = (&line[..colon], trim(&line[colon + 1..]));
    let is_field_byte = |b: &u8| matches!(b, b'\t' | b' '..=b'~' | 0x80..);
    (is_token(name) && value.iter().all(is_field_byte)).then_some((name, value))
}

/// `bytes` without the spaces and tabs at its ends.
pub fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Cuts at CRLF; `None` where a CR or an LF stands alone.
pub fn crlf_lines(text: &[u8]) -> Option<Vec<&[u8]>> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(2).position(|two| two == b"\r\n") {
        lines.push(&rest[..at]);
        rest = &rest[at + 2..];
    }
    let alone = lines.iter().any(|line| line.contains(&b'\r') || line.contains(&b'\n'));
    (rest.is_empty() && !alone).then_some(lines)
}
