//! The answer that ends the handshake (RFC 6455 §4.2.2).

use core::{error, fmt};

use super::{ACCEPT_LEN, Lines};
use crate::bytes::scan;
use crate::http::list;
use crate::http1;
use crate::io::{SendError, Tx};

/// `101 Switching Protocols`, to be written: after it both sides speak WebSocket.
///
/// No extension is agreed to: an offer that is not named in the answer is declined (§9.1).
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    accept: [u8; ACCEPT_LEN],
    offered: &'a Lines<'a>,
    subprotocol: Option<&'a str>,
    fields: &'a [(&'a str, &'a [u8])],
}

impl<'a> Answer<'a> {
    pub(super) const fn new(accept: [u8; ACCEPT_LEN], offered: &'a Lines<'a>) -> Self {
        Self { accept, offered, subprotocol: None, fields: &[] }
    }

    /// Chooses a subprotocol, which must be one of [`subprotocols`](super::Handshake::subprotocols).
    #[must_use]
    pub const fn subprotocol(self, name: &'a str) -> Self {
        Self { subprotocol: Some(name), ..self }
    }

    /// Sends fields of the caller's along (cookies, a `Date`), after the handshake's own.
    #[must_use]
    pub const fn fields(self, fields: &'a [(&'a str, &'a [u8])]) -> Self {
        Self { fields, ..self }
    }

    /// The value of `Sec-WebSocket-Accept`.
    pub const fn accept_value(&self) -> &[u8; ACCEPT_LEN] {
        &self.accept
    }

    /// The fields of the answer, in order, for callers that write the 101 by other means.
    pub fn header(&self) -> Result<impl Iterator<Item = (&str, &[u8])>, Misuse> {
        self.check()?;
        let own: [(&str, &[u8]); 3] =
            [("Upgrade", b"websocket"), ("Connection", b"Upgrade"), ("Sec-WebSocket-Accept", &self.accept)];
        let subprotocol = self.subprotocol.map(|name| ("Sec-WebSocket-Protocol", name.as_bytes()));
        Ok(own.into_iter().chain(subprotocol).chain(self.fields.iter().copied()))
    }

    /// Answers the request that `http` waits to have answered. Then what it has not read is WebSocket's: take what is left
    /// of the [`Rx`](crate::io::Rx) to a [`Connection`](crate::ws::Connection).
    pub fn respond(&self, http: &mut http1::Server, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        http.can_switch().map_err(|error| match error {
            SendError::Full(full) => SendError::Full(full),
            SendError::Misuse(misuse) => SendError::Misuse(Misuse::Http(misuse)),
        })?;
        self.write(tx)?;
        http.switch();
        Ok(())
    }

    /// Writes the whole answer, for callers with their own HTTP.
    pub fn write(&self, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.check().map_err(SendError::Misuse)?;
        let subprotocol = self.subprotocol.map_or(0, |name| SUBPROTOCOL.len() + name.len() + 2);
        let fields: usize = self.fields.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        let mut out = tx.reserve(HEAD.len() + ACCEPT_LEN + 2 + subprotocol + fields + 2)?;
        let mut put = |bytes: &[u8]| {
            let (space, rest) = core::mem::take(&mut out).split_at_mut(bytes.len());
            space.copy_from_slice(bytes);
            out = rest;
        };
        put(HEAD);
        put(&self.accept);
        put(b"\r\n");
        if let Some(name) = self.subprotocol {
            put(SUBPROTOCOL);
            put(name.as_bytes());
            put(b"\r\n");
        }
        for (name, value) in self.fields {
            put(name.as_bytes());
            put(b": ");
            put(value);
            put(b"\r\n");
        }
        put(b"\r\n");
        Ok(())
    }

    fn check(&self) -> Result<(), Misuse> {
        if self.subprotocol.is_some_and(|name| !self.offered.elements().any(|offered| offered == name.as_bytes())) {
            return Err(Misuse::Subprotocol);
        }
        for (name, value) in self.fields {
            if list::token(name.as_bytes()).is_none() || scan::field_end(value) != value.len() {
                return Err(Misuse::Field);
            }
            if is_reserved(name) {
                return Err(Misuse::Reserved);
            }
        }
        Ok(())
    }
}

/// What a caller cannot put into an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// The subprotocol was not offered: the client would fail the connection (§4.1).
    Subprotocol,
    /// A field's name is no token, or its value has a CR, LF, NUL or another byte that no field has.
    Field,
    /// A field that the handshake or the framing of messages owns: `Upgrade`, `Connection`, `Sec-WebSocket-*`,
    /// `Content-Length`, `Transfer-Encoding`.
    Reserved,
    /// It is not the time to answer.
    Http(http1::Misuse),
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http(misuse) => return misuse.fmt(f),
            Self::Subprotocol => "the subprotocol was not offered",
            Self::Field => "a field's name or value has a byte it cannot have",
            Self::Reserved => "the field belongs to the handshake",
        })
    }
}

impl error::Error for Misuse {}

/// RFC 9110 §8.6, RFC 9112 §6.1: a 1xx response has neither `Content-Length` nor `Transfer-Encoding`.
fn is_reserved(name: &str) -> bool {
    let websocket = name.as_bytes().get(..14).is_some_and(|start| start.eq_ignore_ascii_case(b"sec-websocket-"));
    websocket
        || ["upgrade", "connection", "content-length", "transfer-encoding"]
            .iter()
            .any(|own| name.eq_ignore_ascii_case(own))
}

const HEAD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: ";
const SUBPROTOCOL: &[u8] = b"Sec-WebSocket-Protocol: ";
