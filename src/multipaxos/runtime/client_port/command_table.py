"""The commands that a server has whatever its state machine: how each is written, what it asks."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from multipaxos.chain.state_machine import CommandForm
from multipaxos.runtime.client_port.actions import Action
from multipaxos.runtime.client_port.arguments import shown, unknown_subcommand, wrong_number
from multipaxos.runtime.client_port.session import Rules, Session


class Request(NamedTuple):
    """The arguments of a command that has their form, and on what its meaning may depend."""

    arguments: Sequence[bytes]
    session: Session
    rules: Rules


class Entry(NamedTuple):
    """A command: its *form*, and what a request of that form asks for."""

    form: CommandForm
    interpret: Callable[[Request], Action]


class Container(NamedTuple):
    """
    A command whose first argument is one of its *subcommands*, which are named in capitals.

    Without arguments it is *alone*; None: then it is incomplete.
    """

    subcommands: Mapping[str, Entry]
    alone: Entry | None = None


Table: TypeAlias = Mapping[str, Entry | Container]
"""Commands by name, in capitals."""


def interpret_by(table: Table, name: str, request: Request) -> Action | None:
    """Return what the command *name* asks for with its arguments; None if *table* has no such."""
    entry = table.get(name)
    if entry is None:
        return None
    if isinstance(entry, Container):
        name, entry, request = _unpack(entry, name, request)
    if not entry.form.fits(len(request.arguments)):
        raise wrong_number(name.lower())
    return entry.interpret(request)


def _unpack(container: Container, name: str, request: Request) -> tuple[str, Entry, Request]:
    if not request.arguments:
        if container.alone is None:
            raise wrong_number(name.lower())
        return name, container.alone, request
    first, *rest = request.arguments
    subcommand = shown(first).upper()
    entry = container.subcommands.get(subcommand)
    if entry is None:
        raise unknown_subcommand(first)
    return f"{name}|{subcommand}", entry, request._replace(arguments=rest)


def forms(table: Table) -> dict[str, CommandForm]:
    """Return how each command in *table* is written, subcommands one by one: ``CLIENT|ID``."""
    found = {}
    for name, entry in table.items():
        if isinstance(entry, Entry):
            found[name] = entry.form
            continue
        if entry.alone is not None:
            found[name] = entry.alone.form
        found |= {f"{name}|{each}": sub.form for each, sub in entry.subcommands.items()}
    return found
