//! What the log says of each exchange. Lines wait in memory for a thread that writes them: who does not read the log does
//! not stop the service.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Instant;

use hopwire::http::Status;

use crate::{date, lock};

/// Lines that are not written yet, and how many had no room.
#[derive(Default)]
pub(crate) struct Log(Mutex<(String, usize)>);

/// What the log says of an exchange.
pub(crate) struct Line {
    client: SocketAddr,
    /// `GET /path HTTP/1.1`
    pub(crate) request: Vec<u8>,
    began: Instant,
    pub(crate) status: Option<Status>,
    pub(crate) sent: usize,
    pub(crate) why: String,
}

impl Log {
    pub(crate) fn add(&self, line: &Line) {
        let Line { client, request, began, status, sent, why } = line;
        let status = status.map_or(String::from("-"), |status| status.code().to_string());
        let tenths = u64::try_from(began.elapsed().as_micros() / 100).unwrap_or(u64::MAX);
        let mut text = String::with_capacity(request.len() + why.len() + 100);
        // It goes into memory.
        let _ = write!(text, "{} {client} \"{}\" {status} {sent}", date().unix(), request.escape_ascii());
        let _ = writeln!(text, " {}.{}ms{}{why}", tenths / 10, tenths % 10, if why.is_empty() { "" } else { " " });
        let (lines, lost) = &mut *lock(&self.0);
        match lines.len() + text.len() <= SPACE {
            true => lines.push_str(&text),
            false => *lost += 1,
        }
    }

    pub(crate) fn write(&self) {
        let (mut lines, lost) = std::mem::take(&mut *lock(&self.0));
        if lost > 0 {
            lines += &format!("{lost} lines lost, for nobody reads them\n");
        }
        let _ = io::stdout().lock().write_all(lines.as_bytes());
    }
}

impl Line {
    pub(crate) fn new(client: SocketAddr, request: Vec<u8>) -> Self {
        Self { client, request, began: Instant::now(), status: None, sent: 0, why: String::new() }
    }
}

/// Bytes of lines that wait for who reads the log.
const SPACE: usize = 1 << 20;
