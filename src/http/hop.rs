//! Which fields end at this connection, and which go on to the other end (RFC 9110 §7.6.1).

use super::Fields;
use crate::bytes::Token;

/// Whether a field of that name is for the next recipient only, in a message with these header fields.
///
/// True for `Connection` itself, for every name its options nominate, and for the five that are hop-by-hop
/// whether nominated or not. Fields in [`END_TO_END`] cannot be nominated away: such an option is a sender's error
/// (or an attempt to strip a field on its way), and the field stays.
pub fn is_hop_by_hop(name: Token<'_>, header: Fields<'_>) -> bool {
    HOP_BY_HOP.iter().any(|&own| name.is(own))
        || (header.has_token("connection", name.as_str()) && !END_TO_END.iter().any(|&own| name.is(own)))
}

/// Fields that are never forwarded: §7.6.1.
pub const HOP_BY_HOP: [&str; 6] =
    ["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"];

/// Fields "intended for all recipients of the content", which "a sender MUST NOT" list as a connection option (§7.6.1):
/// those that say where a message goes, whose it is, what its content is and how long it may be kept.
pub const END_TO_END: [&str; 11] = [
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "host",
    "location",
    "set-cookie",
    "www-authenticate",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn is_hop(name: &str, section: &str) -> bool {
        is_hop_by_hop(Token::from_validated(name.as_bytes()), Fields::from_validated(section.as_bytes()))
    }

    #[test]
    fn known_and_nominated() {
        assert!(is_hop("TE", "") && is_hop("upgrade", "") && is_hop("Connection", "") && is_hop("Keep-Alive", ""));
        assert!(!is_hop("X-Hop", "") && !is_hop("Trailer", ""));
        assert!(is_hop("X-hop", "Connection: x-HOP\r\n"));
        assert!(!is_hop("X-ho", "Connection: x-HOP\r\n"));
        assert!(is_hop("b", "Connection: a\r\nA: 1\r\nConnection: close, B\r\n"), "all lines count");
    }

    #[test]
    fn what_cannot_be_nominated_away() {
        assert!(!is_hop("Host", "Connection: Host, Authorization\r\n"));
        assert!(!is_hop("Authorization", "Connection: Host, Authorization\r\n"));
    }
}
