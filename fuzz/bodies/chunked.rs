//! `http1::chunked::Decoder` against a recursive reading of its grammar.

use hopwire::http1::chunked::{Decoder, Piece};
use hopwire::http1::{HeadLimits, Violation};
use hopwire::io::Rx;

use super::{feeds, field_line, is_token};

/// All that came out.
#[derive(Debug, PartialEq)]
struct Told {
    body: Vec<u8>,
    trailers: Vec<(Vec<u8>, Vec<u8>)>,
    /// How many bytes the whole body took.
    end: Option<usize>,
    violation: Option<Violation>,
}

pub fn run(data: &[u8]) {
    let whole = decode(&[data]);
    for pieces in feeds(data) {
        assert_eq!(decode(&pieces), whole, "{}", data.escape_ascii());
    }
    agree(&whole, data);
}

fn decode(pieces: &[&[u8]]) -> Told {
    let mut decoder = Decoder::new(u64::MAX, u32::MAX);
    let limits = HeadLimits::default();
    let mut told = Told { body: Vec::new(), trailers: Vec::new(), end: None, violation: None };
    let (mut inbox, mut consumed) = (Vec::new(), 0);
    for piece in pieces {
        inbox.extend_from_slice(piece);
        let mut rx = Rx::new(&mut inbox);
        let mut polls = 0;
        while told.end.is_none() && told.violation.is_none() {
            polls += 1;
            assert!(polls <= rx.consumed() + 3, "events without input");
            match decoder.poll(&mut rx, &limits) {
                Ok(Some(Piece::Data(data))) => {
                    assert!(!data.is_empty() && told.trailers.is_empty());
                    told.body.extend_from_slice(data);
                }
                Ok(Some(Piece::Trailers(fields))) => {
                    assert!(told.trailers.is_empty());
                    told.trailers = fields.iter().map(|it| (it.name.as_bytes().to_vec(), it.value.to_vec())).collect();
                }
                Ok(Some(Piece::End)) => told.end = Some(consumed + rx.consumed()),
                Ok(Some(_)) => panic!("a piece of a new kind"),
                Ok(None) => break,
                Err(violation) => told.violation = Some(violation),
            }
        }
        let used = rx.consumed();
        consumed += used;
        inbox.drain(..used);
    }
    if let Some(violation) = told.violation {
        let again = decoder.poll(&mut Rx::new(&mut b"0\r\n\r\n".to_vec()), &limits).err();
        assert_eq!(again, Some(violation), "a failure stays");
    }
    told
}

fn agree(told: &Told, data: &[u8]) {
    let mut twin = Twin { data, at: 0, body: Vec::new(), trailers: Vec::new() };
    let outcome = twin.body();
    let text = || format!("{told:?} {outcome:?} {}", data.escape_ascii());
    match (outcome, told.violation) {
        // Limits are not the twin's: they need more input than a short seed has.
        (_, Some(Violation::Limit(_))) => assert!(data.len() > 64 || outcome != Ok(()), "{}", text()),
        (Ok(()), violation) => {
            assert_eq!((violation, told.end), (None, Some(twin.at)), "{}", text());
            assert_eq!(told.body, twin.body, "{}", text());
            let is_told = |field: &(Vec<u8>, Vec<u8>)| told.trailers.contains(field);
            let allowed = twin.trailers.iter().filter(|field| is_told(field)).count();
            assert_eq!(allowed, told.trailers.len(), "{}", text());
            assert!(twin.trailers.iter().filter(|(name, _)| name.starts_with(b"x")).all(is_told), "{}", text());
        }
        (Err(Stop::Bad), violation) => assert!(violation.is_some(), "{}", text()),
        (Err(Stop::Need), violation) => assert_eq!((violation, told.end), (None, None), "{}", text()),
        (Err(Stop::Unsure), _) => assert_eq!(told.end, None, "{}", text()),
    }
}

/// Why there is no whole body.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stop {
    Bad,
    /// All that is there is right.
    Need,
    /// The rest of a trailer line is missing: nobody has to judge half a line.
    Unsure,
}

struct Twin<'a> {
    data: &'a [u8],
    at: usize,
    body: Vec<u8>,
    trailers: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Twin<'_> {
    /// `chunked-body = *chunk last-chunk trailer-section CRLF`
    fn body(&mut self) -> Result<(), Stop> {
        loop {
            let size = self.size()?;
            self.extensions()?;
            self.crlf()?;
            if size == 0 {
                return self.trailer_section();
            }
            for _ in 0..size {
                let byte = self.byte()?;
                self.body.push(byte);
            }
            self.crlf()?;
        }
    }

    /// `chunk-size = 1*HEXDIG`, of 64 bits
    fn size(&mut self) -> Result<u64, Stop> {
        let digits = self.data[self.at..].iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let text = str::from_utf8(&self.data[self.at..self.at + digits]).expect("HEXDIG");
        let size = u64::from_str_radix(text, 16).map_err(|_| Stop::Bad);
        self.at += digits;
        // More digits make too large a number no better.
        if digits == 0 || size.is_ok() {
            self.peek()?;
        }
        size
    }

    /// `chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )`
    fn extensions(&mut self) -> Result<(), Stop> {
        loop {
            let space = self.bws()?;
            if self.peek()? != b';' {
                return if space { Err(Stop::Bad) } else { Ok(()) };
            }
            self.byte()?;
            self.bws()?;
            self.token()?;
            let before = self.at;
            self.bws()?;
            if self.peek()? != b'=' {
                self.at = before;
                continue;
            }
            self.byte()?;
            self.bws()?;
            if self.peek()? != b'"' {
                self.token()?;
                continue;
            }
            self.byte()?;
            loop {
                match self.byte()? {
                    b'"' => break,
                    b'\\' if matches!(self.peek()?, b'\t' | b' '..=b'~' | 0x80..) => self.at += 1,
                    b'\t' | b' ' | b'!' | b'#'..=b'[' | b']'..=b'~' | 0x80.. => {}
                    _ => return Err(Stop::Bad),
                }
            }
        }
    }

    fn trailer_section(&mut self) -> Result<(), Stop> {
        loop {
            let rest = &self.data[self.at..];
            let Some(end) = rest.windows(2).position(|two| two == b"\r\n") else {
                let fits = rest.is_empty() || rest == b"\r";
                return Err(if fits { Stop::Need } else { Stop::Unsure });
            };
            let line = &rest[..end];
            self.at += end + 2;
            if line.is_empty() {
                return Ok(());
            }
            let (name, value) = field_line(line).ok_or(Stop::Bad)?;
            self.trailers.push((name.to_vec(), value.to_vec()));
        }
    }

    fn token(&mut self) -> Result<(), Stop> {
        let start = self.at;
        while is_token(&[self.peek()?]) {
            self.at += 1;
        }
        if self.at == start { Err(Stop::Bad) } else { Ok(()) }
    }

    fn bws(&mut self) -> Result<bool, Stop> {
        let start = self.at;
        while matches!(self.peek()?, b' ' | b'\t') {
            self.at += 1;
        }
        Ok(self.at > start)
    }

    fn crlf(&mut self) -> Result<(), Stop> {
        for expected in *b"\r\n" {
            if self.byte()? != expected {
                return Err(Stop::Bad);
            }
        }
        Ok(())
    }

    fn peek(&self) -> Result<u8, Stop> {
        self.data.get(self.at).copied().ok_or(Stop::Need)
    }

    fn byte(&mut self) -> Result<u8, Stop> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }
}
