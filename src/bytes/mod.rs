//! Bytes on their way in: byte classes, block scanning, strict numbers, streaming UTF-8.
//!
//! Looking for the fast search? `scan`, and `lanes`. For which byte is allowed where? `table`. For numbers off the
//! wire? `num`. For UTF-8? [`utf8`]. For [`Text`] and [`Token`]? `text`.

pub(crate) mod lanes;
pub(crate) mod num;
pub(crate) mod scan;
pub(crate) mod table;
mod text;
pub mod utf8;

pub use text::{Text, Token};
