//! The vectors of `tests/data`, and more of the same kind where `HOPWIRE_VECTORS` points: see `support::vectors`.

mod support;

use std::path::Path;

use support::json::Value;
use support::{hex, unhex, vectors};

/// The vectors that are played, and by which test.
const PLAYED: &[(&str, &str)] = &[
    ("http1", "http1_server/vectors.rs"),
    ("http1", "http1_client/vectors.rs"),
    ("http1_own", "http1_server/vectors.rs"),
    ("http1_own", "http1_client/vectors.rs"),
    ("sse_decode", "sse/vectors.rs"),
    ("sse_encode", "sse/vectors.rs"),
    ("http1_forward", "forward_vectors.rs"),
    ("ws_frames", "ws/vectors.rs"),
    ("ws_handshake", "handshake.rs"),
    ("ws_handshake", "handshake_client.rs"),
];

#[test]
fn every_file_is_played_and_every_line_is_a_case_with_its_own_id() {
    for (name, file) in vectors::all() {
        assert!(PLAYED.iter().any(|(played, _)| *played == name), "{name}: no test plays it");
        let cases = vectors::cases(&file);
        let mut ids: Vec<_> = cases.iter().map(|case| case.text("id")).collect();
        ids.sort_unstable();
        let all = ids.len();
        ids.dedup();
        assert!(all == ids.len() && ids.first() != Some(&""), "{name}: an id is missing or repeated");
        let input = if name.starts_with("sse") { "stream_hex" } else { "bytes_hex" };
        let is_hex = |case: &Value| case.bytes(input).is_some_and(|it| hex(&it) == case.text(input));
        assert!(name == "sse_encode" || cases.iter().all(is_hex), "{name}");
    }
    for (_, test) in PLAYED {
        let test = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(test);
        assert!(test.is_file(), "{} is gone", test.display());
    }
}

#[test]
fn feeds_cover_every_split() {
    assert_eq!(vectors::feeds(3), [vec![], vec![1, 2], vec![1], vec![2]]);
    assert_eq!(vectors::feeds(0), [vec![]]);
    assert_eq!(vectors::pieces(&unhex("00ff7f"), &[1, 2]), [[0], [255], [127]]);
}
