//! What an intermediary must change in a message, and what it must not (RFC 9110 §7.6): pure functions over a head.
//!
//! Looking for the rules of requests? `request`. Of responses and interim responses? `response`. Of trailers, and for
//! what is kept of a field section? `section`. For Via and loops? `via`. For Forwarded and X-Forwarded-*? `forwarded`. For
//! why a message goes no further? [`Stop`]. For cache keys? [`TargetUri`].
//!
//! Nothing here knows a version's syntax. What belongs to a connection (framing, `Connection`) is removed and never
//! copied: whoever writes the message makes its own, from [`Content`] and from what the message asks of the next hop.
//! `http1` has the way in (`From<&http1::Request>`) and the way out.

mod forwarded;
mod request;
mod response;
mod section;
mod stop;
mod uri;
mod via;

use core::fmt::{self, Write};
use core::net::IpAddr;

pub use request::{ReceivedRequest, Request};
pub use response::{Asked, ReceivedResponse, Response};
pub(crate) use section::{Run, Section};
pub use section::{Trailers, Value, combined};
pub use stop::Stop;
pub use uri::TargetUri;
pub use via::Pseudonym;

use super::{Fields, Version};

/// Who forwards, and how. One for a listener.
///
/// ```
/// use hopwire::http::forward::Intermediary;
///
/// let gateway = Intermediary { trailers: true, ..Intermediary::new("edge").expect("a name") };
/// assert!(Intermediary::new("no, name").is_none());
/// # let _ = gateway;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Intermediary<'p> {
    /// Its name in Via.
    pub name: Pseudonym<'p>,
    /// The version of HTTP that the upstream speaks.
    pub upstream: Version,
    /// The host (and port) of requests that name none, as HTTP/1.0 allows. Without one they are refused.
    pub authority: Option<&'p str>,
    /// The protocols a client may upgrade to, `websocket` unless changed; `h2c` never is one.
    pub upgrades: &'p [&'p str],
    /// Whether this intermediary relays trailers to who wants them. Then `TE: trailers` is said on: it promises, for every
    /// recipient on the way, that trailers are not dropped (RFC 9110 §6.5.1), and only the caller can keep that.
    pub trailers: bool,
    /// What becomes of Forwarded (RFC 7239).
    pub forwarded: ForwardedPolicy,
    /// What becomes of X-Forwarded-For, -Proto and -Host.
    pub x_forwarded: ForwardedPolicy,
    /// Fields of requests that are this intermediary's to say: those that come under these names, in headers or trailers, are
    /// removed, these sent: Host perhaps, but none of the connection, and neither Expect, Max-Forwards nor Via, which are for
    /// forwarding to say. (With more than [`NOMINATED`](super::hop::NOMINATED) bytes of names, all trailers are removed.)
    pub set: &'p [(&'p str, &'p [u8])],
}

/// What becomes of fields that tell where a request came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedPolicy {
    /// Nothing: they are forwarded like any other.
    #[default]
    Pass,
    /// They are removed.
    Remove,
    /// They are removed, and this client's are said: for the first intermediary that is trusted.
    Replace,
    /// This client's are said behind those that came: for one whose clients are trusted intermediaries.
    Append,
}

/// Who is at the other end of a connection that requests come from: a node, as RFC 7239 §6 calls it, rendered once.
#[derive(Clone, Copy)]
pub struct Node {
    /// The longest IPv6 address has 39 bytes, with an IPv4 address in it 45.
    text: [u8; 46],
    len: usize,
    secure: bool,
}

/// How much content a message has, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// None.
    None,
    /// So many bytes; of a response that has no content (to HEAD, 304) the length it would have.
    Length(u64),
    /// Some, until it ends.
    Unknown,
}

impl<'p> Intermediary<'p> {
    /// An intermediary of that name (see [`Pseudonym`]) that changes nothing which need not be changed.
    pub fn new(name: &'p str) -> Option<Self> {
        Some(Self {
            name: Pseudonym::new(name)?,
            upstream: Version::Http11,
            authority: None,
            upgrades: &["websocket"],
            trailers: false,
            forwarded: ForwardedPolicy::Pass,
            x_forwarded: ForwardedPolicy::Pass,
            set: &[],
        })
    }

    /// Which of the protocols that may be upgraded to these fields prefer.
    fn upgrade(&self, fields: Fields<'_>) -> Option<usize> {
        let offered = fields.all("upgrade").flat_map(super::list::elements);
        let allowed = |offer: &[u8]| self.upgrades.iter().position(|own| own.as_bytes().eq_ignore_ascii_case(offer));
        // "The 'h2c' string was previously used as a token [..] This usage was never widely deployed and is deprecated"
        // (RFC 9113 §3.1).
        offered.filter(|offer| !offer.eq_ignore_ascii_case(b"h2c")).find_map(allowed)
    }

    fn sets(&self, name: &[u8]) -> bool {
        self.set.iter().any(|(own, _)| own.as_bytes().eq_ignore_ascii_case(name))
    }
}

impl Node {
    /// A client with this address, if it is to be told, that came over TLS or not. One of IPv4 on a socket of IPv6
    /// (`::ffff:192.0.2.7`) is told as the address it has.
    pub fn new(address: Option<IpAddr>, secure: bool) -> Self {
        let mut node = Self { text: [0; 46], len: 0, secure };
        if let Some(address) = address {
            // It fits.
            let _ = write!(node, "{}", address.to_canonical());
        }
        node
    }

    /// A client that is told by an identifier of ours instead, perhaps one that only its own requests share: `None` unless it is
    /// one, of at most 46 bytes.
    ///
    /// ```abnf
    /// obfnode = "_" 1*( ALPHA / DIGIT / "." / "_" / "-" )       ; RFC 7239 §6
    /// ```
    pub fn obfuscated(identifier: &str, secure: bool) -> Option<Self> {
        let name = identifier.strip_prefix('_').filter(|name| !name.is_empty())?;
        let mut node = Self::new(None, secure);
        let is_obfnode = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        (is_obfnode && node.write_str(identifier).is_ok()).then_some(node)
    }

    /// Its address or identifier, empty if neither is told.
    fn address(&self) -> &[u8] {
        self.text.get(..self.len).unwrap_or_default()
    }

    /// Whether requests come over TLS.
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    const fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }
}

impl Write for Node {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let space = self.text.get_mut(self.len..self.len + text.len()).ok_or(fmt::Error)?;
        space.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({} {})", self.scheme(), self.address().escape_ascii())
    }
}
