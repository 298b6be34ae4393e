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
use std::time::{Duration, UNIX_EPOCH};
use std::{env, thread};

use hopwire::http::{Method, Status};
use hopwire::http1::{self, BodyLength, server};
use hopwire::io::{Rx, RxBuffer, Tx, Wants};
use hopwire::time::Instant;
use hopwire::ws::{self, handshake::deflate};

/// What a connection speaks: HTTP, and from a handshake on WebSocket.
struct Protocols {
    http: http1::Server,
    session: Option<ws::Session<ws::Server>>,
    shared: ws::Shared,
}

impl Protocols {
    /// Takes what there is in `rx`, writes the answers to `tx`; what is wanted next.
    fn turn(&mut self, now: Instant, rx: &mut Rx<'_>, tx: &mut Tx<'_>) -> Result<Wants, Box<dyn Error>> {
        let Self { http, session, shared } = self;
        http.set_date(UNIX_EPOCH.elapsed()?.into());
        while let Some(event) = http.poll(now, rx, tx)? {
            match event {
                server::Event::Request(request) => match ws::Handshake::of(&request) {
                    Ok(Some(handshake)) => {
                        let deflate = deflate::negotiate(&handshake, deflate::Config::new());
                        // Any: what comes back was the page's own, and no cookie counts. Where one does, `SameHost`.
                        handshake.accept(ws::OriginPolicy::Any)?.deflate(deflate).respond(http, tx)?;
                        *session = Some(ws::Session::server(ws::Config::new(), deflate));
                    }
                    Ok(None) if request.method == Method::Post => {} // answered as its content comes
                    Ok(None) => http.respond_with(Status::OK, &[("content-type", b"text/plain")], HELLO, tx)?,
                    Err(refusal) => refusal.respond(http, tx)?,
                },
                event => {
                    if http.owes_response() {
                        http.respond(Status::OK, &[], BodyLength::Chunked, tx)?;
                    }
                    match event {
                        server::Event::Body(data) => _ = http.body(data, tx)?,
                        server::Event::End => http.end(&[], tx)?,
                        _ => {}
                    }
                }
            }
        }
        http.handle_timeout(now, tx)?;
        if STOP.load(SeqCst) {
            http.close();
        }
        let Some(session) = session else { return Ok(http.wants()) };
        while let Some((message, mut outbox)) = session.poll(now, shared, rx, tx)? {
            match message {
                _ if outbox.is_closing() => {}
                ws::Message::Text(text) => outbox.send_text(text, tx)?,
                ws::Message::Binary(data) => outbox.send_binary(data, tx)?,
            }
        }
        session.handle_timeout(now, tx)?;
        if STOP.load(SeqCst) {
            session.outbox(shared).close(now, ws::CloseCode::GOING_AWAY, "", tx)?;
        }
        Ok(session.wants())
    }
}

/// Serves one connection to its end.
fn serve(mut stream: TcpStream) -> Result<(), Box<dyn Error>> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TICK))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let epoch = std::time::Instant::now();
    let http = http1::Server::new(server::Config { max_body: 1 << 30, ..server::Config::new() });
    let mut protocols = Protocols { http, session: None, shared: ws::Shared::default() };
    let (mut inbox, mut out) = (RxBuffer::new(vec![0; 65_536]), Vec::new());
    loop {
        let (mut rx, mut tx) = (inbox.rx(), Tx::growing(&mut out, MAX_OUTPUT));
        let outcome = protocols.turn(epoch.elapsed().into(), &mut rx, &mut tx);
        let used = rx.consumed();
        inbox.consume(used);
        stream.write_all(&out)?;
        out.clear();
        if matches!(outcome, Ok(Wants::Close) | Err(_)) {
            // So that the peer gets our last words: stop writing, read to its end for a bounded time, close.
            stream.shutdown(Shutdown::Write)?;
            let since = std::time::Instant::now();
            while since.elapsed() < LINGER && matches!(stream.read(&mut [0; 4096]), Ok(1..)) {}
            return outcome.map(drop);
        }
        match stream.read(inbox.space()) {
            Ok(0) => inbox.end(),
            Ok(n) => inbox.advance(n),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
            Err(e) => return Err(e.into()),
        }
    }
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
    // Ends when all connections have.
    thread::scope(|threads| {
        for stream in listener.incoming().take_while(|_| !STOP.load(SeqCst)).flatten() {
            threads.spawn(|| serve(stream).unwrap_or_else(|e| eprintln!("connection ended: {e}")));
        }
    });
    Ok(())
}

static STOP: AtomicBool = AtomicBool::new(false);

const HELLO: &[u8] = b"hopwire: POST something here, or open a WebSocket\n";
/// Bytes written in one turn: the echo of the longest message, and small things before it.
const MAX_OUTPUT: usize = 65 << 20;
/// How often a connection looks at the clock, and whether all shall end.
const TICK: Duration = Duration::from_millis(250);
/// How long the peer may take to read.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the peer may take to stop after our last words.
const LINGER: Duration = Duration::from_millis(700);
