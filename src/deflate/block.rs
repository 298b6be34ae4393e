//! One block on its way out: which of the three kinds is cheapest (RFC 1951 §3.2.3), and its bits.

use super::history::History;
use super::prefix;
use super::sink::Sink;
use super::symbols::{Frequencies, Symbol, Symbols, length_code};
use super::tables::{
    CODE_LENGTH_CODES, CODE_LENGTH_ORDER, DISTANCE_BASE, DISTANCE_CODES, DISTANCE_EXTRA, END_OF_BLOCK, FIRST_LENGTH,
    FIXED_DISTANCE_BITS, FIXED_LITERAL_BITS, LENGTH_BASE, LENGTH_EXTRA, LITERAL_CODES, MAX_CODE_BITS,
    MAX_CODE_LENGTH_BITS, MAX_MATCH, MIN_MATCH, REPEAT_LAST, REPEAT_ZERO, REPEAT_ZERO_LONG,
};

/// The block that is being written, as far as the output allowed.
#[derive(Clone, Debug)]
pub(super) struct Block {
    stage: Stage,
    /// Of the stage's items, symbols or bytes, how many are written.
    done: usize,
    kind: Kind,
    header: Header,
    codes: Codes,
    /// How many bytes of input it stands for.
    span: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    Header,
    Content,
}

/// BTYPE (§3.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Stored = 0b00,
    Fixed = 0b01,
    Dynamic = 0b10,
}

impl Block {
    pub(super) const fn new() -> Self {
        Self { stage: Stage::Idle, done: 0, kind: Kind::Stored, header: Header::new(), codes: Codes::EMPTY, span: 0 }
    }

    /// Forgets the block.
    pub(super) const fn reset(&mut self) {
        self.stage = Stage::Idle;
    }

    pub(super) fn is_open(&self) -> bool {
        self.stage != Stage::Idle
    }

    /// A stored block of the last `span` bytes.
    pub(super) fn open_stored(&mut self, span: u32, last: bool) {
        self.begin(Kind::Stored, span, last);
    }

    /// The cheapest block that says `symbols`, which stand for the last `span` bytes. `stored`: these can still be had.
    pub(super) fn open(&mut self, symbols: &Symbols, span: u32, stored: bool, last: bool) {
        // LEN and NLEN. What alignment takes is not known here, and less than a byte.
        let stored_bits = if stored { 8 * span + 32 } else { u32::MAX };
        if symbols.len() < DYNAMIC_FROM && symbols.fixed_bits_at_most() <= stored_bits {
            return self.begin(Kind::Fixed, span, last);
        }
        let frequencies = Frequencies::of(symbols.as_slice());
        let fixed_bits = frequencies.bits(&FIXED_LITERAL_BITS, &FIXED_DISTANCE_BITS);
        let literal_bits = prefix::lengths(&frequencies.literals, MAX_CODE_BITS);
        let distance_bits = prefix::lengths(&frequencies.distances, MAX_CODE_BITS);
        self.begin(Kind::Dynamic, span, last);
        let header_bits = self.header.push_lengths(&literal_bits, &distance_bits);
        let dynamic_bits = header_bits + frequencies.bits(&literal_bits, &distance_bits);
        if stored_bits < fixed_bits.min(dynamic_bits) {
            self.begin(Kind::Stored, span, last);
        } else if fixed_bits <= dynamic_bits {
            self.begin(Kind::Fixed, span, last);
        } else {
            self.codes.set(&literal_bits, &distance_bits);
        }
    }

    fn begin(&mut self, kind: Kind, span: u32, last: bool) {
        (self.stage, self.done, self.kind, self.span) = (Stage::Header, 0, kind, span);
        self.header.len = 0;
        self.header.push((kind as u32) << 1 | u32::from(last), 3);
    }

    /// Writes what is not written yet. False if the output is full before all of it is.
    #[inline]
    pub(super) fn write(&mut self, symbols: &Symbols, history: &History<[u8]>, sink: &mut Sink<'_>) -> bool {
        if self.stage == Stage::Header {
            while let Some(item) = self.header.items().get(self.done) {
                if !sink.room() {
                    return false;
                }
                item.write(sink);
                self.done += 1;
            }
            (self.stage, self.done) = (Stage::Content, 0);
        }
        if self.stage == Stage::Content {
            let all = match self.kind {
                Kind::Stored => self.write_bytes(history, sink),
                Kind::Fixed => write_symbols(&FIXED, &mut self.done, symbols.as_slice(), sink),
                Kind::Dynamic => write_symbols(&self.codes, &mut self.done, symbols.as_slice(), sink),
            };
            if !all {
                return false;
            }
            self.stage = Stage::Idle;
        }
        true
    }

    /// §3.2.4: `LEN | NLEN | LEN bytes of literal data`, from a byte boundary on.
    fn write_bytes(&mut self, history: &History<[u8]>, sink: &mut Sink<'_>) -> bool {
        sink.align();
        let (front, back) = history.last(self.span);
        let lengths = (self.span | !self.span << 16).to_le_bytes();
        let mut before = 0;
        for part in [&lengths, front, back] {
            if let Some(rest) = self.done.checked_sub(before).and_then(|done| part.get(done..)) {
                self.done += sink.copy(rest);
            }
            before += part.len();
        }
        self.done == before
    }
}

/// Writes `symbols` and the end of the block.
fn write_symbols(codes: &Codes, done: &mut usize, symbols: &[Symbol], shared: &mut Sink<'_>) -> bool {
    let mut sink = shared.take();
    let mut left = symbols[*done..].iter();
    let mut room = sink.room();
    while room && let Some(symbol) = left.next() {
        // All bits of the symbol first: that does not wait for those before them to be written.
        let (first, second) = (codes.first[symbol.first()], codes.distances[symbol.second()]);
        let distance = second.bits(symbol.distance());
        sink.push(first.bits() | distance << first.count(), first.count() + u32::from(second.count));
        room = sink.room();
    }
    *done = symbols.len() - left.len();
    if room {
        codes.end.write(&mut sink);
    }
    *shared = sink;
    room
}

/// Bits to write: how many, in the lowest six bits; then the bits, up to 20.
#[derive(Clone, Copy, Debug)]
struct Item(u32);

impl Item {
    const fn new(bits: u32, count: u32) -> Self {
        Self(bits << 6 | count)
    }

    #[inline]
    const fn bits(self) -> u64 {
        (self.0 >> 6) as u64
    }

    #[inline]
    const fn count(self) -> u32 {
        self.0 & 63
    }

    fn write(self, sink: &mut Sink<'_>) {
        sink.push(self.bits(), self.count());
    }
}

/// The code of a distance with its extra bits; no bits, of no distance.
#[derive(Clone, Copy, Debug)]
struct Distance {
    /// The code, less the smallest distance that has it where the extra bits stand: so the distance itself can be added.
    code: u32,
    code_bits: u8,
    /// Of code and extra bits.
    count: u8,
}

impl Distance {
    const NONE: Self = Self { code: 0, code_bits: 0, count: 0 };

    const fn new(symbol: usize, code: u16, code_bits: u8) -> Self {
        let base = DISTANCE_BASE[symbol] as u32 - 1;
        Self {
            code: (code as u32).wrapping_sub(base << code_bits),
            code_bits,
            count: code_bits + DISTANCE_EXTRA[symbol],
        }
    }

    /// `distance` is one less than that.
    #[inline]
    fn bits(self, distance: u32) -> u64 {
        u64::from((distance << self.code_bits).wrapping_add(self.code))
    }
}

/// The codes of a block, as they are written.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    /// Literals, and from 256 on match lengths from 3 on with their extra bits.
    first: [Item; 512],
    end: Item,
    distances: [Distance; 64],
}

/// §3.2.6
static FIXED: Codes = {
    let mut codes = Codes::EMPTY;
    codes.set(&FIXED_LITERAL_BITS, &FIXED_DISTANCE_BITS);
    codes
};

impl Codes {
    const EMPTY: Self = Self { first: [Item(0); 512], end: Item(0), distances: [Distance::NONE; 64] };

    const fn set<const L: usize, const D: usize>(&mut self, literal_bits: &[u8; L], distance_bits: &[u8; D]) {
        let codes = prefix::codes(literal_bits);
        let mut symbol = 0;
        while symbol < 256 {
            self.first[symbol] = Item::new(codes[symbol] as u32, literal_bits[symbol] as u32);
            symbol += 1;
        }
        self.end = Item::new(codes[END_OF_BLOCK] as u32, literal_bits[END_OF_BLOCK] as u32);
        let mut length = MIN_MATCH;
        while length <= MAX_MATCH {
            let symbol = length_code(length);
            let at = symbol - FIRST_LENGTH;
            let extra = LENGTH_EXTRA[at] as u32;
            #[expect(clippy::cast_possible_truncation, reason = "at most 31")]
            let more = (length - LENGTH_BASE[at] as usize) as u32;
            let (code, bits) = (codes[symbol] as u32, literal_bits[symbol] as u32);
            self.first[256 + length - MIN_MATCH] = Item::new(more << bits | code, bits + extra);
            length += 1;
        }
        let codes = prefix::codes(distance_bits);
        symbol = 0;
        while symbol < DISTANCE_CODES {
            self.distances[symbol] = Distance::new(symbol, codes[symbol], distance_bits[symbol]);
            symbol += 1;
        }
    }
}

impl Frequencies {
    /// How many bits these symbols take in codes of such lengths.
    fn bits(&self, literal_bits: &[u8], distance_bits: &[u8]) -> u32 {
        let codes = |frequencies: &[u16], bits: &[u8]| -> u32 {
            frequencies.iter().zip(bits).map(|(&count, &bits)| u32::from(count) * u32::from(bits)).sum()
        };
        codes(&self.literals, literal_bits)
            + codes(&self.distances, distance_bits)
            + codes(&self.literals[FIRST_LENGTH..], &LENGTH_EXTRA)
            + codes(&self.distances, &DISTANCE_EXTRA)
    }
}

/// What stands before the symbols of a block, in pieces that can be written one by one.
#[derive(Clone, Debug)]
struct Header {
    items: [Item; Self::MOST],
    len: usize,
}

impl Header {
    const fn new() -> Self {
        Self { items: [Item(0); Self::MOST], len: 0 }
    }

    fn items(&self) -> &[Item] {
        &self.items[..self.len]
    }

    /// The number of bits, for the sum of a header.
    fn push(&mut self, bits: u32, count: u32) -> u32 {
        self.items[self.len] = Item::new(bits, count);
        self.len += 1;
        count
    }

    /// §3.2.7: both codes, told by the lengths of their codes, which have a code of their own. How many bits that is.
    fn push_lengths(&mut self, literal_bits: &[u8; LITERAL_CODES], distance_bits: &[u8; DISTANCE_CODES]) -> u32 {
        let used = |bits: &[u8]| bits.iter().rposition(|&bits| bits > 0).map_or(1, |last| last + 1);
        let (literals, distances) = (used(literal_bits), used(distance_bits));
        // "all code lengths form a single sequence"
        let mut all = [0; LITERAL_CODES + DISTANCE_CODES];
        all[..literals].copy_from_slice(&literal_bits[..literals]);
        all[literals..literals + distances].copy_from_slice(&distance_bits[..distances]);
        let mut runs = [(0, 0); LITERAL_CODES + DISTANCE_CODES];
        let runs = told_in_runs(&all[..literals + distances], &mut runs);

        let mut frequencies = [0; CODE_LENGTH_CODES];
        for &(symbol, _) in runs {
            frequencies[usize::from(symbol)] += 1;
        }
        let bits = prefix::lengths(&frequencies, MAX_CODE_LENGTH_BITS);
        let codes = prefix::codes(&bits);
        let in_order = CODE_LENGTH_ORDER.map(|symbol| bits[usize::from(symbol)]);
        let told = used(&in_order).max(4);

        #[expect(clippy::cast_possible_truncation, reason = "at most 286, 30 and 19")]
        let mut sum =
            self.push((literals - 257) as u32 | ((distances - 1) as u32) << 5 | ((told - 4) as u32) << 10, 14);
        for &bits in &in_order[..told] {
            sum += self.push(u32::from(bits), 3);
        }
        for &(symbol, extra) in runs {
            let at = usize::from(symbol);
            let (code, len) = (u32::from(codes[at]), u32::from(bits[at]));
            let extra_bits = match symbol {
                REPEAT_LAST => 2,
                REPEAT_ZERO => 3,
                REPEAT_ZERO_LONG => 7,
                _ => 0,
            };
            sum += self.push(u32::from(extra) << len | code, len + extra_bits);
        }
        sum
    }

    /// The kind, HLIT with HDIST and HCLEN, and one each for the lengths of either kind.
    const MOST: usize = 2 + CODE_LENGTH_CODES + LITERAL_CODES + DISTANCE_CODES;
}

/// Code lengths as symbols of the code length alphabet with their extra bits, repeats wherever one fits.
fn told_in_runs<'r>(lengths: &[u8], runs: &'r mut [(u8, u8)]) -> &'r [(u8, u8)] {
    let (mut rest, mut count) = (lengths, 0);
    let mut last = None;
    while let Some(&bits) = rest.first() {
        let run = rest.iter().take_while(|&&other| other == bits).count();
        let (told, symbol, least) = match run {
            11.. if bits == 0 => (run.min(138), REPEAT_ZERO_LONG, 11),
            3.. if bits == 0 => (run, REPEAT_ZERO, 3),
            3.. if last == Some(bits) => (run.min(6), REPEAT_LAST, 3),
            _ => (1, bits, 1),
        };
        #[expect(clippy::cast_possible_truncation, reason = "at most 127")]
        let extra = (told - least) as u8;
        runs[count] = (symbol, extra);
        count += 1;
        last = Some(bits);
        rest = &rest[told..];
    }
    &runs[..count]
}

/// With fewer symbols, what codes of their own save is not worth their description, so it is not even computed.
const DYNAMIC_FROM: u32 = 128;
