//! The inflater against a naive twin, every split, every size of output, and the data its peers fell to.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "a module of a test crate is reachable by nobody, and says `pub` to its siblings")]
#![allow(clippy::cast_possible_truncation, reason = "numbers that were just looked at")]

mod attacks;
mod driver;
mod errors;
mod naive;
mod properties;
mod streams;
mod window;
