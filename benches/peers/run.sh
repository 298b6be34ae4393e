#!/bin/sh
# Official figures: one binary per area, because with fat LTO a peer's functions inline differently when other areas
# call them too. Lines go to the standard output.
# usage: [LAYOUTS=N] benches/peers/run.sh [area ...] > figures.txt
#
# Where the linker happens to put a loop moves a short case by a tenth and more, of hopwire or of a peer. With LAYOUTS each
# area is linked and run so many times, its functions in another order each time (by lld, which Rust links with on x86-64
# Linux), and report.py takes the medians.
set -eu
manifest=$(dirname "$0")/Cargo.toml
areas=${*:-http_head http_exchange http_chunked response_head client_exchange forward ws_recv ws_send ws_handshake ws_mem broadcast deflate inflate sse_decode sse_encode accept_key}
for area in $areas; do
    for layout in $(seq "${LAYOUTS:-1}"); do
        order=${LAYOUTS:+-Clink-arg=-Wl,--shuffle-sections=.text*=$layout}
        # shellcheck disable=SC2086 # no argument at all where there is no order
        cargo rustc --quiet --release --locked --manifest-path "$manifest" --bin peers --no-default-features --features "$area" -- $order
        "${CARGO_TARGET_DIR:-$(dirname "$0")/target}/release/peers" "$area"
    done
done
