//! Requests on their way to the upstream.

use super::forwarded::Forwarded;
use super::section::{Kept, Section, Trailers, Value, Without};
use super::{Asked, Content, Intermediary, Node, Pseudonym, Stop, via};
use crate::bytes::{num, table};
use crate::http::hop::{Known, Nominated};
use crate::http::{Fields, Method, Version, list};

/// A request as it came, whatever version it came in.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedRequest<'b> {
    /// The version it came in.
    pub version: Version,
    /// Its method.
    pub method: Method<'b>,
    /// The scheme of its target, if that says one, else empty.
    pub scheme: &'b [u8],
    /// The authority of its target, if that says one, else empty; then Host counts.
    pub authority: &'b [u8],
    /// The path and query of its target as they came, perhaps empty, or `*`.
    pub path_and_query: &'b [u8],
    /// Its header.
    pub fields: Fields<'b>,
    /// Its content.
    pub content: Content,
}

/// A request as it leaves.
#[derive(Clone, Copy, Debug)]
pub struct Request<'b> {
    method: Method<'b>,
    target: [&'b [u8]; 2],
    content: Content,
    asked: Asked,
    upgrade: Option<&'b str>,
    /// Its trailers go on.
    trailers: bool,
    /// Host, where it does not leave as it came.
    host: Option<&'b [u8]>,
    via: Via<'b>,
    max_forwards: Option<u64>,
    traces: Forwarded<'b>,
    te: bool,
    kept: Kept<'b>,
    abuse: bool,
}

/// Our member of Via, behind those that came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Via<'b> {
    /// Where they are, if any came.
    received: Fields<'b>,
    version: Version,
    name: Pseudonym<'b>,
}

impl<'p> Intermediary<'p> {
    /// The request that goes to the upstream instead of the one that came from `client`.
    ///
    /// # Errors
    /// Why none goes; [`Stop::status`] answers the client.
    #[inline]
    pub fn request<'b>(&self, received: &ReceivedRequest<'b>, client: &'b Node) -> Result<Request<'b>, Stop>
    where
        'p: 'b,
    {
        let said = Said::by(received.fields, self.name)?;
        let has_content = !matches!(received.content, Content::None | Content::Length(0));
        let is_http11 = received.version >= Version::Http11;
        // "A client MUST NOT send a request containing Transfer-Encoding unless it knows the server will handle HTTP/1.1 requests"
        // (RFC 9112 §6.1).
        if received.content == Content::Unknown && self.upstream < Version::Http11 {
            return Err(Stop::LengthRequired);
        }
        // "Unless the connection is from a trusted gateway, an origin server MUST reject a request if any scheme-specific
        // requirements for the target URI are not met" (§7.4): the path alone goes on, and says no scheme.
        let scheme = client.scheme().as_bytes();
        if !received.scheme.is_empty() && !received.scheme.eq_ignore_ascii_case(scheme) {
            return Err(Stop::Scheme);
        }
        // "A client MUST NOT send content in a TRACE request" (§9.3.8).
        if has_content && received.method == Method::Trace {
            return Err(Stop::TraceContent);
        }
        let mut without = Without::CONNECTION.and(Known::Via);
        let max_forwards = match received.method {
            Method::Options | Method::Trace => said.max_forwards()?,
            // "A recipient MAY ignore a Max-Forwards header field received with any other request methods" (§7.6.2).
            _ => None,
        };
        if max_forwards.is_some() {
            without = without.and(Known::MaxForwards);
        }
        let target: [&[u8]; 2] = match (received.method, received.path_and_query) {
            (Method::Connect, _) => return Err(Stop::Connect),
            // "If a proxy receives an OPTIONS request with an absolute-form of request-target in which the URI has an empty
            // path and no query component, then the last proxy on the request chain MUST send a request-target of '*'"
            // (RFC 9112 §3.2.4).
            (Method::Options, b"" | b"*") => [b"*", b""],
            // "A proxy MUST NOT modify the 'absolute-path' and 'query' parts of the received target URI when forwarding it
            // [..] except as required by that forwarding protocol. For example, a proxy [..] will replace an empty path with '/'"
            // (§7.7).
            (_, path @ [b'/', ..]) => [path, b""],
            (_, query @ ([] | [b'?', ..])) => [b"/", query],
            _ => return Err(Stop::Target),
        };
        // Whatever the version it came in: what is more than a target there is another line here.
        if !target.iter().all(|part| is_visible(part)) {
            return Err(Stop::Target);
        }
        // "the proxy MUST ignore the received Host header field (if any) and instead replace it with the host information of
        // the request-target" (RFC 9112 §3.2.2). One that says the same stays where it is. "An empty authority is replaced with
        // the configured default before further processing of the request" (§3.3).
        let came = said.host.unwrap_or_default();
        let authority = match received.authority {
            [] if came.is_empty() => self.authority.unwrap_or_default().as_bytes(),
            [] => came,
            authority => authority,
        };
        if authority.is_empty() || !is_authority(authority) {
            return Err(Stop::NoAuthority);
        }
        let host = (authority != came && !self.sets(b"host")).then_some(authority);
        if host.is_some() {
            without = without.and(Known::Host);
        }
        // "A server that receives a 100-continue expectation in an HTTP/1.0 request MUST ignore that expectation" (§10.1.1), it
        // means nothing without content, and an HTTP/1.0 upstream does not know it.
        let may_expect = is_http11 && has_content && self.upstream >= Version::Http11;
        let expects_continue = said.expects_continue && may_expect;
        if said.expects_continue && !may_expect {
            without = without.and(Known::Expect);
        }
        // "[Upgrade] cannot be used to insist on a protocol change" (§7.8): it is ours to offer again or not. HTTP/1.0's "MUST" be
        // ignored. A request with content could be followed by the other protocol's bytes before anybody knows where it ends.
        let may_upgrade = said.upgrade && said.nominated.upgrade && is_http11 && !has_content;
        let upgrade =
            if may_upgrade && self.upstream >= Version::Http11 { self.upgrade(received.fields) } else { None };
        let traces = Forwarded {
            forwarded: self.forwarded,
            x_forwarded: self.x_forwarded,
            client,
            host: authority,
            received: received.fields,
        };
        if !self.trailers {
            without = without.and(Known::Trailer);
        }
        // Credentials for "the next inbound proxy that demanded authentication" (§11.7.2), which is this one.
        let without = traces.without(without.and(Known::ProxyAuthorization));
        let accepts_trailers = self.trailers && said.te_trailers && is_http11;
        // For trailers come when nobody remembers what is set.
        let nominated = said.nominated.and(self.set);
        Ok(Request {
            method: received.method,
            target,
            content: received.content,
            asked: Asked {
                version: received.version,
                is_head: received.method == Method::Head,
                accepts_trailers,
                expects_continue,
                upgrade,
            },
            upgrade: upgrade.and_then(|at| self.upgrades.get(at)).copied(),
            trailers: self.trailers && !nominated.overflow,
            host,
            via: Via::new(said.via, received.fields, received.version, self.name),
            max_forwards,
            traces,
            te: accepts_trailers && self.upstream >= Version::Http11,
            abuse: said.nominated.abuse,
            kept: Kept { received: received.fields, nominated, without, set: self.set },
        })
    }
}

impl<'b> Request<'b> {
    /// Its method.
    pub const fn method(&self) -> Method<'b> {
        self.method
    }

    /// The target as an origin wants it: the path (never empty) and query, or `*`; in two pieces.
    pub const fn target(&self) -> [&'b [u8]; 2] {
        self.target
    }

    /// The authority it is for, as Host says it.
    pub const fn authority(&self) -> &'b [u8] {
        self.traces.host
    }

    /// Its content, which the sender frames anew.
    pub const fn content(&self) -> Content {
        self.content
    }

    /// What is to be remembered for its response.
    pub const fn asked(&self) -> Asked {
        self.asked
    }

    /// Which of its trailers go on.
    pub const fn trailers(&self) -> Trailers {
        Trailers::new(self.trailers, self.kept.nominated)
    }

    /// Whether `TE: trailers` is to be said, with its connection option where the version has those.
    pub const fn te_trailers(&self) -> bool {
        self.te
    }

    /// The protocol to offer in Upgrade, with its connection option. Until the 101 has come nothing may follow the request.
    pub const fn upgrade(&self) -> Option<&'b str> {
        self.upgrade
    }

    /// Whether `Connection` named a field of [`END_TO_END`](crate::http::hop::END_TO_END): an attempt to strip it on the way,
    /// which failed. For logs, and for who would rather refuse such a request.
    pub const fn tried_to_strip(&self) -> bool {
        self.abuse
    }

    /// Every field, in order, as it leaves; without those of the connection: `Connection`, TE, Upgrade and the framing.
    pub fn each_field(&self, f: impl FnMut(&str, Value<'_>)) {
        self.each(f);
    }

    /// The caller's own fields among them, which nobody has judged.
    pub(crate) const fn set(&self) -> &'b [(&'b str, &'b [u8])] {
        self.kept.set
    }
}

impl<'b> Section<'b> for Request<'b> {
    #[inline]
    fn kept(&self) -> &Kept<'b> {
        &self.kept
    }

    /// Host, for "a user agent that sends Host SHOULD send it as the first field" (§7.2).
    #[inline]
    fn each_before(&self, f: &mut impl FnMut(&str, Value<'_>)) {
        if let Some(host) = self.host {
            f("host", Value::new(&[host]));
        }
    }

    #[inline]
    fn each_behind(&self, f: &mut impl FnMut(&str, Value<'_>)) {
        self.via.each(f);
        if let Some(max_forwards) = self.max_forwards {
            f("max-forwards", Value::new(&[num::write_decimal(max_forwards, &mut [0; 20])]));
        }
        self.traces.each(f);
        for (name, value) in self.kept.set {
            f(name, Value::new(&[value]));
        }
    }
}

impl<'b> Via<'b> {
    pub(super) fn new(came: bool, received: Fields<'b>, version: Version, name: Pseudonym<'b>) -> Self {
        Self { received: if came { received } else { Fields::EMPTY }, version, name }
    }

    /// "received-protocol indicates the protocol and protocol version used by the upstream sender of the message" (§7.6.3).
    pub(super) fn each(&self, f: &mut impl FnMut(&str, Value<'_>)) {
        let version: &[u8] = if self.version == Version::Http10 { b"1.0 " } else { b"1.1 " };
        f("via", Value::after(self.received, "via", &[version, self.name.as_str().as_bytes()]));
    }
}

/// What the fields of a request say that forwarding has to know.
struct Said<'b> {
    nominated: Nominated,
    host: Option<&'b [u8]>,
    max_forwards: Option<&'b [u8]>,
    max_forwards_repeated: bool,
    expects_continue: bool,
    upgrade: bool,
    te_trailers: bool,
    via: bool,
}

impl<'b> Said<'b> {
    #[inline]
    fn by(fields: Fields<'b>, name: Pseudonym<'_>) -> Result<Self, Stop> {
        let mut said = Self {
            nominated: Nominated::NONE,
            host: None,
            max_forwards: None,
            max_forwards_repeated: false,
            expects_continue: false,
            upgrade: false,
            te_trailers: false,
            via: false,
        };
        for field in fields {
            match Known::of(field.name.as_bytes()) {
                Known::Connection => {
                    said.nominated.add(field.value);
                    if said.nominated.overflow {
                        return Err(Stop::Nominations);
                    }
                }
                Known::Host => said.host = Some(field.value),
                Known::Upgrade => said.upgrade = true,
                Known::Te => said.te_trailers |= has_trailers(field.value),
                Known::Expect => said.expects_continue |= is_continue(field.value),
                Known::MaxForwards => {
                    said.max_forwards_repeated |= said.max_forwards.is_some();
                    said.max_forwards = Some(field.value);
                }
                // "An intermediary MUST NOT forward a message to itself unless it is protected from an infinite request loop."
                // (§7.6) This is the protection; "Via can be used for [..] avoiding request loops" (§7.6.3).
                Known::Via if via::names(field.value, name) => return Err(Stop::Loop),
                Known::Via => said.via = true,
                _ => {}
            }
        }
        Ok(said)
    }

    /// The value to send on: "Each intermediary [..] MUST check and update its value prior to forwarding the request. If the
    /// received value is zero (0), the intermediary MUST NOT forward the request [..] the lesser of a) the received value
    /// decremented by one (1) or b) the recipient's maximum supported value" (§7.6.2).
    fn max_forwards(&self) -> Result<Option<u64>, Stop> {
        let Some(digits) = self.max_forwards else { return Ok(None) };
        if self.max_forwards_repeated || digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(Stop::MaxForwards);
        }
        let value = num::decimal(digits).unwrap_or(u64::MAX);
        value.checked_sub(1).map(Some).ok_or(Stop::LastHop)
    }
}

/// Whether these bytes can stand in a start line.
#[inline]
fn is_visible(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |is, b| is & b.is_ascii_graphic())
}

/// Whether all bytes are of those a host and a port are made of; quotes, which Forwarded puts around it, are not.
fn is_authority(bytes: &[u8]) -> bool {
    bytes.iter().all(|&b| table::is_userinfo(b) || matches!(b, b'[' | b']' | b'%'))
}

/// `t-codings = "trailers" / ( transfer-coding [ weight ] )` (§10.1.4)
fn has_trailers(te: &[u8]) -> bool {
    list::elements(te).any(|coding| coding.eq_ignore_ascii_case(b"trailers"))
}

fn is_continue(expect: &[u8]) -> bool {
    list::elements(expect).any(|expectation| expectation.eq_ignore_ascii_case(b"100-continue"))
}
