#!/usr/bin/env python3
"""Draws Autobahn reports, a square for each case.

usage: picture.py REPORT... > docs/autobahn.svg

REPORT is a folder that run.sh names (report-server.XXXXXX), with the suite's index.json in it.
"""

import collections
import json
import os
import sys

SECTIONS = {"1": "framing", "2": "pings and pongs", "3": "reserved bits", "4": "opcodes", "5": "fragments", "6": "UTF-8",
            "7": "close", "9": "limits and speed", "10": "fragmenting", "12": "compression", "13": "its parameters"}
FINE, INFORMATIONAL, BAD = "#2e9e6b", "#4a7fd4", "#d0342c"
STEP, COLUMNS, LEFT, PANEL = 9, 30, 140, 470


def main():
    panels = [panel(folder, n * PANEL) for n, folder in enumerate(sys.argv[1:])]
    if not panels:
        sys.exit(__doc__)
    width, height = len(panels) * PANEL - 30, max(height for _, height in panels) + 12
    print('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">' % (width, height))
    print('<rect width="%d" height="%d" fill="#fff"/>' % (width, height))
    print("\n".join(part for parts, _ in panels for part in parts))
    print("</svg>")


def panel(folder, left):
    """The parts of one report's picture, and its height."""
    role = os.path.basename(os.path.normpath(folder)).partition("-")[2].partition(".")[0]
    with open(os.path.join(folder, "index.json")) as file:
        cases = next(iter(json.load(file).values()))
    sections, colours = collections.OrderedDict(), collections.Counter()
    for case in sorted(cases, key=lambda case: [int(part) for part in case.split(".")]):
        sections.setdefault(case.split(".")[0], []).append(colour(cases[case]))
    parts, y = [], 44
    for section, squares in sections.items():
        parts.append('<text x="%d" y="%d">%s <tspan fill="#666">%s</tspan></text>' % (left + 12, y + 8, section, SECTIONS.get(section, "")))
        for fill in sorted(set(squares)):
            at = [(left + LEFT + n % COLUMNS * STEP, y + n // COLUMNS * STEP) for n, it in enumerate(squares) if it == fill]
            parts.append('<path fill="%s" d="%s"/>' % (fill, "".join("M%d %dh7v7h-7z" % it for it in at)))
        colours.update(squares)
        y += (len(squares) + COLUMNS - 1) // COLUMNS * STEP + 9
    title = "As %s: %d cases" % (role, len(cases))
    counts = "%d OK, %d informational, %d neither" % (colours[FINE], colours[INFORMATIONAL], colours[BAD])
    parts.append('<text x="%d" y="22" font-size="15" font-weight="bold">%s</text>' % (left + 12, title))
    parts.append('<text x="%d" y="22" fill="#666">%s</text>' % (left + 205, counts))
    return parts, y


def colour(result):
    outcomes = (result["behavior"], result["behaviorClose"])
    return FINE if outcomes == ("OK", "OK") else INFORMATIONAL if set(outcomes) <= {"OK", "INFORMATIONAL"} else BAD


if __name__ == "__main__":
    main()
