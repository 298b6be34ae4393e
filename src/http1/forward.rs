//! Forwarded messages on the wire: the way from a head of HTTP/1.1 into [`http::forward`](crate::http::forward), and the way out.

use super::client::framing;
use super::emit::{self, CustomLine, FieldList, Length, Persistence, Writer};
use super::{Authority, BodyLength, Misuse, Request, Response, ResponseLength, Target, Violation};
use crate::bytes::num;
use crate::http::forward::{self, Content, ReceivedRequest, ReceivedResponse, Run, Section, Stop, Value};
use crate::http::hop;
use crate::io::{Full, SendError, Tx};

impl<'b> From<&Request<'b>> for ReceivedRequest<'b> {
    fn from(request: &Request<'b>) -> Self {
        let target = request.target;
        Self {
            version: request.version,
            method: request.method,
            scheme: target.scheme().unwrap_or_default(),
            authority: target.authority().map_or(b"", |authority| authority.as_bytes()),
            path_and_query: match target {
                Target::Origin(path_and_query) => path_and_query,
                Target::Absolute(uri) => uri.path_and_query(),
                Target::Authority(_) => b"",
                Target::Asterisk => b"*",
            },
            fields: request.fields,
            content: request.length().into(),
        }
    }
}

impl From<BodyLength> for Content {
    fn from(length: BodyLength) -> Self {
        match length {
            BodyLength::None => Self::None,
            BodyLength::Length(length) => Self::Length(length),
            BodyLength::Chunked => Self::Unknown,
        }
    }
}

impl<'b> From<&Response<'b>> for ReceivedResponse<'b> {
    fn from(response: &Response<'b>) -> Self {
        Self {
            version: response.version,
            status: response.status,
            fields: response.fields,
            content: match response.length() {
                ResponseLength::None => Content::None,
                ResponseLength::Length(length) => Content::Length(length),
                ResponseLength::Chunked | ResponseLength::UntilClose => Content::Unknown,
            },
        }
    }
}

impl From<Content> for BodyLength {
    fn from(content: Content) -> Self {
        match content {
            Content::None => Self::None,
            Content::Length(length) => Self::Length(length),
            Content::Unknown => Self::Chunked,
        }
    }
}

/// What the client gets when its upstream breaks a rule: "the proxy MUST close the connection to the server, discard the
/// received response, and send a 502 (Bad Gateway) response to the client" (RFC 9112 §6.3); 504 when it is late.
impl From<Violation> for Stop {
    fn from(violation: Violation) -> Self {
        match violation {
            Violation::Timeout(_) => Self::Timeout,
            _ => Self::BadGateway,
        }
    }
}

impl forward::Request<'_> {
    /// Writes its head in HTTP/1.1, whole or not at all, framed anew; its content follows as [`content`](Self::content)
    /// says: so many bytes, or in chunks.
    ///
    /// # Errors
    /// `Full` if it does not fit; `Misuse` for a field in [`set`](forward::Intermediary::set) that cannot be there.
    pub fn write_http1(&self, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        let framed = framing(self.method(), self.content().into(), self.asked().expects_continue());
        let length = framed?;
        let [target, rest] = self.target();
        let (te, connection) = match (self.te_trailers(), self.upgrade()) {
            (false, None) => ("", ""),
            (true, None) => ("te: trailers\r\n", "connection: te\r\n"),
            (false, Some(_)) => ("", "connection: upgrade\r\n"),
            (true, Some(_)) => ("te: trailers\r\n", "connection: te, upgrade\r\n"),
        };
        let [upgrade, protocol, upgrade_end] = upgrade_line(self.upgrade());
        let mut digits = [0; 20];
        let [length, digits, length_end] = length_line(length, &mut digits);
        let start = [self.method().as_bytes(), b" ", target, rest, b" HTTP/1.1\r\n"];
        let end =
            [te.as_bytes(), upgrade, protocol, upgrade_end, connection.as_bytes(), length, digits, length_end, b"\r\n"];
        judge_set(self.set())?;
        Ok(write(self, &start, &end, tx)?)
    }
}

impl forward::Response<'_> {
    /// Writes its head, whole or not at all, with what the connection says in its place.
    pub(super) fn write(&self, persistence: Persistence, length: Length, tx: &mut Tx<'_>) -> Result<(), Full> {
        let custom;
        let line = match emit::status_line(self.status()) {
            Some(line) => line,
            None => {
                custom = CustomLine::new(self.status());
                custom.as_bytes()
            }
        };
        let [upgrade, protocol, upgrade_end] = upgrade_line(self.upgrade());
        let connection = emit::connection(persistence, self.upgrade().is_some());
        let mut digits = [0; 20];
        let [length, digits, length_end] = length_line(length, &mut digits);
        let end = [upgrade, protocol, upgrade_end, connection, length, digits, length_end, b"\r\n"];
        write(self, &[line], &end, tx)
    }
}

/// Writes a head whole or not at all.
#[inline]
fn write<'b>(section: &impl Section<'b>, start: &[&[u8]], end: &[&[u8]], tx: &mut Tx<'_>) -> Result<(), Full> {
    let mut added = 0;
    let mut measure = |name: &str, value: Value<'_>| added += name.len() + value.len() + 4;
    section.each_before(&mut measure);
    section.each_behind(&mut measure);
    let own = added + start.iter().chain(end).map(|piece| piece.len()).sum::<usize>();
    // The shortest line, "a:" CRLF, gets one byte longer. Where so much room is not there, it is measured exactly.
    let received = section.kept().received.as_bytes().len();
    let most = own + received + received / 4;
    let space = match most <= tx.room() {
        true => tx.reserve(most)?,
        false => tx.reserve(own + exactly(section))?,
    };
    let mut out = Writer(space);
    start.iter().for_each(|piece| out.put(piece));
    section.each_before(&mut |name, value| put_field(&mut out, name, value));
    section.kept().each_run(|run| match run {
        Run::Lines(lines) => out.put(lines),
        Run::Field { name, value } => [name, b": ", value, b"\r\n"].iter().for_each(|piece| out.put(piece)),
    });
    section.each_behind(&mut |name, value| put_field(&mut out, name, value));
    end.iter().for_each(|piece| out.put(piece));
    let left = out.0.len();
    tx.retract(left);
    Ok(())
}

/// What an intermediary sets is judged like what a client sends, and has no say in what forwarding has rules for.
fn judge_set(set: FieldList<'_>) -> Result<(), Misuse> {
    emit::outline(set)?;
    if !emit::are_values(set) {
        return Err(Misuse::FieldValue);
    }
    let mut hosts = 0;
    for (name, value) in set {
        let is_one_of = |names: &[&str]| names.iter().any(|other| other.eq_ignore_ascii_case(name));
        if is_one_of(&hop::HOP_BY_HOP) || is_one_of(&["expect", "max-forwards", "via"]) {
            return Err(Misuse::FieldReserved);
        }
        if is_one_of(&["host"]) {
            hosts += 1;
            Authority::parse(value).filter(|_| hosts == 1).ok_or(Misuse::Host)?;
        }
    }
    Ok(())
}

/// `Upgrade: protocol CRLF` in parts.
fn upgrade_line(protocol: Option<&str>) -> [&[u8]; 3] {
    protocol.map_or([b"", b"", b""], |protocol| [b"upgrade: ", protocol.as_bytes(), b"\r\n"])
}

/// The line of the framing, in parts.
fn length_line(length: Length, digits: &mut [u8; 20]) -> [&[u8]; 3] {
    match length {
        Length::Unsaid => [b"", b"", b""],
        Length::Exact(length) => [b"content-length: ", num::write_decimal(length, digits), b"\r\n"],
        Length::Chunked => [b"transfer-encoding: chunked\r\n", b"", b""],
    }
}

#[inline]
fn put_field(out: &mut Writer<'_>, name: &str, value: Value<'_>) {
    out.put(name.as_bytes());
    out.put(b": ");
    value.each(|piece| out.put(piece));
    out.put(b"\r\n");
}

#[cold]
fn exactly<'b>(section: &impl Section<'b>) -> usize {
    let mut len = 0;
    section.kept().each_run(|run| {
        len += match run {
            Run::Lines(lines) => lines.len(),
            Run::Field { name, value } => name.len() + value.len() + 4,
        }
    });
    len
}
