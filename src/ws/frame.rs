//! Messages encoded once, to be sent to many.

use super::Kind;
use super::header;
use super::send::front;
use crate::bytes::Text;
use crate::io::{Full, Tx};

/// A whole message in one unmasked frame.
///
/// A server sends the same bytes to everyone, with [`send_frame`](super::Connection::send_frame) or, without a copy,
/// [`as_bytes`](Self::as_bytes). The frames of clients cannot be alike, for each has a mask key of its own (§5.3): there
/// the payload is masked while it is copied.
///
/// ```
/// # use hopwire::{io::Tx, ws};
/// let mut space = [0; 16];
/// let frame = ws::Frame::text("Hello", &mut space)?;
/// assert_eq!(frame.as_bytes(), b"\x81\x05Hello");
/// let mut out = [0; 64];
/// let mut tx = Tx::new(&mut out);
/// for conn in &mut [ws::Connection::default(), ws::Connection::default()] {
///     conn.send_frame(frame, &mut tx)?;
/// }
/// assert_eq!(tx.written(), b"\x81\x05Hello\x81\x05Hello");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'f> {
    bytes: &'f [u8],
    /// Length of the header.
    front: usize,
}

impl<'f> Frame<'f> {
    /// Encodes a text message into the start of `space`.
    ///
    /// # Errors
    /// `Full`: up to 10 bytes more than the payload are needed.
    pub fn text<'t>(text: impl Into<Text<'t>>, space: &'f mut [u8]) -> Result<Self, Full> {
        Self::encode(Kind::Text, false, text.into().as_bytes(), space)
    }

    /// Encodes a binary message into the start of `space`.
    ///
    /// # Errors
    /// `Full`: up to 10 bytes more than the payload are needed.
    pub fn binary(data: &[u8], space: &'f mut [u8]) -> Result<Self, Full> {
        Self::encode(Kind::Binary, false, data, space)
    }

    /// Encodes a message that is compressed already into the start of `space`. To be understood by everyone it must not
    /// refer to what was sent before, and keep to the smallest window anyone negotiated. (Who keeps a context of its own
    /// while it compresses must forget it then: the other side's has moved on.)
    ///
    /// # Errors
    /// `Full`: up to 10 bytes more than the payload are needed.
    pub fn compressed(kind: Kind, data: &[u8], space: &'f mut [u8]) -> Result<Self, Full> {
        Self::encode(kind, true, data, space)
    }

    fn encode(kind: Kind, compressed: bool, payload: &[u8], space: &'f mut [u8]) -> Result<Self, Full> {
        let mut tx = Tx::new(space);
        let front = write(kind, compressed, payload, &mut tx)?;
        let len = tx.len();
        Ok(Self { bytes: &space[..len], front })
    }

    /// What [`write()`] wrote.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(super) const fn written(bytes: &'f [u8], front: usize) -> Self {
        Self { bytes, front }
    }

    /// The frame, as a server sends it.
    pub const fn as_bytes(self) -> &'f [u8] {
        self.bytes
    }

    /// Whether it may only be sent where compression was negotiated.
    #[inline]
    pub fn is_compressed(self) -> bool {
        self.first() & header::RSV1 != 0
    }

    pub(super) fn first(self) -> u8 {
        self.bytes.first().copied().unwrap_or(0)
    }

    pub(super) fn payload(self) -> &'f [u8] {
        &self.bytes[self.front..]
    }
}

/// Writes a whole frame: the length of its header.
pub(super) fn write(kind: Kind, compressed: bool, payload: &[u8], tx: &mut Tx<'_>) -> Result<usize, Full> {
    let first = header::first_byte(kind.opcode(), true, compressed);
    let (head, len) = header::encode(first, false, payload.len() as u64);
    tx.put_both(&front::<10>(head)[..len], payload)?;
    Ok(len)
}
