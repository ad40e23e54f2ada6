"""What messages say, in plain sentences: who tells whom what."""

from collections.abc import Callable, Mapping
from typing import Any

from multipaxos.lab.explain.words import (
    NOTHING,
    acceptance,
    clipped,
    counted,
    name,
    number,
    request_name,
    value,
)
from multipaxos.trace.text import links_in_words

LABEL_LENGTH_MAX = 120


def label(message: Mapping[str, Any]) -> str:
    """Return *message* in the words of the paper: ``Accept 2.A "x"``."""
    kind = str(message["type"])
    said = f"{name(kind)} {number(message['proposal_id'])}" if "proposal_id" in message else kind
    match kind:
        case "Promise" if message["accepted_id"] == NOTHING:
            said += ", nothing accepted"
        case "Promise":
            said += f", accepted {acceptance(message['accepted_id'], message['accepted_value'])}"
        case "Accept" | "Accepted" if message["value"] is not None:
            said += f" {value(message['value'])}"
        case "Nack":
            said += f", promised {number(message['promised_id'])}"
        case "Decided":
            said += f", {_links(message)}"
        case "IAmAt" if message["newborn"]:
            said += ", new too"
        case "IAmAt":
            said += f", may have voted on link {message['may_have_voted_on']}"
        case "Forward":
            said += f", {counted(len(message['updates']), 'request')}"
        case "SnapshotPart" | "FetchPart":
            said += f" {message['number']}"
        case _:
            pass
    return clipped(said, LABEL_LENGTH_MAX)


def sent(fields: Mapping[str, Any]) -> str:
    """Return in a sentence what the sender of the message in *fields* says with it."""
    message = fields["message"]
    says = _SAYS.get(str(message["type"]))
    sender, receiver, link = name(fields["sender"]), name(fields["receiver"]), fields["instance"]
    if says is None:
        return f"{sender} sends {label(message)} to {receiver}."
    return says(sender, receiver, link, message)


def _links(message: Mapping[str, Any]) -> str:
    links = message["links"]
    return links_in_words([decided["number"] for decided in links]) if links else "no links"


def _prepare(sender: str, receiver: str, link: int, message: Mapping[str, Any]) -> str:
    return f"{sender} asks {receiver} to promise {number(message['proposal_id'])} for link {link}."


def _promise(sender: str, receiver: str, link: int, message: Mapping[str, Any]) -> str:
    accepted = acceptance(message["accepted_id"], message["accepted_value"])
    return (
        f"{sender} tells {receiver} that it promises {number(message['proposal_id'])} for link "
        f"{link}, and that it has accepted {accepted}."
    )


def _accept(sender: str, receiver: str, link: int, message: Mapping[str, Any]) -> str:
    return (
        f"{sender} asks {receiver} to accept {value(message['value'])} under "
        f"{number(message['proposal_id'])} for link {link}."
    )


def _accepted(sender: str, receiver: str, link: int, message: Mapping[str, Any]) -> str:
    what = "" if message["value"] is None else f" with {value(message['value'])}"
    return (
        f"{sender} tells {receiver} that it has accepted {number(message['proposal_id'])}{what} "
        f"for link {link}."
    )


def _nack(sender: str, receiver: str, link: int, message: Mapping[str, Any]) -> str:
    return (
        f"{sender} tells {receiver} that it refuses {number(message['proposal_id'])} for link "
        f"{link}: it has promised {number(message['promised_id'])}."
    )


def _sync(sender: str, receiver: str, link: int, message: Mapping[str, Any]) -> str:
    waits = message["votes_from"]
    sits_out = f", and votes on no link below {waits}" if waits > link else ""
    return f"{sender} tells {receiver} that it is at link {link}{sits_out}."


def _catch_up(sender: str, receiver: str, link: int, _message: Mapping[str, Any]) -> str:
    return f"{sender} tells {receiver} what all links below {link} amount to."


def _decided(sender: str, receiver: str, _link: int, message: Mapping[str, Any]) -> str:
    return f"{sender} tells {receiver} what was decided: {_links(message)}."


def _part(sender: str, receiver: str, _link: int, message: Mapping[str, Any]) -> str:
    return (
        f"{sender} sends {receiver} part {message['number']} of what the links below "
        f"{message['at']} amount to."
    )


def _fetch(sender: str, receiver: str, _link: int, message: Mapping[str, Any]) -> str:
    return (
        f"{sender} asks {receiver} for part {message['number']} of what the links below "
        f"{message['at']} amount to."
    )


def _other_chain(sender: str, receiver: str, _link: int, _message: Mapping[str, Any]) -> str:
    return f"{sender} tells {receiver} that it keeps another chain."


def _forward(sender: str, receiver: str, _link: int, message: Mapping[str, Any]) -> str:
    requests = counted(len(message["updates"]), "request")
    return f"{sender} hands {requests} of its clients on to {receiver}, the master."


def _answered(sender: str, receiver: str, _link: int, message: Mapping[str, Any]) -> str:
    return (
        f"{sender} tells {receiver} the result of its read {request_name(message['request_id'])}, "
        f"as of link {message['link']}."
    )


def _where(sender: str, receiver: str, _link: int, _message: Mapping[str, Any]) -> str:
    return f"{sender}, which has no memory, asks {receiver} at which link it is."


def _i_am_at(sender: str, receiver: str, _link: int, message: Mapping[str, Any]) -> str:
    if message["newborn"]:
        return f"{sender} tells {receiver} that it is new, too."
    voted = message["may_have_voted_on"]
    return f"{sender} tells {receiver} that it may have voted on links up to {voted}."


_SAYS: Mapping[str, Callable[[str, str, int, Mapping[str, Any]], str]] = {
    "Prepare": _prepare,
    "Promise": _promise,
    "Accept": _accept,
    "Accepted": _accepted,
    "Nack": _nack,
    "Sync": _sync,
    "CatchUp": _catch_up,
    "Decided": _decided,
    "SnapshotPart": _part,
    "FetchPart": _fetch,
    "OtherChain": _other_chain,
    "Forward": _forward,
    "Answered": _answered,
    "WhereAreYou": _where,
    "IAmAt": _i_am_at,
}
