//! Content on its way out: how much may still come, and in what form (RFC 9112 §6). Both sides send it alike.

use super::emit;
use super::misuse::Misuse;
use crate::io::{Full, SendError, Tx};

/// The content of the message that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// So many more bytes.
    Exact(u64),
    /// `crlf_owed`: the caller writes the last chunk's data, so its CRLF is not written yet.
    Chunked { crlf_owed: bool },
    /// Until the connection is closed.
    UntilClose,
    /// Counted and not sent (HEAD, 304): so many more bytes, if that was declared.
    Muted(Option<u64>),
}

impl Content {
    /// In chunks, none of them written yet.
    pub(crate) const CHUNKED: Self = Self::Chunked { crlf_owed: false };

    /// Sends all of `data`, or as much as fits; how much that was. Nothing fits: [`Full`].
    #[inline]
    pub(crate) fn put(&mut self, data: &[u8], tx: &mut Tx<'_>) -> Result<usize, SendError<Misuse>> {
        if data.is_empty() {
            return Ok(0);
        }
        match self {
            Self::Chunked { crlf_owed } => {
                let taken = emit::chunk(data, *crlf_owed, tx)?;
                *crlf_owed = false;
                Ok(taken)
            }
            Self::UntilClose => Ok(put_some(data, tx)?),
            Self::Exact(left) => {
                let left_after = after(*left, data.len() as u64)?;
                let taken = put_some(data, tx)?;
                *left = left_after + (data.len() - taken) as u64;
                Ok(taken)
            }
            Self::Muted(left) => {
                if let Some(left) = left {
                    *left = after(*left, data.len() as u64)?;
                }
                Ok(data.len())
            }
        }
    }

    /// Announces `len` bytes that the caller writes; how many of them it is to write.
    pub(crate) fn prefix(&mut self, len: u64, tx: &mut Tx<'_>) -> Result<u64, SendError<Misuse>> {
        match self {
            _ if len == 0 => Ok(0),
            Self::UntilClose => Ok(len),
            Self::Chunked { crlf_owed } => {
                emit::chunk_head(len, *crlf_owed, tx)?;
                *crlf_owed = true;
                Ok(len)
            }
            Self::Exact(left) => {
                *left = after(*left, len)?;
                Ok(len)
            }
            Self::Muted(left) => {
                if let Some(left) = left {
                    *left = after(*left, len)?;
                }
                Ok(0)
            }
        }
    }

    /// Ends the chunk of the last [`prefix`](Self::prefix), if that needs anything.
    pub(crate) fn suffix(&mut self, tx: &mut Tx<'_>) -> Result<(), Full> {
        if let Self::Chunked { crlf_owed: crlf_owed @ true } = self {
            tx.put(b"\r\n")?;
            *crlf_owed = false;
        }
        Ok(())
    }

    /// Writes what ends the message.
    #[inline]
    pub(crate) fn end(&self, trailers: emit::FieldList<'_>, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        match *self {
            Self::Exact(left) if left > 0 => Err(SendError::Misuse(Misuse::ShortOfLength)),
            Self::Exact(_) | Self::Muted(Some(_)) if !trailers.is_empty() => Err(SendError::Misuse(Misuse::Trailer)),
            Self::Chunked { crlf_owed } => emit::last_chunk(trailers, crlf_owed, tx),
            Self::Exact(_) | Self::UntilClose | Self::Muted(_) => Ok(()),
        }
    }
}

fn after(left: u64, len: u64) -> Result<u64, SendError<Misuse>> {
    left.checked_sub(len).ok_or(SendError::Misuse(Misuse::PastLength))
}

/// As much of `data` as fits, which is not empty; never 0.
#[inline]
fn put_some(data: &[u8], tx: &mut Tx<'_>) -> Result<usize, Full> {
    let len = data.len().min(tx.room()).max(1);
    tx.put(&data[..len])?;
    Ok(len)
}
