#!/usr/bin/env bash
# Drives examples/live with curl and with Chromium; prints a table of PASS and FAIL.
#
#   tests/browser/run.sh [SCREENSHOT.png]
#
# The vectors of event streams are those of tests/data, and of the folder HOPWIRE_VECTORS if that is set.
#
# What is missing is installed: playwright-core from npm into $XDG_CACHE_HOME or target/, and Chromium as Debian's
# package when this runs as root.
# Exit code: 0 all passed; 1 a check failed; 77 cannot be run here (one line says why).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
cache=${XDG_CACHE_HOME:+$XDG_CACHE_HOME/hopwire-browser}
cache=${cache:-$target/browser}
. "$here/../support/peers.sh"
mkdir -p "$cache"
work=$(mktemp -d "$cache/run.XXXXXX")
server=''
trap '[ -z "$server" ] || stop "$server"; rm -rf "$work"' EXIT

missing() {
    echo "browser: not run: $1"
    exit 77
}

command -v curl >/dev/null || missing "no curl"
command -v node >/dev/null || missing "no node"
if ! command -v chromium >/dev/null; then
    [ "$(id -u)" -eq 0 ] || missing "no chromium"
    retry apt-get update && retry apt-get install -y --no-install-recommends chromium || missing "cannot install chromium"
fi
if [ ! -d "$cache/node_modules/playwright-core" ]; then
    retry npm install --silent --no-fund --no-audit --prefix "$cache" playwright-core@1 || missing "cannot install playwright-core"
fi

cargo build --quiet --release --example live --manifest-path "$root/Cargo.toml"
mkdir "$work/streams"
node "$here/streams.mjs" "$work/streams" "$root/tests/data/sse_decode.jsonl" ${HOPWIRE_VECTORS:+"$HOPWIRE_VECTORS/sse_decode.jsonl"}
start_server timeout 300 "$target/release/examples/live" 0 "$work/streams"
url=http://127.0.0.1:$port/

check() {
    local name=$1 verdict=FAIL
    shift
    if "$@"; then verdict=PASS; fi
    echo "$verdict  $name" | tee -a "$work/checks"
}
get() { curl --silent --show-error --max-time 40 "$@"; }

cursor=$(get "${url}poll?cursor=now&wait=0" | sed -n 's/^id: //p' | tail -n 1)
held() { [ "$(get "${url}poll?cursor=$cursor&wait=25" | grep -c '^data: ')" -ge 1 ]; }
unchanged() { [ "$(get -o /dev/null -w '%{http_code}' -H "If-None-Match: \"$last\"" "${url}poll?cursor=$last&wait=0")" = 304 ]; }
refused() { [ "$(get -o /dev/null -w '%{http_code}' "${url}poll?cursor=x")" = 400 ]; }
lost() { get "${url}poll?cursor=1.5&wait=0" | grep -q '^event: feed-reset'; }
long() { [ "$(get -o /dev/null -w '%{http_code}' -H "Cookie: $(printf '%5000s' | tr ' ' x)" "$url")" = 200 ]; }
# The second of two polls on one connection, sent before the first is answered, is answered too.
pipelined() {
    local poll answers
    poll="GET /poll?cursor=$last&wait=25 HTTP/1.1\r\nHost: a\r\n"
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf "$poll\r\n${poll}Connection: close\r\n\r\n" >&3
    answers=$(timeout 40 grep -c '^HTTP/1.1 200' <&3) || true
    exec 3>&-
    [ "$answers" = 2 ]
}
check 'curl: a poll with the last cursor is held until there is news' held
for _ in 1 2 3 4 5; do # between two updates
    last=$(get "${url}poll?cursor=now&wait=0" | sed -n 's/^id: //p' | tail -n 1)
    unchanged && break
done
check 'curl: a short poll with the tag of what it has is 304' unchanged
check 'curl: a head of 5,000 bytes' long
check 'two polls at once on one connection' pipelined
check 'curl: what is no cursor is 400' refused
check 'curl: a cursor of another feed is answered with a reset' lost

ended=0
for part in live eventsource; do
    PLAYWRIGHT_FROM=$cache STREAMS=$work/streams/cases.json LOG=$work/server.log timeout 200 \
        node "$here/$part.mjs" "$url" "$(command -v chromium)" "${1:-}" | tee -a "$work/checks" || ended=$?
    [ "$ended" -eq 0 ] || echo "FAIL  $part, all of it ($ended)" | tee -a "$work/checks"
done

failed=$(grep -c '^FAIL' "$work/checks" || true)
echo "browser: $(grep -c '^PASS' "$work/checks" || true) passed, $failed failed"
[ "$failed" -eq 0 ]
