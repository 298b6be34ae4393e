//! What a server can do wrong in its answer.

use core::{error, fmt};

/// Why a client fails the connection before it is open (§4.1). Nothing is sent: close the transport.
///
/// An answer that is no HTTP, or late, is a violation of [`http1::Client`](crate::http1::Client) already; so is a 101 whose
/// `Upgrade` and `Connection` do not name what was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Violation {
    /// A 101 in HTTP/1.0, which has no `Upgrade`.
    Version,
    /// `Upgrade` is missing, or its value is not `websocket`.
    Upgrade,
    /// `Connection` does not name `Upgrade`.
    Connection,
    /// `Sec-WebSocket-Accept` is missing, or is not made of our key: what answers does not speak WebSocket, or repeats an
    /// answer to somebody else.
    Accept,
    /// A field that must stand alone came more than once: `Sec-WebSocket-Accept`, `-Protocol` or `-Extensions`.
    Repeated,
    /// A subprotocol that was not offered, or several.
    Subprotocol,
    /// An extension that was not offered, or several, or not a list of extensions.
    Extension,
    /// permessage-deflate with parameters that no offer allows (RFC 7692 §7.1).
    Deflate,
    /// The 101 announces content, which would be taken for frames.
    Body,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "a 101 older than HTTP/1.1",
            Self::Upgrade => "Upgrade is not websocket",
            Self::Connection => "Connection does not name Upgrade",
            Self::Accept => "Sec-WebSocket-Accept does not answer the key",
            Self::Repeated => "a field that must stand alone came twice",
            Self::Subprotocol => "a subprotocol that was not offered",
            Self::Extension => "an extension that was not offered",
            Self::Deflate => "permessage-deflate with parameters that no offer allows",
            Self::Body => "a 101 with content",
        })
    }
}

impl error::Error for Violation {}
