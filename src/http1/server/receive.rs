//! What received bytes become.

use super::{Event, Incoming, Server, timer};
use crate::http::{Method, Status};
use crate::http1::chunked::Piece;
use crate::http1::cycle::{Side, State, Step};
use crate::http1::head::MessageHead;
use crate::http1::incoming::Unread;
use crate::http1::request::RequestHead;
use crate::http1::violation::Violation;
use crate::http1::{emit, emit::Length, emit::Persistence};
use crate::io::{Rx, Tx, Wants};
use crate::time::Instant;

impl Server {
    /// The next event. `Ok(None)`: [`wants`](Self::wants) says what for. Poll a new connection before anything has come, and
    /// again after an answer: deadlines are started here, and the next request may be there already.
    ///
    /// # Errors
    /// The client broke a rule or a limit, or was late. The answer that says so is in `tx`, if one could still begin; every later
    /// call returns the same error, and `wants` is [`Wants::Close`].
    #[inline(always)]
    pub fn poll<'b>(&mut self, now: Instant, rx: &mut Rx<'b>, tx: &mut Tx<'_>) -> Result<Option<Event<'b>>, Violation> {
        if let Incoming::Content(Unread::Chunked(decoder)) = &mut self.incoming
            && !self.expects_continue
            && self.cycle.server != State::Done
            && let Some(data) = decoder.whole_chunk(rx)
        {
            self.timers.stop(timer::BODY);
            return Ok(Some(Event::Body(data)));
        }
        self.poll_any(now, rx, tx)
    }

    /// As [`poll`](Self::poll), for everything.
    fn poll_any<'b>(&mut self, now: Instant, rx: &mut Rx<'b>, tx: &mut Tx<'_>) -> Result<Option<Event<'b>>, Violation> {
        match &mut self.incoming {
            Incoming::Head(head) => match head.scan(rx.bytes(), &self.bounds.head) {
                Ok(Some(len)) => self.request(now, len, rx, tx),
                Ok(None) => self.await_head(now, rx, tx),
                Err(violation) => self.fail(now, violation, tx),
            },
            Incoming::Nothing => self.stand_by(now, tx),
            Incoming::Content(_) if self.cycle.server == State::Done => self.drain(now, rx, tx),
            Incoming::Content(_) => self.content(now, rx, tx),
        }
    }

    /// The head of `len` bytes is complete.
    #[inline]
    fn request<'b>(
        &mut self,
        now: Instant,
        len: usize,
        rx: &mut Rx<'b>,
        tx: &mut Tx<'_>,
    ) -> Result<Option<Event<'b>>, Violation> {
        let Incoming::Head(head) = &self.incoming else { return self.stand_by(now, tx) };
        let request = head.request(rx.take(len));
        self.timers.stop(timer::HEAD);
        self.timers.stop(timer::IDLE);
        self.head_method = matches!(request.method, Method::Head);
        self.connect_method = matches!(request.method, Method::Connect);
        self.version = request.version;
        self.offers_upgrade = request.offers_upgrade();
        self.expects_continue = request.expects_continue();
        self.incoming = match Unread::new(request.length(), self.bounds.max_body, self.bounds.max_chunk_ext) {
            Ok(unread) => Incoming::Content(unread),
            Err(violation) => return self.fail(now, violation, tx),
        };
        let taken = self.cycle.step(Side::Client, Step::Head);
        debug_assert!(taken.is_ok(), "a head is read between two exchanges only");
        if !request.keep_alive() {
            self.cycle.last_exchange();
        }
        Ok(Some(Event::Request(request)))
    }

    /// The head is not complete.
    fn await_head<'b>(&mut self, now: Instant, rx: &Rx<'_>, tx: &mut Tx<'_>) -> Result<Option<Event<'b>>, Violation> {
        let Incoming::Head(head) = &mut self.incoming else { return self.stand_by(now, tx) };
        // Empty lines before a request line are not the start of one.
        let is_idle = rx.bytes().iter().all(|b| matches!(b, b'\r' | b'\n'));
        if rx.is_last() && is_idle {
            for side in [Side::Client, Side::Server] {
                let taken = self.cycle.step(side, Step::Close);
                debug_assert!(taken.is_ok(), "a head is read between two exchanges only");
            }
            self.stop();
            return self.stand_by(now, tx);
        }
        if let Err(violation) = head.incomplete(rx) {
            return self.fail(now, violation, tx);
        }
        if is_idle {
            self.timers.start(timer::IDLE, now);
        } else {
            self.timers.stop(timer::IDLE);
            self.timers.start(timer::HEAD, now);
        }
        self.wants = Wants::Input;
        Ok(None)
    }

    /// Content of a request whose answer is not complete.
    #[inline]
    fn content<'b>(&mut self, now: Instant, rx: &mut Rx<'b>, tx: &mut Tx<'_>) -> Result<Option<Event<'b>>, Violation> {
        if self.expects_continue && self.cycle.server == State::Owing {
            let sent = emit::bare(Status::CONTINUE, None, Persistence::Unsaid, Length::Unsaid, tx);
            if let Err(full) = sent {
                self.wants = Wants::Output(full.needed);
                return Ok(None);
            }
            self.expects_continue = false;
        }
        let Incoming::Content(unread) = &mut self.incoming else { return self.stand_by(now, tx) };
        let before = rx.consumed();
        let piece = match unread.poll(rx, &self.bounds.head) {
            Ok(piece) => piece,
            Err(violation) => return self.fail(now, violation, tx),
        };
        if rx.consumed() != before {
            self.timers.stop(timer::BODY);
            // Content that comes without having been asked for has its deadlines too.
            self.expects_continue = false;
        }
        match piece {
            Some(Piece::End) => self.request_ends(),
            Some(_) => {}
            None => {
                // A client that was never told to go on is not late.
                if !self.expects_continue {
                    self.timers.start(timer::BODY, now);
                    self.timers.start(timer::WHOLE, now);
                }
                self.wants = Wants::Input;
            }
        }
        Ok(piece.map(Event::from))
    }

    /// Content that nobody wants, for the answer is complete: "A server MUST read the entire request message body or
    /// close the connection after sending its response; otherwise, the remaining data on a persistent connection would be
    /// misinterpreted as the next request" (RFC 9112 §9.3).
    #[cold]
    fn drain<'b>(&mut self, now: Instant, rx: &mut Rx<'b>, tx: &mut Tx<'_>) -> Result<Option<Event<'b>>, Violation> {
        self.timers.stop(timer::BODY);
        loop {
            let before = rx.consumed();
            let Incoming::Content(unread) = &mut self.incoming else { return self.stand_by(now, tx) };
            let piece = unread.poll(rx, &self.bounds.head);
            let dropped = u32::try_from(rx.consumed() - before).ok();
            let Some(left) = dropped.and_then(|dropped| self.drain_left.checked_sub(dropped)) else {
                self.close();
                return self.stand_by(now, tx);
            };
            self.drain_left = left;
            match piece {
                Ok(Some(Piece::End)) => {
                    self.timers.stop(timer::DRAIN);
                    self.request_ends();
                    return self.poll(now, rx, tx);
                }
                Ok(Some(_)) => {}
                // The response is complete, so there is no one to tell.
                Err(Violation::Eof) => {
                    self.close();
                    return self.stand_by(now, tx);
                }
                Ok(None) => {
                    self.timers.start(timer::DRAIN, now);
                    self.wants = Wants::Input;
                    return Ok(None);
                }
                Err(violation) => return self.fail(now, violation, tx),
            }
        }
    }

    /// The request is complete.
    #[inline]
    pub(super) fn request_ends(&mut self) {
        self.timers.stop(timer::WHOLE);
        let taken = self.cycle.step(Side::Client, Step::End);
        debug_assert!(taken.is_ok(), "a request ends where its content ends");
        self.incoming =
            if self.cycle.client == State::Idle { Incoming::Head(RequestHead::new()) } else { Incoming::Nothing };
    }

    /// Nothing is read now: it is the caller's turn, or the end.
    #[cold]
    pub(super) fn stand_by<'b>(&mut self, now: Instant, tx: &mut Tx<'_>) -> Result<Option<Event<'b>>, Violation> {
        let Some(violation) = self.failure else {
            self.wants = match self.cycle.server {
                State::MustClose | State::Closed => Wants::Close,
                _ => Wants::Caller,
            };
            return Ok(None);
        };
        if self.failure_unsent {
            if let Err(full) = self.write_failure(violation, tx) {
                // A peer that leaves no room for our last word is not waited for without end.
                self.timers.start(timer::DRAIN, now);
                self.wants = Wants::Output(full.needed);
                return Ok(None);
            }
            self.failure_unsent = false;
            self.timers.stop(timer::DRAIN);
        }
        self.wants = Wants::Close;
        Err(violation)
    }

    /// The peer broke a rule: answered if that is possible, now or when there is room, and then reported.
    #[cold]
    fn fail<'b>(
        &mut self,
        now: Instant,
        violation: Violation,
        tx: &mut Tx<'_>,
    ) -> Result<Option<Event<'b>>, Violation> {
        self.failure_unsent = self.may_begin_response();
        self.failure = Some(violation);
        self.stop();
        let _ = self.cycle.step(Side::Server, Step::Fail);
        self.stand_by(now, tx)
    }
}
