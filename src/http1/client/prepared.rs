//! Heads of requests that are judged and written once.

use super::Client;
use super::request::{self, Facts};
use crate::http::Method;
use crate::http1::framing::BodyLength;
use crate::http1::misuse::Misuse;
use crate::io::{SendError, Tx};

/// A request's head, judged and written once, to be sent any number of times by
/// [`Client::request_prepared`]: for who asks the same again and again.
///
/// ```
/// use hopwire::http::Method;
/// use hopwire::http1::{BodyLength, Client, client::Prepared};
/// use hopwire::io::Tx;
///
/// let mut space = [0; 256];
/// let poll = Prepared::new(Method::Get, b"/news", &[("host", b"a.example")], BodyLength::None, &mut space)?;
/// let mut sent = [0; 256];
/// let mut tx = Tx::new(&mut sent);
/// Client::default().request_prepared(&poll, &mut tx)?;
/// assert_eq!(tx.written(), b"GET /news HTTP/1.1\r\nhost: a.example\r\n\r\n");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Prepared<'a> {
    pub(super) head: &'a [u8],
    pub(super) facts: Facts,
}

impl<'a> Prepared<'a> {
    /// As [`Client::request`], but for the state of a connection, into `space`.
    ///
    /// # Errors
    /// `Full` if `space` is too short; `Misuse` for a target, a field or a length of content that this request cannot have.
    pub fn new(
        method: Method<'_>,
        target: &[u8],
        fields: &[(&str, &[u8])],
        body: BodyLength,
        space: &'a mut [u8],
    ) -> Result<Self, SendError<Misuse>> {
        let mut tx = Tx::new(space);
        let facts = request::write(method, target, fields, body, b"", &mut tx)?;
        let len = tx.len();
        Ok(Self { head: space.get(..len).unwrap_or_default(), facts })
    }
}

impl Client {
    /// As [`request`](Self::request), with a head that was judged and written before.
    ///
    /// # Errors
    /// `Full`; `Misuse` if no request may follow those that were sent.
    #[inline]
    pub fn request_prepared(&mut self, request: &Prepared<'_>, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.may_request(request.facts.body)?;
        tx.put(request.head)?;
        self.begun(&request.facts);
        Ok(())
    }
}
