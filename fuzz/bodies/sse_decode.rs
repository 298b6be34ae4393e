//! `sse::Decoder` against a reader of the whole stream that follows the specification word by word.

#[path = "../../tests/sse/driver.rs"]
mod driver;
#[path = "../../tests/sse/naive.rs"]
mod naive;

use hopwire::io::RxBuffer;
use hopwire::sse::{Decoder, Event, MAX_EVENT};

use super::feeds;

pub fn run(data: &[u8]) {
    let expected = naive::read(data, "");
    for pieces in feeds(data) {
        // Ids of up to 4 KiB: the naive reader has no limit.
        let told = driver::play(&mut Decoder::<{ 3 << 12 }>::with_room(MAX_EVENT), pieces);
        assert!(data.len() > 1 << 12 || told == expected, "{told:?} {expected:?} {}", data.escape_ascii());
    }
    // Ids that there is no room for take their events along.
    let told = driver::play(&mut Decoder::<5>::with_room(MAX_EVENT), [data]);
    assert!(told.last_id.len() <= 5 && told.events.len() <= expected.events.len(), "{told:?} {}", data.escape_ascii());
    small_buffer(data);
}

/// A buffer that is too small for some events stalls on none: what is not skipped is read as it should be.
fn small_buffer(data: &[u8]) {
    let expected = naive::read(data, "").events;
    let mut expected = expected.iter().map(|[_, data, _]| data);
    let (mut decoder, mut inbox) = (Decoder::new(), RxBuffer::new([0; 24]));
    let mut rest = data;
    while !rest.is_empty() {
        let space = inbox.space();
        assert!(!space.is_empty(), "a full buffer that nobody empties: {}", data.escape_ascii());
        let (read, later) = rest.split_at(rest.len().min(space.len()));
        space[..read.len()].copy_from_slice(read);
        inbox.advance(read.len());
        rest = later;
        let mut rx = inbox.rx();
        while let Some(event) = decoder.poll(&mut rx) {
            if let Event::Message(message) = event {
                let told = message.data.to_string();
                assert!(expected.any(|data| *data == told), "{told} {}", data.escape_ascii());
            }
        }
        let used = rx.consumed();
        inbox.consume(used);
    }
}
