//! Content on its way in: how much is still to come, and in what form (RFC 9112 §6). Both sides receive it alike.

use super::chunked::{Decoder, Piece};
use super::framing::ResponseLength;
use super::head::HeadLimits;
use super::violation::{Limit, Violation};
use crate::io::Rx;

/// What the next received byte belongs to.
#[derive(Debug)]
pub(super) enum Incoming<H> {
    Head(H),
    Content(Unread),
    /// Nothing that is read now.
    Nothing,
}

/// What is left of the content of the message that has begun.
#[derive(Debug)]
pub(super) enum Unread {
    /// So many more bytes.
    Exact(u64),
    Chunked(Decoder),
    /// Until the connection is closed, at most so many more bytes.
    UntilClose(u64),
}

impl Unread {
    /// All of it; more than `max_body` bytes are refused, those that are declared at once.
    #[inline]
    pub(super) fn new(length: impl Into<ResponseLength>, max_body: u64, max_chunk_ext: u32) -> Result<Self, Violation> {
        match length.into() {
            ResponseLength::None => Ok(Self::Exact(0)),
            ResponseLength::Length(length) if length > max_body => Err(Violation::Limit(Limit::Body)),
            ResponseLength::Length(length) => Ok(Self::Exact(length)),
            ResponseLength::Chunked => Ok(Self::Chunked(Decoder::new(max_body, max_chunk_ext))),
            ResponseLength::UntilClose => Ok(Self::UntilClose(max_body)),
        }
    }

    /// The next piece; `None`: more input is needed. `limits` bound a trailer section.
    #[inline]
    pub(super) fn poll<'b>(&mut self, rx: &mut Rx<'b>, limits: &HeadLimits) -> Result<Option<Piece<'b>>, Violation> {
        let (left, end) = match self {
            Self::Chunked(decoder) => return decoder.poll(rx, limits),
            Self::Exact(0) => return Ok(Some(Piece::End)),
            Self::Exact(left) => (left, Err(Violation::Eof)),
            Self::UntilClose(0) if !rx.bytes().is_empty() => return Err(Violation::Limit(Limit::Body)),
            Self::UntilClose(left) => (left, Ok(Some(Piece::End))),
        };
        let data = rx.take(usize::try_from(*left).unwrap_or(usize::MAX));
        *left -= data.len() as u64;
        match data.is_empty() {
            false => Ok(Some(Piece::Data(data))),
            true if rx.is_last() => end,
            true => Ok(None),
        }
    }
}
