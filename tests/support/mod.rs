//! What the integration tests share. Looking for an HTTP/1.1 server on a wire in memory? `exchange`. For a client? `dialogue`. For the vectors' reader and runner? `vectors`. For JSON? `json`. For numbers that look random? `prng`.
//!
//! Every test file is a crate of its own and uses its own part of this.
#![allow(dead_code, reason = "each test crate uses its own part")]
#![allow(unreachable_pub, reason = "a module of a test crate is reachable by nobody, and says `pub` to its siblings")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

pub mod dialogue;
pub mod exchange;
pub mod json;
pub mod prng;
pub mod vectors;

use std::io::Write;

/// Writes a line past the test harness's capture, so that counts are seen when tests pass.
pub fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // A closed stdout is no reason to fail a test.
    let _ = writeln!(out, "{line}");
}

/// The bytes that `hex` spells.
pub fn unhex(hex: &str) -> Vec<u8> {
    assert!(hex.len().is_multiple_of(2) && hex.is_ascii(), "not hex: {hex:.40}");
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("two hex digits")).collect()
}

/// `bytes` in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `bytes` for a person: escaped, and cut after 200.
pub fn show(bytes: &[u8]) -> String {
    let more = if bytes.len() > 200 { format!("… ({} bytes)", bytes.len()) } else { String::new() };
    format!("\"{}\"{more}", bytes[..bytes.len().min(200)].escape_ascii())
}
