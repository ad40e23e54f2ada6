"""The monitor of a server: its metrics and its health, told over HTTP."""

from collections.abc import Callable
from typing import Any, ClassVar

from typing_extensions import override

from multipaxos.chain.state_machine import StateMachine
from multipaxos.runtime.address import Address
from multipaxos.runtime.monitoring.choice import Monitored, Unmonitored
from multipaxos.runtime.monitoring.health import why_not_ready
from multipaxos.runtime.monitoring.http_port import HttpPort
from multipaxos.runtime.monitoring.metrics import Metrics
from multipaxos.runtime.monitoring.readings import Readings
from multipaxos.runtime.observing import Observers
from multipaxos.runtime.ports import Storage
from multipaxos.trace import Silence, TraceObserver


class Monitor(Unmonitored):
    """
    Measures one server, and tells how it is at an *address*.

    State: the *metrics*; the server, once it listens; and why it halted, if it did.
    """

    is_watching: ClassVar = True

    def __init__(
        self, address: Address, *, seconds: Callable[[], float], machine: StateMachine
    ) -> None:
        """Measure from now on, by the clock *seconds*; nothing listens before :meth:`listen`."""
        self.address = address
        self.metrics = Metrics(seconds=seconds, machine=machine)
        self._server: Monitored | None = None
        self._halted_because = "it was stopped"
        self._http: HttpPort | None = None
        self._tcp: Any = None

    @override
    def watching(self, trace: TraceObserver) -> Observers:
        traces = () if isinstance(trace, Silence) else (trace,)
        return Observers(*traces, self.metrics, self)

    @override
    def timed(self, storage: Storage) -> Storage:
        return self.metrics.timed(storage)

    @override
    def listen(self, server: Monitored) -> None:
        self._server = server
        readings = Readings(server, is_ready=lambda: self.why_not_ready() is None)
        self.metrics.registry.register(readings)
        self._http = HttpPort(self, reactor=server.reactor)
        self._tcp = server.listen_tcp(self.address, self._http)

    @override
    def close(self) -> None:
        if self._tcp is not None:
            self._tcp.stopListening()
        if self._http is not None:
            self._http.close()

    # -- what it sees of the driver ----------------------------------------------------------------

    def halted(self, reason: str) -> None:
        """Keep the *reason*."""
        self._halted_because = reason

    # -- what the port asks ------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """Which server this is."""
        server = self._asked()
        return f"server {server.uid} of cluster {server.cluster}"

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return the metrics and their content type."""
        return self.metrics.render(accept)

    def why_not_healthy(self) -> str | None:
        """Return in words why the server serves nobody any more; None if it does."""
        return self._halted_because if self._asked().driver.halted else None

    def why_not_ready(self) -> str | None:
        """Return in words what the server waits for; None if it can decide with the others."""
        server = self._asked()
        return self.why_not_healthy() or why_not_ready(server.replica, server.silence_seconds())

    def _asked(self) -> Monitored:
        assert self._server is not None, "nobody asks before it listens"
        return self._server
