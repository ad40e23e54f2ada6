"""The blocking client: one request after the other, to the first server that can be reached."""

import json
import secrets
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import hiredis

from multipaxos.chain.requests import Chosen, Outcome, Refused, RequestID, Unknown
from multipaxos.chain.state_machine import result_from_plain
from multipaxos.client.connection import (
    Connect,
    Connection,
    Endpoint,
    Identity,
    NoReplyError,
    NotReachableError,
    ProtocolError,
)

TIMEOUT_SECONDS = 5.0
VALUE_BYTES_MAX = 1024 * 1024
"""No server reads more. What a cluster's servers take is less; they say how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLink:
    """A decided link: its *number*, and what it *holds* in the terms of the trace."""

    number: int
    holds: Mapping[str, Any]


class Client:
    """
    Talks to the first of *servers* that can be reached, and stays with it while it answers.

    State: the connection, if there is one; the *client_id* and the *sequence* of the newest
    request, which together name each request for ever. One thread uses a client at a time.
    """

    def __init__(
        self,
        servers: Sequence[Endpoint],
        *,
        client_id: str | None = None,
        sequence: int = 0,
        identities: Mapping[Endpoint, Identity] | None = None,
        connect: Connect = socket.create_connection,
    ) -> None:
        """
        Begin without a connection.

        A program that goes on as the client it was before a restart passes its old *client_id* and
        the *sequence* that it used last. Where *identities* say who should answer at an endpoint,
        anybody else gets no request: OtherServerError.
        """
        self.servers = tuple(servers)
        self.client_id = client_id or f"client-{secrets.token_hex(8)}"
        self.sequence = sequence
        self._identities = dict(identities or {})
        self._connect = connect
        self._connection: Connection | None = None

    def propose(
        self,
        value: str,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        request_id: RequestID | None = None,
    ) -> Outcome:
        """
        Propose *value* and wait for its outcome.

        With *request_id*, an earlier request of this client is sent once more, and still applied
        once. Raises NotReachableError if nothing was sent.
        """
        refusal = _refusal_of(value)
        if refusal is not None:
            return refusal
        return self._propose(request_id or self.next_request_id(), ("SET", value), timeout_seconds)

    def get(self, *, timeout_seconds: float = TIMEOUT_SECONDS) -> Outcome:
        """Read the value: Chosen has it as its result, and the link as of which it is so."""
        return self._propose(self.next_request_id(), ("GET",), timeout_seconds)

    def propose_without_waiting(
        self, value: str, *, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> RequestID | Refused:
        """Send *value* only; a later :meth:`propose` with the same id learns the outcome."""
        refusal = _refusal_of(value)
        if refusal is not None:
            return refusal
        request_id = self.next_request_id()
        deadline = time.monotonic() + timeout_seconds
        connection = self._connected(deadline)
        connection.send(*_proposal(request_id, ("SET", value)), deadline=deadline)
        return request_id

    def status(self, *, timeout_seconds: float = TIMEOUT_SECONDS) -> dict[str, Any]:
        """Return how the server is, as :mod:`multipaxos.runtime.report` says it."""
        found = json.loads(self._ask("MULTIPAXOS", "STATUS", timeout_seconds=timeout_seconds))
        assert isinstance(found, dict), "a status is an object"
        return found

    def history(self, count: int, *, timeout_seconds: float = TIMEOUT_SECONDS) -> list[HistoryLink]:
        """Return the newest *count* links that the server keeps, the oldest of them first."""
        text = self._ask("MULTIPAXOS", "HISTORY", count, timeout_seconds=timeout_seconds)
        return [HistoryLink(number=each["link"], holds=each["holds"]) for each in json.loads(text)]

    def next_request_id(self) -> RequestID:
        """Name this client's next request."""
        self.sequence += 1
        return RequestID(self.client_id, self.sequence)

    def close(self) -> None:
        """Close the connection. The next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- own affairs -------------------------------------------------------------------------------

    def _propose(
        self, request_id: RequestID, command: tuple[str, ...], timeout_seconds: float
    ) -> Outcome:
        deadline = time.monotonic() + timeout_seconds
        connection = self._connected(deadline)
        try:
            reply = connection.request(*_proposal(request_id, command), deadline=deadline)
        except NoReplyError as error:
            return Unknown(reason=str(error))
        return _outcome(reply)

    def _ask(self, *arguments: str | int, timeout_seconds: float) -> bytes:
        deadline = time.monotonic() + timeout_seconds
        try:
            reply = self._connected(deadline).request(*arguments, deadline=deadline)
        except NoReplyError as error:
            # A question changes nothing: without an answer it is as if nobody had been there.
            raise NotReachableError(str(error)) from error
        if isinstance(reply, bytes):
            return reply
        raise ProtocolError(f"the server answers: {reply}")

    def _connected(self, deadline: float) -> Connection:
        if self._connection is not None and self._connection.is_open:
            return self._connection
        reasons = []
        for place, (host, port) in enumerate(self.servers):
            now = time.monotonic()
            # A server that swallows everything must leave time for those after it.
            share = now + (deadline - now) / (len(self.servers) - place)
            try:
                self._connection = Connection(
                    (host, port),
                    deadline=share,
                    identity=self._identities.get((host, port)),
                    connect=self._connect,
                )
            except NotReachableError as error:
                reasons.append(f"{host}:{port}: {error}")
            else:
                return self._connection
        raise NotReachableError("; ".join(reasons) or "there is no server to ask")


def _refusal_of(value: str) -> Refused | None:
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return Refused(reason="the value has lone surrogates, which no UTF-8 text can hold")
    if size > VALUE_BYTES_MAX:
        return Refused(reason=f"the value is too large: it has {size} bytes")
    return None


def _proposal(request_id: RequestID, command: tuple[str, ...]) -> tuple[str | int, ...]:
    return ("MULTIPAXOS", "PROPOSE", request_id.client, request_id.sequence, 0, *command)


def _outcome(reply: Any) -> Outcome:
    match reply:
        case [int(link), bytes(result)]:
            return Chosen(link=link, result=result_from_plain(json.loads(result)))
        case hiredis.ReplyError():
            return _outcome_of_error(str(reply))
        case _:
            raise ProtocolError(f"the server answers {reply!r}, which is no outcome")


def _outcome_of_error(text: str) -> Outcome:
    kind, _, reason = text.partition(" ")
    match kind:
        case "REFUSED":
            return Refused(reason=reason)
        case "UNKNOWN":
            return Unknown(reason=reason)
        case _:
            raise ProtocolError(f"the server answers: {text}")
