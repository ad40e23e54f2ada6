"""The bugs of single-decree Paxos: of its proposers, acceptors, learners and quorums."""

from multipaxos.strategies.broken.acceptors import (
    AcceptsAboveItsPromise,
    AcceptsAnything,
    PromisesWithoutRecord,
    PromisesWithoutReport,
)
from multipaxos.strategies.broken.bug import Bug, Disaster, Model
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
from multipaxos.strategies.broken.quorums import EitherMembership, HalfIsEnough, PromisesOfTooFew

_AGREEMENT = "I1 Agreement"
_ONE_VALUE = "I2 OneValuePerNumber"
_PROMISE = "I3 PromiseKept"
_SAFE = "I4 ValueIsSafe"
_WITHIN = "I5 AcceptedWithinPromise"
_QUORUMS = "I6 QuorumsIntersect"
_CHOSEN = "I7 ResolvedMeansChosen"
_SAVED = "I8 SavedBeforeSent"

BUGS_OF_DECISIONS = (
    Bug(
        name="no-phase-one",
        culprit=SkipsPhaseOne,
        roles=SkipsPhaseOne,
        breaks=(_SAFE, _AGREEMENT),
        model=Model.ROLES,
        shortest=(
            Disaster(breaks=_SAFE, steps=1, states=2),
            Disaster(breaks=_AGREEMENT, steps=4, states=33),
        ),
    ),
    Bug(
        name="changed-mind",
        culprit=ChangesItsMind,
        roles=ChangesItsMind,
        breaks=(_ONE_VALUE, _AGREEMENT),
        plan={"faults": "rough", "rate": 4.0},
        model=Model.ROLES,
        shortest=(
            Disaster(breaks=_ONE_VALUE, steps=8, states=2_260),
            Disaster(breaks=_AGREEMENT, steps=9, states=5_192),
        ),
    ),
    Bug(
        name="forgotten-numbers",
        culprit=ForgetsItsNumbers,
        roles=ForgetsItsNumbers,
        breaks=(_ONE_VALUE, _SAVED, _AGREEMENT),
        model=Model.ROLES,
        bounds={"proposers": 1, "rounds": 2, "crashes": 1},
        shortest=(
            Disaster(breaks=_ONE_VALUE, steps=9, states=792),
            Disaster(breaks=_AGREEMENT, steps=11, states=1_655),
        ),
    ),
    Bug(
        name="own-value",
        culprit=KeepsItsWish,
        roles=KeepsItsWish,
        breaks=(_SAFE, _AGREEMENT),
        plan={"faults": "rough", "rate": 4.0},
        model=Model.ROLES,
        shortest=(
            Disaster(breaks=_SAFE, steps=6, states=328),
            Disaster(breaks=_AGREEMENT, steps=8, states=2_007),
        ),
    ),
    Bug(
        name="any-value",
        culprit=AdoptsAnyValue,
        roles=AdoptsAnyValue,
        breaks=(_SAFE,),
        plan={"faults": "cruel", "servers": 5, "rate": 4.0},
        model=Model.ROLES,
        bounds={"rounds": 2},
        shortest=(Disaster(breaks=_SAFE, steps=9, states=74_833),),
    ),
    Bug(
        name="doubled-promise",
        culprit=CountsPromisesTwice,
        roles=CountsPromisesTwice,
        breaks=(_SAFE, _AGREEMENT),
        model=Model.ROLES,
        shortest=(
            Disaster(breaks=_SAFE, steps=2, states=4),
            Disaster(breaks=_AGREEMENT, steps=6, states=839),
        ),
    ),
    Bug(
        name="silent-promise",
        culprit=PromisesWithoutReport,
        roles=PromisesWithoutReport,
        breaks=(_SAFE, _AGREEMENT),
        plan={"faults": "rough", "rate": 4.0},
        model=Model.ROLES,
        shortest=(
            Disaster(breaks=_SAFE, steps=6, states=314),
            Disaster(breaks=_AGREEMENT, steps=8, states=1_741),
        ),
    ),
    Bug(
        name="forgetful-acceptor",
        culprit=PromisesWithoutRecord,
        roles=PromisesWithoutRecord,
        breaks=(_SAVED, _SAFE, _AGREEMENT),
        model=Model.ROLES,
        shortest=(
            Disaster(breaks=_SAVED, steps=1, states=2),
            Disaster(breaks=_SAFE, steps=3, states=11),
            Disaster(breaks=_AGREEMENT, steps=8, states=2_186),
        ),
    ),
    Bug(
        name="gullible-acceptor",
        culprit=AcceptsAnything,
        roles=AcceptsAnything,
        breaks=(_PROMISE, _SAFE, _AGREEMENT),
        model=Model.ROLES,
        shortest=(
            Disaster(breaks=_PROMISE, steps=5, states=108),
            Disaster(breaks=_SAFE, steps=6, states=403),
            Disaster(breaks=_AGREEMENT, steps=8, states=2_682),
        ),
    ),
    Bug(
        name="promise-left-behind",
        culprit=AcceptsAboveItsPromise,
        roles=AcceptsAboveItsPromise,
        breaks=(_WITHIN,),
        model=Model.ROLES,
        shortest=(Disaster(breaks=_WITHIN, steps=4, states=37),),
    ),
    Bug(
        name="one-promise-of-three",
        culprit=PromisesOfTooFew,
        quorums=PromisesOfTooFew.of,
        breaks=(_QUORUMS, _AGREEMENT),
        model=Model.ROLES,
        shortest=(
            Disaster(breaks=_QUORUMS, steps=0, states=1),
            Disaster(breaks=_AGREEMENT, steps=4, states=141),
        ),
    ),
    Bug(
        name="half-is-enough",
        culprit=HalfIsEnough,
        quorums=HalfIsEnough.of,
        breaks=(_QUORUMS, _AGREEMENT),
        plan={"faults": "rough", "servers": 4},
        model=Model.ROLES,
        bounds={"servers": 4},
        shortest=(
            Disaster(breaks=_QUORUMS, steps=0, states=1),
            Disaster(breaks=_AGREEMENT, steps=8, states=8_385),
        ),
    ),
    Bug(
        name="either-membership",
        culprit=EitherMembership,
        quorums=EitherMembership.of,
        breaks=(_QUORUMS, _AGREEMENT),
        plan={"faults": "rough", "servers": 5},
        model=Model.ROLES,
        bounds={"servers": 5},
        shortest=(
            Disaster(breaks=_QUORUMS, steps=0, states=1),
            Disaster(breaks=_AGREEMENT, steps=9, states=59_704),
        ),
    ),
    Bug(
        name="resolved-at-once",
        culprit=ResolvesAtOnce,
        roles=ResolvesAtOnce,
        breaks=(_CHOSEN, _AGREEMENT),
        model=Model.ROLES,
        shortest=(
            Disaster(breaks=_CHOSEN, steps=3, states=11),
            Disaster(breaks=_AGREEMENT, steps=6, states=340),
        ),
    ),
    Bug(
        name="forgotten-promise",
        culprit=ForgetsItsPromise,
        roles=ForgetsItsPromise,
        breaks=(_PROMISE, _SAFE, _AGREEMENT),
        plan={"faults": "cruel", "rate": 4.0},
        model=Model.ROLES,
        bounds={"crashes": 1},
        shortest=(
            Disaster(breaks=_PROMISE, steps=2, states=4),
            Disaster(breaks=_SAFE, steps=4, states=57),
            Disaster(breaks=_AGREEMENT, steps=9, states=12_670),
        ),
    ),
    Bug(
        name="forgotten-acceptance",
        culprit=ForgetsItsAcceptance,
        roles=ForgetsItsAcceptance,
        breaks=(_SAVED, _SAFE, _AGREEMENT),
        plan={"faults": "cruel", "rate": 4.0},
        model=Model.ROLES,
        bounds={"crashes": 1},
        shortest=(
            Disaster(breaks=_SAVED, steps=4, states=49),
            Disaster(breaks=_SAFE, steps=7, states=1_338),
            Disaster(breaks=_AGREEMENT, steps=9, states=8_661),
        ),
    ),
)
