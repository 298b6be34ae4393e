//! Field sections (RFC 9110 §5, §6.5): headers and trailers, judged once, then read where they lie.

use core::fmt;

use super::list;
use crate::bytes::{Token, scan};

/// The fields of a message, in the order and the case they came in: a view over the received bytes.
///
/// There is no table behind it: each look-up is one forward scan, so a `Fields` costs two words and no time to make.
/// Code that wants several fields does best to walk [`iter`](Self::iter) once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fields<'b> {
    /// Any number of `name ":" OWS value OWS CRLF`, every line judged.
    lines: &'b [u8],
}

/// One field line (RFC 9110 §5).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Field<'b> {
    /// The name, in the sender's case; compare with [`Token::is`].
    pub name: Token<'b>,
    /// The value without the white space around it: HTAB, SP, VCHAR and obs-text (0x80 to 0xff) only.
    pub value: &'b [u8],
}

impl<'b> Fields<'b> {
    /// No fields.
    pub const EMPTY: Self = Self { lines: &[] };

    /// `lines` must be field lines already judged by this crate, without the empty line that ends a section.
    pub(crate) fn from_validated(lines: &'b [u8]) -> Self {
        debug_assert!(well_formed(lines), "a field section is judged before it is wrapped");
        Self { lines }
    }

    /// The lines as they came, each with its CRLF.
    pub(crate) const fn as_bytes(&self) -> &'b [u8] {
        self.lines
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// All fields, in order, each line by itself.
    #[inline]
    pub const fn iter(&self) -> FieldsIter<'b> {
        FieldsIter { lines: self.lines }
    }

    /// The value of the first line of that name, whose case does not matter.
    #[inline]
    pub fn first(&self, name: &str) -> Option<&'b [u8]> {
        let mut lines = self.lines;
        while !lines.is_empty() {
            let (line, rest) = split_line(lines);
            if let Some(value) = value_of(line, name) {
                return Some(value);
            }
            lines = rest;
        }
        None
    }

    /// The values of all lines of that name, whose case does not matter, in order.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &'b [u8]> {
        let mut lines = self.lines;
        core::iter::from_fn(move || {
            while !lines.is_empty() {
                let (line, rest) = split_line(lines);
                lines = rest;
                if let Some(value) = value_of(line, name) {
                    return Some(value);
                }
            }
            None
        })
    }

    /// Whether a line of that name is there.
    pub fn contains(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// Whether the list that all lines of that name make together (§5.3) has this element, without regard to case.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.all(name).flat_map(list::elements).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
    }
}

impl Default for Fields<'_> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<'b> IntoIterator for Fields<'b> {
    type Item = Field<'b>;
    type IntoIter = FieldsIter<'b>;

    fn into_iter(self) -> FieldsIter<'b> {
        self.iter()
    }
}

impl<'b> IntoIterator for &Fields<'b> {
    type Item = Field<'b>;
    type IntoIter = FieldsIter<'b>;

    fn into_iter(self) -> FieldsIter<'b> {
        self.iter()
    }
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}: {}\"", self.name, self.value.escape_ascii())
    }
}

/// Walks the lines of [`Fields`].
#[derive(Clone, Debug)]
pub struct FieldsIter<'b> {
    lines: &'b [u8],
}

impl<'b> Iterator for FieldsIter<'b> {
    type Item = Field<'b>;

    #[inline(always)]
    fn next(&mut self) -> Option<Field<'b>> {
        if self.lines.is_empty() {
            return None;
        }
        // Every judged line has a colon, so the first one is the first line's. Neither search waits for the other.
        let colon = scan::find(b':', self.lines);
        let (line, rest) = split_line(self.lines);
        self.lines = rest;
        let (name, value) = line.split_at_checked(colon)?;
        Some(Field { name: Token::from_validated(name), value: trim(value.get(1..)?) })
    }
}

impl core::iter::FusedIterator for FieldsIter<'_> {}

/// The first line without its CRLF, and what follows. No judged line has a CR inside.
#[inline]
fn split_line(lines: &[u8]) -> (&[u8], &[u8]) {
    let (line, rest) = lines.split_at(scan::find(b'\r', lines));
    (line, rest.get(2..).unwrap_or_default())
}

/// The value, if the line is of that name.
#[inline]
fn value_of<'b>(line: &'b [u8], name: &str) -> Option<&'b [u8]> {
    let (own, value) = line.split_at_checked(name.len())?;
    let [b':', value @ ..] = value else { return None };
    own.eq_ignore_ascii_case(name.as_bytes()).then(|| trim(value))
}

/// Whether `name` is `known`, which is in lower case, without regard to the case of letters.
///
/// With the length known beforehand this is a few loads and compares, many times faster than a loop over a slice.
#[inline(always)]
pub(crate) fn is_name<const N: usize>(name: &[u8], known: &[u8; N]) -> bool {
    let Ok(name) = <&[u8; N]>::try_from(name) else { return false };
    // The bit that tells the cases of a letter apart, where there is a letter.
    let fold = |known: u8| if known.is_ascii_lowercase() { 0x20 } else { 0 };
    name.iter().zip(known).fold(0, |wrong, (&b, &known)| wrong | ((b | fold(known)) ^ known)) == 0
}

/// Removes `OWS = *( SP / HTAB )` from both ends.
#[inline(always)]
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    // Nearly every value comes after one space.
    let value = value.strip_prefix(b" ").unwrap_or(value);
    match value {
        [first, .., last] if *first > b' ' && *last > b' ' => value,
        _ => trim_more(value),
    }
}

#[inline(never)]
fn trim_more(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

fn well_formed(mut lines: &[u8]) -> bool {
    while !lines.is_empty() {
        let (line, rest) = lines.split_at(lines.iter().position(|&b| b == b'\r').unwrap_or(lines.len()));
        let [b'\r', b'\n', rest @ ..] = rest else { return false };
        let Some(colon) = line.iter().position(|&b| b == b':') else { return false };
        if colon == 0 || scan::token_end(line) != colon || scan::field_end(line) != line.len() {
            return false;
        }
        lines = rest;
    }
    true
}

#[cfg(test)]
mod tests {
    use std::{format, string::String, vec::Vec};

    use proptest::prelude::*;

    use super::*;

    const SECTION: &[u8] = b"Host: a.example\r\nconnection:keep-alive\r\nX-Empty:\r\nX-Blank: \t \r\n\
        Connection: \tUpgrade, ,x \t\r\nX: a:b\r\n";

    #[test]
    fn walks_in_order_and_keeps_case() {
        let fields = Fields::from_validated(SECTION);
        let seen: Vec<_> = fields.iter().map(|f| (f.name.as_str(), f.value)).collect();
        let expected: [(&str, &[u8]); 6] = [
            ("Host", b"a.example"),
            ("connection", b"keep-alive"),
            ("X-Empty", b""),
            ("X-Blank", b""),
            ("Connection", b"Upgrade, ,x"),
            ("X", b"a:b"),
        ];
        assert_eq!(seen, expected);
        assert_eq!(format!("{:?}", Fields::from_validated(b"A: b\xff\r\n")), r#"["A: b\xff"]"#);
    }

    #[test]
    fn looks_up_without_regard_to_case() {
        let fields = Fields::from_validated(SECTION);
        assert_eq!(fields.first("HOST"), Some(&b"a.example"[..]));
        assert_eq!(fields.first("Connection"), Some(&b"keep-alive"[..]));
        assert_eq!(fields.all("Connection").count(), 2);
        assert_eq!(fields.first("x-empty"), Some(&b""[..]));
        assert!(fields.contains("x") && !fields.contains("x-") && !fields.contains("Hos") && !fields.contains("a"));
        assert!(!fields.contains(""));
    }

    #[test]
    fn a_list_spans_lines() {
        let fields = Fields::from_validated(SECTION);
        assert!(fields.has_token("connection", "upgrade"));
        assert!(fields.has_token("connection", "Keep-Alive"));
        assert!(!fields.has_token("connection", "keep"));
        assert!(!fields.has_token("connection", ""));
    }

    #[test]
    fn nothing() {
        assert!(Fields::EMPTY.is_empty() && Fields::default().iter().next().is_none());
        assert_eq!(Fields::EMPTY.first("a"), None);
    }

    proptest! {
        /// The fast comparison against the standard library's.
        #[test]
        fn names_compare_as_the_naive_way(name in proptest::collection::vec(any::<u8>(), 17), at in 0..17_usize, b in any::<u8>()) {
            const KNOWN: &[u8; 17] = b"sec-websocket-key";
            prop_assert_eq!(is_name(&name, KNOWN), name.eq_ignore_ascii_case(KNOWN));
            let mut near = KNOWN.to_ascii_uppercase();
            near[at] = b;
            prop_assert_eq!(is_name(&near, KNOWN), near.eq_ignore_ascii_case(KNOWN));
            prop_assert!(!is_name(&near[..at], KNOWN));
        }

        /// What was put in is what comes out, by iteration and by look-up.
        #[test]
        fn agrees_with_a_plain_list(
            lines in proptest::collection::vec(("[a-cA-C-]{1,3}", "[ \t]{0,2}", "([!-~]([ -~]{0,20}[!-~])?)?", "[ \t]{0,2}"), 0..8),
            wanted in "[a-cA-C-]{1,3}",
        ) {
            let section: String = lines.iter().map(|(n, a, v, b)| format!("{n}:{a}{v}{b}\r\n")).collect();
            let fields = Fields::from_validated(section.as_bytes());
            let seen: Vec<_> = fields.iter().map(|f| (f.name.as_bytes(), f.value)).collect();
            let plain: Vec<_> = lines.iter().map(|(n, _, v, _)| (n.as_bytes(), v.as_bytes())).collect();
            prop_assert_eq!(&seen, &plain);
            let matching: Vec<_> =
                plain.iter().filter(|(n, _)| n.eq_ignore_ascii_case(wanted.as_bytes())).map(|(_, v)| *v).collect();
            prop_assert_eq!(fields.first(&wanted), matching.first().copied());
            prop_assert_eq!(fields.all(&wanted).collect::<Vec<_>>(), matching);
        }
    }
}
