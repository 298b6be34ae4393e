//! The bodies of the fuzz targets over their seeds: the inputs of the vectors, what `fuzz/seeds` keeps, and changed
//! copies of both; those of heads also over messages made of lines with rules. The same input gives the same run every time.
//!
//! `HOPWIRE_CORPUS=FOLDER cargo test --test fuzz_seeds` also writes the seeds out, for `fuzz/run.sh` to start from.

#![allow(clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::duplicate_mod, reason = "the bodies bring what they share with tests along, for the targets")]

#[path = "../fuzz/bodies/mod.rs"]
mod bodies;
mod support;

use std::path::{Path, PathBuf};
use std::{env, fs};

use bodies::{Prng, TARGETS};
use support::json::Value;
use support::vectors;

#[test]
fn bodies_hold_on_every_seed() {
    for &(name, run) in TARGETS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name} has no seed");
        for seed in &seeds {
            run(seed);
        }
        let mut prng = Prng::new(1);
        for _ in 0..MUTANTS {
            run(&mutant(&seeds, &mut prng));
        }
        support::say(&format!("fuzz {name}: {} seeds and {MUTANTS} changed ones", seeds.len()));
        if let Some(folder) = env::var_os("HOPWIRE_CORPUS").map(PathBuf::from) {
            let folder = folder.join(name);
            fs::create_dir_all(&folder).expect("a folder for the seeds");
            for (at, seed) in seeds.iter().enumerate() {
                fs::write(folder.join(format!("seed-{at:04}")), seed).expect("a seed is written");
            }
        }
    }
}

#[test]
fn bodies_of_heads_hold_on_every_message() {
    for &(name, run) in TARGETS {
        if ["client", "forward", "handshake", "handshake_client", "http1_server", "relay", "request_head"]
            .contains(&name)
        {
            let mut prng = Prng::new(2);
            for _ in 0..MUTANTS {
                run(&message(&mut prng));
            }
        }
    }
}

/// How many changed seeds or messages each body runs on: a second or two for all.
const MUTANTS: usize = 2000;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let mut seeds = match target {
        "chunked" => chunked_bodies(),
        "client" => responses(),
        "compress" => [inputs("http1"), payloads()].concat(),
        "forward" | "relay" => {
            let cases =
                ["http1", "http1_forward"].into_iter().flat_map(vectors::files).flat_map(|file| vectors::cases(&file));
            cases.filter_map(|case| case.bytes("bytes_hex")).collect()
        }
        "handshake" | "handshake_client" => inputs("ws_handshake"),
        "cursor" => CURSORS.iter().map(|seed| seed.as_bytes().to_vec()).collect(),
        "http1_server" | "request_head" => [inputs("http1"), inputs("ws_handshake")].concat(),
        "inflate" => (0..100).map(|seed| bodies::inflate::streams::stream(seed, 0, 32768)).collect(),
        "sse_decode" => streams(),
        "sse_encode" => outgoing(),
        "utf8" => payloads(),
        "ws_connection" | "ws_frames" => inputs("ws_frames"),
        "ws_deflate" => compressed_frames(),
        other => panic!("{other} has no seeds"),
    };
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    if let Ok(entries) = fs::read_dir(kept) {
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("a folder entry").path()).collect();
        paths.sort();
        seeds.extend(paths.iter().map(|path| fs::read(path).expect("a seed is read")));
    }
    seeds.sort();
    seeds.dedup();
    seeds
}

/// What arrives in the vectors of that name, but for responses.
fn inputs(name: &str) -> Vec<Vec<u8>> {
    let cases = vectors::files(name).into_iter().flat_map(|file| vectors::cases(&file));
    cases.filter(|case| case.text("kind") != "response").filter_map(|case| case.bytes("bytes_hex")).collect()
}

/// The responses of the vectors, alone and behind another.
fn responses() -> Vec<Vec<u8>> {
    let cases = vectors::files("http1").into_iter().flat_map(|file| vectors::cases(&file));
    let alone: Vec<_> =
        cases.filter(|case| case.text("kind") == "response").filter_map(|case| case.bytes("bytes_hex")).collect();
    let before = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    alone.iter().map(|response| [before, &response[..]].concat()).chain(alone.clone()).collect()
}

/// The streams of the vectors, and one that outgrows a small buffer.
fn streams() -> Vec<Vec<u8>> {
    let cases = vectors::files("sse_decode").into_iter().flat_map(|file| vectors::cases(&file));
    let long = [b"id: 1\ndata: a\n: ".as_slice(), &[b'c'; 200], b"\nevent: x\ndata: b\r\n\r\n"].concat();
    cases.filter_map(|case| case.bytes("stream_hex")).chain([long]).collect()
}

/// What the vectors encode: type, id, comment and data.
fn outgoing() -> Vec<Vec<u8>> {
    let cases = vectors::files("sse_encode").into_iter().flat_map(|file| vectors::cases(&file));
    let parts = |case: Value| {
        let input = case.get("input")?;
        Some(["event", "id", "comment", "data"].map(|part| input.text(part).to_owned()).join("\u{1}").into_bytes())
    };
    cases.filter_map(parts).collect()
}

/// Frames to a server with compression, which are few and short enough to be changed much.
fn compressed_frames() -> Vec<Vec<u8>> {
    let frames = inputs("ws_frames").into_iter();
    let starts = |wire: &[u8]| matches!(wire, [0x41 | 0x42 | 0xc1 | 0xc2, length, ..] if *length >= 0x80);
    frames.filter(|wire| starts(wire) && wire.len() < 600).collect()
}

/// The bodies of chunked messages, without their heads.
fn chunked_bodies() -> Vec<Vec<u8>> {
    let messages = inputs("http1").into_iter().filter(|it| it.to_ascii_lowercase().windows(7).any(|w| w == b"chunked"));
    let body = |message: Vec<u8>| {
        let head = message.windows(4).position(|four| four == b"\r\n\r\n")?;
        Some(message[head + 4..].to_vec())
    };
    messages.filter_map(body).collect()
}

/// Text, good and bad: what the frames of the vectors carry once they are unmasked.
fn payloads() -> Vec<Vec<u8>> {
    let unmasked = |frame: Vec<u8>| match frame.as_slice() {
        [_, 0x80..=0xfd, a, b, c, d, payload @ ..] => {
            let key = [a, b, c, d];
            Some(payload.iter().enumerate().map(|(at, byte)| byte ^ key[at % 4]).collect())
        }
        _ => None,
    };
    let spoken = "caf\u{e9} \u{65e5}\u{672c}\u{8a9e} \u{1f600} \u{10ffff}".repeat(40).into_bytes();
    inputs("ws_frames").into_iter().filter_map(unmasked).chain([spoken]).collect()
}

/// Cursors, starts and queries of polls.
const CURSORS: &[&str] = &[
    "9f.17",
    "1.0",
    "ffffffffffffffff.18446744073709551615",
    "oldest",
    "now",
    "snapshot",
    "cursor=9f.17&wait=25&client=c1",
    "cursor=oldest&wait=0",
    "x=1&&cursor=now",
];

/// A seed with a few changes, perhaps with another behind it.
fn mutant(seeds: &[Vec<u8>], prng: &mut Prng) -> Vec<u8> {
    let mut data = seeds[prng.below(seeds.len())].clone();
    for _ in 0..prng.below(4) {
        let at = prng.below(data.len() + 1);
        match prng.below(6) {
            0 => data.truncate(at),
            1 if at < data.len() => data[at] = BYTES[prng.below(BYTES.len())],
            2 if at < data.len() => data[at] ^= 1 << prng.below(8),
            3 => data.insert(at, BYTES[prng.below(BYTES.len())]),
            4 if at < data.len() => drop(data.remove(at)),
            _ => {
                let other = &seeds[prng.below(seeds.len())];
                let from = prng.below(other.len() + 1);
                data.splice(at..at, other[from..].iter().take(prng.below(40)).copied());
            }
        }
    }
    if prng.below(4) == 0 {
        data.extend_from_slice(&seeds[prng.below(seeds.len())]);
    }
    data
}

/// Bytes with a meaning somewhere.
const BYTES: &[u8] = b"\0\t\n\r \",/0159:;=AFGfz\\\x7f\x80\x81\x88\x89\xbf\xc2\xe3\xf0\xff";

/// A message of a line to start with, lines that somebody has a rule for, and content that fits it or not.
fn message(prng: &mut Prng) -> Vec<u8> {
    let mut any = |parts: &[&str]| parts[prng.below(parts.len())].to_owned();
    let mut message = any(STARTS);
    while any(&["goes on", "goes on", "goes on", "goes on", "ends"]) != "ends" {
        message += &any(LINES);
    }
    let content = any(CONTENTS);
    [message.as_bytes(), b"\r\n\r\n", content.as_bytes()].concat()
}

const STARTS: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: a",
    "POST /x?y HTTP/1.0\r\nHost: a:81",
    "OPTIONS * HTTP/1.1\r\nHost: a",
    "OPTIONS http://b HTTP/1.1\r\nHost: a",
    "GET http://b?x HTTP/1.1\r\nHost: a",
    "TRACE http://b/c HTTP/1.1\r\nHost: b",
    "PUT / HTTP/1.1\r\nHost:",
    "CONNECT a:1 HTTP/1.1\r\nHost: a",
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13",
    "HTTP/1.1 200 OK",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked",
    "HTTP/1.0 204 No",
    "HTTP/1.1 205 R\r\nTransfer-Encoding: chunked",
    "HTTP/1.1 103 E",
    "HTTP/1.1 304",
    "HTTP/1.1 999 X",
    "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
];

/// Each begins a line, or goes on with the one before.
const LINES: &[&str] = &[
    "\r\nConnection: ",
    "\r\nConnection: upgrade",
    "\r\nconnection: close, ",
    "\r\nUpgrade: ",
    "\r\nTransfer-Encoding: ",
    "\r\nSec-WebSocket-Extensions: ",
    "\r\nSec-WebSocket-Protocol: chat",
    ", ",
    ",,",
    "\"a, ",
    "\"",
    "\\",
    "; a=",
    "\r\n ",
    "\u{e9}",
    "X-A, ",
    "x-b",
    "Host",
    ", cookie",
    ", upgrade",
    ", te",
    "websocket, h2c",
    "gzip, ",
    "chunked",
    "permessage-deflate",
    "; client_max_window_bits=\"1\\0\"",
    "\r\nX-A: 1",
    "\r\nX-B:2",
    "\r\nx-a:\t3 ",
    "\r\nX-Empty:",
    "\r\nVia: 1.0 fred",
    "\r\nVia: 1.1 first",
    "\r\nVIA: 1.1 a (b, 1.1 first)",
    "\r\nMax-Forwards: 7",
    "\r\nMax-Forwards: 0",
    "\r\nTE: trailers",
    "\r\nCookie: a=b",
    "\r\nExpect: 100-continue",
    "\r\nContent-Length: 3",
    "\r\nContent-Length: 0",
    "\r\nTrailer: X",
    "\r\nSet-Cookie: a",
    "\r\nDate: d",
    "\r\nKeep-Alive: 5",
    "\r\nTransfer-Encoding: chunked",
    "\r\nHTTP2-Settings: a",
];

const CONTENTS: &[&str] = &[
    "",
    "",
    "abc",
    "3;a=\"b, c\"\r\nabc\r\n0\r\n\r\n",
    "3\r\nabc\r\n0\r\nX: 1\r\nDate: d\r\n\r\n",
    "0\r\nX-A: 1\r\n\r\n",
];
