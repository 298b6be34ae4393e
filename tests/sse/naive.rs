//! WHATWG HTML §9.2.5 word by word, on the whole stream at once.

/// All that a stream said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Type, data and last event ID of each event.
    pub events: Vec<[String; 3]>,
    /// In milliseconds.
    pub retry: Option<u64>,
    pub last_id: String,
    /// How many events passed a limit; the naive reader has none.
    pub skipped: usize,
}

pub fn read(stream: &[u8], seed: &str) -> Told {
    let mut told = Told { last_id: seed.to_owned(), ..Told::default() };
    let stream = stream.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stream);
    let text = String::from_utf8_lossy(stream).replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines.pop();
    let (mut data, mut event, mut id) = (String::new(), String::new(), seed.to_owned());
    for line in lines {
        if line.is_empty() {
            told.last_id.clone_from(&id);
            if !data.is_empty() {
                data.pop();
                let event = if event.is_empty() { "message".to_owned() } else { event.clone() };
                told.events.push([event, data.clone(), id.clone()]);
            }
            data.clear();
            event.clear();
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => data = data + value + "\n",
            "event" => event = value.to_owned(),
            "id" if !value.contains('\0') => id = value.to_owned(),
            "retry" if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) => {
                told.retry = Some(value.parse().unwrap_or(u64::MAX));
            }
            _ => {}
        }
    }
    told
}
