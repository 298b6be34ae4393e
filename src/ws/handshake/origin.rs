//! Which sites' pages may connect (RFC 6455 §10.2, RFC 6454).

/// Whose pages may open a WebSocket here.
///
/// A browser lets *any* page connect to *any* server, and sends the user's cookies along: without a check, every page
/// the user visits can speak to this server in their name (cross-site WebSocket hijacking). It also sends `Origin`,
/// which a page cannot forge. So the default allows pages of the server's own host and no others.
///
/// Under every policy a request without `Origin` is allowed: it comes from no browser, and a client that is no browser
/// could send any `Origin` it likes. Credentials are what to ask those for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginPolicy<'p> {
    /// Pages whose host and port are those of the request's `Host`. Behind a proxy that rewrites `Host`, list the
    /// origins instead.
    #[default]
    SameHost,
    /// Pages of exactly these origins, each as `https://example.com` or `https://example.com:8443`, without a path or
    /// the scheme's default port. `null` (a sandboxed page, a local file) is one like any other.
    Only(&'p [&'p str]),
    /// Pages of any origin: for services that know no cookies, or check what they are sent by other means.
    Any,
}

impl OriginPolicy<'_> {
    /// Whether a request with this `Origin`, to this `Host`, may be accepted.
    pub fn allows(&self, origin: Option<&[u8]>, host: &[u8]) -> bool {
        let Some(origin) = origin else { return true };
        match self {
            Self::Any => true,
            Self::SameHost => same_host(origin, host),
            Self::Only(allowed) => allowed.iter().any(|allowed| origin.eq_ignore_ascii_case(allowed.as_bytes())),
        }
    }
}

/// ```abnf
/// serialized-origin = scheme "://" host [ ":" port ]         ; RFC 6454 §7.1; "null" and lists have no host to compare
/// ```
/// Whether TLS was taken off on the way cannot be seen here, so the scheme counts only for its default port.
fn same_host(origin: &[u8], host: &[u8]) -> bool {
    let (authority, default_port) = if let Some(authority) = after(origin, b"https://") {
        (authority, &b":443"[..])
    } else if let Some(authority) = after(origin, b"http://") {
        (authority, &b":80"[..])
    } else {
        return false;
    };
    let bare = |authority| <[u8]>::strip_suffix(authority, default_port).unwrap_or(authority);
    !authority.is_empty() && bare(authority).eq_ignore_ascii_case(bare(host))
}

fn after<'o>(origin: &'o [u8], scheme: &[u8]) -> Option<&'o [u8]> {
    let (start, rest) = origin.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(policy: OriginPolicy<'_>, origin: &str, host: &str) -> bool {
        policy.allows(Some(origin.as_bytes()), host.as_bytes())
    }

    #[test]
    fn same_host_is_the_default() {
        let policy = OriginPolicy::default();
        for (origin, host) in [
            ("http://a.example", "a.example"),
            ("https://A.example", "a.Example"),
            ("HTTPS://a.example", "a.example:443"),
            ("http://a.example:80", "a.example"),
            ("http://a.example:8080", "a.example:8080"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert!(allows(policy, origin, host), "{origin} {host}");
        }
        for (origin, host) in [
            ("http://b.example", "a.example"),
            ("http://a.example.evil.example", "a.example"),
            ("http://evil-a.example", "a.example"),
            ("http://a.example:8080", "a.example"),
            ("http://a.example:443", "a.example"),
            ("http://a.example", "a.example:443"),
            ("http://a.example@evil.example", "evil.example"),
            ("http://a.example/", "a.example"),
            ("ftp://a.example", "a.example"),
            ("a.example", "a.example"),
            ("null", "null"),
            ("", ""),
            ("http://", ""),
            ("http://a.example http://b.example", "a.example"),
        ] {
            assert!(!allows(policy, origin, host), "{origin} {host}");
        }
    }

    #[test]
    fn listed_and_any() {
        let policy = OriginPolicy::Only(&["https://a.example", "null"]);
        assert!(allows(policy, "https://a.example", "b") && allows(policy, "null", "b"));
        assert!(!allows(policy, "https://b", "b") && !allows(policy, "https://a.example:8443", "b"));
        assert!(!allows(OriginPolicy::Only(&[]), "http://b", "b"));
        assert!(allows(OriginPolicy::Any, "anything", "b"));
    }

    #[test]
    fn no_origin_is_no_browser() {
        for policy in [OriginPolicy::SameHost, OriginPolicy::Only(&[]), OriginPolicy::Any] {
            assert!(policy.allows(None, b"a.example"));
        }
    }
}
