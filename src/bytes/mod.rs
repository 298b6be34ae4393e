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

/// Tests count the bytes looked at.
#[cfg(not(test))]
pub(crate) const fn looked_at(_: usize) {}

#[cfg(test)]
pub(crate) fn looked_at(n: usize) {
    LOOKED_AT.with(|sum| sum.set(sum.get() + n));
}

#[cfg(test)]
std::thread_local! {
    pub(crate) static LOOKED_AT: core::cell::Cell<usize> = const { core::cell::Cell::new(0) };
}
