//! The deflater: input becomes symbols, symbols become blocks.

use super::block::Block;
use super::history::History;
use super::matcher::Matcher;
use super::sink::{Sink, Waiting};
use super::symbols::Symbols;
use super::{Progress, Status};

/// Compresses a stream: an [`Encoder`] with the [`History`] that it works for.
///
/// ```
/// use hopwire::deflate::{Deflater, Flush, Level, Status};
///
/// let mut deflater: Deflater = Deflater::new(Level::Default);
/// let mut output = [0; 32];
/// let progress = deflater.deflate(b"Hello", &mut output, Flush::Sync);
/// assert_eq!((progress.consumed, progress.status), (5, Status::Input));
/// // RFC 7692 §7.2.3.1, with the four bytes that a WebSocket message leaves out
/// assert_eq!(output[..progress.produced], *b"\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff");
/// ```
#[derive(Clone, Debug)]
pub struct Deflater<const WINDOW: usize = 32768> {
    encoder: Encoder<WINDOW>,
    history: History<[u8; WINDOW]>,
}

/// How much work to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// None: stored blocks.
    Stored,
    /// Match with the last place that looks alike.
    Fast,
    /// The longest match of 16, unless the next byte begins a longer one.
    Default,
    /// The same of 64, and no match is long enough to look no further.
    Best,
}

/// What a call must bring out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flush {
    /// Nothing: more input follows.
    None,
    /// All input so far, and behind it an empty stored block. That ends on a byte boundary, with `00 00 ff ff`.
    Sync,
    /// All input so far; the last block says that it is the last, and zeros fill its last byte.
    Finish,
}

impl<const WINDOW: usize> Deflater<WINDOW> {
    /// At the beginning of a stream.
    pub const fn new(level: Level) -> Self {
        Self { encoder: Encoder::new(level), history: History::new() }
    }

    /// Back to the beginning of a stream, with nothing to point back at. It costs next to nothing.
    pub const fn reset(&mut self) {
        self.encoder.reset();
        self.history.reset();
    }

    /// See [`History::set_window_bits`].
    pub const fn set_window_bits(&mut self, bits: u8) {
        self.history.set_window_bits(bits);
    }

    /// See [`Encoder::deflate`].
    pub fn deflate(&mut self, input: &[u8], output: &mut [u8], flush: Flush) -> Progress {
        self.encoder.deflate(&mut self.history, input, output, flush)
    }

    /// See [`Encoder::bound`].
    pub const fn bound(len: usize) -> usize {
        Encoder::<WINDOW>::bound(len)
    }
}

/// All of a deflater but its history: what is needed only while something is being compressed.
///
/// After a flush that came to `Status::Input` it may go on with another history, so that one encoder serves many
/// streams. Each then keeps its [`History`] alone, of any size, of which the encoder learns the last 1 to 4 KiB again,
/// after it forgot all others: so it compresses nearly as well, and its output tells nothing of theirs. (It knows a history
/// again by a count of its turns, of 32 bits: one that comes from another encoder is taken for it where the counts are the
/// same.) `TABLE` is how many positions the encoder remembers.
#[derive(Clone, Debug)]
pub struct Encoder<const TABLE: usize = 32768> {
    level: Level,
    /// Histories take turns; it works for the one with the same number.
    turn: u32,
    matcher: Matcher<TABLE>,
    /// What the block being filled, or being written, says.
    symbols: Symbols,
    /// How many bytes that is.
    span: u32,
    block: Block,
    /// Bits that the last output had no room for.
    waiting: Waiting,
    stage: Stage,
}

/// What the last block was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Data,
    /// The empty one that a sync flush puts behind the data.
    Mark,
    /// The last of the stream.
    Last,
}

impl<const TABLE: usize> Encoder<TABLE> {
    /// At the beginning of a stream.
    pub const fn new(level: Level) -> Self {
        Self {
            level,
            turn: 1,
            matcher: Matcher::new(),
            symbols: Symbols::new(),
            span: 0,
            block: Block::new(),
            waiting: Waiting::NONE,
            stage: Stage::Data,
        }
    }

    /// Back to the beginning of a stream. What was not written yet is lost.
    pub const fn reset(&mut self) {
        self.symbols.clear();
        self.span = 0;
        self.block.reset();
        self.waiting = Waiting::NONE;
        self.stage = Stage::Data;
    }

    /// Compresses `input` as far as `output` has room for what comes of it, down to one byte at a time.
    ///
    /// If the status is `Output`, the same flush must be asked for again, with the rest of the input; the input is
    /// taken in before all that it comes to is written. What was taken is in the history, so `input` may go.
    pub fn deflate(&mut self, history: &mut History<[u8]>, input: &[u8], output: &mut [u8], flush: Flush) -> Progress {
        let mut sink = Sink::new(output, self.waiting);
        let (consumed, status) = self.run(history, input, &mut sink, flush);
        let (produced, waiting) = sink.end();
        self.waiting = waiting;
        Progress { consumed, produced, status }
    }

    /// At most so many bytes come of `len` bytes of input that are flushed in one call, all before them being flushed.
    ///
    /// Where nothing else is shorter, stored blocks of 256 bytes or more each cost five bytes.
    pub const fn bound(len: usize) -> usize {
        len + 5 * (len / 256) + 16
    }

    fn run(&mut self, history: &mut History<[u8]>, input: &[u8], sink: &mut Sink<'_>, flush: Flush) -> (usize, Status) {
        let mut consumed = 0;
        if !history.is_of_turn(&mut self.turn) {
            self.learn(history);
        }
        loop {
            if self.block.is_open() {
                if !self.block.write(&self.symbols, history, sink) {
                    return (consumed, Status::Output);
                }
                self.symbols.clear();
                self.span = 0;
            }
            if self.stage == Stage::Last {
                sink.align();
                return (consumed, if sink.is_empty() { Status::End } else { Status::Output });
            }
            consumed += history.take(&input[consumed..], self.ahead(history));
            let all = consumed == input.len();
            self.find(history, if all && flush != Flush::None { 0 } else { ahead(history) / 2 });
            if self.is_full(history) {
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
                    self.stage = Stage::Last;
                }
                Flush::Sync if self.span > 0 => self.close(history, false),
                Flush::Sync if self.stage == Stage::Mark => {
                    self.stage = Stage::Data;
                    return (consumed, Status::Input);
                }
                Flush::Sync => {
                    self.block.open_stored(0, false);
                    self.stage = Stage::Mark;
                }
            }
        }
    }

    /// How much input may wait in the history. The more, the nearer matches must stay.
    fn ahead(&self, history: &History<[u8]>) -> u32 {
        match self.level {
            Level::Stored => history.size() - self.span,
            _ => ahead(history),
        }
    }

    /// Another history, of which the matcher knows nothing, or no longer: it learns where the last of it stands. To learn
    /// all would cost many times what a message costs, and what is said again was mostly said of late.
    fn learn(&mut self, history: &mut History<[u8]>) {
        match self.level {
            Level::Stored => {}
            Level::Fast => self.matcher.learn_fast(history, 1 << 10),
            Level::Default => self.matcher.learn::<16>(history, 1 << 11),
            Level::Best => self.matcher.learn::<64>(history, 1 << 12),
        }
    }

    /// Turns what waits into symbols, while there is room for them; so many bytes may be kept.
    fn find(&mut self, history: &mut History<[u8]>, keep: u32) {
        let before = history.at();
        let symbols = &mut self.symbols;
        match self.level {
            Level::Stored => history.pass(history.ahead()),
            Level::Fast => self.matcher.fast(history, symbols, keep),
            Level::Default => self.matcher.lazy::<16>(16, history, symbols, keep),
            Level::Best => self.matcher.lazy::<64>(258, history, symbols, keep),
        }
        self.span += history.at().wrapping_sub(before);
    }

    /// Whether the block must be written before more is taken in. One that does not compress well is written while
    /// its bytes are still in the history: it may have to be stored.
    fn is_full(&self, history: &History<[u8]>) -> bool {
        match self.level {
            Level::Stored => self.span == history.size(),
            _ if self.span + ahead(history) > history.size() && self.symbols.len() > self.span / 3 => true,
            _ => self.symbols.room() < Symbols::ROOM,
        }
    }

    fn close(&mut self, history: &History<[u8]>, last: bool) {
        self.stage = Stage::Data;
        match self.level {
            Level::Stored => self.block.open_stored(self.span, last),
            _ => self.block.open(&self.symbols, self.span, history.behind() >= self.span, last),
        }
    }
}

/// How much input may wait to be encoded: enough for a long match, and no large part of the window.
fn ahead(history: &History<[u8]>) -> u32 {
    match history.size() {
        size @ 4096.. => size / 8,
        1024.. => 512,
        _ => 256,
    }
}
