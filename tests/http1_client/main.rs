//! `http1::Client`: exchanges, limits, deadlines, misuse; against vectors; in any pieces, in any order of calls.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::unreachable,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]
#![allow(unreachable_pub, reason = "a module of a test crate is reachable by nobody, and says `pub` to its siblings")]

mod expect;
mod failures;
mod order;
mod pipeline;
mod requests;
mod responses;
#[path = "../support/mod.rs"]
mod support;
mod time;
mod upgrade;
mod vectors;

use std::time::Duration;

use hopwire::http::{Method, Status};
use hopwire::http1::client::{Client, Config, Prepared, Unusable};
use hopwire::http1::{
    Ambiguous, BodyLength, HeadLimits, Limit, Malformed, Misuse, ResponseLength, Server, Timeout, Violation,
};
use hopwire::io::{Full, Rx, SendError, Tx, Wants};
use hopwire::time::Instant;
use proptest::prelude::*;
use support::dialogue::{Dialogue, Heard};
use support::exchange::{Exchange, Told};

type Fields<'a> = &'a [(&'a str, &'a [u8])];

const HOST: (&str, &[u8]) = ("host", b"a");
const OK5: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const OK0: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const CLOSE0: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
const SWITCH: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n\x81\x02hi";
const EXPECT: (&str, &[u8]) = ("Expect", b"100-Continue");

fn dialogue() -> Dialogue {
    Dialogue::new(Client::default())
}

/// A dialogue in which that was asked, without content.
fn asked(method: Method<'_>) -> Dialogue {
    let mut dialogue = dialogue();
    ask(&mut dialogue, method).unwrap();
    dialogue
}

fn ask(dialogue: &mut Dialogue, method: Method<'_>) -> Result<(), Misuse> {
    let target: &[u8] = if method == Method::Connect { b"a:1" } else { b"/" };
    dialogue.call(|client, tx| client.request(method, target, &[HOST], BodyLength::None, tx))
}

/// A dialogue in which a POST with so much content was begun.
fn posting(body: BodyLength, fields: &[(&str, &[u8])]) -> Dialogue {
    let mut dialogue = dialogue();
    let fields = [&[HOST], fields].concat();
    dialogue.call(|client, tx| client.request(Method::Post, b"/", &fields, body, tx)).unwrap();
    dialogue
}

fn send(dialogue: &mut Dialogue, data: &[u8]) -> Result<usize, Misuse> {
    dialogue.call(|client, tx| client.body(data, tx))
}

fn end(dialogue: &mut Dialogue) -> Result<(), Misuse> {
    dialogue.call(|client, tx| client.end(&[], tx))
}

/// What came of a response to GET, and of the end of input behind it.
fn answered(response: &[u8]) -> Dialogue {
    let mut dialogue = asked(Method::Get);
    dialogue.feed(response);
    dialogue.finish();
    dialogue
}

fn body(dialogue: &Dialogue) -> Vec<u8> {
    let bodies = dialogue.events().into_iter().filter_map(|heard| match heard {
        Heard::Body(body) => Some(body),
        _ => None,
    });
    bodies.flatten().collect()
}
