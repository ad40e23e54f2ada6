"""What the client port and its connections need of each other and of their server."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from multipaxos.chain.requests import Chosen, Outcome, RequestID
from multipaxos.chain.state_machine import Command, StateMachine
from multipaxos.runtime.address import Address
from multipaxos.runtime.change_log import ChangeLog

Info: TypeAlias = Mapping[str, Mapping[str, object]]
"""What Redis' INFO tells: sections by title, each with its fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """
    The part that a server plays: it proposes itself, or hands its clients' requests to a master.

    *master* is where that one's clients connect, None if nobody else is named; it *is followed*
    while its lease is respected. *link* is the newest one that the server knows.
    """

    link: int
    master: Address | None = None
    is_followed: bool = False


class Service(Protocol):
    """What the port needs of its server."""

    @property
    def value_bytes_max(self) -> int:
        """How large a value may be, as JSON."""

    @property
    def cluster(self) -> str:
        """Which cluster it belongs to."""

    @property
    def uid(self) -> str:
        """Which of the cluster's servers it is."""

    @property
    def machine(self) -> StateMachine:
        """Which commands there are."""

    @property
    def instance(self) -> int:
        """The link in progress."""

    @property
    def password(self) -> str | None:
        """What clients must know; None: nothing."""

    def submit(self, request_id: RequestID, command: Command, *, since: int | None) -> None:
        """Hand *command* to the protocol; its outcome comes to :meth:`ClientPort.answer`."""

    def read_stale(self, command: Command) -> Chosen | None:
        """Read in the server's own state, as of the link that it names; None without memory."""

    @property
    def change_log(self) -> ChangeLog:
        """The newest changes of the state."""

    def status(self) -> str:
        """Return as JSON how the server is."""

    def history(self, count: int) -> str:
        """Return as JSON the newest *count* links; StorageError if they cannot be read."""

    def role(self) -> Role:
        """Return the part that the server plays just now."""

    def info(self) -> Info:
        """Return what INFO tells of the server, its clients excepted."""


class CallObserver(Protocol):
    """Sees what clients ask and are told; a trace writer. Changes nothing."""

    def called(self, request_id: RequestID, command: Command) -> None:
        """Tell that a client asks for *command*."""

    def returned(self, request_id: RequestID, command: Command, outcome: Outcome) -> None:
        """Tell that a client is told the *outcome*, or that it will never be told."""
