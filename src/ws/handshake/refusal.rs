//! Why a request is not accepted, ready to send.

use core::{error, fmt};

use crate::http::Status;
use crate::http1;
use crate::io::{Full, SendError, Tx};

/// Why a request to speak WebSocket is refused (§4.2.1, §4.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The method is not GET (405).
    Method,
    /// The request is in HTTP/1.0, which has no `Upgrade` (400).
    HttpVersion,
    /// `Host` is missing or empty (400).
    Host,
    /// `Upgrade` does not name `websocket` (400).
    Upgrade,
    /// `Connection` does not name `Upgrade`, so the request was meant for a hop before this one (400).
    Connection,
    /// `Host`, `Origin`, `Sec-WebSocket-Key` or `Sec-WebSocket-Version` came more than once (400).
    Repeated,
    /// `Sec-WebSocket-Key` is missing or not base64 of 16 bytes (400).
    Key,
    /// `Sec-WebSocket-Version` is missing or not 13 (426, with the version spoken here).
    Version,
    /// The request has content, which would be taken for frames (400).
    Body,
    /// `Sec-WebSocket-Protocol` is not a list of tokens, or comes in too many lines (400).
    Subprotocol,
    /// `Sec-WebSocket-Extensions` does not fit its grammar, or comes in too many lines (400).
    Extension,
    /// A page of that origin may not connect (403, §10.2).
    Origin,
    /// An ordinary request where only WebSocket is served (426). Never found by a [`Handshake`](super::Handshake): for
    /// callers to send when there was none.
    NotWebSocket,
}

impl Refusal {
    /// The status of the response.
    pub const fn status(self) -> Status {
        match self {
            Self::Method => Status::METHOD_NOT_ALLOWED,
            Self::Origin => Status::FORBIDDEN,
            Self::Version | Self::NotWebSocket => Status::UPGRADE_REQUIRED,
            _ => Status::BAD_REQUEST,
        }
    }

    /// The fields the response needs beside those of every response: `Allow`, or the version spoken here.
    pub const fn fields(self) -> &'static [(&'static str, &'static [u8])] {
        match self {
            // RFC 9110 §15.5.6: "The origin server MUST generate an Allow header field in a 405 response".
            Self::Method => &[("Allow", b"GET")],
            // RFC 9110 §15.5.22: "The server MUST send an Upgrade header field in a 426 response". RFC 6455 §4.4:
            // "MUST respond with a |Sec-WebSocket-Version| header field".
            Self::Version | Self::NotWebSocket => &[("Upgrade", b"websocket"), ("Sec-WebSocket-Version", b"13")],
            _ => &[],
        }
    }

    /// Answers the request that `http` waits to have answered, which leaves the connection open for another.
    ///
    /// # Errors
    /// `Full`; `Misuse` if no request waits for an answer.
    pub fn respond(self, http: &mut http1::Server, tx: &mut Tx<'_>) -> Result<(), SendError<http1::Misuse>> {
        http.respond_with(self.status(), self.fields(), b"", tx)
    }

    /// Writes the whole response, for callers with their own HTTP; it says that the connection closes after it.
    ///
    /// # Errors
    /// `Full`: at most 128 bytes are needed.
    pub fn write(self, tx: &mut Tx<'_>) -> Result<(), Full> {
        tx.put(match self {
            Self::Method => {
                b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            }
            Self::Origin => b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            // RFC 9110 §7.8: who sends Upgrade "MUST also send an "Upgrade" connection option".
            Self::Version | Self::NotWebSocket => {
                b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                  Connection: Upgrade, close\r\nContent-Length: 0\r\n\r\n"
            }
            _ => b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "the method is not GET",
            Self::HttpVersion => "the request is older than HTTP/1.1",
            Self::Host => "there is no Host",
            Self::Upgrade => "Upgrade does not name websocket",
            Self::Connection => "Connection does not name Upgrade",
            Self::Repeated => "a field that must stand alone came twice",
            Self::Key => "Sec-WebSocket-Key is not base64 of 16 bytes",
            Self::Version => "Sec-WebSocket-Version is not 13",
            Self::Body => "the request has content",
            Self::Subprotocol => "Sec-WebSocket-Protocol is not a list of tokens",
            Self::Extension => "Sec-WebSocket-Extensions is malformed",
            Self::Origin => "pages of that origin may not connect",
            Self::NotWebSocket => "only WebSocket is served here",
        })
    }
}

impl error::Error for Refusal {}
