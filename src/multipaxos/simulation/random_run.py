"""
A whole run from one seed: clients at work, faults at work, then peace, in which all is answered.

First the safety phase: whatever happens, the invariants hold. Then the liveness phase: the faults
stop, a majority heals, and every open call must be answered (I12). At the end what the clients saw
is judged (I11).
"""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from composable_paxos import PeerID
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.requests import Chosen, Outcome, Refused, Unknown
from multipaxos.composition import compose
from multipaxos.invariants.linearizability import check_linearizable
from multipaxos.invariants.names import PROGRESS
from multipaxos.invariants.violation import InvariantViolation, violation_of
from multipaxos.runtime.driver import Driver
from multipaxos.simulation.clients import SimulatedClient, history_of
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.disk import Disk, SimulatedDisk
from multipaxos.simulation.fault_plan import FaultKind
from multipaxos.simulation.faults import Fault
from multipaxos.simulation.mischief import Mischief
from multipaxos.simulation.plan import RunPlan
from multipaxos.simulation.weather import CALM, NONE
from multipaxos.simulation.workload import Request

__all__ = ["PEACE_SECONDS_MAX", "RandomRun", "RunPlan", "RunResult"]

PEACE_SECONDS_MAX = 60.0
"""Much longer than any lease, backoff, catch-up or memory-less start takes without faults."""

LOOK_SECONDS = 0.25
"""So often, in peace, it is asked whether anybody gets on."""

ROUNDS_MAX = 50
LOOKS_MAX = 4
"""Who begins more rounds than that for one link, look after look, is in a duel without an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """
    What came of a run: how often which fault really *happened*, and counts.

    Of the *requests* that clients made, so many were *answered* with a place in the chain,
    *refused*, or are *unknown* to their clients. Of those answered, so many were *answered
    elsewhere* than where they were asked first, are *failed conditions*, or *local reads*.
    *delivered* counts messages, *steps* all events; *seconds* of virtual time passed in both
    phases, *peace_seconds* of them in the second.
    """

    happened: Mapping[FaultKind, int]
    links: int
    requests: int
    answered: int
    refused: int
    unknown: int
    answered_elsewhere: int
    failed_conditions: int
    local_reads: int
    delivered: int
    steps: int
    seconds: float
    peace_seconds: float


class RandomRun:
    """
    One run: its *cluster*, its *clients*, its *mischief*. Everything follows from the plan.

    *replica_class* and *driver_class* take the place of the composed ones, to plant mistakes;
    *disks* makes the servers' disks, of other kinds than the simulated one; *observers* see all.
    """

    def __init__(
        self,
        plan: RunPlan,
        *,
        observers: Sequence[object] = (),
        disks: Callable[[PeerID], Disk] = lambda _uid: SimulatedDisk(),
        replica_class: type[BaseReplicatedValue] | None = None,
        driver_class: type[Driver] = Driver,
    ) -> None:
        """Set the stage."""
        self.plan = plan
        self.fault_plan = plan.fault_plan()
        self.faults: tuple[Fault, ...] = plan.fault_schedule()
        self.requests: tuple[Request, ...] = plan.request_schedule()
        error = plan.settings.clock_rate_error * self.fault_plan.clock_error
        self.cluster = SimulatedCluster(
            plan.uids,
            seed=plan.seed,
            replica_class=replica_class or compose(plan.strategies, bug=plan.bug),
            driver_class=driver_class,
            settings=plan.sized_settings,
            machine=plan.machine,
            founded=plan.founded,
            weather=self.fault_plan.weather,
            rates=draw_rates(plan, error),
            traced=plan.traced,
            about={"command": plan.command_line(), "bug": plan.bug},
            disks=disks,
            observers=observers,
        )
        self.clients = [
            SimulatedClient(
                self.cluster,
                f"client-{number + 1}",
                (request for request in self.requests if request.draw % plan.clients == number),
            )
            for number in range(plan.clients)
        ]
        self.mischief = Mischief(self.cluster, self.faults, clock_error=error)

    def play(self) -> RunResult:
        """
        Run both phases and judge; return what happened.

        Raises InvariantViolation, also for an assertion of the protocol's own that names one.
        """
        try:
            with _collecting_seldom():
                self._disturb()
                self._make_peace()
                self._judge()
        except AssertionError as error:
            raise violation_of(error) from error
        return self.result()

    def result(self) -> RunResult:
        """Return what happened so far, also when an invariant was violated."""
        cluster = self.cluster
        calls = cluster.calls.values()
        good = [call for call in calls if isinstance(call.outcome, Chosen)]

        def count(kind: type[Outcome]) -> int:
            return sum(isinstance(call.outcome, kind) for call in calls)

        return RunResult(
            happened=dict(self.mischief.happened),
            links=len(cluster.invariants.chosen),
            requests=len(calls),
            answered=len(good),
            refused=count(Refused),
            unknown=count(Unknown),
            answered_elsewhere=sum(call.answered_by != call.tried[0] for call in good),
            failed_conditions=sum(call.result is False for call in good),
            local_reads=sum(cluster.was_read_locally(call) for call in good),
            delivered=cluster.network.delivered,
            steps=cluster.time.steps,
            seconds=cluster.time.now,
            peace_seconds=max(0.0, cluster.time.now - self.plan.seconds),
        )

    def _disturb(self) -> None:
        """Go through the safety phase: the invariants are watched in every event."""
        self.cluster.start()
        for client in self.clients:
            client.start()
        self.mischief.start()
        self.cluster.run_for(self.plan.seconds)

    def _make_peace(self) -> None:
        """Go through the liveness phase. I12: every open call is answered."""
        cluster = self.cluster
        self.mischief.stop(self.fault_plan.gone)
        cluster.network.weather = NONE if self.plan.faults == "none" else CALM
        for client in self.clients:
            client.stop()
        if not self.plan.demands_progress:
            return
        end = cluster.time.now + PEACE_SECONDS_MAX
        rounds: dict[tuple[PeerID, int], int] = {}
        duels: dict[tuple[PeerID, int], int] = {}
        while cluster.time.now < end:
            if cluster.run_until(self._all_answered, limit_seconds=LOOK_SECONDS):
                return
            before, rounds = rounds, self._rounds()
            # A number may leap once, over rounds that its server has not seen; not again and again.
            duels = {
                key: duels.get(key, 0) + 1
                for key, number in rounds.items()
                if number > before.get(key, number) + ROUNDS_MAX
            }
            for (uid, link), looks in duels.items():
                if looks == LOOKS_MAX:
                    self._find_no_progress(f"{uid} begins round after round of link {link}")
        self._find_no_progress(f"not in {PEACE_SECONDS_MAX:g} s of peace")

    def _all_answered(self) -> bool:
        return not any(client.waits for client in self.clients)

    def _rounds(self) -> dict[tuple[PeerID, int], int]:
        """Return the number of each server's round, by server and link."""
        replicas = [server.replica for server in self.cluster.live()]
        return {(r.uid, r.instance): r.paxos.proposal_id.number for r in replicas}

    def _find_no_progress(self, why: str) -> None:
        open_calls = [str(call.request_id) for call in self.cluster.unanswered]
        names = ", ".join(open_calls)
        raise InvariantViolation(PROGRESS, None, f"{names} were not answered: {why}")

    def _judge(self) -> None:
        """I11: what the clients saw fits one order of single steps."""
        check_linearizable(history_of(self.cluster), self.cluster.machine)


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """Let the garbage collector look seldom: a run makes many objects, and hardly any cycles."""
    thresholds = gc.get_threshold()
    gc.set_threshold(100_000, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def draw_rates(plan: RunPlan, error: float) -> dict[PeerID, float]:
    """Return how fast each server's clock runs, within *error* of true time."""
    rng = Random(f"{plan.seed}/rates")
    drawn = [rng.uniform(-error, error) for _ in plan.uids]
    return {uid: 1.0 + off for uid, off in zip(plan.uids, drawn, strict=True)} if error else {}
