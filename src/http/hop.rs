//! Which fields end at this connection, and which go on to the other end (RFC 9110 §7.6.1).

use super::fields::is_name;
use super::{Fields, list};
use crate::bytes::Token;

/// Whether a field of that name is for the next recipient only, in a message with these header fields.
///
/// True for `Connection` itself, for every name its options nominate, and for those that are hop-by-hop
/// whether nominated or not. Fields in [`END_TO_END`] cannot be nominated away: such an option is a sender's error
/// (or an attempt to strip a field on its way), and the field stays.
pub fn is_hop_by_hop(name: Token<'_>, header: Fields<'_>) -> bool {
    match Known::of(name.as_bytes()).class() {
        Class::HopByHop => true,
        Class::EndToEnd => false,
        Class::Free => {
            let mut options = header.all("connection").flat_map(list::connection_options);
            options.any(|option| option.eq_ignore_ascii_case(name.as_bytes()))
        }
    }
}

/// Fields that are never forwarded: §7.6.1, and the one of the upgrade to HTTP/2 that never is one (RFC 9113 §3.1).
pub const HOP_BY_HOP: [&str; 7] =
    ["connection", "http2-settings", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"];

/// Fields "intended for all recipients of the content", which "a sender MUST NOT" list as a connection option (§7.6.1):
/// those that say where a message goes and came from, whose it is, what its content is and how long it may be kept.
pub const END_TO_END: [&str; 19] = [
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "location",
    "max-forwards",
    "set-cookie",
    "via",
    "www-authenticate",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];

/// A field that forwarding has a rule for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Connection,
    Http2Settings,
    KeepAlive,
    ProxyConnection,
    Te,
    TransferEncoding,
    Upgrade,
    ContentLength,
    Date,
    Expect,
    Forwarded,
    Host,
    MaxForwards,
    Via,
    XForwardedFor,
    XForwardedHost,
    XForwardedProto,
    /// Any other of [`END_TO_END`].
    EndToEnd,
    ProxyAuthorization,
    Trailer,
    /// A field without a rule.
    Other,
}

/// Who a field is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// The next recipient.
    HopByHop,
    /// Everybody, whatever `Connection` says.
    EndToEnd,
    /// Everybody, unless `Connection` names it.
    Free,
}

impl Known {
    #[inline]
    pub(super) fn of(name: &[u8]) -> Self {
        match name.len() {
            2 if is_name(name, b"te") => Self::Te,
            3 if is_name(name, b"via") => Self::Via,
            4 if is_name(name, b"host") => Self::Host,
            4 if is_name(name, b"date") => Self::Date,
            6 if is_name(name, b"cookie") => Self::EndToEnd,
            6 if is_name(name, b"expect") => Self::Expect,
            7 if is_name(name, b"upgrade") => Self::Upgrade,
            7 if is_name(name, b"trailer") => Self::Trailer,
            8 if is_name(name, b"location") => Self::EndToEnd,
            9 if is_name(name, b"forwarded") => Self::Forwarded,
            10 if is_name(name, b"connection") => Self::Connection,
            10 if is_name(name, b"keep-alive") => Self::KeepAlive,
            10 if is_name(name, b"set-cookie") => Self::EndToEnd,
            12 if is_name(name, b"content-type") => Self::EndToEnd,
            12 if is_name(name, b"max-forwards") => Self::MaxForwards,
            13 if is_name(name, b"authorization") => Self::EndToEnd,
            13 if is_name(name, b"cache-control") => Self::EndToEnd,
            13 if is_name(name, b"content-range") => Self::EndToEnd,
            14 if is_name(name, b"content-length") => Self::ContentLength,
            14 if is_name(name, b"http2-settings") => Self::Http2Settings,
            15 if is_name(name, b"x-forwarded-for") => Self::XForwardedFor,
            16 if is_name(name, b"proxy-connection") => Self::ProxyConnection,
            16 if is_name(name, b"content-encoding") => Self::EndToEnd,
            16 if is_name(name, b"www-authenticate") => Self::EndToEnd,
            16 if is_name(name, b"x-forwarded-host") => Self::XForwardedHost,
            17 if is_name(name, b"transfer-encoding") => Self::TransferEncoding,
            17 if is_name(name, b"x-forwarded-proto") => Self::XForwardedProto,
            19 if is_name(name, b"proxy-authorization") => Self::ProxyAuthorization,
            _ => Self::Other,
        }
    }

    pub(super) const fn class(self) -> Class {
        match self {
            Self::Connection
            | Self::Http2Settings
            | Self::KeepAlive
            | Self::ProxyConnection
            | Self::Te
            | Self::TransferEncoding
            | Self::Upgrade => Class::HopByHop,
            Self::ProxyAuthorization | Self::Trailer | Self::Other => Class::Free,
            _ => Class::EndToEnd,
        }
    }
}

/// How many bytes of names a `Connection` can nominate, one more for each; those that need not or cannot be nominated
/// do not count. Real ones name one or two fields. Without a bound, each field of a header would be looked for among
/// thousands of names.
pub const NOMINATED: usize = 92;

/// The names that `Connection` nominates, without those it need not and those it cannot; kept by value, since trailers
/// come when the header is gone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nominated {
    /// A bit for the length of each name, modulo 64.
    lengths: u64,
    /// The names, each behind its length.
    text: [u8; NOMINATED],
    used: u8,
    /// There are more than fit.
    pub(super) overflow: bool,
    /// `Connection: upgrade`.
    pub(super) upgrade: bool,
    /// One of [`END_TO_END`] was named.
    pub(super) abuse: bool,
}

impl Nominated {
    pub(super) const NONE: Self =
        Self { lengths: 0, text: [0; NOMINATED], used: 0, overflow: false, upgrade: false, abuse: false };

    /// One `Connection = #connection-option` line.
    pub(super) fn add(&mut self, value: &[u8]) {
        for option in list::connection_options(value) {
            let known = Known::of(option);
            match known.class() {
                Class::HopByHop => self.upgrade |= known == Known::Upgrade,
                Class::EndToEnd => self.abuse = true,
                Class::Free => self.keep(option),
            }
        }
    }

    /// These, and the names of those fields.
    pub(super) fn and(mut self, fields: &[(&str, &[u8])]) -> Self {
        fields.iter().for_each(|(name, _)| self.keep(name.as_bytes()));
        self
    }

    fn keep(&mut self, name: &[u8]) {
        self.lengths |= 1 << (name.len() % 64);
        let from = usize::from(self.used);
        let space = self.text.get_mut(from..=from + name.len());
        let (Some([len, space @ ..]), Ok(short)) = (space, u8::try_from(name.len())) else {
            self.overflow = true;
            return;
        };
        *len = short;
        space.copy_from_slice(name);
        self.used += 1 + short;
    }

    /// Whether a field of that name was named, among those that there was room for.
    #[inline]
    pub(super) fn has(&self, name: &[u8]) -> bool {
        self.lengths & (1 << (name.len() % 64)) != 0 && self.keeps(name)
    }

    fn keeps(&self, name: &[u8]) -> bool {
        let mut text = self.text.get(..usize::from(self.used)).unwrap_or_default();
        while let [len, rest @ ..] = text {
            let (kept, rest) = rest.split_at(usize::from(*len).min(rest.len()));
            if kept.eq_ignore_ascii_case(name) {
                return true;
            }
            text = rest;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_hop(name: &str, section: &str) -> bool {
        is_hop_by_hop(Token::from_validated(name.as_bytes()), Fields::from_validated(section.as_bytes()))
    }

    #[test]
    fn known_and_nominated() {
        assert!(is_hop("TE", "") && is_hop("upgrade", "") && is_hop("Connection", "") && is_hop("Keep-Alive", ""));
        assert!(!is_hop("X-Hop", "") && !is_hop("Trailer", "") && is_hop("HTTP2-Settings", ""));
        assert!(is_hop("X-hop", "Connection: x-HOP\r\n"));
        assert!(!is_hop("X-ho", "Connection: x-HOP\r\n"));
        assert!(is_hop("b", "Connection: a\r\nA: 1\r\nConnection: close, B\r\n"), "all lines count");
        assert!(is_hop("b", "Connection: \"a, ,b\r\n"), "no quote hides an option");
    }

    #[test]
    fn what_cannot_be_nominated_away() {
        assert!(!is_hop("Host", "Connection: Host, Authorization\r\n"));
        assert!(!is_hop("Authorization", "Connection: Host, Authorization\r\n"));
    }

    #[test]
    fn the_lists_are_what_the_table_says() {
        for name in HOP_BY_HOP {
            assert_eq!(Known::of(name.to_ascii_uppercase().as_bytes()).class(), Class::HopByHop, "{name}");
        }
        for name in END_TO_END {
            assert_eq!(Known::of(name.as_bytes()).class(), Class::EndToEnd, "{name}");
        }
        for name in ["x-hop", "accept", "trailer", "proxy-authorization", "hosts", "x"] {
            assert_eq!(Known::of(name.as_bytes()).class(), Class::Free, "{name}");
        }
    }

    #[test]
    fn as_many_names_as_there_is_room_for() {
        let named = |value: &str| {
            let mut nominated = Nominated::NONE;
            nominated.add(value.as_bytes());
            nominated
        };
        let most = named(&std::format!("{}, host, te, last", "a-name-of-20-letters, ".repeat(4)));
        assert!(!most.overflow && most.has(b"A-Name-Of-20-Letters") && most.has(b"Last"));
        assert!(!most.has(b"other") && !most.has(b"te") && most.abuse && !most.upgrade);
        assert!(named("\"a, last").has(b"last") && !named(",").has(b""));
        assert!(named(&"a-name-of-20-letters, ".repeat(5)).overflow);
        assert!(named(&"a".repeat(NOMINATED - 1)).has(&[b'a'; NOMINATED - 1]));
        assert!(named(&"a".repeat(NOMINATED)).overflow && named(&"a".repeat(300)).overflow);
    }
}
