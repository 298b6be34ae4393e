//! RFC 6455: WebSocket.
//!
//! A [`Connection`] turns received bytes into [`Event`]s and sends frames; its role is a type
//! ([`Server`], [`Client`]). It keeps no payload: pieces of a message are delivered as they arrive,
//! unmasked in place, text already judged. For whole messages there is `Session` (feature `alloc`).
//!
//! | looking for | open |
//! |---|---|
//! | the opening handshake; `ws:` URLs; whose pages may connect | [`handshake`]; [`Url`]; [`OriginPolicy`] |
//! | the frame header, and which end must mask; masking | `header`; `mask` |
//! | the rules of receiving; of sending | `connection`, `text`; `send` |
//! | whole messages, compressed or not; put together from pieces | `Session`; `Messages` |
//! | broadcasts: a message encoded once, sent to many | `Prepared`; without compression and a heap [`Frame`] |
//! | compressed messages; what connections share for them | [`deflate`]; `Shared` |
//! | when deadlines come; failure and the end | `timers`; `ending` |
//! | limits and deadlines; the Close that is sent for each | [`Config`]; [`Violation::close_code`] |
//! | what may stand in a Close | [`CloseCode`] |
//! | what a peer can do wrong; the caller | [`Violation`]; [`Misuse`] |

mod close;
mod config;
mod connection;
pub mod deflate;
mod ending;
mod event;
mod frame;
pub mod handshake;
mod header;
mod mask;
#[cfg(feature = "alloc")]
mod message;
mod misuse;
#[cfg(feature = "alloc")]
mod prepared;
mod role;
mod send;
#[cfg(feature = "alloc")]
mod session;
#[cfg(feature = "alloc")]
mod shared;
mod text;
mod timers;
mod url;
mod violation;

pub use close::CloseCode;
pub use config::Config;
pub use connection::Connection;
pub use event::Event;
pub use frame::Frame;
pub use handshake::{Handshake, OriginPolicy, Refusal};
#[cfg(feature = "alloc")]
pub use message::{Message, Messages};
pub use misuse::Misuse;
#[cfg(feature = "alloc")]
pub use prepared::Prepared;
pub use role::{Client, Role, Server};
pub use send::Kind;
#[cfg(feature = "alloc")]
pub use session::{Outbox, Received, Session};
#[cfg(feature = "alloc")]
pub use shared::Shared;
pub use url::{Url, UrlError};
pub use violation::{Limit, Violation};
