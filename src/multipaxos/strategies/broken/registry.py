"""All bugs, by name."""

from multipaxos.strategies.broken.acceptors import (
    AcceptsAboveItsPromise,
    AcceptsAnything,
    PromisesWithoutRecord,
    PromisesWithoutReport,
)
from multipaxos.strategies.broken.bug import Bug, UnknownBugError
from multipaxos.strategies.broken.learners import ResolvesAtOnce
from multipaxos.strategies.broken.memory import ForgetsItsAcceptance, ForgetsItsPromise
from multipaxos.strategies.broken.proposers import (
    AdoptsAnyValue,
    ChangesItsMind,
    CountsPromisesTwice,
    ForgetsItsNumbers,
    KeepsItsWish,
    SkipsPhaseOne,
)
from multipaxos.strategies.broken.quorums import HalfIsEnough, PromisesOfTooFew

_AGREEMENT = "I1 Agreement"
_ONE_VALUE = "I2 OneValuePerNumber"
_PROMISE = "I3 PromiseKept"
_SAFE = "I4 ValueIsSafe"
_WITHIN = "I5 AcceptedWithinPromise"
_QUORUMS = "I6 QuorumsIntersect"
_CHOSEN = "I7 ResolvedMeansChosen"
_SAVED = "I8 SavedBeforeSent"

_ALL = (
    Bug(
        name="no-phase-one",
        culprit=SkipsPhaseOne,
        roles=SkipsPhaseOne,
        breaks=(_SAFE, _AGREEMENT),
    ),
    Bug(
        name="changed-mind",
        culprit=ChangesItsMind,
        roles=ChangesItsMind,
        breaks=(_ONE_VALUE, _AGREEMENT),
    ),
    Bug(
        name="forgotten-numbers",
        culprit=ForgetsItsNumbers,
        roles=ForgetsItsNumbers,
        breaks=(_ONE_VALUE, _SAVED, _AGREEMENT),
    ),
    Bug(
        name="own-value",
        culprit=KeepsItsWish,
        roles=KeepsItsWish,
        breaks=(_SAFE, _AGREEMENT),
    ),
    Bug(
        name="any-value",
        culprit=AdoptsAnyValue,
        roles=AdoptsAnyValue,
        breaks=(_SAFE, _AGREEMENT),
    ),
    Bug(
        name="promise-counted-twice",
        culprit=CountsPromisesTwice,
        roles=CountsPromisesTwice,
        breaks=(_QUORUMS, _SAFE, _AGREEMENT),
    ),
    Bug(
        name="promise-without-report",
        culprit=PromisesWithoutReport,
        roles=PromisesWithoutReport,
        breaks=(_SAFE, _AGREEMENT),
    ),
    Bug(
        name="forgetful-acceptor",
        culprit=PromisesWithoutRecord,
        roles=PromisesWithoutRecord,
        breaks=(_PROMISE, _SAVED, _AGREEMENT),
    ),
    Bug(
        name="gullible-acceptor",
        culprit=AcceptsAnything,
        roles=AcceptsAnything,
        breaks=(_PROMISE, _AGREEMENT),
    ),
    Bug(
        name="accept-leaves-promise",
        culprit=AcceptsAboveItsPromise,
        roles=AcceptsAboveItsPromise,
        breaks=(_WITHIN, _AGREEMENT),
    ),
    Bug(
        name="one-promise-of-three",
        culprit=PromisesOfTooFew,
        quorums=PromisesOfTooFew.of,
        breaks=(_QUORUMS, _SAFE, _AGREEMENT),
    ),
    Bug(
        name="half-is-enough",
        culprit=HalfIsEnough,
        quorums=HalfIsEnough.of,
        servers=4,
        breaks=(_QUORUMS, _SAFE, _CHOSEN, _AGREEMENT),
    ),
    Bug(
        name="resolved-at-once",
        culprit=ResolvesAtOnce,
        roles=ResolvesAtOnce,
        breaks=(_CHOSEN, _AGREEMENT),
    ),
    Bug(
        name="restart-forgets-promise",
        culprit=ForgetsItsPromise,
        roles=ForgetsItsPromise,
        breaks=(_PROMISE, _SAVED, _AGREEMENT),
    ),
    Bug(
        name="restart-forgets-acceptance",
        culprit=ForgetsItsAcceptance,
        roles=ForgetsItsAcceptance,
        breaks=(_SAVED, _SAFE, _AGREEMENT),
    ),
)

BUGS: dict[str, Bug] = {bug.name: bug for bug in _ALL}
"""Every bug there is, by name: those of single-decree Paxos first."""


def find_bug(name: str) -> Bug:
    """Return the bug called *name*. Raises UnknownBugError."""
    bug = BUGS.get(name)
    if bug is None:
        msg = f"there is no bug called {name!r}; these can be switched on: {', '.join(BUGS)}"
        raise UnknownBugError(msg)
    return bug
