//! An inflater that is slow and obvious (RFC 1951), and tells what the data looks like.

/// Inflated data, and how it was told.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub bytes: Vec<u8>,
    /// BTYPE of each block, and how many bytes it stands for.
    pub blocks: Vec<(Kind, usize)>,
    /// The greatest distance of a match.
    pub farthest: usize,
    /// Whether a block said that it is the last.
    pub ended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Stored,
    Fixed,
    Dynamic,
}

/// Reads whole blocks: all of `data`, or up to the last one and the end of its byte. What is wrong, in words.
pub fn inflate(data: &[u8]) -> Result<Told, &'static str> {
    let mut bits = Bits { data, at: 0 };
    let mut told = Told::default();
    while !told.ended && bits.at < 8 * data.len() {
        told.ended = bits.number(1)? == 1;
        let before = told.bytes.len();
        let kind = match bits.number(2)? {
            0 => {
                bits.at = bits.at.next_multiple_of(8);
                let (len, not_len) = (bits.number(16)?, bits.number(16)?);
                if len != !not_len & 0xffff {
                    return Err("LEN and NLEN differ");
                }
                for _ in 0..len {
                    told.bytes.push(bits.number(8)? as u8);
                }
                Kind::Stored
            }
            1 => {
                let literals = [vec![8; 144], vec![9; 112], vec![7; 24], vec![8; 8]].concat();
                content(&mut bits, &mut told, &Code::new(&literals, false)?, &Code::new(&[5; 32], false)?)?;
                Kind::Fixed
            }
            2 => {
                let (literals, distances) = codes(&mut bits)?;
                content(&mut bits, &mut told, &literals, &distances)?;
                Kind::Dynamic
            }
            _ => return Err("block type 3"),
        };
        told.blocks.push((kind, told.bytes.len() - before));
    }
    if bits.at.div_ceil(8) < data.len() {
        return Err("bytes behind the last block");
    }
    Ok(told)
}

struct Bits<'d> {
    data: &'d [u8],
    at: usize,
}

impl Bits<'_> {
    fn number(&mut self, count: usize) -> Result<usize, &'static str> {
        let mut number = 0;
        for i in 0..count {
            let byte = self.data.get(self.at / 8).ok_or("the data is cut off")?;
            number |= usize::from(byte >> (self.at % 8) & 1) << i;
            self.at += 1;
        }
        Ok(number)
    }
}

/// The symbols with codes of each length, in order; §3.2.2 says what codes those are.
struct Code(Vec<Vec<usize>>);

impl Code {
    fn new(lengths: &[usize], may_be_short: bool) -> Result<Self, &'static str> {
        let with = |len| (0..lengths.len()).filter(|&symbol| lengths[symbol] == len).collect();
        let code = Self((1..=15).map(with).collect());
        let used: usize = code.0.iter().map(Vec::len).sum();
        let room: usize = (1..).zip(&code.0).map(|(len, symbols)| symbols.len() << (15 - len)).sum();
        // "If only one distance code is used, it is encoded using one bit"; or there is none.
        let short = may_be_short && (used == 0 || used == 1 && room == 1 << 14);
        if room != 1 << 15 && !short { Err("the code is not complete") } else { Ok(code) }
    }

    fn symbol(&self, bits: &mut Bits<'_>) -> Result<usize, &'static str> {
        let (mut code, mut first) = (0, 0);
        for symbols in &self.0 {
            code = code << 1 | bits.number(1)?;
            if let Some(&symbol) = symbols.get(code - first) {
                return Ok(symbol);
            }
            first = (first + symbols.len()) << 1;
        }
        Err("bits that are no code")
    }
}

fn codes(bits: &mut Bits<'_>) -> Result<(Code, Code), &'static str> {
    let (literals, distances) = (bits.number(5)? + 257, bits.number(5)? + 1);
    let told = bits.number(4)? + 4;
    let mut lengths = vec![0; 19];
    for symbol in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15].into_iter().take(told) {
        lengths[symbol] = bits.number(3)?;
    }
    let code = Code::new(&lengths, false)?;
    let mut lengths: Vec<usize> = Vec::new();
    while lengths.len() < literals + distances {
        let (len, times) = match code.symbol(bits)? {
            16 => (*lengths.last().ok_or("a repeat of nothing")?, 3 + bits.number(2)?),
            17 => (0, 3 + bits.number(3)?),
            18 => (0, 11 + bits.number(7)?),
            len => (len, 1),
        };
        lengths.extend(vec![len; times]);
    }
    if lengths.len() > literals + distances || literals > 286 || distances > 30 {
        return Err("too many codes");
    }
    let distances = lengths.split_off(literals);
    Ok((Code::new(&lengths, false)?, Code::new(&distances, true)?))
}

fn content(bits: &mut Bits<'_>, told: &mut Told, literals: &Code, distances: &Code) -> Result<(), &'static str> {
    loop {
        let length = match literals.symbol(bits)? {
            256 => return Ok(()),
            literal @ 0..256 => {
                told.bytes.push(literal as u8);
                continue;
            }
            285 => 258,
            // Four codes for each number of extra bits, after eight without.
            symbol @ 257..285 => match (symbol - 257, symbol.saturating_sub(261) / 4) {
                (code, 0) => code + 3,
                (code, extra) => ((4 + code % 4) << extra) + 3 + bits.number(extra)?,
            },
            _ => return Err("286 or 287"),
        };
        let distance = match distances.symbol(bits)? {
            symbol @ 0..4 => symbol + 1,
            // Two codes for each number of extra bits.
            symbol @ 4..30 => {
                let extra = symbol / 2 - 1;
                ((2 + symbol % 2) << extra) + 1 + bits.number(extra)?
            }
            _ => return Err("30 or 31"),
        };
        told.farthest = told.farthest.max(distance);
        for _ in 0..length {
            let from = told.bytes.len().checked_sub(distance).ok_or("a distance too far back")?;
            told.bytes.push(told.bytes[from]);
        }
    }
}
