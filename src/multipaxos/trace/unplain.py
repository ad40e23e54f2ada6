"""The way back from plain values to the protocol's own: for readers that check what was traced."""

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from composable_paxos import Message, ProposalID
from multipaxos.chain.links import Link
from multipaxos.chain.messages import ChainMessage
from multipaxos.chain.requests import Outcome, RequestID
from multipaxos.chain.state_machine import Failure, Result, freeze

_Reader: TypeAlias = Callable[[Any], Any]

TRACED_VALUE: Any = Link | str | None
"""What a proposal's value can be in a trace: a link; where bare roles are explored, a text."""


def unplain(value: object, hint: Any) -> Any:
    """
    Return what :func:`~multipaxos.trace.plain.plain` made *value* of, where that was a *hint*.

    *hint* is a type: a class of the protocol, a union of such, ``str``, ``tuple[int, ...]`` and the
    like. Raises ValueError, with a sentence, for everything else than such a value.
    """
    try:
        return _reader(hint)(value)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{_shown(value)} is no {_named(hint)}") from error


def parse_message(message: object) -> Message | ChainMessage:
    """Return the message that the plain *message* stands for. Raises ValueError."""
    return unplain(message, Message | ChainMessage)  # type: ignore[no-any-return]


def parse_link(link: object) -> Link:
    """Return the link that the plain *link* stands for. Raises ValueError."""
    return unplain(link, Link)  # type: ignore[no-any-return]


def parse_outcome(outcome: object) -> Outcome:
    """Return the outcome that the plain *outcome* stands for. Raises ValueError."""
    return unplain(outcome, Outcome)  # type: ignore[no-any-return]


def parse_proposal(text: object) -> ProposalID:
    """Return the proposal that is written as *text*: ``2.A``. Raises ValueError."""
    if isinstance(text, str):
        number, dot, uid = text.partition(".")
        if dot and number.isascii() and number.isdigit():
            return ProposalID(int(number), uid)
    raise ValueError(f"{_shown(text)} is no proposal: it is written as in 2.A")


def parse_request(text: object) -> RequestID:
    """Return the request id that is written as *text*: ``client/7``. Raises ValueError."""
    if isinstance(text, str):
        client, slash, sequence = text.rpartition("/")
        if slash and sequence.isascii() and sequence.isdigit():
            return RequestID(client, int(sequence))
    raise ValueError(f"{_shown(text)} is no request: it is written as in client/7")


# ------------------------------------------------------------------------------------------ readers


@cache
def _reader(hint: Any) -> _Reader:
    """Return what reads values of the type *hint*."""
    special = _SPECIAL.get(hint)
    if special is not None:
        return special
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _read_union(arguments)
    if origin is tuple:
        return _read_tuple(arguments)
    if origin is Mapping:
        return _read_mapping(arguments[1])
    assert is_dataclass(hint), f"no way back to {hint}"
    return _read_class(hint)


def _read_union(hints: Sequence[Any]) -> _Reader:
    classes = {hint.__name__: _reader(hint) for hint in hints if _is_class(hint)}
    scalars = tuple(hint for hint in hints if not _is_class(hint))

    def read(value: Any) -> Any:
        if isinstance(value, dict):
            return classes[value["type"]](value)
        if not isinstance(value, scalars):
            raise TypeError
        return value

    return read


def _read_tuple(hints: Sequence[Any]) -> _Reader:
    if hints[-1] is Ellipsis:
        read_one = _reader(hints[0])
        return lambda value: tuple(read_one(item) for item in _as_list(value))
    readers = [_reader(hint) for hint in hints]

    def read(value: Any) -> Any:
        if len(_as_list(value)) != len(readers):
            raise TypeError
        return tuple(read_one(item) for read_one, item in zip(readers, value, strict=True))

    return read


def _read_mapping(hint: Any) -> _Reader:
    read = _reader(hint)
    return lambda value: {name: read(item) for name, item in value.items()}


def _read_class(named: Any) -> _Reader:
    hints = get_type_hints(named)
    readers = {
        field.name: _OPAQUE.get((named.__name__, field.name)) or _reader(hints[field.name])
        for field in fields(named)
    }
    count = len(readers) + 1

    def read(value: Any) -> Any:
        if value["type"] != named.__name__ or len(value) != count:
            raise TypeError
        return named(**{name: read_field(value[name]) for name, read_field in readers.items()})

    return read


def _read_result(value: Any) -> Result:
    match value:
        case {"type": "Failure", "text": str(text)}:
            return Failure(text)
        case list():
            return tuple(map(_read_result, value))
        case bool() | int() | str() | None:
            return value
        case _:
            raise TypeError


def _is_class(hint: Any) -> bool:
    return is_dataclass(hint)


def _as_list(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise TypeError
    return value


def _read_scalar(*wanted: type) -> _Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            raise TypeError
        return value

    return read


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= _SHOWN_MAX else f"{shown[:_SHOWN_MAX]}..."


def _named(hint: Any) -> str:
    names = [getattr(part, "__name__", str(part)) for part in get_args(hint) or (hint,)]
    return " or ".join(names)


_SHOWN_MAX = 80

_OPAQUE: dict[tuple[str, str], _Reader] = {
    ("Snapshot", "value"): freeze,
    ("Session", "result"): _read_result,
    ("Answered", "result"): _read_result,
    ("Chosen", "result"): _read_result,
}
"""The fields, by class and name, whose content is the state machine's own affair."""

_SPECIAL: dict[Any, _Reader] = {
    ProposalID: parse_proposal,
    RequestID: parse_request,
    str: _read_scalar(str),
    int: _read_scalar(int),
    float: _read_scalar(int, float),
    bool: _read_scalar(bool),
}
_SPECIAL[Any] = _reader(TRACED_VALUE)
