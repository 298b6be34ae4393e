//! Where a request came from: Forwarded (RFC 7239 §4) and the X-Forwarded-* fields that came before it.

use super::section::{Value, Without};
use super::{ForwardedPolicy, Node};
use crate::bytes::scan;
use crate::http::Fields;
use crate::http::hop::Known;

/// What this intermediary tells of a request's way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forwarded<'b> {
    pub(super) forwarded: ForwardedPolicy,
    pub(super) x_forwarded: ForwardedPolicy,
    pub(super) client: &'b Node,
    /// The host of the request, never empty.
    pub(super) host: &'b [u8],
    pub(super) received: Fields<'b>,
}

impl Forwarded<'_> {
    /// What is not forwarded as it came. Appended lists leave in one line.
    pub(super) fn without(&self, mut without: Without) -> Without {
        if self.forwarded != ForwardedPolicy::Pass {
            without = without.and(Known::Forwarded);
        }
        match self.x_forwarded {
            ForwardedPolicy::Pass => without,
            ForwardedPolicy::Append => without.and(Known::XForwardedFor),
            ForwardedPolicy::Remove | ForwardedPolicy::Replace => {
                without.and(Known::XForwardedFor).and(Known::XForwardedProto).and(Known::XForwardedHost)
            }
        }
    }

    pub(super) fn each(&self, f: &mut impl FnMut(&str, Value<'_>)) {
        self.forwarded(f);
        self.x_forwarded(f);
    }

    /// ```abnf
    /// Forwarded         = 1#forwarded-element                   ; RFC 7239 §4
    /// forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] )
    /// forwarded-pair    = token "=" value
    /// value             = token / quoted-string
    /// node              = nodename [ ":" node-port ]            ; §6, of which an IPv6 address must be quoted
    /// nodename          = IPv4address / "[" IPv6address "]" / "unknown" / obfnode
    /// ```
    fn forwarded(&self, f: &mut impl FnMut(&str, Value<'_>)) {
        if !matches!(self.forwarded, ForwardedPolicy::Replace | ForwardedPolicy::Append) {
            return;
        }
        let address = self.client.address();
        let (open, close): (&[u8], &[u8]) = match address {
            [] => (b"unknown", b""),
            _ if address.contains(&b':') => (b"\"[", b"]\""),
            _ => (b"", b""),
        };
        let scheme = self.client.scheme().as_bytes();
        // A host has neither quotes nor backslashes.
        let quote: &[u8] = if scan::token_end(self.host) == self.host.len() { b"" } else { b"\"" };
        let own: &[&[u8]] = &[b"for=", open, address, close, b";proto=", scheme, b";host=", quote, self.host, quote];
        // Behind quotes that do not end, nobody would see ours.
        let is_list = self.received.all("forwarded").all(closes_quotes);
        match self.forwarded {
            ForwardedPolicy::Append if is_list => f("forwarded", Value::after(self.received, "forwarded", own)),
            _ => f("forwarded", Value::new(own)),
        }
    }

    fn x_forwarded(&self, f: &mut impl FnMut(&str, Value<'_>)) {
        let (address, scheme) = (self.client.address(), self.client.scheme().as_bytes());
        let address: &[u8] = if address.is_empty() { b"unknown" } else { address };
        let appends = match self.x_forwarded {
            ForwardedPolicy::Append => true,
            ForwardedPolicy::Replace => false,
            ForwardedPolicy::Pass | ForwardedPolicy::Remove => return,
        };
        match appends {
            true => f("x-forwarded-for", Value::after(self.received, "x-forwarded-for", &[address])),
            false => f("x-forwarded-for", Value::new(&[address])),
        }
        // These two are of the first hop, and no lists.
        for (name, value) in [("x-forwarded-proto", scheme), ("x-forwarded-host", self.host)] {
            if !(appends && self.received.contains(name)) {
                f(name, Value::new(&[value]));
            }
        }
    }
}

/// Whether every `quoted-string` that begins here ends here.
fn closes_quotes(value: &[u8]) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    for &b in value {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            _ => {}
        }
    }
    !quoted
}
