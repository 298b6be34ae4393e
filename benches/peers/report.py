#!/usr/bin/env python3
"""What a run of the peers' bench says.

report.py table FIGURES          each promised ratio beside the measured one (`net`: with the cost of reading, `@copy`,
                                 taken off both); exit code 1 if one falls short
report.py chart FIGURES > SVG    every peer's time as a multiple of hopwire's

A case that is there several times counts with its medians.
"""

import math
import sys
from collections import defaultdict
from html import escape
from statistics import median

# area, cases, the peers that count ("" = the best of all, "!x" = the best without x in its name), must, aim
PROMISES = [
    ("http_head", "short68 upgrade230 browser703 chrome1500", "httparse-uninit", 1.05, 1.5),
    ("http_head", "short68 upgrade230 browser703 chrome1500", "http-net-ServerConn", 2.0, 3.0),
    ("http_head", "short68_connection upgrade230_connection browser703_connection chrome1500_connection", "http-net-ServerConn", 2.0, 3.0),
    ("http_exchange", "short68 browser703", "http-net-write_head", 1.5, 2.0),
    ("http_exchange", "short68_prepared browser703_prepared", "http-net-respond", 1.5, 2.0),
    ("http_chunked", "64KiB_16B", "http-net-ServerConn", 2.0, 3.5),
    ("http_chunked", "1MiB_4KiB 1MiB_4KiB_inplace", "http-net-ServerConn", 5.0, 10.0),
    ("response_head", "200B 1kB", "httparse-uninit", 1.05, 1.4),
    ("client_exchange", "get_1KiB", "http-net-made", 1.5, 2.0),
    ("client_exchange", "get_1KiB_prepared", "http-net-prepared", 1.5, 2.0),
    ("ws_recv", "ascii16B ascii16B_str", "", 1.4, 2.0),
    ("ws_recv", "ascii125B ascii125B_str ascii1KiB ascii1KiB_str", "", 1.3, 1.7),
    ("ws_recv", "ascii16KiB ascii1MiB", "", 1.5, 2.0),
    # The read alone takes half of either; without it, as the buffer is the user's:
    ("ws_recv", "ascii16KiB_inplace ascii1MiB_inplace", "", 1.5, 2.0),
    ("ws_recv", "japanese1KiB japanese64KiB", "ws-net", 1.6, 4.0),
    # Who hands over header and payload apart is compared with hopwire's prefix, who builds a frame with its frame.
    ("ws_send", "server16B server1KiB_prefix server64KiB_prefix", "", 1.1, 1.5),
    ("ws_send", "server1KiB", "!vectored", 1.1, 1.5),
    ("ws_send", "client16B", "", 1.2, 1.5),
    ("ws_send", "client1KiB", "", 1.0, 1.3),
    ("ws_send", "client64KiB", "", 0.8, 1.1),
    ("broadcast", "text300B text300B_in_place", "", 5.0, 20.0),
    ("ws_handshake", "server230B", "", 1.3, 2.0),
    ("deflate", "fast_json300_context fast_json1MiB", "zlib-rs", 0.8, 1.2),
    ("deflate", "default_json300_context default_json1MiB", "zlib-rs", 1.0, 1.5),
    ("inflate", "json300_context json1MiB random1MiB", "zlib-rs", 0.85, 1.1),
    ("inflate", "json300_context", "miniz_oxide", 3.0, 6.0),
    ("inflate", "json1MiB", "miniz_oxide", 1.3, 1.7),
    ("inflate", "random1MiB", "miniz_oxide", 0.9, 1.2),
    ("sse_decode", "9B_64B 9B_4KiB 9B_whole json100_64B json100_4KiB json100_whole", "", 1.5, 2.5),
    ("sse_decode", "40KB_whole", "sse-stream", 1.0, 1.5),
    ("sse_decode", "40KB_64B", "sse-core", 1.3, 2.0),
    ("sse_decode", "tokens_64B tokens_4KiB tokens_whole keepalive_64B keepalive_4KiB", "", 1.3, 2.0),
    ("sse_encode", "json100 10lines 40KB", "sse-stream", 1.8, 3.0),
]

# They skip a part of the work, so they are shown and never counted as the best peer.
LESS_WORK = ("no_utf8_check",)


def read(path):
    """{(area, case): {peer: (median, ratio, allocs)}}: of several runs the medians, column by column."""
    cases = defaultdict(lambda: defaultdict(list))
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            columns = line.split()
            if len(columns) == 6:
                area, case, peer = columns[:3]
                cases[area, case][peer].append(tuple(map(float, columns[3:])))
    return {
        case: {peer: tuple(map(median, zip(*runs))) for peer, runs in peers.items()} for case, peers in cases.items()
    }


def rivals(peers, name=""):
    """Peers only: no reference, and nobody who does less."""
    exclude, name = (name[1:], "") if name.startswith("!") else ("", name)
    return {
        peer: figures
        for peer, figures in peers.items()
        if peer != "hopwire" and peer[0] != "@" and name in peer
        and not (exclude and exclude in peer) and not any(skip in peer for skip in LESS_WORK)
    }


def without_copy(peers, peer):
    """The ratio when the one copy that both pay for is taken off both."""
    if "@copy" not in peers or "hopwire" not in peers:
        return ""
    copy, ours = peers["@copy"][0], peers["hopwire"][0]
    return f"{(peers[peer][0] - copy) / (ours - copy):.2f}" if ours > copy else ""


def table(path):
    cases, short = read(path), 0
    print(f"{'area':16}{'case':25}{'against':36}{'ratio':>7}{'net':>7}{'must':>7}{'aim':>6}")
    for area, names, against, must, aim in PROMISES:
        for case in names.split():
            field = rivals(cases.get((area, case), {}), against)
            if not field:
                print(f"{area:16}{case:25}not measured")
                short += 1
                continue
            peer = min(field, key=lambda p: field[p][0])
            ratio, net = field[peer][1], without_copy(cases[area, case], peer)
            # A ratio that is not a number (no hopwire in the run) is short too.
            verdict = "" if ratio >= aim else "below aim" if ratio >= must else "SHORT"
            short += verdict == "SHORT"
            print(f"{area:16}{case:25}{peer:36}{ratio:7.2f}{net:>7}{must:7.2f}{aim:6.1f}  {verdict}")
    return 1 if short else 0


def chart(path):
    cases = read(path)
    rows = []
    # Some cases have several promises.
    for area, case in dict.fromkeys((area, case) for area, names, _, _, _ in PROMISES for case in names.split()):
        field = rivals(cases.get((area, case), {}))
        if field:
            rows.append((area, case, sorted((r, p) for p, (_, r, _) in field.items())))
    if not rows:
        sys.exit("no figures with hopwire in them")
    left, right, top, step = 300, 40, 58, 24
    width, height = 980, top + step * len(rows) + 30
    low, high = 0.25, max(64.0, max(r[-1][0] for _, _, r in rows))
    scale = (width - left - right) / math.log2(high / low)

    def x(ratio):
        return left + scale * math.log2(max(ratio, low) / low)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        '<text x="12" y="22" font-size="15" font-weight="bold">Time of each peer as a multiple of hopwire\'s</text>',
        '<text x="12" y="40" fill="#666">One dot a peer, medians of one run; right of the line: hopwire is faster. Codecs without a connection count as peers. Hover for names.</text>',
    ]
    tick = 0.25
    while tick <= high:
        colour, wide = ("#c0392b", 2) if tick == 1 else ("#ddd", 1)
        at = f"{x(tick):.1f}"
        out.append(f'<line x1="{at}" x2="{at}" y1="{top - 8}" y2="{height - 26}" stroke="{colour}" stroke-width="{wide}"/>')
        out.append(f'<text x="{at}" y="{height - 10}" text-anchor="middle" fill="#666">{tick:g}</text>')
        tick *= 2
    for i, (area, case, field) in enumerate(rows):
        y = top + step * i + 8
        out.append(f'<text x="12" y="{y + 4}">{escape(area)} <tspan fill="#666">{escape(case)}</tspan></text>')
        for n, (ratio, peer) in enumerate(field):
            best = n == 0
            title = f"<title>{escape(peer)}: {ratio:.2f}</title>"
            fill = "#2c3e50" if best else "#95a5a6"
            out.append(f'<circle cx="{x(ratio):.1f}" cy="{y}" r="{5 if best else 4}" fill="{fill}">{title}</circle>')
        ratio, peer = field[0]
        out.append(f'<text x="{left - 12}" y="{y + 4}" text-anchor="end" fill="#2c3e50">{ratio:.2f}</text>')
    out.append("</svg>")
    print("\n".join(out))
    return 0


if __name__ == "__main__":
    commands = {("table", 1): table, ("chart", 1): chart}
    chosen = commands.get((sys.argv[1] if len(sys.argv) > 1 else "", len(sys.argv) - 2))
    if chosen is None:
        sys.exit(__doc__)
    sys.exit(chosen(*sys.argv[2:]))
