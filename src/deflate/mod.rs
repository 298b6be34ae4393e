//! DEFLATE (RFC 1951): compressed data as a sequence of bits, in blocks. No frame around it (zlib, gzip), no checksum.
//!
//! Everything here is plain data that owns no heap: box it, pool it, share one per thread, keep it in a static.
//!
//! | looking for | open |
//! |---|---|
//! | decompressing | [`Inflater`], [`Decoder`] |
//! | bits of the input, Huffman codes as tables, what matches copy from | `bits`, `huffman`, [`Window`] |
//! | compressing | [`Deflater`], [`Encoder`] |
//! | what matches point at; finding them; what a block says; its bits; codes for frequencies; bits of the output | [`History`], `matcher`, `symbols`, `block`, `prefix`, `sink` |
//! | the constants of the format, for both directions | `tables` |
//! | what can be wrong with compressed data | [`InflateError`] |

mod bits;
mod block;
mod compress;
mod error;
mod history;
mod huffman;
mod inflate;
mod matcher;
mod prefix;
mod sink;
mod symbols;
mod tables;
mod window;

pub use compress::{Deflater, Encoder, Flush, Level};
pub use error::{Alphabet, InflateError};
pub use history::History;
pub use inflate::{Decoder, Inflater};
pub use window::Window;

/// What one call did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Progress {
    /// How many bytes of the input were used. The others are to be presented again.
    pub consumed: usize,
    /// How many bytes stand at the beginning of the output. What is behind them has no meaning, and may have changed.
    pub produced: usize,
    /// Why it did no more.
    pub status: Status,
}

/// Why a call came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All input was used. What an inflater has read of it is all in the output; a deflater has written what the
    /// [`Flush`] asks for.
    Input,
    /// The output is full, and more belongs there. (Or an inflater would write no more, and its next call says why.)
    Output,
    /// The stream is over: the block with BFINAL. An inflater goes on with [`Inflater::next_stream`] alone.
    End,
}
