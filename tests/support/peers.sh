# What the scripts that talk to real peers share; to be sourced. Logs go to the folder $work.

# start_server COMMAND...: starts a server that prints `listening on 127.0.0.1:PORT`, within ten seconds; sets $server
# and $port
start_server() {
    "$@" >"$work/server.log" 2>&1 </dev/null &
    server=$!
    for _ in $(seq 100); do
        port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$work/server.log" | head -n 1)
        [ -z "$port" ] || return 0
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    echo "the server never listened:"
    tail -n 5 "$work/server.log"
    return 1
}

# stop PID: ends a program that this script started, gently first
stop() {
    kill "$1" 2>/dev/null || true
    for _ in $(seq 30); do
        kill -0 "$1" 2>/dev/null || break
        sleep 0.1
    done
    kill -9 "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

# retry COMMAND...: three times, for what comes over the network
retry() {
    for _ in 1 2 3; do
        "$@" >"$work/install.log" 2>&1 </dev/null && return
        sleep 2
    done
    tail -n 3 "$work/install.log" >&2
    return 1
}
