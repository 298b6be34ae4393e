//! Why a message goes no further.

use core::{error, fmt};

use crate::http::Status;

/// Why a message is not forwarded, and what its client gets instead: [`status`](Self::status).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stop {
    /// `Max-Forwards: 0`: this is the final recipient. OPTIONS is answered for this intermediary; TRACE
    /// by what came, or not at all (405) where that is switched off.
    LastHop,
    /// Max-Forwards is no number, or is there twice.
    MaxForwards,
    /// Connection names more fields than [`NOMINATED`](crate::http::hop::NOMINATED) has room for.
    Nominations,
    /// The request has been here before: our name is in its Via.
    Loop,
    /// The target's scheme is not that of the connection it came over.
    Scheme,
    /// The target is no path with its query, or has bytes that no target may have.
    Target,
    /// Neither the target nor Host says where the request goes, and there is no default; or what says so is no host.
    NoAuthority,
    /// CONNECT: a tunnel is opened or refused, never forwarded to an origin.
    Connect,
    /// TRACE with content.
    TraceContent,
    /// Content of unknown length, for an upstream that speaks HTTP/1.0.
    LengthRequired,
    /// The upstream switches to a protocol nobody offered.
    Switch,
    /// The upstream's message cannot be understood, or breaks off.
    BadGateway,
    /// No connection to the upstream can be had.
    Unreachable,
    /// The upstream does not answer in time.
    Timeout,
    /// There are too many requests.
    Busy,
}

impl Stop {
    /// The status of the answer.
    pub const fn status(self) -> Status {
        match self {
            Self::LastHop => Status::OK,
            Self::MaxForwards | Self::Scheme | Self::Target | Self::NoAuthority | Self::TraceContent => {
                Status::BAD_REQUEST
            }
            Self::Nominations => Status::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Loop => Status::LOOP_DETECTED,
            Self::Connect => Status::NOT_IMPLEMENTED,
            Self::LengthRequired => Status::LENGTH_REQUIRED,
            Self::Switch | Self::BadGateway | Self::Unreachable => Status::BAD_GATEWAY,
            Self::Timeout => Status::GATEWAY_TIMEOUT,
            Self::Busy => Status::SERVICE_UNAVAILABLE,
        }
    }

    /// The section that says so.
    pub const fn clause(self) -> &'static str {
        match self {
            Self::LastHop | Self::MaxForwards => "RFC 9110 §7.6.2",
            Self::Nominations => "RFC 9110 §7.6.1, RFC 6585 §5",
            Self::Loop => "RFC 9110 §7.6, §7.6.3",
            Self::Scheme => "RFC 9110 §7.4",
            Self::Target => "RFC 9112 §3.2",
            Self::NoAuthority => "RFC 9112 §3.3",
            Self::Connect => "RFC 9110 §9.3.6",
            Self::TraceContent => "RFC 9110 §9.3.8",
            Self::LengthRequired => "RFC 9112 §6.1",
            Self::Switch => "RFC 9110 §7.8",
            Self::BadGateway => "RFC 9112 §6.3",
            Self::Unreachable => "RFC 9110 §15.6.3",
            Self::Timeout => "RFC 9110 §15.6.5",
            Self::Busy => "RFC 9110 §15.6.4",
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LastHop => "Max-Forwards is 0: this is the final recipient",
            Self::MaxForwards => "Max-Forwards is not one number",
            Self::Nominations => "Connection names too many fields",
            Self::Loop => "the request has been here before",
            Self::Scheme => "the target is of a scheme that is not spoken here",
            Self::Target => "the target is none",
            Self::NoAuthority => "the request does not say which host it is for",
            Self::Connect => "no tunnels are opened here",
            Self::TraceContent => "a TRACE request has no content",
            Self::LengthRequired => "the upstream needs to know the length of the content",
            Self::Switch => "the upstream switches to a protocol that was not offered",
            Self::BadGateway => "the upstream's answer cannot be understood",
            Self::Unreachable => "the upstream cannot be reached",
            Self::Timeout => "the upstream does not answer in time",
            Self::Busy => "there are too many requests",
        })?;
        write!(f, " ({})", self.clause())
    }
}

impl error::Error for Stop {}
