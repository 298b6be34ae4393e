//! `sse_decode.jsonl` and `sse_encode.jsonl`.

use std::time::Duration;

use hopwire::io::{SendError, Tx};
use hopwire::sse::{Decoder, Misuse, Outgoing, encode_comment};

use super::driver::play;
use super::naive::{self, Told};
use crate::support::json::Value;
use crate::support::{say, vectors};

#[test]
fn decoding() {
    vectors::run(&vectors::Suite {
        name: "sse_decode",
        skip: &|_| None,
        input: "stream_hex",
        play: &|case, pieces| {
            let mut decoder = Decoder::new();
            decoder.set_last_event_id(case.text("seed")).expect("seeds are good ids");
            play(&mut decoder, pieces.iter().copied())
        },
        judge: &|case, told| {
            let naive = naive::read(&case.bytes("stream_hex").expect("an input"), case.text("seed"));
            if naive != *told {
                return Err(format!("{told:?} but the naive reader says {naive:?}"));
            }
            judge(case, told)
        },
    });
}

#[test]
fn encoding() {
    for file in vectors::files("sse_encode") {
        let (mut passed, mut failed) = (0, 0);
        for case in vectors::cases(&file) {
            match encodes(&case) {
                Ok(()) => passed += 1,
                Err(why) => {
                    failed += 1;
                    say(&format!("sse_encode.jsonl: {}: {why}", case.text("id")));
                }
            }
        }
        say(&format!("sse_encode.jsonl: {passed} passed, {failed} failed"));
        assert_eq!(failed, 0);
    }
}

fn encodes(case: &Value) -> Result<(), String> {
    let (input, expect) = (case.get("input").ok_or("no input")?, case.get("expect").ok_or("no expect")?);
    let member = |name| input.get(name).and_then(Value::as_str);
    let mut out = [0; 16 << 10];
    let mut tx = Tx::new(&mut out);
    let mut result = Ok(());
    if let Some(comment) = member("comment") {
        encode_comment(comment, &mut tx).expect("there is room");
    }
    if ["data", "event", "id", "retry_ms"].iter().any(|name| input.get(name).is_some()) {
        let mut outgoing = member("data").map_or_else(Outgoing::silent, Outgoing::data);
        outgoing = member("event").map_or(outgoing, |event| outgoing.event(event));
        outgoing = member("id").map_or(outgoing, |id| outgoing.id(id));
        if let Some(millis) = millis(input.get("retry_ms")) {
            outgoing = outgoing.retry(Duration::from_millis(millis));
        }
        result = outgoing.encode(&mut tx);
    }
    let error = expect.text("error");
    match result {
        Ok(()) if error.is_empty() => judge(expect, &play(&mut Decoder::new(), [tx.written()])),
        Err(SendError::Misuse(misuse)) if classes(misuse).contains(&error) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn classes(misuse: Misuse) -> &'static [&'static str] {
    match misuse {
        Misuse::LineEnd => &["newline"],
        Misuse::Nul => &["nul", "header-unsafe"],
        Misuse::IdUnsafe => &["header-unsafe"],
        Misuse::IdLength => &["too-long"],
        _ => &[],
    }
}

fn judge(expect: &Value, told: &Told) -> Result<(), String> {
    let events: Vec<_> = expect.get("events").ok_or("no events")?.items().iter().collect();
    let events: Vec<_> = events.iter().map(|it| ["type", "data", "id"].map(|key| it.text(key).to_owned())).collect();
    let retry = millis(expect.get("retry"));
    let expected = Told { events, retry, last_id: expect.text("last_event_id").to_owned(), skipped: 0 };
    if expected == *told { Ok(()) } else { Err(format!("{told:?}")) }
}

/// A number of up to 64 bits.
fn millis(value: Option<&Value>) -> Option<u64> {
    value.and_then(Value::as_num)
}
