"""What an event makes of one server: of its process, and of what the model knows of the server."""

from dataclasses import dataclass

from multipaxos.chain.durable import DurableState
from multipaxos.chain.effects import Answer, Outbox
from multipaxos.chain.messages import Envelope
from multipaxos.exploration.chain_events import Call, Event
from multipaxos.invariants.violation import InvariantViolation


@dataclass(slots=True)
class Step:
    """
    What an event makes of a process.

    *process* is the number of the new one, *sent* what it sent. *outboxes* come with the disk
    before each. A step that *votes* accepts, asks to accept, resolves or catches up: it must be
    judged with what all servers know. In a *failure* an assertion of the server did not hold.
    """

    number: int
    process: int
    sent: tuple[Envelope, ...]
    move: int
    answers: tuple[Answer, ...]
    outboxes: tuple[tuple[DurableState, Outbox], ...]
    votes: bool
    failure: InvariantViolation | None = None


@dataclass(slots=True)
class Outcome:
    """
    What an event makes of a server's state.

    *local* is the new state's number; *mail* are messages, by bits, for each receiver; *move* is
    what happens to the clocks. *needs_sand* is the hourglass that the event needs to run.
    """

    event: Event
    local: int
    mail: tuple[tuple[int, int], ...]
    step: Step
    needs_sand: int = 0


class Local:
    """
    A server's state: a *process* and an *inbox*, with what is known of it.

    *believes* is the hourglass of the lease that it would answer reads alone under, 0 if none.
    """

    __slots__ = ("believes", "calls", "echo", "inbox", "outcomes", "process", "received")

    def __init__(self, process: int, inbox: int, believes: int) -> None:
        """Know nothing yet of what can happen."""
        self.process = process
        self.inbox = inbox
        self.believes = believes
        self.outcomes: tuple[Outcome, ...] | None = None
        self.echo: tuple[tuple[int, int], ...] = ()
        self.calls: dict[Call, Outcome | None] = {}
        self.received: dict[int, int] = {}
