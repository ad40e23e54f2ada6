"""What clients write and read: requests as bytes, replies as outcomes. Pure functions."""

import json
from dataclasses import dataclass
from typing import Any

import hiredis

from multipaxos.chain.requests import Chosen, Outcome, Refused, RequestID, Unknown
from multipaxos.chain.state_machine import Command, result_from_plain
from multipaxos.client.errors import ProtocolError

ARGUMENT_BYTES_MAX = 64 * 1024 * 1024
"""No server reads more. What a cluster's servers take may be less; they say how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    A command under the names that it keeps through all its retries, so that it is applied once.

    It is in no link below *since*: when it was made, all of those were decided.
    """

    request_id: RequestID
    since: int
    command: Command

    def packed(self) -> bytes:
        """Return the bytes that propose it."""
        client, sequence = self.request_id
        return pack("MULTIPAXOS", "PROPOSE", client, sequence, self.since, *self.command)


def pack(*arguments: str | int) -> bytes:
    """Return a request's bytes."""
    # Its type hint speaks of one argument; it takes any number.
    pack_command: Any = hiredis.pack_command
    packed: bytes = pack_command(arguments)
    return packed


def refusal_of(command: Command) -> Refused | None:
    """Return why no server would read *command*, before anything is sent; None if one may."""
    if not command:
        return Refused(reason="ERR there is no command")
    for argument in command:
        if not isinstance(argument, str):
            raise TypeError(f"a command consists of texts, and {argument!r} is none")
        try:
            size = len(argument.encode())
        except UnicodeEncodeError:
            return Refused(reason="the value has lone surrogates, which no UTF-8 text can hold")
        if size > ARGUMENT_BYTES_MAX:
            return Refused(reason=f"the value is too large: it has {size} bytes")
    return None


def outcome_of(reply: Any) -> Outcome:
    """
    Return the outcome that the *reply* to a proposal tells.

    A malformed command is Refused, with its error as the reason, for it was not proposed.
    ProtocolError for a reply that tells none.
    """
    match reply:
        case [int(link), bytes(result)]:
            return Chosen(link=link, result=_result(result))
        case hiredis.ReplyError():
            return _outcome_of_error(str(reply))
        case _:
            raise ProtocolError(f"the server answers {reply!r}, which is no outcome")


TOO_LONG = "ERR Protocol error: invalid bulk length"
"""What a server says of an argument that it does not read, for a value may have no more there."""


def text_or_none(argument: Any) -> str | None:
    """Return the text in a reply's *argument*; ProtocolError if it holds something else."""
    if argument is None:
        return None
    if isinstance(argument, bytes):
        return argument.decode(errors="backslashreplace")
    raise ProtocolError(f"the server answers {argument!r}, which is no text")


def _result(result: bytes) -> Any:
    try:
        return result_from_plain(json.loads(result))
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"the server answers {result!r}, which is no result") from error


def _outcome_of_error(text: str) -> Outcome:
    kind, _, reason = text.partition(" ")
    match kind:
        case "REFUSED":
            return Refused(reason=reason)
        case "UNKNOWN":
            return Unknown(reason=reason)
        case "ERR" if text == TOO_LONG:
            return Refused(reason="the value is too large: this cluster's servers do not read it")
        case "ERR" | "NOAUTH":
            return Refused(reason=text)
        case _:
            raise ProtocolError(f"the server answers: {text}")
