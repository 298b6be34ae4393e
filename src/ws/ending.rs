//! Deadlines, failure, and the end of a connection.

use super::connection::Phase;
use super::header::Opcode;
use super::timers::Timer;
use super::{CloseCode, Connection, Event, Role, Violation};
use crate::io::{Full, Rx, Tx, Wants};
use crate::time::Instant;

impl<R> Connection<R> {
    /// Whether the socket may be closed: all is said, and the peer has stopped writing, or will not be waited for any longer.
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do. Before the first call that is told the time, that
    /// can be at once: there is nothing to count from.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.is_closing() {
            return self.timers.end();
        }
        self.timers.next(None, self.incoming.message.is_some()).map(|(_, at)| at)
    }

    /// Fails the connection for what the caller found wrong with what was received: a message too big to be put together, data that
    /// does not [inflate](super::deflate). The next [`poll`](Self::poll) sends the Close and returns the violation.
    pub const fn fail(&mut self, violation: Violation) {
        if let Phase::Open = self.phase {
            self.phase = Phase::Failing(violation);
        }
    }

    /// The peer is not waited for any longer: for its Close, for room for ours, or for the end of its input.
    const fn give_up(&mut self) {
        self.phase = match self.phase {
            Phase::Open => Phase::Failed(Violation::Timeout),
            Phase::Failing(violation) => Phase::Failed(violation),
            phase => phase,
        };
        self.finish();
    }

    const fn finish(&mut self) {
        self.over = true;
        self.wants = Wants::Close;
        self.timers.stop();
    }
}

impl<R: Role> Connection<R> {
    /// Acts on the deadlines that are due at `now`; early or twice, it does nothing. What was received in time is to be
    /// [polled](Self::poll) first.
    ///
    /// A silent peer is sent a ping; an idle connection, a Close. If the peer did not answer one or the other, or stalls
    /// inside a message, the connection has failed: `poll` and `wants` say so.
    ///
    /// # Errors
    /// `Full` when something was to be sent and has no room in `tx`: call again with more. The deadline stays due, so wait
    /// for room, not for [`poll_timeout`](Self::poll_timeout), and for no longer than any peer may take to read.
    pub fn handle_timeout(&mut self, now: Instant, tx: &mut Tx<'_>) -> Result<(), Full> {
        if self.is_closing() {
            if self.timers.end().is_some_and(|at| at <= now) {
                self.give_up();
            }
            return Ok(());
        }
        match self.timers.next(Some(now), self.incoming.message.is_some()) {
            Some((timer, at)) if at <= now => match timer {
                Timer::Start => self.timers.start(now),
                Timer::Ping => {
                    self.frame(Opcode::Ping, true, b"", tx)?;
                    self.timers.pinged(now);
                }
                Timer::Idle => self.send_close(now, CloseCode::GOING_AWAY, "idle", tx)?,
                Timer::Stall => self.fail_now(now, Violation::Stalled, tx)?,
                Timer::Pong => self.fail_now(now, Violation::Silent, tx)?,
            },
            _ => {}
        }
        Ok(())
    }

    /// Tells the timers what came since as much was consumed and counted as `before` says.
    pub(super) fn heard(&mut self, now: Instant, event: &Option<Event<'_>>, before: (usize, u32), rx: &Rx<'_>) {
        let (consumed, fragments) = before;
        if matches!(event, Some(Event::Ping(_) | Event::Pong(_))) {
            self.timers.control(now);
            if fragments == self.incoming.fragments {
                return;
            }
        }
        if self.phase != Phase::Open {
            self.timers.over(now);
        } else if rx.consumed() > consumed {
            self.timers.message(now);
        }
    }

    /// The connection is over, or about to be.
    #[cold]
    pub(super) fn wind_up<'b>(
        &mut self,
        now: Instant,
        rx: &mut Rx<'_>,
        tx: &mut Tx<'_>,
    ) -> Result<Option<Event<'b>>, Violation> {
        if let Phase::Failing(violation) = self.phase
            && let Err(full) = self.fail_now(now, violation, tx)
        {
            // A peer that leaves no room for our last word is not waited for any longer than one that has it.
            if self.timers.end().is_none() {
                self.timers.over(now);
            }
            self.wants = Wants::Output(full.needed);
            return Ok(None);
        }
        // §5.5.1 and §7.1.7: what follows is not processed.
        rx.take_all();
        if rx.is_last() {
            self.finish();
        }
        self.wants = Wants::Close;
        match self.phase {
            Phase::Failed(violation) => Err(violation),
            _ => Ok(None),
        }
    }

    /// Fails the connection, once its Close is written.
    #[cold]
    fn fail_now(&mut self, now: Instant, violation: Violation, tx: &mut Tx<'_>) -> Result<(), Full> {
        let code = violation.close_code();
        // §7.1.7: "the endpoint SHOULD send a Close frame with an appropriate status code", unless "it believes the
        // other side is unlikely to be able to receive and process the Close frame".
        if let (Some(code), false) = (code, self.close_sent) {
            self.frame(Opcode::Close, true, &code.code().to_be_bytes(), tx)?;
            self.close_sent = true;
        }
        self.phase = Phase::Failed(violation);
        self.wants = Wants::Close;
        match code {
            Some(_) => self.timers.over(now),
            None => self.finish(),
        }
        Ok(())
    }
}
