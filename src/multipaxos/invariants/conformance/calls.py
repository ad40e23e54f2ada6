"""What clients called and were told, by the traces: as a history of operations."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from multipaxos.chain.links import Link, Updates
from multipaxos.chain.pipelines import NAMES, commands_of, inner
from multipaxos.chain.register import Register
from multipaxos.chain.requests import Chosen, Outcome, Refused, RequestID, Unknown
from multipaxos.chain.state_machine import Command, StateMachine
from multipaxos.invariants.conformance.source import BadTracesError, Line
from multipaxos.invariants.history import operation_of
from multipaxos.invariants.linearizability import Operation, Status
from multipaxos.invariants.linearizability.operation import Result
from multipaxos.trace import parse_outcome, parse_request

BEFORE_ALL = -math.inf


def command_of(line: Line) -> Command:
    """Return the command that a ``called`` or ``returned`` is about. Raises BadTracesError."""
    operation, arguments = line.event.fields["operation"], line.event.fields["arguments"]
    match operation, arguments:
        case str(), [*_] if all(isinstance(argument, str) for argument in arguments):
            return (operation.upper(), *map(str, arguments))
        case _:
            raise BadTracesError(
                f"{line.place}: {operation!r} with {arguments!r} is no operation that clients have."
            )


def outcome_of(line: Line) -> Outcome:
    """Return what a ``returned`` says. Raises BadTracesError."""
    fields = line.event.fields
    reason = str(fields["reason"])
    match fields["status"]:
        case "ok":
            link, result = fields["link"], fields["result"]
            if not isinstance(link, int):
                raise BadTracesError(f"{line.place}: who is told ok is told a link and a result.")
            told = {"type": "Chosen", "link": link, "result": result}
            try:
                return parse_outcome(told)
            except ValueError as error:
                raise BadTracesError(f"{line.place}: {error}.") from error
        case "refused":
            return Refused(reason=reason)
        case _:
            return Unknown(reason=reason)


@dataclass(slots=True)
class _Try:
    """One time that a request came to one server; *ended* when its client was told, or gone."""

    called_at: float
    ended: tuple[float, Outcome] | None = None


@dataclass(slots=True)
class _Request:
    command: Command
    tries: list[_Try] = field(default_factory=list)
    open_at: dict[str, _Try] = field(default_factory=dict)


class Calls:
    """
    Gathers calls and returns, in the order of time.

    A client that asks again does so under the same request: a write is one operation then, from
    the first call to the first good return. A read changes nothing, so each try is one by itself.
    State: the requests, and the places of the lines that tell of each.
    """

    def __init__(self, machine: StateMachine) -> None:
        """Begin without a call of any command of *machine*."""
        self.machine = machine
        self.lines: dict[str, list[Line]] = {}
        self.returns = 0
        self._requests: dict[RequestID, _Request] = {}

    def called(self, line: Line) -> None:
        """Take a ``called``."""
        request = self._request(line)
        request.open_at[line.event.server] = started = _Try(line.event.seconds)
        request.tries.append(started)

    def returned(self, line: Line) -> Outcome | None:
        """Take a ``returned``; return what the same request was told to be chosen as before."""
        request = self._request(line)
        self.returns += 1
        earlier = next(
            (t.ended[1] for t in request.tries if t.ended and isinstance(t.ended[1], Chosen)), None
        )
        started = request.open_at.pop(line.event.server, None)
        if started is None:
            # The call stands before the trace's beginning.
            started = _Try(BEFORE_ALL)
            request.tries.append(started)
        started.ended = (line.event.seconds, outcome_of(line))
        return earlier

    @property
    def open_count(self) -> int:
        """How many requests nobody was told anything about."""
        return sum(all(t.ended is None for t in r.tries) for r in self._requests.values())

    def history(self, links: Mapping[int, Link]) -> list[Operation]:
        """Return what the clients saw; *links*, those chosen, tell what came of their requests."""
        held = _held_by(links)
        return [
            operation
            for request_id, request in self._requests.items()
            for operation in self._operations(request_id, request, held.get(request_id))
        ]

    def unseen(self, links: Mapping[int, Link], *, begins_anew: bool) -> list[Operation]:
        """
        Return the writes that may explain a read, and that no client of the traces called.

        Those are requests that *links* hold; and, unless the traces *begin anew*, whatever was
        found in a register and nobody wrote: it stems from before. When they happened nobody knows.
        """
        found = [
            _ancient(str(request_id), command, link)
            for request_id, (link, command) in _held_by(links).items()
            if request_id not in self._requests and not self.machine.is_read(command)
        ]
        if begins_anew:
            return found
        assert isinstance(inner(self.machine), Register), "of others it is not known what was there"
        done = [one for o in (*self.history(links), *found) for one in _one_by_one(o)]
        written = {command[-1] for command, _ in done if len(command) > 1}
        met = {result for command, result in done if command == ("GET",)}
        met |= {command[1] for command, result in done if command[0] == "CAS" and result is True}
        strange = sorted(value for value in met - written if isinstance(value, str))
        before = [_ancient(f"before/{n}", ("SET", value)) for n, value in enumerate(strange)]
        return [*found, *before]

    def _operations(
        self, request_id: RequestID, request: _Request, held: "_Held | None"
    ) -> Iterable[Operation]:
        if self.machine.is_read(request.command):
            for one in request.tries:
                yield _operation(request_id, request.command, one, tries=1)
            return
        good = [t for t in request.tries if t.ended and isinstance(t.ended[1], Chosen)]
        is_refused = all(t.ended and isinstance(t.ended[1], Refused) for t in request.tries)
        ended = request.tries[-1].ended
        if good:
            ended = min((t.ended for t in good if t.ended), key=lambda end: end[0])
        called_at = min(t.called_at for t in request.tries)
        whole = _Try(called_at, ended)
        tries = 1 if good or is_refused else 2
        link = None if held is None else held[0]
        yield _operation(request_id, request.command, whole, tries=tries, link=link)

    def _request(self, line: Line) -> _Request:
        name = str(line.event.fields["request"])
        self.lines.setdefault(name, []).append(line)
        request_id, command = parse_request(name), command_of(line)
        request = self._requests.setdefault(request_id, _Request(command))
        if request.command != command:
            raise BadTracesError(
                f"{line.place}: request {name} is {command}, and it was {request.command} before."
            )
        return request


_Held: TypeAlias = tuple[int, Command]
"""The first link that holds a request, and its command."""


def _held_by(links: Mapping[int, Link]) -> dict[RequestID, _Held]:
    held: dict[RequestID, _Held] = {}
    for number, link in sorted(links.items(), key=lambda one: one[0]):
        if isinstance(link, Updates):
            for update in link.updates:
                held.setdefault(update.request_id, (number, update.command))
    return held


def _operation(
    request_id: RequestID, command: Command, one: _Try, *, tries: int, link: int | None = None
) -> Operation:
    ended_at, outcome = one.ended or (None, None)
    return operation_of(
        request_id,
        command,
        outcome,
        called_at=one.called_at,
        returned_at=ended_at,
        tries=tries,
        link=link,
    )


def _one_by_one(operation: Operation) -> Iterable[tuple[Command, Result]]:
    """Yield the command of *operation* with its result; of a pipeline, each."""
    commands, result = commands_of(operation.command), operation.result
    if operation.command[0] in NAMES and isinstance(result, tuple):
        return zip(commands, result, strict=False)
    return ((command, result) for command in commands)


def _ancient(name: str, command: Command, link: int | None = None) -> Operation:
    return Operation(
        name=name, command=command, status=Status.UNKNOWN, called_at=BEFORE_ALL, link=link
    )
