//! `deflate::Inflater` against an inflater that reads bit by bit.

use hopwire::deflate::Inflater;

use super::feeds;

#[path = "../../tests/inflate/driver.rs"]
mod driver;
#[path = "../../tests/inflate/naive.rs"]
mod naive;
#[path = "../../tests/inflate/streams.rs"]
pub mod streams;

pub fn run(data: &[u8]) {
    play::<32768>(data);
    play::<256>(data);
}

fn play<const N: usize>(data: &[u8]) {
    let told = naive::inflate(data, &[], N);
    let mut inflater = Inflater::<N>::new();
    for (pieces, room) in feeds(data).into_iter().zip([1 << 16, 700, 3, 40].into_iter().cycle()) {
        inflater.reset();
        assert_eq!(driver::inflate(&mut inflater, pieces, room), told, "{}", data.escape_ascii());
    }
}
