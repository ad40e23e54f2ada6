"""Single questions to a server that speaks the protocol of Redis, outside of any load."""

import json
import socket
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from typing import Any

import hiredis
from typing_extensions import override

from multipaxos.bench.plan import KEY_PREFIX, Content, Endpoint
from multipaxos.bench.tape import encode, filling

ANSWER_SECONDS_MAX = 60.0
DELETED_TOGETHER = 1000


class AskingError(Exception):
    """A server did not answer, or refused; the message is a sentence without its full stop."""


class Asker(AbstractContextManager["Asker"]):
    """A connection on which one command follows the other; each waits for its reply."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Connect to *endpoint*; AskingError if nobody is there."""
        self.name = f"the server at {endpoint[0]}:{endpoint[1]}"
        self._reader = hiredis.Reader()
        try:
            self._socket = socket.create_connection(endpoint, timeout=ANSWER_SECONDS_MAX)
        except OSError as error:
            raise AskingError(f"cannot reach {self.name}: {error.strerror or error}") from error

    @override
    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, *arguments: bytes) -> Any:
        """Return the reply to a command; AskingError if it is an error, or does not come."""
        return self.send(encode(*arguments))

    def send(self, request: bytes) -> Any:
        """Return the reply to a command that is encoded already."""
        try:
            self._socket.sendall(request)
            while (reply := self._reader.gets()) is False:
                data = self._socket.recv(1 << 16)
                if not data:
                    raise AskingError(f"{self.name} closed the connection")
                self._reader.feed(data)
        except OSError as error:
            raise AskingError(f"{self.name} did not answer: {error.strerror or error}") from error
        except hiredis.ProtocolError as error:
            raise AskingError(f"{self.name} does not speak the protocol of Redis") from error
        if isinstance(reply, hiredis.ReplyError):
            raise AskingError(f"{self.name} answered: {reply}")
        return reply

    def fill(self, content: Content) -> None:
        """Write everything once that a load reads."""
        for request in filling(content):
            self.send(request)

    def clear(self, content: Content) -> None:
        """Delete the keys of *content*."""
        for first in range(0, content.keys, DELETED_TOGETHER):
            last = min(first + DELETED_TOGETHER, content.keys)
            self.ask(b"DEL", *(content.key(number) for number in range(first, last)))

    def keys(self) -> list[bytes]:
        """Return the keys that belong to the benchmark."""
        found: list[bytes] = self.ask(b"KEYS", KEY_PREFIX.encode() + b"*")
        return found

    @property
    def is_master(self) -> bool:
        """Whether this server says that it is the master, in the words of Redis."""
        role = self.ask(b"ROLE")
        return isinstance(role, list) and role[:1] == [b"master"]

    @property
    def holds_lease(self) -> bool:
        """Whether this server of ours holds the lease of a master just now."""
        status = json.loads(self.ask(b"MULTIPAXOS", b"STATUS"))
        return bool(status["lease"]) and status["lease"]["kind"] == "held"


def find_master(endpoints: Iterable[Endpoint]) -> Endpoint | None:
    """Return which of *endpoints* says that it is the master; None if none does."""
    return _first(endpoints, lambda asker: asker.is_master)


def find_holder(endpoints: Iterable[Endpoint]) -> Endpoint | None:
    """Return which of *endpoints* holds the lease of a master; None if none does."""
    return _first(endpoints, lambda asker: asker.holds_lease)


def _first(endpoints: Iterable[Endpoint], is_it: Callable[[Asker], bool]) -> Endpoint | None:
    for endpoint in endpoints:
        with suppress(AskingError), Asker(endpoint) as asker:
            if is_it(asker):
                return endpoint
    return None
