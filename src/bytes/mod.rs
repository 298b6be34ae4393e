//! Bytes on their way in: byte classes, block scanning, strict numbers, streaming UTF-8.
//!
//! Looking for the fast search? `scan`. For which byte is allowed where? `table`. For numbers off the
//! wire? `num`. For UTF-8? [`utf8`]. For [`Text`] and [`Token`]? `text`.

#[allow(dead_code, reason = "used by HTTP framing and chunk sizes")]
pub(crate) mod num;
#[allow(dead_code, reason = "used by the head and chunk parsers")]
pub(crate) mod scan;
#[allow(dead_code, reason = "used by the head, target and list parsers")]
pub(crate) mod table;
mod text;
pub mod utf8;

pub use text::{Text, Token};
