"""Wrong on purpose: what is told of each bug, and how it is woven in."""

from random import Random

import pytest

from composable_paxos import PaxosInstance, Quorums
from multipaxos.chain.register import Register
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.settings import Membership, Settings
from multipaxos.cli.bugs import code_of
from multipaxos.composition import compose, strategy_names
from multipaxos.invariants.names import NAMES
from multipaxos.strategies.broken import BUGS, Bug, UnknownBugError, find_bug

LINES_MAX = 35
"""A mistake is a few lines; what is longer hides it."""

PLAIN = strategy_names(master=False)
ALL = [pytest.param(bug, id=bug.name) for bug in BUGS.values()]


@pytest.mark.parametrize("bug", ALL)
def test_a_bug_tells_its_whole_story(bug: Bug) -> None:
    """The mistake, the rule that it breaks, and where one meets it."""
    assert bug.summary.endswith(".")
    assert len(bug.summary) <= 50
    for text in (bug.mistake, bug.rule, bug.met):
        assert len(text) > 40
        assert text.endswith(".")
    assert bug.breaks
    assert set(bug.breaks) <= set(NAMES)
    assert {disaster.breaks for disaster in bug.shortest} <= set(bug.breaks)


@pytest.mark.parametrize("bug", ALL)
def test_a_bug_is_a_few_lines_in_one_place(bug: Bug) -> None:
    """It is a mixin, a variant of the roles, or other quorums, and never two of them."""
    put_in = [part for part in (bug.roles, bug.mixin, bug.quorums) if part is not None]

    assert len(put_in) == 1
    assert len(code_of(bug).splitlines()) <= LINES_MAX
    assert issubclass(bug.culprit, PaxosInstance | BaseReplicatedValue | Quorums)


@pytest.mark.parametrize("bug", ALL)
def test_some_engine_finds_each_bug(bug: Bug) -> None:
    """Where one cannot, a sentence says why."""
    assert bug.commands
    for why_not in (bug.not_explored, bug.not_simulated):
        assert not why_not or why_not.endswith(".")
    assert bool(bug.shortest) != bool(bug.not_explored)


@pytest.mark.parametrize("bug", ALL)
def test_only_what_is_wrong_differs(bug: Bug) -> None:
    """All strategies are there as ever; the bug's mixin comes outermost."""
    names = strategy_names(master=bug.master)
    right, wrong = compose(names), compose(names, bug=bug.name)

    layers = [layer for layer in wrong.__mro__[1:] if layer is not bug.mixin]
    assert layers == list(right.__mro__[1:])
    assert wrong.roles is (bug.roles or right.roles)
    assert bug.mixin in (None, wrong.__mro__[1])


def test_the_quorums_of_a_bug_are_counted_with() -> None:
    """They refuse no sizes, as the right ones do."""
    wrong = compose(PLAIN, bug="half-is-enough")

    quorums = wrong(
        membership=Membership(cluster="main", uid="A", servers=tuple("ABCD")),
        settings=Settings(),
        machine=Register(),
        state=None,
        rng=Random(1),
    ).quorums

    assert quorums.have_promised("AB")
    assert quorums.have_accepted("CD")


def test_an_unknown_bug_is_told_with_those_there_are() -> None:
    """A slip of the pen is no correct run."""
    with pytest.raises(UnknownBugError, match="there is no bug called 'own-valeu'; these can be"):
        find_bug("own-valeu")
    with pytest.raises(UnknownBugError):
        compose(PLAIN, bug="own-valeu")


CLASSIC = {
    "phase 1 skipped by two proposers": ("no-phase-one", "number-one-for-all"),
    "proposal number reused": ("forgotten-numbers", "number-one-twice", "changed-mind"),
    "quorums 1 + 2 of 3": ("one-promise-of-three",),
    "own value sent although a promise reported one": ("own-value",),
    "promise does not report the accepted value": ("silent-promise",),
    "promise answered but not recorded": ("forgetful-acceptor",),
    "acceptor does not compare an accept with its promise": ("gullible-acceptor",),
    "half counts as a majority": ("half-is-enough",),
    "restart forgets the promise, or the accepted value": (
        "forgotten-promise",
        "forgotten-acceptance",
    ),
    "any reported value adopted": ("any-value",),
    "a duplicated promise counted twice": ("doubled-promise",),
    "state saved after the message left": ("saved-after-sent",),
    "lease counted from learning; from a catch-up; not waited out": (
        "lease-from-learning",
        "lease-from-catch-up",
        "lease-not-waited-out",
    ),
    "mastership used for the safety of the log": ("lease-guards-the-log",),
    "retry without request id": ("retry-without-id",),
    "no retransmission; backoff without randomness": ("no-retransmission", "backoff-in-step"),
}


@pytest.mark.parametrize("mistake", CLASSIC)
def test_every_classic_mistake_can_be_switched_on(mistake: str) -> None:
    """The mistakes that everybody makes once, each under its name."""
    assert set(CLASSIC[mistake]) <= set(BUGS)
