"""What one client asked of one key, when, and what it was told."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final, Literal, TypeAlias

from typing_extensions import override

from multipaxos.chain import state_machine


class Function(StrEnum):
    """
    What a client can ask of one key.

    A register is a dictionary with one key, the empty one.
    """

    GET = "get"
    SET = "set"
    DELETE = "delete"
    COMPARE_AND_SET = "compare-and-set"
    INCREMENT = "increment"
    APPEND = "append"


class Status(StrEnum):
    """What a client was told of its call: done, certainly not done, or nobody knows."""

    OK = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Untold(Enum):
    """Stands for the result of a call whose client was told no more than that it was done."""

    UNTOLD = "untold"


UNTOLD: Final = Untold.UNTOLD

Value: TypeAlias = str | None
"""What a key holds; None where it holds nothing."""

Argument: TypeAlias = str | int | None
Result: TypeAlias = state_machine.Result | Literal[Untold.UNTOLD]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """
    One call of one client, on one *key*, from *called_at* to *returned_at* (infinite: no return).

    The *name* is the request's, as ``client/7``; its client makes one call after the other. What
    the *arguments* are and which *result* belongs to them,
    :func:`~multipaxos.invariants.linearizability.stepping.step` says. *link* is the one that held
    the request, where the client was told.
    """

    name: str
    function: Function
    key: str = ""
    arguments: tuple[Argument, ...] = ()
    status: Status = Status.OK
    result: Result = UNTOLD
    called_at: float
    returned_at: float = math.inf
    link: int | None = None

    @property
    def known_at(self) -> float:
        """When it had certainly taken effect; infinite if nobody knows whether it did."""
        return self.returned_at if self.status is Status.OK else math.inf

    @property
    def client(self) -> str:
        """Who called: the name up to its last slash."""
        return self.name.rpartition("/")[0] or self.name

    @override
    def __str__(self) -> str:
        """Write the operation with what it was told, and its interval."""
        asked = " ".join([self.function, *([self.key] if self.key else ())])
        given = "".join(f" {_shown(argument)}" for argument in self.arguments)
        told = self._told()
        return f"{self.name} {asked}{given}{told} [{self.called_at:.6f}, {self._until()}]"

    def _told(self) -> str:
        if self.status is not Status.OK:
            return f" -> {self.status}"
        is_told = self.result is not UNTOLD and self.function is not Function.SET
        return f" -> {_shown(self.result)}" if is_told else ""

    def _until(self) -> str:
        return "?" if self.returned_at == math.inf else f"{self.returned_at:.6f}"


History: TypeAlias = Sequence[Operation]
"""What all clients of one cluster asked and were told, in any order."""


def _shown(value: object) -> str:
    return "nothing" if value is None else f'"{value}"' if isinstance(value, str) else str(value)
