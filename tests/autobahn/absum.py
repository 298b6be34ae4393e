#!/usr/bin/env python3
"""Counts an Autobahn report, per section, and judges it.

usage: absum.py FOLDER ROLE EXPECTED UNIMPLEMENTED

FOLDER holds the suite's index.json, and gets summary.html; EXPECTED is how many cases must have a result: the suite's
own exit code says nothing. Exit code: 0 when every case is OK or INFORMATIONAL (with UNIMPLEMENTED=1 also UNIMPLEMENTED
in sections 12 and 13), all of them have a result, and every case in which the peer must be failed ended with an
expected Close code, of which there are 117 when sections 1 to 11 were asked for; else 1.
"""

import collections
import html
import json
import os
import sys

BEHAVIOR = ["OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED", "FAILED"]
CLOSE = ["OK", "INFORMATIONAL", "FAILED BY CLIENT", "WRONG CODE", "UNCLEAN", "FAILED"]

# How many cases there are, and in how many of them the peer must be failed.
SECTIONS_1_TO_11, MUST_FAIL = 301, 117


def main():
    folder, role, expected, unimplemented = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "1"
    with open(os.path.join(folder, "index.json")) as file:
        agents = json.load(file)
    if len(agents) != 1:
        sys.exit("autobahn: %d agents in the report, expected 1" % len(agents))
    cases = next(iter(agents.values()))
    order = sorted(cases, key=lambda case: [int(part) for part in case.split(".")])
    tables = [table("behavior", BEHAVIOR, cases, order), table("behaviorClose", CLOSE, cases, order)]
    odd = [case for case in order if (cases[case]["behavior"], cases[case]["behaviorClose"]) != ("OK", "OK")]
    bad = [case for case in odd if not tolerated(case, cases[case], unimplemented)]
    must, wrong = codes(folder, cases, order)
    missing = expected - len(cases)
    unseen = MUST_FAIL - must if expected >= SECTIONS_1_TO_11 else 0

    lines = ["cases in which the peer must be failed: %d, ended with an expected Close code: %d" % (must, must - len(wrong))]
    lines += ["%s closed with %s, expected %s" % codes for codes in wrong]
    if missing:
        lines.append("%d of %d cases have no result" % (missing, expected))
    if unseen:
        lines.append("of these cases there should be %d" % MUST_FAIL)
    failed = len(bad) + abs(missing) + len(wrong) + abs(unseen)
    lines.append("autobahn: %d passed, %d failed (%s)" % (len(cases) - len(bad), failed, role))

    for rows in tables:
        show(rows)
    for case in odd:
        mark = "  <- not accepted" if case in bad else ""
        print("%-8s %s%s" % (case, outcome(cases[case]), mark))
    print("\n".join(lines))
    with open(os.path.join(folder, "summary.html"), "w") as file:
        file.write(page(role, tables, [(case, cases[case], case in bad) for case in odd], lines))
    sys.exit(1 if failed else 0)


def tolerated(case, result, unimplemented):
    """Whether a case that is not OK still counts as passed."""
    allowed = ["OK", "INFORMATIONAL"]
    if unimplemented and case.split(".")[0] in ("12", "13"):
        allowed.append("UNIMPLEMENTED")
    return result["behavior"] in allowed and result["behaviorClose"] in ("OK", "INFORMATIONAL")


def outcome(result):
    return "behavior=%s behaviorClose=%s remoteCloseCode=%s" % tuple(
        result[key] for key in ("behavior", "behaviorClose", "remoteCloseCode"))


def table(field, columns, cases, order):
    """A head, one row a section, and their sum: how many cases of each outcome."""
    seen = {cases[case][field] for case in order}
    columns = columns + sorted(seen - set(columns))
    sections = collections.OrderedDict()
    for case in order:
        sections.setdefault(case.split(".")[0], collections.Counter())[cases[case][field]] += 1
    sections["all"] = sum(sections.values(), collections.Counter())
    counts = [[name, sum(count.values())] + [count[it] for it in columns] for name, count in sections.items()]
    return [[field, "cases"] + columns] + counts


def show(rows):
    widths = [14, 5] + [len(name) for name in rows[0][2:]]
    for row in rows:
        print("  ".join(["%-*s" % (widths[0], row[0])] + ["%*s" % pair for pair in zip(widths[1:], row[1:])]))
    print()


def codes(folder, cases, order):
    """A dropped connection scores as well as the right Close code, so the codes are counted apart."""
    must, wrong = 0, []
    for case in order:
        if cases[case]["behavior"] == "INFORMATIONAL":
            continue
        with open(os.path.join(folder, cases[case]["reportfile"])) as file:
            report = json.load(file)
        expected = report["expectedClose"]
        if expected.get("requireClean") is False:
            must += 1
            if report["remoteCloseCode"] not in expected["closeCode"]:
                wrong.append((case, report["remoteCloseCode"], expected["closeCode"]))
    return must, wrong


STYLE = """body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em }
table { border-collapse: collapse; margin: 1.5em 0 } th, td { padding: .15em .8em; text-align: right }
th:first-child, td:first-child { text-align: left } tr:last-child { font-weight: bold; border-top: 1px solid }
.zero { opacity: .25 } .bad { color: #c00 }"""


def page(role, tables, odd, lines):
    """The same, for a browser: one file, beside the suite's own reports of the cases."""
    parts = ["<!doctype html><meta charset=utf-8><title>Autobahn: hopwire, %s</title><style>%s</style>" % (role, STYLE),
             "<h1>Autobahn, hopwire as %s</h1>" % role]
    for rows in tables:
        head = "".join("<th>%s" % name for name in rows[0])
        body = "".join("<tr>" + "".join(cell(it) for it in row) for row in rows[1:])
        parts.append("<table><tr>%s%s</table>" % (head, body))
    if odd:
        parts.append("<h2>Not OK</h2><ul>")
        for case, result, bad in odd:
            link = html.escape(result["reportfile"].replace(".json", ".html"))
            parts.append('<li%s><a href="%s">%s</a> %s' % (' class="bad"' if bad else "", link, case, html.escape(outcome(result))))
        parts.append("</ul>")
    parts += ["<p>%s" % html.escape(line) for line in lines]
    return "\n".join(parts) + "\n"


def cell(value):
    return '<td class="zero">0' if value == 0 else "<td>%s" % value


if __name__ == "__main__":
    main()
