//! Close codes (§7.4) and the body of a Close frame (§5.5.1).

use core::fmt;

use super::Violation;
use crate::bytes::{Text, utf8};

/// A code that may stand in a Close frame: 1000 to 1003, 1007 to 1014, 3000 to 4999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// The purpose of the connection has been fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// The endpoint goes away: a server shuts down, a page is left.
    pub const GOING_AWAY: Self = Self(1001);
    /// A protocol error.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// A type of data that cannot be accepted.
    pub const UNSUPPORTED: Self = Self(1003);
    /// Data that does not fit its type, such as text that is not UTF-8.
    pub const INVALID_DATA: Self = Self(1007);
    /// A policy is violated; when no other code fits.
    pub const POLICY: Self = Self(1008);
    /// A message is too big to process.
    pub const TOO_BIG: Self = Self(1009);
    /// A client misses an extension in the server's answer.
    pub const EXTENSION_MISSING: Self = Self(1010);
    /// An unexpected condition in a server.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// The service restarts (registered after the RFC).
    pub const SERVICE_RESTART: Self = Self(1012);
    /// Try again later (registered after the RFC).
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// A gateway got an invalid answer from upstream (registered after the RFC).
    pub const BAD_GATEWAY: Self = Self(1014);

    /// `code`, if it may stand in a Close frame.
    pub const fn new(code: u16) -> Option<Self> {
        // §7.4.1: 1004 is reserved; 1005, 1006 and 1015 "MUST NOT be set as a status code in a Close
        // control frame". §7.4.2: below 1000 is not used, 1016 to 2999 wait for a specification.
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(code)),
            _ => None,
        }
    }

    /// The number on the wire.
    pub const fn code(self) -> u16 {
        self.0
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `[ code (2 bytes, network order) [ reason ] ]`
pub(super) fn parse(body: &[u8]) -> Result<(Option<CloseCode>, Text<'_>), Violation> {
    let Some((&code, reason)) = body.split_first_chunk() else {
        // §5.5.1: "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer".
        return if body.is_empty() { Ok((None, Text::from(""))) } else { Err(Violation::CloseLength) };
    };
    let code = CloseCode::new(u16::from_be_bytes(code)).ok_or(Violation::CloseCode)?;
    // §8.1 and §5.5.1: the reason is UTF-8.
    if utf8::check(reason) != Ok(reason.len()) {
        return Err(Violation::Utf8);
    }
    Ok((Some(code), Text::from_validated(reason)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_at_every_edge() {
        let valid = [1000, 1003, 1007, 1014, 3000, 4999];
        let invalid = [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX];
        assert!(valid.iter().all(|&code| CloseCode::new(code).map(CloseCode::code) == Some(code)));
        assert!(invalid.iter().all(|&code| CloseCode::new(code).is_none()));
    }

    #[test]
    fn bodies() {
        assert_eq!(parse(b""), Ok((None, Text::from(""))));
        assert_eq!(parse(b"\x03"), Err(Violation::CloseLength));
        assert_eq!(parse(b"\x03\xe8"), Ok((Some(CloseCode::NORMAL), Text::from(""))));
        assert_eq!(parse(b"\x03\xe9bye"), Ok((Some(CloseCode::GOING_AWAY), Text::from("bye"))));
        assert_eq!(parse(b"\x03\xed"), Err(Violation::CloseCode));
        assert_eq!(parse(b"\x03\xe8\xc3"), Err(Violation::Utf8));
    }
}
