//! `ws::Connection` with calls of the caller's between any pieces of input: what goes out is always a legal
//! conversation.

use hopwire::io::{Rx, SendError, Tx};
use hopwire::time::Instant;
use hopwire::ws::{CloseCode, Config, Connection, Event};

use super::Prng;
use super::driver::{frames, server};

pub fn run(data: &[u8]) {
    let mut prng = Prng::of(data);
    let mut conn = server(Config::default());
    let (mut wire, mut inbox, mut rest) = (Vec::new(), Vec::new(), data);
    let mut failed = None;
    let mut now = Instant::ZERO;
    // Some calls after the last byte, too.
    let mut extra = 4;
    while extra > 0 {
        if rest.is_empty() {
            extra -= 1;
        }
        now = Instant::from_nanos(now.as_nanos() + prng.next() % 4_000_000_000);
        let (piece, later) = rest.split_at(prng.below(40).min(rest.len()));
        inbox.extend_from_slice(piece);
        rest = later;
        let mut out = vec![0; prng.below(600)];
        let mut tx = Tx::new(&mut out);
        let mut rx = if rest.is_empty() && extra < 3 { Rx::last(&mut inbox) } else { Rx::new(&mut inbox) };
        loop {
            match conn.poll(now, &mut rx, &mut tx) {
                Ok(Some(event)) => echo(&mut conn, &event, &mut tx),
                Ok(None) => break,
                Err(violation) => {
                    assert_eq!(*failed.get_or_insert(violation), violation, "failure is a state");
                    break;
                }
            }
        }
        let used = rx.consumed();
        call(&mut conn, &mut prng, now, &mut tx);
        if conn.poll_timeout().is_some_and(|at| at <= now) && conn.handle_timeout(now, &mut tx).is_ok() {
            assert!(conn.poll_timeout().is_none_or(|at| at > now), "a deadline that stays due");
        }
        wire.extend_from_slice(tx.written());
        inbox.drain(..used);
    }
    judge(&frames(&wire));
}

/// As a caller does that has no room to wait for: what does not fit is lost.
fn echo(conn: &mut Connection<hopwire::ws::Server>, event: &Event<'_>, tx: &mut Tx<'_>) {
    let before = tx.len();
    let sent = match event {
        Event::Text { text, end } => conn.send_text_piece(*text, *end, tx),
        Event::Binary { data, end } => conn.send_binary_piece(data, *end, tx),
        _ => return,
    };
    if sent.is_err() {
        assert_eq!(tx.len(), before, "a refused call writes nothing");
    }
}

fn call(conn: &mut Connection<hopwire::ws::Server>, prng: &mut Prng, now: Instant, tx: &mut Tx<'_>) {
    let data = vec![b'x'; prng.below(140)];
    let text = std::str::from_utf8(&data).expect("ASCII");
    let (before, room) = (tx.len(), tx.room());
    let sent = match prng.below(14) {
        0 => conn.send_text(text, tx),
        1 => conn.send_binary(&data, tx),
        2 => conn.send_ping(&data, tx),
        3 => conn.send_pong(&data, tx),
        4 => conn.send_text_piece(text, prng.below(2) == 0, tx),
        5 => conn.send_binary_piece(&data, prng.below(2) == 0, tx),
        6 => conn.close(now, CloseCode::NORMAL, text, tx),
        _ => Ok(()),
    };
    if let Err(error) = sent {
        assert_eq!(tx.len(), before, "a refused call writes nothing");
        if let SendError::Full(full) = error {
            assert!(full.needed > room, "{full:?} with room for {room}");
        }
    }
}

/// RFC 6455 §5.4 and §5.5: fragments in order, control frames small and whole, and nothing but pongs after a Close.
fn judge(frames: &[(u8, Vec<u8>)]) {
    let (mut in_message, mut closed) = (false, false);
    for (first, payload) in frames {
        assert_eq!(first & 0x70, 0, "a reserved bit");
        let fin = first & 0x80 != 0;
        match first & 0x0f {
            opcode @ 0..=2 => {
                assert!(!closed, "data after a Close");
                assert_eq!(opcode == 0, in_message, "fragments out of order");
                in_message = !fin;
            }
            opcode @ 8..=10 => {
                assert!(fin && payload.len() <= 125);
                assert!(!closed || opcode == 10, "opcode {opcode} after a Close");
                closed |= opcode == 8;
            }
            opcode => panic!("opcode {opcode}"),
        }
    }
}
