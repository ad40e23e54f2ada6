"""The bugs of a chain and its servers: memory, masters, leases, reads, requests, patience."""

from multipaxos.strategies.broken.bug import Bug, Disaster
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
from multipaxos.strategies.broken.memory import VotesAtOnce
from multipaxos.strategies.broken.overtaking import (
    OvertakesTheDecidingVote,
    PreparesBeforeSaving,
    SavesVotesWithTheirLink,
    TakesItsValueForDecided,
    UsesNumberOneOfAnEarlierLife,
)
from multipaxos.strategies.broken.progress import BacksOffInStep, NeverRepeats
from multipaxos.strategies.broken.reads import (
    ReadsFromAnybody,
    ReadsPastTheLinkInFlight,
    ReadsWithoutSecondLook,
)
from multipaxos.strategies.broken.requests import IgnoresRequestIDs, NotesAgeAnew
from multipaxos.strategies.broken.saving import SavesAfterSending, SavesHalf

_AGREEMENT = "I1 Agreement"
_ONE_VALUE = "I2 OneValuePerNumber"
_PROMISE = "I3 PromiseKept"
_SAFE = "I4 ValueIsSafe"
_RESOLVED = "I7 ResolvedMeansChosen"
_SAVED = "I8 SavedBeforeSent"
_ONCE = "I9 AppliedOnce"
_READER = "I10 OneReader"
_LINEARIZABLE = "I11 Linearizable"
_PROGRESS = "I12 Progress"

_NOTHING_COMES = (
    "an exploration looks for states that must not be, and here the good one never comes; "
    "multipaxos simulate waits for it."
)
_DISKS_STAY = (
    "the servers that are explored keep their disks; those of multipaxos simulate lose them."
)
_ALL_REMEMBERED = (
    "the chain that is explored remembers all clients that it has; multipaxos simulate can let it "
    "forget, with --sessions."
)
_QUICK = ("abstention", "brevity", "group-commit")
"""With these a lease is lost and won in as many ways, and in many more states."""

BUGS_OF_CHAINS = (
    Bug(
        name="memory-not-waited-out",
        culprit=VotesAtOnce,
        mixin=VotesAtOnce,
        breaks=(_PROMISE, _SAFE, _AGREEMENT),
        plan={"faults": "cruel"},
        not_explored=_DISKS_STAY,
    ),
    Bug(
        name="saved-after-sent",
        culprit=SavesAfterSending,
        mixin=SavesAfterSending,
        breaks=(_SAVED,),
        bounds={"writes": 1},
        shortest=(Disaster(breaks=_SAVED, steps=1, states=2),),
    ),
    Bug(
        name="saved-by-halves",
        culprit=SavesHalf,
        mixin=SavesHalf,
        breaks=(_ONCE,),
        bounds={"writes": 1},
        shortest=(Disaster(breaks=_ONCE, steps=5, states=7),),
    ),
    Bug(
        name="vote-saved-later",
        culprit=SavesVotesWithTheirLink,
        mixin=SavesVotesWithTheirLink,
        breaks=(_SAVED,),
        bounds={"writes": 1},
        shortest=(Disaster(breaks=_SAVED, steps=1, states=2),),
    ),
    Bug(
        name="prepare-before-save",
        culprit=PreparesBeforeSaving,
        mixin=PreparesBeforeSaving,
        breaks=(_SAVED,),
        bounds={"writes": 1},
        shortest=(Disaster(breaks=_SAVED, steps=1, states=2),),
    ),
    Bug(
        name="vote-left-behind",
        culprit=OvertakesTheDecidingVote,
        mixin=OvertakesTheDecidingVote,
        breaks=(_RESOLVED, _SAVED),
        master=True,
        bounds={"writes": 1, "crashes": 1, "firings": 1, "elected": 1},
        unexplored=("abstention", "brevity"),
        shortest=(Disaster(breaks=_RESOLVED, steps=4, states=903),),
    ),
    Bug(
        name="number-one-for-all",
        culprit=TakesNumberOne,
        mixin=TakesNumberOne,
        breaks=(_ONE_VALUE, _SAFE, _AGREEMENT),
        bounds={"writes": 2},
        shortest=(Disaster(breaks=_ONE_VALUE, steps=2, states=6),),
    ),
    Bug(
        name="number-one-twice",
        culprit=UsesNumberOneTwice,
        mixin=UsesNumberOneTwice,
        breaks=(_ONE_VALUE,),
        master=True,
        bounds={"crashes": 1, "firings": 2},
        shortest=(Disaster(breaks=_ONE_VALUE, steps=8, states=601),),
    ),
    Bug(
        name="number-one-inherited",
        culprit=UsesNumberOneOfAnEarlierLife,
        mixin=UsesNumberOneOfAnEarlierLife,
        breaks=(_ONE_VALUE,),
        master=True,
        plan={"faults": "cruel"},
        bounds={"writes": 0, "crashes": 1, "firings": 2, "elected": 1},
        shortest=(Disaster(breaks=_ONE_VALUE, steps=2, states=17),),
    ),
    Bug(
        name="lease-guards-the-log",
        culprit=TrustsItsLeaseForTheLog,
        mixin=TrustsItsLeaseForTheLog,
        breaks=(_SAFE,),
        master=True,
        # An Accept that leaves before its proposer's vote breaks another rule first.
        plan={"without": ("abstention", "group-commit")},
        bounds={"writes": 0},
        shortest=(Disaster(breaks=_SAFE, steps=6, states=40),),
    ),
    Bug(
        name="guessed-value",
        culprit=TakesItsValueForDecided,
        mixin=TakesItsValueForDecided,
        breaks=(_AGREEMENT, _RESOLVED, _ONCE),
        master=True,
        bounds={"servers": 3, "writes": 1, "firings": 1, "elected": 1},
        unexplored=("group-commit",),
        shortest=(Disaster(breaks=_AGREEMENT, steps=9, states=48_700),),
    ),
    Bug(
        name="lease-from-learning",
        culprit=CountsFromLearning,
        mixin=CountsFromLearning,
        breaks=(_READER, _LINEARIZABLE),
        master=True,
        plan={"faults": "cruel", "servers": 5},
        bounds={"writes": 0, "firings": 2},
        unexplored=_QUICK,
        shortest=(Disaster(breaks=_READER, steps=12, states=955),),
    ),
    Bug(
        name="lease-from-asking",
        culprit=CountsFromAsking,
        mixin=CountsFromAsking,
        breaks=(_READER, _LINEARIZABLE),
        master=True,
        plan={"faults": "rough", "servers": 5},
        bounds={"servers": 3, "proposers": 2, "firings": 2, "elected": 1},
        unexplored=_QUICK,
        shortest=(Disaster(breaks=_READER, steps=8, states=9_781),),
    ),
    Bug(
        name="lease-from-catch-up",
        culprit=CountsFromCatchUp,
        mixin=CountsFromCatchUp,
        breaks=(_READER, _LINEARIZABLE),
        master=True,
        plan={"faults": "cruel", "rate": 4.0},
        bounds={"writes": 0, "firings": 2},
        unexplored=_QUICK,
        shortest=(Disaster(breaks=_READER, steps=12, states=1_149),),
    ),
    Bug(
        name="lease-not-waited-out",
        culprit=ForgetsLeasesAtRestart,
        mixin=ForgetsLeasesAtRestart,
        breaks=(_READER, _LINEARIZABLE),
        master=True,
        plan={"faults": "rough", "rate": 4.0},
        bounds={"writes": 0, "crashes": 1, "firings": 2},
        unexplored=_QUICK,
        shortest=(Disaster(breaks=_READER, steps=12, states=3_493),),
    ),
    Bug(
        name="lease-not-caught-up",
        culprit=ForgetsLeasesInCatchUp,
        mixin=ForgetsLeasesInCatchUp,
        breaks=(_READER, _LINEARIZABLE),
        master=True,
        bounds={"writes": 0, "firings": 2},
        unexplored=_QUICK,
        shortest=(Disaster(breaks=_READER, steps=11, states=902),),
    ),
    Bug(
        name="no-second-look",
        culprit=ReadsWithoutSecondLook,
        mixin=ReadsWithoutSecondLook,
        breaks=(_LINEARIZABLE,),
        master=True,
        plan={"faults": "cruel", "seconds": 300.0, "rate": 2.0},
        bounds={"servers": 3, "proposers": 1, "writes": 1, "reads": 1, "firings": 0, "elected": 1},
        unexplored=_QUICK,
        shortest=(Disaster(breaks=_LINEARIZABLE, steps=8, states=13_645),),
    ),
    Bug(
        name="read-past-a-link",
        culprit=ReadsPastTheLinkInFlight,
        mixin=ReadsPastTheLinkInFlight,
        breaks=(_LINEARIZABLE,),
        master=True,
        # With brevity the proposer is the first to learn what was chosen, nearly always.
        plan={"faults": "rough", "rate": 30.0, "without": ("brevity",)},
        bounds={"writes": 1, "reads": 1, "firings": 1},
        unexplored=_QUICK,
        shortest=(Disaster(breaks=_LINEARIZABLE, steps=12, states=3_314),),
    ),
    Bug(
        name="read-from-anybody",
        culprit=ReadsFromAnybody,
        mixin=ReadsFromAnybody,
        breaks=(_LINEARIZABLE,),
        plan={"faults": "rough", "rate": 4.0},
        bounds={"writes": 1, "reads": 1},
        shortest=(Disaster(breaks=_LINEARIZABLE, steps=6, states=29),),
    ),
    Bug(
        name="retry-without-id",
        culprit=IgnoresRequestIDs,
        mixin=IgnoresRequestIDs,
        breaks=(_ONCE, _LINEARIZABLE),
        bounds={"writes": 1, "retries": 1},
        shortest=(Disaster(breaks=_ONCE, steps=10, states=53),),
    ),
    Bug(
        name="age-of-newest-try",
        culprit=NotesAgeAnew,
        mixin=NotesAgeAnew,
        breaks=(_ONCE, _LINEARIZABLE),
        plan={"state": "dictionary", "sessions": 2, "clients": 20, "rate": 10.0},
        not_explored=_ALL_REMEMBERED,
    ),
    Bug(
        name="no-retransmission",
        culprit=NeverRepeats,
        mixin=NeverRepeats,
        breaks=(_PROGRESS,),
        plan={"faults": "rough"},
        not_explored=_NOTHING_COMES,
    ),
    Bug(
        name="backoff-in-step",
        culprit=BacksOffInStep,
        mixin=BacksOffInStep,
        breaks=(_PROGRESS,),
        plan={"faults": "none", "rate": 8.0, "seconds": 1.0},
        not_explored=_NOTHING_COMES,
    ),
)
