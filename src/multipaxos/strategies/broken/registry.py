"""All bugs, by name."""

from multipaxos.strategies.broken.acceptors import (
    AcceptsAboveItsPromise,
    AcceptsAnything,
    PromisesWithoutRecord,
    PromisesWithoutReport,
)
from multipaxos.strategies.broken.bug import Bug, Model, UnknownBugError
from multipaxos.strategies.broken.learners import ResolvesAtOnce
from multipaxos.strategies.broken.leases import (
    CountsFromAsking,
    CountsFromCatchUp,
    CountsFromLearning,
    ForgetsLeasesAtRestart,
    ForgetsLeasesInCatchUp,
)
from multipaxos.strategies.broken.mastership import (
    TakesNumberOne,
    TrustsItsLeaseForTheLog,
    UsesNumberOneTwice,
)
from multipaxos.strategies.broken.memory import (
    ForgetsItsAcceptance,
    ForgetsItsPromise,
    VotesAtOnce,
)
from multipaxos.strategies.broken.progress import BacksOffInStep, NeverRepeats
from multipaxos.strategies.broken.proposers import (
    AdoptsAnyValue,
    ChangesItsMind,
    CountsPromisesTwice,
    ForgetsItsNumbers,
    KeepsItsWish,
    SkipsPhaseOne,
)
from multipaxos.strategies.broken.quorums import HalfIsEnough, PromisesOfTooFew
from multipaxos.strategies.broken.reads import (
    ReadsFromAnybody,
    ReadsPastTheLinkInFlight,
    ReadsWithoutSecondLook,
)
from multipaxos.strategies.broken.requests import IgnoresRequestIDs
from multipaxos.strategies.broken.saving import SavesAfterSending, SavesHalf

_AGREEMENT = "I1 Agreement"
_ONE_VALUE = "I2 OneValuePerNumber"
_PROMISE = "I3 PromiseKept"
_SAFE = "I4 ValueIsSafe"
_WITHIN = "I5 AcceptedWithinPromise"
_QUORUMS = "I6 QuorumsIntersect"
_CHOSEN = "I7 ResolvedMeansChosen"
_SAVED = "I8 SavedBeforeSent"
_ONCE = "I9 AppliedOnce"
_READER = "I10 OneReader"
_LINEARIZABLE = "I11 Linearizable"
_PROGRESS = "I12 Progress"

_ALL = (
    Bug(
        name="no-phase-one",
        culprit=SkipsPhaseOne,
        roles=SkipsPhaseOne,
        model=Model.ROLES,
        breaks=(_SAFE, _AGREEMENT),
    ),
    Bug(
        name="changed-mind",
        culprit=ChangesItsMind,
        roles=ChangesItsMind,
        model=Model.ROLES,
        breaks=(_ONE_VALUE, _AGREEMENT),
    ),
    Bug(
        name="forgotten-numbers",
        culprit=ForgetsItsNumbers,
        roles=ForgetsItsNumbers,
        model=Model.ROLES,
        breaks=(_ONE_VALUE, _SAVED, _AGREEMENT),
        bounds={"crashes": 1},
    ),
    Bug(
        name="own-value",
        culprit=KeepsItsWish,
        roles=KeepsItsWish,
        model=Model.ROLES,
        breaks=(_SAFE, _AGREEMENT),
    ),
    Bug(
        name="any-value",
        culprit=AdoptsAnyValue,
        roles=AdoptsAnyValue,
        model=Model.ROLES,
        breaks=(_SAFE, _AGREEMENT),
    ),
    Bug(
        name="doubled-promise",
        culprit=CountsPromisesTwice,
        roles=CountsPromisesTwice,
        model=Model.ROLES,
        breaks=(_QUORUMS, _SAFE, _AGREEMENT),
    ),
    Bug(
        name="silent-promise",
        culprit=PromisesWithoutReport,
        roles=PromisesWithoutReport,
        model=Model.ROLES,
        breaks=(_SAFE, _AGREEMENT),
    ),
    Bug(
        name="forgetful-acceptor",
        culprit=PromisesWithoutRecord,
        roles=PromisesWithoutRecord,
        model=Model.ROLES,
        breaks=(_PROMISE, _SAVED, _AGREEMENT),
    ),
    Bug(
        name="gullible-acceptor",
        culprit=AcceptsAnything,
        roles=AcceptsAnything,
        model=Model.ROLES,
        breaks=(_PROMISE, _AGREEMENT),
    ),
    Bug(
        name="promise-left-behind",
        culprit=AcceptsAboveItsPromise,
        roles=AcceptsAboveItsPromise,
        model=Model.ROLES,
        breaks=(_WITHIN, _AGREEMENT),
    ),
    Bug(
        name="one-promise-of-three",
        culprit=PromisesOfTooFew,
        quorums=PromisesOfTooFew.of,
        model=Model.ROLES,
        breaks=(_QUORUMS, _SAFE, _AGREEMENT),
    ),
    Bug(
        name="half-is-enough",
        culprit=HalfIsEnough,
        quorums=HalfIsEnough.of,
        model=Model.ROLES,
        plan={"servers": 4},
        bounds={"servers": 4},
        breaks=(_QUORUMS, _SAFE, _CHOSEN, _AGREEMENT),
    ),
    Bug(
        name="resolved-at-once",
        culprit=ResolvesAtOnce,
        roles=ResolvesAtOnce,
        model=Model.ROLES,
        breaks=(_CHOSEN, _AGREEMENT),
    ),
    Bug(
        name="forgotten-promise",
        culprit=ForgetsItsPromise,
        roles=ForgetsItsPromise,
        model=Model.ROLES,
        breaks=(_PROMISE, _SAVED, _AGREEMENT),
        bounds={"crashes": 1},
    ),
    Bug(
        name="forgotten-acceptance",
        culprit=ForgetsItsAcceptance,
        roles=ForgetsItsAcceptance,
        model=Model.ROLES,
        breaks=(_SAVED, _SAFE, _AGREEMENT),
        bounds={"crashes": 1},
    ),
    Bug(
        name="memory-not-waited-out",
        culprit=VotesAtOnce,
        mixin=VotesAtOnce,
        breaks=(
            _PROMISE,
            _SAFE,
            _AGREEMENT,
        ),
    ),
    Bug(
        name="saved-after-sent",
        culprit=SavesAfterSending,
        mixin=SavesAfterSending,
        breaks=(
            _SAVED,
            _AGREEMENT,
        ),
    ),
    Bug(
        name="saved-by-halves",
        culprit=SavesHalf,
        mixin=SavesHalf,
        breaks=(_ONCE,),
    ),
    Bug(
        name="number-one-for-all",
        culprit=TakesNumberOne,
        mixin=TakesNumberOne,
        breaks=(_ONE_VALUE, _SAFE, _AGREEMENT),
    ),
    Bug(
        name="number-one-twice",
        culprit=UsesNumberOneTwice,
        mixin=UsesNumberOneTwice,
        breaks=(
            _ONE_VALUE,
            _AGREEMENT,
        ),
        master=True,
    ),
    Bug(
        name="lease-guards-the-log",
        culprit=TrustsItsLeaseForTheLog,
        mixin=TrustsItsLeaseForTheLog,
        breaks=(
            _SAFE,
            _AGREEMENT,
        ),
        master=True,
    ),
    Bug(
        name="lease-from-learning",
        culprit=CountsFromLearning,
        mixin=CountsFromLearning,
        breaks=(
            _READER,
            _LINEARIZABLE,
        ),
        master=True,
    ),
    Bug(
        name="lease-from-asking",
        culprit=CountsFromAsking,
        mixin=CountsFromAsking,
        breaks=(
            _READER,
            _LINEARIZABLE,
        ),
        master=True,
    ),
    Bug(
        name="lease-from-catch-up",
        culprit=CountsFromCatchUp,
        mixin=CountsFromCatchUp,
        breaks=(
            _READER,
            _LINEARIZABLE,
        ),
        master=True,
    ),
    Bug(
        name="lease-not-waited-out",
        culprit=ForgetsLeasesAtRestart,
        mixin=ForgetsLeasesAtRestart,
        breaks=(
            _READER,
            _LINEARIZABLE,
        ),
        master=True,
    ),
    Bug(
        name="lease-not-caught-up",
        culprit=ForgetsLeasesInCatchUp,
        mixin=ForgetsLeasesInCatchUp,
        breaks=(
            _READER,
            _LINEARIZABLE,
        ),
        master=True,
    ),
    Bug(
        name="no-second-look",
        culprit=ReadsWithoutSecondLook,
        mixin=ReadsWithoutSecondLook,
        breaks=(_LINEARIZABLE,),
        master=True,
    ),
    Bug(
        name="read-past-a-link",
        culprit=ReadsPastTheLinkInFlight,
        mixin=ReadsPastTheLinkInFlight,
        breaks=(_LINEARIZABLE,),
        master=True,
    ),
    Bug(
        name="read-from-anybody",
        culprit=ReadsFromAnybody,
        mixin=ReadsFromAnybody,
        breaks=(_LINEARIZABLE,),
    ),
    Bug(
        name="retry-without-id",
        culprit=IgnoresRequestIDs,
        mixin=IgnoresRequestIDs,
        breaks=(
            _ONCE,
            _LINEARIZABLE,
        ),
    ),
    Bug(
        name="no-retransmission",
        culprit=NeverRepeats,
        mixin=NeverRepeats,
        breaks=(_PROGRESS,),
    ),
    Bug(
        name="backoff-in-step",
        culprit=BacksOffInStep,
        mixin=BacksOffInStep,
        breaks=(_PROGRESS,),
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
