//! Request targets and authorities (RFC 9112 §3.2, RFC 9110 §4 and §7.2, RFC 3986 §3).

use super::violation::{Malformed, Violation};
use crate::bytes::{lanes, num, scan, table};
use crate::http::Method;

/// What a request is about, in one of four forms (RFC 9112 §3.2). Visible ASCII only; percent-encoding is checked and left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'b> {
    /// `origin-form = absolute-path [ "?" query ]`: the usual form.
    Origin(&'b [u8]),
    /// `absolute-form = absolute-URI`: of a request to a proxy, and to be understood by every server (§3.2.2).
    Absolute(Uri<'b>),
    /// `authority-form = uri-host ":" port`: of CONNECT alone.
    Authority(Authority<'b>),
    /// `asterisk-form = "*"`: of OPTIONS alone, the server as a whole.
    Asterisk,
}

/// A URI with an authority and without a fragment: `scheme "://" authority path-abempty [ "?" query ]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uri<'b> {
    bytes: &'b [u8],
    scheme: usize,
    authority: Authority<'b>,
}

/// A host and perhaps a port: `uri-host [ ":" port ]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority<'b> {
    bytes: &'b [u8],
    host: usize,
    port: Option<u16>,
}

impl<'b> Target<'b> {
    /// The target as it stands in the request line.
    pub const fn as_bytes(&self) -> &'b [u8] {
        match self {
            Self::Origin(path_and_query) => path_and_query,
            Self::Absolute(uri) => uri.bytes,
            Self::Authority(authority) => authority.bytes,
            Self::Asterisk => b"*",
        }
    }

    /// The path: never empty in origin-form, empty where a URI ends with its authority, and in the forms without one.
    pub fn path(&self) -> &'b [u8] {
        let (path, _) = split_query(self.path_and_query());
        path
    }

    /// What follows the first question mark.
    pub fn query(&self) -> Option<&'b [u8]> {
        let (_, query) = split_query(self.path_and_query());
        query
    }

    /// The authority, in the two forms that have one.
    pub const fn authority(&self) -> Option<Authority<'b>> {
        match self {
            Self::Absolute(uri) => Some(uri.authority),
            Self::Authority(authority) => Some(*authority),
            Self::Origin(_) | Self::Asterisk => None,
        }
    }

    /// The scheme, in absolute-form.
    pub fn scheme(&self) -> Option<&'b [u8]> {
        match self {
            Self::Absolute(uri) => uri.bytes.get(..uri.scheme),
            _ => None,
        }
    }

    fn path_and_query(&self) -> &'b [u8] {
        match self {
            Self::Origin(path_and_query) => path_and_query,
            Self::Absolute(uri) => uri.path_and_query(),
            Self::Authority(_) | Self::Asterisk => &[],
        }
    }

    /// Judges a target that came: its form against the method (RFC 9112 §3.2), and its bytes.
    pub(crate) fn parse(method: Method<'_>, bytes: &'b [u8]) -> Result<Self, Violation> {
        Self::judge(method, bytes, is_received_path_and_query).ok_or(Violation::Malformed(Malformed::Target))
    }

    /// Judges a target that is to be sent: nothing but what RFC 3986 allows.
    pub(crate) fn to_send(method: Method<'_>, bytes: &'b [u8]) -> Option<Self> {
        Self::judge(method, bytes, is_path_and_query)
    }

    #[inline]
    fn judge(method: Method<'_>, bytes: &'b [u8], is_allowed: fn(&[u8]) -> bool) -> Option<Self> {
        match (method, bytes) {
            // "only used for CONNECT requests" (§3.2.3), and the only one they have.
            // "A server MUST reject a CONNECT request that targets an empty or invalid port number" (RFC 9110 §9.3.6), and
            // 0 is reserved (RFC 6335 §6): nobody listens there.
            (Method::Connect, _) => {
                Authority::parse(bytes).filter(|a| a.port.is_some_and(|n| n > 0)).map(Self::Authority)
            }
            // "only used for a server-wide OPTIONS request" (§3.2.4)
            (Method::Options, b"*") => Some(Self::Asterisk),
            (_, [b'/', ..]) => is_allowed(bytes).then_some(Self::Origin(bytes)),
            _ => Uri::parse(bytes).filter(|uri| is_allowed(uri.path_and_query())).map(Self::Absolute),
        }
    }

    /// Takes apart what [`parse`](Self::parse) has judged before.
    #[inline]
    pub(crate) fn from_judged(method: Method<'_>, bytes: &'b [u8]) -> Self {
        match bytes {
            [b'/', ..] => Self::Origin(bytes),
            _ => Self::parse(method, bytes).unwrap_or(Self::Asterisk),
        }
    }
}

impl<'b> Uri<'b> {
    /// ```abnf
    /// absolute-URI = scheme ":" "//" authority path-abempty [ "?" query ]   ; RFC 3986 §4.3, with an authority
    /// scheme       = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )
    /// ```
    /// A userinfo is refused: "should treat its presence as an error" (RFC 9110 §4.2.4). So is a URI without authority.
    fn parse(bytes: &'b [u8]) -> Option<Self> {
        let in_scheme = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
        let scheme = bytes.iter().position(|b| !in_scheme(b))?;
        let rest = bytes.get(scheme..)?.strip_prefix(b"://")?;
        let end = rest.iter().position(|b| matches!(b, b'/' | b'?')).unwrap_or(rest.len());
        let authority = Authority::parse(rest.get(..end)?)?;
        bytes.first()?.is_ascii_alphabetic().then_some(Self { bytes, scheme, authority })
    }

    pub(super) fn path_and_query(&self) -> &'b [u8] {
        self.bytes.get(self.scheme + 3 + self.authority.bytes.len()..).unwrap_or_default()
    }
}

impl<'b> Authority<'b> {
    /// The authority as it stands in the message.
    pub const fn as_bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// The host, with its brackets if it is an IP literal; never empty.
    pub fn host(&self) -> &'b [u8] {
        self.bytes.get(..self.host).unwrap_or_default()
    }

    /// The port, if one is named (`a:` names none).
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether [`parse`](Self::parse) takes what lies there in `view`; fast for plain names and ports.
    #[inline(always)]
    pub(crate) fn is_valid(view: &[u8], from: usize, to: usize) -> bool {
        let value = view.get(from..to).unwrap_or_default();
        let host = lanes::first(view, from, is_odd_in_host);
        match value.get(host..) {
            Some([]) => host > 0,
            // Less than five digits are a port.
            Some([b':', port @ ..]) if host > 0 && port.len() < 5 && port.iter().all(u8::is_ascii_digit) => true,
            _ => Self::is_valid_at_all(value),
        }
    }

    #[cold]
    fn is_valid_at_all(value: &[u8]) -> bool {
        Authority::parse(value).is_some()
    }

    /// ```abnf
    /// authority  = uri-host [ ":" port ]                        ; RFC 9110 §4.2, §7.2
    /// uri-host   = IP-literal / IPv4address / reg-name          ; RFC 3986 §3.2.2, an IPv4address is a reg-name too
    /// IP-literal = "[" ( IPv6address / IPvFuture  ) "]"
    /// reg-name   = *( unreserved / pct-encoded / sub-delims )
    /// port       = *DIGIT
    /// ```
    /// An empty host is refused: "http" and "https" URIs must have one (RFC 9110 §4.2.1).
    /// So is a port that is none (above 65535).
    pub(crate) fn parse(bytes: &'b [u8]) -> Option<Self> {
        let host = match bytes {
            [b'[', inside @ ..] => {
                let end = inside.iter().position(|&b| b == b']')?;
                is_ip_literal(inside.get(..end)?).then_some(end + 2)?
            }
            _ => {
                let end = bytes.iter().position(|&b| b == b':').unwrap_or(bytes.len());
                is_encoded(bytes.get(..end)?, table::is_reg_name).then_some(end)?
            }
        };
        let port = match bytes.get(host..)? {
            [] | [b':'] => None,
            [b':', digits @ ..] => Some(u16::try_from(num::decimal(digits)?).ok()?),
            _ => return None,
        };
        (host > 0).then_some(Self { bytes, host, port })
    }
}

fn split_query(path_and_query: &[u8]) -> (&[u8], Option<&[u8]>) {
    let (path, query) = path_and_query.split_at(scan::find(b'?', path_and_query));
    (path, query.get(1..))
}

/// ```abnf
/// absolute-path = 1*( "/" segment )                             ; RFC 9110 §4.1, empty here as well
/// query         = *( pchar / "/" / "?" )
/// ```
pub(crate) fn is_path_and_query(bytes: &[u8]) -> bool {
    is_encoded(bytes, table::is_query)
}

/// As [`is_path_and_query`], and in the query as well what browsers send as it is typed: ``[ ] { } | ^ \ ` `` (the query
/// percent-encode set of the WHATWG URL Standard leaves them out). No recipient takes them for anything else there.
fn is_received_path_and_query(bytes: &[u8]) -> bool {
    let is_raw = |b| matches!(b, b'[' | b']' | b'{' | b'}' | b'|' | b'^' | b'\\' | b'`');
    let (path, query) = split_query(bytes);
    is_path_and_query(path) && query.is_none_or(|query| is_encoded(query, |b| table::is_query(b) || is_raw(b)))
}

/// Whether all of `view` between these is surely a part of a path or of a query; fast where escapes are few.
#[inline(always)]
pub(super) fn is_plain(view: &[u8], from: usize, to: usize) -> bool {
    let mut at = from;
    loop {
        at += lanes::first(view, at, is_odd);
        if at == to {
            return true;
        }
        match view.get(at..to) {
            Some([b'%', a, b, ..]) if table::is_hex_digit(*a) && table::is_hex_digit(*b) => at += 3,
            _ => return false,
        }
    }
}

/// Whether a byte is none of those that most of a path and a query are of: ALPHA, DIGIT and ``&'()*+,-./:;=?_``.
#[inline(always)]
const fn is_odd(b: u8) -> bool {
    // "=" and "?" are one bit apart.
    lanes::is_out(b | 0x20, b'a', b'z') & lanes::is_out(b, b'&', b';') & ((b | 2) != b'?') & (b != b'_')
}

/// Whether a byte is none of ALPHA, DIGIT, "-" and ".", which most hosts are of.
#[inline(always)]
const fn is_odd_in_host(b: u8) -> bool {
    lanes::is_out(b | 0x20, b'a', b'z') & lanes::is_out(b, b'-', b'9') | (b == b'/')
}

/// `*( in_class / pct-encoded )` with `pct-encoded = "%" HEXDIG HEXDIG`
fn is_encoded(mut bytes: &[u8], in_class: impl Fn(u8) -> bool) -> bool {
    while let Some(at) = bytes.iter().position(|&b| !in_class(b)) {
        bytes = match bytes.get(at..) {
            Some([b'%', a, b, rest @ ..]) if table::is_hex_digit(*a) && table::is_hex_digit(*b) => rest,
            _ => return false,
        };
    }
    true
}

/// `IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )`, or an IPv6address.
fn is_ip_literal(inside: &[u8]) -> bool {
    let [b'v' | b'V', future @ ..] = inside else { return is_ipv6(inside) };
    let Some(dot) = future.iter().position(|&b| b == b'.') else { return false };
    let (version, [_, address @ ..]) = future.split_at(dot) else { return false };
    !version.is_empty()
        && version.iter().all(|&b| table::is_hex_digit(b))
        && !address.is_empty()
        && address.iter().all(|&b| table::is_userinfo(b))
}

/// ```abnf
/// IPv6address = 7( h16 ":" ) h16, where one "::" can stand for one or more of the eight `h16 ":"`,
///               and an IPv4address for the last two h16
/// h16         = 1*4HEXDIG
/// ```
/// A zone identifier is refused: it means nothing outside its sender.
fn is_ipv6(mut rest: &[u8]) -> bool {
    let (mut groups, mut gap) = (0, false);
    if let [b':', b':', after @ ..] = rest {
        (rest, gap) = (after, true);
        if rest.is_empty() {
            return true;
        }
    }
    loop {
        let digits = rest.iter().take_while(|&&b| table::is_hex_digit(b)).count();
        let (_, after) = rest.split_at(digits);
        if after.first() == Some(&b'.') {
            return is_ipv4(rest) && is_full(groups + 2, gap);
        }
        groups += 1;
        if !(1..=4).contains(&digits) {
            return false;
        }
        rest = match after {
            [] => return is_full(groups, gap),
            [b':', b':'] if !gap => return is_full(groups, true),
            [b':', b':', after @ ..] if !gap => {
                gap = true;
                after
            }
            [b':', after @ ..] => after,
            _ => return false,
        };
    }
}

const fn is_full(groups: usize, gap: bool) -> bool {
    if gap { groups <= 7 } else { groups == 8 }
}

/// ```abnf
/// IPv4address = dec-octet "." dec-octet "." dec-octet "." dec-octet
/// dec-octet   = 0 to 255 without leading zeros
/// ```
fn is_ipv4(bytes: &[u8]) -> bool {
    let is_octet = |digits: &[u8]| {
        digits.len() <= 3
            && (digits.len() == 1 || digits.first() != Some(&b'0'))
            && num::decimal(digits).is_some_and(|n| n <= 255)
    };
    bytes.split(|&b| b == b'.').count() == 4 && bytes.split(|&b| b == b'.').all(is_octet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Token;

    fn method(name: &str) -> Method<'_> {
        Method::from_token(Token::from_validated(name.as_bytes()))
    }

    #[test]
    fn takes_a_target_apart() {
        let parse = |name, bytes| Target::parse(method(name), bytes).unwrap();
        let origin = parse("GET", b"/a/b?c?d");
        assert_eq!((origin.path(), origin.query()), (&b"/a/b"[..], Some(&b"c?d"[..])));
        assert_eq!(parse("GET", b"//a").path(), b"//a");
        assert_eq!(parse("GET", b"/?").query(), Some(&b""[..]));
        let absolute = parse("GET", b"http://a.example:8001?q");
        assert_eq!((absolute.path(), absolute.query()), (&b""[..], Some(&b"q"[..])));
        assert_eq!(absolute.scheme(), Some(&b"http"[..]));
        let authority = absolute.authority().unwrap();
        assert_eq!((authority.host(), authority.port()), (&b"a.example"[..], Some(8001)));
        let tunnel = parse("CONNECT", b"[::1]:443");
        assert_eq!(tunnel.authority().map(|a| (a.host(), a.port())), Some((&b"[::1]"[..], Some(443))));
        assert_eq!(parse("OPTIONS", b"*"), Target::Asterisk);
        assert_eq!(parse("OPTIONS", b"http://a").path(), b"");
    }

    #[test]
    fn judges_the_form_against_the_method() {
        for (name, bytes) in [
            ("GET", &b"*"[..]),
            ("GET", b""),
            ("GET", b"a"),
            ("GET", b"?a"),
            ("GET", b"a.example:80"),
            ("GET", b"http:/a"),
            ("GET", b"http:///a"),
            ("GET", b"http://"),
            ("GET", b"http://u@a/"),
            ("GET", b"http://a:b/"),
            ("GET", b"://a/"),
            ("GET", b"1a://a/"),
            ("GET", b"http://a/#"),
            ("GET", b"/%"),
            ("GET", b"/%1"),
            ("GET", b"/%1g"),
            ("GET", b"/\x7f"),
            ("GET", b"/\x80"),
            ("OPTIONS", b"**"),
            ("CONNECT", b"/"),
            ("CONNECT", b"*"),
            ("CONNECT", b"a"),
            ("CONNECT", b"a:"),
            ("CONNECT", b":1"),
            ("CONNECT", b"a:0"),
            ("CONNECT", b"a:65536"),
            ("CONNECT", b"http://a:1"),
        ] {
            assert_eq!(
                Target::parse(method(name), bytes),
                Err(Violation::Malformed(Malformed::Target)),
                "{name} {}",
                bytes.escape_ascii()
            );
        }
        for b in b"\"#<>[\\]^`{|}" {
            assert!(Target::parse(Method::Get, &[b'/', *b]).is_err(), "{b}");
            assert!(Target::parse(Method::Get, &[b'/', *b, b'?']).is_err(), "{b}");
        }
    }

    #[test]
    fn takes_queries_as_browsers_send_them() {
        for b in 0..=u8::MAX {
            assert!(!is_plain(&[b'/', b], 1, 2) || Target::parse(Method::Get, &[b'/', b]).is_ok());
            let is_query = b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?[]{}|^\\`".contains(&b);
            for bytes in [&[b'/', b'?', b][..], &[b'/', b'?', b'a', b, b'?'], &[b"http://a?".as_slice(), &[b]].concat()]
            {
                let target = Target::parse(Method::Get, bytes);
                assert_eq!(target.is_ok(), is_query, "{}", bytes.escape_ascii());
                assert!(target.is_err() || target.unwrap().as_bytes() == bytes, "passed on unchanged");
            }
        }
    }

    #[test]
    fn judges_hosts() {
        for good in [
            "a",
            "a:",
            "a:0",
            "a:65535",
            "a:00080",
            "127.0.0.1:80",
            "999.1",
            "a_b.c-d~",
            "%41",
            "!$&'()*+,;=",
            "[::]",
            "[::1]",
            "[1::]",
            "[1:2:3:4:5:6:7:8]",
            "[1:2:3:4:5:6:7::]",
            "[::2:3:4:5:6:7:8]",
            "[1::3:4:5:6:7:8]",
            "[2001:DB8::a:1]:443",
            "[::1.2.3.4]",
            "[1:2:3:4:5:6:1.2.3.4]",
            "[1::6:255.255.255.255]",
            "[v1.a]",
            "[VfF.a:b!]:1",
        ] {
            assert!(Authority::parse(good.as_bytes()).is_some(), "{good}");
            assert!(Authority::is_valid(good.as_bytes(), 0, good.len()), "{good}");
        }
        for bad in [
            "",
            ":",
            ":80",
            "a:b",
            "a:-1",
            "a:65536",
            "a:18446744073709551696",
            "a:80:",
            "a b",
            "a/b",
            "u@a",
            "a%",
            "a%4",
            "a%4g",
            "\"a\"",
            "[",
            "[]",
            "]",
            "[::1",
            "[::1]x",
            "[::1]:x",
            "[:1]",
            "[1:]",
            "[:::]",
            "[:::1]",
            "[1:::2]",
            "[::1::]",
            "[1::2::3]",
            "[12345::]",
            "[::g]",
            "[1]",
            "[1:2:3:4:5:6:7]",
            "[1:2:3:4:5:6:7:8:9]",
            "[1:2:3:4:5:6:7:8::]",
            "[::1:2:3:4:5:6:7:8]",
            "[1:2:3:4::5:6:7:8]",
            "[1.2.3.4]",
            "[::1.2.3]",
            "[::1.2.3.256]",
            "[::01.2.3.4]",
            "[::1.2.3.4.5]",
            "[::1.2.3.4:1]",
            "[1:2:3:4:5:6:7:1.2.3.4]",
            "[::1.2.3.]",
            "[fe80::1%25en0]",
            "[v.a]",
            "[v1.]",
            "[v1]",
            "[vg.a]",
            "[v1.a/]",
            "é",
        ] {
            assert!(Authority::parse(bad.as_bytes()).is_none(), "{bad}");
            assert!(!Authority::is_valid(bad.as_bytes(), 0, bad.len()), "{bad}");
        }
    }

    /// The fast way says what the other says.
    #[test]
    fn hosts_are_judged_alike_either_way() {
        let alphabet = [
            "a",
            "Z9",
            "-",
            ".",
            "_",
            "/",
            "%41",
            "%",
            ":",
            "80",
            "65536",
            "@",
            "[::1]",
            "a-long.name.of.a-host.example",
        ];
        for mut n in 0..alphabet.len().pow(4) {
            let mut host = std::string::String::new();
            for _ in 0..4 {
                host.push_str(alphabet[n % alphabet.len()]);
                n /= alphabet.len();
            }
            let view = std::format!("Host: {host}\r\nX: y\r\n");
            let is_valid = Authority::is_valid(view.as_bytes(), 6, 6 + host.len());
            assert_eq!(is_valid, Authority::parse(host.as_bytes()).is_some(), "{host}");
        }
    }

    #[test]
    fn agrees_with_the_standard_library_on_ipv6() {
        let alphabet = [":", "::", "1", "ab", "ffff", "1.2.3.4", "0"];
        let mut text = std::string::String::new();
        for mut n in 0..alphabet.len().pow(6) {
            text.clear();
            for _ in 0..6 {
                text.push_str(alphabet[n % alphabet.len()]);
                n /= alphabet.len();
            }
            assert_eq!(is_ipv6(text.as_bytes()), text.parse::<core::net::Ipv6Addr>().is_ok(), "{text}");
        }
    }
}
