//! What follows when a client and the service have left HTTP: bytes.

use std::io::{self, Write};
use std::net::Shutdown;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::downstream::Downstream;
use crate::socket::{Sink, Source, break_off};
use crate::upstream::{SILENCE, Upstream};

/// Carries bytes both ways until both have stopped, the service has been silent for long, or has stopped and the client does
/// not.
pub(crate) fn tunnel(down: &mut Downstream, mut service: Upstream) {
    let (client, upstream) = (&down.source.stream, &service.source.stream);
    let _ = client.set_read_timeout(None).and_then(|()| upstream.set_read_timeout(Some(SILENCE)));
    let client = client.clone();
    thread::scope(|scope| {
        let (stopped, stops) = mpsc::channel::<()>();
        let up = thread::Builder::new().spawn_scoped(scope, || {
            carry(&mut down.source, &mut service.sink);
            drop(stopped);
        });
        if up.is_err() {
            break_off(&service.source.stream);
        }
        carry(&mut service.source, &mut down.sink);
        if stops.recv_timeout(PARTING) == Err(RecvTimeoutError::Timeout) {
            break_off(&client);
        }
    });
}

fn carry(from: &mut Source, to: &mut Sink) {
    let (mut source, mut sink, early) = (&*from.stream, &*to.stream, from.inbox.rx());
    let copied = sink.write_all(early.bytes()).and_then(|()| io::copy(&mut source, &mut sink));
    // An end is passed on; a failure ends both ways.
    let _ = sink.shutdown(if copied.is_ok() { Shutdown::Write } else { Shutdown::Both });
    let _ = source.shutdown(if copied.is_ok() { Shutdown::Read } else { Shutdown::Both });
    to.sent += early.bytes().len() + usize::try_from(copied.unwrap_or(0)).unwrap_or(usize::MAX);
}

/// How long a client may go on when the service has stopped.
const PARTING: Duration = Duration::from_secs(10);
