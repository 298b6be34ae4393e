"""A server for clients to be tested against, with the Python library `websockets`.

usage: ws_python_server.py
Prints `listening on 127.0.0.1:PORT` and serves until it is killed. /refused answers 401; /close closes with 4000;
/ping sends a ping and says when its pong came; /fragments sends a text in pieces; /broken sends what is no frame;
other paths echo.
"""

import http
import os

from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.sync.server import serve


def refuse(connection, request):
    if request.path == "/refused":
        return connection.respond(http.HTTPStatus.UNAUTHORIZED, "who are you?\n")
    if request.path == "/key" and request.headers.get("X-Key") != "secret":
        return connection.respond(http.HTTPStatus.FORBIDDEN, "no key\n")


def handle(ws):
    if ws.request.path == "/close":
        ws.close(4000, "enough")
    elif ws.request.path == "/ping":
        ws.send("ponged" if ws.ping(os.urandom(8)).wait(10) else "no pong")
    elif ws.request.path == "/fragments":
        ws.send(["one ", "", "tw", "o \u65e5\u672c\u8a9e"])
    elif ws.request.path == "/broken":
        ws.socket.sendall(b"\x83\x00")
    for message in ws:
        ws.send(message)


def choose(connection, offered):
    return next((name for name in ["chat.v2", "chat"] if name in offered), None)


def main():
    # A client that uses more than the window it was given is not understood.
    small = ServerPerMessageDeflateFactory(client_max_window_bits=9)
    with serve(handle, "127.0.0.1", 0, process_request=refuse, select_subprotocol=choose, max_size=None,
               compression=None, extensions=[small]) as server:
        print("listening on 127.0.0.1:%d" % server.socket.getsockname()[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
