//! Sending: the wire form, check then commit, and what must not be sent.

use hopwire::io::{Full, SendError, Tx};
use hopwire::ws::{CloseCode, Config, Frame, Kind, Misuse};

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
    let mut space = [0; 8];
    assert_eq!(conn.send_frame(Frame::text("four", &mut space).unwrap(), &mut tx), full(6));
    assert!(tx.is_empty() && !conn.is_closing());
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
    assert_eq!(conn.close(NOW, CloseCode::NORMAL, &"r".repeat(124), &mut tx), Err(Misuse::ReasonLength.into()));
    assert_eq!(conn.close(NOW, CloseCode::NORMAL, "", &mut tx), Ok(()), "once is enough");
    assert_eq!(tx.len(), written);
}

#[test]
fn the_mask_is_the_key_repeated() {
    let mut out = [0; 64];
    let mut tx = Tx::new(&mut out);
    client(Config::default()).send_text("Hello", &mut tx).unwrap();
    assert_eq!(tx.written(), [&[0x81, 0x85][..], &KEY, &[0x7f, 0x9f, 0x4d, 0x51, 0x58]].concat());
}

#[test]
fn long_messages_go_out_in_fragments() {
    let mut config = Config { max_frame_sent: 4, ..Config::new() };
    for masked in [false, true] {
        let mut out = [0; 64];
        let mut send = |data: &[u8], room: usize| {
            let mut tx = Tx::new(&mut out[..room]);
            let sent = match masked {
                false => server(config).send_binary(data, &mut tx),
                true => client(config).send_binary(data, &mut tx),
            };
            assert!(sent.is_ok() || tx.is_empty());
            sent.map(|()| frames(tx.written()))
        };
        assert_eq!(send(b"1234", 64), Ok(vec![(0x82, b"1234".to_vec())]));
        assert_eq!(send(b"", 64), Ok(vec![(0x82, vec![])]));
        assert_eq!(send(b"12345678", 64), Ok(vec![(0x02, b"1234".to_vec()), (0x80, b"5678".to_vec())]));
        let three = vec![(0x02, b"1234".to_vec()), (0x00, b"5678".to_vec()), (0x80, b"9".to_vec())];
        let needed = 9 + 3 * if masked { 6 } else { 2 };
        assert_eq!(send(b"123456789", needed), Ok(three));
        assert_eq!(send(b"123456789", needed - 1), Err(SendError::Full(Full { needed })));
    }
    // A size of 0 is 1: a code point may be cut.
    config.max_frame_sent = 0;
    let mut out = [0; 64];
    let mut tx = Tx::new(&mut out);
    server(config).send_text("é", &mut tx).unwrap();
    assert_eq!(tx.written(), [0x01, 1, 0xc3, 0x80, 1, 0xa9]);
}

#[test]
fn one_encoded_frame_serves_everyone() {
    for len in [0, 5, 125, 126, 70_000] {
        let data = vec![b'x'; len];
        let mut space = vec![0; len + 10];
        let frame = Frame::binary(&data, &mut space).unwrap();
        assert_eq!(frame.as_bytes(), crate::driver::frame(0x82, &data, false));
        let mut out = vec![0; len + 14];
        let mut tx = Tx::new(&mut out);
        server(Config::default()).send_frame(frame, &mut tx).unwrap();
        assert_eq!(tx.written(), frame.as_bytes());
        let mut tx = Tx::new(&mut out);
        client(Config::default()).send_frame(frame, &mut tx).unwrap();
        assert_eq!(tx.written(), crate::driver::frame(0x82, &data, true));
    }
    assert_eq!(Frame::text("four", &mut [0; 5]), Err(Full { needed: 6 }));
}

#[test]
fn a_client_masks_where_the_payload_lies() {
    let mut conn = client(Config::default());
    let mut out = [0; 32];
    for len in [0, 3, 125, 126, 70_000] {
        let plain: Vec<u8> = (0..=u8::MAX).cycle().take(len).collect();
        let mut payload = plain.clone();
        let mut tx = Tx::new(&mut out);
        conn.send_prefix(Kind::Binary, &mut payload, true, &mut tx).unwrap();
        assert_eq!([tx.written(), &payload].concat(), frame(0x82, &plain, true));
    }
    let mut payload = *b"plain";
    let mut tx = Tx::new(&mut out[..5]);
    assert_eq!(conn.send_prefix(Kind::Text, &mut payload, true, &mut tx), Err(Full { needed: 6 }.into()));
    assert_eq!((&payload, tx.len()), (b"plain", 0));
}

#[test]
fn what_is_compressed_says_so_once_and_only_if_negotiated() {
    let mut config = Config::default();
    let mut out = [0; 64];
    let mut space = [0; 16];
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let frame = Frame::compressed(Kind::Text, &hello, &mut space).unwrap();
    let mut tx = Tx::new(&mut out);
    let mut conn = server(config);
    assert_eq!(conn.send_frame(frame, &mut tx), Err(Misuse::Compression.into()));
    assert_eq!(conn.send_compressed(Kind::Text, &hello, &mut tx), Err(Misuse::Compression.into()));
    assert_eq!(conn.send_compressed_piece(Kind::Text, &hello, true, &mut tx), Err(Misuse::Compression.into()));
    assert!(tx.is_empty() && frame.is_compressed());

    config.compression = true;
    config.max_frame_sent = 4;
    let mut conn = server(config);
    conn.send_frame(frame, &mut tx).unwrap();
    conn.send_compressed(Kind::Text, &hello, &mut tx).unwrap();
    conn.send_compressed_piece(Kind::Text, &hello[..3], false, &mut tx).unwrap();
    assert_eq!(conn.send_text_piece("no", true, &mut tx), Err(Misuse::Interleaved.into()));
    assert_eq!(conn.send_frame(frame, &mut tx), Err(Misuse::Interleaved.into()));
    conn.send_compressed_piece(Kind::Text, &hello[3..], true, &mut tx).unwrap();
    conn.send_text("no", &mut tx).unwrap();
    let wire = [
        (0xc1, hello.to_vec()),
        (0x41, hello[..4].to_vec()),
        (0x80, hello[4..].to_vec()),
        (0x41, hello[..3].to_vec()),
        (0x80, hello[3..].to_vec()),
        (0x81, b"no".to_vec()),
    ];
    assert_eq!(frames(tx.written()), wire);
}
