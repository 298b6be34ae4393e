//! Two peers beside hopwire on the same bytes: *never is a request accepted that a peer accepts differently*. What only one side
//! accepts is no contradiction; where both do, they must agree on what was said and on where it ends.
//!
//! Each difference that is meant stands here, with its clause, and in SPEC_NOTES.md.

use hopwire::http::{Status, Version};
use hopwire::http1::server::{Config, Event, Server};
use hopwire::http1::{HeadLimits, RequestHead};
use hopwire::io::{Rx, Tx};
use hopwire::time::Instant;
use http_net::{Response, ServerConn, ServerEvent};

/// How many heads and messages both sides accepted, and alike.
pub fn run(data: &[u8]) -> usize {
    head(data) + connection(data)
}

/// A request: method, target, fields and content.
#[derive(Debug, Default, PartialEq)]
struct Message {
    method: Vec<u8>,
    target: Vec<u8>,
    fields: Vec<(Vec<u8>, Vec<u8>)>,
    content: Vec<u8>,
}

/// httparse: one head.
fn head(data: &[u8]) -> usize {
    let mut bytes = data.to_vec();
    let mut rx = Rx::new(&mut bytes);
    let Ok(Some(request)) = RequestHead::new().poll(&mut rx, &HeadLimits::new()) else { return 0 };
    let mut space = [httparse::EMPTY_HEADER; 128];
    let mut theirs = httparse::Request::new(&mut space);
    let Ok(httparse::Status::Complete(their_len)) = theirs.parse(data) else { return 0 };
    assert_eq!(rx.consumed(), their_len, "where the head ends: {}", data.escape_ascii());
    assert_eq!(Some(request.method.as_bytes()), theirs.method.map(str::as_bytes));
    assert_eq!(Some(request.target.as_bytes()), theirs.path.map(str::as_bytes));
    assert_eq!(Some(u8::from(request.version == Version::Http11)), theirs.version);
    let ours: Vec<_> = request.fields.iter().map(|field| (field.name.as_bytes(), field.value)).collect();
    let theirs: Vec<_> = theirs.headers.iter().map(|field| (field.name.as_bytes(), field.value)).collect();
    assert_eq!(ours, theirs, "{}", data.escape_ascii());
    1
}

/// http-net: a connection, message after message.
fn connection(data: &[u8]) -> usize {
    let (ours, theirs) = (ours(data), theirs(data));
    for (at, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        assert_eq!(ours, theirs, "message {at}: {}", data.escape_ascii());
    }
    ours.len().min(theirs.len())
}

fn ours(data: &[u8]) -> Vec<Message> {
    let mut server = Server::new(Config { max_body: 1 << 30, ..Config::new() });
    let (mut received, mut space) = (data.to_vec(), vec![0; 1 << 20]);
    let (mut rx, mut tx) = (Rx::new(&mut received), Tx::new(&mut space));
    let (mut messages, mut message) = (Vec::new(), Message::default());
    while let Ok(Some(event)) = server.poll(Instant::ZERO, &mut rx, &mut tx) {
        match event {
            Event::Request(request) => {
                message.method = request.method.as_bytes().to_vec();
                message.target = request.target.as_bytes().to_vec();
                message.fields = fields(request.fields.iter().map(|field| (field.name.as_bytes(), field.value)));
            }
            Event::Body(data) => message.content.extend_from_slice(data),
            Event::End => {
                messages.push(std::mem::take(&mut message));
                if server.respond_with(Status::FORBIDDEN, &[], b"", &mut tx).is_err() {
                    break;
                }
            }
            _ => {}
        }
    }
    messages
}

fn theirs(mut data: &[u8]) -> Vec<Message> {
    let (mut server, mut out) = (ServerConn::new(), Vec::new());
    let (mut messages, mut message) = (Vec::new(), Message::default());
    loop {
        match server.poll() {
            Ok(ServerEvent::Request(request)) => {
                message.method = request.method_str().as_bytes().to_vec();
                message.target = request.target().as_bytes().to_vec();
                message.fields = fields(request.headers().map(|(name, value)| (name.as_bytes(), value)));
            }
            Ok(ServerEvent::Body(data)) => message.content.extend_from_slice(data),
            Ok(ServerEvent::Trailers(_)) => {}
            Ok(ServerEvent::RequestEnd | ServerEvent::AwaitingResponse) => {
                messages.push(std::mem::take(&mut message));
                if server.respond(&Response::new(403), &mut out).is_err() {
                    return messages;
                }
            }
            Ok(ServerEvent::NeedInput) if !data.is_empty() => {
                let taken = server.feed(data);
                if taken == 0 {
                    return messages;
                }
                data = &data[taken..];
            }
            Ok(_) | Err(_) => return messages,
        }
    }
}

fn fields<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Vec<(Vec<u8>, Vec<u8>)> {
    fields.map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec())).collect()
}

/// Whether hopwire, httparse and http-net accept the first message.
#[allow(dead_code, reason = "for the test, not the target")]
pub fn accepts(data: &[u8]) -> [bool; 3] {
    let mut space = [httparse::EMPTY_HEADER; 128];
    let head = httparse::Request::new(&mut space).parse(data);
    [!ours(data).is_empty(), matches!(head, Ok(httparse::Status::Complete(_))), !theirs(data).is_empty()]
}
