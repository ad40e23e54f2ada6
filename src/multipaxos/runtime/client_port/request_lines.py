"""A typed line cut into words, as Redis does: at blanks, with quotes of both kinds."""

import re

_PART = re.compile(
    rb"""
    (?P<bare>[^\s"']+)
    | "(?P<double>(?:\\.|[^"\\])*)"(?=\s|\Z)
    | '(?P<single>(?:[^'\\]|\\'|\\(?!'))*)'(?=\s|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
_BLANKS = re.compile(rb"\s*")
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"a": b"\a"}


def split_line(line: bytes) -> list[bytes] | None:
    r"""
    Return the words of *line*, without the quotes that group them; None if one is left open.

    Between double quotes a backslash introduces ``\n``, ``\xff`` and the like.
    """
    if b'"' not in line and b"'" not in line:
        return line.split()
    words: list[bytes] = []
    place, goes_on = _after_blanks(line, 0), False
    while place < len(line):
        part = _PART.match(line, place)
        if part is None:
            return None
        words.append(words.pop() + _unquoted(part) if goes_on else _unquoted(part))
        place = _after_blanks(line, part.end())
        goes_on = place == part.end()
    return words


def _after_blanks(line: bytes, place: int) -> int:
    blanks = _BLANKS.match(line, place)
    assert blanks is not None, "no blank at all is enough"
    return blanks.end()


def _unquoted(part: re.Match[bytes]) -> bytes:
    match part.lastgroup:
        case "double":
            return _ESCAPE.sub(_unescaped, part["double"])
        case "single":
            return part["single"].replace(b"\\'", b"'")
        case _:
            return part["bare"]


def _unescaped(escape: re.Match[bytes]) -> bytes:
    if escape[1] is not None:
        return bytes.fromhex(escape[1].decode())
    return _ESCAPED.get(escape[2], escape[2])
