//! A response as the caller sees it, and how its head is read (RFC 9112 §4, §5, §6.3).

use super::framing::{Asked, Facts, ResponseLength};
use super::head::{HeadLimits, MessageHead, Progress, Wishes, judge_version};
use super::lines::Line;
use super::violation::{Limit, Malformed, Violation};
use crate::bytes::lanes::is_name;
use crate::bytes::num;
use crate::http::{Fields, Method, Status, Version, list};
use crate::io::Rx;

/// A response: its head, whole and judged, as a view over the received bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response<'b> {
    /// What came of the request: what to act on. A [`code`](Self::code) that is none is 500 here, for "a client that
    /// receives a response with an invalid status code SHOULD process the response as if it had a 5xx (Server Error)
    /// status code" (RFC 9110 §15).
    pub status: Status,
    /// HTTP/1.1 stands for any later minor version too (RFC 9110 §6.2).
    pub version: Version,
    /// The header fields, in order, each fold replaced by a space (RFC 9112 §5.2).
    pub fields: Fields<'b>,
    reason: &'b [u8],
    code: u16,
    length: ResponseLength,
    keep_alive: bool,
    /// The connection option `close` is there.
    pub(super) close: bool,
    /// Upgrade is there, with its connection option.
    has_upgrade: bool,
}

impl<'b> Response<'b> {
    /// The three digits as they came, 0 to 999.
    pub const fn code(&self) -> u16 {
        self.code
    }

    /// The reason phrase, often empty: HTAB, SP, VCHAR and obs-text (0x80 to 0xff). "A client SHOULD ignore the
    /// reason-phrase content" (RFC 9112 §4).
    pub const fn reason(&self) -> &'b [u8] {
        self.reason
    }

    /// The length of the content, as the framing and the request say (RFC 9112 §6.3).
    pub const fn length(&self) -> ResponseLength {
        self.length
    }

    /// Whether the connection persists after this response, as far as the server is concerned (RFC 9112 §9.3): unless
    /// it says `close`, in HTTP/1.0 only if it says `keep-alive`, and never when the content ends with the connection
    /// or the connection leaves HTTP.
    pub const fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// The protocols that a 101 changes to, or that the server would change to (RFC 9110 §7.8). None without the
    /// `upgrade` connection option, which "a sender of Upgrade MUST also send".
    pub fn upgrades(&self) -> impl Iterator<Item = &'b [u8]> + use<'b> {
        let fields = if self.has_upgrade { self.fields } else { Fields::EMPTY };
        fields.iter().filter(|field| field.name.is("upgrade")).flat_map(|field| list::elements(field.value))
    }
}

/// Reads the heads of the responses to one request: interim ones, then the final one.
///
/// ```
/// use hopwire::http::{Method, Status};
/// use hopwire::http1::{HeadLimits, ResponseHead, ResponseLength};
/// use hopwire::io::Rx;
///
/// let mut received = *b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
/// let mut head = ResponseHead::new(Method::Get);
/// let limits = HeadLimits::default();
/// assert!(head.poll(&mut Rx::new(&mut received[..30]), &limits)?.is_none());
/// let mut rx = Rx::new(&mut received);
/// let response = head.poll(&mut rx, &limits)?.expect("the head is whole");
/// assert_eq!((response.status, response.length()), (Status::OK, ResponseLength::Length(5)));
/// assert_eq!(rx.bytes(), b"hello");
/// # Ok::<(), hopwire::http1::Violation>(())
/// ```
#[derive(Debug)]
pub struct ResponseHead {
    progress: Progress,
    facts: Facts,
    code: u16,
    asked: Asked,
    version: Version,
    wishes: Wishes,
    /// A line goes on in the next.
    folded: bool,
    failure: Option<Violation>,
}

impl ResponseHead {
    /// Nothing read yet of the responses to that method.
    pub const fn new(method: Method<'_>) -> Self {
        Self::to(Asked::by(method))
    }

    pub(super) const fn to(asked: Asked) -> Self {
        Self {
            progress: Progress::START,
            facts: Facts::new(),
            code: 0,
            asked,
            version: Version::Http11,
            wishes: Wishes::NONE,
            folded: false,
            failure: None,
        }
    }

    /// Reads on. `None`: more input is needed, and nothing was consumed; else the head is, what came before it (empty
    /// lines) and its last CRLF included. After an interim response the next head may be asked for. Of `limits`, `line`
    /// bounds the status line.
    ///
    /// # Errors
    /// The head broke a rule or a limit, or the input ends before it does. Every later call returns the same error.
    #[inline]
    pub fn poll<'b>(&mut self, rx: &mut Rx<'b>, limits: &HeadLimits) -> Result<Option<Response<'b>>, Violation> {
        if let Some(violation) = self.failure {
            return Err(violation);
        }
        let outcome = self.next(rx, limits);
        match outcome {
            Ok(Some(_)) => *self = Self::to(self.asked),
            Ok(None) => {}
            Err(violation) => self.failure = Some(violation),
        }
        outcome
    }

    #[inline]
    fn next<'b>(&mut self, rx: &mut Rx<'b>, limits: &HeadLimits) -> Result<Option<Response<'b>>, Violation> {
        let Some(mut len) = self.read(rx.bytes(), limits)? else { return self.incomplete(rx).map(|()| None) };
        if self.folded {
            let free = unfold(rx.bytes_mut().get_mut(..len).unwrap_or_default());
            rx.take(free);
            len -= free;
            *self = Self::to(self.asked);
            self.read(rx.bytes(), limits)?;
        }
        let code = self.code;
        let status = Status::new(code).unwrap_or(Status::INTERNAL_SERVER_ERROR);
        let length = self.facts.judge_response(self.version, status, self.asked)?;
        let leaves_http =
            status == Status::SWITCHING_PROTOCOLS || self.asked == Asked::Connect && status.is_successful();
        let Progress { start, fields, .. } = self.progress;
        let head: &'b [u8] = rx.take(len);
        let slice = |from: usize, to: usize| head.get(from..to).unwrap_or_default();
        Ok(Some(Response {
            status,
            version: self.version,
            fields: Fields::from_validated(slice(fields, head.len().saturating_sub(2))),
            reason: slice(start + "HTTP/1.1 200 ".len(), fields.saturating_sub(2)),
            code,
            length,
            keep_alive: length != ResponseLength::UntilClose
                && !leaves_http
                && !self.facts.has_coding_before_http11(self.version)
                && self.wishes.keep_alive(self.version),
            close: self.wishes.has(Wishes::CLOSE),
            has_upgrade: self.wishes.has(Wishes::UPGRADE | Wishes::UPGRADE_FIELD),
        }))
    }
}

impl MessageHead for ResponseHead {
    const TOO_LONG: Limit = Limit::StatusLine;
    const NO_LINE: Malformed = Malformed::StatusLine;

    #[inline(always)]
    fn progress(&mut self) -> &mut Progress {
        &mut self.progress
    }

    #[inline(always)]
    fn start_line(&mut self, view: &[u8], start: usize, end: usize) -> Result<(), Violation> {
        (self.version, self.code) = judge_status_line(view.get(start..end).unwrap_or_default())?;
        Ok(())
    }

    #[inline(never)]
    fn known_field(&mut self, view: &[u8], line: Line) -> Result<(), Violation> {
        let name = line.name(view);
        match name.len() {
            7 if is_name::<4>(name, b"upgrade") => self.wishes.add(Wishes::UPGRADE_FIELD),
            10 if is_name::<8>(name, b"connection") => self.wishes.connection(line.value(view)),
            14 if is_name::<8>(name, b"content-length") => self.facts.response_content_length(line.value(view)),
            17 if is_name::<16>(name, b"transfer-encoding") => self.facts.transfer_encoding(line.value(view)),
            _ => {}
        }
        Ok(())
    }

    /// "A user agent that receives an obs-fold in a response message [..] MUST replace each received obs-fold with one or
    /// more SP octets prior to interpreting the field value" (§5.2): once the head is whole.
    fn fold(&mut self) -> Result<(), Violation> {
        self.folded = true;
        Ok(())
    }
}

/// ```abnf
/// status-line   = HTTP-version SP status-code SP [ reason-phrase ]      ; RFC 9112 §4
/// status-code   = 3DIGIT
/// reason-phrase = 1*( HTAB / SP / VCHAR / obs-text )
/// ```
/// The space before a reason phrase that is not there may be missing too: many servers forget it, and nothing else could
/// be meant.
fn judge_status_line(line: &[u8]) -> Result<(Version, u16), Violation> {
    const MALFORMED: Violation = Violation::Malformed(Malformed::StatusLine);
    let (version, rest) = line.split_at_checked("HTTP/1.1".len()).ok_or(MALFORMED)?;
    let version = judge_version(version)?;
    let ([b' ', code @ ..], [] | [b' ', ..]) = rest.split_at_checked(4).ok_or(MALFORMED)? else {
        return Err(MALFORMED);
    };
    let code = num::decimal(code).and_then(|code| u16::try_from(code).ok()).ok_or(MALFORMED)?;
    Ok((version, code))
}

/// Replaces each fold in a head by one space: `obs-fold = OWS CRLF RWS` (RFC 9112 §5.2). What is left moves to the end; gives
/// how many bytes before it are free.
#[cold]
fn unfold(head: &mut [u8]) -> usize {
    // The head as it will be, and whether its last byte stands for a fold.
    let (mut len, mut folding) = (0, false);
    for at in 0..head.len() {
        let byte = head[at];
        let is_blank = matches!(byte, b' ' | b'\t');
        if is_blank && head[..len].ends_with(b"\r\n") {
            let before = head[..len - 2].iter().rposition(|b| !matches!(b, b' ' | b'\t'));
            len = before.map_or(0, |last| last + 1);
            head[len] = b' ';
            (len, folding) = (len + 1, true);
        } else if !(is_blank && folding) {
            head[len] = byte;
            (len, folding) = (len + 1, false);
        }
    }
    head.copy_within(..len, head.len() - len);
    head.len() - len
}

#[cfg(test)]
mod tests {
    use std::{format, string::String, vec::Vec};

    use proptest::prelude::*;

    use super::*;
    use crate::http1::head::proof;
    use crate::http1::violation::Unsupported;

    const ASKED: [Asked; 3] = [Asked::Head, Asked::Connect, Asked::Other];

    /// Everything that a response says, for comparison, with the bytes coming in pieces that end at `ends`.
    fn outcome(asked: Asked, bytes: &[u8], ends: &[usize], limits: &HeadLimits) -> String {
        let mut head = ResponseHead::to(asked);
        let mut bytes = bytes.to_vec();
        let len = bytes.len();
        for &end in ends.iter().chain([&len]) {
            let mut rx = Rx::new(&mut bytes[..end]);
            match head.poll(&mut rx, limits) {
                Ok(Some(response)) => {
                    let upgrades: Vec<_> = response.upgrades().map(<[u8]>::escape_ascii).collect();
                    return format!("{response:?} {} {upgrades:?}", rx.consumed());
                }
                Ok(None) => assert_eq!(rx.consumed(), 0),
                Err(violation) => return format!("{violation:?}"),
            }
        }
        "more".into()
    }

    fn violation(bytes: &[u8], limits: &HeadLimits) -> Option<Violation> {
        ResponseHead::new(Method::Get).poll(&mut Rx::new(&mut bytes.to_vec()), limits).err()
    }

    #[test]
    fn a_failure_stays_and_an_interim_response_is_followed_by_the_next() {
        let (mut head, limits) = (ResponseHead::new(Method::Head), HeadLimits::new());
        let mut bytes = *b"HTTP/1.1 103 \r\nConnection: close\r\n\r\nHTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nHTTP";
        let mut rx = Rx::new(&mut bytes);
        let interim = head.poll(&mut rx, &limits).unwrap().unwrap();
        let last = head.poll(&mut rx, &limits).unwrap().unwrap();
        assert_eq!((interim.code(), last.code(), last.version), (103, 200, Version::Http10));
        assert_eq!(
            (last.length(), last.close),
            (ResponseLength::None, false),
            "to HEAD still, and of nothing before it"
        );
        assert!(head.poll(&mut rx, &limits).is_ok_and(|response| response.is_none()));

        for bad in [&b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: a\r\n\r\n"[..], b"\0"] {
            let mut head = ResponseHead::new(Method::Get);
            let refused = head.poll(&mut Rx::new(&mut bad.to_vec()), &limits).unwrap_err();
            let again = head.poll(&mut Rx::new(&mut b"HTTP/1.1 204 \r\n\r\n".to_vec()), &limits).unwrap_err();
            assert_eq!(again, refused);
        }
    }

    #[test]
    fn state_is_small() {
        assert!(size_of::<ResponseHead>() <= 72, "{}", size_of::<ResponseHead>());
    }

    #[test]
    fn status_lines() {
        const MALFORMED: Result<(Version, u16), Violation> = Err(Violation::Malformed(Malformed::StatusLine));
        const VERSION: Result<(Version, u16), Violation> = Err(Violation::Malformed(Malformed::Version));
        for (line, expected) in [
            (&b"HTTP/1.1 200 OK"[..], Ok((Version::Http11, 200))),
            (b"HTTP/1.1 200 ", Ok((Version::Http11, 200))),
            (b"HTTP/1.1 200", Ok((Version::Http11, 200))),
            (b"HTTP/1.0 404 \xd6 \t ", Ok((Version::Http10, 404))),
            (b"HTTP/1.7 000  a", Ok((Version::Http11, 0))),
            (b"HTTP/1.1 999 ", Ok((Version::Http11, 999))),
            (b"HTTP/2.0 200 OK", Err(Violation::Unsupported(Unsupported::Version))),
            (b"http/1.1 200 OK", VERSION),
            (b"HTTP/11.1 200 OK", VERSION),
            (b"HTTP/1.1", MALFORMED),
            (b"HTTP/1.1 20", MALFORMED),
            (b"HTTP/1.1 20 OK", MALFORMED),
            (b"HTTP/1.1 2000 OK", MALFORMED),
            (b"HTTP/1.1 200OK", MALFORMED),
            (b"HTTP/1.1 +20 OK", MALFORMED),
            (b"HTTP/1.1 20x OK", MALFORMED),
            (b"HTTP/1.1  200 OK", MALFORMED),
            (b"HTTP/1.1\t200 OK", MALFORMED),
            (b"HTTP/1.1 200\tOK", MALFORMED),
            (b" HTTP/1.1 200 OK", VERSION),
            (b"ICY 200 OK", VERSION),
            (b"OK", MALFORMED),
        ] {
            assert_eq!(judge_status_line(line), expected, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn a_code_that_is_none_counts_as_500() {
        for (code, status) in [("099", 500), ("100", 100), ("471", 471), ("599", 599), ("600", 500), ("999", 500)] {
            let mut bytes = format!("HTTP/1.1 {code} A B\r\n\r\n").into_bytes();
            let mut rx = Rx::new(&mut bytes);
            let response = ResponseHead::new(Method::Get).poll(&mut rx, &HeadLimits::default()).unwrap().unwrap();
            assert_eq!((response.status.code(), response.code()), (status, code.parse().unwrap()));
            assert_eq!(response.reason(), b"A B");
        }
    }

    #[test]
    fn a_fold_becomes_a_space() {
        for (head, value) in [
            ("X: a\r\n b", "a b"),
            ("X: a \t\r\n\t \tb", "a b"),
            ("X:\r\n b", "b"),
            ("X: a\r\n \r\n\t", "a"),
            ("X: a\r\n \r\n\tb \tc", "a b \tc"),
            ("X: a\r\n b\r\n c", "a b c"),
            ("Y: \t\r\nX: a\tb", "a\tb"),
        ] {
            let mut bytes = format!("HTTP/1.1 200 O\tK\r\n{head}\r\nContent-Length:\r\n 5\r\n\r\n").into_bytes();
            let mut rx = Rx::new(&mut bytes);
            let response = ResponseHead::new(Method::Get).poll(&mut rx, &HeadLimits::default()).unwrap().unwrap();
            assert_eq!(response.fields.first("x"), Some(value.as_bytes()), "{head:?}");
            assert_eq!((response.length(), response.reason()), (ResponseLength::Length(5), &b"O\tK"[..]), "{head:?}");
            assert!(rx.bytes().is_empty(), "{head:?}");
        }
        let refused = |head: &[u8]| violation(head, &HeadLimits::default());
        let fold = Some(Violation::Malformed(Malformed::Fold));
        assert_eq!(refused(b"HTTP/1.1 200 OK\r\n X: a\r\n\r\n"), fold, "nothing is there to go on");
        let length = Some(Violation::Malformed(Malformed::ContentLength));
        assert_eq!(refused(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n 5\r\n\r\n"), length);
    }

    #[test]
    fn folds_cost_no_more_than_their_length() {
        let mut head = b"HTTP/1.1 200 OK\r\nX: a".to_vec();
        (0..300_000).for_each(|_| head.extend_from_slice(b"\r\n "));
        head.extend_from_slice(b"\r\n\r\n");
        let limits = HeadLimits { bytes: 1 << 20, ..HeadLimits::default() };
        let mut rx = Rx::new(&mut head);
        let response = ResponseHead::new(Method::Get).poll(&mut rx, &limits).unwrap().unwrap();
        assert_eq!(response.fields.first("x"), Some(&b"a"[..]));
    }

    #[test]
    fn persistence() {
        for (head, expected) in [
            ("1.1 200 OK\r\nContent-Length: 0\r\n", true),
            ("1.1 200 OK\r\n", false),
            ("1.1 200 OK\r\nContent-Length: 0\r\nConnection: x, Close\r\n", false),
            ("1.0 200 OK\r\nContent-Length: 0\r\n", false),
            ("1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n", true),
            ("1.0 204 OK\r\nConnection: keep-alive\r\n", true),
            ("1.0 204 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n", false),
            ("1.1 101 OK\r\n", false),
        ] {
            let mut bytes = format!("HTTP/{head}\r\n").into_bytes();
            let mut rx = Rx::new(&mut bytes);
            let response = ResponseHead::new(Method::Get).poll(&mut rx, &HeadLimits::default()).unwrap().unwrap();
            assert_eq!(response.keep_alive(), expected, "{head:?}");
        }
    }

    #[test]
    fn any_split_gives_the_same() {
        let heads: [&[u8]; 14] = [
            b"\r\n\r\nHTTP/1.0 200 OK\r\nConnection: ,Keep-Alive,\r\nContent-Length: 7\r\n\r\ncontent",
            b"HTTP/1.1 101 \r\nUpgrade: a, b/1\r\nConnection: keep-alive, Upgrade\r\n\r\n",
            b"HTTP/1.9 404\r\nTransfer-Encoding: \t, chunked\r\nX: \xff\t \r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\nX: a\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nX: a\0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX: a \t\r\n \t b\r\nContent-Length:\r\n\t5\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\n X: a\r\n\r\n",
            b"HTTP/1.1 200 O\rK\r\n\r\n",
            b"HTTP/1.1 200 OK\n\r\n",
            b"\x16\x03\x01\x02\x00\x01",
            b"HTTP/1.1 2000 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
            b"HTTP/1.1 200 a-long-reason-that-does-not-fit-into-the-limit-of-the-line\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX: a-long-value-that-does-not-fit-into-the-limit-of-the-head",
        ];
        for (bytes, asked) in heads.into_iter().flat_map(|bytes| ASKED.map(|asked| (bytes, asked))) {
            proof::in_any_two_pieces(bytes.len(), |ends, limits| outcome(asked, bytes, ends, limits));
        }
    }

    #[test]
    fn limits_are_judged_early_and_exactly() {
        let limits = HeadLimits { line: 20, bytes: 40, fields: 2, ..HeadLimits::new() };
        let line = |n: usize| format!("HTTP/1.1 200 {}\r\n", "a".repeat(n - 13));
        let too_long = Some(Violation::Limit(Limit::StatusLine));
        assert_eq!(violation(line(20).as_bytes(), &limits), None);
        assert_eq!(violation(line(21).as_bytes(), &limits), too_long);
        assert_eq!(violation(&[b'a'; 20], &limits), None);
        assert_eq!(violation(&[b'a'; 21], &limits), too_long);

        let head = |n: usize| format!("HTTP/1.1 200 OK\r\nX:{}\r\n\r\n", "a".repeat(n - 23));
        let too_large = Some(Violation::Limit(Limit::Head));
        assert_eq!(violation(head(40).as_bytes(), &limits), None);
        assert_eq!(violation(head(41).as_bytes(), &limits), too_large);
        assert_eq!(violation(&head(41).as_bytes()[..39], &limits), None);
        assert_eq!(violation(&head(41).as_bytes()[..40], &limits), too_large);

        let fields = b"HTTP/1.1 200 OK\r\nX:\r\nX:\r\nX:\r\n\r\n";
        assert_eq!(violation(fields, &limits), Some(Violation::Limit(Limit::Fields)));
        assert_eq!(violation(fields, &HeadLimits { fields: 3, ..limits }), None);
    }

    #[test]
    fn what_cannot_go_on_is_not_waited_for() {
        let limits = HeadLimits::default();
        let mut bytes = *b"HTTP/1.1 200 OK\r\nX: a";
        let mut head = ResponseHead::new(Method::Get);
        let line = head.poll(&mut Rx::full(&mut bytes[..10]), &limits).unwrap_err();
        assert_eq!(line, Violation::Limit(Limit::StatusLine));
        let mut head = ResponseHead::new(Method::Get);
        let long = head.poll(&mut Rx::full(&mut bytes), &limits).unwrap_err();
        assert_eq!(long, Violation::Limit(Limit::Head));
        let mut head = ResponseHead::new(Method::Get);
        let end = head.poll(&mut Rx::last(&mut bytes), &limits).unwrap_err();
        assert_eq!(end, Violation::Eof);
    }

    const PARTS: &[&str] = &["HTTP/1.1 ", "HTTP/1.0 ", "200", "204 ", "101 ", "600", " OK", "\r\n "];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 8 } else { 2000 }))]

        #[test]
        fn any_head_in_any_pieces(
            bytes in proof::heads("HTTP/1.1 200 OK\r\n", PARTS),
            ends in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
            line in 10_u32..80, total in 20_u32..200, fields in 0_u32..5, asked in 0_usize..3,
        ) {
            let limits = [HeadLimits::default(), HeadLimits { line, bytes: total, fields, ..HeadLimits::new() }];
            proof::in_any_pieces(bytes.len(), &limits, &ends, |ends, limits| outcome(ASKED[asked], &bytes, ends, limits));
        }
    }
}
