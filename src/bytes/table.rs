//! Byte classes (RFC 9110 §5.5 and §5.6.2, RFC 3986 §2 and §3): one table, one bit a class.
//!
//! The percent sign is in none of the URI classes: two HEXDIG must follow it, which a class cannot say.

/// `tchar`: a byte of a token.
pub(crate) const fn is_tchar(b: u8) -> bool {
    is(TCHAR, b)
}

/// A byte of a field value: HTAB, SP, VCHAR, obs-text.
pub(crate) const fn is_field_byte(b: u8) -> bool {
    is(FIELD, b)
}

/// `reg-name = *( unreserved / pct-encoded / sub-delims )`, but for pct-encoded.
pub(crate) const fn is_reg_name(b: u8) -> bool {
    is(UNRESERVED | SUB_DELIM, b)
}

/// `userinfo = *( unreserved / pct-encoded / sub-delims / ":" )`, but for pct-encoded.
pub(crate) const fn is_userinfo(b: u8) -> bool {
    is(UNRESERVED | SUB_DELIM | COLON, b)
}

/// `query = *( pchar / "/" / "?" )`, but for pct-encoded. Also a byte of `*( "/" segment ) [ "?" query ]` as a whole.
pub(crate) const fn is_query(b: u8) -> bool {
    is(UNRESERVED | SUB_DELIM | COLON | AT | SLASH_QUESTION, b)
}

/// `HEXDIG`, either case.
pub(crate) const fn is_hex_digit(b: u8) -> bool {
    is(HEXDIG, b)
}

const fn is(classes: u8, b: u8) -> bool {
    CLASSES[b as usize] & classes != 0
}

const TCHAR: u8 = 1;
const FIELD: u8 = 1 << 1;
const UNRESERVED: u8 = 1 << 2;
const SUB_DELIM: u8 = 1 << 3;
const COLON: u8 = 1 << 4;
const AT: u8 = 1 << 5;
const SLASH_QUESTION: u8 = 1 << 6;
const HEXDIG: u8 = 1 << 7;

static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut b = 0_u8;
    loop {
        let mut class = match b {
            b'!' | b'$' | b'&' | b'\'' | b'*' | b'+' => SUB_DELIM | TCHAR,
            b'(' | b')' | b',' | b';' | b'=' => SUB_DELIM,
            b'-' | b'.' | b'_' | b'~' => UNRESERVED | TCHAR,
            b'#' | b'%' | b'^' | b'`' | b'|' => TCHAR,
            b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' => UNRESERVED | TCHAR | HEXDIG,
            b'g'..=b'z' | b'G'..=b'Z' => UNRESERVED | TCHAR,
            b':' => COLON,
            b'@' => AT,
            b'/' | b'?' => SLASH_QUESTION,
            _ => 0,
        };
        if b == b'\t' || (b >= b' ' && b != 0x7f) {
            class |= FIELD;
        }
        classes[b as usize] = class;
        if b == u8::MAX {
            break classes;
        }
        b += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_in_the_classes_the_grammar_says() {
        for b in 0..=u8::MAX {
            let alnum = b.is_ascii_alphanumeric();
            let unreserved = alnum || b"-._~".contains(&b);
            let sub_delim = b"!$&'()*+,;=".contains(&b);
            assert_eq!(is_tchar(b), alnum || b"!#$%&'*+-.^_`|~".contains(&b), "{b:#x}");
            assert_eq!(is_field_byte(b), b == b'\t' || b == b' ' || b.is_ascii_graphic() || b >= 0x80, "{b:#x}");
            assert_eq!(is_reg_name(b), unreserved || sub_delim, "{b:#x}");
            assert_eq!(is_userinfo(b), unreserved || sub_delim || b == b':', "{b:#x}");
            assert_eq!(is_query(b), unreserved || sub_delim || b":@/?".contains(&b), "{b:#x}");
            assert_eq!(is_hex_digit(b), b.is_ascii_hexdigit(), "{b:#x}");
        }
    }
}
