//! A request as the caller sees it, and how its head is read (RFC 9112 §3, §5, §6.3).

use super::framing::{BodyLength, Facts};
use super::head::{HeadLimits, MessageHead, Progress, Wishes, judge_version};
use super::lines::Line;
use super::target::{self, Authority, Target};
use super::violation::{Ambiguous, Limit, Malformed, Violation};
use crate::bytes::lanes::is_name;
use crate::bytes::{Token, scan};
use crate::http::{Fields, Method, Version, list};
use crate::io::Rx;

/// A request: its head, whole and judged, as a view over the received bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'b> {
    /// What is wanted.
    pub method: Method<'b>,
    /// Of what.
    pub target: Target<'b>,
    /// HTTP/1.1 stands for any later minor version too (RFC 9110 §6.2).
    pub version: Version,
    /// The header fields, in order.
    pub fields: Fields<'b>,
    pub(super) host: &'b [u8],
    pub(super) body: BodyLength,
    pub(super) wishes: Wishes,
}

impl<'b> Request<'b> {
    /// The length of the content, as its framing says (RFC 9112 §6.3).
    pub const fn length(&self) -> BodyLength {
        self.body
    }

    /// The authority this request is for: the target's own, else the Host field's (RFC 9112 §3.3). `None` where neither
    /// names one: an empty Host, or none at all in HTTP/1.0.
    pub fn authority(&self) -> Option<Authority<'b>> {
        self.target.authority().or_else(|| Authority::parse(self.host))
    }

    /// Whether the connection persists after this request and its answer, as far as the client is concerned
    /// (RFC 9112 §9.3): unless it says `close`, and in HTTP/1.0 only if it says `keep-alive`.
    pub fn keep_alive(&self) -> bool {
        self.wishes.keep_alive(self.version)
    }

    /// Whether the client waits for `100 Continue` before it sends the content. "A server that receives a 100-continue
    /// expectation in an HTTP/1.0 request MUST ignore that expectation" (RFC 9110 §10.1.1); without content there is
    /// nothing to wait for. Any other expectation is ignored too.
    pub fn expects_continue(&self) -> bool {
        self.wishes.has(Wishes::CONTINUE) && self.version >= Version::Http11 && self.body != BodyLength::None
    }

    /// Whether the client offers to change protocols on this connection (RFC 9110 §7.8); see [`upgrades`](Self::upgrades).
    pub fn offers_upgrade(&self) -> bool {
        self.upgrades().next().is_some()
    }

    /// The protocols the client offers to change to, the preferred first. None in HTTP/1.0: "A server that receives
    /// an Upgrade header field in an HTTP/1.0 request MUST ignore that Upgrade field" (RFC 9110 §7.8); none without the `upgrade` connection option;
    /// and never `h2c`, which is obsolete (RFC 9113 §3.1).
    pub fn upgrades(&self) -> impl Iterator<Item = &'b [u8]> + use<'b> {
        let offered = self.wishes.has(Wishes::UPGRADE | Wishes::UPGRADE_FIELD) && self.version >= Version::Http11;
        let fields = if offered { self.fields } else { Fields::EMPTY };
        let lines = fields.iter().filter(|field| field.name.is("upgrade"));
        lines.flat_map(|field| list::elements(field.value)).filter(|protocol| !protocol.eq_ignore_ascii_case(b"h2c"))
    }
}

/// Reads the heads of requests, one at a time.
///
/// ```
/// use hopwire::http1::{HeadLimits, RequestHead};
/// use hopwire::io::Rx;
///
/// let mut received = *b"GET /chat?a=b HTTP/1.1\r\nHost: a.example\r\n\r\nrest";
/// let mut head = RequestHead::new();
/// let limits = HeadLimits::new();
/// assert!(head.poll(&mut Rx::new(&mut received[..30]), &limits)?.is_none());
/// let mut rx = Rx::new(&mut received);
/// let request = head.poll(&mut rx, &limits)?.expect("the head is whole");
/// assert_eq!(request.target.path(), b"/chat");
/// assert_eq!(rx.bytes(), b"rest");
/// # Ok::<(), hopwire::http1::Violation>(())
/// ```
#[derive(Debug)]
pub struct RequestHead {
    progress: Progress,
    /// Where the target starts.
    target: usize,
    /// Where the value of Host lies.
    host: (usize, usize),
    facts: Facts,
    body: BodyLength,
    version: Version,
    wishes: Wishes,
    has_host: bool,
    is_connect: bool,
    failure: Option<Violation>,
}

impl RequestHead {
    /// Nothing read yet.
    pub const fn new() -> Self {
        Self {
            progress: Progress::START,
            target: 0,
            host: (0, 0),
            facts: Facts::new(),
            body: BodyLength::None,
            version: Version::Http11,
            wishes: Wishes::NONE,
            has_host: false,
            is_connect: false,
            failure: None,
        }
    }

    /// Reads on. `None`: more input is needed, and nothing was consumed; else the head is, what came before it (empty
    /// lines) and its last CRLF included. Content is the caller's to take; then the next head may be asked for.
    ///
    /// # Errors
    /// The head broke a rule or a limit, or the input ends before it does. Every later call returns the same error.
    #[inline(always)]
    pub fn poll<'b>(&mut self, rx: &mut Rx<'b>, limits: &HeadLimits) -> Result<Option<Request<'b>>, Violation> {
        if let Some(violation) = self.failure {
            return Err(violation);
        }
        let outcome = match self.scan(rx.bytes(), limits) {
            Ok(Some(len)) => {
                let request = self.request(rx.take(len));
                *self = Self::new();
                return Ok(Some(request));
            }
            Ok(None) => self.incomplete(rx),
            Err(violation) => Err(violation),
        };
        self.failure = outcome.err();
        outcome.map(|()| None)
    }

    /// As [`poll`](Self::poll), for a caller that consumes the head before it takes the request from it.
    #[inline(never)]
    pub(super) fn scan(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<Option<usize>, Violation> {
        let len = self.read(bytes, limits)?;
        if len.is_some() {
            self.finish()?;
        }
        Ok(len)
    }

    /// The request of a head that was scanned to its end.
    #[inline(always)]
    pub(super) fn request<'b>(&self, head: &'b [u8]) -> Request<'b> {
        self.try_request(head).expect("all places are in the head that was scanned")
    }

    #[inline(always)]
    fn try_request<'b>(&self, head: &'b [u8]) -> Option<Request<'b>> {
        let Progress { start, fields, .. } = self.progress;
        let method = match head.get(start..self.target - 1)? {
            b"GET" => Method::Get,
            token => Method::from_token(Token::from_validated(token)),
        };
        let target = head.get(self.target..fields - " HTTP/1.1\r\n".len())?;
        Some(Request {
            method,
            target: Target::from_judged(method, target),
            version: self.version,
            fields: Fields::from_validated(head.get(fields..head.len() - 2)?),
            host: head.get(self.host.0..self.host.1)?,
            body: self.body,
            wishes: self.wishes,
        })
    }

    /// The length of the method in any request line.
    #[cold]
    fn rare_request_line(&mut self, line: &[u8]) -> Result<usize, Violation> {
        let (method, version) = judge_request_line(line)?;
        self.version = version;
        self.is_connect = method == "CONNECT".len() && line.starts_with(b"CONNECT");
        Ok(method)
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

impl MessageHead for RequestHead {
    const TOO_LONG: Limit = Limit::RequestLine;
    const NO_LINE: Malformed = Malformed::RequestLine;

    #[inline(always)]
    fn progress(&mut self) -> &mut Progress {
        &mut self.progress
    }

    #[inline(always)]
    fn start_line(&mut self, view: &[u8], start: usize, end: usize) -> Result<(), Violation> {
        let line = view.get(start..end).unwrap_or_default();
        let method = match plain_request_line(view, start, line) {
            Some(method) => method,
            None => self.rare_request_line(line)?,
        };
        self.target = start + method + 1;
        Ok(())
    }

    #[inline(always)]
    fn known_field(&mut self, view: &[u8], line: Line) -> Result<(), Violation> {
        let name = line.name(view);
        if name.len() == 4 && is_name::<4>(name, b"host") {
            return self.host(view, line);
        }
        self.rare_field(view, line)
    }

    /// "A server that receives an obs-fold in a request message [..] MUST either reject the message" or replace each (§5.2).
    fn fold(&mut self) -> Result<(), Violation> {
        Err(Violation::Malformed(Malformed::Fold))
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

#[cfg(test)]
mod tests {
    use std::{format, string::String, vec::Vec};

    use proptest::prelude::*;

    use super::super::head::proof;
    use super::*;
    use crate::bytes::LOOKED_AT;

    /// Everything that a request says, for comparison, with the bytes coming in pieces that end at `ends`.
    fn outcome(bytes: &[u8], ends: &[usize], limits: &HeadLimits) -> String {
        let mut head = RequestHead::new();
        let mut bytes = bytes.to_vec();
        let len = bytes.len();
        for &end in ends.iter().chain([&len]) {
            let mut rx = Rx::new(&mut bytes[..end]);
            match head.poll(&mut rx, limits) {
                Ok(Some(request)) => return format!("{request:?} {}", rx.consumed()),
                Ok(None) => assert_eq!(rx.consumed(), 0),
                Err(violation) => return format!("{violation:?}"),
            }
        }
        "more".into()
    }

    fn violation(bytes: &[u8], limits: &HeadLimits) -> Option<Violation> {
        RequestHead::new().poll(&mut Rx::new(&mut bytes.to_vec()), limits).err()
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
            proof::in_any_two_pieces(bytes.len(), |ends, limits| outcome(bytes, ends, limits));
        }
    }

    #[test]
    fn cost_is_linear() {
        let mut head = String::from("GET /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 12345\r\nX:");
        head.push_str(&"a".repeat(5000));
        head.push_str("\r\n");
        (0..90).for_each(|_| head.push_str("a:\r\n"));
        head.push_str("\r\n");
        let (limits, bytewise) = (HeadLimits::default(), Vec::from_iter(0..head.len()));
        LOOKED_AT.set(0);
        assert!(outcome(head.as_bytes(), &bytewise, &limits).contains("Request"));
        assert!(LOOKED_AT.get() <= 3 * head.len(), "{} for {}", LOOKED_AT.get(), head.len());
    }

    #[test]
    fn bytes_that_vanish_are_waited_for() {
        let bytes = b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
        let whole = outcome(bytes, &[], &HeadLimits::new());
        for seen in 0..bytes.len() {
            for kept in 0..seen {
                assert_eq!(outcome(bytes, &[seen, kept], &HeadLimits::new()), whole);
            }
        }
    }

    #[test]
    fn limits_are_judged_early_and_exactly() {
        let line = |n: usize| format!("GET /{} HTTP/1.1\r\n", "a".repeat(n - 14));
        let too_long = Some(Violation::Limit(Limit::RequestLine));
        let limits = HeadLimits { line: 40, bytes: 80, fields: 2, ..HeadLimits::new() };
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
        let wide = HeadLimits { bytes: 1 << 20, fields: u32::MAX, ..limits };
        assert_eq!(violation(many.as_bytes(), &wide), None, "more fields than 16 bits count");
        assert_eq!(
            violation(many.as_bytes(), &HeadLimits { fields: 70_000, ..wide }),
            Some(Violation::Limit(Limit::Fields))
        );
    }

    #[test]
    fn empty_lines_are_skipped_so_many_and_no_more() {
        for empty_lines in [HeadLimits::EMPTY_LINES, 0, 1] {
            let limits = HeadLimits { empty_lines, ..HeadLimits::new() };
            let after = |n| format!("{}GET / HTTP/1.0\r\n\r\n", "\r\n".repeat(n));
            let most = usize::try_from(empty_lines).unwrap();
            assert_eq!(violation(after(most).as_bytes(), &limits), None);
            let refused = Some(Violation::Malformed(Malformed::RequestLine));
            assert_eq!(violation(after(most + 1).as_bytes(), &limits), refused);
            assert_eq!(violation("\r\n".repeat(most + 1).as_bytes(), &limits), refused, "before another byte comes");
        }
    }

    #[test]
    fn a_full_buffer_is_a_limit_and_the_end_of_input_a_fault() {
        let mut bytes = *b"GET / HTTP/1.1\r\n";
        let limits = HeadLimits::default();
        let full = |received: &mut [u8]| RequestHead::new().poll(&mut Rx::full(received), &limits).unwrap_err();
        assert_eq!(full(&mut bytes[..15]), Violation::Limit(Limit::RequestLine));
        assert_eq!(full(&mut bytes), Violation::Limit(Limit::Head));
        let cut_off = RequestHead::new().poll(&mut Rx::last(&mut bytes), &limits).unwrap_err();
        assert_eq!(cut_off, Violation::Eof);
    }

    #[test]
    fn a_failure_stays_and_a_request_is_followed_by_the_next() {
        let (mut head, limits) = (RequestHead::new(), HeadLimits::new());
        let mut bytes = *b"\r\nGET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.0\r\n\r\nGET";
        let mut rx = Rx::new(&mut bytes);
        let first = head.poll(&mut rx, &limits).unwrap().unwrap();
        let second = head.poll(&mut rx, &limits).unwrap().unwrap();
        assert_eq!((first.target.path(), first.version), (&b"/1"[..], Version::Http11));
        assert_eq!((second.target.path(), second.version, second.authority()), (&b"/2"[..], Version::Http10, None));
        assert!(head.poll(&mut rx, &limits).is_ok_and(|request| request.is_none()));

        for bad in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\0"] {
            let refused = head.poll(&mut Rx::new(&mut bad.to_vec()), &limits).unwrap_err();
            let again = head.poll(&mut Rx::new(&mut b"GET / HTTP/1.0\r\n\r\n".to_vec()), &limits).unwrap_err();
            assert_eq!(again, refused);
            head = RequestHead::new();
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 8 } else { 3000 }))]

        /// The fast way takes nothing that the other refuses, and takes it for the same.
        #[test]
        fn a_plain_request_line_is_one(
            parts in prop::collection::vec(prop::sample::select(&[
                "GET ", "GET", "POST ", "P!~ ", "CONNECT ", "OPTIONS ", " ", "\t", "/", "//", "*", "a", "a.b:80", "http://a", "?", "#", "[",
                "%4f", "%4", "%", "{", "\\", "\u{e9}", "_-.~!$&'()*+,;=:@", "0123456789abcdefghijklmnopqrstuvwxyz", " HTTP/1.1",
                " HTTP/1.0", " http/1.1", " HTTP/1.1 ",
            ][..]), 0..7),
            lead in any::<bool>(), end in any::<bool>(),
        ) {
            let line = [if lead { "GET /" } else { "" }, &parts.concat(), if end { " HTTP/1.1" } else { "" }].concat();
            for before in ["", "\r\n\r\n"] {
                let view = [before, &line, "\r\nHost: a\r\n"].concat();
                if let Some(method) = plain_request_line(view.as_bytes(), before.len(), line.as_bytes()) {
                    prop_assert_eq!(judge_request_line(line.as_bytes()), Ok((method, Version::Http11)), "{:?}", line);
                }
            }
        }
    }

    /// The usual lines go the fast way, or its twin would prove nothing.
    #[test]
    fn usual_request_lines_are_plain() {
        for line in ["GET / HTTP/1.1", "POST /a/b.c?d=e&f=%20 HTTP/1.1", "DELETE /x-y_z;v=1 HTTP/1.1"] {
            assert!(plain_request_line(line.as_bytes(), 0, line.as_bytes()).is_some(), "{line}");
        }
        assert_eq!(plain_request_line(b"CONNECT /a HTTP/1.1", 0, b"CONNECT /a HTTP/1.1"), None);
    }

    const PARTS: &[&str] = &[
        "GET ",
        "POST ",
        "CONNECT ",
        "/",
        "a.example:80",
        "http://a",
        "*",
        "?q",
        "%41",
        " HTTP/1.1\r\n",
        "Host:",
        "[::1]",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 8 } else { 2000 }))]

        #[test]
        fn any_head_in_any_pieces(
            bytes in proof::heads("GET / HTTP/1.1\r\nHost: a\r\n", PARTS),
            ends in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
            line in 10_u32..80, total in 20_u32..200, fields in 0_u32..5,
        ) {
            let limits = [HeadLimits::default(), HeadLimits { line, bytes: total, fields, ..HeadLimits::new() }];
            proof::in_any_pieces(bytes.len(), &limits, &ends, |ends, limits| outcome(&bytes, ends, limits));
        }
    }
}
