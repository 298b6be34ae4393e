//! What received bytes become.

use super::{Client, Event, Expects, Incoming, Unusable, timer};
use crate::http::{Status, Version};
use crate::http1::chunked::Piece;
use crate::http1::cycle::{Side, State, Step};
use crate::http1::framing::{Asked, ResponseLength};
use crate::http1::incoming::Unread;
use crate::http1::response::Response;
use crate::http1::violation::{Ambiguous, Limit, Violation};
use crate::io::{Rx, Wants};
use crate::time::Instant;

impl Client {
    /// The next event. `Ok(None)`: [`wants`](Self::wants) says what for. Poll again after a request: deadlines are
    /// started here. Nothing that a server sends makes a client write, so there is no output to give.
    ///
    /// # Errors
    /// The server broke a rule or a limit, or was late. Every later call returns the same error, and `wants` is
    /// [`Wants::Close`].
    #[inline(always)]
    pub fn poll<'b>(&mut self, now: Instant, rx: &mut Rx<'b>) -> Result<Option<Event<'b>>, Violation> {
        if let Incoming::Content(Unread::Chunked(decoder)) = &mut self.incoming
            && let Some(data) = decoder.whole_chunk(rx)
        {
            self.timers.stop(timer::BODY);
            return Ok(Some(Event::Body(data)));
        }
        self.poll_any(now, rx)
    }

    /// As [`poll`](Self::poll), for everything.
    fn poll_any<'b>(&mut self, now: Instant, rx: &mut Rx<'b>) -> Result<Option<Event<'b>>, Violation> {
        if self.expects == Expects::NothingMore {
            self.expects = Expects::Nothing;
            return Ok(Some(Event::Continue));
        }
        match &mut self.incoming {
            Incoming::Head(head) => match head.poll(rx, &self.bounds.head) {
                Ok(Some(response)) => self.response(response),
                Ok(None) => self.await_head(now),
                Err(violation) => self.fail(violation),
            },
            Incoming::Nothing => self.between(now, rx),
            Incoming::Content(_) => self.content(now, rx),
        }
    }

    /// The head of a response is complete.
    #[inline]
    fn response<'b>(&mut self, response: Response<'b>) -> Result<Option<Event<'b>>, Violation> {
        let Some(asked) = self.pipeline.first() else { return self.stand_by() };
        self.timers.stop(timer::HEAD);
        if response.status == Status::SWITCHING_PROTOCOLS {
            return self.switch_protocols(response);
        }
        if response.status.is_informational() {
            return self.interim(response);
        }
        if asked == Asked::Connect && response.status.is_successful() {
            return Ok(Some(self.switch(response)));
        }
        self.incoming = match Unread::new(response.length(), self.bounds.max_body, self.bounds.max_chunk_ext) {
            Ok(unread) => Incoming::Content(unread),
            Err(violation) => return self.fail(violation),
        };
        self.interims = 0;
        self.http10 = response.version == Version::Http10;
        if self.pipeline.len() == 1 {
            self.expects = Expects::Nothing;
            self.timers.stop(timer::CONTINUE);
        }
        self.pipeline.answer();
        if !response.keep_alive() {
            self.pipeline.cycle.last_exchange();
            self.ends(match () {
                () if response.close => Unusable::ServerCloses,
                () if response.length() == ResponseLength::UntilClose => Unusable::UntilClose,
                () => Unusable::Http10,
            });
        }
        Ok(Some(Event::Response(response)))
    }

    #[cold]
    fn interim<'b>(&mut self, response: Response<'b>) -> Result<Option<Event<'b>>, Violation> {
        if self.interims >= self.bounds.max_interim {
            return self.fail(Violation::Limit(Limit::Interim));
        }
        self.interims += 1;
        let is_expected = self.expects == Expects::Continue && self.pipeline.len() == 1;
        if is_expected && response.status == Status::CONTINUE {
            self.expects = Expects::Nothing;
            self.timers.stop(timer::CONTINUE);
            return Ok(Some(Event::Continue));
        }
        Ok(Some(Event::Interim(response)))
    }

    /// "A client cannot begin using an upgraded protocol on the connection until it has completely sent the request
    /// message" (RFC 9110 §7.8).
    #[cold]
    fn switch_protocols<'b>(&mut self, response: Response<'b>) -> Result<Option<Event<'b>>, Violation> {
        let is_offered = self.pipeline.len() == 1
            && self.pipeline.cycle.client == State::Done
            && self.offer.covers(response.upgrades());
        if !is_offered {
            return self.fail(Violation::Ambiguous(Ambiguous::SwitchUnasked));
        }
        Ok(Some(self.switch(response)))
    }

    fn switch<'b>(&mut self, response: Response<'b>) -> Event<'b> {
        self.pipeline.step(Side::Server, Step::Switch);
        self.ends(Unusable::Switched);
        self.stop();
        self.wants = Wants::Caller;
        Event::Switched(response)
    }

    /// The head is not complete.
    fn await_head<'b>(&mut self, now: Instant) -> Result<Option<Event<'b>>, Violation> {
        // Who is still being asked is not late.
        if self.pipeline.cycle.client == State::Done {
            self.timers.start(timer::HEAD, now);
        }
        if self.expects == Expects::Continue {
            self.timers.start(timer::CONTINUE, now);
        }
        self.timers.start(timer::WHOLE, now);
        self.wants = Wants::Input;
        Ok(None)
    }

    /// Content of a response.
    #[inline]
    fn content<'b>(&mut self, now: Instant, rx: &mut Rx<'b>) -> Result<Option<Event<'b>>, Violation> {
        let Incoming::Content(unread) = &mut self.incoming else { return self.stand_by() };
        let before = rx.consumed();
        let piece = match unread.poll(rx, &self.bounds.head) {
            Ok(piece) => piece,
            Err(violation) => return self.fail(violation),
        };
        if rx.consumed() != before {
            self.timers.stop(timer::BODY);
        }
        match piece {
            Some(Piece::End) => self.response_ends(rx),
            Some(_) => {}
            None => {
                self.timers.start(timer::BODY, now);
                self.timers.start(timer::WHOLE, now);
                self.wants = Wants::Input;
            }
        }
        Ok(piece.map(Event::from))
    }

    /// The response is complete.
    #[inline]
    fn response_ends(&mut self, rx: &Rx<'_>) {
        self.pipeline.answered();
        match self.pipeline.cycle.client {
            State::MustClose => self.stop(),
            // A request that is answered and not complete.
            State::Body if self.pipeline.cycle.server == State::Done => self.incoming = Incoming::Nothing,
            _ => self.exchange_ends(),
        }
        // Seen now or never: behind the next request they would pass for its answer.
        if matches!(self.incoming, Incoming::Nothing) && self.unusable.is_none() && !is_blank(rx.bytes()) {
            self.fails(Violation::Ambiguous(Ambiguous::ResponseUnasked));
        }
    }

    /// No response is awaited: the rest of a request is, or a new one, or nothing any more.
    #[cold]
    fn between<'b>(&mut self, now: Instant, rx: &mut Rx<'b>) -> Result<Option<Event<'b>>, Violation> {
        if !matches!(self.pipeline.cycle.server, State::Idle | State::Done) {
            return self.stand_by();
        }
        // "If a client receives data on a connection that doesn't have outstanding requests, the client MUST NOT consider
        // that data to be a valid response; the client SHOULD close the connection, [..] unless the data consists only of
        // one or more CRLF (which can be discarded per Section 2.2)" (RFC 9112 §9.2).
        if !is_blank(rx.bytes()) {
            return self.fail(Violation::Ambiguous(Ambiguous::ResponseUnasked));
        }
        rx.take(rx.bytes().len() & !1);
        if rx.is_last() {
            self.quits(Unusable::Ended);
            return self.stand_by();
        }
        if self.pipeline.len() == 0 {
            self.timers.start(timer::IDLE, now);
        }
        self.wants = Wants::Caller;
        Ok(None)
    }

    /// It is the caller's turn, or the end.
    #[cold]
    fn stand_by<'b>(&mut self) -> Result<Option<Event<'b>>, Violation> {
        match self.unusable {
            Some(Unusable::Failed(violation)) => Err(violation),
            _ => Ok(None),
        }
    }

    #[cold]
    fn fail<'b>(&mut self, violation: Violation) -> Result<Option<Event<'b>>, Violation> {
        self.fails(violation);
        Err(violation)
    }
}

/// Whether there is nothing but empty lines, the last of which may be cut.
fn is_blank(bytes: &[u8]) -> bool {
    bytes.chunks(2).all(|line| b"\r\n".starts_with(line))
}
