//! The WebSocket connection against vectors, a naive twin, every split, and the attacks its peers fell to.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "a module of a test crate is reachable by nobody, and says `pub` to its siblings")]
#![allow(clippy::cast_possible_truncation, reason = "lengths that were just looked at")]

mod attacks;
mod deflate;
mod driver;
mod naive;
mod properties;
mod receive;
mod send;
#[cfg(feature = "alloc")]
mod session;
#[cfg(feature = "alloc")]
mod simulation;
#[path = "../support/mod.rs"]
mod support;
mod time;
mod vectors;
