//! Request heads against the vectors: what the head alone decides. The whole engine's turn comes in `vectors`.

mod support;

use hopwire::http::Version;
use hopwire::http1::{HeadLimits, RequestHead, Target, Violation};
use hopwire::io::Rx;
use support::json::Value;
use support::vectors::{Suite, run};
use support::{hex, unhex};

/// What a head came to.
#[derive(Debug, PartialEq)]
enum Told {
    Request(Box<Said>),
    Refused(Violation),
    Incomplete,
}

#[derive(Debug, PartialEq)]
struct Said {
    method: String,
    target: String,
    form: &'static str,
    authority: Option<String>,
    version: &'static str,
    fields: Vec<(String, String)>,
    keep_alive: bool,
    expects_continue: bool,
    upgrades: Vec<String>,
}

#[test]
fn heads_are_read_as_the_vectors_say() {
    run(&Suite {
        name: "http1",
        skip: &|case| match case.text("kind") {
            "request" if is_about_the_body(case) => Some("about what follows the head"),
            "request" => None,
            _ => Some("responses"),
        },
        input: "bytes_hex",
        play: &play,
        judge: &judge,
    });
}

fn is_about_the_body(case: &Value) -> bool {
    let limit = case.get("config").is_some_and(|config| config.get("max_header_bytes").is_none());
    let refused = case.text("recommend") == "reject";
    refused && (limit || case.is_true("eof") || case.text("id").starts_with("ck-"))
}

fn play(case: &Value, pieces: &[&[u8]]) -> Told {
    let mut limits = HeadLimits::default();
    if let Some(bytes) = case.get("config").and_then(|config| config.num("max_header_bytes")) {
        limits.bytes = bytes;
    }
    let mut head = RequestHead::new();
    let mut received = Vec::new();
    for piece in pieces {
        received.extend_from_slice(piece);
        match head.poll(&mut Rx::new(&mut received), &limits) {
            Ok(Some(request)) => {
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("ASCII");
                return Told::Request(Box::new(Said {
                    method: request.method.as_str().into(),
                    target: hex(request.target.as_bytes()),
                    form: match request.target {
                        Target::Origin(_) => "origin",
                        Target::Absolute(_) => "absolute",
                        Target::Authority(_) => "authority",
                        Target::Asterisk => "asterisk",
                    },
                    authority: request.authority().map(|authority| text(authority.as_bytes())),
                    version: if request.version == Version::Http10 { "1.0" } else { "1.1" },
                    fields: request.fields.iter().map(|f| (f.name.as_str().into(), hex(f.value))).collect(),
                    keep_alive: request.keep_alive(),
                    expects_continue: request.expects_continue(),
                    upgrades: request.upgrades().map(text).collect(),
                }));
            }
            Ok(None) => {}
            Err(violation) => return Told::Refused(violation),
        }
    }
    Told::Incomplete
}

fn judge(case: &Value, told: &Told) -> Result<(), String> {
    let said = match (told, case.text("recommend")) {
        (Told::Refused(violation), "reject") => {
            let status = i64::from(violation.status().code());
            let mut allowed = case.get("status_also").map(Value::items).unwrap_or_default().iter();
            let right = case.num("status") == Some(status) || allowed.any(|other| other.as_i64() == Some(status));
            return if right { Ok(()) } else { Err(format!("{violation:?} is {status}")) };
        }
        (Told::Request(said), "accept") => said,
        _ => return Err(format!("{told:?}")),
    };
    let Some(expect) = case.get("expect") else { return Ok(()) };
    let same = |key: &str, own: &str| match expect.get(key).and_then(Value::as_str) {
        Some(wanted) if wanted != own => Err(format!("{key}: {own}")),
        _ => Ok(()),
    };
    same("method", &said.method)?;
    same("target_hex", &said.target)?;
    same("target_form", said.form)?;
    same("authority", said.authority.as_deref().unwrap_or(""))?;
    same("version", said.version)?;
    let agrees = |key: &str, own: bool| match expect.get(key).and_then(Value::as_bool) {
        Some(wanted) if wanted != own => Err(format!("{key}: {own}")),
        _ => Ok(()),
    };
    agrees("expect_continue", said.expects_continue)?;
    // Where the violation of a later message ends the connection, `keep_alive` tells that and not what this one asks.
    if !expect.is_true("ka_optional") && expect.num("messages") == Some(1) {
        agrees("keep_alive", said.keep_alive)?;
    }
    if let Some(upgrades) = expect.get("upgrade") {
        let wanted: Vec<_> = upgrades.items().iter().filter_map(Value::as_str).collect();
        if said.upgrades != wanted {
            return Err(format!("upgrade: {:?}", said.upgrades));
        }
    }
    for field in expect.get("headers").map(Value::items).unwrap_or_default() {
        let [name, value] = field.items() else { return Err("a header of the vector is no pair".into()) };
        let (name, value) = (name.as_str().unwrap_or(""), value.as_str().unwrap_or(""));
        assert_eq!(hex(&unhex(value)), value);
        if !said.fields.iter().any(|(own, at)| own.eq_ignore_ascii_case(name) && at == value) {
            return Err(format!("no {name}: {:?}", said.fields));
        }
    }
    Ok(())
}
