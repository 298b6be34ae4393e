//! What the caller's requests become.

use super::offer::Offer;
use super::request::{self, Facts};
use super::{Client, Expects, Incoming, Unusable, timer};
use crate::http::Method;
use crate::http1::content::Content;
use crate::http1::cycle::State;
use crate::http1::framing::{Asked, BodyLength};
use crate::http1::misuse::Misuse;
use crate::http1::response::ResponseHead;
use crate::io::{SendError, Tx};

impl Client {
    /// Begins a request: its head, written whole or not at all. Then come [`body`](Self::body) and [`end`](Self::end),
    /// unless `body` is [`BodyLength::None`]: that request is complete.
    ///
    /// Host must be among `fields`, best as the first of them (RFC 9110 §7.2), and be the target's where that has an
    /// authority. The engine writes Content-Length or Transfer-Encoding, and the connection options that belong to
    /// Upgrade and TE. `Connection: close` makes this the last request. `Expect: 100-continue` says that the caller
    /// waits for [`Event::Continue`](super::Event::Continue) before the content.
    ///
    /// Choose [`BodyLength::Chunked`] for a server that is known to speak HTTP/1.1 ("A client MUST NOT use the chunked
    /// transfer coding unless it knows the server will handle HTTP/1.1", RFC 9112 §6.3); after an answer in HTTP/1.0
    /// it is refused.
    ///
    /// # Errors
    /// `Full`; `Misuse` if no request may follow those that were sent, or for a target, a field or a length of content that
    /// this one cannot have.
    pub fn request(
        &mut self,
        method: Method<'_>,
        target: &[u8],
        fields: &[(&str, &[u8])],
        body: BodyLength,
        tx: &mut Tx<'_>,
    ) -> Result<(), SendError<Misuse>> {
        self.begin(method, target, fields, body, b"", tx)
    }

    /// A request with all of its content, written whole or not at all.
    ///
    /// # Errors
    /// See [`request`](Self::request).
    #[inline]
    pub fn request_with(
        &mut self,
        method: Method<'_>,
        target: &[u8],
        fields: &[(&str, &[u8])],
        content: &[u8],
        tx: &mut Tx<'_>,
    ) -> Result<(), SendError<Misuse>> {
        self.begin(method, target, fields, BodyLength::Length(content.len() as u64), content, tx)?;
        self.expects = Expects::Nothing;
        self.content = Content::Exact(0);
        self.request_ends();
        Ok(())
    }

    /// Sends content: all of `data`, or as much as fits; how much that was. With chunked content, each call makes a
    /// chunk. Nothing fits: [`Full`](crate::io::Full).
    ///
    /// # Errors
    /// `Full`; `Misuse` if no request has begun, or for more content than was declared.
    #[inline]
    pub fn body(&mut self, data: &[u8], tx: &mut Tx<'_>) -> Result<usize, SendError<Misuse>> {
        self.sending()?;
        let taken = self.content.put(data, tx)?;
        self.waits_no_more();
        Ok(taken)
    }

    /// Announces `len` bytes of content that the caller itself puts on the wire behind what is in `tx` (writev,
    /// sendfile), as [`Server::body_prefix`](crate::http1::Server::body_prefix) does; it is to write them all.
    ///
    /// # Errors
    /// See [`body`](Self::body).
    pub fn body_prefix(&mut self, len: u64, tx: &mut Tx<'_>) -> Result<u64, SendError<Misuse>> {
        self.sending()?;
        let announced = self.content.prefix(len, tx)?;
        self.waits_no_more();
        Ok(announced)
    }

    /// Ends the chunk of the last [`body_prefix`](Self::body_prefix), if that needs anything. For a server that waits
    /// for it while nothing else is to be sent.
    ///
    /// # Errors
    /// `Full`; `Misuse` if no request has begun.
    pub fn body_suffix(&mut self, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.sending()?;
        Ok(self.content.suffix(tx)?)
    }

    /// Ends the request, with `trailers` if its content is chunked.
    ///
    /// # Errors
    /// `Full`; `Misuse` if no request has begun, for less content than was declared, or for fields that cannot be trailers here.
    pub fn end(&mut self, trailers: &[(&str, &[u8])], tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.sending()?;
        self.content.end(trailers, tx)?;
        self.waits_no_more();
        self.request_ends();
        Ok(())
    }

    /// A GET that offers to leave HTTP for `protocol` was written by its owner, who had asked
    /// [`may_request`](Self::may_request) before.
    pub(crate) fn offers(&mut self, protocol: &[u8; 9]) {
        let mut offer = Offer::NONE;
        offer.add(protocol).expect("an offer has room for nine bytes");
        let asked = Asked::Other;
        let body = BodyLength::None;
        self.begun(&Facts { asked, alone: true, expects_continue: false, close: false, offer, body });
    }

    /// The head of a request, with all content of a short one.
    #[inline]
    fn begin(
        &mut self,
        method: Method<'_>,
        target: &[u8],
        fields: &[(&str, &[u8])],
        body: BodyLength,
        content: &[u8],
        tx: &mut Tx<'_>,
    ) -> Result<(), SendError<Misuse>> {
        self.may_request(body)?;
        let facts = request::write(method, target, fields, body, content, tx)?;
        self.begun(&facts);
        Ok(())
    }

    /// The head of a request is written.
    #[inline]
    pub(super) fn begun(&mut self, facts: &Facts) {
        self.timers.stop(timer::IDLE);
        if self.pipeline.len() == 0 {
            self.incoming = Incoming::Head(ResponseHead::to(facts.asked));
        }
        self.pipeline.begin(facts.asked, facts.alone);
        self.offer = facts.offer;
        self.expects = if facts.expects_continue { Expects::Continue } else { Expects::Nothing };
        self.content = match facts.body {
            BodyLength::None => Content::Exact(0),
            BodyLength::Length(length) => Content::Exact(length),
            BodyLength::Chunked => Content::CHUNKED,
        };
        if facts.close {
            self.pipeline.close();
            self.ends(Unusable::Closing);
        }
        if facts.body == BodyLength::None {
            self.request_ends();
        }
    }

    /// Whether a request with such content may follow those that were sent.
    pub(crate) fn may_request(&self, body: BodyLength) -> Result<(), Misuse> {
        match () {
            // "A client MAY send additional requests on a persistent connection until it sends or receives a 'close'
            // connection option or receives an HTTP/1.0 response without a 'keep-alive' connection option" (§9.3).
            () if self.unusable.is_some() => Err(Misuse::Closed),
            () if self.pipeline.is_open() => Err(Misuse::RequestIncomplete),
            () if self.pipeline.len() >= self.bounds.max_pipeline.into() => Err(Misuse::Pipeline),
            () if self.pipeline.is_blocked() => Err(Misuse::Pipeline),
            () if self.http10 && body == BodyLength::Chunked => Err(Misuse::Http10),
            () => Ok(()),
        }
    }

    #[inline]
    fn sending(&self) -> Result<(), SendError<Misuse>> {
        if self.pipeline.is_open() {
            return Ok(());
        }
        let is_over = !self.pipeline.cycle.keep_alive
            || matches!(self.pipeline.cycle.client, State::Switched | State::Failed | State::Closed);
        Err(SendError::Misuse(if is_over { Misuse::Closed } else { Misuse::NoRequest }))
    }

    /// Content goes, whether or not it was asked for.
    fn waits_no_more(&mut self) {
        self.expects = Expects::Nothing;
        self.timers.stop(timer::CONTINUE);
    }

    /// The request is complete.
    fn request_ends(&mut self) {
        self.pipeline.end();
        // Its answer may be too.
        if self.pipeline.cycle.client == State::Idle {
            self.exchange_ends();
        }
    }

    /// Request and response are complete.
    pub(super) fn exchange_ends(&mut self) {
        self.timers.stop(timer::WHOLE);
        self.incoming = match self.pipeline.first() {
            Some(asked) => Incoming::Head(ResponseHead::to(asked)),
            None => Incoming::Nothing,
        };
    }
}
