#!/usr/bin/env bash
# curl, wrk and raw sockets -> examples/proxy -> nginx, Python's http.server, examples/echo and servers that misbehave.
#
#   tests/proxy/run.sh
#
# Installs curl, nginx and wrk from Debian if they are missing. Everything listens on 127.0.0.1, on ports that were free,
# and is stopped by its own id at the end. Prints a line for each check, and the figures of wrk for the proxy and for nginx
# as the same proxy. Takes about a minute.
# Exit code: 0 all passed; 1 something failed; 77 cannot be run here (one line says why).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

missing() {
    echo "proxy: not run: $1"
    exit 77
}

need=()
command -v curl >/dev/null || need+=(curl)
command -v nginx >/dev/null || need+=(nginx-light)
command -v wrk >/dev/null || need+=(wrk)
if [ ${#need[@]} -gt 0 ]; then
    { apt-get install -y -q "${need[@]}" || { apt-get update -q && apt-get install -y -q "${need[@]}"; }; } >/dev/null 2>&1 ||
        missing "cannot install ${need[*]}"
fi
command -v python3 >/dev/null || missing "no python3"

cargo build --release --quiet --example proxy --example echo
target=${CARGO_TARGET_DIR:-target}
exec timeout -k 10 300 python3 tests/proxy/check.py "$target/release/examples"
