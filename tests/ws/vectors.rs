//! `ws_frames.jsonl`, both roles, with compression and without.

use hopwire::ws::Config;

use crate::driver::{Got, Inflation, Player, Told, client, server};
use crate::support::json::Value;
use crate::support::vectors::{Suite, run};
use crate::support::{hex, show};

#[test]
fn frames() {
    run(&Suite {
        name: "ws_frames",
        skip: &|_| None,
        input: "bytes_hex",
        // What is inflated, all at once or a few bytes at a time, is the same.
        play: &|case, pieces| {
            let all = told(case, pieces, 1 << 16);
            if pieces.iter().map(|piece| piece.len()).sum::<usize>() < 100 {
                assert_eq!(told(case, pieces, 5), all);
            }
            all
        },
        judge: &judge,
    });
}

fn told(case: &Value, pieces: &[&[u8]], inflated_at_once: usize) -> Told {
    let mut config = Config::default();
    let options = case.get("options");
    let option = |name| options.and_then(|options| options.num(name));
    config.max_message = option("max_message_size").unwrap_or(config.max_message);
    config.max_frame = option("max_frame_size").unwrap_or(config.max_frame);
    let chunk: usize = options.and_then(|options| options.num("chunk")).unwrap_or(usize::MAX);
    let pieces = pieces.iter().flat_map(|piece| piece.chunks(chunk));
    let params = options.and_then(|options| options.get("permessage_deflate"));
    config.compression = params.is_some();
    let is_server = match case.text("role") {
        "server" => true,
        "client" => false,
        role => panic!("role {role}"),
    };
    let player = match params {
        None => Player::new(200),
        Some(params) => {
            let sender = if is_server { "client_no_context_takeover" } else { "server_no_context_takeover" };
            Player::inflating(200, Inflation::new(config, !params.is_true(sender), inflated_at_once))
        }
    };
    match is_server {
        true => player.play(&mut server(config), pieces, false),
        false => player.play(&mut client(config), pieces, false),
    }
}

fn judge(case: &Value, told: &Told) -> Result<(), String> {
    let expect = case.get("expect").ok_or("no expectation")?;
    let events = expect.get("events").map_or(&[][..], Value::items);
    if events.len() != told.got.len() || !events.iter().zip(&told.got).all(|(event, got)| same(event, got)) {
        return Err(format!("events {:?}", told.got.iter().map(describe).collect::<Vec<_>>()));
    }
    let fail = expect.is_true("fail");
    if fail != told.violation.is_some() {
        return Err(format!("violation {:?}", told.violation));
    }
    let mut frames = told.frames();
    if fail {
        let close = frames.pop().filter(|(first, _)| *first == 0x88).ok_or("no Close on the wire")?;
        let code = close.1.first_chunk().map(|&code| i64::from(u16::from_be_bytes(code)));
        let also = expect.get("also_ok").map_or(&[][..], Value::items).iter().map(Value::as_i64);
        if code != expect.num("close_code") && !also.into_iter().any(|also| also == code) {
            return Err(format!("close code {code:?}"));
        }
    }
    let reply = expect.get("reply").map_or(&[][..], Value::items);
    let answered = |(reply, (first, payload)): (&Value, &(u8, Vec<u8>))| match reply.text("t") {
        "pong" => *first == 0x8a && reply.bytes("hex").as_ref() == Some(payload),
        "close" => *first == 0x88 && payload.first_chunk().map(|&code| u16::from_be_bytes(code)) == reply.num("code"),
        _ => false,
    };
    if reply.len() != frames.len() || !reply.iter().zip(&frames).all(answered) {
        return Err(format!("replies {frames:?}"));
    }
    Ok(())
}

fn same(event: &Value, got: &Got) -> bool {
    let (kind, data) = match got {
        Got::Text(data) => ("text", data),
        Got::Binary(data) => ("binary", data),
        Got::Ping(data) => ("ping", data),
        Got::Pong(data) => ("pong", data),
        Got::Close(code, reason) => {
            // No code is 1005 to an application (§7.1.5).
            let wanted = event.num("code").filter(|&code: &u16| code != 1005);
            return event.text("t") == "close" && wanted == *code && event.text("reason") == reason;
        }
    };
    let content = match event.bytes("hex") {
        Some(bytes) => bytes == *data,
        None => event.num("len") == Some(data.len()) && event.text("sha1") == hex(&hopwire::digest::sha1::digest(data)),
    };
    event.text("t") == kind && content
}

fn describe(got: &Got) -> String {
    match got {
        Got::Text(data) => format!("text {}", show(data)),
        Got::Binary(data) => format!("binary {}", show(data)),
        other => format!("{other:?}"),
    }
}
