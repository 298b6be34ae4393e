//! What the caller's requests become.

use super::{Client, Expects, Incoming, Offer, Timer, Unusable};
use crate::http::{Method, list};
use crate::http1::content::Content;
use crate::http1::cycle::State;
use crate::http1::framing::{Asked, BodyLength};
use crate::http1::misuse::Misuse;
use crate::http1::response::ResponseHead;
use crate::http1::target::{Authority, Target};
use crate::http1::{emit, emit::Length};
use crate::io::{SendError, Tx};

/// What a look at the fields of a request found that a response's do not have.
struct Findings<'a> {
    host: Option<&'a [u8]>,
    expects_continue: bool,
    /// There is a TE field, and the connection option that goes with it.
    te: bool,
    te_option: bool,
    offer: Offer,
}

impl Client {
    /// Begins a request: its head, written whole or not at all. Then come [`body`](Self::body) and [`end`](Self::end),
    /// unless `body` is [`BodyLength::None`]: that request is complete.
    ///
    /// Host must be among `fields`, best as the first of them (RFC 9110 §7.2), and be the target's where that has an
    /// authority. The engine writes Content-Length or Transfer-Encoding, and the connection options that belong to
    /// Upgrade and TE. `Connection: close` makes this the last request. `Expect: 100-continue` says that the caller
    /// waits for [`Event::Continue`](super::Event::Continue) before the content.
    ///
    /// Choose [`BodyLength::Chunked`] for a server that is known to speak HTTP/1.1 ("A client MUST NOT use the chunked
    /// transfer coding unless it knows the server will handle HTTP/1.1", RFC 9112 §6.3); after an answer in HTTP/1.0
    /// it is refused.
    pub fn request(
        &mut self,
        method: Method<'_>,
        target: &[u8],
        fields: &[(&str, &[u8])],
        body: BodyLength,
        tx: &mut Tx<'_>,
    ) -> Result<(), SendError<Misuse>> {
        self.begin(method, target, fields, body, b"", tx)?;
        if body == BodyLength::None {
            self.request_ends();
        }
        Ok(())
    }

    /// A request with all of its content, written whole or not at all.
    #[inline]
    pub fn request_with(
        &mut self,
        method: Method<'_>,
        target: &[u8],
        fields: &[(&str, &[u8])],
        content: &[u8],
        tx: &mut Tx<'_>,
    ) -> Result<(), SendError<Misuse>> {
        self.begin(method, target, fields, BodyLength::Length(content.len() as u64), content, tx)?;
        self.expects = Expects::Nothing;
        self.content = Content::Exact(0);
        self.request_ends();
        Ok(())
    }

    /// Sends content: all of `data`, or as much as fits; how much that was. With chunked content, each call makes a
    /// chunk. Nothing fits: [`Full`](crate::io::Full).
    #[inline]
    pub fn body(&mut self, data: &[u8], tx: &mut Tx<'_>) -> Result<usize, SendError<Misuse>> {
        self.sending()?;
        let taken = self.content.put(data, tx)?;
        self.waits_no_more();
        Ok(taken)
    }

    /// Announces `len` bytes of content that the caller itself puts on the wire behind what is in `tx` (writev,
    /// sendfile), as [`Server::body_prefix`](crate::http1::Server::body_prefix) does; it is to write them all.
    pub fn body_prefix(&mut self, len: u64, tx: &mut Tx<'_>) -> Result<u64, SendError<Misuse>> {
        self.sending()?;
        let announced = self.content.prefix(len, tx)?;
        self.waits_no_more();
        Ok(announced)
    }

    /// Ends the chunk of the last [`body_prefix`](Self::body_prefix), if that needs anything. For a server that waits
    /// for it while nothing else is to be sent.
    pub fn body_suffix(&mut self, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.sending()?;
        Ok(self.content.suffix(tx)?)
    }

    /// Ends the request, with `trailers` if its content is chunked.
    pub fn end(&mut self, trailers: &[(&str, &[u8])], tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.sending()?;
        self.content.end(trailers, tx)?;
        self.waits_no_more();
        self.request_ends();
        Ok(())
    }

    /// A GET that offers to leave HTTP for `protocol` was written by its owner, who had asked
    /// [`may_request`](Self::may_request) before.
    pub(crate) fn offers(&mut self, protocol: &[u8; 9]) {
        let mut offer = Offer::NONE;
        offer.add(protocol).expect("an offer has room for nine bytes");
        self.begun(Asked::Other, true, offer);
        self.expects = Expects::Nothing;
        self.content = Content::Exact(0);
        self.request_ends();
    }

    /// The head of a request, with all content of a short one.
    #[inline]
    fn begin(
        &mut self,
        method: Method<'_>,
        target: &[u8],
        fields: &[(&str, &[u8])],
        body: BodyLength,
        content: &[u8],
        tx: &mut Tx<'_>,
    ) -> Result<(), SendError<Misuse>> {
        self.may_request().map_err(SendError::Misuse)?;
        let mut outline = emit::outline(fields).map_err(SendError::Misuse)?;
        let findings = look(fields).map_err(SendError::Misuse)?;
        let target = Target::parse(method, target).map_err(|_| SendError::Misuse(Misuse::Target))?;
        fits_host(target, findings.host).map_err(SendError::Misuse)?;
        let length = self.length(method, body, findings.expects_continue).map_err(SendError::Misuse)?;
        outline.te = findings.te && !findings.te_option;
        emit::request(method, target.as_bytes(), fields, &outline, length, content, tx)?;

        let asked = Asked::by(method);
        let leaves_http = asked == Asked::Connect || !findings.offer.is_none();
        self.begun(asked, leaves_http || !method.is_idempotent(), findings.offer);
        self.expects = if findings.expects_continue { Expects::Continue } else { Expects::Nothing };
        self.content = match body {
            BodyLength::None => Content::Exact(0),
            BodyLength::Length(length) => Content::Exact(length),
            BodyLength::Chunked => Content::CHUNKED,
        };
        if outline.close {
            self.pipeline.close();
            self.ends(Unusable::Closing);
        }
        Ok(())
    }

    /// The head of a request is written. `alone`: none may follow before its final status is known.
    #[inline]
    fn begun(&mut self, asked: Asked, alone: bool, offer: Offer) {
        self.deadlines.clear(Timer::Idle as usize);
        if self.pipeline.len() == 0 {
            self.incoming = Incoming::Head(ResponseHead::to(asked));
        }
        self.pipeline.begin(asked, alone);
        self.offer = offer;
    }

    /// Whether a request may follow those that were sent.
    pub(crate) fn may_request(&self) -> Result<(), Misuse> {
        match () {
            // "A client MAY send additional requests on a persistent connection until it sends or receives a 'close'
            // connection option or receives an HTTP/1.0 response without a 'keep-alive' connection option" (§9.3).
            () if self.unusable.is_some() => Err(Misuse::Closed),
            () if self.pipeline.is_open() => Err(Misuse::RequestIncomplete),
            () if self.pipeline.len() >= self.bounds.pipeline.into() => Err(Misuse::Pipeline),
            () if self.pipeline.is_blocked() => Err(Misuse::Pipeline),
            () => Ok(()),
        }
    }

    /// How the request's content is framed (RFC 9110 §8.6, RFC 9112 §6).
    #[inline]
    fn length(&self, method: Method<'_>, body: BodyLength, expects_continue: bool) -> Result<Length, Misuse> {
        let is_empty = matches!(body, BodyLength::None | BodyLength::Length(0));
        // "A client MUST NOT generate a 100-continue expectation in a request that does not include content" (RFC 9110
        // §10.1.1).
        if is_empty && expects_continue {
            return Err(Misuse::Expectation);
        }
        match (method, body) {
            // "A client MUST NOT send content in a TRACE request" (§9.3.8).
            (Method::Trace, _) if !is_empty => Err(Misuse::ContentNotAllowed),
            // A tunnel's bytes follow its head (§9.3.6).
            (Method::Connect, BodyLength::Length(_) | BodyLength::Chunked) => Err(Misuse::ContentNotAllowed),
            (_, BodyLength::Chunked) if self.http10 => Err(Misuse::Http10),
            (_, BodyLength::Chunked) => Ok(Length::Chunked),
            (_, BodyLength::Length(length @ 1..)) => Ok(Length::Exact(length)),
            // "a user agent normally sends Content-Length in a POST request even when the value is 0 (indicating empty
            // content)", and not "when the request message does not contain content and the method semantics do not
            // anticipate such data" (§8.6).
            (Method::Post | Method::Put | Method::Patch, _) => Ok(Length::Exact(0)),
            _ => Ok(Length::Unsaid),
        }
    }

    #[inline]
    fn sending(&self) -> Result<(), SendError<Misuse>> {
        if self.pipeline.is_open() {
            return Ok(());
        }
        let is_over = !self.pipeline.cycle.keep_alive
            || matches!(self.pipeline.cycle.client, State::Switched | State::Failed | State::Closed);
        Err(SendError::Misuse(if is_over { Misuse::Closed } else { Misuse::NoRequest }))
    }

    /// Content goes, whether or not it was asked for.
    fn waits_no_more(&mut self) {
        self.expects = Expects::Nothing;
        self.deadlines.clear(Timer::Continue as usize);
    }

    /// The request is complete.
    fn request_ends(&mut self) {
        self.pipeline.end();
        // Its answer may be too.
        match self.pipeline.cycle.client {
            State::MustClose => self.stop(),
            State::Idle => self.exchange_ends(),
            _ => {}
        }
    }

    /// Request and response are complete.
    pub(super) fn exchange_ends(&mut self) {
        self.deadlines.clear(Timer::Whole as usize);
        self.incoming = match self.pipeline.first() {
            Some(asked) => Incoming::Head(ResponseHead::to(asked)),
            None => Incoming::Nothing,
        };
    }
}

fn look<'a>(fields: &[(&str, &'a [u8])]) -> Result<Findings<'a>, Misuse> {
    let mut findings =
        Findings { host: None, expects_continue: false, te: false, te_option: false, offer: Offer::NONE };
    for &(name, value) in fields {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        match name.len() {
            2 if is("te") => findings.te = true,
            4 if is("host") && findings.host.is_some() => return Err(Misuse::Host),
            4 if is("host") => findings.host = Some(value),
            6 if is("expect") => {
                if !value.eq_ignore_ascii_case(b"100-continue") {
                    return Err(Misuse::Expectation);
                }
                findings.expects_continue = true;
            }
            7 if is("upgrade") => findings.offer.add(value)?,
            10 if is("connection") => {
                findings.te_option |= list::elements(value).any(|option| option.eq_ignore_ascii_case(b"te"));
            }
            _ => {}
        }
    }
    Ok(findings)
}

/// "A client MUST send a Host header field in all HTTP/1.1 request messages. If the target URI includes an authority
/// component, then a client MUST send a field value for Host that is identical to that authority component [..]. If
/// the authority component is missing or undefined for the target URI, then a client MUST send a Host header field with an
/// empty field value" (RFC 9112 §3.2).
#[inline]
fn fits_host(target: Target<'_>, host: Option<&[u8]>) -> Result<(), Misuse> {
    let host = host.ok_or(Misuse::Host)?;
    let fits = match (target, Authority::parse(host)) {
        (Target::Absolute(_), _) => target.authority().is_some_and(|own| own.as_bytes().eq_ignore_ascii_case(host)),
        // The examples of §3.2.3 leave the port out.
        (Target::Authority(own), Some(host)) => own.host().eq_ignore_ascii_case(host.host()),
        (Target::Authority(_), None) => false,
        (Target::Origin(_) | Target::Asterisk, authority) => host.is_empty() || authority.is_some(),
    };
    if fits { Ok(()) } else { Err(Misuse::Host) }
}
