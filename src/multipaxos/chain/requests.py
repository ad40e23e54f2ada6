"""A client's request and what can become of it."""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from typing_extensions import override

from multipaxos.chain.state_machine import Command, Result

UPDATE_CHARACTERS = 80
"""What an update takes in a message beside its command."""
WORD_CHARACTERS = 3
"""What each word of a command takes beside itself: quotes and a comma."""


class RequestID(NamedTuple):
    """
    Names one request for ever, so that a retry through any server is applied once.

    *client* is unique to a client's life; *sequence* grows by one with each of its requests, which
    it sends one after the other.
    """

    client: str
    sequence: int

    @override
    def __str__(self) -> str:
        """Write the request as ``client/sequence``."""
        return f"{self.client}/{self.sequence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """
    A command on its way to the state machine, under its request's id.

    *since* is the link that was in progress where the request came in: it is in no link before. The
    chain remembers a bounded number of requests; *since* tells whether it would remember this one.
    """

    request_id: RequestID
    command: Command
    since: int

    @property
    def characters(self) -> int:
        """About how many characters it takes in a message."""
        command = self.command
        return sum(map(len, command)) + WORD_CHARACTERS * len(command) + UPDATE_CHARACTERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The request is in the chain: *link* holds it, the state machine answered *result*."""

    link: int
    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The request was not and will not be proposed by this server, for this *reason*."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Whether the request was or will be applied is not known here, for this *reason*."""

    reason: str


Outcome: TypeAlias = Chosen | Refused | Unknown
