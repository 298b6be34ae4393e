//! Writes streams of every kind, good ones and almost good ones, from numbers that look random.

/// Bits into bytes, the least significant first.
#[derive(Default)]
pub struct Writer {
    pub bytes: Vec<u8>,
    bits: usize,
}

impl Writer {
    pub fn number(&mut self, bits: usize, number: usize) -> &mut Self {
        for bit in 0..bits {
            if self.bits.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((number >> bit & 1) as u8) << (self.bits % 8);
            self.bits += 1;
        }
        self
    }

    /// A Huffman code: the most significant bit first.
    pub fn code(&mut self, bits: usize, code: usize) -> &mut Self {
        for bit in (0..bits).rev() {
            self.number(1, code >> bit & 1);
        }
        self
    }

    /// BFINAL and BTYPE.
    pub fn block(&mut self, is_last: bool, kind: usize) -> &mut Self {
        self.number(1, usize::from(is_last)).number(2, kind)
    }

    pub fn stored(&mut self, bytes: &[u8]) -> &mut Self {
        self.bits = self.bits.next_multiple_of(8);
        self.number(16, bytes.len()).number(16, !bytes.len());
        self.bytes.extend_from_slice(bytes);
        self.bits += 8 * bytes.len();
        self
    }

    /// The header of a dynamic block, and its code lengths, in a code length code that has as many bits for each.
    pub fn lengths(&mut self, literals: &[usize], distances: &[usize]) -> &mut Self {
        self.number(5, literals.len() - 257).number(5, distances.len() - 1).number(4, 15);
        // 16, 17 and 18 have no code, the others have one of four bits.
        self.number(9, 0);
        for _ in 0..16 {
            self.number(3, 4);
        }
        for length in literals.iter().chain(distances) {
            self.code(4, *length);
        }
        self
    }
}

/// A good stream of a few blocks, for a window of `window` bytes that holds `history` of them.
pub fn stream(seed: u64, history: usize, window: usize) -> Vec<u8> {
    let mut maker = Maker { writer: Writer::default(), seed, written: history, window };
    let blocks = 1 + maker.below(4);
    for block in 1..=blocks {
        let kind = maker.below(4);
        maker.writer.block(block == blocks, kind.min(2));
        match kind {
            0 => {
                let bytes: Vec<u8> = (0..maker.below(300)).map(|_| maker.below(256) as u8).collect();
                maker.writer.stored(&bytes);
                maker.written += bytes.len();
            }
            1 => maker.symbols(&codes(&FIXED), &codes(&[5; 30])),
            _ => maker.dynamic(),
        }
    }
    maker.writer.bytes
}

struct Maker {
    writer: Writer,
    seed: u64,
    /// Bytes that the stream stands for so far, and those before it.
    written: usize,
    window: usize,
}

impl Maker {
    fn below(&mut self, n: usize) -> usize {
        self.seed = self.seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.seed >> 33) as usize % n
    }

    fn dynamic(&mut self) {
        let mut literals = vec![0; 257 + self.below(30)];
        let mut distances = vec![0; 1 + self.below(30)];
        // Seldom the end of the block alone, which then has the code of one bit.
        let used = if self.below(8) == 0 { 0 } else { 1 + self.below(literals.len()) };
        let mut lengths = self.complete(1 + used.min(literals.len() - 1));
        literals[256] = lengths.pop().unwrap();
        self.assign(lengths, &mut literals);
        let used = self.below(distances.len() + 1);
        let lengths = self.complete(used);
        self.assign(lengths, &mut distances);
        self.writer.lengths(&literals, &distances);
        self.symbols(&codes(&literals), &codes(&distances));
    }

    /// Lengths of a code with so many symbols: leaves of a tree that is split here and there.
    fn complete(&mut self, symbols: usize) -> Vec<usize> {
        match symbols {
            0 => return Vec::new(),
            1 => return vec![1],
            _ => {}
        }
        let mut leaves = vec![0];
        let is_deep = self.below(2) == 0;
        while leaves.len() < symbols {
            let at = if is_deep { leaves.len() - 1 } else { self.below(leaves.len()) };
            let at = if leaves[at] < 15 { at } else { leaves.iter().position(|bits| *bits < 15).unwrap() };
            leaves[at] += 1;
            leaves.insert(at, leaves[at]);
        }
        leaves
    }

    /// To symbols that have no code yet.
    fn assign(&mut self, lengths: Vec<usize>, symbols: &mut [usize]) {
        for length in lengths {
            let mut at = self.below(symbols.len());
            while symbols[at] > 0 {
                at = (at + 1) % symbols.len();
            }
            symbols[at] = length;
        }
    }

    fn symbols(&mut self, literals: &[(usize, usize)], distances: &[(usize, usize)]) {
        for _ in 0..self.below(200) {
            let symbol = self.below(literals.len().min(286));
            let (bits, code) = literals[symbol];
            if bits == 0 || symbol == 256 {
                continue;
            }
            if symbol < 256 {
                self.writer.code(bits, code);
                self.written += 1;
                continue;
            }
            let to = self.below(distances.len());
            let extra = if to < 4 { 0 } else { to / 2 - 1 };
            let base = if to < 4 { to + 1 } else { 1 + ((2 + to % 2) << extra) };
            let Some(reach) = self.window.min(self.written).checked_sub(base) else { continue };
            if distances[to].0 == 0 {
                continue;
            }
            self.writer.code(bits, code);
            let length_extra = if (265..285).contains(&symbol) { (symbol - 261) / 4 } else { 0 };
            let more = self.below(1 << length_extra);
            self.writer.number(length_extra, more);
            self.writer.code(distances[to].0, distances[to].1);
            let further = self.below(1 << extra).min(reach);
            self.writer.number(extra, further);
            self.written += match symbol {
                257..=264 => symbol - 254,
                285 => 258,
                _ => 3 + ((4 + (symbol - 261) % 4) << length_extra) + more,
            };
        }
        self.writer.code(literals[256].0, literals[256].1);
    }
}

/// The bits and the code of each symbol (RFC 1951 §3.2.2).
pub fn codes(lengths: &[usize]) -> Vec<(usize, usize)> {
    let mut codes = vec![(0, 0); lengths.len()];
    let mut code = 0;
    for bits in 1..=15 {
        code <<= 1;
        for (symbol, _) in lengths.iter().enumerate().filter(|(_, length)| **length == bits) {
            codes[symbol] = (bits, code);
            code += 1;
        }
    }
    codes
}

/// "0 - 143: 8, 144 - 255: 9, 256 - 279: 7, 280 - 287: 8" (§3.2.6)
pub const FIXED: [usize; 288] = {
    let mut lengths = [8; 288];
    let mut symbol = 144;
    while symbol < 280 {
        lengths[symbol] = if symbol < 256 { 9 } else { 7 };
        symbol += 1;
    }
    lengths
};
