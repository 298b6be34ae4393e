//! The opening handshake (RFC 6455 §4, RFC 7692 §7): from an HTTP request to `101 Switching Protocols`.
//!
//! ```text
//! server: Handshake::of(&request) -> Ok(None)             an ordinary request: answer it as such
//!           or from_parts         -> Err(refusal)         refusal.respond(&mut http, &mut tx), or write(&mut tx)
//!                                 -> Ok(Some(handshake))
//!         handshake.accept(policy) -> Err(refusal)        the page's origin is not allowed
//!                                  -> Ok(answer)          answer.subprotocol(..).deflate(..).fields(..)
//!                                                               .respond(&mut http, &mut tx), or write(&mut tx)
//!
//! client: Request::new(url, nonce).subprotocols(..).deflate(..).fields(..)
//!                                  .send(&mut http, &mut tx), or write(&mut tx)
//!         request.judge(&response) -> Ok(None)            an ordinary response: 401, 302, 400
//!           or judge_parts         -> Err(violation)      close the transport
//!                                  -> Ok(Some(agreed))
//! ```
//!
//! Looking for one call that does the server's part? `Session::accept`. For why a request is refused? [`Refusal`]. For
//! which sites' pages may connect? [`OriginPolicy`]. For what can be put into the answer? [`Answer`]. For what a client can
//! ask for? [`Request`]. For what a server can do wrong? [`Violation`]; what the caller can? [`Misuse`]. For
//! permessage-deflate? [`deflate`].

mod answer;
pub mod deflate;
mod misuse;
mod origin;
mod refusal;
mod request;
mod violation;

pub use answer::Answer;
pub use misuse::Misuse;
pub use origin::OriginPolicy;
pub use refusal::Refusal;
pub use request::{Agreed, Request, Value};
pub use violation::Violation;

use crate::bytes::{Token, num};
use crate::digest::{base64, sha1};
use crate::http::{Version, is_name, list, trim};
use crate::http1;

/// A request to speak WebSocket, judged once (§4.2.1); what it asks for can no longer be malformed.
///
/// ```
/// use hopwire::http1::{Server, server::Event};
/// use hopwire::io::{Rx, Tx};
/// use hopwire::{time::Instant, ws};
///
/// let mut received = *b"GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
///     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\x81\x85...";
/// let mut sent = [0; 256];
/// let (mut rx, mut tx) = (Rx::new(&mut received), Tx::new(&mut sent));
/// let mut http = Server::default();
/// while let Some(event) = http.poll(Instant::ZERO, &mut rx, &mut tx)? {
///     let Event::Request(request) = event else { continue };
///     match ws::Handshake::of(&request) {
///         Ok(Some(handshake)) => match handshake.accept(ws::OriginPolicy::SameHost) {
///             Ok(answer) => answer.respond(&mut http, &mut tx)?,
///             Err(refusal) => refusal.respond(&mut http, &mut tx)?, // a page of another site
///         },
///         Ok(None) => ws::Refusal::NotWebSocket.respond(&mut http, &mut tx)?, // or any other answer
///         Err(refusal) => refusal.respond(&mut http, &mut tx)?,
///     }
/// }
/// assert!(tx.written().starts_with(b"HTTP/1.1 101 Switching Protocols\r\n"));
/// assert!(tx.written().ends_with(b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"));
/// // What is left is for a ws::Connection.
/// assert!(http.has_switched() && rx.bytes() == b"\x81\x85...");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Handshake<'a> {
    key: &'a [u8; KEY_LEN],
    host: &'a [u8],
    origin: Option<&'a [u8]>,
    subprotocols: Lines<'a>,
    extensions: Lines<'a>,
}

impl<'a> Handshake<'a> {
    /// Judges a request; see [`from_parts`](Self::from_parts).
    ///
    /// # Errors
    /// A request to speak WebSocket that breaks a rule: answer it with the refusal.
    pub fn of(request: &http1::Request<'a>) -> Result<Option<Self>, Refusal> {
        let mut seen = Seen::default();
        for field in request.fields {
            seen.field(field.name.as_bytes(), field.value);
        }
        // RFC 9112 §3.2.2: with an absolute-form target, "the origin server MUST ignore the received Host header field".
        if let (Some(authority), true) = (request.target.authority(), seen.host.is_some()) {
            seen.host = Some(authority.as_bytes());
        }
        seen.judge(request.method.as_bytes(), request.version)
    }

    /// Judges a request read by any HTTP implementation: its method, its version, its fields in their order, each name
    /// in any case. Values may still have white space around them.
    ///
    /// `Ok(None)` is an ordinary request: its `Upgrade` does not name `websocket` (or is to be ignored, in HTTP/1.0), and it
    /// has no `Sec-WebSocket-Key`.
    /// The fields are walked once, without allocation.
    ///
    /// # Errors
    /// A request to speak WebSocket that breaks a rule: answer it with the refusal.
    pub fn from_parts<N: AsRef<[u8]>>(
        method: &[u8],
        version: Version,
        fields: impl IntoIterator<Item = (N, &'a [u8])>,
    ) -> Result<Option<Self>, Refusal> {
        let mut seen = Seen::default();
        for (name, value) in fields {
            seen.field(name.as_ref(), value);
        }
        seen.judge(method, version)
    }

    /// `Sec-WebSocket-Key`: base64 of 16 bytes.
    pub const fn key(&self) -> &'a [u8; KEY_LEN] {
        self.key
    }

    /// What `Sec-WebSocket-Accept` must be: base64 of SHA-1 of the key and a constant (§4.2.2).
    pub fn accept_value(&self) -> [u8; ACCEPT_LEN] {
        accept_value(self.key)
    }

    /// The subprotocols the client speaks, the one it likes best first. They compare exactly.
    pub fn subprotocols(&self) -> impl Iterator<Item = Token<'a>> {
        self.subprotocols.elements().filter_map(list::token)
    }

    /// The extensions offered, each with its parameters as it stands (`permessage-deflate; client_max_window_bits`), the
    /// one the client likes best first. They fit the grammar of §9.1: see [`list::parameters`].
    pub fn extensions(&self) -> impl Iterator<Item = &'a [u8]> {
        self.extensions.elements()
    }

    /// The origin of the page that connects. Browsers always send it and pages cannot forge it; other clients send
    /// none, or whatever they like.
    pub const fn origin(&self) -> Option<&'a [u8]> {
        self.origin
    }

    /// The host and port the client means, as sent in `Host` (or in the target, where that is absolute); never empty.
    pub const fn host(&self) -> &'a [u8] {
        self.host
    }

    /// Agrees to speak WebSocket, if a page of that origin may.
    ///
    /// # Errors
    /// `Refusal::Origin`: answer the request with it.
    #[inline(always)]
    pub fn accept<'h>(&'h self, policy: OriginPolicy<'_>) -> Result<Answer<'h>, Refusal> {
        if !policy.allows(self.origin, self.host) {
            return Err(Refusal::Origin);
        }
        Ok(Answer::new(self))
    }
}

/// What the fields of a request say, before it is known what that makes it.
#[derive(Default)]
struct Seen<'a> {
    host: Option<&'a [u8]>,
    origin: Option<&'a [u8]>,
    key: Option<&'a [u8]>,
    version: Option<&'a [u8]>,
    upgrade: bool,
    connection: bool,
    /// A field that must stand alone did not.
    repeated: bool,
    body: bool,
    subprotocols: Lines<'a>,
    extensions: Lines<'a>,
}

impl<'a> Seen<'a> {
    #[inline]
    fn field(&mut self, name: &[u8], value: &'a [u8]) {
        // Few names have one of these lengths, and fewer pass the comparison.
        match name.len() {
            4 if is_name(name, b"host") => self.repeated |= self.host.replace(value).is_some(),
            6 if is_name(name, b"origin") => self.repeated |= self.origin.replace(value).is_some(),
            7 if is_name(name, b"upgrade") => self.upgrade |= names_websocket(value),
            10 if is_name(name, b"connection") => self.connection |= asks_for_upgrade(value),
            14 if is_name(name, b"content-length") => {
                self.body |= num::decimal(trim(value)) != Some(0);
            }
            17 if is_name(name, b"sec-websocket-key") => {
                self.repeated |= self.key.replace(value).is_some();
            }
            17 if is_name(name, b"transfer-encoding") => self.body = true,
            21 if is_name(name, b"sec-websocket-version") => {
                self.repeated |= self.version.replace(value).is_some();
            }
            22 if is_name(name, b"sec-websocket-protocol") => self.subprotocols.push(value),
            24 if is_name(name, b"sec-websocket-extensions") => self.extensions.push(value),
            _ => {}
        }
    }

    /// §4.2.1, in the order of its numbers: 1 method and version, 2 Host, 3 Upgrade, 4 Connection, 5 key, 6 version,
    /// 7 Origin (judged by [`OriginPolicy`]), 8 subprotocols, 9 extensions.
    fn judge(self, method: &[u8], version: Version) -> Result<Option<Handshake<'a>>, Refusal> {
        // "A server that receives an Upgrade header field in an HTTP/1.0 request MUST ignore that Upgrade field" (RFC 9110
        // §7.8).
        let upgrade = self.upgrade && version >= Version::Http11;
        if !upgrade && self.key.is_none() {
            return Ok(None);
        }
        if method != b"GET" {
            return Err(Refusal::Method);
        }
        if version < Version::Http11 {
            return Err(Refusal::HttpVersion);
        }
        // §11.3.1 and §11.3.5: key and version "MUST NOT appear more than once"; two hosts or two origins leave open
        // which of them other parts of the server believe.
        if self.repeated {
            return Err(Refusal::Repeated);
        }
        let host = trim(self.host.unwrap_or_default());
        if host.is_empty() {
            return Err(Refusal::Host);
        }
        if !self.upgrade {
            return Err(Refusal::Upgrade);
        }
        if !self.connection {
            return Err(Refusal::Connection);
        }
        // Content would follow the head, and be taken for frames.
        if self.body {
            return Err(Refusal::Body);
        }
        // §4.2.2: "If this version does not match a version understood by the server, the server MUST abort".
        if trim(self.version.ok_or(Refusal::Version)?) != b"13" {
            return Err(Refusal::Version);
        }
        let key = key(trim(self.key.ok_or(Refusal::Key)?)).ok_or(Refusal::Key)?;
        if !self.subprotocols.fit(subprotocol_fits) {
            return Err(Refusal::Subprotocol);
        }
        if !self.extensions.fit(extension_fits) {
            return Err(Refusal::Extension);
        }
        Ok(Some(Handshake {
            key,
            host,
            origin: self.origin.map(trim),
            subprotocols: self.subprotocols,
            extensions: self.extensions,
        }))
    }
}

/// The lines of a list field: a list may be sent over several.
#[derive(Clone, Copy, Debug, Default)]
struct Lines<'a> {
    values: [&'a [u8]; OFFER_LINES],
    /// How many were sent, which may be more than are kept.
    count: usize,
}

impl<'a> Lines<'a> {
    fn push(&mut self, value: &'a [u8]) {
        if let Some(free) = self.values.get_mut(self.count) {
            *free = value;
        }
        self.count = self.count.saturating_add(1);
    }

    fn elements(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.values.into_iter().take(self.count).flat_map(list::elements)
    }

    /// Whether each element fits, there is one if there is a line at all, and no line had to be dropped.
    #[inline]
    fn fit(&self, fits: impl Fn(&[u8]) -> bool) -> bool {
        if self.count == 0 {
            return true;
        }
        let Some(kept) = self.values.get(..self.count) else { return false };
        let mut some = false;
        for value in kept {
            if fits(value) {
                some = true;
                continue;
            }
            for element in list::elements(value) {
                if !fits(element) {
                    return false;
                }
                some = true;
            }
        }
        some
    }
}

/// §4.1: "characters in the range U+0021 to U+007E not including separator characters", which makes a token.
fn subprotocol_fits(element: &[u8]) -> bool {
    list::token(element).is_some()
}

/// ```abnf
/// extension       = extension-token *( ";" extension-param )                        ; §9.1
/// extension-param = token [ "=" (token | quoted-string) ]
/// ```
/// "the value after quoted-string unescaping MUST conform to the 'token' ABNF"; data that does not conform "MUST" fail.
fn extension_fits(element: &[u8]) -> bool {
    let (name, parameters) = list::parameters(element);
    list::token(name).is_some()
        && parameters.without_empty().all(|parameter| {
            parameter.is_ok_and(|parameter| {
                let Some(value) = parameter.value else { return true };
                value.bytes().next().is_some() && value.bytes().all(crate::bytes::table::is_tchar)
            })
        })
}

/// A key of 16 bytes in base64 (§4.2.1): 22 digits and two signs of padding.
///
/// The bits of the last digit that stand for nothing are not judged: the key is never decoded, only hashed as text.
fn key(value: &[u8]) -> Option<&[u8; KEY_LEN]> {
    let key: &[u8; KEY_LEN] = value.try_into().ok()?;
    let (digits, padding) = key.split_at(KEY_LEN - 2);
    let digits_fit = digits.iter().fold(true, |fit, b| fit & (b.is_ascii_alphanumeric() | matches!(b, b'+' | b'/')));
    (digits_fit && padding == b"==").then_some(key)
}

#[inline(never)]
fn accept_value(key: &[u8; KEY_LEN]) -> [u8; ACCEPT_LEN] {
    let mut words = [0; 15];
    let (key_words, guid_words) = words.split_at_mut(KEY_LEN / 4);
    for (word, bytes) in key_words.iter_mut().zip(key.as_chunks().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    guid_words.copy_from_slice(&GUID);
    let mut accept = [0; ACCEPT_LEN];
    base64::encode(&sha1::digest_60(words), &mut accept).expect("28 characters stand for 20 bytes");
    accept
}

/// Whether one `Upgrade` line names `websocket`.
fn names_websocket(value: &[u8]) -> bool {
    is_name(value, b"websocket") || list::elements(value).any(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
}

/// Whether one `Connection` line has the option `upgrade`.
fn asks_for_upgrade(value: &[u8]) -> bool {
    is_name(value, b"upgrade") || list::connection_options(value).any(|option| option.eq_ignore_ascii_case(b"upgrade"))
}

/// How many lines of one list field are kept, a place for each: browsers send one.
const OFFER_LINES: usize = 4;
const KEY_LEN: usize = 24;
const ACCEPT_LEN: usize = 28;
/// §1.3: the constant that is hashed behind the key, in words as SHA-1 takes them.
const GUID: [u32; 9] = {
    let mut words = [0; 9];
    let mut bytes = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11".as_slice();
    let mut n = 0;
    while let Some((word, rest)) = bytes.split_first_chunk() {
        words[n] = u32::from_be_bytes(*word);
        bytes = rest;
        n += 1;
    }
    words
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::LOOKED_AT;
    use crate::http::Status;
    use crate::ws::Url;

    /// A long list costs no more than a few times its length, whatever it is made of and wherever it stands.
    #[test]
    fn long_lists_are_linear() {
        const LEN: usize = 65_536;
        let url = Url::parse("ws://a.example/").unwrap();
        let offers = [deflate::Offer::ANY; 8];
        let request = Request::new(url, *b"the sample nonce").deflate(&offers);
        let accept = accept_value(b"dGhlIHNhbXBsZSBub25jZQ==");
        let asked = [
            ("Host", &b"a.example"[..]),
            ("Upgrade", b"websocket"),
            ("Connection", b"upgrade"),
            ("Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Version", b"13"),
        ];
        let answered = [("Upgrade", &b"websocket"[..]), ("Connection", b"upgrade"), ("Sec-WebSocket-Accept", &accept)];
        let mut most = 0;
        for unit in [
            "a,",
            "a;b,",
            "a;b=\"\\\\\",",
            ",",
            "\"\\",
            "a; ",
            "permessage-deflate,",
            "permessage-deflate; ",
            "upgrade,",
        ] {
            let value = unit.repeat(LEN / unit.len()).into_bytes();
            for name in ["Connection", "Upgrade", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"] {
                LOOKED_AT.set(0);
                let fields = asked.into_iter().chain([(name, &value[..])]);
                if let Ok(Some(handshake)) = Handshake::from_parts(b"GET", Version::Http11, fields) {
                    let _ = deflate::negotiate(&handshake, deflate::Config::new());
                }
                let fields = answered.into_iter().chain([(name, &value[..])]);
                let _ = request.judge_parts(Version::Http11, Status::SWITCHING_PROTOCOLS, fields);
                assert!(LOOKED_AT.get() <= 12 * LEN, "{} for {name}: {unit}", LOOKED_AT.get() / LEN);
                most = most.max(LOOKED_AT.get() / LEN);
            }
        }
        assert!(most >= 2, "they were looked at: {most}");
    }
}
