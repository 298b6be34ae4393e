//! Writing message heads and chunks (RFC 9112 §3 to §7): one look over the fields for faults and size, one
//! reservation, then copies.

use super::chunked::is_forbidden_trailer;
use super::misuse::Misuse;
use crate::bytes::{num, scan};
use crate::http::Status;
use crate::io::{Full, SendError, Tx};

/// Fields to send: names and values.
pub(crate) type FieldList<'a> = &'a [(&'a str, &'a [u8])];

/// What a look over the fields of a head found out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outline {
    /// Bytes of all field lines.
    len: usize,
    /// `Connection: close` is among them.
    pub(crate) close: bool,
    /// `Connection: upgrade` is among them.
    connection_upgrade: bool,
    /// An Upgrade field is among them.
    pub(crate) upgrade: bool,
}

/// What the engine says of the content's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Unsaid,
    Exact(u64),
    Chunked,
}

/// What the engine says of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Persistence {
    Unsaid,
    KeepAlive,
    Close,
}

/// Judges the fields of a head: "a sender MUST NOT generate" other bytes (RFC 9110 §5.5), nor let the caller's framing
/// differ from ours.
#[inline]
pub(crate) fn outline(fields: FieldList<'_>) -> Result<Outline, Misuse> {
    let mut outline = Outline::default();
    for &(name, value) in fields {
        judge(name.as_bytes(), value)?;
        outline.len += name.len() + value.len() + 4;
        if matches!(name.len(), 7 | 10 | 14 | 17) {
            special(&mut outline, name, value)?;
        }
    }
    Ok(outline)
}

#[inline]
fn judge(name: &[u8], value: &[u8]) -> Result<(), Misuse> {
    if name.is_empty() || scan::token_end(name) != name.len() {
        return Err(Misuse::FieldName);
    }
    if let [b' ' | b'\t', ..] | [.., b' ' | b'\t'] = value {
        return Err(Misuse::FieldValue);
    }
    if scan::field_end(value) != value.len() {
        return Err(Misuse::FieldValue);
    }
    Ok(())
}

fn special(outline: &mut Outline, name: &str, value: &[u8]) -> Result<(), Misuse> {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    if is("content-length") || is("transfer-encoding") {
        return Err(Misuse::FieldReserved);
    }
    if is("upgrade") {
        outline.upgrade = true;
    }
    if is("connection") {
        for option in value.split(|&b| b == b',').map(<[u8]>::trim_ascii) {
            outline.close |= option.eq_ignore_ascii_case(b"close");
            outline.connection_upgrade |= option.eq_ignore_ascii_case(b"upgrade");
            if option.eq_ignore_ascii_case(b"keep-alive") {
                return Err(Misuse::FieldReserved);
            }
        }
    }
    Ok(())
}

/// Writes the head of a response, and `content` behind it, whole or not at all.
#[inline]
pub(crate) fn response(
    status: Status,
    fields: FieldList<'_>,
    outline: &Outline,
    persistence: Persistence,
    length: Length,
    content: &[u8],
    tx: &mut Tx<'_>,
) -> Result<(), Full> {
    let persistence = if outline.close { Persistence::Unsaid } else { persistence };
    let connection = connection(persistence, outline.upgrade && !outline.connection_upgrade);
    let mut digits = [0; 20];
    let (length, digits, after): (&[u8], &[u8], &[u8]) = match length {
        Length::Unsaid => (b"", b"", b"\r\n"),
        Length::Exact(n) => (b"content-length: ", num::write_decimal(n, &mut digits), b"\r\n\r\n"),
        Length::Chunked => (b"transfer-encoding: chunked\r\n", b"", b"\r\n"),
    };
    let mut custom = [0; CUSTOM_LINE];
    let line = match status_line(status) {
        Some(line) => line,
        None => custom_line(status, &mut custom),
    };
    let ours = line.len() + connection.len() + length.len() + digits.len() + after.len();
    let mut out = Writer(tx.reserve(ours + outline.len + content.len())?);
    out.put(line);
    put_fields(&mut out, fields);
    out.put(connection);
    out.put(length);
    out.put(digits);
    out.put(after);
    out.put(content);
    debug_assert!(out.0.is_empty(), "the reservation is exact");
    Ok(())
}

/// The head of a chunk of `len` bytes, with the CRLF of the one before when that is `owed`.
#[inline]
pub(crate) fn chunk_head(len: u64, owed: bool, tx: &mut Tx<'_>) -> Result<(), Full> {
    let mut digits = [0; 16];
    let digits = num::write_hex(len, &mut digits);
    let owed: &[u8] = if owed { b"\r\n" } else { b"" };
    let mut out = Writer(tx.reserve(owed.len() + digits.len() + 2)?);
    out.put(owed);
    out.put(digits);
    out.put(b"\r\n");
    Ok(())
}

/// As much of `data` as fits, as one chunk: how much that was, never 0.
#[inline]
pub(crate) fn chunk(data: &[u8], owed: bool, tx: &mut Tx<'_>) -> Result<usize, Full> {
    let before = if owed { 2 } else { 0 };
    let room = tx.room();
    let mut len = data.len().min(room.saturating_sub(before + 5));
    while len > 0 && before + hex_len(len) + 4 + len > room {
        len -= 1;
    }
    if len == 0 {
        return Err(Full { needed: before + 6 });
    }
    chunk_head(len as u64, owed, tx)?;
    let mut out = Writer(tx.reserve(len + 2)?);
    out.put(&data[..len]);
    out.put(b"\r\n");
    Ok(len)
}

/// The last chunk and the trailer section.
pub(crate) fn last_chunk(trailers: FieldList<'_>, owed: bool, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
    let mut len = 0;
    for &(name, value) in trailers {
        judge(name.as_bytes(), value).map_err(SendError::Misuse)?;
        if is_forbidden_trailer(name.as_bytes()) {
            return Err(SendError::Misuse(Misuse::Trailer));
        }
        len += name.len() + value.len() + 4;
    }
    let start: &[u8] = if owed { b"\r\n0\r\n" } else { b"0\r\n" };
    let mut out = Writer(tx.reserve(start.len() + len + 2)?);
    out.put(start);
    put_fields(&mut out, trailers);
    out.put(b"\r\n");
    Ok(())
}

/// Reserved space that fills from the front.
struct Writer<'a>(&'a mut [u8]);

impl Writer<'_> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        let (here, rest) = core::mem::take(&mut self.0).split_at_mut(bytes.len());
        here.copy_from_slice(bytes);
        self.0 = rest;
    }
}

#[inline]
fn put_fields(out: &mut Writer<'_>, fields: FieldList<'_>) {
    for &(name, value) in fields {
        out.put(name.as_bytes());
        out.put(b": ");
        out.put(value);
        out.put(b"\r\n");
    }
}

/// "A sender of Upgrade MUST also send an 'Upgrade' connection option" (RFC 9110 §7.8).
#[inline]
const fn connection(persistence: Persistence, upgrade: bool) -> &'static [u8] {
    match (persistence, upgrade) {
        (Persistence::Unsaid, false) => b"",
        (Persistence::Unsaid, true) => b"connection: upgrade\r\n",
        (Persistence::KeepAlive, false) => b"connection: keep-alive\r\n",
        (Persistence::KeepAlive, true) => b"connection: keep-alive, upgrade\r\n",
        (Persistence::Close, false) => b"connection: close\r\n",
        (Persistence::Close, true) => b"connection: close, upgrade\r\n",
    }
}

const fn hex_len(n: usize) -> usize {
    (usize::BITS - (n | 1).leading_zeros()).div_ceil(4) as usize
}

/// `status-line = HTTP-version SP status-code SP [ reason-phrase ] CRLF` (RFC 9112 §4) of a code without a ready line.
#[cold]
fn custom_line(status: Status, space: &mut [u8; CUSTOM_LINE]) -> &[u8] {
    let mut code = [0; 20];
    let reason = status.reason().as_bytes();
    let reason = reason.get(..CUSTOM_LINE - 15).unwrap_or(reason);
    let parts = [b"HTTP/1.1 ", num::write_decimal(u64::from(status.code()), &mut code), b" ", reason, b"\r\n"];
    let len = parts.iter().map(|part| part.len()).sum();
    let mut out = Writer(&mut space[..len]);
    parts.iter().for_each(|part| out.put(part));
    &space[..len]
}

const CUSTOM_LINE: usize = 64;

macro_rules! status_lines {
    ($($code:literal $reason:literal;)*) => {
        #[inline]
        const fn status_line(status: Status) -> Option<&'static [u8]> {
            Some(match status.code() {
                $($code => concat!("HTTP/1.1 ", $code, " ", $reason, "\r\n").as_bytes(),)*
                _ => return None,
            })
        }

        #[cfg(test)]
        const READY: &[u16] = &[$($code),*];
    };
}

status_lines! {
    100 "Continue";
    101 "Switching Protocols";
    103 "Early Hints";
    200 "OK";
    201 "Created";
    202 "Accepted";
    204 "No Content";
    206 "Partial Content";
    301 "Moved Permanently";
    302 "Found";
    303 "See Other";
    304 "Not Modified";
    307 "Temporary Redirect";
    308 "Permanent Redirect";
    400 "Bad Request";
    401 "Unauthorized";
    403 "Forbidden";
    404 "Not Found";
    405 "Method Not Allowed";
    408 "Request Timeout";
    413 "Content Too Large";
    414 "URI Too Long";
    417 "Expectation Failed";
    426 "Upgrade Required";
    429 "Too Many Requests";
    431 "Request Header Fields Too Large";
    500 "Internal Server Error";
    501 "Not Implemented";
    502 "Bad Gateway";
    503 "Service Unavailable";
    505 "HTTP Version Not Supported";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::String;
    use std::vec;

    #[test]
    fn ready_lines_are_the_lines() {
        for code in 100..600 {
            let status = Status::new(code).unwrap();
            let mut space = [0; CUSTOM_LINE];
            let made = custom_line(status, &mut space);
            assert_eq!(made, format!("HTTP/1.1 {code} {}\r\n", status.reason()).as_bytes());
            if let Some(ready) = status_line(status) {
                assert_eq!(ready, made);
            }
        }
        assert_eq!(READY.len(), 31);
    }

    #[test]
    fn a_chunk_takes_what_fits() {
        let data = vec![b'x'; 5000];
        for room in 0..5010 {
            for owed in [false, true] {
                let mut space = vec![0; room];
                let mut tx = Tx::new(&mut space);
                let least = if owed { 8 } else { 6 };
                match chunk(&data, owed, &mut tx) {
                    Err(full) => assert_eq!((full.needed, room < least, tx.len()), (least, true, 0)),
                    Ok(n) => {
                        let before = if owed { "\r\n" } else { "" };
                        let want = format!("{before}{n:x}\r\n{}\r\n", String::from_utf8(data[..n].to_vec()).unwrap());
                        assert_eq!(tx.written(), want.as_bytes());
                        assert!(n == data.len() || tx.room() < 2, "{room}: {n}, {} left", tx.room());
                    }
                }
            }
        }
    }
}
