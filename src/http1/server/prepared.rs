//! Heads of responses that are judged and written once.

use super::Server;
use super::send::{Head, has_date};
use crate::http::Status;
use crate::http1::emit::{self, Outline};
use crate::http1::misuse::Misuse;
use crate::io::{SendError, Tx};

/// The status line and fields of a response, judged and written once, to be sent any number of times by
/// [`Server::respond_prepared`]: for who gives the same answer again and again, or fields that change once a second.
///
/// ```
/// use hopwire::http::Status;
/// use hopwire::http1::server::{Event, Prepared, Server};
/// use hopwire::io::{Rx, Tx};
/// use hopwire::time::Instant;
///
/// let mut space = [0; 64];
/// let text = Prepared::new(Status::OK, &[("content-type", b"text/plain")], &mut space)?;
///
/// let mut received = *b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
/// let mut sent = [0; 128];
/// let (mut rx, mut tx) = (Rx::new(&mut received), Tx::new(&mut sent));
/// let mut server = Server::default();
/// while let Some(event) = server.poll(Instant::ZERO, &mut rx, &mut tx)? {
///     if let Event::Request(_) = event {
///         server.respond_prepared(&text, b"hello", &mut tx)?;
///     }
/// }
/// assert_eq!(tx.written(), b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Prepared<'a> {
    pub(super) status: Status,
    /// The status line and the field lines.
    pub(super) start: &'a [u8],
    pub(super) outline: Outline,
    pub(super) has_date: bool,
}

impl<'a> Prepared<'a> {
    /// As [`Server::respond_with`], but for the state of a connection and the content, into `space`.
    ///
    /// # Errors
    /// `Full` if `space` is too short; `Misuse` for 1xx, or for a field that cannot be there.
    pub fn new(status: Status, fields: &[(&str, &[u8])], space: &'a mut [u8]) -> Result<Self, SendError<Misuse>> {
        if status.is_informational() {
            return Err(SendError::Misuse(Misuse::Interim));
        }
        let outline = emit::outline(fields)?;
        let mut tx = Tx::new(space);
        emit::start(status, fields, &outline, &mut tx)?;
        let len = tx.len();
        Ok(Self { status, start: space.get(..len).unwrap_or_default(), outline, has_date: has_date(fields) })
    }
}

impl Server {
    /// As [`respond_with`](Self::respond_with), with a status and fields that were judged and written before.
    ///
    /// # Errors
    /// See [`respond`](Self::respond).
    #[inline]
    pub fn respond_prepared(
        &mut self,
        response: &Prepared<'_>,
        content: &[u8],
        tx: &mut Tx<'_>,
    ) -> Result<(), SendError<Misuse>> {
        self.whole(Head::Prepared(response), content, tx)
    }
}
