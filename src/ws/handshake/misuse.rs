//! What a caller cannot put into a request or an answer.

use core::{error, fmt};

use crate::bytes::scan;
use crate::http::list;
use crate::http1;
use crate::io::SendError;

/// Why a request or an answer was not written; nothing was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Misuse {
    /// The subprotocol was not offered: the client would fail the connection (§4.1). Or, in a request, it is no token,
    /// or offered twice.
    Subprotocol,
    /// The parameters of permessage-deflate were not offered: the client would fail the connection (RFC 7692 §7.1). Or,
    /// in a request, a window is not 8 to 15 bits.
    Deflate,
    /// A field's name is no token, or its value has a CR, LF, NUL or another byte that no field has.
    Field,
    /// A field that the handshake or the framing of messages owns: `Upgrade`, `Connection`, `Sec-WebSocket-*`,
    /// `Content-Length`, `Transfer-Encoding`; `Host` and `Expect` in a request.
    Reserved,
    /// It is not the time for it.
    Http(http1::Misuse),
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http(misuse) => return misuse.fmt(f),
            Self::Subprotocol => "the subprotocol was not offered, or is not a token of its own",
            Self::Deflate => "the parameters of permessage-deflate were not offered, or are out of range",
            Self::Field => "a field's name or value has a byte it cannot have",
            Self::Reserved => "the field belongs to the handshake",
        })
    }
}

impl error::Error for Misuse {}

impl From<Misuse> for SendError<Misuse> {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}

impl From<SendError<http1::Misuse>> for SendError<Misuse> {
    fn from(error: SendError<http1::Misuse>) -> Self {
        match error {
            SendError::Full(full) => Self::Full(full),
            SendError::Misuse(misuse) => Self::Misuse(Misuse::Http(misuse)),
        }
    }
}

/// Judges the caller's own fields, which are a way to inject others, and into the frames behind.
pub(super) fn check_fields(fields: &[(&str, &[u8])], reserved: &[&str]) -> Result<(), Misuse> {
    for (name, value) in fields {
        if list::token(name.as_bytes()).is_none() || scan::field_end(value) != value.len() {
            return Err(Misuse::Field);
        }
        let websocket = name.as_bytes().get(..14).is_some_and(|start| start.eq_ignore_ascii_case(b"sec-websocket-"));
        if websocket || reserved.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            return Err(Misuse::Reserved);
        }
    }
    Ok(())
}
