//! The peers over the requests of the vectors, and over changed copies of them. The same every time.
//!
//! `cargo test --manifest-path fuzz/Cargo.toml`

#[path = "../bodies/mod.rs"]
mod bodies;
#[path = "../peers.rs"]
mod peers;

use std::{env, fs};

use bodies::Prng;

#[test]
fn never_accepted_differently() {
    let mut seeds = Vec::new();
    for name in ["http1", "http1_forward"] {
        let file = format!("{}/../tests/data/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(file).expect("the vectors");
        seeds.extend(text.lines().filter_map(|line| {
            let hex = line.split("\"bytes_hex\": \"").nth(1)?.split('"').next()?;
            Some((0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect::<Vec<u8>>())
        }));
    }
    assert!(seeds.len() > 300);
    let mut alike: usize = seeds.iter().map(|seed| peers::run(seed)).sum();
    assert!(alike > 100, "{alike}");
    let mut prng = Prng::new(7);
    let runs = env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(200_000);
    for _ in 0..runs {
        let mut bytes = seeds[prng.below(seeds.len())].clone();
        for _ in 0..=prng.below(4) {
            let at = prng.below(bytes.len() + 1);
            match prng.below(6) {
                0 => bytes.truncate(at),
                1 if at < bytes.len() => bytes[at] = prng.next().to_le_bytes()[0],
                2 => bytes.insert(at.min(bytes.len()), b"\r\n\t :;,0\0\x7f\xff"[prng.below(11)]),
                3 if at < bytes.len() => _ = bytes.remove(at),
                4 => {
                    let other = &seeds[prng.below(seeds.len())];
                    bytes.splice(at.., other[prng.below(other.len() + 1)..].iter().copied());
                }
                _ => {
                    let piece = PIECES[prng.below(PIECES.len())];
                    bytes.splice(at..at, piece.iter().copied());
                }
            }
        }
        alike += peers::run(&bytes);
    }
    println!("{runs} changed requests, {alike} heads and messages accepted by both, and alike");
    assert!(alike > runs / 10, "{alike}");
}

const PIECES: &[&[u8]] = &[
    b"\r\n", b"\n", b"\r", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: a\r\n", b", ", b"chunked", b"0\r\n\r\n",
    b"3\r\nabc\r\n", b"HTTP/1.1", b"HTTP/1.0", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"Connection: close\r\n", b"x", b"%41", b"//", b"\xff",
];

/// The table of SPEC_NOTES.md: what only one side accepts.
#[test]
fn differences_that_are_meant() {
    let host = "Host: a\r\n";
    for (head, expected) in [
        (format!("GET / HTTP/1.1\n{host}\r\n"), [false, true, false]),
        (format!("GET / HTTP/1.7\r\n{host}\r\n"), [true, false, true]),
        ("GET / HTTP/1.1\r\n\r\n".into(), [false, true, false]),
        (format!("GET / HTTP/1.1\r\n{host}{host}\r\n"), [false, true, false]),
        (format!("GET /<> HTTP/1.1\r\n{host}\r\n"), [false, true, false]),
        (format!("POST / HTTP/1.1\r\n{host}Content-Length: 1\r\nContent-Length: 1\r\n\r\na"), [false, true, false]),
    ] {
        assert_eq!(peers::accepts(head.as_bytes()), expected, "{head:?}");
    }
}
