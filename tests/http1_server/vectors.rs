//! The request half of `http1.jsonl` and `http1_own.jsonl` through `http1::Server`.

use std::time::Duration;

use crate::support::exchange::{Exchange, Head, Out, Told};
use crate::support::json::Value;
use crate::support::vectors::{self, Suite, is_fields};
use crate::support::{hex, show};
use hopwire::http::Status;
use hopwire::http1::HeadLimits;
use hopwire::http1::server::{Config, Server};
use hopwire::io::Wants;

/// All that came of one input.
#[derive(Debug, PartialEq)]
struct Played {
    told: Vec<(Told, usize)>,
    wire: String,
    rest: Vec<u8>,
    /// Status of the violation.
    violation: Option<u16>,
    wants: Wants,
}

#[test]
fn requests() {
    for name in ["http1", "http1_own"] {
        vectors::run(&Suite {
            name,
            skip: &|case| (case.text("kind") != "request").then_some("responses: tests/http1_client/vectors.rs"),
            input: "bytes_hex",
            play: &play,
            judge: &judge,
        });
    }
}

fn play(case: &Value, pieces: &[&[u8]]) -> Played {
    let mut config = Config { idle_timeout: Some(Duration::from_secs(1)), ..Config::default() };
    for (key, value) in case.get("config").map(Value::members).unwrap_or_default() {
        let value: u32 = value.as_num().unwrap_or(u32::MAX);
        match key.as_str() {
            "max_body" if value == u32::MAX => config.max_body = 1 << 40,
            "max_body" => config.max_body = value.into(),
            "max_chunk_ext" => config.max_chunk_ext = value,
            "max_header_bytes" => config.head = HeadLimits { bytes: value, ..config.head },
            "max_headers" => config.head = HeadLimits { fields: value, ..config.head },
            "max_request_line" => config.head = HeadLimits { line: value, ..config.head },
            _ => panic!("a setting without a test: {key}"),
        }
    }
    let early = case.get("expect").is_some_and(|expect| expect.get("scenario").is_some());
    let mut request: Option<Head> = None;
    let mut answer = |server: &mut Server, told: &Told, out: &mut Out| match told {
        Told::Request(_) if early => out.call(|tx| server.respond_with(Status::UNAUTHORIZED, &[], b"", tx)).unwrap(),
        Told::Request(head) => request = Some(head.clone()),
        Told::End => {
            let upgrade = request.as_ref().is_some_and(|head| !head.upgrades.is_empty());
            let answered = if upgrade {
                out.call(|tx| server.switch_protocols(&[("upgrade", b"any")], tx))
            } else {
                out.call(|tx| server.respond_with(Status::OK, &[], b"", tx))
            };
            answered.expect("an answer is due");
        }
        _ => {}
    };
    let mut exchange = Exchange::new(Server::new(config));
    for piece in pieces {
        exchange.feed(piece, &mut answer);
    }
    if case.is_true("eof") {
        exchange.finish(&mut answer);
    }
    Played {
        told: exchange.told.clone(),
        wire: exchange.wire(),
        // What is not consumed of a message that failed depends on the pieces.
        rest: if exchange.violation.is_some() { Vec::new() } else { exchange.rest().to_vec() },
        violation: exchange.violation.map(|violation| violation.status().code()),
        wants: exchange.server.wants(),
    }
}

fn judge(case: &Value, played: &Played) -> Result<(), String> {
    if case.text("recommend") == "reject" {
        let allowed = case.get("status_also").map(Value::items).unwrap_or_default();
        let allowed = allowed.iter().chain(case.get("status")).filter_map(Value::as_num);
        let Some(status) = played.violation else { return Err(format!("accepted: {played:?}")) };
        if played.told.iter().any(|(told, _)| *told == Told::End) {
            return Err(format!("refused after its end: {played:?}"));
        }
        if !allowed.clone().any(|allowed: u16| allowed == status) {
            return Err(format!("{status}, not {:?}", allowed.collect::<Vec<_>>()));
        }
        let last = played.wire.rfind("HTTP/1.1 ").map(|at| &played.wire[at..]).unwrap_or_default();
        let is_answered = last.starts_with(&format!("HTTP/1.1 {status} ")) && last.contains("connection: close\r\n");
        return if is_answered { Ok(()) } else { Err(format!("answered {last:?}")) };
    }
    let expect = case.get("expect").ok_or("nothing is expected")?;
    let first: Vec<&(Told, usize)> = {
        let end = played.told.iter().position(|(told, _)| *told == Told::End);
        played.told.iter().take(end.map_or(usize::MAX, |end| end + 1)).collect()
    };
    let Some((Told::Request(head), _)) = first.first() else { return Err(format!("{played:?}")) };
    let complete = first.last().filter(|(told, _)| *told == Told::End).map(|(_, consumed)| *consumed);
    let (mut body, mut trailers): (&[u8], &[(String, Vec<u8>)]) = (b"", &[]);
    for (told, _) in &first {
        match told {
            Told::Body(content) => body = content,
            Told::Trailers(fields) => trailers = fields,
            _ => {}
        }
    }
    let input = case.bytes("bytes_hex").ok_or("no input")?;
    let skips = expect.is_true("skip_framing");
    for (key, want) in expect.members() {
        let text = want.as_str().unwrap_or("");
        let ok = match key.as_str() {
            "body_hex" => skips || text == hex(body),
            "consumed" | "leftover_hex" if skips || expect.is_true("incomplete") => true,
            "consumed" => want.as_num() == complete,
            "leftover_hex" => complete.is_some_and(|at| text == hex(&input[at..])),
            "messages" if skips || expect.is_true("incomplete") => true,
            "messages" => want.as_num() == Some(played.told.iter().filter(|(told, _)| *told == Told::End).count()),
            "incomplete" => complete.is_none(),
            "keep_alive" => want.as_bool() == Some(head.keep_alive) || expect.is_true("ka_optional"),
            "keep_alive_after_early_final" => {
                want.as_bool() == Some(played.wants != Wants::Close) && played.wire.contains("connection: close")
            }
            "version" => head.version == format!("HTTP/{text}"),
            "method" => head.method == text,
            "target_hex" => hex(&head.target) == text,
            "target_form" => head.form == text,
            "authority" => head.authority.as_deref() == Some(text.as_bytes()),
            "headers" => is_fields(want, &head.fields),
            "trailers" => is_fields(want, trailers),
            "must_not_have_header" => !head.fields.iter().chain(trailers).any(|(name, _)| name == text),
            // In a trailer section: it must not reach what the header says.
            "must_not_have_header_value" => {
                let (name, value) = text.split_once(": ").ok_or("no field")?;
                !trailers.iter().any(|(n, v)| n.eq_ignore_ascii_case(name) && v == value.as_bytes())
            }
            "upgrade" => {
                let got: Vec<_> = head.upgrades.iter().map(|name| String::from_utf8_lossy(name)).collect();
                want.items().iter().filter_map(Value::as_str).eq(got.iter().map(|name| &**name))
            }
            "upgrade_ignored" => want
                .items()
                .iter()
                .all(|name| !head.upgrades.iter().any(|got| Some(&*String::from_utf8_lossy(got)) == name.as_str())),
            "expect_continue" => {
                let early = expect.get("scenario").is_some();
                want.as_bool() == Some(head.expects_continue)
                    && played.wire.starts_with("HTTP/1.1 100 ") == (head.expects_continue && !early)
            }
            "then" if text == "reject" => played.violation.is_some(),
            "then" => played.violation.is_some() || played.wants == Wants::Close,
            "scenario" | "skip_framing" | "ka_optional" => true,
            _ => return Err(format!("a key without a test: {key}")),
        };
        if !ok {
            return Err(format!("{key} should be {want:?}: {played:?}, {}", show(&input)));
        }
    }
    let follows = expect.get("then").is_some() || !skips && complete.is_some_and(|at| at < input.len());
    if played.violation.is_some() && !follows {
        return Err(format!("refused: {played:?}"));
    }
    Ok(())
}
