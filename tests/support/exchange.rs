//! An [`http1::Server`](hopwire::http1::Server) between a wire in memory and a caller who answers.

use hopwire::http1::server::{Event, Server};
use hopwire::http1::{BodyLength, Misuse, Target, Violation};
use hopwire::io::{Rx, SendError, Tx, Wants};
use hopwire::time::Instant;

/// An event, kept after the bytes it borrowed are gone. Pieces of content are joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Request(Head),
    Body(Vec<u8>),
    Trailers(Vec<(String, Vec<u8>)>),
    End,
}

/// What a request's head says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub method: String,
    pub target: Vec<u8>,
    pub form: &'static str,
    pub authority: Option<Vec<u8>>,
    pub version: String,
    /// Names in lower case.
    pub fields: Vec<(String, Vec<u8>)>,
    pub body: BodyLength,
    pub keep_alive: bool,
    pub expects_continue: bool,
    pub upgrades: Vec<Vec<u8>>,
}

/// Both ends of the wire.
#[derive(Debug)]
pub struct Exchange {
    pub server: Server,
    pub now: Instant,
    /// Events, each with how much had been consumed when it came.
    pub told: Vec<(Told, usize)>,
    pub out: Out,
    pub violation: Option<Violation>,
    consumed: usize,
    received: Vec<u8>,
}

/// What was sent, through output of a given size each time.
#[derive(Debug)]
pub struct Out {
    pub wire: Vec<u8>,
    pub size: usize,
}

impl Exchange {
    pub fn new(server: Server) -> Self {
        let out = Out { wire: Vec::new(), size: 4096 };
        let (told, received) = (Vec::new(), Vec::new());
        Self { server, now: Instant::ZERO, told, out, violation: None, consumed: 0, received }
    }

    /// More bytes come; `answer` is asked after each event.
    pub fn feed(&mut self, bytes: &[u8], answer: &mut dyn FnMut(&mut Server, &Told, &mut Out)) {
        self.received.extend_from_slice(bytes);
        self.run(|received| Rx::new(received), answer);
    }

    /// No more bytes come.
    pub fn finish(&mut self, answer: &mut dyn FnMut(&mut Server, &Told, &mut Out)) {
        self.run(|received| Rx::last(received), answer);
    }

    /// The bytes that were not consumed.
    pub fn rest(&self) -> &[u8] {
        &self.received
    }

    pub fn events(&self) -> Vec<Told> {
        self.told.iter().map(|(told, _)| told.clone()).collect()
    }

    pub fn wire(&self) -> String {
        String::from_utf8_lossy(&self.out.wire).into_owned()
    }

    fn run(&mut self, rx: fn(&mut [u8]) -> Rx<'_>, answer: &mut dyn FnMut(&mut Server, &Told, &mut Out)) {
        let mut received = std::mem::take(&mut self.received);
        let mut rx = rx(&mut received);
        loop {
            let before = rx.consumed();
            let mut space = vec![0; self.out.size];
            let mut tx = Tx::new(&mut space);
            let polled = self.server.poll(self.now, &mut rx, &mut tx);
            self.out.wire.extend_from_slice(tx.written());
            self.consumed += rx.consumed() - before;
            match polled {
                Ok(Some(event)) => {
                    let told = told(event);
                    answer(&mut self.server, &told, &mut self.out);
                    self.note(told);
                }
                Ok(None) => match self.server.wants() {
                    Wants::Output(needed) => {
                        assert!(
                            needed > space.len() && needed < 131,
                            "wants {needed} of {}, and io::Wants says less than 131",
                            space.len()
                        );
                        self.out.size = needed;
                    }
                    _ => break,
                },
                Err(violation) => {
                    assert_eq!(*self.violation.get_or_insert(violation), violation);
                    assert_eq!(self.server.wants(), Wants::Close);
                    break;
                }
            }
        }
        let used = rx.consumed();
        received.drain(..used);
        self.received = received;
    }

    fn note(&mut self, told: Told) {
        if let (Some((Told::Body(sum), at)), Told::Body(more)) = (self.told.last_mut(), &told) {
            sum.extend_from_slice(more);
            *at = self.consumed;
            return;
        }
        self.told.push((told, self.consumed));
    }
}

impl Out {
    /// Makes a call that needs output, again with more room if it asks for that.
    pub fn call<T>(&mut self, mut call: impl FnMut(&mut Tx<'_>) -> Result<T, SendError<Misuse>>) -> Result<T, Misuse> {
        let mut size = self.size;
        loop {
            let mut space = vec![0xaa; size];
            let mut tx = Tx::new(&mut space);
            let result = call(&mut tx);
            match result {
                Ok(value) => {
                    self.wire.extend_from_slice(tx.written());
                    return Ok(value);
                }
                Err(SendError::Misuse(misuse)) => {
                    assert_eq!(tx.written(), b"", "nothing is written by a wrong call");
                    return Err(misuse);
                }
                Err(SendError::Full(full)) => {
                    assert_eq!(tx.written(), b"", "nothing is written where there is no room");
                    assert!(full.needed > size, "{} is enough, and is not", full.needed);
                    size = full.needed;
                }
            }
        }
    }

    /// Sends all of a content.
    pub fn content(&mut self, server: &mut Server, mut data: &[u8]) -> Result<(), Misuse> {
        while !data.is_empty() {
            let taken = self.call(|tx| server.body(data, tx))?;
            data = &data[taken..];
        }
        Ok(())
    }
}

pub fn told(event: Event<'_>) -> Told {
    let list = |fields: hopwire::http::Fields<'_>| {
        fields.iter().map(|field| (field.name.as_str().to_ascii_lowercase(), field.value.to_vec())).collect()
    };
    match event {
        Event::Request(request) => Told::Request(Head {
            method: request.method.as_str().to_owned(),
            target: request.target.as_bytes().to_vec(),
            form: match request.target {
                Target::Origin(..) => "origin",
                Target::Absolute { .. } => "absolute",
                Target::Authority { .. } => "authority",
                _ => "asterisk",
            },
            authority: request.authority().map(|authority| authority.as_bytes().to_vec()),
            version: request.version.as_str().to_owned(),
            fields: list(request.fields),
            body: request.length(),
            keep_alive: request.keep_alive(),
            expects_continue: request.expects_continue(),
            upgrades: request.upgrades().map(<[u8]>::to_vec).collect(),
        }),
        Event::Body(data) => Told::Body(data.to_vec()),
        Event::Trailers(fields) => Told::Trailers(list(fields)),
        Event::End => Told::End,
        other => panic!("an event without a test: {other:?}"),
    }
}
