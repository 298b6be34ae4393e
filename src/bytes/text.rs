//! Bytes that were judged once, when they came in.

use core::{fmt, str};

/// Text in valid UTF-8. `as_bytes` is free; `as_str` pays the standard library's check again.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Text<'b>(&'b [u8]);

impl<'b> Text<'b> {
    /// `bytes` must be UTF-8 already judged by this crate.
    pub(crate) fn from_validated(bytes: &'b [u8]) -> Self {
        debug_assert!(str::from_utf8(bytes).is_ok(), "text is judged before it is wrapped");
        Self(bytes)
    }

    /// The bytes, free of charge.
    pub const fn as_bytes(self) -> &'b [u8] {
        self.0
    }

    /// The text as a string slice.
    pub fn as_str(self) -> &'b str {
        str::from_utf8(self.0).expect("judged when it was received")
    }

    /// Length in bytes.
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl<'b> From<&'b str> for Text<'b> {
    fn from(text: &'b str) -> Self {
        Self(text.as_bytes())
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A token (RFC 9110 §5.6.2: methods, field names): visible ASCII, never empty.
/// Comparison with `==` is exact; names of fields want [`is`](Token::is).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token<'b>(&'b [u8]);

impl<'b> Token<'b> {
    /// `bytes` must be `1*tchar` already judged by this crate.
    pub(crate) fn from_validated(bytes: &'b [u8]) -> Self {
        debug_assert!(!bytes.is_empty() && bytes.is_ascii(), "a token is judged before it is wrapped");
        Self(bytes)
    }

    /// The bytes, free of charge.
    pub const fn as_bytes(self) -> &'b [u8] {
        self.0
    }

    /// The token as a string slice.
    pub fn as_str(self) -> &'b str {
        str::from_utf8(self.0).expect("a token is ASCII")
    }

    /// Whether this is `name`, without regard to the case of letters.
    pub fn is(self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name.as_bytes())
    }
}

impl PartialEq<str> for Token<'_> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Token<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
