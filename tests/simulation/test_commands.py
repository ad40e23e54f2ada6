"""What clients of a run ask: everything that a state machine understands, and nothing else."""

from collections import Counter
from random import Random

import pytest

from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.register import Register
from multipaxos.chain.state_machine import Command, Failure, StateMachine
from multipaxos.machines import find_machine
from multipaxos.simulation.commands import NoCommandError, commands_of

STATES = ("register", "dictionary", "tests.simulation.machines:Bids")


def drawn(machine: StateMachine, count: int, *, seed: int = 1) -> list[Command]:
    """Draw *count* commands, of which every other one is to read."""
    commands = commands_of(machine, Random(seed))
    return [commands.draw(number, is_read=number % 2 == 0) for number in range(count)]


@pytest.mark.parametrize("state", STATES)
def test_every_command_is_drawn_and_none_is_refused(state: str) -> None:
    """Reads where a read was asked for, and everything else otherwise."""
    machine = find_machine(state)
    commands = drawn(machine, 600)

    assert {command[0] for command in commands} == set(machine.forms)
    assert [machine.refusal(command) for command in commands] == [None] * 600
    assert [machine.is_read(command) for command in commands] == [True, False] * 300
    assert drawn(machine, 600) == commands
    assert drawn(machine, 600, seed=2) != commands


@pytest.mark.parametrize("state", STATES[:2])
def test_conditions_hold_sometimes_and_fail_sometimes(state: str) -> None:
    """Otherwise a run would show one half of what a condition means."""
    machine = find_machine(state)
    value = machine.initial()
    results: Counter[bool] = Counter()
    for command in drawn(machine, 600):
        value, result = machine.apply(value, command)
        if isinstance(result, bool):
            results[result] += 1

    assert results[True] > 50
    assert results[False] > 10


def test_a_register_is_written_values_that_tell_who_wrote_them() -> None:
    """No value is written twice."""
    written = [command[-1] for command in drawn(Register(), 600) if command[0] != "GET"]

    assert len(set(written)) == len(written) == 300


def test_a_dictionary_is_asked_for_numbers_of_texts_now_and_then() -> None:
    """Errors are results, too."""
    machine = Dictionary()
    value = machine.initial()
    failures = 0
    for command in drawn(machine, 600):
        value, result = machine.apply(value, command)
        failures += isinstance(result, Failure)

    assert 5 < failures < 100


def test_a_machine_that_understands_nothing_that_is_drawn_cannot_be_asked() -> None:
    """The sentence names it."""
    with pytest.raises(NoCommandError, match="the state machine mute refuses"):
        commands_of(find_machine("tests.simulation.machines:Mute"), Random(1))
