"""What a timer is for, and what follows when it fires."""

from collections.abc import Callable, Mapping

from multipaxos.lab.explain.moment import Moment, Why
from multipaxos.lab.explain.why_leases import (
    why_election_fired,
    why_foreign_lease_fired,
    why_hourglass_fired,
    why_hourglass_set,
)
from multipaxos.lab.explain.why_rounds import why_backoff_set
from multipaxos.lab.explain.words import duration, name, number

_PURPOSES: Mapping[str, tuple[str, str]] = {
    "retransmit": ("retransmission", "to ask again if no quorum has answered by then"),
    "backoff": ("backoff", "to begin another round"),
    "takeover": ("takeover", "to finish what it accepted, should nothing more be heard of it"),
    "sync": ("sync", "to tell another server where it is"),
    "catch up": ("sync", "to ask for help again, if none has come"),
    "part": ("help", "to ask again for a part of a state that is missing"),
    "pinned snapshot": ("help", "to drop a state that it keeps for a server that is behind"),
    "forward": ("forward", "to send waiting requests to the master again"),
    "settle": ("early-send", "to save decided links, if no vote has made it save before"),
    "tell": ("brevity", "to tell the others what was decided, if no request does so before"),
    "own vote": ("abstention", "to vote itself, if the others' votes have not sufficed by then"),
    "rejoin": ("waiting", "to ask the others again where they are"),
    "founding grace": ("founded", "to found a chain with those that are here, and wait no longer"),
    "foreign lease": ("foreign-lease", "to respect the master's lease until then"),
    "election": ("election", "to seek mastership, after a wait that was drawn at random"),
    "renewal": ("election", "to renew its lease before that ends"),
}
"""The rule that each timer serves, and what it is set for."""

_FIRED: Mapping[str, str] = {
    "retransmit": "No quorum has answered yet, so it asks again.",
    "backoff": "The wait after its lost round is over, so it begins another one.",
    "takeover": "It has heard nothing more of what it accepted.",
    "sync": "It is time to tell another server where it is.",
    "catch up": "No help has come; the next message that shows it is behind makes it ask again.",
    "part": "A part of the state has not come; it asks again.",
    "pinned snapshot": "Nobody has asked for the state in parts for a while.",
    "forward": "Requests still wait, so it sends them to the master again.",
    "settle": "No vote has made it save what was decided, so it does that now.",
    "tell": "No request of its own has told the others what was decided, so it tells them now.",
    "own vote": "The others' votes have not sufficed in time, so it votes, too.",
    "rejoin": "Not enough have answered, so it asks again.",
    "founding grace": "It has waited long enough for others that are new.",
}


def why_timer_set(now: Moment) -> Why | None:
    """Explain what a timer is set for."""
    timer = str(now.fields["timer"])
    if timer == "backoff":
        return why_backoff_set(now)
    if "hourglass" in timer:
        return why_hourglass_set(now)
    purpose = _PURPOSES.get(timer)
    if purpose is None:
        return None
    rule, words = purpose
    return rule, (
        f"{now.who} sets its timer {name(timer)!r} for {duration(now.fields['after'])} from now, "
        f"{words}."
    )


def why_timer_cancelled(now: Moment) -> Why | None:
    """Explain why a timer is not needed any more."""
    timer = str(now.fields["timer"])
    purpose = _PURPOSES.get(timer)
    if "hourglass" in timer:
        purpose = ("lease-ended", "to know when a lease is over")
    if purpose is None:
        return None
    rule, words = purpose
    return rule, (
        f"{now.who} had set its timer {name(timer)!r} {words}. That is not needed any more: no "
        "timer outlives what it was set for."
    )


def why_timer_fired(now: Moment) -> Why | None:
    """Explain what a timer that fires leads to."""
    timer = str(now.fields["timer"])
    special = _SPECIAL.get(timer)
    if special is not None:
        return special(now)
    if timer not in _PURPOSES:
        return None
    rule, _ = _PURPOSES[timer]
    server = now.server
    driven = ""
    if timer in ("retransmit", "backoff") and server.round is not None:
        driven = f" Its round in link {server.link} was {number(server.round)}."
    return rule, f"The timer {name(timer)!r} of {now.who} has run out. {_FIRED[timer]}{driven}"


_SPECIAL: Mapping[str, Callable[[Moment], Why]] = {
    "foreign lease": why_foreign_lease_fired,
    "election": why_election_fired,
    "renewal": why_election_fired,
    "left hourglass": why_hourglass_fired,
    "right hourglass": why_hourglass_fired,
}
