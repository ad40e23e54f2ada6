"""What watches the driver of a simulated server: the invariants first, then the trace."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from typing_extensions import override

from multipaxos.chain.effects import Answer, Outbox, Timer
from multipaxos.chain.events import Event
from multipaxos.chain.messages import Envelope
from multipaxos.invariants.cluster import ServerCheck
from multipaxos.simulation.disk import SimulatedDisk
from multipaxos.trace import TraceEvent, TraceObserver
from multipaxos.trace.file import format_line


class ServerObserver:
    """
    Tells *check* and *trace* what a driver does, and *on_timer* which timer it just planned.

    The trace comes last where the check may fail, except for what it needs to show the failure.
    """

    def __init__(
        self,
        check: ServerCheck,
        trace: TraceObserver,
        on_timer: Callable[[Timer], None],
        disk: SimulatedDisk,
    ) -> None:
        """Tell these; *disk* is the server's."""
        self.disk = disk
        self.check = check
        self.trace = trace
        self.on_timer = on_timer
        self.delivered: Callable[[Envelope], None] = trace.delivered
        self.timer_cancelled: Callable[[Timer], None] = trace.timer_cancelled
        self.timer_fired: Callable[[Timer], None] = trace.timer_fired
        self.happened: Callable[[Event], None] = trace.happened
        self.answered: Callable[[Answer], None] = trace.answered
        self.halted: Callable[[str], None] = trace.halted

    def sent(self, envelope: Envelope) -> None:
        """Trace and check a departure."""
        self.trace.sent(envelope)
        self.check.sent(envelope)

    def saved(self, outbox: Outbox) -> None:
        """Trace and check what is durable now."""
        self.trace.saved(outbox)
        self.check.saved(outbox)
        # A power cut right after the save: what is durable was seen, nothing of it is told.
        self.disk.die_if_due()

    def timer_set(self, timer: Timer, seconds: float) -> None:
        """Trace a timer, and note which call of the clock it is."""
        self.trace.timer_set(timer, seconds)
        self.on_timer(timer)


class Transmissions:
    """
    Numbers the messages that travel: a message has one number from its departure to each arrival.

    State: the newest number; of each envelope on its way its number, and how many copies travel.
    """

    def __init__(self) -> None:
        """Begin with nothing on its way."""
        self.newest = 0
        self._travelling: dict[int, tuple[Envelope, int, int]] = {}

    def begin(self, envelope: Envelope) -> int:
        """Give *envelope*, which leaves, its number."""
        self.newest += 1
        # The entry holds the envelope: while it stands, no other object has its identity.
        self._travelling[id(envelope)] = (envelope, self.newest, 1)
        return self.newest

    def double(self, envelope: Envelope) -> int:
        """Return the number of *envelope*, of which one more copy travels."""
        return self._count(envelope, 1)

    def end(self, envelope: Envelope) -> int:
        """Return the number of *envelope*, of which one copy travels no more."""
        return self._count(envelope, -1)

    def _count(self, envelope: Envelope, change: int) -> int:
        if id(envelope) not in self._travelling:
            # Somebody forged it: nobody saw it leave.
            self.begin(envelope)
        _, number, copies = self._travelling.pop(id(envelope))
        if copies + change > 0:
            self._travelling[id(envelope)] = (envelope, number, copies + change)
        return number


class NumberingObserver(TraceObserver):
    """The trace of a server whose messages are told apart, by their *transmissions*' numbers."""

    def __init__(self, *arguments: Any, transmissions: Transmissions, **options: Any) -> None:
        """Take the number of each message from *transmissions*, which all servers share."""
        super().__init__(*arguments, **options)
        self._transmissions = transmissions

    @override
    def sent(self, envelope: Envelope) -> None:
        number = self._transmissions.begin(envelope)
        self.record("sent", {"id": number, **self.traffic(envelope)})

    @override
    def delivered(self, envelope: Envelope) -> None:
        number = self._transmissions.end(envelope)
        self.record("delivered", {"id": number, **self.traffic(envelope)})

    @override
    def dropped(self, envelope: Envelope, reason: str) -> None:
        number = self._transmissions.end(envelope)
        self.record("dropped", {"id": number, **self.traffic(envelope), "reason": reason})

    @override
    def duplicated(self, envelope: Envelope) -> None:
        number = self._transmissions.double(envelope)
        self.record("duplicated", {"id": number, **self.traffic(envelope)})


class TraceList:
    """Keeps the trace in memory."""

    def __init__(self) -> None:
        """Begin empty."""
        self.events: list[TraceEvent] = []

    def write(self, event: TraceEvent) -> None:
        """Keep *event*."""
        self.events.append(event)

    def close(self) -> None:
        """Do nothing: memory needs no closing."""

    def digest(self) -> str:
        """Return a hash of the whole trace: equal for equal runs."""
        whole = sha256()
        for event in self.events:
            whole.update(format_line(event).encode() + b"\n")
        return whole.hexdigest()
