//! An event stream for many readers, on hopwire and the standard library, in one thread: what is published is encoded
//! once, and each reader's turn is a chunk header, a copy and a write. Who does not read falls behind in the history,
//! not in a buffer of its own.
//!
//! usage: server READERS UPDATES A_SECOND GATHER; begins when all readers are there. An update waits up to GATHER
//! milliseconds for others to share its write.
#![allow(clippy::print_stdout, reason = "a program")]

use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant as Clock};
use std::{env, thread};

use hopwire::feed::{History, Log, Start, Tail, log};
use hopwire::http::{Method, Status};
use hopwire::http1::{self, BodyLength, server};
use hopwire::io::{GrowingBuffer, Tx};
use hopwire::{sse, time::Instant};

struct Conn {
    stream: TcpStream,
    http: http1::Server,
    inbox: GrowingBuffer,
    /// What the socket did not take.
    left: Vec<u8>,
    /// How far its reader is, once it has asked.
    tail: Option<Tail>,
}

type Outcome<T> = Result<T, Box<dyn Error>>;

impl Conn {
    /// Reads what came; a request for the stream is answered.
    fn receive(&mut self, now: Instant, log: &Log) -> Outcome<()> {
        match self.stream.read(self.inbox.space()) {
            Ok(0) => return Err("the reader has gone".into()),
            Ok(n) => self.inbox.advance(n),
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(e) => return Err(e.into()),
        }
        let mut out = [0; 1024];
        let mut tx = Tx::new(&mut out);
        let mut rx = self.inbox.rx();
        while let Some(event) = self.http.poll(now, &mut rx, &mut tx)? {
            match event {
                server::Event::Request(request) if request.method == Method::Get => {
                    let start = request.fields.first("last-event-id").map_or(Start::After(log.cursor()), Start::resume);
                    self.tail = Some(Tail::new(start));
                    self.http.respond(Status::OK, &sse::RESPONSE_FIELDS, BodyLength::Chunked, &mut tx)?;
                }
                _ => {}
            }
        }
        let consumed = rx.consumed();
        self.inbox.consume(consumed);
        write(&mut self.stream, tx.written(), &mut self.left)?;
        self.catch_up(log, false)
    }

    /// Sends what is new, unless the socket is still full.
    fn catch_up(&mut self, log: &Log, is_over: bool) -> Outcome<()> {
        if !self.left.is_empty() {
            let left = std::mem::take(&mut self.left);
            write(&mut self.stream, &left, &mut self.left)?;
        }
        let Some(tail) = &mut self.tail else { return Ok(()) };
        let mut out = [0; TURN];
        while self.left.is_empty() {
            let mut tx = Tx::new(&mut out);
            while let Some(next) = tail.peek(log).filter(|next| next.block().len() + CHUNK <= tx.room()) {
                self.http.body(next.block(), &mut tx)?;
                *tail = next.tail();
            }
            if tx.is_empty() {
                if is_over {
                    self.http.end(&[], &mut tx)?;
                    self.tail = None;
                }
                return write(&mut self.stream, tx.written(), &mut self.left);
            }
            write(&mut self.stream, tx.written(), &mut self.left)?;
        }
        Ok(())
    }
}

/// Writes as much as the socket takes; the rest is left.
fn write(stream: &mut TcpStream, bytes: &[u8], left: &mut Vec<u8>) -> Outcome<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    let taken = match stream.write(bytes) {
        Ok(n) => n,
        Err(e) if e.kind() == ErrorKind::WouldBlock => 0,
        Err(e) => return Err(e.into()),
    };
    left.extend_from_slice(&bytes[taken..]);
    Ok(())
}

fn main() -> Outcome<()> {
    let mut args = env::args().skip(1).map(|arg| arg.parse::<u32>());
    let mut arg = || args.next().ok_or("usage: server READERS UPDATES A_SECOND GATHER");
    let (readers, updates, a_second, gather) = (arg()??, arg()??, arg()??, arg()??);
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("listening on {}", listener.local_addr()?);
    listener.set_nonblocking(true)?;
    let clock = Clock::now();
    let (mut log, mut conns, mut published) = (Log::new(log::Config::default(), 1), Vec::<Conn>::new(), 0);
    let mut began = None;
    loop {
        while let Ok((stream, _)) = listener.accept() {
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            let (http, inbox) = (http1::Server::default(), GrowingBuffer::new(8 << 10));
            conns.push(Conn { stream, http, inbox, left: Vec::new(), tail: None });
        }
        let now = Instant::from_nanos(u64::try_from(clock.elapsed().as_nanos())?);
        // Readers say nothing once they have asked; whether they are still there is looked at once a second.
        if began.is_none() || published % a_second == 0 {
            conns.retain_mut(|conn| conn.receive(now, &log).is_ok());
        }
        if began.is_none() && conns.iter().filter(|conn| conn.tail.is_some()).count() == readers as usize {
            began = Some(clock.elapsed());
        }
        let Some(began) = began else {
            thread::sleep(Duration::from_millis(5));
            continue;
        };
        let due = |n: u32| began + Duration::from_secs(1) * n / a_second;
        while published < updates && due(published) <= clock.elapsed() {
            published += 1;
            log.publish(now, "", &sockets::data(published as usize))?;
        }
        conns.retain_mut(|conn| conn.catch_up(&log, published == updates).is_ok());
        if conns.is_empty() {
            return Ok(());
        }
        let rest = due(published).saturating_sub(clock.elapsed());
        thread::sleep(rest.max(Duration::from_millis(gather.max(1).into())));
    }
}

/// Bytes for a reader at a time.
const TURN: usize = 16 << 10;
/// What a chunk adds to a block: its size in hexadecimal and two line ends.
const CHUNK: usize = 20;
