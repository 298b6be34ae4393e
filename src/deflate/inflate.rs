//! Decompression (RFC 1951 §3.2.3), in pieces of any size.

use super::bits::{Bits, Reader};
use super::error::{Alphabet, InflateError};
use super::huffman::{CODE_LENGTHS, CodeLengths, Codes, DISTANCES, FIXED, LITERALS};
use super::tables::{CODE_LENGTH_CODES, CODE_LENGTH_ORDER, DISTANCE_CODES, END_OF_BLOCK, FIRST_LENGTH, LITERAL_CODES};
use super::window::{Output, Window};
use super::{Progress, Status};

/// Decompresses a stream: a [`Decoder`] and the [`Window`] it writes through.
///
/// ```
/// use hopwire::deflate::{Inflater, Status};
///
/// let mut inflater: Inflater = Inflater::new();
/// let (mut output, mut text) = ([0; 2], Vec::new());
/// let mut rest = &b"\xf2\x48\xcd\xc9\xc9\x07\x00"[..]; // what a read brought
/// loop {
///     let inflated = inflater.inflate(rest, &mut output)?;
///     text.extend_from_slice(&output[..inflated.produced]);
///     rest = &rest[inflated.consumed..];
///     match inflated.status {
///         Status::Output => {}                 // again, with the output free
///         Status::Input | Status::End => break, // read more; or the stream is over, and `rest` is behind it
///     }
/// }
/// assert_eq!(text, b"Hello");
/// # Ok::<(), hopwire::deflate::InflateError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Inflater<const WINDOW: usize = 32768> {
    decoder: Decoder,
    window: Window<[u8; WINDOW]>,
}

/// The part of an [`Inflater`] that nothing is left in between two blocks: streams can take turns with one.
///
/// Each of them keeps its [`Window`], and passes it to each call.
#[derive(Clone, Debug)]
pub struct Decoder {
    bits: Bits,
    state: State,
    /// BFINAL of the current block.
    is_last: bool,
    /// The current block uses the fixed codes, not `codes`.
    is_fixed: bool,
    codes: Codes,
    /// What the lengths of `codes` are spelled in.
    code_lengths: CodeLengths,
    /// Code lengths, literals' first. Those of the code length code stand here before them.
    lengths: [u8; LITERAL_CODES + DISTANCE_CODES],
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// BFINAL and BTYPE
    Block,
    /// LEN and NLEN
    StoredLength,
    Stored {
        left: usize,
    },
    /// HLIT, HDIST and HCLEN
    Counts,
    /// The lengths of the code length code
    CodeLengths {
        counts: Counts,
        at: usize,
    },
    /// The lengths of the other two codes
    Lengths {
        counts: Counts,
        at: usize,
    },
    Symbol,
    /// The rest of a match
    Match {
        distance: usize,
        left: usize,
    },
    End,
    Failed(InflateError),
}

/// How many lengths a dynamic block declares (§3.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    literals: usize,
    distances: usize,
    code_lengths: usize,
}

/// What a part of the input led to.
enum Step {
    Next(State),
    Stop(Status),
}

impl<const WINDOW: usize> Inflater<WINDOW> {
    /// At the beginning of a stream.
    pub const fn new() -> Self {
        Self { decoder: Decoder::new(), window: Window::new() }
    }

    /// To the beginning of another stream, with nothing of this one left.
    pub const fn reset(&mut self) {
        self.decoder.reset();
        self.window.reset();
    }

    /// Decompresses `input` into `output`: [`Decoder::inflate`].
    ///
    /// # Errors
    /// As there.
    pub fn inflate(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, InflateError> {
        self.decoder.inflate(&mut self.window, input, output)
    }

    /// Goes on behind the end of a stream: [`Decoder::next_stream`].
    pub const fn next_stream(&mut self) {
        self.decoder.next_stream();
    }

    /// Whether the input so far ends where a block may begin: [`Decoder::is_between_blocks`].
    pub const fn is_between_blocks(&self) -> bool {
        self.decoder.is_between_blocks()
    }
}

impl Decoder {
    /// At the beginning of a stream.
    pub const fn new() -> Self {
        Self {
            bits: Bits::EMPTY,
            state: State::Block,
            is_last: false,
            is_fixed: false,
            codes: Codes::EMPTY,
            code_lengths: CodeLengths::EMPTY,
            lengths: [0; LITERAL_CODES + DISTANCE_CODES],
        }
    }

    /// To the beginning of a stream.
    pub const fn reset(&mut self) {
        (self.bits, self.state) = (Bits::EMPTY, State::Block);
    }

    /// Goes on at the first byte behind the end of a stream, with its window kept, as RFC 7692 §7.2.3.4 has it. Does
    /// nothing elsewhere.
    pub const fn next_stream(&mut self) {
        if matches!(self.state, State::End) {
            self.state = State::Block;
        }
    }

    /// Whether the input so far ends with a block, at a byte boundary, and another block may follow.
    pub const fn is_between_blocks(&self) -> bool {
        matches!(self.state, State::Block) && self.bits.is_empty()
    }

    /// Decompresses `input` into `output`, until one of them or the stream is at its end.
    ///
    /// Any split of the input, and any output, down to nothing, leads to the same.
    ///
    /// # Errors
    /// The input is no DEFLATE (RFC 1951 §3.2), or refers to more than the window holds. That is final: every later call
    /// returns the same, and what was decompressed before it is delivered first.
    pub fn inflate(
        &mut self,
        window: &mut Window<[u8]>,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<Progress, InflateError> {
        let mut reader = Reader::new(self.bits, input);
        let mut out = Output::new(output, window);
        let result = self.run(&mut reader, &mut out);
        let produced = out.at;
        window.push(&output[..produced]);
        let status = match result {
            Ok(status) => status,
            Err(error) => {
                self.state = State::Failed(error);
                if produced == 0 {
                    return Err(error);
                }
                Status::Output
            }
        };
        if status != Status::Input {
            // Nothing is unfinished but, perhaps, for want of room.
            reader.unread();
        }
        let (bits, consumed) = reader.finish();
        self.bits = bits;
        Ok(Progress { consumed, produced, status })
    }

    fn run(&mut self, reader: &mut Reader<'_>, out: &mut Output<'_>) -> Result<Status, InflateError> {
        loop {
            let step = match self.state {
                State::Block => self.block(reader)?,
                State::StoredLength => stored_length(reader)?,
                State::Stored { left } => self.stored(left, reader, out),
                State::Counts => counts(reader)?,
                State::CodeLengths { counts, at } => self.read_code_lengths(counts, at, reader)?,
                State::Lengths { counts, at } => self.read_lengths(counts, at, reader)?,
                State::Symbol => {
                    let codes = if self.is_fixed { &FIXED } else { &self.codes };
                    symbols(codes, reader, out);
                    self.symbol(reader, out)?
                }
                State::Match { distance, left } => {
                    let left = left - out.copy(distance, left);
                    if left > 0 {
                        self.state = State::Match { distance, left };
                        return Ok(Status::Output);
                    }
                    Step::Next(State::Symbol)
                }
                State::End => Step::Stop(Status::End),
                State::Failed(error) => return Err(error),
            };
            match step {
                Step::Next(state) => self.state = state,
                Step::Stop(status) => return Ok(status),
            }
        }
    }

    /// `BFINAL (1 bit) BTYPE (2 bits)`
    fn block(&mut self, reader: &mut Reader<'_>) -> Result<Step, InflateError> {
        let Some(header) = reader.take(3) else { return Ok(Step::Stop(Status::Input)) };
        self.is_last = header & 1 != 0;
        self.is_fixed = header >> 1 == 1;
        Ok(Step::Next(match header >> 1 {
            0 => {
                // "Any bits of input up to the next byte boundary are ignored." (§3.2.4)
                reader.align();
                State::StoredLength
            }
            1 => State::Symbol,
            2 => State::Counts,
            _ => return Err(InflateError::BlockType),
        }))
    }

    /// The end of a block.
    fn next_block(&self, reader: &mut Reader<'_>) -> State {
        if !self.is_last {
            return State::Block;
        }
        reader.align();
        State::End
    }

    /// The bytes of a stored block.
    fn stored(&mut self, left: usize, reader: &mut Reader<'_>, out: &mut Output<'_>) -> Step {
        let bytes = reader.take_bytes(left.min(out.room()));
        out.extend(bytes);
        let left = left - bytes.len();
        if left == 0 {
            return Step::Next(self.next_block(reader));
        }
        self.state = State::Stored { left };
        Step::Stop(if reader.is_at_end() { Status::Input } else { Status::Output })
    }

    /// `(HCLEN + 4) x 3 bits: code lengths for the code length alphabet`
    fn read_code_lengths(&mut self, counts: Counts, at: usize, reader: &mut Reader<'_>) -> Result<Step, InflateError> {
        for (at, symbol) in CODE_LENGTH_ORDER.iter().enumerate().skip(at) {
            let bits = if at < counts.code_lengths { reader.take(3) } else { Some(0) };
            let Some(bits) = bits else {
                self.state = State::CodeLengths { counts, at };
                return Ok(Step::Stop(Status::Input));
            };
            self.lengths[usize::from(*symbol)] = bits.to_le_bytes()[0];
        }
        self.code_lengths.build(&self.lengths[..CODE_LENGTH_CODES], &CODE_LENGTHS, Alphabet::CodeLength)?;
        Ok(Step::Next(State::Lengths { counts, at: 0 }))
    }

    /// `HLIT + 257 code lengths for the literal/length alphabet`, then `HDIST + 1 code lengths for the distance alphabet`
    fn read_lengths(&mut self, counts: Counts, mut at: usize, reader: &mut Reader<'_>) -> Result<Step, InflateError> {
        let lengths = &mut self.lengths[..counts.literals + counts.distances];
        while at < lengths.len() {
            reader.refill();
            let entry = self.code_lengths.look_up(reader.peek());
            if entry.bits() > reader.count() {
                self.state = State::Lengths { counts, at };
                return Ok(Step::Stop(Status::Input));
            }
            if entry.is_literal() {
                lengths[at] = entry.byte();
                at += 1;
            } else {
                let length = match at.checked_sub(1) {
                    _ if !entry.is_of_last() => 0,
                    Some(last) => lengths[last],
                    None => return Err(InflateError::RepeatOfNothing),
                };
                let repeated = at..at + entry.value_in(reader.peek());
                at = repeated.end;
                lengths.get_mut(repeated).ok_or(InflateError::RepeatTooLong)?.fill(length);
            }
            reader.consume(entry.bits());
        }
        let (literals, distances) = lengths.split_at(counts.literals);
        if literals[END_OF_BLOCK] == 0 {
            return Err(InflateError::NoEndOfBlock);
        }
        self.codes.literal.build(literals, &LITERALS, Alphabet::Literal)?;
        self.codes.distance.build(distances, &DISTANCES, Alphabet::Distance)?;
        Ok(Step::Next(State::Symbol))
    }

    /// One literal, match or end of the block, wherever the input and the output end.
    fn symbol(&mut self, reader: &mut Reader<'_>, out: &mut Output<'_>) -> Result<Step, InflateError> {
        const MORE: Result<Step, InflateError> = Ok(Step::Stop(Status::Input));
        let codes = if self.is_fixed { &FIXED } else { &self.codes };
        reader.refill();
        let symbol = codes.literal.look_up(reader.peek());
        if symbol.code_bits() > reader.count() {
            return MORE;
        }
        if symbol.is_bad() {
            return Err(InflateError::Symbol(Alphabet::Literal));
        }
        if symbol.is_literal() {
            if out.room() == 0 {
                return Ok(Step::Stop(Status::Output));
            }
            out.push(symbol.byte());
            reader.consume(symbol.bits());
            return Ok(Step::Next(State::Symbol));
        }
        if symbol.is_end() {
            reader.consume(symbol.bits());
            return Ok(Step::Next(self.next_block(reader)));
        }

        let behind = reader.peek() >> symbol.bits();
        let distance = codes.distance.look_up(behind);
        if symbol.bits() + distance.code_bits() > reader.count() {
            return MORE;
        }
        if distance.is_bad() {
            return Err(InflateError::Symbol(Alphabet::Distance));
        }
        let bits = symbol.bits() + distance.bits();
        if bits > reader.count() {
            return MORE;
        }
        let (left, distance) = (symbol.value_in(reader.peek()), distance.value_in(behind));
        if !out.reaches(distance) {
            return Err(InflateError::Distance);
        }
        reader.consume(bits);
        Ok(Step::Next(State::Match { distance, left }))
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

/// `LEN (2 bytes) NLEN (2 bytes)`, "the one's complement of LEN" (§3.2.4)
fn stored_length(reader: &mut Reader<'_>) -> Result<Step, InflateError> {
    let Some(both) = reader.take(32) else { return Ok(Step::Stop(Status::Input)) };
    let (len, nlen) = (both & 0xffff, both >> 16);
    if len != nlen ^ 0xffff {
        return Err(InflateError::StoredLength);
    }
    Ok(Step::Next(State::Stored { left: len as usize }))
}

/// `HLIT (5 bits) HDIST (5 bits) HCLEN (4 bits)`
fn counts(reader: &mut Reader<'_>) -> Result<Step, InflateError> {
    let Some(bits) = reader.take(14) else { return Ok(Step::Stop(Status::Input)) };
    let bits = bits as usize;
    let counts = Counts {
        literals: FIRST_LENGTH + (bits & 31),
        distances: 1 + (bits >> 5 & 31),
        code_lengths: 4 + (bits >> 10),
    };
    match counts {
        _ if counts.literals > LITERAL_CODES => Err(InflateError::LiteralCount),
        _ if counts.distances > DISTANCE_CODES => Err(InflateError::DistanceCount),
        _ => Ok(Step::Next(State::CodeLengths { counts, at: 0 })),
    }
}

/// Literals and matches, as long as there is more input than the longest match takes, and room for each. Stops before
/// whatever is neither.
#[inline(never)]
fn symbols(codes: &Codes, reader: &mut Reader<'_>, out: &mut Output<'_>) {
    /// Two literals and a length, or three literals.
    const REFILLED: u32 = 50;
    /// A distance.
    const DISTANCE_BITS: u32 = 15 + 13;

    // Copies, to be kept in registers.
    let (outer_reader, outer_out) = (reader, out);
    let (mut reader, mut out) = (*outer_reader, outer_out.reborrow());
    reader.refill();
    let mut symbol = codes.literal.look_up(reader.peek());
    while reader.count() >= REFILLED && out.room() >= 3 {
        if symbol.is_literal() {
            out.push(symbol.byte());
            reader.consume(symbol.bits());
            symbol = codes.literal.look_up(reader.peek());
            if symbol.is_literal() {
                out.push(symbol.byte());
                reader.consume(symbol.bits());
                symbol = codes.literal.look_up(reader.peek());
                if symbol.is_literal() {
                    out.push(symbol.byte());
                    reader.consume(symbol.bits());
                    reader.refill();
                    symbol = codes.literal.look_up(reader.peek());
                    continue;
                }
            }
        }
        if symbol.is_special() {
            break;
        }
        if reader.count() < symbol.bits() + DISTANCE_BITS {
            reader.refill();
            if reader.count() < symbol.bits() + DISTANCE_BITS {
                break;
            }
        }
        let behind = reader.peek() >> symbol.bits();
        let distance = codes.distance.look_up(behind);
        let (length, back) = (symbol.value_in(reader.peek()), distance.value_in(behind));
        if distance.is_bad() || !out.reaches(back) || length > out.room() {
            break;
        }
        reader.consume(symbol.bits() + distance.bits());
        // The next symbol is on its way while the match is copied.
        reader.refill();
        symbol = codes.literal.look_up(reader.peek());
        out.copy_blocks(back, length);
    }
    (*outer_reader, outer_out.at) = (reader, out.at);
}
