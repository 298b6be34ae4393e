//! `ws:` and `wss:` URLs (RFC 6455 §3, RFC 3986).

use core::{error, fmt};

use crate::http1::{Authority, is_path_and_query};

/// Where a WebSocket is: `ws://example.com/chat?room=1`. A view over the text, which is judged once.
///
/// ```
/// use hopwire::ws::{Url, UrlError};
///
/// let url = Url::parse("wss://[::1]:8443?room=1")?;
/// assert!(url.is_secure());
/// assert_eq!((url.host(), url.port()), ("::1", 8443)); // to connect to
/// assert_eq!(url.authority(), "[::1]:8443"); // for Host
/// assert_eq!((url.path(), url.query()), ("/", Some("room=1"))); // for the request line
/// assert_eq!(Url::parse("ws://a/#top"), Err(UrlError::Fragment));
/// # Ok::<(), UrlError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Url<'u> {
    secure: bool,
    host: &'u str,
    port: Option<u16>,
    authority: &'u str,
    path: &'u str,
    query: Option<&'u str>,
}

impl<'u> Url<'u> {
    /// Judges a URL and takes it apart.
    ///
    /// ```abnf
    /// ws-URI  = "ws:" "//" host [ ":" port ] path [ "?" query ]
    /// wss-URI = "wss:" "//" host [ ":" port ] path [ "?" query ]
    /// ```
    /// What a URL has no place for (a space, `é`) comes percent-encoded, and stays as it is.
    ///
    /// # Errors
    /// Why it is no URL of a WebSocket.
    pub fn parse(text: &'u str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let secure = scheme.eq_ignore_ascii_case("wss");
        if !secure && !scheme.eq_ignore_ascii_case("ws") {
            return Err(UrlError::Scheme);
        }
        // "Fragment identifiers are meaningless in the context of WebSocket URIs and MUST NOT be used on these URIs."
        if rest.contains('#') {
            return Err(UrlError::Fragment);
        }
        let (authority, resource) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(UrlError::Userinfo);
        }
        let judged = Authority::parse(authority.as_bytes()).ok_or(UrlError::Host)?;
        if !is_path_and_query(resource.as_bytes()) {
            return Err(UrlError::Resource);
        }
        let (path, query) = resource.split_once('?').map_or((resource, ""), |(path, query)| (path, query));
        let (host, _) = authority.split_at(judged.host().len());
        let port = judged.port().filter(|&port| port != default_port(secure));
        Ok(Self {
            secure,
            host: host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host),
            port,
            authority: if port.is_some() { authority } else { host },
            path: if path.is_empty() { "/" } else { path },
            query: Some(query).filter(|query| !query.is_empty()),
        })
    }

    /// Whether TLS comes first: the scheme is `wss`.
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host to connect to, an IPv6 address without its brackets.
    pub const fn host(&self) -> &'u str {
        self.host
    }

    /// The port to connect to: 80 or 443 if the URL names none.
    pub const fn port(&self) -> u16 {
        match self.port {
            Some(port) => port,
            None => default_port(self.secure),
        }
    }

    /// The value of `Host`: the host, "plus optionally ":" followed by /port/ (when not using the default port)" (§4.1).
    pub const fn authority(&self) -> &'u str {
        self.authority
    }

    /// The path, `/` where the URL has none.
    pub const fn path(&self) -> &'u str {
        self.path
    }

    /// What follows the question mark, unless that is nothing.
    pub const fn query(&self) -> Option<&'u str> {
        self.query
    }
}

/// Why a text is no WebSocket URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UrlError {
    /// It does not begin with `ws://` or `wss://`.
    Scheme,
    /// It has a fragment. A `#` elsewhere is `%23`.
    Fragment,
    /// It has a user name: credentials belong into a field (RFC 9110 §4.2.4).
    Userinfo,
    /// The host is empty or malformed, or the port is none.
    Host,
    /// The path or the query has a byte that must be percent-encoded, or `%` without two digits behind it.
    Resource,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "the scheme is not ws or wss",
            Self::Fragment => "a WebSocket URL has no fragment",
            Self::Userinfo => "a WebSocket URL has no user name",
            Self::Host => "the host or the port is malformed",
            Self::Resource => "the path or the query has a byte to be percent-encoded",
        })
    }
}

impl error::Error for UrlError {}

const fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use std::format;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn takes_a_url_apart() {
        type Parts = (bool, &'static str, u16, &'static str, &'static str, Option<&'static str>);
        let cases: [(&str, Parts); 12] = [
            ("ws://a", (false, "a", 80, "a", "/", None)),
            ("WSS://A.example/", (true, "A.example", 443, "A.example", "/", None)),
            ("ws://a:80/b", (false, "a", 80, "a", "/b", None)),
            ("ws://a:0080/b", (false, "a", 80, "a", "/b", None)),
            ("ws://a:443", (false, "a", 443, "a:443", "/", None)),
            ("wss://a:80?b/c", (true, "a", 80, "a:80", "/", Some("b/c"))),
            ("wss://a:/b??", (true, "a", 443, "a", "/b", Some("?"))),
            ("ws://a/?", (false, "a", 80, "a", "/", None)),
            ("ws://[2001:DB8::1]:9/%7e", (false, "2001:DB8::1", 9, "[2001:DB8::1]:9", "/%7e", None)),
            ("ws://[::1]", (false, "::1", 80, "[::1]", "/", None)),
            ("ws://127.0.0.1//a/../b;c=d@e:f", (false, "127.0.0.1", 80, "127.0.0.1", "//a/../b;c=d@e:f", None)),
            ("ws://a%41/%23", (false, "a%41", 80, "a%41", "/%23", None)),
        ];
        for (text, parts) in cases {
            let url = Url::parse(text).unwrap();
            let got = (url.is_secure(), url.host(), url.port(), url.authority(), url.path(), url.query());
            assert_eq!(got, parts, "{text}");
        }
    }

    #[test]
    fn each_fault_has_its_error() {
        for (text, error) in [
            ("", UrlError::Scheme),
            ("a.example/", UrlError::Scheme),
            ("ws:a", UrlError::Scheme),
            ("ws:/a", UrlError::Scheme),
            (" ws://a", UrlError::Scheme),
            ("http://a", UrlError::Scheme),
            ("wsx://a", UrlError::Scheme),
            ("ws://a#", UrlError::Fragment),
            ("ws://a/b?c#d", UrlError::Fragment),
            ("ws://u@a", UrlError::Userinfo),
            ("ws://u:p@a:1/", UrlError::Userinfo),
            ("ws://", UrlError::Host),
            ("ws:///a", UrlError::Host),
            ("ws://:80", UrlError::Host),
            ("ws://a:65536", UrlError::Host),
            ("ws://a:-1", UrlError::Host),
            ("ws://a:b", UrlError::Host),
            ("ws://::1", UrlError::Host),
            ("ws://[::1", UrlError::Host),
            ("ws://[fe80::1%25en0]", UrlError::Host),
            ("ws://a b", UrlError::Host),
            ("ws://\u{e9}", UrlError::Host),
            ("ws://a/ b", UrlError::Resource),
            ("ws://a/\u{e9}", UrlError::Resource),
            ("ws://a/%", UrlError::Resource),
            ("ws://a/%4", UrlError::Resource),
            ("ws://a/%4g", UrlError::Resource),
            ("ws://a?[", UrlError::Resource),
            ("ws://a/\r\nX: y", UrlError::Resource),
        ] {
            assert_eq!(Url::parse(text), Err(error), "{text:?}");
        }
    }

    proptest! {
        /// Any text: what is taken can stand in a request line and in Host, and means the same when put together again.
        #[test]
        fn what_is_taken_is_safe_to_write(text in "(ws|wss)://([a-z0-9.:@%\\[\\]]{0,12})([/?#%a-z0-9 é\\r\\n]{0,12})") {
            let Ok(url) = Url::parse(&text) else { return Ok(()) };
            let query = url.query().map_or(std::string::String::new(), |query| format!("?{query}"));
            let scheme = if url.is_secure() { "wss" } else { "ws" };
            let again = format!("{scheme}://{}{}{query}", url.authority(), url.path());
            prop_assert!(again.bytes().all(|b| b.is_ascii_graphic()) && url.path().starts_with('/'));
            prop_assert_eq!(Url::parse(&again), Ok(url));
        }
    }
}
