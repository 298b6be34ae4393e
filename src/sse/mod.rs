//! WHATWG HTML §9.2: Server-Sent Events.
//!
//! A server writes [`Outgoing`] events into its output and sends the bytes to as many readers as it has; the response
//! needs [`RESPONSE_FIELDS`], and [`KeepAlive`] says when a quiet stream wants a sign of life. A client reads with a
//! [`Decoder`]: events borrow the received bytes, and no input is an error. A [`Source`] has one inside and knows when to
//! connect, what an answer means and when to come back.
//!
//! Looking for reading? `decode`, on `line`. For writing? `encode`. For a quiet stream? `keep_alive`. For the client that
//! comes back? [`source`]. For what becomes of text that is not UTF-8? `lossy`. For what a caller can do wrong? `misuse`.

mod decode;
mod encode;
mod keep_alive;
mod line;
mod lossy;
mod misuse;
pub mod source;

pub use decode::{Decoder, Event, Limit, Message};
pub use encode::{KEEP_ALIVE, Outgoing, RESPONSE_FIELDS, encode_comment};
pub use keep_alive::KeepAlive;
pub use lossy::Lossy;
pub use misuse::Misuse;
pub use source::{Head, Source};

/// The longest id, in bytes. It comes back in a field of a request, for whose whole head servers commonly have 8 KiB
/// (Apache httpd, nginx).
pub const MAX_ID: usize = 1024;

/// The longest event on the wire that is read, in bytes, unless set: 16 MiB, as a WebSocket frame's payload.
pub const MAX_EVENT: usize = 16 << 20;
