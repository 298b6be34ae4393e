//! One ordered history under every transport, with cursors: what is published once is read by short polls, long polls,
//! Server-Sent Events and WebSocket alike, and a reader that changes from one to another neither loses nor repeats
//! anything.
//!
//! ```text
//!   publish ─▶ Log ─▶ Hold ─▶ answers to polls ─▶ Pull ─┐
//!               │                                        ├─▶ Reader ─▶ updates, each once and in order, or a Reset
//!               └───▶ Tail ─▶ SSE, WebSocket ─▶ Source ──┘
//! ```
//!
//! Everywhere an update is the same bytes: an event of a stream (WHATWG HTML §9.2) with its [`Cursor`] as its id. So
//! `Last-Event-ID`, the `cursor` of a poll and the token a WebSocket resumes with are one thing. SPEC_NOTES.md has the
//! wire form on a page.
//!
//! Looking for places and where to begin? [`Cursor`], [`Start`]. For what is kept? `log`; to keep it elsewhere?
//! [`History`]. For one reader's progress on the server? [`Tail`]. For polls on the server? `hold`, which reads an
//! [`Ask`]. For polls on the client? [`pull`]. For what a client may believe? [`Reader`]. For what a caller can do wrong?
//! `misuse`.

mod ask;
mod cursor;
mod history;
#[cfg(feature = "alloc")]
pub mod hold;
#[cfg(feature = "alloc")]
pub mod log;
#[cfg(feature = "alloc")]
mod misuse;
#[cfg(feature = "alloc")]
mod parked;
pub mod pull;
mod reader;

pub use ask::Ask;
pub use cursor::{Cursor, CursorText, Start};
pub use history::{History, Next, RESET, SNAPSHOT, Tail};
#[cfg(feature = "alloc")]
pub use hold::Hold;
#[cfg(feature = "alloc")]
pub use log::Log;
#[cfg(feature = "alloc")]
pub use misuse::Misuse;
pub use pull::Pull;
pub use reader::{Reader, Update};
