//! The obvious inflater: bit by bit, codes in a map, the whole input and output at hand.

use std::collections::BTreeMap;

use hopwire::deflate::{Alphabet, InflateError};

use super::driver::{Outcome, Told};

/// What a stream at the beginning of `data` is, through a window of `window` bytes that holds `history`.
pub fn inflate(data: &[u8], history: &[u8], window: usize) -> Told {
    let mut twin = Twin { data, at: 0, output: history.to_vec(), window };
    let outcome = match twin.stream() {
        Ok(()) => Outcome::End { consumed: twin.at.div_ceil(8) },
        Err(Stop::More) => Outcome::More,
        Err(Stop::Bad(error)) => Outcome::Bad(error),
    };
    Told { output: twin.output.split_off(history.len()), outcome }
}

enum Stop {
    More,
    Bad(InflateError),
}

impl From<InflateError> for Stop {
    fn from(error: InflateError) -> Self {
        Self::Bad(error)
    }
}

struct Twin<'a> {
    data: &'a [u8],
    /// The next bit.
    at: usize,
    /// The history, and all output after it.
    output: Vec<u8>,
    window: usize,
}

impl Twin<'_> {
    fn stream(&mut self) -> Result<(), Stop> {
        loop {
            let header = self.number(3)?;
            match header >> 1 {
                0 => self.stored()?,
                1 => {
                    let literals = [vec![8; 144], vec![9; 112], vec![7; 24], vec![8; 8]].concat();
                    self.symbols(&codes(&literals), &codes(&[5; 32]))?;
                }
                2 => self.dynamic()?,
                _ => return Err(InflateError::BlockType.into()),
            }
            if header & 1 == 1 {
                return Ok(());
            }
        }
    }

    fn stored(&mut self) -> Result<(), Stop> {
        self.at = self.at.next_multiple_of(8);
        let both = self.number(32)?;
        if both & 0xffff != !both >> 16 & 0xffff {
            return Err(InflateError::StoredLength.into());
        }
        for _ in 0..both & 0xffff {
            let byte = self.number(8)?;
            self.output.push(byte as u8);
        }
        Ok(())
    }

    fn dynamic(&mut self) -> Result<(), Stop> {
        let header = self.number(14)?;
        let (literals, distances, lengths) = (257 + (header & 31), 1 + (header >> 5 & 31), 4 + (header >> 10));
        if literals > 286 {
            return Err(InflateError::LiteralCount.into());
        }
        if distances > 30 {
            return Err(InflateError::DistanceCount.into());
        }
        let mut of_lengths = [0; 19];
        for symbol in ORDER.into_iter().take(lengths) {
            of_lengths[symbol] = self.number(3)?;
        }
        let of_lengths = judged(&of_lengths, Alphabet::CodeLength)?;
        let mut lengths = Vec::new();
        while lengths.len() < literals + distances {
            let (length, times) = match self.symbol(&of_lengths, Alphabet::CodeLength)? {
                16 => {
                    let times = 3 + self.number(2)?;
                    (*lengths.last().ok_or(InflateError::RepeatOfNothing)?, times)
                }
                17 => (0, 3 + self.number(3)?),
                18 => (0, 11 + self.number(7)?),
                length => (length, 1),
            };
            lengths.resize(lengths.len() + times, length);
        }
        if lengths.len() > literals + distances {
            return Err(InflateError::RepeatTooLong.into());
        }
        if lengths[256] == 0 {
            return Err(InflateError::NoEndOfBlock.into());
        }
        let (literals, distances) = lengths.split_at(literals);
        let literals = judged(literals, Alphabet::Literal)?;
        self.symbols(&literals, &judged(distances, Alphabet::Distance)?)
    }

    fn symbols(&mut self, literals: &Codes, distances: &Codes) -> Result<(), Stop> {
        loop {
            let symbol = match self.symbol(literals, Alphabet::Literal)? {
                literal @ 0..=255 => {
                    self.output.push(literal as u8);
                    continue;
                }
                256 => return Ok(()),
                symbol @ 257..=285 => symbol,
                _ => return Err(InflateError::Symbol(Alphabet::Literal).into()),
            };
            let length = match symbol {
                257..=264 => symbol - 254,
                265..=284 => {
                    let extra = (symbol - 261) / 4;
                    3 + ((4 + (symbol - 261) % 4) << extra) + self.number(extra)?
                }
                _ => 258,
            };
            let distance = match self.symbol(distances, Alphabet::Distance)? {
                symbol @ 0..=3 => symbol + 1,
                symbol @ 4..=29 => {
                    let extra = symbol / 2 - 1;
                    1 + ((2 + symbol % 2) << extra) + self.number(extra)?
                }
                _ => return Err(InflateError::Symbol(Alphabet::Distance).into()),
            };
            if distance > self.window || distance > self.output.len() {
                return Err(InflateError::Distance.into());
            }
            for _ in 0..length {
                self.output.push(self.output[self.output.len() - distance]);
            }
        }
    }

    /// "Huffman codes are packed starting with the most-significant bit of the code."
    fn symbol(&mut self, codes: &Codes, alphabet: Alphabet) -> Result<usize, Stop> {
        let (mut bits, mut code) = (0, 0);
        loop {
            (bits, code) = (bits + 1, code << 1 | self.number(1)?);
            if let Some(symbol) = codes.get(&(bits, code)) {
                return Ok(*symbol);
            }
            // Other codes are complete: each sequence of bits begins with one.
            if codes.len() < 2 {
                return Err(InflateError::Symbol(alphabet).into());
            }
        }
    }

    /// "Data elements other than Huffman codes are packed starting with the least-significant bit"
    fn number(&mut self, bits: usize) -> Result<usize, Stop> {
        let mut number = 0;
        for bit in 0..bits {
            let byte = self.data.get((self.at + bit) / 8).ok_or(Stop::More)?;
            number |= usize::from(byte >> ((self.at + bit) % 8) & 1) << bit;
        }
        self.at += bits;
        Ok(number)
    }
}

/// Symbols by the number of bits of their code, and the code.
type Codes = BTreeMap<(usize, usize), usize>;

/// "codes of a given bit length have lexicographically consecutive values" and "shorter codes lexicographically
/// precede longer codes"
fn codes(lengths: &[usize]) -> Codes {
    let mut codes = Codes::new();
    let mut code = 0;
    for bits in 1..=15 {
        code <<= 1;
        for (symbol, _) in lengths.iter().enumerate().filter(|(_, length)| **length == bits) {
            codes.insert((bits, code), symbol);
            code += 1;
        }
    }
    codes
}

/// The codes, if each sequence of bits begins with one and no more than one.
fn judged(lengths: &[usize], alphabet: Alphabet) -> Result<Codes, InflateError> {
    let share: usize = lengths.iter().filter(|length| **length > 0).map(|length| 1 << (15 - length)).sum();
    let one_bit_at_most = lengths.iter().sum::<usize>() <= 1;
    if share > 1 << 15 {
        return Err(InflateError::OverSubscribed(alphabet));
    }
    if share < 1 << 15 && (alphabet == Alphabet::CodeLength || !one_bit_at_most) {
        return Err(InflateError::UnderSubscribed(alphabet));
    }
    Ok(codes(lengths))
}

/// "in the order: 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15"
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
