//! What is encoded is decoded; what would not be is refused.

#[path = "../../tests/sse/driver.rs"]
mod driver;
#[path = "../../tests/sse/naive.rs"]
mod naive;

use hopwire::io::{SendError, Tx};
use hopwire::sse::{Decoder, MAX_ID, Misuse, Outgoing, encode_comment};

/// The input is a type, an id, a comment and data, with 0x01 between them.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut parts = text.splitn(4, '\u{1}');
    let mut part = || parts.next().unwrap_or("");
    let (event, id, comment, data) = (part(), part(), part(), part());
    let mut out = vec![0; 8 * text.len() + 64];
    let mut tx = Tx::new(&mut out);
    encode_comment(comment, &mut tx).unwrap();
    match Outgoing::data(data).event(event).id(id).encode(&mut tx) {
        Ok(()) => {
            let event = if event.is_empty() { "message" } else { event };
            let data = data.replace("\r\n", "\n").replace('\r', "\n");
            let told = driver::play(&mut Decoder::new(), [tx.written()]);
            assert_eq!(told.events, [[event.to_owned(), data, id.to_owned()]]);
        }
        Err(SendError::Full(full)) => panic!("{full}"),
        Err(SendError::Misuse(misuse)) => {
            let either = |bytes: &[char]| event.contains(bytes) || id.contains(bytes);
            assert!(match misuse {
                Misuse::LineEnd => either(&['\r', '\n']),
                Misuse::Nul => either(&['\0']),
                Misuse::IdLength => id.len() > MAX_ID,
                _ => id.trim_matches([' ', '\t']) != id || id.contains(|c: char| c.is_ascii_control()),
            });
        }
    }
}
