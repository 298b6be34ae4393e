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
//! Looking for places and where to begin? [`Cursor`], [`Start`]. For what is kept? `Log`; to keep it elsewhere?
//! [`History`]. For one reader's progress on the server? [`Tail`]. For polls on the server? `Hold`, which reads an
//! [`Ask`]. For polls on the client? [`Pull`]. For what a client may believe? [`Reader`].

mod ask;
mod cursor;
mod history;
#[cfg(feature = "alloc")]
mod hold;
#[cfg(feature = "alloc")]
mod log;
#[cfg(feature = "alloc")]
mod parked;
mod pull;
mod reader;

pub use ask::Ask;
pub use cursor::{Cursor, CursorText, Start};
pub use history::{History, Next, RESET, SNAPSHOT, Tail};
#[cfg(feature = "alloc")]
pub use hold::{Answer, Hold, HoldConfig, Overlap, REPLY_FIELDS, Reply};
#[cfg(feature = "alloc")]
pub use log::{Log, LogConfig, Misuse};
#[cfg(feature = "alloc")]
pub use parked::Key;
pub use pull::{Mode, Pull, PullConfig, PullState, PullVerdict};
pub use reader::{Reader, Update};
