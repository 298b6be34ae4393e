//! The compressor: input, symbols, blocks.

use super::Status;
use super::block::Block;
use super::history::History;
use super::matcher::{Effort, Matcher};
use super::sink::{Sink, Waiting};
use super::symbols::Symbols;

/// A compressor and its history.
#[derive(Clone, Debug)]
pub struct Compressor<const WINDOW: usize = 32768> {
    encoder: Encoder<WINDOW>,
    history: History<WINDOW>,
}

/// How much work to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// No compression: stored blocks.
    Stored,
    /// The first match found.
    Fast,
    /// The longest of several matches, unless the next position has a longer one.
    Default,
    /// The same with all candidates.
    Best,
}

/// What a call must bring out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Nothing: more input follows.
    None,
    /// All input so far, and behind it an empty stored block, which ends with `00 00 ff ff` on a byte boundary.
    Sync,
    /// All input so far; the last block says that it is the last.
    Finish,
}

/// What one call did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of input taken.
    pub consumed: usize,
    /// Bytes of output written.
    pub produced: usize,
    /// Why no more was done.
    pub status: Status,
}

impl<const WINDOW: usize> Compressor<WINDOW> {
    /// At the beginning of a stream.
    pub const fn new(level: Level) -> Self {
        Self { encoder: Encoder::new(level), history: History::new() }
    }

    /// Back to the beginning of a stream, with nothing to point back at.
    pub const fn reset(&mut self) {
        self.encoder.reset();
        self.history.reset();
    }

    /// See [`History::set_window_bits`].
    pub const fn set_window_bits(&mut self, bits: u8) {
        self.history.set_window_bits(bits);
    }

    /// Compresses.
    pub fn compress(&mut self, input: &[u8], output: &mut [u8], flush: Flush) -> Progress {
        self.encoder.compress(&mut self.history, input, output, flush)
    }
}

/// Everything but the history.
#[derive(Clone, Debug)]
pub struct Encoder<const WINDOW: usize = 32768> {
    matcher: Matcher<WINDOW>,
    symbols: Symbols,
    block: Block,
    waiting: Waiting,
    /// How many bytes `symbols` stand for.
    span: u32,
    level: Level,
    stage: Stage,
}

/// What was written behind the last symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Open,
    Marked,
    Ended,
}

impl<const WINDOW: usize> Encoder<WINDOW> {
    /// For a stream that begins.
    pub const fn new(level: Level) -> Self {
        Self {
            matcher: Matcher::new(),
            symbols: Symbols::new(),
            block: Block::new(),
            waiting: Waiting::NONE,
            span: 0,
            level,
            stage: Stage::Open,
        }
    }

    /// Forgets what was not written.
    pub const fn reset(&mut self) {
        self.symbols.clear();
        self.block.reset();
        self.waiting = Waiting::NONE;
        self.span = 0;
        self.stage = Stage::Open;
    }

    /// Compresses.
    pub fn compress(&mut self, history: &mut History<WINDOW>, input: &[u8], output: &mut [u8], flush: Flush) -> Progress {
        let mut sink = Sink::new(output, self.waiting);
        let (consumed, status) = self.run(history, input, &mut sink, flush);
        let (produced, waiting) = sink.end();
        self.waiting = waiting;
        Progress { consumed, produced, status }
    }

    fn run(&mut self, history: &mut History<WINDOW>, input: &[u8], sink: &mut Sink<'_>, flush: Flush) -> (usize, Status) {
        let mut consumed = 0;
        loop {
            if self.block.is_open() {
                if !self.block.write(&self.symbols, history, sink) {
                    return (consumed, Status::Output);
                }
                self.symbols.clear();
                self.span = 0;
            }
            if self.stage == Stage::Ended {
                sink.align();
                return (consumed, if sink.is_empty() { Status::End } else { Status::Output });
            }
            consumed += history.take(&input[consumed..], self.ahead());
            let all = consumed == input.len();
            self.find(history, if all && flush != Flush::None { 0 } else { Self::AHEAD / 2 });
            if self.is_full() {
                self.close(history, false);
                continue;
            }
            if !all {
                continue;
            }
            match flush {
                Flush::None => return (consumed, Status::Input),
                Flush::Finish => {
                    self.close(history, true);
                    self.stage = Stage::Ended;
                }
                Flush::Sync if self.span > 0 => self.close(history, false),
                Flush::Sync if self.stage == Stage::Marked => {
                    self.stage = Stage::Open;
                    return (consumed, Status::Input);
                }
                Flush::Sync => {
                    self.block.open_stored(0, false);
                    self.stage = Stage::Marked;
                }
            }
        }
    }

    fn find(&mut self, history: &mut History<WINDOW>, keep: usize) {
        let before = history.at();
        match self.level {
            Level::Stored => history.pass(history.ahead() as u32),
            Level::Fast => self.matcher.fast(history, &mut self.symbols, keep),
            Level::Default => self.matcher.lazy(Effort { candidates: 16, good: 16 }, history, &mut self.symbols, keep),
            Level::Best => self.matcher.lazy(Effort { candidates: 16, good: 258 }, history, &mut self.symbols, keep),
        }
        self.span = self.span.wrapping_add(history.at().wrapping_sub(before));
    }

    fn ahead(&self) -> usize {
        match self.level {
            Level::Stored => WINDOW - self.span as usize,
            _ => Self::AHEAD,
        }
    }

    fn is_full(&self) -> bool {
        match self.level {
            Level::Stored => self.span as usize == WINDOW,
            _ => {
                let poor = 3 * self.symbols.len() > self.span as usize;
                self.symbols.room() < 2 || self.span as usize + Self::AHEAD > WINDOW && poor
            }
        }
    }

    fn close(&mut self, history: &History<WINDOW>, last: bool) {
        self.stage = Stage::Open;
        match self.level {
            Level::Stored => self.block.open_stored(self.span, last),
            _ => self.block.open(&self.symbols, self.span, history.behind() >= self.span, last),
        }
    }

    const AHEAD: usize = if WINDOW / 8 > 512 { WINDOW / 8 } else if WINDOW / 2 < 512 { WINDOW / 2 } else { 512 };
}
