//! Runs the inflater as a caller does, and tells what came of it.

use hopwire::deflate::{InflateError, Inflater, Status};

/// All that a stream led to.
#[derive(Debug, PartialEq)]
pub struct Told {
    pub output: Vec<u8>,
    pub outcome: Outcome,
}

#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// The stream is over, after so many bytes of input.
    End {
        consumed: usize,
    },
    /// It goes on behind the input.
    More,
    Bad(InflateError),
}

/// Presents the pieces, and an output of `room` bytes each time.
pub fn inflate<'a, const N: usize>(
    inflater: &mut Inflater<N>,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    room: usize,
) -> Told {
    let mut told = Told { output: Vec::new(), outcome: Outcome::More };
    let (mut output, mut taken) = (vec![0; room], 0);
    for mut piece in pieces {
        loop {
            let inflated = match inflater.inflate(piece, &mut output) {
                Ok(inflated) => inflated,
                Err(error) => {
                    assert_eq!(inflater.inflate(piece, &mut output), Err(error), "an error is final");
                    told.outcome = Outcome::Bad(error);
                    return told;
                }
            };
            told.output.extend_from_slice(&output[..inflated.produced]);
            taken += inflated.consumed;
            piece = &piece[inflated.consumed..];
            match inflated.status {
                Status::Input => {
                    assert!(piece.is_empty(), "it asks for more, and {} bytes are left", piece.len());
                    break;
                }
                Status::Output => {
                    let is_full = inflated.produced == room;
                    assert!(is_full || inflater.inflate(piece, &mut output).is_err(), "it stopped early");
                }
                Status::End => {
                    let again = inflater.inflate(piece, &mut output).unwrap();
                    assert_eq!((again.consumed, again.produced, again.status), (0, 0, Status::End));
                    told.outcome = Outcome::End { consumed: taken };
                    return told;
                }
            }
        }
    }
    told
}
