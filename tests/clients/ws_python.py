"""Echoes through the Python library `websockets`.

usage: ws_python.py PORT
Prints `PASS name` or `FAIL name: why` a line.
"""

import itertools
import os
import random
import sys

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.sync.client import connect


def main():
    url = "ws://127.0.0.1:%s/chat?room=1" % sys.argv[1]
    failed = 0
    for name, check in CHECKS:
        try:
            check(url)
            print("PASS " + name)
        except Exception as error:  # whatever the library raises is a failed check
            failed += 1
            print("FAIL %s: %r" % (name, error))
    sys.exit(1 if failed else 0)


def open_(url, **options):
    return connect(url, open_timeout=10, close_timeout=10, max_size=None, proxy=None, **options)


def echoes(url):
    with open_(url) as ws:
        for message in ["", "hello", "h\u00e9llo \u65e5\u672c\u8a9e \U0001f600", b"", b"\0\xff" * 70, "x" * 125, "x" * 126, "y" * 65536]:
            ws.send(message)
            assert ws.recv(10) == message, message[:40]


def large(url):
    message = os.urandom(4 << 20)
    with open_(url) as ws:
        ws.send(message)
        assert ws.recv(30) == message


def many(url):
    with open_(url) as ws:
        for at in range(2000):
            ws.send("message %d" % at)
        for at in range(2000):
            assert ws.recv(10) == "message %d" % at


def fragments(url):
    with open_(url) as ws:
        ws.send(["frag", "ment", "ed \u65e5", ""])
        got = "".join(ws.recv_streaming())
        assert got == "fragmented \u65e5", got


def pings(url):
    with open_(url) as ws:
        for _ in range(10):
            assert ws.ping(os.urandom(8)).wait(10), "no pong"


def closes(url):
    ws = open_(url)
    ws.close(4321, "bye")
    try:
        ws.recv(10)
        raise AssertionError("received after the close")
    except ConnectionClosed as closed:
        assert closed.rcvd is not None and closed.rcvd.code == 4321, closed


def compressed(url):
    """Every window, with context and without: zlib on the other side would not inflate what refers beyond its window."""
    rows = ['{"id": %d, "name": "%s"}' % (n, random.Random(n).getrandbits(64)) for n in range(1500)]
    messages = ["\n".join(rows), "\n".join(rows[:3]), "\n".join(reversed(rows)), "x" * 100000, ""]
    for bits in range(9, 16):
        for server, client in itertools.product((False, True), repeat=2):
            offer = ClientPerMessageDeflateFactory(server, client, bits, bits)
            with open_(url, compression=None, extensions=[offer]) as ws:
                answer = ws.response.headers["Sec-WebSocket-Extensions"]
                assert "server_max_window_bits=%d" % bits in answer, answer
                assert not server or "server_no_context_takeover" in answer, answer
                for message in messages:
                    ws.send(message)
                    assert ws.recv(10) == message, (bits, server, client)


def refused(url):
    try:
        open_(url, additional_headers={"Sec-WebSocket-Version": "8"}).close()
        raise AssertionError("two versions were accepted")
    except InvalidStatus as refusal:
        assert refusal.response.status_code in (400, 426), refusal


CHECKS = [
    ("text and binary echo", echoes),
    ("4 MiB message", large),
    ("2000 messages in flight", many),
    ("fragmented message", fragments),
    ("ten pings", pings),
    ("close handshake keeps the code", closes),
    ("compression with every window", compressed),
    ("two versions refused", refused),
]

if __name__ == "__main__":
    main()
