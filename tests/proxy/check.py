"""What examples/proxy does between real and misbehaving peers; see run.sh."""

import base64
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

EXAMPLES = sys.argv[1]
BIG = 100 << 20
# Of the proxy without a connection: it accepts, writes the log, and listens to standard input.
IDLE_THREADS = 3
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
passed, failed, children = 0, 0, []


def check(name, ok, detail=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    print(f"{'ok    ' if ok else 'FAILED'} {name:<52} {detail}", flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(*command, **more):
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, **more)
    children.append(child)
    return child


def wait_for(port):
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing listens on {port}")


def proxy_to(port, *more):
    """A proxy in front of that port: its process and its own port."""
    log = tempfile.TemporaryFile()
    own = free_port()
    child = start(f"{EXAMPLES}/proxy", f"127.0.0.1:{own}", f"127.0.0.1:{port}", *more, stdout=log)
    child.log = log
    wait_for(own)
    return child, own


def connect(port):
    s = socket.create_connection(("127.0.0.1", port))
    s.settimeout(10)
    return s


def ask(port, data, end=False):
    """Sends bytes, and gives all that comes until the other end closes or is quiet."""
    s = connect(port)
    s.sendall(data)
    if end:
        s.shutdown(socket.SHUT_WR)
    return read_all(s)


def read_all(s, quiet=1.5):
    s.settimeout(quiet)
    out = b""
    try:
        while piece := s.recv(65536):
            out += piece
    except OSError:
        pass
    s.close()
    return out


def read_until(s, mark, most=1 << 16):
    """Up to the mark, the end, or so many bytes."""
    out = bytearray()
    while not out.endswith(mark) and len(out) < most and (piece := s.recv(1)):
        out += piece
    return bytes(out)


def curl(*arguments):
    run = subprocess.run(["curl", "-s", "--max-time", "60", *arguments], capture_output=True)
    return run.returncode, run.stdout


def sha1(data):
    return hashlib.sha1(data).hexdigest()


class Service:
    """A server of raw bytes. `serve(connection, head)` answers each request; its heads and connections are kept."""

    def __init__(self, serve):
        self.serve, self.heads, self.connections, self.received = serve, [], 0, []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            self.connections += 1
            threading.Thread(target=self.run, args=(connection,), daemon=True).start()

    def run(self, connection):
        try:
            while head := read_until(connection, b"\r\n\r\n"):
                self.heads.append(head)
                if self.serve(connection, head) is False:
                    break
        except OSError:
            pass
        connection.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def real_peers(folder, echo, nginx, python):
    big = os.urandom(BIG)
    with open(f"{folder}/big", "wb") as file:
        file.write(big)
    with open(f"{folder}/small", "wb") as file:
        file.write(b"small\n")
    sent = f"{folder}/sent"
    for name, port in [("nginx", nginx), ("http.server", python), ("echo", echo)]:
        _, proxy = proxy_to(port)
        url = f"http://127.0.0.1:{proxy}/small"
        code, body = curl("-i", url)
        check(f"{name}: GET", code == 0 and b" 200 " in body and b"\r\nvia: 1." in body.lower(), f"{len(body)} bytes")
        code, head = curl("-I", url)
        check(f"{name}: HEAD", code == 0 and b" 200 " in head and b"ontent-" in head)
        if name == "echo":
            continue
        code, body = curl(f"http://127.0.0.1:{proxy}/big")
        check(f"{name}: 100 MiB down, Content-Length", code == 0 and sha1(body) == sha1(big))
        code, body = curl("-r", "5-9", f"http://127.0.0.1:{proxy}/small")
        check(f"{name}: a range, or all", code == 0 and body in (b"\n", b"small\n"))
    _, proxy = proxy_to(echo)
    url = f"http://127.0.0.1:{proxy}/"
    with open(f"{folder}/half", "wb") as file:
        file.write(big[: BIG // 2])
    code, body = curl("-X", "POST", "-T", f"{folder}/half", url)
    check("echo: 50 MiB up, then down", code == 0 and sha1(body) == sha1(b"/half" + big[: BIG // 2]))
    code, said = curl("-v", "--stderr", "-", "-o", sent, "-H", "Expect: 100-continue", "--data-binary", "x" * 5000, url)
    check("echo: 100 Continue before the content", code == 0 and b"< HTTP/1.1 100 Continue" in said)
    code, said = curl("-v", "--stderr", "-", "-o", sent, "-o", sent, "-o", sent, url, url, url)
    check("curl keeps its connection", code == 0 and said.count(b"Re-using existing connection") == 2)


def mirror(folder):
    """A service that sends content back while it comes: neither way waits for the other to be complete."""

    def serve(c, head):
        if b"100-continue" in head.lower():
            c.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: *(\d+)", head.lower())
        c.sendall(b"HTTP/1.1 200 OK\r\n" + (b"Content-Length: " + length[1] if length else b"Transfer-Encoding: chunked") + b"\r\n\r\n")
        left, tail = int(length[1]) if length else None, b""
        while left != 0 and tail != b"\r\n0\r\n\r\n":
            data = c.recv(1 << 16)
            if not data:
                return False
            c.sendall(data)
            tail = (tail + data)[-7:]
            left = left and left - len(data)

    _, proxy = proxy_to(Service(serve).port)
    with open(f"{folder}/big", "rb") as file:
        sent = sha1(file.read())
    for framing, more in [("Content-Length", ["-H", "Expect:"]), ("chunked", ["-H", "Transfer-Encoding: chunked"]), ("Expect", ["-H", "Expect: 100-continue"])]:
        code, body = curl("-X", "POST", "-T", f"{folder}/big", *more, f"http://127.0.0.1:{proxy}/")
        check(f"mirror: 100 MiB up and down at once, {framing}", code == 0 and sha1(body) == sent)


def websocket(proxy):
    key = base64.b64encode(bytes(16)).decode()
    head = f"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"

    def frame(text):
        return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text

    s = connect(proxy)
    s.sendall(head.encode() + frame(b"early"))
    answer = read_until(s, b"\r\n\r\n")
    switched = answer.startswith(b"HTTP/1.1 101 ") and b"upgrade: websocket" in answer.lower()
    first = s.recv(7, socket.MSG_WAITALL)
    s.sendall(frame(b"later"))
    check("WebSocket: echo, frames sent before the 101 too", switched and first == b"\x81\x05early" and s.recv(7, socket.MSG_WAITALL) == b"\x81\x05later")
    s.sendall(bytes([0x88, 0x82]) + bytes(4) + b"\x03\xe8")
    check("WebSocket: the Close comes back, and the end", read_all(s)[:4] == b"\x88\x02\x03\xe8")


def details():
    def serve(c, head):
        path = head.split(b" ")[1]
        if path == b"/hints":
            c.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK)
        elif path == b"/trailers":
            c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n")
        elif path == b"/up":
            read_until(c, b"\r\n0\r\n")
            self.received.append(read_until(c, b"\r\n\r\n"))
            c.sendall(OK)
        elif path == b"/events":
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            for n in range(5):
                c.sendall(b"data: %d\n\n" % n)
                time.sleep(0.2)
            return False
        elif path == b"/cut":
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
            return False
        elif path == b"/cut-chunk":
            c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n")
            return False
        elif path == b"/bad":
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nzz")
            return False
        elif path == b"/early":
            c.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return False
        elif path == b"/at-once":
            c.sendall(OK)
            return False
        elif path == b"/never":
            time.sleep(20)
        elif path in (b"/switch", b"/switch-and-stay"):
            c.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
            time.sleep(0 if path == b"/switch" else 60)
            return False
        elif path == b"/dribble":
            for byte in b"HTTP/1.1 200 OK\r\nX: aaaaaaaaaaaaaaaaaaaaaaaa":
                c.sendall(bytes([byte]))
                time.sleep(0.3)
        else:
            c.sendall(OK)

    self = Service(serve)
    child, proxy = proxy_to(self.port, "2")
    # A service that leaves a tunnel, and a client that does.
    lingering = [connect(proxy), connect(proxy)]
    for client, path in zip(lingering, ["/switch", "/switch-and-stay"]):
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n".encode())
        read_until(client, b"\r\n\r\n")
    lingering[1].shutdown(socket.SHUT_WR)
    request = "GET {} HTTP/1.1\r\nHost: a\r\n{}Connection: close{}\r\n\r\n"
    get = lambda path, fields="", option="": ask(proxy, request.format(path, fields, option).encode())
    check("103 is relayed before the answer", re.match(rb"HTTP/1.1 103 .*\r\nLink: </a>\r\n(?s:.*)\r\n\r\nHTTP/1.1 200 ", get("/hints")))
    old = ask(proxy, b"GET /hints HTTP/1.0\r\nHost: a\r\n\r\n")
    check("103 is not for HTTP/1.0", old.startswith(b"HTTP/1.1 200 "))
    answer = get("/trailers", "TE: trailers\r\n", ", te")
    check("trailers reach who takes them", answer.endswith(b"0\r\nX-Sum: 7\r\n\r\n") and b"Trailer: X-Sum" in answer)
    check("TE: trailers is said on, with its option", b"te: trailers\r\nconnection: te\r\n" in self.heads[-1])
    check("and nobody else", get("/trailers").endswith(b"0\r\n\r\n"))
    ask(proxy, b"POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close, x-hop\r\n\r\n1\r\na\r\n0\r\nX-Hop: 1\r\nX-Sum: 7\r\n\r\n")
    check("trailers of requests, but nominated ones", self.received == [b"X-Sum: 7\r\n\r\n"], str(self.received))

    s = connect(proxy)
    s.sendall(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
    times = []
    for n in range(5):
        read_until(s, b"data: %d\n\n" % n)
        times.append(time.monotonic())
    gaps = [b - a for a, b in zip(times, times[1:])]
    check("events arrive one by one", min(gaps) > 0.1, f"{min(gaps) * 1000:.0f} to {max(gaps) * 1000:.0f} ms apart")

    for path in ["/cut", "/cut-chunk"]:
        code, body = curl(f"http://127.0.0.1:{proxy}{path}")
        check(f"service killed in mid-body ({path}): truncated", code in (18, 56) and body == b"0123456789", f"curl says {code}")
    answer = get("/bad")
    check("a response with two lengths: 502", answer.startswith(b"HTTP/1.1 502 ") and b"zz" not in answer)
    began = time.monotonic()
    s = connect(proxy)
    s.sendall(request.format("/never", "", "").encode())
    check("no answer in time: 504", read_all(s, 6).startswith(b"HTTP/1.1 504 "), f"{time.monotonic() - began:.1f} s")
    s = connect(proxy)
    s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    read_until(s, b"ok")
    s.sendall(request.format("/never", "", "").encode())
    began = time.monotonic()
    late = read_until(s, b"\r\n")
    took = time.monotonic() - began
    check("and on a kept connection no later", late.startswith(b"HTTP/1.1 504 ") and took < 3.9, f"{took:.1f} s")
    s = connect(proxy)
    s.sendall(b"POST /at-once HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    early = read_until(s, b"ok")
    s.sendall(b"0\r\n\r\n" + request.format("/", "", "").encode())
    then = read_all(s, 3)
    check("the request behind one that is answered early", early.startswith(b"HTTP/1.1 200 ") and then.startswith(b"HTTP/1.1 200 "))
    began = time.monotonic()
    s = connect(proxy)
    s.sendall(request.format("/dribble", "", "").encode())
    check("a head that comes byte by byte, and never ends: 504", read_all(s, 6).startswith(b"HTTP/1.1 504 "), f"{time.monotonic() - began:.1f} s")
    s = connect(proxy)
    s.sendall(b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n" + bytes(1000))
    check("an answer before the request is complete", read_all(s, 3).startswith(b"HTTP/1.1 413 "))
    _, nowhere = proxy_to(free_port())
    check("nobody listens: 502", ask(nowhere, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 502 "))
    own_name = re.search(rb"via: 1.1 (\S+)", self.heads[-1])[1].decode()
    check("a loop: 508", get("/", f"Via: 1.1 {own_name}\r\n").startswith(b"HTTP/1.1 508 "))
    answer = ask(proxy, b"OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\nConnection: close\r\n\r\n")
    check("Max-Forwards: 0 is answered here", answer.startswith(b"HTTP/1.1 200 ") and b"allow: " in answer and b"\r\ndate: " in answer)

    before, heads = self.connections, len(self.heads)
    client = http.client.HTTPConnection("127.0.0.1", proxy)
    for _ in range(20):
        client.request("GET", "/")
        client.getresponse().read()
    check("20 requests on one connection use one to the service", self.connections - before <= 1 and len(self.heads) == heads + 20)
    client.close()
    before = self.connections
    for _ in range(20):
        get("/")
        time.sleep(0.01)
    check("20 connections use one to the service", self.connections - before <= 2, f"{self.connections - before} new")

    answer = ask(proxy, b"GET / HTTP/1.0\r\n\r\n")
    check("HTTP/1.0 without Host", answer.startswith(b"HTTP/1.1 200 ") and b"connection: close" in answer and f"host: 127.0.0.1:{self.port}".encode() in self.heads[-1])

    answer = ask(proxy, b"OPTIONS * HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nMax-Forwards: 0\r\n\r\n")
    check("HTTP/1.0 is not kept, nor when it is refused", answer.startswith(b"HTTP/1.1 200 ") and b"connection: close" in answer)

    # A client that is gone in mid-body: the service must not see its request as complete, and the proxy goes on.
    heads = len(self.heads)
    s = connect(proxy)
    s.sendall(b"POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    time.sleep(0.2)
    s.close()
    time.sleep(0.5)
    check("client gone in mid-upload: never completed", len(self.heads) == heads + 1 and len(self.received) <= 2 and self.received[1:] in ([], [b""]))
    check("and the proxy goes on", get("/").endswith(b"ok"))
    check_threads_end(child, "who stays in a tunnel that the other side has left keeps no thread")


class Hostile:
    """A service that answers the nth request of a connection with what is to be said to it, and keeps the connection."""

    def __init__(self):
        def serve(c, head):
            if b" /ok " in head:
                c.sendall(OK)
                return True
            name = head.split(b" ")[1][1:].decode()
            said, stays = self.cases[name]
            for piece in said if isinstance(said, list) else [said]:
                c.sendall(piece)
                time.sleep(0.02 if isinstance(said, list) else 0)
            return stays

        self.service = Service(serve)
        flood = b"HTTP/1.1 102 Processing\r\n\r\n" * 1000
        ok = b"HTTP/1.1 200 OK\r\n"
        # What is said, and whether the connection then stays open.
        self.cases = {
            "unasked-101": (b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", True),
            "flood-of-1xx": (flood + OK, True),
            "two-lengths": (ok + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nzz", True),
            "length-and-coding": (ok + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", True),
            "signed-length": (ok + b"Content-Length: +2\r\n\r\nok", True),
            "coding-in-1.0": (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", True),
            "coding-unasked": (ok + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", True),
            "bare-lf": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", True),
            "bare-cr": (ok + b"X: a\rContent-Length: 2\r\n\r\nok", True),
            "space-before-colon": (ok + b"Content-Length : 2\r\n\r\nok", True),
            "nul": (ok + b"X: a\0b\r\nContent-Length: 2\r\n\r\nok", True),
            "another-protocol": (b"SSH-2.0-OpenSSH_9.2\r\n", True),
            "no-head": (b"", False),
            "half-a-head": (ok + b"Content-Le", False),
            "endless-line": (ok + b"X: " + b"a" * 200_000, True),
        }


def hostile():
    service = Hostile()
    child, proxy = proxy_to(service.service.port, "5")
    bad = []
    for name in service.cases:
        s = connect(proxy)
        s.sendall(f"GET /{name} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        answer = read_until(s, b"\r\n\r\n")
        while answer.startswith(b"HTTP/1.1 102 "):
            answer = read_until(s, b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", answer)
        body = s.recv(int(length[1]), socket.MSG_WAITALL) if length else b""
        s.sendall(b"GET /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        then = read_all(s, 5)
        if not (answer.startswith(b"HTTP/1.1 502 ") and "RFC 9".encode() in body and then.startswith(b"HTTP/1.1 200 ") and then.endswith(b"ok")):
            bad.append((name, answer, body, then))
    check(f"{len(service.cases)} services that lie: 502 with a clause, and the next request is answered", not bad, str(bad[:2]) if bad else "")

    # What is said too much, at once or later, is nobody's answer.
    service.cases["extra"] = (OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", True)
    service.cases["late-extra"] = ([OK, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"], True)
    service.cases["no-content"] = (b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil", True)
    service.cases["early"] = (OK + OK.replace(b"ok", b"no"), True)
    bad = []
    # Nor that of the next request on the same connection, unless it was late by more than anybody could know.
    s, taken = connect(proxy), 0
    for _ in range(5):
        s.sendall(b"GET /late-extra HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = read_until(s, b"ok")
        time.sleep(0.06)
        s.sendall(b"GET /ok HTTP/1.1\r\nHost: a\r\n\r\n")
        if not read_until(s, b"ok", len(answer)).endswith(b"ok"):
            s, taken = connect(proxy), taken + 1
    if taken > 2:
        bad.append(("late-extra", taken))
    for name in ["extra", "late-extra", "no-content", "early"]:
        for path in [name, "ok"]:
            s = connect(proxy)
            s.sendall(f"GET /{path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            answer = read_all(s)
            time.sleep(0.1)
            if b"evil" in answer or not (answer.endswith(b"ok") or answer.startswith(b"HTTP/1.1 204 ")):
                bad.append((name, path, answer))
    check("answers that nobody asked for reach nobody", not bad, str(bad[:2]) if bad else "")
    s = connect(proxy)
    s.sendall(b"HEAD /extra HTTP/1.1\r\nHost: a\r\n\r\n")
    head = read_until(s, b"\r\n\r\n")
    s.sendall(b"GET /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    then = read_all(s)
    check("content in an answer to HEAD is not the next answer", b"content-length: 2" in head and then.startswith(b"HTTP/1.1 200 ") and b"evil" not in then)

    # A service that closes kept connections: what may be repeated is, and what may not is sent over one that is open.
    def closes(c, head):
        if b"content-length: 4" in head:
            c.recv(4, socket.MSG_WAITALL)
        c.sendall(OK)
        return False

    _, proxy = proxy_to(Service(closes).port)
    answers = []
    s = connect(proxy)
    for request in [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"] * 4:
        s.sendall(request)
        answers.append(read_until(s, b"\r\n\r\n") + s.recv(2, socket.MSG_WAITALL))
        time.sleep(0.02)
    check("kept connections that are closed cost nobody an answer", all(a.startswith(b"HTTP/1.1 200 ") and a.endswith(b"ok") for a in answers))


def log_lines():
    """What a client got is in the log, whatever became of its request."""
    def serve(c, head):
        path = head.split(b" ")[1]
        if path == b"/cut":
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
            return False
        if path == b"/slow":
            time.sleep(30)
        if path == b"/up":
            while c.recv(65536):
                pass
            return False
        c.sendall(OK)

    child, proxy = proxy_to(Service(serve).port, "1")
    chunked = b"POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
    cases = [
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", r'"GET / HTTP/1.1" 200 \d+ [\d.]+ms'),
        (b"GET / HTTP/1.1\r\n\r\n", r'"-" 400 \d+ [\d.]+ms there is no Host field'),
        (b"GET /cut HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", r'"GET /cut HTTP/1.1" 200 \d+ [\d.]+ms .*RFC 9112'),
        (b"GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", r'"GET /slow HTTP/1.1" 504 \d+ [\d.]+ms .*RFC 9110 .15.6.5'),
        (chunked + b"zz\r\n", r'"POST /up HTTP/1.1" 400 \d+ [\d.]+ms a chunk size is malformed'),
        (chunked + b"5\r\nhe", r'"POST /up HTTP/1.1" (400|-) \d+ [\d.]+ms '),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nConnection: close\r\n\r\n", r'"CONNECT a:1 HTTP/1.1" 501 \d+ '),
    ]
    got = []
    for n, (data, _) in enumerate(cases):
        if data.endswith(b"zz\r\n"):
            s = connect(proxy)
            s.sendall(chunked)
            time.sleep(0.3)
            s.sendall(b"zz\r\n")
            got.append(read_all(s))
        else:
            s = connect(proxy)
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            got.append(read_all(s, 5))
        time.sleep(0.2)
    time.sleep(0.3)
    child.log.seek(0)
    lines = child.log.read().decode().splitlines()[1:]
    bad = [(want, line) for (_, want), line in zip(cases, lines) if not re.search(want, line)]
    check(f"{len(cases)} lines of the log say what the client got", len(lines) == len(cases) and not bad, str(bad or lines[-1:]) if bad or len(lines) != len(cases) else "")
    check("a request that is broken in mid-body gets its 400", got[4].startswith(b"HTTP/1.1 400 ") and b"connection: close" in got[4], str(got[4][:40]))


def crowd():
    """More clients than there is room for."""
    done = threading.Event()

    def serve(c, head):
        c.sendall(OK if b" / " in head else b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        return b" / " in head or not done.wait(60)

    _, proxy = proxy_to(Service(serve).port)
    get = b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n"

    def crowd_of(path):
        clients = []
        for _ in range(480):
            s = connect(proxy)
            s.sendall(get % path)
            read_until(s, b"\r\n\r\n")
            clients.append(s)
        return clients

    clients = crowd_of(b"/busy")
    answer = ask(proxy, get % b"/")
    check("one client too many: 503, and closed", answer.startswith(b"HTTP/1.1 503 ") and b"connection: close" in answer and b"retry-after" in answer)
    done.set()
    for s in clients:
        s.close()
    time.sleep(1.5)
    clients = crowd_of(b"/")
    time.sleep(2)
    check("clients without a request make room", ask(proxy, get % b"/").startswith(b"HTTP/1.1 200 "))
    for s in clients:
        s.close()


def memory(child):
    with open(f"/proc/{child.pid}/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return int(fields["VmRSS"].split()[0]) // 1024, int(fields["Threads"])


def check_threads_end(child, name):
    for _ in range(50):
        time.sleep(0.1)
        if memory(child)[1] <= IDLE_THREADS:
            break
    check(name, memory(child)[1] <= IDLE_THREADS, f"{memory(child)[1]} threads")


def slow_readers(nginx):
    child, proxy = proxy_to(nginx)
    before, _ = memory(child)
    readers = []
    for _ in range(10):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        s.connect(("127.0.0.1", proxy))
        s.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        readers.append(s)
    for _ in range(20):
        time.sleep(0.1)
        for s in readers:
            s.recv(4096)
    after, _ = memory(child)
    check("ten slow readers of 100 MiB: memory is bounded", after - before < 16, f"{before} MiB before, {after} MiB then")
    for s in readers:
        s.close()
    check_threads_end(child, "clients gone in mid-download: their threads end")


def drain():
    def serve(c, head):
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        time.sleep(1)
        c.sendall(b"cd")

    child, proxy = proxy_to(Service(serve).port)
    idle, busy = connect(proxy), connect(proxy)
    busy.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    read_until(busy, b"\r\n\r\nab")
    child.stdin.write(b"quit\n")
    child.stdin.flush()
    answer = read_all(busy, 5)
    check("quit: what is under way is finished", answer == b"cd")
    try:
        code = child.wait(10)
    except subprocess.TimeoutExpired:
        code = None
    child.log.seek(0)
    check("quit: and the proxy ends", code == 0 and read_all(idle) == b"")
    check("a line of the log for each request", re.search(rb'"GET / HTTP/1.1" 200 \d+ \d+\.\dms\n', child.log.read()))


def slow_services(folder):
    """Clients that send faster than the service reads."""
    done = threading.Event()

    def serve(c, head):
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        for _ in range(20):
            c.recv(4096)
            time.sleep(0.1)
        done.set()
        c.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        return False

    child, proxy = proxy_to(Service(serve).port)
    before, _ = memory(child)
    clients = [start("curl", "-s", "-o", "/dev/null", "-H", "Expect:", "-T", f"{folder}/big", f"http://127.0.0.1:{proxy}/", stdout=subprocess.DEVNULL) for _ in range(10)]
    done.wait(10)
    after, _ = memory(child)
    check("ten uploads of 100 MiB to a slow reader: memory is bounded", after - before < 16, f"{before} MiB before, {after} MiB then")
    for client in clients:
        client.wait(30)
    check_threads_end(child, "uploads that nobody reads: their threads end")


def chaos():
    """Forty clients that break off anywhere, and a service that does too: no thread stays behind."""
    reset = b"\1\0\0\0\0\0\0\0"
    ok = b"HTTP/1.1 200 OK\r\n"
    said = [
        b"", b"garbage\r\n\r\n", ok + b"Content-Length: 1000\r\n\r\nabc", ok + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 413 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", ok + b"\r\n" + bytes(100_000), OK, OK, OK,
    ]
    chance = random.Random(1)

    def serve(c, head):
        n = chance.randrange(len(said) + 3)
        if n >= len(said):
            c.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * (n - len(said)) + OK)
            return True
        c.sendall(said[n])
        if n == 2:
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        return said[n] == OK

    child, proxy = proxy_to(Service(serve).port, "1")
    get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    post = b"POST / HTTP/1.1\r\nHost: a\r\n"
    asked = [
        [get], [get * 5], [get[:20]], [get.replace(b"GET", b"HEAD")], [post + b"Content-Length: 200000\r\n\r\n" + bytes(100_000), bytes(100_000)],
        [post + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"0\r\n\r\n" + get], [post + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"zz\r\n"],
        [post + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n", b"hello"], [get.replace(b"\r\n\r\n", b"\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")],
    ]
    end = time.monotonic() + 8

    def client(seed):
        chance = random.Random(seed)
        while time.monotonic() < end:
            try:
                with connect(proxy) as s:
                    s.settimeout(2)
                    for part in chance.choice(asked) + chance.choice(asked):
                        s.sendall(part)
                        if chance.random() < 0.5:
                            s.recv(65536)
                    if chance.random() < 0.3:
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            except OSError:
                pass

    clients = [threading.Thread(target=client, args=(seed,)) for seed in range(40)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    check_threads_end(child, "forty clients and a service that break off anywhere")


class Corpus:
    """A service that notes all bytes of a connection, and answers every request by the book."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.requests, self.wrong = [], []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            c, _ = self.listener.accept()
            threading.Thread(target=self.run, args=(c,), daemon=True).start()

    def run(self, c):
        try:
            while head := read_until(c, b"\r\n\r\n"):
                lines = head.split(b"\r\n")
                fields = [line.split(b": ", 1) for line in lines[1:-2]]
                names = [field[0].lower() for field in fields]
                if not re.fullmatch(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [!-~]+ HTTP/1\.1", lines[0]):
                    self.wrong.append(head)
                if names.count(b"host") != 1 or names.count(b"content-length") + names.count(b"transfer-encoding") > 1:
                    self.wrong.append(head)
                if any(len(f) != 2 or re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", f[1]) or not re.fullmatch(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+", f[0]) for f in fields):
                    self.wrong.append(head)
                if set(names) & {b"keep-alive", b"proxy-connection", b"http2-settings"} or b"h2c" in head.lower().split(b"upgrade:")[-1].split(b"\r\n")[0]:
                    self.wrong.append(head)
                values = dict(zip(names, (field[-1] for field in fields)))
                if values.get(b"expect", b"").lower() == b"100-continue":
                    c.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = b""
                if b"transfer-encoding" in values:
                    if values[b"transfer-encoding"] != b"chunked":
                        self.wrong.append(head)
                    while size := int(read_until(c, b"\r\n")[:-2], 16):
                        body += c.recv(size, socket.MSG_WAITALL)
                        if c.recv(2, socket.MSG_WAITALL) != b"\r\n":
                            return
                    while read_until(c, b"\r\n") not in (b"\r\n", b""):
                        pass
                elif b"content-length" in values:
                    length = int(values[b"content-length"])
                    body = c.recv(length, socket.MSG_WAITALL) if length else b""
                    if len(body) != length:
                        return
                self.requests.append((lines[0], body))
                c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except (OSError, ValueError):
            pass
        finally:
            c.close()


def smuggling():
    service = Corpus()
    _, proxy = proxy_to(service.port)
    cases = []
    for name in ["http1", "http1_forward"]:
        with open(f"tests/data/{name}.jsonl") as lines:
            cases += [json.loads(line) for line in lines]
    bad, count = [], 0
    for case in cases:
        if case.get("kind") == "response" or case.get("role") == "response" or "config" in case:
            continue
        data = bytes.fromhex(case["bytes_hex"])
        if len(data) > 100_000:
            continue
        count += 1
        before = len(service.requests)
        ask_quietly(proxy, data)
        told = service.requests[before:]
        expect = case.get("expect", {})
        rejected = case.get("recommend", "") == "reject" or case.get("action") in ("reject", "respond")
        most = 0 if rejected else expect.get("messages", data.count(b"\r\n\r\n"))
        if len(told) > most:
            bad.append((case["id"], told))
        elif told and expect.get("messages") == 1 and "body_hex" in expect and told[0][1].hex() != expect["body_hex"]:
            bad.append((case["id"], told))
    check(f"{count} requests of the vectors: never more than was parsed", not bad, str(bad[:3]) if bad else "")
    check("and only well-formed heads, framed once", not service.wrong, str(service.wrong[:2]) if service.wrong else f"{len(service.requests)} complete")


def desync():
    """What is meant to be one request here and two there."""
    service = Corpus()
    _, proxy = proxy_to(service.port)
    hidden = b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
    post = b"POST /x HTTP/1.1\r\nHost: a\r\n"
    get = b"GET /x HTTP/1.1\r\nHost: a\r\n"
    length = b"Content-Length: %d\r\n\r\n" % len(hidden)
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(hidden), hidden)
    next = b"GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    # What comes, and the request lines that the service may see, with their content.
    cases = [
        ("content that looks like a request", post + length + hidden + next, [(b"POST /x", hidden), (b"GET /next", b"")]),
        ("the same of a GET", get + length + hidden + next, [(b"GET /x", hidden), (b"GET /next", b"")]),
        ("the same in chunks", post + b"Transfer-Encoding: chunked\r\n\r\n" + chunked + next, [(b"POST /x", hidden), (b"GET /next", b"")]),
        ("the length nominated", post + b"Connection: Content-Length\r\n" + length + hidden + next, [(b"POST /x", hidden), (b"GET /next", b"")]),
        ("the coding nominated", post + b"Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked + next, [(b"POST /x", hidden), (b"GET /next", b"")]),
        ("both", post + b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG" + hidden, []),
        ("a coding behind a tab", post + b"Transfer-Encoding:\tchunked\r\n\r\n" + chunked + next, [(b"POST /x", hidden), (b"GET /next", b"")]),
        ("a coding in quotes", post + b'Transfer-Encoding: "chunked"\r\n\r\n' + chunked, []),
        ("a coding that is none", post + b"Transfer-Encoding: xchunked\r\n" + length + hidden, []),
        ("a folded coding", post + b"Transfer-Encoding:\r\n chunked\r\n" + length + hidden, []),
        ("a coding in a line of its own", post + b"X: y\nTransfer-Encoding: chunked\r\n" + length + hidden, []),
        ("an upgrade with content", post + b"Connection: upgrade\r\nUpgrade: websocket\r\n" + length + hidden + next, [(b"POST /x", hidden), (b"GET /next", b"")]),
        ("an upgrade that is refused", get + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n" + next, [(b"GET /x", b""), (b"GET /next", b"")]),
        ("an expectation, and content at once", post + b"Expect: 100-continue\r\n" + length + hidden + next, [(b"POST /x", hidden), (b"GET /next", b"")]),
        ("chunk extensions with lines in them", post + b"Transfer-Encoding: chunked\r\n\r\n1;a=\n5\r\nx\r\n0\r\n\r\n" + hidden, []),
        ("chunk extensions are not sent on", post + b"Transfer-Encoding: chunked\r\n\r\n1;a=\"0\"\r\nx\r\n0;b\r\n\r\n" + next, [(b"POST /x", b"x"), (b"GET /next", b"")]),
        ("a tunnel", b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n\x16\x03\x01" + hidden, []),
        ("another host", b"GET http://a/x HTTP/1.1\r\nHost: b\r\nConnection: close, host\r\n\r\n", [(b"GET /x", b"")]),
    ]
    bad = []
    for name, data, want in cases:
        before = len(service.requests)
        ask_quietly(proxy, data)
        told = [(line.rsplit(b" ", 1)[0], body) for line, body in service.requests[before:]]
        if told != want:
            bad.append((name, told))
    check(f"{len(cases)} requests that would be two: what was parsed, and no more", not bad, str(bad[:3]) if bad else "")
    check("all of them framed once", not service.wrong, str(service.wrong[:2]) if service.wrong else "")


def ask_quietly(proxy, data):
    s = connect(proxy)
    try:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    read_all(s, 5)


def cpu_seconds(pids):
    ticks = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as stat:
            ticks += sum(map(int, stat.read().rsplit(")", 1)[1].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def load(folder, echo):
    """Requests a second of processor time, for the proxy and for nginx as the same proxy."""
    child, proxy = proxy_to(echo)
    port = free_port()
    with open(f"{folder}/proxy.conf", "w") as conf:
        conf.write(f"""daemon off; worker_processes 1; pid {folder}/proxy.pid; error_log {folder}/proxy.err;
events {{ worker_connections 1024; }}
http {{ access_log {folder}/proxy.log combined buffer=64k flush=1s; upstream service {{ server 127.0.0.1:{echo}; keepalive 64; }}
server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://service; proxy_http_version 1.1;
proxy_set_header Connection ""; proxy_set_header Host $host; }} }} }}""")
    nginx = start(NGINX, "-c", f"{folder}/proxy.conf", "-p", folder)
    wait_for(port)
    workers = subprocess.run(["pgrep", "-P", str(nginx.pid)], capture_output=True, text=True).stdout.split()
    rates = {"proxy": [], "nginx": []}
    for turn in range(6):
        name, at, pids = [("proxy", proxy, [child.pid]), ("nginx", port, workers)][turn % 2]
        before = cpu_seconds(pids)
        said = subprocess.run(["wrk", "-t1", "-c32", "-d2s", f"http://127.0.0.1:{at}/"], capture_output=True, text=True).stdout
        requests = int(re.search(r"(\d+) requests in", said)[1])
        rates[name].append(requests / max(cpu_seconds(pids) - before, 0.01))
        if name == "proxy":
            check(f"wrk, 32 connections, turn {turn // 2 + 1}: no error", "Non-2xx" not in said and "Socket errors" not in said, f"{requests} requests in 2 s")
    medians = {name: sorted(rate)[1] for name, rate in rates.items()}
    ratio = medians["proxy"] / medians["nginx"]
    print(f"figure proxy: {medians['proxy']:.0f} requests a core-second, nginx {medians['nginx']:.0f}: {ratio:.2f} (must 0.5, aim 1.0)")


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        echo, nginx, python = free_port(), free_port(), free_port()
        start(f"{EXAMPLES}/echo", str(echo), stdout=subprocess.DEVNULL)
        with open(f"{folder}/nginx.conf", "w") as conf:
            conf.write(f"""daemon off; user root; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 256; }}
http {{ access_log off; server {{ listen 127.0.0.1:{nginx}; root {folder}; }} }}""")
        start(NGINX, "-c", f"{folder}/nginx.conf", "-p", folder)
        start(sys.executable, "-m", "http.server", str(python), "--bind", "127.0.0.1", "--directory", folder, stdout=subprocess.DEVNULL)
        for port in [echo, nginx, python]:
            wait_for(port)
        real_peers(folder, echo, nginx, python)
        mirror(folder)
        _, proxy = proxy_to(echo)
        websocket(proxy)
        details()
        hostile()
        log_lines()
        crowd()
        slow_readers(nginx)
        slow_services(folder)
        chaos()
        drain()
        smuggling()
        desync()
        load(folder, echo)
    print(f"proxy: {passed} passed, {failed} failed")
    return failed > 0


try:
    code = main()
finally:
    for child in children:
        child.terminate()
    for child in children:
        child.wait()
sys.exit(code)
