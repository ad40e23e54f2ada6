"""What a request asks for: the actions that a connection performs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from multipaxos.chain.requests import Chosen, Outcome, Refused, RequestID
from multipaxos.chain.state_machine import Command, Result
from multipaxos.runtime.change_log import Position
from multipaxos.runtime.client_port import resp
from multipaxos.runtime.client_port.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Reply at once."""

    reply: resp.Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Become:
    """Go on as *session*; *reply* in its encoding."""

    session: Session
    reply: resp.Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """Go on as *session*, and reply with what this server is."""

    session: Session


class Propose(NamedTuple):
    """
    Hand *command* to the protocol; when it is chosen, reply with *reply_of* its link and result.

    The request has an id if the client gave it one; otherwise the connection does (None). *since*
    is the client's word for a link that no earlier one can hold it in; None: it says nothing.
    """

    request_id: RequestID | None
    command: Command
    reply_of: Callable[[int, Result], resp.Reply]
    since: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStale:
    """Reply with what *command* reads in this server's own state, however old that is."""

    command: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Tell each change of *key* (None: of all) behind *position* from now on, and nothing else."""

    position: Position
    key: str | None


@dataclass(frozen=True, slots=True)
class TellStatus:
    """Reply with the server's status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellHistory:
    """Reply with the newest *count* links."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TellInfo:
    """Reply with these *sections* of what Redis' INFO tells; all if none is named."""

    sections: frozenset[str]


@dataclass(frozen=True, slots=True)
class TellRole:
    """Reply with the part that this server plays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Greet:
    """
    Reply with the link in progress, if this is server *uid* of *cluster* (None: whoever it is).

    Otherwise say who this is, and serve nothing more.
    """

    cluster: str | None = None
    uid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quit:
    """Reply and close the connection."""

    reply: resp.Reply


Action: TypeAlias = (
    Say
    | Become
    | Welcome
    | Propose
    | ReadStale
    | Watch
    | TellStatus
    | TellHistory
    | TellInfo
    | TellRole
    | Greet
    | Quit
)


class RefusedError(Exception):
    """The request means nothing; the message is the error to reply with."""


def reply_to(propose: Propose, outcome: Outcome) -> resp.Reply:
    """Return the reply for a request that came to *outcome*."""
    match outcome:
        case Chosen():
            return propose.reply_of(outcome.link, outcome.result)
        case Refused(reason=reason):
            return resp.error(f"REFUSED {reason}")
        case _:
            return resp.error(f"UNKNOWN {outcome.reason}")


def replies_to(proposes: Sequence[Propose], outcome: Outcome) -> resp.Reply:
    """Return the replies for requests that went through the chain as one, and to *outcome*."""
    if len(proposes) == 1:
        return reply_to(proposes[0], outcome)
    if not isinstance(outcome, Chosen):
        return reply_to(proposes[0], outcome) * len(proposes)
    link, results = outcome.link, outcome.result
    if not isinstance(results, tuple) or len(results) != len(proposes):
        # Of what was done before, and was too much to be remembered, only that is told.
        results = (results,) * len(proposes)
    return b"".join(
        [each.reply_of(link, result) for each, result in zip(proposes, results, strict=True)]
    )
