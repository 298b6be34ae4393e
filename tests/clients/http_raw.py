"""Requests no HTTP library would send: pipelined ones, and bad ones with the status each must get.

usage: http_raw.py PORT
Prints `PASS name` or `FAIL name: why` a line.
"""

import email
import email.utils
import socket
import sys
import time

HOST = b"Host: example\r\n"

# name, request, status
BAD = [
    ("no version", b"GET /\r\n\r\n", 400),
    ("two spaces", b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("bare LF", b"GET / HTTP/1.1\nHost: a\n\n", 400),
    ("version 2.0", b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505),
    ("no Host", b"GET / HTTP/1.1\r\n\r\n", 400),
    ("two Hosts", b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
    ("space before colon", b"GET / HTTP/1.1\r\n" + HOST + b"X : y\r\n\r\n", 400),
    ("folded field", b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n z\r\n\r\n", 400),
    ("NUL in a value", b"GET / HTTP/1.1\r\n" + HOST + b"X: \0\r\n\r\n", 400),
    ("length +5", b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: +5\r\n\r\nhello", 400),
    ("two lengths", b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
    ("length past 64 bits", b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 18446744073709551616\r\n\r\n", 400),
    ("length and chunked", b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("chunked twice", b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    ("unknown coding", b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: zork, chunked\r\n\r\n0\r\n\r\n", 501),
    ("endless target", b"GET /" + b"a" * 300_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    ("endless fields", b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 100_000 + b"\r\n", 431),
]


def main():
    port = int(sys.argv[1])
    failed = 0
    checks = [("pipelined GETs", pipelined_gets), ("pipelined POSTs answered in order", pipelined_posts)]
    checks += [("half-closed after the request", half_closed), ("one byte at a time", dripped)]
    for name, request, status in BAD:
        checks.append(("bad request, %s: %d" % (name, status), lambda port, r=request, s=status: bad(port, r, s)))
    for name, check in checks:
        try:
            check(port)
            print("PASS " + name)
        except (AssertionError, OSError) as error:
            failed += 1
            print("FAIL %s: %s" % (name, error or type(error).__name__))
    sys.exit(1 if failed else 0)


def connect(port):
    return socket.create_connection(("127.0.0.1", port), 10)


def read_all(sock):
    """Everything up to the end; a reset is a failure, for it can eat the answer."""
    got = b""
    while piece := sock.recv(65536):
        got += piece
    return got


def read_response(sock, buffered):
    """One response with a Content-Length or in chunks: (status, body, what follows)."""
    while b"\r\n\r\n" not in buffered:
        piece = sock.recv(65536)
        assert piece, "the end came before the head did: %r" % buffered[:80]
        buffered += piece
    head, rest = buffered.split(b"\r\n\r\n", 1)
    lines = head.split(b"\r\n")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])}
    status = int(lines[0].split(b" ")[1])
    if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
        body = b""
        while True:
            rest = more(sock, rest, lambda it: b"\r\n" in it)
            size, rest = rest.split(b"\r\n", 1)
            size = int(size.split(b";")[0], 16)
            rest = more(sock, rest, lambda it: len(it) >= size + 2)
            assert rest[size:size + 2] == b"\r\n", "a chunk without its end"
            body, rest = body + rest[:size], rest[size + 2:]
            if size == 0:
                return status, body, rest
    length = int(fields[b"content-length"])
    rest = more(sock, rest, lambda it: len(it) >= length)
    return status, rest[:length], rest[length:]


def more(sock, got, enough):
    while not enough(got):
        piece = sock.recv(65536)
        assert piece, "the end came too early"
        got += piece
    return got


def pipelined_gets(port):
    with connect(port) as sock:
        sock.sendall(b"".join(b"GET /%d HTTP/1.1\r\n" % at + HOST + b"\r\n" for at in range(50)))
        rest = b""
        for at in range(50):
            status, got, rest = read_response(sock, rest)
            assert (status, got) == (200, b"/%d" % at), (status, got)
        assert rest == b"", rest


def pipelined_posts(port):
    bodies = [b"body number %d" % n * n for n in range(40)]
    with connect(port) as sock:
        head = b"POST / HTTP/1.1\r\n" + HOST
        for at, body in enumerate(bodies):
            if at % 2:
                sock.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            else:
                chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
                sock.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n")
        rest = b""
        for body in bodies:
            status, got, rest = read_response(sock, rest)
            assert (status, got) == (200, b"/" + body), (status, got[:40], body[:40])


def half_closed(port):
    with connect(port) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello")
        sock.shutdown(socket.SHUT_WR)
        got = read_all(sock)
        assert got.startswith(b"HTTP/1.1 200 ") and got.endswith(b"\r\n\r\n/hello"), got[:80]
        assert_dated(got)


def dripped(port):
    with connect(port) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n":
            sock.sendall(bytes([byte]))
        status, body, _ = read_response(sock, b"")
        assert (status, body) == (200, b"/abc"), (status, body)


def bad(port, request, status):
    with connect(port) as sock:
        try:
            sock.sendall(request)
        except ConnectionError:
            pass  # it may be refused, and the connection closed, before all of it is sent
        got = read_all(sock)
        assert got.startswith(b"HTTP/1.1 %d " % status), "answered %r" % got[:60]
        assert got.count(b"HTTP/1.1 ") == 1, "more than one answer"
        assert b"connection: close" in got.lower(), "the answer does not say that it is the last"
        assert_dated(got)


def assert_dated(got):
    """`An origin server with a clock [..] MUST generate a Date` (RFC 9110 section 6.6.1)."""
    dates = email.message_from_bytes(got.partition(b"\r\n")[2]).get_all("Date", [])
    assert len(dates) == 1, "dated %r" % dates
    age = time.time() - email.utils.parsedate_to_datetime(dates[0]).timestamp()
    assert dates[0].endswith(" GMT") and -2 < age < 10, "the answer is dated " + dates[0]


if __name__ == "__main__":
    main()
