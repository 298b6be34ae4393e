//! The client that tests/autobahn/run.sh drives: runs every case of the Autobahn suite's fuzzing server by echoing.
//!
//! `autobahn_client URL AGENT`
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that people watch")]

use std::collections::hash_map::RandomState;
use std::error::Error;
use std::hash::BuildHasher;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::{env, time::Duration};

use hopwire::http1::{Client, client::Event};
use hopwire::io::{RxBuffer, Tx, Wants};
use hopwire::ws::{self, handshake::deflate};
use hopwire::{Entropy, time::Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let [url, agent] =
        env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "usage: autobahn_client URL AGENT")?;
    let count: u32 = echo(&format!("{url}/getCaseCount"))?.parse()?;
    for case in 1..=count {
        // A case ends as it likes: what came of it is in the report.
        if let Err(error) = echo(&format!("{url}/runCase?case={case}&agent={agent}")) {
            println!("case {case}: {error}");
        }
    }
    echo(&format!("{url}/updateReports?agent={agent}"))?;
    Ok(())
}

/// Connects, sends every message back until the connection is closed, and tells the last text.
fn echo(url: &str) -> Result<String, Box<dyn Error>> {
    let url = ws::Url::parse(url)?;
    let mut stream = TcpStream::connect((url.host(), url.port()))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let (mut inbox, mut out) = (RxBuffer::new(vec![0; 65_536]), Vec::new());

    let (mut random, mut nonce) = (entropy(), [0; 16]);
    random.fill(&mut nonce);
    let request = ws::handshake::Request::new(url, nonce).deflate(&[deflate::Offer::ANY]);
    let (mut http, mut agreed) = (Client::default(), None);
    request.send(&mut http, &mut Tx::growing(&mut out, MAX_OUTPUT))?;
    stream.write_all(&out)?;
    while !http.has_switched() {
        receive(&mut stream, &mut inbox)?;
        let mut rx = inbox.rx();
        if let Some(Event::Switched(response) | Event::Response(response)) = http.poll(Instant::ZERO, &mut rx)? {
            agreed = request.judge(&response)?;
            agreed.ok_or_else(|| format!("the server answered {}", response.code()))?;
        }
        let used = rx.consumed();
        inbox.consume(used);
    }

    let deflate = agreed.and_then(|agreed| agreed.deflate);
    let mut session = ws::Session::client(random, ws::Config::new(), deflate);
    let (mut shared, mut last) = (ws::Shared::default(), String::new());
    loop {
        out.clear();
        let (mut rx, mut tx) = (inbox.rx(), Tx::growing(&mut out, MAX_OUTPUT));
        let outcome = loop {
            match session.poll(Instant::ZERO, &mut shared, &mut rx, &mut tx) {
                Ok(Some((_, outbox))) if outbox.is_closing() => {}
                Ok(Some((ws::Message::Text(text), mut outbox))) => {
                    outbox.send_text(text, &mut tx)?;
                    last = text.as_str().into();
                }
                Ok(Some((ws::Message::Binary(data), mut outbox))) => outbox.send_binary(data, &mut tx)?,
                Ok(None) => break Ok(()),
                Err(violation) => break Err(violation),
            }
        };
        let used = rx.consumed();
        inbox.consume(used);
        stream.write_all(&out)?;
        if outcome.is_err() || session.wants() == Wants::Close {
            linger(stream);
            return Ok(outcome.map(|()| last)?);
        }
        receive(&mut stream, &mut inbox)?;
    }
}

fn receive(stream: &mut TcpStream, inbox: &mut RxBuffer<Vec<u8>>) -> Result<(), Box<dyn Error>> {
    match stream.read(inbox.space())? {
        0 => inbox.end(),
        n => inbox.advance(n),
    }
    Ok(())
}

/// Lets the server have our last words: stops writing, and reads to the end for a bounded time. What fails here, fails
/// after the connection is over.
fn linger(mut stream: TcpStream) {
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    while matches!(stream.read(&mut [0; 4096]), Ok(1..)) {}
}

/// The standard library's hasher is keyed by the system's random numbers.
fn entropy() -> impl Entropy {
    let (state, mut count) = (RandomState::new(), 0_u64);
    move |dest: &mut [u8]| {
        for chunk in dest.chunks_mut(8) {
            count += 1;
            chunk.copy_from_slice(&state.hash_one(count).to_ne_bytes()[..chunk.len()]);
        }
    }
}

const MAX_OUTPUT: usize = 65 << 20;
