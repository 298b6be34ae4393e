//! Bounds and deadlines of a server connection.

use core::time::Duration;

use crate::http1::HeadLimits;
use crate::time::Timers;

/// What a connection bounds, and how long it waits. Every default is a named constant of this type. More
/// settings may come: write `..Config::new()` behind your own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bounds of a request's head, and of a trailer section.
    pub head: HeadLimits,
    /// The most content a request may have, in bytes: 413 beyond it, as soon as it is declared.
    pub max_body: u64,
    /// The most bytes of chunk extensions in one request.
    pub max_chunk_ext: u32,
    /// How much of a request nobody wants is read and dropped so that the connection can be kept; with more than
    /// that to come the connection is closed.
    pub max_drain: u32,
    /// From the first byte of a head to its last. `None` in this and the others: no deadline. They are kept in milliseconds,
    /// rounded up; 2^32 of them (49 days) and more never pass.
    pub head_timeout: Option<Duration>,
    /// Between two reads of a request's content.
    pub body_timeout: Option<Duration>,
    /// For all of a request's content, from when it is first waited for to its end: who sends a byte at a time does not hold
    /// a connection for long. Give uploads as long as [`max_body`](Self::max_body) takes on the slowest line you serve.
    pub whole_timeout: Option<Duration>,
    /// Without a byte of a request; empty lines are none of it.
    pub idle_timeout: Option<Duration>,
    /// For all of the content that is read only to be dropped; and for room to answer a request that is refused.
    pub drain_timeout: Option<Duration>,
}

impl Config {
    /// 1 MiB of content, as in nginx (`client_max_body_size`).
    pub const MAX_BODY: u64 = 1 << 20;
    /// 16 KiB of chunk extensions, as in hyper since CVE-2024-22019 in Node.
    pub const MAX_CHUNK_EXT: u32 = 16 << 10;
    /// 256 KiB of unwanted content, as in Go's net/http.
    pub const MAX_DRAIN: u32 = 256 << 10;
    /// 30 seconds for a head, as in hyper.
    pub const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
    /// 60 seconds between two reads, as in nginx (`client_body_timeout`).
    pub const BODY_TIMEOUT: Duration = Duration::from_secs(60);
    /// 300 seconds for all of the content, as in Node.js (`requestTimeout`): 1 MiB at 28 kbit/s.
    pub const WHOLE_TIMEOUT: Duration = Duration::from_secs(300);
    /// 75 seconds between two requests, as in nginx (`keepalive_timeout`).
    pub const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
    /// 5 seconds for what is dropped, as in nginx (`lingering_timeout`).
    pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

    /// The defaults.
    pub const fn new() -> Self {
        Self {
            head: HeadLimits::new(),
            max_body: Self::MAX_BODY,
            max_chunk_ext: Self::MAX_CHUNK_EXT,
            max_drain: Self::MAX_DRAIN,
            head_timeout: Some(Self::HEAD_TIMEOUT),
            body_timeout: Some(Self::BODY_TIMEOUT),
            whole_timeout: Some(Self::WHOLE_TIMEOUT),
            idle_timeout: Some(Self::IDLE_TIMEOUT),
            drain_timeout: Some(Self::DRAIN_TIMEOUT),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// The bounds of a [`Config`] as a connection keeps them: small, for there are many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) head: HeadLimits,
    pub(super) max_body: u64,
    pub(super) max_drain: u32,
    pub(super) max_chunk_ext: u32,
}

impl Bounds {
    pub(super) const fn new(config: &Config) -> Self {
        Self {
            head: config.head,
            max_body: config.max_body,
            max_drain: config.max_drain,
            max_chunk_ext: config.max_chunk_ext,
        }
    }
}

/// What a deadline is for: the slots of the timers.
pub(super) mod timer {
    pub(in super::super) const HEAD: usize = 0;
    pub(in super::super) const BODY: usize = 1;
    pub(in super::super) const WHOLE: usize = 2;
    pub(in super::super) const IDLE: usize = 3;
    pub(in super::super) const DRAIN: usize = 4;
}

pub(super) const TIMERS: usize = 5;

impl Config {
    pub(super) fn timers(&self) -> Timers<TIMERS> {
        let Self { head_timeout, body_timeout, whole_timeout, idle_timeout, drain_timeout, .. } = *self;
        Timers::new([head_timeout, body_timeout, whole_timeout, idle_timeout, drain_timeout])
    }
}
