"""
A whole run from one seed: clients at work, faults at work, then peace, in which all is answered.

First the safety phase: whatever happens, the invariants hold. Then the liveness phase: the faults
stop, and every open call must be answered (I12). At the end what the clients saw is judged (I11).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.settings import Settings
from multipaxos.composition import compose, strategy_names
from multipaxos.invariants.linearizability import check_linearizable
from multipaxos.invariants.names import PROGRESS
from multipaxos.invariants.violation import InvariantViolation
from multipaxos.runtime.driver import Driver
from multipaxos.simulation.clients import SimulatedClient, history_of
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.faults import FaultLaw, Mischief
from multipaxos.simulation.network import CALM, ROUGH, Weather

PEACE_SECONDS_MAX = 60.0
"""Much longer than any lease, backoff, catch-up or memory-less start takes without faults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """
    All that a run depends on.

    *seconds* is the length of the safety phase; clocks drift by at most the settings'
    *clock_rate_error*. *replica_class* and *driver_class* replace the composed ones, to plant bugs.
    """

    seed: int
    servers: int = 3
    master: bool = False
    founded: bool = False
    seconds: float = 60.0
    weather: Weather = ROUGH
    law: FaultLaw = field(default_factory=FaultLaw)
    settings: Settings = field(default_factory=Settings)
    clients: int = 3
    client_pause_seconds_max: float = 1.0
    client_patience_seconds: float = 2.0
    reads: float = 0.4
    traced: bool = False
    replica_class: type[BaseReplicatedValue] | None = None
    driver_class: type[Driver] = Driver


class RandomRun:
    """One run: its *cluster*, its *clients*, its *mischief*. Everything follows from the plan."""

    def __init__(self, plan: RunPlan) -> None:
        """Set the stage."""
        self.plan = plan
        rng = Random(f"{plan.seed}/rates")
        error = plan.settings.clock_rate_error
        uids = tuple("ABCDEFGHI"[: plan.servers])
        self.cluster = SimulatedCluster(
            uids,
            seed=plan.seed,
            replica_class=plan.replica_class or compose(strategy_names(master=plan.master)),
            driver_class=plan.driver_class,
            settings=plan.settings,
            founded=plan.founded,
            weather=plan.weather,
            rates={uid: rng.uniform(1 - error, 1 + error) for uid in uids},
            traced=plan.traced,
        )
        self.clients = [
            SimulatedClient(
                self.cluster,
                f"client-{number}",
                rng=Random(f"{plan.seed}/client-{number}"),
                pause_seconds_max=plan.client_pause_seconds_max,
                patience_seconds=plan.client_patience_seconds,
                reads=plan.reads,
            )
            for number in range(1, plan.clients + 1)
        ]
        self.mischief = Mischief(self.cluster, plan.law, Random(f"{plan.seed}/mischief"))

    def play(self) -> Mapping[str, int]:
        """
        Run both phases and judge; return how often what happened.

        Raises InvariantViolation.
        """
        cluster = self.cluster
        cluster.start()
        for client in self.clients:
            client.start()
        self.mischief.start()
        cluster.run_for(self.plan.seconds)
        self.mischief.stop()
        cluster.network.weather = CALM
        for client in self.clients:
            client.stop()
        self._await_answers()
        self._judge()
        return {
            **self.mischief.happened,
            "answered": sum(call.answered for call in cluster.calls.values()),
            "links": len(cluster.invariants.chosen),
            "steps": cluster.time.steps,
        }

    def _await_answers(self) -> None:
        answered = self.cluster.run_until(
            lambda: not any(client.waits for client in self.clients),
            limit_seconds=PEACE_SECONDS_MAX,
        )
        if not answered:
            open_calls = [
                str(call.request_id)
                for client in self.clients
                for call in client.calls
                if not call.answered
            ]
            raise InvariantViolation(
                PROGRESS,
                None,
                f"{', '.join(open_calls)} were not answered in {PEACE_SECONDS_MAX:g} s of peace",
            )

    def _judge(self) -> None:
        check_linearizable(history_of(list(self.cluster.calls.values())))
