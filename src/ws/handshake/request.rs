//! The client's request, and what an answer to it must be (RFC 6455 §4.1).

use core::fmt::{self, Write};
use core::str;

use super::misuse::{Misuse, check_fields};
use super::{ACCEPT_LEN, KEY_LEN, Violation, accept_value, asks_for_upgrade, deflate, extension_fits};
use crate::bytes::num;
use crate::digest::base64;
use crate::http::{Status, Version, is_name, list, trim};
use crate::http1;
use crate::io::{SendError, Tx};
use crate::ws::Url;

/// What a client asks for: the request it sends, and the judge of the answer.
///
/// ```
/// use hopwire::http1::{Client, client::Event};
/// use hopwire::io::{Rx, Tx};
/// use hopwire::ws::{self, Url, handshake::{Request, deflate}};
/// use hopwire::time::Instant;
///
/// let nonce = *b"the sample nonce"; // 16 bytes nobody can predict, others for each connection
/// let request = Request::new(Url::parse("ws://example.com/chat")?, nonce)
///     .subprotocols(&["chat", "superchat"])
///     .deflate(&[deflate::Offer::ANY])
///     .fields(&[("Origin", b"http://example.com")]);
/// let (mut http, mut out) = (Client::default(), [0; 512]);
/// let mut tx = Tx::new(&mut out);
/// request.send(&mut http, &mut tx)?;
/// assert_eq!(tx.written(), b"GET /chat HTTP/1.1\r\n\
///     Host: example.com\r\n\
///     Upgrade: websocket\r\n\
///     Connection: Upgrade\r\n\
///     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
///     Sec-WebSocket-Version: 13\r\n\
///     Sec-WebSocket-Protocol: chat, superchat\r\n\
///     Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
///     Origin: http://example.com\r\n\r\n");
///
/// let mut received = *b"HTTP/1.1 101 Switching Protocols\r\n\
///     Upgrade: websocket\r\n\
///     Connection: Upgrade\r\n\
///     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
///     Sec-WebSocket-Protocol: chat\r\n\r\n\x81\x02hi";
/// let mut rx = Rx::new(&mut received);
/// let Some(Event::Switched(response)) = http.poll(Instant::ZERO, &mut rx)? else { panic!() };
/// let agreed = request.judge(&response)?.expect("a 101");
/// assert_eq!((agreed.subprotocol, agreed.deflate), (Some("chat"), None));
/// // What follows is WebSocket.
/// let mut conn = ws::Connection::client(|key: &mut [u8]| key.fill(0x5c), ws::Config::new());
/// let Some(ws::Event::Text { text, end: true }) = conn.poll(Instant::ZERO, &mut rx, &mut tx)? else { panic!() };
/// assert_eq!(text, "hi");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "it is not written yet"]
pub struct Request<'a> {
    url: Url<'a>,
    key: [u8; KEY_LEN],
    subprotocols: &'a [&'a str],
    deflate: &'a [deflate::Offer],
    fields: &'a [(&'a str, &'a [u8])],
}

/// What both sides agreed to: from here on they speak WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed<'a> {
    /// The subprotocol that the server chose, as it was offered.
    pub subprotocol: Option<&'a str>,
    /// The parameters of permessage-deflate, if the server took an offer.
    pub deflate: Option<deflate::Params>,
}

impl<'a> Request<'a> {
    /// Asks for a WebSocket at `url`. §4.1: the nonce is "a randomly selected 16-byte value" and "MUST be selected randomly
    /// for each connection".
    pub fn new(url: Url<'a>, nonce: [u8; 16]) -> Self {
        let mut key = [0; KEY_LEN];
        base64::encode(&nonce, &mut key).expect("24 characters stand for 16 bytes");
        Self { url, key, subprotocols: &[], deflate: &[], fields: &[] }
    }

    /// Offers subprotocols, the one liked best first.
    pub const fn subprotocols(self, names: &'a [&'a str]) -> Self {
        Self { subprotocols: names, ..self }
    }

    /// Offers permessage-deflate, the offer liked best first.
    pub const fn deflate(self, offers: &'a [deflate::Offer]) -> Self {
        Self { deflate: offers, ..self }
    }

    /// Sends fields of the caller's along (`Origin`, `Authorization`, cookies), after the handshake's own.
    pub const fn fields(self, fields: &'a [(&'a str, &'a [u8])]) -> Self {
        Self { fields, ..self }
    }

    /// The handshake's own fields, in order, for callers that send the request by other means: `GET`, HTTP/1.1, with the
    /// path and query of the URL.
    ///
    /// # Errors
    /// `Misuse` for subprotocols, offers or fields that cannot be there.
    pub fn header(&self) -> Result<impl Iterator<Item = (&'static str, Value<'_>)>, Misuse> {
        self.check()?;
        Ok(self.own_fields())
    }

    /// Sends the request through `http`, whose next response is the answer: 101 is [`Event::Switched`], to be judged;
    /// anything else an ordinary response, content and all. Its deadlines are those of the handshake
    /// ([`Config::whole_timeout`]).
    ///
    /// [`Event::Switched`]: http1::client::Event::Switched
    /// [`Config::whole_timeout`]: http1::client::Config::whole_timeout
    ///
    /// # Errors
    /// `Full`; `Misuse` as in [`header`](Self::header), or if no request may follow those that `http` sent.
    pub fn send(&self, http: &mut http1::Client, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        http.may_request(http1::BodyLength::None).map_err(|misuse| SendError::Misuse(Misuse::Http(misuse)))?;
        self.write(tx)?;
        http.offers(b"websocket");
        Ok(())
    }

    /// Writes the whole request, for callers with their own HTTP. Nothing may follow it before the answer is there.
    ///
    /// # Errors
    /// `Full`; `Misuse` as in [`header`](Self::header).
    pub fn write(&self, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.check()?;
        let mut len = 0;
        self.put_all(&mut |bytes| len += bytes.len());
        let mut free = tx.reserve(len)?;
        self.put_all(&mut |bytes| {
            let (space, rest) = core::mem::take(&mut free).split_at_mut(bytes.len());
            space.copy_from_slice(bytes);
            free = rest;
        });
        Ok(())
    }

    /// Judges an answer; see [`judge_parts`](Self::judge_parts). What follows the head of a 101 stays in the
    /// [`Rx`](crate::io::Rx), for a [`Connection`](crate::ws::Connection).
    ///
    /// # Errors
    /// A 101 that is no answer to this request: close the transport.
    pub fn judge(&self, response: &http1::Response<'_>) -> Result<Option<Agreed<'a>>, Violation> {
        let fields = response.fields.iter().map(|field| (field.name.as_bytes(), field.value));
        self.judge_parts(response.version, response.status, fields)
    }

    /// Judges an answer read by any HTTP implementation: its version, its status, its fields in their order, each name
    /// in any case. Values may still have white space around them.
    ///
    /// `Ok(None)` is an ordinary response (401, 302, 400 …): the server does not speak WebSocket with this request.
    ///
    /// # Errors
    /// A 101 that is no answer to this request: close the transport.
    pub fn judge_parts<'r, N: AsRef<[u8]>>(
        &self,
        version: Version,
        status: Status,
        fields: impl IntoIterator<Item = (N, &'r [u8])>,
    ) -> Result<Option<Agreed<'a>>, Violation> {
        // §4.1 1: "If the status code received from the server is not 101, the client handles the response per HTTP".
        if status != Status::SWITCHING_PROTOCOLS {
            return Ok(None);
        }
        let mut seen = Seen::default();
        for (name, value) in fields {
            seen.field(name.as_ref(), trim(value));
        }
        seen.judge(self, version).map(Some)
    }

    fn own_fields(&self) -> impl Iterator<Item = (&'static str, Value<'_>)> {
        let key = str::from_utf8(&self.key).expect("base64 is ASCII");
        let always = [
            ("Host", Value::Text(self.url.authority())),
            ("Upgrade", Value::Text("websocket")),
            ("Connection", Value::Text("Upgrade")),
            ("Sec-WebSocket-Key", Value::Text(key)),
            ("Sec-WebSocket-Version", Value::Text("13")),
        ];
        let subprotocols = (!self.subprotocols.is_empty())
            .then_some(("Sec-WebSocket-Protocol", Value::Subprotocols(self.subprotocols)));
        let deflate = (!self.deflate.is_empty()).then_some(("Sec-WebSocket-Extensions", Value::Deflate(self.deflate)));
        always.into_iter().chain(subprotocols).chain(deflate)
    }

    fn check(&self) -> Result<(), Misuse> {
        for (at, name) in self.subprotocols.iter().enumerate() {
            // §4.1 10: "MUST all be unique strings".
            if list::token(name.as_bytes()).is_none() || self.subprotocols.iter().take(at).any(|other| other == name) {
                return Err(Misuse::Subprotocol);
            }
        }
        if !self.deflate.iter().all(deflate::Offer::is_in_range) {
            return Err(Misuse::Deflate);
        }
        check_fields(self.fields, &["host", "upgrade", "connection", "content-length", "transfer-encoding", "expect"])
    }

    /// "an extension that was not present in the client's handshake" fails the connection, and so does a value that does
    /// not fit the grammar of §9.1.
    fn agreed_deflate(&self, extensions: &[u8]) -> Result<deflate::Params, Violation> {
        let mut elements = list::elements(extensions);
        let (Some(element), None) = (elements.next(), elements.next()) else { return Err(Violation::Extension) };
        if self.deflate.is_empty() || !extension_fits(element) || !deflate::is_deflate(element) {
            return Err(Violation::Extension);
        }
        deflate::agreed(element, self.deflate).ok_or(Violation::Deflate)
    }

    fn agreed_subprotocol(&self, name: &[u8]) -> Result<&'a str, Violation> {
        let offered = self.subprotocols.iter().find(|offered| offered.as_bytes() == name);
        offered.copied().ok_or(Violation::Subprotocol)
    }

    fn put_all(&self, put: &mut dyn FnMut(&[u8])) {
        put(b"GET ");
        put(self.url.path().as_bytes());
        if let Some(query) = self.url.query() {
            put(b"?");
            put(query.as_bytes());
        }
        put(b" HTTP/1.1\r\n");
        for (name, value) in self.own_fields() {
            write!(Put(put), "{name}: {value}\r\n").expect("Put takes everything");
        }
        for (name, value) in self.fields {
            [name.as_bytes(), b": ", value, b"\r\n"].into_iter().for_each(&mut *put);
        }
        put(b"\r\n");
    }
}

/// The value of one of the handshake's own fields; [`Display`](fmt::Display) writes it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Value<'a> {
    /// As it stands.
    Text(&'a str),
    /// A list of subprotocols.
    Subprotocols(&'a [&'a str]),
    /// A list of offers.
    Deflate(&'a [deflate::Offer]),
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Subprotocols(names) => write_list(f, names),
            Self::Deflate(offers) => write_list(f, offers),
        }
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, elements: &[impl fmt::Display]) -> fmt::Result {
    for (at, element) in elements.iter().enumerate() {
        let separator = if at == 0 { "" } else { ", " };
        write!(f, "{separator}{element}")?;
    }
    Ok(())
}

struct Put<'p>(&'p mut dyn FnMut(&[u8]));

impl Write for Put<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        (self.0)(text.as_bytes());
        Ok(())
    }
}

/// What the fields of a 101 say.
#[derive(Default)]
struct Seen<'r> {
    /// Whether Upgrade, if it is there, is `websocket` and nothing else.
    upgrade: Option<bool>,
    connection: bool,
    accept: Option<&'r [u8]>,
    subprotocol: Option<&'r [u8]>,
    extensions: Option<&'r [u8]>,
    /// A field that must stand alone did not.
    repeated: bool,
    body: bool,
}

impl<'r> Seen<'r> {
    fn field(&mut self, name: &[u8], value: &'r [u8]) {
        match name.len() {
            7 if is_name(name, b"upgrade") => {
                self.upgrade = Some(self.upgrade.is_none() && value.eq_ignore_ascii_case(b"websocket"));
            }
            10 if is_name(name, b"connection") => self.connection |= asks_for_upgrade(value),
            14 if is_name(name, b"content-length") => self.body |= num::decimal(value) != Some(0),
            17 if is_name(name, b"transfer-encoding") => self.body = true,
            20 if is_name(name, b"sec-websocket-accept") => self.repeated |= self.accept.replace(value).is_some(),
            22 if is_name(name, b"sec-websocket-protocol") => {
                self.repeated |= self.subprotocol.replace(value).is_some();
            }
            24 if is_name(name, b"sec-websocket-extensions") => {
                self.repeated |= self.extensions.replace(value).is_some();
            }
            _ => {}
        }
    }

    /// §4.1, in the order of its numbers: 2 Upgrade, 3 Connection, 4 Accept, 5 extensions, 6 subprotocol.
    fn judge<'a>(self, request: &Request<'a>, version: Version) -> Result<Agreed<'a>, Violation> {
        // §4.2.2: "A Status-Line with a 101 response code as per RFC 2616", which HTTP/1.0 does not know.
        if version < Version::Http11 {
            return Err(Violation::Version);
        }
        if self.upgrade != Some(true) {
            return Err(Violation::Upgrade);
        }
        if !self.connection {
            return Err(Violation::Connection);
        }
        // §11.3.2 to §11.3.4: Extensions, Accept and Protocol "MUST NOT appear more than once in an HTTP response".
        if self.repeated {
            return Err(Violation::Repeated);
        }
        // Content would follow the head, and be taken for frames.
        if self.body {
            return Err(Violation::Body);
        }
        let accept: [u8; ACCEPT_LEN] = accept_value(&request.key);
        if self.accept != Some(&accept) {
            return Err(Violation::Accept);
        }
        Ok(Agreed {
            deflate: self.extensions.map(|value| request.agreed_deflate(value)).transpose()?,
            subprotocol: self.subprotocol.map(|name| request.agreed_subprotocol(name)).transpose()?,
        })
    }
}
