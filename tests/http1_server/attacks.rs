//! What is sent to a server so that it, or who stands beside it, takes one request for two: each shape refused, or read in
//! the one way there is, whole and at every split. `SMUGGLED` is never told.

use crate::support::exchange::{Exchange, Head, Out, Told};
use hopwire::http::Status;
use hopwire::http1::server::{Config, Server};
use hopwire::http1::{Ambiguous, Limit, Malformed, Unsupported, Violation};
use hopwire::io::Wants;

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
const CHUNK_SIZE: Violation = Violation::Malformed(Malformed::ChunkSize);
const CHUNK_END: Violation = Violation::Malformed(Malformed::ChunkEnd);
const CHUNK_EXT: Violation = Violation::Malformed(Malformed::ChunkExtension);
const CODING: Violation = Violation::Malformed(Malformed::TransferEncoding);

/// How a connection ends on which `wire` came, whose requests are answered when they are complete.
fn outcome(wire: &[u8], cuts: &[usize]) -> (Vec<Told>, Option<Violation>, String, Wants) {
    let mut exchange = Exchange::new(Server::new(Config { max_chunk_ext: 100, ..Config::default() }));
    let mut answer = |server: &mut Server, told: &Told, out: &mut Out| {
        if *told == Told::End && server.owes_response() {
            out.call(|tx| server.respond_with(Status::OK, &[], b"", tx)).expect("an answer is due");
        }
    };
    let mut from = 0;
    for &cut in cuts.iter().chain([&wire.len()]) {
        exchange.feed(&wire[from..cut], &mut answer);
        from = cut;
    }
    (exchange.events(), exchange.violation, exchange.wire(), exchange.server.wants())
}

fn targets(told: &[Told]) -> Vec<String> {
    let target = |told: &Told| match told {
        Told::Request(Head { target, .. }) => Some(String::from_utf8_lossy(target).into_owned()),
        _ => None,
    };
    told.iter().filter_map(target).collect()
}

/// The same whole, bytewise and cut in two.
fn in_any_pieces(wire: &[u8]) -> (Vec<Told>, Option<Violation>, String, Wants) {
    let whole = outcome(wire, &[]);
    let bytewise: Vec<usize> = (1..wire.len()).collect();
    assert_eq!(outcome(wire, &bytewise), whole, "{}", wire.escape_ascii());
    for cut in bytewise {
        assert_eq!(outcome(wire, &[cut]), whole, "{} at {cut}", wire.escape_ascii());
    }
    whole
}

/// Refused for that reason, with 4xx or 5xx as the last word.
fn refused(wire: &str, violation: Violation) {
    let (told, failed, answer, wants) = in_any_pieces(&[wire, SMUGGLED].concat().into_bytes());
    assert_eq!((failed, wants), (Some(violation), Wants::Close), "{}", wire.escape_debug());
    assert!(!targets(&told).contains(&"/smuggled".into()), "{}", wire.escape_debug());
    let last = format!("HTTP/1.1 {}", violation.status().code());
    assert!(answer.starts_with(&last) && answer.contains("connection: close"), "{answer}");
}

/// The head of a POST with these fields.
fn post(fields: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

fn chunked(body: &str) -> String {
    post("Transfer-Encoding: chunked\r\n") + body
}

#[test]
fn content_length_beside_transfer_encoding() {
    for fields in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding:\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
        "tRANSFER-eNCODING:\tchunked\t\r\ncONTENT-lENGTH:5\r\n",
    ] {
        refused(&post(fields), Violation::Ambiguous(Ambiguous::LengthAndCoding));
    }
}

#[test]
fn several_content_lengths() {
    for fields in ["Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5\r\nX: y\r\ncontent-length: 5\r\n"] {
        refused(&post(fields), Violation::Ambiguous(Ambiguous::LengthRepeated));
    }
}

#[test]
fn content_lengths_that_are_no_digits() {
    for length in [
        "+5",
        "-5",
        "0x5",
        "5h",
        "5 5",
        "5,5",
        "5, 5",
        "5;",
        "5.0",
        "1e1",
        "1_0",
        "\"5\"",
        "",
        " ",
        ",5",
        "5,",
        "\u{b2}",
        "\u{665}",
        "18446744073709551616",
        "99999999999999999999999999",
    ] {
        refused(&post(&format!("Content-Length: {length}\r\n")), Violation::Malformed(Malformed::ContentLength));
    }
}

#[test]
fn chunked_more_than_once_or_not_last() {
    for codings in [
        "chunked, chunked",
        "chunked,chunked",
        "chunked, gzip",
        "chunked;q=1",
        "\"chunked\"",
        "xchunked",
        "chunke",
        "identity",
        "",
    ] {
        refused(&post(&format!("Transfer-Encoding: {codings}\r\n")), CODING);
    }
    for fields in [
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: x\r\nTransfer-Encoding: y\r\n",
    ] {
        refused(&post(fields), CODING);
    }
    for codings in ["gzip, chunked", "identity, chunked", "x,,chunked"] {
        refused(
            &post(&format!("Transfer-Encoding: {codings}\r\n")),
            Violation::Unsupported(Unsupported::TransferCoding),
        );
    }
    refused(&post("Transfer-Encoding: \u{b}chunked\r\n"), Violation::Malformed(Malformed::Control));
}

#[test]
fn framing_in_http10() {
    let head = "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    refused(head, Violation::Ambiguous(Ambiguous::CodingInHttp10));
    // Without a length there is no content, and without keep-alive nothing behind it: not "content until the close".
    let (told, failed, _, wants) = in_any_pieces(format!("POST / HTTP/1.0\r\n\r\n{SMUGGLED}").as_bytes());
    assert_eq!((targets(&told), failed, wants), (vec!["/".into()], None, Wants::Close));
}

#[test]
fn names_that_another_would_trim() {
    for field in [
        "Transfer-Encoding : chunked",
        "Transfer-Encoding\t: chunked",
        "Transfer Encoding: chunked",
        ": chunked",
        "Transfer-Encoding",
    ] {
        refused(&post(&format!("{field}\r\n")), Violation::Malformed(Malformed::FieldName));
    }
    for fold in ["X: y\r\n Transfer-Encoding: chunked", "X: y\r\n\tz", " Transfer-Encoding: chunked"] {
        refused(&post(&format!("{fold}\r\n")), Violation::Malformed(Malformed::Fold));
    }
    for control in ["Transfer-Encoding\0: chunked", "X: y\0z", "X: y\u{b}", "X: \u{7f}"] {
        refused(&post(&format!("{control}\r\n")), Violation::Malformed(Malformed::Control));
    }
}

#[test]
fn line_ends_of_a_head() {
    let head = post("Content-Length: 0\r\n");
    let ends: Vec<usize> = head.match_indices("\r\n").map(|(at, _)| at).collect();
    for at in ends {
        for end in ["\n", "\r", "\n\r", "\r\r\n", "\rX", "\r\0"] {
            let wire = format!("{}{end}{}", &head[..at], &head[at + 2..]);
            refused(&wire, Violation::Malformed(Malformed::LineEnd));
        }
    }
}

#[test]
fn hosts_that_could_be_two() {
    refused("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Violation::Ambiguous(Ambiguous::HostRepeated));
    refused("GET / HTTP/1.1\r\nX: y\r\n\r\n", Violation::Malformed(Malformed::HostMissing));
    for host in ["a, b", "a b", "a/b", "u@a", "a:80:80", "a:b", "[::1", "a\\b", "a?b", "a#b", "a\tb"] {
        refused(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), Violation::Malformed(Malformed::Host));
    }
    let (told, ..) = in_any_pieces(b"GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n");
    let Some(Told::Request(head)) = told.first() else { panic!("no request") };
    assert_eq!(head.authority.as_deref(), Some(&b"a.example"[..]), "the target's own");
}

#[test]
fn chunk_sizes_that_are_no_digits() {
    for size in ["+5", "-5", " 5", "\t5", "0x5", "g", "", ";a", "_5", "\u{b2}"] {
        refused(&chunked(&format!("{size}\r\nhello\r\n0\r\n\r\n")), CHUNK_SIZE);
    }
    for size in ["5h", "5,5", "5.0", "1_0", "5\0"] {
        refused(&chunked(&format!("{size}\r\nhello\r\n0\r\n\r\n")), CHUNK_SIZE);
    }
    // White space belongs to an extension, and there is none.
    for size in ["5 ", "5\t", "5 5"] {
        refused(&chunked(&format!("{size}\r\nhello\r\n0\r\n\r\n")), CHUNK_EXT);
    }
}

#[test]
fn chunk_sizes_that_overflow() {
    for size in ["10000000000000000", "100000000000000005", "ffffffffffffffff0"] {
        refused(&chunked(&format!("{size}\r\nhello\r\n0\r\n\r\n")), CHUNK_SIZE);
    }
    // What no counter overflows at is still more than any limit, and refused before a byte of it.
    for size in ["ffffffffffffffff", "8000000000000000", "7fffffffffffffff"] {
        refused(&chunked(&format!("{size}\r\nhello\r\n0\r\n\r\n")), Violation::Limit(Limit::Body));
    }
}

#[test]
fn the_five_line_ends_of_a_chunked_body() {
    let bodies: [(&str, &str, &[Violation]); 5] = [
        ("5", "hello\r\n0\r\n\r\n", &[CHUNK_END, CHUNK_SIZE, CHUNK_EXT]),
        ("5\r\nhello", "0\r\n\r\n", &[CHUNK_END]),
        ("5\r\nhello\r\n0", "\r\n", &[CHUNK_END, CHUNK_SIZE, CHUNK_EXT]),
        ("5\r\nhello\r\n0\r\nA: b", "\r\n", &[Violation::Malformed(Malformed::LineEnd)]),
        ("5\r\nhello\r\n0\r\nA: b\r\n", "", &[Violation::Malformed(Malformed::LineEnd)]),
    ];
    for (before, after, expected) in bodies {
        for end in ["\n", "\r", "\n\r", "\r\r\n", "\rX", "\r\0", "\n\n"] {
            let wire = format!("{}{before}{end}{after}{SMUGGLED}", post("Transfer-Encoding: chunked\r\n"));
            let (told, failed, ..) = in_any_pieces(wire.as_bytes());
            assert!(
                failed.is_some_and(|violation| expected.contains(&violation)),
                "{}: {failed:?}",
                wire.escape_debug()
            );
            assert_eq!(targets(&told), ["/"], "{}", wire.escape_debug());
        }
    }
}

#[test]
fn any_two_bytes_for_the_end_of_chunk_data() {
    for pair in 0..=u16::MAX {
        let end = pair.to_le_bytes();
        let wire = [chunked("5\r\nhello").as_bytes(), &end, b"0\r\n\r\n", SMUGGLED.as_bytes()].concat();
        let (told, failed, ..) = outcome(&wire, &[]);
        let expected = if end == *b"\r\n" { (2, None) } else { (1, Some(CHUNK_END)) };
        assert_eq!((targets(&told).len(), failed), expected, "{}", end.escape_ascii());
    }
}

#[test]
fn extensions_of_chunks_without_end() {
    let too_much = Violation::Limit(Limit::ChunkExtensions);
    refused(&chunked(&format!("5;{}", "a".repeat(200))), too_much);
    refused(&chunked(&format!("5;a=\"{}", "a".repeat(200))), too_much);
    refused(&chunked(&format!("5{}", ";a".repeat(100))), too_much);
    refused(&chunked(&"1;abcdefgh\r\nx\r\n".repeat(20)), too_much);
    refused(&chunked(&"0".repeat(200)), too_much);
    // A line end in a quoted string is none to us, and not taken for text.
    refused(&chunked("5;a=\"\r\nhello\"\r\n0\r\n\r\n"), CHUNK_EXT);
    refused(&chunked("5;a=\"\n\"\r\nhello\r\n0\r\n\r\n"), CHUNK_EXT);
}

#[test]
fn trailers_that_would_be_framing() {
    let wire = chunked(
        "0\r\nContent-Length: 34\r\nTransfer-Encoding: chunked\r\nHost: b\r\nConnection: close\r\nX: y\r\n\r\n",
    );
    let (told, failed, _, wants) = in_any_pieces(&[wire.as_str(), SMUGGLED].concat().into_bytes());
    assert_eq!((targets(&told), failed, wants), (vec!["/".into(), "/smuggled".into()], None, Wants::Input));
    let trailers: Vec<&Told> = told.iter().filter(|told| matches!(told, Told::Trailers(_))).collect();
    assert_eq!(trailers, [&Told::Trailers(vec![("x".into(), b"y".to_vec())])]);
}

/// A request inside the content of another, which is answered at its head.
#[test]
fn content_that_nobody_reads_is_no_request() {
    for method in ["GET", "HEAD", "DELETE", "OPTIONS", "POST"] {
        for expect in ["", "Expect: 100-continue\r\n"] {
            let head = format!("{method} / HTTP/1.1\r\nHost: a\r\n{expect}Content-Length: {}\r\n\r\n", SMUGGLED.len());
            for wire in [head.clone() + SMUGGLED, head + SMUGGLED + SMUGGLED] {
                for cut in 0..wire.len() {
                    let mut exchange = Exchange::new(Server::default());
                    let mut answer = |server: &mut Server, told: &Told, out: &mut Out| {
                        if matches!(told, Told::Request(_)) {
                            out.call(|tx| server.respond_with(Status::FORBIDDEN, &[], b"no", tx))
                                .expect("an answer is due");
                        }
                    };
                    exchange.feed(&wire.as_bytes()[..cut], &mut answer);
                    exchange.feed(&wire.as_bytes()[cut..], &mut answer);
                    // Behind the content may be a request, unless the client waits to be told to send it.
                    let mut expected = vec!["/"];
                    if expect.is_empty() && wire.matches("smuggled").count() == 2 {
                        expected.push("/smuggled");
                    }
                    assert_eq!(targets(&exchange.events()), expected, "{}", wire.escape_debug());
                    assert_eq!(exchange.server.wants() == Wants::Close, !expect.is_empty());
                }
            }
        }
    }
}

#[test]
fn a_tunnel_or_an_upgrade_with_content() {
    for fields in ["Content-Length: 34\r\n", "Transfer-Encoding: chunked\r\n"] {
        refused(
            &format!("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n{fields}\r\n"),
            Violation::Ambiguous(Ambiguous::ConnectContent),
        );
    }
    let head = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nContent-Length: {}\r\n\r\n",
        SMUGGLED.len()
    );
    let mut exchange = Exchange::new(Server::default());
    exchange.feed(&[head.as_str(), SMUGGLED].concat().into_bytes(), &mut |server, told, out| {
        let switched = out.call(|tx| server.switch_protocols(&[("upgrade", b"x")], tx));
        assert_eq!(switched.is_ok(), matches!(told, Told::Body(_)), "not before the content is read");
    });
    assert_eq!((targets(&exchange.events()), exchange.rest()), (vec!["/".into()], &b""[..]));
}
