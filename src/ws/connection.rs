//! Receiving: one state machine for both roles.
//!
//! A header stays unconsumed until some of its payload can be, so that it is judged again at most a
//! few bytes at a time and never remembered in parts. Payload is unmasked where it lies, and only as
//! far as it is consumed. Text is in `text`.

use super::config::Rules;
use super::header::{self, Header, Opcode, Terms, Whole};
use super::role::{Client, Role, Server};
use super::text::{BLOCK, is_utf8};
use super::timers::Timers;
use super::{Config, Event, Kind, Limit, Violation, close, mask};
use crate::Entropy;
use crate::bytes::Text;
use crate::io::{Rx, Tx, Wants};
use crate::time::Instant;

/// One end of a WebSocket connection after the handshake. Holds no payload and no heap.
#[derive(Debug)]
pub struct Connection<R> {
    pub(super) role: R,
    pub(super) rules: Rules,
    pub(super) phase: Phase,
    /// Whether our Close is on its way: no data may follow it.
    pub(super) close_sent: bool,
    /// Whether compression was negotiated.
    pub(super) compression: bool,
    /// Whether the socket may be closed.
    pub(super) over: bool,
    /// The message we are sending in fragments.
    pub(super) sending: Option<Sending>,
    pub(super) timers: Timers,
    pub(super) wants: Wants,
    /// The longest payload that `at_once` takes.
    at_once: u64,
    pub(super) incoming: Incoming,
}

/// A message of ours that is unfinished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sending {
    pub(super) kind: Kind,
    pub(super) compressed: bool,
}

/// Where the connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// The peer's Close was received and answered.
    Closed,
    /// Our Close for this violation waits for room.
    Failing(Violation),
    Failed(Violation),
}

/// The message being received.
#[derive(Debug)]
pub(super) struct Incoming {
    /// Bytes of the current data frame not consumed yet. Never 0 unless between frames.
    pub(super) left: u64,
    /// The current frame's key, as it belongs to the next byte.
    pub(super) key: [u8; 4],
    /// Whether the current frame is its message's last.
    pub(super) fin: bool,
    pub(super) message: Option<Kind>,
    /// Whether the message is compressed (RFC 7692 §6).
    pub(super) compressed: bool,
    /// Payload of the message so far, the current frame counted whole.
    pub(super) total: u64,
    pub(super) fragments: u32,
    /// The start of a code point that goes on in the next frame.
    pub(super) carry: [u8; 3],
    pub(super) carried: usize,
}

impl Connection<Server> {
    /// The server's end.
    pub const fn server(config: Config) -> Self {
        Self::new(Server, config)
    }
}

impl<E: Entropy> Connection<Client<E>> {
    /// The client's end, which masks with keys from `entropy`, a fresh one for each frame.
    pub const fn client(entropy: E, config: Config) -> Self {
        Self::new(Client(entropy), config)
    }
}

impl<R> Connection<R> {
    const fn new(role: R, config: Config) -> Self {
        Self {
            role,
            rules: Rules::new(&config),
            phase: Phase::Open,
            close_sent: false,
            compression: config.compression,
            over: false,
            sending: None,
            timers: Timers::new(&config),
            wants: Wants::Input,
            at_once: min(BLOCK as u64, min(config.max_frame, config.max_message)),
            incoming: Incoming {
                left: 0,
                key: [0; 4],
                fin: false,
                message: None,
                compressed: false,
                total: 0,
                fragments: 0,
                carry: [0; 3],
                carried: 0,
            },
        }
    }

    /// What the next [`poll`](Self::poll) needs, valid after `Ok(None)` or an error.
    pub const fn wants(&self) -> Wants {
        self.wants
    }

    /// Whether messages may still come: no Close has, and nothing failed.
    #[cfg(feature = "alloc")]
    pub(super) const fn is_receiving(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    /// Whether nothing more can be sent: a Close was sent or received, or the connection failed.
    pub const fn is_closing(&self) -> bool {
        self.close_sent || !matches!(self.phase, Phase::Open)
    }
}

impl<R: Role> Connection<R> {
    /// Consumes input up to the next event.
    ///
    /// # Errors
    /// The peer broke a rule or a limit, or is gone. A Close with the violation's code is in `tx`, if
    /// there is one to send and none was sent; every later call returns the same error.
    #[inline]
    pub fn poll<'b>(&mut self, now: Instant, rx: &mut Rx<'b>, tx: &mut Tx<'_>) -> Result<Option<Event<'b>>, Violation> {
        if let Some(event) = self.at_once(rx) {
            self.timers.message(now);
            return Ok(Some(event));
        }
        self.step(now, rx, tx)
    }

    /// The usual case, a whole message in one short frame: unmasked, judged and taken in one go.
    /// Anything else is left as it is, to `step`, which this only anticipates.
    #[inline]
    fn at_once<'b>(&self, rx: &mut Rx<'b>) -> Option<Event<'b>> {
        if self.phase != Phase::Open || self.incoming.left > 0 || self.incoming.message.is_some() {
            return None;
        }
        let Whole { text, key, front, len } = header::whole(rx.bytes(), !R::MASKS)?;
        let data = rx.bytes_mut().get_mut(front..front + len)?;
        if len as u64 > self.at_once {
            return None;
        }
        if R::MASKS {
            if text && !data.is_ascii() && !is_utf8(data) {
                return None;
            }
        } else if !mask::apply(key, data) && text && !is_utf8(data) {
            mask::apply(key, data);
            return None;
        }
        let (_, data) = rx.take(front + len).split_at_mut(front);
        Some(match text {
            true => Event::Text { text: Text::from_validated(data), end: true },
            false => Event::Binary { data, end: true },
        })
    }

    #[inline(never)]
    fn step<'b>(&mut self, now: Instant, rx: &mut Rx<'b>, tx: &mut Tx<'_>) -> Result<Option<Event<'b>>, Violation> {
        self.timers.start(now);
        if self.phase == Phase::Open {
            let before = (rx.consumed(), self.incoming.fragments);
            match self.receive(rx, tx) {
                Ok(event) => {
                    self.heard(now, &event, before, rx);
                    return Ok(event);
                }
                Err(violation) => self.phase = Phase::Failing(violation),
            }
        }
        self.wind_up(now, rx, tx)
    }

    fn receive<'b>(&mut self, rx: &mut Rx<'b>, tx: &mut Tx<'_>) -> Result<Option<Event<'b>>, Violation> {
        loop {
            if self.incoming.left == 0 {
                let input = rx.bytes().get(self.spent()..).unwrap_or(&[]);
                let Some(header) = header::parse(input, &self.terms())? else {
                    return self.starve(rx);
                };
                if header.opcode.is_control() {
                    return self.control(header, rx, tx);
                }
                if self.incoming.carried > 0 {
                    if !self.carry_over(header, rx)? {
                        return self.starve(rx);
                    }
                    if self.incoming.left == 0 {
                        continue;
                    }
                    return self.text(rx, self.incoming.carried);
                }
                rx.take(header.len);
                self.begin(header);
                if header.payload == 0 {
                    if !header.fin {
                        continue;
                    }
                    return Ok(Some(self.empty_end(rx)));
                }
            }
            let event = match self.incoming.message {
                Some(Kind::Text) if !self.incoming.compressed => self.text(rx, 0)?,
                _ => self.bytes(rx)?,
            };
            // A text frame can end without an event: all it had left is the start of a code point.
            if event.is_some() || self.incoming.left > 0 {
                return Ok(event);
            }
        }
    }

    fn terms(&self) -> Terms {
        let incoming = &self.incoming;
        Terms {
            masked: !R::MASKS,
            in_message: incoming.message.is_some(),
            compression: self.compression,
            last_fragment: incoming.fragments >= self.rules.max_fragments,
            max_frame: self.rules.max_frame,
            // Of what is compressed, the inflated size counts.
            max_growth: match incoming.message.is_some() && incoming.compressed {
                true => u64::MAX,
                false => self.rules.max_message.saturating_sub(incoming.total),
            },
        }
    }

    /// A data frame's header is consumed.
    pub(super) fn begin(&mut self, header: Header) {
        let incoming = &mut self.incoming;
        let first = match header.opcode {
            Opcode::Text => Some(Kind::Text),
            Opcode::Binary => Some(Kind::Binary),
            _ => None,
        };
        if first.is_some() {
            incoming.message = first;
            incoming.compressed = header.compressed;
        }
        incoming.left = header.payload;
        incoming.key = header.key;
        incoming.fin = header.fin;
        incoming.total = incoming.total.saturating_add(header.payload);
        incoming.fragments += 1;
    }

    /// `n` bytes of payload are consumed; whether the message ends with them.
    pub(super) fn advance(&mut self, n: usize) -> bool {
        let incoming = &mut self.incoming;
        incoming.left -= n as u64;
        incoming.key = mask::rotated(incoming.key, n);
        let end = incoming.fin && incoming.left == 0;
        if end {
            self.end();
        }
        end
    }

    fn end(&mut self) {
        self.incoming.message = None;
        self.incoming.total = 0;
        self.incoming.fragments = 0;
    }

    /// The last frame of a message was empty.
    fn empty_end<'b>(&mut self, rx: &mut Rx<'b>) -> Event<'b> {
        let kind = self.incoming.message;
        self.end();
        match kind {
            Some(Kind::Text) if !self.incoming.compressed => Event::Text { text: Text::from(""), end: true },
            kind => self.piece_of(kind, rx.take(0), true),
        }
    }

    fn piece_of<'b>(&self, kind: Option<Kind>, data: &'b mut [u8], end: bool) -> Event<'b> {
        match kind {
            Some(kind) if self.incoming.compressed => Event::Compressed { kind, data, end },
            _ => Event::Binary { data, end },
        }
    }

    /// A piece of what is not judged here: of a binary message, or of a compressed one.
    fn bytes<'b>(&mut self, rx: &mut Rx<'b>) -> Result<Option<Event<'b>>, Violation> {
        let n = visible(self.incoming.left, rx.bytes().len());
        if n == 0 {
            return self.starve(rx);
        }
        let data = rx.take(n);
        if !R::MASKS {
            mask::apply(self.incoming.key, data);
        }
        let kind = self.incoming.message;
        let end = self.advance(n);
        Ok(Some(self.piece_of(kind, data, end)))
    }

    fn control<'b>(
        &mut self,
        header: Header,
        rx: &mut Rx<'b>,
        tx: &mut Tx<'_>,
    ) -> Result<Option<Event<'b>>, Violation> {
        let len = visible(header.payload, usize::MAX);
        let front = self.spent() + header.len;
        if rx.bytes().len() < front + len {
            return self.starve(rx);
        }
        // The answer must fit before its cause is consumed. §5.5.1: "the endpoint MUST send a Close frame
        // in response"; §5.5.2: "an endpoint MUST send a Pong frame in response".
        let answer = match header.opcode {
            Opcode::Ping if self.rules.auto_pong => Some(len),
            Opcode::Close if !self.close_sent => Some(len.min(2)),
            _ => None,
        };
        if let Some(answer) = answer {
            let needed = header::len(answer as u64, R::MASKS) + answer;
            if tx.room() < needed {
                self.wants = Wants::Output(needed);
                return Ok(None);
            }
        }
        let input = rx.bytes_mut();
        if !R::MASKS {
            mask::apply(header.key, &mut input[front..front + len]);
        }
        if front != header.len {
            // What is spent stays unconsumed: the last byte of this frame in place of the one before it.
            input.copy_within(front..front + len, header.len);
        }
        rx.take(header.len);
        let body: &'b [u8] = rx.take(len);
        match header.opcode {
            Opcode::Ping => {
                if self.rules.auto_pong {
                    let _ = self.frame(Opcode::Pong, true, body, tx);
                }
                Ok(Some(Event::Ping(body)))
            }
            Opcode::Pong => Ok(Some(Event::Pong(body))),
            _ => {
                let (code, reason) = close::parse(body)?;
                if !self.close_sent {
                    // §5.5.1: "When sending a Close frame in response, the endpoint typically echos the status
                    // code it received."
                    let _ = self.frame(Opcode::Close, true, &body[..len.min(2)], tx);
                    self.close_sent = true;
                }
                self.phase = Phase::Closed;
                Ok(Some(Event::Close { code, reason }))
            }
        }
    }

    /// Nothing can be done with the input there is.
    pub(super) fn starve<'b>(&mut self, rx: &Rx<'_>) -> Result<Option<Event<'b>>, Violation> {
        if rx.is_last() {
            return Err(Violation::Eof);
        }
        if rx.is_stuck() {
            return Err(Violation::Limit(Limit::Buffer));
        }
        self.wants = Wants::Input;
        Ok(None)
    }
}

impl Default for Connection<Server> {
    fn default() -> Self {
        Self::server(Config::new())
    }
}

const fn min(a: u64, b: u64) -> u64 {
    if a < b { a } else { b }
}

/// How much of `left` bytes is among `available`.
pub(super) fn visible(left: u64, available: usize) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(available)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_small() {
        assert!(size_of::<Connection<Server>>() <= 216, "{}", size_of::<Connection<Server>>());
        assert!(size_of::<Event<'_>>() <= 32, "{}", size_of::<Event<'_>>());
    }
}
