//! A connection from a client: its requests one after the other, and what it is told when one goes no further.

use std::io::{self, Read};
use std::mem;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use hopwire::http::forward::{self, Stop};
use hopwire::http::{Status, Version};
use hopwire::http1::server::{Config, Event, Server};
use hopwire::io::Wants;

use crate::exchange::{Fault, Sent, relay};
use crate::log::Line;
use crate::socket::{Sink, Source, halves};
use crate::tunnel::tunnel;
use crate::upstream::Upstream;
use crate::{CLIENTS, Proxy, date, now};

/// Serves a client to its end.
pub(crate) fn serve(proxy: &'static Proxy, stream: TcpStream, address: SocketAddr, is_surplus: bool) -> io::Result<()> {
    let (source, sink) = halves(stream)?;
    let http = Server::new(Config { max_body: u64::MAX, whole_timeout: Some(UPLOAD), ..Config::new() });
    let client = forward::Node::new(Some(address.ip()), false);
    let mut down = Downstream { proxy, http, source, sink, address, client, is_surplus, own: None };
    while let Some((line, sent)) = down.request()
        && down.answer(line, sent)
    {}
    proxy.service.keep(down.own);
    // So that the client gets our last words: stop writing, read to its end for a bounded time, close.
    let (since, mut stream) = (Instant::now(), &*down.source.stream);
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(LINGER / 4))?;
    while since.elapsed() < LINGER && matches!(stream.read(&mut [0; 4096]), Ok(1..)) {}
    Ok(())
}

pub(crate) struct Downstream {
    pub(crate) proxy: &'static Proxy,
    pub(crate) http: Server,
    pub(crate) source: Source,
    pub(crate) sink: Sink,
    address: SocketAddr,
    client: forward::Node,
    /// There are too many, and this one is told so.
    is_surplus: bool,
    /// The connection to the service that it had last.
    own: Option<Upstream>,
}

impl Downstream {
    /// Waits for a request, and sends its head on. `None`: none comes any more.
    fn request(&mut self) -> Option<(Line, Result<Sent, Fault>)> {
        loop {
            if self.proxy.stopping.load(SeqCst) {
                self.http.close();
            }
            // Of what the engine answers by itself, this is the origin; what is forwarded keeps its own date.
            self.http.set_date(date());
            let (mut rx, mut tx) = (self.source.inbox.rx(), self.sink.tx());
            let (now, mut is_on_time) = (now(), false);
            let came = loop {
                match self.http.poll(now, &mut rx, &mut tx) {
                    Ok(Some(Event::Request(head))) => {
                        let version = head.version.as_str().as_bytes();
                        let asked = [head.method.as_bytes(), b" ", head.target.as_bytes(), b" ", version].concat();
                        let line = Line::new(self.address, asked);
                        // "A proxy server MUST NOT maintain a persistent connection with an HTTP/1.0 client" (RFC 9112 §9.3).
                        if self.is_surplus || head.version < Version::Http11 {
                            self.http.close();
                        }
                        let sent = match self.is_surplus {
                            true => Err(Stop::Busy),
                            false => self.proxy.service.send(&head, &self.client, self.own.take()),
                        };
                        break Some((line, sent.map_err(Fault::Stop)));
                    }
                    // More of a request that is answered.
                    Ok(Some(_)) => {}
                    Ok(None) if is_on_time => break None,
                    Ok(None) => {
                        // What it has to say to who is late fits.
                        let _ = self.http.handle_timeout(now, &mut tx);
                        is_on_time = true;
                    }
                    // It could not be read, or did not come in time.
                    Err(_) if self.sink.outbox.is_empty() => break None,
                    Err(violation) => {
                        break Some((Line::new(self.address, b"-".to_vec()), Err(Fault::Violation(violation))));
                    }
                }
            };
            let used = rx.consumed();
            self.source.inbox.consume(used);
            if came.is_some() || self.http.wants() == Wants::Close {
                return came;
            }
            if !self.source.receive().ok()? {
                // Others may have use for the connection to the service meanwhile, and for the place of a silent client.
                self.proxy.service.keep(self.own.take());
                if self.proxy.clients.load(SeqCst) >= CLIENTS {
                    self.http.close();
                }
            }
        }
    }

    /// Gets a request its answer. False: no more follow.
    fn answer(&mut self, mut line: Line, sent: Result<Sent, Fault>) -> bool {
        let goes_on = match sent.and_then(|sent| relay(self, sent, &mut line.status)) {
            Ok(service) if self.http.has_switched() => {
                tunnel(self, service);
                false
            }
            Ok(service) => {
                self.own = service.when_reusable();
                true
            }
            Err(Fault::Gone) => {
                line.why = "the client is gone".into();
                false
            }
            Err(Fault::Violation(violation)) => {
                line.why = violation.to_string();
                // What the engine has to say to it is here, if it can be said.
                if !self.sink.outbox.is_empty() {
                    line.status = Some(violation.status());
                    let _ = self.sink.flush();
                }
                false
            }
            Err(Fault::Stop(stop)) => {
                line.why = stop.to_string();
                line.status.is_none() && self.refuse(stop, &mut line)
            }
        };
        line.sent = mem::take(&mut self.sink.sent);
        self.proxy.log.add(&line);
        goes_on
    }

    /// Tells the client why it does not get what it asked for. False: that could not be said any more.
    fn refuse(&mut self, stop: Stop, line: &mut Line) -> bool {
        let is_trace = line.request.starts_with(b"TRACE ");
        let status = if stop == Stop::LastHop && is_trace { Status::METHOD_NOT_ALLOWED } else { stop.status() };
        let text = format!("{status} {}: {stop}\n", status.reason());
        let more: (&str, &[u8]) = match stop {
            Stop::LastHop => ("allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
            Stop::Busy => ("retry-after", b"1"),
            _ => ("cache-control", b"no-store"),
        };
        self.http.set_date(date());
        let fields = [("content-type", b"text/plain".as_slice()), more];
        let said = self.http.respond_with(status, &fields, text.as_bytes(), &mut self.sink.tx());
        let is_told = said.is_ok() && self.sink.flush().is_ok();
        line.status = is_told.then_some(status);
        is_told
    }
}

/// How long an upload may take, whatever its size.
const UPLOAD: Duration = Duration::from_secs(3600);
/// How long the peer may take to stop after our last words.
const LINGER: Duration = Duration::from_millis(800);
