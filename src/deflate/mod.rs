//! DEFLATE (RFC 1951): compressed data as a sequence of bits, in blocks. No frame around it (zlib, gzip), no checksum.
//!
//! Everything here is plain data that owns no heap: box it, pool it, share one per thread, keep it in a static.
//!
//! | looking for | open |
//! |---|---|
//! | decompressing | [`Inflater`], [`Decoder`] |
//! | bits of the input, Huffman codes as tables, what matches copy from | `bits`, `huffman`, [`Window`] |
//! | compressing | [`Compressor`], [`Encoder`] |
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

pub use compress::{Compressor, Encoder, Flush, Level, Progress};
pub use error::{Alphabet, InflateError};
pub use history::History;
pub use inflate::{Decoder, Inflated, Inflater};
pub use window::Window;

/// Why a call came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// More input is needed.
    Input,
    /// The output is full.
    Output,
    /// Over.
    End,
}
