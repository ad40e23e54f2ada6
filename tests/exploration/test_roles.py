"""The real roles, explored: the correct ones never break a rule, the broken ones always do."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from composable_paxos import AcceptorState, PaxosInstance, PeerID, Quorums
from multipaxos.exploration.copies import copy_of, frozen
from multipaxos.exploration.engine import explore
from multipaxos.exploration.role_bounds import BoundsError, RoleBounds
from multipaxos.exploration.role_case import role_case
from multipaxos.exploration.roles import RolesModel
from multipaxos.invariants.names import AGREEMENT, NAMES, QUORUMS_INTERSECT, VALUE_IS_SAFE
from multipaxos.strategies.broken import BUGS, Bug
from multipaxos.strategies.broken.bug import Model

ROLE_BUGS = [bug for bug in BUGS.values() if bug.model is Model.ROLES]


class FlexibleQuorums(Quorums):
    """All must promise, and one may accept."""

    @classmethod
    def of(cls, acceptors: Sequence[PeerID]) -> "FlexibleQuorums":
        """Take all of *acceptors* for phase 1, any one for phase 2."""
        return cls(acceptors=frozenset(acceptors), promise_size=len(acceptors), accept_size=1)


def model_with(
    bug: Bug, bounds: RoleBounds, *, reduced: bool, checked: Sequence[str]
) -> RolesModel:
    """Return the model of *bug* within *bounds*."""
    return RolesModel(
        bounds,
        roles=bug.roles or PaxosInstance,
        quorums=bug.quorums or Quorums.majority,
        checked=checked,
        learners_apart=reduced,
        values_in_order=reduced,
    )


# -- the correct roles -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bounds, counts",
    [
        (RoleBounds(), (126_795, 604_569, 21)),
        (RoleBounds(crashes=0), (71_486, 264_925, 20)),
        (RoleBounds(proposers=1, rounds=2), (15_876, 56_626, 20)),
        (RoleBounds(servers=2), (527, 1_252, 13)),
    ],
    ids=str,
)
def test_no_order_of_events_breaks_the_roles(
    bounds: RoleBounds, counts: tuple[int, int, int]
) -> None:
    """Two proposers and one crash, searched completely; and what there is to see happens."""
    found = explore(RolesModel(bounds))

    assert found.violation is None
    assert found.complete
    assert found.missing == ()
    assert (found.states, found.transitions, found.depth) == counts
    assert found.bytes_per_state < 300


def test_several_processes_count_the_same() -> None:
    """Two processes that number local states and messages on their own agree on every count."""
    bounds = RoleBounds(proposers=1, rounds=2)

    found = explore(RolesModel(bounds), jobs=2)

    assert (found.states, found.transitions, found.depth) == (15_876, 56_626, 20)
    assert found.complete
    assert found.missing == ()


def test_several_processes_find_a_disaster_as_short() -> None:
    """The path that two processes find together is as short, and leads where it says."""
    bug = BUGS["forgotten-promise"]

    found = explore(role_case({}, bug).model, jobs=2)

    assert found.violation is not None
    assert found.violation.name == AGREEMENT
    assert len(found.path) == 9


def test_flexible_quorums_that_meet_are_safe() -> None:
    """With 3 promises and 1 acceptance of 3 every two quorums meet: nothing breaks."""
    found = explore(RolesModel(RoleBounds(crashes=0), quorums=FlexibleQuorums.of))

    assert found.complete
    assert found.violation is None


# -- the broken ones -------------------------------------------------------------------------------


QUICK = [bug for bug in ROLE_BUGS if all(disaster.states < 100_000 for disaster in bug.shortest)]


@pytest.mark.parametrize("bug", QUICK, ids=lambda bug: bug.name)
def test_a_bug_that_breaks_agreement_is_followed_to_the_second_value(bug: Bug) -> None:
    """A command shows two chosen values, and says which rules broke on the way to them."""
    case = role_case({}, bug)

    found = explore(case.model)

    assert found.violation is not None
    assert found.violation.name == (AGREEMENT if AGREEMENT in bug.breaks else bug.breaks[0])
    on_the_way = case.on_the_way(found)
    assert {broken.violation.name for broken in on_the_way} & set(bug.breaks)
    assert on_the_way[-1].step == len(found.path)


def test_the_control_skips_phase_one_at_a_number_that_has_one_owner() -> None:
    """One proposer alone may skip phase 1 once: nothing can have been accepted below it."""
    bug = BUGS["no-phase-one"]
    bounds = RoleBounds(proposers=1, crashes=0)
    rules = [name for name in NAMES if name != VALUE_IS_SAFE]

    found = explore(model_with(bug, bounds, reduced=True, checked=rules))

    assert found.complete
    assert found.violation is None


def test_quorums_without_a_common_acceptor_are_named() -> None:
    """I6 says which quorums miss each other, before anything has happened."""
    bug = BUGS["half-is-enough"]

    found = explore(
        model_with(bug, RoleBounds(servers=4), reduced=True, checked=[QUORUMS_INTERSECT])
    )

    assert found.violation is not None
    assert found.path == ()
    assert "A and B may promise and C and D accept" in found.violation.explanation


# -- the reductions --------------------------------------------------------------------------------


@pytest.mark.parametrize("checked", [NAMES, [AGREEMENT]], ids=["all", "agreement"])
@pytest.mark.parametrize("bug", [None, *ROLE_BUGS], ids=lambda bug: bug.name if bug else "correct")
def test_reduced_and_unreduced_searches_agree(bug: Bug | None, checked: Sequence[str]) -> None:
    """With learners in place, and values in any order, the verdict is the same at small bounds."""
    correct = replace(BUGS["own-value"], roles=None)
    bounds = RoleBounds(servers=2, crashes=1)

    reduced, unreduced = (
        explore(model_with(bug or correct, bounds, reduced=is_reduced, checked=checked))
        for is_reduced in (True, False)
    )

    assert unreduced.states >= reduced.states
    if reduced.violation is None or unreduced.violation is None:
        assert reduced.violation is unreduced.violation is None
        assert reduced.complete
        assert unreduced.complete
    else:
        assert reduced.violation.name == unreduced.violation.name
        assert len(reduced.path) <= len(unreduced.path)


def test_learners_in_place_never_break_the_roles_of_three_servers() -> None:
    """One proposer, one crash, and each order in which three learners hear of acceptances."""
    bounds = RoleBounds(proposers=1)

    found = explore(RolesModel(bounds, learners_apart=False, values_in_order=False))

    assert found.complete
    assert found.violation is None


# -- states of their own ---------------------------------------------------------------------------


def test_a_copy_shares_nothing_that_changes() -> None:
    """Two explored states that shared a set would hide what happens in either of them."""
    original = PaxosInstance("A", Quorums.majority("ABC"), AcceptorState())
    before = frozen(original)

    copy = copy_of(original)
    copy.promised_by.add("B")
    copy.prepare()

    assert frozen(original) == before
    assert frozen(copy) != before


@pytest.mark.parametrize(
    "bounds, sentence",
    [
        ({"servers": 0}, "servers must be from 1 to 7 here, not 0"),
        ({"servers": 3, "proposers": 4}, "proposers must be from 1 to 3 here, not 4"),
        ({"values": 9}, "values must be from 1 to 6 here, not 9"),
        ({"rounds": 0}, "rounds must be from 1 to 9 here, not 0"),
        ({"crashes": 16}, "crashes must be from 0 to 15 here, not 16"),
    ],
)
def test_impossible_bounds_are_refused_with_a_sentence(
    bounds: dict[str, int], sentence: str
) -> None:
    """Nothing is explored that makes no sense."""
    with pytest.raises(BoundsError, match=sentence):
        RoleBounds(**bounds)
