"""Why each event happened: the rule that decided it, and a paragraph about this very event."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from multipaxos.invariants.names import (
    ACCEPTED_WITHIN_PROMISE,
    AGREEMENT,
    APPLIED_ONCE,
    LINEARIZABLE,
    ONE_READER,
    ONE_VALUE_PER_NUMBER,
    PROGRESS,
    PROMISE_KEPT,
    QUORUMS_INTERSECT,
    RESOLVED_MEANS_CHOSEN,
    SAVED_BEFORE_SENT,
    VALUE_IS_SAFE,
)
from multipaxos.lab.explain import (
    why_learning,
    why_leases,
    why_network,
    why_processes,
    why_rounds,
    why_saving,
    why_timers,
    why_votes,
)
from multipaxos.lab.explain.broken import say_what_breaks
from multipaxos.lab.explain.moment import Moment, Why
from multipaxos.lab.explain.words import PARAGRAPH_LENGTH_MAX, clipped, name, text

Explainer: TypeAlias = Callable[[Moment], Why | None]


def why(now: Moment) -> Why | None:
    """Return the rule and the paragraph for one event; None where no rule decides anything."""
    explain = _BY_KIND.get(now.event.kind)
    found = None if explain is None else explain(now)
    if found is None:
        return None
    rule, paragraph = say_what_breaks(now.past.bug, *found)
    return rule, clipped(paragraph, PARAGRAPH_LENGTH_MAX)


def _why_sent(now: Moment) -> Why | None:
    explain = _SENT.get(str(now.fields["message"]["type"]))
    return None if explain is None else explain(now)


def _why_delivered(now: Moment) -> Why | None:
    explain = _DELIVERED.get(str(now.fields["message"]["type"]))
    return None if explain is None else explain(now)


def _why_other_chain(now: Moment) -> Why:
    return "refuse-other-chain", (
        f"{now.who} got a message about another chain and says which one it keeps. If a majority "
        f"says so to {name(now.fields['receiver'])}, that one stops: its chain is not theirs."
    )


def _why_fetch(now: Moment) -> Why:
    return "help", (
        f"{now.who} is far behind and fetches the state of {name(now.fields['receiver'])} part by "
        "part, each of which it asks for again if it does not come."
    )


def _why_datagram(now: Moment) -> Why:
    return "network", (
        f"What came was no message for {now.who}: {text(now.fields['reason'], 200)}. It is not "
        "looked at any further."
    )


def _why_violated(now: Moment) -> Why:
    at = "" if now.fields["link"] is None else f" in link {now.fields['link']}"
    return _RULES_OF_INVARIANTS.get(now.fields["name"], "chosen"), (
        f"{text(now.fields['name'], 60)} does not hold{at}: "
        f"{text(now.fields['explanation'], 1000)}. With all rules kept this cannot happen: look at "
        "the events before for the one that was not."
    )


_RULES_OF_INVARIANTS: Mapping[str, str] = {
    AGREEMENT: "chosen",
    ONE_VALUE_PER_NUMBER: "prepare",
    PROMISE_KEPT: "refuse-promised",
    VALUE_IS_SAFE: "bound-choice",
    ACCEPTED_WITHIN_PROMISE: "accept",
    QUORUMS_INTERSECT: "count-promise",
    RESOLVED_MEANS_CHOSEN: "resolved-by-counting",
    SAVED_BEFORE_SENT: "save-before-send",
    APPLIED_ONCE: "answer",
    ONE_READER: "lease-began",
    LINEARIZABLE: "local-read",
    PROGRESS: "retransmission",
}
"""The rule that should have kept each invariant."""

_SENT: Mapping[str, Explainer] = {
    "Prepare": why_rounds.why_prepare,
    "Accept": why_rounds.why_accept,
    "Promise": why_saving.why_vote_sent,
    "Accepted": why_saving.why_vote_sent,
    "Nack": why_saving.why_nack_sent,
    "Sync": why_network.why_greeting,
    "CatchUp": why_network.why_help,
    "Decided": why_network.why_help,
    "SnapshotPart": why_network.why_help,
    "FetchPart": _why_fetch,
    "OtherChain": _why_other_chain,
    "Forward": why_network.why_forward,
    "Answered": why_network.why_read_answered,
    "WhereAreYou": why_processes.why_asked_where,
    "IAmAt": why_processes.why_asked_where,
}

_DELIVERED: Mapping[str, Explainer] = {
    "Prepare": why_network.why_nothing_came,
    "Accept": why_network.why_nothing_came,
    "Decided": why_network.why_known_already,
    "CatchUp": why_network.why_known_already,
    "SnapshotPart": why_network.why_part_arrived,
    "FetchPart": why_network.why_part_arrived,
    "Forward": why_network.why_forward_arrived,
    "Answered": why_network.why_read_result_arrived,
    "WhereAreYou": why_processes.why_question_arrived,
    "IAmAt": why_processes.why_answer_arrived,
    "OtherChain": why_processes.why_other_chain_arrived,
    "Promise": why_rounds.why_promise_arrived,
    "Accepted": why_rounds.why_acceptance_arrived,
    "Nack": why_rounds.why_nack_arrived,
    "Sync": why_network.why_greeting_arrived,
}
"""What an arrival means, where the next events of its receiver do not show it: see Causes."""

_BY_KIND: Mapping[str, Explainer] = {
    "sent": _why_sent,
    "delivered": _why_delivered,
    "dropped": why_network.why_dropped,
    "duplicated": why_network.why_duplicated,
    "wires": why_network.why_wires,
    "datagram refused": _why_datagram,
    "promised": why_votes.why_promised,
    "accepted": why_votes.why_accepted,
    "refused": why_votes.why_refused,
    "saved": why_saving.why_saved,
    "chosen": why_learning.why_chosen,
    "resolved": why_learning.why_resolved,
    "learned": why_learning.why_learned,
    "caught up": why_learning.why_caught_up,
    "called": why_learning.why_called,
    "answered": why_learning.why_answered,
    "returned": why_learning.why_returned,
    "round lost": why_rounds.why_round_lost,
    "takeover": why_rounds.why_takeover,
    "forwarded": why_leases.why_forwarded,
    "lease began": why_leases.why_lease_began,
    "lease ended": why_leases.why_lease_ended,
    "foreign lease": why_leases.why_foreign_lease,
    "timer set": why_timers.why_timer_set,
    "timer cancelled": why_timers.why_timer_cancelled,
    "timer fired": why_timers.why_timer_fired,
    "waiting": why_processes.why_waiting,
    "founded": why_processes.why_founded,
    "rejoined": why_processes.why_rejoined,
    "started": why_processes.why_started,
    "stopped": why_processes.why_stopped,
    "halted": why_processes.why_halted,
    "crashed": why_processes.why_crashed,
    "wiped": why_processes.why_wiped,
    "paused": why_processes.why_paused,
    "resumed": why_processes.why_resumed,
    "clock rate": why_processes.why_clock,
    "disk": why_processes.why_disk,
    "violated": _why_violated,
}
