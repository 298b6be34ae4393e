//! `Sec-WebSocket-Accept` of one key: SHA-1 of 60 bytes, then base64. Most of what a handshake costs.
use crate::harness::*;
use base64::Engine;
use hopwire::http::Version;
use hopwire::ws::Handshake;
use std::hint::black_box;

pub fn run() {
    const AREA: &str = "accept_key";
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const WANT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let mut g = Group::new(AREA, "key24B");
    let fields: [(&str, &[u8]); 5] = [
        ("Host", b"server.example.com"),
        ("Upgrade", b"websocket"),
        ("Connection", b"Upgrade"),
        ("Sec-WebSocket-Key", KEY.as_bytes()),
        ("Sec-WebSocket-Version", b"13"),
    ];
    let handshake = Handshake::from_parts(b"GET", Version::Http11, fields).unwrap().unwrap();
    assert_eq!(handshake.accept_value(), *WANT.as_bytes());
    g.add_hopwire("", 1, move || {
        black_box(black_box(&handshake).accept_value());
    });
    fn sha1_base64(k: &str, out: &mut [u8; 28]) {
        use sha1::Digest;
        let mut h = sha1::Sha1::new();
        h.update(k.as_bytes());
        h.update(GUID);
        let n = base64::engine::general_purpose::STANDARD.encode_slice(h.finalize(), out).unwrap();
        assert!(n == 28);
    }
    let mut o = [0; 28];
    sha1_base64(KEY, &mut o);
    assert_eq!(&o, WANT.as_bytes());
    g.add("sha1(SHA-NI)+base64", 1, move || {
        sha1_base64(black_box(KEY), &mut o);
        black_box(&o);
    });
    fn smol(k: &str, out: &mut [u8; 28]) {
        let mut h = sha1_smol::Sha1::new();
        h.update(k.as_bytes());
        h.update(GUID);
        base64::engine::general_purpose::STANDARD.encode_slice(h.digest().bytes(), out).unwrap();
    }
    let mut o = [0; 28];
    smol(KEY, &mut o);
    assert_eq!(&o, WANT.as_bytes());
    g.add("sha1_smol+base64", 1, move || {
        smol(black_box(KEY), &mut o);
        black_box(&o);
    });
    assert_eq!(ws_net::accept_key(KEY.as_bytes()).as_str(), WANT);
    g.add("ws-net-accept_key", 1, || {
        black_box(ws_net::accept_key(black_box(KEY).as_bytes()));
    });
    assert_eq!(tungstenite::handshake::derive_accept_key(KEY.as_bytes()), WANT);
    g.add("tungstenite-derive_accept_key", 1, || {
        black_box(tungstenite::handshake::derive_accept_key(black_box(KEY).as_bytes()));
    });
    assert_eq!(sockudo_ws::handshake::generate_accept_key(KEY), WANT);
    g.add("sockudo-generate_accept_key", 1, || {
        black_box(sockudo_ws::handshake::generate_accept_key(black_box(KEY)));
    });
    g.run();
}
