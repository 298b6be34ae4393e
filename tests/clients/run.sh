#!/usr/bin/env bash
# Drives examples/echo and examples/chat with real clients, and examples/wscat against real servers; prints a table of PASS, FAIL and SKIP.
#
#   tests/clients/run.sh [CLIENT...] [-- COMMAND...]
#
#   CLIENT   curl, raw, websockets (Python), ws (npm), chromium; chat, guests of examples/chat who keep up and one who
#            does not; wscat, which talks to examples/echo and to servers made
#            of websockets and ws; by default all of them
#   COMMAND  another server to test; it must print `listening on 127.0.0.1:PORT`, answer a request with its target and
#            content, and echo messages
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
    [ ${#clients[@]} -gt 0 ] || clients=(curl raw websockets ws chromium chat wscat)

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
        curl | raw | websockets | ws | chromium | chat | wscat) "client_$client" ;;
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
    node_environment || { row SKIP ws "" "$why"; return; }
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

client_chat() {
    command -v python3 >/dev/null || { row SKIP chat "" "no python3"; return; }
    cargo build --quiet --release --example chat --manifest-path "$root/Cargo.toml"
    local server='' port=''
    start_server "$target/release/examples/chat" 0 >"$work/start.log" || { row FAIL chat "it listens" "$(tail -n 1 "$work/start.log")" && return; }
    lines chat timeout 120 python3 "$here/chat_raw.py" "$port" "$server"
    stop "$server"
}

client_wscat() {
    cargo build --quiet --release --example wscat --manifest-path "$root/Cargo.toml"
    check wscat "wrong usage" wscat_ends 2 wscat --nonsense "ws://127.0.0.1:$port"
    check wscat "not a WebSocket URL" wscat_ends 2 wscat "http://127.0.0.1:$port"
    check wscat "nobody listens" wscat_ends 1 wscat ws://127.0.0.1:1
    wscat_checks "" "ws://127.0.0.1:$port"
    check wscat "more than the network and both ends hold" wscat_flood "ws://127.0.0.1:$port"
    if python_environment; then
        peer websockets "$cache/py/bin/python" "$here/ws_python_server.py"
    else
        row SKIP wscat "websockets" "$why"
    fi
    if node_environment; then
        peer ws node "$here/ws_node_server.js" "$cache/node"
    else
        row SKIP wscat "ws" "$why"
    fi
}

# --- what wscat does ---

# peer NAME COMMAND...: wscat against a server of somebody else's
peer() {
    local name=$1 server='' port=''
    shift
    start_server "$@" >"$work/start.log" || { row FAIL wscat "$name listens" "$(tail -n 1 "$work/start.log")" && return; }
    wscat_checks "$name: " "ws://127.0.0.1:$port"
    check wscat "$name: a code of the server's" wscat_server_closes "ws://127.0.0.1:$port/close"
    check wscat "$name: no frame at all" wscat_fails "ws://127.0.0.1:$port/broken"
    check wscat "$name: a ping of the server's" wscat_prints ponged "ws://127.0.0.1:$port/ping"
    check wscat "$name: fragments" wscat_prints 'one two 日本語' "ws://127.0.0.1:$port/fragments"
    check wscat "$name: subprotocol" wscat_subprotocol "ws://127.0.0.1:$port"
    check wscat "$name: header field" wscat_header "ws://127.0.0.1:$port/key"
    check wscat "$name: refused with 401" wscat_refused "ws://127.0.0.1:$port/refused"
    stop "$server"
}

wscat_checks() {
    check wscat "$1text and binary echo" wscat_echo "$2"
    check wscat "$1long messages" wscat_long "$2"
    check wscat "$12000 messages in flight" wscat_many "$2"
    check wscat "$1ping" wscat_ping "$2"
    check wscat "$1close code" wscat_close "$2"
}

# wscat LINES ARGUMENT...: what it prints goes to wscat.out and wscat.err. It waits, for a server need not answer what
# came before a Close.
wscat() {
    printf '%s' "$1" | timeout 30 "$target/release/examples/wscat" --wait 1 "${@:2}" >"$work/wscat.out" 2>"$work/wscat.err"
}

wscat_echo() {
    local lines=$'hello\n\n//slash\n/binary 00ff7f\nh\u00e9llo \u65e5\u672c\u8a9e\n'
    wscat "$lines" "$1" && [ "$(cat "$work/wscat.out")" = "${lines%$'\n'}" ] && grep -q '^closed with 1000' "$work/wscat.err"
}

wscat_long() {
    local text bytes
    text=$(printf '%*s' 300000 '' | tr ' ' x)
    bytes="/binary $(sed 's/x/a5/g' <<<"$text")"
    wscat "$text"$'\n'"$bytes"$'\n' -q "$1" && [ "$(cat "$work/wscat.out")" = "$text"$'\n'"$bytes" ]
}

wscat_many() {
    local lines
    lines=$(seq -f 'message %.0f of two thousand, and every one long enough to be worth compressing' 2000)
    wscat "$lines" "$1" && [ "$(cat "$work/wscat.out")" = "$lines" ]
}

# Both ends write more than the other has read: who reads only when all is written waits for ever.
wscat_flood() {
    head -c 120000000 /dev/urandom | base64 -w 4000000 | tr / _ >"$work/flood" # a line that begins with / is a command
    timeout 60 "$target/release/examples/wscat" -q -n --wait 1 "$1" <"$work/flood" >"$work/wscat.out" && cmp "$work/flood" "$work/wscat.out"
}

wscat_ping() {
    wscat $'/ping are you there\n' "$1" && grep -q '^pong are you there$' "$work/wscat.err"
}

wscat_close() {
    wscat $'/close 4321 bye\nnot sent any more\n' "$1" && grep -q '^closed with 4321' "$work/wscat.err" && [ ! -s "$work/wscat.out" ]
}

# wscat_ends CODE wscat ARGUMENT...: without input, and says why
wscat_ends() {
    local code=0
    wscat '' "${@:3}" || code=$?
    [ "$code" = "$1" ] && grep -q '^wscat: ' "$work/wscat.err"
}

wscat_fails() {
    local code=0
    timeout 30 "$target/release/examples/wscat" "$1" < <(sleep 5) 2>"$work/wscat.err" || code=$?
    [ "$code" = 3 ] && grep -q 'reserved opcode' "$work/wscat.err"
}

# The input stays open until the server is done.
wscat_server_closes() {
    local code=0
    timeout 30 "$target/release/examples/wscat" "$1" < <(sleep 5) 2>"$work/wscat.err" || code=$?
    [ "$code" = 3 ] && grep -q '^closed with 4000 enough' "$work/wscat.err"
}

wscat_prints() {
    timeout 30 "$target/release/examples/wscat" "$2" < <(sleep 1) >"$work/wscat.out" 2>"$work/wscat.err"
    [ "$(cat "$work/wscat.out")" = "$1" ]
}

wscat_subprotocol() {
    wscat hello -p none -p chat "$1" && grep -q '^connected, subprotocol chat' "$work/wscat.err"
}

wscat_header() {
    wscat hello -H 'X-Key: secret' "$1" && [ "$(cat "$work/wscat.out")" = hello ]
}

wscat_refused() {
    local code=0
    wscat hello "$1" || code=$?
    [ "$code" = 1 ] && grep -q '^the server answered 401 ' "$work/wscat.err" && grep -q '^who are you?' "$work/wscat.err"
}

# --- what curl does ---

curl_get() {
    local code
    code=$(fetch -o "$work/get" -w '%{http_code} %{http_version}' "$url")
    [ "$code" = '200 1.1' ] && [ "$(cat "$work/get")" = / ]
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
    cmp <(printf /10MiB && cat "$work/10MiB") "$work/back" # curl adds the name of the file
}

# curl would wait for 30 s before it sends the body without having been asked to.
curl_expect() {
    fetch -v --expect100-timeout 30 -m 10 -H 'Expect: 100-continue' -d hello -o "$work/expect" "$url" 2>"$work/expect.log" || return
    grep -q '^< HTTP/1.1 100' "$work/expect.log" && [ "$(cat "$work/expect")" = /hello ]
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

node_environment() {
    [ -f "$cache/node/installed" ] && return
    why="no node or no npm"
    command -v node >/dev/null && command -v npm >/dev/null || return
    mkdir -p "$cache/node"
    why="npm cannot install ws"
    retry npm install --silent --no-audit --no-fund --prefix "$cache/node" "ws@$WS" || return
    touch "$cache/node/installed"
}

find_chromium() {
    command -v chromium || command -v chromium-browser || command -v google-chrome
}

finish() {
    [ -z "$server" ] || stop "$server"
    rm -rf "$work"
}

main "$@"
