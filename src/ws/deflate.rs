//! permessage-deflate (RFC 7692 §7.2): messages between frames and DEFLATE, in both directions, without a heap.
//!
//! ```text
//! Event::Compressed ──▶ Receiver ──▶ Event::Text, Event::Binary        bytes ──▶ Sender ──▶ send_compressed_piece
//!                        │    │                                                  │    │
//!                   Decoder  Window                                         Encoder  History
//! ```
//!
//! What is needed in the middle of a message only (a `Decoder`, an `Encoder`) can serve all connections of a thread. What must
//! stay between messages is a `Window` and a `History`, and only where the context is kept: without context takeover
//! these two can be shared as well. Where less than 32 KiB was agreed for what we send, a `History` is no larger, or is
//! [told](History::set_window_bits); a `Window` may be larger than agreed.
//!
//! Looking for whole messages with all of this in place? `Session`. For the negotiation?
//! [`handshake::deflate`](super::handshake::deflate).

use super::{Config, Event, Kind, Limit, Violation};
use crate::bytes::{Text, utf8};
use crate::deflate::{Decoder, Encoder, Flush, History, Status, Window};
use crate::io::Full;

/// A piece of a message: of [`Event::Compressed`], or of what is to be compressed.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'d> {
    /// What the message is made of.
    pub kind: Kind,
    /// What is left of the piece.
    pub data: &'d [u8],
    /// Whether the message ends with it, and its end was not delivered yet.
    pub end: bool,
}

/// Inflates the messages of one connection.
///
/// ```
/// use hopwire::{deflate::{Decoder, Window}, ws::{self, deflate::{Piece, Receiver}}};
///
/// let config = ws::Config { compression: true, ..ws::Config::new() };
/// let mut receiver = Receiver::new(config, true);
/// let (mut decoder, mut window) = (Decoder::new(), Window::<[u8; 32768]>::new());
/// // RFC 7692 §7.2.3.1: what an Event::Compressed brings for "Hello"
/// let data = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
/// let mut piece = Piece { kind: ws::Kind::Text, data: &data, end: true };
/// let mut out = [0; 1024];
/// while let Some(event) = receiver.inflate(&mut piece, &mut decoder, &mut window, &mut out)? {
///     assert_eq!(event, ws::Event::Text { text: "Hello".into(), end: true });
/// }
/// # Ok::<(), ws::Violation>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Receiver {
    max_message: u64,
    max_ratio: u32,
    /// Whether the window is kept from message to message.
    takeover: bool,
    /// Whether a message is unfinished.
    begun: bool,
    /// Whether the last block said that it is the last, and nothing came behind it.
    over: bool,
    /// How much of `TAIL` was inflated.
    tail: u8,
    /// Bytes of the message on the wire, and inflated.
    wire: u64,
    inflated: u64,
    /// The start of a code point that goes on in the next piece.
    carry: [u8; 3],
    carried: u8,
    failed: Option<Violation>,
}

impl Receiver {
    /// For a connection with this configuration. `takeover`: the peer did not agree to forget what it sent after each message
    /// (`client_no_context_takeover` at a server, `server_no_context_takeover` at a client).
    pub const fn new(config: Config, takeover: bool) -> Self {
        Self {
            max_message: config.max_message,
            max_ratio: config.max_ratio,
            takeover,
            begun: false,
            over: false,
            tail: 0,
            wire: 0,
            inflated: 0,
            carry: [0; 3],
            carried: 0,
            failed: None,
        }
    }

    /// The next piece of the message, as [`Event::Text`] or [`Event::Binary`]; `None` when nothing is left of `piece`.
    ///
    /// `out` has any content. `decoder` may serve others between two messages, `window` only where the context is not kept.
    ///
    /// # Errors
    /// What the data or its text breaks, or a limit it passes, [`Limit::Buffer`] if `out` has fewer than 4 bytes: then
    /// [fail](super::Connection::fail) the connection. Every later call returns the same.
    pub fn inflate<'o>(
        &mut self,
        piece: &mut Piece<'_>,
        decoder: &mut Decoder,
        window: &mut Window<[u8]>,
        out: &'o mut [u8],
    ) -> Result<Option<Event<'o>>, Violation> {
        if let Some(violation) = self.failed {
            return Err(violation);
        }
        let outcome = self.next(piece, decoder, window, out);
        if let Err(violation) = outcome {
            self.failed = Some(violation);
        }
        outcome
    }

    fn next<'o>(
        &mut self,
        piece: &mut Piece<'_>,
        decoder: &mut Decoder,
        window: &mut Window<[u8]>,
        out: &'o mut [u8],
    ) -> Result<Option<Event<'o>>, Violation> {
        if !self.begun {
            if piece.data.is_empty() && !piece.end {
                return Ok(None);
            }
            self.begin(decoder, window);
        }
        let carried = usize::from(self.carried);
        if out.len() < CODE_POINT {
            return Err(Violation::Limit(Limit::Buffer));
        }
        let space = &mut out[carried..];
        let mut produced = 0;
        let (end, broken) = match self.fill(piece, decoder, window, space, &mut produced) {
            Ok(end) => (end, None),
            // What is right is delivered; the next call says what is not.
            Err(violation) if produced > 0 => (false, Some(violation)),
            Err(violation) => return Err(violation),
        };
        let out = &mut out[..carried + produced];
        out[..carried].copy_from_slice(&self.carry[..carried]);
        if end {
            (self.begun, piece.end) = (false, false);
        }
        self.failed = broken;
        let event = match piece.kind {
            Kind::Text => self.text(out, end)?,
            Kind::Binary => (!out.is_empty() || end).then_some(Event::Binary { data: out, end }),
        };
        match broken {
            Some(violation) if event.is_none() => Err(violation),
            _ => Ok(event),
        }
    }

    fn begin(&mut self, decoder: &mut Decoder, window: &mut Window<[u8]>) {
        decoder.reset();
        if !self.takeover {
            window.reset();
        }
        (self.begun, self.over) = (true, false);
        (self.tail, self.wire, self.inflated) = (0, 0, 0);
    }

    /// Inflates into `space`, counted by `filled`, until it is full or nothing is left of `piece`: whether the message is over.
    fn fill(
        &mut self,
        piece: &mut Piece<'_>,
        decoder: &mut Decoder,
        window: &mut Window<[u8]>,
        space: &mut [u8],
        filled: &mut usize,
    ) -> Result<bool, Violation> {
        loop {
            let payload = !piece.data.is_empty();
            // §7.2.2: "Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload". But where the last block was
            // the last, or there is no payload, nothing is left to be said.
            if !payload && (self.over || piece.end && self.wire == 0) {
                return Ok(piece.end);
            }
            let input = match payload {
                true => piece.data,
                false if piece.end => &TAIL[usize::from(self.tail)..],
                false => &[],
            };
            if self.over && payload {
                decoder.next_stream();
                self.over = false;
            }
            let space = &mut space[*filled..];
            // At most one byte past a limit is ever inflated.
            let room =
                usize::try_from(self.allowance()).map_or(space.len(), |most| most.saturating_add(1).min(space.len()));
            let inflated = decoder.inflate(window, input, &mut space[..room]).map_err(|_| Violation::Deflate)?;
            match payload {
                true => {
                    piece.data = &piece.data[inflated.consumed..];
                    self.wire += inflated.consumed as u64;
                }
                false if piece.end => self.tail += least(inflated.consumed),
                false => {}
            }
            *filled += inflated.produced;
            self.inflated += inflated.produced as u64;
            for (most, limit) in [(self.max_message, Limit::Message), (self.fair(), Limit::Ratio)] {
                if self.inflated > most {
                    *filled -= 1;
                    return Err(Violation::Limit(limit));
                }
            }
            match inflated.status {
                // The payload's last byte may have been taken long before its output had room.
                Status::End if self.tail == 0 => self.over = true,
                Status::End => decoder.next_stream(),
                Status::Output if inflated.produced == space.len() => return Ok(false),
                // The room was less than the space.
                Status::Output => {}
                Status::Input if !piece.data.is_empty() => {}
                Status::Input if !piece.end => return Ok(false),
                // A message that ends inside a block is cut off.
                Status::Input if usize::from(self.tail) == TAIL.len() => {
                    return if decoder.is_between_blocks() { Ok(true) } else { Err(Violation::Deflate) };
                }
                Status::Input => {}
            }
        }
    }

    /// How much more may be inflated.
    const fn allowance(&self) -> u64 {
        let fair = self.fair();
        let most = if fair < self.max_message { fair } else { self.max_message };
        most.saturating_sub(self.inflated)
    }

    /// How much what came so far may be inflated to.
    const fn fair(&self) -> u64 {
        fair(self.wire, self.max_ratio)
    }

    /// Judges inflated text (RFC 6455 §8.1), and keeps back what is cut off.
    fn text<'o>(&mut self, out: &'o mut [u8], end: bool) -> Result<Option<Event<'o>>, Violation> {
        let (valid, well_formed) = match utf8::check(out) {
            Ok(valid) => (valid, valid == out.len() || !end),
            Err(valid) => (valid, false),
        };
        let (text, cut) = out.split_at_mut(valid);
        let text = Text::from_validated(text);
        if !well_formed {
            if valid == 0 {
                return Err(Violation::Utf8);
            }
            // What is right is delivered; the next call says what is not.
            self.failed = Some(Violation::Utf8);
            return Ok(Some(Event::Text { text, end: false }));
        }
        self.carried = least(cut.len());
        self.carry[..cut.len()].copy_from_slice(cut);
        Ok((valid > 0 || end).then_some(Event::Text { text, end }))
    }
}

/// Compresses the messages of one connection.
///
/// ```
/// use hopwire::{deflate::{Encoder, History, Level}, io::Tx, ws::{self, deflate::{Piece, Sender}}};
///
/// let config = ws::Config { compression: true, ..ws::Config::new() };
/// let mut conn = ws::Connection::server(config);
/// let (mut encoder, mut history) = (Encoder::<32768>::new(Level::Default), History::<[u8; 32768]>::new());
/// let mut sender = Sender::new(true);
/// let (mut space, mut out) = ([0; 1024], [0; 1024]);
/// let mut tx = Tx::new(&mut out);
///
/// let mut piece = Piece { kind: ws::Kind::Text, data: b"Hello, hello, hello", end: true };
/// while let Some((data, end)) = sender.deflate(&mut piece, &mut encoder, &mut history, &mut space)? {
///     conn.send_compressed_piece(ws::Kind::Text, data, end, &mut tx)?;
/// }
/// assert_eq!(tx.written()[0], 0xc1);
/// assert!(tx.len() < 19);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    /// Whether the history is kept from message to message.
    takeover: bool,
    begun: bool,
    /// The last bytes so far, which may turn out to be the tail.
    held: [u8; TAIL.len()],
    holding: u8,
}

impl Sender {
    /// `takeover`: we did not agree to forget what we sent after each message (`server_no_context_takeover` at a server,
    /// `client_no_context_takeover` at a client).
    pub const fn new(takeover: bool) -> Self {
        Self { takeover, begun: false, held: [0; TAIL.len()], holding: 0 }
    }

    /// The next compressed bytes of the message, to be sent as a piece of it, and whether they end it; `None` when nothing
    /// is left of `piece`.
    ///
    /// `out` has any content. `encoder` may serve others between two messages, `history` only where the context is not kept.
    ///
    /// # Errors
    /// `out` has fewer than 16 bytes.
    pub fn deflate<'o, const TABLE: usize>(
        &mut self,
        piece: &mut Piece<'_>,
        encoder: &mut Encoder<TABLE>,
        history: &mut History<[u8]>,
        out: &'o mut [u8],
    ) -> Result<Option<(&'o [u8], bool)>, Full> {
        if out.len() < LEAST_ROOM {
            return Err(Full { needed: LEAST_ROOM });
        }
        if !self.begun {
            if piece.data.is_empty() && !piece.end {
                return Ok(None);
            }
            encoder.reset();
            if !self.takeover {
                history.reset();
            }
            (self.begun, self.holding) = (true, 0);
        }
        let holding = usize::from(self.holding);
        out[..holding].copy_from_slice(&self.held[..holding]);
        let flush = if piece.end { Flush::Sync } else { Flush::None };
        let progress = encoder.deflate(history, piece.data, &mut out[holding..], flush);
        piece.data = &piece.data[progress.consumed..];
        let len = holding + progress.produced;
        let done = progress.status != Status::Output && piece.data.is_empty();
        // §7.2.1: "Remove 4 octets (that are 0x00 0x00 0xff 0xff) from the tail end."
        let (data, tail) = out[..len].split_at(len.saturating_sub(TAIL.len()));
        if done && piece.end {
            debug_assert_eq!(tail, TAIL, "a sync flush ends with it");
            (self.begun, piece.end) = (false, false);
            return Ok(Some((data, true)));
        }
        self.holding = least(tail.len());
        self.held[..tail.len()].copy_from_slice(tail);
        Ok((!data.is_empty() || !done).then_some((data, false)))
    }
}

/// How much so many compressed bytes may be inflated to.
pub(super) const fn fair(wire: u64, max_ratio: u32) -> u64 {
    let fair = wire.saturating_mul(max_ratio as u64);
    if fair < RATIO_FREE { RATIO_FREE } else { fair }
}

/// A length of at most 4.
fn least(len: usize) -> u8 {
    debug_assert!(len <= TAIL.len());
    len.to_le_bytes()[0]
}

/// What a [`Sender`] writes in any case: the tail that it holds back, and something before it.
const LEAST_ROOM: usize = 16;

/// The longest code point in UTF-8, which what is inflated to must hold whole.
const CODE_POINT: usize = 4;

/// §7.2.1: an empty stored block without its first byte.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// So much may be inflated from anything: the ratio counts beyond it. DEFLATE itself ends at 1032 to 1.
const RATIO_FREE: u64 = 1 << 20;
