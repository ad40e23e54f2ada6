"""What one client asked of the state machine, when, and what it was told."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final, Literal, TypeAlias

from typing_extensions import override

from multipaxos.chain import state_machine
from multipaxos.chain.state_machine import Command
from multipaxos.invariants.shown import shown_command, shown_result


class Status(StrEnum):
    """What a client was told of its call: done, certainly not done, or nobody knows."""

    OK = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Untold(Enum):
    """Stands for the result of a call whose client was told no more than that it was done."""

    UNTOLD = "untold"


UNTOLD: Final = Untold.UNTOLD

Result: TypeAlias = state_machine.Result | Literal[Untold.UNTOLD]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """
    One call of one client, for one *command*, from *called_at* to *returned_at* (infinite: never).

    The *name* is the request's, as ``client/7``; its client makes one call after the other. The
    *result* is what the state machine answers. *link* is the one that held the request, where that
    is known: to the client, or to who watched the chain.
    """

    name: str
    command: Command
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
        asked = shown_command(self.command)
        return f"{self.name} {asked}{self._told()} [{self.called_at:.6f}, {self._until()}]"

    def _told(self) -> str:
        if self.status is not Status.OK:
            return f" -> {self.status}"
        if self.result is UNTOLD or self.result is True:
            return ""
        return f" -> {shown_result(self.result)}"

    def _until(self) -> str:
        return "?" if self.returned_at == math.inf else f"{self.returned_at:.6f}"


History: TypeAlias = Sequence[Operation]
"""What all clients of one cluster asked and were told, in any order."""
