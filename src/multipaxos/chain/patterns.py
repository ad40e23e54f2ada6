"""Redis' patterns for keys: ``*``, ``?``, ``[abc]``, ``[^a]``, ``[a-z]``, and a backslash."""

import re
from collections.abc import Callable
from functools import lru_cache

PATTERNS_REMEMBERED = 128
NOTHING_MATCHES = "(?!)"

_SIGN = re.compile(r"\\.?|\[(?:\\.|[^\]\\])*\]|.", re.DOTALL)
"""A part of a pattern: an escaped character, a class, or any other character."""
_MEMBER = re.compile(r"\\.|.-[^\\]|.", re.DOTALL)
_RANGE = re.compile(r"(.)-(.)", re.DOTALL)


@lru_cache(maxsize=PATTERNS_REMEMBERED)
def matcher(pattern: str) -> Callable[[str], object]:
    """
    Return what tells whether a key matches *pattern*, written as for Redis: ``h?llo*[0-9]``.

    Each part between two stars is looked for once, from left to right: no pattern makes the search
    try all ways to cut a key. It may still try each place for each part.
    """
    first, *others = _parts(pattern)
    if not others:
        return re.compile(first, re.DOTALL).fullmatch
    *middle, last = others
    jumps = "".join(f"(?>.*?{part})" for part in middle if part)
    return re.compile(f"{first}{jumps}.*{last}", re.DOTALL).fullmatch


def _parts(pattern: str) -> list[str]:
    """Cut *pattern* at its stars into parts, as regular expressions of one length each."""
    parts = [""]
    for sign in _SIGN.findall(pattern):
        if sign == "*":
            parts.append("")
        elif sign == "?":
            parts[-1] += "."
        elif sign[0] == "[" and len(sign) > 1:
            parts[-1] += _character_class(sign)
        else:
            parts[-1] += re.escape(sign.removeprefix("\\") or "\\")
    return parts


def _character_class(sign: str) -> str:
    negation = "^" if sign[1] == "^" else ""
    inner = sign[1 + len(negation) : -1]
    if not inner:
        return "." if negation else NOTHING_MATCHES
    members = "".join(_class_member(member) for member in _MEMBER.findall(inner))
    return f"[{negation}{members}]"


def _class_member(member: str) -> str:
    range_ends = _RANGE.fullmatch(member)
    if range_ends is None:
        return re.escape(member[-1])
    # As in Redis, the ends of a range may stand in any order.
    first, last = sorted(range_ends.groups())
    return f"{re.escape(first)}-{re.escape(last)}"
