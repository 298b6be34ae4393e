//! What the caller's answers become.

use super::{Incoming, Prepared, Server, timer};
use crate::http::{Status, Version};
use crate::http1::content::Content;
use crate::http1::cycle::{Side, State, Step};
use crate::http1::framing::BodyLength;
use crate::http1::incoming::Unread;
use crate::http1::misuse::Misuse;
use crate::http1::request::RequestHead;
use crate::http1::{emit, emit::Length, emit::Persistence};
use crate::io::{SendError, Tx};

/// What a response begins with.
#[derive(Clone, Copy)]
pub(super) enum Head<'a> {
    Fields(Status, emit::FieldList<'a>),
    Prepared(&'a Prepared<'a>),
}

impl Head<'_> {
    fn has_date(&self) -> bool {
        match self {
            Head::Fields(_, fields) => has_date(fields),
            Head::Prepared(prepared) => prepared.has_date,
        }
    }
}

/// A response head that may be sent.
pub(super) struct Plan {
    pub(super) length: Length,
    content: Content,
    keep_alive: bool,
    /// The head is all there is: no call of `end` follows.
    whole: bool,
    tunnel: bool,
}

impl Server {
    /// Begins the final response: its head, written whole or not at all. Then come [`body`](Self::body) and
    /// [`end`](Self::end), unless `body` is [`BodyLength::None`]: that response is complete.
    ///
    /// The engine writes Content-Length or Transfer-Encoding, and Connection where it is needed. `Connection: close`
    /// among `fields` makes this the last exchange. To an HTTP/1.0 client, `Chunked` content ends with the connection.
    /// For HEAD and 304, `body` says what GET would give; the content itself may be sent like any other, or left out.
    ///
    /// If more of the request's content is to come than [`Config::max_drain`](super::Config::max_drain) when the response
    /// is complete, the connection closes. A response that is complete at once says so; one that goes on does not, for its
    /// request may be read to the end meanwhile, as by an echo.
    ///
    /// # Errors
    /// `Full`; `Misuse` if no request waits for an answer, or for a field or a length of content that this answer cannot have.
    pub fn respond(
        &mut self,
        status: Status,
        fields: &[(&str, &[u8])],
        body: BodyLength,
        tx: &mut Tx<'_>,
    ) -> Result<(), SendError<Misuse>> {
        self.begin(Head::Fields(status, fields), body, None, tx)
    }

    /// The final response with all of its content, written whole or not at all.
    ///
    /// # Errors
    /// See [`respond`](Self::respond).
    #[inline]
    pub fn respond_with(
        &mut self,
        status: Status,
        fields: &[(&str, &[u8])],
        content: &[u8],
        tx: &mut Tx<'_>,
    ) -> Result<(), SendError<Misuse>> {
        self.whole(Head::Fields(status, fields), content, tx)
    }

    #[inline]
    pub(super) fn whole(&mut self, head: Head<'_>, content: &[u8], tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.begin(head, BodyLength::Length(content.len() as u64), Some(content), tx)?;
        if self.cycle.server == State::Body {
            self.response_ends();
        }
        Ok(())
    }

    /// Sends an interim response (1xx but not 101): 103 with what a client may begin to fetch, or 100 by hand. An
    /// HTTP/1.0 client gets none: "A server MUST NOT send a 1xx response to an HTTP/1.0 client" (RFC 9110 §15.2).
    ///
    /// # Errors
    /// `Full`; `Misuse` if no request waits for an answer, for another status, or for a field that cannot be there.
    pub fn inform(
        &mut self,
        status: Status,
        fields: &[(&str, &[u8])],
        tx: &mut Tx<'_>,
    ) -> Result<(), SendError<Misuse>> {
        self.owing()?;
        if !status.is_informational() || status == Status::SWITCHING_PROTOCOLS {
            return Err(SendError::Misuse(Misuse::Interim));
        }
        let outline = emit::outline(fields)?;
        if outline.close {
            return Err(SendError::Misuse(Misuse::FieldReserved));
        }
        if self.version == Version::Http10 {
            return if emit::are_values(fields) { Ok(()) } else { Err(SendError::Misuse(Misuse::FieldValue)) };
        }
        emit::response(status, fields, &outline, Persistence::Unsaid, Length::Unsaid, b"", tx)?;
        if status == Status::CONTINUE {
            self.expects_continue = false;
        }
        self.advance(Step::Interim);
        Ok(())
    }

    /// Sends 101: the connection leaves HTTP. The request must have offered it and be read to its end; `fields` must
    /// name in Upgrade one of [`Request::upgrades`], which only the caller can know by now ("A server MUST NOT switch to a
    /// protocol that was not indicated by the client", RFC 9110 §7.8). `Connection: upgrade` is added.
    ///
    /// [`Request::upgrades`]: crate::http1::Request::upgrades
    ///
    /// # Errors
    /// `Full`; `Misuse` if no request waits for an answer, if it offers no upgrade or is not read to its end, or for `fields`
    /// without Upgrade.
    pub fn switch_protocols(&mut self, fields: &[(&str, &[u8])], tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.can_switch()?;
        let outline = emit::outline(fields)?;
        if !outline.upgrade {
            return Err(SendError::Misuse(Misuse::NoUpgrade));
        }
        if outline.close {
            return Err(SendError::Misuse(Misuse::FieldReserved));
        }
        let status = Status::SWITCHING_PROTOCOLS;
        emit::response(status, fields, &outline, Persistence::Unsaid, Length::Unsaid, b"", tx)?;
        self.switch();
        Ok(())
    }

    /// Whether a 101 may be sent now.
    pub(crate) fn can_switch(&self) -> Result<(), SendError<Misuse>> {
        self.owing()?;
        if !self.offers_upgrade {
            return Err(SendError::Misuse(Misuse::NoUpgrade));
        }
        if !self.request_is_read() {
            return Err(SendError::Misuse(Misuse::RequestIncomplete));
        }
        Ok(())
    }

    /// Sends content: all of `data`, or as much as fits; how much that was. With chunked content, each call makes a
    /// chunk. Nothing fits: [`Full`](crate::io::Full).
    ///
    /// # Errors
    /// `Full`; `Misuse` if no response has begun, or for more content than was declared.
    #[inline]
    pub fn body(&mut self, data: &[u8], tx: &mut Tx<'_>) -> Result<usize, SendError<Misuse>> {
        self.sending()?;
        self.content.put(data, tx)
    }

    /// Announces `len` bytes of content that the caller itself puts on the wire behind what is in `tx` (writev,
    /// sendfile). Gives how many it is to write: `len`, or 0 where content is not sent (HEAD, 304).
    ///
    /// The CRLF that ends a chunk is written by the next call for content, by `end`, or by
    /// [`body_suffix`](Self::body_suffix).
    ///
    /// # Errors
    /// See [`body`](Self::body).
    pub fn body_prefix(&mut self, len: u64, tx: &mut Tx<'_>) -> Result<u64, SendError<Misuse>> {
        self.sending()?;
        self.content.prefix(len, tx)
    }

    /// Ends the chunk of the last [`body_prefix`](Self::body_prefix), if that needs anything. For a client that waits
    /// for it while nothing else is to be sent.
    ///
    /// # Errors
    /// `Full`; `Misuse` if no response has begun.
    pub fn body_suffix(&mut self, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.sending()?;
        Ok(self.content.suffix(tx)?)
    }

    /// Ends the response, with `trailers` if its content is chunked. (An HTTP/1.0 client does not get them.)
    ///
    /// # Errors
    /// `Full`; `Misuse` if no response has begun, for less content than was declared, or for fields that cannot be trailers here.
    pub fn end(&mut self, trailers: &[(&str, &[u8])], tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.sending()?;
        self.content.end(trailers, tx)?;
        self.response_ends();
        Ok(())
    }

    /// The head of a final response, with all of its content if that is here.
    #[inline]
    fn begin(
        &mut self,
        head: Head<'_>,
        body: BodyLength,
        content: Option<&[u8]>,
        tx: &mut Tx<'_>,
    ) -> Result<(), SendError<Misuse>> {
        self.owing()?;
        let (status, mut outline) = match head {
            Head::Fields(status, fields) => (status, emit::outline(fields)?),
            Head::Prepared(prepared) => (prepared.status, prepared.outline),
        };
        if self.date.is_some() && !head.has_date() {
            outline.date = self.date;
        }
        let mut plan = self.plan(status, body, outline.close)?;
        plan.keep_alive &= content.is_none() || !self.leaves_content_unread();
        let persistence = self.persistence(&plan);
        let content = content.filter(|_| !matches!(plan.content, Content::Muted(_))).unwrap_or_default();
        match head {
            Head::Fields(status, fields) => {
                emit::response(status, fields, &outline, persistence, plan.length, content, tx)?;
            }
            Head::Prepared(prepared) => {
                emit::prepared(prepared.start, &outline, persistence, plan.length, content, tx)?;
            }
        }
        self.begun(&plan);
        Ok(())
    }

    /// What a response says of the connection.
    pub(super) fn persistence(&self, plan: &Plan) -> Persistence {
        match (plan.keep_alive, self.version) {
            _ if plan.tunnel => Persistence::Unsaid,
            (false, _) => Persistence::Close,
            (true, Version::Http10) => Persistence::KeepAlive,
            (true, _) => Persistence::Unsaid,
        }
    }

    /// The head of a final response was written.
    #[inline]
    pub(super) fn begun(&mut self, plan: &Plan) {
        if plan.tunnel {
            self.switch();
            return;
        }
        self.content = plan.content;
        self.advance(Step::Head);
        if !plan.keep_alive {
            self.cycle.last_exchange();
        }
        if plan.whole {
            self.response_ends();
        }
    }

    /// How a response's content is framed (RFC 9110 §8.6, RFC 9112 §6) and whether the connection is kept.
    #[inline]
    pub(super) fn plan(&self, status: Status, body: BodyLength, close: bool) -> Result<Plan, Misuse> {
        if status.is_informational() {
            return Err(Misuse::Interim);
        }
        let mut plan = Plan {
            length: Length::Unsaid,
            content: Content::Muted(None),
            // Of content held back for a 100 that is now never sent, nobody can know whether it comes.
            keep_alive: self.cycle.keep_alive && !close && !self.expects_continue,
            whole: body == BodyLength::None,
            tunnel: false,
        };
        plan.keep_alive &= !plan.whole || !self.leaves_content_unread();
        if self.connect_method {
            // "A server MUST NOT send any Transfer-Encoding or Content-Length header fields in a 2xx (Successful) response
            // to CONNECT" (RFC 9110 §9.3.6).
            if status.is_successful() {
                return match body {
                    // The request is read: one with content was refused.
                    BodyLength::None | BodyLength::Length(0) => Ok(Plan { tunnel: true, ..plan }),
                    BodyLength::Length(_) | BodyLength::Chunked => Err(Misuse::ContentNotAllowed),
                };
            }
            // What follows may be somebody else's, sent into a tunnel that was hoped for: "proxy servers MUST close the
            // underlying connection when rejecting a CONNECT request" (RFC 9931 §8).
            plan.keep_alive = false;
        }
        match (status, body) {
            // "a server MUST NOT send a Content-Length header field in any response with a status code of 1xx
            // (Informational) or 204 (No Content)" (RFC 9110 §8.6).
            (Status::NO_CONTENT, BodyLength::None) => {}
            (Status::NO_CONTENT, BodyLength::Length(0)) => plan.content = Content::Muted(Some(0)),
            // "Since the 205 status code implies that no additional content will be provided, a server MUST NOT
            // generate content" (RFC 9110 §15.3.6).
            (Status::NO_CONTENT, _) | (Status::RESET_CONTENT, BodyLength::Chunked) => {
                return Err(Misuse::ContentNotAllowed);
            }
            (Status::RESET_CONTENT, BodyLength::Length(1..)) => return Err(Misuse::ContentNotAllowed),
            (Status::NOT_MODIFIED, BodyLength::Chunked) => {}
            (_, BodyLength::Length(length)) if self.head_method || status == Status::NOT_MODIFIED => {
                plan.length = Length::Exact(length);
                plan.content = Content::Muted(Some(length));
            }
            (_, BodyLength::None) if self.head_method || status == Status::NOT_MODIFIED => {}
            (_, BodyLength::None) => (plan.length, plan.content) = (Length::Exact(0), Content::Exact(0)),
            (_, BodyLength::Length(length)) => {
                (plan.length, plan.content) = (Length::Exact(length), Content::Exact(length));
            }
            // "A server MUST NOT send a response containing Transfer-Encoding unless the corresponding request
            // indicates HTTP/1.1 (or later minor revisions)" (RFC 9112 §6.1).
            (_, BodyLength::Chunked) if self.version == Version::Http10 && self.head_method => {}
            (_, BodyLength::Chunked) if self.version == Version::Http10 => {
                (plan.content, plan.keep_alive) = (Content::UntilClose, false);
            }
            (_, BodyLength::Chunked) if self.head_method => plan.length = Length::Chunked,
            (_, BodyLength::Chunked) => {
                (plan.length, plan.content) = (Length::Chunked, Content::CHUNKED);
            }
        }
        Ok(plan)
    }

    /// Whether more content is certain to come than would be dropped.
    fn leaves_content_unread(&self) -> bool {
        matches!(self.incoming, Incoming::Content(Unread::Exact(left)) if left > self.bounds.max_drain.into())
    }

    fn request_is_read(&self) -> bool {
        self.cycle.client == State::Done || matches!(self.incoming, Incoming::Content(Unread::Exact(0)))
    }

    /// A whole 101 was written, here or by the WebSocket handshake, after [`can_switch`](Self::can_switch).
    pub(crate) fn switch(&mut self) {
        if self.cycle.client == State::Body {
            self.request_ends();
        }
        self.advance(Step::Switch);
        self.stop();
        self.wants = crate::io::Wants::Caller;
    }

    /// The response is complete.
    #[inline]
    fn response_ends(&mut self) {
        // A request without content ends with its head, whether or not the caller has asked.
        if matches!(self.incoming, Incoming::Content(Unread::Exact(0))) {
            self.request_ends();
        }
        self.advance(Step::End);
        match self.cycle.client {
            State::Idle => self.incoming = Incoming::Head(RequestHead::new()),
            State::Body if !self.leaves_content_unread() => {
                self.drain_left = self.bounds.max_drain;
                // What is left has the deadline of what is dropped, from the next `poll` on.
                self.timers.stop(timer::BODY);
                self.timers.stop(timer::WHOLE);
            }
            _ => self.close(),
        }
    }

    #[inline]
    pub(super) fn owing(&self) -> Result<(), SendError<Misuse>> {
        if self.cycle.server == State::Owing {
            return Ok(());
        }
        Err(SendError::Misuse(self.wrong_turn(Misuse::AlreadyAnswered)))
    }

    #[inline]
    fn sending(&mut self) -> Result<(), SendError<Misuse>> {
        if self.cycle.step(Side::Server, Step::Data).is_ok() {
            return Ok(());
        }
        Err(SendError::Misuse(self.wrong_turn(Misuse::NoResponse)))
    }

    #[cold]
    fn wrong_turn(&self, other: Misuse) -> Misuse {
        match self.cycle.server {
            State::Idle | State::Done => Misuse::NothingToAnswer,
            State::Owing | State::Body => other,
            State::MustClose | State::Closed | State::Switched | State::Failed => Misuse::Closed,
        }
    }

    #[inline]
    pub(super) fn advance(&mut self, step: Step) {
        let taken = self.cycle.step(Side::Server, step);
        debug_assert!(taken.is_ok(), "looked at before anything was written");
    }
}

pub(super) fn has_date(fields: emit::FieldList<'_>) -> bool {
    fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("date"))
}
