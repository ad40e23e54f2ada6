"""The one-lane client: one request after the other, to the first server that can be reached."""

import json
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Self

from multipaxos.chain.requests import Outcome, Refused
from multipaxos.client.blocking import BlockingShell, Connect
from multipaxos.client.errors import NoReplyError, NotReachableError, ProtocolError
from multipaxos.client.lanes import new_name
from multipaxos.client.servers import Progress, Servers, check_client_id
from multipaxos.client.steps import Endpoint, Send, Steps
from multipaxos.client.talk import Identity, Talk
from multipaxos.client.wire import Request, pack, refusal_of

TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLink:
    """A decided link: its *number*, and what it *holds* in the terms of the trace."""

    number: int
    holds: Mapping[str, Any]


class Client:
    """
    Talks to the first of *servers* that can be reached, and stays with it while it answers.

    It makes one attempt and says what came of it; :func:`multipaxos.connect` gives a client that
    goes on trying. State: the connection, if there is one; the *client_id* and the *sequence* of
    the newest request, which together name each request for ever. One thread uses a client at a
    time.
    """

    def __init__(
        self,
        servers: Sequence[Endpoint],
        *,
        client_id: str | None = None,
        sequence: int = 0,
        password: str | None = None,
        identities: Mapping[Endpoint, Identity] | None = None,
        connect: Connect = socket.create_connection,
    ) -> None:
        """
        Begin without a connection.

        A program that goes on as the client it was before a restart passes its old *client_id* and
        the *sequence* that it used last. Where *identities* say who should answer at an endpoint,
        anybody else gets no request: OtherServerError.
        """
        self._connect = connect
        self._talk = Talk(
            new_name("client") if client_id is None else check_client_id(client_id),
            Servers(servers),
            Progress(),
            seconds=time.monotonic,
            rng=Random(),
            sequence=sequence,
            password=password,
            identities=identities,
        )
        self._shell = BlockingShell(connect)

    @property
    def client_id(self) -> str:
        """The name under which this client makes its requests."""
        return self._talk.name

    @property
    def sequence(self) -> int:
        """The number of its newest request."""
        return self._talk.sequence

    def propose(self, value: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> Outcome:
        """Propose *value* and wait for its outcome. NotReachableError if nothing was sent."""
        return self.execute("SET", value, timeout_seconds=timeout_seconds)

    def get(self, *, timeout_seconds: float = TIMEOUT_SECONDS) -> Outcome:
        """Read the value: Chosen has it as its result, and the link as of which it is so."""
        return self.execute("GET", timeout_seconds=timeout_seconds)

    def execute(self, *command: str, timeout_seconds: float = TIMEOUT_SECONDS) -> Outcome:
        """Propose any *command* and wait for its outcome. NotReachableError if nothing was sent."""
        return refusal_of(command) or self._shell.run(self._propose(command, timeout_seconds))

    def repeat(self, request: Request, *, timeout_seconds: float = TIMEOUT_SECONDS) -> Outcome:
        """Send an earlier *request* of this client once more; it is still applied once."""
        return self._shell.run(self._propose(request, timeout_seconds))

    def propose_without_waiting(
        self, value: str, *, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> Request | Refused:
        """Send *value* only; to :meth:`repeat` the request that is returned tells its outcome."""
        command = ("SET", value)
        return refusal_of(command) or self._shell.run(self._send(command, timeout_seconds))

    def status(self, *, timeout_seconds: float = TIMEOUT_SECONDS) -> dict[str, Any]:
        """Return how the server is, as :mod:`multipaxos.runtime.report` says it."""
        found = json.loads(self._ask("STATUS", timeout_seconds=timeout_seconds))
        assert isinstance(found, dict), "a status is an object"
        return found

    def history(self, count: int, *, timeout_seconds: float = TIMEOUT_SECONDS) -> list[HistoryLink]:
        """Return the newest *count* links that the server keeps, the oldest of them first."""
        text = self._ask("HISTORY", count, timeout_seconds=timeout_seconds)
        return [HistoryLink(number=each["link"], holds=each["holds"]) for each in json.loads(text)]

    def usages(self, *, timeout_seconds: float = TIMEOUT_SECONDS) -> dict[str, str]:
        """Return how each command of the state machine is written, by its name in capitals."""
        reply = self._reply_to(pack("COMMAND", "DOCS"), timeout_seconds)
        try:
            return dict(_usages(reply))
        except (TypeError, ValueError) as error:
            raise ProtocolError(f"the server answers {reply!r} to COMMAND DOCS") from error

    def close(self) -> None:
        """Close the connection. The next request opens another."""
        self._shell.close()
        self._shell = BlockingShell(self._connect)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- own affairs -------------------------------------------------------------------------------

    def _propose(
        self, command_or_request: tuple[str, ...] | Request, timeout_seconds: float
    ) -> Steps[Outcome]:
        deadline = time.monotonic() + timeout_seconds
        yield from self._talk.meet_first(deadline=deadline)
        match command_or_request:
            case Request() as request:
                pass
            case command:
                request = self._talk.make_request(command)
        return (yield from self._talk.propose(request, deadline=deadline))

    def _send(self, command: tuple[str, ...], timeout_seconds: float) -> Steps[Request]:
        deadline = time.monotonic() + timeout_seconds
        yield from self._talk.meet_first(deadline=deadline)
        request = self._talk.make_request(command)
        # The reply that comes some time would be taken for that to the next request.
        self._talk.server = None
        yield Send(request=request.packed(), deadline=deadline)
        return request

    def _ask(self, *arguments: str | int, timeout_seconds: float) -> bytes:
        reply = self._reply_to(pack("MULTIPAXOS", *arguments), timeout_seconds)
        if isinstance(reply, bytes):
            return reply
        raise ProtocolError(f"the server answers: {reply}")

    def _reply_to(self, packed: bytes, timeout_seconds: float) -> Any:
        deadline = time.monotonic() + timeout_seconds

        def question() -> Steps[Any]:
            yield from self._talk.meet_first(deadline=deadline)
            return (yield from self._talk.ask(packed, deadline=deadline))

        try:
            return self._shell.run(question())
        except NoReplyError as error:
            # A question changes nothing: without an answer it is as if nobody had been there.
            raise NotReachableError(str(error)) from error


def _usages(reply: Any) -> Iterator[tuple[str, str]]:
    for name, described in zip(reply[::2], reply[1::2], strict=True):
        told = dict(zip(described[::2], described[1::2], strict=True))
        # The commands of the connection and the server are of other groups.
        if told.get(b"group") == b"generic":
            yield name.decode().upper(), told.get(b"summary", name).decode()
