//! RFC 9112: HTTP/1.1 on the wire.
//!
//! Looking for how a head is read? `head`, on `lines`. For a request, and its head? `request`. For a response, and its head?
//! `response`. For request targets and hosts? `target`. For the length of content (§6.3)? `framing`. For what a
//! peer can do wrong? `violation`. For what a caller can? `misuse`. For chunks? [`chunked`]. For the engines? [`server`],
//! [`client`], which have the same rooms. For whose turn it is? `cycle`. For content coming in? `incoming`. For content
//! going out? `content`. For bytes going out? `emit`.

pub mod chunked;
pub mod client;
mod content;
mod cycle;
mod emit;
mod forward;
mod framing;
mod head;
mod incoming;
mod lines;
mod misuse;
mod request;
mod response;
pub mod server;
mod target;
mod violation;

pub use client::Client;
pub use framing::{BodyLength, ResponseLength};
pub use head::HeadLimits;
pub use misuse::Misuse;
pub use request::{Request, RequestHead};
pub use response::{Response, ResponseHead};
pub use server::Server;
pub(crate) use target::is_path_and_query;
pub use target::{Authority, Target, Uri};
pub use violation::{Ambiguous, Limit, Malformed, Timeout, Unsupported, Violation};
