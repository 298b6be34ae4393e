"""The chat room (examples/chat) with readers that keep up and one that does not read at all.

usage: chat_raw.py PORT PID
Prints `PASS name` or `FAIL name: why` a line.
"""

import base64
import os
import socket
import struct
import sys
import threading
import time

MESSAGES = 1500
SIZE = 12_000
# More than what may wait for one reader, in the server and in the sockets between, is sent to all.
TOTAL = MESSAGES * SIZE


def main():
    port, pid = int(sys.argv[1]), int(sys.argv[2])
    failed = []

    def check(name, holds, why):
        print("PASS " + name if holds else "FAIL %s: %s" % (name, why))
        failed.extend([] if holds else [name])

    slow = Guest(port, receive_buffer=4096)
    speaker, listener = Guest(port), Guest(port)
    heard = []
    reader = threading.Thread(target=lambda: heard.extend(listener.messages(MESSAGES)), daemon=True)
    reader.start()
    said = [base64.b64encode(os.urandom(SIZE * 3 // 4)) for _ in range(MESSAGES)]
    before, most, longest = memory(pid), 0, 0.0
    echoed = []
    for at, saying in enumerate(said):
        start = time.monotonic()
        speaker.send(saying)
        echoed.append(speaker.message()[1])
        while listener.count < at - 5 and reader.is_alive():
            time.sleep(0.001)
        longest = max(longest, time.monotonic() - start)
        if at % 50 == 0:
            most = max(most, memory(pid))
    reader.join(60)
    check("who speaks hears all of it in order", [text(m) for m in echoed] == said, "%d messages" % len(echoed))
    check("who listens hears all of it in order", [text(m) for m in heard] == said, "%d messages" % len(heard))
    check("nobody waits for the slowest", longest < 2, "%.1f s for a message" % longest)
    grown = most - before
    check("memory is bounded", grown < 4 << 20, "%d KiB more, of %d KiB sent" % (grown >> 10, TOTAL >> 10))

    got, end = [], None
    while end is None:
        opcode, payload = slow.message()
        if opcode == 8:
            end = payload
        else:
            got.append(text(payload))
    check("who does not read is let go with 1013", end == struct.pack("!H", 1013) + b"too slow", repr(end))
    check("and got what it could, in order", 0 < len(got) < MESSAGES and got == said[: len(got)], len(got))
    speaker.send(b"still here?")
    check("the others go on", text(speaker.message()[1]) == b"still here?", "")
    loud, polite = Guest(port), Guest(port)
    loud.send(b"x" * 60_000)
    check("who says too much at once is let go with 1009", loud.message() == (8, struct.pack("!H", 1009)), "")
    speaker.send(b"and now?")
    check("and nobody else", all(text(it.message()[1]) == b"and now?" for it in (speaker, polite)), "")
    rude = socket.create_connection(("127.0.0.1", port), 10)
    rude.sendall(b"GET / HTTP/1.1\r\n\r\n")
    check("a bad request is answered", rude.recv(99).startswith(b"HTTP/1.1 400 "), "")
    sys.exit(1 if failed else 0)


def text(message):
    """What was said, without who said it."""
    return message.split(b": ", 1)[1]


def memory(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmRSS"))


class Guest:
    def __init__(self, port, receive_buffer=None):
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(20)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.count = 0
        self.buffer = b""
        self.sock.sendall(
            b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 101 "), head

    def fill(self):
        more = self.sock.recv(1 << 16)
        if not more:
            raise ConnectionError("the server closed")
        self.buffer += more

    def take(self, size):
        while len(self.buffer) < size:
            self.fill()
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def send(self, payload):
        size = len(payload)
        head = struct.pack("!BB", 0x81, 0x80 | size) if size < 126 else struct.pack("!BBH", 0x81, 0xFE, size)
        self.sock.sendall(head + b"\0\0\0\0" + payload)

    def message(self):
        """The next message or Close, pings passed over: opcode and payload."""
        while True:
            first, size = self.take(2)
            assert first & 0x70 == 0 and size < 127, (first, size)
            if size == 126:
                (size,) = struct.unpack("!H", self.take(2))
            payload = self.take(size)
            if first & 15 != 9:
                return first & 15, payload

    def messages(self, count):
        for self.count in range(1, count + 1):
            yield self.message()[1]


if __name__ == "__main__":
    main()
