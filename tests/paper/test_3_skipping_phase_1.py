"""
Paxos Made Simple, 3: a leader that need not execute phase 1 for each instance.

Here one number below all ordinary ones has a single owner, who goes straight to phase 2 with it.
"""

import pytest
from tests.paper.cluster import Cluster
from tests.paper.invariants import (
    check_agreement,
    check_all,
    check_one_value_per_number,
    check_p2c,
)
from typing_extensions import override

from composable_paxos import Accept, PaxosInstance, PeerID, Prepare, Promise, ProposalID
from composable_paxos.acceptor import AcceptorState

RESERVED = ProposalID(1, "A")


class ClusterWithReservedNumber(Cluster):
    """Its ordinary rounds begin at number 2; number 1 is A's."""

    @override
    def start(self, uid: PeerID, state: AcceptorState) -> PaxosInstance:
        """Return the server *uid*, which leaves number 1 to its owner."""
        return PaxosInstance(uid, self.quorums, state, lowest_number=2)


def test_the_leader_gets_a_value_chosen_without_phase_1() -> None:
    """
    One round trip suffices: the accept request, and its acceptance.

    3: in normal operation only phase 2 is executed for an instance.
    """
    cluster = ClusterWithReservedNumber()

    cluster.skip_prepare("A", RESERVED, "x")
    prepares = cluster.under_way(Prepare)
    cluster.deliver_all()

    assert prepares == []
    assert cluster.history.promised == {}
    assert [cluster.learned(uid) for uid in "ABC"] == ["x", "x", "x"]
    check_all(cluster)


def test_other_proposers_stay_above_the_reserved_number() -> None:
    """
    An ordinary round never takes the leader's number, nor one below it.

    First condition: nobody else issues the number, and nothing is accepted below it.
    """
    cluster = ClusterWithReservedNumber()

    numbers = [cluster.prepare(uid) for uid in "ABC"]

    assert all(number > RESERVED for number in numbers)
    assert {number.number for number in numbers} == {2}


def test_an_ordinary_proposer_takes_over_the_leaders_value() -> None:
    """
    What the leader got chosen without phase 1 binds every proposer after it.

    3: a new leader executes phase 1 and finds what may have been chosen.
    """
    cluster = ClusterWithReservedNumber()
    cluster.skip_prepare("A", RESERVED, "x")
    cluster.deliver("A->B", Accept)
    cluster.lose_all()

    cluster.propose("C", "z")
    cluster.prepare("C")
    cluster.deliver_all("BC")

    assert cluster.chosen_values == {"x"}
    assert cluster.learned("C") == "x"
    check_all(cluster)


def test_an_ordinary_promise_shuts_the_leader_out() -> None:
    """
    Once a majority has promised an ordinary number, the leader's request comes too late.

    3: an old leader may be superseded at any time; safety needs no agreement on who leads.
    """
    cluster = ClusterWithReservedNumber()
    cluster.propose("C", "z")
    cluster.prepare("C")
    cluster.deliver("C->B", Prepare)

    cluster.skip_prepare("A", RESERVED, "x")
    cluster.deliver("A->B", Accept)
    cluster.deliver("A->C", Accept)
    cluster.deliver("B->C", Promise)
    cluster.deliver("C->B", Accept)

    assert cluster.history.accepted_by(Accept(proposal_id=RESERVED, value="x")) == {"A"}
    assert cluster.chosen_values == {"z"}
    check_all(cluster)


def test_the_leader_goes_on_with_phase_1_when_refused() -> None:
    """
    A leader that was shut out prepares a number above, and carries on what it finds.

    3: skipping phase 1 is for the one number only.
    """
    cluster = ClusterWithReservedNumber()
    cluster.propose("C", "z")
    cluster.prepare("C")
    cluster.deliver_all("BC")
    cluster.lose_all()

    cluster.skip_prepare("A", RESERVED, "x")
    cluster.deliver_all()

    assert cluster.servers["A"].proposal_id == ProposalID(3, "A")
    assert cluster.chosen_values == {"z"}
    assert cluster.learned("A") == "z"
    check_all(cluster)


def test_the_leader_uses_its_number_for_one_value() -> None:
    """
    A second value under the reserved number is refused as a mistake of the caller.

    Second condition: the number is used once, for one value.
    """
    cluster = ClusterWithReservedNumber()
    cluster.skip_prepare("A", RESERVED, "x")

    with pytest.raises(AssertionError, match="OneValuePerNumber"):
        cluster.servers["A"].skip_prepare(RESERVED, "w")


def test_the_leaders_own_acceptance_reveals_the_use_after_a_crash() -> None:
    """
    The leader accepts its own value before the request leaves, so a restart finds it in the state.

    Second condition, across crashes: the caller can see that the number is used up.
    """
    cluster = ClusterWithReservedNumber()
    cluster.skip_prepare("A", RESERVED, "x")

    cluster.restart("A")

    assert cluster.servers["A"].state == AcceptorState(
        promised_id=RESERVED, accepted_id=RESERVED, accepted_value="x"
    )


def test_a_number_with_two_users_would_carry_two_values() -> None:
    """
    Why the first condition is needed: two believers in one reserved number break the algorithm.

    C uses A's number as well, and two proposals travel under one number.
    """
    cluster = ClusterWithReservedNumber()
    cluster.skip_prepare("A", RESERVED, "x")

    cluster.skip_prepare("C", RESERVED, "z")

    with pytest.raises(AssertionError, match="OneValuePerNumber"):
        check_one_value_per_number(cluster.history)


def test_a_number_above_others_would_choose_a_second_value() -> None:
    """
    Why nothing may be accepted below: phase 1 skipped at a higher number overrules a choice.

    The shortest run in which two "leaders" choose two values.
    """
    cluster = ClusterWithReservedNumber()
    cluster.skip_prepare("A", RESERVED, "x")
    cluster.deliver("A->B", Accept)

    cluster.skip_prepare("C", ProposalID(1, "C"), "z")
    cluster.deliver("C->B", Accept)

    assert cluster.chosen_values == {"x", "z"}
    with pytest.raises(AssertionError, match="Agreement"):
        check_agreement(cluster)
    with pytest.raises(AssertionError, match="P2c"):
        check_p2c(cluster)
