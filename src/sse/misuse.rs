//! Calls that are wrong where they are made.

use core::fmt;

use crate::io::SendError;

/// Why nothing was written, or set: a reader would take it for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Misuse {
    /// CR or LF in the type or the id of an event: the rest would be a field of its own.
    LineEnd,
    /// NUL in the type or the id of an event: a reader ignores such an id.
    Nul,
    /// An id with white space at its ends or with controls: it would come back changed, or not at all.
    IdUnsafe,
    /// An id longer than [`MAX_ID`](super::MAX_ID), or than there is room for.
    IdLength,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LineEnd => "a line end in the type or the id of an event",
            Self::Nul => "NUL in the type or the id of an event",
            Self::IdUnsafe => "an id that does not survive as a field value",
            Self::IdLength => "an id that is too long",
        })
    }
}

impl core::error::Error for Misuse {}

impl From<Misuse> for SendError<Misuse> {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}
