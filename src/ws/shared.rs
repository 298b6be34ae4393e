//! Compression of a session: what one connection must keep for it, and what all of a thread take turns with.

use alloc::{boxed::Box, vec::Vec};

use super::deflate::{Piece, Receiver, Sender, fair};
use super::handshake::deflate::Params;
use super::message::{Ready, SPARE};
use super::{Config, Event, Kind, Messages, Violation};
use crate::deflate::{Decoder, Encoder, History, Level, Window};

/// What sessions take turns with: one a thread is enough. Nothing is allocated before it is needed.
///
/// How small the messages of one session become does not tell what was said in another: without context they become what
/// an encoder of their own makes of them; with context the encoder forgets one history before it learns another, so that they
/// tell at most that another was served in between. ([`Encoder`] says how it knows a history again.)
#[derive(Debug)]
pub struct Shared {
    level: Level,
    decoder: Option<Box<Decoder>>,
    /// Of the size that was needed last.
    window: Option<Box<Window<[u8]>>>,
    encoder: Option<Box<Encoder>>,
    history: Option<Box<History>>,
    /// For the next message that must be put together.
    pub(super) spare: Vec<u8>,
    /// The message compressed last.
    packed: Vec<u8>,
}

impl Shared {
    /// Compresses at this level.
    pub const fn new(level: Level) -> Self {
        Self { level, decoder: None, window: None, encoder: None, history: None, spare: Vec::new(), packed: Vec::new() }
    }

    /// A message compressed without context.
    pub(super) fn pack(&mut self, kind: Kind, data: &[u8]) -> &[u8] {
        self.pack_for(&mut Sender::new(false), None, MOST_BITS, Piece { kind, data, end: true })
    }

    /// A whole message, compressed behind what a history says or without context: to the start of `packed`, whose length is
    /// kept so that it need not be cleared again. Then [`release`](Self::release) it.
    fn pack_for(
        &mut self,
        sender: &mut Sender,
        history: Option<&mut History<[u8]>>,
        window_bits: u8,
        mut piece: Piece<'_>,
    ) -> &[u8] {
        let history = match history {
            Some(history) => history,
            None => &mut **self.history.get_or_insert_default(),
        };
        history.set_window_bits(window_bits);
        let encoder = self.encoder.get_or_insert_with(|| Box::new(Encoder::new(self.level)));
        let packed = &mut self.packed;
        let mut len = 0;
        loop {
            let room = piece.data.len() + LEAST_ROOM;
            if packed.len() < len + room {
                packed.resize(len + room, 0);
            }
            let Ok(Some((data, end))) = sender.deflate(&mut piece, encoder, history, &mut packed[len..]) else { break };
            len += data.len();
            if end {
                break;
            }
        }
        &packed[..len]
    }

    /// Gives back the memory of the message compressed last, if that is much.
    pub(super) fn release(&mut self) {
        if self.packed.len() > SPARE {
            self.packed = Vec::new();
        }
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self::new(Level::Default)
    }
}

/// What was negotiated, and what must be kept for it.
#[derive(Debug)]
pub(super) struct Compression {
    receiver: Receiver,
    sender: Sender,
    compressed_from: usize,
    max_ratio: u32,
    peer: Direction,
    own: Direction,
    /// Held while a message is unfinished.
    decoder: Option<Box<Decoder>>,
    /// Held while a message is unfinished, or always if the peer keeps its context.
    window: Option<Box<Window<[u8]>>>,
    /// Held if we keep our context.
    history: Option<Box<History<[u8]>>>,
}

/// What was negotiated for the messages of one side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Direction {
    /// It keeps its context from message to message.
    takeover: bool,
    /// Its window is `2^n` bytes.
    window_bits: u8,
}

impl Direction {
    pub(super) const fn of_client(params: &Params) -> Self {
        Self::new(params.client_no_context_takeover, params.client_max_window_bits)
    }

    pub(super) const fn of_server(params: &Params) -> Self {
        Self::new(params.server_no_context_takeover, params.server_max_window_bits)
    }

    const fn new(no_context_takeover: bool, max_window_bits: Option<u8>) -> Self {
        let window_bits = match max_window_bits {
            None | Some(MOST_BITS..) => MOST_BITS,
            Some(..8) => 8,
            Some(bits) => bits,
        };
        Self { takeover: !no_context_takeover, window_bits }
    }
}

impl Compression {
    pub(super) const fn new(config: &Config, peer: Direction, own: Direction) -> Self {
        Self {
            receiver: Receiver::new(*config, peer.takeover),
            sender: Sender::new(own.takeover),
            compressed_from: config.compressed_from,
            max_ratio: config.max_ratio,
            peer,
            own,
            decoder: None,
            window: None,
            history: None,
        }
    }

    /// Whether so long a message is worth it.
    pub(super) const fn compresses(&self, len: usize) -> bool {
        len >= self.compressed_from
    }

    /// The window we may use is `2^n` bytes.
    pub(super) const fn window_bits(&self) -> u8 {
        self.own.window_bits
    }

    /// Whether what we send refers to what we sent before.
    pub(super) const fn keeps_context(&self) -> bool {
        self.own.takeover
    }

    /// Inflates a piece of a message behind those before it.
    pub(super) fn inflate<'b>(
        &mut self,
        mut piece: Piece<'_>,
        messages: &mut Messages,
        shared: &mut Shared,
    ) -> Result<Option<Ready<'b>>, Violation> {
        let decoder = self.decoder.get_or_insert_with(|| shared.decoder.take().unwrap_or_default());
        let window = self.window.get_or_insert_with(|| {
            let lent = if self.peer.takeover { None } else { shared.window.take() };
            // No larger than agreed: a distance beyond that is an error.
            lent.filter(|lent| lent.has_bits(self.peer.window_bits))
                .unwrap_or_else(|| Window::boxed(self.peer.window_bits))
        });
        let end = loop {
            let room = piece.data.len().saturating_mul(GROWTH).clamp(LEAST_ROOM, MOST_ROOM);
            let inflated = self.receiver.inflate(&mut piece, decoder, window, messages.space(room));
            let (len, end) = match &inflated {
                Ok(Some(Event::Text { text, end })) => (text.len(), *end),
                Ok(Some(Event::Binary { data, end })) => (data.len(), *end),
                _ => (0, false),
            };
            let more = inflated?.is_some();
            messages.filled(room, len, end);
            if end || !more {
                break end;
            }
        };
        if end {
            shared.decoder = self.decoder.take();
            if !self.peer.takeover {
                shared.window = self.window.take();
            }
        }
        Ok(end.then_some(Ready::assembled(piece.kind)))
    }

    /// Whether a peer with our limits would take so little for so much.
    pub(super) const fn is_fair(&self, packed: usize, len: usize) -> bool {
        len as u64 <= fair(packed as u64, self.max_ratio)
    }

    /// Compresses a whole message.
    pub(super) fn deflate<'s>(&mut self, piece: Piece<'_>, shared: &'s mut Shared) -> &'s [u8] {
        let bits = self.own.window_bits;
        let history = match self.own.takeover {
            true => Some(&mut **self.history.get_or_insert_with(|| History::boxed(bits))),
            false => None,
        };
        shared.pack_for(&mut self.sender, history, bits, piece)
    }

    /// The peer's window has moved on by a message that was compressed elsewhere, and so does our history.
    #[inline]
    pub(super) fn append(&mut self, message: &[u8]) {
        if self.own.takeover {
            self.history.get_or_insert_with(|| History::boxed(self.own.window_bits)).append(message);
        }
    }

    /// From the next message on nothing refers to those before it.
    pub(super) fn forget(&mut self) {
        if let Some(history) = &mut self.history {
            history.reset();
        }
    }
}

/// A window of 32 KiB, where no other was agreed.
const MOST_BITS: u8 = 15;
/// How many times its size compressed data is expected to have, when room is made for it; and bounds of that room.
const GROWTH: usize = 4;
const LEAST_ROOM: usize = 256;
const MOST_ROOM: usize = 16 << 10;
