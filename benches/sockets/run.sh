#!/usr/bin/env bash
# CPU seconds that a server takes to send updates to many readers of an event stream: hopwire beside Node's http server.
# Every reader checks every byte before there is a figure. Both are measured twice: each update is written at once; and
# it waits up to 50 ms for others, which then share a system call.
#
#   benches/sockets/run.sh [READERS [UPDATES [A_SECOND]]]     1000 readers, 2000 updates, 100 a second unless given
#
# Exit code: 0 done; 1 a reader got something else than was sent; 77 cannot be run here (one line says why).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../tests/support/peers.sh"
readers=${1:-1000} updates=${2:-2000} a_second=${3:-100} gathered=50
target=${CARGO_TARGET_DIR:-$here/target}
work=$(mktemp -d)
server=''
trap '[ -z "$server" ] || stop "$server"; rm -rf "$work"' EXIT

command -v node >/dev/null || { echo "sockets: not run: no node"; exit 77; }
ulimit -n $((readers + 100)) 2>/dev/null || { echo "sockets: not run: not enough files allowed (ulimit -n)"; exit 77; }
CARGO_TARGET_DIR=$target cargo build --quiet --release --locked --manifest-path "$here/Cargo.toml"

measure() {
    local name=$1 gather=$2 ended=0
    shift 2
    start_server "$@" "$readers" "$updates" "$a_second" "$gather"
    "$target/release/readers" "$port" "$server" "$readers" "$updates" >"$work/result" || ended=$?
    stop "$server"
    server=''
    [ "$ended" -eq 0 ] || exit 1
    read -r cpu seconds bytes <"$work/result"
    echo "$name: $cpu CPU seconds in $seconds s; $readers readers got all of $bytes bytes"
}
ratio() { awk -v a="$2" -v b="$3" -v case="$1" 'BEGIN { printf "sse_sockets %s node/hopwire %.2f\n", case, a / b }'; }

measure 'hopwire, at once' 0 "$target/release/server"
ours=$cpu
measure 'node, at once' 0 node "$here/server.mjs"
node=$cpu
measure "hopwire, gathered for $gathered ms" "$gathered" "$target/release/server"
ours_gathered=$cpu
measure "node, gathered for $gathered ms" "$gathered" node "$here/server.mjs"
ratio both_at_once "$node" "$ours"
ratio both_gathered "$cpu" "$ours_gathered"
ratio gathered_beside_plain_node "$node" "$ours_gathered"
