"""
Copies and frozen contents of real objects, so that each state of an exploration has its own.

Two explored states that shared an object would tell each other what has happened: violations would
hide, and others appear. So an event runs on a copy, and what a state is known by is all that its
object holds.
"""

import copy
from collections.abc import Hashable
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

T = TypeVar("T")

ATOMS = (str, bytes, int, float, bool, type(None), frozenset)
"""Nobody can change them: a copy may share them."""


def copy_of(original: T) -> T:
    """
    Return an object of the same class and content that shares nothing that can be changed.

    Strategies and roles keep their state in attributes; values and frozen dataclasses are shared.
    """
    new = object.__new__(type(original))
    for name, value in vars(original).items():
        setattr(new, name, _copied(value))
    return new


def frozen(original: object) -> tuple[tuple[str, Hashable], ...]:
    """
    Return the content of *original*: two objects with the same one behave in the same way.

    The order of sets and dictionaries is no part of it: no role depends on it.
    """
    return tuple((name, _frozen(value)) for name, value in sorted(vars(original).items()))


def _copied(value: Any) -> Any:
    if isinstance(value, ATOMS) or _is_frozen_dataclass(value):
        return value
    match value:
        case set():
            return set(value)
        case tuple():
            parts = [_copied(part) for part in value]
            is_shared = all(new is old for new, old in zip(parts, value, strict=True))
            return value if is_shared else tuple(parts)
        case list():
            return [_copied(part) for part in value]
        case dict():
            return {key: _copied(part) for key, part in value.items()}
        case _:
            return copy.deepcopy(value)


def _frozen(value: Any) -> Hashable:
    match value:
        case set():
            return ("set", frozenset(value))
        case list():
            return ("list", *(_frozen(part) for part in value))
        case dict():
            return ("dict", frozenset((key, _frozen(part)) for key, part in value.items()))
        case _:
            # What cannot be hashed is not understood, and raises TypeError here.
            hash(value)
            content: Hashable = value
            return content


def canonical(content: object) -> str:
    """Return *content* as text that is the same in each process: no set has an order."""
    match content:
        case frozenset():
            return f"{{{','.join(sorted(map(canonical, content)))}}}"
        case tuple():
            return f"({','.join(map(canonical, content))})"
    if is_dataclass(content) and not isinstance(content, type):
        parts = (canonical(getattr(content, field.name)) for field in fields(content))
        return f"{type(content).__name__}({','.join(parts)})"
    return repr(content)


def _is_frozen_dataclass(value: object) -> bool:
    parameters = getattr(type(value), "__dataclass_params__", None)
    return parameters is not None and parameters.frozen
