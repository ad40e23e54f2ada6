"""State machines by name: the built-in kinds, and those of other packages."""

import re
from collections.abc import Mapping
from importlib import import_module

from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.guard import GuardedMachine
from multipaxos.chain.pipelines import Pipelining
from multipaxos.chain.register import Register
from multipaxos.chain.state_machine import CommandForm, StateMachine
from multipaxos.errors import MultipaxosError

MACHINES: dict[str, type[StateMachine]] = {
    machine.kind: machine for machine in (Register, Dictionary)
}
"""The built-in kinds."""


class UnknownMachineError(MultipaxosError, ValueError):
    """There is no such state machine; the message says why, and which names there are."""


def find_machine(name: str) -> StateMachine:
    """
    Return the state machine *name*: a built-in kind, or ``package.module:Class``.

    >>> find_machine("register").kind
    'register'

    Raises UnknownMachineError; what the import of a module raises by itself is its cause.
    """
    built_in = MACHINES.get(name)
    return Pipelining(_make(name) if built_in is None else built_in())


def _make(name: str) -> StateMachine:
    found = _import_machine(name)
    fault = _class_fault(found)
    if fault is not None:
        raise UnknownMachineError(f"the class {name} makes no state machine: {fault}")
    try:
        machine = GuardedMachine(found())
        machine.initial()
    except Exception as error:
        raise UnknownMachineError(f"the class {name} makes no state machine: {error}") from error
    return machine


def _import_machine(name: str) -> type[StateMachine]:
    module_name, colon, class_name = name.partition(":")
    if not colon or not module_name or not class_name.isidentifier():
        kinds = " or ".join(MACHINES)
        raise UnknownMachineError(
            f"there is no state machine {name!r}: it is {kinds}, or a class of your own, written "
            "as package.module:Class"
        )
    try:
        found = getattr(import_module(module_name), class_name)
    except AttributeError:
        raise UnknownMachineError(f"module {module_name} has no class {class_name}") from None
    except Exception as error:
        raise UnknownMachineError(f"cannot import {module_name}: {error}") from error
    return _checked(name, found)


def _class_fault(machine: type[StateMachine]) -> str | None:
    kind: object = machine.kind
    if not isinstance(kind, str) or not re.fullmatch(r"[A-Za-z0-9_.:-]{1,32}", kind):
        return f"its kind is 1 to 32 letters, digits, '_', '.', ':' or '-', not {kind!r}"
    if kind in MACHINES:
        return f"its kind {kind!r} is that of a built-in one"
    is_keyed: object = machine.is_keyed
    if not isinstance(is_keyed, bool):
        return f"its is_keyed is True or False, not {is_keyed!r}"
    forms: object = machine.forms
    if not isinstance(forms, Mapping) or not all(
        isinstance(form, CommandForm) for form in forms.values()
    ):
        return "its forms are a dict of CommandForms by name"
    for command in forms:
        if not isinstance(command, str) or not command or command != command.upper():
            return f"the name of a command is written in capitals, not {command!r}"
    return None


def _checked(name: str, found: object) -> type[StateMachine]:
    if not (isinstance(found, type) and issubclass(found, StateMachine)):
        raise UnknownMachineError(f"what {name} names is no subclass of multipaxos.StateMachine")
    missing = [each for each in ("kind", "forms") if not hasattr(found, each)]
    missing += sorted(found.__abstractmethods__)
    if missing:
        raise UnknownMachineError(f"the class {name} says nothing of {', '.join(missing)}")
    return found
