//! The two halves of a connection, each with its buffer: an exchange takes from one connection and gives to another.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use hopwire::io::{RxBuffer, Tx};

/// Where a connection is read.
pub(crate) struct Source {
    pub(crate) stream: Arc<TcpStream>,
    pub(crate) inbox: RxBuffer<Vec<u8>>,
}

/// Where a connection is written.
pub(crate) struct Sink {
    pub(crate) stream: Arc<TcpStream>,
    pub(crate) outbox: Vec<u8>,
    /// Bytes written since that was last taken.
    pub(crate) sent: usize,
}

pub(crate) fn halves(stream: TcpStream) -> io::Result<(Source, Sink)> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TICK))?;
    stream.set_write_timeout(Some(STALL))?;
    let stream = Arc::new(stream);
    let source = Source { stream: stream.clone(), inbox: RxBuffer::new(vec![0; BUFFER]) };
    Ok((source, Sink { stream, outbox: Vec::new(), sent: 0 }))
}

impl Source {
    /// Reads once. False: nothing came for a while.
    pub(crate) fn receive(&mut self) -> io::Result<bool> {
        loop {
            match (&*self.stream).read(self.inbox.space()) {
                Ok(0) => self.inbox.end(),
                Ok(n) => self.inbox.advance(n),
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(false),
                Err(e) => return Err(e),
            }
            return Ok(true);
        }
    }
}

impl Sink {
    /// Room for what is to be written.
    pub(crate) fn tx(&mut self) -> Tx<'_> {
        Tx::growing(&mut self.outbox, OUTPUT)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.sent += self.outbox.len();
        let outcome = if self.outbox.is_empty() { Ok(()) } else { (&*self.stream).write_all(&self.outbox) };
        self.outbox.clear();
        outcome
    }
}

/// Looks for received bytes without waiting: `None` if there are none yet, 0 if the peer has stopped writing.
pub(crate) fn peek(stream: &TcpStream) -> io::Result<Option<usize>> {
    stream.set_nonblocking(true)?;
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false)?;
    match peeked {
        Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(None),
        peeked => peeked.map(Some),
    }
}

/// Nothing passes any more, in either direction. Whoever waits for it notices.
pub(crate) fn break_off(stream: &TcpStream) {
    // If it is not open, so much the better.
    let _ = stream.shutdown(Shutdown::Both);
}

/// Bytes read at once, and the longest head.
const BUFFER: usize = 64 << 10;
/// Bytes written in one turn: what one read brings, framed anew.
pub(crate) const OUTPUT: usize = 2 * BUFFER + (64 << 10);
/// How long deadlines, a shutdown or a client that is gone may go unnoticed.
const TICK: Duration = Duration::from_secs(1);
/// How long a peer may take nothing of what is written.
const STALL: Duration = Duration::from_secs(60);
