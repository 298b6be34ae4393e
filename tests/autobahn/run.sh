#!/usr/bin/env bash
# Runs the Autobahn suite's fuzzing client against examples/echo on 127.0.0.1.
#
#   tests/autobahn/run.sh server [CASES] [-- COMMAND...]
#
#   CASES    comma separated patterns, by default sections 1 to 11: '1.*,2.*,...,11.*'; '*' is all 517
#   COMMAND  another server to test; it must print `listening on 127.0.0.1:PORT`
#
# The suite needs CPython 2.7, taken from PATH or from pyenv. It is installed once, into $XDG_CACHE_HOME or target/.
# Environment: AUTOBAHN_SECONDS limits the run (default 900: the suite waits for ever for a server that keeps TCP open).
# Exit code: 0 all fine; 1 a case failed or has no result; 77 the suite cannot be had here (one line says why).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
cache=${XDG_CACHE_HOME:+$XDG_CACHE_HOME/hopwire-autobahn}
cache=${cache:-$target/autobahn}

main() {
    [ "${1:-}" = server ] || { sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
    shift
    local cases='1.*,2.*,3.*,4.*,5.*,6.*,7.*,8.*,9.*,10.*,11.*'
    if [ $# -gt 0 ] && [ "$1" != -- ]; then cases=$1 && shift; fi
    [ "${1:-}" = -- ] && shift
    install_suite

    local command=("$@")
    if [ ${#command[@]} -eq 0 ]; then
        cargo build --quiet --release --example echo --manifest-path "$root/Cargo.toml"
        command=("$target/release/examples/echo" 0)
    fi
    out=$(mktemp -d "$cache/report.XXXXXX")
    server=
    trap stop_server EXIT
    "${command[@]}" >"$out/server.log" 2>&1 </dev/null &
    server=$!
    local port
    port=$(wait_for_port) || { echo "autobahn: the server never listened:"; tail -n 5 "$out/server.log"; exit 1; }

    python3 - "$port" "$out" "$cases" >"$out/spec.json" <<'PY'
import json, sys
port, out, cases = sys.argv[1:]
json.dump({"outdir": out, "servers": [{"agent": "hopwire", "url": "ws://127.0.0.1:" + port + "/"}],
           "cases": cases.split(","), "exclude-cases": [], "exclude-agent-cases": {}}, sys.stdout)
PY
    local start=$SECONDS code=0
    timeout -k 5 "${AUTOBAHN_SECONDS:-900}" "$cache/py2/bin/python" -u "$here/wstest_lo.py" \
        -m fuzzingclient -s "$out/spec.json" >"$out/wstest.log" 2>&1 </dev/null || code=$?
    local asked
    asked=$(sed -n 's/^Ok, will run \([0-9]*\) test cases.*/\1/p' "$out/wstest.log")
    echo "autobahn: server, ${asked:-no} cases asked for, $((SECONDS - start)) s, report in $out"
    kill -0 "$server" 2>/dev/null || { echo "autobahn: the server ended during the run"; code=1; }
    if [ "$code" -ne 0 ] || [ ! -f "$out/index.json" ]; then
        echo "autobahn: the suite ended with $code (124 or 137: out of time) after $(grep -c '^Running test case' "$out/wstest.log") cases"
        tail -n 3 "$out/wstest.log"
        exit 1
    fi
    python3 "$here/absum.py" "$out" "$(expected "$cases" "$asked")"
}

# How many cases must have a result. The two usual runs do not trust the suite's own count.
expected() {
    case $1 in
    '*') echo 517 ;;
    '1.*,2.*,3.*,4.*,5.*,6.*,7.*,8.*,9.*,10.*,11.*') echo 301 ;;
    *) echo "$2" ;;
    esac
}

# The port that the server prints, within ten seconds.
wait_for_port() {
    local port
    for _ in $(seq 100); do
        port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$out/server.log" | head -n 1)
        if [ -n "$port" ]; then echo "$port" && return; fi
        kill -0 "$server" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

stop_server() {
    [ -n "$server" ] || return 0
    kill "$server" 2>/dev/null || true
    for _ in $(seq 30); do
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    kill -9 "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
}

# virtualenv 20.21.1 is the last that makes environments for CPython 2.7.
install_suite() {
    [ -f "$cache/py2/installed" ] && return
    local python2
    python2=$(find_python2) || missing "no CPython 2.7 on PATH or under pyenv"
    command -v python3 >/dev/null || missing "no python3"
    mkdir -p "$cache"
    rm -rf "$cache/py2" "$cache/py3"
    python3 -m venv "$cache/py3" || missing "python3 has no venv module"
    retry "$cache/py3/bin/pip" install -q virtualenv==20.21.1 || missing "cannot install virtualenv 20.21.1"
    "$cache/py3/bin/virtualenv" -q -p "$python2" "$cache/py2" || missing "cannot make an environment for CPython 2.7"
    retry "$cache/py2/bin/pip" install -q -r "$here/requirements.txt" || missing "cannot install autobahntestsuite"
    touch "$cache/py2/installed"
}

find_python2() {
    local candidate
    for candidate in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/2.7*/bin/python2.7 "$(command -v python2.7)"; do
        # A pyenv shim stands on PATH whether or not it leads anywhere.
        if [ -x "$candidate" ] && "$candidate" -c 'import ssl' 2>/dev/null; then echo "$candidate" && return; fi
    done
    return 1
}

retry() {
    local log
    for _ in 1 2 3; do
        log=$("$@" 2>&1) && return
        sleep 2
    done
    echo "$log" | tail -n 3 >&2
    return 1
}

missing() {
    echo "autobahn: not run: $1"
    exit 77
}

main "$@"
