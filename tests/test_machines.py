"""State machines are found by name; whatever is wrong with a name is said in a sentence."""

from typing import ClassVar

import pytest
from typing_extensions import override

from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.guard import GuardedMachine
from multipaxos.chain.pipelines import inner, pack
from multipaxos.chain.register import Register
from multipaxos.chain.state_machine import Command, CommandForm, Result, State, StateMachine
from multipaxos.machines import UnknownMachineError, find_machine


class Mine(StateMachine):
    """A machine of somebody's own."""

    kind = "mine"
    forms: ClassVar = {"LOOK": CommandForm(usage="LOOK", reads=True)}

    @override
    def initial(self) -> State:
        return None

    @override
    def apply(self, state: State, command: Command) -> tuple[State, Result]:
        return state, None


class Unfinished(StateMachine):
    """One that says neither its kind nor what it does."""


def test_the_built_in_kinds_have_names() -> None:
    """A register and a dictionary."""
    assert isinstance(inner(find_machine("register")), Register)
    assert isinstance(inner(find_machine("dictionary")), Dictionary)


def test_every_machine_does_pipelines_too() -> None:
    """What clients send together goes through the chain as one, whatever the state is."""
    for name, command, result in (
        ("register", ("SET", "x"), True),
        ("dictionary", ("INCR", "n"), 1),
        (f"{__name__}:Mine", ("LOOK",), None),
    ):
        machine = find_machine(name)
        _, results = machine.apply(machine.initial(), pack([command], reads=False))
        assert results == (result,)


def test_a_class_of_ones_own_is_imported() -> None:
    """By its module and its name."""
    found = inner(find_machine(f"{__name__}:Mine"))

    assert isinstance(found, GuardedMachine)
    assert type(found.machine).__name__ == "Mine"


@pytest.mark.parametrize(
    "name, sentence",
    [
        ("list", "there is no state machine 'list': it is register or dictionary, or a class"),
        ("", "there is no state machine ''"),
        ("a:", "there is no state machine 'a:'"),
        (":B", "there is no state machine ':B'"),
        ("no_such_module:B", "cannot import no_such_module: No module named"),
        ("json:JSON", "module json has no class JSON"),
        ("json:JSONDecoder", "json:JSONDecoder names is no subclass of multipaxos.StateMachine"),
        ("json:loads", "what json:loads names is no subclass"),
    ],
)
def test_another_name_is_refused(name: str, sentence: str) -> None:
    """It says what is there instead."""
    with pytest.raises(UnknownMachineError, match=sentence):
        find_machine(name)


def test_an_unfinished_class_is_refused() -> None:
    """It says what the class leaves out."""
    with pytest.raises(UnknownMachineError, match="says nothing of kind, forms, apply, initial"):
        find_machine(f"{__name__}:Unfinished")


class Ill(Mine):
    """One whose first state no server could save."""

    @override
    def initial(self) -> State:
        return {1, 2}


def test_a_class_that_makes_no_machine_is_refused() -> None:
    """Before a server begins a chain with it."""
    with pytest.raises(UnknownMachineError, match="Ill makes no state machine: the first state"):
        find_machine(f"{__name__}:Ill")


@pytest.mark.parametrize(
    "name, value, sentence",
    [
        ("kind", "my kind", "its kind is 1 to 32 letters, digits"),
        ("kind", 7, "its kind is 1 to 32 letters, digits"),
        ("kind", "register", "its kind 'register' is that of a built-in one"),
        ("is_keyed", "yes", "its is_keyed is True or False, not 'yes'"),
        ("forms", ["GET"], "its forms are a dict of CommandForms by name"),
        ("forms", {"GET": {}}, "its forms are a dict of CommandForms by name"),
        ("forms", {"get": CommandForm(usage="get")}, "written in capitals, not 'get'"),
    ],
)
def test_a_class_that_cannot_work_is_refused(
    name: str, value: object, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a server begins a chain that no server could keep."""
    monkeypatch.setattr(Mine, name, value)

    with pytest.raises(UnknownMachineError, match=sentence):
        find_machine(f"{__name__}:Mine")
