"""Links and numbers in the words of an explanation."""

from collections.abc import Callable

from composable_paxos import LOWEST, ProposalID
from multipaxos.chain.links import Updates
from multipaxos.trace.plain import plain
from multipaxos.trace.text import describe_link


def shown(link: object) -> str:
    """Return in words what *link* holds, as the traces and the history do: ``"hello"``."""
    return describe_link(plain(link))


def shown_apart(one: object, other: object) -> tuple[str, str]:
    """Return in words what two different links hold: with as much as tells them apart."""
    ways: tuple[Callable[[object], str], ...] = (
        shown,
        _with_requests,
        lambda link: str(plain(link)),
    )
    pairs = [(way(one), way(other)) for way in ways]
    return next((pair for pair in pairs if pair[0] != pair[1]), pairs[0])


def no_more_than(proposal_id: ProposalID, what: str) -> str:
    """Say up to which number there is a *what*: ``no promise at all``, ``no promise above 2.A``."""
    return f"no {what} at all" if proposal_id == LOWEST else f"no {what} above {proposal_id}"


def _with_requests(link: object) -> str:
    if not isinstance(link, Updates):
        return shown(link)
    requests = ", ".join(str(update.request_id) for update in link.updates)
    return f"{shown(link)} of request {requests}"
