//! Sending: the wire form, check then commit, and what must not be sent.

use hopwire::io::{Full, SendError, Tx};
use hopwire::ws::{CloseCode, Config, Kind, Misuse};

use crate::driver::{KEY, NOW, client, frame, frames, server};

#[test]
fn every_length_form_in_both_roles() {
    for len in [0, 1, 16, 125, 126, 127, 0xffff, 0x10000, 70_000] {
        let data = vec![b'x'; len];
        let mut out = vec![0; len + 14];
        let mut tx = Tx::new(&mut out);
        server(Config::default()).send_binary(&data, &mut tx).unwrap();
        assert_eq!(tx.written(), frame(0x82, &data, false));
        let mut tx = Tx::new(&mut out);
        client(Config::default()).send_binary(&data, &mut tx).unwrap();
        assert_eq!(tx.written(), frame(0x82, &data, true));
    }
}

#[test]
fn a_fresh_key_for_every_frame() {
    let mut next = 0;
    let keys = |key: &mut [u8]| {
        next += 1;
        key.fill(next);
    };
    let mut conn = hopwire::ws::Connection::client(keys, Config::default());
    let mut out = [0; 64];
    let mut tx = Tx::new(&mut out);
    conn.send_text("a", &mut tx).unwrap();
    conn.send_ping(b"b", &mut tx).unwrap();
    assert_eq!(tx.written(), [0x81, 0x81, 1, 1, 1, 1, b'a' ^ 1, 0x89, 0x81, 2, 2, 2, 2, b'b' ^ 2]);
}

#[test]
fn nothing_is_written_where_it_does_not_fit() {
    let mut conn = server(Config::default());
    let mut out = [0; 5];
    let mut tx = Tx::new(&mut out);
    let full = |needed| Err(SendError::Full(Full { needed }));
    assert_eq!(conn.send_text("four", &mut tx), full(6));
    assert_eq!(conn.send_text_piece("four", false, &mut tx), full(6));
    assert_eq!(conn.send_ping(b"four", &mut tx), full(6));
    assert_eq!(conn.close(NOW, CloseCode::NORMAL, "why", &mut tx), full(7));
    assert_eq!(conn.send_prefix(Kind::Binary, 1 << 40, true, &mut tx), full(10));
    assert!(tx.is_empty() && !conn.is_closing() && conn.poll_timeout().is_none());
    conn.send_binary(b"two", &mut tx).unwrap();
    assert_eq!(tx.written(), b"\x82\x03two");
}

#[test]
fn a_message_in_pieces_with_control_frames_between() {
    let mut conn = server(Config::default());
    let mut out = [0; 256];
    let mut tx = Tx::new(&mut out);
    conn.send_text_piece("one", false, &mut tx).unwrap();
    conn.send_ping(b"?", &mut tx).unwrap();
    assert_eq!(conn.send_binary_piece(b"no", true, &mut tx), Err(Misuse::Interleaved.into()));
    assert_eq!(conn.send_text("no", &mut tx), Err(Misuse::Interleaved.into()));
    assert_eq!(conn.send_prefix(Kind::Binary, 1, true, &mut tx), Err(Misuse::Interleaved.into()));
    conn.send_text_piece("", false, &mut tx).unwrap();
    conn.send_text_piece("two", true, &mut tx).unwrap();
    conn.send_binary(b"three", &mut tx).unwrap();
    let wire = [
        (0x01, b"one".to_vec()),
        (0x89, b"?".to_vec()),
        (0x00, vec![]),
        (0x80, b"two".to_vec()),
        (0x82, b"three".to_vec()),
    ];
    assert_eq!(frames(tx.written()), wire);
}

#[test]
fn a_prefix_for_callers_that_write_the_payload() {
    for (len, head) in [
        (0, &b"\x82\0"[..]),
        (125, b"\x82\x7d"),
        (126, b"\x82\x7e\0\x7e"),
        (0x10000, b"\x82\x7f\0\0\0\0\0\x01\0\0"),
        (u64::MAX >> 1, b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"),
    ] {
        let mut out = [0; 16];
        let mut tx = Tx::new(&mut out);
        server(Config::default()).send_prefix(Kind::Binary, len, true, &mut tx).unwrap();
        assert_eq!(tx.written(), head);
    }
    let mut out = [0; 16];
    let mut tx = Tx::new(&mut out);
    let mut conn = server(Config::default());
    assert_eq!(conn.send_prefix(Kind::Binary, 1 << 63, true, &mut tx), Err(Misuse::LengthRange.into()));
    conn.send_prefix(Kind::Text, 3, false, &mut tx).unwrap();
    conn.send_prefix(Kind::Text, 3, true, &mut tx).unwrap();
    assert_eq!(tx.written(), b"\x01\x03\x80\x03");
}

#[test]
fn misuse() {
    let mut conn = server(Config::default());
    let mut out = [0; 512];
    let mut tx = Tx::new(&mut out);
    assert_eq!(conn.send_ping(&[0; 126], &mut tx), Err(Misuse::ControlLength.into()));
    assert_eq!(conn.send_pong(&[0; 126], &mut tx), Err(Misuse::ControlLength.into()));
    assert_eq!(conn.close(NOW, CloseCode::NORMAL, &"r".repeat(124), &mut tx), Err(Misuse::ReasonLength.into()));
    assert!(tx.is_empty());
    conn.send_pong(&[0; 125], &mut tx).unwrap();
    conn.close(NOW, CloseCode::NORMAL, &"r".repeat(123), &mut tx).unwrap();
    let written = tx.len();
    assert_eq!(conn.send_text("no", &mut tx), Err(Misuse::Closed.into()));
    assert_eq!(conn.send_text_piece("no", true, &mut tx), Err(Misuse::Closed.into()));
    assert_eq!(conn.send_binary(b"no", &mut tx), Err(Misuse::Closed.into()));
    assert_eq!(conn.send_ping(b"no", &mut tx), Err(Misuse::Closed.into()));
    assert_eq!(conn.send_prefix(Kind::Text, 1, true, &mut tx), Err(Misuse::Closed.into()));
    assert_eq!(conn.close(NOW, CloseCode::NORMAL, "", &mut tx), Err(Misuse::Closed.into()));
    assert_eq!(tx.len(), written);
}

#[test]
fn the_mask_is_the_key_repeated() {
    let mut out = [0; 64];
    let mut tx = Tx::new(&mut out);
    client(Config::default()).send_text("Hello", &mut tx).unwrap();
    assert_eq!(tx.written(), [&[0x81, 0x85][..], &KEY, &[0x7f, 0x9f, 0x4d, 0x51, 0x58]].concat());
}
