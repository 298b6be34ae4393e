//! How an exchange passes: the upload takes the request's content to the service, the download the answer to the client.

use std::sync::Mutex;
use std::thread;

use hopwire::http::forward::{Asked, Content, Intermediary, Stop, Trailers};
use hopwire::http::{Fields, Status};
use hopwire::http1::server::{Event, Server};
use hopwire::http1::{Client, Violation, client};
use hopwire::io::Tx;

use crate::downstream::Downstream;
use crate::socket::{OUTPUT, Sink, Source, break_off, peek};
use crate::upstream::Upstream;
use crate::{date, lock, now};

/// A request whose head was sent on.
pub(crate) struct Sent {
    pub(crate) service: Upstream,
    pub(crate) asked: Asked,
    pub(crate) content: Content,
    pub(crate) trailers: Trailers,
}

/// Why an exchange ends before its time.
pub(crate) enum Fault {
    /// The client is gone.
    Gone,
    /// The client has broken a rule.
    Violation(Violation),
    /// The request goes no further, or the service has not done its part.
    Stop(Stop),
}

/// Takes the content to the service and the answer to the client. Gives the connection to the service back. When the client
/// has broken a rule, what is to be said to it waits to be written.
pub(crate) fn relay(down: &mut Downstream, mut sent: Sent, status: &mut Option<Status>) -> Result<Upstream, Fault> {
    let service = &mut sent.service;
    let engines = &Mutex::new(Engines { down: &mut down.http, up: &mut service.http, is_answered: false });
    let (from, to) = (&mut down.source, &mut service.sink);
    let mut upload = Upload { engines, from, to, trailers: sent.trailers, reply: Vec::new() };
    let (from, to, rules) = (&mut service.source, &mut down.sink, &down.proxy.service.rules);
    let mut download = Download { engines, from, to, rules, asked: sent.asked, trailers: None, status };
    // Often there is no content, or all of it is here.
    let is_sent = match sent.content {
        Content::None => Ok(true),
        _ if sent.asked.expects_continue() => Ok(false),
        _ => upload.step(),
    };
    match is_sent {
        Ok(false) => converse(upload, &mut download)?,
        Ok(true) | Err(Fault::Stop(_)) => download.run(&mut || Ok(()))?,
        Err(fault) => {
            download.to.outbox.append(&mut upload.reply);
            return Err(fault);
        }
    }
    Ok(sent.service)
}

/// Both ways at once: the content on a thread of its own, at once or when the service asks for it.
fn converse(upload: Upload<'_>, download: &mut Download<'_>) -> Result<(), Fault> {
    let mut upload = Some(upload);
    thread::scope(|scope| {
        let mut running = None;
        let mut start = || {
            if let Some(mut upload) = upload.take() {
                let run = move || (upload.run(), upload.reply);
                let spawned = thread::Builder::new().spawn_scoped(scope, run);
                running = Some(spawned.map_err(|_| Fault::Stop(Stop::Busy))?);
            }
            Ok(())
        };
        let started = if download.asked.expects_continue() { Ok(()) } else { start() };
        let answered = started.and_then(|()| download.run(&mut start));
        {
            let mut engines = lock(download.engines);
            engines.is_answered = true;
            if engines.up.owes_content() {
                // Nobody reads the rest.
                break_off(&download.from.stream);
            }
        }
        match running.map(thread::ScopedJoinHandle::join) {
            // The answer broke off because the request did.
            Some(Ok((Err(fault @ (Fault::Gone | Fault::Violation(_))), mut reply))) if answered.is_err() => {
                download.to.outbox.append(&mut reply);
                Err(fault)
            }
            _ => answered,
        }
    })
}

/// Both ends of an exchange: each way needs both for a moment.
struct Engines<'e> {
    down: &'e mut Server,
    up: &'e mut Client,
    /// The answer is complete, or nobody waits for it: what comes from the client now is none of this exchange's.
    is_answered: bool,
}

/// The way of a request's content.
struct Upload<'x> {
    engines: &'x Mutex<Engines<'x>>,
    from: &'x mut Source,
    to: &'x mut Sink,
    trailers: Trailers,
    /// What the engine tells the client.
    reply: Vec<u8>,
}

impl Upload<'_> {
    /// All content as it comes, until there is no more or nobody wants it.
    fn run(&mut self) -> Result<(), Fault> {
        while !self.step()? {
            if self.from.receive().is_err() {
                return Err(self.give_up(Fault::Gone));
            }
        }
        Ok(())
    }

    /// Hands on what has come; true: there is no more to be handed on.
    fn step(&mut self) -> Result<bool, Fault> {
        let mut is_last = false;
        {
            let Engines { down, up, is_answered } = &mut *lock(self.engines);
            if *is_answered {
                return Ok(true);
            }
            let (now, mut rx) = (now(), self.from.inbox.rx());
            let (mut tx, mut reply) = (self.to.tx(), Tx::growing(&mut self.reply, OUTPUT));
            loop {
                // The service may have broken off: then its answer says so, and this is sent to nobody.
                let _ = match down.poll(now, &mut rx, &mut reply) {
                    Ok(Some(Event::Body(data))) => up.body(data, &mut tx).map(drop),
                    Ok(Some(Event::Trailers(fields))) => {
                        is_last = true;
                        up.end(&relayed(self.trailers, fields), &mut tx)
                    }
                    Ok(Some(Event::End)) if is_last => break,
                    Ok(Some(Event::End)) => {
                        is_last = true;
                        up.end(&[], &mut tx)
                    }
                    Ok(Some(_)) => Ok(()),
                    Ok(None) => {
                        // What it has to say to who is late fits.
                        let _ = down.handle_timeout(now, &mut reply);
                        break;
                    }
                    Err(violation) => return Err(self.give_up(Fault::Violation(violation))),
                };
            }
            let used = rx.consumed();
            self.from.inbox.consume(used);
        }
        // What the service does not take any more is not missed: its answer says why, or breaks off.
        self.to.flush().map_err(|_| self.give_up(Fault::Stop(Stop::BadGateway)))?;
        Ok(is_last)
    }

    /// The rest of the request never comes: for an answer that is not here yet nobody is to wait.
    fn give_up(&self, fault: Fault) -> Fault {
        break_off(&self.to.stream);
        fault
    }
}

/// The way of an answer.
struct Download<'x> {
    engines: &'x Mutex<Engines<'x>>,
    from: &'x mut Source,
    to: &'x mut Sink,
    rules: &'x Intermediary<'static>,
    asked: Asked,
    /// Which trailers go on, from the head with content to the end of that.
    trailers: Option<Trailers>,
    status: &'x mut Option<Status>,
}

impl Download<'_> {
    /// All of an answer, and those before it; `start` is called when the client may send its content.
    fn run(&mut self, start: &mut dyn FnMut() -> Result<(), Fault>) -> Result<(), Fault> {
        let mut silent_ticks = 0;
        loop {
            let is_complete = self.step(start);
            self.to.flush().map_err(|_| Fault::Gone)?;
            if is_complete? {
                return Ok(());
            }
            if self.from.receive().map_err(|_| Fault::Stop(Stop::BadGateway))? {
                silent_ticks = 0;
                continue;
            }
            silent_ticks += 1;
            // A client that has stopped writing may still read, but who reads for ever?
            let is_sending = lock(self.engines).up.owes_content();
            if silent_ticks >= PRESENCE && !is_sending && matches!(peek(&self.to.stream), Ok(Some(0)) | Err(_)) {
                return Err(Fault::Gone);
            }
        }
    }

    /// Hands on what has come; true: the answer is complete.
    fn step(&mut self, start: &mut dyn FnMut() -> Result<(), Fault>) -> Result<bool, Fault> {
        let Engines { down, up, is_answered } = &mut *lock(self.engines);
        let (mut rx, mut tx) = (self.from.inbox.rx(), self.to.tx());
        let (now, mut is_on_time) = (now(), false);
        let is_complete = loop {
            match up.poll(now, &mut rx).map_err(|violation| Fault::Stop(violation.into()))? {
                Some(client::Event::Continue) => {
                    // There is room, and the answer has not begun.
                    let _ = down.inform(Status::CONTINUE, &[], &mut tx);
                    start()?;
                }
                Some(client::Event::Interim(head) | client::Event::Response(head) | client::Event::Switched(head)) => {
                    let head = self.rules.response(&(&head).into(), &self.asked, Some(date()));
                    let Some(head) = head.map_err(Fault::Stop)? else { continue };
                    down.forward(&head, &mut tx).map_err(|_| Fault::Stop(Stop::BadGateway))?;
                    if head.status().is_informational() && head.status() != Status::SWITCHING_PROTOCOLS {
                        continue;
                    }
                    *self.status = Some(head.status());
                    self.trailers = (head.content() != Content::None).then(|| head.trailers());
                    if down.has_switched() {
                        break true;
                    }
                }
                Some(client::Event::Body(data)) => {
                    down.body(data, &mut tx).map_err(|_| Fault::Stop(Stop::BadGateway))?;
                }
                Some(client::Event::Trailers(fields)) => {
                    if let Some(trailers) = self.trailers.take() {
                        down.end(&relayed(trailers, fields), &mut tx).map_err(|_| Fault::Gone)?;
                    }
                }
                Some(client::Event::End) => {
                    if self.trailers.take().is_some() {
                        down.end(&[], &mut tx).map_err(|_| Fault::Gone)?;
                    }
                    break true;
                }
                Some(_) => {}
                None if is_on_time => break false,
                None => {
                    up.handle_timeout(now);
                    is_on_time = true;
                }
            }
        };
        *is_answered = self.status.is_some() && self.trailers.is_none();
        let used = rx.consumed();
        self.from.inbox.consume(used);
        Ok(is_complete)
    }
}

/// The trailers that go on.
fn relayed<'b>(trailers: Trailers, fields: Fields<'b>) -> Vec<(&'b str, &'b [u8])> {
    trailers.of(fields).map(|field| (field.name.as_str(), field.value)).collect()
}

/// Ticks without a word from the service until it matters whether the client is still there.
const PRESENCE: u32 = 10;
