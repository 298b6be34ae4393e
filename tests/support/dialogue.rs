//! An [`http1::Client`](hopwire::http1::Client) between a wire in memory and a caller who asks.

use hopwire::http1::client::{Client, Event};
use hopwire::http1::{Misuse, Response, ResponseLength, Violation};
use hopwire::io::{Rx, SendError, Tx, Wants};
use hopwire::time::Instant;

use super::exchange::Out;

/// An event, kept after the bytes it borrowed are gone. Pieces of content are joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    Continue,
    Interim(Reply),
    Response(Reply),
    Body(Vec<u8>),
    Trailers(Vec<(String, Vec<u8>)>),
    End,
    Switched(Reply),
}

/// What a response's head says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub code: u16,
    pub reason: Vec<u8>,
    pub version: String,
    /// Names in lower case.
    pub fields: Vec<(String, Vec<u8>)>,
    pub length: ResponseLength,
    pub keep_alive: bool,
    pub upgrades: Vec<Vec<u8>>,
}

/// Both ends of the wire.
#[derive(Debug)]
pub struct Dialogue {
    pub client: Client,
    pub now: Instant,
    /// Events, each with how much had been consumed when it came.
    pub heard: Vec<(Heard, usize)>,
    pub out: Out,
    pub violation: Option<Violation>,
    consumed: usize,
    received: Vec<u8>,
}

impl Dialogue {
    pub fn new(client: Client) -> Self {
        let out = Out { wire: Vec::new(), size: 4096 };
        Self { client, now: Instant::ZERO, heard: Vec::new(), out, violation: None, consumed: 0, received: Vec::new() }
    }

    /// A call of the client's that writes.
    pub fn call<T>(
        &mut self,
        mut call: impl FnMut(&mut Client, &mut Tx<'_>) -> Result<T, SendError<Misuse>>,
    ) -> Result<T, Misuse> {
        let client = &mut self.client;
        self.out.call(|tx| call(client, tx))
    }

    /// More bytes come.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.received.extend_from_slice(bytes);
        self.run(|received| Rx::new(received));
    }

    /// No more bytes come.
    pub fn finish(&mut self) {
        self.run(|received| Rx::last(received));
    }

    /// The bytes that were not consumed.
    pub fn rest(&self) -> &[u8] {
        &self.received
    }

    pub fn events(&self) -> Vec<Heard> {
        self.heard.iter().map(|(heard, _)| heard.clone()).collect()
    }

    /// The codes of the responses so far, with `End` as 0.
    pub fn codes(&self) -> Vec<u16> {
        let code = |(heard, _): &(Heard, usize)| match heard {
            Heard::Interim(reply) | Heard::Response(reply) | Heard::Switched(reply) => Some(reply.code),
            Heard::End => Some(0),
            _ => None,
        };
        self.heard.iter().filter_map(code).collect()
    }

    pub fn wire(&self) -> String {
        String::from_utf8_lossy(&self.out.wire).into_owned()
    }

    fn run(&mut self, rx: fn(&mut [u8]) -> Rx<'_>) {
        let mut received = std::mem::take(&mut self.received);
        let mut rx = rx(&mut received);
        loop {
            let before = rx.consumed();
            let polled = self.client.poll(self.now, &mut rx);
            self.consumed += rx.consumed() - before;
            match polled {
                Ok(Some(event)) => {
                    let heard = heard(event);
                    self.note(heard);
                }
                Ok(None) => break,
                Err(violation) => {
                    assert_eq!(*self.violation.get_or_insert(violation), violation);
                    assert_eq!(self.client.wants(), Wants::Close);
                    break;
                }
            }
        }
        let used = rx.consumed();
        received.drain(..used);
        self.received = received;
    }

    fn note(&mut self, heard: Heard) {
        if let (Some((Heard::Body(sum), at)), Heard::Body(more)) = (self.heard.last_mut(), &heard) {
            sum.extend_from_slice(more);
            *at = self.consumed;
            return;
        }
        self.heard.push((heard, self.consumed));
    }
}

pub fn heard(event: Event<'_>) -> Heard {
    let list = |fields: hopwire::http::Fields<'_>| {
        fields.iter().map(|field| (field.name.as_str().to_ascii_lowercase(), field.value.to_vec())).collect()
    };
    let reply = |response: Response<'_>| Reply {
        status: response.status.code(),
        code: response.code(),
        reason: response.reason().to_vec(),
        version: response.version.as_str().to_owned(),
        fields: list(response.fields),
        length: response.length(),
        keep_alive: response.keep_alive(),
        upgrades: response.upgrades().map(<[u8]>::to_vec).collect(),
    };
    match event {
        Event::Continue => Heard::Continue,
        Event::Interim(response) => Heard::Interim(reply(response)),
        Event::Response(response) => Heard::Response(reply(response)),
        Event::Body(data) => {
            assert!(!data.is_empty());
            Heard::Body(data.to_vec())
        }
        Event::Trailers(fields) => Heard::Trailers(list(fields)),
        Event::End => Heard::End,
        Event::Switched(response) => Heard::Switched(reply(response)),
        other => panic!("an event without a test: {other:?}"),
    }
}
