//! Server-Sent Events. Looking for the vectors? `vectors`. For limits and what hostile streams do? `limits`. For any
//! stream at any split? `properties`. For the client? `source`. For the specification word by word? `naive`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "modules of a test say `pub` to their siblings")]

#[path = "../support/mod.rs"]
mod support;

mod driver;
mod limits;
mod naive;
mod properties;
mod source;
mod vectors;
