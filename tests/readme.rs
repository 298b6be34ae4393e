//! The loop of the README: what stands there is what runs here.

use std::error::Error;
use std::io::{Cursor, Read, Write};

use hopwire::io::{RxBuffer, Tx, Wants};
use hopwire::time::Instant;
use hopwire::ws;

#[rustfmt::skip] // indented as in the README, which has no function around it
fn echo(mut socket: Socket, now: impl Fn() -> Instant) -> Result<Vec<u8>, Box<dyn Error>> {
let (mut inbox, mut out) = (RxBuffer::new([0; 8192]), [0; 8192 + 16]); // an echo is longer by a header
let mut conn = ws::Connection::default();
while conn.wants() != Wants::Close {
    match socket.read(inbox.space())? {
        0 => inbox.end(),
        n => inbox.advance(n),
    }
    let (mut rx, mut tx) = (inbox.rx(), Tx::new(&mut out));
    while let Some(event) = conn.poll(now(), &mut rx, &mut tx)? {
        match event {
            ws::Event::Text { text, end } => conn.send_text_piece(text, end, &mut tx)?,
            ws::Event::Binary { data, end } => conn.send_binary_piece(data, end, &mut tx)?,
            _ => {} // pings are answered already, and so is a Close
        }
    }
    let used = rx.consumed();
    inbox.consume(used);
    socket.write_all(tx.written())?;
} // then stop writing, read what is left for a moment, close
    Ok(socket.written)
}

/// Gives `received` in pieces of `size` bytes.
struct Socket {
    received: Cursor<Vec<u8>>,
    size: usize,
    written: Vec<u8>,
}

impl Read for Socket {
    fn read(&mut self, space: &mut [u8]) -> std::io::Result<usize> {
        let most = self.size.min(space.len());
        self.received.read(&mut space[..most])
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.written.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_loop_stands_in_the_readme() {
    let readme = include_str!("../README.md");
    let (_, rest) = readme.split_once("```rust\n").unwrap();
    let (code, _) = rest.split_once("```").unwrap();
    assert!(include_str!("readme.rs").contains(code));
}

/// "Hello", a ping, and binary messages that fill the buffer again and again, up to the Close; masked with zeros.
#[test]
fn the_loop_echoes() {
    let mut received = b"\x81\x85\0\0\0\0Hello\x89\x80\0\0\0\0".to_vec();
    for n in 0..50 {
        received.extend(b"\x82\xfe\x10\x01\0\0\0\0");
        received.extend([n; 4097]);
    }
    received.extend(b"\x88\x82\0\0\0\0\x03\xe8");
    let mut expected = b"Hello".to_vec();
    expected.extend((0..50).flat_map(|n| [n; 4097]));
    expected.extend(b"\x03\xe8");
    for size in [usize::MAX, 8191, 4096, 100, 7, 1] {
        let socket = Socket { received: Cursor::new(received.clone()), size, written: Vec::new() };
        let written = echo(socket, || Instant::ZERO).unwrap();
        let (mut rest, mut payloads) = (&written[..], Vec::<u8>::new());
        while let [_, len, after @ ..] = rest {
            let (len, after) = match (len, after) {
                (126, [high, low, after @ ..]) => (u16::from_be_bytes([*high, *low]).into(), after),
                _ => (usize::from(*len), after),
            };
            payloads.extend(&after[..len]);
            rest = &after[len..];
        }
        assert!(payloads == expected && written.ends_with(b"\x88\x02\x03\xe8"), "in pieces of {size}");
    }
}
