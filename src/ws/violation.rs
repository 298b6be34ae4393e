//! What a peer can do wrong, and the Close that is sent for it.

use core::fmt;

use super::CloseCode;

/// Why the connection failed (§7.1.7). The engine stays in this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Violation {
    /// A reserved bit is set and no extension gives it a meaning (§5.2).
    ReservedBit,
    /// A reserved opcode: 3 to 7, 11 to 15 (§5.2).
    Opcode,
    /// A control frame without FIN (§5.5).
    ControlFragment,
    /// A control frame of more than 125 bytes (§5.5).
    ControlLength,
    /// A frame to a server that is not masked (§5.1).
    Unmasked,
    /// A frame to a client that is masked (§5.1).
    Masked,
    /// A length not written in its shortest form (§5.2).
    LengthForm,
    /// A length of 2^63 or more (§5.2).
    LengthRange,
    /// A continuation with nothing to continue (§5.4).
    Continuation,
    /// A new message inside an unfinished one (§5.4).
    Interleaved,
    /// A Close with a body of one byte (§5.5.1).
    CloseLength,
    /// A Close with a code that must not be on the wire (§7.4).
    CloseCode,
    /// Text, or the reason of a Close, that is not UTF-8 (§8.1).
    Utf8,
    /// Compressed data that is not DEFLATE, or ends inside a block (RFC 7692 §7.2.2).
    Deflate,
    /// A limit of the configuration is passed.
    Limit(Limit),
    /// The peer stopped writing without a Close (§7.1.5: 1006).
    Eof,
    /// The peer did not answer our Close in time (1006).
    Timeout,
    /// The peer did not answer our ping in time (1006).
    Silent,
    /// The peer stopped inside a message.
    Stalled,
}

/// Which limit was passed: 1009 for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// [`Config::max_frame`](super::Config::max_frame).
    Frame,
    /// [`Config::max_message`](super::Config::max_message).
    Message,
    /// [`Config::max_fragments`](super::Config::max_fragments).
    Fragments,
    /// [`Config::max_ratio`](super::Config::max_ratio).
    Ratio,
    /// A buffer of the caller's is too small: to receive a control frame in, or to [inflate](super::deflate::Receiver::inflate) to.
    Buffer,
}

impl Violation {
    /// The code of the Close frame that is sent for it; `None` where none can be: the peer is gone.
    pub const fn close_code(self) -> Option<CloseCode> {
        match self {
            Self::Utf8 => Some(CloseCode::INVALID_DATA),
            Self::Limit(_) => Some(CloseCode::TOO_BIG),
            Self::Stalled => Some(CloseCode::POLICY),
            Self::Eof | Self::Timeout | Self::Silent => None,
            _ => Some(CloseCode::PROTOCOL_ERROR),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReservedBit => "reserved bit without an extension",
            Self::Opcode => "reserved opcode",
            Self::ControlFragment => "control frame fragmented",
            Self::ControlLength => "control frame longer than 125 bytes",
            Self::Unmasked => "frame from a client not masked",
            Self::Masked => "frame from a server masked",
            Self::LengthForm => "length not in its shortest form",
            Self::LengthRange => "length of 2^63 or more",
            Self::Continuation => "continuation without a message",
            Self::Interleaved => "new message inside an unfinished one",
            Self::CloseLength => "Close with a body of one byte",
            Self::CloseCode => "Close with a code that must not be sent",
            Self::Utf8 => "text is not UTF-8",
            Self::Deflate => "compressed data is broken",
            Self::Limit(Limit::Ratio) => "compressed data inflates too much",
            Self::Limit(Limit::Frame) => "frame too big",
            Self::Limit(Limit::Message) => "message too big",
            Self::Limit(Limit::Fragments) => "message of too many fragments",
            Self::Limit(Limit::Buffer) => "buffer too small for a control frame or a code point",
            Self::Eof => "end of input without a Close",
            Self::Timeout => "no Close in time",
            Self::Silent => "no answer to a ping in time",
            Self::Stalled => "a message made no progress",
        })
    }
}

impl core::error::Error for Violation {}
