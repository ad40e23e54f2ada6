"""
The methods of a replicated value as pure pairs: the command that is sent, the answer that it means.

Blocking and asyncio values share them. Where a form with a key and one without exist, the number of
arguments tells which is meant: the first is for a dictionary, the second for a register.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from multipaxos.chain.requests import Chosen, Outcome, Refused
from multipaxos.chain.state_machine import Command, Failure, Result
from multipaxos.client.errors import (
    AuthenticationError,
    CommandError,
    OutcomeError,
    ProtocolError,
    RefusedError,
    UnknownOutcomeError,
)
from multipaxos.client.servers import shown
from multipaxos.client.steps import Endpoint
from multipaxos.client.wire import outcome_of, text_or_none

A = TypeVar("A")

SCAN_COUNT = 100
"""About so many keys are asked for at a time."""
SCAN_END = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleValue:
    """What *server* had behind *link*: it may have been older than what others had by then."""

    value: str | None
    link: int
    server: str


@dataclass(frozen=True, slots=True)
class Call(Generic[A]):
    """A *command*, and how to *read* its result."""

    command: Command
    read: Callable[[Result], A]

    def answer(self, outcome: Outcome) -> A:
        """Return what *outcome* means; an OutcomeError if it has no result."""
        return self.read(result_of(outcome))


def result_of(outcome: Outcome) -> Result:
    """Return the result of a Chosen; the error that any other outcome is."""
    match outcome:
        case Chosen(result=Failure(text=text)):
            raise CommandError(text.removeprefix("ERR "))
        case Chosen(result=result):
            return result
        case Refused(reason=reason):
            raise _refusal(reason)
        case _:
            raise UnknownOutcomeError(outcome.reason)


def set_value(*arguments: str, nx: bool, xx: bool) -> Call[bool]:
    """Return the call that sets a key, or the register."""
    if len(arguments) != 2 and (len(arguments) != 1 or nx or xx):  # noqa: PLR2004 - key and value
        raise TypeError("set takes a value, or a key and a value; only with a key, nx and xx")
    return Call(("SET", *arguments, *(["NX"] * nx), *(["XX"] * xx)), _done)


def get(*key: str) -> Call[str | None]:
    """Return the call that reads a key, or the register."""
    _check_at_most_one("get", key)
    return Call(("GET", *key), _text)


def compare_and_set(*arguments: str | None) -> Call[bool]:
    """Return the call that sets a key, or the register, if it is as expected."""
    texts: tuple[str | None, ...]
    match arguments:
        case (None, new):
            texts = ("CAS", new)
        case (expected, new):
            texts = ("CAS", expected, new)
        case (key, None, new):
            texts = ("SET", key, new, "NX")
        case (key, expected, new):
            texts = ("CAS", key, expected, new)
        case _:
            raise TypeError(
                "compare_and_set takes what is expected and what is new, or a key first"
            )
    # Only what is expected may be None; any other one is told as a mistake when it is sent.
    return Call(cast("Command", texts), _done)


def delete(*keys: str) -> Call[int]:
    """Return the call that deletes keys."""
    return Call(("DEL", *keys), _count)


def exists(*keys: str) -> Call[int]:
    """Return the call that counts which keys exist."""
    return Call(("EXISTS", *keys), _count)


def increment(key: str, amount: int) -> Call[int]:
    """Return the call that adds to a key."""
    if type(amount) is not int:
        raise TypeError(f"amount must be a whole number, not {amount!r}")
    return Call(("INCRBY", key, str(amount)), _count)


def append(key: str, text: str) -> Call[int]:
    """Return the call that appends to a key."""
    return Call(("APPEND", key, text), _count)


def set_many(texts: Mapping[str, str]) -> Call[bool]:
    """Return the call that sets many keys at once."""
    return Call(("MSET", *(part for item in texts.items() for part in item)), _done)


def get_many(*keys: str) -> Call[list[str | None]]:
    """Return the call that reads many keys at once."""
    return Call(("MGET", *keys), lambda result: [_text(item) for item in _items(result)])


def keys(pattern: str) -> Call[list[str]]:
    """Return the call that finds keys."""
    return Call(("KEYS", pattern), _texts)


def scan(cursor: str, pattern: str) -> Call[tuple[str, list[str]]]:
    """Return the call that finds some keys behind *cursor*, and the next cursor."""
    command = ("SCAN", cursor, "MATCH", pattern, "COUNT", str(SCAN_COUNT))
    return Call(command, _cursor_and_texts)


def size() -> Call[int]:
    """Return the call that counts the keys."""
    return Call(("DBSIZE",), _count)


def stale_command(*key: str) -> Command:
    """Return the read that any server answers from what it has."""
    _check_at_most_one("stale_get", key)
    return ("GET", *key)


def stale_value(server: Endpoint, reply: Any) -> StaleValue:
    """Return what the *reply* of *server* to such a read means."""
    outcome = outcome_of(reply)
    value = _text(result_of(outcome))
    assert isinstance(outcome, Chosen), "only that has a result"
    return StaleValue(value=value, link=outcome.link, server=shown(server))


def text_of(reply: Any) -> str:
    """Return the text that *reply* is."""
    text = text_or_none(reply)
    if text is None:
        raise ProtocolError("the server answers nothing")
    return text


# -- results -----------------------------------------------------------------------------------


def _done(result: Result) -> bool:
    if isinstance(result, bool):
        return result
    raise _unexpected(result)


def _count(result: Result) -> int:
    if isinstance(result, int) and not isinstance(result, bool):
        return result
    raise _unexpected(result)


def _text(result: Result) -> str | None:
    if result is None or isinstance(result, str):
        return result
    raise _unexpected(result)


def _texts(result: Result) -> list[str]:
    return [item for item in _items(result) if isinstance(item, str)]


def _items(result: Result) -> Sequence[Result]:
    if isinstance(result, tuple):
        return result
    raise _unexpected(result)


def _cursor_and_texts(result: Result) -> tuple[str, list[str]]:
    match result:
        case (str() | int() as cursor, tuple() as found):
            return str(cursor), _texts(found)
        case _:
            raise _unexpected(result)


def _unexpected(result: Result) -> ProtocolError:
    return ProtocolError(f"the server answers {result!r}, which this command cannot have as result")


def _refusal(reason: str) -> OutcomeError | AuthenticationError:
    if reason.startswith("ERR "):
        return CommandError(reason.removeprefix("ERR "))
    if reason.startswith("NOAUTH "):
        return AuthenticationError("the server asks for a password")
    return RefusedError(reason)


def _check_at_most_one(method: str, arguments: tuple[str, ...]) -> None:
    if len(arguments) > 1:
        raise TypeError(f"{method} takes a key, or nothing, not {len(arguments)} arguments")
