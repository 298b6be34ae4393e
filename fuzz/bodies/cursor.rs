//! `feed::Cursor`, `Start` and `Ask`: one spelling for each, and no other is read.

use hopwire::feed::{Ask, Cursor, Start};

pub fn run(data: &[u8]) {
    let cursor = Cursor::parse(data);
    assert_eq!(cursor.map(|it| (it.epoch, it.seq)), twin(data), "{}", data.escape_ascii());
    if let Some(cursor) = cursor {
        assert_eq!(cursor.text().as_bytes(), data);
        assert_eq!((Start::parse(data), Start::resume(data)), (Some(Start::After(cursor)), Start::After(cursor)));
    }
    if let Some(start) = Start::parse(data) {
        assert_eq!(start.text().as_bytes(), data);
    }
    if let Some(ask) = Ask::parse(data) {
        let written = ask.to_string();
        assert_eq!(Ask::parse(written.as_bytes()), Some(ask), "{written}");
    }
}

/// By the standard library, and then by writing it again.
fn twin(data: &[u8]) -> Option<(u64, u64)> {
    let text = std::str::from_utf8(data).ok()?;
    let (epoch, seq) = text.split_once('.')?;
    let (epoch, seq) = (u64::from_str_radix(epoch, 16).ok()?, seq.parse::<u64>().ok()?);
    (epoch != 0 && format!("{epoch:x}.{seq}") == text).then_some((epoch, seq))
}
