//! What a peer can do wrong on an HTTP/1.1 connection, and what is answered.

use core::fmt;

use crate::http::Status;

/// Why a connection cannot go on: the peer's fault. After one, the connection is answered with
/// [`status`](Self::status), if an answer still fits, and closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Violation {
    /// Bytes that the grammar does not allow.
    Malformed(Malformed),
    /// A message that two recipients could read in two ways (RFC 9112 §11.2): request smuggling.
    Ambiguous(Ambiguous),
    /// Within the grammar, beyond what we take.
    Limit(Limit),
    /// Something we do not do.
    Unsupported(Unsupported),
    /// The peer let a deadline pass.
    Timeout(Timeout),
    /// The peer stopped writing in the middle of a message.
    Eof,
}

/// Which rule of the grammar a peer broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Malformed {
    /// `request-line`: not three parts with one space between each (RFC 9112 §3).
    RequestLine,
    /// `status-line`: not a version, a space and three digits, with nothing or a space behind them (RFC 9112 §4).
    StatusLine,
    /// `method`: not a token (RFC 9112 §3.1).
    Method,
    /// `request-target`: in none of the forms that the method allows (RFC 9112 §3.2).
    Target,
    /// `HTTP-version` (RFC 9112 §2.3).
    Version,
    /// A line that ends in anything but CRLF, or a CR or LF inside one (RFC 9112 §2.2).
    LineEnd,
    /// A control character in a line, NUL among them (RFC 9110 §5.5).
    Control,
    /// A line that starts with white space: `obs-fold`, or nothing known (RFC 9112 §2.2, §5.2).
    Fold,
    /// `field-name`: not a token with the colon right behind it (RFC 9112 §5.1).
    FieldName,
    /// HTTP/1.1 without a Host field (RFC 9112 §3.2).
    HostMissing,
    /// Host: not `uri-host [ ":" port ]` (RFC 9110 §7.2).
    Host,
    /// Content-Length: not one `1*DIGIT` (RFC 9110 §8.6).
    ContentLength,
    /// Transfer-Encoding: chunked is not the last coding, or is there twice (RFC 9112 §6.1, §6.3).
    TransferEncoding,
    /// `chunk-size`: not `1*HEXDIG`, or beyond 64 bits (RFC 9112 §7.1).
    ChunkSize,
    /// `chunk-ext` (RFC 9112 §7.1.1).
    ChunkExtension,
    /// Chunk data that CRLF does not follow (RFC 9112 §7.1).
    ChunkEnd,
}

/// How a message could be read in two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ambiguous {
    /// Transfer-Encoding and Content-Length both (RFC 9112 §6.1).
    LengthAndCoding,
    /// Content-Length more than once, the same or not (RFC 9110 §8.6).
    LengthRepeated,
    /// Transfer-Encoding in an HTTP/1.0 message (RFC 9112 §6.1).
    CodingInHttp10,
    /// Host more than once (RFC 9112 §3.2).
    HostRepeated,
    /// Bytes from a server that no request waits for (RFC 9112 §9.2): response smuggling.
    ResponseUnasked,
    /// 101 to a request that was not complete or had not offered that protocol (RFC 9110 §7.8).
    SwitchUnasked,
    /// A CONNECT request with content, which the tunnel's own bytes could be taken for (RFC 9110 §9.3.6).
    ConnectContent,
}

/// Which limit a peer went beyond, and what a server answers to it. A client closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// The request line is longer than [`HeadLimits::line`](super::HeadLimits::line): 414.
    RequestLine,
    /// The status line is longer than that.
    StatusLine,
    /// The head is longer than [`HeadLimits::bytes`](super::HeadLimits::bytes), or than the receive buffer: 431.
    Head,
    /// A section has more fields than [`HeadLimits::fields`](super::HeadLimits::fields): 431.
    Fields,
    /// The trailer section is longer than [`HeadLimits::bytes`](super::HeadLimits::bytes): 431.
    Trailers,
    /// The content is longer than [`Config::max_body`](super::server::Config::max_body): 413.
    Body,
    /// The chunk extensions of a message are longer together than
    /// [`Config::max_chunk_ext`](super::server::Config::max_chunk_ext): 413.
    ChunkExtensions,
    /// More interim responses to one request than [`client::Config::max_interim`](super::client::Config::max_interim).
    Interim,
}

/// What a peer asked for that we do not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unsupported {
    /// A major version of HTTP other than 1.
    Version,
    /// A transfer coding other than chunked.
    TransferCoding,
}

/// What did not come in time: a server answers 408. (One without a request closes without a word: that is no violation.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timeout {
    /// The rest of a request's head, or a response.
    Head,
    /// The rest of the content.
    Body,
    /// The end of a request's content, or of an exchange as a whole.
    Whole,
}

impl Violation {
    /// The status with which a gateway answers its own client when a server's response broke this rule.
    pub const fn gateway_status(self) -> Status {
        match self {
            Self::Timeout(_) => Status::GATEWAY_TIMEOUT,
            _ => Status::BAD_GATEWAY,
        }
    }

    /// The status with which a server answers a request that broke this rule.
    pub const fn status(self) -> Status {
        match self {
            Self::Malformed(_) | Self::Ambiguous(_) | Self::Eof => Status::BAD_REQUEST,
            Self::Limit(Limit::RequestLine) => Status::URI_TOO_LONG,
            Self::Limit(Limit::StatusLine | Limit::Head | Limit::Fields | Limit::Trailers) => {
                Status::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Self::Limit(Limit::Body | Limit::ChunkExtensions | Limit::Interim) => Status::CONTENT_TOO_LARGE,
            Self::Unsupported(Unsupported::Version) => Status::HTTP_VERSION_NOT_SUPPORTED,
            Self::Unsupported(Unsupported::TransferCoding) => Status::NOT_IMPLEMENTED,
            Self::Timeout(_) => Status::REQUEST_TIMEOUT,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed(malformed) => match malformed {
                Malformed::RequestLine => "the request line does not have three parts",
                Malformed::StatusLine => "the status line is malformed",
                Malformed::Method => "the method is not a token",
                Malformed::Target => "the request target has no valid form",
                Malformed::Version => "the version is malformed",
                Malformed::LineEnd => "a line does not end in CRLF",
                Malformed::Control => "a control character in the head",
                Malformed::Fold => "a line starts with white space",
                Malformed::FieldName => "a field name is malformed",
                Malformed::HostMissing => "there is no Host field",
                Malformed::Host => "the Host field is malformed",
                Malformed::ContentLength => "the Content-Length is malformed",
                Malformed::TransferEncoding => "chunked is not the last transfer coding",
                Malformed::ChunkSize => "a chunk size is malformed",
                Malformed::ChunkExtension => "a chunk extension is malformed",
                Malformed::ChunkEnd => "a chunk does not end in CRLF",
            },
            Self::Ambiguous(ambiguous) => match ambiguous {
                Ambiguous::LengthAndCoding => "both Transfer-Encoding and Content-Length",
                Ambiguous::LengthRepeated => "more than one Content-Length",
                Ambiguous::CodingInHttp10 => "Transfer-Encoding in HTTP/1.0",
                Ambiguous::HostRepeated => "more than one Host field",
                Ambiguous::ResponseUnasked => "a response that no request waits for",
                Ambiguous::SwitchUnasked => "a change of protocol that was not offered",
                Ambiguous::ConnectContent => "a CONNECT request with content",
            },
            Self::Limit(limit) => match limit {
                Limit::RequestLine => "the request line is too long",
                Limit::StatusLine => "the status line is too long",
                Limit::Head => "the head is too long",
                Limit::Fields => "too many fields",
                Limit::Trailers => "the trailers are too long",
                Limit::Body => "the content is too long",
                Limit::Interim => "too many interim responses",
                Limit::ChunkExtensions => "the chunk extensions are too long",
            },
            Self::Unsupported(unsupported) => match unsupported {
                Unsupported::Version => "the version of HTTP is not supported",
                Unsupported::TransferCoding => "a transfer coding is not supported",
            },
            Self::Timeout(timeout) => match timeout {
                Timeout::Head => "the head did not come in time",
                Timeout::Body => "the content did not come in time",
                Timeout::Whole => "the message did not end in time",
            },
            Self::Eof => "the message was cut off",
        })
    }
}

impl core::error::Error for Violation {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_status() {
        for (violation, code) in [
            (Violation::Malformed(Malformed::Fold), 400),
            (Violation::Ambiguous(Ambiguous::LengthAndCoding), 400),
            (Violation::Eof, 400),
            (Violation::Timeout(Timeout::Head), 408),
            (Violation::Limit(Limit::Body), 413),
            (Violation::Limit(Limit::RequestLine), 414),
            (Violation::Limit(Limit::Head), 431),
            (Violation::Limit(Limit::Fields), 431),
            (Violation::Unsupported(Unsupported::TransferCoding), 501),
            (Violation::Unsupported(Unsupported::Version), 505),
        ] {
            assert_eq!(violation.status().code(), code, "{violation}");
        }
        assert_eq!(Violation::Timeout(Timeout::Head).gateway_status().code(), 504);
        assert_eq!(Violation::Eof.gateway_status().code(), 502);
        assert!(size_of::<Violation>() <= 2);
    }
}
