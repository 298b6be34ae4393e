//! The target URI of a request (RFC 9110 §7.1, RFC 9112 §3.3): what a cache keys by.

use core::fmt;
use core::hash::{Hash, Hasher};

use super::{Node, ReceivedRequest};
use crate::http::Method;

/// A target URI, put together from where its parts stand. Two compare equal if they are "normalized and compared" (RFC 9110
/// §4.2.3): scheme and host without regard to case, the default port like none, an empty path like `/`. Nothing else is:
/// percent-encoding stays as it came, so that no two requests which the upstream could tell apart share a key.
#[derive(Clone, Copy, Debug)]
pub struct TargetUri<'b> {
    scheme: &'b [u8],
    host: &'b [u8],
    /// Digits; empty for the default.
    port: &'b [u8],
    slash: &'b [u8],
    path_and_query: &'b [u8],
}

impl<'b> TargetUri<'b> {
    /// The target URI of a request that came from that client. `None` if it names no authority.
    pub fn of(request: &ReceivedRequest<'b>, client: &Node) -> Option<Self> {
        let authority = match request.authority {
            [] => request.fields.first("host")?,
            authority => authority,
        };
        let scheme = if request.scheme.is_empty() { client.scheme().as_bytes() } else { request.scheme };
        // Brackets have colons in them.
        let colon =
            authority.iter().rposition(|&b| matches!(b, b':' | b']')).filter(|&at| authority.get(at) == Some(&b':'));
        let (host, port) = authority.split_at(colon.unwrap_or(authority.len()));
        let port = without_zeros(port.get(1..).unwrap_or_default());
        let is_default = (scheme.eq_ignore_ascii_case(b"http") && port == b"80")
            || (scheme.eq_ignore_ascii_case(b"https") && port == b"443");
        // "If the request-target is in authority-form or asterisk-form, the target URI's combined path and query component
        // is empty" (RFC 9112 §3.3).
        let (slash, path_and_query): (&[u8], &[u8]) = match (request.method, request.path_and_query) {
            (Method::Connect, _) | (Method::Options, b"" | b"*") => (b"", b""),
            (_, path @ [b'/', ..]) => (b"", path),
            // "an empty path component [..] is equivalent to an absolute path of '/'" (RFC 9110 §4.2.3).
            (_, query) => (b"/", query),
        };
        let port = if is_default { b"" } else { port };
        (!host.is_empty()).then_some(Self { scheme, host, port, slash, path_and_query })
    }

    /// The bytes of the normalized URI, piece by piece.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        let lower = |bytes: &'b [u8]| bytes.iter().map(u8::to_ascii_lowercase);
        let colon: &[u8] = if self.port.is_empty() { b"" } else { b":" };
        let as_is = [colon, self.port, self.slash, self.path_and_query].into_iter().flatten().copied();
        lower(self.scheme).chain(*b"://").chain(lower(self.host)).chain(as_is)
    }
}

fn without_zeros(mut digits: &[u8]) -> &[u8] {
    while let [b'0', rest @ ..] = digits
        && !rest.is_empty()
    {
        digits = rest;
    }
    digits
}

impl PartialEq for TargetUri<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl Eq for TargetUri<'_> {}

impl Hash for TargetUri<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes().for_each(|b| state.write_u8(b));
        state.write_u8(0xff);
    }
}

impl fmt::Display for TargetUri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().try_for_each(|b| fmt::Write::write_char(f, char::from(b)))
    }
}
