"""Links in the words of an explanation."""

from multipaxos.trace.plain import plain
from multipaxos.trace.text import describe_link


def shown(link: object) -> str:
    """Return in words what *link* holds, as the traces and the history do: ``"hello"``."""
    return describe_link(plain(link))
