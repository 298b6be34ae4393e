//! DEFLATE (RFC 1951): compressed data as a sequence of bits, in blocks. No frame around it (zlib, gzip), no checksum.
//!
//! Everything here is plain data that owns no heap: box it, pool it, share one per thread, keep it in a static.
//!
//! | looking for | open |
//! |---|---|
//! | the constants of the format, for both directions | tables |
//! | what can be wrong with compressed data | error |

mod error;
mod tables;

pub use error::{Alphabet, InflateError};
