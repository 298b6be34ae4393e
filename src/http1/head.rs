//! What the heads of requests and responses have in common, and how they are read (RFC 9112 §2), whatever pieces they come in.

use super::lines::{Line, Lines, Next, Place};
use super::violation::{Limit, Malformed, Unsupported, Violation};
use crate::bytes::lanes::is_name;
use crate::http::{Version, list};
use crate::io::Rx;

/// How large a head, or a trailer section, may be. Every default is a named constant of this type. More limits may come:
/// write `..HeadLimits::new()` behind your own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes of the start line without its CRLF; a longer request line is answered with 414.
    pub line: u32,
    /// Bytes of the whole head, or of the whole trailer section; more is answered with 431.
    pub bytes: u32,
    /// Field lines in the head, or in the trailer section; more is answered with 431.
    pub fields: u32,
    /// Empty lines before the start line, which are skipped; more is answered with 400.
    pub empty_lines: u32,
}

impl HeadLimits {
    /// "It is RECOMMENDED that all HTTP senders and recipients support, at a minimum, request-line lengths of 8000
    /// octets" (RFC 9112 §3); nginx and Apache take 8 KiB.
    pub const LINE: u32 = 8 * 1024;
    /// As Node.js has it.
    pub const BYTES: u32 = 16 * 1024;
    /// As Apache has it.
    pub const FIELDS: u32 = 100;
    /// llhttp skips any number; some old clients send one (RFC 9112 §2.2).
    pub const EMPTY_LINES: u32 = 8;

    /// The defaults.
    pub const fn new() -> Self {
        Self { line: Self::LINE, bytes: Self::BYTES, fields: Self::FIELDS, empty_lines: Self::EMPTY_LINES }
    }
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self::new()
    }
}

/// A head that is being read: its start line, then its fields.
pub(super) trait MessageHead {
    /// The start line is too long.
    const TOO_LONG: Limit;
    /// There is no start line.
    const NO_LINE: Malformed;

    fn progress(&mut self) -> &mut Progress;

    /// Judges the start line, which lies there in `view`.
    fn start_line(&mut self, view: &[u8], start: usize, end: usize) -> Result<(), Violation>;

    /// Takes in a field that can be one of those that have a say in framing or about the connection.
    fn known_field(&mut self, view: &[u8], line: Line) -> Result<(), Violation>;

    /// A field line that goes on in the next line.
    fn fold(&mut self) -> Result<(), Violation>;

    /// What it means that the head is not whole with all that came.
    fn incomplete(&mut self, rx: &Rx<'_>) -> Result<(), Violation> {
        match () {
            () if rx.is_last() => Err(Violation::Eof),
            () if rx.is_stuck() => Err(self.progress().full(Self::TOO_LONG)),
            () => Ok(()),
        }
    }

    /// Reads on: the length of the head, once it is whole.
    #[inline(always)]
    fn read(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<Option<usize>, Violation> {
        let view = bytes.get(..in_usize(limits.bytes)).unwrap_or(bytes);
        let Some(mut lines) = self.progress().place.lines(view) else { return Ok(None) };
        let len = self.read_lines(&mut lines, limits)?;
        if len.is_none() {
            self.progress().place = lines.place();
            if view.len() == in_usize(limits.bytes) {
                return Err(self.progress().full(Self::TOO_LONG));
            }
        }
        Ok(len)
    }

    #[inline(always)]
    fn read_lines(&mut self, lines: &mut Lines<'_>, limits: &HeadLimits) -> Result<Option<usize>, Violation> {
        if self.progress().fields == 0 && !self.read_start_line(lines, limits)? {
            return Ok(None);
        }
        loop {
            match lines.next_field() {
                Ok(Next::Field(line)) => {
                    self.progress().count(limits)?;
                    if line.is_perhaps_known(lines.view()) {
                        self.known_field(lines.view(), line)?;
                    }
                }
                Ok(Next::End(len)) => return Ok(Some(len)),
                Ok(Next::More) => return Ok(None),
                Err(Violation::Malformed(Malformed::Fold)) if self.progress().count > 0 => self.fold()?,
                Err(violation) => return Err(violation),
            }
        }
    }

    /// Whether the start line is there and has been read.
    #[inline(always)]
    fn read_start_line(&mut self, lines: &mut Lines<'_>, limits: &HeadLimits) -> Result<bool, Violation> {
        loop {
            let start = lines.start();
            let too_long = Violation::Limit(Self::TOO_LONG);
            let Some(end) = lines.next_line(in_usize(limits.line), too_long)? else { return Ok(false) };
            if end > start {
                self.start_line(lines.view(), start, end)?;
                (self.progress().start, self.progress().fields) = (start, lines.start());
                return Ok(true);
            }
            // "a server that is expecting to receive and parse a request-line SHOULD ignore at least one empty line (CRLF)
            // received prior to the request-line" (§2.2). Between two responses there may be "one or more CRLF (which can
            // be discarded per Section 2.2)" (§9.2).
            if start / 2 >= in_usize(limits.empty_lines) {
                return Err(Violation::Malformed(Self::NO_LINE));
            }
        }
    }
}

/// How far a head has been read.
#[derive(Debug)]
pub(super) struct Progress {
    place: Place,
    /// Where the start line and the first field line start, once the start line is judged; else 0.
    pub(super) start: usize,
    pub(super) fields: usize,
    /// Field lines so far.
    count: u32,
}

impl Progress {
    /// Nothing read yet.
    pub(super) const START: Self = Self { place: Place::START, start: 0, fields: 0, count: 0 };

    #[inline(always)]
    const fn count(&mut self, limits: &HeadLimits) -> Result<(), Violation> {
        if self.count >= limits.fields {
            return Err(Violation::Limit(Limit::Fields));
        }
        self.count += 1;
        Ok(())
    }

    /// What it means when no more bytes fit behind those read last; `too_long`: the start line is.
    const fn full(&self, too_long: Limit) -> Violation {
        Violation::Limit(if self.fields == 0 { too_long } else { Limit::Head })
    }
}

/// What a head asks of the connection, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wishes(u8);

impl Wishes {
    pub(super) const NONE: Self = Self(0);
    /// Connection: close
    pub(super) const CLOSE: Self = Self(1);
    /// Connection: keep-alive
    pub(super) const KEEP_ALIVE: Self = Self(1 << 1);
    /// Connection: upgrade
    pub(super) const UPGRADE: Self = Self(1 << 2);
    /// An Upgrade field
    pub(super) const UPGRADE_FIELD: Self = Self(1 << 3);
    /// Expect: 100-continue
    pub(super) const CONTINUE: Self = Self(1 << 4);

    /// Whether all of these are there.
    pub(super) const fn has(self, wishes: Self) -> bool {
        self.0 & wishes.0 == wishes.0
    }

    /// Whether the connection persists, as far as the sender of a message of that version is concerned (RFC 9112 §9.3).
    pub(super) fn keep_alive(self, version: Version) -> bool {
        !self.has(Self::CLOSE) && (version >= Version::Http11 || self.has(Self::KEEP_ALIVE))
    }

    pub(super) const fn add(&mut self, wishes: Self) {
        self.0 |= wishes.0;
    }

    /// One `Connection = #connection-option` line (RFC 9110 §7.6.1); the options are case-insensitive.
    #[inline]
    pub(super) fn connection(&mut self, value: &[u8]) {
        match Self::option(value) {
            // More than one, or one that asks for nothing.
            Self::NONE => list::connection_options(value).for_each(|option| self.add(Self::option(option))),
            wish => self.add(wish),
        }
    }

    /// What one connection option asks for.
    #[inline]
    fn option(option: &[u8]) -> Self {
        match option.len() {
            5 if is_name::<4>(option, b"close") => Self::CLOSE,
            7 if is_name::<4>(option, b"upgrade") => Self::UPGRADE,
            10 if is_name::<8>(option, b"keep-alive") => Self::KEEP_ALIVE,
            _ => Self::NONE,
        }
    }

    /// One `Expect = #expectation` line (RFC 9110 §10.1.1); the expectation is case-insensitive.
    pub(super) fn expect(&mut self, value: &[u8]) {
        if list::elements(value).any(|expectation| expectation.eq_ignore_ascii_case(b"100-continue")) {
            self.add(Self::CONTINUE);
        }
    }
}

impl core::ops::BitOr for Wishes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// ```abnf
/// HTTP-version  = HTTP-name "/" DIGIT "." DIGIT                 ; RFC 9112 §2.3
/// HTTP-name     = %s"HTTP"
/// ```
/// "A recipient that receives a message with a major version number that it implements and a minor version number higher
/// than what it implements SHOULD process the message as if it were in the highest minor version" (RFC 9110 §6.2).
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

/// A limit where `usize` has fewer bits than it is none.
#[inline(always)]
pub(super) fn in_usize(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// One option alone is read at once; with others it means the same.
        #[test]
        fn options_are_read_alike_alone_and_in_a_list(options in prop::collection::vec(prop::sample::select(&[
            "close", "Close", "CLOSE", "closed", "clos", "keep-alive", "Keep-Alive", "keep_alive", "upgrade", "UPGRADE", "upgradf",
            "x", "", " ", "te", "\"close\"", "\"x",
        ][..]), 0..4)) {
            let value = options.join(",");
            let has = |wanted: &str| options.iter().any(|option| option.trim().eq_ignore_ascii_case(wanted));
            let mut wishes = Wishes::NONE;
            wishes.connection(value.trim().as_bytes());
            for (wish, name) in [(Wishes::CLOSE, "close"), (Wishes::KEEP_ALIVE, "keep-alive"), (Wishes::UPGRADE, "upgrade")] {
                prop_assert_eq!(wishes.has(wish), has(name), "{:?}", value);
            }
        }
    }
}

/// What the tests of both heads have in common.
#[cfg(test)]
pub(super) mod proof {
    use std::{string::String, vec::Vec};

    use proptest::{prelude::*, sample::Index};

    use super::HeadLimits;

    /// Heads made of `parts` and of what all heads are made of, half of them behind `start`.
    pub(in crate::http1) fn heads(start: &'static str, parts: &[&'static str]) -> impl Strategy<Value = Vec<u8>> {
        let parts = prop::collection::vec(prop::sample::select([parts, PARTS].concat()), 0..20);
        (any::<bool>(), parts).prop_map(move |(lead, parts)| {
            let head = String::from(if lead { start } else { "" }) + &parts.concat() + "\r\n\r\n";
            head.into_bytes()
        })
    }

    const PARTS: &[&str] = &[
        "HTTP/1.1",
        "HTTP/1.0",
        "\r\n",
        "\r\n",
        "\r\n",
        "\r",
        "\n",
        "\t",
        " ",
        " ",
        "Host: a\r\n",
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
    ];

    /// What comes of a head of `len` bytes is the same whatever pieces it comes in; `outcome` is told where they end.
    pub(in crate::http1) fn in_any_pieces(
        len: usize,
        limits: &[HeadLimits],
        ends: &[Index],
        outcome: impl Fn(&[usize], &HeadLimits) -> String,
    ) {
        let mut ends: Vec<_> = ends.iter().map(|end| end.index(len + 1)).collect();
        ends.sort_unstable();
        let bytewise: Vec<_> = (0..len).collect();
        for limits in limits {
            let whole = outcome(&[], limits);
            assert_eq!(outcome(&ends, limits), whole, "{ends:?}");
            assert_eq!(outcome(&bytewise, limits), whole);
        }
    }

    /// As [`in_any_pieces`], for every two, and with limits that heads go beyond.
    pub(in crate::http1) fn in_any_two_pieces(len: usize, outcome: impl Fn(&[usize], &HeadLimits) -> String) {
        let limits = [
            HeadLimits::default(),
            HeadLimits { line: 30, bytes: 60, fields: 2, ..HeadLimits::new() },
            HeadLimits { line: 30, bytes: 20, fields: 0, empty_lines: 1 },
        ];
        in_any_pieces(len, &limits, &[], &outcome);
        for (limits, at) in limits.iter().flat_map(|limits| (0..len).map(move |at| (limits, at))) {
            assert_eq!(outcome(&[at], limits), outcome(&[], limits), "{at}");
        }
    }
}
