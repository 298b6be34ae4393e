//! RFC 6455: WebSocket.
//!
//! A [`Connection`] turns received bytes into [`Event`]s and sends frames; its role is a type
//! ([`Server`], [`Client`]). It keeps no payload: pieces of a message are delivered as they arrive,
//! unmasked in place, text already judged. For whole messages there is `Messages` (feature `alloc`).
//!
//! Looking for the opening handshake? [`handshake`]. For `ws:` URLs? [`Url`]. For the frame header? `header`. For masking? `mask`. For what may stand in a Close?
//! [`CloseCode`]. For the rules of receiving? `connection`, of sending? `send`. For what is sent to many? [`Frame`]. For deadlines and the end? `ending`. For what a peer can do
//! wrong? [`Violation`]; what the caller can? [`Misuse`].

mod close;
mod config;
mod connection;
mod ending;
mod error;
mod event;
mod frame;
pub mod handshake;
mod header;
mod mask;
#[cfg(feature = "alloc")]
mod message;
mod role;
mod send;
mod text;
mod timers;
mod url;

pub use close::CloseCode;
pub use config::Config;
pub use connection::Connection;
pub use error::{Limit, Misuse, Violation};
pub use event::Event;
pub use frame::Frame;
pub use handshake::{Handshake, OriginPolicy, Refusal};
#[cfg(feature = "alloc")]
pub use message::{Message, Messages};
pub use role::{Client, Role, Server};
pub use send::Kind;
pub use url::{Url, UrlError};
