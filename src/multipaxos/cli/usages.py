"""How the commands of a state machine are written, as the servers say it: hints for people."""

from collections.abc import Mapping, Sequence


def usage_hint(name: str, error: str, usages: Mapping[str, str]) -> str:
    """Return what to add to an *error* about the form of the command *name*; nothing if unknown."""
    said = error.lower()
    if name in usages and ("wrong number" in said or "syntax error" in said):
        return f" It is written: {usages[name]}"
    if "unknown command" in said and usages:
        return f" There are: {', '.join(usages)}."
    return ""


def still_to_type(usage: str, words: Sequence[str]) -> str:
    """
    Return what of *usage* is still to come behind *words*, the name of the command among them.

    >>> still_to_type("SET key value [NX | XX] [GET]", ["SET", "colour"])
    'value [NX | XX] [GET]'
    """
    parts = usage.split()
    for place in range(len(parts)):
        if place == len(words) or parts[place].startswith("["):
            return " ".join(parts[place:])
    return ""
