//! The WebSocket handshake's answer: whatever a server says, a client takes only what it asked for.

use hopwire::http::{Method, Version};
use hopwire::http1::{HeadLimits, ResponseHead};
use hopwire::io::Rx;
use hopwire::ws::Url;
use hopwire::ws::handshake::{Agreed, Request, Violation, deflate};

use super::feeds;

const SUBPROTOCOLS: [&str; 2] = ["chat", "superchat"];
const OFFERS: [deflate::Offer; 2] =
    [deflate::Offer { server_max_window_bits: Some(10), ..deflate::Offer::ANY }, deflate::Offer::ANY];

pub fn run(data: &[u8]) {
    let url = Url::parse("ws://server.example.com/chat").expect("a URL");
    let request = Request::new(url, *b"the sample nonce").subprotocols(&SUBPROTOCOLS).deflate(&OFFERS);
    let whole = judge(&request, &[data]);
    for pieces in feeds(data) {
        assert_eq!(judge(&request, &pieces), whole);
    }
}

/// What the client makes of it, beside what the book says; and how much was consumed.
fn judge(request: &Request<'static>, pieces: &[&[u8]]) -> Option<(Result<Option<Agreed<'static>>, Violation>, usize)> {
    let (mut head, mut inbox) = (ResponseHead::new(Method::Get), Vec::new());
    for piece in pieces {
        inbox.extend_from_slice(piece);
        let mut rx = Rx::new(&mut inbox);
        let Some(response) = head.poll(&mut rx, &HeadLimits::default()).ok()? else { continue };
        let judged = request.judge(&response);
        let fields: Vec<_> = response.fields.iter().map(|field| (field.name.as_bytes(), field.value)).collect();
        if response.status.code() != 101 {
            assert_eq!(judged, Ok(None));
        } else {
            by_the_book(&fields, response.version, judged);
        }
        return Some((judged, rx.consumed()));
    }
    None
}

fn by_the_book(fields: &[(&[u8], &[u8])], version: Version, judged: Result<Option<Agreed<'_>>, Violation>) {
    let all = |name: &str| -> Vec<&[u8]> {
        let named = fields.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes()));
        named.map(|(_, value)| *value).collect()
    };
    let [accepts, protocols, extensions] =
        ["accept", "protocol", "extensions"].map(|it| all(&format!("sec-websocket-{it}")));
    let upgrades = all("upgrade");
    let options = all("connection").join(&b","[..]);
    let right = version == Version::Http11
        && matches!(upgrades.as_slice(), [one] if one.eq_ignore_ascii_case(b"websocket"))
        && options.split(|&b| b == b',').any(|option| option.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
        && accepts == [b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]
        && protocols.len() <= 1
        && protocols.iter().all(|name| SUBPROTOCOLS.iter().any(|own| own.as_bytes() == *name))
        && extensions.len() <= 1
        && all("transfer-encoding").is_empty()
        && all("content-length").iter().all(|length| !length.is_empty() && length.iter().all(|&b| b == b'0'));
    match judged {
        Ok(agreed) => {
            assert!(right, "taken against the book: {fields:?}");
            let agreed = agreed.expect("a 101 is taken or fails");
            assert_eq!(agreed.subprotocol.map(str::as_bytes), protocols.first().copied());
            assert_eq!(agreed.deflate.is_some(), extensions.len() == 1);
            // Elements of a list may be empty.
            let starts = |value: &[u8]| value.iter().position(|b| !b", \t".contains(b)).unwrap_or(0);
            assert!(extensions.iter().all(|value| value[starts(value)..].starts_with(b"permessage-deflate")));
            let Some(params) = agreed.deflate else { return };
            let in_range = |bits: Option<u8>| bits.is_none_or(|bits| (8..=15).contains(&bits));
            assert!(in_range(params.server_max_window_bits) && in_range(params.client_max_window_bits));
        }
        // How an extension is spelled is for the unit tests.
        Err(Violation::Extension | Violation::Deflate) => assert_eq!(extensions.len(), 1),
        Err(violation) => assert!(!right, "refused against the book ({violation}): {fields:?}"),
    }
}
