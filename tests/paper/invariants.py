"""What must hold at every instant of every run, judged from outside by its history."""

import itertools
from collections.abc import Collection

from tests.paper.cluster import Cluster, History

from composable_paxos import Accept, AcceptorState, PeerID


def check_all(cluster: Cluster) -> None:
    """Check every invariant: an AssertionError names the one that is broken."""
    check_agreement(cluster)
    check_only_proposed_values(cluster.history)
    check_resolved_means_chosen(cluster)
    check_one_value_per_number(cluster.history)
    check_promise_kept(cluster)
    check_p2b(cluster)
    check_p2c(cluster)


def check_agreement(cluster: Cluster) -> None:
    """Agreement, 2.1: only a single value is chosen."""
    assert len(cluster.chosen_values) <= 1, "Agreement: two values are chosen"


def check_only_proposed_values(history: History) -> None:
    """OnlyProposedValues, 2.1: only a value that has been proposed may be chosen."""
    for accept in history.issued:
        assert accept.value in history.proposed, "OnlyProposedValues: a value nobody proposed"


def check_resolved_means_chosen(cluster: Cluster) -> None:
    """ResolvedMeansChosen, 2.1: nobody learns that a value is chosen unless it is."""
    for resolution in cluster.history.resolutions:
        accept = Accept(proposal_id=resolution.proposal_id, value=resolution.value)
        acceptors = cluster.history.accepted_by(accept)
        assert cluster.quorums.have_accepted(acceptors), "ResolvedMeansChosen: not chosen"
        assert resolution.acceptors <= acceptors, "ResolvedMeansChosen: wrong witnesses"


def check_one_value_per_number(history: History) -> None:
    """OneValuePerNumber, 2.2: different proposals have different numbers."""
    numbers = [accept.proposal_id for accept in history.issued]
    assert len(set(numbers)) == len(numbers), "OneValuePerNumber: a number carries two values"


def check_promise_kept(cluster: Cluster) -> None:
    """PromiseKept, 2.2: no acceptor forgets what it has promised and accepted."""
    for uid, server in cluster.servers.items():
        state: AcceptorState = server.state
        promised = cluster.history.promised.get(uid, state.promised_id)
        accepted = [
            accepted.proposal_id
            for accepted in cluster.history.acceptances
            if accepted.acceptor == uid
        ]
        assert promised <= state.promised_id, "PromiseKept: a promise went down"
        assert max(accepted, default=state.accepted_id) <= state.accepted_id, (
            "PromiseKept: an acceptance was forgotten"
        )


def check_p2b(cluster: Cluster) -> None:
    """P2b, 2.2: if v is chosen, every higher-numbered proposal that is issued has value v."""
    for chosen in cluster.history.chosen(cluster.quorums):
        for accept in cluster.history.issued:
            assert accept.proposal_id <= chosen.proposal_id or accept.value == chosen.value, (
                "P2b: a proposal above the chosen one has another value"
            )


def check_p2c(cluster: Cluster) -> None:
    """P2c, 2.2: every issued proposal has a quorum that makes its value safe."""
    for accept in cluster.history.issued:
        assert any(
            quorum_makes_safe(accept, quorum, cluster.history)
            for quorum in itertools.combinations(
                sorted(cluster.quorums.acceptors), cluster.quorums.promise_size
            )
        ), "P2c: no quorum makes the value of a proposal safe"


def quorum_makes_safe(accept: Accept, quorum: Collection[PeerID], history: History) -> bool:
    """
    Tell whether one of P2c's two cases holds for *quorum*.

    (a) No acceptor in it has accepted any proposal numbered below *accept*, or (b) the value is
    that of the highest-numbered proposal below *accept* that acceptors in it have accepted.
    """
    below = [
        accepted
        for accepted in history.acceptances
        if accepted.acceptor in quorum and accepted.proposal_id < accept.proposal_id
    ]
    if not below:
        return True
    highest = max(below, key=lambda accepted: accepted.proposal_id)
    return bool(highest.value == accept.value)
