#!/usr/bin/env bash
# Runs the Autobahn suite on 127.0.0.1: its fuzzing client against examples/echo, its fuzzing server against
# examples/autobahn_client.
#
#   tests/autobahn/run.sh server|client|both [CASES] [-- COMMAND...]
#
#   CASES    `base`: sections 1 to 11, 301 cases in about 15 s (the default); `quick`: with the short ones of 12 and 13,
#            397 cases; `all`: 517 cases in 5 to 15 minutes; or comma separated patterns like '1.*,6.4.*'
#   COMMAND  another server, which must print `listening on 127.0.0.1:PORT`; or another client, which gets the URL and
#            the agent's name as arguments, asks /getCaseCount, runs each case, and ends with /updateReports
#
# Prints the counts for each section and every case that is not OK, and writes them to summary.html in the report.
# The suite needs CPython 2.7, taken from PATH or from pyenv. It is installed once, into $XDG_CACHE_HOME or target/.
# Environment: AUTOBAHN_SECONDS limits the run of a role (default 1800: the suite waits for ever for a peer that keeps
# TCP open). AUTOBAHN_UNIMPLEMENTED=1 lets a peer without compression pass: UNIMPLEMENTED in sections 12 and 13.
# Exit code: 0 all fine; 1 a case failed or has no result; 77 the suite cannot be had here (one line says why).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
cache=${XDG_CACHE_HOME:+$XDG_CACHE_HOME/hopwire-autobahn}
cache=${cache:-$target/autobahn}
limit=${AUTOBAHN_SECONDS:-1800}
. "$here/../support/peers.sh"

main() {
    local role=${1:-} cases=base failed=0
    case $role in
    server | client | both) shift ;;
    *) sed -n '2,19s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2 && exit 2 ;;
    esac
    if [ $# -gt 0 ] && [ "$1" != -- ]; then cases=$1 && shift; fi
    [ "${1:-}" = -- ] && shift
    choose "$cases"
    mkdir -p "$cache"
    work=$cache
    install_suite
    cargo build --quiet --release --example echo --example autobahn_client --manifest-path "$root/Cargo.toml"
    trap 'for pid in $started; do stop "$pid"; done' EXIT
    if [ "$role" != client ]; then run server "$@" || failed=1; fi
    if [ "$role" != server ]; then run client "$@" || failed=1; fi
    return $failed
}

started='' patterns='' expected=''

# The patterns that the suite is given, and how many cases must have a result: its own count is not trusted.
choose() {
    local base='1.*,2.*,3.*,4.*,5.*,6.*,7.*,8.*,9.*,10.*,11.*'
    case $1 in
    base) patterns=$base expected=301 ;;
    quick) patterns=$base,$(echo 12.{1..5}.{1..8} 13.{1..7}.{1..8} | tr ' ' ,) expected=397 ;;
    all | '*') patterns='*' expected=517 ;;
    *) patterns=$1 ;;
    esac
}

# run ROLE [COMMAND...]
run() {
    local role=$1 start=$SECONDS code=0 asked
    shift
    work=$(mktemp -d "$cache/report-$role.XXXXXX")
    "as_$role" "$@" || code=$?
    asked=$(sed -n 's/^Ok, will run \([0-9]*\) test cases.*/\1/p' "$work/wstest.log" 2>/dev/null || true)
    echo "autobahn: $role, ${asked:-no} cases asked for, $((SECONDS - start)) s, report in $work"
    if [ "$code" -ne 0 ] || [ ! -f "$work/index.json" ]; then
        echo "autobahn: $role ended with $code (124 or 137: out of time)"
        tail -qn 3 "$work"/{wstest,client,server}.log 2>/dev/null || true
        return 1
    fi
    python3 "$here/absum.py" "$work" "$role" "${expected:-$asked}" "${AUTOBAHN_UNIMPLEMENTED:-0}"
}

as_server() {
    [ $# -gt 0 ] || set -- "$target/release/examples/echo" 0
    start_server "$@" || return
    started+=" $server"
    spec '"servers": [{"agent": "hopwire", "url": "ws://127.0.0.1:'"$port"'/"}]'
    (suite fuzzingclient) || return
    kill -0 "$server" 2>/dev/null || { echo "autobahn: the server ended during the run" && return 1; }
    stop "$server"
}

as_client() {
    [ $# -gt 0 ] || set -- "$target/release/examples/autobahn_client"
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    spec '"url": "ws://127.0.0.1:'"$port"'"'
    suite fuzzingserver -u 0 &
    local suite=$! code=0
    started+=" $suite"
    for _ in $(seq 300); do
        if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
        kill -0 "$suite" 2>/dev/null || return 1
        sleep 0.1
    done
    timeout -k 5 "$limit" "$@" "ws://127.0.0.1:$port" hopwire >"$work/client.log" 2>&1 </dev/null || code=$?
    stop "$suite"
    return $code
}

# suite MODE [ARGUMENT...]: the shell becomes the suite, so that its pid is the suite's
suite() {
    exec timeout -k 5 "$limit" "$cache/py2/bin/python" -u "$here/wstest_lo.py" -m "$@" -s "$work/spec.json" \
        >"$work/wstest.log" 2>&1 </dev/null
}

spec() {
    printf '{"outdir": "%s", %s, "cases": ["%s"], "exclude-cases": [], "exclude-agent-cases": {}}' \
        "$work" "$1" "${patterns//,/\", \"}" >"$work/spec.json"
}

# virtualenv 20.21.1 is the last that makes environments for CPython 2.7.
install_suite() {
    [ -f "$cache/py2/installed" ] && return
    local python2
    python2=$(find_python2) || missing "no CPython 2.7 on PATH or under pyenv"
    command -v python3 >/dev/null || missing "no python3"
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

missing() {
    echo "autobahn: not run: $1"
    exit 77
}

main "$@"
