//! Protocol versions (RFC 9110 §2.5).

use core::fmt;

/// The versions of HTTP in whose syntax a message can arrive here. Later ones compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// HTTP/1.0 (RFC 1945): no chunked coding, no 1xx, a connection closes unless asked to stay.
    Http10,
    /// HTTP/1.1 (RFC 9112), and any later minor version, which is read as this one (RFC 9110 §6.2).
    Http11,
}

impl Version {
    /// The version's name as it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordered_and_named() {
        assert!(Version::Http10 < Version::Http11);
        assert_eq!(std::format!("{} {}", Version::Http10, Version::Http11), "HTTP/1.0 HTTP/1.1");
    }
}
