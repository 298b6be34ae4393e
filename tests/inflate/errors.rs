//! Each way in which data can be no DEFLATE, told apart.

use hopwire::deflate::{Alphabet, InflateError, Inflater};

use super::driver::{self, Outcome};
use super::naive;
use super::streams::{FIXED, Writer, codes};

/// The writer's stream is bad, in the eyes of the twin too; what was written before comes first.
#[track_caller]
fn bad(writer: &Writer, error: InflateError) {
    let told = driver::inflate(&mut Inflater::<32768>::new(), [&writer.bytes[..]], 100);
    assert_eq!(told.outcome, Outcome::Bad(error));
    assert_eq!(told, naive::inflate(&writer.bytes, &[], 32768));
}

/// A block of the given code lengths, then bits of ones.
fn dynamic(literals: &[(usize, usize)], distances: &[usize]) -> Writer {
    let mut lengths = vec![0; 286];
    for (symbol, bits) in literals {
        lengths[*symbol] = *bits;
    }
    let mut writer = Writer::default();
    writer.block(true, 2).lengths(&lengths, distances).number(32, 0xffff_ffff);
    writer
}

#[test]
fn block_type_3_is_reserved() {
    bad(Writer::default().block(true, 3), InflateError::BlockType);
}

#[test]
fn a_stored_length_has_its_complement_behind_it() {
    for nlen in [0, 5, 0xfffb] {
        bad(Writer::default().block(false, 0).number(5, 0).number(16, 5).number(16, nlen), InflateError::StoredLength);
    }
}

#[test]
fn counts_of_codes_are_judged_before_the_codes() {
    for hlit in [30, 31] {
        bad(Writer::default().block(true, 2).number(5, hlit).number(9, 0), InflateError::LiteralCount);
    }
    for hdist in [30, 31] {
        bad(Writer::default().block(true, 2).number(5, 29).number(5, hdist).number(4, 0), InflateError::DistanceCount);
    }
}

/// 17, 18 and 0 come after 16 in the code length code.
fn code_lengths(lengths: [usize; 5]) -> Writer {
    let mut writer = Writer::default();
    writer.block(true, 2).number(5, 0).number(5, 0).number(4, 1);
    for length in lengths {
        writer.number(3, length);
    }
    writer
}

#[test]
fn the_code_of_code_lengths_is_complete() {
    use InflateError::{OverSubscribed, UnderSubscribed};
    bad(&code_lengths([1, 1, 1, 0, 0]), OverSubscribed(Alphabet::CodeLength));
    bad(&code_lengths([1, 2, 2, 7, 0]), OverSubscribed(Alphabet::CodeLength));
    bad(&code_lengths([1, 2, 3, 0, 0]), UnderSubscribed(Alphabet::CodeLength));
    // One code alone is enough for distances only.
    bad(&code_lengths([0, 0, 0, 1, 0]), UnderSubscribed(Alphabet::CodeLength));
    bad(&code_lengths([0, 0, 0, 0, 0]), UnderSubscribed(Alphabet::CodeLength));
}

#[test]
fn repeats_need_a_length_before_them_and_room_behind_them() {
    // The code is 16: 0, 18: 1.
    bad(code_lengths([1, 0, 1, 0, 0]).number(8, 0), InflateError::RepeatOfNothing);
    // 138 + 121 = 259 lengths of 258
    let mut writer = code_lengths([1, 0, 1, 0, 0]);
    writer.code(1, 1).number(7, 138 - 11).code(1, 1).number(7, 121 - 11);
    bad(&writer, InflateError::RepeatTooLong);
    // Without a single code, the last repeat from the literals' into the distances'.
    let mut writer = code_lengths([1, 0, 1, 0, 0]);
    writer.code(1, 1).number(7, 138 - 11).code(1, 1).number(7, 117 - 11).code(1, 0).number(2, 0);
    bad(&writer, InflateError::NoEndOfBlock);
}

#[test]
fn the_end_of_the_block_has_a_code() {
    bad(&dynamic(&[(0, 1), (1, 1)], &[0]), InflateError::NoEndOfBlock);
}

#[test]
fn literal_codes_are_complete() {
    use InflateError::{OverSubscribed, UnderSubscribed};
    bad(&dynamic(&[(0, 1), (1, 1), (256, 15)], &[0]), OverSubscribed(Alphabet::Literal));
    bad(&dynamic(&[(0, 1), (1, 2), (2, 3), (256, 3), (257, 14)], &[0]), OverSubscribed(Alphabet::Literal));
    bad(&dynamic(&[(0, 1), (1, 2), (256, 3)], &[0]), UnderSubscribed(Alphabet::Literal));
    bad(&dynamic(&[(0, 2), (256, 2)], &[0]), UnderSubscribed(Alphabet::Literal));
    bad(&dynamic(&[(256, 2)], &[0]), UnderSubscribed(Alphabet::Literal));
    // Literals are judged first.
    bad(&dynamic(&[(256, 2)], &[1, 1, 1]), UnderSubscribed(Alphabet::Literal));
    // All of 256 to 285 at 15 bits: one less than the rest of a code of 1 to 10 bits.
    let mut deep: Vec<_> = (0..10).map(|symbol| (symbol, symbol + 1)).chain((256..286).map(|s| (s, 15))).collect();
    bad(&dynamic(&deep, &[0]), UnderSubscribed(Alphabet::Literal));
    deep.extend([(10, 15), (11, 15), (12, 15)]);
    bad(&dynamic(&deep, &[0]), OverSubscribed(Alphabet::Literal));
}

#[test]
fn distance_codes_are_complete_or_one_bit_alone_or_none() {
    use InflateError::{OverSubscribed, Symbol, UnderSubscribed};
    // "a", then a match of length 3: 256 is 0, 257 is 10, 97 is 11.
    let literals = [(97, 2), (256, 1), (257, 2)];
    let matched = |distances: &[usize]| {
        let mut lengths = vec![0; 258];
        literals.iter().for_each(|(symbol, bits)| lengths[*symbol] = *bits);
        let codes = codes(&lengths);
        let mut writer = Writer::default();
        writer.block(true, 2).lengths(&lengths, distances);
        writer.code(codes[97].0, codes[97].1).code(codes[257].0, codes[257].1);
        writer
    };
    bad(&matched(&[1, 1, 1]), OverSubscribed(Alphabet::Distance));
    bad(&matched(&[1, 2]), UnderSubscribed(Alphabet::Distance));
    bad(&matched(&[2]), UnderSubscribed(Alphabet::Distance));
    bad(&matched(&[2, 2, 2]), UnderSubscribed(Alphabet::Distance));
    // Neither code of one bit exists; then one does and the other does not.
    bad(matched(&[0]).number(1, 0), Symbol(Alphabet::Distance));
    bad(matched(&[1]).number(1, 1), Symbol(Alphabet::Distance));
    let mut writer = matched(&[1]);
    writer.number(1, 0).code(1, 0);
    let told = driver::inflate(&mut Inflater::<32768>::new(), [&writer.bytes[..]], 100);
    assert_eq!((told.outcome, &told.output[..]), (Outcome::End { consumed: writer.bytes.len() }, &b"aaaa"[..]));
    // Nobody asks for a distance where there is no match.
    let mut lengths = vec![0; 257];
    (lengths[97], lengths[256]) = (1, 1);
    let mut writer = Writer::default();
    writer.block(true, 2).lengths(&lengths, &[0]).code(1, 0).code(1, 1);
    let told = driver::inflate(&mut Inflater::<32768>::new(), [&writer.bytes[..]], 100);
    assert_eq!((told.outcome, &told.output[..]), (Outcome::End { consumed: writer.bytes.len() }, &b"a"[..]));
}

/// An empty block has one literal code, of one bit like a distance alone.
#[test]
fn the_end_of_the_block_can_be_the_only_code() {
    let mut lengths = vec![0; 257];
    lengths[256] = 1;
    let mut writer = Writer::default();
    writer.block(true, 2).lengths(&lengths, &[0]).code(1, 0);
    let told = driver::inflate(&mut Inflater::<32768>::new(), [&writer.bytes[..]], 100);
    assert_eq!((told.outcome, told.output.len()), (Outcome::End { consumed: writer.bytes.len() }, 0));
    let mut writer = Writer::default();
    bad(writer.block(true, 2).lengths(&lengths, &[0]).code(1, 1), InflateError::Symbol(Alphabet::Literal));
}

#[test]
fn fixed_codes_that_never_occur() {
    let fixed = codes(&FIXED);
    for symbol in [286, 287] {
        let mut writer = Writer::default();
        writer.block(true, 1).code(8, 0x30 + 97).code(fixed[symbol].0, fixed[symbol].1);
        bad(&writer, InflateError::Symbol(Alphabet::Literal));
    }
    for distance in [30, 31] {
        let mut writer = Writer::default();
        writer.block(true, 1).code(8, 0x30 + 97).code(7, 1).code(5, distance);
        bad(&writer, InflateError::Symbol(Alphabet::Distance));
    }
}

/// "a distance cannot refer past the beginning of the output stream"
#[test]
fn distances_reach_to_the_beginning_and_no_further() {
    for written in [0, 1, 2, 100, 32767, 32768] {
        let text = vec![b'x'; written];
        for (distance, code, extra) in [(1, 0, 0), (2, 1, 0), (3, 2, 0), (100, 13, 3), (101, 13, 4), (32768, 29, 8191)]
        {
            let mut writer = Writer::default();
            writer.block(false, 0).stored(&text);
            writer
                .block(true, 1)
                .code(7, 1)
                .code(5, code)
                .number(if code < 4 { 0 } else { code / 2 - 1 }, extra)
                .code(7, 0);
            let told = driver::inflate(&mut Inflater::<32768>::new(), [&writer.bytes[..]], 100);
            if distance <= written {
                assert_eq!(told.outcome, Outcome::End { consumed: writer.bytes.len() });
                assert_eq!(told.output.len(), written + 3);
            } else {
                bad(&writer, InflateError::Distance);
            }
        }
    }
}
