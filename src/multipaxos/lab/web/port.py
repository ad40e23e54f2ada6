"""The lab's port: on the loopback interface, with bounds on what may come in."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress
from twisted.internet.threads import deferToThreadPool
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from twisted.web.server import Request, Site
from typing_extensions import override

from multipaxos.lab.web.guard import Guard
from multipaxos.lab.web.pages import BODY_BYTES_MAX, Pages, Reply
from multipaxos.lab.web.service import Service

HOST = "127.0.0.1"
CONNECTIONS_MAX = 50
IDLE_SECONDS_MAX = 300
TOO_LARGE = b'{"error": "What the page sends is too large for the lab."}'
TOO_LARGE_REPLY = (
    b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(TOO_LARGE), TOO_LARGE)
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
        self._factory = connections(Pages(service, self.guard, self._defer), reactor)
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
        for connection in tuple(self._factory.protocols):
            connection.abortConnection()
        self._threads.stop()

    def _defer(self, answer: Callable[[], Reply], finish: Callable[[Reply], None]) -> None:
        def answer_unless_closed() -> Reply:
            # Those that wait for the one thread would else all be played before it ends.
            return NOBODY_WAITS if self._is_closed else answer()

        deferred = deferToThreadPool(self._reactor, self._threads, answer_unless_closed)
        deferred.addCallback(finish)
        # Whoever asked went away while the answer was written: nobody misses it.
        deferred.addErrback(_forget)


def connections(pages: Pages, reactor: Any) -> WrappingFactory:
    """Return what makes a connection, bounded in what it takes, of whoever asks for *pages*."""
    return _Connections(_Site(pages, reactor))  # type: ignore[no-untyped-call]


def why_not_listening(error: CannotListenError, port: int) -> str:
    """Return a sentence that says why nothing can listen on *port*, and what to do."""
    return (
        f"The lab cannot listen on port {port} of {HOST}: {error.socketError.strerror}. Choose "
        "another one with --port, or let it find a free one with --port 0."
    )


def _forget(_failure: Failure) -> None:
    pass


class _BodyTooLargeError(Exception):
    pass


class _Request(Request):
    """A request whose body is bounded, and taken as it comes: of a larger one, nothing is read."""

    @override
    def gotLength(self, length: int | None) -> None:
        # Without a length, it would be read until the connection closes.
        if length is None or length > BODY_BYTES_MAX:
            raise _BodyTooLargeError
        # Nothing here is a form. Twisted would take one apart before anybody looks at whose it is.
        self.requestHeaders.removeHeader(b"content-type")
        super().gotLength(length)  # type: ignore[no-untyped-call]


class _Site(Site):
    """The pages, without a log of who asked for them."""

    noisy = False

    def __init__(self, pages: Pages, reactor: Any) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            pages, _Request, reactor=reactor, timeout=IDLE_SECONDS_MAX
        )

    @override
    def log(self, request: Any) -> None:
        pass


class _Connection(ProtocolWrapper):
    """A connection that ends if anything goes wrong in it."""

    @override
    def dataReceived(self, data: bytes) -> None:
        try:
            super().dataReceived(data)  # type: ignore[no-untyped-call]
        except _BodyTooLargeError:
            self.write(TOO_LARGE_REPLY)  # type: ignore[no-untyped-call]
            self.unregisterProducer()  # type: ignore[no-untyped-call]
            self.loseConnection()  # type: ignore[no-untyped-call]
        except Exception:  # noqa: BLE001 - nothing that arrives may raise in the reactor
            self.abortConnection()


class _Connections(WrappingFactory):
    """At most so many connections at a time."""

    noisy = False
    protocol = _Connection

    @override
    def buildProtocol(self, addr: IAddress | None) -> Any:
        if len(self.protocols) >= CONNECTIONS_MAX:
            return None
        return super().buildProtocol(addr)
