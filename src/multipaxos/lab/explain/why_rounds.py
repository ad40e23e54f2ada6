"""Why a proposer and a learner did what they did: requests, counts, lost rounds."""

from dataclasses import replace

from multipaxos.chain.effects import Timer
from multipaxos.chain.settings import Settings
from multipaxos.lab.explain.ballots import rank
from multipaxos.lab.explain.choice import BOUND, FREE, NUMBER_ONE, choice_in_words, choice_of
from multipaxos.lab.explain.moment import Moment, Why
from multipaxos.lab.explain.why_saving import unsaved_promise
from multipaxos.lab.explain.words import (
    BROKEN,
    NOTHING,
    acceptance,
    counted,
    duration,
    joined,
    name,
    number,
    value,
)


def why_prepare(now: Moment) -> Why:
    """Explain a request to promise: its number, or that it is a repetition."""
    if now.past.was_sent(now.fields):
        return _repeated(now)
    server, link = now.server, now.fields["instance"]
    proposal_id = now.fields["message"]["proposal_id"]
    n = number(proposal_id)
    seen = _highest_but(now, link, proposal_id)
    above = (
        f"The highest number that it has met in this link is {number(seen)}; {n} is above that"
        if seen != NOTHING
        else f"It has met no number in this link{_lowest(now)}, so it begins with {n}"
    )
    again = f" It has lost {counted(server.lost, 'round')} here before." if server.lost else ""
    return "prepare", (
        f"{now.who} begins a round for link {link}. {above}, and the name in it is its own: nobody "
        f"else can issue {n}.{again} It asks every server to promise it, and to report what it has "
        f"accepted, for a value may be chosen already.{unsaved_promise(now)}"
    )


def _lowest(now: Moment) -> str:
    return ", and number 1 belongs to the master" if now.past.has_masters else ""


def _highest_but(now: Moment, link: int, proposal_id: str) -> str:
    """Return the highest number below the new one: its own vote for that was told before."""
    below = [
        other
        for other in now.past.ballots.in_link(link)
        if rank(other) < rank(proposal_id) and rank(other) <= rank(now.server.highest)
    ]
    return max(below, key=rank, default=NOTHING)


def _repeated(now: Moment) -> Why:
    message = now.fields["message"]
    kind, n = message["type"], number(message["proposal_id"])
    why = "No quorum has answered it yet"
    if now.cause is not None and now.cause.kind == "delivered":
        why = f"{name(now.fields['receiver'])} has shown that it missed something"
    return "retransmission", (
        f"{now.who} asked {name(now.fields['receiver'])} before with {kind} {n}. {why}: the "
        "request may be lost, or the answer. It asks again, with the same number and the same "
        "value, so whoever answered already gives the same answer, and is counted once."
    )


def why_accept(now: Moment) -> Why:
    """Explain a request to accept: the choice of the value, or that it is a repetition."""
    link, message = now.fields["instance"], now.fields["message"]
    ballot = now.past.ballots.of(link, message["proposal_id"])
    if ballot.asked is not None and ballot.value != message["value"]:
        return "prepare", (
            f"{now.who} asks for {value(message['value'])} under {number(message['proposal_id'])}, "
            f"and has asked for {value(ballot.value)} under it before: one number stands for two "
            f"values. {BROKEN}"
        )
    if now.past.was_sent(now.fields):
        return _repeated(now)
    if ballot.asked is None:
        ballot = replace(ballot, value=message["value"])
    rule = _CHOICES.get(choice_of(now.past, ballot), "bound-choice")
    return rule, choice_in_words(now.past, ballot) + _own_vote(now) + unsaved_promise(now)


def _own_vote(now: Moment) -> str:
    """Return what is special about the proposer's own vote: that it comes later, or not at all."""
    siblings = [now.causes.events[place] for place in now.causes.siblings(now.place)]
    if any(e.kind == "timer set" and e.fields["timer"] == Timer.OWN_VOTE for e in siblings):
        return (
            f" {now.who} does not vote itself yet: the others answered last time, and their votes "
            "are enough (abstention)."
        )
    if now.causes.follows(now.place, "saved") and not now.causes.precedes(now.place, "saved"):
        return (
            f" The request leaves while {now.who} still saves its own vote (group commit): it says "
            "what it wants, not what it has accepted, and its number can stand for nothing else."
        )
    return ""


_CHOICES = {FREE: "free-choice", BOUND: "bound-choice", NUMBER_ONE: "number-one"}


# ------------------------------------------------------------------------------ what comes back


def why_promise_arrived(now: Moment) -> Why | None:
    """Explain what a promise is worth to the proposer that it reaches."""
    message, link, server = now.fields["message"], now.fields["instance"], now.server
    acceptor, n = name(message["acceptor"]), number(message["proposal_id"])
    ballot = now.past.ballots.of(link, message["proposal_id"])
    late = _is_late(now, link)
    if late:
        return "count-promise", f"The promise of {n} comes too late. {late}"
    if server.round not in (None, message["proposal_id"]):
        return "count-promise", (
            f"The promise of {n} is about a round that {now.who} has given up: it drives "
            f"{number(server.round)} now, and counts promises of that one only."
        )
    if message["acceptor"] in ballot.promised:
        return "count-promise", (
            f"{acceptor} has promised {n} before, and that has been counted. {now.who} counts "
            "servers, not messages: a promise that comes twice is one promise."
        )
    if ballot.asked is not None:
        return "count-promise", (
            f"{now.who} had its quorum of promises for {n} without {acceptor}, and has asked for "
            "acceptance already: this promise changes nothing."
        )
    promised = {*ballot.promised, message["acceptor"]}
    reports = acceptance(message["accepted_id"], message["accepted_value"])
    have = f"{joined(sorted(promised))} {'has' if len(promised) == 1 else 'have'} promised {n}"
    enough = (
        f"that is a quorum, so {now.who} may ask for acceptance"
        if len(promised) >= now.past.promise_size
        else f"a quorum is {now.promising_quorum()}, so {now.who} waits for more"
    )
    return "count-promise", (
        f"{acceptor} promises {n} and reports that it has accepted {reports}. {have}: {enough}."
    )


def _is_late(now: Moment, link: int) -> str:
    at = now.server.link
    if at is None or link >= at:
        return ""
    return (
        f"{now.who} knows what link {link} decided and is at link {at}: what is said of link "
        f"{link} changes nothing there any more."
    )


def why_acceptance_arrived(now: Moment) -> Why:
    """Explain what an acceptance is worth to the learner that it reaches."""
    message, link = now.fields["message"], now.fields["instance"]
    acceptor, n = name(message["acceptor"]), number(message["proposal_id"])
    late = _is_late(now, link)
    if late:
        return "count-acceptance", f"The acceptance of {n} by {acceptor} is late news. {late}"
    known = now.server.count(link, message["proposal_id"])
    if message["acceptor"] in known:
        return "count-acceptance", (
            f"{now.who} knows already that {acceptor} has accepted {n}. It counts servers, not "
            "messages: what comes twice counts once."
        )
    accepted = {*known, message["acceptor"]}
    have = f"{joined(sorted(accepted))} {'has' if len(accepted) == 1 else 'have'} accepted {n}"
    enough = (
        f"That is a quorum: {n} is chosen for link {link}, and {now.who} knows it now."
        if len(accepted) >= now.past.accept_size
        else (
            f"A quorum is {now.accepting_quorum()}: {now.who} cannot know yet whether {n} is "
            "chosen."
        )
    )
    return "count-acceptance", f"As far as {now.who} knows, {have}. {enough}"


def why_nack_arrived(now: Moment) -> Why:
    """Explain what a refusal means to the proposer that it reaches."""
    message, link = now.fields["message"], now.fields["instance"]
    acceptor, n = name(message["acceptor"]), number(message["proposal_id"])
    promised = number(message["promised_id"])
    late = _is_late(now, link)
    if late or now.server.round not in (None, message["proposal_id"]):
        driven = late or f"{now.who} drives {number(now.server.round)} now."
        return "nack", (
            f"{acceptor} refuses {n}, for it has promised {promised}. That round is over. {driven}"
        )
    ballot = now.past.ballots.of(link, message["proposal_id"])
    refused = {*ballot.refused, message["acceptor"]}
    left = len(now.past.uids) - len(refused)
    needed = now.past.promise_size if ballot.asked is None else now.past.accept_size
    if left >= needed:
        so = f"{counted(left, 'server')} may still grant it, a quorum: the round goes on"
    else:
        so = f"only {left} could still grant it, which is no quorum: the round is lost"
    return "nack", (
        f"{acceptor} refuses {n}, for it has promised {promised}. Of {len(now.past.uids)} servers "
        f"{len(refused)} {'has' if len(refused) == 1 else 'have'} refused; {so}. The next round of "
        f"{now.who} will be above {promised}."
    )


# ----------------------------------------------------------------------------------- lost rounds


def why_round_lost(now: Moment) -> Why:
    """Explain why a round is given up."""
    link, proposal_id = now.fields["instance"], now.fields["proposal_id"]
    n, promised = number(proposal_id), number(now.fields["promised_id"])
    ballot = now.past.ballots.of(link, proposal_id)
    by = f"{joined(sorted(ballot.refused))} refused {n}" if ballot.refused else f"{n} was refused"
    accepted = sorted(ballot.accepted)
    left = (
        f" {joined(accepted)} accepted it; that is no quorum, and a later proposer that hears of "
        "it takes its value over."
        if accepted and len(accepted) < now.past.accept_size
        else ""
    )
    return "round-lost", (
        f"{by}, having promised up to {promised}. Those that have not refused are no quorum of "
        f"{len(now.past.uids)} any more, so {n} cannot succeed in link {link}.{left} {now.who} "
        f"will begin another round above {promised}, after a wait."
    )


def why_backoff_set(now: Moment) -> Why:
    """Explain a wait after a lost round, with the window that it was drawn from."""
    server, losses = now.server, max(1, now.server.lost)
    after = now.fields["after"]
    window = _window(now, losses)
    drawn = f"one of {duration(window)}" if after <= window else "one that begins small"
    return "backoff", (
        f"{now.who} has lost {counted(losses, 'round')} in link {server.link}. Its next one begins "
        f"in {duration(after)}: drawn at random from a window, {drawn}, which doubles with each "
        "loss. Two that duel draw different waits, and the larger the window, the likelier it is "
        "that one of them has the time to finish."
    )


def _window(now: Moment, losses: int) -> float:
    usual = Settings()
    first = now.past.settings.get("backoff_seconds_min", usual.backoff_seconds_min)
    longest = now.past.settings.get("backoff_seconds_max", usual.backoff_seconds_max)
    doubled = min(losses - 1, DOUBLINGS_MAX)
    return float(min(first * 2**doubled, longest))


def why_takeover(now: Moment) -> Why:
    """Explain why a server finishes what another began."""
    accepted = now.fields["accepted_id"]
    vote = now.server.vote(now.fields["instance"])
    what = acceptance(accepted, vote.value) if vote.accepted == accepted else number(accepted)
    return "takeover", (
        f"{now.who} has accepted {what} in link {now.fields['instance']} and heard nothing of it "
        "for a while. It may be chosen, and whoever proposed it may be down. A round of its own "
        "finds out: if it is chosen, the promises will report it."
    )


DOUBLINGS_MAX = 64
"""After so many the longest window is reached, whatever the first one was."""
