"""HTTP connections with bounds on what may come in: how many, for how long, and how large."""

from dataclasses import dataclass
from typing import Any

from twisted.internet.interfaces import IAddress
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.resource import Resource
from twisted.web.server import Request, Site
from typing_extensions import override


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """
    At most *connections*, each for *idle_seconds* without a request, and *body_bytes* in a request.

    Whoever sends a larger one reads *too_large*, which is of type *content_type*.
    """

    connections: int
    idle_seconds: int
    body_bytes: int
    too_large: bytes
    content_type: str


class BoundedConnections(WrappingFactory):
    """
    Makes the connections of whoever asks for pages.

    Invariant: nothing that arrives raises in the reactor, where a fault would stop the process.
    State: the open connections, in *protocols*.
    """

    noisy = False

    def __init__(self, pages: Resource, *, reactor: Any, bounds: Bounds) -> None:
        """Serve *pages* within *bounds*."""
        super().__init__(_Site(pages, reactor, bounds))  # type: ignore[no-untyped-call]
        self.protocol = _Connection
        self.bounds = bounds

    @override
    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Return a connection, or None, which closes it, if there are too many."""
        if len(self.protocols) >= self.bounds.connections:
            return None
        return super().buildProtocol(addr)

    def close(self) -> None:
        """Close all connections."""
        for connection in tuple(self.protocols):
            connection.abortConnection()


class _BodyTooLargeError(Exception):
    """A request announces a larger body than is taken, or one without a length."""


class _Request(Request):
    """A request whose body is bounded, and taken as it comes: of a larger one, nothing is read."""

    @override
    def gotLength(self, length: int | None) -> None:
        # Without a length, it would be read until the connection closes.
        channel: Any = self.channel
        if length is None or length > channel.site.bounds.body_bytes:
            raise _BodyTooLargeError
        # Nothing here is a form. Twisted would take one apart before anybody looks at whose it is.
        self.requestHeaders.removeHeader(b"content-type")
        super().gotLength(length)  # type: ignore[no-untyped-call]


class _Site(Site):
    """The pages, without a log of who asked for them."""

    noisy = False

    def __init__(self, pages: Resource, reactor: Any, bounds: Bounds) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            pages, _Request, reactor=reactor, timeout=bounds.idle_seconds
        )
        self.bounds = bounds

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
            self.write(_too_large(self.factory.bounds))  # type: ignore[no-untyped-call]
            self.unregisterProducer()  # type: ignore[no-untyped-call]
            self.loseConnection()  # type: ignore[no-untyped-call]
        except Exception:  # noqa: BLE001 - such as a Content-Length of more digits than Python reads
            self.abortConnection()


def _too_large(bounds: Bounds) -> bytes:
    return (
        b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Type: %b\r\n"
        b"Content-Length: %d\r\n\r\n%b"
        % (bounds.content_type.encode(), len(bounds.too_large), bounds.too_large)
    )
