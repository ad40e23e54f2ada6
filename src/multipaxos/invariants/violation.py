"""What a broken invariant is told with."""

from collections.abc import Callable
from typing import TypeAlias

from typing_extensions import override

from multipaxos.invariants.names import NAMES


class InvariantViolation(Exception):  # noqa: N818 - it is one, and the name says so
    """
    Something happened that must never happen.

    *name* is one of :data:`multipaxos.invariants.names.NAMES`, *link* the link that it concerns,
    where it concerns one, and *explanation* says in words which servers, quorums, numbers and
    values conflict. It survives pickling, so that a campaign's workers can hand it on.
    """

    def __init__(self, name: str, link: int | None, explanation: str) -> None:
        """Violate the invariant *name* at *link*."""
        super().__init__(name, link, explanation)
        self.name = name
        self.link = link
        self.explanation = explanation

    @override
    def __str__(self) -> str:
        """Write the name, the link and the explanation in one line."""
        at = "" if self.link is None else f" at link {self.link}"
        return f"{self.name}{at}: {self.explanation}"


OnViolation: TypeAlias = Callable[[InvariantViolation], None]
"""What is told of a violation: it raises it, or keeps it, and what is checked goes on."""


def raise_it(violation: InvariantViolation) -> None:
    """Raise *violation*: nothing goes on."""
    raise violation


def violation_of(error: AssertionError) -> InvariantViolation:
    """Return the violation that an assertion tells of; raise what names no invariant."""
    word, _, explanation = str(error).partition(": ")
    for name in NAMES:
        if name.endswith(f" {word}"):
            return InvariantViolation(name, None, explanation)
    raise error
