//! An echo server: HTTP and WebSocket on one port, one thread a connection, the standard library only.
//!
//! `cargo run --release --example echo [-- PORT]` listens on 127.0.0.1 (port 9001; 0 takes any free one):
//! GET answers a text, POST sends its content back, WebSocket messages come back as they are. A line `quit` on
//! standard input ends it gracefully: WebSocket peers get a Close (1001), HTTP connections end when they are idle.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that people watch")]

use std::error::Error;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::{env, thread, time::Duration};

use hopwire::http::{Method, Status};
use hopwire::http1::{self, BodyLength, server};
use hopwire::io::{Rx, RxBuffer, Tx, Wants};
use hopwire::time::Instant;
use hopwire::ws::{self, handshake::deflate};

type Outcome<T> = Result<T, Box<dyn Error>>;

enum Protocol {
    Http(http1::Server),
    WebSocket(ws::Session<ws::Server>),
}

/// All that speaks HTTP or WebSocket: takes what there is in `rx`, writes the answers to `tx`; what is wanted next, and when to
/// look at the clock.
fn turn(
    protocol: &mut Protocol,
    shared: &mut ws::Shared,
    now: Instant,
    rx: &mut Rx<'_>,
    tx: &mut Tx<'_>,
) -> Outcome<(Wants, Option<Instant>)> {
    loop {
        match protocol {
            Protocol::WebSocket(session) => match session.poll(now, shared, rx, tx)? {
                Some((_, outbox)) if outbox.is_closing() => {}
                Some((ws::Message::Text(text), mut outbox)) => outbox.send_text(text, tx)?,
                Some((ws::Message::Binary(data), mut outbox)) => outbox.send_binary(data, tx)?,
                None => {
                    session.handle_timeout(now, tx)?;
                    if STOP.load(SeqCst) {
                        // Refused once it is closing, and then there is nothing left to say.
                        let _ = session.outbox(shared).close(now, ws::CloseCode::GOING_AWAY, "", tx);
                    }
                    return Ok((session.wants(), session.poll_timeout()));
                }
            },
            Protocol::Http(http) => match http.poll(now, rx, tx)? {
                Some(server::Event::Request(request)) => match ws::Handshake::of(&request) {
                    Ok(Some(handshake)) => {
                        let deflate = deflate::negotiate(&handshake, deflate::Config::new());
                        // Any: what comes back was the page's own, and no cookie counts. Where one does, `SameHost`.
                        handshake.accept(ws::OriginPolicy::Any)?.deflate(deflate).respond(http, tx)?;
                        *protocol = Protocol::WebSocket(ws::Session::server(ws::Config::new(), deflate));
                    }
                    Ok(None) if request.method == Method::Post => {} // answered as its content comes
                    Ok(None) => http.respond_with(Status::OK, &[("content-type", b"text/plain")], HELLO, tx)?,
                    Err(refusal) => refusal.respond(http, tx)?,
                },
                Some(event) => {
                    if http.owes_response() {
                        http.respond(Status::OK, &[], BodyLength::Chunked, tx)?;
                    }
                    match event {
                        server::Event::Body(data) => _ = http.body(data, tx)?,
                        server::Event::End => http.end(&[], tx)?,
                        _ => {}
                    }
                }
                None => {
                    http.handle_timeout(now, tx)?;
                    if STOP.load(SeqCst) {
                        http.close();
                    }
                    return Ok((http.wants(), http.poll_timeout()));
                }
            },
        }
    }
}

/// Serves one connection to its end.
fn serve(mut stream: TcpStream) -> Outcome<()> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let epoch = std::time::Instant::now();
    let now = || Instant::from(epoch.elapsed());
    let mut protocol =
        Protocol::Http(http1::Server::new(server::Config { max_body: 1 << 30, ..server::Config::new() }));
    let (mut inbox, mut out, mut shared) = (RxBuffer::new(vec![0; 65_536]), Vec::new(), ws::Shared::default());
    loop {
        let mut rx = inbox.rx();
        let outcome = turn(&mut protocol, &mut shared, now(), &mut rx, &mut Tx::growing(&mut out, MAX_OUTPUT));
        let used = rx.consumed();
        inbox.consume(used);
        stream.write_all(&out)?;
        out.clear();
        if matches!(outcome, Ok((Wants::Close, _)) | Err(_)) {
            linger(&mut stream)?;
            return outcome.map(drop);
        }
        let (_, deadline) = outcome?;
        let wait = deadline.map_or(TICK, |at| at.saturating_since(now()).clamp(Duration::from_millis(1), TICK));
        stream.set_read_timeout(Some(wait))?;
        match stream.read(inbox.space()) {
            Ok(0) => inbox.end(),
            Ok(n) => inbox.advance(n),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
            Err(e) => return Err(e.into()),
        }
    }
}

/// Ends a connection so that the peer gets our last words: stop writing, read to its end for a bounded time, close.
fn linger(stream: &mut TcpStream) -> io::Result<()> {
    let since = std::time::Instant::now();
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(LINGER / 4))?;
    while since.elapsed() < LINGER && matches!(stream.read(&mut [0; 4096]), Ok(1..)) {}
    Ok(())
}

fn main() -> Outcome<()> {
    let port = env::args().nth(1).map_or(Ok(9001), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    let address = listener.local_addr()?;
    println!("listening on {address}");
    thread::spawn(move || {
        if io::stdin().lock().lines().map_while(Result::ok).any(|line| line == "quit") {
            STOP.store(true, SeqCst);
            let _ = TcpStream::connect(address); // wakes the loop below
        }
    });
    // Ends when all connections have.
    thread::scope(|threads| {
        for stream in listener.incoming().take_while(|_| !STOP.load(SeqCst)) {
            let stream = stream?;
            threads.spawn(|| serve(stream).unwrap_or_else(|e| eprintln!("connection ended: {e}")));
        }
        Ok(())
    })
}

static STOP: AtomicBool = AtomicBool::new(false);

const HELLO: &[u8] = b"hopwire: POST something here, or open a WebSocket\n";
/// Bytes written in one turn: the echo of the longest message, and small things before it.
const MAX_OUTPUT: usize = 65 << 20;
/// How long a shutdown may go unnoticed.
const TICK: Duration = Duration::from_millis(250);
/// How long the peer may take to read.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the peer may take to stop after our last words.
const LINGER: Duration = Duration::from_millis(800);
