//! Many readers of a server's stream, each checked byte by byte; prints the CPU seconds the server took.
//!
//! usage: readers PORT PID READERS UPDATES
#![allow(clippy::print_stdout, reason = "a program")]

use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

struct Reader {
    stream: TcpStream,
    /// The head, until it is whole.
    head: Vec<u8>,
    /// How much of the body came, once the head is whole.
    body: Option<usize>,
}

type Outcome<T> = Result<T, Box<dyn Error>>;

impl Reader {
    /// Takes what came; whether that was the last of it.
    fn read(&mut self, buffer: &mut [u8], expected: &[u8]) -> Outcome<bool> {
        loop {
            let n = match self.stream.read(buffer) {
                Ok(0) => return Err("a stream ended early".into()),
                Ok(n) => n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(self.body == Some(expected.len())),
                Err(e) => return Err(e.into()),
            };
            let mut came = &buffer[..n];
            if self.body.is_none() {
                self.head.extend_from_slice(came);
                let Some(end) = self.head.windows(4).position(|it| it == b"\r\n\r\n") else { continue };
                if !self.head.starts_with(b"HTTP/1.1 200 OK\r\n") {
                    return Err("not a stream".into());
                }
                came = &came[n - (self.head.len() - end - 4)..];
                self.body = Some(0);
            }
            let at = self.body.unwrap_or(0);
            if expected.get(at..at + came.len()) != Some(came) {
                return Err(format!("other bytes from {at} on: {}", came.escape_ascii()).into());
            }
            self.body = Some(at + came.len());
        }
    }
}

fn main() -> Outcome<()> {
    let mut args = env::args().skip(1).map(|arg| arg.parse::<u32>());
    let mut arg = || args.next().ok_or("usage: readers PORT PID READERS UPDATES");
    let (port, pid, count, updates) = (u16::try_from(arg()??)?, arg()??, arg()??, arg()??);
    let expected = sockets::body(updates as usize);
    let mut readers = Vec::new();
    let mut before = 0.0;
    for n in 1..=count {
        // All but the last are there before the server begins.
        if n == count {
            thread::sleep(Duration::from_millis(500));
            before = cpu_seconds(pid)?;
        }
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n")?;
        stream.set_nonblocking(true)?;
        readers.push(Reader { stream, head: Vec::new(), body: None });
    }
    let began = Instant::now();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let mut left = readers.len();
        for reader in &mut readers {
            left -= usize::from(reader.read(&mut buffer, &expected)?);
        }
        if left == 0 {
            break;
        }
        if began.elapsed() > Duration::from_secs(300) {
            return Err(format!("{left} readers did not get all of it in five minutes").into());
        }
        thread::sleep(Duration::from_millis(20));
    }
    let seconds = cpu_seconds(pid)? - before;
    println!("{seconds:.2} {:.1} {}", began.elapsed().as_secs_f64(), expected.len() * readers.len());
    Ok(())
}

/// What a process has used of the processors: utime and stime of proc(5), a hundred a second.
fn cpu_seconds(pid: u32) -> Outcome<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = stat.rsplit(')').next().unwrap_or("").split_ascii_whitespace();
    let ticks: Vec<f64> = fields.skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / 100.0)
}
