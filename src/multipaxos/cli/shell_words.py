"""How a line in the shell is cut into words, and what quotes and backslashes mean in it."""

import re

_PART = re.compile(
    r"""
    (?P<blank>[ \t\r\n\f\v]+)
    | '(?P<literal>[^']*)'
    | "(?P<escaped>(?:[^"\\]|\\.)*)"
    | (?P<bare>[^ \t\r\n\f\v'"]+)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(
    r"\\(?:x(?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})|(?P<sign>.))",
    re.DOTALL,
)
_SIGNS = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "'": "'"}
CODE_POINT_MAX = 0x10FFFF


class QuotingError(ValueError):
    """A line cannot be cut into words; the message says why, and what to write."""


def words_of(line: str) -> list[str]:
    r"""
    Return the words of *line*, which blanks separate.

    In 'single quotes' every character stands for itself. In "double quotes" a backslash begins an
    escape: ``\n``, ``\r``, ``\t``, ``\"``, ``\\``, or a character by its number: ``\x1b``,
    ``\u20ac``, ``\U0001f600``. Outside quotes a backslash stands for itself.

    >>> words_of(r'SET motto "a \"b\"" and\more')
    ['SET', 'motto', 'a "b"', 'and\\more']

    QuotingError if a quote is not closed, or an escape stands for nothing.
    """
    words: list[str] = []
    is_inside = False
    place = 0
    while place < len(line):
        part = _PART.match(line, place)
        if part is None:
            raise _not_closed(line[place])
        place = part.end()
        if part["blank"] is not None:
            is_inside = False
            continue
        if not is_inside:
            words.append("")
            is_inside = True
        words[-1] += part["bare"] or part["literal"] or _unescaped(part["escaped"] or "")
    return words


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_meaning, text)


def _meaning(escape: re.Match[str]) -> str:
    digits = escape["x"] or escape["u"] or escape["U"]
    if digits and int(digits, 16) <= CODE_POINT_MAX:
        return chr(int(digits, 16))
    if escape["sign"] in _SIGNS:
        return _SIGNS[escape["sign"]]
    raise QuotingError(
        f"In double quotes {escape[0]} stands for nothing: write \\\\ for a backslash."
    )


def _not_closed(quote: str) -> QuotingError:
    other = "double" if quote == "'" else "single"
    return QuotingError(
        f"A quote {quote} is opened and not closed. To have it in a word, put the word in {other} "
        "quotes."
    )
