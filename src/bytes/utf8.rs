//! UTF-8 in pieces (RFC 3629): every byte is judged as soon as it is there.
//!
//! [`check`] is for bytes that are presented again with more behind them, [`Utf8`] for pieces that are gone
//! once they were seen. Both draw the line where a byte comes that no continuation could mend.

use core::str;

/// How much of `bytes` is whole, valid UTF-8.
///
/// `Ok(n)`: the first `n` bytes are valid, and the rest (at most 3 bytes) can still become one code point.
///
/// # Errors
/// `Err(n)`: the first `n` bytes are valid, and an ill-formed sequence starts at `n`, whatever follows.
pub fn check(bytes: &[u8]) -> Result<usize, usize> {
    let whole = bytes.len() - cut(bytes);
    if !well_formed(&bytes[..whole]) {
        return locate(bytes);
    }
    if whole == bytes.len() {
        return Ok(whole);
    }
    locate(&bytes[whole..]).map(|n| whole + n).map_err(|n| whole + n)
}

/// UTF-8 that comes in pieces which do not stay: what a cut code point still needs is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Utf8 {
    /// How many bytes the begun code point lacks.
    needed: u8,
    /// What the next of them must be, at least and at most.
    bounds: (u8, u8),
}

impl Utf8 {
    /// At the start of a text.
    pub const fn new() -> Self {
        Self { needed: 0, bounds: CONTINUATION }
    }

    /// Judges the next piece.
    ///
    /// # Errors
    /// `Err(n)`: with the byte at `n` of this piece the text is ill-formed, whatever follows. (The ill-formed sequence may
    /// have begun up to 3 bytes before, so in an earlier piece.) Then the state is that of before the call.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), usize> {
        let mut state = *self;
        let mut at = 0;
        while state.needed > 0 {
            let Some(&b) = piece.get(at) else {
                *self = state;
                return Ok(());
            };
            state = state.next(b).ok_or(at)?;
            at += 1;
        }
        // Whole up to here, so the rest is judged at full speed, and its begun or broken end byte by byte.
        let (Ok(valid) | Err(valid)) = check(&piece[at..]);
        for (n, &b) in piece.iter().enumerate().skip(at + valid) {
            state = state.next(b).ok_or(n)?;
        }
        *self = state;
        Ok(())
    }

    /// Whether the text may end here: no code point is begun.
    pub const fn is_complete(&self) -> bool {
        self.needed == 0
    }

    /// The state behind `b`, or `None` where `b` cannot stand.
    ///
    /// ```text
    /// UTF8-1    = %x00-7F
    /// UTF8-2    = %xC2-DF UTF8-tail
    /// UTF8-3    = %xE0 %xA0-BF UTF8-tail / %xE1-EC 2( UTF8-tail ) /
    ///             %xED %x80-9F UTF8-tail / %xEE-EF 2( UTF8-tail )
    /// UTF8-4    = %xF0 %x90-BF 2( UTF8-tail ) / %xF1-F3 3( UTF8-tail ) /
    ///             %xF4 %x80-8F 2( UTF8-tail )
    /// UTF8-tail = %x80-BF
    /// ```
    const fn next(self, b: u8) -> Option<Self> {
        if self.needed > 0 {
            let (low, high) = self.bounds;
            if b < low || b > high {
                return None;
            }
            return Some(Self { needed: self.needed - 1, bounds: CONTINUATION });
        }
        let (needed, bounds) = match b {
            0x00..=0x7f => (0, CONTINUATION),
            0xc2..=0xdf => (1, CONTINUATION),
            0xe0 => (2, (0xa0, 0xbf)),
            0xed => (2, (0x80, 0x9f)),
            0xe1..=0xef => (2, CONTINUATION),
            0xf0 => (3, (0x90, 0xbf)),
            0xf4 => (3, (0x80, 0x8f)),
            0xf1..=0xf3 => (3, CONTINUATION),
            _ => return None,
        };
        Some(Self { needed, bounds })
    }
}

impl Default for Utf8 {
    fn default() -> Self {
        Self::new()
    }
}

const CONTINUATION: (u8, u8) = (0x80, 0xbf);

/// The exact answer, without haste: for a handful of bytes, a cut end, or a text already known to be broken.
#[cold]
fn locate(bytes: &[u8]) -> Result<usize, usize> {
    match str::from_utf8(bytes) {
        Ok(_) => Ok(bytes.len()),
        Err(e) if e.error_len().is_none() => Ok(e.valid_up_to()),
        Err(e) => Err(e.valid_up_to()),
    }
}

/// How many bytes there are from the last lead byte that announces more than there is.
fn cut(bytes: &[u8]) -> usize {
    match *bytes {
        [.., last] if last >= 0xc0 => 1,
        [.., lead, _] if lead >= 0xe0 => 2,
        [.., lead, _, _] if lead >= 0xf0 => 3,
        _ => 0,
    }
}

/// Whether `bytes` are UTF-8.
///
/// Every byte is judged by itself and the three before it, in lanes: windows of `L + 3` bytes hold `L` bytes
/// and those before them. Windows may overlap, so that the ends need no loop of their own.
fn well_formed(bytes: &[u8]) -> bool {
    // What is begun at the end has no byte behind it that could tell.
    if cut(bytes) > 0 {
        return false;
    }
    match bytes.len() {
        ..11 => str::from_utf8(bytes).is_ok(),
        11..19 => both_ends::<8, 11>(bytes),
        19..35 => both_ends::<16, 19>(bytes),
        35..67 => both_ends::<32, 35>(bytes),
        67..WINDOW => both_ends::<32, 67>(bytes),
        WINDOW.. => long(bytes),
    }
}

/// One window from the start and one to the end, which together cover all.
#[inline(always)]
fn both_ends<const L: usize, const N: usize>(bytes: &[u8]) -> bool {
    let (Some(first), Some(last)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) else { return false };
    (first.is_ascii() && last.is_ascii())
        || (starts_well(bytes) && !ill_formed::<L, N, true>(first) && !ill_formed::<L, N, true>(last))
}

// A function of its own, so that nothing around it spoils the vector code.
#[inline(never)]
fn long(bytes: &[u8]) -> bool {
    if !starts_well(bytes) {
        return false;
    }
    let mut at = 0;
    // Four-byte sequences (emoji, above all) cost a third more, so they are judged only once one was seen.
    let mut four = false;
    while let Some(window) = bytes[at..].first_chunk::<WINDOW>() {
        if window.is_ascii() {
            at += BLOCK;
            continue;
        }
        if !four && ill_formed::<32, WINDOW, false>(window) {
            four = true;
        }
        if four && ill_formed::<32, WINDOW, true>(window) {
            return false;
        }
        at += BLOCK;
    }
    bytes.last_chunk::<WINDOW>().is_some_and(|last| !ill_formed::<32, WINDOW, true>(last))
}

/// Whether the first 3 bytes can stand where nothing is before them. (Eight are judged.)
#[inline(always)]
fn starts_well(bytes: &[u8]) -> bool {
    let Some(first) = bytes.first_chunk() else { return false };
    let word = u64::from_le_bytes(*first);
    let mut faults = Faults::<8>::NONE;
    let [b3, b2, b1, b0] = [24, 16, 8, 0].map(|by| (word << by).to_le_bytes());
    faults.judge::<true>(&b3, &b2, &b1, &b0);
    !faults.any::<true>()
}

/// Whether a byte of the window cannot stand where it is. The first three are not judged.
/// Without `FOUR`, any byte above 0xEF is one of those.
#[inline(always)]
fn ill_formed<const L: usize, const N: usize, const FOUR: bool>(window: &[u8; N]) -> bool {
    let mut faults = Faults::<L>::NONE;
    let lanes = |at: usize| window.get(at..)?.first_chunk::<L>();
    let mut at = 0;
    while let (Some(b3), Some(b2), Some(b1), Some(b0)) = (lanes(at), lanes(at + 1), lanes(at + 2), lanes(at + 3)) {
        faults.judge::<FOUR>(b3, b2, b1, b0);
        at += L;
    }
    let leads_before = !FOUR && window[..3].iter().any(|&b| b >= 0xf0);
    leads_before || faults.any::<FOUR>()
}

/// What was found wrong, in lanes. Plain loops over arrays, which the compiler turns into vector code: no
/// branch and no table in them, and only what SSE2 has for bytes.
struct Faults<const L: usize> {
    /// The top bit: a byte is no continuation where one must be, or is one where none may be, or would make
    /// the code point overlong, a surrogate, or too large.
    order: [u8; L],
    /// The least of all bytes with 0xC0 taken away by exclusive or: 0 and 1 are 0xC0 and 0xC1.
    least: [u8; L],
    greatest: [u8; L],
}

impl<const L: usize> Faults<L> {
    const NONE: Self = Self { order: [0; L], least: [0xff; L], greatest: [0; L] };

    /// Judges each byte of the last array by those 3, 2 and 1 before it.
    #[inline(always)]
    fn judge<const FOUR: bool>(&mut self, b3: &[u8; L], b2: &[u8; L], b1: &[u8; L], b0: &[u8; L]) {
        for n in 0..L {
            let (b3, b2, b1, b0) = (b3[n], b2[n], b1[n], b0[n]);
            let continuation = mask(b0.cast_signed() < 0xc0_u8.cast_signed());
            // The top bit is set behind a lead of any length, one behind of three or four, two behind of four.
            let mut expected = b1.saturating_sub(0xc0 - 0x80) | b2.saturating_sub(0xe0 - 0x80);
            // The lead behind which this byte cannot stand: E0 before 80..9F, ED before A0..BF.
            let never = 0xe0 ^ (mask(b0.cast_signed() > 0x9f_u8.cast_signed()) & (0xe0 ^ 0xed));
            let mut forbidden = mask(b1 == never);
            if FOUR {
                expected |= b3.saturating_sub(0xf0 - 0x80);
                // F0 before 80..8F, F4 before 90..BF.
                let never = 0xf0 ^ (mask(b0.cast_signed() > 0x8f_u8.cast_signed()) & (0xf0 ^ 0xf4));
                forbidden |= mask(b1 == never);
            }
            self.order[n] |= (continuation ^ expected) | forbidden;
            self.least[n] = self.least[n].min(b0 ^ 0xc0);
            self.greatest[n] = self.greatest[n].max(b0);
        }
    }

    #[inline(always)]
    fn any<const FOUR: bool>(mut self) -> bool {
        let greatest = if FOUR { 0xf4 } else { 0xef };
        for n in 0..L {
            self.order[n] |= mask(self.least[n] < 2) | mask(self.greatest[n] > greatest);
        }
        any_top_bit(&self.order)
    }
}

#[inline(always)]
fn any_top_bit<const L: usize>(lanes: &[u8; L]) -> bool {
    let words = lanes.as_chunks::<8>().0;
    words.iter().fold(0, |seen, word| seen | u64::from_le_bytes(*word)) & 0x8080_8080_8080_8080 != 0
}

#[inline(always)]
const fn mask(truth: bool) -> u8 {
    if truth { 0xff } else { 0 }
}

/// Bytes judged at a time in a long text.
const BLOCK: usize = 128;
const WINDOW: usize = BLOCK + 3;

#[cfg(test)]
mod tests {
    use std::{string::String, vec, vec::Vec};

    use proptest::prelude::*;

    use super::*;

    /// The standard library's answer, then byte by byte through [`Utf8`].
    fn agree(bytes: &[u8]) {
        let answer = check(bytes);
        assert_eq!(answer, locate(bytes), "{bytes:02x?}");
        let (judged, state) = pushed(bytes.chunks(1));
        assert_same(answer, judged, state, bytes);
    }

    /// All pieces through one state: the offset of the fault in the whole, and the state at the end.
    fn pushed<'b>(pieces: impl Iterator<Item = &'b [u8]>) -> (Result<usize, usize>, Utf8) {
        let mut utf8 = Utf8::new();
        let mut len = 0;
        for piece in pieces {
            if let Err(at) = utf8.push(piece) {
                return (Err(len + at), utf8);
            }
            len += piece.len();
        }
        (Ok(len), utf8)
    }

    /// `check` names the start of an ill-formed sequence, `Utf8` the byte that made it one.
    fn assert_same(answer: Result<usize, usize>, judged: Result<usize, usize>, state: Utf8, bytes: &[u8]) {
        match (answer, judged) {
            (Ok(valid), Ok(len)) => assert_eq!((len, state.is_complete()), (bytes.len(), valid == len), "{bytes:02x?}"),
            (Err(start), Err(fault)) => {
                assert_eq!(locate(&bytes[..fault]), Ok(start), "{bytes:02x?}");
                assert_eq!(locate(&bytes[..=fault]), Err(start), "{bytes:02x?}");
            }
            _ => panic!("{answer:?} but {judged:?} for {bytes:02x?}"),
        }
    }

    /// Puts `sequence` at the start, at the end, and across the edges of lanes and windows, among ASCII and among kana.
    fn agree_everywhere(sequence: &[u8], at: &[usize], len: usize) {
        for &at in at {
            for filler in ["a", "あ"] {
                let mut bytes = filler.repeat(at / filler.len()).into_bytes();
                bytes.extend(sequence);
                assert_eq!(check(&bytes), locate(&bytes), "{sequence:02x?} at the end of {at} of {filler}");
                bytes.extend(filler.repeat(len / filler.len()).bytes());
                assert_eq!(check(&bytes), locate(&bytes), "{sequence:02x?} at {at} of {len} of {filler}");
            }
        }
    }

    #[test]
    fn every_sequence_of_one_and_two_bytes_anywhere() {
        agree(b"");
        for a in 0..=u8::MAX {
            agree(&[a]);
            for b in 0..=u8::MAX {
                agree(&[a, b]);
                if a >= 0x80 && b % 8 < 2 {
                    agree_everywhere(&[a, b], &[9, 159], 150);
                }
            }
        }
    }

    #[test]
    fn every_sequence_of_three_bytes() {
        // Behind ASCII the other two are covered above.
        for a in 0x80..=u8::MAX {
            for b in 0..=u8::MAX {
                let two = Utf8::new().next(a).and_then(|state| state.next(b));
                for c in 0..=u8::MAX {
                    let (viable, complete) = match str::from_utf8(&[a, b, c]) {
                        Ok(_) => (true, true),
                        Err(e) => (e.error_len().is_none(), false),
                    };
                    let state = two.and_then(|state| state.next(c));
                    assert_eq!((state.is_some(), state.is_some_and(|state| state.is_complete())), (viable, complete));
                    // Lanes of eight, with ASCII behind: what is only begun is wrong.
                    if two.is_some() || c % 16 == 0 {
                        let bytes = [b'a', b'b', b'c', b'd', b'e', b'f', b'g', a, b, c, b'h', b'i', b'j', b'k'];
                        assert_eq!(well_formed(&bytes), complete, "{a:#x} {b:#x} {c:#x}");
                    }
                }
            }
        }
    }

    #[test]
    fn edges_of_every_range_in_four_bytes() {
        let edges = [
            0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
            0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff,
        ];
        for a in edges {
            for b in edges {
                for c in edges {
                    for d in [0x7f, 0x80, 0xbf, 0xc0, 0xc2, 0xe3, 0xf0] {
                        agree(&[a, b, c, d]);
                        if a >= 0xe0 && b >= 0x80 && d % 2 == 0 {
                            agree_everywhere(&[a, b, c, d], &[30, 129], 135);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn every_code_point_in_every_window() {
        let all: String = ('\0'..=char::MAX).collect();
        assert_eq!(check(all.as_bytes()), Ok(all.len()));
        for piece in [11, 19, 35, 67, 131, 300] {
            for bytes in all.as_bytes().chunks(piece) {
                let start = bytes.iter().take_while(|b| matches!(b, 0x80..=0xbf)).count();
                assert_eq!(check(&bytes[start..]), locate(&bytes[start..]));
            }
        }
    }

    #[test]
    fn a_wrong_byte_at_every_place_of_every_length() {
        let texts =
            ["a".repeat(420), "あ".repeat(140), "я".repeat(210), "👋".repeat(105), "aяあ👋".repeat(42), mixed()];
        for text in &texts {
            for len in (0..100).chain(128..136).chain(256..262).chain(389..391) {
                let good = &text.as_bytes()[..len];
                assert_eq!(check(good), locate(good));
                for at in (0..len).step_by(if len < 68 { 1 } else { 5 }) {
                    for wrong in [b'a', 0x80, 0xbf, 0xc0, 0xc3, 0xe0, 0xed, 0xf0, 0xf4, 0xff] {
                        let mut bytes = good.to_vec();
                        bytes[at] = wrong;
                        assert_eq!(check(&bytes), locate(&bytes), "{wrong:#x} at {at} of {len}");
                    }
                }
            }
        }
    }

    fn mixed() -> String {
        ["x".repeat(131), "é".repeat(40), "y".repeat(140), "漢字😀".repeat(20)].concat()
    }

    #[test]
    fn a_begun_code_point_waits_and_a_hopeless_one_does_not() {
        let before = "あ".repeat(50);
        for (end, viable) in [
            (&[0xe3][..], true),
            (&[0xe3, 0x81], true),
            (&[0xf0, 0x9f, 0x91], true),
            (&[0xe0, 0xa0], true),
            (&[0xed, 0x9f], true),
            (&[0xf4, 0x8f], true),
            (&[0xf4, 0x90], false),
            (&[0xe0, 0x80], false),
            (&[0xed, 0xa0], false),
            (&[0xf0, 0x8f], false),
            (&[0xc0], false),
            (&[0xc1], false),
            (&[0xf5], false),
            (&[0xff], false),
            (&[0x80], false),
            (&[0xe3, 0xe3], false),
            (&[0xe3, 0x81, 0xe3], false),
            (&[0xe3, 0xf0, 0x80, 0x80], false),
        ] {
            for before in ["", "abcdefghijkl", &before] {
                let bytes = [before.as_bytes(), end].concat();
                let expected = if viable { Ok(before.len()) } else { Err(before.len()) };
                assert_eq!(check(&bytes), expected, "{end:02x?}");
                assert_eq!(Utf8::new().push(&bytes).is_ok(), viable, "{end:02x?}");
            }
        }
    }

    #[test]
    fn a_refused_piece_changes_nothing() {
        let mut utf8 = Utf8::new();
        assert_eq!(utf8.push(b"a\xf0\x9f"), Ok(()));
        let before = utf8;
        assert_eq!(utf8.push(b"\x91a"), Err(1));
        assert_eq!(utf8, before);
        assert_eq!(utf8.push(b""), Ok(()));
        assert_eq!(utf8.push(b"\x91\x8b"), Ok(()));
        assert!(utf8.is_complete());
        assert_eq!(utf8.push(b"abc\xe3"), Ok(()));
        assert!(!utf8.is_complete());
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let run = prop_oneof![
            "[a-z ]{0,90}",
            "[а-я]{0,40}",
            "[あ-んア-ン]{0,60}",
            "[가-힣]{0,30}",
            "[😀-🙏]{0,20}",
            "\\PC{0,20}"
        ];
        prop::collection::vec(run, 0..8).prop_map(|runs| runs.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn any_text_with_any_faults_agrees_with_the_standard_library(
            text in text(),
            faults in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
            from in 0..40_usize,
        ) {
            let mut bytes = text;
            if !bytes.is_empty() {
                for (at, b) in faults {
                    let at = at.index(bytes.len());
                    bytes[at] = b;
                }
            }
            let bytes = &bytes[from.min(bytes.len())..];
            prop_assert_eq!(check(bytes), locate(bytes));
            for end in 0..bytes.len().min(140) {
                prop_assert_eq!(check(&bytes[..end]), locate(&bytes[..end]));
            }
        }

        #[test]
        fn any_split_is_judged_as_the_whole(
            text in text(),
            fault in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
            sizes in prop::collection::vec(0..70_usize, 1..12),
        ) {
            let mut bytes = text;
            if let Some((at, b)) = fault && !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = b;
            }
            let mut rest = &bytes[..];
            let mut pieces = vec![];
            for size in sizes {
                let (piece, behind) = rest.split_at(size.min(rest.len()));
                pieces.push(piece);
                rest = behind;
            }
            pieces.push(rest);
            let (judged, state) = pushed(pieces.into_iter());
            assert_same(check(&bytes), judged, state, &bytes);
            let (judged, state) = pushed(bytes.chunks(1));
            assert_same(check(&bytes), judged, state, &bytes);
        }
    }
}
