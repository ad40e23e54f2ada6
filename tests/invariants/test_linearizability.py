"""The judge of what clients saw, on histories whose verdict is known."""

import itertools
import math
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multipaxos.invariants.linearizability import (
    UNTOLD,
    Function,
    Operation,
    Status,
    check_linearizable,
    find_violation,
)
from multipaxos.invariants.linearizability.stepping import fits, step
from multipaxos.invariants.violation import InvariantViolation


def call(
    name: str,
    function: Function,
    *arguments: str | int | None,
    at: tuple[float, float],
    result: object = UNTOLD,
    key: str = "",
    status: Status = Status.OK,
) -> Operation:
    """Describe a call."""
    return Operation(
        name=name,
        function=function,
        key=key,
        arguments=arguments,
        status=status,
        result=result,  # type: ignore[arg-type]
        called_at=at[0],
        returned_at=at[1],
    )


def write(name: str, value: str, called_at: float, returned_at: float = math.inf) -> Operation:
    """Describe a write; without an end, nobody knows whether it happened."""
    return call(name, Function.SET, value, at=(called_at, returned_at))


def read(name: str, value: str | None, called_at: float, returned_at: float) -> Operation:
    """Describe a read that returned *value*."""
    return call(name, Function.GET, at=(called_at, returned_at), result=value)


def cas(
    name: str, expected: str | None, new: str, called_at: float, returned_at: float, *, done: bool
) -> Operation:
    """Describe a compare-and-set."""
    return call(
        name, Function.COMPARE_AND_SET, expected, new, at=(called_at, returned_at), result=done
    )


def increment(name: str, total: object, called_at: float, returned_at: float) -> Operation:
    """Describe the addition of one that came to *total*."""
    return call(name, Function.INCREMENT, 1, at=(called_at, returned_at), result=total)


WX, WY = write("w1", "x", 0, 1), write("w2", "y", 2, 3)

GOOD = {
    "one after the other": [read("r0", None, 0, 1), write("w1", "x", 2, 3), read("r1", "x", 4, 5)],
    "the old value during a write": [write("w", "x", 0, 10), read("r", None, 1, 2)],
    "the new value during a write": [write("w", "x", 0, 10), read("r", "x", 1, 2)],
    "an unknown write that happened late": [
        WX,
        write("w2", "y", 2),
        read("r1", "x", 3, 4),
        read("r2", "y", 5, 6),
    ],
    "an unknown write that never happened": [WX, write("w2", "y", 2), read("r", "x", 3, 4)],
    "a refused write": [
        WX,
        call("w2", Function.SET, "y", at=(2, 3), status=Status.REFUSED),
        read("r", "x", 4, 5),
    ],
    "a read of unknown outcome": [WX, call("r", Function.GET, at=(2, 3), status=Status.UNKNOWN)],
    "two writes at once, either first": [
        write("w1", "x", 0, 5),
        write("w2", "y", 0, 5),
        read("r", "x", 6, 7),
    ],
    "a compare-and-set that one of two wins": [
        WX,
        cas("c1", "x", "a", 2, 5, done=True),
        cas("c2", "x", "b", 2, 5, done=False),
        read("r", "a", 6, 7),
    ],
    "a compare-and-set of nothing": [cas("c1", None, "a", 0, 1, done=True)],
    "a failure explained by an unknown write": [
        WX,
        write("w2", "y", 2),
        cas("c", "x", "z", 3, 4, done=False),
    ],
    "a count of two at once": [increment("i1", 2, 0, 5), increment("i2", 1, 0, 5)],
    "an increment of unknown outcome that counted": [
        increment("i1", 1, 0, 1),
        increment("i2", UNTOLD, 2, math.inf),
        increment("i3", 3, 4, 5),
    ],
    "no number to add to": [WX, increment("i", None, 2, 3), read("r", "x", 4, 5)],
    "text grown at its end": [
        call("a1", Function.APPEND, "x", at=(0, 1), result=1),
        call("a2", Function.APPEND, "yz", at=(2, 3), result=3),
        read("r", "xyz", 4, 5),
    ],
    "deleted once": [
        WX,
        call("d1", Function.DELETE, at=(2, 5), result=True),
        call("d2", Function.DELETE, at=(2, 5), result=False),
        read("r", None, 6, 7),
    ],
    "each key by itself": [
        call("w1", Function.SET, "x", at=(0, 1), key="k"),
        call("r1", Function.GET, at=(2, 3), key="l", result=None),
        call("r2", Function.GET, at=(2, 3), key="k", result="x"),
    ],
}

BAD = {
    "a stale read": ([WX, WY, read("r", "x", 4, 5)], "stale"),
    "a lost update": ([WX, read("r", None, 2, 3)], "stale"),
    "a read of a value that nobody wrote": ([WX, read("r", "z", 2, 3)], "nobody ever wrote"),
    "a read before the write": ([read("r", "x", 0, 1), write("w", "x", 2, 3)], "before it was"),
    "a read back in time": (
        [WX, write("w2", "y", 2, 20), read("r1", "y", 3, 4), read("r2", "x", 5, 6)],
        "went back in time",
    ),
    "an unknown write that came and went": (
        [
            WX,
            write("w2", "y", 2),
            read("r1", "x", 3, 4),
            read("r2", "y", 5, 6),
            read("r3", "x", 7, 8),
        ],
        "went back in time",
    ),
    "a retry applied twice": (
        [WX, WY, read("r1", "y", 4, 5), read("r2", "x", 6, 7)],
        "stale",
    ),
    "a refused write that was read": (
        [call("w", Function.SET, "x", at=(0, 1), status=Status.REFUSED), read("r", "x", 2, 3)],
        "nobody ever wrote",
    ),
    "a compare-and-set that both won": (
        [WX, cas("c1", "x", "a", 2, 5, done=True), cas("c2", "x", "b", 2, 5, done=True)],
        "no order of single steps",
    ),
    "a compare-and-set that failed for no reason": (
        [WX, cas("c", "x", "a", 2, 3, done=False)],
        "no order of single steps",
    ),
    "a lost increment": (
        [increment("i1", 1, 0, 5), increment("i2", 1, 0, 5)],
        "no order of single steps",
    ),
    "text cut in two": (
        [
            call("a1", Function.APPEND, "x", at=(0, 1)),
            call("a2", Function.APPEND, "y", at=(2, 3)),
            read("r", "yx", 4, 5),
        ],
        "no order of single steps",
    ),
    "deleted twice": (
        [
            WX,
            call("d1", Function.DELETE, at=(2, 5), result=True),
            call("d2", Function.DELETE, at=(2, 5), result=True),
        ],
        "no order of single steps",
    ),
    "one key of two": (
        [
            call("w1", Function.SET, "x", at=(0, 1), key="k"),
            call("r1", Function.GET, at=(2, 3), key="l", result="x"),
            call("r2", Function.GET, at=(2, 3), key="k", result="x"),
        ],
        "nobody ever wrote",
    ),
}


@pytest.mark.parametrize("history", GOOD.values(), ids=GOOD)
def test_a_history_that_one_order_explains_is_linearizable(history: list[Operation]) -> None:
    """Whatever order explains it, and in whatever order it is told."""
    assert find_violation(history) == ()
    assert find_violation(history[::-1]) == ()
    check_linearizable(history)


@pytest.mark.parametrize("history,said", BAD.values(), ids=BAD)
def test_a_history_that_no_order_explains_is_a_violation(
    history: list[Operation], said: str
) -> None:
    """I11, with the operations that do not fit, and why."""
    assert find_violation(history) != ()
    with pytest.raises(InvariantViolation, match=rf"I11 Linearizable: .*{said}"):
        check_linearizable(history)


def test_what_cannot_be_explained_is_named() -> None:
    """Of a stale read only that one is open when the search ends."""
    stale = read("r", "x", 4, 5)

    assert find_violation([WX, WY, stale]) == (stale,)


def test_the_violation_names_the_link_that_the_client_was_told() -> None:
    """A teacher looks there first."""
    stale = Operation(
        name="c/3", function=Function.GET, result="x", called_at=4, returned_at=5, link=7
    )

    with pytest.raises(InvariantViolation) as violated:
        check_linearizable([WX, WY, stale])

    assert violated.value.link == 7
    assert "c/3" in violated.value.explanation


VALUES = st.sampled_from(("x", "1"))
INTERVALS = st.tuples(st.integers(0, 12), st.integers(0, 6))
ASKED = st.one_of(
    st.tuples(st.just(Function.GET), st.just(()), st.sampled_from((None, "x", "1", "2", "xx"))),
    st.tuples(st.just(Function.SET), st.tuples(VALUES), st.just(None)),
    st.tuples(st.just(Function.DELETE), st.just(()), st.booleans()),
    st.tuples(st.just(Function.COMPARE_AND_SET), st.tuples(VALUES, VALUES), st.booleans()),
    st.tuples(st.just(Function.INCREMENT), st.just((1,)), st.sampled_from((1, 2, None))),
    st.tuples(st.just(Function.APPEND), st.tuples(VALUES), st.sampled_from((1, 2))),
)
STATUSES = st.sampled_from((Status.OK, Status.OK, Status.UNKNOWN, Status.REFUSED))
CALLS = st.tuples(ASKED, INTERVALS, STATUSES, st.booleans())
SIMPLE = st.tuples(
    st.one_of(
        st.tuples(st.just(Function.GET), st.just(()), st.sampled_from((None, "x", "1"))),
        st.tuples(st.just(Function.SET), st.tuples(VALUES), st.just(None)),
    ),
    INTERVALS,
    STATUSES,
    st.just(True),
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.one_of(st.lists(CALLS, max_size=5), st.lists(SIMPLE, max_size=5)))
def test_the_search_agrees_with_trying_every_order(drawn: list[tuple]) -> None:  # type: ignore[type-arg]
    """On small histories of all functions the verdict is that of brute force."""
    history = [
        call(
            f"o{number}",
            function,
            *arguments,
            at=(start, start + length),
            result=result if told else UNTOLD,
            status=status,
        )
        for number, ((function, arguments, result), (start, length), status, told) in enumerate(
            drawn
        )
    ]

    assert (find_violation(history) == ()) == any_order_explains(history)


def any_order_explains(history: list[Operation]) -> bool:
    """Try each order of each choice of the operations that may have happened."""
    happened = [o for o in history if o.status is not Status.REFUSED]
    certain = [o for o in happened if o.status is Status.OK]
    perhaps = [o for o in happened if o.status is Status.UNKNOWN]
    return any(
        is_explanation(order)
        for count in range(len(perhaps) + 1)
        for chosen in itertools.combinations(perhaps, count)
        for order in itertools.permutations([*certain, *chosen])
    )


def is_explanation(order: tuple[Operation, ...]) -> bool:
    """Tell whether *order* respects real time and explains every result."""
    value: str | None = None
    for place, operation in enumerate(order):
        if any(later.known_at < operation.called_at for later in order[place + 1 :]):
            return False
        value, result = step(value, operation.function, operation.arguments)
        if operation.status is Status.OK and not fits(operation, result):
            return False
    return True


def test_brute_force_finds_both_verdicts_often() -> None:
    """The comparison above is not vacuous."""
    rng = Random(2)
    verdicts = []
    for _ in range(200):
        history = []
        for number in range(4):
            start = rng.uniform(0, 10)
            end = start + rng.uniform(0, 6)
            value = rng.choice("xy")
            make = write if rng.random() < 0.5 else read
            history.append(make(f"o{number}", value, start, end))
        verdicts.append(any_order_explains(history))
        assert (find_violation(history) == ()) == verdicts[-1]
    assert 20 < sum(verdicts) < 180


def served(rng: Random, count: int, *, clients: int, unknown: float) -> list[Operation]:
    """Draw a history of *count* calls on two keys from a store that is linearizable."""
    values: dict[str, str | None] = {"k": None, "l": None}
    history = []
    for number in range(count):
        instant = float(number)
        key = rng.choice("kl")
        function = rng.choice((Function.GET, Function.GET, Function.SET, Function.APPEND))
        arguments = () if function is Function.GET else (f"v{number}",)
        if function is Function.APPEND and len(values[key] or "") > 40:
            function, arguments = Function.DELETE, ()
        lost = rng.random() < unknown
        if lost and rng.random() < 0.5:
            result = None
        else:
            values[key], result = step(values[key], function, arguments)
        history.append(
            call(
                f"c{number % clients}/{number}",
                function,
                *arguments,
                at=(instant - rng.uniform(0, clients / 2), instant + rng.uniform(0, clients / 2)),
                result=UNTOLD if lost else result,
                key=key,
                status=Status.UNKNOWN if lost else Status.OK,
            )
        )
    return history


@pytest.mark.parametrize("clients,unknown", [(3, 0.0), (10, 0.0), (3, 0.02)])
def test_a_long_history_is_judged_without_an_exponential_search(
    clients: int, unknown: float
) -> None:
    """Thousands of calls, with a few open at a time, and some whose outcome nobody knows."""
    history = served(Random(1), 4000, clients=clients, unknown=unknown)

    assert find_violation(history) == ()


def test_one_wrong_read_in_a_long_history_is_found() -> None:
    """The search ends there, and says so."""
    history = served(Random(1), 4000, clients=4, unknown=0.01)
    wrong = next(
        index
        for index, operation in enumerate(history)
        if index > 2000 and operation.function is Function.GET and operation.status is Status.OK
    )
    o = history[wrong]
    history[wrong] = call(
        o.name, Function.GET, at=(o.called_at, o.returned_at), result="never written", key=o.key
    )

    assert o.name in {operation.name for operation in find_violation(history)}


def test_the_links_show_the_way_through_many_calls_that_were_open_at_once() -> None:
    """
    Forty calls are open at each moment, and the order of the returns explains nothing.

    Trying the orders of forty calls one by one would not end; the links' order is tried first.
    """
    rng = Random(7)
    history = []
    value = None
    for link in range(400):
        at = (link + rng.uniform(-20, 0), link + rng.uniform(0, 20))
        if rng.random() < 0.5:
            value = f"v{link}"
            made = call(f"c{link}/1", Function.SET, value, at=at)
        else:
            made = call(f"c{link}/1", Function.GET, at=at, result=value)
        history.append(replace(made, link=link))

    assert find_violation(history) == ()
