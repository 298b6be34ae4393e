//! The chunked transfer coding (RFC 9112 §7.1), incoming.
//!
//! ```text
//! chunked-body  = *chunk last-chunk trailer-section CRLF
//! chunk         = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
//! chunk-size    = 1*HEXDIG
//! last-chunk    = 1*("0") [ chunk-ext ] CRLF
//! chunk-ext     = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
//! chunk-ext-val = token / quoted-string
//! ```
//!
//! Every byte is matched, none is skipped: a line ends in CRLF and in nothing else, and so does the data.

use super::head::HeadLimits;
use super::lines::FieldSection;
use super::violation::{Limit, Malformed, Violation};
use crate::bytes::{num, scan, table};
use crate::http::Fields;
use crate::io::Rx;

/// Takes the content out of a chunked body, in place and in pieces as they arrive.
///
/// Whatever the peer declares, nothing is reserved for it. The extensions of all chunks together have one
/// budget, and so has the content.
#[derive(Debug)]
pub struct Decoder {
    /// Bytes of the current chunk still to come; not 0 in [`State::Data`] alone.
    left: u64,
    /// How much more content may be declared.
    room: u64,
    /// How many more bytes of extensions, and of leading zeros past the sixteenth digit, may come.
    ext_room: u32,
    /// Digits of the current size seen so far, at most 16.
    digits: u8,
    state: State,
    /// In [`State::Failed`] alone.
    failure: Option<Violation>,
    trailers: FieldSection,
}

/// A part of a chunked body.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Piece<'b> {
    /// Content: all or a part of one chunk, never empty.
    Data(&'b mut [u8]),
    /// The trailer section, unless there is none. Fields that must not be merged into the header (framing, routing,
    /// authentication, what describes the content) have been dropped: RFC 9110 §6.5.1.
    Trailers(Fields<'b>),
    /// The end of the body. Nothing behind it was consumed.
    End,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum State {
    /// chunk-size
    Size,
    /// BWS before ";"
    BeforeExt,
    /// BWS after ";", then a name
    ExtNameStart,
    ExtName,
    /// BWS after a name
    AfterExtName,
    /// BWS after "=", then a value
    ExtValueStart,
    ExtValue,
    /// Inside a quoted-string
    Quoted,
    /// After "\" inside a quoted-string
    QuotedPair,
    /// After the closing DQUOTE
    AfterQuoted,
    /// LF of a size line
    SizeLf,
    Data,
    /// CR after chunk-data
    DataCr,
    /// LF after chunk-data
    DataLf,
    Trailers,
    End,
    Failed,
}

impl Decoder {
    /// A decoder that lets `max_body` bytes of content and `max_chunk_ext` bytes of chunk extensions pass.
    #[inline]
    pub const fn new(max_body: u64, max_chunk_ext: u32) -> Self {
        Self {
            left: 0,
            room: max_body,
            ext_room: max_chunk_ext,
            digits: 0,
            state: State::Size,
            failure: None,
            trailers: FieldSection::new(),
        }
    }

    /// The next piece; `None`: more input is needed. `limits` bound the trailer section.
    ///
    /// After [`Piece::End`] it says so again and again.
    ///
    /// # Errors
    /// The coding or a trailer field broke a rule or a limit, or the input ends before the content does: what follows has no
    /// meaning. Every later call returns the same error.
    #[inline]
    pub fn poll<'b>(&mut self, rx: &mut Rx<'b>, limits: &HeadLimits) -> Result<Option<Piece<'b>>, Violation> {
        if let Some(data) = self.whole_chunk(rx) {
            return Ok(Some(Piece::Data(data)));
        }
        let outcome = self.next(rx, limits);
        if let Err(violation) = outcome {
            (self.state, self.failure) = (State::Failed, Some(violation));
        }
        outcome
    }

    #[inline]
    fn next<'b>(&mut self, rx: &mut Rx<'b>, limits: &HeadLimits) -> Result<Option<Piece<'b>>, Violation> {
        if self.state != State::Data {
            self.between_chunks(rx)?;
        }
        if self.state != State::Data {
            return self.after_chunks(rx, limits);
        }
        let data = rx.take(usize::try_from(self.left).unwrap_or(usize::MAX));
        if data.is_empty() {
            return if rx.is_last() { Err(Violation::Eof) } else { Ok(None) };
        }
        self.left -= data.len() as u64;
        if self.left == 0 {
            self.state = State::DataCr;
        }
        Ok(Some(Piece::Data(data)))
    }

    /// A chunk that is there as a whole, but for the CRLF at its end, behind another one, with nothing out of the
    /// ordinary in its size line. Anything else is left as it is.
    #[inline]
    pub(super) fn whole_chunk<'b>(&mut self, rx: &mut Rx<'b>) -> Option<&'b mut [u8]> {
        if self.state != State::DataCr {
            return None;
        }
        let (line, size) = plain_size_line(rx.bytes())?;
        if size == 0 || rx.bytes().len() < line + size {
            return None;
        }
        // The chunk before this one has come to its end, and this one does at once.
        debug_assert_eq!(self.left, 0, "nothing of a chunk is left behind it");
        self.room = self.room.checked_sub(size as u64)?;
        rx.take(line + size).get_mut(line..)
    }

    /// The size line of a chunk is complete.
    #[inline]
    fn chunk(&mut self, size: u64) -> Result<(), Violation> {
        self.state = if size == 0 { State::Trailers } else { State::Data };
        // Judged when it is declared, before a byte of it came.
        self.room = self.room.checked_sub(size).ok_or(Violation::Limit(Limit::Body))?;
        (self.left, self.digits) = (size, 0);
        Ok(())
    }

    /// Byte by byte up to the next chunk's data or the trailers: size lines with extensions or in two reads, and
    /// every fault.
    #[cold]
    fn between_chunks(&mut self, rx: &mut Rx<'_>) -> Result<(), Violation> {
        if self.state == State::DataCr
            && let Some((line, size)) = plain_size_line(rx.bytes())
        {
            rx.take(line);
            return self.chunk(size as u64);
        }
        let mut at = 0;
        let mut result = Ok(());
        while let Some(&b) = rx.bytes().get(at) {
            if matches!(self.state, State::Data | State::Trailers | State::End | State::Failed) {
                break;
            }
            at += 1;
            match self.step(b) {
                Ok(state) => self.state = state,
                Err(violation) => {
                    result = Err(violation);
                    break;
                }
            }
        }
        // Up to the fault, so that what was consumed is the same for every split.
        rx.take(at);
        result
    }

    fn step(&mut self, b: u8) -> Result<State, Violation> {
        use State::*;
        const SIZE: Violation = Violation::Malformed(Malformed::ChunkSize);
        const EXT: Violation = Violation::Malformed(Malformed::ChunkExtension);
        const END: Violation = Violation::Malformed(Malformed::ChunkEnd);
        Ok(match (self.state, b) {
            (Size, b) if b.is_ascii_hexdigit() => self.digit(b)?,
            (Size, _) if self.digits == 0 => return Err(SIZE),
            (Size | ExtName | ExtValue | AfterQuoted, b'\r') => SizeLf,
            (SizeLf, b'\n') => {
                self.chunk(self.left)?;
                self.state
            }
            (SizeLf, _) => return Err(END),

            (Size | BeforeExt | ExtName | AfterExtName | ExtValue | AfterQuoted, b';') => self.ext(ExtNameStart)?,
            (Size | BeforeExt | ExtValue | AfterQuoted, b' ' | b'\t') => self.ext(BeforeExt)?,
            (Size, _) => return Err(SIZE),
            (ExtNameStart, b' ' | b'\t') => self.ext(ExtNameStart)?,
            (ExtNameStart | ExtName, b) if table::is_tchar(b) => self.ext(ExtName)?,
            (ExtName | AfterExtName, b' ' | b'\t') => self.ext(AfterExtName)?,
            (ExtName | AfterExtName, b'=') => self.ext(ExtValueStart)?,
            (ExtValueStart, b' ' | b'\t') => self.ext(ExtValueStart)?,
            (ExtValueStart, b'"') => self.ext(Quoted)?,
            (ExtValueStart | ExtValue, b) if table::is_tchar(b) => self.ext(ExtValue)?,
            // qdtext = HTAB / SP / %x21 / %x23-5B / %x5D-7E / obs-text
            (Quoted, b'"') => self.ext(AfterQuoted)?,
            (Quoted, b'\\') => self.ext(QuotedPair)?,
            (Quoted | QuotedPair, b) if table::is_field_byte(b) => self.ext(Quoted)?,

            (DataCr, b'\r') => DataLf,
            (DataLf, b'\n') => Size,
            (DataCr | DataLf, _) => return Err(END),
            _ => return Err(EXT),
        })
    }

    fn digit(&mut self, b: u8) -> Result<State, Violation> {
        const SIZE: Violation = Violation::Malformed(Malformed::ChunkSize);
        let digit = num::hex_digit(b).ok_or(SIZE)?;
        // "recipients MUST anticipate potentially large hexadecimal numerals and prevent parsing errors due to integer
        // conversion overflows" (§7.1)
        if self.left >> 60 != 0 {
            return Err(SIZE);
        }
        self.left = self.left << 4 | u64::from(digit);
        if self.digits < 16 {
            self.digits += 1;
            return Ok(State::Size);
        }
        self.ext(State::Size)
    }

    /// Another byte that carries nothing: "A server ought to limit the total length of chunk extensions received in a
    /// request" (§7.1.1).
    fn ext(&mut self, next: State) -> Result<State, Violation> {
        self.ext_room = self.ext_room.checked_sub(1).ok_or(Violation::Limit(Limit::ChunkExtensions))?;
        Ok(next)
    }

    fn after_chunks<'b>(&mut self, rx: &mut Rx<'b>, limits: &HeadLimits) -> Result<Option<Piece<'b>>, Violation> {
        match (self.state, self.failure) {
            (_, Some(violation)) => return Err(violation),
            (State::End, _) => return Ok(Some(Piece::End)),
            (State::Trailers, _) => {}
            _ if rx.is_last() => return Err(Violation::Eof),
            _ => return Ok(None),
        }
        let Some(len) = self.trailers.scan(rx.bytes(), limits)? else {
            return match () {
                () if rx.is_last() => Err(Violation::Eof),
                () if rx.is_stuck() => Err(Violation::Limit(Limit::Trailers)),
                () => Ok(None),
            };
        };
        self.state = State::End;
        let section = rx.take(len);
        let lines = section.len().saturating_sub(2);
        let kept = drop_forbidden(&mut section[..lines]);
        if kept == 0 {
            return Ok(Some(Piece::End));
        }
        Ok(Some(Piece::Trailers(Fields::from_validated(&section[..kept]))))
    }
}

/// The CRLF at the end of a chunk and a size of up to four digits with its own CRLF: their length and the size.
#[inline]
fn plain_size_line(bytes: &[u8]) -> Option<(usize, usize)> {
    let word = u64::from_le_bytes(*bytes.first_chunk()?);
    let is_crlf = |at: u32| word >> (8 * at) & 0xffff == 0x0a0d;
    let digit = |at: u32| HEX[usize::from((word >> (8 * at)).to_le_bytes()[0])];
    if !is_crlf(0) {
        return None;
    }
    let (line, size) = match () {
        () if is_crlf(3) => (5, digit(2)),
        () if is_crlf(4) => (6, digit(2) << 4 | digit(3)),
        () if is_crlf(5) => (7, digit(2) << 8 | digit(3) << 4 | digit(4)),
        () if is_crlf(6) => (8, digit(2) << 12 | digit(3) << 8 | digit(4) << 4 | digit(5)),
        () => return None,
    };
    (size < NO_DIGIT).then_some((line, size))
}

/// The value of each HEXDIG, and [`NO_DIGIT`] for every other byte.
static HEX: [usize; 256] = {
    let mut table = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        table[b"0123456789abcdef"[value] as usize] = value;
        table[b"0123456789ABCDEF"[value] as usize] = value;
        value += 1;
    }
    table
};

/// More than any number of four digits.
const NO_DIGIT: usize = 1 << 16;

/// Moves the field lines that may stand in a trailer section to the front; their length.
fn drop_forbidden(lines: &mut [u8]) -> usize {
    let (mut kept, mut at) = (0, 0);
    while at < lines.len() {
        let end = (at + scan::find(b'\n', &lines[at..]) + 1).min(lines.len());
        let name = at..at + scan::find(b':', &lines[at..end]);
        if !is_forbidden_trailer(&lines[name]) {
            lines.copy_within(at..end, kept);
            kept += end - at;
        }
        at = end;
    }
    kept
}

/// What is needed before the content must not come last: fields "that describe message framing, routing, authentication,
/// request modifiers, response controls, or content format" (RFC 9110 §6.5.1).
pub(crate) fn is_forbidden_trailer(name: &[u8]) -> bool {
    FORBIDDEN_TRAILERS.iter().any(|forbidden| name.eq_ignore_ascii_case(forbidden))
}

const FORBIDDEN_TRAILERS: &[&[u8]] = &[
    // framing
    b"connection",
    b"content-length",
    b"keep-alive",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
    // routing
    b"forwarded",
    b"host",
    b"max-forwards",
    b"via",
    // request modifiers
    b"cache-control",
    b"expect",
    b"if-match",
    b"if-modified-since",
    b"if-none-match",
    b"if-range",
    b"if-unmodified-since",
    b"pragma",
    b"range",
    // authentication and state
    b"authorization",
    b"cookie",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"set-cookie",
    b"www-authenticate",
    // response control data
    b"age",
    b"date",
    b"expires",
    b"location",
    b"retry-after",
    b"vary",
    // content format
    b"content-encoding",
    b"content-range",
    b"content-type",
];
