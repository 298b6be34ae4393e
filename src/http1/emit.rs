//! Writing message heads and chunks (RFC 9112 §3 to §7): one look over the fields for faults and size, one
//! reservation, then copies.

use super::chunked::is_forbidden_trailer;
use super::misuse::Misuse;
use crate::bytes::{lanes, num, scan};
use crate::http::{HttpDate, Method, Status};
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
    /// A TE field is among them, and no connection option for it. Requests only; the caller knows.
    pub(crate) te: bool,
    /// The Date that the engine adds. Responses only.
    pub(crate) date: Option<HttpDate>,
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

/// Judges the fields of a head, but for bytes within values, which [`message`] finds faster when they stand in a row:
/// "a sender MUST NOT generate" them (RFC 9110 §5.5). And the caller's framing must not differ from ours.
#[inline]
pub(crate) fn outline(fields: FieldList<'_>) -> Result<Outline, Misuse> {
    let mut outline = Outline::default();
    for &(name, value) in fields {
        outline.add(name, value)?;
    }
    Ok(outline)
}

impl Outline {
    /// As [`outline`], for one more field.
    #[inline(always)]
    pub(crate) fn add(&mut self, name: &str, value: &[u8]) -> Result<(), Misuse> {
        if !is_plain_name(name.as_bytes()) && (name.is_empty() || scan::token_end(name.as_bytes()) != name.len()) {
            return Err(Misuse::FieldName);
        }
        if let [b' ' | b'\t', ..] | [.., b' ' | b'\t'] = value {
            return Err(Misuse::FieldValue);
        }
        self.len += name.len() + value.len() + 4;
        if matches!(name.len(), 7 | 10 | 14 | 17) { special(self, name, value) } else { Ok(()) }
    }

    /// The Connection and Date fields that the engine adds, whole.
    #[inline]
    fn ours<'d>(&self, persistence: Persistence, dated: &'d mut Option<Dated>) -> &'d [u8] {
        let persistence = if self.close { Persistence::Unsaid } else { persistence };
        let connection = connection(persistence, self.upgrade && !self.connection_upgrade);
        match self.date {
            Some(date) => dated.insert(Dated::new(date, connection)).as_bytes(),
            None => connection,
        }
    }
}

/// Whether a name is letters, digits and hyphens, as nearly all are, and of a common length; it may be one if not.
#[inline]
fn is_plain_name(name: &[u8]) -> bool {
    let word = |chunk: Option<&[u8; 8]>| chunk.map_or(!0, |chunk| odd_in_name(u64::from_le_bytes(*chunk)));
    let half = |chunk: Option<&[u8; 4]>| chunk.map_or(!0, |chunk| u64::from(u32::from_le_bytes(*chunk)));
    match name.len() {
        4..=7 => odd_in_name(half(name.first_chunk()) | half(name.last_chunk()) << 32) == 0,
        8..=16 => word(name.first_chunk()) | word(name.last_chunk()) == 0,
        17..=24 => {
            let middle = name.get(8..).and_then(<[u8]>::first_chunk);
            word(name.first_chunk()) | word(middle) | word(name.last_chunk()) == 0
        }
        _ => false,
    }
}

/// Not 0 if one of eight bytes is not ALPHA, DIGIT or "-".
#[inline]
const fn odd_in_name(x: u64) -> u64 {
    let lower = x | each(0x20);
    let letter = lower.wrapping_add(each(0x80 - b'a')) ^ lower.wrapping_add(each(0x7f - b'z'));
    let digit = x.wrapping_add(each(0x80 - b'0')) ^ x.wrapping_add(each(0x7f - b'9'));
    let hyphen = each(0x80).wrapping_sub(x ^ each(b'-'));
    (x | !(letter | digit | hyphen)) & each(0x80)
}

const fn each(b: u8) -> u64 {
    u64::from_le_bytes([b; 8])
}

/// Whether a start line of `line_len` bytes and the lines of `fields` have CR and LF at their ends, and but for these nothing
/// that a value may not have; they may be so if not.
#[inline]
fn are_plain(lines: &[u8], line_len: usize, fields: FieldList<'_>) -> bool {
    // What is left before whole blocks is of the start line, and not of its end.
    let (before, blocks) = lines.as_rchunks();
    before.len() + 2 <= line_len && lanes::count_odd(blocks) == 2 * (1 + fields.len())
}

/// Whether no value has a byte that a value may not have; [`outline`] has judged the rest.
pub(crate) fn are_values(fields: FieldList<'_>) -> bool {
    fields.iter().all(|(_, value)| scan::field_end(value) == value.len())
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
) -> Result<(), SendError<Misuse>> {
    let (mut custom, mut dated) = (None, None);
    let ours = outline.ours(persistence, &mut dated);
    message([line_of(status, &mut custom)], fields, outline, ours, length, content, tx)
}

/// As [`response`], behind a status line and fields that [`start`] wrote.
#[inline]
pub(crate) fn prepared(
    start: &[u8],
    outline: &Outline,
    persistence: Persistence,
    length: Length,
    content: &[u8],
    tx: &mut Tx<'_>,
) -> Result<(), SendError<Misuse>> {
    let mut dated = None;
    message([start], &[], &Outline { len: 0, ..*outline }, outline.ours(persistence, &mut dated), length, content, tx)
}

/// The status line and the fields of a response, and nothing else.
pub(crate) fn start(
    status: Status,
    fields: FieldList<'_>,
    outline: &Outline,
    tx: &mut Tx<'_>,
) -> Result<(), SendError<Misuse>> {
    if !are_values(fields) {
        return Err(SendError::Misuse(Misuse::FieldValue));
    }
    let mut custom = None;
    let line = line_of(status, &mut custom);
    let mut out = Writer(tx.reserve(line.len() + outline.len)?);
    out.put(line);
    put_fields(&mut out, fields);
    Ok(())
}

/// Writes the head of a request, and `content` behind it, whole or not at all.
#[inline]
pub(crate) fn request(
    method: Method<'_>,
    target: &[u8],
    fields: FieldList<'_>,
    outline: &Outline,
    length: Length,
    content: &[u8],
    tx: &mut Tx<'_>,
) -> Result<(), SendError<Misuse>> {
    // "A sender of TE MUST also send a 'TE' connection option" (RFC 9110 §10.1.4), and so with Upgrade (§7.8).
    let connection: &[u8] = match (outline.te, outline.upgrade && !outline.connection_upgrade) {
        (false, false) => b"",
        (false, true) => b"connection: upgrade\r\n",
        (true, false) => b"connection: te\r\n",
        (true, true) => b"connection: te, upgrade\r\n",
    };
    let line = [method.as_bytes(), b" ", target, b" HTTP/1.1\r\n"];
    message(line, fields, outline, connection, length, content, tx)
}

/// Writes a message from its start line, given in parts, to `content`.
#[inline]
fn message<const N: usize>(
    line: [&[u8]; N],
    fields: FieldList<'_>,
    outline: &Outline,
    connection: &[u8],
    length: Length,
    content: &[u8],
    tx: &mut Tx<'_>,
) -> Result<(), SendError<Misuse>> {
    let mut digits = [0; 20];
    let (length, digits, after): (&[u8], &[u8], &[u8]) = match length {
        Length::Unsaid => (b"", b"", b"\r\n"),
        Length::Exact(n) => (b"content-length: ", num::write_decimal(n, &mut digits), b"\r\n\r\n"),
        Length::Chunked => (b"transfer-encoding: chunked\r\n", b"", b"\r\n"),
    };
    let line_len = line.iter().map(|part| part.len()).sum::<usize>();
    let ours = line_len + connection.len() + length.len() + digits.len() + after.len();
    let all = ours + outline.len + content.len();
    let space = tx.reserve(all)?;
    let mut out = Writer(&mut *space);
    line.iter().for_each(|part| out.put(part));
    put_fields(&mut out, fields);
    out.put(connection);
    out.put(length);
    out.put(digits);
    out.put(after);
    out.put(content);
    debug_assert!(out.0.is_empty(), "the reservation is exact");
    if outline.len != 0 && !are_plain(&space[..line_len + outline.len], line_len, fields) && !are_values(fields) {
        tx.retract(all);
        return Err(SendError::Misuse(Misuse::FieldValue));
    }
    Ok(())
}

/// A response of the engine's own: no content, and no fields but those that it adds.
#[cold]
pub(crate) fn bare(
    status: Status,
    date: Option<HttpDate>,
    persistence: Persistence,
    length: Length,
    tx: &mut Tx<'_>,
) -> Result<(), Full> {
    match response(status, &[], &Outline { date, ..Outline::default() }, persistence, length, b"", tx) {
        Err(SendError::Full(full)) => Err(full),
        Err(SendError::Misuse(_)) | Ok(()) => Ok(()),
    }
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
    if trailers.iter().any(|(name, _)| is_forbidden_trailer(name.as_bytes())) {
        return Err(SendError::Misuse(Misuse::Trailer));
    }
    let outline = outline(trailers)?;
    if !are_values(trailers) {
        return Err(SendError::Misuse(Misuse::FieldValue));
    }
    let start: &[u8] = if owed { b"\r\n0\r\n" } else { b"0\r\n" };
    let mut out = Writer(tx.reserve(start.len() + outline.len + 2)?);
    out.put(start);
    put_fields(&mut out, trailers);
    out.put(b"\r\n");
    Ok(())
}

/// Reserved space that fills from the front.
pub(super) struct Writer<'a>(pub(super) &'a mut [u8]);

impl Writer<'_> {
    #[inline]
    pub(super) fn put(&mut self, bytes: &[u8]) {
        let (here, rest) = core::mem::take(&mut self.0).split_at_mut(bytes.len());
        copy(here, bytes);
        self.0 = rest;
    }
}

/// `copy_from_slice` for what is mostly short: two blocks that may overlap instead of a call.
#[inline]
fn copy(to: &mut [u8], from: &[u8]) {
    #[inline]
    fn ends<const N: usize>(to: &mut [u8], from: &[u8]) -> bool {
        let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) else { return false };
        let (first, last) = (*first, *last);
        let Some(start) = to.first_chunk_mut::<N>() else { return false };
        *start = first;
        let Some(end) = to.last_chunk_mut::<N>() else { return false };
        *end = last;
        true
    }
    let done = match from.len() {
        0 => true,
        1 => {
            to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            true
        }
        17..=32 => ends::<16>(to, from),
        8..=16 => ends::<8>(to, from),
        4..=7 => ends::<4>(to, from),
        2..=3 => ends::<2>(to, from),
        _ => false,
    };
    if !done {
        to.copy_from_slice(from);
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
pub(super) const fn connection(persistence: Persistence, upgrade: bool) -> &'static [u8] {
    match (persistence, upgrade) {
        (Persistence::Unsaid, false) => b"",
        (Persistence::Unsaid, true) => b"connection: upgrade\r\n",
        (Persistence::KeepAlive, false) => b"connection: keep-alive\r\n",
        (Persistence::KeepAlive, true) => b"connection: keep-alive, upgrade\r\n",
        (Persistence::Close, false) => b"connection: close\r\n",
        (Persistence::Close, true) => b"connection: close, upgrade\r\n",
    }
}

/// A Connection field, or none, with Date behind it.
struct Dated {
    bytes: [u8; 80],
    len: usize,
}

impl Dated {
    #[cold]
    fn new(date: HttpDate, connection: &[u8]) -> Self {
        let mut bytes = [0; 80];
        let parts = [connection, b"date: ", &date.to_bytes(), b"\r\n"];
        let len = parts.iter().map(|part| part.len()).sum();
        let mut out = Writer(&mut bytes[..len]);
        parts.iter().for_each(|part| out.put(part));
        Self { bytes, len }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[inline]
fn line_of(status: Status, custom: &mut Option<CustomLine>) -> &[u8] {
    match status_line(status) {
        Some(line) => line,
        None => custom.insert(CustomLine::new(status)).as_bytes(),
    }
}

const fn hex_len(n: usize) -> usize {
    (usize::BITS - (n | 1).leading_zeros()).div_ceil(4) as usize
}

/// `status-line = HTTP-version SP status-code SP [ reason-phrase ] CRLF` (RFC 9112 §4) of a code without a ready line.
pub(super) struct CustomLine {
    bytes: [u8; 64],
    len: usize,
}

impl CustomLine {
    #[cold]
    pub(super) fn new(status: Status) -> Self {
        let mut bytes = [0; 64];
        let mut code = [0; 20];
        let reason = status.reason().as_bytes();
        let code = num::write_decimal(u64::from(status.code()), &mut code);
        let parts = [b"HTTP/1.1 ", code, b" ", reason.get(..MAX_REASON).unwrap_or(reason), b"\r\n"];
        let len = parts.iter().map(|part| part.len()).sum();
        let mut out = Writer(&mut bytes[..len]);
        parts.iter().for_each(|part| out.put(part));
        Self { bytes, len }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// What fits a [`CustomLine`]; the longest phrase there is has 31 bytes.
const MAX_REASON: usize = 48;

macro_rules! status_lines {
    ($($code:literal $reason:literal;)*) => {
        #[inline]
        pub(super) const fn status_line(status: Status) -> Option<&'static [u8]> {
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
    use crate::bytes::table;
    use std::format;
    use std::string::String;
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn ready_lines_are_the_lines() {
        for code in 100..600 {
            let status = Status::new(code).unwrap();
            let made = CustomLine::new(status);
            let made = made.as_bytes();
            assert_eq!(made, format!("HTTP/1.1 {code} {}\r\n", status.reason()).as_bytes());
            if let Some(ready) = status_line(status) {
                assert_eq!(ready, made);
            }
        }
        assert_eq!(READY.len(), 31);
    }

    fn judge(name: &str, value: &[u8]) -> Result<(), Misuse> {
        let mut space = [0; 2000];
        let mut tx = Tx::new(&mut space);
        let fields = [("a", &b"b"[..]), (name, value), ("c", b"")];
        let result = outline(&fields).map_err(SendError::Misuse).and_then(|outline| {
            response(Status::OK, &fields, &outline, Persistence::Unsaid, Length::Unsaid, b"\r\n", &mut tx)
        });
        match result {
            Ok(()) => Ok(()),
            Err(SendError::Misuse(misuse)) => {
                assert!(tx.is_empty(), "nothing is written");
                Err(misuse)
            }
            Err(SendError::Full(full)) => unreachable!("{full}"),
        }
    }

    /// Every byte at every place of every length, beside plain ones.
    #[test]
    fn fields_are_judged_as_the_table_says() {
        for len in 1..36 {
            for at in 0..len {
                for odd in 0..=u8::MAX {
                    let mut bytes = vec![b'a'; len];
                    bytes[at] = odd;
                    let is_space_at_an_end = matches!(odd, b' ' | b'\t') && (at == 0 || at == len - 1);
                    let is_value = table::is_field_byte(odd) && !is_space_at_an_end;
                    let value = if is_value { Ok(()) } else { Err(Misuse::FieldValue) };
                    assert_eq!(judge("a", &bytes), value, "{}", bytes.escape_ascii());
                    if let Ok(name) = str::from_utf8(&bytes) {
                        let is_name = if table::is_tchar(odd) { Ok(()) } else { Err(Misuse::FieldName) };
                        assert_eq!(judge(name, b""), is_name, "{name:?}");
                    }
                }
            }
        }
        assert_eq!(judge("", b""), Err(Misuse::FieldName));
    }

    /// Each length goes its own way.
    #[test]
    fn what_is_put_is_what_was_given() {
        let from: Vec<u8> = (0..70).collect();
        for len in 0..=from.len() {
            let mut space = [0xaa; 72];
            let mut out = Writer(&mut space[1..]);
            out.put(&from[..len]);
            assert_eq!(out.0.len(), 71 - len);
            let expected = [&[0xaa][..], &from[..len], &[0xaa; 71][len..]].concat();
            assert_eq!(space.as_slice(), expected);
        }
    }

    /// A start line is the only thing that is not looked at, and that only in part.
    #[test]
    fn a_value_has_no_line_end_behind_the_shortest_start_line() {
        for len in 0..40 {
            for value in [&b"\r\nb"[..], b"b\r\n", b"b\nb\rb"] {
                let target = vec![b'/'; 1 + len % 8];
                let fields = [("a", &vec![b'a'; len][..]), ("b", value)];
                let outline = outline(&fields).unwrap();
                let mut space = [0; 200];
                let mut tx = Tx::new(&mut space);
                let method = Method::from_token(crate::http::list::token(b"A").unwrap());
                let result = request(method, &target, &fields, &outline, Length::Unsaid, b"", &mut tx);
                assert_eq!((result, tx.len()), (Err(SendError::Misuse(Misuse::FieldValue)), 0));
            }
        }
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
