"""HTTP in memory: connections to a port, what they are answered, and what is logged meanwhile."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from twisted.internet.testing import StringTransport
from twisted.logger import LogEvent, LogLevel, globalLogPublisher

from multipaxos.runtime.bounded_http import BoundedConnections


class Answer:
    """What came back for one request, taken apart."""

    def __init__(self, written: bytes) -> None:
        """Take what was *written*."""
        head, _, self.body = written.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1])
        self.headers = dict(line.split(": ", 1) for line in lines)

    @property
    def told(self) -> Any:
        """What the JSON in it says."""
        return json.loads(self.body)


class Asker:
    """Whoever opens connections to a *port*."""

    def __init__(self, port: BoundedConnections) -> None:
        """Ask that port."""
        self.port = port

    def connect(self) -> tuple[Any, Any]:
        """Open a connection; return it, and what it is answered on."""
        connection = self.port.buildProtocol(None)
        transport = StringTransport()  # type: ignore[no-untyped-call]
        connection.makeConnection(transport)
        return connection, transport

    def send(self, data: bytes) -> Any:
        """Open a connection, send *data* on it, and return what it is answered on."""
        connection, transport = self.connect()
        connection.dataReceived(data)
        return transport


@contextmanager
def nothing_critical_logged() -> Iterator[list[LogEvent]]:
    """Let nothing critical come into Twisted's log meanwhile; give what is logged."""
    events: list[LogEvent] = []
    observe: Any = events.append
    globalLogPublisher.addObserver(observe)
    try:
        yield events
    finally:
        globalLogPublisher.removeObserver(observe)
    assert [event for event in events if event.get("log_level") is LogLevel.critical] == []
