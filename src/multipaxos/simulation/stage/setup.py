"""What a script says before anything happens: which servers there are, and what surrounds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from composable_paxos import PeerID, Quorums
from multipaxos.chain.register import Register
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.settings import Settings
from multipaxos.chain.state_machine import StateMachine
from multipaxos.composition import compose, strategy_names
from multipaxos.simulation.clients import SimulatedClient
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.fault_plan import FaultPlan, draw_fault_plan
from multipaxos.simulation.faults import draw_faults
from multipaxos.simulation.mischief import Mischief
from multipaxos.simulation.weather import CALM
from multipaxos.simulation.workload import draw_requests

READS = 0.4
"""The share of reads in what random clients ask for."""


@dataclass(slots=True, kw_only=True)
class RandomFaults:
    """Faults of a *level*, drawn from the seed, for so many *seconds*."""

    level: str
    seconds: float


@dataclass(slots=True, kw_only=True)
class RandomClients:
    """*count* clients that ask *rate* times a second altogether, for so many *seconds*."""

    count: int
    rate: float
    seconds: float


@dataclass(slots=True, kw_only=True)
class Setup:
    """The settings of a script; what it does not say is as it is here."""

    servers: tuple[PeerID, ...] = ("A", "B", "C")
    seed: int = 0
    master: bool = False
    without: tuple[str, ...] = ()
    bug: str | None = None
    quorums: tuple[int, int] | None = None
    founded: bool = True
    manual: bool = True
    machine: StateMachine = field(default_factory=Register)
    settings: dict[str, float] = field(default_factory=dict)
    faults: RandomFaults | None = None
    clients: RandomClients | None = None

    def build(self, *, tolerant: bool) -> SimulatedCluster:
        """Return the cluster; nothing runs yet."""
        chances = self._chances()
        return SimulatedCluster(
            self.servers,
            seed=self.seed,
            replica_class=self._replica_class(),
            settings=Settings(**self.settings),  # type: ignore[arg-type]
            founded=self.founded,
            machine=self.machine,
            manual=self.manual,
            weather=CALM if chances is None else chances.weather,
            rates=self._rates(chances),
            engine="scenario",
            about=self._about(),
            tolerant=tolerant or self.bug is not None,
        )

    def start(self, cluster: SimulatedCluster) -> None:
        """Start the servers of *cluster*, the clients, and the faults."""
        cluster.start()
        for client in self._clients(cluster):
            client.start()
        chances = self._chances()
        if self.faults is not None and chances is not None:
            schedule = draw_faults(self.seed, chances, self.faults.seconds)
            mischief = Mischief(cluster, schedule, clock_error=self._clock_error(chances))
            mischief.start()
            # Then there is peace: what is down comes back, what is cut is mended.
            cluster.time.call_at(self.faults.seconds, mischief.stop)

    def _about(self) -> dict[str, object]:
        """Return what is out of the ordinary, for the trace's header."""
        about: dict[str, object] = {}
        if self.bug is not None:
            about["bug"] = self.bug
        if self.quorums is not None:
            about["quorums"] = list(self.quorums)
        if self.settings:
            about["settings"] = dict(self.settings)
        return about

    def _replica_class(self) -> type[BaseReplicatedValue]:
        strategies = strategy_names(master=self.master, without=self.without)
        woven = compose(strategies, bug=self.bug)
        if self.quorums is None:
            return woven
        promise_size, accept_size = self.quorums

        def choose_quorums(value: BaseReplicatedValue) -> Quorums:
            return Quorums(
                acceptors=frozenset(value.membership.servers),
                promise_size=promise_size,
                accept_size=accept_size,
            )

        return type("FlexibleReplicatedValue", (woven,), {"choose_quorums": choose_quorums})

    def _chances(self) -> FaultPlan | None:
        return None if self.faults is None else draw_fault_plan(self.seed, self.faults.level)

    def _clock_error(self, chances: FaultPlan) -> float:
        settings = Settings(**self.settings)  # type: ignore[arg-type]
        return settings.clock_rate_error * chances.clock_error

    def _rates(self, chances: FaultPlan | None) -> Mapping[PeerID, float]:
        error = 0.0 if chances is None else self._clock_error(chances)
        if not error:
            return {}
        rng = Random(f"{self.seed}/rates")
        return {uid: 1.0 + rng.uniform(-error, error) for uid in self.servers}

    def _clients(self, cluster: SimulatedCluster) -> list[SimulatedClient]:
        asked = self.clients
        if asked is None:
            return []
        requests = draw_requests(
            self.seed, machine=self.machine, rate=asked.rate, reads=READS, seconds=asked.seconds
        )
        return [
            SimulatedClient(
                cluster,
                f"random-{number + 1}",
                (request for request in requests if request.draw % asked.count == number),
            )
            for number in range(asked.count)
        ]
