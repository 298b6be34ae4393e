//! What a connection delivers.

use super::{CloseCode, Kind};
use crate::bytes::Text;

/// What was received. A message comes in one or more pieces, the last of which says `end`.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'b> {
    /// A piece of a text message, whole code points only. Empty only if it ends the message.
    Text {
        /// The piece.
        text: Text<'b>,
        /// Whether the message ends with it.
        end: bool,
    },
    /// A piece of a binary message. Empty only if it ends the message.
    Binary {
        /// The piece, the caller's to change.
        data: &'b mut [u8],
        /// Whether the message ends with it.
        end: bool,
    },
    /// A piece of a compressed message (RFC 7692), as it was sent: for [`deflate`](super::deflate). Empty only if it ends the message.
    Compressed {
        /// What the message is made of.
        kind: Kind,
        /// The piece, the caller's to change.
        data: &'b mut [u8],
        /// Whether the message ends with it.
        end: bool,
    },
    /// A ping; the pong is already in `tx`, unless `Config::auto_pong` is off.
    Ping(&'b [u8]),
    /// A pong, asked for or not.
    Pong(&'b [u8]),
    /// The peer's Close, the last event; its answer is already in `tx`.
    Close {
        /// `None` when the frame had no body (1005 in other APIs).
        code: Option<CloseCode>,
        /// Why, in the peer's words.
        reason: Text<'b>,
    },
}
