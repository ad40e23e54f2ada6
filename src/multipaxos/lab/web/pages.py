"""The lab over HTTP: the page's files for whoever has the link, the service for the page."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from typing_extensions import override

from multipaxos.lab.web import files
from multipaxos.lab.web.guard import Guard
from multipaxos.lab.web.service import NoSuchPageError, Service

BODY_BYTES_MAX = 5_000_000
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Server": "multipaxos",
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
JSON = "application/json"
NOT_BY_THE_LINK = (
    "The link to the lab has a token, and this request has not. Open the link that "
    "`multipaxos lab` printed, and then this page again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A *body* of *content_type*, and its *status*."""

    body: bytes
    content_type: str = JSON
    status: HTTPStatus = HTTPStatus.OK


class Pages(Resource):
    """All that the lab serves. *defer* runs the service, which may take long, elsewhere."""

    isLeaf = True  # noqa: N815 - Twisted's name: whatever the path is, it is asked for here

    def __init__(
        self,
        service: Service,
        guard: Guard,
        defer: Callable[[Callable[[], Reply], Callable[[Reply], None]], None],
    ) -> None:
        """Serve *service* to whom *guard* lets in."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._service = service
        self._guard = guard
        self._defer = defer

    @override
    def render(self, request: Request) -> Any:
        """Answer *request*; called by Twisted once it is complete."""
        why_not = self._guard.why_not_served(
            host=_header(request, b"Host"), origin=_header(request, b"Origin")
        )
        if why_not is not None:
            return _send(request, _error(HTTPStatus.FORBIDDEN, why_not))
        path = request.path.decode("utf-8", "replace")
        if not path.startswith("/api/"):
            return _send(request, self._file(request, path))
        refused = self._why_not_asked(request)
        if refused is not None:
            return _send(request, refused)
        return self._ask(request, path.removeprefix("/api/"))

    def _file(self, request: Request, path: str) -> Reply:
        if request.method not in (b"GET", b"HEAD"):
            return _error(HTTPStatus.METHOD_NOT_ALLOWED, "The page's files can be read only.")
        found = files.read(files.PAGE if path == "/" else path.removeprefix("/static/"))
        if found is None or not (path == "/" or path.startswith("/static/")):
            return _error(HTTPStatus.NOT_FOUND, "The lab's page has no such file.")
        body, content_type = found
        return Reply(body=body, content_type=content_type)

    def _why_not_asked(self, request: Request) -> Reply | None:
        if not self._guard.is_known(_header(request, b"X-Lab-Token")):
            return _error(HTTPStatus.FORBIDDEN, NOT_BY_THE_LINK)
        if request.method != b"POST":
            return _error(HTTPStatus.METHOD_NOT_ALLOWED, "The lab is asked with POST.")
        return None

    def _ask(self, request: Request, name: str) -> Any:
        content: Any = request.content
        body = content.read()

        def answer() -> Reply:
            return answer_to(self._service, name, body)

        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)

        def finish(reply: Reply) -> None:
            if not gone:
                _send(request, reply, head=False)
                request.write(reply.body)  # type: ignore[no-untyped-call]
                request.finish()  # type: ignore[no-untyped-call]

        self._defer(answer, finish)
        return NOT_DONE_YET


def answer_to(service: Service, name: str, body: bytes) -> Reply:
    """Return the reply to what the page asks under *name*. Never raises."""
    try:
        wish = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return _error(HTTPStatus.BAD_REQUEST, "What the page sends must be JSON.")
    if not isinstance(wish, dict):
        return _error(HTTPStatus.BAD_REQUEST, "What the page sends must be a JSON object.")
    try:
        answer = service.call(name, wish)
    except NoSuchPageError as error:
        return _error(HTTPStatus.NOT_FOUND, str(error))
    except ValueError as error:
        return _error(HTTPStatus.BAD_REQUEST, str(error))
    except Exception as error:  # noqa: BLE001 - the lab goes on, whatever one run meets
        fault = f"This met a fault in the program, please report it: {error!r}"
        return _error(HTTPStatus.INTERNAL_SERVER_ERROR, fault)
    return Reply(body=json.dumps(answer, separators=(",", ":")).encode("ascii"))


def _header(request: Request, name: bytes) -> str | None:
    values = request.requestHeaders.getRawHeaders(name, [])
    return values[0].decode("latin-1") if len(values) == 1 else None


def _error(status: HTTPStatus, sentence: str) -> Reply:
    told: Mapping[str, str] = {"error": sentence}
    return Reply(body=json.dumps(told).encode("ascii"), status=status)


def _send(request: Request, reply: Reply, *, head: bool = True) -> bytes:
    request.setResponseCode(reply.status, reply.status.phrase.encode())
    own = {"Content-Type": reply.content_type, "Content-Length": str(len(reply.body))}
    for name, value in (HEADERS | own).items():
        request.responseHeaders.setRawHeaders(name, [value])
    return b"" if head and request.method == b"HEAD" else reply.body
