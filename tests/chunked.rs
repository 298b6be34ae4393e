//! The chunked decoder against a naive twin, in any pieces.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::unreachable,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use hopwire::http1::chunked::{Decoder, Piece};
use hopwire::http1::{HeadLimits, Limit, Malformed, Violation};
use hopwire::io::Rx;
use proptest::prelude::*;

/// What a chunked body comes to: its content, its trailer fields, and how many bytes it took.
type Body = (Vec<u8>, Vec<(String, Vec<u8>)>, usize);

/// Feeds `wire` in pieces that end at `ends`, and then the end of input if `last`.
fn decode(wire: &[u8], ends: &[usize], last: bool, room: (u64, u32)) -> Result<Option<Body>, Violation> {
    let mut decoder = Decoder::new(room.0, room.1);
    let limits = HeadLimits::default();
    let (mut content, mut trailers) = (Vec::new(), Vec::new());
    let (mut consumed, mut received) = (0, Vec::new());
    let mut start = 0;
    for &end in ends.iter().chain([&wire.len()]) {
        received.extend_from_slice(&wire[start..end]);
        start = end;
        let is_last = last && end == wire.len();
        let mut rx = if is_last { Rx::last(&mut received) } else { Rx::new(&mut received) };
        while let Some(piece) = decoder.poll(&mut rx, &limits)? {
            match piece {
                Piece::Data(data) => {
                    assert!(!data.is_empty());
                    content.extend_from_slice(data);
                }
                Piece::Trailers(fields) => {
                    assert!(!fields.is_empty());
                    trailers.extend(fields.iter().map(|f| (f.name.as_str().to_owned(), f.value.to_vec())));
                }
                Piece::End => return Ok(Some((content, trailers, consumed + rx.consumed()))),
                _ => unreachable!(),
            }
        }
        let used = rx.consumed();
        consumed += used;
        received.drain(..used);
    }
    Ok(None)
}

const ROOM: (u64, u32) = (1 << 20, 1 << 10);

/// The same, read off the grammar with no care for speed. Knows nothing of limits.
fn twin(wire: &[u8]) -> Result<Option<Body>, ()> {
    let mut at = 0;
    let (mut content, mut total) = (Vec::new(), 0_u128);
    // The line that starts at `at`; a CR must be followed by LF, and no other LF may be there.
    fn line(wire: &[u8], at: usize) -> Result<Option<&[u8]>, ()> {
        let rest = &wire[at..];
        let end = rest.iter().position(|&b| b == b'\r' || b == b'\n');
        match end.map(|end| (end, rest[end], rest.get(end + 1))) {
            None | Some((_, b'\r', None)) => Ok(None),
            Some((end, b'\r', Some(b'\n'))) => Ok(Some(&rest[..end])),
            Some(_) => Err(()),
        }
    }
    loop {
        let Some(size_line) = line(wire, at)? else {
            return if may_start_size_line(&wire[at..]) { Ok(None) } else { Err(()) };
        };
        let digits = size_line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let size = u128::from_str_radix(std::str::from_utf8(&size_line[..digits]).map_err(drop)?, 16).map_err(drop)?;
        total = size.saturating_add(total);
        if total > u128::from(u64::MAX) || !is_ext(&size_line[digits..]) {
            return Err(());
        }
        at += size_line.len() + 2;
        if size == 0 {
            break;
        }
        let end = usize::try_from(size).unwrap_or(usize::MAX).saturating_add(at);
        content.extend_from_slice(&wire[at..end.min(wire.len())]);
        match (wire.get(end), wire.get(end.saturating_add(1))) {
            (Some(b'\r'), Some(b'\n')) => at = end + 2,
            (None, _) | (Some(b'\r'), None) => return Ok(None),
            _ => return Err(()),
        }
    }
    let mut trailers = Vec::new();
    loop {
        let Some(field) = line(wire, at)? else {
            return match wire[at..].iter().all(|&b| b == b'\t' || b == b'\r' || b >= b' ' && b != 0x7f) {
                true => Ok(None),
                false => Err(()),
            };
        };
        at += field.len() + 2;
        if field.is_empty() {
            return Ok(Some((content, trailers, at)));
        }
        let colon = field.iter().position(|&b| b == b':').ok_or(())?;
        let (name, value) = (&field[..colon], field[colon + 1..].trim_ascii());
        if name.is_empty() || !name.iter().all(|&b| is_tchar(b)) || !value.iter().all(|&b| is_text(b)) {
            return Err(());
        }
        let name = String::from_utf8(name.to_vec()).map_err(drop)?;
        if !["host", "content-length"].contains(&name.to_ascii_lowercase().as_str()) {
            trailers.push((name, value.to_vec()));
        }
    }
}

fn is_tchar(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

fn is_text(b: u8) -> bool {
    b == b'\t' || b >= b' ' && b != 0x7f
}

/// `*( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )`
fn is_ext(mut ext: &[u8]) -> bool {
    fn bws(s: &[u8]) -> &[u8] {
        &s[s.iter().take_while(|&&b| b == b' ' || b == b'\t').count()..]
    }
    fn token(s: &[u8]) -> Option<&[u8]> {
        let len = s.iter().take_while(|&&b| is_tchar(b)).count();
        (len > 0).then(|| &s[len..])
    }
    fn quoted(s: &[u8]) -> Option<&[u8]> {
        let mut s = s.strip_prefix(b"\"")?;
        loop {
            match s {
                [b'"', rest @ ..] => return Some(rest),
                [b'\\', b, rest @ ..] if is_text(*b) => s = rest,
                [b, rest @ ..] if is_text(*b) && *b != b'\\' => s = rest,
                _ => return None,
            }
        }
    }
    while !ext.is_empty() {
        let Some(rest) = bws(ext).strip_prefix(b";") else { return false };
        let Some(rest) = token(bws(rest)) else { return false };
        ext = match bws(rest).strip_prefix(b"=") {
            None => rest,
            Some(rest) => match token(bws(rest)).or_else(|| quoted(bws(rest))) {
                None => return false,
                Some(rest) => rest,
            },
        };
    }
    true
}

/// Whether the start of a size line, that has no end yet, can still become one: some continuation is accepted.
fn may_start_size_line(start: &[u8]) -> bool {
    let digits = start.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let digits_fit = start[..digits].iter().skip_while(|&&b| b == b'0').count() <= 16;
    if let Some(start) = start.strip_suffix(b"\r") {
        return digits > 0 && digits_fit && is_ext(&start[digits..]);
    }
    let tails: [&[u8]; 7] = [b"", b"a", b";a", b"\"", b"a\"", b"=a", b";a=a"];
    let ends = |tail: &&[u8]| is_ext(&[&start[digits..], tail].concat());
    start.is_empty() || digits > 0 && digits_fit && (digits == start.len() || tails.iter().any(ends))
}

fn a_wire() -> impl Strategy<Value = Vec<u8>> {
    let part = prop::sample::select(vec![
        "5\r\nhello\r\n",
        "5\r\nhello\r\n",
        "0\r\n",
        "\r\n",
        "\r\n",
        "1",
        "a",
        "F",
        "0",
        "0",
        ";",
        ";a",
        "=",
        "b",
        " ",
        "\t",
        "\"",
        "\\",
        ";a=\"q\\\"\"",
        "\r",
        "\n",
        "x",
        "g",
        "hello",
        "X: y\r\n",
        "Host: z\r\n",
        ":",
        "\0",
        "\u{e9}",
        "0\r\n\r\n",
        "10\r\n0123456789abcdef\r\n",
        "0000000000000000000",
        "ffffffffffffffff",
    ]);
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn agrees_with_the_twin_in_any_pieces(
        wire in a_wire(), ends in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let room = (u64::MAX, u32::MAX);
        let whole = decode(&wire, &[], false, room);
        let mut ends: Vec<usize> = ends.iter().map(|end| end.index(wire.len() + 1)).collect();
        ends.sort_unstable();
        prop_assert_eq!(&decode(&wire, &ends, false, room), &whole);
        let bytewise: Vec<usize> = (1..wire.len()).collect();
        prop_assert_eq!(&decode(&wire, &bytewise, false, room), &whole);
        match twin(&wire) {
            Ok(body) => prop_assert_eq!(whole, Ok(body)),
            Err(()) => prop_assert!(whole.is_err(), "{}: {:?}", wire.escape_ascii(), whole),
        }
        // The end of input in the middle is a violation; the end of the body is not.
        let last = decode(&wire, &ends, true, room);
        match decode(&wire, &[], false, room) {
            Ok(None) => prop_assert_eq!(last, Err(Violation::Eof)),
            other => prop_assert_eq!(last, other),
        }
    }

    #[test]
    fn any_content_in_any_chunks(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..6),
        ends in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let mut wire = Vec::new();
        for chunk in &chunks {
            wire.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
            wire.extend_from_slice(chunk);
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(b"0\r\n\r\n");
        let len = wire.len();
        wire.extend_from_slice(b"GET ");
        let mut ends: Vec<usize> = ends.iter().map(|end| end.index(wire.len() + 1)).collect();
        ends.sort_unstable();
        prop_assert_eq!(decode(&wire, &ends, false, ROOM), Ok(Some((chunks.concat(), Vec::new(), len))));
    }
}

/// A size of any number of digits, in either case, behind another chunk: read at once, and byte by byte.
#[test]
fn sizes_of_any_length() {
    for size in [1, 0xf, 0x10, 0xab, 0xff, 0x100, 0xabc, 0xfff, 0x1000, 0x1234, 0xfedc, 0xffff, 0x1_0000, 0x1_2345] {
        for line in [format!("{size:x}"), format!("{size:X}"), format!("0{size:x}"), format!("000{size:X}")] {
            let data: Vec<u8> = (0..size).map(|n: usize| n.to_le_bytes()[0]).collect();
            let chunk = [line.as_bytes(), b"\r\n", &data, b"\r\n"].concat();
            let wire = [b"1\r\nx\r\n", &chunk[..], &chunk, b"0\r\n\r\n"].concat();
            let body = Ok(Some(([&b"x"[..], &data, &data].concat(), Vec::new(), wire.len())));
            let most = 1 + 2 * size as u64;
            assert_eq!(decode(&wire, &[], false, (most, 0)), body, "{line}");
            assert_eq!(decode(&wire, &[], false, (most - 1, 0)), Err(Violation::Limit(Limit::Body)), "{line}");
            let bytewise: Vec<usize> = (1..20).collect();
            assert_eq!(decode(&wire, &bytewise, false, (most, 0)), body, "{line}");
        }
    }
}

#[test]
fn the_content_has_a_limit_judged_at_each_size() {
    let too_long = Err(Violation::Limit(Limit::Body));
    assert_eq!(decode(b"5\r\n", &[], false, (4, 0)), too_long);
    assert_eq!(decode(b"5\r\n", &[], false, (5, 0)), Ok(None));
    assert_eq!(decode(b"5\r\nhello\r\n1\r\n", &[], false, (5, 0)), too_long);
    assert_eq!(decode(b"ffffffffffffffff\r\n", &[], false, (u64::MAX, 0)), Ok(None));
    assert_eq!(decode(b"1\r\nx\r\nffffffffffffffff\r\n", &[], false, (u64::MAX, 0)), too_long);
}

#[test]
fn extensions_have_one_budget_for_all_chunks() {
    let too_long = Err(Violation::Limit(Limit::ChunkExtensions));
    let wire = b"1;a=b\r\nx\r\n0;c\r\n\r\n";
    let body = Ok(Some((b"x".to_vec(), Vec::new(), wire.len())));
    assert_eq!(decode(wire, &[], false, (9, 6)), body);
    assert_eq!(decode(wire, &[], false, (9, 5)), too_long);
    // Zeros past the sixteenth digit count as well, or they would be an endless line.
    let zeros = format!("{}\r\n\r\n", "0".repeat(20));
    assert!(decode(zeros.as_bytes(), &[], false, (9, 4)).is_ok_and(|body| body.is_some()));
    assert_eq!(decode(zeros.as_bytes(), &[], false, (9, 3)), too_long);
}

#[test]
fn sizes_do_not_overflow() {
    let bad = Err(Violation::Malformed(Malformed::ChunkSize));
    assert_eq!(decode(b"10000000000000000\r\n", &[], false, (u64::MAX, 99)), bad);
    assert_eq!(decode(b"0ffffffffffffffff\r\n", &[], false, (u64::MAX, 99)), Ok(None));
    for size in ["", "+5", "-5", " 5", "0x5", "5_", "g", "5 ", "\u{ff15}"] {
        let wire = format!("{size}\r\nhello\r\n");
        assert!(decode(wire.as_bytes(), &[], false, ROOM).is_err(), "{size:?}");
    }
}

#[test]
fn forbidden_trailers_are_dropped_and_the_others_kept_in_order() {
    let wire =
        b"0\r\nHost: x\r\nB: 2\r\ncontent-length: 9\r\nTRANSFER-ENCODING: chunked\r\nA: 1\r\nauthorization: y\r\n\r\n";
    let kept = vec![("B".to_owned(), b"2".to_vec()), ("A".to_owned(), b"1".to_vec())];
    assert_eq!(decode(wire, &[], false, ROOM), Ok(Some((Vec::new(), kept, wire.len()))));
    assert_eq!(
        decode(b"0\r\nTrailer: a\r\n\r\n", &[], false, ROOM),
        Ok(Some((Vec::new(), Vec::new(), 17))),
        "a section of forbidden fields alone is none"
    );
}

/// RFC 9110 §6.5.1: what is needed for framing, routing, request modifiers, authentication, response controls or to know the
/// format of the content comes before it, or not at all. Integrity and status may come behind.
#[test]
fn fields_that_may_not_come_last_and_some_that_may() {
    let forbidden = "Connection Content-Length Keep-Alive Proxy-Connection TE Trailer Transfer-Encoding Upgrade Forwarded Host \
        Max-Forwards Via Cache-Control Expect If-Match If-Modified-Since If-None-Match If-Range If-Unmodified-Since Pragma Range \
        Authorization Cookie Proxy-Authenticate Proxy-Authorization Set-Cookie WWW-Authenticate Age Date Expires Location \
        Retry-After Vary Content-Encoding Content-Range Content-Type";
    let allowed = "Content-Digest ETag Server-Timing Grpc-Status X-Checksum Hos Hosts X-Host TEA";
    for (names, kept) in [(forbidden, 0), (allowed, 1)] {
        for name in names.split_whitespace() {
            for name in [name.to_owned(), name.to_lowercase(), name.to_uppercase()] {
                let wire = format!("0\r\n{name}: a\r\n\r\n");
                let trailers = decode(wire.as_bytes(), &[], false, ROOM).unwrap().unwrap().1;
                assert_eq!(trailers.len(), kept, "{name}");
            }
        }
    }
}

#[test]
fn trailers_that_fill_the_buffer_are_a_limit() {
    let mut decoder = Decoder::new(9, 9);
    let limits = HeadLimits::default();
    assert!(decoder.poll(&mut Rx::new(&mut b"0\r\n".to_vec()), &limits).is_ok_and(|piece| piece.is_none()));
    let mut received = b"A: bcdef".to_vec();
    assert!(decoder.poll(&mut Rx::new(&mut received), &limits).is_ok_and(|piece| piece.is_none()));
    let full = decoder.poll(&mut Rx::full(&mut received), &limits);
    assert_eq!(full.err(), Some(Violation::Limit(Limit::Trailers)));
}

/// None of the places of a size line is without end: each takes what its line has room for, and not a byte more.
#[test]
fn every_byte_of_an_extension_counts() {
    for (start, filler) in [
        ("1;", "a"),
        ("1;", " "),
        ("1 ", "\t"),
        ("1;a", " "),
        ("1;a=", "\t"),
        ("1;a=", "b"),
        ("1;a=b", " "),
        ("1;a=\"", "b"),
        ("1;a=\"", "\\b"),
        ("1;a=\"\"", " "),
        ("1;a;", "a"),
        ("1;a=b;", " "),
    ] {
        let line = |n: usize| start.to_owned() + &filler.repeat(n);
        let most = 100;
        let fits = (most - (start.len() - 1)) / filler.len();
        assert_eq!(decode(line(fits).as_bytes(), &[], false, (9, most as u32)), Ok(None), "{start:?} {filler:?}");
        let too_long = Err(Violation::Limit(Limit::ChunkExtensions));
        assert_eq!(decode(line(fits + 1).as_bytes(), &[], false, (9, most as u32)), too_long, "{start:?} {filler:?}");
    }
}

/// What comes a byte at a time is consumed as it comes, so nothing is looked at twice; but for the trailers, whose lines have a
/// proof of their own.
#[test]
fn nothing_before_the_trailers_waits() {
    let wire = b"5;a=b; c=\"d\\\"\"\r\nhello\r\n00010 \t;e\r\n0123456789abcdef\r\n0;f\r\n";
    let (mut decoder, limits) = (Decoder::new(99, 99), HeadLimits::new());
    for &byte in wire {
        let mut received = [byte];
        let mut rx = Rx::new(&mut received);
        while decoder.poll(&mut rx, &limits).is_ok_and(|piece| piece.is_some()) {}
        assert_eq!(rx.consumed(), 1);
    }
}

#[test]
fn a_failure_stays() {
    let limits = HeadLimits::new();
    for bad in ["x", "a\r\n", "1\r\nabc", "1;=\r\n", "1\r\na\r\n-", "0\r\n A: b\r\n\r\n", "5\r\nab"] {
        let mut decoder = Decoder::new(9, 9);
        let mut received = bad.as_bytes().to_vec();
        let mut rx = Rx::last(&mut received);
        let refused = loop {
            match decoder.poll(&mut rx, &limits) {
                Ok(piece) => assert!(matches!(piece, Some(Piece::Data(_))), "{bad:?}"),
                Err(violation) => break violation,
            }
        };
        for more in ["", "0\r\n\r\n", "\r\n1\r\na\r\n"] {
            let mut received = more.as_bytes().to_vec();
            let mut rx = Rx::new(&mut received);
            assert_eq!(decoder.poll(&mut rx, &limits).err(), Some(refused), "{bad:?} {more:?}");
            assert_eq!(rx.consumed(), 0);
        }
    }
}

#[test]
fn ends_once_and_for_all() {
    let mut decoder = Decoder::new(9, 9);
    let limits = HeadLimits::default();
    let mut received = b"0\r\n\r\n5\r\nhello".to_vec();
    let mut rx = Rx::new(&mut received);
    for _ in 0..3 {
        assert!(matches!(decoder.poll(&mut rx, &limits), Ok(Some(Piece::End))));
        assert_eq!(rx.consumed(), 5);
    }
}
