//! What can be wrong with compressed data.

use core::fmt;

/// Why data is not DEFLATE, or not within the window (RFC 1951). It is final: the same is said again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InflateError {
    /// BTYPE is 11, which is reserved (§3.2.3).
    BlockType,
    /// NLEN of a stored block is not the complement of LEN (§3.2.4).
    StoredLength,
    /// HLIT declares more than 286 literal/length codes (§3.2.7).
    LiteralCount,
    /// HDIST declares more than the 30 distance codes that have a meaning (§3.2.7).
    DistanceCount,
    /// The first code length repeats the one before it (§3.2.7).
    RepeatOfNothing,
    /// A repeated code length goes on behind the last code (§3.2.7).
    RepeatTooLong,
    /// More codes than their lengths have room for (§3.2.2).
    OverSubscribed(Alphabet),
    /// Bits are left over that no code begins with, and this is not a single code of one bit (§3.2.7).
    UnderSubscribed(Alphabet),
    /// The end of the block has no code (§3.2.7).
    NoEndOfBlock,
    /// A symbol that must not occur (286, 287; 30, 31), or bits that are no code.
    Symbol(Alphabet),
    /// A distance beyond the window, or beyond the beginning of the output (§3.2.3).
    Distance,
}

/// What a Huffman code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alphabet {
    /// The lengths of the codes of the other two.
    CodeLength,
    /// Literals, the end of the block, and lengths.
    Literal,
    /// Distances.
    Distance,
}

impl fmt::Display for InflateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BlockType => f.write_str("reserved block type"),
            Self::StoredLength => f.write_str("length of a stored block and its complement differ"),
            Self::LiteralCount => f.write_str("more than 286 literal/length codes"),
            Self::DistanceCount => f.write_str("more than 30 distance codes"),
            Self::RepeatOfNothing => f.write_str("repeat without a code length before it"),
            Self::RepeatTooLong => f.write_str("repeat behind the last code length"),
            Self::OverSubscribed(alphabet) => write!(f, "{alphabet} code over-subscribed"),
            Self::UnderSubscribed(alphabet) => write!(f, "{alphabet} code incomplete"),
            Self::NoEndOfBlock => f.write_str("no code for the end of the block"),
            Self::Symbol(alphabet) => write!(f, "bad {alphabet} symbol"),
            Self::Distance => f.write_str("distance too far back"),
        }
    }
}

impl fmt::Display for Alphabet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CodeLength => "code length",
            Self::Literal => "literal/length",
            Self::Distance => "distance",
        })
    }
}

impl core::error::Error for InflateError {}
