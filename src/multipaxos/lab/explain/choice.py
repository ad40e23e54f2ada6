"""Why a proposer asks for the value that it asks for: rule P2c, with the names of one round."""

from typing import Any

from multipaxos.lab.explain.ballots import Ballot
from multipaxos.lab.explain.past import Past
from multipaxos.lab.explain.words import (
    BROKEN,
    NOTHING,
    acceptance,
    call,
    joined,
    name,
    number,
    value,
)

FREE, BOUND, NUMBER_ONE, UNKNOWN = "free", "bound", "number one", "unknown"


def choice_of(past: Past, ballot: Ballot) -> str:
    """Return what the proposer of *ballot* may ask for, by the promises that reached it."""
    if ballot.is_number_one and past.has_masters:
        return NUMBER_ONE
    if len(ballot.promised) < past.promise_size and not past.sees_all:
        return UNKNOWN
    return FREE if ballot.binding is None else BOUND


def choice_in_words(past: Past, ballot: Ballot) -> str:
    """Return a paragraph on how the proposer of *ballot* came to its value."""
    return {FREE: _free, BOUND: _bound, NUMBER_ONE: _number_one, UNKNOWN: _unknown}[
        choice_of(past, ballot)
    ](past, ballot)


def keeps_the_rule(ballot: Ballot) -> bool:
    """Tell whether the value of *ballot* is the one that the reports bind its proposer to."""
    binding = ballot.binding
    return binding is None or binding[1].value in (None, ballot.value)


def _number_one(past: Past, ballot: Ballot) -> str:
    proposer, n = name(ballot.proposer), number(ballot.proposal_id)
    master = past.master_in(ballot.link)
    if past.sees_all and master != ballot.proposer:
        names = "name no master" if master is None else f"name {name(master)} as master"
        return (
            f"{proposer} uses {n} in link {ballot.link} and asks for {value(ballot.value)} without "
            f"a promise, though the links before {names}. {BROKEN}"
        )
    return (
        f"{proposer} is the master that the links before name, so {n} is its alone, and nothing "
        f"can have been accepted below it in link {ballot.link}. Promises could report nothing: "
        f"{proposer} leaves phase 1 out and asks for {value(ballot.value)} at once, in one round "
        "trip."
    )


def _free(past: Past, ballot: Ballot) -> str:
    proposer, n = name(ballot.proposer), number(ballot.proposal_id)
    asks = f"asks for {value(ballot.value)}"
    if len(ballot.promised) < past.promise_size:
        return (
            f"{_promised(past, ballot)} What the others have accepted {proposer} does not know, "
            f"and {asks}."
        )
    return (
        f"{_promised(past, ballot)} None of them has accepted anything, so nothing below {n} is "
        f"chosen for link {ballot.link}, nor ever can be: every quorum has one of them in it, and "
        f"that one now refuses what is lower. {proposer} is free to choose, and {asks}."
    )


def _bound(past: Past, ballot: Ballot) -> str:
    assert ballot.binding is not None
    proposer = name(ballot.proposer)
    highest = ballot.binding[1]
    bound = value(highest.value)
    said = f"{_promised(past, ballot)} {_reports(ballot)} "
    if sum(report.accepted != NOTHING for report in ballot.promised.values()) > 1:
        said += f"The highest of these, {number(highest.accepted)}, binds {proposer}: "
    else:
        said += f"That binds {proposer}: "
    said += f"{bound} may be chosen already, and no other value can be. "
    if not keeps_the_rule(ballot):
        return said + f"Yet {proposer} asks for {value(ballot.value)}. {BROKEN}"
    return said + f"So {proposer} asks for {bound}{_own_wish(past, ballot)}."


def _unknown(past: Past, ballot: Ballot) -> str:
    proposer, n = name(ballot.proposer), number(ballot.proposal_id)
    seen = f"only those of {joined(ballot.promised)}" if ballot.promised else "none of them"
    return (
        f"{proposer} asks for {value(ballot.value)} under {n} in link {ballot.link}. It needs the "
        f"promises of {past.promise_size} servers for that, and this trace shows {seen}: what "
        "bound it is not known."
    )


def _promised(past: Past, ballot: Ballot) -> str:
    proposer, n = name(ballot.proposer), number(ballot.proposal_id)
    count, size = len(ballot.promised), len(past.uids)
    have = "have" if count > 1 else "has"
    who = joined(sorted(ballot.promised)) if count else "Nobody"
    itself = f" ({proposer} itself is one of them)" if ballot.proposer in ballot.promised else ""
    said = f"{who} {have} promised {n}{itself}"
    if count < past.promise_size:
        return f"{said}: that is no quorum of {size}. {BROKEN}"
    return f"{said}: a quorum, {count} of {size}."


def _reports(ballot: Ballot) -> str:
    reports = [
        f"{name(uid)} reports {acceptance(report.accepted, report.value)}"
        for uid, report in sorted(ballot.promised.items())
        if report.accepted != NOTHING
    ]
    shown = reports[:REPORTS_MAX]
    more = [f"{len(reports) - len(shown)} more report others"] * (len(reports) > len(shown))
    return "; ".join([*shown, *more]) + "."


def _own_wish(past: Past, ballot: Ballot) -> str:
    """Return what the proposer's own clients wanted instead, as far as the trace shows it."""
    held = _requests(ballot.value)
    for request, fields in past.server(ballot.proposer).requests.items():
        if request not in held:
            return f", not for its own wish, {call(fields)}, which goes into a later link"
    return ""


def _requests(link: Any) -> set[str]:
    match link:
        case {"type": "Updates", "updates": [*updates]}:
            return {str(update["request_id"]) for update in updates}
        case _:
            return set()


REPORTS_MAX = 5
"""More reports than that are counted."""
