"""How values and results look: as ``redis-cli`` shows them, and so that nothing is ambiguous."""

import re
from collections.abc import Sequence
from typing import Any

from multipaxos.chain.state_machine import Failure, Result
from multipaxos.trace import printable

NOT_DONE = "(not done)"
DONE = "OK"


def in_quotes(text: str) -> str:
    r"""
    Return *text* in quotes, all on one line, in a form that :func:`words_of` reads as the same.

    >>> print(in_quotes('say "hi"\n'))
    "say \"hi\"\n"
    """
    escaped = re.sub(r'[\\"]', r"\\\g<0>", text)
    return f'"{printable(escaped)}"'


def plain_lines(value: Any) -> list[str]:
    """Return a text as it is, but for what a terminal would obey; anything else as a result."""
    return [printable(value)] if isinstance(value, str) else result_lines(value)


def result_lines(result: Result) -> list[str]:
    r"""
    Return the lines that show *result*.

    >>> print(*result_lines(("0", ("colour", None, 3))), sep="\n")
    1) "0"
    2) 1) "colour"
       2) (nil)
       3) (integer) 3
    """
    match result:
        case bool():
            return [DONE if result else NOT_DONE]
        case None:
            return ["(nil)"]
        case int():
            return [f"(integer) {result}"]
        case str():
            return [in_quotes(result)]
        case Failure(text=text):
            return [f"(error) {printable(text)}"]
        case tuple():
            return _numbered(result) or ["(empty list)"]


def _numbered(items: Sequence[Result]) -> list[str]:
    width = len(str(len(items)))
    lines = []
    for number, item in enumerate(items, start=1):
        first, *others = result_lines(item)
        lines.append(f"{number:>{width}}) {first}")
        lines += [" " * (width + 2) + line for line in others]
    return lines
