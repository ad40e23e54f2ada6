"""The HTTP port: metrics, health and readiness, for programs that watch the server; read only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any
from typing import Protocol as Interface

from twisted.web.resource import Resource
from twisted.web.server import Request
from typing_extensions import override

from multipaxos.runtime.bounded_http import BoundedConnections, Bounds

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
BOUNDS = Bounds(
    connections=CONNECTIONS_MAX,
    idle_seconds=IDLE_SECONDS_MAX,
    body_bytes=0,
    too_large=b"A request here has no body.\n",
    content_type="text/plain",
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


class HttpPort(BoundedConnections):
    """Serves GET and HEAD, at most *connections_max* connections at a time."""

    def __init__(
        self, subject: Subject, *, reactor: Any, connections_max: int = CONNECTIONS_MAX
    ) -> None:
        """Tell of *subject*."""
        bounds = replace(BOUNDS, connections=connections_max)
        super().__init__(_Pages(subject), reactor=reactor, bounds=bounds)


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
