"""
Whether and how a server is watched from outside.

Most servers are not. They have neither the cost of measuring nor that of importing what it needs.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.state_machine import StateMachine
from multipaxos.runtime.address import Address
from multipaxos.runtime.client_port.port import ClientPort
from multipaxos.runtime.driver import Driver
from multipaxos.runtime.messenger.faults import FaultyMessenger
from multipaxos.runtime.messenger.peer_messenger import PeerMessenger
from multipaxos.runtime.observing import Observers
from multipaxos.runtime.ports import Storage
from multipaxos.trace import TraceObserver


class Monitored(Protocol):
    """What a monitor asks of its server."""

    @property
    def cluster(self) -> str:
        """The cluster's name."""

    @property
    def uid(self) -> str:
        """Which of the cluster's servers it is."""

    @property
    def replica(self) -> BaseReplicatedValue:
        """The protocol object."""

    @property
    def driver(self) -> Driver:
        """What runs it."""

    @property
    def messenger(self) -> PeerMessenger:
        """What carries its messages."""

    @property
    def faulty(self) -> FaultyMessenger | None:
        """What loses its messages on purpose; None but in a lab."""

    @property
    def port(self) -> ClientPort:
        """What serves its clients."""

    @property
    def reactor(self) -> Any:
        """The reactor that it runs on."""

    def silence_seconds(self) -> dict[str, float | None]:
        """Return for each other server how long ago it was heard of, None if never."""

    def listen_tcp(self, address: Address, factory: Any) -> Any:
        """Listen for *factory* at *address*; return what listens. NotStartedError if it cannot."""


class Unmonitored:
    """The monitor of a server that nobody watches: nothing listens, nothing is measured."""

    is_watching: ClassVar = False
    """Whether what the protocol says of itself is measured."""

    def watching(self, trace: TraceObserver) -> TraceObserver | Observers:
        """Return what observes the driver and the client port, *trace* among it."""
        return trace

    def timed(self, storage: Storage) -> Storage:
        """Return *storage*, with its saves measured."""
        return storage

    def listen(self, server: Monitored) -> None:
        """Tell whoever asks how *server* is, from now on; NotStartedError if that cannot be."""

    def close(self) -> None:
        """Listen no more."""


def monitor_at(
    address: Address | None, *, seconds: Callable[[], float], machine: StateMachine
) -> Unmonitored:
    """Return what watches a server and tells of it over HTTP at *address*, if there is one."""
    if address is None:
        return Unmonitored()
    from multipaxos.runtime.monitoring.monitor import Monitor  # noqa: PLC0415 - it imports much

    return Monitor(address, seconds=seconds, machine=machine)
