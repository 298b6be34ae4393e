#!/bin/sh
# Official figures: one binary per area, because with fat LTO a peer's functions inline differently when other areas
# call them too. Lines go to the standard output.
# usage: benches/peers/run.sh [area ...] > figures.txt
set -eu
manifest=$(dirname "$0")/Cargo.toml
areas=${*:-http_head http_exchange http_chunked response_head client_exchange forward ws_recv ws_send ws_handshake ws_mem broadcast deflate inflate sse_decode sse_encode accept_key}
for area in $areas; do
    cargo run --quiet --release --locked --manifest-path "$manifest" --no-default-features --features "$area" -- "$area"
done
