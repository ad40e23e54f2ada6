"""What can happen to one server, and what its driver makes of it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from multipaxos.chain.durable import DurableState
from multipaxos.chain.effects import Outbox, Timer
from multipaxos.chain.messages import Envelope
from multipaxos.chain.register import Register
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.requests import RequestID
from multipaxos.chain.settings import Membership, Settings
from multipaxos.chain.state_machine import Command
from multipaxos.exploration.chain_bounds import ChainBounds
from multipaxos.exploration.chain_clock import HOURGLASSES, Turn, turn_of
from multipaxos.exploration.chain_process import Chance, Process, copy_of

CLUSTER = "explored"


@dataclass(frozen=True, slots=True)
class Receive:
    """The server receives *envelope*."""

    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Fire:
    """A timer fires."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class Call:
    """A client asks the server."""

    request_id: RequestID
    command: Command


@dataclass(frozen=True, slots=True)
class Look:
    """The driver looks at the clock for a read that waits: its lease *runs* still, or is over."""

    runs: bool


@dataclass(frozen=True, slots=True)
class Restart:
    """
    The server crashes, and starts again from its disk.

    One step: a server that is down for a while is one to which nothing happens for a while. It
    crashes between two events, or in the midst of one, *during*: what need not wait for the save
    has left then, and nothing is saved.
    """

    during: "Interruptible | None" = None


Interruptible: TypeAlias = Receive | Fire | Call
Event: TypeAlias = Interruptible | Look | Restart


@dataclass(slots=True)
class Played:
    """
    What an event did: the *process* after it, the *outboxes* in order, the timers' *turns*.

    Of an event that was a crash, the outboxes *before_crash* are those of the life that ended.
    """

    process: Process
    outboxes: list[tuple[DurableState, Outbox]] = field(default_factory=list)
    turns: list[tuple[Timer, Turn]] = field(default_factory=list)
    before_crash: int = 0

    def interrupted(self) -> tuple[DurableState, Outbox] | None:
        """Return what had left when a crash came before the save, and the disk; None: nothing."""
        for disk, outbox in self.outboxes:
            if outbox.save is not None:
                left = Outbox(early=outbox.early, early_answers=outbox.early_answers)
                return None if left == Outbox() else (disk, left)
        return None


class Stage:
    """Plays events of one server, by position, on copies of real objects of *replica_class*."""

    def __init__(
        self, server: int, bounds: ChainBounds, replica_class: type[BaseReplicatedValue]
    ) -> None:
        """Play for the *server*."""
        self.server = server
        self.bounds = bounds
        self.replica_class = replica_class
        self.membership = Membership(cluster=CLUSTER, uid=bounds.uids[server], servers=bounds.uids)

    def start(self, disk: DurableState, *, life: int = 0) -> Played:
        """Start the server's process on *disk*."""
        chance = Chance(server=self.server, life=life, drawn=(0, 0))
        replica = self.replica_class(
            membership=self.membership,
            settings=Settings(),
            machine=Register(),
            state=disk,
            rng=chance,
        )
        chance.owner = replica
        played = Played(Process(replica=replica, disk=disk, life=life))
        self._perform(played, replica.start)
        return played

    def play(self, process: Process, event: Event) -> Played:
        """Return what *event* makes of *process*, which stays as it is."""
        if isinstance(event, Restart):
            return self._restart(process, event)
        replica = copy_of(process.replica)
        chance = Chance(server=self.server, life=process.life, drawn=process.drawn)
        chance.owner = replica
        replica.rng = chance
        played = Played(replace(process, replica=replica))
        match event:
            case Receive(envelope):
                self._perform(played, lambda: replica.receive(envelope))
            case Fire(timer):
                self._fire(played, timer)
            case Call(request_id, command):
                self._perform(played, lambda: replica.propose_update(request_id, command))
            case Look(runs):
                self._look(played, runs=runs)
        played.process = replace(played.process, drawn=chance.drawn)
        return played

    def _restart(self, process: Process, restart: Restart) -> Played:
        left = None if restart.during is None else self.play(process, restart.during).interrupted()
        played = self.start(process.disk, life=process.life + 1)
        if left is not None:
            played.outboxes.insert(0, left)
            played.before_crash = 1
        over = [(timer, Turn.CANCELLED) for timer in (*HOURGLASSES, Timer.FOREIGN_LEASE)]
        played.turns[:0] = over
        return played

    def _look(self, played: Played, *, runs: bool) -> None:
        # What the driver does with a LocalRead, as its docstring says it.
        read, *others = played.process.reads
        played.process = replace(played.process, reads=tuple(others))
        replica = played.process.replica
        if runs:
            self._perform(played, lambda: replica.release_read(read))
            return
        if read.lease in played.process.timers:
            self._fire(played, read.lease)
        self._perform(played, lambda: replica.retry_read(read))

    def _fire(self, played: Played, timer: Timer) -> None:
        played.process = replace(played.process, timers=played.process.timers - {timer})
        played.turns.append((timer, Turn.FIRED))
        self._perform(played, lambda: played.process.replica.timeout(timer))

    def _perform(self, played: Played, event: Callable[[], None]) -> None:
        event()
        outbox = played.process.replica.take_outbox()
        played.outboxes.append((played.process.disk, outbox))
        played.process = played.process.after(outbox)
        played.turns.extend(turn_of(change) for change in outbox.timers)
