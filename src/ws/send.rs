//! Sending. Every call writes a whole frame (or a whole header) or nothing.

use super::connection::Sending;
use super::header::{self, Opcode};
use super::role::{Client, Role, Server};
use super::{CloseCode, Connection, Frame, Misuse, mask};
use crate::Entropy;
use crate::bytes::Text;
use crate::io::{Full, SendError, Tx};
use crate::time::Instant;

/// What a message is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// Bytes.
    Binary,
}

impl<R: Role> Connection<R> {
    /// Sends a text message, in one frame or in fragments of [`Config::max_frame_sent`](super::Config::max_frame_sent).
    ///
    /// # Errors
    /// `Full`; `Misuse` after a Close or inside an unfinished message.
    #[inline]
    pub fn send_text<'t>(&mut self, text: impl Into<Text<'t>>, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.data(Sending { kind: Kind::Text, compressed: false }, text.into().as_bytes(), tx)
    }

    /// Sends a binary message, in one frame or in fragments of [`Config::max_frame_sent`](super::Config::max_frame_sent).
    ///
    /// # Errors
    /// `Full`; `Misuse` after a Close or inside an unfinished message.
    #[inline]
    pub fn send_binary(&mut self, data: &[u8], tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.data(Sending { kind: Kind::Binary, compressed: false }, data, tx)
    }

    /// Sends a message that is compressed already (RFC 7692 §7.2.1: the DEFLATE data without its last four bytes), like
    /// [`send_binary`](Self::send_binary).
    ///
    /// # Errors
    /// `Full`; `Misuse` after a Close, inside an unfinished message, or without [`Config::compression`](super::Config::compression).
    pub fn send_compressed(&mut self, kind: Kind, data: &[u8], tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.check_compression()?;
        self.data(Sending { kind, compressed: true }, data, tx)
    }

    /// Sends a message that was encoded before, as one frame. A client masks its copy with a key of its own.
    ///
    /// # Errors
    /// `Full`; `Misuse` after a Close, inside an unfinished message, or for a compressed frame without
    /// [`Config::compression`](super::Config::compression).
    pub fn send_frame(&mut self, frame: Frame<'_>, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.check_frame(frame)?;
        match R::MASKS {
            true => Ok(self.write(frame.first(), frame.payload(), tx)?),
            false => Ok(tx.put(frame.as_bytes())?),
        }
    }

    /// Sends a piece of a text message as a frame of its own (§5.4); `end` with the last one.
    /// Pings, pongs and a Close may be sent between the pieces.
    ///
    /// # Errors
    /// `Full`: up to 10 bytes more than the piece are needed, 14 by a client; `Misuse` after a Close or inside an unfinished
    /// binary message.
    pub fn send_text_piece<'t>(
        &mut self,
        text: impl Into<Text<'t>>,
        end: bool,
        tx: &mut Tx<'_>,
    ) -> Result<(), SendError<Misuse>> {
        self.piece(Sending { kind: Kind::Text, compressed: false }, text.into().as_bytes(), end, tx)
    }

    /// Sends a piece of a binary message as a frame of its own (§5.4); `end` with the last one.
    /// Pings, pongs and a Close may be sent between the pieces.
    ///
    /// # Errors
    /// `Full`: up to 10 bytes more than the piece are needed, 14 by a client; `Misuse` after a Close or inside an unfinished
    /// text message.
    pub fn send_binary_piece(&mut self, data: &[u8], end: bool, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.piece(Sending { kind: Kind::Binary, compressed: false }, data, end, tx)
    }

    /// Sends a piece of a message that is compressed already, as a frame of its own; `end` with the last one.
    ///
    /// # Errors
    /// `Full`; `Misuse` after a Close, inside another message, or without [`Config::compression`](super::Config::compression).
    pub fn send_compressed_piece(
        &mut self,
        kind: Kind,
        data: &[u8],
        end: bool,
        tx: &mut Tx<'_>,
    ) -> Result<(), SendError<Misuse>> {
        self.check_compression()?;
        self.piece(Sending { kind, compressed: true }, data, end, tx)
    }

    /// Sends a ping of at most 125 bytes.
    ///
    /// # Errors
    /// `Full`; `Misuse` after a Close or for more bytes.
    pub fn send_ping(&mut self, data: &[u8], tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.ping_or_pong(Opcode::Ping, data, tx)
    }

    /// Sends a pong of at most 125 bytes: an answer when `Config::auto_pong` is off, or unasked (§5.5.3).
    ///
    /// # Errors
    /// `Full`; `Misuse` after a Close or for more bytes.
    pub fn send_pong(&mut self, data: &[u8], tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.ping_or_pong(Opcode::Pong, data, tx)
    }

    /// Starts the close handshake (§7.1.2), with a reason of at most 123 bytes. Messages are received until
    /// the peer's Close comes, or `Config::close_timeout` is over. Where the connection [closes](Self::is_closing) already, this
    /// does nothing.
    ///
    /// # Errors
    /// `Full`; `Misuse` for a longer reason.
    pub fn close(
        &mut self,
        now: Instant,
        code: CloseCode,
        reason: &str,
        tx: &mut Tx<'_>,
    ) -> Result<(), SendError<Misuse>> {
        if reason.len() > 123 {
            return Err(Misuse::ReasonLength.into());
        }
        if self.is_closing() {
            return Ok(());
        }
        Ok(self.send_close(now, code, reason, tx)?)
    }

    /// `reason` has at most 123 bytes.
    pub(super) fn send_close(
        &mut self,
        now: Instant,
        code: CloseCode,
        reason: &str,
        tx: &mut Tx<'_>,
    ) -> Result<(), Full> {
        let mut body = [0; 125];
        let len = 2 + reason.len();
        body[..2].copy_from_slice(&code.code().to_be_bytes());
        body[2..len].copy_from_slice(reason.as_bytes());
        self.frame(Opcode::Close, true, &body[..len], tx)?;
        self.close_sent = true;
        self.timers.closing(now);
        Ok(())
    }

    // This and what it comes to are inlined always: a call or two cost as much as the rest of a short frame.
    #[inline(always)]
    fn data(&mut self, message: Sending, data: &[u8], tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.check_whole()?;
        let (opcode, compressed) = (message.kind.opcode(), message.compressed);
        if data.len() > self.rules.max_frame_sent {
            return Ok(self.fragments(opcode, compressed, data, tx)?);
        }
        Ok(self.write(header::first_byte(opcode, true, compressed), data, tx)?)
    }

    /// All fragments of a message, or none.
    #[inline(never)]
    fn fragments(&mut self, opcode: Opcode, compressed: bool, data: &[u8], tx: &mut Tx<'_>) -> Result<(), Full> {
        let pieces = || data.chunks(self.rules.max_frame_sent);
        let needed = pieces().map(|piece| header::len(piece.len() as u64, R::MASKS) + piece.len()).sum();
        if tx.room() < needed {
            return Err(Full { needed });
        }
        let mut first = header::first_byte(opcode, false, compressed);
        let last = pieces().count() - 1;
        for (n, piece) in data.chunks(self.rules.max_frame_sent).enumerate() {
            self.write(
                if n < last { first } else { header::first_byte(Opcode::Continuation, true, false) },
                piece,
                tx,
            )?;
            first = header::first_byte(Opcode::Continuation, false, false);
        }
        Ok(())
    }

    fn piece(&mut self, message: Sending, data: &[u8], end: bool, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        let first = self.next_first_byte(message, end)?;
        self.write(first, data, tx)?;
        self.sending = if end { None } else { Some(message) };
        Ok(())
    }

    fn ping_or_pong(&mut self, opcode: Opcode, data: &[u8], tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.check_open()?;
        if data.len() > 125 {
            return Err(Misuse::ControlLength.into());
        }
        Ok(self.frame(opcode, true, data, tx)?)
    }

    /// §5.4: the first frame of a message names its type, the others continue it.
    #[inline]
    fn next_first_byte(&self, message: Sending, end: bool) -> Result<u8, SendError<Misuse>> {
        self.check_open()?;
        match self.sending {
            None => Ok(header::first_byte(message.kind.opcode(), end, message.compressed)),
            Some(sending) if sending == message => Ok(header::first_byte(Opcode::Continuation, end, false)),
            Some(_) => Err(Misuse::Interleaved.into()),
        }
    }

    #[inline]
    pub(super) fn check_whole(&self) -> Result<(), SendError<Misuse>> {
        self.check_open()?;
        if self.sending.is_some() { Err(Misuse::Interleaved.into()) } else { Ok(()) }
    }

    #[inline]
    fn check_frame(&self, frame: Frame<'_>) -> Result<(), SendError<Misuse>> {
        self.check_whole()?;
        if frame.is_compressed() { self.check_compression() } else { Ok(()) }
    }

    fn check_compression(&self) -> Result<(), SendError<Misuse>> {
        if self.compression { Ok(()) } else { Err(Misuse::Compression.into()) }
    }

    /// §5.5.1: "The application MUST NOT send any more data frames after sending a Close frame."
    #[inline]
    const fn check_open(&self) -> Result<(), SendError<Misuse>> {
        if self.is_closing() { Err(SendError::Misuse(Misuse::Closed)) } else { Ok(()) }
    }

    /// A whole frame.
    pub(super) fn frame(&mut self, opcode: Opcode, fin: bool, data: &[u8], tx: &mut Tx<'_>) -> Result<(), Full> {
        self.write(header::first_byte(opcode, fin, false), data, tx)
    }

    #[inline(always)]
    fn write(&mut self, first: u8, data: &[u8], tx: &mut Tx<'_>) -> Result<(), Full> {
        self.head(first, data.len() as u64, data, tx).map(|_| ())
    }

    /// The header of a data frame whose payload the caller sends.
    #[inline]
    fn prefix(&mut self, kind: Kind, len: u64, end: bool, tx: &mut Tx<'_>) -> Result<[u8; 4], SendError<Misuse>> {
        let message = Sending { kind, compressed: false };
        let first = self.next_first_byte(message, end)?;
        if len >> 63 != 0 {
            return Err(Misuse::LengthRange.into());
        }
        let key = self.head(first, len, &[], tx)?;
        self.sending = if end { None } else { Some(message) };
        Ok(key)
    }

    /// A header that announces `len` bytes, and `data` behind it; the key.
    #[inline(always)]
    fn head(&mut self, first: u8, len: u64, data: &[u8], tx: &mut Tx<'_>) -> Result<[u8; 4], Full> {
        // Each form of the header on its own: so its length is known, and it is written from registers.
        match header::encode(first, R::MASKS, len) {
            (head, 2) => self.put::<2, 6>(head, data, tx),
            (head, 4) => self.put::<4, 8>(head, data, tx),
            (head, _) => self.put::<10, 14>(head, data, tx),
        }
    }

    #[inline(always)]
    fn put<const PLAIN: usize, const KEYED: usize>(
        &mut self,
        head: u128,
        data: &[u8],
        tx: &mut Tx<'_>,
    ) -> Result<[u8; 4], Full> {
        if !R::MASKS {
            return tx.put_both(&front::<PLAIN>(head), data).map(|_| [0; 4]);
        }
        // The key is asked for once it is sure to be used.
        let space = tx.reserve(KEYED + data.len())?;
        let key = self.role.mask_key();
        let head = head | u128::from(u32::from_le_bytes(key)) << (8 * PLAIN);
        let (start, rest) = space.split_at_mut(KEYED);
        start.copy_from_slice(&front::<KEYED>(head));
        mask::copy(key, data, rest);
        Ok(key)
    }
}

#[inline]
pub(super) fn front<const N: usize>(head: u128) -> [u8; N] {
    *head.to_le_bytes().first_chunk().expect("a header has at most 14 bytes")
}

impl Connection<Server> {
    /// As [`send_frame`](Self::send_frame), without a copy: the bytes to be written from where they lie, behind what is in `tx`
    /// and before anything else (writev, or a queue of what is shared).
    ///
    /// # Errors
    /// Those of `send_frame`, but `Full`.
    #[inline]
    pub fn send_frame_in_place<'f>(&mut self, frame: Frame<'f>) -> Result<&'f [u8], SendError<Misuse>> {
        self.check_frame(frame)?;
        Ok(frame.as_bytes())
    }

    /// Writes only the header of a data frame with a payload of `len` bytes, for callers that send the payload
    /// themselves, from where it lies (writev, sendfile). Exactly `len` bytes must follow what is in `tx` before anything
    /// else does; those of a text message are UTF-8.
    ///
    /// # Errors
    /// `Full`; `Misuse` after a Close, inside an unfinished message of the other kind, or for a `len` of 2^63 or more.
    #[inline]
    pub fn send_prefix(&mut self, kind: Kind, len: u64, end: bool, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.prefix(kind, len, end, tx).map(|_| ())
    }
}

impl<E: Entropy> Connection<Client<E>> {
    /// Writes only the header of a data frame and masks `payload` where it lies, for callers that send it from there
    /// (writev). It must follow what is in `tx` before anything else does; that of a text message is UTF-8.
    ///
    /// # Errors
    /// `Full`, or `Misuse` after a Close or inside an unfinished message of the other kind: then nothing is masked.
    pub fn send_prefix(
        &mut self,
        kind: Kind,
        payload: &mut [u8],
        end: bool,
        tx: &mut Tx<'_>,
    ) -> Result<(), SendError<Misuse>> {
        let key = self.prefix(kind, payload.len() as u64, end, tx)?;
        mask::apply(key, payload);
        Ok(())
    }
}

impl Kind {
    pub(super) const fn opcode(self) -> Opcode {
        match self {
            Self::Text => Opcode::Text,
            Self::Binary => Opcode::Binary,
        }
    }
}
