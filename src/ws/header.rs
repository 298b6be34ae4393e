//! The frame header (§5.2): judged as soon as each of its bytes is there, payload or not.
//!
//! ```text
//! FIN RSV1-3 opcode(4) | MASK length(7) | [ length(16) / length(64) ] | [ masking-key(32) ]
//! ```

use super::{Limit, Violation};

/// A frame header that broke no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) fin: bool,
    /// Whether the frame starts a compressed message.
    pub(super) compressed: bool,
    pub(super) opcode: Opcode,
    /// Zero when the frame is not masked.
    pub(super) key: [u8; 4],
    /// Length of the payload.
    pub(super) payload: u64,
    /// Length of the header itself.
    pub(super) len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// The header of a message in one frame of less than 64 KiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole {
    /// Or binary.
    pub(super) text: bool,
    pub(super) key: [u8; 4],
    /// Length of the header.
    pub(super) front: usize,
    /// Length of the payload.
    pub(super) len: usize,
}

/// What a header is judged against besides itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// Whether frames must be masked, or must not be.
    pub(super) masked: bool,
    /// Whether a message is unfinished.
    pub(super) in_message: bool,
    /// Whether permessage-deflate was negotiated.
    pub(super) compression: bool,
    /// Whether the message has as many fragments as it may have.
    pub(super) last_fragment: bool,
    /// The longest data payload a frame may have.
    pub(super) max_frame: u64,
    /// How much the message may still grow.
    pub(super) max_growth: u64,
}

impl Opcode {
    const fn new(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    pub(super) const fn is_control(self) -> bool {
        self as u8 & 8 != 0
    }
}

/// The header at the start of `bytes`; `None` while it is incomplete and nothing is wrong yet.
#[inline]
pub(super) fn parse(bytes: &[u8], terms: &Terms) -> Result<Option<Header>, Violation> {
    let Some((&b0, rest)) = bytes.split_first() else { return Ok(None) };
    let (opcode, compressed) = first(b0, terms)?;
    let Some((&b1, rest)) = rest.split_first() else { return Ok(None) };
    if (b1 & MASK != 0) != terms.masked {
        // §5.1: "The server MUST close the connection upon receiving a frame that is not masked."
        // "A client MUST close a connection if it detects a masked frame."
        return Err(if terms.masked { Violation::Unmasked } else { Violation::Masked });
    }
    let short = b1 & !MASK;
    if opcode.is_control() {
        // §5.5: "All control frames MUST have a payload length of 125 bytes or less".
        if short > 125 {
            return Err(Violation::ControlLength);
        }
        if opcode == Opcode::Close && short == 1 {
            return Err(Violation::CloseLength);
        }
    }
    let (payload, rest) = match short {
        0..=125 => (u64::from(short), rest),
        126 => {
            let Some((&len, rest)) = rest.split_first_chunk() else { return Ok(None) };
            (extended(u64::from(u16::from_be_bytes(len)), 125)?, rest)
        }
        _ => {
            // §5.2: "the most significant bit MUST be 0".
            if rest.first().is_some_and(|&b| b & 0x80 != 0) {
                return Err(Violation::LengthRange);
            }
            let Some((&len, rest)) = rest.split_first_chunk() else { return Ok(None) };
            (extended(u64::from_be_bytes(len), 0xffff)?, rest)
        }
    };
    if !opcode.is_control() {
        if payload > terms.max_frame {
            return Err(Violation::Limit(Limit::Frame));
        }
        if payload > terms.max_growth && !compressed {
            return Err(Violation::Limit(Limit::Message));
        }
    }
    let (key, rest) = if terms.masked {
        let Some((&key, rest)) = rest.split_first_chunk() else { return Ok(None) };
        (key, rest)
    } else {
        ([0; 4], rest)
    };
    let len = bytes.len() - rest.len();
    Ok(Some(Header { fin: b0 & FIN != 0, compressed, opcode, key, payload, len }))
}

/// The most usual headers, fast: `None` for others, whole or not, right or wrong.
#[inline]
pub(super) fn whole(bytes: &[u8], masked: bool) -> Option<Whole> {
    let (&[b0, b1], rest) = bytes.split_first_chunk()?;
    let text = match b0 {
        0x81 => true,
        0x82 => false,
        _ => return None,
    };
    // One comparison for the mask bit, too: if it is wrong, this is 128 or more.
    let short = if masked { b1 ^ MASK } else { b1 };
    let key_len = if masked { 4 } else { 0 };
    let (len, front, rest) = match short {
        0..=125 => (usize::from(short), 2 + key_len, rest),
        126 => {
            let (&len, rest) = rest.split_first_chunk()?;
            let len = u16::from_be_bytes(len);
            if len <= 125 {
                return None;
            }
            (usize::from(len), 4 + key_len, rest)
        }
        _ => return None,
    };
    let key = if masked { *rest.first_chunk()? } else { [0; 4] };
    Some(Whole { text, key, front, len })
}

/// The opcode, and whether a compressed message starts.
fn first(b0: u8, terms: &Terms) -> Result<(Opcode, bool), Violation> {
    let opcode = Opcode::new(b0 & 0x0f);
    // RFC 7692 §6: RSV1 on the first frame of a data message says that the message is compressed.
    let starts = matches!(opcode, Some(Opcode::Text | Opcode::Binary));
    let compressed = b0 & RSV == RSV1 && terms.compression && starts;
    // §5.2: "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values."
    if b0 & RSV != 0 && !compressed {
        return Err(Violation::ReservedBit);
    }
    // §5.2: "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_."
    let opcode = opcode.ok_or(Violation::Opcode)?;
    match opcode {
        // §5.5: control frames "MUST NOT be fragmented".
        _ if opcode.is_control() => {
            if b0 & FIN == 0 {
                return Err(Violation::ControlFragment);
            }
        }
        // §5.4: a message is one frame, or a first one and continuations; "fragments of one message
        // MUST NOT be interleaved between the fragments of another message".
        Opcode::Continuation => {
            if !terms.in_message {
                return Err(Violation::Continuation);
            }
            if terms.last_fragment {
                return Err(Violation::Limit(Limit::Fragments));
            }
        }
        _ => {
            if terms.in_message {
                return Err(Violation::Interleaved);
            }
        }
    }
    Ok((opcode, compressed))
}

/// §5.2: "the minimal number of bytes MUST be used to encode the length".
const fn extended(len: u64, shorter: u64) -> Result<u64, Violation> {
    if len > shorter { Ok(len) } else { Err(Violation::LengthForm) }
}

/// Length of the header of a frame to be sent.
pub(super) const fn len(payload: u64, masks: bool) -> usize {
    let base = match payload {
        0..=125 => 2,
        126..=0xffff => 4,
        _ => 10,
    };
    if masks { base + 4 } else { base }
}

/// The first byte of a header.
#[inline]
pub(super) const fn first_byte(opcode: Opcode, fin: bool, compressed: bool) -> u8 {
    opcode as u8 | if fin { FIN } else { 0 } | if compressed { RSV1 } else { 0 }
}

/// A header, but for the masking key, and its length. The bytes are those of the number, the lowest first.
#[inline]
pub(super) fn encode(first: u8, masks: bool, payload: u64) -> (u128, usize) {
    let first = u128::from(first);
    let mask = if masks { u128::from(MASK) } else { 0 };
    match (u8::try_from(payload), u16::try_from(payload)) {
        (Ok(len @ 0..=125), _) => (first | (mask | u128::from(len)) << 8, 2),
        (_, Ok(len)) => (first | (mask | 126) << 8 | u128::from(len.swap_bytes()) << 16, 4),
        _ => (first | (mask | 127) << 8 | u128::from(payload.swap_bytes()) << 16, 10),
    }
}

const FIN: u8 = 0x80;
const RSV: u8 = 0x70;
pub(super) const RSV1: u8 = 0x40;
const MASK: u8 = 0x80;
