//! RFC 9112: HTTP/1.1 on the wire.
//!
//! Looking for how a head is read? `head`. For request targets and hosts? `target`. For the length of content (§6.3)?
//! `framing`. For a request as the caller sees it? `request`. For what a peer can do wrong? `error`.

mod error;
mod framing;
mod head;
mod request;
mod target;

pub use error::{Ambiguous, Limit, Malformed, Timeout, Unsupported, Violation};
pub use framing::BodyLength;
pub use head::{HeadLimits, RequestHead};
pub use request::Request;
pub use target::{Authority, Target, Uri};
