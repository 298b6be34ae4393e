#!/usr/bin/env python3
"""Counts an Autobahn report, per section, and judges it.

usage: absum.py FOLDER EXPECTED

FOLDER holds the suite's index.json; EXPECTED is how many cases must have a result: the suite's own exit code
says nothing. Exit code: 0 when every case is OK or INFORMATIONAL (UNIMPLEMENTED too in sections 12 and 13), all of
them have a result, and every case in which the peer must be failed ended with an expected Close code; else 1.
"""

import collections
import json
import os
import sys

BEHAVIOR = ["OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED", "FAILED"]
CLOSE = ["OK", "INFORMATIONAL", "FAILED BY CLIENT", "WRONG CODE", "UNCLEAN", "FAILED"]


def main():
    folder, expected = sys.argv[1], int(sys.argv[2])
    with open(os.path.join(folder, "index.json")) as file:
        agents = json.load(file)
    if len(agents) != 1:
        sys.exit("autobahn: %d agents in the report, expected 1" % len(agents))
    cases = next(iter(agents.values()))
    order = sorted(cases, key=lambda case: [int(part) for part in case.split(".")])

    table("behavior", BEHAVIOR, cases, order)
    table("behaviorClose", CLOSE, cases, order)

    bad = 0
    for case in order:
        behavior, close = cases[case]["behavior"], cases[case]["behaviorClose"]
        if (behavior, close) == ("OK", "OK"):
            continue
        fine = tolerated(case, behavior) and close in ("OK", "INFORMATIONAL")
        bad += not fine
        code = cases[case]["remoteCloseCode"]
        mark = "" if fine else "  <- not accepted"
        print("%-8s behavior=%s behaviorClose=%s remoteCloseCode=%s%s" % (case, behavior, close, code, mark))

    must, right = codes(folder, cases, order)
    print("cases in which the peer must be failed: %d, ended with an expected Close code: %d" % (must, right))
    missing = expected - len(cases)
    if missing:
        print("%d of %d cases have no result" % (missing, expected))
    failed = bad + abs(missing) + must - right
    print("autobahn: %d passed, %d failed" % (len(cases) - bad, failed))
    sys.exit(1 if failed else 0)


def tolerated(case, behavior):
    """Whether a case that is not OK still counts as passed."""
    compression = case.split(".")[0] in ("12", "13")
    return behavior in ("OK", "INFORMATIONAL") or (compression and behavior == "UNIMPLEMENTED")


def table(field, columns, cases, order):
    """One line a section: how many cases of each outcome."""
    seen = {cases[case][field] for case in order}
    columns = columns + sorted(seen - set(columns))
    print("%-14s %5s  %s" % (field, "cases", "  ".join(columns)))
    sections = collections.OrderedDict()
    for case in order:
        sections.setdefault(case.split(".")[0], collections.Counter())[cases[case][field]] += 1
    total = sum(sections.values(), collections.Counter())
    for section, counts in list(sections.items()) + [("all", total)]:
        numbers = "  ".join("%*d" % (len(column), counts[column]) for column in columns)
        print("%-14s %5d  %s" % (section, sum(counts.values()), numbers))
    print()


def codes(folder, cases, order):
    """A dropped connection scores as well as the right Close code, so the codes are counted apart."""
    must = right = 0
    for case in order:
        if cases[case]["behavior"] == "INFORMATIONAL":
            continue
        with open(os.path.join(folder, cases[case]["reportfile"])) as file:
            report = json.load(file)
        expected = report["expectedClose"]
        if expected.get("requireClean") is False:
            must += 1
            right += report["remoteCloseCode"] in expected["closeCode"]
            if report["remoteCloseCode"] not in expected["closeCode"]:
                print("%-8s closed with %s, expected %s" % (case, report["remoteCloseCode"], expected["closeCode"]))
    return must, right


if __name__ == "__main__":
    main()
