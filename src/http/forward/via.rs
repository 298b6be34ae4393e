//! Via (RFC 9110 §7.6.3).

use crate::bytes::scan;

/// How an intermediary is called: `received-by = pseudonym [ ":" port ]`, a token, as hosts are too but for IP literals, and
/// perhaps a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pseudonym<'p>(&'p str);

impl<'p> Pseudonym<'p> {
    /// That name, if it can be one.
    pub fn new(name: &'p str) -> Option<Self> {
        let (pseudonym, port) = name.as_bytes().split_at(scan::token_end(name.as_bytes()));
        let is_port = match port {
            [] => true,
            [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
            _ => false,
        };
        (!pseudonym.is_empty() && is_port).then_some(Self(name))
    }

    /// The name.
    pub const fn as_str(self) -> &'p str {
        self.0
    }
}

/// Whether one of the members of this line was added by `name`. A comment that does not end hides none of those behind it, or a
/// client could open one and let its request go round for ever.
///
/// ```abnf
/// Via               = #( received-protocol RWS received-by [ RWS comment ] )
/// received-protocol = [ protocol-name "/" ] protocol-version
/// received-by       = pseudonym [ ":" port ]
/// comment           = "(" *( ctext / quoted-pair / comment ) ")"
/// ```
pub(super) fn names(value: &[u8], name: Pseudonym<'_>) -> bool {
    let (mut depth, mut escaped) = (0_usize, false);
    let is_end = |&b: &u8| {
        match b {
            _ if escaped => {}
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        escaped = depth > 0 && b == b'\\' && !escaped;
        b == b',' && depth == 0
    };
    let is_ours = |member: &[u8]| {
        let mut words = member.split(|b| matches!(b, b' ' | b'\t')).filter(|word| !word.is_empty());
        words.nth(1).is_some_and(|received_by| received_by.eq_ignore_ascii_case(name.0.as_bytes()))
    };
    value.split(is_end).any(is_ours) || (depth > 0 && value.split(|&b| b == b',').any(is_ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_us_and_nobody_else() {
        let edge = Pseudonym::new("edge").unwrap();
        for loops in [
            "1.1 edge",
            "1.0 fred, 1.1 EDGE",
            "HTTP/1.1 edge (a comment)",
            ", 1.1\tedge\t,",
            r"1.1 a (x \) , y), 1.1 edge",
            "1.1 a ((x), (y)), 1.1 edge",
            "1.1 a (, 1.1 edge",
            r"1.1 a ((\, 1.1 edge, 1.1 b (c)",
        ] {
            assert!(names(loops.as_bytes(), edge), "{loops}");
        }
        for passes in [
            "",
            "edge",
            "1.1 edge:80",
            "1.1 edges",
            "1.1 a edge",
            "1.1 a (1.1 edge)",
            "1.1 a (x, 1.1 edge)",
            r"1.1 a (\), 1.1 edge)",
            r"1.1 a \(x, 1.1 edge )",
        ] {
            assert!(!names(passes.as_bytes(), edge), "{passes}");
        }
    }

    #[test]
    fn names_that_can_stand_there() {
        for good in ["edge", "p.example.net", "p.example.net:8080", "edge:"] {
            assert_eq!(Pseudonym::new(good).map(Pseudonym::as_str), Some(good));
        }
        for bad in ["", ":80", "a b", "a,b", "a:b", "a:8 ", "[::1]", "a\r\nb"] {
            assert_eq!(Pseudonym::new(bad), None);
        }
    }
}
