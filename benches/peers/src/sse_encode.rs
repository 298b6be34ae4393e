//! Encoding of one event: 100 bytes of JSON, ten such lines, 40 kB.
//!
//! sse-stream takes an owned String, so its figure includes one. `@manual_split_lf` does not look for CR, so it is a
//! little less than the job.
use crate::harness::*;
use hopwire::io::Tx;
use hopwire::sse::Outgoing;
use std::hint::black_box;

const AREA: &str = "sse_encode";

pub fn run() {
    let json100 = "{\"id\":123456,\"object\":\"chunk\",\"delta\":{\"content\":\" the quick brown fox\"},\"model\":\"m-1\",\"n\":1,\"x\":42}";
    let json100 = format!("{json100:<100}")[..100].to_owned();
    let ten = format!("{json100}\n").repeat(9) + &json100;
    for (name, data) in [("json100", json100), ("10lines", ten), ("40KB", "word".repeat(10_000))] {
        let mut g = Group::new(AREA, name);
        if !g.wanted() {
            continue;
        }
        let want: String = data.split('\n').map(|l| format!("data: {l}\n")).collect::<String>() + "\n";
        let d = data.clone();
        let mut out = vec![0; want.len() + 256];
        let mut tx = Tx::new(&mut out);
        Outgoing::data(&d).encode(&mut tx).unwrap();
        assert_eq!(tx.written(), want.as_bytes());
        g.add_hopwire("", 1, move || {
            let mut tx = Tx::new(&mut out);
            Outgoing::data(black_box(&d)).encode(&mut tx).unwrap();
            black_box(tx.written());
        });
        let d = data.clone();
        assert_eq!(sse_stream::Sse::default().data(d.clone()).encode().unwrap(), want.as_bytes());
        g.add("sse-stream(incl_String)", 1, move || {
            black_box(sse_stream::Sse::default().data(black_box(&d).clone()).encode().unwrap());
        });
        let mut out: Vec<u8> = Vec::with_capacity(want.len() + 256);
        let manual = |d: &str, out: &mut Vec<u8>| {
            out.clear();
            for l in d.split('\n') {
                out.extend_from_slice(b"data: ");
                out.extend_from_slice(l.as_bytes());
                out.push(b'\n');
            }
            out.push(b'\n');
        };
        manual(&data, &mut out);
        assert_eq!(out, want.as_bytes());
        g.add("@manual_split_lf", 1, move || {
            manual(black_box(&data), &mut out);
            black_box(out.as_ptr());
        });
        g.run();
    }
}
