"""What watches the driver of a simulated server: the invariants first, then the trace."""

from collections.abc import Callable
from hashlib import sha256

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
