"""Pipelines: several commands go through the chain as one, and each is done as if alone."""

from collections.abc import Sequence

import pytest
from immutables import Map
from typing_extensions import override

from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.guard import GuardedMachine
from multipaxos.chain.pipelines import (
    MALFORMED,
    NO_READS,
    Pipelining,
    commands_of,
    inner,
    pack,
    unpack,
)
from multipaxos.chain.register import Register
from multipaxos.chain.state_machine import (
    RESULT_DEPTH_MAX,
    Command,
    CommandForm,
    Failure,
    Result,
    State,
    StateMachine,
    apply_safely,
    result_from_plain,
    result_to_plain,
)

DICTIONARY = Pipelining(Dictionary())


def pipeline(*commands: Command, reads: bool = False) -> Command:
    """Return *commands* as one."""
    return pack(commands, reads=reads)


@pytest.mark.parametrize(
    "commands",
    [
        [("SET", "a", "1"), ("GET", "a")],
        [("DBSIZE",)],
        [("SET", "2", "3"), ("SET", "1", "GET"), ("GET", "")],
        [("GET", str(n)) for n in range(500)],
    ],
)
def test_what_is_packed_can_be_unpacked(commands: Sequence[Command]) -> None:
    """Whatever words there are in it, numbers and names of commands among them."""
    packed = pack(commands, reads=False)

    assert unpack(packed) == commands_of(packed) == tuple(commands)
    # What was unpacked last is remembered: another one is not taken for it.
    assert unpack(pack(commands[:1], reads=True)) == tuple(commands[:1])


@pytest.mark.parametrize(
    "command",
    [
        ("PIPELINE", "2", "GET"),
        ("PIPELINE", "x", "GET"),
        ("PIPELINE", "0", "1", "GET"),
        ("PIPELINE", "-1", "GET"),
        ("READS", "1", "GET", "1"),
        ("READS", ""),
        ("PIPELINE",),
    ],
)
def test_what_is_no_pipeline_fails_and_changes_nothing(command: Command) -> None:
    """A server of another version may have proposed it: it must not stop anybody."""
    state = Map({"a": "1"})

    assert DICTIONARY.refusal(command) == MALFORMED
    assert apply_safely(DICTIONARY, state, command) == (state, Failure(MALFORMED))
    assert commands_of(command) in ((command,), ())


def test_commands_are_done_one_after_the_other() -> None:
    """Each sees what those before it did; the result holds theirs, in order."""
    command = pipeline(
        ("SET", "a", "1"), ("INCR", "a"), ("GET", "a"), ("SET", "b", "x"), ("DEL", "a", "c")
    )

    after, result = DICTIONARY.apply(Map(), command)

    assert after == Map({"b": "x"})
    assert result == (True, 2, "2", True, 1)


def test_one_that_fails_keeps_no_other_from_being_done() -> None:
    """As if each had come alone."""
    command = pipeline(("SET", "a", "x"), ("INCR", "a"), ("FLY",), ("SET",), ("SET", "a", "y"))

    after, result = apply_safely(DICTIONARY, Map(), command)

    assert after == Map({"a": "y"})
    assert isinstance(result, tuple)
    assert [type(each) for each in result] == [bool, Failure, Failure, Failure, bool]


def test_a_pipeline_in_a_pipeline_is_no_command() -> None:
    """They do not nest: what a link may cost would know no bound."""
    inside = pipeline(("SET", "a", "1"))

    after, result = DICTIONARY.apply(Map(), pipeline(inside, ("SET", "b", "2")))

    assert after == Map({"b": "2"})
    assert isinstance(result, tuple)
    assert isinstance(result[0], Failure)


def test_reads_are_a_read_and_change_nothing() -> None:
    """What is no read among them is not done, and none of them is: somebody lied."""
    state = Map({"a": "1"})
    reads = pipeline(("GET", "a"), ("GET", "b"), reads=True)
    lie = pipeline(("GET", "a"), ("SET", "a", "2"), reads=True)

    assert DICTIONARY.is_read(reads)
    assert DICTIONARY.apply(state, reads) == (state, ("1", None))
    assert DICTIONARY.is_read(lie)
    assert DICTIONARY.apply(state, lie) == (state, (NO_READS, NO_READS))
    assert not DICTIONARY.is_read(pipeline(("GET", "a")))


def test_keys_and_changes_are_those_of_all_commands() -> None:
    """Each key once; what was changed twice is told as it is in the end, what was not is not."""
    command = pipeline(
        ("SET", "a", "1"), ("MSET", "b", "2", "a", "3"), ("GET", "c"), ("SET", "d", "4")
    )
    before = Map({"d": "4"})
    after, _ = DICTIONARY.apply(before, command)

    assert DICTIONARY.keys(command) == ("a", "b", "c", "d")
    assert DICTIONARY.changes(before, after, command) == (("a", "3"), ("b", "2"))


def test_single_commands_are_those_of_the_machine() -> None:
    """Nothing is different for them."""
    machine = Pipelining(Register())
    plain = Register()

    for command in (("SET", "x"), ("GET",), ("CAS", "x"), ("FLY",), ("SET",)):
        assert machine.refusal(command) == plain.refusal(command)
        assert apply_safely(machine, "x", command) == apply_safely(plain, "x", command)
        assert machine.keys(command) == plain.keys(command)
    assert machine.is_read(("GET",))
    assert machine.changes("x", "y", ("SET", "y")) == ((None, "y"),)
    assert (machine.initial(), machine.kind) == (None, "register")
    assert machine.forms == plain.forms
    assert machine.summary("x") == plain.summary("x")
    assert (machine.is_keyed, DICTIONARY.is_keyed) == (False, True)
    assert inner(machine) is machine.machine
    assert inner(plain) is plain


class Deep(StateMachine):
    """Answers as deep as a state machine may."""

    kind = "deep"
    forms = {"DIVE": CommandForm(usage="DIVE")}  # noqa: RUF012 - a constant

    @override
    def initial(self) -> State:
        return None

    @override
    def apply(self, state: State, command: Command) -> tuple[State, Result]:
        result: Result = "bottom"
        for _ in range(RESULT_DEPTH_MAX):
            result = (result,)
        return state, result


def test_results_of_a_pipeline_can_be_read_back_however_deep_they_are() -> None:
    """They are saved, and sent, one level deeper than each alone."""
    machine = Pipelining(GuardedMachine(Deep()))

    _, result = machine.apply(None, pipeline(("DIVE",), ("DIVE",)))

    assert isinstance(result, tuple)
    assert result[0] == machine.apply(None, ("DIVE",))[1]
    assert result_from_plain(result_to_plain(result)) == result


def test_the_keys_of_many_commands_are_those_of_all_in_their_pipelines() -> None:
    """Whoever saves what changed looks for all of them at once."""
    machine = Pipelining(Dictionary())
    pipeline = pack([("SET", "a", "1"), ("DEL", "b", "c")], reads=False)

    keys = machine.keys_of_all([pipeline, ("INCR", "d"), ("MSET", "a", "2", "e", "3")])

    assert keys == ("a", "b", "c", "d", "e")
