//! Receiving text: judged byte by byte (§8.1), delivered in whole code points.
//!
//! A code point may straddle two frames, with a header between its bytes. Its first bytes are then
//! carried in the engine, and written over the end of that (consumed) header, in front of the payload:
//! the next piece of text is contiguous. Up to 3 bytes are carried. A masked header has at least 6, but an
//! unmasked one may have 2; so the client's end leaves one byte it is done with unconsumed in front of it.

use super::header::Header;
use super::role::Role;
use super::{Connection, Event, Violation, connection::visible, mask};
use crate::bytes::{Text, utf8};
use crate::io::Rx;

impl<R: Role> Connection<R> {
    /// The next piece of text. The first `carried` bytes of `rx` are a carried start of a code point.
    pub(super) fn text<'b>(&mut self, rx: &mut Rx<'b>, carried: usize) -> Result<Option<Event<'b>>, Violation> {
        let input = rx.bytes_mut();
        let n = visible(self.incoming.left, input.len() - carried);
        if n == 0 {
            return self.starve(rx);
        }
        let whole = n as u64 == self.incoming.left;
        let (fin, key) = (self.incoming.fin, self.incoming.key);
        let piece = &mut input[..carried + n];
        let judged = judge::<R>(key, piece, carried);
        let Judged { valid, seen, well_formed } = judged;
        let cut = &mut piece[valid..seen];
        let mut carry = 0;
        if !cut.is_empty() {
            if well_formed && whole && !fin {
                // A code point goes on in the next frame.
                carry = cut.len();
                self.incoming.carry[..carry].copy_from_slice(cut);
            } else {
                if !R::MASKS {
                    mask::apply(mask::rotated(key, valid - carried), cut);
                }
                if valid == 0 {
                    // §8.1: text that is not UTF-8 fails the connection, at the first byte that shows it.
                    return if well_formed && !whole { self.starve(rx) } else { Err(Violation::Utf8) };
                }
            }
        }
        let text = rx.take(valid);
        self.incoming.carried = carry;
        rx.take(carry - self.spent());
        let end = self.advance(valid - carried + carry);
        if valid == 0 {
            return Ok(None);
        }
        Ok(Some(Event::Text { text: Text::from_validated(text), end }))
    }

    /// Bytes in front of the next header that are done with. An unmasked header may have 2 bytes only, too few
    /// to write 3 carried ones over.
    pub(super) const fn spent(&self) -> usize {
        if R::MASKS && self.incoming.carried == 3 { 1 } else { 0 }
    }

    /// Brings the carried bytes of a code point together with the rest of it in the frame of `header`.
    ///
    /// `false`: more input is needed. Otherwise the header is consumed; the carried bytes are in front of
    /// the payload, or (`left` is 0) the frame is consumed too, and they are still carried.
    pub(super) fn carry_over(&mut self, header: Header, rx: &mut Rx<'_>) -> Result<bool, Violation> {
        let carried = self.incoming.carried;
        let front = self.spent() + header.len;
        let payload = rx.bytes().get(front..).unwrap_or(&[]);
        let n = visible(header.payload, payload.len());
        // At most 3 bytes of payload are needed.
        let mut code_point = [0; 6];
        let joined = (carried + n).min(code_point.len());
        code_point[..carried].copy_from_slice(&self.incoming.carry[..carried]);
        for ((to, from), key) in code_point[carried..joined].iter_mut().zip(payload).zip(header.key) {
            *to = from ^ key;
        }
        let whole = n as u64 == header.payload;
        match utf8::check(&code_point[..joined]) {
            Err(0) => return Err(Violation::Utf8),
            Ok(0) if !whole => return Ok(false),
            Ok(0) if header.fin => return Err(Violation::Utf8),
            Ok(0) => {
                // Still unfinished, and so is the message.
                self.begin(header);
                self.incoming.left = 0;
                self.incoming.carry.copy_from_slice(&code_point[..3]);
                self.incoming.carried = joined;
                rx.take(front + n - self.spent());
            }
            _ => {
                self.begin(header);
                rx.take(front - carried);
                rx.bytes_mut()[..carried].copy_from_slice(&code_point[..carried]);
            }
        }
        Ok(true)
    }
}

/// How far a piece of text was looked at.
struct Judged {
    /// Length of the whole code points at the front.
    valid: usize,
    /// How many bytes are unmasked and judged.
    seen: usize,
    /// Whether the bytes between the two can still become a code point.
    well_formed: bool,
}

/// Unmasks and judges `piece` up to the first fault. Its first `plain` bytes (the start of a code point) are not masked.
fn judge<R: Role>(key: [u8; 4], piece: &mut [u8], plain: usize) -> Judged {
    let (mut valid, mut seen) = (0, plain);
    while seen < piece.len() {
        let end = piece.len().min(seen + BLOCK);
        let block = &mut piece[seen..end];
        let ascii = if R::MASKS { block.is_ascii() } else { mask::apply(mask::rotated(key, seen - plain), block) };
        if ascii && valid == seen {
            (valid, seen) = (end, end);
            continue;
        }
        seen = end;
        match utf8::check(&piece[valid..seen]) {
            Ok(n) => valid += n,
            Err(n) => return Judged { valid: valid + n, seen, well_formed: false },
        }
    }
    Judged { valid, seen, well_formed: true }
}

#[inline(never)]
pub(super) fn is_utf8(data: &[u8]) -> bool {
    utf8::check(data) == Ok(data.len())
}

/// Text is unmasked and judged in blocks: the second pass that other than ASCII needs finds them in the
/// cache, and a fault is found before all that follows it is unmasked.
pub(super) const BLOCK: usize = 4096;
