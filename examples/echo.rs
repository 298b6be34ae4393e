//! An echo server: HTTP and WebSocket on one port, one thread a connection, the standard library only.
//!
//! `cargo run --release --example echo [-- PORT]` listens on 127.0.0.1 (port 9001; 0 takes any free one):
//! GET answers a text, POST sends its content back, WebSocket messages come back as they are. A line `quit` on
//! standard input ends it gracefully: WebSocket peers get a Close (1001), HTTP connections end when they are idle.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that people watch")]

use std::error::Error;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::{env, thread, time::Duration};

use hopwire::http::{Method, Status};
use hopwire::http1::{self, BodyLength};
use hopwire::io::{Rx, RxBuffer, Tx, Wants};
use hopwire::{time::Instant, ws};

enum Protocol {
    Http(http1::Server),
    WebSocket(ws::Session<ws::Server>),
}

/// All that speaks HTTP or WebSocket: takes what there is in `rx`, writes the answers to `tx`, until more is needed.
fn turn(
    protocol: &mut Protocol,
    shared: &mut ws::Shared,
    now: Instant,
    rx: &mut Rx<'_>,
    tx: &mut Tx<'_>,
) -> Result<Wants, Box<dyn Error>> {
    loop {
        match protocol {
            Protocol::Http(http) => match http.poll(now, rx, tx)? {
                Some(http1::Event::Request(request)) => match ws::Handshake::of(&request) {
                    Ok(Some(handshake)) => {
                        let deflate = ws::handshake::deflate::negotiate(&handshake, &Default::default());
                        handshake.accept(ws::OriginPolicy::Any)?.deflate(deflate).write(tx)?;
                        *protocol = Protocol::WebSocket(ws::Session::server(ws::Config::new(), deflate));
                    }
                    Ok(None) if request.method == Method::Post => {} // answered with the first of its content
                    Ok(None) => http.respond_with(Status::OK, &[("content-type", b"text/plain")], HELLO, tx)?,
                    Err(refusal) => http.respond_with(refusal.status(), refusal.fields(), b"", tx)?,
                },
                Some(http1::Event::Body(data)) => {
                    begin(http, tx)?;
                    http.body(data, tx)?;
                }
                Some(http1::Event::End) => {
                    begin(http, tx)?;
                    http.end(&[], tx)?;
                }
                Some(_) => {}
                None => return Ok(http.wants()),
            },
            Protocol::WebSocket(session) => {
                let Some((message, mut outbox)) = session.poll(now, shared, rx, tx)? else {
                    return Ok(session.wants());
                };
                match message {
                    _ if outbox.is_closing() => {}
                    ws::Message::Text(text) => outbox.send_text(text, tx)?,
                    ws::Message::Binary(data) => outbox.send_binary(data, tx)?,
                }
            }
        }
    }
}

/// Begins the answer to a POST, once.
fn begin(http: &mut http1::Server, tx: &mut Tx<'_>) -> Result<(), Box<dyn Error>> {
    if http.owes_response() {
        http.respond(Status::OK, &[], BodyLength::Chunked, tx)?;
    }
    Ok(())
}

/// Serves one connection to its end.
fn serve(mut stream: TcpStream) -> Result<(), Box<dyn Error>> {
    stream.set_nodelay(true)?;
    let epoch = std::time::Instant::now();
    let now = || Instant::from_nanos(epoch.elapsed().as_nanos().try_into().unwrap_or(u64::MAX));
    let mut protocol = Protocol::Http(http1::Server::new(&http1::Config { max_body: 1 << 30, ..http1::Config::new() }));
    let (mut inbox, mut out) = (RxBuffer::new(vec![0; 65_536]), Vec::new());
    let mut shared = ws::Shared::default();
    loop {
        let (mut rx, mut tx) = (inbox.rx(), Tx::growing(&mut out, MAX_OUTPUT));
        let outcome = turn(&mut protocol, &mut shared, now(), &mut rx, &mut tx);
        match &mut protocol {
            Protocol::Http(http) => http.handle_timeout(now(), &mut tx)?,
            Protocol::WebSocket(session) => session.handle_timeout(now(), &mut tx)?,
        }
        if STOP.load(SeqCst) {
            stop(&mut protocol, &mut shared, now(), &mut tx);
        }
        let used = rx.consumed();
        inbox.consume(used);
        stream.write_all(&out)?;
        out.clear();
        if matches!(outcome, Ok(Wants::Close) | Err(_)) {
            linger(&mut stream)?;
            return outcome.map(drop);
        }
        let deadline = match &protocol {
            Protocol::Http(http) => http.poll_timeout(),
            Protocol::WebSocket(session) => session.poll_timeout(),
        };
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

/// The server is shutting down: nothing new begins on this connection.
fn stop(protocol: &mut Protocol, shared: &mut ws::Shared, now: Instant, tx: &mut Tx<'_>) {
    match protocol {
        Protocol::Http(http) => http.close(),
        // Refused once it is closing, and then there is nothing left to say.
        Protocol::WebSocket(session) => {
            let _ = session.outbox(shared).close(now, ws::CloseCode::GOING_AWAY, "", tx);
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

fn main() -> Result<(), Box<dyn Error>> {
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
    for stream in listener.incoming() {
        if STOP.load(SeqCst) {
            break;
        }
        let stream = stream?;
        CONNECTIONS.fetch_add(1, SeqCst);
        thread::spawn(move || {
            if let Err(e) = serve(stream) {
                eprintln!("connection ended: {e}");
            }
            CONNECTIONS.fetch_sub(1, SeqCst);
        });
    }
    for _ in 0..100 {
        if CONNECTIONS.load(SeqCst) == 0 {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

static STOP: AtomicBool = AtomicBool::new(false);
static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);

const HELLO: &[u8] = b"hopwire: POST something here, or open a WebSocket\n";
/// Bytes written in one turn: the echo of the longest message, and small things before it.
const MAX_OUTPUT: usize = 65 << 20;
/// How long a shutdown may go unnoticed.
const TICK: Duration = Duration::from_millis(250);
/// How long the peer may take to stop after our last words.
const LINGER: Duration = Duration::from_millis(800);
