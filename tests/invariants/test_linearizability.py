"""The judge of what clients saw, on histories whose verdict is known."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multipaxos.chain.dictionary import NO_INTEGER, Dictionary
from multipaxos.chain.register import Register
from multipaxos.chain.state_machine import Command, StateMachine, apply_safely
from multipaxos.invariants.linearizability import (
    UNTOLD,
    Operation,
    Status,
    check_linearizable,
    find_violation,
)
from multipaxos.invariants.linearizability.stepping import fits
from multipaxos.invariants.violation import InvariantViolation

REGISTER, DICTIONARY = Register(), Dictionary()


def call(
    name: str,
    *command: str,
    at: tuple[float, float],
    result: object = UNTOLD,
    status: Status = Status.OK,
    link: int | None = None,
) -> Operation:
    """Describe a call."""
    return Operation(
        name=name,
        command=command,
        status=status,
        result=result,  # type: ignore[arg-type]
        called_at=at[0],
        returned_at=at[1],
        link=link,
    )


def unknown(name: str, *command: str, at: float) -> Operation:
    """Describe a call of which nobody knows whether it happened."""
    return call(name, *command, at=(at, math.inf), status=Status.UNKNOWN)


def write(name: str, value: str, called_at: float, returned_at: float = math.inf) -> Operation:
    """Describe a write; without an end, nobody knows whether it happened."""
    return call(name, "SET", value, at=(called_at, returned_at))


def read(name: str, value: str | None, called_at: float, returned_at: float) -> Operation:
    """Describe a read that returned *value*."""
    return call(name, "GET", at=(called_at, returned_at), result=value)


def cas(
    name: str, expected: str | None, new: str, called_at: float, returned_at: float, *, done: bool
) -> Operation:
    """Describe a compare-and-set."""
    values = (new,) if expected is None else (expected, new)
    return call(name, "CAS", *values, at=(called_at, returned_at), result=done)


def put(name: str, value: str, called_at: float, returned_at: float) -> Operation:
    """Describe a write of key k."""
    return call(name, "SET", "k", value, at=(called_at, returned_at), result=True)


def get(name: str, value: str | None, called_at: float, returned_at: float) -> Operation:
    """Describe a read of key k."""
    return call(name, "GET", "k", at=(called_at, returned_at), result=value)


def increment(name: str, total: object, called_at: float, returned_at: float) -> Operation:
    """Describe the addition of one to key k that came to *total*."""
    return call(name, "INCR", "k", at=(called_at, returned_at), result=total)


WX, WY = write("w1", "x", 0, 1), write("w2", "y", 2, 3)
PX, PY = put("w1", "x", 0, 1), put("w2", "y", 2, 3)

Histories = dict[str, tuple[StateMachine, list[Operation]]]

GOOD: Histories = {
    name: (REGISTER, history)
    for name, history in {
        "one after the other": [
            read("r0", None, 0, 1),
            write("w1", "x", 2, 3),
            read("r1", "x", 4, 5),
        ],
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
            call("w2", "SET", "y", at=(2, 3), status=Status.REFUSED),
            read("r", "x", 4, 5),
        ],
        "a read of unknown outcome": [WX, call("r", "GET", at=(2, 3), status=Status.UNKNOWN)],
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
        "an unknown compare-and-set that explains two reads": [
            WX,
            unknown("c", "CAS", "x", "y", at=2),
            read("r1", "x", 3, 4),
            read("r2", "y", 5, 6),
        ],
    }.items()
} | {
    name: (DICTIONARY, history)
    for name, history in {
        "a count of two at once": [increment("i1", 2, 0, 5), increment("i2", 1, 0, 5)],
        "an increment of unknown outcome that counted": [
            increment("i1", 1, 0, 1),
            unknown("i2", "INCR", "k", at=2),
            increment("i3", 3, 4, 5),
        ],
        "increments of unknown outcome of which some counted": [
            unknown("i1", "INCR", "k", at=0),
            unknown("i2", "INCRBY", "k", "5", at=0),
            unknown("i3", "INCR", "k", at=0),
            increment("i4", 8, 4, 5),
        ],
        "no number to add to": [PX, increment("i", NO_INTEGER, 2, 3), get("r", "x", 4, 5)],
        "text grown at its end": [
            call("a1", "APPEND", "k", "x", at=(0, 1), result=1),
            call("a2", "APPEND", "k", "yz", at=(2, 3), result=3),
            get("r", "xyz", 4, 5),
        ],
        "text grown by one of two of unknown outcome": [
            unknown("a1", "APPEND", "k", "x", at=0),
            unknown("a2", "APPEND", "k", "y", at=0),
            get("r1", "y", 2, 3),
            get("r2", "yx", 4, 5),
        ],
        "deleted once": [
            PX,
            call("d1", "DEL", "k", at=(2, 5), result=1),
            call("d2", "DEL", "k", at=(2, 5), result=0),
            get("r", None, 6, 7),
        ],
        "each key by itself": [
            put("w1", "x", 0, 1),
            call("r1", "GET", "l", at=(2, 3), result=None),
            get("r2", "x", 2, 3),
        ],
        "several keys at once": [
            call("m1", "MSET", "k", "1", "l", "1", at=(0, 5), result=True),
            call("m2", "MSET", "k", "2", "l", "2", at=(0, 5), result=True),
            call("g", "MGET", "k", "l", "m", at=(6, 7), result=("1", "1", None)),
        ],
        "several keys set by whom nobody answered": [
            unknown("m1", "MSET", "k", "1", "l", "1", at=0),
            call("g1", "MGET", "k", "l", at=(1, 2), result=(None, None)),
            call("g2", "MGET", "k", "l", at=(3, 4), result=("1", "1")),
        ],
        "only if nothing is there": [
            call("w1", "SET", "k", "x", "NX", at=(0, 5), result=True),
            call("w2", "SET", "k", "y", "NX", at=(0, 5), result=False),
            get("r", "x", 6, 7),
        ],
        "a compare-and-set for each of two keys": [
            call("c1", "SET", "k", "x", "NX", at=(0, 1), result=True),
            call("c2", "SET", "l", "x", "NX", at=(0, 1), result=True),
            call("c3", "CAS", "k", "x", "y", at=(2, 3), result=True),
        ],
        "the keys there were": [
            PX,
            call("w2", "SET", "l", "y", at=(2, 9), result=True),
            call("k1", "KEYS", "*", at=(3, 4), result=("k",)),
            call("s1", "SCAN", "0", at=(5, 6), result=("0", ("k", "l"))),
            call("n1", "DBSIZE", at=(5, 6), result=2),
        ],
        "a key that came from whom nobody answered": [
            PX,
            unknown("w2", "SET", "l", "y", at=2),
            call("k1", "KEYS", "*", at=(3, 4), result=("k",)),
            call("k2", "KEYS", "*", at=(5, 6), result=("k", "l")),
        ],
    }.items()
}

BAD: dict[str, tuple[StateMachine, list[Operation], str]] = {
    name: (REGISTER, *bad)
    for name, bad in {
        "a stale read": ([WX, WY, read("r", "x", 4, 5)], "stale"),
        "a lost update": ([WX, read("r", None, 2, 3)], "stale"),
        "a read of a value that nobody wrote": ([WX, read("r", "z", 2, 3)], "nobody ever wrote"),
        "a read before the write": (
            [read("r", "x", 0, 1), write("w", "x", 2, 3)],
            "before it was",
        ),
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
            [call("w", "SET", "x", at=(0, 1), status=Status.REFUSED), read("r", "x", 2, 3)],
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
        "a read of what a compare-and-set had replaced": (
            [WX, cas("c", "x", "y", 2, 3, done=True), read("r", "x", 4, 5)],
            'CAS "x" "y" .* had overwritten that before',
        ),
    }.items()
} | {
    name: (DICTIONARY, *bad)
    for name, bad in {
        "a lost increment": (
            [increment("i1", 1, 0, 5), increment("i2", 1, 0, 5)],
            "no order of single steps",
        ),
        "an increment applied again by a retry": (
            [increment("i1", 1, 0, 5), increment("i2", 3, 6, 7)],
            'no order of single steps of \'k\' .* "1", and none of these fits: i2 INCR "k" -> 3',
        ),
        "an increment of unknown outcome applied twice": (
            [
                increment("i1", 1, 0, 1),
                unknown("i2", "INCR", "k", at=2),
                increment("i3", 3, 4, 5),
                increment("i4", 5, 6, 7),
            ],
            "no order of single steps",
        ),
        "text cut in two": (
            [
                call("a1", "APPEND", "k", "x", at=(0, 1)),
                call("a2", "APPEND", "k", "y", at=(2, 3)),
                get("r", "yx", 4, 5),
            ],
            "no order of single steps",
        ),
        "text appended twice": (
            [call("a", "APPEND", "k", "x", at=(0, 5), result=1), get("r", "xx", 6, 7)],
            "no order of single steps",
        ),
        "deleted twice": (
            [
                PX,
                call("d1", "DEL", "k", at=(2, 5), result=1),
                call("d2", "DEL", "k", at=(2, 5), result=1),
            ],
            "no order of single steps",
        ),
        "one key of two": (
            [
                put("w1", "x", 0, 1),
                call("r1", "GET", "l", at=(2, 3), result="x"),
                get("r2", "x", 2, 3),
            ],
            "nobody ever wrote",
        ),
        "one key set after the other": (
            [
                call("m1", "MSET", "k", "1", "l", "1", at=(0, 5), result=True),
                call("g", "MGET", "k", "l", at=(2, 3), result=("1", None)),
                get("r", "1", 6, 7),
            ],
            "no order of single steps of 'k', 'l'",
        ),
        "several keys set back": (
            [
                PX,
                call("m1", "MSET", "k", "1", "l", "1", at=(2, 3), result=True),
                get("r", "x", 4, 5),
            ],
            'MSET "k" "1" "l" "1" .* had overwritten that before',
        ),
        "two keys that came in two orders": (
            [
                call("c1", "SET", "k", "x", "NX", at=(0, 9), result=True),
                call("c2", "SET", "l", "x", "NX", at=(0, 9), result=True),
                call("g1", "MGET", "k", "l", at=(2, 3), result=("x", None)),
                call("g2", "MGET", "k", "l", at=(4, 5), result=(None, "x")),
            ],
            "no order of single steps",
        ),
        "both set what was not there": (
            [
                call("w1", "SET", "k", "x", "NX", at=(0, 5), result=True),
                call("w2", "SET", "k", "y", "NX", at=(0, 5), result=True),
            ],
            "no order of single steps",
        ),
        "a key too few": (
            [PX, call("k1", "KEYS", "*", at=(3, 4), result=())],
            'no order of single steps explains .* there is k "x", and none of these fits',
        ),
        "a key that comes and goes": (
            [
                PX,
                unknown("w2", "SET", "l", "y", at=2),
                call("s1", "SCAN", "0", at=(3, 4), result=("0", ("k", "l"))),
                call("n1", "DBSIZE", at=(5, 6), result=1),
            ],
            "no order of single steps",
        ),
        "what was done told as a number": (
            [call("w1", "SET", "k", "x", at=(0, 1), result=1)],
            "no order of single steps",
        ),
    }.items()
}


@pytest.mark.parametrize("machine,history", GOOD.values(), ids=GOOD)
def test_a_history_that_one_order_explains_is_linearizable(
    machine: StateMachine, history: list[Operation]
) -> None:
    """Whatever order explains it, and in whatever order it is told."""
    assert find_violation(history, machine) == ()
    assert find_violation(history[::-1], machine) == ()
    check_linearizable(history, machine)


@pytest.mark.parametrize("machine,history,said", BAD.values(), ids=BAD)
def test_a_history_that_no_order_explains_is_a_violation(
    machine: StateMachine, history: list[Operation], said: str
) -> None:
    """I11, with the operations that do not fit, and why."""
    assert find_violation(history, machine) != ()
    with pytest.raises(InvariantViolation, match=rf"I11 Linearizable: .*{said}"):
        check_linearizable(history, machine)


def test_what_cannot_be_explained_is_named() -> None:
    """Of a stale read only that one is open when the search ends."""
    stale = read("r", "x", 4, 5)

    assert find_violation([WX, WY, stale]) == (stale,)


def test_the_violation_names_the_link_that_the_client_was_told() -> None:
    """A teacher looks there first."""
    stale = call("c/3", "GET", result="x", at=(4, 5), link=7)

    with pytest.raises(InvariantViolation) as violated:
        check_linearizable([WX, WY, stale])

    assert violated.value.link == 7
    assert "c/3" in violated.value.explanation


@pytest.mark.parametrize("links", [(1, 2, 3), (1, 3, 2), (3, 1, 2)])
def test_links_are_a_hint_and_no_proof(links: tuple[int, int, int]) -> None:
    """Whatever links are named: an order that explains all is found, and no other is taken."""
    good = [write("w1", "x", 0, 5), write("w2", "y", 0, 5), read("r", "x", 6, 7)]
    bad = [write("w1", "x", 0, 1), write("w2", "y", 2, 5), read("r", "x", 6, 7)]

    for history, is_good in ((good, True), (bad, False)):
        told = [replace(o, link=link) for o, link in zip(history, links, strict=True)]
        assert (find_violation(told) == ()) is is_good


# ------------------------------------------------------------------------------------ brute force

KEYS = st.sampled_from(("k", "l"))
VALUES = st.sampled_from(("x", "1"))
INTERVALS = st.tuples(st.integers(0, 12), st.integers(0, 6))


def asks(
    name: str, *arguments: st.SearchStrategy[str], told: Sequence[object]
) -> st.SearchStrategy[tuple[Command, object]]:
    """Draw a command and what its client may have been told."""
    command = st.tuples(st.just(name), *arguments)
    return st.tuples(command, st.sampled_from(told))


SIMPLE = st.one_of(
    asks("GET", told=(None, "x", "1")),
    asks("SET", VALUES, told=(True,)),
)
OF_A_REGISTER = st.one_of(
    SIMPLE,
    asks("CAS", VALUES, told=(True, False)),
    asks("CAS", VALUES, VALUES, told=(True, False)),
)
OF_ONE_KEY = st.one_of(
    asks("GET", KEYS, told=(None, "x", "1", "2", "xx")),
    asks("SET", KEYS, VALUES, told=(True,)),
    asks("SET", KEYS, VALUES, st.sampled_from(("NX", "XX")), told=(True, False)),
    asks("DEL", KEYS, told=(0, 1)),
    asks("CAS", KEYS, VALUES, VALUES, told=(True, False)),
    asks("INCR", KEYS, told=(1, 2, NO_INTEGER)),
    asks("APPEND", KEYS, VALUES, told=(1, 2)),
)
OF_SEVERAL_KEYS = st.one_of(
    asks("MSET", KEYS, VALUES, KEYS, VALUES, told=(True,)),
    asks("MGET", KEYS, KEYS, told=((None, None), ("x", "x"), ("x", None), ("1", "x"))),
    asks("KEYS", st.just("*"), told=((), ("k",), ("l",), ("k", "l"))),
    asks("DBSIZE", told=(0, 1, 2)),
)
STATUSES = st.sampled_from((Status.OK, Status.OK, Status.UNKNOWN, Status.REFUSED))


def histories(
    asked: st.SearchStrategy[tuple[Command, object]],
) -> st.SearchStrategy[list[Operation]]:
    """Draw at most five calls."""
    calls = st.tuples(asked, INTERVALS, STATUSES, st.booleans())
    return st.lists(calls, max_size=5).map(
        lambda drawn: [
            call(
                f"o{number}",
                *command,
                at=(start, start + length),
                result=result if told else UNTOLD,
                status=status,
            )
            for number, ((command, result), (start, length), status, told) in enumerate(drawn)
        ]
    )


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    st.one_of(
        st.tuples(st.just(REGISTER), histories(SIMPLE)),
        st.tuples(st.just(REGISTER), histories(OF_A_REGISTER)),
        st.tuples(st.just(DICTIONARY), histories(OF_ONE_KEY)),
        st.tuples(st.just(DICTIONARY), histories(st.one_of(OF_ONE_KEY, OF_SEVERAL_KEYS))),
    )
)
def test_the_search_agrees_with_trying_every_order(
    drawn: tuple[StateMachine, list[Operation]],
) -> None:
    """On small histories of all commands the verdict is that of brute force."""
    machine, history = drawn

    assert (find_violation(history, machine) == ()) == any_order_explains(history, machine)


def any_order_explains(history: list[Operation], machine: StateMachine) -> bool:
    """Try each order of each choice of the operations that may have happened."""
    happened = [o for o in history if o.status is not Status.REFUSED]
    certain = [o for o in happened if o.status is Status.OK]
    perhaps = [o for o in happened if o.status is Status.UNKNOWN]
    return any(
        is_explanation(order, machine)
        for count in range(len(perhaps) + 1)
        for chosen in itertools.combinations(perhaps, count)
        for order in itertools.permutations([*certain, *chosen])
    )


def is_explanation(order: tuple[Operation, ...], machine: StateMachine) -> bool:
    """Tell whether *order* respects real time and explains every result."""
    state = machine.initial()
    for place, operation in enumerate(order):
        if any(later.known_at < operation.called_at for later in order[place + 1 :]):
            return False
        state, result = apply_safely(machine, state, operation.command)
        if operation.status is Status.OK and not fits(operation, result):
            return False
    return True


@pytest.mark.parametrize("seed", range(3))
def test_many_of_unknown_outcome_are_judged_as_by_brute_force(seed: int) -> None:
    """Two calls that returned, and five of which nobody knows what became of them."""
    rng = Random(seed)
    verdicts = []
    for _ in range(50):
        history = [unknown(f"u{n}", *rng.choice(WRITES), at=rng.uniform(0, 4)) for n in range(5)]
        for number in range(2):
            start = rng.uniform(0, 6)
            command, results = rng.choice(READS)
            at = (start, start + rng.uniform(0, 2))
            history.append(call(f"o{number}", *command, at=at, result=rng.choice(results)))
        verdicts.append(any_order_explains(history, DICTIONARY))
        assert (find_violation(history, DICTIONARY) == ()) == verdicts[-1]
    assert 5 < sum(verdicts) < 45


WRITES: tuple[Command, ...] = (
    ("SET", "k", "1"),
    ("SET", "l", "x"),
    ("INCR", "k"),
    ("INCRBY", "k", "2"),
    ("APPEND", "k", "1"),
    ("DEL", "k"),
    ("MSET", "k", "2", "l", "y"),
    ("CAS", "k", "1", "3"),
)
READS: tuple[tuple[Command, tuple[object, ...]], ...] = (
    (("GET", "k"), (None, "1", "2", "3", "11", "21", "13")),
    (("INCR", "k"), (1, 2, 3, 4, 12)),
    (("MGET", "k", "l"), ((None, "x"), ("2", "y"), ("1", None), ("3", "y"), ("2", "x"))),
    (("DBSIZE",), (0, 1, 2)),
    (("CAS", "k", "1", "5"), (True, False)),
)


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
        verdicts.append(any_order_explains(history, REGISTER))
        assert (find_violation(history) == ()) == verdicts[-1]
    assert 20 < sum(verdicts) < 180


# ---------------------------------------------------------------------------------- long histories


def served(
    rng: Random, count: int, *, clients: int, lost: float, whole: bool = False
) -> list[Operation]:
    """Draw a history of *count* calls on two keys from a dictionary that is linearizable."""
    state = DICTIONARY.initial()
    history = []
    for number in range(count):
        instant = float(number)
        key = rng.choice("kl")
        command: Command = rng.choice(
            (("GET", key), ("GET", key), ("SET", key, f"v{number}"), ("APPEND", key, f"v{number}"))
        )
        if command[0] == "APPEND" and len(state.get(key, "")) > 40:
            command = ("DEL", key)
        if whole and rng.random() < 0.1:
            command = rng.choice((("KEYS", "*"), ("DBSIZE",), ("MGET", "k", "l")))
        is_lost = rng.random() < lost
        result: object = None
        if not (is_lost and rng.random() < 0.5):
            state, result = DICTIONARY.apply(state, command)
        history.append(
            call(
                f"c{number % clients}/{number}",
                *command,
                at=(instant - rng.uniform(0, clients / 2), instant + rng.uniform(0, clients / 2)),
                result=UNTOLD if is_lost else result,
                status=Status.UNKNOWN if is_lost else Status.OK,
            )
        )
    return history


@pytest.mark.parametrize(
    "clients,lost,whole",
    [(3, 0.0, False), (10, 0.0, False), (3, 0.02, False), (3, 0.0, True), (3, 0.01, True)],
)
def test_a_long_history_is_judged_without_an_exponential_search(
    clients: int,
    lost: float,
    whole: bool,
) -> None:
    """Thousands of calls, with a few open at a time, and some whose outcome nobody knows."""
    history = served(Random(1), 4000, clients=clients, lost=lost, whole=whole)

    assert find_violation(history, DICTIONARY) == ()


def test_one_wrong_read_in_a_long_history_is_found() -> None:
    """The search ends there, and says so."""
    history = served(Random(1), 4000, clients=4, lost=0.01)
    wrong = next(
        index
        for index, operation in enumerate(history)
        if index > 2000 and operation.command[0] == "GET" and operation.status is Status.OK
    )
    history[wrong] = replace(history[wrong], result="never written")

    assert history[wrong].name in {o.name for o in find_violation(history, DICTIONARY)}


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
            made = call(f"c{link}/1", "SET", value, at=at)
        else:
            made = call(f"c{link}/1", "GET", at=at, result=value)
        history.append(replace(made, link=link))

    assert find_violation(history) == ()


def test_the_links_show_the_way_past_what_nobody_was_answered() -> None:
    """Twenty calls are open at each moment, and a fifth of all clients gave up."""
    rng = Random(11)
    history = []
    state = DICTIONARY.initial()
    for link in range(400):
        command: Command = rng.choice(
            (("INCR", "n"), ("INCRBY", "n", "3"), ("APPEND", "k", "x"), ("MGET", "k", "n"))
        )
        state, result = DICTIONARY.apply(state, command)
        made = call(
            f"c{link}/1",
            *command,
            at=(link + rng.uniform(-10, 0), link + rng.uniform(0, 10)),
            result=result,
            link=link,
        )
        is_lost = rng.random() < 0.2
        history.append(replace(made, status=Status.UNKNOWN, result=UNTOLD) if is_lost else made)

    assert find_violation(history, DICTIONARY) == ()


def test_a_search_without_an_end_is_given_up_with_a_sentence() -> None:
    """Thirty writers whom nobody answered, and a number of keys that no choice of them gives."""
    history = [unknown(f"u{n}/1", "SET", f"k{n}", "x", at=0) for n in range(30)]
    history.append(call("r/1", "DBSIZE", at=(1, 2), result=31))

    with pytest.raises(InvariantViolation, match=r"explains .* \(200,000 were tried\)"):
        check_linearizable(history, DICTIONARY)
