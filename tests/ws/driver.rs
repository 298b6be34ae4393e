//! Plays input into a connection, in pieces, with little room for output, and tells what came out.

use hopwire::deflate::{Decoder, Window};
use hopwire::io::{Rx, Tx, Wants};
use hopwire::time::Instant;
use hopwire::ws::deflate::{Piece, Receiver};
use hopwire::ws::{Client, CloseCode, Config, Connection, Event, Role, Server, Violation};

/// What was received, pieces of messages put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
}

/// All that came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub got: Vec<Got>,
    /// What there is of the last message, if it is unfinished.
    pub part: Vec<u8>,
    pub violation: Option<Violation>,
    /// Everything sent.
    pub wire: Vec<u8>,
    pub wants: Wants,
}

impl Told {
    /// The frames on the wire: first byte and unmasked payload.
    pub fn frames(&self) -> Vec<(u8, Vec<u8>)> {
        frames(&self.wire)
    }

    /// The code of the Close on the wire.
    pub fn close_code(&self) -> Option<u16> {
        let close = self.frames().into_iter().find(|(first, _)| *first == 0x88)?;
        close.1.first_chunk().map(|&code| u16::from_be_bytes(code))
    }
}

pub type Keys = fn(&mut [u8]);

pub fn server(config: Config) -> Connection<Server> {
    Connection::server(config)
}

pub fn client(config: Config) -> Connection<Client<Keys>> {
    Connection::client(|key| key.copy_from_slice(&KEY), config)
}

/// Feeds `pieces`, each as one read; `room` is how much output fits at once, if nothing more is asked for.
pub fn play<'a, R: Role>(
    conn: &mut Connection<R>,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    room: usize,
    last: bool,
) -> Told {
    Player::new(room).play(conn, pieces, last)
}

/// The state of a caller between two reads.
pub struct Player {
    /// The bytes received and not consumed.
    inbox: Vec<u8>,
    /// What `inbox` must hold, were it not changed in place.
    twin: Vec<u8>,
    room: usize,
    text: bool,
    inflation: Option<Inflation>,
    pub told: Told,
}

/// What inflates the messages of a connection.
pub struct Inflation {
    pub receiver: Receiver,
    decoder: Box<Decoder>,
    window: Box<Window<[u8]>>,
    /// How many bytes are inflated at a time.
    room: usize,
}

impl Inflation {
    pub fn new(config: Config, takeover: bool, room: usize) -> Self {
        let (decoder, window) = (Box::new(Decoder::new()), Box::new(Window::<[u8; 32768]>::new()));
        Self { receiver: Receiver::new(config, takeover), decoder, window, room }
    }
}

impl Player {
    pub fn new(room: usize) -> Self {
        let told = Told { got: vec![], part: vec![], violation: None, wire: vec![], wants: Wants::Input };
        Self { inbox: vec![], twin: vec![], room, text: false, inflation: None, told }
    }

    /// With compressed messages, which are inflated.
    pub fn inflating(room: usize, inflation: Inflation) -> Self {
        Self { inflation: Some(inflation), ..Self::new(room) }
    }

    pub fn play<'a, R: Role>(
        mut self,
        conn: &mut Connection<R>,
        pieces: impl IntoIterator<Item = &'a [u8]>,
        last: bool,
    ) -> Told {
        for piece in pieces {
            self.feed(conn, piece, false);
        }
        if last {
            self.feed(conn, &[], true);
        }
        self.told
    }

    pub fn feed<R: Role>(&mut self, conn: &mut Connection<R>, bytes: &[u8], last: bool) {
        self.inbox.extend_from_slice(bytes);
        self.twin.extend_from_slice(bytes);
        let mut room = self.room;
        loop {
            let mut out = vec![0; room];
            let (used, done);
            {
                let mut inbox = std::mem::take(&mut self.inbox);
                let mut rx = if last { Rx::last(&mut inbox) } else { Rx::new(&mut inbox) };
                let mut tx = Tx::new(&mut out);
                done = self.turn(conn, &mut rx, &mut tx);
                used = rx.consumed();
                assert_eq!(rx.bytes(), &self.twin[used..], "only what is consumed may change");
                self.told.wire.extend_from_slice(tx.written());
                inbox.drain(..used);
                self.inbox = inbox;
                self.twin.drain(..used);
            }
            self.told.wants = conn.wants();
            match conn.wants() {
                Wants::Output(needed) if !done => {
                    assert!(needed > 0 && needed <= 131, "io::Wants says 131");
                    room = self.room.max(needed);
                }
                _ => break,
            }
        }
    }

    /// Polls until nothing comes; whether that is the end.
    fn turn<R: Role>(&mut self, conn: &mut Connection<R>, rx: &mut Rx<'_>, tx: &mut Tx<'_>) -> bool {
        loop {
            match conn.poll(NOW, rx, tx) {
                Ok(Some(Event::Compressed { kind, data, end })) => {
                    if let Err(violation) = self.inflate(Piece { kind, data, end }) {
                        conn.fail(violation);
                    }
                }
                Ok(Some(event)) => self.take(&event),
                Ok(None) => return false,
                Err(violation) => {
                    assert_eq!(conn.wants(), Wants::Close);
                    assert!(self.told.violation.is_none_or(|told| told == violation), "failure is a state");
                    self.told.violation = Some(violation);
                    let before = tx.len();
                    assert_eq!(conn.poll(NOW, rx, tx), Err(violation));
                    assert_eq!(tx.len(), before);
                    return true;
                }
            }
        }
    }

    fn inflate(&mut self, mut piece: Piece<'_>) -> Result<(), Violation> {
        let mut inflation = self.inflation.take().expect("compression was negotiated");
        let Inflation { receiver, decoder, window, room } = &mut inflation;
        let mut out = vec![0x55; *room];
        let outcome = loop {
            match receiver.inflate(&mut piece, decoder, window, &mut out) {
                Ok(Some(event)) => self.take(&event),
                Ok(None) => break Ok(()),
                Err(violation) => break Err(violation),
            }
        };
        assert!(outcome.is_err() || piece.data.is_empty());
        self.inflation = Some(inflation);
        outcome
    }

    fn take(&mut self, event: &Event<'_>) {
        let told = &mut self.told;
        assert!(!told.got.iter().any(|got| matches!(got, Got::Close(..))), "nothing comes after a Close");
        match event {
            Event::Text { text, end } => {
                assert!(std::str::from_utf8(text.as_bytes()).is_ok(), "a piece of text is text");
                assert!(!text.is_empty() || *end, "a useless piece");
                assert!(told.part.is_empty() || self.text);
                self.text = true;
                told.part.extend_from_slice(text.as_bytes());
                if *end {
                    told.got.push(Got::Text(std::mem::take(&mut told.part)));
                }
            }
            Event::Binary { data, end } => {
                assert!(!data.is_empty() || *end, "a useless piece");
                assert!(told.part.is_empty() || !self.text);
                self.text = false;
                told.part.extend_from_slice(data);
                if *end {
                    told.got.push(Got::Binary(std::mem::take(&mut told.part)));
                }
            }
            Event::Ping(data) => told.got.push(Got::Ping(data.to_vec())),
            Event::Pong(data) => told.got.push(Got::Pong(data.to_vec())),
            Event::Close { code, reason } => {
                told.got.push(Got::Close(code.map(CloseCode::code), reason.as_str().to_owned()));
            }
            _ => panic!("an event of a new kind"),
        }
    }
}

/// One frame as a peer writes it.
pub fn frame(first: u8, payload: &[u8], masked: bool) -> Vec<u8> {
    let bit = if masked { 0x80 } else { 0 };
    let mut wire = vec![first];
    match payload.len() {
        n @ 0..=125 => wire.push(bit | n as u8),
        n @ 126..=0xffff => {
            wire.push(bit | 126);
            wire.extend_from_slice(&(n as u16).to_be_bytes());
        }
        n => {
            wire.push(bit | 127);
            wire.extend_from_slice(&(n as u64).to_be_bytes());
        }
    }
    if masked {
        wire.extend_from_slice(&KEY);
    }
    wire.extend(payload.iter().enumerate().map(|(i, b)| if masked { b ^ KEY[i & 3] } else { *b }));
    wire
}

/// Takes whole frames apart: first byte and unmasked payload.
pub fn frames(mut wire: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut all = vec![];
    while let [first, second, rest @ ..] = wire {
        let (len, rest) = match second & 0x7f {
            126 => (usize::from(u16::from_be_bytes(rest[..2].try_into().unwrap())), &rest[2..]),
            127 => (u64::from_be_bytes(rest[..8].try_into().unwrap()) as usize, &rest[8..]),
            n => (usize::from(n), rest),
        };
        let (key, rest) = if second & 0x80 == 0 { ([0; 4], rest) } else { (rest[..4].try_into().unwrap(), &rest[4..]) };
        all.push((*first, rest[..len].iter().enumerate().map(|(i, b)| b ^ key[i & 3]).collect()));
        wire = &rest[len..];
    }
    assert!(wire.is_empty(), "half a frame on the wire");
    all
}

pub const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
pub const NOW: Instant = Instant::from_millis(1000);
