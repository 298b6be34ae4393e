//! The response half of `http1.jsonl` and `http1_own.jsonl` through `http1::Client`.

use crate::support::dialogue::{Dialogue, Heard, Reply};
use crate::support::json::Value;
use crate::support::vectors::{self, Suite, is_fields};
use crate::support::{hex, show};
use hopwire::http::{Method, list};
use hopwire::http1::client::{Client, Config, Unusable};
use hopwire::http1::{BodyLength, HeadLimits};
use hopwire::io::Wants;

/// All that came of one input.
#[derive(Debug, PartialEq)]
struct Played {
    heard: Vec<(Heard, usize)>,
    rest: Vec<u8>,
    /// Status of the violation, for a gateway's client.
    violation: Option<u16>,
    wants: Wants,
    unusable: bool,
    switched: bool,
}

#[test]
fn responses() {
    for name in ["http1", "http1_own"] {
        vectors::run(&Suite {
            name,
            skip: &|case| (case.text("kind") != "response").then_some("requests: tests/http1_server/vectors.rs"),
            input: "bytes_hex",
            play: &play,
            judge: &judge,
        });
    }
}

fn play(case: &Value, pieces: &[&[u8]]) -> Played {
    let mut config = Config::default();
    for (key, value) in case.get("config").map(Value::members).unwrap_or_default() {
        let value: u32 = value.as_num().unwrap_or(u32::MAX);
        match key.as_str() {
            "max_body" => config.max_body = value.into(),
            "max_chunk_ext" => config.max_chunk_ext = value,
            "max_header_bytes" => config.head = HeadLimits { bytes: value, ..config.head },
            "max_headers" => config.head = HeadLimits { fields: value, ..config.head },
            "max_status_line" => config.head = HeadLimits { line: value, ..config.head },
            _ => panic!("a setting without a test: {key}"),
        }
    }
    let method = Method::from_token(list::token(case.text("method").as_bytes()).unwrap());
    let target: &[u8] = if method == Method::Connect { b"a.example:80" } else { b"/" };
    let offered = case.get("request_upgrade").map(Value::items).unwrap_or_default();
    let offered: Vec<_> = offered.iter().filter_map(Value::as_str).collect();
    let offered = offered.join(", ");
    let mut fields = vec![("host", &b"a.example"[..])];
    if !offered.is_empty() {
        fields.push(("upgrade", offered.as_bytes()));
    }
    let mut dialogue = Dialogue::new(Client::new(config));
    dialogue.call(|client, tx| client.request(method, target, &fields, BodyLength::None, tx)).unwrap();
    for piece in pieces {
        dialogue.feed(piece);
    }
    if case.is_true("eof") {
        dialogue.finish();
    }
    Played {
        heard: dialogue.heard.clone(),
        // What is not consumed of a message that failed depends on the pieces.
        rest: if dialogue.violation.is_some() { Vec::new() } else { dialogue.rest().to_vec() },
        violation: dialogue.violation.map(|violation| violation.gateway_status().code()),
        wants: dialogue.client.wants(),
        unusable: dialogue.client.unusable().is_some(),
        switched: dialogue.client.unusable() == Some(Unusable::Switched),
    }
}

fn judge(case: &Value, played: &Played) -> Result<(), String> {
    if case.text("recommend") == "reject" {
        let is_complete = played.heard.iter().any(|(heard, _)| *heard == Heard::End);
        return match played.violation {
            None => Err(format!("accepted: {played:?}")),
            Some(_) if is_complete => Err(format!("refused after its end: {played:?}")),
            Some(status) if status != 502 => Err(format!("{status}, not 502")),
            Some(_) if !played.unusable || played.wants != Wants::Close => Err(format!("goes on: {played:?}")),
            Some(_) => Ok(()),
        };
    }
    let expect = case.get("expect").ok_or("nothing is expected")?;
    let end = played.heard.iter().position(|(heard, _)| matches!(heard, Heard::End | Heard::Switched(_)));
    let first = &played.heard[..end.map_or(played.heard.len(), |end| end + 1)];
    let complete = end.map(|end| played.heard[end].1);
    let mut interim = 0;
    let mut reply: Option<&Reply> = None;
    let (mut body, mut trailers): (&[u8], &[(String, Vec<u8>)]) = (b"", &[]);
    for (heard, _) in first {
        match heard {
            Heard::Interim(_) => interim += 1,
            Heard::Response(head) | Heard::Switched(head) => reply = Some(head),
            Heard::Body(content) => body = content,
            Heard::Trailers(fields) => trailers = fields,
            Heard::Continue | Heard::End => {}
        }
    }
    let incomplete = expect.is_true("incomplete");
    let Some(reply) = reply else {
        return if incomplete && played.violation.is_none() { Ok(()) } else { Err(format!("no response: {played:?}")) };
    };
    let input = case.bytes("bytes_hex").ok_or("no input")?;
    let skips = expect.is_true("skip_framing");
    for (key, want) in expect.members() {
        let text = want.as_str().unwrap_or("");
        let ok = match key.as_str() {
            "status" => want.as_num() == Some(reply.code),
            "treat_as_class" => want.as_num() == Some(reply.status / 100),
            "version" => reply.version == format!("HTTP/{text}"),
            "interim" => want.as_num() == Some(interim),
            "body_hex" => skips || text == hex(body),
            "consumed" | "leftover_hex" | "messages" if skips || incomplete => true,
            "consumed" => want.as_num() == complete,
            "leftover_hex" => complete.is_some_and(|at| text == hex(&input[at..])),
            "messages" => want.as_num() == Some(played.heard.iter().filter(|(it, _)| *it == Heard::End).count()),
            "incomplete" => complete.is_none(),
            "keep_alive" => want.as_bool() == Some(reply.keep_alive) || expect.is_true("ka_optional"),
            "headers" => is_fields(want, &reply.fields),
            "trailers" => is_fields(want, trailers),
            "must_not_have_header" => !reply.fields.iter().chain(trailers).any(|(name, _)| name == text),
            "header_is" => {
                let [name, value] = want.items() else { return Err("header_is is a pair".to_owned()) };
                let squeezed = |value: &[u8]| {
                    let text = String::from_utf8_lossy(value).into_owned();
                    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
                };
                reply
                    .fields
                    .iter()
                    .any(|(n, v)| Some(n.as_str()) == name.as_str() && Some(&*squeezed(v)) == value.as_str())
            }
            "upgrade" => {
                let got: Vec<_> = reply.upgrades.iter().map(|name| String::from_utf8_lossy(name)).collect();
                want.items().iter().filter_map(Value::as_str).eq(got.iter().map(|name| &**name))
            }
            "tunnel" => want.as_bool() == Some(played.switched && played.rest == input[complete.unwrap_or_default()..]),
            "then" if text == "reject" => played.violation.is_some(),
            "then" => played.unusable && played.wants == Wants::Close,
            "skip_framing" | "ka_optional" | "header_is_ws_flexible" => true,
            _ => return Err(format!("a key without a test: {key}")),
        };
        if !ok {
            return Err(format!("{key} should be {want:?}: {played:?}, {}", show(&input)));
        }
    }
    if played.violation.is_some() && expect.get("then").is_none() {
        return Err(format!("refused: {played:?}"));
    }
    Ok(())
}
