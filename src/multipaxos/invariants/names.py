"""
The invariants by name, each with its rule in one line: the one place where they are written.

A violation begins with such a name, a bug says which of them it breaks, a table lists them.
"""

from collections.abc import Mapping
from types import MappingProxyType

AGREEMENT = "I1 Agreement"
ONE_VALUE_PER_NUMBER = "I2 OneValuePerNumber"
PROMISE_KEPT = "I3 PromiseKept"
VALUE_IS_SAFE = "I4 ValueIsSafe"
ACCEPTED_WITHIN_PROMISE = "I5 AcceptedWithinPromise"
QUORUMS_INTERSECT = "I6 QuorumsIntersect"
RESOLVED_MEANS_CHOSEN = "I7 ResolvedMeansChosen"
SAVED_BEFORE_SENT = "I8 SavedBeforeSent"
APPLIED_ONCE = "I9 AppliedOnce"
ONE_READER = "I10 OneReader"
LINEARIZABLE = "I11 Linearizable"
PROGRESS = "I12 Progress"

RULES: Mapping[str, str] = MappingProxyType(
    {
        AGREEMENT: "one value is chosen for each link",
        ONE_VALUE_PER_NUMBER: "one value travels under each proposal number",
        PROMISE_KEPT: "a promise never goes down, also across restarts",
        VALUE_IS_SAFE: "the value of an accept request is safe at its number",
        ACCEPTED_WITHIN_PROMISE: "the accepted number is at most the promised one",
        QUORUMS_INTERSECT: "every quorum that promises meets every quorum that accepts",
        RESOLVED_MEANS_CHOSEN: "what a server resolves was chosen",
        SAVED_BEFORE_SENT: "state is durable before the message that reveals it",
        APPLIED_ONCE: "links are applied in order, each once, and each request once",
        ONE_READER: "at most one server believes at one instant that it may answer reads alone",
        LINEARIZABLE: "what the clients saw fits one order of single steps",
        PROGRESS: "once the faults stop, every request is answered",
    }
)
"""The rule that each name stands for, in the order of their numbers."""

NAMES: tuple[str, ...] = tuple(RULES)
"""All invariants, I1 first."""
