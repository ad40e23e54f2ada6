"""What a command asks for, in the words that other checkers use."""

from dataclasses import dataclass
from typing import TypeAlias

from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.pipelines import inner
from multipaxos.chain.register import Register
from multipaxos.chain.state_machine import Command, StateMachine

Value: TypeAlias = str | int | tuple[str | None, ...] | None


@dataclass(frozen=True, slots=True)
class Asked:
    """
    A *function*, of one *key* (None: of the state as a whole), with a *value*.

    The functions ``read``, ``write`` and ``cas`` are what Jepsen's models call so, ``delete``,
    ``increment`` and ``append`` concern one key, too; every other is a command's own name in small
    letters, and its value all arguments.
    """

    function: str
    key: str | None
    value: Value


NAMES = {
    ("GET", 0): "read",
    ("SET", 1): "write",
    ("CAS", 1): "cas",
    ("CAS", 2): "cas",
    ("DEL", 0): "delete",
    ("INCR", 0): "increment",
    ("INCRBY", 1): "increment",
    ("APPEND", 1): "append",
}
"""What a command of one key is called, by its name and how many arguments follow the key."""


def asked(command: Command, machine: StateMachine) -> Asked:
    """Return what *command* asks the *machine* for."""
    name, *arguments = command
    machine = inner(machine)
    key = None
    if isinstance(machine, Dictionary) and arguments:
        key, *arguments = arguments
    function = NAMES.get((name, len(arguments)))
    if function is None or not isinstance(machine, Register | Dictionary):
        return Asked(name.lower(), None, command[1:])
    return Asked(function, key, _value(function, arguments))


def _value(function: str, arguments: list[str]) -> Value:
    match function, arguments:
        case "cas", [new]:
            return (None, new)
        case "cas", [expected, new]:
            return (expected, new)
        case "increment", _:
            return int(arguments[0]) if arguments else 1
        case _, [value]:
            return value
        case _:
            return None
