"""Starts wstest with every listening socket on the loopback (CPython 2.7).

Its fuzzing server listens on all interfaces, and no option says otherwise.
"""
# Must be the first import: it installs the reactor.
from autobahntestsuite import choosereactor  # noqa: F401
from twisted.internet import reactor

_listen = reactor.listenTCP


def _listen_lo(port, factory, backlog=50, interface=""):
    return _listen(port, factory, backlog, interface or "127.0.0.1")


reactor.listenTCP = _listen_lo

from autobahntestsuite.wstest import run  # noqa: E402

run()
