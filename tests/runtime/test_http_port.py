"""The HTTP port: what it shows, what it refuses, and that nothing that arrives there raises."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runtime.http import Answer, Asker, nothing_critical_logged
from twisted.internet.task import Clock
from twisted.logger import LogEvent

from multipaxos.runtime.monitoring.http_port import IDLE_SECONDS_MAX, HttpPort


class Subject:
    """A server that is as the test says."""

    title = "server A of cluster main"

    def __init__(self) -> None:
        """Begin well."""
        self.accepts: list[str] = []
        self.ill: str | None = None
        self.waits: str | None = None
        self.is_broken = False

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return a metric."""
        if self.is_broken:
            raise RuntimeError("a bug")
        self.accepts.append(accept)
        return b"metric 1\n", "text/plain; version=0.0.4; charset=utf-8"

    def why_not_healthy(self) -> str | None:
        """Say what the test wants."""
        return self.ill

    def why_not_ready(self) -> str | None:
        """Say what the test wants."""
        return self.waits


class Stage(Asker):
    """A port of which a test opens connections."""

    def __init__(self, *, connections_max: int = 50) -> None:
        """Begin without connections."""
        self.subject = Subject()
        self.clock = Clock()
        super().__init__(
            HttpPort(self.subject, reactor=self.clock, connections_max=connections_max)
        )

    def ask(self, path: str, *, method: str = "GET", headers: str = "") -> Answer:
        """Return the reply for *path*."""
        request = f"{method} {path} HTTP/1.1\r\nHost: h\r\n{headers}\r\n"
        return Answer(self.send(request.encode("latin-1")).value())


@pytest.fixture(autouse=True)
def log() -> Iterator[list[LogEvent]]:
    """Let no test leave anything critical in Twisted's log: a server would stop at it."""
    with nothing_critical_logged() as events:
        yield events


# -------------------------------------------------------------------------------------------- pages


def test_the_index_says_who_this_is_and_what_there_is() -> None:
    """Whoever opens the port in a browser finds the rest."""
    reply = Stage().ask("/")

    assert reply.status == 200
    assert b"server A of cluster main" in reply.body
    assert all(path in reply.body for path in (b"/metrics", b"/healthz", b"/readyz"))


def test_the_metrics_come_with_their_own_content_type() -> None:
    """Which of the formats it is depends on what the asker accepts; several headers are one."""
    stage = Stage()

    reply = stage.ask("/metrics", headers="Accept: text/plain\r\nAccept: x/\xff;q=0.1\r\n")

    assert (reply.status, reply.body) == (200, b"metric 1\n")
    assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert stage.subject.accepts == ["text/plain,x/\xff;q=0.1"]


def test_health_is_ok_until_the_server_halts() -> None:
    """Then it says why."""
    stage = Stage()
    well = stage.ask("/healthz")
    stage.subject.ill = "the disk is full"

    ill = stage.ask("/healthz")

    assert (well.status, well.body) == (200, b"ok\n")
    assert (ill.status, ill.body) == (503, b"the disk is full\n")


def test_readiness_says_what_the_server_waits_for() -> None:
    """A load balancer looks at the status, a person at the sentence."""
    stage = Stage()
    ready = stage.ask("/readyz?verbose")
    stage.subject.waits = "it waits for word of B, C"

    waiting = stage.ask("/readyz")

    assert (ready.status, ready.body) == (200, b"ok\n")
    assert (waiting.status, waiting.body) == (503, b"it waits for word of B, C\n")


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/readyz", "/other"])
def test_head_gives_the_headers_alone(path: str) -> None:
    """All of them, with the length of what GET would give."""
    stage = Stage()
    whole = stage.ask(path)

    head = stage.ask(path, method="HEAD")

    assert head.body == b""
    assert head.status == whole.status
    del head.headers["Date"], whole.headers["Date"]
    assert head.headers == whole.headers
    assert int(head.headers["Content-Length"]) == len(whole.body) > 0


@pytest.mark.parametrize(
    "path",
    ["/favicon.ico", "/metrics/", "/metrics/x", "//metrics", "/../etc/passwd", "/%00"],
)
def test_anything_else_is_not_found(path: str) -> None:
    """A sentence names what there is, and repeats nothing of what was asked for."""
    reply = Stage().ask(path)

    assert reply.status == 404
    assert reply.body == b"There is no such page: there are /, /metrics, /healthz, /readyz.\n"
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "X"])
def test_only_get_and_head_are_served(method: str) -> None:
    """The port changes nothing, so that there is nothing to send to it."""
    reply = Stage().ask("/metrics", method=method)

    assert reply.status == 405
    assert reply.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/", "/metrics", "/other"])
def test_every_reply_says_how_little_a_browser_may_make_of_it(path: str) -> None:
    """No sniffing, no frames, no scripts, no caching; and no word of what serves it."""
    headers = Stage().ask(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Server"] == "multipaxos"


def test_a_fault_behind_a_page_is_told_and_stops_nothing() -> None:
    """A server must not end because its metrics cannot be shown."""
    stage = Stage()
    stage.subject.is_broken = True

    reply = stage.ask("/metrics")

    assert reply.status == 500
    assert b"RuntimeError('a bug')" in reply.body
    assert stage.ask("/healthz").status == 200


# -------------------------------------------------------------------------------------- connections


def test_requests_on_one_connection_are_answered_in_their_order() -> None:
    """Also those that come before the answer to the one before, in pieces of any size."""
    stage = Stage()
    connection, transport = stage.connect()
    requests = b"GET /healthz HTTP/1.1\r\n\r\nGET /x HTTP/1.1\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n"

    for byte in requests:
        connection.dataReceived(bytes([byte]))

    assert re.findall(rb"HTTP/1.1 (\d+)", transport.value()) == [b"200", b"404", b"200"]
    assert not transport.disconnecting


@pytest.mark.parametrize(
    "announced",
    [
        b"Content-Length: 3\r\n\r\nabc",
        b"Content-Length: 100000000000\r\nExpect: 100-continue\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ],
    ids=["three bytes", "a hundred gigabytes", "chunks"],
)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_a_request_with_a_body_is_refused_unread(method: bytes, announced: bytes) -> None:
    """Nobody is asked to go on, nothing is kept, and the connection ends."""
    transport = Stage().send(method + b" /metrics HTTP/1.1\r\n" + announced)

    assert transport.value().startswith(b"HTTP/1.1 413 ")
    assert transport.value().endswith(b"\r\n\r\nA request here has no body.\n")
    assert transport.disconnecting


def test_an_empty_body_is_none() -> None:
    """Some programs announce a length of zero."""
    assert Stage().ask("/healthz", headers="Content-Length: 0\r\n").status == 200


def test_an_idle_connection_ends() -> None:
    """Half a request is idle, too, when nothing more comes."""
    stage = Stage()
    connection, transport = stage.connect()
    connection.dataReceived(b"GET /healthz HTTP/1.1\r\n")

    stage.clock.advance(IDLE_SECONDS_MAX - 1)
    assert not transport.disconnecting
    stage.clock.advance(1)

    assert transport.disconnecting


def test_there_are_only_so_many_connections() -> None:
    """One more is closed at once; there is room again when another has gone."""
    stage = Stage(connections_max=2)
    connection, _ = stage.connect()
    stage.connect()

    assert stage.port.buildProtocol(None) is None
    connection.connectionLost(None)

    assert stage.ask("/healthz").status == 200


def test_closing_the_port_closes_its_connections() -> None:
    """And leaves nothing for the reactor to do."""
    stage = Stage()
    stage.port.doStart()  # type: ignore[no-untyped-call]
    transports = [stage.send(b"GET /healthz HTTP/1.1\r\n\r\n") for _ in range(3)]

    stage.port.close()
    stage.port.doStop()  # type: ignore[no-untyped-call]

    assert all(transport.disconnected for transport in transports)
    for connection in tuple(stage.port.protocols):
        connection.connectionLost(None)
    assert stage.clock.getDelayedCalls() == []


def test_nobody_writes_down_who_asked(log: list[LogEvent]) -> None:
    """A question every few seconds would hide everything else."""
    stage = Stage()
    stage.port.doStart()  # type: ignore[no-untyped-call]
    before = len(log)

    stage.ask("/metrics")
    stage.ask("/other")

    assert log[before:] == []


# ------------------------------------------------------------------------------------------ garbage

GARBAGE = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 50,
    "a client of the other port": b"*1\r\n$4\r\nPING\r\n",
    "a length of 5,000 digits": b"GET / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "a negative length": b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "two lengths": b"GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nhost\r\n\r\n",
    "a line without end": b"GET /" + b"x" * 100_000,
    "headers without end": b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 10_000,
    "a version that is none": b"GET / HTTP/x\r\n\r\n",
    "strange cookies": b"GET / HTTP/1.1\r\nCookie: =;;a;\xff=\xff;=\r\n\r\n",
    "a star": b"GET * HTTP/1.1\r\n\r\nOPTIONS * HTTP/1.1\r\n\r\n",
    "an empty request line": b"\r\n\r\n\r\n\r\n",
    "a broken escape": b"GET /%zz?%ff=%&;= HTTP/1.1\r\n\r\n",
    "an upgrade": b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "HTTP/2 at once": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_raises_nothing(name: str) -> None:
    """What would raise in the reactor would stop the whole server; others are served on."""
    stage = Stage()

    stage.send(GARBAGE[name])

    assert stage.ask("/healthz").status == 200


PIECES = st.sampled_from(
    [
        *(b"GET ", b"HEAD ", b"POST ", b"/", b"/metrics", b"/readyz", b" HTTP/1.1", b" HTTP/1.0"),
        *(b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\0", b"\xff", b" ", b"\t", b":", b";", b"%", b"?"),
        *(b"Content-Length: ", b"Transfer-Encoding: chunked", b"Connection: close", b"Accept: "),
        *(b"0", b"1", b"9" * 5000, b"Expect: 100-continue", b"Authorization: Basic ", b"*"),
    ]
)


@given(chunks=st.lists(st.lists(PIECES | st.binary(max_size=20), max_size=12), max_size=4))
def test_no_bytes_at_all_raise(chunks: list[list[bytes]]) -> None:
    """Neither at random nor made of the parts of requests."""
    connection, transport = Stage().connect()

    for chunk in chunks:
        if not (transport.disconnecting or transport.disconnected):
            connection.dataReceived(b"".join(chunk))
    connection.connectionLost(None)
