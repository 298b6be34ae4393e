//! `http1::Client` that asks in every way there is, and a server that says anything.

use hopwire::http::Method;
use hopwire::http1::client::{Client, Config, Unusable};
use hopwire::http1::{BodyLength, Violation};
use hopwire::io::Wants;

use super::dialogue::{Dialogue, Heard};
use super::{Prng, crlf_lines, feeds, field_line, trim};

/// All that came of one input.
#[derive(Debug, PartialEq)]
struct Outcome {
    heard: Vec<(Heard, usize)>,
    violation: Option<Violation>,
    unusable: Option<Unusable>,
    wants: Wants,
    unanswered: usize,
    rest: Vec<u8>,
}

pub fn run(data: &[u8]) {
    let mut prng = Prng::of(data);
    let mut config = Config::default();
    if prng.below(4) == 0 {
        (config.max_body, config.max_chunk_ext, config.max_interim) = (40, 20, 1);
        (config.head.bytes, config.head.fields) = (300, 5);
    }
    let (methods, eof) = (methods(&mut prng), prng.below(2) == 0);
    let whole = play(config, &methods, &[data], eof);
    for pieces in feeds(data) {
        assert_eq!(play(config, &methods, &pieces, eof), whole, "{methods:?} {}", data.escape_ascii());
    }
    compare(data, &methods, &whole);
}

/// What is asked, all of it before anything comes.
fn methods(prng: &mut Prng) -> Vec<Method<'static>> {
    const METHODS: [Method<'_>; 6] =
        [Method::Get, Method::Head, Method::Options, Method::Put, Method::Post, Method::Connect];
    (0..=prng.below(3)).map(|_| METHODS[prng.below(METHODS.len())]).collect()
}

fn play(config: Config, methods: &[Method<'_>], pieces: &[&[u8]], eof: bool) -> Outcome {
    let mut dialogue = Dialogue::new(Client::new(config));
    for &method in methods {
        let upgrade = ("upgrade", &b"websocket"[..]);
        let fields: &[(&str, &[u8])] = match method {
            Method::Get => &[("host", b"a"), upgrade],
            _ => &[("host", b"a")],
        };
        let target: &[u8] = if method == Method::Connect { b"a:1" } else { b"/" };
        let taken = dialogue.call(|client, tx| client.request(method, target, fields, BodyLength::None, tx));
        if taken.is_err() {
            break;
        }
    }
    illegal_calls(&mut dialogue);
    dialogue.feed(b"");
    for piece in pieces {
        dialogue.feed(piece);
    }
    if eof {
        dialogue.finish();
    }
    illegal_calls(&mut dialogue);
    Outcome {
        violation: dialogue.violation,
        unusable: dialogue.client.unusable(),
        wants: dialogue.client.wants(),
        unanswered: dialogue.client.unanswered(),
        // What is not consumed of a message that failed depends on the pieces.
        rest: if dialogue.violation.is_some() { Vec::new() } else { dialogue.rest().to_vec() },
        heard: dialogue.heard,
    }
}

/// What must be refused whatever the state is; `Out::call` sees to it that nothing is written.
fn illegal_calls(dialogue: &mut Dialogue) {
    let split: &[(&str, &[u8])] = &[("host", b"a"), ("x", b"a\r\nb: c")];
    assert!(dialogue.call(|client, tx| client.request_with(Method::Get, b"/", split, b"", tx)).is_err());
    let host: &[(&str, &[u8])] = &[("host", b"a")];
    assert!(dialogue.call(|client, tx| client.request_with(Method::Get, b"/ HTTP/1.1", host, b"", tx)).is_err());
    assert!(dialogue.call(|client, tx| client.request_with(Method::Get, b"/", &[], b"", tx)).is_err());
    assert!(dialogue.call(|client, tx| client.request_with(Method::Trace, b"/", host, b"x", tx)).is_err());
    assert!(dialogue.call(|client, tx| client.body(b"x", tx)).is_err(), "every request is complete");
}

/// Each response that was told as complete, read once more by the book: the same code, the same content, the same end.
fn compare(data: &[u8], methods: &[Method<'_>], outcome: &Outcome) {
    let (mut start, mut nth) = (0, 0);
    let (mut code, mut content) = (0, &[][..]);
    for (heard, consumed) in &outcome.heard {
        match heard {
            Heard::Response(reply) => (code, content) = (reply.code, &[]),
            Heard::Body(body) => content = body,
            Heard::End => {
                let twin = read(&data[start..*consumed], methods[nth] == Method::Head);
                assert_eq!(twin, Some((code, content.to_vec())), "{}", data[start..*consumed].escape_ascii());
                (start, nth) = (*consumed, nth + 1);
            }
            Heard::Switched(reply) => {
                let is_tunnel = methods[nth] == Method::Connect && (200..300).contains(&reply.code);
                assert!(is_tunnel || (reply.code == 101 && methods[nth] == Method::Get));
                assert_eq!(outcome.rest, data[*consumed..]);
            }
            Heard::Interim(_) | Heard::Trailers(_) => {}
            Heard::Continue => panic!("nothing is expected"),
        }
    }
}

/// Code and content of the final response in `bytes`, which it fills.
fn read(mut bytes: &[u8], is_head: bool) -> Option<(u16, Vec<u8>)> {
    while let [b'\r', b'\n', rest @ ..] = bytes {
        bytes = rest;
    }
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 2;
    let (head, body) = (&bytes[..end], &bytes[end + 2..]);
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in crlf_lines(head)? {
        match line {
            [b' ' | b'\t', rest @ ..] => lines.last_mut()?.extend([b" ", rest].concat()),
            _ => lines.push(line.to_vec()),
        }
    }
    let (line, fields) = lines.split_first()?;
    assert!(line.starts_with(b"HTTP/1.") && line[8] == b' ' && matches!(line.get(12), None | Some(b' ')));
    let code: u16 = std::str::from_utf8(&line[9..12]).ok()?.parse().ok()?;
    if (100..200).contains(&code) {
        return read(body, is_head);
    }
    let list = |name: &str| -> Option<Vec<&[u8]>> {
        let mut elements = Vec::new();
        for field in fields {
            let (own, value) = field_line(field)?;
            if own.eq_ignore_ascii_case(name.as_bytes()) {
                elements.extend(split(value));
            }
        }
        Some(elements)
    };
    let (lengths, codings) = (list("content-length")?, list("transfer-encoding")?);
    let has_coding = fields.iter().any(|field| field.to_ascii_lowercase().starts_with(b"transfer-encoding:"));
    if is_head || code == 204 || code == 304 {
        return body.is_empty().then_some((code, Vec::new()));
    }
    if codings.last().is_some_and(|last| last.eq_ignore_ascii_case(b"chunked")) {
        assert!(lengths.is_empty() && line[7] != b'0');
        return dechunk(body).map(|content| (code, content));
    }
    if let (Some(length), false) = (lengths.first(), has_coding) {
        assert!(lengths.iter().all(|other| number(other) == number(length)), "lengths that differ");
        return (number(length)? == body.len() as u64).then_some((code, body.to_vec()));
    }
    Some((code, body.to_vec()))
}

/// The elements of a list. No comma in quotes is one between them.
fn split(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = value.split(move |&b| {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            _ => return b == b',' && !quoted,
        }
        false
    });
    parts.map(trim).filter(|element| !element.is_empty())
}

fn number(digits: &[u8]) -> Option<u64> {
    assert!(digits.iter().all(u8::is_ascii_digit));
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The content of a chunked body that fills `bytes`.
fn dechunk(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let end = bytes.windows(2).position(|two| two == b"\r\n")?;
        let line = &bytes[..end];
        let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        assert!(matches!(line.get(digits), None | Some(b';' | b' ' | b'\t')), "{}", line.escape_ascii());
        let size = usize::from_str_radix(std::str::from_utf8(&line[..digits]).ok()?, 16).ok()?;
        let data = &bytes[end + 2..];
        if size == 0 {
            // The trailers, and the end right behind them.
            let section = if data == b"\r\n" { &b""[..] } else { data.strip_suffix(b"\r\n\r\n")? };
            assert!(!section.windows(4).any(|four| four == b"\r\n\r\n") && !section.starts_with(b"\r\n"));
            return Some(content);
        }
        assert_eq!(data.get(size..size + 2)?, b"\r\n");
        content.extend_from_slice(&data[..size]);
        bytes = &data[size + 2..];
    }
}
