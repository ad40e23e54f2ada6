"""
What clients can ask, and what it means: requests in, actions out; no connection is touched here.

The command set will grow towards that of Redis; a command's name and errors already follow it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from multipaxos.chain.requests import Chosen, Outcome, Refused, RequestID
from multipaxos.chain.state_machine import Command, StateMachine, result_to_plain
from multipaxos.runtime import resp
from multipaxos.runtime.codec import is_client_id, value_bytes

SEQUENCE_MAX = 2**53 - 1
HISTORY_COUNT_MAX = 100_000
SHOWN_CHARACTERS_MAX = 128

OK = resp.simple("OK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Reply at once."""

    reply: resp.Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose:
    """
    Hand *command* to the protocol; when it is chosen, reply with what *reply_of* makes of that.

    The request has an id if the client gave it one; otherwise the connection does (None). *since*
    is the client's word for a link that no earlier one can hold it in; None: it says nothing.
    """

    request_id: RequestID | None
    command: Command
    reply_of: Callable[[Chosen], resp.Reply]
    since: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStale:
    """Reply with what *command* reads in this server's own state, however old that is."""

    command: Command


@dataclass(frozen=True, slots=True)
class TellStatus:
    """Reply with the server's status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellHistory:
    """Reply with the newest *count* links."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Greet:
    """
    Reply with the link in progress, if this is server *uid* of *cluster* (None: whoever it is).

    Otherwise say who this is, and serve nothing more.
    """

    cluster: str | None = None
    uid: str | None = None


@dataclass(frozen=True, slots=True)
class Quit:
    """Say goodbye and close the connection."""


Action: TypeAlias = Say | Greet | Propose | ReadStale | TellStatus | TellHistory | Quit


class _RefusedError(Exception):
    """The request means nothing; the message is the error to reply with."""


def interpret(request: Sequence[bytes], *, machine: StateMachine, value_bytes_max: int) -> Action:
    """
    Return what *request* asks for; a request that makes no sense gets an error as its reply.

    The *machine* knows its commands; an argument of one may take *value_bytes_max* bytes as JSON.
    """
    name, *arguments = request
    try:
        match name.upper(), arguments:
            case b"PING", []:
                return Say(reply=resp.simple("PONG"))
            case b"PING", [message]:
                return Say(reply=resp.bulk(_text(message, "the message")))
            case b"QUIT", _:
                return Quit()
            case b"MULTIPAXOS", [subcommand, *rest]:
                return _interpret_own(subcommand, rest, machine, value_bytes_max)
            case b"PING" | b"MULTIPAXOS", _:
                raise _wrong_number(_shown(name).lower())
            case _:
                return Propose(
                    request_id=None,
                    command=_command(name, arguments, machine, value_bytes_max),
                    reply_of=lambda chosen: resp.result(chosen.result),
                )
    except _RefusedError as refused:
        return Say(reply=resp.error(str(refused)))


def reply_to(propose: Propose, outcome: Outcome) -> resp.Reply:
    """Return the reply for a request that came to *outcome*."""
    match outcome:
        case Chosen():
            return propose.reply_of(outcome)
        case Refused(reason=reason):
            return resp.error(f"REFUSED {reason}")
        case _:
            return resp.error(f"UNKNOWN {outcome.reason}")


def _interpret_own(
    name: bytes, arguments: list[bytes], machine: StateMachine, value_bytes_max: int
) -> Action:
    match name.upper(), arguments:
        case b"PROPOSE", [client, sequence, since, verb, *values]:
            request_id = RequestID(_client(client), _integer(sequence, "sequence", SEQUENCE_MAX))
            return Propose(
                request_id=request_id,
                since=_integer(since, "since", SEQUENCE_MAX, minimum=0),
                command=_command(verb, values, machine, value_bytes_max),
                reply_of=link_and_result,
            )
        case b"STALE", [verb, *values]:
            command = _command(verb, values, machine, value_bytes_max)
            if not machine.is_read(command):
                raise _RefusedError(f"ERR '{command[0].lower()}' is no read: it cannot be stale")
            return ReadStale(command=command)
        case b"HELLO", []:
            return Greet()
        case b"HELLO", [cluster, uid]:
            return Greet(cluster=_shown(cluster), uid=_shown(uid))
        case b"STATUS", []:
            return TellStatus()
        case b"HISTORY", [count]:
            return TellHistory(count=_integer(count, "count", HISTORY_COUNT_MAX))
        case b"PROPOSE" | b"STALE" | b"HELLO" | b"STATUS" | b"HISTORY", _:
            raise _wrong_number(f"multipaxos|{_shown(name).lower()}")
        case _:
            raise _RefusedError(f"ERR unknown subcommand '{_shown(name)}'.")


def _command(
    verb: bytes, arguments: list[bytes], machine: StateMachine, value_bytes_max: int
) -> Command:
    name = _shown(verb).upper()
    if name not in machine.forms:
        raise _unknown(verb, arguments)
    command = (name, *(_value(argument, value_bytes_max) for argument in arguments))
    fault = machine.refusal(command)
    if fault is not None:
        raise _RefusedError(fault)
    return command


def link_and_result(chosen: Chosen) -> resp.Reply:
    """Return the reply that tells of the link and, as JSON, of the result with its exact type."""
    result = msgspec.json.encode(result_to_plain(chosen.result)).decode()
    return resp.array([resp.integer(chosen.link), resp.bulk(result)])


# ---------------------------------------------------------------------------------------- arguments


def _text(argument: bytes, what: str) -> str:
    try:
        return argument.decode()
    except UnicodeDecodeError as error:
        raise _RefusedError(
            f"REFUSED {what} is not UTF-8 text: byte {argument[error.start]:#04x} "
            f"at position {error.start}"
        ) from None


def _value(argument: bytes, value_bytes_max: int) -> str:
    value = _text(argument, "the value")
    size = value_bytes(value)
    if size > value_bytes_max:
        raise _RefusedError(
            f"REFUSED the value is too large: it takes {size} bytes in a message, "
            f"and {value_bytes_max} is the most that fits"
        )
    return value


def _client(argument: bytes) -> str:
    client = _shown(argument)
    if not is_client_id(client):
        raise _RefusedError(
            "ERR a client is named by 1 to 40 letters, digits or '_', '-', '.', ':'"
        )
    return client


def _integer(argument: bytes, name: str, maximum: int, *, minimum: int = 1) -> int:
    digits_max = len(str(maximum))
    # Python would read more than ASCII digits, and blanks and underscores between them.
    if argument.isdigit() and len(argument) <= digits_max and minimum <= int(argument) <= maximum:
        return int(argument)
    raise _RefusedError(f"ERR {name} must be a whole number from {minimum} to {maximum}")


def _shown(argument: bytes) -> str:
    return argument[:SHOWN_CHARACTERS_MAX].decode(errors="backslashreplace")


def _wrong_number(command: str) -> _RefusedError:
    return _RefusedError(f"ERR wrong number of arguments for '{command}' command")


def _unknown(name: bytes, arguments: Sequence[bytes]) -> _RefusedError:
    shown = " ".join(f"'{_shown(argument)}'" for argument in arguments)[:SHOWN_CHARACTERS_MAX]
    return _RefusedError(f"ERR unknown command '{_shown(name)}', with args beginning with: {shown}")
