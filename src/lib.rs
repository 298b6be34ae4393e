//! The real-time web's wire protocols as pure state machines: HTTP/1.1 (RFC 9110, 9112), WebSocket with compression
//! (RFC 6455, 7692), Server-Sent Events (WHATWG HTML §9.2), short and long polling.
//!
//! Bytes, the time and random numbers come in; events, bytes and deadlines come out. Every socket, buffer, clock, timer,
//! thread and random source is the caller's. There is no dependency, no `unsafe`, no hidden allocation, and no input
//! that panics.
//!
//! ```text
//!   socket ──read──▶ buffer ──Rx──▶ ┌────────┐ ──▶ events, which borrow the buffer
//!                                   │ engine │ ──▶ poll_timeout(): the next deadline
//!   socket ◀─write── buffer ◀──Tx── └────────┘ ◀── respond, send_*, close, handle_timeout(now)
//! ```
//!
//! # The loop
//!
//! ```
//! use hopwire::{io::{Rx, RxBuffer, Tx}, time::Instant, ws};
//!
//! fn echo(
//!     conn: &mut ws::Connection<ws::Server>, now: Instant, rx: &mut Rx<'_>, tx: &mut Tx<'_>,
//! ) -> Result<(), Box<dyn core::error::Error>> {
//!     while let Some(event) = conn.poll(now, rx, tx)? {
//!         match event {
//!             ws::Event::Text { text, end } => conn.send_text_piece(text, end, tx)?,
//!             ws::Event::Binary { data, end } => conn.send_binary_piece(data, end, tx)?,
//!             _ => {} // pings are answered already, and so is a Close
//!         }
//!     }
//!     Ok(()) // conn.wants() says what for
//! }
//!
//! // Of a long frame a full buffer can be one piece, and its echo is longer by a header.
//! let (mut inbox, mut out) = (RxBuffer::new([0; 4096]), [0; 4096 + 16]);
//! let mut conn = ws::Connection::default(); // after the handshake: see ws::Handshake
//!
//! // RFC 6455 §5.7: a masked text frame that says "Hello"
//! let frame = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
//! inbox.space()[..11].copy_from_slice(&frame); // let n = socket.read(inbox.space())?;
//! inbox.advance(11);
//! let (mut rx, mut tx) = (inbox.rx(), Tx::new(&mut out));
//! echo(&mut conn, Instant::ZERO, &mut rx, &mut tx)?;
//! assert_eq!(tx.written(), b"\x81\x05Hello"); // socket.write_all(tx.written())?;
//! let used = rx.consumed();
//! inbox.consume(used);
//! // Sleep until the socket is readable or conn.poll_timeout() has come; then conn.handle_timeout(now, &mut tx).
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # The contract
//!
//! Every engine keeps it:
//!
//! 1. **Events borrow the received bytes, never the engine**, so answers can be sent while an event is alive.
//! 2. **Check, then commit.** On [`Full`](io::Full) nothing was written, consumed or changed. Heads and frames are written
//!    whole or not at all; content of HTTP may be taken in part, and the call says how much. An event is told once: what is to
//!    answer it and has no room is the caller's to keep.
//! 3. **Unconsumed bytes are presented again**, unchanged, with more behind them. What was looked at is not looked at
//!    again: the cost is linear, one byte at a time too.
//! 4. **A reply that the protocol requires** (pong, Close, `100 Continue`, an error response) must fit the output before
//!    its cause is consumed. So there is no queue in an engine, and no flood that could grow one.
//! 5. **`Ok(None)` is no error**, and `wants()` says what for ([`Wants`](io::Wants)), or `state()` where requests are the
//!    caller's. The end of input is explicit ([`Rx::last`](io::Rx::last)); a full buffer without progress is a limit
//!    violation, not a stall.
//! 6. **Failure is a state.** After a `Violation` every call returns the same one, of a parser on its own too. It is
//!    `Copy` and knows its wire code: an HTTP status or a Close code. The caller's own mistakes are `Misuse` instead.
//! 7. **Time** is [`Instant`](time::Instant), nanoseconds on the caller's clock: the first argument of each call that can
//!    start a deadline or act on one. `handle_timeout` early or twice does nothing.
//! 8. **Entropy** comes from the caller ([`Entropy`]), to the one role that needs it.
//! 9. **Role is a type**: a [`ws::Connection<Server>`](ws::Connection) cannot mask.
//! 10. **Validated bytes, `str` on demand**: [`Text`](bytes::Text) and [`Token`](bytes::Token).
//! 11. **Memory**: an idle engine owns no heap, a declared length reserves nothing, every limit is a named setting.
//!
//! # The map
//!
//! | looking for | open |
//! |---|---|
//! | cursors over buffers, receive buffers | [`io`] |
//! | the clock, and deadlines; random numbers | [`time`]; [`Entropy`] |
//! | what an HTTP message means: methods, statuses, fields, lists, dates | [`http`] |
//! | HTTP/1.1 on the wire: heads, targets, framing, chunks, server and client | [`http1`] |
//! | WebSocket: handshake, frames, messages, close | [`ws`] |
//! | DEFLATE (RFC 1951), on its own | [`deflate`] |
//! | Server-Sent Events: reading, writing, keeping alive, coming back | [`sse`] |
//! | one history with cursors under polls, SSE and WebSocket | [`feed`] |
//! | UTF-8, SHA-1, base64 | [`bytes`], [`digest`] |
//! | what bounds memory and time | the `Config` beside each engine ([`ws::Config`], [`http1::server::Config`]), the limit of a `Tx::growing` |
//! | which rule of which RFC is kept where, and its test | `SPEC_NOTES.md` |
//!
//! # Features
//!
//! `alloc` (default): whole messages, growing output and receive buffers. Without it the crate is the engines alone.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod bytes;
pub mod deflate;
pub mod digest;
mod entropy;
pub mod feed;
pub mod http;
pub mod http1;
pub mod io;
mod retry;
pub mod sse;
pub mod time;
pub mod ws;

pub use entropy::Entropy;
