"""What watches the driver of a simulated server: the invariants first, then the trace."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

from typing_extensions import override

from multipaxos.chain.effects import Timer
from multipaxos.chain.messages import Envelope
from multipaxos.invariants.cluster import ServerCheck
from multipaxos.runtime.observing import Call, together
from multipaxos.simulation.disk import Disk
from multipaxos.simulation.observation import calls_of
from multipaxos.trace import Silence, TraceEvent, TraceObserver
from multipaxos.trace.file import format_line


class ServerObserver:
    """
    Tells *check*, *trace* and *others* what a driver does, and *on_timer* which timer it planned.

    What nobody listens to is not passed on. The trace comes before a check that may fail, so that
    it shows the failure.
    """

    def __init__(
        self,
        check: ServerCheck,
        trace: TraceObserver,
        on_timer: Callable[[Timer], None],
        disk: Disk,
        others: Sequence[object] = (),
    ) -> None:
        """Tell these; *disk* is the server's."""
        traces = () if isinstance(trace, Silence) else (trace,)
        watching = (*traces, *others)
        self.sent: Call = together((*calls_of("sent", watching), check.sent))
        # A process that dies right after the save: what is durable was seen, nothing of it is told.
        self.saved: Call = together(
            (*calls_of("saved", watching), check.saved, lambda _outbox: disk.die_if_due())
        )
        self.timer_set: Call = together(
            (*calls_of("timer_set", watching), lambda timer, _seconds: on_timer(timer))
        )
        self.delivered: Call = together((*calls_of("delivered", watching), check.delivered))
        self.timer_cancelled: Call = together(calls_of("timer_cancelled", watching))
        self.timer_fired: Call = together(calls_of("timer_fired", watching))
        self.happened: Call = together(calls_of("happened", watching))
        self.answered: Call = together(calls_of("answered", watching))
        self.halted: Call = together(calls_of("halted", watching))


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

    def number(self, envelope: Envelope) -> int:
        """Return the number of *envelope*, which is on its way."""
        return self._travelling[id(envelope)][1]

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
