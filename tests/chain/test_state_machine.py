"""What every state machine offers, and how states and results are written down."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

import pytest
from immutables import Map
from typing_extensions import override

from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.guard import GuardedMachine
from multipaxos.chain.register import Register
from multipaxos.chain.state_machine import (
    Change,
    Command,
    CommandForm,
    Failure,
    Result,
    State,
    StateMachine,
    apply_safely,
    freeze,
    is_same,
    result_from_plain,
    result_to_plain,
    thaw,
)


class Divider(StateMachine):
    """Divides a number; by zero, it fails as Python does."""

    kind = "divider"
    forms: ClassVar = {"BY": CommandForm(usage="BY number", arguments_min=1, arguments_max=1)}
    error: ClassVar[type[Exception] | None] = None

    @override
    def initial(self) -> State:
        return 100

    @override
    def apply(self, state: State, command: Command) -> tuple[State, Result]:
        if self.error is not None:
            raise self.error
        quotient = state // int(command[1])
        return quotient, quotient


def test_what_a_machine_has_no_answer_to_is_a_failure_on_every_server() -> None:
    """A chosen command cannot be taken back; a server that stopped at it would stop for ever."""
    state, result = apply_safely(GuardedMachine(Divider()), 100, ("BY", "0"))

    assert state == 100
    assert result == Failure("ERR the state machine fails: ZeroDivisionError")


@pytest.mark.parametrize("error", [MemoryError, RecursionError])
def test_what_depends_on_the_server_is_no_result(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers must not disagree on a result because one of them lacks memory: that one stops."""
    monkeypatch.setattr(Divider, "error", error)

    with pytest.raises(error):
        apply_safely(GuardedMachine(Divider()), 100, ("BY", "1"))


def test_a_machine_without_keys_changes_as_a_whole() -> None:
    """Who watches it is told the new state."""
    assert Divider().changes(100, 50, ("BY", "2")) == ((None, 50),)
    assert Divider().changes(0, 0, ("BY", "2")) == ()
    assert Divider().keys(("BY", "2")) == ()
    assert Divider().keys(("SING",)) == ()


@pytest.mark.parametrize(
    "state, summary", [(None, None), ("x", "x"), (7, "7"), (("a", "b"), "('a', 'b')")]
)
def test_a_state_can_be_shown_in_short(state: State, summary: str | None) -> None:
    """For a table of servers."""
    assert Divider().summary(state) == summary


@pytest.mark.parametrize(
    "form, keys",
    [
        (CommandForm(usage="A k v", first_key=0), ("a",)),
        (CommandForm(usage="A k k", first_key=0, last_key=1), ("a", "b")),
        (CommandForm(usage="A k ...", first_key=0, last_key=-1), ("a", "b", "c")),
        (CommandForm(usage="A v k ...", first_key=1, last_key=-1), ("b", "c")),
        (CommandForm(usage="A k v ...", first_key=0, last_key=-2, key_step=2), ("a", "c")),
        (CommandForm(usage="A v"), ()),
    ],
)
def test_a_form_says_which_arguments_are_keys(form: CommandForm, keys: tuple[str, ...]) -> None:
    """Counted from the front or from the end, as in Redis' table of commands."""
    assert form.keys(("X", "a", "b", "c", "a")[: 4 if form.key_step == 1 else 5]) == keys


@pytest.mark.parametrize(
    "result, plain",
    [
        (None, None),
        (True, True),
        (7, 7),
        ("x", "x"),
        (Failure("ERR no"), {"error": "ERR no"}),
        (("a", None, (1, Failure("E"))), ["a", None, [1, {"error": "E"}]]),
    ],
)
def test_a_result_comes_back_from_json(result: Result, plain: Any) -> None:
    """Each kind keeps its kind: OK as a text is not OK as a success."""
    assert result_to_plain(result) == plain
    assert result_from_plain(plain) == result


NO_RESULTS: tuple[object, ...] = (1.5, {}, {"error": 7}, {"error": "x", "more": 1}, [1.5], object())


@pytest.mark.parametrize("plain", NO_RESULTS)
def test_anything_else_is_no_result(plain: object) -> None:
    """It is refused with a sentence."""
    with pytest.raises(ValueError, match="is no result"):
        result_from_plain(plain)


def test_a_state_comes_back_from_json() -> None:
    """Lists and objects become what cannot be changed in place."""
    plain = {"a": [1, {"b": None}], "c": "x"}

    frozen = freeze(plain)

    assert frozen == Map({"a": (1, Map({"b": None})), "c": "x"})
    assert thaw(frozen) == plain


@pytest.mark.parametrize(
    "before, command, after, result",
    [
        (None, ("GET",), None, None),
        (None, ("CAS", "x"), "x", True),
        ("y", ("CAS", "x"), "y", False),
        ("y", ("CAS", "y", "x"), "x", True),
        ("y", ("CAS", "z", "x"), "y", False),
        (None, ("CAS", "", "x"), None, False),
    ],
)
def test_a_register_compares_and_sets(
    before: str | None, command: Command, after: str | None, result: Result
) -> None:
    """With one argument it sets what was never set; nothing is not the same as an empty text."""
    assert Register().apply(before, command) == (after, result)


class Returning(Divider):
    """Returns whatever the test wants."""

    state: ClassVar[object] = None
    result: ClassVar[object] = None

    @override
    def apply(self, state: State, command: Command) -> tuple[State, Result]:
        return self.state, self.result  # type: ignore[return-value]


def is_refused(outcome: tuple[State, Result], what: str) -> bool:
    """Tell whether nothing was changed, and the client is told why."""
    state, result = outcome
    return (
        state == "old"
        and isinstance(result, Failure)
        and result.text.startswith(
            f"ERR the state machine returns a {what} that cannot be kept: a "
        )
    )


DEEP_TUPLE: tuple[Any, ...] = ()
for _ in range(70):
    DEEP_TUPLE = (DEEP_TUPLE,)


@pytest.mark.parametrize(
    "state",
    [
        *({"a": 1}, [1], {1}, object(), b"x", 2**63, -(2**63) - 1, float("nan"), float("inf")),
        *("\ud800", Map({"\ud800": 1}), Map({1: 2}), Map({"a": [1]}), (1, {2}), DEEP_TUPLE),
    ],
)
def test_a_state_that_cannot_be_kept_changes_nothing(
    state: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could be neither saved nor sent; a server that tried would stop, and so would all."""
    monkeypatch.setattr(Returning, "state", state)

    assert is_refused(apply_safely(GuardedMachine(Returning()), "old", ("BY", "1")), "state")


@pytest.mark.parametrize(
    "state", [None, True, 2**63 - 1, -(2**63), 1.5, "x", (1, ("y",)), Map({"a": Map({"b": ()})})]
)
def test_a_state_that_can_be_kept_is_taken(state: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that JSON can write."""
    monkeypatch.setattr(Returning, "state", state)

    assert apply_safely(GuardedMachine(Returning()), "old", ("BY", "1")) == (state, None)


@pytest.mark.parametrize(
    "result", [1.5, [1.5], {"a": 1}, b"x", 2**63, "\ud800", Failure("\ud800"), (1, {2}), DEEP_TUPLE]
)
def test_a_result_that_cannot_be_told_changes_nothing(
    result: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client is told an error, on every server the same."""
    monkeypatch.setattr(Returning, "state", "new")
    monkeypatch.setattr(Returning, "result", result)

    assert is_refused(apply_safely(GuardedMachine(Returning()), "old", ("BY", "1")), "result")


class Named(NamedTuple):
    """A tuple that would come back from a disk as a plain one."""

    votes: int


class Colour(StrEnum):
    """A text that would come back as a plain one."""

    RED = "red"


@pytest.mark.parametrize("state", [Named(1), Colour.RED, (Named(1),)])
def test_what_would_come_back_as_something_else_is_not_kept(
    state: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that was restarted would differ from the others."""
    monkeypatch.setattr(Returning, "state", state)

    assert is_refused(apply_safely(GuardedMachine(Returning()), "old", ("BY", "1")), "state")


class Failing(Divider):
    """Fails at everything that it is asked beside its commands."""

    @override
    def refusal(self, command: Command) -> str | None:
        raise LookupError

    @override
    def changes(self, before: State, after: State, command: Command) -> tuple[Change, ...]:
        raise LookupError

    @override
    def summary(self, state: State) -> str | None:
        raise LookupError


def test_a_machine_that_fails_at_other_questions_stops_nobody() -> None:
    """Each has an answer that is good enough."""
    guarded = GuardedMachine(Failing())

    fault = guarded.refusal(("BY", "2"))
    assert fault is not None
    assert fault.startswith("ERR the state machine fails to say")
    assert guarded.refusal(("SING",)) == "ERR unknown command 'SING'"
    assert guarded.changes(1, 2, ("BY", "2")) == ((None, 2),)
    assert guarded.summary(1) == "divider"
    assert not guarded.is_read(("BY", "2"))


@pytest.mark.parametrize("changes", [7, [1], [("k",)], [(1, 2)], [("k", {1})], [("\ud800", 1)]])
def test_changes_that_make_no_sense_are_told_as_one(
    changes: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who watches is told the state as a whole."""
    monkeypatch.setattr(Divider, "changes", lambda *_: changes)

    assert GuardedMachine(Divider()).changes(1, 2, ("BY", "2")) == ((None, 2),)


def test_a_guarded_machine_does_what_the_machine_does() -> None:
    """The guard is in nobody's way."""
    guarded = GuardedMachine(Dictionary())
    state, result = guarded.apply(guarded.initial(), ("SET", "k", "v"))

    assert (state, result) == (Map({"k": "v"}), True)
    assert guarded.apply(state, ("GET", "k")) == (state, "v")
    assert guarded.changes(Map(), state, ("SET", "k", "v")) == (("k", "v"),)
    assert guarded.refusal(("SET", "k", "v", "SING")) == "ERR syntax error"
    assert guarded.summary(state) == "1 key"
    assert guarded.keys(("SET", "k", "v")) == ("k",)
    assert guarded.is_read(("GET", "k"))


@pytest.mark.parametrize("error", [MemoryError, RecursionError])
def test_what_depends_on_the_server_is_no_answer_either(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops that server, and no other."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(Divider, "summary", fail)

    with pytest.raises(error):
        GuardedMachine(Divider()).summary(1)


def test_a_first_state_that_cannot_be_kept_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything runs."""
    monkeypatch.setattr(Divider, "initial", lambda _: {1})

    with pytest.raises(ValueError, match="the first state of a divider cannot be kept"):
        GuardedMachine(Divider()).initial()


class Shelves(StateMachine):
    """Keeps texts by key, and returns whatever the test wants."""

    kind = "shelves"
    is_keyed = True
    forms: ClassVar = {
        "PUT": CommandForm(usage="PUT key", arguments_min=1, arguments_max=1, first_key=0)
    }
    state: ClassVar[object] = None

    @override
    def initial(self) -> State:
        return Map()

    @override
    def apply(self, state: State, command: Command) -> tuple[State, Result]:
        return self.state, None


@pytest.mark.parametrize(
    "after",
    [
        *(Map({"a": "1"}), Map({"a": "1", "b": 2}), Map({"a": "1", "b": True, "k": "v"})),
        *(Map({"a": "1", "b": 1, "c": 1}), (), None),
    ],
    ids=str,
)
def test_a_keyed_machine_that_changes_what_was_not_named_changes_nothing(
    after: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A storage would not save it; a server that was restarted would differ from the others."""
    monkeypatch.setattr(Shelves, "state", after)
    before = Map({"a": "1", "b": 1})

    assert apply_safely(GuardedMachine(Shelves()), before, ("PUT", "k")) == (
        before,
        Failure("ERR the state machine changes what the command does not name"),
    )


@pytest.mark.parametrize(
    "after", [Map({"a": "1", "b": 1}), Map({"a": "1", "b": 1, "k": "v"}), Map({"b": 1, "a": "1"})]
)
def test_a_keyed_machine_that_changes_what_was_named_is_in_order(
    after: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it changes the state that it was given, or makes one anew."""
    monkeypatch.setattr(Shelves, "state", after)
    before = Map({"a": "1", "b": 1, "k": "w"})

    guarded = GuardedMachine(Shelves())

    assert guarded.is_keyed
    assert apply_safely(guarded, before, ("PUT", "k")) == (after, None)


def test_the_first_state_of_a_keyed_machine_is_a_map(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything runs."""
    monkeypatch.setattr(Shelves, "initial", lambda _: ())

    with pytest.raises(ValueError, match="the first state of a shelves, which is keyed, is no Map"):
        GuardedMachine(Shelves()).initial()


@pytest.mark.parametrize(
    "one, other",
    [
        *((1, True), (1, 1.0), (0.0, -0.0), ("1", 1), (None, False), ((1,), (True,))),
        *((Map({"a": 1}), Map({"a": 1.0})), (Map({"a": 1}), Map({"b": 1})), ((1,), (1, 2))),
    ],
)
def test_states_that_are_written_differently_are_not_the_same(one: State, other: State) -> None:
    """Though Python takes many of them for equal."""
    assert not is_same(one, other)
    assert is_same(one, one)
    assert not is_same((one,), (other,))


@pytest.mark.parametrize(
    "make", [lambda: "ab" * 9, lambda: (1, "a" * 9), lambda: Map({"a": (0.5,)}), lambda: 10**9]
)
def test_states_that_are_written_alike_are_the_same(make: Callable[[], State]) -> None:
    """Wherever they lie in memory."""
    assert is_same(make(), make())


def test_a_list_is_as_good_as_a_tuple_in_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists in lists, too."""
    monkeypatch.setattr(Returning, "state", "new")
    monkeypatch.setattr(Returning, "result", ["a", [1, None]])

    assert apply_safely(GuardedMachine(Returning()), "old", ("BY", "1")) == (
        "new",
        ("a", (1, None)),
    )


class Unpaired(Divider):
    """Returns no pair."""

    returned: ClassVar[object] = None

    @override
    def apply(self, state: State, command: Command) -> tuple[State, Result]:
        if self.returned is SystemExit:
            raise SystemExit
        return self.returned  # type: ignore[return-value]


@pytest.mark.parametrize("returned", [None, "ab", (1,), (1, 2, 3), [1, 2], SystemExit])
def test_what_is_no_pair_changes_nothing(returned: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even a text of two letters, which Python would take apart."""
    monkeypatch.setattr(Unpaired, "returned", returned)

    state, result = apply_safely(GuardedMachine(Unpaired()), "old", ("BY", "1"))

    assert state == "old"
    assert isinstance(result, Failure)
