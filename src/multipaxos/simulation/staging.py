"""What a simulated cluster is made of: servers, disks, clocks and wires, before anything runs."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from random import Random

from composable_paxos import PeerID
from multipaxos.chain.durable import DecidedLink, DurableState, Snapshot
from multipaxos.chain.effects import Save
from multipaxos.chain.links import Founding
from multipaxos.chain.messages import Envelope
from multipaxos.chain.register import Register
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.requests import RequestID
from multipaxos.chain.settings import Settings
from multipaxos.chain.state_machine import StateMachine
from multipaxos.composition import STRATEGIES, compose, strategy_names
from multipaxos.invariants.cluster import ChosenLink, Invariants
from multipaxos.invariants.violation import InvariantViolation, raise_it
from multipaxos.runtime.driver import Driver
from multipaxos.runtime.observing import together
from multipaxos.simulation.calls import ClientCall
from multipaxos.simulation.clock import Action, Gate, SimulatedClock, VirtualTime
from multipaxos.simulation.disk import Disk, SimulatedDisk
from multipaxos.simulation.manual_network import ManualNetwork
from multipaxos.simulation.network import CALM, SimulatedNetwork, Weather
from multipaxos.simulation.observation import calls_of
from multipaxos.simulation.observers import (
    NumberingObserver,
    TraceList,
    Transmissions,
)
from multipaxos.simulation.server import SimulatedServer
from multipaxos.trace import Silence, TraceObserver

CLUSTER = "simulated"
FOUNDED_CHAIN = "chain-1"


class Staging(ABC):
    """
    Servers with their disks and clocks on a network, and what watches them.

    State: the *servers*, by uid; the *calls* of clients; the *time*; the *trace*; the *network*; of
    a tolerant one the *violations*, the first of each invariant and link.
    """

    def __init__(  # noqa: PLR0913 - all that a run depends on
        self,
        servers: Sequence[PeerID] = ("A", "B", "C"),
        *,
        seed: int | str = 0,
        strategies: Sequence[str] | None = None,
        replica_class: type[BaseReplicatedValue] | None = None,
        driver_class: type[Driver] = Driver,
        settings: Settings | None = None,
        founded: bool = False,
        weather: Weather = CALM,
        manual: bool = False,
        rates: Mapping[PeerID, float] | None = None,
        traced: bool = True,
        engine: str = "simulation",
        about: Mapping[str, object] | None = None,
        machine: StateMachine | None = None,
        disks: Callable[[PeerID], Disk] = lambda _uid: SimulatedDisk(),
        observers: Sequence[object] = (),
        tolerant: bool = False,
    ) -> None:
        """
        Set the stage; nobody runs before :meth:`start`.

        A *tolerant* one records a violated invariant, and the run goes on, to see what comes of it.
        """
        self.uids = tuple(servers)
        self.seed = seed
        self.settings = settings or Settings()
        self.machine = machine or Register()
        self.replica_class = replica_class or compose(strategies or strategy_names(master=False))
        self.driver_class = driver_class
        self.time = VirtualTime()
        self.rng = Random(f"{seed}/cluster")
        self.trace = TraceList()
        self.traced = traced
        self.disks = disks
        self.observers = tuple(observers)
        self._on_dropped = together(calls_of("dropped", self.observers))
        self._on_duplicated = together(calls_of("duplicated", self.observers))
        self.transmissions = Transmissions()
        self.observer = self._observe("")
        self.observer.header(
            engine,
            cluster=CLUSTER,
            servers=self.uids,
            clock="virtual",
            about={
                "seed": seed,
                "strategies": self._strategies(),
                "state": self.machine.kind,
                "sessions_max": self.settings.sessions_max,
                **(about or {}),
            },
        )
        self.calls: dict[RequestID, ClientCall] = {}
        self.servers = {
            uid: self._build_server(uid, (rates or {}).get(uid, 1.0)) for uid in servers
        }
        self.invariants = Invariants(
            {uid: server.disk for uid, server in self.servers.items()},
            machine=self.machine,
            sessions_max=self.settings.sessions_max,
            on_chosen=self._chosen,
            on_violation=self._violated if tolerant else raise_it,
        )
        self.tolerant = tolerant
        self.violations: dict[tuple[str, int | None], InvariantViolation] = {}
        self.manual = ManualNetwork(deliver=self._deliver, postal=self)
        self.network = SimulatedNetwork(
            self.time,
            seed=f"{seed}/network",
            weather=weather,
            deliver=self._deliver,
            postal=self,
        )
        self.is_manual = manual
        if founded:
            found(self)

    @abstractmethod
    def dropped(self, envelope: Envelope, reason: str) -> None:
        """Record that *envelope* did not arrive."""

    @abstractmethod
    def duplicated(self, envelope: Envelope) -> None:
        """Record that *envelope* will arrive once more."""

    @abstractmethod
    def _perform(self, server: SimulatedServer, action: Action) -> None:
        """Run *action*, an event of *server*."""

    @abstractmethod
    def _deliver(self, envelope: Envelope) -> bool:
        """Hand *envelope* to its receiver; False if that one is down."""

    @abstractmethod
    def _chosen(self, chosen: ChosenLink) -> None:
        """Record that a link is chosen."""

    @abstractmethod
    def _violated(self, violation: InvariantViolation) -> None:
        """Record that an invariant broke."""

    def _strategies(self) -> list[str]:
        return [n for n, mixin in STRATEGIES.items() if issubclass(self.replica_class, mixin)]

    def _build_server(self, uid: PeerID, rate: float) -> SimulatedServer:
        gate = Gate(lambda action: self._perform(self.servers[uid], action))
        # Every clock shows something else: nothing may depend on what a clock shows.
        origin_seconds = Random(f"{self.seed}/{uid}/clock").uniform(0, 1e6)
        clock = SimulatedClock(self.time, rate=rate, origin_seconds=origin_seconds, gate=gate)
        server = SimulatedServer(
            uid=uid, disk=self.disks(uid), gate=gate, clock=clock, trace=self._observe(uid)
        )
        if rate != 1.0:
            server.trace.record("clock rate", {"rate": rate})
        return server

    def _observe(self, uid: PeerID) -> TraceObserver:
        """Return what traces *uid*; without a name, what concerns no single server."""
        if not self.traced:
            return Silence()
        return NumberingObserver(
            uid,
            lambda: self.time.now,
            [self.trace],
            transmissions=self.transmissions,
            began=lambda: self.servers[uid].event_began,
            # The server is built after its trace.
            instant=lambda reading: self.servers[uid].clock.true_time(reading),  # noqa: PLW0108
        )


def found(stage: Staging) -> None:
    """Write what servers have on their disks that have founded a chain, and stand at link 1."""
    founders = tuple((uid, f"birth-of-{uid}") for uid in stage.uids)
    founding = Founding(chain_id=FOUNDED_CHAIN, machine_kind=stage.machine.kind, founders=founders)
    for uid, birth in founders:
        state = DurableState(
            birth=birth,
            founders=founders,
            founding=founding,
            instance=1,
            snapshot=Snapshot(value=stage.machine.initial()),
        )
        storage = stage.servers[uid].disk.open()
        storage.save(Save(state=state, decided=(DecidedLink(number=0, link=founding),)))
        storage.close()
    stage.invariants.take_as_chosen(0, founding)
