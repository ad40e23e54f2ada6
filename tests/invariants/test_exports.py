"""Histories in the forms of Jepsen and of Porcupine: written, and read back by other means."""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from multipaxos.chain.dictionary import NO_INTEGER, Dictionary
from multipaxos.chain.register import Register
from multipaxos.chain.state_machine import Command
from multipaxos.invariants.linearizability import (
    UNTOLD,
    NotExpressibleError,
    Operation,
    Status,
    edn_lines,
    find_violation,
    porcupine_lines,
)

REGISTER, DICTIONARY = Register(), Dictionary()


def call(name: str, *command: str, at: tuple[float, float], **rest: Any) -> Operation:
    """Describe a call."""
    return Operation(name=name, command=command, called_at=at[0], returned_at=at[1], **rest)


def test_a_register_in_jepsens_form() -> None:
    """Reads and writes, by number of process, in nanoseconds since the first call."""
    history = [
        call("a/1", "SET", 'x "1"', at=(5.0, 5.25), result=True),
        call("b/1", "GET", at=(5.1, 5.2), result=None),
        call("b/2", "GET", at=(5.3, 5.4), result='x "1"'),
    ]

    assert list(edn_lines(history, REGISTER)) == [
        r'{:process 0, :type :invoke, :f :write, :value "x \"1\"", :time 0, :index 0}',
        r"{:process 1, :type :invoke, :f :read, :value nil, :time 100000000, :index 1}",
        r"{:process 1, :type :ok, :f :read, :value nil, :time 200000000, :index 2}",
        r'{:process 0, :type :ok, :f :write, :value "x \"1\"", :time 250000000, :index 3}',
        r"{:process 1, :type :invoke, :f :read, :value nil, :time 300000000, :index 4}",
        r'{:process 1, :type :ok, :f :read, :value "x \"1\"", :time 400000000, :index 5}',
    ]


def test_who_does_not_know_an_outcome_goes_on_as_another_process() -> None:
    """In Jepsen's histories a process ends with :info; a refusal is a :fail."""
    history = [
        call("a/1", "SET", "x", at=(0, 1), status=Status.UNKNOWN),
        call("a/2", "SET", "y", at=(2, 3), status=Status.REFUSED),
        call("a/3", "SET", "z", at=(4, math.inf), status=Status.UNKNOWN),
        call("a/4", "CAS", "y", at=(5, 6), result=False),
    ]

    told = [
        re.findall(r":process (\d)|:type :(\w+)", line) for line in edn_lines(history, REGISTER)
    ]

    assert [(int(process[0]), kind[1]) for process, kind in told] == [
        (0, "invoke"),
        (0, "info"),
        (1, "invoke"),
        (1, "fail"),
        (1, "invoke"),
        (2, "invoke"),
        (2, "fail"),
    ]


def test_a_dictionary_in_jepsens_form_has_pairs_for_values() -> None:
    """As Jepsen's independent does; what its models do not know keeps its own name."""
    history = [
        call("a/1", "INCRBY", "k", "2", at=(0, 1), result=2),
        call("a/2", "CAS", "k", "2", "5", at=(2, 3), result=True),
        call("a/3", "CAS", "l", "5", "6", at=(4, 5), result=False),
        call("a/4", "MGET", "k", "m", at=(6, 7), result=("5", None)),
        call("a/5", "SET", "k", "x", "NX", at=(8, 9), result=False),
        call("a/6", "INCR", "k", at=(10, 11), result=NO_INTEGER),
        call("a/7", "DBSIZE", at=(12, 13), result=2),
    ]

    lines = list(edn_lines(history, DICTIONARY))

    assert ':f :increment, :value ["k" 2]' in lines[0]
    assert ':f :cas, :value ["k" ["2" "5"]]' in lines[2]
    assert ':f :cas, :value ["l" ["5" "6"]]' in lines[4]
    assert ':f :mget, :value ["k" "m"]' in lines[6]
    assert ':f :mget, :value ["5" nil]' in lines[7]
    assert ':f :set, :value ["k" "x" "NX"]' in lines[8]
    assert ":f :set, :value false" in lines[9]
    assert f':value ["k" {{:error "{NO_INTEGER.text}"}}]' in lines[11]
    assert ":f :dbsize, :value []" in lines[12]


def test_a_dictionary_in_porcupines_form() -> None:
    """Without times: the order of the lines is what counts."""
    history = [
        call("a/1", "SET", "k", "x", at=(0, 2), result=True),
        call("b/1", "APPEND", "k", "y", at=(1, 3), status=Status.UNKNOWN),
        call("b/2", "GET", "k", at=(4, 5), result="xy"),
        call("b/3", "DEL", "k", at=(6, 7), result=1),
        call("b/4", "GET", "k", at=(8, 9), result=None),
        call("c/1", "GET", "k", at=(8, 9), status=Status.UNKNOWN),
        call("c/2", "SET", "k", "z", at=(10, 11), status=Status.REFUSED),
    ]

    assert list(porcupine_lines(history, DICTIONARY)) == [
        '{:process 0, :type :invoke, :f :put, :key "k", :value "x"}',
        '{:process 1, :type :invoke, :f :append, :key "k", :value "y"}',
        '{:process 0, :type :ok, :f :put, :key "k", :value "x"}',
        '{:process 2, :type :invoke, :f :get, :key "k", :value nil}',
        '{:process 2, :type :ok, :f :get, :key "k", :value "xy"}',
        '{:process 2, :type :invoke, :f :put, :key "k", :value ""}',
        '{:process 2, :type :ok, :f :put, :key "k", :value ""}',
        '{:process 2, :type :invoke, :f :get, :key "k", :value nil}',
        '{:process 2, :type :ok, :f :get, :key "k", :value ""}',
    ]


@pytest.mark.parametrize(
    "command",
    [("INCR", "k"), ("CAS", "k", "1", "2"), ("MSET", "k", "1"), ("DEL", "k", "l"), ("KEYS", "*")],
)
def test_what_porcupines_form_cannot_say_is_refused(command: Command) -> None:
    """With a sentence that names the call."""
    with pytest.raises(NotExpressibleError, match=f"of one key only, and a/1 is {command[0]}"):
        list(porcupine_lines([call("a/1", *command, at=(0, 1))], DICTIONARY))


# ------------------------------------------------------------------------------------ round trips

EDN = re.compile(
    r"\{:process (\d+), :type :(invoke|ok|fail|info), :f :([\w-]+), :value (.*), "
    r":time (\d+), :index (\d+)(?:, :error (:[\w-]+))?\}"
)
ONE_KEY = ("read", "write", "cas", "delete", "increment", "append")

WORD = re.compile(r'\s*("(?:[^"\\]|\\.)*"|\[|\]|[^\s\[\]]+)')


def read_value(text: str) -> Any:
    """Read a value of EDN: a text, a number, a truth value, nil, or a vector of them."""
    nested: list[list[Any]] = [[]]
    for word in WORD.findall(text):
        if word == "[":
            nested.append([])
        elif word == "]":
            vector = nested.pop()
            nested[-1].append(vector)
        else:
            nested[-1].append(None if word == "nil" else json.loads(word))
    ((value,),) = nested
    return value


def parse_edn(lines: Iterable[str]) -> list[Operation]:
    """Read a history in Jepsen's form; every process becomes a client."""
    opened: dict[int, dict[str, Any]] = {}
    history: list[dict[str, Any]] = []
    for place, line in enumerate(lines):
        match = EDN.fullmatch(line)
        assert match is not None, line
        process, kind, name, value, time, index, error = match.groups()
        assert int(index) == place
        key, held = read_value(value) if name in ONE_KEY else ("", read_value(value))
        if kind == "invoke":
            assert int(process) not in opened, "a process has one call at a time"
            opened[int(process)] = {
                "name": f"{process}/{place}",
                "command": command_of(name, key, held),
                "status": Status.UNKNOWN,
                "called_at": int(time) / 1e9,
            }
            history.append(opened[int(process)])
            continue
        ended = opened[int(process)]
        ended["returned_at"] = int(time) / 1e9
        if kind == "info":
            continue  # The process stays open: it may not call again.
        del opened[int(process)]
        ended["status"] = Status.REFUSED if kind == "fail" and error is None else Status.OK
        if name == "cas":
            ended["result"] = error is None if ended["status"] is Status.OK else UNTOLD
        elif kind == "ok" and name != "write":
            ended["result"] = tuple(held) if isinstance(held, list) else held
    return [Operation(**fields) for fields in history]


def command_of(name: str, key: str, held: Any) -> Command:
    """Return the command of the dictionary that an :invoke stands for."""
    if name == "cas":
        return ("CAS", key, *held)
    if name == "increment":
        return ("INCRBY", key, str(held))
    if name in ONE_KEY:
        names = {"read": "GET", "write": "SET", "delete": "DEL", "append": "APPEND"}
        return (names[name], key, *(() if held is None else (held,)))
    return (name.upper(), *held)


PORCUPINE = re.compile(
    r'\{:process (\d+), :type :(invoke|ok), :f :(get|put|append), :key "(.*)", :value (nil|".*")\}'
)


def parse_porcupine(lines: Iterable[str]) -> list[Operation]:
    """Read a history in Porcupine's form; the number of a line is its time."""
    opened: dict[str, dict[str, Any]] = {}
    history = []
    commands = {"get": "GET", "put": "SET", "append": "APPEND"}
    for time, line in enumerate(lines):
        match = PORCUPINE.fullmatch(line)
        assert match is not None, line
        process, kind, name, key, value = match.groups()
        held = None if value == "nil" else json.loads(value)
        if kind == "invoke":
            opened[process] = {
                "name": f"{process}/{time}",
                "command": (commands[name], key) if name == "get" else (commands[name], key, held),
                "status": Status.UNKNOWN,
                "called_at": time,
            }
            history.append(opened[process])
            continue
        ended = opened.pop(process)
        ended.update(status=Status.OK, returned_at=time)
        if name == "get":
            ended["result"] = held
    return [Operation(**fields) for fields in history]


TEXTS = st.one_of(st.sampled_from(("", "x", 'a "b', "back\\slash", "nil", "[1 2]")), st.text())


ONE_KEY_COMMANDS = ("GET", "SET", "APPEND", "DEL", "INCRBY", "CAS")
SEVERAL_KEYS_COMMANDS = ("MGET", "MSET")


@st.composite
def calls(draw: st.DrawFn, names: tuple[str, ...]) -> Operation:
    """Draw one call of a command of one of *names*."""
    name, key = draw(st.sampled_from(names)), draw(st.sampled_from(("k", "l")))
    arguments: tuple[str, ...] = ()
    result: Any = True
    match name:
        case "GET":
            result = draw(st.one_of(st.none(), TEXTS))
        case "SET" | "APPEND":
            arguments = (draw(TEXTS),)
            result = True if name == "SET" else draw(st.integers(0, 9))
        case "CAS":
            arguments = draw(st.tuples(TEXTS, TEXTS))
            result = draw(st.booleans())
        case "INCRBY":
            arguments = (str(draw(st.integers(-2, 2))),)
            result = draw(st.integers(-9, 9))
        case "DEL":
            result = draw(st.integers(0, 1))
        case "MGET":
            arguments = ("m",)
            result = (draw(st.one_of(st.none(), TEXTS)), None)
        case "MSET":
            arguments = (draw(TEXTS), "m", draw(TEXTS))
    start = draw(st.integers(0, 20))
    return Operation(
        name=f"{draw(st.sampled_from('abc'))}/{draw(st.integers(1, 99))}",
        command=(name, key, *arguments),
        result=result,
        status=draw(st.sampled_from(Status)),
        called_at=float(start),
        returned_at=float(start + draw(st.integers(0, 5))),
    )


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(calls((*ONE_KEY_COMMANDS, *SEVERAL_KEYS_COMMANDS)), min_size=1, max_size=6))
def test_jepsens_form_keeps_the_verdict(history: list[Operation]) -> None:
    """What is read back is the same history, but for the names of the clients."""
    back = parse_edn(edn_lines(history, DICTIONARY))

    assert (find_violation(back, DICTIONARY) == ()) == (find_violation(history, DICTIONARY) == ())
    start = min(operation.called_at for operation in history)
    assert sorted(map(essence, back), key=repr) == sorted(
        (essence(operation, since=start) for operation in history), key=repr
    )


def essence(operation: Operation, since: float = 0.0) -> tuple[Any, ...]:
    """Return all of *operation* that a history in Jepsen's form tells."""
    told = operation.status is Status.OK and operation.command[0] != "SET"
    return (
        operation.command,
        operation.status,
        operation.result if told else None,
        round(operation.called_at - since, 9),
        round(operation.returned_at - since, 9),
    )


class EmptyAtFirst(Dictionary):
    """A dictionary in Porcupine's terms: what is absent is the empty text."""

    @override
    def apply(self, state: Any, command: Command) -> Any:
        after, result = super().apply(state, command)
        return after, result or "" if command[0] == "GET" else result


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(calls(("GET", "SET", "APPEND")), min_size=1, max_size=6))
def test_porcupines_form_keeps_the_verdict(history: list[Operation]) -> None:
    """In its own terms: an absent value is the empty one, and nobody is told a length."""
    machine = EmptyAtFirst()
    history = [in_porcupines_terms(operation) for operation in history]
    back = parse_porcupine(porcupine_lines(history, machine))

    assert (find_violation(back, machine) == ()) == (find_violation(history, machine) == ())


def in_porcupines_terms(operation: Operation) -> Operation:
    """Return *operation* with an absent result as the empty one, and no length."""
    is_get = operation.command[0] == "GET"
    return replace(operation, result=(operation.result or "") if is_get else UNTOLD)
