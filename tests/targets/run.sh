#!/usr/bin/env bash
# Other machines than this one: builds the library with the oldest Rust it promises, for WASM and for bare metal, where a
# whole server is linked and measured, and runs all tests on 32 bits (i686) and with big-endian words (s390x, under QEMU:
# 6 minutes).
#
#   tests/targets/run.sh [quick | TARGET...]
#
# Without a TARGET all of them; `quick` leaves out what needs QEMU.
#
# What is missing is installed: toolchains and targets by rustup; C linkers and QEMU as Debian's packages when this runs
# as root.
# Exit code: 0 all passed; 1 something failed; 77 something cannot be run here (one line says why).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
builds=(oldest wasm32-unknown-unknown thumbv6m-none-eabi thumbv7em-none-eabihf riscv32imc-unknown-none-elf)
tests=(i686-unknown-linux-gnu s390x-unknown-linux-gnu)
[ $# -gt 0 ] || set -- "${builds[@]}" "${tests[@]}"
[ "$1" != quick ] || set -- "${builds[@]}" "${tests[0]}"
. "$here/../support/peers.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/targets
passed=0 failed=0 missing=0

main() {
    local target
    for target in "$@"; do
        case " ${builds[*]} " in
        *" $target "*) build "$target" ;;
        *) run_tests "$target" ;;
        esac
    done
    echo "targets: $passed passed, $failed failed"
    [ "$failed" -eq 0 ] || exit 1
    [ "$missing" -eq 0 ] || exit 77
}

build() {
    local target=$1 toolchain='' flags=()
    if [ "$target" = oldest ]; then
        toolchain=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
        retry rustup toolchain install --profile minimal "$toolchain" || { lacks "$target" "no Rust $toolchain"; return; }
    else
        flags=(--target "$target")
        retry rustup target add "$target" || { lacks "$target" "no such target"; return; }
    fi
    judge "$target${toolchain:+ Rust, $toolchain}" build_both
}

build_both() {
    local features
    for features in '' --no-default-features; do
        cargo ${toolchain:++"$toolchain"} build --lib ${flags[@]+"${flags[@]}"} $features || return
    done
    case $target in
    *-none-*)
        cargo build --release --locked --manifest-path tests/targets/bare/Cargo.toml --target "$target" || return
        command -v readelf >/dev/null || return 0
        local sizes
        sizes=$(readelf -lW "$CARGO_TARGET_DIR/$target/release/bare" | awk '$1 == "LOAD" { printf " + %s", $5 }')
        echo "a server over HTTP and WebSocket takes $((0 $sizes)) bytes"
        ;;
    esac
}

run_tests() {
    local target=$1 variable
    variable=CARGO_TARGET_$(tr 'a-z-' 'A-Z_' <<<"$target")
    case $target in
    i686-unknown-linux-gnu)
        links cc -m32 || packages gcc-multilib libc6-dev-i386 || { lacks "$target" "cc -m32 does not link"; return; }
        ;;
    s390x-unknown-linux-gnu)
        links s390x-linux-gnu-gcc && command -v qemu-s390x >/dev/null ||
            packages qemu-user gcc-s390x-linux-gnu libc6-dev-s390x-cross ||
            { lacks "$target" "no s390x-linux-gnu-gcc, or no qemu-s390x"; return; }
        export "${variable}_LINKER=s390x-linux-gnu-gcc" "${variable}_RUNNER=qemu-s390x -L /usr/s390x-linux-gnu"
        # Optimised, or it takes an hour; overflow is still looked for.
        export CARGO_PROFILE_DEV_OPT_LEVEL=2
        ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
    esac
    retry rustup target add "$target" || { lacks "$target" "no such target"; return; }
    judge "$target" cargo test --no-fail-fast --target "$target"
}

# links COMPILER...: whether it makes a program
links() {
    echo 'int main(void) { return 0; }' >"$work/empty.c"
    "$@" -o "$work/empty" "$work/empty.c" 2>/dev/null
}

packages() {
    [ "$(id -u)" -eq 0 ] && retry apt-get update && retry apt-get install -y --no-install-recommends "$@"
}

lacks() {
    missing=$((missing + 1))
    echo "targets: $1: not run: $2"
}

# judge TARGET COMMAND...: runs it, and says how it went
judge() {
    local target=$1 start=$SECONDS
    shift
    if "$@" >"$work/log" 2>&1 </dev/null; then
        passed=$((passed + 1))
        awk -v target="$target" -v seconds=$((SECONDS - start)) '
            /^test result:/ { tests += $4 }
            /^a server/ { code = ": " $0 }
            END { printf "targets: %s: %s, %d s%s\n", target, tests ? tests " tests passed" : "builds", seconds, code }' "$work/log"
    else
        failed=$((failed + 1))
        echo "targets: $target: FAILED"
        grep -E '^error|panicked at|FAILED' -A 4 "$work/log" | head -n 40
    fi
}

main "$@"
