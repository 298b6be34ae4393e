//! An echo server: HTTP and WebSocket on one port, one thread a connection, the standard library only.
//!
//! `cargo run --release --example echo [-- PORT]` listens on 127.0.0.1 (port 9001; 0 takes any free one). A request's target
//! and content come back, and so do WebSocket messages. A line `quit` on standard input ends it gracefully.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that people watch")]

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant, UNIX_EPOCH};
use std::{env, error::Error, mem, thread};

use hopwire::http::{Method, Status};
use hopwire::http1::{self, server, server::Event};
use hopwire::io::{RxBuffer, Tx, Wants};
use hopwire::ws::{self, handshake::deflate};

static STOP: AtomicBool = AtomicBool::new(false);
/// How often a connection looks at it, and at the clock.
const TICK: Duration = Duration::from_millis(250);

/// Speaks HTTP, and from a handshake on WebSocket. What is in `out` at the end is still to be written.
fn converse(mut stream: &TcpStream, out: &mut Vec<u8>) -> Result<(), Box<dyn Error>> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TICK))?;
    stream.set_write_timeout(Some(Duration::from_secs(10)))?;
    let mut http = http1::Server::new(server::Config { max_body: 64 << 20, ..server::Config::new() });
    let (mut content, mut session, mut shared) = (Vec::new(), None, ws::Shared::default());
    let (epoch, mut inbox) = (Instant::now(), RxBuffer::new(vec![0; 65_536]));
    loop {
        // 65 MiB: the longest content or message, and small things before it.
        let (now, rx, tx) = (epoch.elapsed().into(), &mut inbox.rx(), &mut Tx::growing(out, 65 << 20));
        http.set_date(UNIX_EPOCH.elapsed()?.into());
        while let Some(event) = http.poll(now, rx, tx)? {
            match event {
                Event::Request(request) if request.method == Method::Connect => {
                    http.respond_with(Status::NOT_IMPLEMENTED, &[], b"", tx)?; // a tunnel is no echo
                }
                Event::Request(request) => {
                    // Any: what comes back was the page's own, and no cookie counts. Where one does, `SameHost`.
                    let (policy, deflate) = (ws::OriginPolicy::Any, Some(deflate::Config::new()));
                    session = ws::Session::accept(&request, policy, deflate, ws::Config::new(), &mut http, tx)?;
                    content = request.target.as_bytes().to_vec();
                }
                Event::Body(data) => content.extend_from_slice(data),
                Event::End => http.respond_with(Status::OK, &[("content-type", b"text/plain")], &content, tx)?,
                _ => {}
            }
        }
        http.handle_timeout(now, tx)?;
        if STOP.load(SeqCst) {
            http.close();
        }
        let mut wants = http.wants();
        if let Some(session) = &mut session {
            while let Some((message, mut outbox)) = session.poll(now, &mut shared, rx, tx)? {
                match message {
                    _ if outbox.is_closing() => {}
                    ws::Message::Text(text) => outbox.send_text(text, tx)?,
                    ws::Message::Binary(data) => outbox.send_binary(data, tx)?,
                }
            }
            session.handle_timeout(now, tx)?;
            if STOP.load(SeqCst) {
                session.outbox(&mut shared).close(now, ws::CloseCode::GOING_AWAY, "", tx)?;
            }
            wants = session.wants();
        }
        let used = rx.consumed();
        inbox.consume(used);
        if wants == Wants::Close {
            return Ok(());
        }
        stream.write_all(&mem::take(out))?;
        match stream.read(inbox.space()) {
            Ok(0) => inbox.end(),
            Ok(n) => inbox.advance(n),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
            Err(e) => return Err(e.into()),
        }
    }
}

/// Serves one connection to its end.
fn serve(mut stream: TcpStream) {
    let mut out = Vec::new();
    if let Err(e) = converse(&stream, &mut out) {
        eprintln!("connection ended: {e}");
    }
    // So that the peer gets our last words: stop writing, read to its end for a bounded time, close.
    let since = Instant::now();
    if stream.write_all(&out).is_ok() && stream.shutdown(Shutdown::Write).is_ok() {
        while since.elapsed() < 3 * TICK && matches!(stream.read(&mut [0; 4096]), Ok(1..)) {}
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let port = env::args().nth(1).map_or(Ok(9001), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    let address = listener.local_addr()?;
    println!("listening on {address}");
    thread::spawn(move || {
        if io::stdin().lines().map_while(Result::ok).any(|line| line == "quit") {
            STOP.store(true, SeqCst);
            // Wakes the loop below. Where there is no room for that, connections end now and make some.
            while TcpStream::connect(address).is_err() {
                thread::sleep(TICK);
            }
        }
    });
    // Ends when all connections have.
    thread::scope(|threads| {
        for stream in listener.incoming().take_while(|_| !STOP.load(SeqCst)) {
            let spawn = |stream| thread::Builder::new().spawn_scoped(threads, || serve(stream));
            if stream.and_then(spawn).is_err() {
                thread::sleep(TICK); // no room until a connection ends
            }
        }
    });
    Ok(())
}
