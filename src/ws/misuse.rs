//! Calls that are wrong where they are made.

use core::fmt;

use crate::io::SendError;

/// Why a `send_*` call is wrong here, whatever room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Misuse {
    /// A Close was sent or received, or the connection failed: nothing may follow.
    Closed,
    /// A message in fragments is unfinished, and this is not its next fragment.
    Interleaved,
    /// A ping or pong carries at most 125 bytes.
    ControlLength,
    /// The reason of a Close has at most 123 bytes.
    ReasonLength,
    /// A payload has fewer than 2^63 bytes.
    LengthRange,
    /// Compression was not negotiated.
    Compression,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the connection is closed for sending",
            Self::Interleaved => "another message is unfinished",
            Self::ControlLength => "more than 125 bytes in a ping or pong",
            Self::ReasonLength => "more than 123 bytes of reason",
            Self::LengthRange => "a payload of 2^63 bytes or more",
            Self::Compression => "compression was not negotiated",
        })
    }
}

impl core::error::Error for Misuse {}

impl From<Misuse> for SendError<Misuse> {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}
