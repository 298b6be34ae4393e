//! A message encoded once, in each shape that can be sent to many.

use alloc::vec::Vec;

use super::deflate::fair;
use super::{Config, Frame, Kind, Shared, frame};
use crate::bytes::Text;
use crate::io::Tx;

/// A message to be sent to many: its frame, and its frame compressed without context, if it was
/// [compressed](Self::compressed). Each [`Session`](super::Session) sends the one it negotiated.
///
/// To share it between threads, put it into an `Arc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    kind: Kind,
    plain: Shape,
    compressed: Option<Shape>,
    /// The compressed one refers back at most `2^n` bytes, 8 to 15.
    window_bits: u8,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Shape {
    bytes: Vec<u8>,
    /// Length of the header.
    front: usize,
}

impl Prepared {
    /// A text message.
    pub fn text<'t>(text: impl Into<Text<'t>>) -> Self {
        Self::new(Kind::Text, text.into().as_bytes())
    }

    /// A binary message.
    pub fn binary(data: &[u8]) -> Self {
        Self::new(Kind::Binary, data)
    }

    /// The same, compressed for those who understand it, unless that makes it no smaller, or so much smaller that it would pass
    /// for a bomb ([`Config::MAX_RATIO`]).
    #[must_use]
    pub fn compressed(mut self, shared: &mut Shared) -> Self {
        let len = self.payload().len();
        let packed = shared.pack(self.kind, self.payload());
        let is_sent = packed.len() < len && len as u64 <= fair(packed.len() as u64, Config::MAX_RATIO);
        self.compressed = is_sent.then(|| Shape::new(self.kind, true, packed));
        shared.release();
        self
    }

    /// The frame that goes to a connection: where compression was negotiated with a window of `2^n` bytes, 8 to 15, the compressed
    /// one, if there is one and it fits.
    #[inline]
    pub fn frame_for(&self, window_bits: Option<u8>) -> Frame<'_> {
        match (&self.compressed, window_bits) {
            (Some(compressed), Some(bits)) if bits >= self.window_bits => compressed.frame(),
            _ => self.plain.frame(),
        }
    }

    pub(super) fn payload(&self) -> &[u8] {
        self.plain.frame().payload()
    }

    fn new(kind: Kind, payload: &[u8]) -> Self {
        // Without context no match is farther back than the message is long.
        let window_bits = (8..15).find(|bits| payload.len() >> bits == 0).unwrap_or(15);
        Self { kind, plain: Shape::new(kind, false, payload), compressed: None, window_bits }
    }
}

impl Shape {
    fn new(kind: Kind, compressed: bool, payload: &[u8]) -> Self {
        let mut bytes = Vec::new();
        let front = frame::write(kind, compressed, payload, &mut Tx::growing(&mut bytes, usize::MAX))
            .expect("memory is the only limit");
        Self { bytes, front }
    }

    #[inline]
    fn frame(&self) -> Frame<'_> {
        Frame::written(&self.bytes, self.front)
    }
}
