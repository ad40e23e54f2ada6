"""Why a server starts, stops, stands still or asks where the others are; what a crash takes."""

from collections.abc import Mapping
from typing import Any

from multipaxos.lab.explain.moment import Moment, Why
from multipaxos.lab.explain.words import (
    NOTHING,
    call,
    duration,
    founders_in_words,
    joined,
    name,
    number,
    text,
    votes_in_words,
)
from multipaxos.trace.diagram.words import joined as phrase


def why_started(now: Moment) -> Why:
    """Explain with what a server begins."""
    disk = now.server.disk
    if not now.fields["memory"]:
        return "start", (
            f"{now.who} finds no state file. That is not an empty one: it may have voted and "
            "forgotten. So it votes on nothing, and asks the others first where they are."
        )
    if disk is None:
        return "start", (
            f"{now.who} starts with what is on its disk: it has kept all votes that it ever told "
            "of, so it may vote at once."
        )
    return "start", (
        f"{now.who} starts with what is on its disk: it is at link {disk['instance']}, "
        f"{_votes(disk)}. It keeps to that, so nobody can tell the crash from a slow network."
    )


def _votes(disk: Mapping[str, Any]) -> str:
    return votes_in_words(disk, none="no votes there")


def why_crashed(now: Moment) -> Why:
    """Explain what is lost and what stays."""
    server, disk = now.server, now.server.disk
    lost = []
    if server.round is not None:
        lost.append(f"its round {number(server.round)}")
    if server.requests:
        lost.append(f"its clients' requests ({call(next(iter(server.requests.values())))})")
    if server.lease is not None:
        lost.append("its lease")
    if any(server.counted.values()):
        lost.append("the acceptances that it had counted")
    gone = phrase(lost) if lost else "nothing that it had told anybody"
    stays = (
        "its disk as it was"
        if disk is None
        else f"its disk: link {disk['instance']}, {_votes(disk)}"
    )
    return "crash", (
        f"The process of {now.who} ends at once. Lost is {gone}. What stays is {stays}. What "
        f"reached the others stays with them, too: {now.who} is needed for nothing that a quorum "
        "of the others can do."
    )


def why_wiped(now: Moment) -> Why:
    """Explain what the loss of a disk costs."""
    disk = now.server.disk
    had = (
        ""
        if disk is None or disk["promised"] == NOTHING
        else f" In link {disk['instance']} it had {_votes(disk)}."
    )
    return "wiped", (
        f"{now.who} loses what it had promised and accepted.{had} If it voted again as if it had "
        "never voted, it could take that back, and two values could be chosen. So it will ask the "
        "others, and sit out all that it may have voted on."
    )


def why_halted(now: Moment) -> Why:
    """Explain why a server stops for good."""
    return "halt", (
        f"{now.who} stops, and says why: {text(now.fields['reason'])} It sends nothing any more, "
        "which is always safe."
    )


def why_stopped(now: Moment) -> Why:
    """Explain an orderly end."""
    return "crash", (
        f"{now.who} ends as it was asked to. To the protocol that is a crash like any other: what "
        "is on its disk is all that matters."
    )


def why_paused(now: Moment) -> Why:
    """Explain what a pause does."""
    lease = " It trusts a lease, and cannot see it end now." if now.server.lease is not None else ""
    return "pause", (
        f"{now.who} stands still, and does not know it: to the others it looks dead or "
        f"slow.{lease} Messages wait for it."
    )


def why_resumed(now: Moment) -> Why:
    """Explain what follows a pause."""
    lease = now.server.lease
    trust = ""
    if lease is not None and now.past.is_timed:
        over = now.event.seconds >= lease["until"]
        trust = (
            " Its lease ended meanwhile, and it does not know. Before it answers a read alone it "
            "must look at its clock again, after it has read the value."
            if over
            else " Its lease still runs."
        )
    return "pause", (
        f"{now.who} goes on where it stood, as if no time had passed. What it sends now may be "
        f"long out of date: the others refuse what is below their promises.{trust}"
    )


def why_clock(now: Moment) -> Why:
    """Explain what a clock's rate matters for."""
    rate = now.fields["rate"]
    how = "too fast" if rate > 1 else "too slow" if rate < 1 else "as true time does"
    lengths = "" if rate <= 0 else f" A lease of 10 s by it lasts {duration(10 / rate)}."
    return "clock", (
        f"The clock of {now.who} runs {how} from now on.{lengths} Votes do not care. A lease stays "
        "safe as long as no clock errs by more than the cluster's settings allow."
    )


def why_disk(now: Moment) -> Why:
    """Explain what a fault of the disk leads to."""
    fault = name(now.fields["fault"])
    if fault == "mended":
        return "disk", f"The disk of {now.who} takes writes again."
    return "disk", (
        f"The disk of {now.who}: {fault}. Whatever cannot be made durable must not be told: if the "
        f"next save fails, {now.who} stops before a message leaves."
    )


# ---------------------------------------------------------------------------- without memory


def why_waiting(now: Moment) -> Why:
    """Explain for whom a server without memory waits."""
    return "waiting", (
        f"{now.who} has no memory, so it asks the others where they are, and waits for "
        f"{joined(now.fields['waits_for'])}. With the word of a majority, itself not counted, it "
        "knows how far it can have voted before; until then it votes on nothing."
    )


def why_founded(now: Moment) -> Why:
    """Explain why servers may begin a chain."""
    return "founded", (
        f"{founders_in_words(now.fields)} have no memory, that is a quorum, and nobody who "
        "answered has any: no chain can have been decided that all of them forgot. They found a "
        "new one; its link 0 gives it a name and says who may vote from the beginning."
    )


def why_rejoined(now: Moment) -> Why:
    """Explain why a server sits links out."""
    first = now.fields["votes_from"]
    highest = max(0, first - 2)
    return "rejoined", (
        f"A majority has answered; none of them can have voted beyond link {highest}. Had "
        f"{now.who} voted on a link, the one before was decided by a quorum, which shares a server "
        f"with those that answered: so it voted on link {highest + 1} at most. It votes from link "
        f"{first} on, and helps to decide nothing below."
    )


def why_asked_where(now: Moment) -> Why:
    """Explain the question of a server without memory, and the answer."""
    message, receiver = now.fields["message"], name(now.fields["receiver"])
    if message["type"] == "WhereAreYou":
        return "waiting", (
            f"{now.who} has no memory of its votes, or no chain yet, and asks {receiver} where it "
            "is: from the answers of a majority it learns how far it may have voted."
        )
    if message["newborn"]:
        return "waiting", (
            f"{now.who} has no memory either and says so: if a quorum is new they may found a "
            "chain."
        )
    return "waiting", (
        f"{now.who} says how far it may have voted: to link {message['may_have_voted_on']}. The "
        f"answer names the life of {receiver} that asked, so an old one cannot mislead it."
    )


def why_question_arrived(now: Moment) -> Why:
    """Explain the question of a server without memory to whom it reaches."""
    sender = name(now.fields["sender"])
    return "waiting", (
        f"{sender} has no memory, or no chain yet, and asks where {now.who} is. Anybody answers, "
        "at once and as it is: no vote depends on it."
    )


def why_answer_arrived(now: Moment) -> Why:
    """Explain an answer that decides nothing."""
    return "waiting", (
        f"{name(now.fields['sender'])} says where it is. That alone does not tell {now.who} what "
        "to do: it needs the word of a majority, given to its present life, or has decided "
        "already."
    )


def why_other_chain_arrived(now: Moment) -> Why:
    """Explain the news that somebody keeps another chain."""
    return "refuse-other-chain", (
        f"{name(now.fields['sender'])} keeps another chain. If a majority says so, {now.who} "
        "stops: its own chain is not the cluster's any more."
    )
