//! Streaming UTF-8 against `std`.

use hopwire::bytes::utf8::check;

use super::{Prng, feeds};

pub fn run(data: &[u8]) {
    let whole = check(data);
    assert_eq!(whole, twin(data));

    let mut prng = Prng::of(data);
    for _ in 0..8 {
        let start = prng.below(data.len() + 1);
        let end = start + prng.below(data.len() - start + 1);
        assert_eq!(check(&data[start..end]), twin(&data[start..end]));
    }
    for pieces in feeds(data) {
        assert_eq!(streamed(&pieces), whole);
    }
}

fn twin(data: &[u8]) -> Result<usize, usize> {
    match std::str::from_utf8(data) {
        Ok(_) => Ok(data.len()),
        Err(error) if error.error_len().is_none() => Ok(error.valid_up_to()),
        Err(error) => Err(error.valid_up_to()),
    }
}

/// The same, with the start of a code point kept from one piece to the next.
fn streamed(pieces: &[&[u8]]) -> Result<usize, usize> {
    let (mut kept, mut before) = (Vec::new(), 0);
    for piece in pieces {
        kept.extend_from_slice(piece);
        let valid = check(&kept).map_err(|at| before + at)?;
        assert!(kept.len() - valid <= 3, "more than the start of a code point is held back");
        kept.drain(..valid);
        before += valid;
    }
    Ok(before)
}
