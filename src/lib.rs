//! The real-time web's wire protocols as pure state machines.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod bytes;
pub mod digest;
mod entropy;
pub mod http;
pub mod http1;
pub mod io;
pub mod time;
pub mod ws;

pub use entropy::Entropy;
