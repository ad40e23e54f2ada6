"""The lab's port: on the loopback interface, with bounds on what may come in."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from twisted.internet.error import CannotListenError
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from multipaxos.lab.web.guard import Guard
from multipaxos.lab.web.pages import BODY_BYTES_MAX, Pages, Reply
from multipaxos.lab.web.service import Service
from multipaxos.runtime.bounded_http import BoundedConnections, Bounds

HOST = "127.0.0.1"
CONNECTIONS_MAX = 50
IDLE_SECONDS_MAX = 300
BOUNDS = Bounds(
    connections=CONNECTIONS_MAX,
    idle_seconds=IDLE_SECONDS_MAX,
    body_bytes=BODY_BYTES_MAX,
    too_large=b'{"error": "What the page sends is too large for the lab."}',
    content_type="application/json",
)
NOBODY_WAITS = Reply(body=b"", status=HTTPStatus.SERVICE_UNAVAILABLE)


class LabPort:
    """
    A lab that listens. State: the *guard*, which knows the link, and the one thread that plays.

    Runs are played one after the other: each may need a processor of its own, and much memory.
    """

    def __init__(self, service: Service, *, reactor: Any, port: int) -> None:
        """Listen on *port*, 0: a free one. Raises CannotListenError."""
        self._reactor = reactor
        self._is_closed = False
        self._threads = ThreadPool(0, 1, "lab")
        self.guard = Guard()
        pages = Pages(service, self.guard, self._defer)
        self._factory = BoundedConnections(pages, reactor=reactor, bounds=BOUNDS)
        self._port = reactor.listenTCP(port, self._factory, interface=HOST)
        self.guard.port = self._port.getHost().port
        self._threads.start()

    @property
    def link(self) -> str:
        """The link that opens the page."""
        return self.guard.link

    def close(self) -> None:
        """Listen no more, close all connections, and wait for the run that is being played."""
        self._is_closed = True
        self._port.stopListening()
        self._factory.close()
        self._threads.stop()

    def _defer(self, answer: Callable[[], Reply], finish: Callable[[Reply], None]) -> None:
        def answer_unless_closed() -> Reply:
            # Those that wait for the one thread would else all be played before it ends.
            return NOBODY_WAITS if self._is_closed else answer()

        deferred = deferToThreadPool(self._reactor, self._threads, answer_unless_closed)
        deferred.addCallback(finish)
        # Whoever asked went away while the answer was written: nobody misses it.
        deferred.addErrback(_forget)


def why_not_listening(error: CannotListenError, port: int) -> str:
    """Return a sentence that says why nothing can listen on *port*, and what to do."""
    return (
        f"The lab cannot listen on port {port} of {HOST}: {error.socketError.strerror}. Choose "
        "another one with --port, or let it find a free one with --port 0."
    )


def _forget(_failure: Failure) -> None:
    pass
