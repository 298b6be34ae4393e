//! What a connection accepts and how it behaves.

use core::time::Duration;

/// Limits and habits of a [`Connection`](super::Connection).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The longest payload of a data frame, in bytes. Judged at its header. 16 MiB, as in tungstenite.
    pub max_frame: u64,
    /// The longest message, in bytes over all its frames. Judged at each header. 64 MiB, as in tungstenite.
    pub max_message: u64,
    /// The most frames in a message. 131,072: the Autobahn suite sends 65,536.
    pub max_fragments: u32,
    /// Whether a ping is answered by the engine. If not, the caller sends the pongs.
    pub auto_pong: bool,
    /// How long the peer may take to answer our Close; `None`: for ever. 10 s, as in Python's websockets.
    pub close_timeout: Option<Duration>,
}

impl Config {
    /// The defaults.
    pub const fn new() -> Self {
        Self {
            max_frame: MAX_FRAME,
            max_message: MAX_MESSAGE,
            max_fragments: MAX_FRAGMENTS,
            auto_pong: true,
            close_timeout: Some(CLOSE_TIMEOUT),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

const MAX_FRAME: u64 = 16 << 20;
const MAX_MESSAGE: u64 = 64 << 20;
const MAX_FRAGMENTS: u32 = 131_072;
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
