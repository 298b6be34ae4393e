//! Any stream at any split, against the naive reader; what is encoded is decoded.

use std::time::Duration;

use hopwire::io::Tx;
use hopwire::sse::{Decoder, MAX_EVENT, Outgoing, encode_comment};
use proptest::prelude::*;

use super::driver::play;
use super::naive;

/// Streams of parts that mean something.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        6 => prop::sample::select(NAMES),
        6 => prop::sample::select(ENDS),
        3 => prop::sample::select(VALUES),
        2 => prop::sample::select(TEXTS),
    ];
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

const NAMES: &[&[u8]] = &[b"data: ", b"data:", b"data", b"event: ", b"id: ", b"id", b"retry: ", b": ", b":", b"foo: "];
const ENDS: &[&[u8]] = &[b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n", b"\r\r"];
const VALUES: &[&[u8]] =
    &[b"a", b"7", b" ", b"\t", b"\0", b"word and word", b"dat", &[b'x'; 150], &[b'y'; 300], &[b'\t'; 140]];
const TEXTS: &[&[u8]] = &[b"\xef\xbb\xbf", b"\xc3\xa9\xe6\x97\xa5", b"\xff", b"\xe2\x82", b"\xf0\x9f\x98", b"\xc0\xaf"];

/// However far a line goes on, one byte that is no UTF-8 is seen (the driver looks), whichever read it came in.
#[test]
fn a_long_line_in_long_pieces_is_judged_to_its_end() {
    for start in ["data: ", "id: 1\ndata: "] {
        for bad in (20..700).step_by(40) {
            let mut stream = [start.as_bytes(), &[b'x'; 700], b"\n\n"].concat();
            stream[bad] = 0xff;
            assert_eq!(play(&mut Decoder::new(), stream.chunks(40)), naive::read(&stream, ""), "{start:?} {bad}");
        }
    }
}

proptest! {
    #[test]
    fn any_split_gives_what_the_naive_reader_gives(stream in stream(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let expected = naive::read(&stream, "seed");
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.sort_unstable();
        let mut starts = vec![0];
        starts.extend(&cuts);
        cuts.push(stream.len());
        let pieces = starts.into_iter().zip(cuts).map(|(from, to)| &stream[from..to]);
        // The naive reader has no limit: room for an id of forty long values.
        let mut decoder = Decoder::<{ 16 << 10 }>::with_room(MAX_EVENT);
        decoder.set_last_event_id("seed").unwrap();
        prop_assert_eq!(&play(&mut decoder.clone(), pieces), &expected);
        prop_assert_eq!(&play(&mut decoder, stream.chunks(1)), &expected);
    }

    #[test]
    fn what_is_encoded_is_decoded(
        data in prop::option::of("([a-z]{0,20}|\r|\n|\r\n| |:|\u{65e5}|data: x){0,30}"),
        event in prop::option::of("[ a-z:\u{e9}]{0,10}"),
        id in prop::option::of("[!-~]([ -~\t]{0,8}[!-~])?"),
        retry in prop::option::of(any::<u64>()),
        comment in "(a|\r|\n|data: x){0,5}",
    ) {
        let mut outgoing = data.as_deref().map_or_else(Outgoing::silent, Outgoing::data);
        outgoing = event.as_deref().map_or(outgoing, |event| outgoing.event(event));
        outgoing = id.as_deref().map_or(outgoing, |id| outgoing.id(id));
        outgoing = retry.map_or(outgoing, |retry| outgoing.retry(Duration::from_millis(retry)));
        let mut out = vec![0; 1 << 16];
        let mut tx = Tx::new(&mut out);
        encode_comment(&comment, &mut tx).unwrap();
        let before = tx.len();
        outgoing.encode(&mut tx).unwrap();
        let needed = tx.len() - before;
        let told = play(&mut Decoder::new(), [tx.written()]);
        // Whole or not at all, and `Full` says how much.
        let mut less = vec![0; needed - 1];
        let mut less = Tx::new(&mut less);
        prop_assert_eq!(outgoing.encode(&mut less), Err(hopwire::io::Full { needed }.into()));
        prop_assert!(less.is_empty());
        let id = id.unwrap_or_default();
        let event = event.filter(|event| !event.is_empty()).unwrap_or_else(|| "message".to_owned());
        let events: Vec<_> = data.map(|data| [event, data.replace("\r\n", "\n").replace('\r', "\n"), id.clone()]).into_iter().collect();
        prop_assert_eq!(told, naive::Told { events, retry, last_id: id, skipped: 0 });
    }
}
