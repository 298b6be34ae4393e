//! Deadlines. What is kept is when things happened; when something is due is worked out when it is asked for.
//! So a message received costs one store.

use core::time::Duration;

use super::Config;
use crate::time::Instant;

/// The deadlines of a connection, in nanoseconds on the caller's clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timers {
    ping: u64,
    pong: u64,
    idle: u64,
    stall: u64,
    close: u64,
    linger: u64,
    /// When the last piece of a message came.
    message: u64,
    /// When a control frame last came.
    control: u64,
    /// When our last ping was sent.
    pinged: u64,
    /// The one deadline of a connection that is closing or over.
    end: u64,
}

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// The clock was not seen yet: there is nothing to count from.
    Start,
    Pong,
    Stall,
    Idle,
    Ping,
}

impl Timers {
    pub(super) const fn new(config: &Config) -> Self {
        Self {
            // A ping that is due when one was just sent would be due for ever.
            ping: if let nanos @ 1.. = nanos(config.ping_interval) { nanos } else { 1 },
            pong: nanos(config.pong_timeout),
            idle: nanos(config.idle_timeout),
            stall: nanos(config.stall_timeout),
            close: nanos(config.close_timeout),
            linger: nanos(config.linger_timeout),
            message: NEVER,
            control: 0,
            pinged: 0,
            end: NEVER,
        }
    }

    /// A piece of a message came.
    #[inline]
    pub(super) const fn message(&mut self, now: Instant) {
        self.message = now.as_nanos();
    }

    /// A control frame came.
    pub(super) const fn control(&mut self, now: Instant) {
        self.start(now);
        self.control = now.as_nanos();
    }

    /// The first call that knows the time.
    pub(super) const fn start(&mut self, now: Instant) {
        if self.message == NEVER {
            self.message = now.as_nanos();
        }
    }

    pub(super) const fn pinged(&mut self, now: Instant) {
        self.pinged = now.as_nanos();
    }

    /// Our Close was sent.
    pub(super) const fn closing(&mut self, now: Instant) {
        self.end = now.as_nanos().saturating_add(self.close);
    }

    /// All is said.
    pub(super) const fn over(&mut self, now: Instant) {
        self.end = now.as_nanos().saturating_add(self.linger);
    }

    /// Nothing is waited for any more.
    pub(super) const fn stop(&mut self) {
        self.end = NEVER;
    }

    /// When the close or linger deadline fires.
    pub(super) const fn end(&self) -> Option<Instant> {
        instant(self.end)
    }

    /// While the connection is open: what fires next, and when. Of several that are due, the gravest.
    pub(super) fn next(&self, now: Option<Instant>, in_message: bool) -> Option<(Timer, Instant)> {
        if self.message == NEVER {
            let any = self.ping != NEVER || self.idle != NEVER;
            return any.then_some((Timer::Start, Instant::ZERO));
        }
        let heard = self.message.max(self.control);
        let answered = self.pinged <= heard;
        let pong = if answered { NEVER } else { self.pinged.saturating_add(self.pong) };
        let ping =
            if answered || self.pong == NEVER { heard.max(self.pinged).saturating_add(self.ping) } else { NEVER };
        let stall = if in_message { self.message.saturating_add(self.stall) } else { NEVER };
        let idle = self.message.saturating_add(self.idle);
        let table = [(Timer::Pong, pong), (Timer::Stall, stall), (Timer::Idle, idle), (Timer::Ping, ping)];
        let due = now.and_then(|now| table.into_iter().find(|&(_, at)| at <= now.as_nanos()));
        let (timer, at) = due.or_else(|| table.into_iter().min_by_key(|&(_, at)| at))?;
        Some((timer, instant(at)?))
    }
}

const NEVER: u64 = u64::MAX;

const fn instant(nanos: u64) -> Option<Instant> {
    if nanos == NEVER { None } else { Some(Instant::from_nanos(nanos)) }
}

const fn nanos(timeout: Option<Duration>) -> u64 {
    let Some(timeout) = timeout else { return NEVER };
    let nanos = timeout.as_nanos();
    #[allow(clippy::cast_possible_truncation, reason = "it is below")]
    if nanos < NEVER as u128 { nanos as u64 } else { NEVER }
}
