"""
What the core asks of a shell: one step at a time, each with an answer or an error.

The core decides and never waits; it is made of generators that yield steps. A shell performs them
over sockets, blocking (:mod:`multipaxos.client.blocking`) or with asyncio
(:mod:`multipaxos.client.asynchronous`). It has one connection at a time. All deadlines are on the
clock that the core was given.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

A = TypeVar("A")

Endpoint: TypeAlias = tuple[str, int]
"""A host and a port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Connect to *server*, instead of any before. NotReachableError, or ClosedError for good."""

    server: Endpoint
    deadline: float


@dataclass(frozen=True, slots=True)
class IsOpen:
    """Answer whether the connection can take a request, as far as this end knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """
    Send *request*.

    NotReachableError if certainly nothing was sent; NoReplyError if a part of it may have arrived.
    """

    request: bytes
    deadline: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Receive:
    """
    Answer the next reply; an error reply is a hiredis.ReplyError as a value.

    NoReplyError if the connection or the time ends first, ProtocolError for what is no reply. Both
    close the connection: a late reply would be taken for the next one.
    """

    deadline: float


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection, if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Let *seconds* pass."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Perform *steps* over a connection of their own, and answer what they return."""

    steps: Generator["Step", Any, Any]


Step: TypeAlias = Open | IsOpen | Send | Receive | Close | Pause | Elsewhere

Steps: TypeAlias = Generator[Step, Any, A]
"""Steps that lead to a value; each ``yield`` gives the step's answer, or raises its error."""
