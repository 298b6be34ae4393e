//! What received bytes become.

use super::{Event, Incoming, Server, Timer, write_failure};
use crate::http::{Method, Status, Version};
use crate::http1::chunked::{Decoder, Piece};
use crate::http1::cycle::{Side, State, Step};
use crate::http1::error::{Limit, Violation};
use crate::http1::framing::BodyLength;
use crate::http1::request::RequestHead;
use crate::http1::{emit, emit::Length, emit::Persistence};
use crate::io::{Rx, Tx, Wants};
use crate::time::Instant;

impl Server {
    /// The next event. `Ok(None)`: [`wants`](Self::wants) says what for. After an answer, poll again: the next
    /// request may be there already, and deadlines are started here.
    ///
    /// After an `Err` it returns the same for ever, and `wants` is [`Wants::Close`].
    #[inline]
    pub fn poll<'b>(&mut self, now: Instant, rx: &mut Rx<'b>, tx: &mut Tx<'_>) -> Result<Option<Event<'b>>, Violation> {
        if let Incoming::Chunked(decoder) = &mut self.incoming
            && !self.expects_continue
            && self.cycle.server != State::Done
            && let Some(data) = decoder.whole_chunk(rx)
        {
            self.deadlines.clear(Timer::Body as usize);
            return Ok(Some(Event::Body(data)));
        }
        self.poll_any(now, rx, tx)
    }

    /// As [`poll`](Self::poll), for everything.
    fn poll_any<'b>(&mut self, now: Instant, rx: &mut Rx<'b>, tx: &mut Tx<'_>) -> Result<Option<Event<'b>>, Violation> {
        match &mut self.incoming {
            Incoming::Head(head) => match head.scan(rx.bytes(), &self.bounds.head) {
                Ok(Some(len)) => self.request(len, rx, tx),
                Ok(None) => self.await_head(now, rx, tx),
                Err(violation) => self.fail(violation, tx),
            },
            Incoming::Nothing => self.stand_by(tx),
            _ if self.cycle.server == State::Done => self.drain(now, rx, tx),
            _ => self.content(now, rx, tx),
        }
    }

    /// The head of `len` bytes is complete.
    #[inline]
    fn request<'b>(&mut self, len: usize, rx: &mut Rx<'b>, tx: &mut Tx<'_>) -> Result<Option<Event<'b>>, Violation> {
        let Incoming::Head(head) = &self.incoming else { return self.stand_by(tx) };
        let request = head.request(rx.take(len));
        self.deadlines.clear(Timer::Head as usize);
        self.deadlines.clear(Timer::Idle as usize);
        self.head_method = matches!(request.method, Method::Head);
        self.connect_method = matches!(request.method, Method::Connect);
        self.version = request.version;
        self.offers_upgrade = request.upgrade();
        self.incoming = match request.body() {
            BodyLength::None => Incoming::Exact(0),
            BodyLength::Length(length) if length > self.bounds.max_body => {
                return self.fail(Violation::Limit(Limit::Body), tx);
            }
            BodyLength::Length(length) => Incoming::Exact(length),
            BodyLength::Chunked => Incoming::Chunked(Decoder::new(self.bounds.max_body, self.bounds.max_chunk_ext)),
        };
        // "A 100-continue expectation received in an HTTP/1.0 request MUST be ignored" (RFC 9110 §10.1.1), and one
        // without content has nothing to wait for.
        self.expects_continue = request.expects_continue()
            && request.version != Version::Http10
            && !matches!(self.incoming, Incoming::Exact(0));
        let taken = self.cycle.step(Side::Client, Step::Head);
        debug_assert!(taken.is_ok(), "a head is read between two exchanges only");
        if !request.keep_alive() {
            self.cycle.last_exchange();
        }
        Ok(Some(Event::Request(request)))
    }

    /// The head is not complete.
    fn await_head<'b>(&mut self, now: Instant, rx: &Rx<'_>, tx: &mut Tx<'_>) -> Result<Option<Event<'b>>, Violation> {
        let Incoming::Head(head) = &self.incoming else { return self.stand_by(tx) };
        if rx.is_last() {
            // Empty lines before a request line are not the start of one.
            if rx.bytes().iter().any(|b| !matches!(b, b'\r' | b'\n')) {
                return self.fail(Violation::Eof, tx);
            }
            for side in [Side::Client, Side::Server] {
                let taken = self.cycle.step(side, Step::Close);
                debug_assert!(taken.is_ok(), "a head is read between two exchanges only");
            }
            self.stop();
            return self.stand_by(tx);
        }
        // Bytes taken from this cursor earlier make room for more.
        if rx.is_full() && rx.consumed() == 0 && !rx.bytes().is_empty() {
            let limit = head.full();
            return self.fail(limit, tx);
        }
        let timer = if rx.bytes().is_empty() { Timer::Idle } else { Timer::Head };
        if timer == Timer::Head {
            self.deadlines.clear(Timer::Idle as usize);
        }
        self.start(timer, now);
        self.wants = Wants::Input;
        Ok(None)
    }

    /// Content of a request whose answer is not complete.
    #[inline]
    fn content<'b>(&mut self, now: Instant, rx: &mut Rx<'b>, tx: &mut Tx<'_>) -> Result<Option<Event<'b>>, Violation> {
        if self.expects_continue && self.cycle.server == State::Owing {
            let sent = emit::bare(Status::CONTINUE, Persistence::Unsaid, Length::Unsaid, tx);
            if let Err(full) = sent {
                self.wants = Wants::Output(full.needed);
                return Ok(None);
            }
            self.expects_continue = false;
        }
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
                Err(violation) => return self.fail(violation, tx),
            },
            Incoming::Head(_) | Incoming::Nothing => return self.stand_by(tx),
        };
        if event.is_some() || rx.consumed() != before {
            self.deadlines.clear(Timer::Body as usize);
        }
        match event {
            Some(Event::End) => {
                self.request_ends();
                Ok(Some(Event::End))
            }
            Some(event) => Ok(Some(event)),
            None if rx.is_last() => self.fail(Violation::Eof, tx),
            None => {
                // A client that was never told to go on is not late.
                if !self.expects_continue {
                    self.start(Timer::Body, now);
                }
                self.wants = Wants::Input;
                Ok(None)
            }
        }
    }

    /// Content that nobody wants, for the answer is complete: "it MUST either read the entire request message body or
    /// close the connection after sending its response, since otherwise the remaining data on a persistent connection
    /// would be misinterpreted as the next request" (RFC 9112 §9.3).
    #[cold]
    fn drain<'b>(&mut self, now: Instant, rx: &mut Rx<'b>, tx: &mut Tx<'_>) -> Result<Option<Event<'b>>, Violation> {
        self.deadlines.clear(Timer::Body as usize);
        loop {
            let before = rx.consumed();
            let piece = match &mut self.incoming {
                Incoming::Exact(left) => {
                    *left -= rx.take(usize::try_from(*left).unwrap_or(usize::MAX)).len() as u64;
                    Ok((*left == 0).then_some(true))
                }
                Incoming::Chunked(decoder) => {
                    let piece = decoder.poll(rx, &self.bounds.head);
                    piece.map(|piece| piece.map(|piece| matches!(piece, Piece::End)))
                }
                Incoming::Head(_) | Incoming::Nothing => return self.stand_by(tx),
            };
            let dropped = (rx.consumed() - before) as u64;
            let Some(left) = self.drain_left.checked_sub(dropped) else {
                self.close();
                return self.stand_by(tx);
            };
            self.drain_left = left;
            match piece {
                Ok(Some(true)) => {
                    self.deadlines.clear(Timer::Drain as usize);
                    self.request_ends();
                    return self.poll(now, rx, tx);
                }
                Ok(Some(false)) => {}
                // The response is complete, so there is no one to tell.
                Ok(None) | Err(Violation::Eof) if rx.is_last() => {
                    self.close();
                    return self.stand_by(tx);
                }
                Ok(None) => {
                    self.start(Timer::Drain, now);
                    self.wants = Wants::Input;
                    return Ok(None);
                }
                Err(violation) => return self.fail(violation, tx),
            }
        }
    }

    /// The request is complete.
    #[inline]
    pub(super) fn request_ends(&mut self) {
        let taken = self.cycle.step(Side::Client, Step::End);
        debug_assert!(taken.is_ok(), "a request ends where its content ends");
        self.incoming =
            if self.cycle.client == State::Idle { Incoming::Head(RequestHead::new()) } else { Incoming::Nothing };
    }

    /// Nothing is read now: it is the caller's turn, or the end.
    #[cold]
    pub(super) fn stand_by<'b>(&mut self, tx: &mut Tx<'_>) -> Result<Option<Event<'b>>, Violation> {
        let Some(violation) = self.failure else {
            self.wants = match self.cycle.server {
                State::MustClose | State::Closed => Wants::Close,
                _ => Wants::Caller,
            };
            return Ok(None);
        };
        if self.failure_unsent {
            if let Err(full) = write_failure(violation, tx) {
                self.wants = Wants::Output(full.needed);
                return Ok(None);
            }
            self.failure_unsent = false;
        }
        self.wants = Wants::Close;
        Err(violation)
    }

    /// The peer broke a rule: answered if that is possible, now or when there is room, and then reported.
    #[cold]
    fn fail<'b>(&mut self, violation: Violation, tx: &mut Tx<'_>) -> Result<Option<Event<'b>>, Violation> {
        self.failure_unsent = self.may_begin_response();
        self.failure = Some(violation);
        self.stop();
        let _ = self.cycle.step(Side::Server, Step::Fail);
        self.stand_by(tx)
    }

    fn start(&mut self, timer: Timer, now: Instant) {
        if !self.deadlines.is_set(timer as usize) {
            self.deadlines.set(timer as usize, now, self.bounds.timeout(timer));
        }
    }
}
