//! SHA-1 and base64, as the WebSocket handshake needs them (RFC 6455 §4.2.2).

pub mod base64;
pub mod sha1;
