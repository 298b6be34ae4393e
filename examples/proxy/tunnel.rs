//! What follows when a client and the service have left HTTP: bytes.

use std::io::{self, Write};
use std::net::Shutdown;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use crate::downstream::Downstream;
use crate::socket::{Sink, Source, break_off};
use crate::upstream::{SILENCE, Upstream};

/// Carries bytes both ways until both sides have stopped, one of them has and the other does not follow, or the service has been
/// silent for long: "A tunnel is closed when a tunnel intermediary detects that either side has closed its connection" (RFC 9110
/// §9.3.6).
pub(crate) fn tunnel(down: &mut Downstream, mut service: Upstream) {
    let (client, upstream) = (&down.source.stream, &service.source.stream);
    let _ = client.set_read_timeout(None).and_then(|()| upstream.set_read_timeout(Some(SILENCE)));
    let (up_goes, up_ends) = mpsc::channel();
    let (down_goes, down_ends) = mpsc::channel();
    thread::scope(|scope| {
        let up = thread::Builder::new()
            .spawn_scoped(scope, || carry(&mut down.source, &mut service.sink, (up_goes, down_ends)));
        if up.is_err() {
            break_off(&service.source.stream);
        }
        carry(&mut service.source, &mut down.sink, (down_goes, up_ends));
    });
}

/// One way, for as long as it `goes`, and a little longer until the other `ends`.
fn carry(from: &mut Source, to: &mut Sink, (goes, ends): (Sender<()>, Receiver<()>)) {
    let (mut source, mut sink, early) = (&*from.stream, &*to.stream, from.inbox.rx());
    let copied = sink.write_all(early.bytes()).and_then(|()| io::copy(&mut source, &mut sink));
    // An end is passed on; a failure ends both ways.
    let _ = sink.shutdown(if copied.is_ok() { Shutdown::Write } else { Shutdown::Both });
    let _ = source.shutdown(if copied.is_ok() { Shutdown::Read } else { Shutdown::Both });
    to.sent += early.bytes().len() + usize::try_from(copied.unwrap_or(0)).unwrap_or(usize::MAX);
    drop(goes);
    if ends.recv_timeout(PARTING) == Err(RecvTimeoutError::Timeout) {
        break_off(sink);
    }
}

/// How long one side may go on when the other has stopped.
const PARTING: Duration = Duration::from_secs(10);
