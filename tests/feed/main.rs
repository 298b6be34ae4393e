//! The feed. Looking for a network that does its worst, under virtual time? `model`. For the history's bounds? `log`. For
//! the server's side of polls, their memory and what they cost? `hold`. For the client's? `pull`.
#![cfg(feature = "alloc")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "modules of a test say `pub` to their siblings")]

mod hold;
mod log;
mod model;
#[path = "../support/prng.rs"]
mod prng;
mod pull;
