//! The WebSocket handshake, from the bytes of a request to those of its answer.

use hopwire::digest::{base64, sha1};
use hopwire::http::Version;
use hopwire::http1::{HeadLimits, RequestHead};
use hopwire::io::{Rx, SendError, Tx};
use hopwire::ws::handshake::{Handshake, OriginPolicy, deflate};

use super::{crlf_lines, field_line};

pub fn run(data: &[u8]) {
    let mut bytes = data.to_vec();
    let Ok(Some(request)) = RequestHead::new().poll(&mut Rx::new(&mut bytes), &HeadLimits::new()) else { return };
    let fields: Vec<_> = request.fields.iter().map(|field| (field.name.as_bytes(), field.value)).collect();
    let judged = Handshake::from_parts(request.method.as_bytes(), request.version, fields.iter().copied());
    let all = |name: &str| -> Vec<&[u8]> {
        let named = fields.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes()));
        named.map(|(_, value)| *value).collect()
    };
    let mut out = [0; 2048];
    let mut tx = Tx::new(&mut out);
    match judged {
        Ok(None) => assert_eq!(all("sec-websocket-key"), [b""; 0], "a key, and taken for an ordinary request"),
        Err(refusal) => {
            refusal.write(&mut tx).expect("there is room");
            let (status, fields) = answer(tx.written());
            assert_eq!(status, refusal.status().code());
            assert!(
                (400..500).contains(&status)
                    && fields.iter().any(|(name, value)| name == "content-length" && value == b"0")
            );
            assert_eq!(
                status == 426,
                fields.iter().any(|(name, value)| name == "sec-websocket-version" && value == b"13")
            );
        }
        Ok(Some(handshake)) => {
            assert!(request.method.as_bytes() == b"GET" && request.version == Version::Http11);
            assert_eq!(all("sec-websocket-version"), [b"13"]);
            let keys = all("sec-websocket-key");
            let [key] = keys.as_slice() else { panic!("accepted with {} keys", keys.len()) };
            assert!(key.len() == 24 && key.ends_with(b"=="));
            assert!(all("transfer-encoding").is_empty(), "content on the upgrade");
            assert!(
                all("content-length").iter().all(|length| length.iter().all(|&b| b == b'0')),
                "content on the upgrade"
            );
            assert_eq!(all("origin").first().copied(), handshake.origin());
            for offer in handshake.extensions() {
                assert!(!offer.is_empty());
            }
            let deflate = deflate::negotiate(&handshake, deflate::Config::default());
            let chosen = handshake.subprotocols().last();
            let agreed = handshake.accept(OriginPolicy::Any).expect("any origin may").deflate(deflate);
            let agreed = chosen.as_ref().map_or(agreed, |name| agreed.subprotocol(name.as_str()));
            // A long name is the client's own, and need not fit.
            match agreed.write(&mut tx) {
                Err(SendError::Full(_)) => return,
                written => written.expect("what was offered is chosen"),
            }
            let (status, fields) = answer(tx.written());
            let value = |name: &str| fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_slice());
            assert_eq!(status, 101);
            assert_eq!(value("sec-websocket-accept"), Some(&accept(key)[..]));
            assert_eq!(value("sec-websocket-protocol"), chosen.as_ref().map(|name| name.as_bytes()));
            assert_eq!(value("upgrade"), Some(&b"websocket"[..]));
            let extensions = deflate.map(|params| params.to_string().into_bytes());
            assert_eq!(value("sec-websocket-extensions"), extensions.as_deref());
        }
    }
}

fn accept(key: &[u8]) -> [u8; 28] {
    let mut accept = [0; 28];
    let digest = sha1::digest(&[key, b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat());
    base64::encode(&digest, &mut accept).expect("20 bytes are 28 characters");
    accept
}

/// A whole head and nothing else: its status, and its fields with their names in lower case.
fn answer(wire: &[u8]) -> (u16, Vec<(String, Vec<u8>)>) {
    let lines = crlf_lines(wire).expect("lines");
    let [line, fields @ .., b""] = lines.as_slice() else { panic!("not a head: {}", wire.escape_ascii()) };
    let status = std::str::from_utf8(&line[9..12]).unwrap().parse().expect("three digits");
    let field = |line: &&[u8]| {
        let (name, value) = field_line(line).expect("a field line");
        (String::from_utf8_lossy(name).to_ascii_lowercase(), value.to_vec())
    };
    (status, fields.iter().map(field).collect())
}
