//! Lines, and sections of field lines (RFC 9112 §2.2, §5), whatever pieces they come in.
//!
//! A line is judged when its end is there, at the first control character in it, or at its limit, whichever comes
//! first; so the verdict is the same for every split of the input. Where a line ends is looked for in new bytes only.

use super::head::{HeadLimits, in_usize};
use super::violation::{Limit, Malformed, Violation};
use crate::bytes::lanes::{self, Odd};
use crate::bytes::{looked_at, scan};

/// Reads a section of fields alone: trailers.
#[derive(Debug)]
pub(crate) struct FieldSection {
    place: Place,
    count: u32,
}

impl FieldSection {
    /// Nothing read yet.
    pub(crate) const fn new() -> Self {
        Self { place: Place::START, count: 0 }
    }

    /// Reads on, as [`RequestHead::scan`] does; the length includes the empty line at the end, which `Fields` want not.
    pub(crate) fn scan(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<Option<usize>, Violation> {
        let view = bytes.get(..in_usize(limits.bytes)).unwrap_or(bytes);
        let Some(mut lines) = self.place.lines(view) else { return Ok(None) };
        loop {
            match lines.next_field()? {
                Next::Field(_) if self.count == limits.fields => return Err(Violation::Limit(Limit::Fields)),
                Next::Field(_) => self.count += 1,
                Next::End(len) => return Ok(Some(len)),
                Next::More if view.len() == in_usize(limits.bytes) => return Err(Violation::Limit(Limit::Trailers)),
                Next::More => {
                    self.place = lines.place();
                    return Ok(None);
                }
            }
        }
    }
}

/// How far lines have been read, between two calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Where the line to read next starts.
    start: usize,
    /// No line ends between `start` and here.
    scanned: usize,
}

impl Place {
    /// Nothing read yet.
    pub(super) const START: Self = Self { start: 0, scanned: 0 };

    /// Goes on in `view`, which starts with the bytes that were read; `None` if it does not even have as many.
    #[inline(always)]
    pub(super) fn lines(self, view: &[u8]) -> Option<Lines<'_>> {
        looked_at(view.len().checked_sub(self.scanned)?);
        Some(Lines { view, start: self.start, scanned: self.scanned, odd: Odd::new(view, self.scanned) })
    }
}

/// Reads lines, where they lie.
#[derive(Debug)]
pub(super) struct Lines<'v> {
    view: &'v [u8],
    /// Where the line to read next starts.
    start: usize,
    /// No line ends between `start` and here.
    scanned: usize,
    odd: Odd<'v>,
}

/// What comes after the lines read so far.
pub(super) enum Next {
    Field(Line),
    /// The empty line, and so the section ends here.
    End(usize),
    /// Not there yet.
    More,
}

/// Where the parts of a field line are: `field-name ":" OWS field-value OWS`
#[derive(Clone, Copy)]
pub(super) struct Line {
    start: usize,
    colon: usize,
    end: usize,
}

impl<'v> Lines<'v> {
    /// To go on from here with more bytes.
    pub(super) const fn place(&self) -> Place {
        Place { start: self.start, scanned: self.scanned }
    }

    /// All there is.
    pub(super) const fn view(&self) -> &'v [u8] {
        self.view
    }

    /// Where the next line starts.
    pub(super) const fn start(&self) -> usize {
        self.start
    }

    /// The end of the next line, before its CRLF; `None`: it is not there yet. It has only bytes that a field value could
    /// have. One of more than `max` bytes is `too_long`, whatever is in it.
    #[inline(always)]
    pub(super) fn next_line(&mut self, max: usize, too_long: Violation) -> Result<Option<usize>, Violation> {
        loop {
            let at = self.odd.next();
            if at < self.start {
                // The LF of the line before.
                continue;
            }
            self.scanned = at;
            if at - self.start > max {
                return Err(too_long);
            }
            match (self.view.get(at), self.view.get(at + 1)) {
                (Some(b'\r'), Some(b'\n')) => {
                    self.odd.skip();
                    (self.start, self.scanned) = (at + 2, at + 2);
                    return Ok(Some(at));
                }
                (None | Some(b'\r'), None) => return Ok(None),
                (Some(b'\t' | 0x80..), _) => {}
                // A bare LF, which a recipient MAY take for a line end, and a bare CR, which it MUST NOT (§2.2).
                (Some(b'\r' | b'\n'), _) => return Err(Violation::Malformed(Malformed::LineEnd)),
                _ => return Err(Violation::Malformed(Malformed::Control)),
            }
        }
    }

    /// The next line of a section of fields.
    #[inline(always)]
    pub(super) fn next_field(&mut self) -> Result<Next, Violation> {
        let start = self.start;
        let Some(end) = self.next_line(usize::MAX, Violation::Limit(Limit::Head))? else { return Ok(Next::More) };
        if end == start {
            return Ok(Next::End(self.start));
        }
        let mut name = lanes::first(self.view, start, is_odd_in_name);
        if name == 0 || self.view.get(start + name) != Some(&b':') {
            name = rare_name(self.view.get(start..end).unwrap_or_default())?;
        }
        Ok(Next::Field(Line { start, colon: start + name, end }))
    }
}

/// ```abnf
/// field-line   = field-name ":" OWS field-value OWS             ; RFC 9112 §5
/// ```
/// "A server MUST reject, with a response status code of 400 (Bad Request), any received request
/// message that contains whitespace between a header field name and colon" (§5.1); obs-fold is refused (§5.2).
#[cold]
fn rare_name(line: &[u8]) -> Result<usize, Violation> {
    let name = scan::token_end(line);
    match line.get(name) {
        Some(b':') if name > 0 => Ok(name),
        Some(b' ' | b'\t') if name == 0 => Err(Violation::Malformed(Malformed::Fold)),
        _ => Err(Violation::Malformed(Malformed::FieldName)),
    }
}

impl Line {
    /// Whether this can be one of the fields that have a say in framing or about the connection; few others look so.
    #[inline(always)]
    pub(super) fn is_perhaps_known(self, view: &[u8]) -> bool {
        match (view.get(self.start), KNOWN.get(self.colon - self.start)) {
            (Some(b), Some(first)) => b | 0x20 == *first,
            _ => false,
        }
    }

    /// The name.
    #[inline(always)]
    pub(super) fn name(self, view: &[u8]) -> &[u8] {
        view.get(self.start..self.colon).unwrap_or_default()
    }

    /// The value.
    #[inline(always)]
    pub(super) fn value(self, view: &[u8]) -> &[u8] {
        let (from, to) = self.value_range(view);
        view.get(from..to).unwrap_or_default()
    }

    /// Where the value is.
    #[inline(always)]
    pub(super) fn value_range(self, view: &[u8]) -> (usize, usize) {
        let is_space = |at: usize| matches!(view.get(at), Some(b' ' | b'\t'));
        let (mut from, mut to) = (self.colon + 1, self.end);
        while from < to && is_space(from) {
            from += 1;
        }
        while from < to && is_space(to - 1) {
            to -= 1;
        }
        (from, to)
    }
}

/// The first letters of Host, Expect, Upgrade, Connection, Content-Length and Transfer-Encoding, by their lengths.
const KNOWN: [u8; 18] = *b"\0\0\0\0h\0eu\0\0c\0\0\0c\0\0t";

/// Whether a byte ends a name: it is not ALPHA, DIGIT or "-", as those in names are but for a few.
#[inline(always)]
const fn is_odd_in_name(b: u8) -> bool {
    lanes::is_out(b | 0x20, b'a', b'z') & lanes::is_out(b, b'0', b'9') & (b != b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::LOOKED_AT;

    #[test]
    fn state_is_small() {
        assert!(size_of::<FieldSection>() <= 24);
    }

    #[test]
    fn cost_is_linear() {
        let section = "name: value\r\n".repeat(90) + &"x".repeat(3000) + ": y\r\n\r\n";
        let mut fields = FieldSection::new();
        LOOKED_AT.set(0);
        for end in 0..section.len() {
            assert_eq!(fields.scan(&section.as_bytes()[..end], &HeadLimits::default()), Ok(None));
        }
        assert!(LOOKED_AT.get() <= 2 * section.len(), "{} for {}", LOOKED_AT.get(), section.len());
    }

    #[test]
    fn reads_trailers() {
        let limits = HeadLimits { line: 0, bytes: 20, fields: 2, ..HeadLimits::new() };
        let scan = |bytes: &[u8]| FieldSection::new().scan(bytes, &limits);
        assert_eq!(scan(b"\r\n"), Ok(Some(2)));
        assert_eq!(scan(b"\r"), Ok(None));
        assert_eq!(scan(b"a:b\r\nc:\r\n\r\nGET"), Ok(Some(11)));
        assert_eq!(scan(b"a:b\r\nc:\r\n\r"), Ok(None));
        assert_eq!(scan(b"a:\r\nb:\r\nc:\r\n\r\n"), Err(Violation::Limit(Limit::Fields)));
        assert_eq!(scan(b"a:aaaaaaaaaaaaaaaaaaaaaaaa"), Err(Violation::Limit(Limit::Trailers)));
        assert_eq!(scan(b"a: b\r\n c\r\n"), Err(Violation::Malformed(Malformed::Fold)));
        assert_eq!(scan(b"a : b\r\n"), Err(Violation::Malformed(Malformed::FieldName)));
        assert_eq!(scan(b"a: b\n"), Err(Violation::Malformed(Malformed::LineEnd)));
    }
}
