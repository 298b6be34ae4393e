//! A chat room: what one says, everybody reads. The standard library only, two threads a connection.
//!
//! `cargo run --release --example chat [-- PORT]` listens on 127.0.0.1 (port 9002). Each message is encoded and compressed
//! once, for all; what waits for a slow reader is bounded, and who falls behind it is let go (1013), so that nobody waits
//! for the slowest.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that people watch")]

use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::{env, mem, thread, time::Duration};

use hopwire::http1::{self, server};
use hopwire::io::{RxBuffer, SendError, Tx, Wants};
use hopwire::time::Instant;
use hopwire::ws::{self, handshake::deflate};

/// One who is in the room.
struct Guest {
    name: String,
    state: Mutex<State>,
    /// The state has changed: there is something to write, or room again.
    changed: Condvar,
}

struct State {
    session: ws::Session<ws::Server>,
    /// Not written yet.
    out: Vec<u8>,
    /// Nothing follows `out`.
    done: bool,
}

impl Guest {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message behind what waits already, or lets the guest go.
    fn tell(&self, message: &ws::Prepared, shared: &mut ws::Shared) {
        let State { session, out, done } = &mut *self.state();
        let mut outbox = session.outbox(shared);
        if let Err(SendError::Full(_)) = outbox.send_prepared(message, &mut Tx::growing(out, BOUND)) {
            let tx = &mut Tx::growing(out, BOUND + 200);
            *done = outbox.close(now(), ws::CloseCode::TRY_AGAIN_LATER, "too slow", tx).is_ok();
        }
        self.changed.notify_all();
    }

    /// Writes what there is, as fast as this guest reads.
    fn write(&self, mut stream: TcpStream) -> std::io::Result<()> {
        loop {
            let mut state = self.state();
            while state.out.is_empty() && !state.done {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let (bytes, done) = (mem::take(&mut state.out), state.done);
            drop(state);
            self.changed.notify_all();
            stream.write_all(&bytes)?;
            if done {
                return stream.shutdown(Shutdown::Write);
            }
        }
    }

    /// Reads until the end; `said` gets every message.
    fn read(
        &self,
        mut stream: TcpStream,
        mut inbox: RxBuffer<Vec<u8>>,
        said: impl Fn(&str),
    ) -> Result<(), Box<dyn Error>> {
        let mut shared = ws::Shared::default();
        loop {
            let mut texts = Vec::new();
            let (wants, wait) = {
                let State { session, out, done } = &mut *self.state();
                let (mut rx, mut tx) = (inbox.rx(), Tx::growing(out, BOUND));
                while let Ok(Some((message, _))) = session.poll(now(), &mut shared, &mut rx, &mut tx) {
                    if let ws::Message::Text(text) = message {
                        texts.push(text.as_str().to_owned());
                    }
                }
                let _ = session.handle_timeout(now(), &mut tx); // without room it is tried again
                let used = rx.consumed();
                inbox.consume(used);
                *done |= session.wants() == Wants::Close;
                if session.connection().is_over() {
                    return Ok(());
                }
                let wait = session.poll_timeout().map(|at| at.saturating_since(now()).max(Duration::from_millis(1)));
                (session.wants(), wait)
            };
            self.changed.notify_all();
            texts.iter().for_each(|text| said(text));
            if let Wants::Output(_) = wants {
                // The answer to a ping has no room: nothing more is read until this guest has read.
                drop(self.changed.wait_timeout(self.state(), Duration::from_millis(100)));
                continue;
            }
            stream.set_read_timeout(wait)?;
            match stream.read(inbox.space()) {
                Ok(0) => inbox.end(),
                Ok(n) => inbox.advance(n),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
}

/// A session, and what was received behind its handshake.
type Welcome = (ws::Session<ws::Server>, RxBuffer<Vec<u8>>);

fn welcome(stream: &mut TcpStream) -> Result<Welcome, Box<dyn Error>> {
    let (mut http, mut inbox, mut out) = (http1::Server::default(), RxBuffer::new(vec![0; 16_384]), Vec::new());
    // Without context an idle guest holds no window.
    let deflate = deflate::Config {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        ..deflate::Config::new()
    };
    loop {
        let (mut rx, mut tx) = (inbox.rx(), Tx::growing(&mut out, BOUND));
        let mut session = None;
        let outcome = match http.poll(now(), &mut rx, &mut tx) {
            Ok(Some(server::Event::Request(request))) => {
                http.close(); // no other follows: who is refused has to go
                let (policy, config) =
                    (ws::OriginPolicy::SameHost, ws::Config { max_message: MAX_MESSAGE, ..ws::Config::new() });
                session = ws::Session::accept(&request, policy, Some(deflate), config, &mut http, &mut tx)?;
                if http.owes_response() {
                    ws::Refusal::NotWebSocket.respond(&mut http, &mut tx)?;
                }
                Ok(())
            }
            Ok(_) => Ok(()),
            // The answer that says so is written first.
            Err(violation) => Err(violation),
        };
        let used = rx.consumed();
        inbox.consume(used);
        stream.write_all(&mem::take(&mut out))?;
        outcome?;
        match session {
            Some(session) => return Ok((session, inbox)),
            None if http.wants() != Wants::Input => return Err("not a WebSocket".into()),
            None => {}
        }
        match stream.read(inbox.space())? {
            0 => return Err("gone".into()),
            n => inbox.advance(n),
        }
    }
}

fn serve(mut stream: TcpStream) -> Result<(), Box<dyn Error>> {
    static COUNT: AtomicUsize = AtomicUsize::new(1);
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.set_write_timeout(Some(Duration::from_secs(30)))?;
    let (session, inbox) = welcome(&mut stream)?;
    let name = format!("guest {}", COUNT.fetch_add(1, Relaxed));
    let state = Mutex::new(State { session, out: Vec::new(), done: false });
    let guest = Arc::new(Guest { name, state, changed: Condvar::new() });
    let (writer, writing) = (Arc::clone(&guest), stream.try_clone()?);
    thread::Builder::new().spawn(move || writer.write(writing))?;
    room().push(Arc::clone(&guest));
    let outcome = guest.read(stream, inbox, |text| {
        let mut shared = ws::Shared::default();
        let message = ws::Prepared::text(format!("{}: {text}", guest.name).as_str()).compressed(&mut shared);
        let guests = room().clone();
        guests.iter().for_each(|guest| guest.tell(&message, &mut shared));
    });
    room().retain(|other| !Arc::ptr_eq(other, &guest));
    guest.state().done = true;
    guest.changed.notify_all();
    outcome
}

fn main() -> Result<(), Box<dyn Error>> {
    let port = env::args().nth(1).map_or(Ok(9002), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    println!("listening on {}", listener.local_addr()?);
    for stream in listener.incoming() {
        let spawn = |stream| {
            thread::Builder::new().spawn(|| serve(stream).unwrap_or_else(|e| eprintln!("connection ended: {e}")))
        };
        if stream.and_then(spawn).is_err() {
            thread::sleep(Duration::from_millis(100)); // no room until a guest leaves
        }
    }
    Ok(())
}

fn room() -> MutexGuard<'static, Vec<Arc<Guest>>> {
    static ROOM: Mutex<Vec<Arc<Guest>>> = Mutex::new(Vec::new());
    ROOM.lock().unwrap_or_else(PoisonError::into_inner)
}

fn now() -> Instant {
    static EPOCH: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    EPOCH.get_or_init(std::time::Instant::now).elapsed().into()
}

/// The longest message, in bytes: one that takes all the room of a reader would let everybody go.
const MAX_MESSAGE: u64 = 16 << 10;
/// Bytes that may wait for one reader.
const BOUND: usize = 256 << 10;
