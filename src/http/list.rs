//! Lists and parameters in field values (RFC 9110 §5.6).

use core::{error, fmt};

use super::fields::trim;
use crate::bytes::{Token, looked_at, scan, table};

/// The elements of a list, without the white space around each; empty ones are skipped.
///
/// ```abnf
/// #element => [ element ] *( OWS "," OWS [ element ] )       ; RFC 9110 §5.6.1.2
/// ```
/// A comma inside a quoted string separates nothing; a quoted string that does not end takes the rest of the value.
pub const fn elements(value: &[u8]) -> Elements<'_> {
    Elements { parts: Parts { rest: Some(value), by: b',' } }
}

/// The options in a `Connection` value (RFC 9110 §7.6.1). They are tokens, so a quote begins no string that could hide one.
pub(crate) fn connection_options(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&b| b == b',').map(trim).filter(|option| !option.is_empty())
}

/// An element's parameters: what stands before the first semicolon (often the whole of it), and the parameters behind.
///
/// ```abnf
/// parameters      = *( OWS ";" OWS [ parameter ] )           ; RFC 9110 §5.6.6
/// parameter       = parameter-name [ "=" parameter-value ]
/// parameter-name  = token
/// parameter-value = ( token / quoted-string )
/// ```
/// That a parameter may have no value is the wider grammar of RFC 6455 §9.1 and RFC 9110 §10.1.4.
pub fn parameters(element: &[u8]) -> (&[u8], Parameters<'_>) {
    let mut parts = Parts { rest: Some(element), by: b';' };
    let head = parts.next().unwrap_or_default();
    (head, Parameters { parts, empty_allowed: true })
}

/// Walks the elements of a list; see [`elements`].
#[derive(Clone, Debug)]
pub struct Elements<'b> {
    parts: Parts<'b>,
}

impl<'b> Iterator for Elements<'b> {
    type Item = &'b [u8];

    #[inline]
    fn next(&mut self) -> Option<&'b [u8]> {
        self.parts.find(|element| !element.is_empty())
    }
}

/// Walks the parameters of an element; see [`parameters`]. After an error it goes on with the next parameter.
#[derive(Clone, Debug)]
pub struct Parameters<'b> {
    parts: Parts<'b>,
    empty_allowed: bool,
}

impl Parameters<'_> {
    /// Refuses an empty parameter (`a;;b`, `a;`), which RFC 9110 allows and RFC 6455 §9.1 does not.
    #[must_use]
    pub const fn without_empty(self) -> Self {
        Self { empty_allowed: false, ..self }
    }
}

impl<'b> Iterator for Parameters<'b> {
    type Item = Result<Parameter<'b>, BadParameter>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let part = self.parts.next()?;
            if !part.is_empty() || !self.empty_allowed {
                return Some(parameter(part));
            }
        }
    }
}

/// A parameter: `name`, `name=token` or `name="quoted string"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'b> {
    /// The name; whether its case matters is for the field to say.
    pub name: Token<'b>,
    /// What follows the equals sign.
    pub value: Option<Value<'b>>,
}

/// The value of a parameter. A quoted string that could be a token means what that token means (RFC 9110 §5.6.6).
#[derive(Clone, Copy, Debug)]
pub struct Value<'b> {
    raw: &'b [u8],
    quoted: bool,
}

impl<'b> Value<'b> {
    /// The bytes it stands for, quotes and backslashes undone.
    pub fn bytes(self) -> impl Iterator<Item = u8> + 'b {
        let mut escaped = false;
        self.raw.iter().copied().filter(move |&b| {
            escaped = b == b'\\' && !escaped;
            !escaped
        })
    }

    /// The bytes between the quotes (or the token) as they stand; what they mean unless there is a backslash.
    pub const fn raw(self) -> &'b [u8] {
        self.raw
    }

    /// Whether it was sent as a quoted string.
    pub const fn is_quoted(self) -> bool {
        self.quoted
    }

    /// Whether it stands for exactly these bytes.
    pub fn is(self, bytes: &[u8]) -> bool {
        self.bytes().eq(bytes.iter().copied())
    }
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl Eq for Value<'_> {}

/// Why a parameter is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BadParameter {
    /// The name is empty or no token.
    Name,
    /// The value is neither a token nor a quoted string.
    Value,
}

impl fmt::Display for BadParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "the name of a parameter is not a token",
            Self::Value => "the value of a parameter is neither a token nor a quoted string",
        })
    }
}

impl error::Error for BadParameter {}

/// `bytes` as a token, if it is one.
pub fn token(bytes: &[u8]) -> Option<Token<'_>> {
    (!bytes.is_empty() && scan::token_end(bytes) == bytes.len()).then(|| Token::from_validated(bytes))
}

fn parameter(part: &[u8]) -> Result<Parameter<'_>, BadParameter> {
    looked_at(part.len());
    let (name, rest) = part.split_at(scan::find(b'=', part));
    let name = token(name).ok_or(BadParameter::Name)?;
    let value = match rest {
        [] => None,
        [_, value @ ..] => Some(parameter_value(value).ok_or(BadParameter::Value)?),
    };
    Ok(Parameter { name, value })
}

/// ```abnf
/// quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE    ; RFC 9110 §5.6.4
/// qdtext        = HTAB / SP / %x21 / %x23-5B / %x5D-7E / obs-text
/// quoted-pair   = "\" ( HTAB / SP / VCHAR / obs-text )
/// ```
fn parameter_value(value: &[u8]) -> Option<Value<'_>> {
    let [b'"', raw @ .., b'"'] = value else {
        return token(value).map(|token| Value { raw: token.as_bytes(), quoted: false });
    };
    let mut escaped = false;
    for &b in raw {
        if !table::is_field_byte(b) || (b == b'"' && !escaped) {
            return None;
        }
        escaped = b == b'\\' && !escaped;
    }
    (!escaped).then_some(Value { raw, quoted: true })
}

/// Cuts at each separator that is not in a quoted string; white space around a part does not belong to it.
#[derive(Clone, Debug)]
struct Parts<'b> {
    rest: Option<&'b [u8]>,
    by: u8,
}

impl<'b> Iterator for Parts<'b> {
    type Item = &'b [u8];

    #[inline]
    fn next(&mut self) -> Option<&'b [u8]> {
        let rest = self.rest?;
        let (part, behind) = rest.split_at(part_end(rest, self.by));
        looked_at(part.len() + 1);
        self.rest = behind.get(1..);
        Some(trim(part))
    }
}

/// Where the first separator outside quotes stands.
#[inline]
fn part_end(bytes: &[u8], by: u8) -> usize {
    match bytes.iter().position(|&b| b == by || b == b'"') {
        Some(at) if bytes.get(at) == Some(&b'"') => quoted_part_end(bytes, by),
        Some(at) => at,
        None => bytes.len(),
    }
}

#[cold]
fn quoted_part_end(bytes: &[u8], by: u8) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    let end = bytes.iter().position(|&b| {
        if b == by && !quoted {
            return true;
        }
        if b == b'"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && b == b'\\' && !escaped;
        false
    });
    let end = end.unwrap_or(bytes.len());
    looked_at(end);
    end
}

#[cfg(test)]
mod tests {
    use std::{string::String, vec::Vec};

    use proptest::prelude::*;

    use super::*;

    fn split(value: &str) -> Vec<&str> {
        elements(value.as_bytes()).map(|e| core::str::from_utf8(e).unwrap()).collect()
    }

    #[test]
    fn empty_elements_are_skipped() {
        assert_eq!(split(""), [""; 0]);
        assert_eq!(split(" , ,\t"), [""; 0]);
        assert_eq!(split("foo , ,bar,charlie"), ["foo", "bar", "charlie"]);
        assert_eq!(split("\tkeep-alive\t,  Upgrade ,"), ["keep-alive", "Upgrade"]);
    }

    #[test]
    fn quotes_hide_separators() {
        assert_eq!(split(r#"a;b="1,2", c"#), [r#"a;b="1,2""#, "c"]);
        assert_eq!(split(r#"a="\",", b"#), [r#"a="\",""#, "b"]);
        assert_eq!(split(r#"a="\\", b"#), [r#"a="\\""#, "b"]);
        assert_eq!(split(r#"a="open, b"#), [r#"a="open, b"#]);
        assert_eq!(split(r#"a\", b, c""#), [r#"a\", b, c""#], "a backslash means something only inside quotes");
    }

    #[test]
    fn parameters_of_an_element() {
        let (name, params) = parameters(br#"permessage-deflate ; a ;b=10;	c="1\"\\;2" ;; "#);
        assert_eq!(name, b"permessage-deflate");
        let params: Vec<_> = params.map(Result::unwrap).collect();
        assert_eq!(params.len(), 3);
        assert!(params[0].name == "a" && params[0].value.is_none());
        let ten = params[1].value.unwrap();
        assert!(ten.is(b"10") && !ten.is(b"1") && !ten.is_quoted());
        let quoted = params[2].value.unwrap();
        assert_eq!(quoted.bytes().collect::<Vec<_>>(), br#"1"\;2"#);
        assert!(quoted.is_quoted());
        assert_eq!(parameter_value(b"\"10\""), Some(ten));
        assert_eq!(parameter_value(br#""""#).unwrap().raw(), b"");
    }

    #[test]
    fn bad_parameters() {
        for (element, error) in [
            ("x; =1", BadParameter::Name),
            ("x; a b", BadParameter::Name),
            ("x; a =1", BadParameter::Name),
            ("x; a=", BadParameter::Value),
            ("x; a= 1", BadParameter::Value),
            ("x; a=1 2", BadParameter::Value),
            ("x; a=\"1", BadParameter::Value),
            ("x; a=\"", BadParameter::Value),
            ("x; a=\"1\"2", BadParameter::Value),
            ("x; a=\"1\"\"2\"", BadParameter::Value),
            ("x; a=\"\\\"", BadParameter::Value),
            ("x; a=\"\x01\"", BadParameter::Value),
        ] {
            let errors: Vec<_> = parameters(element.as_bytes()).1.filter_map(Result::err).collect();
            assert_eq!(errors, [error], "{element}");
        }
        assert!(parameters(b"x;").1.next().is_none());
        assert_eq!(parameters(b"x;").1.without_empty().next(), Some(Err(BadParameter::Name)));
        assert!(parameters(b"x").1.without_empty().next().is_none());
    }

    proptest! {
        /// Any bytes: no element is empty, or has white space at its ends, or is made up.
        #[test]
        fn elements_of_anything(value in proptest::collection::vec(prop_oneof![
            Just(b','), Just(b'"'), Just(b'\\'), Just(b' '), Just(b'a'), any::<u8>()
        ], 0..40)) {
            let mut at = 0;
            for element in elements(&value) {
                prop_assert!(!element.is_empty() && trim(element) == element);
                let found = value[at..].windows(element.len()).position(|w| w == element);
                at += found.unwrap() + element.len();
            }
            for element in elements(&value) {
                let (_, params) = parameters(element);
                params.for_each(drop);
            }
        }

        #[test]
        fn agrees_with_a_reader_byte_by_byte(value in proptest::collection::vec(prop_oneof![
            3 => Just(b','), 3 => Just(b'"'), 2 => Just(b'\\'), 2 => Just(b' '), 1 => Just(b'\t'), 3 => Just(b'a'), 1 => any::<u8>()
        ], 0..40)) {
            let (mut parts, mut quoted, mut escaped) = (std::vec![Vec::new()], false, false);
            for &b in &value {
                if b == b',' && !quoted {
                    parts.push(Vec::new());
                    continue;
                }
                if quoted && escaped {
                    escaped = false;
                } else if b == b'"' {
                    quoted = !quoted;
                } else if b == b'\\' {
                    escaped = quoted;
                }
                parts.last_mut().unwrap().push(b);
            }
            let is_space = |b: &u8| *b == b' ' || *b == b'\t';
            let bare = parts.iter().map(|part| {
                let from = part.iter().position(|b| !is_space(b)).unwrap_or(part.len());
                let to = part.iter().rposition(|b| !is_space(b)).map_or(from, |last| last + 1);
                &part[from..to]
            });
            let twin: Vec<_> = bare.filter(|part| !part.is_empty()).collect();
            prop_assert_eq!(elements(&value).collect::<Vec<_>>(), twin);
        }

        /// What is quoted comes back.
        #[test]
        fn quoting_is_undone(plain in "[ -~]{0,20}") {
            let quoted: String = plain.chars().flat_map(|c| ['\\', c]).collect();
            let element = std::format!("x;a=\"{quoted}\"; b");
            let params: Vec<_> = parameters(element.as_bytes()).1.map(Result::unwrap).collect();
            prop_assert_eq!(params.len(), 2);
            prop_assert!(params[0].value.unwrap().is(plain.as_bytes()));
        }
    }
}
