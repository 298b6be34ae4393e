//! What a connection accepts and how it behaves.

use core::time::Duration;

/// Limits, habits and deadlines of a [`Connection`](super::Connection). Every default is a named constant of this type. More
/// settings may come: write `..Config::new()` behind your own.
///
/// Deadlines are off where they are `None`. That of the handshake is not here: it is the HTTP engine's, whose head it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The longest payload of a data frame, in bytes. Judged at its header.
    pub max_frame: u64,
    /// The longest message, in bytes over all its frames. Judged at each header; if it is compressed, as it is inflated.
    pub max_message: u64,
    /// The most frames in a message.
    pub max_fragments: u32,
    /// The most bytes that a byte of compressed data may be inflated to, on average over a message; the first 1 MiB of each is free.
    /// A `Session` sends what is compressed beyond that as it is, for it takes its peer to be no bolder.
    pub max_ratio: u32,
    /// The longest payload in a frame of ours: a longer message is sent in fragments. At least 1.
    pub max_frame_sent: usize,
    /// Whether permessage-deflate was negotiated: messages may be compressed, in both directions. A `Session` knows, whatever this says.
    pub compression: bool,
    /// Whole messages of fewer bytes are not compressed by a `Session`.
    pub compressed_from: usize,
    /// Whether a ping is answered by the engine. If not, the caller sends the pongs.
    pub auto_pong: bool,
    /// How long the peer may be silent before it is sent a ping.
    pub ping_interval: Option<Duration>,
    /// How long the peer may stay silent after that ping: then it is gone. Whatever comes is an answer.
    pub pong_timeout: Option<Duration>,
    /// How long no message may come, pings and pongs not counted: then the connection is closed, with 1001.
    pub idle_timeout: Option<Duration>,
    /// How long a message that has begun may make no progress: then the connection fails, with 1008.
    pub stall_timeout: Option<Duration>,
    /// How long the peer may take to answer our Close.
    pub close_timeout: Option<Duration>,
    /// How long the end of input is waited for once all is said ([`Wants::Close`](crate::io::Wants::Close)).
    pub linger_timeout: Option<Duration>,
}

impl Config {
    /// 16 MiB in a frame, as in tungstenite.
    pub const MAX_FRAME: u64 = 16 << 20;
    /// 64 MiB in a message, as in tungstenite.
    pub const MAX_MESSAGE: u64 = 64 << 20;
    /// 131,072 frames in a message: the Autobahn suite sends 65,536.
    pub const MAX_FRAGMENTS: u32 = 131_072;
    /// 200 bytes inflated for one received, as in Apache (`DeflateInflateRatioLimit`).
    pub const MAX_RATIO: u32 = 200;
    /// Compressing begins at 64 bytes: of fewer next to nothing is saved (`ws` for Node.js begins at 1,024, the gzip of nginx
    /// at 20).
    pub const COMPRESSED_FROM: usize = 64;
    /// 20 seconds between pings, as in Python's websockets: below the 30 to 60 after which many proxies drop what is silent.
    pub const PING_INTERVAL: Duration = Duration::from_secs(20);
    /// 20 seconds for an answer to a ping, as in Python's websockets.
    pub const PONG_TIMEOUT: Duration = Duration::from_secs(20);
    /// 60 seconds between two pieces of a message, as in nginx (`client_body_timeout`).
    pub const STALL_TIMEOUT: Duration = Duration::from_secs(60);
    /// 10 seconds for the peer's Close, as in Python's websockets.
    pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
    /// 5 seconds for the end of input, as in nginx (`lingering_timeout`).
    pub const LINGER_TIMEOUT: Duration = Duration::from_secs(5);

    /// The defaults.
    pub const fn new() -> Self {
        Self {
            max_frame: Self::MAX_FRAME,
            max_message: Self::MAX_MESSAGE,
            max_fragments: Self::MAX_FRAGMENTS,
            max_ratio: Self::MAX_RATIO,
            max_frame_sent: usize::MAX,
            compression: false,
            compressed_from: Self::COMPRESSED_FROM,
            auto_pong: true,
            ping_interval: Some(Self::PING_INTERVAL),
            pong_timeout: Some(Self::PONG_TIMEOUT),
            idle_timeout: None,
            stall_timeout: Some(Self::STALL_TIMEOUT),
            close_timeout: Some(Self::CLOSE_TIMEOUT),
            linger_timeout: Some(Self::LINGER_TIMEOUT),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// A [`Config`] as a connection keeps it, but for the deadlines and what is asked each time something is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) max_frame: u64,
    pub(super) max_message: u64,
    pub(super) max_frame_sent: usize,
    pub(super) max_fragments: u32,
    pub(super) auto_pong: bool,
}

impl Rules {
    pub(super) const fn new(config: &Config) -> Self {
        Self {
            max_frame: config.max_frame,
            max_message: config.max_message,
            max_frame_sent: if config.max_frame_sent == 0 { 1 } else { config.max_frame_sent },
            max_fragments: config.max_fragments,
            auto_pong: config.auto_pong,
        }
    }
}
