//! `cargo run --release --manifest-path tests/differential/Cargo.toml [RUNS]`
//!
//! Responses of the vectors, and changed copies of them, are read by hopwire and by a peer: heads by httparse, whole
//! connections by http-net. What both accept they must have read alike, and what hopwire alone accepts must have a reason
//! that is listed here. What the peer alone accepts is counted by hopwire's own reason. Exit code 1 if one of it fails.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hopwire::http::Method;
use hopwire::http1::client::{Client, Event, Unusable};
use hopwire::http1::{BodyLength, HeadLimits, ResponseHead, ResponseLength};
use hopwire::io::{Rx, Tx};
use hopwire::time::Instant;
use prng::Prng;

#[path = "../../support/prng.rs"]
mod prng;

/// How often each difference was seen, with its first input.
type Differences = BTreeMap<String, (usize, String)>;

fn main() {
    let runs = std::env::args().nth(1).map_or(1_000_000, |runs| runs.parse().expect("a number of runs"));
    let seeds = responses();
    let mut random = Prng::new(1);
    let (mut heads, mut connections) = (Differences::new(), Differences::new());
    for run in 0..runs {
        let data = if run < seeds.len() { seeds[run].clone() } else { mutant(&seeds, &mut random) };
        note(&mut heads, compare_heads(&data), &data);
        let methods = [METHODS[random.below(3)], METHODS[random.below(2)]];
        let eof = random.below(2) == 0;
        note(&mut connections, compare_connections(&data, &methods[..=random.below(2)], eof), &data);
    }
    let failed = report("heads, httparse", &heads) | report("connections, http-net", &connections);
    std::process::exit(failed.into());
}

const METHODS: [Method<'_>; 3] = [Method::Get, Method::Head, Method::Connect];

/// What came of a comparison, where the two differ.
enum Verdict {
    Same,
    /// The peer accepts, hopwire does not.
    Stricter(String),
    /// hopwire accepts, the peer does not, and this is why.
    Looser(&'static str),
    Wrong(String),
}

/// A head as each reader sees it: its length, code, reason and fields.
type Head = (usize, u16, Vec<u8>, Vec<(Vec<u8>, Vec<u8>)>);

fn compare_heads(data: &[u8]) -> Verdict {
    let mut held = data.to_vec();
    let mut rx = Rx::new(&mut held);
    let ours = ResponseHead::new(Method::Get).poll(&mut rx, &HeadLimits::default()).map(|response| {
        response.map(|it| -> Head {
            let fields = it.fields.iter().map(|field| (field.name.as_bytes().to_vec(), field.value.to_vec()));
            (rx.consumed(), it.code(), it.reason().to_vec(), fields.collect())
        })
    });
    let mut space = [httparse::EMPTY_HEADER; 100];
    let mut head = httparse::Response::new(&mut space);
    let theirs = head.parse(data).map(|status| match status {
        httparse::Status::Partial => None,
        httparse::Status::Complete(len) => {
            let fields = head.headers.iter().map(|field| (field.name.as_bytes().to_vec(), field.value.to_vec()));
            Some((len, head.code.unwrap(), head.reason.unwrap().as_bytes().to_vec(), fields.collect()))
        }
    });
    match (ours, theirs) {
        (Ok(Some(ours)), Ok(Some(theirs))) => compare_head(data, &ours, &theirs),
        (Ok(Some((len, ..))), Err(error)) => match looser_head(&data[..len]) {
            Some(why) => Verdict::Looser(why),
            None => Verdict::Wrong(format!("accepted alone: {error:?}")),
        },
        (Ok(Some(_)), Ok(None)) => Verdict::Wrong("whole here, and not there".to_owned()),
        (Ok(None), Ok(Some(_))) => Verdict::Wrong("whole there, and not here".to_owned()),
        (Err(violation), Ok(_)) => Verdict::Stricter(format!("{violation:?}")),
        (Ok(None), Ok(None) | Err(_)) | (Err(_), Err(_)) => Verdict::Same,
    }
}

fn compare_head(data: &[u8], ours: &Head, theirs: &Head) -> Verdict {
    // A reason with obs-text is given as none by httparse, and trailing spaces of one are kept by both.
    let reason = if ours.2.is_ascii() { &ours.2[..] } else { b"" };
    if (ours.0, ours.1, reason, &ours.3) == (theirs.0, theirs.1, &theirs.2[..], &theirs.3) {
        return Verdict::Same;
    }
    Verdict::Wrong(format!("read differently: {:?} and {theirs:?}", (ours, data.len())))
}

/// Why hopwire takes a head that httparse refuses.
fn looser_head(head: &[u8]) -> Option<&'static str> {
    let start = head.iter().position(|b| !b"\r\n".contains(b))?;
    match () {
        () if head.windows(3).any(|three| matches!(three, b"\r\n " | b"\r\n\t")) => {
            Some("a fold becomes a space (RFC 9112 §5.2)")
        }
        () if !matches!(head.get(start + 7), Some(b'0' | b'1')) => {
            Some("a higher minor version is read as HTTP/1.1 (RFC 9110 §2.5)")
        }
        () => None,
    }
}

/// What a client got: the codes and contents of complete responses, and how it ended.
#[derive(Debug)]
struct Got {
    responses: Vec<(u16, Vec<u8>)>,
    /// Why the connection failed.
    error: Option<String>,
    /// It left HTTP.
    switched: bool,
    /// The last response ended with the connection.
    until_close: bool,
}

fn compare_connections(data: &[u8], methods: &[Method<'_>], eof: bool) -> Verdict {
    // The peer waits for an answer to CONNECT before it takes anything else.
    let methods = if methods[0] == Method::Connect { &methods[..1] } else { methods };
    if methods.len() > 1 && methods[1] == Method::Connect {
        return Verdict::Same;
    }
    let (ours, theirs) = (hopwire(data, methods, eof), http_net(data, methods, eof));
    let both = ours.responses.iter().zip(&theirs.responses);
    if let Some((one, other)) = both.into_iter().find(|(one, other)| one != other) {
        return Verdict::Wrong(format!("read differently: {one:?} and {other:?}"));
    }
    let alone = ours.responses.get(theirs.responses.len()).map(|(code, _)| *code);
    match (&ours.error, &theirs.error) {
        (None, None) if ours.responses.len() != theirs.responses.len() || ours.switched != theirs.switched => {
            Verdict::Wrong(format!("{ours:?} and {theirs:?}"))
        }
        (Some(why), None) => Verdict::Stricter(why.clone()),
        (_, Some(error)) if alone.is_some() || (ours.switched && !theirs.switched) => {
            match looser_connection(data, methods[theirs.responses.len()], alone, ours.until_close, error) {
                Some(why) => Verdict::Looser(why),
                None => Verdict::Wrong(format!("accepted alone: {error}: {ours:?}")),
            }
        }
        _ => Verdict::Same,
    }
}

/// Why hopwire takes a response (or a tunnel) that http-net refuses.
fn looser_connection(
    data: &[u8],
    method: Method<'_>,
    code: Option<u16>,
    until_close: bool,
    error: &str,
) -> Option<&'static str> {
    let text = String::from_utf8_lossy(data).to_ascii_lowercase();
    // The values of Content-Length in one head.
    let lengths = |head: &str| -> Vec<String> {
        let values = head.split("content-length:").skip(1).filter_map(|rest| rest.lines().next());
        let elements = values.flat_map(|value| value.split(',')).map(|value| value.trim().to_owned());
        elements.filter(|element| !element.is_empty()).collect()
    };
    let number = |length: &String| length.parse::<u64>().ok();
    let is_one =
        |lengths: &[String]| lengths.iter().all(|it| number(it).is_some() && number(it) == number(&lengths[0]));
    match error {
        "InvalidStatus" if code.is_some_and(|code| !(100..600).contains(&code)) => {
            Some("a code that is none counts as 500 (RFC 9110 §15)")
        }
        "InvalidStartLine" if data.windows(2).any(|two| two == b"\r\n") => {
            Some("empty lines before a response are dropped (RFC 9112 §9.2)")
        }
        _ if method == Method::Head || matches!(code, None | Some(204 | 304)) || text.contains(" 1") => {
            Some("what has no content ends with its head, whatever that says (RFC 9112 §6.3, rules 1 and 2)")
        }
        "DuplicateContentLength" | "InvalidContentLength"
            if text.split("\r\n\r\n").map(lengths).any(|it| !it.is_empty() && is_one(&it)) =>
        {
            Some("the same length several times is that length (RFC 9112 §6.3, rule 5)")
        }
        "InvalidTransferEncoding" if until_close => {
            Some("without chunked at its end a coding lasts until the connection is closed (RFC 9112 §6.3, rule 4)")
        }
        "InvalidTransferEncoding" if text.contains("chunked") => {
            Some("chunked behind other codings ends with its last chunk (RFC 9112 §6.3, rule 4)")
        }
        // Its leniency ends with the first of two responses.
        "ObsFold" => Some("a fold becomes a space (RFC 9112 §5.2)"),
        _ => None,
    }
}

fn hopwire(data: &[u8], methods: &[Method<'_>], eof: bool) -> Got {
    let mut client = Client::default();
    for &method in methods {
        let target: &[u8] = if method == Method::Connect { b"a:1" } else { b"/" };
        client.request(method, target, &[("host", b"a")], BodyLength::None, &mut Tx::new(&mut [0; 100])).unwrap();
    }
    let mut held = data.to_vec();
    let mut rx = if eof { Rx::last(&mut held) } else { Rx::new(&mut held) };
    let (mut responses, mut code, mut content, mut until_close) = (Vec::new(), 0, Vec::new(), false);
    loop {
        match client.poll(Instant::ZERO, &mut rx) {
            Ok(Some(Event::Response(response) | Event::Switched(response))) => {
                (code, until_close) = (response.code(), response.length() == ResponseLength::UntilClose);
            }
            Ok(Some(Event::Body(data))) => content.extend_from_slice(data),
            Ok(Some(Event::End)) => responses.push((code, std::mem::take(&mut content))),
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(_) => break,
        }
    }
    let error = match client.unusable() {
        Some(Unusable::Failed(violation)) => Some(format!("{violation:?}")),
        _ => None,
    };
    Got { responses, error, switched: client.has_switched(), until_close }
}

fn http_net(data: &[u8], methods: &[Method<'_>], eof: bool) -> Got {
    use http_net::ClientEvent;
    let limits = http_net::Limits::new().with_pipeline_depth(4);
    let mut conn = http_net::ClientConn::with_limits(limits);
    conn.set_leniency(http_net::ClientLeniency::new().with_obs_fold_in_responses(true));
    for method in methods {
        let target = if *method == Method::Connect { "a:1" } else { "/" };
        let request = http_net::Request::new(method.as_str(), target).header("host", "a");
        conn.send_request(&request, &mut Vec::new()).unwrap();
    }
    let mut got = Got { responses: Vec::new(), error: None, switched: false, until_close: false };
    let (mut rest, mut code, mut content) = (data, 0, Vec::new());
    loop {
        match conn.poll() {
            Ok(ClientEvent::Response(response)) => code = response.status(),
            Ok(ClientEvent::Body(data)) => content.extend_from_slice(data),
            Ok(ClientEvent::ResponseEnd) => got.responses.push((code, std::mem::take(&mut content))),
            Ok(ClientEvent::NeedInput | ClientEvent::Idle) if !rest.is_empty() => {
                let n = conn.feed(rest);
                assert!(n > 0, "it takes no more");
                rest = &rest[n..];
                if rest.is_empty() && eof {
                    conn.feed_eof();
                }
            }
            Ok(ClientEvent::NeedInput | ClientEvent::Idle) => return got,
            Ok(ClientEvent::Upgraded) => {
                got.switched = true;
                return got;
            }
            Ok(ClientEvent::Closed) => return got,
            Ok(_) => {}
            Err(error) => {
                got.error = Some(format!("{error:?}"));
                return got;
            }
        }
    }
}

/// The responses of the vectors, alone and in pairs.
fn responses() -> Vec<Vec<u8>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/http1.jsonl");
    let text = fs::read_to_string(file).expect("the vectors");
    let lines = text.lines().filter(|line| line.contains(r#""kind": "response""#));
    let alone: Vec<Vec<u8>> = lines
        .map(|line| {
            let (_, hex) = line.split_once(r#""bytes_hex": ""#).expect("an input");
            let (hex, _) = hex.split_once('"').expect("the end of it");
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
        })
        .collect();
    assert!(!alone.is_empty());
    let before = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    alone.iter().map(|response| [before, &response[..]].concat()).chain(alone.clone()).collect()
}

fn mutant(seeds: &[Vec<u8>], random: &mut Prng) -> Vec<u8> {
    let mut data = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(4) {
        let at = random.below(data.len() + 1);
        match random.below(7) {
            0 => data.truncate(at),
            1 if at < data.len() => data[at] = BYTES[random.below(BYTES.len())],
            2 if at < data.len() => data[at] ^= 1 << random.below(8),
            3 => data.insert(at, BYTES[random.below(BYTES.len())]),
            4 if at < data.len() => drop(data.remove(at)),
            5 => drop(data.splice(at..at, LINES[random.below(LINES.len())].bytes())),
            _ => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len() + 1);
                data.splice(at..at, other[from..].iter().take(random.below(60)).copied());
            }
        }
    }
    data
}

/// Bytes with a meaning somewhere.
const BYTES: &[u8] = b"\0\t\n\r \",/0159:;=AFGfz\x7f\x80\xff";

/// Lines with a meaning somewhere.
const LINES: &[&str] = &[
    "\r\nContent-Length: 5",
    "\r\nContent-Length: 5, 5",
    "\r\nContent-Length: +5",
    "\r\nTransfer-Encoding: chunked",
    "\r\nTransfer-Encoding: gzip, chunked",
    "\r\nTransfer-Encoding: chunked, chunked",
    "\r\nConnection: close",
    "\r\nConnection: keep-alive",
    "\r\n folded",
    "\r\n\r\n",
    "5\r\nhello\r\n",
    "0\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.0 200 OK\r\n",
];

fn note(differences: &mut Differences, verdict: Verdict, data: &[u8]) {
    let what = match verdict {
        Verdict::Same => return,
        Verdict::Stricter(violation) => format!("refused by hopwire alone: {violation}"),
        Verdict::Looser(why) => format!("taken by hopwire alone: {why}"),
        Verdict::Wrong(how) => format!("WRONG {how}"),
    };
    differences.entry(what).or_insert_with(|| (0, data.escape_ascii().to_string())).0 += 1;
}

/// Prints what was seen; whether something is wrong.
fn report(title: &str, differences: &Differences) -> bool {
    println!("{title}:");
    for (what, (times, first)) in differences {
        println!("  {times:6} {what}; first: \"{first:.300}\"");
    }
    differences.keys().any(|what| what.starts_with("WRONG"))
}
