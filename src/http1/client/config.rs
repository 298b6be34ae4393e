//! Bounds and deadlines of a client connection.

use core::time::Duration;

use super::pipeline;
use crate::http1::HeadLimits;
use crate::time::Timers;

/// What a connection bounds, and how long it waits. Every default is a named constant of this type. More
/// settings may come: write `..Config::new()` behind your own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bounds of a response's head (`line` is that of its status line), and of a trailer section.
    pub head: HeadLimits,
    /// The most content a response may have, in bytes: a violation as soon as more is declared, or comes.
    pub max_body: u64,
    /// The most bytes of chunk extensions in one response.
    pub max_chunk_ext: u32,
    /// The most interim responses (1xx) to one request.
    pub max_interim: u8,
    /// How many requests may wait for their answers at once; never more than [`MAX_PIPELINE`](Self::MAX_PIPELINE).
    pub max_pipeline: u8,
    /// From the end of a request, or an interim response, to the head of the final one. `None` in this and the others:
    /// no deadline. They are kept in milliseconds, rounded up; 2^32 of them (49 days) and more never pass.
    pub head_timeout: Option<Duration>,
    /// Between two reads of a response's content.
    pub body_timeout: Option<Duration>,
    /// For a whole exchange, from its request, or from the end of the exchange before it, to the end of its response.
    pub whole_timeout: Option<Duration>,
    /// For a 100 to come before the content is sent without it.
    pub continue_timeout: Option<Duration>,
    /// Between two exchanges.
    pub idle_timeout: Option<Duration>,
}

impl Config {
    /// No bound on content, as in curl: nothing is kept of it.
    pub const MAX_BODY: u64 = u64::MAX;
    /// 16 KiB of chunk extensions, as for a server.
    pub const MAX_CHUNK_EXT: u32 = 16 << 10;
    /// 20 interim responses; Go's net/http took 5, and then found servers that send more.
    pub const MAX_INTERIM: u8 = 20;
    /// 8 requests, the most that Firefox allowed while it pipelined.
    pub const MAX_PIPELINE: u8 = pipeline::MAX;
    /// 60 seconds for a head, as nginx gives the servers behind it (`proxy_read_timeout`).
    pub const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
    /// 60 seconds between two reads, as in nginx again.
    pub const BODY_TIMEOUT: Duration = Duration::from_secs(60);
    /// 1 second for a 100, as in curl and in Go's net/http.
    pub const CONTINUE_TIMEOUT: Duration = Duration::from_secs(1);
    /// 90 seconds between two exchanges, as in Go's net/http.
    pub const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

    /// The defaults; a whole exchange may take as long as it likes.
    pub const fn new() -> Self {
        Self {
            head: HeadLimits::new(),
            max_body: Self::MAX_BODY,
            max_chunk_ext: Self::MAX_CHUNK_EXT,
            max_interim: Self::MAX_INTERIM,
            max_pipeline: Self::MAX_PIPELINE,
            head_timeout: Some(Self::HEAD_TIMEOUT),
            body_timeout: Some(Self::BODY_TIMEOUT),
            whole_timeout: None,
            continue_timeout: Some(Self::CONTINUE_TIMEOUT),
            idle_timeout: Some(Self::IDLE_TIMEOUT),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// The bounds of a [`Config`] as a connection keeps them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) head: HeadLimits,
    pub(super) max_body: u64,
    pub(super) max_chunk_ext: u32,
    pub(super) max_interim: u8,
    pub(super) max_pipeline: u8,
}

impl Bounds {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            head: config.head,
            max_body: config.max_body,
            max_chunk_ext: config.max_chunk_ext,
            max_interim: config.max_interim,
            max_pipeline: config.max_pipeline.min(Config::MAX_PIPELINE),
        }
    }
}

/// What a deadline is for: the slots of the timers.
pub(super) mod timer {
    pub(in super::super) const HEAD: usize = 0;
    pub(in super::super) const BODY: usize = 1;
    pub(in super::super) const WHOLE: usize = 2;
    pub(in super::super) const CONTINUE: usize = 3;
    pub(in super::super) const IDLE: usize = 4;
}

pub(super) const TIMERS: usize = 5;

impl Config {
    pub(super) fn timers(&self) -> Timers<TIMERS> {
        Timers::new([
            self.head_timeout,
            self.body_timeout,
            self.whole_timeout,
            self.continue_timeout,
            self.idle_timeout,
        ])
    }
}
