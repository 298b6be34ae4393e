//! Requests that came from a client of our own.

use super::request::Facts;
use super::{Client, Offer};
use crate::http::forward::Request;
use crate::http1::framing::{Asked, BodyLength};
use crate::http1::misuse::Misuse;
use crate::io::{SendError, Tx};

impl Client {
    /// Begins the request that [`Intermediary::request`](crate::http::forward::Intermediary::request) made of a received one, as
    /// [`request`](Self::request) does, framed anew. Content follows by [`body`](Self::body) and [`end`](Self::end) unless
    /// [`Request::content`] is `None`: that request is complete.
    ///
    /// # Errors
    /// See [`request`](Self::request).
    #[inline]
    pub fn forward(&mut self, request: &Request<'_>, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        let body = BodyLength::from(request.content());
        self.may_request(body)?;
        let mut offer = Offer::NONE;
        if let Some(protocol) = request.upgrade() {
            offer.add(protocol.as_bytes())?;
        }
        request.write_http1(tx)?;
        self.begun(&Facts {
            asked: Asked::by(request.method()),
            alone: !offer.is_none() || !request.method().is_idempotent(),
            expects_continue: request.asked().expects_continue(),
            close: false,
            offer,
            body,
        });
        Ok(())
    }
}
