//! Calls that are wrong where they are made.

use core::fmt;

use crate::sse;

/// Why nothing was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Misuse {
    /// The event cannot be encoded.
    Event(sse::Misuse),
    /// Its type is one the feed itself uses ([`RESET`](super::RESET), [`SNAPSHOT`](super::SNAPSHOT)).
    Reserved,
    /// It is longer than all the log may keep.
    TooLong,
    /// The log is closed.
    Closed,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(misuse) => misuse.fmt(f),
            Self::Reserved => f.write_str("a type of event that the feed itself uses"),
            Self::TooLong => f.write_str("an event longer than the log may keep"),
            Self::Closed => f.write_str("the log is closed"),
        }
    }
}

impl core::error::Error for Misuse {}
