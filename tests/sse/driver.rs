//! Plays a stream into a decoder, in pieces, and tells what came out.

use hopwire::io::Rx;
use hopwire::sse::{Decoder, Event};

use super::naive::Told;

/// Feeds `pieces`, each as one read, and then the end of input.
pub fn play<'a, const ID: usize>(decoder: &mut Decoder<ID>, pieces: impl IntoIterator<Item = &'a [u8]>) -> Told {
    let mut told = Told::default();
    let mut inbox = Vec::new();
    let mut step = |inbox: &mut Vec<u8>, last| {
        let before = inbox.clone();
        let mut rx = if last { Rx::last(inbox) } else { Rx::new(inbox) };
        let mut polls = 0;
        while let Some(event) = decoder.poll(&mut rx) {
            polls += 1;
            assert!(polls <= rx.consumed(), "events without input");
            match event {
                Event::Message(message) => {
                    assert_eq!(message.data.text().is_some(), std::str::from_utf8(message.data.as_bytes()).is_ok());
                    let id = decoder.last_event_id().as_str().to_owned();
                    told.events.push([message.event.to_string(), message.data.to_string(), id]);
                }
                Event::Skipped(_) => told.skipped += 1,
                event => panic!("{event:?}"),
            }
        }
        let used = rx.consumed();
        assert_eq!(inbox[used..], before[used..], "what is not consumed is not changed");
        assert!(!last || used == inbox.len(), "the end leaves nothing");
        inbox.drain(..used);
    };
    for piece in pieces {
        inbox.extend_from_slice(piece);
        step(&mut inbox, false);
    }
    step(&mut inbox, true);
    told.last_id = decoder.last_event_id().as_str().to_owned();
    told.retry = decoder.reconnection_time().map(|it| u64::try_from(it.as_millis()).expect("set from 64 bits"));
    told
}
