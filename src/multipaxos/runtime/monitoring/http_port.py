"""The HTTP port: metrics, health and readiness, for programs that watch the server; read only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from typing import Protocol as Interface

from twisted.internet.interfaces import IAddress
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.resource import Resource
from twisted.web.server import Request, Site
from typing_extensions import override

CONNECTIONS_MAX = 50
IDLE_SECONDS_MAX = 120
"""A connection that asks nothing for so long is closed. Prometheus asks about once a minute."""

TEXT = "text/plain; charset=utf-8"
HEADERS = {
    "Server": "multipaxos",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
INDEX = """\
multipaxos {title}

/metrics   what it counts and measures, for Prometheus
/healthz   200 as long as it serves; 503 and why not
/readyz    200 if it can decide with the others; 503 and what it waits for
"""
TOO_LARGE = b"A request here has no body.\n"
TOO_LARGE_REPLY = (
    b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Type: text/plain\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(TOO_LARGE), TOO_LARGE)
)


class Subject(Interface):
    """What the port tells of."""

    @property
    def title(self) -> str:
        """Which server this is."""

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return the metrics and their content type, by what the header *accept* asks for."""

    def why_not_healthy(self) -> str | None:
        """Return a reason; None if it serves."""

    def why_not_ready(self) -> str | None:
        """Return a reason; None if it can decide with the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A reply: its *body* and the type of that, its *status*, and what *headers* it needs."""

    body: bytes
    content_type: str = TEXT
    status: HTTPStatus = HTTPStatus.OK
    headers: dict[str, str] = field(default_factory=dict)


class HttpPort(WrappingFactory):
    """
    Serves GET and HEAD, at most *connections_max* connections at a time.

    Invariant: nothing that arrives here raises in the reactor, where a fault would stop the server.
    State: the open connections, in *protocols*.
    """

    noisy = False

    def __init__(
        self, subject: Subject, *, reactor: Any, connections_max: int = CONNECTIONS_MAX
    ) -> None:
        """Tell of *subject*."""
        super().__init__(_Site(_Pages(subject), reactor))  # type: ignore[no-untyped-call]
        self.protocol = _Connection
        self.connections_max = connections_max

    @override
    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Return a connection, or None, which closes it, if there are too many."""
        if len(self.protocols) >= self.connections_max:
            return None
        return super().buildProtocol(addr)

    def close(self) -> None:
        """Close all connections."""
        for connection in tuple(self.protocols):
            connection.abortConnection()


class _BodyError(Exception):
    """A request has a body."""


class _Request(Request):
    """A request without a body: one that announces any is not read further."""

    @override
    def gotLength(self, length: int | None) -> None:
        if length != 0:
            raise _BodyError
        super().gotLength(length)  # type: ignore[no-untyped-call]


class _Site(Site):
    """The pages, without a log of who asked for them."""

    noisy = False

    def __init__(self, pages: "_Pages", reactor: Any) -> None:
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
        except _BodyError:
            self.write(TOO_LARGE_REPLY)  # type: ignore[no-untyped-call]
            self.unregisterProducer()  # type: ignore[no-untyped-call]
            self.loseConnection()  # type: ignore[no-untyped-call]
        except Exception:  # noqa: BLE001 - such as a Content-Length of more digits than Python reads
            self.abortConnection()


class _Pages(Resource):
    """All pages, by their path."""

    def __init__(self, subject: Subject) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.isLeaf = True  # Whatever the path is, it is asked for here.
        self._subject = subject
        self._pages: Mapping[bytes, Callable[[Request], Page]] = {
            b"/": self._index,
            b"/metrics": self._metrics,
            b"/healthz": lambda _: _verdict(subject.why_not_healthy()),
            b"/readyz": lambda _: _verdict(subject.why_not_ready()),
        }

    @override
    def render(self, request: Request) -> bytes:
        """Return the body of the reply; called by Twisted once a request is complete."""
        try:
            page = self._page(request)
        except Exception as error:  # noqa: BLE001 - the server goes on, whatever a page met
            fault = f"This met a fault in the program, please report it: {error!r}"
            page = _sentence(HTTPStatus.INTERNAL_SERVER_ERROR, fault)
        request.setResponseCode(page.status, page.status.phrase.encode())
        own = {"Content-Type": page.content_type, "Content-Length": str(len(page.body))}
        for name, value in (HEADERS | page.headers | own).items():
            request.responseHeaders.setRawHeaders(name, [value])
        return b"" if request.method == b"HEAD" else page.body

    def _page(self, request: Request) -> Page:
        if request.method not in (b"GET", b"HEAD"):
            return Page(
                body=b"Only GET and HEAD are served here.\n",
                status=HTTPStatus.METHOD_NOT_ALLOWED,
                headers={"Allow": "GET, HEAD"},
            )
        find = self._pages.get(request.path)
        if find is None:
            known = ", ".join(path.decode() for path in self._pages)
            return _sentence(HTTPStatus.NOT_FOUND, f"There is no such page: there are {known}.")
        return find(request)

    def _index(self, request: Request) -> Page:  # noqa: ARG002 - a page
        return Page(body=INDEX.format(title=self._subject.title).encode())

    def _metrics(self, request: Request) -> Page:
        # A header may stand in a request more than once: as one, its values are joined by commas.
        accept = b",".join(request.requestHeaders.getRawHeaders(b"Accept", []))
        body, content_type = self._subject.render(accept.decode("latin-1"))
        return Page(body=body, content_type=content_type)


def _verdict(why_not: str | None) -> Page:
    if why_not is None:
        return Page(body=b"ok\n")
    return _sentence(HTTPStatus.SERVICE_UNAVAILABLE, why_not)


def _sentence(status: HTTPStatus, text: str) -> Page:
    return Page(body=f"{text}\n".encode(), status=status)
