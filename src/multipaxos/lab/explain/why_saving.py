"""Why a server saves, and what may leave only then."""

from collections.abc import Mapping
from typing import Any

from multipaxos.chain.position import MASTERS_NUMBER
from multipaxos.lab.explain.ballots import rank
from multipaxos.lab.explain.moment import Moment, Why
from multipaxos.lab.explain.words import BROKEN, NOTHING, acceptance, joined, name, number
from multipaxos.trace.text import links_in_words

REVEALING = ("Prepare", "Promise", "Accept", "Accepted")
"""What tells of the sender's own state, and so waits for the save."""


def why_saved(now: Moment) -> Why:
    """Explain a save: what is new in it, what waits for it, what did not wait."""
    new = _news(now)
    early, waiting = _around(now)
    said = f"{now.who} makes durable what this event changed: {new}.{_taken_back(now)}"
    if waiting:
        said += (
            f" Only now may its {joined(waiting)} leave: after a crash it must still know what it "
            "told the others."
        )
    if not early:
        return "save-before-send", said
    return "early-send", (
        f"{said} Its Accept has left before: that tells what {now.who} wants, not what it has "
        "accepted, and its number can stand for no other value in a later life."
    )


def _news(now: Moment) -> str:
    fields, before = now.fields, now.server.disk
    link = fields["instance"]
    is_new_link = before is None or before["instance"] != link
    news = []
    decided = [one["number"] for one in fields["decided"]]
    if decided:
        news.append(f"the decided {links_in_words(decided)}")
    elif is_new_link and before is not None:
        news.append(f"that it is at link {link}")
    had_accepted = NOTHING if before is None or is_new_link else before["accepted"]
    had_promised = NOTHING if before is None or is_new_link else before["promised"]
    if fields["accepted"] != had_accepted:
        news.append(f"its acceptance of {acceptance(fields['accepted'], fields['value'])}")
    elif fields["promised"] != had_promised:
        news.append(f"its promise of {number(fields['promised'])}")
    if fields["votes_from"] > link:
        news.append(f"that it votes from link {fields['votes_from']} on")
    return " and ".join(news) or "its place in the chain"


def _taken_back(now: Moment) -> str:
    before, fields = now.server.disk, now.fields
    if before is None or before["instance"] != fields["instance"]:
        return ""
    if rank(fields["promised"]) >= rank(before["promised"]):
        return ""
    return (
        f" Its disk had {number(before['promised'])} promised before, and a promise is never taken "
        f"back. {BROKEN}"
    )


def _around(now: Moment) -> tuple[bool, list[str]]:
    """Return whether an Accept left before this save, and which messages leave after it."""
    early, waiting = False, dict[str, None]()
    for place in now.causes.siblings(now.place):
        event = now.causes.events[place]
        if event.kind == "sent":
            message: Any = event.fields["message"]
            kind = message["type"]
            if place < now.place:
                early = early or kind == "Accept"
            elif kind in REVEALING:
                waiting[kind] = None
    return early, list(waiting)


def why_vote_sent(now: Moment) -> Why:
    """Explain why the answer of an acceptor may leave."""
    message, receiver = now.fields["message"], name(now.fields["receiver"])
    n = number(message["proposal_id"])
    safe = _is_on_disk(now, message)
    if message["type"] == "Accepted" and message["value"] is None:
        return "brevity", (
            f"{now.who} tells {receiver}, which proposed {n}, and nobody else, that it has "
            f"accepted it. It leaves the value out: {receiver} knows what {n} stands for. {safe}"
        )
    what = "promise" if message["type"] == "Promise" else "acceptance"
    tells = (
        f"{now.who} tells {receiver} of its {what} of {n}"
        if what == "promise"
        else f"{now.who} tells {receiver} of its {what} of {n}: every server counts for itself "
        "what is chosen"
    )
    return "save-before-send", f"{tells}. {safe}"


def unsaved_promise(now: Moment) -> str:
    """Return what is wrong if a request reveals a number that its sender may forget."""
    message = now.fields["message"]
    if rank(message["proposal_id"]).number == MASTERS_NUMBER and now.past.has_masters:
        return ""
    said = _is_on_disk(now, message)
    return f" {said}" if BROKEN in said else ""


def _is_on_disk(now: Moment, message: Mapping[str, Any]) -> str:
    disk, link = now.server.disk, now.fields["instance"]
    what = "accepted" if message["type"] == "Accepted" else "promised"
    n = number(message["proposal_id"])
    if disk is None and not now.server.is_seen_whole:
        return "What is on its disk this trace does not tell."
    if disk is None or disk["instance"] < link:
        on_disk = "nothing of this link"
    elif disk["instance"] > link or rank(disk[what]) >= rank(message["proposal_id"]):
        return f"That {n} is {what} is on its disk already, so a crash cannot take it back."
    else:
        on_disk = f"{what} {number(disk[what])}"
    return (
        f"Its disk knows {on_disk}: after a crash it would have forgotten what it says here. "
        f"{BROKEN}"
    )


def why_nack_sent(now: Moment) -> Why:
    """Explain a refusal's answer."""
    message, receiver = now.fields["message"], name(now.fields["receiver"])
    return "nack", (
        f"{now.who} tells {receiver} that it refuses {number(message['proposal_id'])}, and why: it "
        f"has promised {number(message['promised_id'])}. Silence would be as safe; the answer "
        f"spares {receiver} a wait, and tells it which number to go above."
    )
