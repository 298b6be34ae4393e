//! What received bytes become.

use super::{Client, Event, Expects, Incoming, Timer, Unusable};
use crate::http::{Status, Version};
use crate::http1::chunked::{Decoder, Piece};
use crate::http1::cycle::{Side, State, Step};
use crate::http1::error::{Ambiguous, Limit, Violation};
use crate::http1::framing::{Asked, ResponseLength};
use crate::http1::response::{Response, ResponseHead};
use crate::io::{Rx, Wants};
use crate::time::Instant;

impl Client {
    /// The next event. `Ok(None)`: [`wants`](Self::wants) says what for. Poll again after a request: deadlines are
    /// started here. Nothing that a server sends makes a client write, so there is no output to give.
    ///
    /// After an `Err` it returns the same for ever, and `wants` is [`Wants::Close`].
    #[inline]
    pub fn poll<'b>(&mut self, now: Instant, rx: &mut Rx<'b>) -> Result<Option<Event<'b>>, Violation> {
        if let Incoming::Chunked(decoder) = &mut self.incoming
            && let Some(data) = decoder.whole_chunk(rx)
        {
            self.deadlines.clear(Timer::Body as usize);
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
            _ => self.content(now, rx),
        }
    }

    /// The head of a response is complete.
    #[inline]
    fn response<'b>(&mut self, response: Response<'b>) -> Result<Option<Event<'b>>, Violation> {
        let Some(asked) = self.pipeline.first() else { return self.stand_by() };
        self.deadlines.clear(Timer::Head as usize);
        if response.status == Status::SWITCHING_PROTOCOLS {
            return self.switch_protocols(response);
        }
        if response.status.is_informational() {
            return self.interim(asked, response);
        }
        if asked == Asked::Connect && response.status.is_successful() {
            return Ok(Some(self.switch(response)));
        }
        self.incoming = match response.length() {
            ResponseLength::None => Incoming::Exact(0),
            ResponseLength::Length(length) if length > self.bounds.max_body => {
                return self.fail(Violation::Limit(Limit::Body));
            }
            ResponseLength::Length(length) => Incoming::Exact(length),
            ResponseLength::Chunked => Incoming::Chunked(Decoder::new(self.bounds.max_body, self.bounds.max_chunk_ext)),
            ResponseLength::UntilClose => Incoming::UntilClose(self.bounds.max_body),
        };
        self.interims = 0;
        self.http10 = response.version == Version::Http10;
        if self.pipeline.len() == 1 {
            self.expects = Expects::Nothing;
            self.deadlines.clear(Timer::Continue as usize);
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
    fn interim<'b>(&mut self, asked: Asked, response: Response<'b>) -> Result<Option<Event<'b>>, Violation> {
        if self.interims >= self.bounds.max_interim {
            return self.fail(Violation::Limit(Limit::Interim));
        }
        self.interims += 1;
        self.incoming = Incoming::Head(ResponseHead::to(asked));
        let is_expected = self.expects == Expects::Continue && self.pipeline.len() == 1;
        if is_expected && response.status == Status::CONTINUE {
            self.expects = Expects::Nothing;
            self.deadlines.clear(Timer::Continue as usize);
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
            self.start(Timer::Head, now);
        }
        if self.expects == Expects::Continue {
            self.start(Timer::Continue, now);
        }
        self.start(Timer::Whole, now);
        self.wants = Wants::Input;
        Ok(None)
    }

    /// Content of a response.
    #[inline]
    fn content<'b>(&mut self, now: Instant, rx: &mut Rx<'b>) -> Result<Option<Event<'b>>, Violation> {
        let before = rx.consumed();
        let event = match &mut self.incoming {
            Incoming::Exact(0) => Some(Event::End),
            Incoming::Exact(left) => {
                let data = rx.take(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= data.len() as u64;
                (!data.is_empty()).then_some(Event::Body(data))
            }
            Incoming::Chunked(decoder) => match decoder.poll(rx, &self.bounds.head) {
                Ok(Some(Piece::Data(data))) => Some(Event::Body(data)),
                Ok(Some(Piece::Trailers(fields))) => Some(Event::Trailers(fields)),
                Ok(Some(Piece::End)) => Some(Event::End),
                Ok(None) => None,
                Err(violation) => return self.fail(violation),
            },
            Incoming::UntilClose(_) if rx.bytes().is_empty() && rx.is_last() => Some(Event::End),
            Incoming::UntilClose(room) => {
                let data = rx.take(usize::try_from(*room).unwrap_or(usize::MAX));
                *room -= data.len() as u64;
                if data.is_empty() && !rx.bytes().is_empty() {
                    return self.fail(Violation::Limit(Limit::Body));
                }
                (!data.is_empty()).then_some(Event::Body(data))
            }
            Incoming::Head(_) | Incoming::Nothing => return self.stand_by(),
        };
        if event.is_some() || rx.consumed() != before {
            self.deadlines.clear(Timer::Body as usize);
        }
        match event {
            Some(Event::End) => {
                self.response_ends(rx);
                Ok(Some(Event::End))
            }
            Some(event) => Ok(Some(event)),
            None if rx.is_last() => self.fail(Violation::Eof),
            None => {
                self.start(Timer::Body, now);
                self.start(Timer::Whole, now);
                self.wants = Wants::Input;
                Ok(None)
            }
        }
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
            self.start(Timer::Idle, now);
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

    fn start(&mut self, timer: Timer, now: Instant) {
        if !self.deadlines.is_set(timer as usize) {
            self.deadlines.set(timer as usize, now, self.bounds.timeout(timer));
        }
    }
}

/// Whether there is nothing but empty lines, the last of which may be cut.
fn is_blank(bytes: &[u8]) -> bool {
    bytes.chunks(2).all(|line| b"\r\n".starts_with(line))
}
