#!/usr/bin/env bash
# Runs the fuzz targets under cargo-fuzz, each for some seconds, from the seeds that the tests know.
#
#   fuzz/run.sh SECONDS [TARGET...]
#
# Needs a nightly toolchain. cargo-fuzz itself is installed if it is missing.
# Exit code: 0 nothing found; 1 something found (the input lies in fuzz/artifacts); 77 cannot be run here (one line
# says why).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:-}
[[ $seconds =~ ^[0-9]+$ ]] || { sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
shift

missing() {
    echo "fuzz: not run: $1"
    exit 77
}

toolchain=$(rustup toolchain list 2>/dev/null | grep -o '^nightly[^ ]*' | head -n 1) || missing "no nightly toolchain"
rustc "+$toolchain" --version >/dev/null 2>&1 || missing "$toolchain does not work"
target=${CARGO_TARGET_DIR:-$PWD/target}
if ! command -v cargo-fuzz >/dev/null && [ ! -x "$target/tools/bin/cargo-fuzz" ]; then
    cargo install --quiet --locked --root "$target/tools" --target-dir "$target/tools/build" cargo-fuzz 2>&1 | tail -n 3 ||
        missing "cannot install cargo-fuzz"
fi
export PATH="$PATH:$target/tools/bin"
export CARGO_TARGET_DIR=$target/fuzz

if [ $# -eq 0 ]; then
    for source in fuzz/fuzz_targets/*.rs; do set -- "$@" "$(basename "$source" .rs)"; done
fi
corpus=$target/fuzz/corpus
mkdir -p "$corpus"
CARGO_TARGET_DIR=$target HOPWIRE_CORPUS=$corpus cargo test --quiet --test fuzz_seeds >"$corpus/seeds.log" 2>&1 ||
    { tail -n 20 "$corpus/seeds.log"; exit 1; }
# There is no unsafe code for a sanitizer to watch.
cargo "+$toolchain" fuzz build --sanitizer none >"$corpus/build.log" 2>&1 ||
    { tail -n 20 "$corpus/build.log"; missing "the targets do not build with $toolchain"; }

failed=0
for name in "$@"; do
    log=$corpus/$name.log
    # The target with peers beside it starts from the requests of another.
    [ "$name" != differential ] || cp -r "$corpus/http1_server" "$corpus/differential" 2>/dev/null || true
    mkdir -p "$corpus/$name"
    # The words of its grammar.
    case $name in
    compress | compress_zlib | inflate | inflate_zlib | utf8 | ws_*) dict=ws ;;
    cursor | sse_*) dict=sse ;;
    *) dict=http ;;
    esac
    code=0
    timeout -k 10 $((seconds + 120)) cargo "+$toolchain" fuzz run --sanitizer none "$name" "$corpus/$name" -- \
        "-dict=fuzz/dicts/$dict.dict" "-max_total_time=$seconds" -max_len=4096 -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 >"$log" 2>&1 </dev/null || code=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    if [ "$code" -eq 0 ]; then
        echo "fuzz $name: nothing found in ${runs:-?} runs, $seconds s"
    else
        failed=$((failed + 1))
        echo "fuzz $name: FAILED"
        grep -E 'panicked at|assertion|left:|right:|ERROR|Base64|artifact_prefix|Test unit written' "$log" | cut -c 1-600 | head -n 12
    fi
done
echo "fuzz: $(($# - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
