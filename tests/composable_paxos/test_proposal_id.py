"""Proposal numbers: a total order in which no two servers share a number."""

import itertools

import pytest

from composable_paxos import LOWEST, ProposalID


def test_the_number_decides_the_order() -> None:
    """A higher number is a higher proposal, whoever issued it."""
    earlier = ProposalID(1, "Z")
    later = ProposalID(2, "A")

    assert earlier < later


def test_the_uid_decides_between_equal_numbers() -> None:
    """Of two proposals with one number, the one of the server with the later name is higher."""
    ascending = [ProposalID(2, "A"), ProposalID(2, "B"), ProposalID(2, "BA"), ProposalID(10, "A")]
    descending = ascending[::-1]

    assert sorted(descending) == ascending


def test_any_two_proposals_of_different_servers_differ() -> None:
    """Equal means: the same number of the same server."""
    proposals = [ProposalID(number, uid) for number in (1, 2, 3) for uid in "ABC"]

    assert ProposalID(1, "A") == ProposalID(1, "A")
    assert all(one < other or other < one for one, other in itertools.combinations(proposals, 2))


@pytest.mark.parametrize("proposal", [ProposalID(1, "A"), ProposalID(0, "A"), ProposalID(1, "")])
def test_lowest_is_below_every_proposal(proposal: ProposalID) -> None:
    """LOWEST stands for "none yet", so that no comparison needs a special case."""
    assert proposal > LOWEST


def test_a_proposal_is_written_as_in_the_literature() -> None:
    """Number first, then the server's name."""
    assert str(ProposalID(12, "B")) == "12.B"
