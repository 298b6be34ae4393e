//! What the servers send and the readers expect.

/// Data of update `n`: 100 bytes of JSON.
pub fn data(n: usize) -> String {
    let json = format!("{{\"id\":{n},\"symbol\":\"EXMPL\",\"price\":101.25,\"volume\":1200,\"note\":\"");
    format!("{json}{:x<width$}\"}}", "", width = 98 - json.len())
}

/// All that follows the head of the response: a chunk for each update, and the last one.
pub fn body(updates: usize) -> Vec<u8> {
    let mut body = Vec::new();
    for n in 1..=updates {
        let event = format!("id: 1.{n}\ndata: {}\n\n", data(n));
        body.extend_from_slice(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes());
    }
    body.extend_from_slice(b"0\r\n\r\n");
    body
}
