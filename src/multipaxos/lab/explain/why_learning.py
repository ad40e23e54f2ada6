"""Why a link is chosen, how servers come to know, and what clients are told."""

from typing import Any

from multipaxos.lab.explain.moment import Moment, Why
from multipaxos.lab.explain.words import (
    BROKEN,
    call,
    counted,
    joined,
    name,
    number,
    request_name,
    state,
    text,
    value,
)
from multipaxos.trace import TraceEvent


def why_chosen(now: Moment) -> Why:
    """Explain the instant of choice; a second one that differs is a disaster."""
    link, proposal_id = now.fields["instance"], now.fields["proposal_id"]
    acceptors, n = now.fields["acceptors"], number(proposal_id)
    said = (
        f"{joined(acceptors)} have {n} on their disks now: {len(acceptors)} of "
        f"{len(now.past.uids)} servers. "
    )
    others = [c for c in now.past.chosen.get(link, ()) if c.value != now.fields["value"]]
    if others:
        before = others[0]
        return "chosen", (
            f"{said}But {value(before.value)} was chosen for link {link} before, under "
            f"{number(before.proposal_id)} by {joined(before.acceptors)}: two values are chosen, "
            "and that must never happen."
        )
    return "chosen", (
        f"{said}That is a quorum ({now.accepting_quorum()}), so {value(now.fields['value'])} is "
        f"chosen for link {link}: {_when(now)}, whether anybody knows it or not. No other value "
        "can be chosen for it any more: every later round asks a quorum, one of these servers is "
        "in it, and reports what it accepted."
    )


def _when(now: Moment) -> str:
    # The votes may be older than the first word of them that the traces of real servers give.
    return "at this instant" if now.past.sees_all else "at this instant at the latest"


def why_resolved(now: Moment) -> Why:
    """Explain how a learner came to know a link."""
    link, n = now.fields["instance"], number(now.fields["proposal_id"])
    acceptors = now.fields["acceptors"]
    what = value(now.fields["link"])
    if not acceptors:
        return "resolved-by-being-told", (
            f"{now.who} has accepted {n} itself and hears now that {n} decided link {link}. A "
            f"number stands for one value, so the link is what {now.who} accepted: {what}. It need "
            "not count, and nobody had to repeat the value."
        )
    if len(acceptors) < now.past.accept_size:
        return "resolved-by-counting", (
            f"{now.who} takes {what} for chosen, for {joined(acceptors)} accepted {n}: a quorum is "
            f"{now.accepting_quorum()}. {BROKEN}"
        )
    return "resolved-by-counting", (
        f"The acceptances of {joined(acceptors)} have reached {now.who}, all of {n}: that is "
        f"{counted(len(acceptors), 'server')} of {len(now.past.uids)}, a quorum. So {what} is "
        f"chosen for link {link}; {now.who} applies it and goes on to link "
        f"{link + 1}.{_was_chosen(now, link)}"
    )


def _was_chosen(now: Moment, link: int) -> str:
    chosen = now.past.chosen.get(link)
    if not chosen:
        return ""
    if not now.past.is_timed:
        return " It was chosen before."
    since = now.event.seconds - now.causes.events[chosen[0].place].seconds
    return f" It was chosen {since * 1000:.1f} ms earlier." if since > 0 else ""


def why_learned(now: Moment) -> Why:
    """Explain a link that another server told of."""
    link, told_by = now.fields["instance"], name(now.fields["told_by"])
    return "learned", (
        f"{told_by} has learned link {link} and tells {now.who}, which was still at it. What one "
        f"server has learned is decided, so {now.who} takes {value(now.fields['link'])} without "
        "counting votes, as if it had counted them."
    )


def why_caught_up(now: Moment) -> Why:
    """Explain a jump."""
    link, at = now.fields["instance"], now.server.link
    skipped = "" if at is None else f" from link {at}"
    return "caught-up", (
        f"{now.who} jumps{skipped} to link {link}: it has missed the links before. All of them are "
        f"decided, and they amount to {state(now.fields['value'])}; what {now.who} promised or "
        "accepted in them does not matter any more."
    )


# ----------------------------------------------------------------------------------------- clients


def why_called(now: Moment) -> Why:
    """Explain what becomes of a client's request."""
    request, asked = str(now.fields["request"]), call(now.fields)
    effects = [now.causes.events[place] for place in now.causes.effects(now.place)]
    kinds = {event.kind for event in effects}
    sent = {_type_of(event) for event in effects if event.kind == "sent"}
    queued = f"{now.who} queues it until it is in a link of the chain. "
    if "forwarded" in kinds:
        goes = "It must not propose now, so it hands the request on to the master"
    elif "answered" in kinds:
        queued, goes = "", f"{now.who} can answer at once"
    elif "Prepare" in sent:
        goes = "Nothing else is in flight here, so it begins a round for it"
    elif "Accept" in sent:
        goes = "It is the master, so it asks for acceptance at once"
    else:
        goes = "It waits until this server may propose it"
    again = " It is asked again under the same id." if request in now.server.requests else ""
    return "request", (
        f"{name(now.fields['client'])} asks {now.who} for {asked}, under the id "
        f"{request_name(request)}.{again} {queued}{goes}."
    )


def _type_of(sent: TraceEvent) -> str:
    message: Any = sent.fields["message"]
    return str(message["type"])


def why_answered(now: Moment) -> Why:
    """Explain an answer that a server has for its client."""
    outcome, request = now.fields["outcome"], request_name(now.fields["request"])
    match outcome["type"]:
        case "Chosen":
            return "answer", (
                f"Link {outcome['link']} holds request {request}, or the read is as of that link. "
                f"{now.who} has applied it, so its client can be told: nothing can undo it."
            )
        case "Refused":
            return "refused-request", (
                f"{now.who} has not proposed request {request} and will not: "
                f"{text(outcome['reason'])}."
            )
        case _:
            return "unknown", (
                f"{now.who} cannot know whether request {request} is, or will be, in the chain: "
                f"{text(outcome['reason'])}. To say yes or no would be a guess."
            )


def why_returned(now: Moment) -> Why:
    """Explain what a client is told."""
    client, request = name(now.fields["client"]), request_name(now.fields["request"])
    match now.fields["status"]:
        case "ok":
            return "answer", (
                f"{client} is told that request {request} is done: link {now.fields['link']} is "
                "decided and applied. No crash and no later round can undo it."
            )
        case "refused":
            return "refused-request", (
                f"{client} is told that {now.who} has not proposed request {request}: "
                f"{text(now.fields['reason'])}. It may ask again, here or elsewhere."
            )
        case _:
            return "unknown", (
                f"{client} does not learn what became of request {request}: "
                f"{text(now.fields['reason'])}. It may be chosen already or be chosen later; "
                "unknown is not the same as failed."
            )
