#!/usr/bin/env bash
# Drives examples/echo with real clients, and prints a table of PASS, FAIL and SKIP.
#
#   tests/clients/run.sh [CLIENT...] [-- COMMAND...]
#
#   CLIENT   curl, raw, websockets (Python), ws (npm), chromium; by default all of them
#   COMMAND  another server to test; it must print `listening on 127.0.0.1:PORT`
#
# What is missing is installed: Python and npm packages into $XDG_CACHE_HOME or target/, and Chromium as Debian's
# package when this runs as root. A client that cannot be had is one SKIP line that says why.
# Exit code: 1 when a check failed, else 0.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
cache=${XDG_CACHE_HOME:+$XDG_CACHE_HOME/hopwire-clients}
cache=${cache:-$target/clients}
. "$here/../support/peers.sh"

passed=0 failed=0 skipped=0 server='' work=''

main() {
    local clients=() command=()
    while [ $# -gt 0 ] && [ "$1" != -- ]; do clients+=("$1") && shift; done
    [ "${1:-}" = -- ] && shift
    command=("$@")
    [ ${#clients[@]} -gt 0 ] || clients=(curl raw websockets ws chromium)

    mkdir -p "$cache"
    work=$(mktemp -d "$cache/run.XXXXXX")
    trap finish EXIT
    if [ ${#command[@]} -eq 0 ]; then
        cargo build --quiet --release --example echo --manifest-path "$root/Cargo.toml"
        command=("$target/release/examples/echo" 0)
    fi
    start_server "${command[@]}"
    url=http://127.0.0.1:$port/

    for client in "${clients[@]}"; do
        case $client in
        curl | raw | websockets | ws | chromium) "client_$client" ;;
        *) echo "unknown client $client" >&2 && exit 2 ;;
        esac
    done
    kill -0 "$server" 2>/dev/null || row FAIL server "still running at the end" "it ended"
    echo "clients: $passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
}

# --- the clients ---

client_curl() {
    command -v curl >/dev/null || { row SKIP curl "" "not installed"; return; }
    head -c 10485760 /dev/urandom >"$work/10MiB"
    check curl "GET" curl_get
    check curl "three requests on one connection" curl_keep_alive
    check curl "HEAD" curl_head
    check curl "HTTP/1.0" curl_http10
    check curl "Connection: close" curl_close
    check curl "chunked upload of 10 MiB" curl_upload -H 'Transfer-Encoding: chunked' -H 'Expect:'
    check curl "upload of 10 MiB with Content-Length" curl_upload -H 'Expect:'
    check curl "chunked upload of 10 MiB after 100 Continue" curl_upload -H 'Transfer-Encoding: chunked' -H 'Expect: 100-continue'
    check curl "Expect: 100-continue" curl_expect
}

client_raw() {
    command -v python3 >/dev/null || { row SKIP raw "" "no python3"; return; }
    lines raw timeout 120 python3 "$here/http_raw.py" "$port"
}

client_websockets() {
    python_environment || { row SKIP websockets "" "$why"; return; }
    lines websockets timeout 120 "$cache/py/bin/python" "$here/ws_python.py" "$port"
}

client_ws() {
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
        row SKIP ws "" "no node or no npm"
        return
    fi
    if [ ! -f "$cache/node/installed" ]; then
        mkdir -p "$cache/node"
        retry npm install --silent --no-audit --no-fund --prefix "$cache/node" "ws@$WS" ||
            { row SKIP ws "" "npm cannot install ws"; return; }
        touch "$cache/node/installed"
    fi
    lines ws timeout 120 node "$here/ws_node.js" "$cache/node" "$port"
}

client_chromium() {
    local binary
    python_environment || { row SKIP chromium "" "$why"; return; }
    if ! binary=$(find_chromium) && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        retry timeout 240 apt-get update -qq || true
        DEBIAN_FRONTEND=noninteractive retry timeout 400 apt-get install -y -qq --no-install-recommends chromium || true
    fi
    binary=$(find_chromium) || { row SKIP chromium "" "not installed, and this cannot install Debian's package"; return; }
    mkdir -p "$work/profile"
    lines chromium timeout 180 "$cache/py/bin/python" "$here/chromium.py" "$port" "$binary" "$work/profile"
}

# --- what curl does ---

curl_get() {
    local code
    code=$(fetch -o "$work/get" -w '%{http_code} %{http_version}' "$url")
    [ "$code" = '200 1.1' ] && [ -s "$work/get" ]
}

curl_keep_alive() {
    local connects
    connects=$(fetch -o /dev/null -o /dev/null -o /dev/null -w '%{num_connects}' "$url" "$url" "$url")
    [ "$connects" = 100 ]
}

curl_head() {
    fetch -o "$work/get" -D "$work/get.head" "$url" && fetch -I -o "$work/head" "$url" || return
    grep -q '^HTTP/1.1 200 ' "$work/head" || return
    # "The server SHOULD send the same header fields in response to a HEAD request" (RFC 9110 section 9.3.2)
    [ "$(length_field "$work/get.head")" = "$(length_field "$work/head")" ]
}

curl_http10() {
    fetch --http1.0 -D "$work/old.head" -o "$work/old" "$url" || return
    grep -q '^HTTP/1.1 200 ' "$work/old.head" && [ -s "$work/old" ] && ! grep -qi '^transfer-encoding:' "$work/old.head"
}

curl_close() {
    fetch -H 'Connection: close' -D "$work/close.head" -o /dev/null "$url" || return
    grep -qi '^connection: *close' "$work/close.head"
}

curl_upload() {
    fetch "$@" -X POST -T "$work/10MiB" -o "$work/back" "$url" || return
    [ "$(sha256sum <"$work/10MiB")" = "$(sha256sum <"$work/back")" ]
}

# curl would wait for 30 s before it sends the body without having been asked to.
curl_expect() {
    fetch -v --expect100-timeout 30 -m 10 -H 'Expect: 100-continue' -d hello -o "$work/expect" "$url" 2>"$work/expect.log" || return
    grep -q '^< HTTP/1.1 100' "$work/expect.log" && [ "$(cat "$work/expect")" = hello ]
}

fetch() {
    curl --silent --show-error --noproxy '*' -m 60 "$@"
}

length_field() {
    tr -d '\r' <"$1" | tr 'A-Z' 'a-z' | grep '^content-length:'
}

# --- the table ---

row() {
    case $1 in
    PASS) passed=$((passed + 1)) ;;
    FAIL) failed=$((failed + 1)) ;;
    SKIP) skipped=$((skipped + 1)) ;;
    esac
    printf '%-4s  %-10s  %s%s\n' "$1" "$2" "$3" "${4:+ ($4)}"
}

# check CLIENT NAME FUNCTION [ARGUMENT...]
check() {
    local client=$1 name=$2 log
    shift 2
    if log=$("$@" 2>&1); then row PASS "$client" "$name"; else row FAIL "$client" "$name" "$(tail -n 1 <<<"$log")"; fi
}

# lines CLIENT COMMAND...: rows from the `PASS name` and `FAIL name: why` lines that the command prints
lines() {
    local client=$1 code=0 kind name bad=0 any=0
    shift
    "$@" >"$work/lines" 2>"$work/errors" </dev/null || code=$?
    while read -r kind name; do
        case $kind in PASS | FAIL) row "$kind" "$client" "$name" && any=1 ;; esac
        [ "$kind" = FAIL ] && bad=1
    done <"$work/lines"
    # A program that broke before its first FAIL line has failed as well.
    if [ "$any" = 0 ] || { [ "$code" -ne 0 ] && [ "$bad" = 0 ]; }; then
        row FAIL "$client" "ran to its end" "exit code $code: $(tail -n 1 "$work/errors")"
    fi
}

# --- what must be there ---

WEBSOCKETS=15.0.1
WS=8.18.0

python_environment() {
    [ -f "$cache/py/installed" ] && return
    why="no python3"
    command -v python3 >/dev/null || return
    why="python3 has no venv module"
    rm -rf "$cache/py"
    python3 -m venv "$cache/py" 2>/dev/null || return
    why="pip cannot install websockets"
    retry "$cache/py/bin/pip" install -q "websockets==$WEBSOCKETS" || return
    touch "$cache/py/installed"
}

find_chromium() {
    command -v chromium || command -v chromium-browser || command -v google-chrome
}

finish() {
    [ -z "$server" ] || stop "$server"
    rm -rf "$work"
}

main "$@"
