"""A history as other checkers read it: processes by number, each with one call at a time."""

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from multipaxos.invariants.linearizability.operation import History, Operation, Status


class Phase(Enum):
    """Whether a call begins or ends."""

    INVOKE = 0
    RETURN = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The *phase* of an *operation*, called by *process*, at the time *at*."""

    at: float
    phase: Phase
    process: int
    operation: Operation


def moments(history: History) -> Iterator[Moment]:
    """
    Yield the beginnings and ends of all calls in the order of time.

    A client is a process, until it makes a call while one of its calls is open: whose outcome is
    unknown stays open for ever, and the client goes on as a new process. Of equal times beginnings
    go first, so that the calls count as concurrent, as they do here.
    """
    calls: dict[int, list[Operation]] = {}
    of_client: dict[str, int] = {}
    open_until: dict[str, float] = {}
    for operation in sorted(history, key=lambda o: (o.called_at, o.returned_at, o.name)):
        client = operation.client
        if client not in of_client or open_until[client] > operation.called_at:
            of_client[client] = len(calls)
        calls.setdefault(of_client[client], []).append(operation)
        ends = operation.status is not Status.UNKNOWN
        open_until[client] = operation.returned_at if ends else math.inf
    yield from _merged(calls)


def _merged(calls: dict[int, list[Operation]]) -> Iterator[Moment]:
    """Yield the moments of all processes, each process's in its own order."""
    coming: list[tuple[float, int, int, int]] = []
    for process, operations in calls.items():
        coming.append((operations[0].called_at, Phase.INVOKE.value, process, 0))
    heapq.heapify(coming)
    while coming:
        at, phase, process, place = heapq.heappop(coming)
        operation = calls[process][place]
        yield Moment(at=at, phase=Phase(phase), process=process, operation=operation)
        if phase == Phase.INVOKE.value:
            if operation.returned_at < math.inf:
                ending = (operation.returned_at, Phase.RETURN.value, process, place)
                heapq.heappush(coming, ending)
        elif place + 1 < len(calls[process]):
            following = calls[process][place + 1]
            heapq.heappush(coming, (following.called_at, Phase.INVOKE.value, process, place + 1))
