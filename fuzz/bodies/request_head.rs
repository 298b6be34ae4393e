//! `http1::RequestHead` against lines cut at CRLF.

use hopwire::http::Version;
use hopwire::http1::{BodyLength, HeadLimits, Request, RequestHead, Violation};
use hopwire::io::Rx;

use super::{Prng, crlf_lines, feeds, field_line, is_token};

pub fn run(data: &[u8]) {
    let mut limits = HeadLimits::default();
    let mut prng = Prng::of(data);
    if prng.below(4) == 0 {
        let mut below = |n| u32::try_from(prng.below(n)).expect("it is below n");
        limits = HeadLimits { line: 1 + below(100), bytes: 1 + below(1000), fields: below(10), empty_lines: below(3) };
    }
    let whole = read(&[data], &limits);
    for pieces in feeds(data) {
        assert_eq!(read(&pieces, &limits), whole, "{limits:?} {}", data.escape_ascii());
    }
    let mut bytes = data.to_vec();
    let mut rx = Rx::new(&mut bytes);
    if let Ok(Some(request)) = RequestHead::new().poll(&mut rx, &limits) {
        agree(&request, &data[..rx.consumed()], &limits);
    }
}

/// All that a request says.
fn read(pieces: &[&[u8]], limits: &HeadLimits) -> Result<Option<(String, usize)>, Violation> {
    let mut head = RequestHead::new();
    let mut bytes = Vec::new();
    for piece in pieces {
        bytes.extend_from_slice(piece);
        let (before, mut rx) = (bytes.len() - piece.len(), Rx::new(&mut bytes));
        let polled = head.poll(&mut rx, limits).inspect_err(|violation| {
            let again = head.poll(&mut Rx::new(&mut b"GET / HTTP/1.0\r\n\r\n".to_vec()), limits).err();
            assert_eq!(again, Some(*violation), "a failure stays");
        });
        if let Some(request) = polled? {
            let len = rx.consumed();
            assert!(len + piece.len() > before);
            let fields: Vec<_> = request.fields.iter().map(|field| (field.name.as_bytes(), field.value)).collect();
            let asks = (request.keep_alive(), request.expects_continue(), request.offers_upgrade(), request.length());
            let said = (request.method, request.target, request.version, request.authority(), asks, fields);
            return Ok(Some((format!("{said:?}"), len)));
        }
    }
    Ok(None)
}

fn agree(request: &Request<'_>, head: &[u8], limits: &HeadLimits) {
    let lines = crlf_lines(head).expect("a head in lines");
    let mut lines = lines.into_iter().skip_while(|line| line.is_empty());
    let line = lines.next().expect("a request line");
    let [most_line, most_bytes, most_fields] = [limits.line, limits.bytes, limits.fields].map(|limit| limit as usize);
    assert!(line.len() <= most_line && head.len() <= most_bytes.max(line.len() + 2) + 64);
    let parts: Vec<_> = line.split(|&b| b == b' ').collect();
    let [method, target, version] = parts.as_slice() else { panic!("not three parts: {}", line.escape_ascii()) };
    assert!(is_token(method) && request.method.as_bytes() == *method);
    assert!(target.iter().all(u8::is_ascii_graphic) && request.target.as_bytes() == *target);
    let one_digit = matches!(version, [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor] if minor.is_ascii_digit());
    assert!(one_digit && (request.version == Version::Http10) == version.ends_with(b".0"));

    let mut lines: Vec<_> = lines.collect();
    assert_eq!(lines.pop(), Some(&b""[..]), "the empty line");
    let fields: Vec<_> = lines.iter().map(|line| field_line(line).expect("a field line")).collect();
    assert!(fields.len() <= most_fields);
    let told: Vec<_> = request.fields.iter().map(|field| (field.name.as_bytes(), field.value)).collect();
    assert_eq!(told, fields);

    let all = |name: &str| -> Vec<&[u8]> {
        let named = fields.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes()));
        named.map(|(_, value)| *value).collect()
    };
    let hosts = all("host");
    assert!(hosts.len() == 1 || (hosts.is_empty() && request.version == Version::Http10), "{hosts:?}");
    // RFC 9112 §6.3: what is left of its cases once all that is ambiguous was refused.
    let body = match (all("transfer-encoding").as_slice(), all("content-length").as_slice()) {
        ([], []) => BodyLength::None,
        ([], [length]) => {
            assert!(length.iter().all(u8::is_ascii_digit) && !length.is_empty());
            BodyLength::Length(std::str::from_utf8(length).unwrap().parse().expect("64 bits"))
        }
        (codings, []) => {
            assert_eq!(request.version, Version::Http11);
            let named: Vec<_> = codings.iter().flat_map(|it| it.split(|&b| b == b',')).map(super::trim).collect();
            let named: Vec<_> = named.into_iter().filter(|it| !it.is_empty()).collect();
            assert!(matches!(named.as_slice(), [one] if one.eq_ignore_ascii_case(b"chunked")), "{codings:?}");
            BodyLength::Chunked
        }
        (codings, lengths) => panic!("ambiguous: {codings:?} {lengths:?}"),
    };
    let nothing = matches!((body, request.length()), (BodyLength::Length(0), BodyLength::None));
    assert!(body == request.length() || nothing, "{body:?} but {:?}", request.length());
}
