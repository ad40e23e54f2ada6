"""Servers that are wrong on purpose: each mistake is caught by the invariant that it breaks."""

from dataclasses import replace
from typing import Any

import pytest
from typing_extensions import override

from composable_paxos import (
    LOWEST,
    Accept,
    Accepted,
    AcceptorState,
    PaxosInstance,
    Promise,
    ProposalID,
    Resolution,
)
from multipaxos.chain import ledger, replicated_value
from multipaxos.chain.durable import DurableState
from multipaxos.chain.effects import LocalRead, Outbox, Save, Timer
from multipaxos.chain.links import Link
from multipaxos.chain.messages import IAmAt
from multipaxos.chain.position import MASTERS_NUMBER
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.state_machine import Get, Set
from multipaxos.composition import compose, strategy_names
from multipaxos.invariants.linearizability import Function, Operation, find_violation
from multipaxos.invariants.violation import InvariantViolation
from multipaxos.runtime.driver import Driver
from multipaxos.simulation.clients import history_of
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.fault_plan import FaultKind, FaultPlan
from multipaxos.simulation.network import ROUGH, Weather
from multipaxos.simulation.random_run import RandomRun, RunPlan

Plain: Any = compose(strategy_names(master=False))
Master: Any = compose(strategy_names(master=True))

SEEDS = 60
SLOW = Weather(loss=0.02, detour=0.3, detour_seconds_max=1.5)
"""A network in which news may be more than a second late."""


def first_violation(plan: RunPlan, seeds: int = SEEDS, **planted: Any) -> InvariantViolation:
    """Return the first violation that a run of *plan* meets with one of *seeds* seeds."""
    for seed in range(seeds):
        try:
            RandomRun(replace(plan, seed=seed), **planted).play()
        except InvariantViolation as violation:
            return violation
    pytest.fail(f"{seeds} runs did not find the mistake")


class ForgetsAtRestart(Plain):  # type: ignore[misc]
    """An acceptor that loses its promise and its acceptance with its memory."""

    def __init__(self, *, state: DurableState | None, **arguments: Any) -> None:
        """Begin anew, wherever the state was."""
        if state is not None:
            state = replace(state, acceptor=AcceptorState())
        super().__init__(state=state, **arguments)


def test_a_promise_forgotten_at_restart_is_caught() -> None:
    """I3: a promise never goes down, also across restarts; or I2: a number is used again."""
    violation = first_violation(RunPlan(seed=0), replica_class=ForgetsAtRestart)

    assert violation.name in ("I2 OneValuePerNumber", "I3 PromiseKept", "I4 ValueIsSafe")


class PromisesWithoutRecord(PaxosInstance):
    """An acceptor that answers a Prepare and does not write the promise down."""

    @override
    def receive_prepare(self, message: Any) -> Any:
        before = self.state
        reply = super().receive_prepare(message)
        self.state = before
        return reply


class NeverRecordsPromises(Plain):  # type: ignore[misc]
    """A server with such an acceptor."""

    def _new_paxos(self, acceptor: AcceptorState) -> PaxosInstance:
        return PromisesWithoutRecord(self.uid, self.quorums, acceptor, lowest_number=2)


def test_a_promise_that_is_not_recorded_is_caught() -> None:
    """I8: what a message reveals is on the disk before."""
    violation = first_violation(RunPlan(seed=0), replica_class=NeverRecordsPromises)

    assert violation.name == "I8 SavedBeforeSent"


class SendsFirst(Driver):
    """A driver that sends before it saves."""

    @override
    def _perform(self, outbox: Outbox, started_at: float) -> None:
        for envelope in outbox.send:
            self.observer.sent(envelope)
            self.messenger.send(envelope)
        super()._perform(replace(outbox, send=()), started_at)


def test_sending_before_saving_is_caught() -> None:
    """I8: state is durable before the message that reveals it."""
    violation = first_violation(RunPlan(seed=0), driver_class=SendsFirst)

    assert violation.name == "I8 SavedBeforeSent"


class CountsLeaseFromLearning(Master):  # type: ignore[misc]
    """A master whose hourglass is turned when it learns of its election."""

    @override
    def instance_began(self, *, learned: Link | None) -> None:
        lease_before = self.lease
        super().instance_began(learned=learned)
        if self.lease is not None and self.lease is not lease_before:
            self.set_timer(self.lease, self.settings.lease_seconds)


def pass_on(cluster: SimulatedCluster, *letters: str) -> None:
    """Deliver held messages by hand, each written as ``A->B Prepare``."""
    for letter in letters:
        route, kind = letter.split()
        sender, receiver = route.split("->")
        cluster.manual.deliver(cluster.manual.find(sender, receiver, kind))


def elect_with_late_news(replica_class: type[BaseReplicatedValue]) -> None:
    """Elect A, and let it hear of that late; meanwhile B's and C's respect for it ends."""
    cluster = SimulatedCluster(founded=True, manual=True, replica_class=replica_class)
    cluster.start()
    cluster.hurry("A", Timer.ELECTION)
    pass_on(cluster, "A->B Prepare", "B->A Promise", "A->B Accept", "A->B Accepted")
    pass_on(cluster, "A->C Accepted", "B->C Accepted")
    cluster.run_for(1.5)
    pass_on(cluster, "B->A Accepted")
    cluster.run_for(0.6)
    cluster.hurry("B", Timer.ELECTION)
    pass_on(cluster, "B->C Prepare", "C->B Promise", "B->C Accept", "C->B Accepted")
    assert cluster.trusting() == ["B"]


def learn_of_the_election_late(replica_class: type[BaseReplicatedValue]) -> None:
    """Let the news of A's election reach A a second later than B and C, and then nothing more."""
    cluster = SimulatedCluster(founded=True, replica_class=replica_class, manual=True)
    cluster.start()
    cluster.manual.held.clear()
    cluster.hurry("A", Timer.ELECTION)
    for sender, receiver, kind in (
        ("A", "B", "Prepare"),
        ("B", "A", "Promise"),
        ("A", "B", "Accept"),
        ("A", "C", "Accept"),
        ("B", "C", "Accepted"),
        ("C", "B", "Accepted"),
    ):
        cluster.manual.deliver(cluster.manual.find(sender, receiver, kind))
    cluster.run_for(0.9)
    cluster.manual.deliver(cluster.manual.find("B", "A", "Accepted"))
    assert cluster.trusting() == ["A"]
    cluster.is_manual = False
    cluster.partition("A", "BC")
    cluster.run_for(10)


def test_a_lease_counted_from_learning_is_caught() -> None:
    """I10: two masters at one instant, when the news of an election was late."""
    with pytest.raises(InvariantViolation, match=r"I10 OneReader: A and [BC]"):
        learn_of_the_election_late(CountsLeaseFromLearning)

    learn_of_the_election_late(Master)


class BidsAfterRestart(Master):  # type: ignore[misc]
    """A server that has no timer after a restart, and takes that for the end of the lease."""

    @override
    def joined(self) -> None:
        super().joined()
        self.respected = False
        self.foreign_lease_ended()


def lead_by_a(cluster: SimulatedCluster) -> None:
    """Let A become master, and have x written through it."""
    cluster.start()
    cluster.run_for(0.01)
    cluster.hurry("A", Timer.ELECTION)
    cluster.submit("A", Set(value="x"))
    cluster.run_for(0.1)
    assert cluster.trusting() == ["A"]


def restart_all_but_a(replica_class: type[BaseReplicatedValue]) -> None:
    """Cut A, the master, off, and restart the two others at once."""
    cluster = SimulatedCluster(founded=True, replica_class=replica_class)
    lead_by_a(cluster)
    cluster.partition("A", "BC")
    for uid in "BC":
        cluster.crash(uid)
        cluster.restart(uid)
    cluster.run_for(10)


def test_a_lease_that_a_restart_ends_is_caught() -> None:
    """I10: after a restart nobody bids, or helps a rival, for one full lease."""
    with pytest.raises(InvariantViolation, match=r"I10 OneReader: A and [BC]"):
        restart_all_but_a(BidsAfterRestart)

    restart_all_but_a(Master)


class ReadsWithoutSecondLook(Driver):
    """A driver that does not look at the clock after the value was read."""

    @override
    def _check_read(self, read: LocalRead) -> None:
        self._run(lambda: self.replica.release_read(read))


def read_from_a_paused_master(driver_class: type[Driver]) -> tuple[Operation, ...]:
    """Pause A, the master; have y written through the next one; ask A; let it go on and answer."""
    cluster = SimulatedCluster(founded=True, replica_class=Master, driver_class=driver_class)
    lead_by_a(cluster)
    cluster.pause("A")
    cluster.partition("A", "BC")
    cluster.run_for(5)
    cluster.submit("B", Set(value="y"))
    cluster.run_for(1)
    cluster.submit("A", Get())
    cluster.resume("A")
    cluster.heal()
    cluster.run_for(10)
    assert not cluster.unanswered
    return find_violation(history_of(list(cluster.calls.values())))


def test_a_read_without_a_second_look_at_the_clock_is_caught() -> None:
    """I11: a master that was paused must not answer with what was overwritten meanwhile."""
    (stale,) = read_from_a_paused_master(ReadsWithoutSecondLook)

    assert (stale.function, stale.result) == (Function.GET, "x")
    assert read_from_a_paused_master(Driver) == ()


class VotesAtOnce(Plain):  # type: ignore[misc]
    """A server without memory that sits nothing out."""

    def _rejoin(self, with_state: list[IAmAt]) -> None:
        super()._rejoin(with_state)
        self.votes_from = 0


def test_a_lost_memory_that_is_not_waited_out_is_caught() -> None:
    """I3: nobody votes on a link on which it voted in a life that it has forgotten."""
    chances = FaultPlan(weather=ROUGH, chances={FaultKind.LOST_DISK: 0.25})
    plan = RunPlan(seed=0, chances=chances, rate=100.0)

    assert first_violation(plan, replica_class=VotesAtOnce).name in (
        "I3 PromiseKept",
        "I1 Agreement",
        "I4 ValueIsSafe",
    )


class TakesNumberOne(Plain):  # type: ignore[misc]
    """A server that believes that number 1 is its own, and anybody's."""

    @override
    def start_round(self) -> None:
        if self.founding is not None and self.paxos.state.promised_id == LOWEST:
            number_one = ProposalID(MASTERS_NUMBER, self.uid)
            self.send_accept(self.paxos.skip_prepare(number_one, self.paxos.wish))
        else:
            super().start_round()

    @override
    def vote_refusal(self, proposal_id: ProposalID) -> Any:
        refusal: Any = super().vote_refusal(proposal_id)
        return None if refusal and refusal.reason == "number one" else refusal


def test_two_owners_of_number_one_are_caught() -> None:
    """I2: number 1 of a link belongs to the master that the links before it name."""
    violation = first_violation(RunPlan(seed=0), replica_class=TakesNumberOne)

    assert violation.name == "I2 OneValuePerNumber"


class KeepsItsWish(PaxosInstance):
    """A proposer that sends its own value, whatever its promises reported."""

    @override
    def receive_promise(self, message: Promise) -> Accept | None:
        return super().receive_promise(
            replace(message, accepted_id=LOWEST, accepted_value=None)
            if self.wish is not None
            else message
        )


class ProposesItsWish(Plain):  # type: ignore[misc]
    """A server with such a proposer."""

    def _new_paxos(self, acceptor: AcceptorState) -> PaxosInstance:
        return KeepsItsWish(self.uid, self.quorums, acceptor, lowest_number=2)


def test_a_wish_that_ignores_what_was_accepted_is_caught() -> None:
    """I4: the value of an accept request is safe at its number."""
    violation = first_violation(RunPlan(seed=0), replica_class=ProposesItsWish)

    assert violation.name in ("I4 ValueIsSafe", "I1 Agreement")


class ResolvesAtOnce(Plain):  # type: ignore[misc]
    """A learner to which one acceptance is as good as a quorum."""

    @override
    def receive_accepted(self, message: Accepted) -> None:
        self.resolve(
            Resolution(
                proposal_id=message.proposal_id,
                value=message.value,
                acceptors=frozenset({message.acceptor}),
            )
        )


def test_a_link_resolved_before_it_is_chosen_is_caught() -> None:
    """I7: resolved means chosen."""
    violation = first_violation(RunPlan(seed=0), replica_class=ResolvesAtOnce)

    assert violation.name == "I7 ResolvedMeansChosen"


@pytest.fixture
def _no_memory_of_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (ledger, replicated_value):
        monkeypatch.setattr(module, "outcome_so_far", lambda _snapshot, _update: None)


@pytest.mark.usefixtures("_no_memory_of_requests")
def test_a_request_applied_twice_is_caught() -> None:
    """I9: each request is applied once, however often its client asks."""
    violation = first_violation(RunPlan(seed=0))

    assert violation.name == "I9 AppliedOnce"


class GivesUp(Plain):  # type: ignore[misc]
    """A server that repeats nothing and takes over from nobody."""

    @override
    def timeout(self, timer: Timer) -> None:
        if timer not in (Timer.RETRANSMIT, Timer.TAKEOVER, Timer.BACKOFF):
            super().timeout(timer)


def test_a_server_that_never_tries_again_is_caught() -> None:
    """I12: once the faults stop, every request is answered."""
    violation = first_violation(RunPlan(seed=0), replica_class=GivesUp)

    assert violation.name == "I12 Progress"


class SavesHalf(Driver):
    """A driver that keeps the votes and forgets the links."""

    @override
    def _perform(self, outbox: Outbox, started_at: float) -> None:
        if outbox.save is not None:
            outbox = replace(outbox, save=Save(state=self._without_links(outbox.save.state)))
        super()._perform(outbox, started_at)

    def _without_links(self, state: DurableState) -> DurableState:
        return replace(state, snapshot=replace(state.snapshot, value=None))


def test_a_state_that_is_not_what_the_links_amount_to_is_caught() -> None:
    """I9: the state on the disk is what the links so far amount to."""
    violation = first_violation(RunPlan(seed=0), driver_class=SavesHalf)

    assert violation.name == "I9 AppliedOnce"


def test_a_violation_says_what_happened_where_and_to_whom() -> None:
    """The message names the invariant, the link, the servers and the values."""
    violation = first_violation(RunPlan(seed=0), replica_class=ResolvesAtOnce)

    assert str(violation).startswith(f"I7 ResolvedMeansChosen at link {violation.link}: ")
    assert any(f" {uid} " in f" {violation} " for uid in "ABC")


def test_the_correct_servers_pass_where_each_bug_is_caught() -> None:
    """The plans themselves are innocent: the same runs without a bug violate nothing."""
    faults = (
        {FaultKind.CRASH: 0.5, FaultKind.PARTITION: 0.2},
        {FaultKind.LOST_DISK: 0.25},
    )
    assert BaseReplicatedValue in Plain.__mro__
    for seed in range(5):
        for chances in faults:
            for weather in (ROUGH, SLOW):
                plan = FaultPlan(weather=weather, chances=chances)
                RandomRun(RunPlan(seed=seed, master=True, chances=plan)).play()
