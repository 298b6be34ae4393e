//! RFC 6455: WebSocket.

pub mod handshake;
