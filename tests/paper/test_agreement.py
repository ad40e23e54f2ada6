"""
Paxos Made Simple, 2.1 and 2.2: safety in every order of events.

Messages "can take arbitrarily long to be delivered, can be duplicated, and can be lost"; servers
may stop and restart. Hypothesis plays the network and the power supply; after every step all
invariants are checked. The planted mistakes at the end show that the checks can fail.
"""

import dataclasses

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.paper.cluster import Cluster
from tests.paper.invariants import check_all
from typing_extensions import override

from composable_paxos import (
    LOWEST,
    Accept,
    Accepted,
    AcceptorState,
    Nack,
    PaxosInstance,
    PeerID,
    Prepare,
    Promise,
    Quorums,
)

SCHEDULES = settings(
    derandomize=True,
    max_examples=500,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
UNTIL_THE_FIRST_FAILURE = settings(SCHEDULES, max_examples=2000, phases=[Phase.generate])

uids = st.sampled_from("ABC")


class Schedule(RuleBasedStateMachine):
    """An arbitrary run of three servers, any of which may propose."""

    def __init__(self, cluster: Cluster | None = None) -> None:
        """Begin with three new servers that each wish for their own value."""
        super().__init__()
        self.cluster = cluster or Cluster()
        for uid in "ABC":
            self.cluster.propose(uid, f"wish of {uid}")

    @rule(uid=uids)
    def prepare(self, uid: PeerID) -> None:
        """Let a server begin a round whenever it likes, also in the midst of another."""
        self.cluster.prepare(uid)

    @precondition(lambda self: self.cluster.pool)
    @rule(data=st.data(), keep=st.sampled_from([False, False, False, True]))
    def deliver(self, data: st.DataObject, keep: bool) -> None:
        """Let any message under way arrive, and perhaps arrive again."""
        letter = data.draw(st.sampled_from(self.cluster.pool))
        self.cluster.deliver_letter(letter, keep=keep)

    @precondition(lambda self: self.cluster.pool)
    @rule(steps=st.integers(2, 6))
    def deliver_newest(self, steps: int) -> None:
        """Let a few of the newest messages arrive at once, so that rounds come to an end."""
        for letter in self.cluster.pool[: -steps - 1 : -1]:
            self.cluster.deliver_letter(letter)

    @precondition(lambda self: self.cluster.pool)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        """Lose any message under way."""
        self.cluster.pool.remove(data.draw(st.sampled_from(self.cluster.pool)))

    @rule(uid=uids)
    def restart(self, uid: PeerID) -> None:
        """Crash a server; it resumes from its saved state and has another wish."""
        self.cluster.restart(uid)
        self.cluster.propose(uid, f"wish {len(self.cluster.history.proposed)} of {uid}")

    @rule(uid=uids)
    def repeat(self, uid: PeerID) -> None:
        """Let a server repeat its request, for lack of answers."""
        self.cluster.repeat(uid)

    @invariant()
    def all_invariants_hold(self) -> None:
        """Check that nothing is broken, whatever happened."""
        check_all(self.cluster)


def test_no_schedule_breaks_an_invariant() -> None:
    """
    Whatever the network and the power supply do, every invariant holds.

    And the schedules are not idle: in some a value is chosen, in some of these after proposals of
    several servers, and in some it is learned.

    Paxos Made Simple, 2.1 and 2.2.
    """
    runs: list[Cluster] = []

    class RecordedSchedule(Schedule):
        @override
        def teardown(self) -> None:
            runs.append(self.cluster)

    run_state_machine_as_test(RecordedSchedule, settings=SCHEDULES)

    with_a_choice = [run for run in runs if run.chosen_values]
    assert with_a_choice
    assert any(len({a.proposal_id.uid for a in run.history.issued}) > 1 for run in with_a_choice)
    assert any(run.history.resolutions for run in with_a_choice)


# ------------------------------------------------------------------------------- planted mistakes


class PromisesWithoutRemembering(PaxosInstance):
    """Its promise is answered, but not recorded."""

    @override
    def receive_prepare(self, message: Prepare) -> Promise | Nack:
        state = self.state
        reply = super().receive_prepare(message)
        self.state = state
        return reply


class AcceptsAgainstItsPromise(PaxosInstance):
    """It does not compare an accept request with its promise."""

    @override
    def receive_accept(self, message: Accept) -> Accepted | Nack:
        self.state = AcceptorState(
            promised_id=max(self.state.promised_id, message.proposal_id),
            accepted_id=message.proposal_id,
            accepted_value=message.value,
        )
        return Accepted(acceptor=self.uid, proposal_id=message.proposal_id, value=message.value)


class HidesItsAcceptance(PaxosInstance):
    """Its promise does not report what it has accepted."""

    @override
    def receive_prepare(self, message: Prepare) -> Promise | Nack:
        reply = super().receive_prepare(message)
        if isinstance(reply, Promise):
            return dataclasses.replace(reply, accepted_id=LOWEST, accepted_value=None)
        return reply


class InsistsOnItsWish(PaxosInstance):
    """It sends its own value although a promise reported another."""

    @override
    def receive_promise(self, message: Promise) -> Accept | None:
        return super().receive_promise(
            dataclasses.replace(message, accepted_id=LOWEST, accepted_value=None)
        )


class AdoptsAnyReport(PaxosInstance):
    """It adopts the value reported last, whatever its number."""

    @override
    def receive_promise(self, message: Promise) -> Accept | None:
        if message.accepted_id != LOWEST and not self.asked_to_accept:
            self.adopted_id = LOWEST
        return super().receive_promise(message)


class CountsMessages(PaxosInstance):
    """It takes every promise for that of another acceptor."""

    @override
    def receive_promise(self, message: Promise) -> Accept | None:
        unheard = min(self.quorums.acceptors - self.promised_by, default=message.acceptor)
        return super().receive_promise(dataclasses.replace(message, acceptor=unheard))


class UncheckedQuorums(Quorums):
    """Quorums of any sizes, whether they intersect or not."""

    @override
    def __post_init__(self) -> None:
        """Check nothing."""


class ForgetfulCluster(Cluster):
    """Its servers lose their memory with every crash."""

    @override
    def restart(self, uid: PeerID) -> None:
        self.servers[uid] = self.start(uid, AcceptorState())


class DisjointCluster(Cluster):
    """Its quorums of two promises and of one acceptance need not intersect."""

    def __init__(self) -> None:
        super().__init__(
            quorums=UncheckedQuorums(acceptors=frozenset("ABC"), promise_size=2, accept_size=1)
        )


def cluster_of(server_class: type[PaxosInstance]) -> type[Cluster]:
    """Return a kind of cluster whose servers are of *server_class*."""
    return type(server_class.__name__, (Cluster,), {"server_class": server_class})


@pytest.mark.parametrize(
    "cluster_class, broken",
    [
        (cluster_of(PromisesWithoutRemembering), "PromiseKept"),
        (cluster_of(AcceptsAgainstItsPromise), "PromiseKept|P2b|P2c"),
        (cluster_of(HidesItsAcceptance), "P2b|P2c"),
        (cluster_of(InsistsOnItsWish), "P2b|P2c"),
        (cluster_of(AdoptsAnyReport), "P2b|P2c"),
        (cluster_of(CountsMessages), "P2b|P2c"),
        (ForgetfulCluster, "PromiseKept"),
        (DisjointCluster, "Agreement|P2b|P2c"),
    ],
)
def test_a_planted_mistake_is_caught(cluster_class: type[Cluster], broken: str) -> None:
    """The test of the test: with one rule broken, some schedule breaks an invariant."""

    class MistakenSchedule(Schedule):
        def __init__(self) -> None:
            super().__init__(cluster_class())

    with pytest.raises(AssertionError, match=f"^({broken}): "):
        run_state_machine_as_test(MistakenSchedule, settings=UNTIL_THE_FIRST_FAILURE)
