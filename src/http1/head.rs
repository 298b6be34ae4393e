//! Reading the head of a request (RFC 9112 §2.2, §3, §5), whatever pieces it comes in.

use super::error::{Ambiguous, Limit, Malformed, Unsupported, Violation};
use super::framing::{BodyLength, Facts};
use super::lines::{Line, Lines, Next, Place};
use super::request::{Request, Wishes};
use super::target::{self, Authority, Target};
use crate::bytes::lanes::is_name;
use crate::bytes::{Token, scan};
use crate::http::{Fields, Method, Version};

/// How large a head, or a trailer section, may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes of the request line without its CRLF; more is answered with 414.
    pub line: usize,
    /// Bytes of the whole head, or of the whole trailer section; more is answered with 431.
    pub bytes: usize,
    /// Field lines in the head, or in the trailer section; more is answered with 431.
    pub fields: usize,
}

impl HeadLimits {
    /// "It is RECOMMENDED that all HTTP senders and recipients support, at a minimum, request-line lengths of 8000
    /// octets" (RFC 9112 §3); nginx and Apache take 8 KiB.
    pub const LINE: usize = 8 * 1024;
    /// As Node.js has it.
    pub const BYTES: usize = 16 * 1024;
    /// As Apache has it.
    pub const FIELDS: usize = 100;
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self { line: Self::LINE, bytes: Self::BYTES, fields: Self::FIELDS }
    }
}

/// Reads the head of a request.
///
/// ```
/// use hopwire::http1::{HeadLimits, RequestHead};
///
/// let mut head = RequestHead::new();
/// let limits = HeadLimits::default();
/// let bytes = b"GET /chat?a=b HTTP/1.1\r\nHost: a.example\r\n\r\nrest";
/// assert!(head.parse(&bytes[..30], &limits)?.is_none());
/// let (request, len) = head.parse(bytes, &limits)?.expect("the head is whole");
/// assert_eq!(request.target.path(), b"/chat");
/// assert_eq!(&bytes[len..], b"rest");
/// # Ok::<(), hopwire::http1::Violation>(())
/// ```
#[derive(Debug)]
pub struct RequestHead {
    place: Place,
    /// Where the request line, its target and the first field line start, once it is judged; else 0.
    start: usize,
    target: usize,
    fields: usize,
    /// Where the value of Host lies.
    host: (usize, usize),
    facts: Facts,
    body: BodyLength,
    version: Version,
    wishes: Wishes,
    has_host: bool,
    is_connect: bool,
    count: usize,
}

impl RequestHead {
    /// Nothing read yet.
    pub const fn new() -> Self {
        Self {
            place: Place::START,
            start: 0,
            target: 0,
            fields: 0,
            host: (0, 0),
            facts: Facts::new(),
            body: BodyLength::None,
            version: Version::Http11,
            wishes: Wishes::NONE,
            has_host: false,
            is_connect: false,
            count: 0,
        }
    }

    /// Reads on: `bytes` are those of last time, unchanged, with more behind them. `None` asks for more; else the request
    /// and the length of its head, what came before it (empty lines) and its last CRLF included.
    ///
    /// A violation is final, and so is a request: this head is not to be asked again.
    #[inline(always)]
    pub fn parse<'b>(
        &mut self,
        bytes: &'b [u8],
        limits: &HeadLimits,
    ) -> Result<Option<(Request<'b>, usize)>, Violation> {
        let Some(len) = self.scan(bytes, limits)? else { return Ok(None) };
        Ok(Some((self.request(bytes.get(..len).unwrap_or_default()), len)))
    }

    /// What it means when no more bytes fit behind those scanned last.
    pub(crate) const fn full(&self) -> Violation {
        Violation::Limit(if self.fields == 0 { Limit::RequestLine } else { Limit::Head })
    }

    /// As [`parse`](Self::parse), for a caller that wants to consume the head before it takes the request from it.
    #[inline(never)]
    pub(crate) fn scan(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<Option<usize>, Violation> {
        let view = bytes.get(..limits.bytes).unwrap_or(bytes);
        let mut lines = self.place.lines(view);
        let len = self.read(&mut lines, limits)?;
        if len.is_none() {
            self.place = lines.place();
            if view.len() == limits.bytes {
                return Err(self.full());
            }
        }
        Ok(len)
    }

    /// The length of the head, if it is whole.
    #[inline(always)]
    fn read(&mut self, lines: &mut Lines<'_>, limits: &HeadLimits) -> Result<Option<usize>, Violation> {
        if self.fields == 0 && !self.request_line(lines, limits)? {
            return Ok(None);
        }
        loop {
            match lines.next_field()? {
                Next::Field(line) => self.field(lines.view(), line, limits)?,
                Next::End(len) => {
                    self.finish()?;
                    return Ok(Some(len));
                }
                Next::More => return Ok(None),
            }
        }
    }

    /// The request of a head that was scanned to its end.
    #[inline(always)]
    pub(crate) fn request<'b>(&self, head: &'b [u8]) -> Request<'b> {
        self.try_request(head).expect("all places are in the head that was scanned")
    }

    #[inline(always)]
    fn try_request<'b>(&self, head: &'b [u8]) -> Option<Request<'b>> {
        let method = match head.get(self.start..self.target - 1)? {
            b"GET" => Method::Get,
            token => Method::from_token(Token::from_validated(token)),
        };
        let target = head.get(self.target..self.fields - " HTTP/1.1\r\n".len())?;
        Some(Request {
            method,
            target: Target::from_judged(method, target),
            version: self.version,
            fields: Fields::from_validated(head.get(self.fields..head.len() - 2)?),
            host: head.get(self.host.0..self.host.1)?,
            body: self.body,
            wishes: self.wishes,
        })
    }

    /// Whether the request line is there and has been read.
    #[inline(always)]
    fn request_line(&mut self, lines: &mut Lines<'_>, limits: &HeadLimits) -> Result<bool, Violation> {
        loop {
            let start = lines.start();
            let Some(end) = lines.next_line(limits.line, self.full())? else { return Ok(false) };
            if end > start {
                let line = lines.view().get(start..end).unwrap_or_default();
                let method = match plain_request_line(lines.view(), start, line) {
                    Some(method) => method,
                    None => self.rare_request_line(line)?,
                };
                (self.start, self.target, self.fields) = (start, start + method + 1, lines.start());
                return Ok(true);
            }
            // "a server that is expecting to receive and parse a request-line SHOULD ignore at least one empty line
            // (CRLF) received prior to the request-line" (§2.2)
            if start >= 2 * MAX_EMPTY_LINES {
                return Err(Violation::Malformed(Malformed::RequestLine));
            }
        }
    }

    /// The length of the method in any request line.
    #[cold]
    fn rare_request_line(&mut self, line: &[u8]) -> Result<usize, Violation> {
        let (method, version) = judge_request_line(line)?;
        self.version = version;
        self.is_connect = method == "CONNECT".len() && line.starts_with(b"CONNECT");
        Ok(method)
    }

    #[inline(always)]
    fn field(&mut self, view: &[u8], line: Line, limits: &HeadLimits) -> Result<(), Violation> {
        if self.count >= limits.fields {
            return Err(Violation::Limit(Limit::Fields));
        }
        self.count += 1;
        if line.is_perhaps_known(view) { self.known_field(view, line) } else { Ok(()) }
    }

    #[inline(always)]
    fn known_field(&mut self, view: &[u8], line: Line) -> Result<(), Violation> {
        let name = line.name(view);
        if name.len() == 4 && is_name::<4>(name, b"host") {
            return self.host(view, line);
        }
        self.rare_field(view, line)
    }

    #[inline(never)]
    fn rare_field(&mut self, view: &[u8], line: Line) -> Result<(), Violation> {
        let name = line.name(view);
        match name.len() {
            6 if is_name::<4>(name, b"expect") => self.wishes.expect(line.value(view)),
            7 if is_name::<4>(name, b"upgrade") => self.wishes.add(Wishes::UPGRADE_FIELD),
            10 if is_name::<8>(name, b"connection") => self.wishes.connection(line.value(view)),
            14 if is_name::<8>(name, b"content-length") => self.facts.content_length(line.value(view))?,
            17 if is_name::<16>(name, b"transfer-encoding") => self.facts.transfer_encoding(line.value(view)),
            _ => {}
        }
        Ok(())
    }

    #[inline(always)]
    fn host(&mut self, view: &[u8], line: Line) -> Result<(), Violation> {
        if self.has_host {
            return Err(Violation::Ambiguous(Ambiguous::HostRepeated));
        }
        let (from, to) = line.value_range(view);
        // "If the authority component is missing or undefined for the target URI, then a client MUST send a Host header
        // field with an empty field value" (§3.2).
        if from < to && !Authority::is_valid(view, from, to) {
            return Err(Violation::Malformed(Malformed::Host));
        }
        self.has_host = true;
        self.host = (from, to);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Violation> {
        // "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks a Host
        // header field" (§3.2).
        if !self.has_host && self.version >= Version::Http11 {
            return Err(Violation::Malformed(Malformed::HostMissing));
        }
        self.body = self.facts.judge_request(self.version, self.is_connect)?;
        Ok(())
    }
}

impl Default for RequestHead {
    fn default() -> Self {
        Self::new()
    }
}

/// The length of the method, if `line`, which lies at `start` in `view`, is a request line of HTTP/1.1 in origin-form, and
/// [`judge_request_line`] would take it.
#[inline(always)]
fn plain_request_line(view: &[u8], start: usize, line: &[u8]) -> Option<usize> {
    let method = if line.first_chunk() == Some(b"GET ") { 3 } else { plain_method(line)? };
    let (rest, version) = line.split_last_chunk()?;
    let is_plain =
        rest.get(method + 1) == Some(&b'/') && target::is_plain(view, start + method + 2, start + rest.len());
    (is_plain && version == b" HTTP/1.1").then_some(method)
}

#[inline(never)]
fn plain_method(line: &[u8]) -> Option<usize> {
    let method = scan::token_end(line);
    let (name, rest) = line.split_at(method);
    // CONNECT has a form of its own.
    (!name.is_empty() && name != b"CONNECT" && rest.starts_with(b" ")).then_some(method)
}

/// ```abnf
/// request-line   = method SP request-target SP HTTP-version     ; RFC 9112 §3
/// ```
/// The length of the method, and the version.
fn judge_request_line(line: &[u8]) -> Result<(usize, Version), Violation> {
    if matches!(line, [b' ' | b'\t', ..]) {
        return Err(Violation::Malformed(Malformed::Fold));
    }
    let (method, rest) = line.split_at(scan::token_end(line));
    let rest = match rest {
        [b' ', rest @ ..] if !method.is_empty() => rest,
        [] => return Err(Violation::Malformed(Malformed::RequestLine)),
        _ => return Err(Violation::Malformed(Malformed::Method)),
    };
    let (target, rest) = rest.split_at(scan::find(b' ', rest));
    let [b' ', version @ ..] = rest else { return Err(Violation::Malformed(Malformed::RequestLine)) };
    if version.contains(&b' ') {
        return Err(Violation::Malformed(Malformed::RequestLine));
    }
    let version = judge_version(version)?;
    Target::parse(Method::from_token(Token::from_validated(method)), target)?;
    Ok((method.len(), version))
}

/// ```abnf
/// HTTP-version  = HTTP-name "/" DIGIT "." DIGIT                 ; RFC 9112 §2.3
/// HTTP-name     = %s"HTTP"
/// ```
/// "A recipient that receives a message with a major version number that it implements and a minor version number higher
/// than what it implements SHOULD process the message as if it was in the highest minor version" (RFC 9110 §2.5).
pub(super) const fn judge_version(version: &[u8]) -> Result<Version, Violation> {
    match version {
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0'..=b'9'] => Ok(Version::Http11),
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => {
            Err(Violation::Unsupported(Unsupported::Version))
        }
        _ => Err(Violation::Malformed(Malformed::Version)),
    }
}

/// Empty lines before a request line that are skipped. llhttp skips any number; some old clients send one (§2.2).
pub(super) const MAX_EMPTY_LINES: usize = 8;

#[cfg(test)]
mod tests {
    use std::{format, string::String, vec::Vec};

    use proptest::prelude::*;

    use super::super::lines::LOOKED_AT;
    use super::*;

    /// Everything that a request says, for comparison.
    fn outcome(bytes: &[u8], result: Result<Option<(Request<'_>, usize)>, Violation>) -> String {
        match result {
            Ok(Some((r, len))) => format!("{r:?} {len} {}", &bytes[..len].escape_ascii()),
            Ok(None) => "more".into(),
            Err(violation) => format!("{violation:?}"),
        }
    }

    fn whole(bytes: &[u8], limits: &HeadLimits) -> String {
        outcome(bytes, RequestHead::new().parse(bytes, limits))
    }

    /// As [`whole`], with the bytes coming in pieces that end at `ends`.
    fn split(bytes: &[u8], ends: impl IntoIterator<Item = usize>, limits: &HeadLimits) -> String {
        let mut head = RequestHead::new();
        for end in ends.into_iter().chain([bytes.len()]) {
            let result = head.parse(&bytes[..end], limits);
            if !matches!(result, Ok(None)) {
                return outcome(bytes, result);
            }
        }
        "more".into()
    }

    fn violation(bytes: &[u8], limits: &HeadLimits) -> Option<Violation> {
        RequestHead::new().parse(bytes, limits).err()
    }

    #[test]
    fn state_is_small() {
        assert!(size_of::<RequestHead>() <= 112, "{}", size_of::<RequestHead>());
    }

    #[test]
    fn any_split_gives_the_same() {
        let heads: [&[u8]; 16] = [
            b"\r\n\r\nPOST http://a.example:80/b?c HTTP/1.0\r\nhost: \t\r\nConnection: ,Keep-Alive,\r\nContent-Length: 7\r\n\r\nGET",
            b"GET /chat HTTP/1.1\r\nHost: [::1]:80\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\r\n",
            b"POST / HTTP/1.9\r\nHost:a\r\nTransfer-Encoding: \t, chunked\r\nExpect: 100-continue\r\nX: \xff\t \r\n\r\n",
            b"GE@T / HTTP/1.1\r\n\r\n",
            b"GE@T / HTTP/1.1\n\r\n",
            b"GET /\x01 HTTP/1.1\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nX: \0\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX : a\0\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n\rb\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX: a-long-value-that-does-not-fit-into-the-limit-of-the-head",
            b"GET / HTTP/1.1\r\nHost: a\r\nA-long-name-that-fits-in-no-block-at-all: b\r\n: a-long-value-that-does\0fit\r\n\r\n",
            b"\r\nGET /a-long-target-that-does-not-fit-into-the-limit-of-the-line HTTP/1.1\r\nHost: a\r\n\r\n",
        ];
        for bytes in heads {
            for limits in [
                HeadLimits::default(),
                HeadLimits { line: 30, bytes: 60, fields: 2 },
                HeadLimits { line: 30, bytes: 20, fields: 0 },
            ] {
                let expected = whole(bytes, &limits);
                assert_eq!(split(bytes, 0..bytes.len(), &limits), expected, "{}", bytes.escape_ascii());
                for at in 0..bytes.len() {
                    assert_eq!(split(bytes, [at], &limits), expected, "{} at {at}", bytes.escape_ascii());
                }
            }
        }
    }

    #[test]
    fn cost_is_linear() {
        let mut head = String::from("GET /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 12345\r\nX:");
        head.push_str(&"a".repeat(5000));
        head.push_str("\r\n");
        (0..90).for_each(|_| head.push_str("a:\r\n"));
        head.push_str("\r\n");
        LOOKED_AT.set(0);
        let limits = HeadLimits::default();
        assert!(split(head.as_bytes(), 0..head.len(), &limits).contains("Request"));
        assert!(LOOKED_AT.get() <= 3 * head.len(), "{} for {}", LOOKED_AT.get(), head.len());
    }

    #[test]
    fn limits_are_judged_early_and_exactly() {
        let line = |n: usize| format!("GET /{} HTTP/1.1\r\n", "a".repeat(n - 14));
        let too_long = Some(Violation::Limit(Limit::RequestLine));
        let limits = HeadLimits { line: 40, bytes: 80, fields: 2 };
        assert_eq!(violation(line(40).as_bytes(), &limits), None);
        assert_eq!(violation(line(41).as_bytes(), &limits), too_long);
        assert_eq!(violation(&[b'a'; 40], &limits), None);
        assert_eq!(violation(&[b'a'; 41], &limits), too_long);
        assert_eq!(violation(&[b'a'; 41], &HeadLimits { bytes: 20, ..limits }), too_long);

        let head = |n: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nX:{}\r\n\r\n", "a".repeat(n - 31));
        let too_large = Some(Violation::Limit(Limit::Head));
        assert_eq!(violation(head(80).as_bytes(), &limits), None);
        assert_eq!(violation(head(81).as_bytes(), &limits), too_large);
        assert_eq!(violation(&head(81).as_bytes()[..79], &limits), None);
        assert_eq!(violation(&head(81).as_bytes()[..80], &limits), too_large);

        let fields = b"GET / HTTP/1.1\r\nHost: a\r\nX:\r\nX:\r\n\r\n";
        assert_eq!(violation(fields, &limits), Some(Violation::Limit(Limit::Fields)));
        assert_eq!(violation(fields, &HeadLimits { fields: 3, ..limits }), None);

        let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "a:\r\n".repeat(70_000));
        let wide = HeadLimits { line: 40, bytes: 1 << 20, fields: usize::MAX };
        assert_eq!(violation(many.as_bytes(), &wide), None, "more fields than 16 bits count");
        assert_eq!(
            violation(many.as_bytes(), &HeadLimits { fields: 70_000, ..wide }),
            Some(Violation::Limit(Limit::Fields))
        );
    }

    #[test]
    fn empty_lines_are_skipped_so_many_and_no_more() {
        for (n, expected) in [(MAX_EMPTY_LINES, None), (MAX_EMPTY_LINES + 1, Some(Malformed::RequestLine))] {
            let bytes = format!("{}GET / HTTP/1.0\r\n\r\n", "\r\n".repeat(n));
            assert_eq!(violation(bytes.as_bytes(), &HeadLimits::default()), expected.map(Violation::Malformed));
        }
    }

    #[test]
    fn a_full_buffer_is_a_limit() {
        let mut head = RequestHead::new();
        let limits = HeadLimits::default();
        assert_eq!(head.scan(b"GET / HTTP/1.1\r", &limits), Ok(None));
        assert_eq!(head.full(), Violation::Limit(Limit::RequestLine));
        assert_eq!(head.scan(b"GET / HTTP/1.1\r\n", &limits), Ok(None));
        assert_eq!(head.full(), Violation::Limit(Limit::Head));
    }

    fn a_head() -> impl Strategy<Value = Vec<u8>> {
        let part = prop::sample::select(std::vec![
            "GET ",
            "POST ",
            "CONNECT ",
            "/",
            "a.example:80",
            "http://a",
            "*",
            "?q",
            "%41",
            " ",
            " HTTP/1.1\r\n",
            " HTTP/1.0\r\n",
            "\r\n",
            "\r\n",
            "\r",
            "\n",
            "\t",
            "Host: a\r\n",
            "Host:",
            "[::1]",
            "Content-Length: ",
            "5",
            "Transfer-Encoding:",
            "chunked",
            "gzip",
            ",",
            "Connection: ",
            "close",
            "keep-alive",
            "Upgrade: ",
            "Expect: 100-continue",
            "X-A_b.c",
            ":",
            ": ",
            "\u{e9}",
            "\0",
            "\x7f",
            "a-rather-long-piece-of-text-here",
            "a b c d e f g h i j k l m n o p",
        ]);
        let valid = "GET / HTTP/1.1\r\nHost: a\r\n";
        (any::<bool>(), prop::collection::vec(part, 0..20)).prop_map(move |(lead, parts)| {
            let mut bytes = if lead { String::from(valid) } else { String::new() };
            parts.iter().for_each(|part| bytes.push_str(part));
            bytes.push_str("\r\n\r\n");
            bytes.into_bytes()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 8 } else { 2000 }))]

        #[test]
        fn any_head_in_any_pieces(
            bytes in a_head(), mut ends in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
            line in 10_usize..80, total in 20_usize..200, fields in 0_usize..5,
        ) {
            for limits in [HeadLimits::default(), HeadLimits { line, bytes: total, fields }] {
                let expected = whole(&bytes, &limits);
                let mut ends: Vec<_> = ends.drain(..).map(|end| end.index(bytes.len() + 1)).collect();
                ends.sort_unstable();
                prop_assert_eq!(&split(&bytes, ends, &limits), &expected);
                prop_assert_eq!(&split(&bytes, 0..bytes.len(), &limits), &expected);
            }
        }
    }
}
