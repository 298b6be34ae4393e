#!/usr/bin/env python3
"""Is any of hopwire's cases slower when it is built for x86-64-v3?

v3.py [AREA ...]

Both builds of an area take turns, so that a slow period of the machine hits both alike. One line a case: nanoseconds of
either build, and how many times the other v3 takes, by the medians and by the minima of all turns. A case is slower if
both say so by more than 5 %; the exit code is then 1.
"""

import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median

TURNS, SLOWER = 7, 1.05
AREAS = "http_head http_exchange http_chunked response_head client_exchange forward ws_recv ws_send ws_handshake deflate inflate sse_decode sse_encode"
HERE = Path(__file__).parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target"))


def main():
    slower = 0
    for area in sys.argv[1:] or AREAS.split():
        print(f"building {area}", file=sys.stderr)
        builds = [build(area, "v1"), build(area, "v3")]
        cases = defaultdict(lambda: ([], []))
        for turn in range(TURNS):
            print(f"{area}: turn {turn + 1} of {TURNS}", file=sys.stderr)
            for n, program in enumerate(builds):
                for case, ns in figures(program, area):
                    cases[case][n].append(ns)
        for case, (base, v3) in cases.items():
            by_median, by_minimum = median(v3) / median(base), min(v3) / min(base)
            is_slower = min(by_median, by_minimum) > SLOWER
            slower += is_slower
            verdict = "  SLOWER" if is_slower else ""
            print(f"{area:16}{case:30}{median(base):12.2f}{median(v3):12.2f}{by_median:7.2f}{by_minimum:7.2f}{verdict}")
    return 1 if slower else 0


def build(area, level):
    """The program of an area, for x86-64-v1 (the baseline) or x86-64-v3.

    The names of both are of one length: a program's arguments lie on its heap, and where on a page a buffer lies behind
    them has made a head of 1.5 kB cost a fifth more.
    """
    target, flags = TARGET, os.environ.get("RUSTFLAGS", "")
    if level != "v1":
        target, flags = TARGET / level, f"{flags} -Ctarget-cpu=x86-64-{level}".strip()
    environ = {**os.environ, "CARGO_TARGET_DIR": str(target)} | ({"RUSTFLAGS": flags} if flags else {})
    command = ["cargo", "build", "--quiet", "--release", "--locked", "--no-default-features", "--features", area]
    subprocess.run([*command, "--manifest-path", HERE / "Cargo.toml"], env=environ, check=True)
    program = TARGET / f"peers-{area}-{level}"
    shutil.copy(target / "release" / "peers", program)
    return program


def figures(program, area):
    """Each of hopwire's cases with its nanoseconds, no peer beside it."""
    environ = {"SAMPLES": "7", "MS": "5", **os.environ}
    output = subprocess.run([program, area, "", "hopwire"], env=environ, check=True, capture_output=True, text=True).stdout
    for line in output.splitlines():
        _, case, name, ns, _, _ = line.split()
        if name == "hopwire" and not case.endswith("_ratio") and case != "memory":
            yield case, float(ns)


if __name__ == "__main__":
    sys.exit(main())
