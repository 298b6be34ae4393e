//! `http1::Server`: exchanges, limits, deadlines, misuse; against vectors and attacks; in any pieces, in any order of calls.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::unreachable,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]
#![allow(unreachable_pub, reason = "a module of a test crate is reachable by nobody, and says `pub` to its siblings")]

mod answers;
mod attacks;
mod exchanges;
mod failures;
mod order;
#[path = "../support/mod.rs"]
mod support;
mod time;
mod vectors;

use std::time::Duration;

use hopwire::http::Status;
use hopwire::http1::server::{Config, Prepared, Server};
use hopwire::http1::{BodyLength, HeadLimits, Limit, Misuse, Timeout, Violation};
use hopwire::io::{Full, Rx, SendError, Tx, Wants};
use hopwire::time::Instant;
use proptest::prelude::*;
use support::exchange::{Exchange, Head, Out, Told};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const HEAD: &[u8] = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST5: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";

type Answer<'a> = &'a mut dyn FnMut(&mut Server, &Told, &mut Out);

/// The bytes that `answer` makes of `request`, and what the server wants then.
fn reply_to(request: &[u8], answer: impl Fn(&mut Server, &mut Out)) -> (String, Wants) {
    let mut exchange = Exchange::new(Server::default());
    exchange.feed(request, &mut |server, told, out| {
        if *told == Told::End {
            answer(server, out);
        }
    });
    (exchange.wire(), exchange.server.wants())
}

fn ok(server: &mut Server, out: &mut Out) {
    out.call(|tx| server.respond_with(Status::OK, &[], b"hi", tx)).expect("an answer is due");
}

fn answer_ok(server: &mut Server, told: &Told, out: &mut Out) {
    if *told == Told::End {
        ok(server, out);
    }
}

fn ignore(_: &mut Server, _: &Told, _: &mut Out) {}
