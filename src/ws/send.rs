//! Sending. Every call writes a whole frame (or a whole header) or nothing.

use super::connection::CLOSE;
use super::header::{self, Opcode};
use super::role::{Role, Server};
use super::{CloseCode, Connection, Misuse, mask};
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
    /// Sends a text message in one frame.
    ///
    /// # Errors
    /// `Full`; `Misuse` after a Close or inside an unfinished message.
    #[inline]
    pub fn send_text<'t>(&mut self, text: impl Into<Text<'t>>, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.data(Kind::Text, text.into().as_bytes(), tx)
    }

    /// Sends a binary message in one frame.
    ///
    /// # Errors
    /// `Full`; `Misuse` after a Close or inside an unfinished message.
    #[inline]
    pub fn send_binary(&mut self, data: &[u8], tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.data(Kind::Binary, data, tx)
    }

    /// Sends a piece of a text message as a frame of its own (§5.4); `end` with the last one.
    /// Pings, pongs and a Close may be sent between the pieces.
    ///
    /// # Errors
    /// `Full`; `Misuse` after a Close or inside an unfinished binary message.
    pub fn send_text_piece<'t>(
        &mut self,
        text: impl Into<Text<'t>>,
        end: bool,
        tx: &mut Tx<'_>,
    ) -> Result<(), SendError<Misuse>> {
        self.piece(Kind::Text, text.into().as_bytes(), end, tx)
    }

    /// Sends a piece of a binary message as a frame of its own (§5.4); `end` with the last one.
    /// Pings, pongs and a Close may be sent between the pieces.
    ///
    /// # Errors
    /// `Full`; `Misuse` after a Close or inside an unfinished text message.
    pub fn send_binary_piece(&mut self, data: &[u8], end: bool, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.piece(Kind::Binary, data, end, tx)
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
    /// the peer's Close comes, or `Config::close_timeout` is over.
    ///
    /// # Errors
    /// `Full`; `Misuse` after a Close or for a longer reason.
    pub fn close(
        &mut self,
        now: Instant,
        code: CloseCode,
        reason: &str,
        tx: &mut Tx<'_>,
    ) -> Result<(), SendError<Misuse>> {
        self.check_open()?;
        let mut body = [0; 125];
        let [code_high, code_low, space @ ..] = &mut body;
        let Some(space) = space.get_mut(..reason.len()) else { return Err(Misuse::ReasonLength.into()) };
        [*code_high, *code_low] = code.code().to_be_bytes();
        space.copy_from_slice(reason.as_bytes());
        self.frame(Opcode::Close, true, &body[..2 + reason.len()], tx)?;
        self.close_sent = true;
        self.deadlines.set(CLOSE, now, self.config.close_timeout);
        Ok(())
    }

    #[inline]
    fn data(&mut self, kind: Kind, data: &[u8], tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        self.check_open()?;
        if self.sending.is_some() {
            return Err(Misuse::Interleaved.into());
        }
        Ok(self.frame(kind.opcode(), true, data, tx)?)
    }

    fn piece(&mut self, kind: Kind, data: &[u8], end: bool, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        let opcode = self.next_opcode(kind)?;
        self.frame(opcode, end, data, tx)?;
        self.sending = if end { None } else { Some(kind) };
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
    fn next_opcode(&self, kind: Kind) -> Result<Opcode, SendError<Misuse>> {
        self.check_open()?;
        match self.sending {
            None => Ok(kind.opcode()),
            Some(sending) if sending == kind => Ok(Opcode::Continuation),
            Some(_) => Err(Misuse::Interleaved.into()),
        }
    }

    /// §5.5.1: "The application MUST NOT send any more data frames after sending a Close frame."
    #[inline]
    const fn check_open(&self) -> Result<(), SendError<Misuse>> {
        if self.is_closing() { Err(SendError::Misuse(Misuse::Closed)) } else { Ok(()) }
    }

    /// A whole frame.
    #[inline]
    pub(super) fn frame(&mut self, opcode: Opcode, fin: bool, data: &[u8], tx: &mut Tx<'_>) -> Result<(), Full> {
        // Each form of the header on its own: so its length is known, and it is written from registers.
        match header::encode(opcode, fin, R::MASKS, data.len() as u64) {
            (head, 2) => self.put::<2, 6>(head, data, tx),
            (head, 4) => self.put::<4, 8>(head, data, tx),
            (head, _) => self.put::<10, 14>(head, data, tx),
        }
    }

    #[inline]
    fn put<const PLAIN: usize, const KEYED: usize>(
        &mut self,
        head: u128,
        payload: &[u8],
        tx: &mut Tx<'_>,
    ) -> Result<(), Full> {
        if !R::MASKS {
            return tx.put_both(&front::<PLAIN>(head), payload).map(|_| ());
        }
        let needed = KEYED + payload.len();
        if tx.room() < needed {
            return Err(Full { needed });
        }
        let key = self.role.mask_key();
        let head = head | u128::from(u32::from_le_bytes(key)) << (8 * PLAIN);
        mask::apply(key, tx.put_both(&front::<KEYED>(head), payload)?);
        Ok(())
    }
}

#[inline]
fn front<const N: usize>(head: u128) -> [u8; N] {
    *head.to_le_bytes().first_chunk().expect("a header has at most 14 bytes")
}

impl Connection<Server> {
    /// Writes only the header of a data frame with a payload of `len` bytes, for callers that send the payload
    /// themselves, from where it lies (writev, sendfile). Exactly `len` bytes must follow what is in `tx` before anything
    /// else does; those of a text message are UTF-8.
    ///
    /// # Errors
    /// `Full`; `Misuse` after a Close, inside an unfinished message of the other kind, or for 2^63 bytes.
    #[inline]
    pub fn send_prefix(&mut self, kind: Kind, len: u64, end: bool, tx: &mut Tx<'_>) -> Result<(), SendError<Misuse>> {
        let opcode = self.next_opcode(kind)?;
        if len >> 63 != 0 {
            return Err(Misuse::LengthRange.into());
        }
        match header::encode(opcode, end, false, len) {
            (head, 2) => tx.put(&front::<2>(head))?,
            (head, 4) => tx.put(&front::<4>(head))?,
            (head, _) => tx.put(&front::<10>(head))?,
        }
        self.sending = if end { None } else { Some(kind) };
        Ok(())
    }
}

impl Kind {
    const fn opcode(self) -> Opcode {
        match self {
            Self::Text => Opcode::Text,
            Self::Binary => Opcode::Binary,
        }
    }
}
