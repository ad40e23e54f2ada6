"""Plain trace values in words: how messages, links and values are written for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from multipaxos.chain import pipelines

LENGTH_MAX = 40
"""A value longer than this many characters is shortened where many stand on one screen."""
ARGUMENTS_MAX = 6
"""Of a command with more arguments than this, the first are shown there."""
PIPELINED_MAX = 4
"""Of a pipeline with more commands than this, the first are shown there."""


def printable(value: str, *, length_max: int | None = None) -> str:
    """
    Return *value* with all that a terminal would obey, or not show, written as an escape.

    With *length_max*, a longer value is cut and its length given.
    """
    shown = value if length_max is None else value[:length_max]
    escaped = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in shown
    )
    return escaped if len(shown) == len(value) else f"{escaped}... ({len(value)} characters)"


def quoted(value: object, *, length_max: int | None = LENGTH_MAX) -> str:
    """Return a register's *value* in quotes, printable; None, the value before any, in words."""
    if value is None:
        return "no value"
    shown = printable(str(value), length_max=length_max)
    if length_max is not None and len(str(value)) > length_max:
        shown, dots, length = shown.rpartition("...")
        return f'"{shown}"{dots}{length}'
    return f'"{shown}"'


def describe_state(state: Any, *, length_max: int | None = LENGTH_MAX) -> str:
    """Return in words the plain *state* of a state machine: ``"hello"``, or ``a "1", b "2"``."""
    match state:
        case None | str():
            return quoted(state, length_max=length_max)
        case dict():
            held = [
                f"{printable(key)} {describe_state(state[key], length_max=length_max)}"
                for key in sorted(state)
            ]
            return ", ".join(held) or "no key"
        case _:
            return printable(str(state), length_max=length_max)


def describe_link(link: Any, *, length_max: int | None = LENGTH_MAX) -> str:
    """Return in words what the plain *link* holds: ``"hello"`` or ``A is master for 2 s``."""
    match link:
        case {"type": "Updates", "updates": [*updates]}:
            return ", ".join(_describe_update(update, length_max) for update in updates)
        case {"type": "NewMaster", "uid": uid, "lease_seconds": seconds}:
            return f"{printable(str(uid))} is master for {seconds:g} s"
        case {"type": "Founding", "chain_id": chain_id, "machine_kind": kind}:
            return f"a new chain: {printable(str(kind))} {printable(str(chain_id))}"
        case {"type": "Nothing"}:
            return "nothing"
        case _:
            return printable(str(link), length_max=length_max)


def _describe_update(update: Any, length_max: int | None) -> str:
    match update:
        case {"command": ["PIPELINE" | "READS", *_] as words}:
            commands = pipelines.commands_of(tuple(words))
            told = commands if length_max is None else commands[:PIPELINED_MAX]
            shown = (_describe_command(each, length_max) for each in told)
            rest = [f"... ({len(commands)} commands)"] * (len(told) < len(commands))
            return " | ".join((*shown, *rest))
        case {"command": [str(), *_] as words}:
            return _describe_command(words, length_max)
        case _:
            return printable(str(update), length_max=length_max)


def _describe_command(command: Sequence[Any], length_max: int | None) -> str:
    match command:
        case ["SET", value]:
            return quoted(value, length_max=length_max)
        case ["GET"]:
            return "a read"
        case [name, *arguments]:
            told = arguments if length_max is None else arguments[:ARGUMENTS_MAX]
            shown = (quoted(argument, length_max=length_max) for argument in told)
            rest = [f"... ({len(arguments)} arguments)"] * (len(told) < len(arguments))
            return " ".join((printable(str(name)), *shown, *rest))
        case _:
            return printable(str(command), length_max=length_max)


def describe_message(message: Mapping[str, Any]) -> str:
    """Return the plain *message* in the words of the paper: ``Accept 2.A  "hello"``."""
    name = str(message["type"])
    proposal = f"{name} {message['proposal_id']}" if "proposal_id" in message else name
    match name:
        case "Promise" if message["accepted_id"] == _NO_PROPOSAL:
            return f"{proposal}  nothing accepted"
        case "Promise":
            accepted = describe_link(message["accepted_value"])
            return f"{proposal}  accepted {message['accepted_id']} {accepted}"
        case "Accept" | "Accepted" if message["value"] is not None:
            return f"{proposal}  {describe_link(message['value'])}"
        case "Nack":
            return f"{proposal}  promised {message['promised_id']}"
        case _:
            return f"{proposal}{_describe_chain_message(name, message)}"


def links_in_words(numbers: Sequence[Any]) -> str:
    """Return which links the *numbers*, one after the other, are: ``link 3``, ``links 3 to 5``."""
    first, last = numbers[0], numbers[-1]
    return f"link {first}" if first == last else f"links {first} to {last}"


def describe_result(result: Any) -> str:
    """Return in words the plain *result* of a command; nothing where it only says "done"."""
    match result:
        case None | True:
            return ""
        case False:
            return "not done"
        case {"text": text}:
            return printable(str(text), length_max=LENGTH_MAX)
        case list():
            items = ("nothing" if item is None else describe_result(item) for item in result)
            return f"[{', '.join(items)}]"
        case int():
            return str(result)
        case _:
            return quoted(result)


def _describe_read(result: Any) -> str:
    # What only says "nothing there" or "done" elsewhere is all that a read says.
    return quoted(result) if result is None or isinstance(result, str) else describe_result(result)


def why_refused(fields: Mapping[str, Any]) -> str:
    """Return the reason of a ``refused`` event with these *fields*, without what was refused."""
    return printable(str(fields["text"]).partition(": ")[2])


def how_resolved(fields: Mapping[str, Any]) -> str:
    """Return how the server of a ``resolved`` event with these *fields* knows what was chosen."""
    acceptors = ", ".join(printable(str(uid)) for uid in fields["acceptors"])
    # Whoever is told under which number it was chosen, and has accepted that, counts no votes.
    return (
        f"accepted by {acceptors}" if acceptors else f"told that {fields['proposal_id']} was chosen"
    )


_NO_PROPOSAL = "0."
"""How :data:`composable_paxos.LOWEST` is written."""


def _describe_chain_message(  # noqa: PLR0911 - one a message
    name: str, message: Mapping[str, Any]
) -> str:
    match name:
        case "CatchUp":
            return f"  value {describe_state(message['snapshot']['value'])}"
        case "Decided":
            return f"  {links_in_words([link['number'] for link in message['links']])}"
        case "SnapshotPart" | "FetchPart":
            return f"  {message['number']} of the state at link {message['at']}"
        case "Forward":
            return f"  {describe_link({'type': 'Updates', 'updates': message['updates']})}"
        case "Answered":
            return f"  {_describe_read(message['result'])} as of link {message['link']}"
        case "IAmAt" if message["newborn"]:
            return "  new too"
        case "IAmAt":
            return f"  may have voted on link {message['may_have_voted_on']}"
        case _:
            return ""
