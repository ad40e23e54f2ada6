"""A server with its monitor, for tests: on a simulated disk, without a socket."""

from random import Random
from typing import Any

from prometheus_client.parser import text_string_to_metric_families as parse
from twisted.internet.task import Clock

from multipaxos.chain.register import Register
from multipaxos.composition import compose, strategy_names
from multipaxos.runtime.address import Address
from multipaxos.runtime.client_port.port import ClientPort
from multipaxos.runtime.clock import BootTimeClock
from multipaxos.runtime.config import built_in_config
from multipaxos.runtime.driver import Driver
from multipaxos.runtime.messenger.peer_messenger import PeerMessenger
from multipaxos.runtime.monitoring.metrics import Metrics
from multipaxos.runtime.monitoring.monitor import Monitor
from multipaxos.simulation.disk import SimulatedDisk
from multipaxos.trace import Silence

HTTP = Address(host="127.0.0.1", port=9101)


def samples(metrics: Metrics) -> dict[str, float]:
    """Return the value of each line that *metrics* shows, by its name and the labels' values."""
    text, _ = metrics.render("")
    found: dict[str, float] = {}
    for family in parse(text.decode()):
        for sample in family.samples:
            labels = ",".join(sample.labels[name] for name in sorted(sample.labels))
            name = sample.name.removeprefix("multipaxos_")
            found[f"{name}{{{labels}}}" if labels else name] = sample.value
    return found


class Watched:
    """
    The server A of *servers*, with its monitor, on a simulated disk and a clock of the test's.

    Its messages go nowhere. State: of whom it has heard is up to the test, and what listens.
    """

    cluster = "main"
    uid = "A"
    machine = Register()
    value_bytes_max = 100
    password = None
    faulty = None

    def __init__(self, servers: int = 1, *, master: bool = False) -> None:
        """Put it together."""
        config = built_in_config(servers)
        self.reactor = Clock()
        self.disk = SimulatedDisk()
        self.silence: dict[str, float | None] = {}
        self.listening: dict[Address, Any] = {}
        self.replica = compose(strategy_names(master=master))(
            membership=config.membership("A"),
            settings=config.settings,
            machine=Register(),
            state=None,
            rng=Random(0),
        )
        clock = BootTimeClock(self.reactor, seconds=self.reactor.seconds)
        self.monitor = Monitor(HTTP, seconds=clock.seconds, machine=self.replica.machine)
        self.watching = self.monitor.watching(Silence())
        self.messenger = PeerMessenger(config, "A", lambda _: None, lambda *_: None)
        service: Any = self
        self.port = ClientPort(service, clock=self.reactor, observer=self.watching)
        self.driver = Driver(
            self.replica,
            storage=self.monitor.timed(self.disk.open()),
            messenger=self.messenger,
            clock=clock,
            observer=self.watching,
            on_answer=lambda _: None,
            on_halt=lambda _: None,
        )
        self.monitor.listen(self)

    def silence_seconds(self) -> dict[str, float | None]:
        """Return what the test wants."""
        return self.silence

    def listen_tcp(self, address: Address, factory: Any) -> "Watched":
        """Keep *factory*, and listen in its name."""
        self.listening[address] = factory
        return self

    def stopListening(self) -> None:  # noqa: N802 - Twisted's name
        """Listen no more."""
        self.listening.clear()

    def samples(self) -> dict[str, float]:
        """Return what it shows."""
        return samples(self.monitor.metrics)

    def stall(self) -> None:
        """Let the disk take 0.3 seconds."""
        self.reactor.rightNow += 0.3
