"""Links and numbers in the words of an explanation."""

from collections.abc import Callable

from immutables import Map

from composable_paxos import LOWEST, ProposalID
from multipaxos.chain.links import Updates
from multipaxos.chain.state_machine import Command, Failure, Result, State
from multipaxos.trace.plain import plain
from multipaxos.trace.text import describe_link, describe_state, printable, quoted


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


def shown_command(command: Command) -> str:
    """Return *command* as a person writes it, its arguments in quotes: ``SET "x"``."""
    name, *arguments = command
    return " ".join((printable(name), *(quoted(argument) for argument in arguments)))


def shown_result(result: Result) -> str:
    """Return in words what the client of a command is told."""
    match result:
        case None:
            return "nothing"
        case bool():
            return "done" if result else "not done"
        case Failure(text=text):
            return printable(text)
        case tuple():
            return f"[{', '.join(map(shown_result, result))}]"
        case str():
            return quoted(result)
        case _:
            return str(result)


def shown_state(state: State) -> str:
    """Return in words what a state machine holds: ``"hello"``, or ``a "1", b "2"``."""
    return describe_state(plain(state))


def states_apart(one: State, other: State) -> tuple[str, str]:
    """Return in words what two different states hold: of many keys those that differ."""
    if isinstance(one, Map) and isinstance(other, Map) and one != other:
        keys = {key for key in (*one, *other) if one.get(key) != other.get(key)}
        one, other = (Map({key: held.get(key) for key in keys}) for held in (one, other))
    return shown_state(one), shown_state(other)


def no_more_than(proposal_id: ProposalID, what: str) -> str:
    """Say up to which number there is a *what*: ``no promise at all``, ``no promise above 2.A``."""
    return f"no {what} at all" if proposal_id == LOWEST else f"no {what} above {proposal_id}"


def _with_requests(link: object) -> str:
    if not isinstance(link, Updates):
        return shown(link)
    requests = ", ".join(str(update.request_id) for update in link.updates)
    return f"{shown(link)} of request {requests}"
