"""Histories in the forms of Jepsen and of Porcupine: written, and read back by other means."""

import json
import math
import re
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multipaxos.invariants.linearizability import (
    UNTOLD,
    Function,
    NotExpressibleError,
    Operation,
    Status,
    edn_lines,
    find_violation,
    porcupine_lines,
)


def call(
    name: str,
    function: Function,
    *arguments: str | int | None,
    at: tuple[float, float],
    **rest: Any,
) -> Operation:
    """Describe a call."""
    return Operation(
        name=name,
        function=function,
        arguments=arguments,
        called_at=at[0],
        returned_at=at[1],
        **rest,
    )


def test_a_register_in_jepsens_form() -> None:
    """Reads and writes, by number of process, in nanoseconds since the first call."""
    history = [
        call("a/1", Function.SET, 'x "1"', at=(5.0, 5.25), result=None),
        call("b/1", Function.GET, at=(5.1, 5.2), result=None),
        call("b/2", Function.GET, at=(5.3, 5.4), result='x "1"'),
    ]

    assert list(edn_lines(history)) == [
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
        call("a/1", Function.SET, "x", at=(0, 1), status=Status.UNKNOWN),
        call("a/2", Function.SET, "y", at=(2, 3), status=Status.REFUSED),
        call("a/3", Function.SET, "z", at=(4, math.inf), status=Status.UNKNOWN),
        call("a/4", Function.COMPARE_AND_SET, "x", "y", at=(5, 6), result=False),
    ]

    told = [re.findall(r":process (\d)|:type :(\w+)", line) for line in edn_lines(history)]

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
    """As Jepsen's independent does."""
    history = [
        call("a/1", Function.INCREMENT, 2, at=(0, 1), key="k", result=2),
        call("a/2", Function.COMPARE_AND_SET, "2", "5", at=(2, 3), key="k", result=True),
    ]

    lines = list(edn_lines(history))

    assert ':f :increment, :value ["k" 2]' in lines[0]
    assert ':f :cas, :value ["k" ["2" "5"]]' in lines[2]


def test_a_dictionary_in_porcupines_form() -> None:
    """Without times: the order of the lines is what counts."""
    history = [
        call("a/1", Function.SET, "x", at=(0, 2), key="k", result=None),
        call("b/1", Function.APPEND, "y", at=(1, 3), key="k", status=Status.UNKNOWN),
        call("b/2", Function.GET, at=(4, 5), key="k", result="xy"),
        call("b/3", Function.DELETE, at=(6, 7), key="k", result=True),
        call("b/4", Function.GET, at=(8, 9), key="k", result=None),
        call("c/1", Function.GET, at=(8, 9), key="k", status=Status.UNKNOWN),
        call("c/2", Function.SET, "z", at=(10, 11), key="k", status=Status.REFUSED),
    ]

    assert list(porcupine_lines(history)) == [
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


@pytest.mark.parametrize("function", [Function.INCREMENT, Function.COMPARE_AND_SET])
def test_what_porcupines_form_cannot_say_is_refused(function: Function) -> None:
    """With a sentence that names the call."""
    with pytest.raises(NotExpressibleError, match=f"a/1 is a {function}"):
        list(porcupine_lines([call("a/1", function, 1, 2, at=(0, 1))]))


# ------------------------------------------------------------------------------------ round trips

EDN = re.compile(
    r"\{:process (\d+), :type :(invoke|ok|fail|info), :f :([\w-]+), :value (.*), "
    r":time (\d+), :index (\d+)(?:, :error (:[\w-]+))?\}"
)
EDN_FUNCTIONS = {
    "read": Function.GET,
    "write": Function.SET,
    "cas": Function.COMPARE_AND_SET,
    "delete": Function.DELETE,
    "increment": Function.INCREMENT,
    "append": Function.APPEND,
}


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
        key, held = read_value(value)
        function = EDN_FUNCTIONS[name]
        if kind == "invoke":
            assert int(process) not in opened, "a process has one call at a time"
            opened[int(process)] = {
                "name": f"{process}/{place}",
                "function": function,
                "key": key,
                "arguments": arguments_of(function, held),
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
        if function is Function.COMPARE_AND_SET:
            ended["result"] = error is None if ended["status"] is Status.OK else UNTOLD
        elif kind == "ok" and function is not Function.SET:
            ended["result"] = held
    return [Operation(**fields) for fields in history]


def arguments_of(function: Function, held: Any) -> tuple[Any, ...]:
    """Return the arguments that the value of an :invoke stands for."""
    if function in (Function.GET, Function.DELETE):
        return ()
    return tuple(held) if function is Function.COMPARE_AND_SET else (held,)


PORCUPINE = re.compile(
    r'\{:process (\d+), :type :(invoke|ok), :f :(get|put|append), :key "(.*)", :value (nil|".*")\}'
)


def parse_porcupine(lines: Iterable[str]) -> list[Operation]:
    """Read a history in Porcupine's form; the number of a line is its time."""
    opened: dict[str, dict[str, Any]] = {}
    history = []
    functions = {"get": Function.GET, "put": Function.SET, "append": Function.APPEND}
    for time, line in enumerate(lines):
        match = PORCUPINE.fullmatch(line)
        assert match is not None, line
        process, kind, name, key, value = match.groups()
        held = None if value == "nil" else json.loads(value)
        if kind == "invoke":
            opened[process] = {
                "name": f"{process}/{time}",
                "function": functions[name],
                "key": key,
                "arguments": () if name == "get" else (held,),
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


@st.composite
def calls(draw: st.DrawFn, functions: tuple[Function, ...]) -> Operation:
    """Draw one call of one of *functions*."""
    function = draw(st.sampled_from(functions))
    arguments: tuple[str | int, ...] = ()
    result: Any = None
    match function:
        case Function.GET:
            result = draw(st.one_of(st.none(), TEXTS))
        case Function.SET | Function.APPEND:
            arguments = (draw(TEXTS),)
            result = None if function is Function.SET else draw(st.integers(0, 9))
        case Function.COMPARE_AND_SET:
            arguments = (draw(TEXTS), draw(TEXTS))
            result = draw(st.booleans())
        case Function.INCREMENT:
            arguments = (draw(st.integers(-2, 2)),)
            result = draw(st.integers(-9, 9))
        case Function.DELETE:
            result = draw(st.booleans())
    start = draw(st.integers(0, 20))
    return Operation(
        name=f"{draw(st.sampled_from('abc'))}/{draw(st.integers(1, 99))}",
        function=function,
        key=draw(st.sampled_from(("k", "l"))),
        arguments=arguments,
        result=result,
        status=draw(st.sampled_from(Status)),
        called_at=float(start),
        returned_at=float(start + draw(st.integers(0, 5))),
    )


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(calls(tuple(Function)), min_size=1, max_size=6))
def test_jepsens_form_keeps_the_verdict(history: list[Operation]) -> None:
    """What is read back is the same history, but for the names of the clients."""
    back = parse_edn(edn_lines(history))

    assert (find_violation(back) == ()) == (find_violation(history) == ())
    start = min(operation.called_at for operation in history)
    assert sorted(map(essence, back), key=repr) == sorted(
        (essence(operation, since=start) for operation in history), key=repr
    )


def essence(operation: Operation, since: float = 0.0) -> tuple[Any, ...]:
    """Return all of *operation* that a history in Jepsen's form tells."""
    told = operation.status is Status.OK and operation.function is not Function.SET
    return (
        operation.function,
        operation.key,
        operation.arguments,
        operation.status,
        operation.result if told else None,
        round(operation.called_at - since, 9),
        round(operation.returned_at - since, 9),
    )


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.lists(calls((Function.GET, Function.SET, Function.APPEND)), min_size=1, max_size=6),
)
def test_porcupines_form_keeps_the_verdict(history: list[Operation]) -> None:
    """In its own terms: an absent value is the empty one, and nobody is told a length."""
    history = [in_porcupines_terms(operation) for operation in history]
    back = parse_porcupine(porcupine_lines(history))

    assert (find_violation(back, initial="") == ()) == (find_violation(history, initial="") == ())


def in_porcupines_terms(operation: Operation) -> Operation:
    """Return *operation* with an absent result as the empty one, and no length."""
    fields = {name: getattr(operation, name) for name in operation.__slots__}
    if operation.function is Function.GET:
        fields["result"] = operation.result or ""
    else:
        fields["result"] = UNTOLD
    return Operation(**fields)
