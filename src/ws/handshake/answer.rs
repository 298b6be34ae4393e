//! The answer that ends the handshake (RFC 6455 §4.2.2).

use super::misuse::{Misuse, check_fields};
use super::{ACCEPT_LEN, Handshake, deflate};
use crate::http1;
use crate::io::{SendError, Tx};

/// `101 Switching Protocols`, to be written: after it both sides speak WebSocket.
///
/// Extensions that it does not name are declined (§9.1).
#[derive(Clone, Copy, Debug)]
#[must_use = "it is not written yet"]
pub struct Answer<'a> {
    accept: [u8; ACCEPT_LEN],
    handshake: &'a Handshake<'a>,
    subprotocol: Option<&'a str>,
    deflate: Option<deflate::Spelled>,
    fields: &'a [(&'a str, &'a [u8])],
}

impl<'a> Answer<'a> {
    #[inline(always)]
    pub(super) fn new(handshake: &'a Handshake<'a>) -> Self {
        Self { accept: handshake.accept_value(), handshake, subprotocol: None, deflate: None, fields: &[] }
    }

    /// Chooses a subprotocol, which must be one of [`subprotocols`](super::Handshake::subprotocols).
    pub const fn subprotocol(self, name: &'a str) -> Self {
        Self { subprotocol: Some(name), ..self }
    }

    /// Agrees to permessage-deflate, with what [`deflate::negotiate`] found; `None` declines it.
    pub fn deflate(self, params: Option<deflate::Params>) -> Self {
        Self { deflate: params.map(deflate::Spelled::new), ..self }
    }

    /// Sends fields of the caller's along (cookies, a `Date`), after the handshake's own.
    pub const fn fields(self, fields: &'a [(&'a str, &'a [u8])]) -> Self {
        Self { fields, ..self }
    }

    /// The value of `Sec-WebSocket-Accept`.
    pub const fn accept_value(&self) -> &[u8; ACCEPT_LEN] {
        &self.accept
    }

    /// The fields of the answer, in order, for callers that write the 101 by other means.
    ///
    /// # Errors
    /// `Misuse` for a subprotocol or parameters that were not offered, or a field that cannot be there.
    pub fn header(&self) -> Result<impl Iterator<Item = (&str, &[u8])>, Misuse> {
        self.check()?;
        let own: [(&str, &[u8]); 3] =
            [("Upgrade", b"websocket"), ("Connection", b"Upgrade"), ("Sec-WebSocket-Accept", &self.accept)];
        let subprotocol = self.subprotocol.map(|name| ("Sec-WebSocket-Protocol", name.as_bytes()));
        let deflate = self.deflate.as_ref().map(|spelled| ("Sec-WebSocket-Extensions", spelled.as_bytes()));
        Ok(own.into_iter().chain(subprotocol).chain(deflate).chain(self.fields.iter().copied()))
    }

    /// Answers the request that `http` waits to have answered. Then what it has not read is WebSocket's: take what is left
    /// of the [`Rx`](crate::io::Rx) to a [`Connection`](crate::ws::Connection).
    ///
    /// # Errors
    /// `Full`; `Misuse` as in [`header`](Self::header), or if `http` cannot answer with 101 now.
    pub fn respond(&self, http: &mut http1::Server, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        http.can_switch()?;
        self.write(tx)?;
        http.switch();
        Ok(())
    }

    /// Writes the whole answer, for callers with their own HTTP.
    ///
    /// # Errors
    /// `Full`; `Misuse` as in [`header`](Self::header).
    pub fn write(&self, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.check()?;
        let subprotocol = self.subprotocol.map_or(0, |name| SUBPROTOCOL.len() + name.len() + 2);
        let deflate = self.deflate.as_ref().map(deflate::Spelled::as_bytes);
        let extensions = deflate.map_or(0, |value| EXTENSIONS.len() + value.len() + 2);
        let fields: usize = self.fields.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        let mut out = tx.reserve(HEAD.len() + ACCEPT_LEN + 2 + subprotocol + extensions + fields + 2)?;
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
        if let Some(value) = deflate {
            put(EXTENSIONS);
            put(value);
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
        let subprotocols = &self.handshake.subprotocols;
        if self.subprotocol.is_some_and(|name| !subprotocols.elements().any(|offered| offered == name.as_bytes())) {
            return Err(Misuse::Subprotocol);
        }
        if self.deflate.is_some_and(|spelled| !deflate::is_offered(self.handshake, &spelled.params)) {
            return Err(Misuse::Deflate);
        }
        // RFC 9110 §8.6, RFC 9112 §6.1: a 1xx response has neither `Content-Length` nor `Transfer-Encoding`.
        check_fields(self.fields, &["upgrade", "connection", "content-length", "transfer-encoding"])
    }
}

const HEAD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: ";
const SUBPROTOCOL: &[u8] = b"Sec-WebSocket-Protocol: ";
const EXTENSIONS: &[u8] = b"Sec-WebSocket-Extensions: ";
