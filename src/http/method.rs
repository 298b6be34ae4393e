//! Request methods (RFC 9110 §9).

use core::fmt;

use crate::bytes::Token;

/// What a request wants done. Method names are case-sensitive (RFC 9110 §9.1), so `get` is [`Other`](Method::Other).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method<'b> {
    /// GET (§9.3.1).
    Get,
    /// HEAD (§9.3.2): the answer has no content.
    Head,
    /// POST (§9.3.3).
    Post,
    /// PUT (§9.3.4).
    Put,
    /// DELETE (§9.3.5).
    Delete,
    /// CONNECT (§9.3.6): asks for a tunnel.
    Connect,
    /// OPTIONS (§9.3.7).
    Options,
    /// TRACE (§9.3.8).
    Trace,
    /// PATCH (RFC 5789).
    Patch,
    /// Any other token.
    Other(Token<'b>),
}

impl<'b> Method<'b> {
    /// The method a token names.
    #[inline]
    pub fn from_token(token: Token<'b>) -> Self {
        match token.as_bytes() {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"DELETE" => Self::Delete,
            b"CONNECT" => Self::Connect,
            b"OPTIONS" => Self::Options,
            b"TRACE" => Self::Trace,
            b"PATCH" => Self::Patch,
            _ => Self::Other(token),
        }
    }

    /// The method's name as it stands on the wire.
    pub const fn as_bytes(self) -> &'b [u8] {
        match self {
            Self::Get => b"GET",
            Self::Head => b"HEAD",
            Self::Post => b"POST",
            Self::Put => b"PUT",
            Self::Delete => b"DELETE",
            Self::Connect => b"CONNECT",
            Self::Options => b"OPTIONS",
            Self::Trace => b"TRACE",
            Self::Patch => b"PATCH",
            Self::Other(token) => token.as_bytes(),
        }
    }

    /// The method's name as a string slice.
    pub fn as_str(self) -> &'b str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Patch => "PATCH",
            Self::Other(token) => token.as_str(),
        }
    }

    /// Whether the method only reads (§9.2.1). False for a method this crate does not know.
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Options | Self::Trace)
    }

    /// Whether doing it twice is doing it once (§9.2.2). False for a method this crate does not know.
    pub const fn is_idempotent(self) -> bool {
        self.is_safe() || matches!(self, Self::Put | Self::Delete)
    }
}

impl fmt::Display for Method<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive() {
        for name in ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PURGE", "get"] {
            let method = Method::from_token(Token::from_validated(name.as_bytes()));
            assert_eq!(method.as_bytes(), name.as_bytes());
            assert_eq!(method.as_str(), name);
            assert_eq!(std::format!("{method}"), name);
            assert_eq!(matches!(method, Method::Other(_)), ["PURGE", "get"].contains(&name), "{name}");
        }
    }

    #[test]
    fn properties() {
        assert!(Method::Get.is_safe() && Method::Get.is_idempotent());
        assert!(!Method::Put.is_safe() && Method::Put.is_idempotent());
        assert!(!Method::Post.is_idempotent() && !Method::Patch.is_idempotent());
    }
}
