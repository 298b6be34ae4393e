//! Calls that are wrong where they are made.

use core::fmt;

use crate::io::SendError;

/// Why a call for sending was refused; our own side's fault, never the peer's. Nothing was written and nothing
/// changed: the connection can go on with a right call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Misuse {
    /// No request waits for an answer.
    NothingToAnswer,
    /// The final response has begun already.
    AlreadyAnswered,
    /// No response has begun whose content this could be.
    NoResponse,
    /// The connection has failed or ends, or has left HTTP.
    Closed,
    /// A 1xx is sent by `inform` and 101 by `switch_protocols`; and nothing else is.
    Interim,
    /// This status cannot have content (RFC 9110 §6.4.1), nor can a tunnel.
    ContentNotAllowed,
    /// More content than was declared.
    PastLength,
    /// Less content than was declared.
    ShortOfLength,
    /// A field name that is not a token.
    FieldName,
    /// A field value with a byte that no value may have: CR, LF, NUL, another control, or white space at an end.
    FieldValue,
    /// The engine itself writes this field (Content-Length, Transfer-Encoding, `Connection: keep-alive`), or forwarding does.
    FieldReserved,
    /// Trailer fields without chunked content, or one that may not come last (RFC 9110 §6.5.1).
    Trailer,
    /// The request did not offer to upgrade, or the answer names no protocol in Upgrade.
    NoUpgrade,
    /// The request has to be complete first: a server's to be read, a client's to be sent.
    RequestIncomplete,
    /// No request has begun whose content this could be.
    NoRequest,
    /// A target in no form that the method has (RFC 9112 §3.2).
    Target,
    /// Not exactly one Host field, or a malformed one, or not that of the target (RFC 9110 §7.2).
    Host,
    /// An expectation other than `100-continue`, or one without content (RFC 9110 §10.1.1).
    Expectation,
    /// Too many requests wait for their answers, or one that others must not follow (RFC 9112 §9.3.2).
    Pipeline,
    /// Chunked content for a server that has answered in HTTP/1.0 (RFC 9112 §6.1).
    Http10,
    /// More in Upgrade than a client remembers.
    Offer,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NothingToAnswer => "no request waits for an answer",
            Self::AlreadyAnswered => "the response has begun already",
            Self::NoResponse => "no response has begun",
            Self::Closed => "the connection is closed to HTTP",
            Self::Interim => "a status of the wrong class for this call",
            Self::ContentNotAllowed => "no content is allowed here",
            Self::PastLength => "more content than declared",
            Self::ShortOfLength => "less content than declared",
            Self::FieldName => "a field name is not a token",
            Self::FieldValue => "a field value has a forbidden byte",
            Self::FieldReserved => "the field is the engine's to write",
            Self::Trailer => "a field that cannot be a trailer here",
            Self::NoUpgrade => "no upgrade was offered or none is named",
            Self::RequestIncomplete => "the request is not complete",
            Self::NoRequest => "no request has begun",
            Self::Target => "the target has no form that the method allows",
            Self::Host => "not one valid Host field that fits the target",
            Self::Expectation => "an expectation that cannot be met",
            Self::Pipeline => "no request may follow before an answer",
            Self::Http10 => "chunked content for an HTTP/1.0 server",
            Self::Offer => "the offer to upgrade is too long",
        })
    }
}

impl core::error::Error for Misuse {}

impl From<Misuse> for SendError<Misuse> {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}
