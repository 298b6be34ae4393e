//! The embedded history: bounded by count, by bytes and by age.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::time::Duration;

use super::{Cursor, History, Misuse, RESET, SNAPSHOT};
use crate::io::{SendError, Tx};
use crate::sse::Outgoing;
use crate::time::Instant;

/// An ordered history of encoded events in memory. What is published is encoded once, whoever reads it and by whatever
/// transport.
///
/// It never has more entries, more bytes or older ones than its [`Config`] says. A thousand entries take their blocks
/// (data, cursor and 12 bytes or more of field names) and 32 bytes each.
///
/// ```
/// use hopwire::{feed::{Log, Start, Tail, log::Config}, time::Instant};
///
/// let mut log = Log::new(Config::default(), 0x9f);
/// log.publish(Instant::ZERO, "", "one")?;
/// let mut tail = Tail::new(Start::Oldest);
/// while let Some(next) = tail.peek(&log) {
///     assert_eq!(next.block(), b"id: 9f.1\ndata: one\n\n"); // server.body(next.block(), tx)? or ws.send_text(..)?
///     tail = next.tail(); // sent: go on behind it
/// }
/// # Ok::<(), hopwire::feed::Misuse>(())
/// ```
#[derive(Debug)]
pub struct Log {
    config: Config,
    epoch: u64,
    /// The newest entry's number.
    head: u64,
    entries: VecDeque<Entry>,
    bytes: usize,
    snapshot: Option<(u64, Box<[u8]>)>,
    closed: bool,
}

#[derive(Debug)]
struct Entry {
    block: Box<[u8]>,
    at: Instant,
}

/// How much a [`Log`] keeps. Every default is a named constant of this type. More
/// settings may come: write `..Config::new()` behind your own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How many entries.
    pub max_count: usize,
    /// How many bytes of blocks.
    pub max_bytes: usize,
    /// For how long; `None`: for ever.
    pub max_age: Option<Duration>,
}

impl Log {
    /// An empty history. `epoch`: a random number that no other history of this feed has; 0 counts as 1.
    pub fn new(config: Config, epoch: u64) -> Self {
        Self::resume(config, Cursor { epoch, seq: 0 })
    }

    /// The history that had come to `cursor` when it was saved. Publishing the saved entries again, the oldest first,
    /// after resuming at the place before them restores it; without them, readers who lack some are told so.
    ///
    /// No history comes to 2^63 entries: what says so was not saved like that, and counts as 2^63.
    pub fn resume(config: Config, cursor: Cursor) -> Self {
        let (epoch, head) = (cursor.epoch.max(1), cursor.seq.min(1 << 63));
        Self { config, epoch, head, entries: VecDeque::new(), bytes: 0, snapshot: None, closed: false }
    }

    /// Appends an event of type `event` ("" is the default) and returns the place behind it.
    ///
    /// # Errors
    /// Then nothing was appended.
    pub fn publish(&mut self, now: Instant, event: &str, data: &str) -> Result<Cursor, Misuse> {
        if self.closed {
            return Err(Misuse::Closed);
        }
        if [RESET, SNAPSHOT].contains(&event) {
            return Err(Misuse::Reserved);
        }
        let cursor = Cursor { epoch: self.epoch, seq: self.head + 1 };
        let block = encode(event, data, cursor, self.config.max_bytes)?;
        self.bytes += block.len();
        self.head = cursor.seq;
        self.entries.push_back(Entry { block, at: now });
        self.handle_timeout(now);
        Ok(cursor)
    }

    /// What all entries so far come to, for readers that begin with it.
    ///
    /// # Errors
    /// Then the snapshot is still the one before.
    pub fn set_snapshot(&mut self, data: &str) -> Result<(), Misuse> {
        let block = encode(SNAPSHOT, data, self.cursor(), self.config.max_bytes)?;
        self.snapshot = Some((self.head, block));
        Ok(())
    }

    /// Nothing follows any more: whoever has all is told to stop.
    pub const fn close(&mut self) {
        self.closed = true;
    }

    /// When the oldest entry becomes too old.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.entries.front()?.at.checked_add(self.config.max_age?)
    }

    /// Drops what is too much or too old at `now`; early or twice, it does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        while self.entries.len() > self.config.max_count
            || self.bytes > self.config.max_bytes
            || self.poll_timeout().is_some_and(|at| at <= now)
        {
            let Some(entry) = self.entries.pop_front() else { return };
            self.bytes -= entry.block.len();
        }
    }

    /// How many entries are kept.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no entry is kept.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of the blocks kept, without the snapshot. Each entry costs 24 bytes beside them, and what the allocator adds.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

impl History for Log {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn oldest(&self) -> u64 {
        self.head - self.entries.len() as u64 + 1
    }

    fn head(&self) -> u64 {
        self.head
    }

    fn block(&self, seq: u64) -> Option<&[u8]> {
        let at = usize::try_from(seq.checked_sub(self.oldest())?).ok()?;
        self.entries.get(at).map(|entry| &*entry.block)
    }

    fn snapshot(&self) -> Option<(u64, &[u8])> {
        // What follows it must be there too.
        let (seq, block) = self.snapshot.as_ref()?;
        (seq + 1 >= self.oldest()).then_some((*seq, block))
    }

    fn is_closed(&self) -> bool {
        self.closed
    }
}

fn encode(event: &str, data: &str, cursor: Cursor, limit: usize) -> Result<Box<[u8]>, Misuse> {
    let mut block = alloc::vec::Vec::new();
    let text = cursor.text();
    let outgoing = Outgoing::data(data).event(event).id(text.as_str());
    match outgoing.encode(&mut Tx::growing(&mut block, limit)) {
        Ok(()) => Ok(block.into_boxed_slice()),
        Err(SendError::Misuse(misuse)) => Err(Misuse::Event(misuse)),
        Err(SendError::Full(_)) => Err(Misuse::TooLong),
    }
}

impl Config {
    /// 1,000 entries, as in the examples of Redis for its streams (`MAXLEN ~ 1000`).
    pub const MAX_COUNT: usize = 1000;
    /// 1 MiB of blocks: of so many entries 1 KiB each.
    pub const MAX_BYTES: usize = 1 << 20;
    /// 5 minutes, longer than a phone is in a tunnel; Socket.IO has 2 (`maxDisconnectionDuration`).
    pub const MAX_AGE: Duration = Duration::from_secs(300);

    /// The defaults.
    pub const fn new() -> Self {
        Self { max_count: Self::MAX_COUNT, max_bytes: Self::MAX_BYTES, max_age: Some(Self::MAX_AGE) }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}
