//! A second, obvious decoder of frames, for the first to agree with.

use hopwire::ws::{CloseCode, Config, Violation};

use super::driver::{Got, Told};

/// A decoder that looks at all input from its start and goes byte by byte.
pub fn naive(wire: &[u8], masked: bool, config: Config) -> (Vec<Got>, Vec<u8>, Option<u16>) {
    let (mut got, mut message, mut kind) = (vec![], vec![], 0);
    let (mut total, mut count) = (0, 0);
    let mut at = 0;
    let code = loop {
        let Some(&b0) = wire.get(at) else { break None };
        let (fin, opcode) = (b0 & 0x80 != 0, b0 & 0x0f);
        let control = opcode >= 8;
        if b0 & 0x70 != 0 || !matches!(opcode, 0 | 1 | 2 | 8 | 9 | 10) || (control && !fin) {
            break Some(1002);
        }
        if !control && (opcode == 0) == (kind == 0) {
            break Some(1002);
        }
        if opcode == 0 && count >= config.max_fragments {
            break Some(1009);
        }
        let Some(&b1) = wire.get(at + 1) else { break None };
        let short = u64::from(b1 & 0x7f);
        if (b1 & 0x80 != 0) != masked || (control && short > 125) || (opcode == 8 && short == 1) {
            break Some(1002);
        }
        let extra = if short == 126 {
            2
        } else if short == 127 {
            8
        } else {
            0
        };
        if extra == 8 && wire.get(at + 2).is_some_and(|&b| b >= 0x80) {
            break Some(1002);
        }
        let Some(digits) = wire.get(at + 2..at + 2 + extra) else { break None };
        let len = if extra == 0 { short } else { digits.iter().fold(0, |len, &b| len << 8 | u64::from(b)) };
        if (extra == 2 && len < 126) || (extra == 8 && len < 0x10000) {
            break Some(1002);
        }
        if !control && (len > config.max_frame || total + len > config.max_message) {
            break Some(1009);
        }
        let keyed = if masked { 4 } else { 0 };
        let Some(key) = wire.get(at + 2 + extra..at + 2 + extra + keyed) else { break None };
        let payload = &wire[at + 2 + extra + keyed..];
        let payload = &payload[..payload.len().min(len as usize)];
        let whole = payload.len() as u64 == len;
        let plain = payload.iter().enumerate().map(|(i, b)| if masked { b ^ key[i & 3] } else { *b });
        let plain: Vec<u8> = plain.collect();
        at += 2 + extra + keyed + payload.len();
        if control {
            if !whole {
                break None;
            }
            match opcode {
                9 => got.push(Got::Ping(plain)),
                10 => got.push(Got::Pong(plain)),
                _ => match plain.split_first_chunk() {
                    None => {
                        got.push(Got::Close(None, String::new()));
                        break None;
                    }
                    Some((&code, reason)) => {
                        let code = u16::from_be_bytes(code);
                        if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                            break Some(1002);
                        }
                        let Ok(reason) = String::from_utf8(reason.to_vec()) else { break Some(1007) };
                        got.push(Got::Close(Some(code), reason));
                        break None;
                    }
                },
            }
            continue;
        }
        if opcode != 0 {
            kind = opcode;
        }
        total += len;
        count += 1;
        message.extend(plain);
        let end = whole && fin;
        if kind == 1 {
            match std::str::from_utf8(&message) {
                Err(error) if end || error.error_len().is_some() => {
                    message.truncate(error.valid_up_to());
                    break Some(1007);
                }
                _ => {}
            }
        }
        if end {
            let message = std::mem::take(&mut message);
            got.push(if kind == 1 { Got::Text(message) } else { Got::Binary(message) });
            (kind, total, count) = (0, 0, 0);
        }
        if !whole {
            break None;
        }
    };
    if kind == 1 {
        let valid = std::str::from_utf8(&message).map_or_else(|error| error.valid_up_to(), str::len);
        message.truncate(valid);
    }
    (got, message, code)
}

/// The connection told what the decoder did, and answered as it must.
pub fn agree(told: &Told, twin: &(Vec<Got>, Vec<u8>, Option<u16>)) {
    assert_eq!((&told.got, &told.part), (&twin.0, &twin.1));
    let code = told.violation.and_then(Violation::close_code).map(CloseCode::code);
    assert_eq!(code, twin.2, "{:?}", told.violation);
    // Pings and pongs one for one, then the Close that the end asks for.
    let answers = told.got.iter().filter_map(|got| match got {
        Got::Ping(data) => Some((0x8a, data.clone())),
        Got::Close(code, _) => Some((0x88, code.map_or(vec![], |code| code.to_be_bytes().to_vec()))),
        _ => None,
    });
    let answers: Vec<_> = answers.collect();
    let mut wire = told.frames();
    if let Some(code) = twin.2 {
        assert_eq!(wire.pop(), Some((0x88, code.to_be_bytes().to_vec())));
    }
    assert_eq!(wire, answers);
}
