//! A reverse proxy for one service on one machine: the standard library only, a thread a connection.
//!
//! `cargo run --release --example proxy -- 127.0.0.1:8080 127.0.0.1:9001` listens on the first address (port 0 takes any free
//! one) and forwards to the second, which is to speak HTTP/1.1. A third argument is how many seconds the service may take to
//! answer (60). Content streams both ways as fast as the slower side takes it; WebSocket and Server-Sent Events pass;
//! connections to the service are kept. Each request is a line on standard output when it is over:
//!
//! `1795280243 127.0.0.1:40312 "GET / HTTP/1.1" 200 1234 0.8ms`: the second, the client, what it asked for, the status it got
//! (`-`: none), bytes sent to it, time taken, and what went wrong, if anything did.
//!
//! A line `quit` on standard input ends it gracefully: what is under way has half a minute to finish, and nothing new begins.
//!
//! What is forwarded and how is decided by [`hopwire::http::forward`]; here are the sockets. One exchange after the other
//! goes over a connection. While the content of a request is still to come, a second thread takes it to the service, so
//! that an answer which begins early, or grows with its request, is never waited for. Only the first writes to the client.
//!
//! Looking for a client's requests? Open `downstream`; connections to the service: `upstream`; what passes between the two:
//! `exchange`, and after HTTP `tunnel`; bytes in and out: `socket`; what is printed: `log`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that people watch")]

mod downstream;
mod exchange;
mod log;
mod socket;
mod tunnel;
mod upstream;

use std::error::Error;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, BufRead};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, UNIX_EPOCH};
use std::{env, thread};

use hopwire::http::HttpDate;
use hopwire::http::forward::{ForwardedPolicy, Intermediary};
use hopwire::http1::client;

use crate::downstream::serve;
use crate::log::Log;
use crate::upstream::Service;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [listen, service, rest @ ..] = arguments.as_slice() else {
        return Err("usage: proxy LISTEN SERVICE [SECONDS]".into());
    };
    let patience = rest.first().map_or(Ok(client::Config::HEAD_TIMEOUT.as_secs()), |seconds| seconds.parse())?;
    let listener = TcpListener::bind(listen)?;
    let address = listener.local_addr()?;
    // The name in Via, by which loops are found, is nobody else's.
    let name = format!("hopwire-{:016x}", RandomState::new().build_hasher().finish()).leak();
    let rules = Intermediary {
        // HTTP/1.0 may leave it out.
        authority: Some(service.clone().leak()),
        trailers: true,
        forwarded: ForwardedPolicy::Replace,
        x_forwarded: ForwardedPolicy::Replace,
        ..Intermediary::new(name).ok_or("a name")?
    };
    let service = Service {
        rules,
        addresses: service.to_socket_addrs()?.collect(),
        patience: Duration::from_secs(patience),
        idle: Mutex::default(),
    };
    let proxy: &'static Proxy = Box::leak(Box::new(Proxy {
        service,
        log: Log::default(),
        stopping: AtomicBool::new(false),
        clients: AtomicUsize::new(0),
    }));
    println!("listening on {address}");
    thread::spawn(move || {
        if io::stdin().lock().lines().map_while(Result::ok).any(|line| line == "quit") {
            proxy.stopping.store(true, SeqCst);
            let _ = TcpStream::connect(address); // wakes the loop below
        }
    });
    thread::spawn(move || {
        loop {
            thread::sleep(PAUSE);
            proxy.log.write();
            proxy.service.forget_old();
        }
    });
    while !proxy.stopping.load(SeqCst) {
        match listener.accept() {
            Ok((stream, address)) => proxy.admit(stream, address),
            // There is no room for another descriptor until one is closed.
            Err(_) => thread::sleep(PAUSE),
        }
    }
    drop(listener);
    let since = Instant::now();
    while proxy.clients.load(SeqCst) > 0 && since.elapsed() < DRAIN {
        thread::sleep(PAUSE);
    }
    proxy.log.write();
    Ok(())
}

/// What all connections share.
struct Proxy {
    service: Service,
    log: Log,
    stopping: AtomicBool,
    clients: AtomicUsize,
}

impl Proxy {
    /// Takes a client in, if there is any room.
    fn admit(&'static self, stream: TcpStream, address: SocketAddr) {
        let present = self.clients.fetch_add(1, SeqCst);
        let run = move || {
            let _ = serve(self, stream, address, present >= CLIENTS);
            self.clients.fetch_sub(1, SeqCst);
        };
        // Without a thread for it the connection is closed.
        if present >= CLIENTS + SURPLUS || thread::Builder::new().spawn(run).is_err() {
            self.clients.fetch_sub(1, SeqCst);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time as engines take it.
fn now() -> hopwire::time::Instant {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    hopwire::time::Instant::from_nanos(START.elapsed().as_nanos().try_into().unwrap_or(u64::MAX))
}

fn date() -> HttpDate {
    UNIX_EPOCH.elapsed().unwrap_or_default().into()
}

/// Clients at once; when there are as many, those without a request have to go. Each has two descriptors, of which a process
/// often may have 1024.
const CLIENTS: usize = 480;
/// Clients at once that are told that there are too many; others are not even told.
const SURPLUS: usize = 20;
/// Between two writes of the log, and two looks at what may have changed.
const PAUSE: Duration = Duration::from_millis(100);
/// How long what is under way may take to finish.
const DRAIN: Duration = Duration::from_secs(30);
