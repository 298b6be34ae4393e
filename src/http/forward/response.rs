//! Responses on their way to the client.

use super::request::Via;
use super::section::{Kept, Section, Trailers, Value, Without};
use super::{Content, Intermediary, Stop};
use crate::bytes::num;
use crate::http::hop::{Known, Nominated};
use crate::http::{Fields, HttpDate, Status, Version, list};

/// A response as it came.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedResponse<'b> {
    /// The version it came in.
    pub version: Version,
    /// Its status, interim ones (1xx) too.
    pub status: Status,
    /// Its header.
    pub fields: Fields<'b>,
    /// Its content: none in answers to HEAD, in 1xx, 204 and 304.
    pub content: Content,
}

/// What is remembered of a request for its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub(super) version: Version,
    pub(super) is_head: bool,
    pub(super) accepts_trailers: bool,
    pub(super) expects_continue: bool,
    /// Which of [`Intermediary::upgrades`] was offered.
    pub(super) upgrade: Option<usize>,
}

/// A response as it leaves.
#[derive(Clone, Copy, Debug)]
pub struct Response<'b> {
    status: Status,
    content: Content,
    /// Its trailers go on.
    trailers: bool,
    upgrade: Option<&'b str>,
    via: Via<'b>,
    date: Option<HttpDate>,
    kept: Kept<'b>,
}

impl Asked {
    /// Whether the request was sent on with an expectation of 100.
    pub const fn expects_continue(&self) -> bool {
        self.expects_continue
    }
}

impl<'p> Intermediary<'p> {
    /// The response that goes to the client instead of the one that came. `None`: an interim response that may not be relayed.
    ///
    /// `now` is the time it came; without a clock there is none.
    ///
    /// # Errors
    /// [`Stop::Switch`] for a protocol that nobody offered; [`Stop::BadGateway`] for content with a transfer coding that is
    /// not undone, for a 205 with content, and for more connection options than there is room for. The client gets a 502.
    pub fn response<'b>(
        &self,
        received: &ReceivedResponse<'b>,
        asked: &Asked,
        now: Option<HttpDate>,
    ) -> Result<Option<Response<'b>>, Stop>
    where
        'p: 'b,
    {
        let status = received.status;
        // "a server MUST NOT send a 1xx response to an HTTP/1.0 client" (§15.2). All others: "A proxy MUST forward 1xx responses
        // unless the proxy itself requested the generation of the 1xx response", and this one never does.
        if status.is_informational() && asked.version < Version::Http11 && status != Status::SWITCHING_PROTOCOLS {
            return Ok(None);
        }
        let has_content = received.content != Content::None;
        let mut nominated = Nominated::NONE;
        let (mut has_date, mut has_via, mut length) = (false, false, None);
        for field in received.fields {
            match Known::of(field.name.as_bytes()) {
                Known::Connection => {
                    nominated.add(field.value);
                    if nominated.overflow {
                        return Err(Stop::BadGateway);
                    }
                }
                Known::Date => has_date = true,
                Known::Via => has_via = true,
                // One of several says nothing.
                Known::ContentLength => length = Some(length.map_or(field.value, |_: &[u8]| b"")),
                // Whoever passes content on without its codings has to undo them first.
                Known::TransferEncoding if has_content && !is_chunked(field.value) => return Err(Stop::BadGateway),
                _ => {}
            }
        }
        let upgrade = match status {
            // "A server MUST NOT switch to a protocol that was not indicated by the client" (§7.8).
            Status::SWITCHING_PROTOCOLS => {
                let offered = asked.upgrade.and_then(|at| self.upgrades.get(at));
                let offered = offered.filter(|offered| received.fields.has_token("upgrade", offered));
                Some(*offered.ok_or(Stop::Switch)?)
            }
            // "A server that sends a 426 (Upgrade Required) response MUST send an Upgrade header field" (§7.8).
            Status::UPGRADE_REQUIRED => self.upgrade(received.fields).and_then(|at| self.upgrades.get(at)).copied(),
            _ => None,
        };
        let content = match (status, received.content) {
            // "a server MUST NOT generate content in a 205 response" (§15.3.6): one that says so meant something else. Without a
            // length, or in chunks, it has none until some comes, for which there is no place then.
            (Status::RESET_CONTENT, Content::Length(1..)) => return Err(Stop::BadGateway),
            (Status::RESET_CONTENT, _) => Content::Length(0),
            // "A server MUST NOT send a Content-Length header field in any response with a status code of 1xx (Informational) or
            // 204 (No Content)" (§8.6), to HEAD neither.
            (Status::NO_CONTENT, _) => Content::None,
            _ if status.is_informational() => Content::None,
            // The length these say is that of the content GET would have got (§8.6).
            _ if !has_content && (asked.is_head || status == Status::NOT_MODIFIED) => {
                length.and_then(num::decimal).map_or(Content::None, Content::Length)
            }
            _ => received.content,
        };
        // Only `TE: trailers` "indicates that the client is willing to accept trailer fields" (§6.5.1), and to HTTP/1.0 there is
        // no way; nor is there behind a 205, which leaves without content.
        let relays_trailers = asked.accepts_trailers && content == Content::Unknown;
        let mut without = Without::CONNECTION.and(Known::Via);
        if !relays_trailers {
            without = without.and(Known::Trailer);
        }
        // "A recipient with a clock that receives a response message without a Date header field MUST record the time it was received
        // and append a corresponding Date header field to the message's header section if it is cached or forwarded" (§6.6.1).
        let date = now.filter(|_| !has_date && !status.is_informational());
        Ok(Some(Response {
            status,
            content,
            trailers: relays_trailers,
            upgrade,
            via: Via::new(has_via, received.fields, received.version, self.name),
            date,
            kept: Kept { received: received.fields, nominated, without, set: &[] },
        }))
    }
}

impl<'b> Response<'b> {
    /// Its status.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// Its content, which the sender frames anew: what ended with the connection is chunked for HTTP/1.1, what was chunked ends with
    /// the connection for HTTP/1.0.
    pub const fn content(&self) -> Content {
        self.content
    }

    /// Which of its trailers go on.
    pub const fn trailers(&self) -> Trailers {
        Trailers::new(self.trailers, self.kept.nominated)
    }

    /// The protocol for Upgrade, with its connection option: in 101 the one to change to.
    pub const fn upgrade(&self) -> Option<&'b str> {
        self.upgrade
    }

    /// Every field, in order, as it leaves; without those of the connection: `Connection`, Upgrade and the framing.
    pub fn each_field(&self, f: impl FnMut(&str, Value<'_>)) {
        self.each(f);
    }
}

impl<'b> Section<'b> for Response<'b> {
    #[inline]
    fn kept(&self) -> &Kept<'b> {
        &self.kept
    }

    #[inline]
    fn each_before(&self, _: &mut impl FnMut(&str, Value<'_>)) {}

    #[inline]
    fn each_behind(&self, f: &mut impl FnMut(&str, Value<'_>)) {
        self.via.each(f);
        if let Some(date) = self.date {
            f("date", Value::new(&[&date.to_bytes()]));
        }
    }
}

fn is_chunked(coding: &[u8]) -> bool {
    list::elements(coding).all(|coding| coding.eq_ignore_ascii_case(b"chunked"))
}
