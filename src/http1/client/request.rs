//! The head of a request, judged and written.

use super::offer::Offer;
use crate::bytes::table;
use crate::http::{Method, list};
use crate::http1::emit::{self, FieldList, Length, Outline};
use crate::http1::framing::{Asked, BodyLength};
use crate::http1::misuse::Misuse;
use crate::http1::target::{Authority, Target};
use crate::io::{SendError, Tx};

/// What a connection must know of a request that it sends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) asked: Asked,
    /// No request may follow before its final response has begun.
    pub(super) alone: bool,
    pub(super) expects_continue: bool,
    /// The connection option `close` is there.
    pub(super) close: bool,
    pub(super) offer: Offer,
    pub(super) body: BodyLength,
}

/// Writes the head of a request, and `content` behind it, whole or not at all.
#[inline]
pub(super) fn write(
    method: Method<'_>,
    target: &[u8],
    fields: FieldList<'_>,
    body: BodyLength,
    content: &[u8],
    tx: &mut Tx<'_>,
) -> Result<Facts, SendError<Misuse>> {
    let (outline, findings) = look(fields)?;
    let target = Target::to_send(method, target).ok_or(SendError::Misuse(Misuse::Target))?;
    fits_host(target, findings.host)?;
    let length = framing(method, body, findings.expects_continue)?;
    emit::request(method, target.as_bytes(), fields, &outline, length, content, tx)?;
    let leaves_http = method == Method::Connect || !findings.offer.is_none();
    Ok(Facts {
        asked: Asked::by(method),
        alone: leaves_http || !method.is_idempotent(),
        expects_continue: findings.expects_continue,
        close: outline.close,
        offer: findings.offer,
        body,
    })
}

/// What a look at the fields of a request finds that a response's do not have.
struct Findings<'a> {
    host: Option<&'a [u8]>,
    expects_continue: bool,
    /// The connection option that goes with TE is there.
    te_option: bool,
    offer: Offer,
}

/// Judges the fields of a request as [`emit::outline`] does, and by what they mean in one.
#[inline]
fn look<'a>(fields: &[(&str, &'a [u8])]) -> Result<(Outline, Findings<'a>), Misuse> {
    let mut outline = Outline::default();
    let mut findings = Findings { host: None, expects_continue: false, te_option: false, offer: Offer::NONE };
    for &(name, value) in fields {
        outline.add(name, value)?;
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        match name.len() {
            2 if is("te") => outline.te = true,
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
                findings.te_option |= list::connection_options(value).any(|option| option.eq_ignore_ascii_case(b"te"));
            }
            _ => {}
        }
    }
    outline.te &= !findings.te_option;
    Ok((outline, findings))
}

/// "A client MUST send a Host header field [..] in all HTTP/1.1 request messages. If the target URI includes an authority
/// component, then a client MUST send a field value for Host that is identical to that authority component [..]. If
/// the authority component is missing or undefined for the target URI, then a client MUST send a Host header field with an
/// empty field value" (RFC 9112 §3.2).
#[inline]
fn fits_host(target: Target<'_>, host: Option<&[u8]>) -> Result<(), Misuse> {
    let host = host.ok_or(Misuse::Host)?;
    let fits = match target {
        // None, a plain name, or something rarer.
        Target::Origin(_) | Target::Asterisk => {
            host.iter().all(|&b| table::is_reg_name(b)) || Authority::parse(host).is_some()
        }
        Target::Absolute(_) => target.authority().is_some_and(|own| own.as_bytes().eq_ignore_ascii_case(host)),
        // The examples of §3.2.3 leave the port out.
        Target::Authority(own) => {
            Authority::parse(host).is_some_and(|host| own.host().eq_ignore_ascii_case(host.host()))
        }
    };
    if fits { Ok(()) } else { Err(Misuse::Host) }
}

/// How the request's content is framed (RFC 9110 §8.6, RFC 9112 §6).
#[inline]
pub(in crate::http1) fn framing(
    method: Method<'_>,
    body: BodyLength,
    expects_continue: bool,
) -> Result<Length, Misuse> {
    let is_empty = matches!(body, BodyLength::None | BodyLength::Length(0));
    // "A client MUST NOT generate a 100-continue expectation in a request that does not include content" (RFC 9110
    // §10.1.1).
    if is_empty && expects_continue {
        return Err(Misuse::Expectation);
    }
    match (method, body) {
        // "A client MUST NOT send content in a TRACE request" (RFC 9110 §9.3.8).
        (Method::Trace, _) if !is_empty => Err(Misuse::ContentNotAllowed),
        // A tunnel's bytes follow its head (RFC 9110 §9.3.6).
        (Method::Connect, BodyLength::Length(_) | BodyLength::Chunked) => Err(Misuse::ContentNotAllowed),
        (_, BodyLength::Chunked) => Ok(Length::Chunked),
        (_, BodyLength::Length(length @ 1..)) => Ok(Length::Exact(length)),
        // "a user agent normally sends Content-Length in a POST request even when the value is 0 (indicating empty
        // content)", and not "when the request message does not contain content and the method semantics do not
        // anticipate such data" (RFC 9110 §8.6).
        (Method::Post | Method::Put | Method::Patch, _) => Ok(Length::Exact(0)),
        _ => Ok(Length::Unsaid),
    }
}
