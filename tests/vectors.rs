//! The vectors of `tests/data`, and more of the same kind where `HOPWIRE_VECTORS` points: see `support::vectors`.

mod support;

use support::{hex, unhex, vectors};

#[test]
fn every_line_is_a_case_with_its_own_id() {
    for name in vectors::names() {
        for file in vectors::files(&name) {
            let cases = vectors::cases(&file);
            let mut ids: Vec<_> = cases.iter().map(|case| case.text("id")).collect();
            ids.sort_unstable();
            let all = ids.len();
            ids.dedup();
            assert!(all == ids.len() && ids.first() != Some(&""), "{name}: an id is missing or repeated");
            assert!(
                cases.iter().all(|case| case.bytes("bytes_hex").is_some_and(|it| hex(&it) == case.text("bytes_hex")))
            );
        }
    }
}

#[test]
fn feeds_cover_every_split() {
    assert_eq!(vectors::feeds(3), [vec![], vec![1, 2], vec![1], vec![2]]);
    assert_eq!(vectors::feeds(0), [vec![]]);
    assert_eq!(vectors::pieces(&unhex("00ff7f"), &[1, 2]), [[0], [255], [127]]);
}
