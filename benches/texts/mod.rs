//! What is compressed: JSON as applications send it, and noise. Shared by the benches here and beside peers.

/// Messages of about 300 bytes, all different, as an application sends them.
pub(crate) fn json_messages(n: usize) -> Vec<Vec<u8>> {
    const NAMES: [&str; 10] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"];
    const STATES: [&str; 8] = [
        "shipped",
        "pending",
        "the order was placed",
        "cancelled by user",
        "refund issued",
        "awaiting payment",
        "in transit to hub",
        "delivered",
    ];
    let mut x = 0x2545_F491_4F6C_DD1D;
    let mut r = move |below: u64| xorshift(&mut x) % below;
    let mut message = |i: usize| {
        format!(
            r#"{{"type":"order.update","seq":{},"ts":{},"user":{{"id":{},"name":"{}","vip":{}}},"order":{{"id":"{:08x}-{:04x}","status":"{}","total":{}.{:02},"currency":"EUR","items":[{{"sku":"SKU-{:05}","qty":{}}},{{"sku":"SKU-{:05}","qty":{}}}]}},"region":"eu-central-{}"}}"#,
            100_000 + i,
            1_700_000_000_000 + i as u64 * 1371 + r(1000),
            r(1_000_000),
            of(&NAMES, r(10)),
            r(2) == 1,
            r(1 << 32),
            r(1 << 16),
            of(&STATES, r(8)),
            r(1000),
            r(100),
            r(100_000),
            1 + r(9),
            r(100_000),
            1 + r(9),
            1 + r(3),
        )
    };
    (0..n).map(|i| message(i).into_bytes()).collect()
}

/// An array of such messages, `len` bytes long.
pub(crate) fn json_document(len: usize) -> Vec<u8> {
    let mut text = b"[".to_vec();
    for message in json_messages(len / 200) {
        text.extend_from_slice(&message);
        text.extend_from_slice(b",\n");
    }
    text.truncate(len - 1);
    text.push(b']');
    text
}

/// Bytes that do not compress.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut x = 0x9E37_79B9_7F4A_7C15;
    let mut word = || xorshift(&mut x).wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes();
    let mut bytes: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| word()).collect();
    bytes.truncate(len);
    bytes
}

fn of(words: &[&'static str], n: u64) -> &'static str {
    words[usize::try_from(n).expect("a small number")]
}

fn xorshift(x: &mut u64) -> u64 {
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    *x
}
