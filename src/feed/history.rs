//! What a feed remembers: the interface, and what is sent of it.

use core::fmt::{self, Write as _};

use super::{Cursor, Start};

/// An ordered history of blocks, each with its number: the embedded one is `Log`, another may ask an engine
/// that many machines share.
///
/// A block is an event of a stream (WHATWG HTML §9.2.4) as it goes over the wire, with its cursor as its id. Every
/// transport sends the same bytes.
pub trait History {
    /// Which history this is: another number whenever entries may be missing or others, never 0.
    fn epoch(&self) -> u64;

    /// The number of the oldest entry that is kept; if none is, that of the next one.
    fn oldest(&self) -> u64;

    /// The number of the newest entry; 0 before the first, which is 1.
    fn head(&self) -> u64;

    /// An entry from `oldest` to `head`. `None`: it is gone after all.
    fn block(&self, seq: u64) -> Option<&[u8]>;

    /// What all entries up to a number come to, as a block.
    fn snapshot(&self) -> Option<(u64, &[u8])> {
        None
    }

    /// Whether nothing will follow any more.
    fn is_closed(&self) -> bool {
        false
    }

    /// The place behind the newest entry.
    fn cursor(&self) -> Cursor {
        Cursor { epoch: self.epoch(), seq: self.head() }
    }
}

/// How far one reader is: what is to be sent next, over whatever transport, and never a hole in silence.
///
/// A reader that comes back begins where it says: [`Start::resume`] of a stream's `Last-Event-ID`, [`Start::parse`] of the
/// first message of a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    at: Start,
}

/// What a [`Tail`] sends next, and where that leads.
#[derive(Clone, Copy, Debug)]
pub struct Next<'h> {
    block: Block<'h>,
    tail: Tail,
}

#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is no box without alloc, and it lives for one call")]
enum Block<'h> {
    Kept(&'h [u8]),
    Made(Made),
}

impl Tail {
    /// A reader that begins here.
    pub const fn new(start: Start) -> Self {
        Self { at: start }
    }

    /// Where it is: what it would ask for if it came back now.
    pub const fn start(self) -> Start {
        self.at
    }

    /// What is to be sent next; `None`: it has all there is. Nothing is over until [`Next::tail`] is used instead.
    pub fn peek<H: History + ?Sized>(self, history: &H) -> Option<Next<'_>> {
        let after = |seq| Self::new(Start::After(Cursor { epoch: history.epoch(), seq }));
        let kept = |seq, block| Next { block: Block::Kept(block), tail: after(seq) };
        let here =
            |seq| Next { block: Block::Made(Made::place(Cursor { epoch: history.epoch(), seq })), tail: after(seq) };
        let (oldest, head) = (history.oldest(), history.head());
        match self.at {
            Start::Now => Some(here(head)),
            Start::Snapshot => match history.snapshot() {
                Some((seq, block)) => Some(kept(seq, block)),
                None => Self::new(Start::Oldest).peek(history),
            },
            Start::Oldest if oldest > head => Some(here(head)),
            Start::Oldest => Some(match history.block(oldest) {
                Some(block) => kept(oldest, block),
                None => here(oldest),
            }),
            Start::After(cursor) if cursor == history.cursor() => None,
            Start::After(cursor) => {
                let next = cursor.seq.saturating_add(1);
                if cursor.epoch != history.epoch() || !(oldest..=head).contains(&next) {
                    return Some(Self::reset(cursor, oldest.saturating_sub(1), history));
                }
                Some(match history.block(next) {
                    Some(block) => kept(next, block),
                    // Gone after all: so it goes on behind it, and comes to an end.
                    None => Self::reset(cursor, next, history),
                })
            }
        }
    }

    /// What follows `cursor` is not known here, or no more: the reader is told so, and goes on with what there is behind
    /// entry `before`.
    fn reset<H: History + ?Sized>(cursor: Cursor, before: u64, history: &H) -> Next<'_> {
        let oldest = Cursor { epoch: history.epoch(), seq: before };
        let tail = match history.snapshot() {
            Some((seq, _)) if seq >= before => Start::Snapshot,
            _ => Start::After(oldest),
        };
        Next { block: Block::Made(Made::reset(cursor, oldest, history.cursor())), tail: Self::new(tail) }
    }
}

impl<'h> Next<'h> {
    /// What goes over the wire: one event of a stream, text in UTF-8.
    pub fn block(&self) -> &[u8] {
        match &self.block {
            Block::Kept(block) => block,
            Block::Made(made) => made.as_bytes(),
        }
    }

    /// The reader once this is sent.
    pub const fn tail(&self) -> Tail {
        self.tail
    }
}

/// A block that no history keeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Made {
    bytes: [u8; Self::MAX],
    len: usize,
}

impl Made {
    /// Three cursors and 80 bytes around them.
    const MAX: usize = 256;

    /// An id without an event: "you are here".
    pub(super) fn place(cursor: Cursor) -> Self {
        Self::new(format_args!("id: {cursor}\n\n"))
    }

    fn reset(asked: Cursor, oldest: Cursor, head: Cursor) -> Self {
        Self::new(format_args!(
            "event: {RESET}\nid: {oldest}\ndata: {{\"asked\":\"{asked}\",\"oldest\":\"{oldest}\",\"head\":\"{head}\"}}\n\n"
        ))
    }

    fn new(text: fmt::Arguments<'_>) -> Self {
        let mut made = Self { bytes: [0; Self::MAX], len: 0 };
        made.write_fmt(text).expect("cursors are short");
        made
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl fmt::Write for Made {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..self.len + part.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(part.as_bytes());
        self.len += part.len();
        Ok(())
    }
}

/// The type of the event that says: what was asked for is not known (any more), and this is what there is.
pub const RESET: &str = "feed-reset";

/// The type of the event that carries a snapshot.
pub const SNAPSHOT: &str = "feed-snapshot";
