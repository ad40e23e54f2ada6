"""
State machines: what the chain's links are applied to.

``apply(state, command) -> (state, result)`` is a pure function, so that equal chains give equal
states on every server. (Schneider, Implementing Fault-Tolerant Services Using the State Machine
Approach, 1990)
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, TypeAlias

from immutables import Map

Command: TypeAlias = tuple[str, ...]
"""A name in capitals, then its arguments: ``("SET", "hello")``."""

State: TypeAlias = Any
"""
What a state machine keeps. It is never changed in place, can be compared, and is made of None,
booleans, numbers, texts, tuples of such, and :class:`immutables.Map` from texts to such.
"""

Change: TypeAlias = tuple[str | None, State]
"""A key, None where the machine has none, and what is there now: None if nothing is."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The result of a command that could not be done: *text* begins with Redis' word for why."""

    text: str


Result: TypeAlias = bool | int | str | Failure | tuple["Result", ...] | None
"""
What a command's client is told.

True: it was done; False: it was not, for its condition did not hold; None: there is nothing.
"""


RESULT_DEPTH_MAX = 16
"""So deep may lists stand in lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandForm:
    """
    How a command is written.

    *usage* shows it to people, name and arguments: ``CAS key [expected] new``. It takes
    *arguments_min* to *arguments_max* arguments, None: any number from there on. One that *reads*
    leaves every state as it is. Of the arguments, those from *first_key* on are keys, each
    *key_step*-th up to *last_key*, which counts from the end if it is negative, as in Redis' own
    table of commands; with a *first_key* of None none is. A command that names keys has to do with
    these only.
    """

    usage: str
    arguments_min: int = 0
    arguments_max: int | None = 0
    reads: bool = False
    first_key: int | None = None
    last_key: int = 0
    key_step: int = 1

    def fits(self, count: int) -> bool:
        """Tell whether a command with *count* arguments has this form."""
        return self.arguments_min <= count and (
            self.arguments_max is None or count <= self.arguments_max
        )

    def keys(self, command: Command) -> tuple[str, ...]:
        """Return the keys in *command*, each once."""
        if self.first_key is None:
            return ()
        if self.first_key == self.last_key:
            return command[self.first_key + 1 : self.first_key + 2]
        arguments = command[1:]
        end = self.last_key + 1 if self.last_key >= 0 else len(arguments) + self.last_key + 1
        return tuple(dict.fromkeys(arguments[self.first_key : end : self.key_step]))


class StateMachine(ABC):
    """
    What a kind of replicated state must offer. An instance holds no state of its own.

    A machine of your own is a subclass that says its *kind* and the *forms* of its commands, and
    has :meth:`initial` and :meth:`apply`. Every server of a cluster runs the same one.

    >>> class Counter(StateMachine):
    ...     kind = "counter"
    ...     forms = {"ADD": CommandForm(usage="ADD"), "GET": CommandForm(usage="GET", reads=True)}
    ...
    ...     def initial(self):
    ...         return 0
    ...
    ...     def apply(self, state, command):
    ...         return (state + 1, state + 1) if command == ("ADD",) else (state, state)
    >>> Counter().apply(41, ("ADD",))
    (42, 42)
    >>> Counter().refusal(("ADD", "2"))
    "ERR wrong number of arguments for 'add' command"
    """

    kind: ClassVar[str]
    """Named in the chain's first link: a chain keeps the kind that it began with."""

    forms: ClassVar[Mapping[str, CommandForm]]
    """The commands by name, in capitals."""

    is_keyed: ClassVar[bool] = False
    """
    Whether the state is a Map by key, and a command changes nothing but the keys that it names.

    A storage then saves the entries that changed, not the whole state.
    """

    @abstractmethod
    def initial(self) -> State:
        """Return the state before the first link."""

    @abstractmethod
    def apply(self, state: State, command: Command) -> tuple[State, Result]:
        """
        Return the state after *command*, and the command's result. *state* is not changed.

        It must depend on nothing but these two: no clock, chance or file, nor the order of a set.
        A *command* that :meth:`refusal` finds no fault with always has a result, were it a Failure.
        """

    def apply_all(
        self, state: State, commands: Iterable[Command]
    ) -> tuple[State, tuple[Result, ...]]:
        """
        Return the state after *commands*, one after the other, and their results.

        It is what :func:`apply_safely` does with each. A machine may know a quicker way.
        """
        results = []
        for command in commands:
            state, result = apply_safely(self, state, command)
            results.append(result)
        return state, tuple(results)

    def refusal(self, command: Command) -> str | None:
        """
        Return what is wrong with the form of *command*, as an error in Redis' words, or None.

        Asked before a command is proposed, so that the chain holds none without meaning.
        """
        name, *arguments = command
        form = self.forms.get(name)
        if form is None:
            return f"ERR unknown command '{name}'"
        if not form.fits(len(arguments)):
            return f"ERR wrong number of arguments for '{name.lower()}' command"
        return None

    def is_read(self, command: Command) -> bool:
        """Tell whether *command* leaves every state as it is."""
        form = self.forms.get(command[0])
        return form is not None and form.reads

    def keys(self, command: Command) -> tuple[str, ...]:
        """Return the keys that *command* names, each once."""
        form = self.forms.get(command[0])
        return () if form is None else form.keys(command)

    def keys_of_all(self, commands: Iterable[Command]) -> tuple[str, ...]:
        """Return the keys that *commands* name, each once. A machine may know a quicker way."""
        return tuple(dict.fromkeys(chain.from_iterable(map(self.keys, commands))))

    def changes(self, before: State, after: State, command: Command) -> tuple[Change, ...]:
        """
        Return what *command* changed from *before* to *after*.

        Here: the state as a whole, for which there is no key.
        """
        del command
        return () if before == after else ((None, after),)

    def summary(self, state: State) -> str | None:
        """Return *state* in short, for people; None if there is nothing."""
        return None if state is None else str(state)


def apply_safely(machine: StateMachine, state: State, command: Command) -> tuple[State, Result]:
    """
    Apply a *command* from the chain, whatever it is.

    What has no meaning here, though a server of another version proposed it, changes nothing: a
    link is chosen for good, so a server that stopped at it would stop there for ever.
    """
    fault = machine.refusal(command)
    if fault is not None:
        return state, Failure(fault)
    return machine.apply(state, command)


def result_to_plain(result: Result) -> Any:
    """Return *result* as JSON has it; a Failure is an object with an ``error``."""
    match result:
        case Failure(text=text):
            return {"error": text}
        case tuple():
            return [result_to_plain(item) for item in result]
        case _:
            return result


def result_from_plain(value: Any, *, depth: int = RESULT_DEPTH_MAX + 1) -> Result:
    """
    Return the result that :func:`result_to_plain` made *value* of; ValueError if none.

    Lists in lists go *depth* levels down at most: what comes from outside is no abyss. The one list
    more is that of a pipeline.
    """
    match value:
        case {"error": str(text)} if len(value) == 1:
            return Failure(text)
        case list() if depth > 0:
            return tuple(result_from_plain(item, depth=depth - 1) for item in value)
        case bool() | int() | str() | None:
            return value
        case _:
            raise ValueError(f"a {type(value).__name__}, so deep in lists, is no result")


def freeze(value: Any) -> State:
    """Return *value*, as JSON has it, as a state: lists become tuples, objects become Maps."""
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    if isinstance(value, dict):
        return Map({key: freeze(item) for key, item in value.items()})
    return value


def thaw(state: State) -> Any:
    """Return what :func:`freeze` made *state* of."""
    if isinstance(state, tuple):
        return [thaw(item) for item in state]
    if isinstance(state, Map):
        return {key: thaw(item) for key, item in state.items()}
    return state


def is_same(before: State, after: State) -> bool:
    """
    Tell whether two states are the same, exactly.

    They may be equal and not the same: 1, 1.0 and True are written differently.
    """
    if before is after:
        return True
    if type(before) is not type(after) or before != after:
        return False
    match before:
        case tuple():
            return all(map(is_same, before, after))
        case Map():
            return all(is_same(item, after[key]) for key, item in before.items())
        case float():
            return before.hex() == float(after).hex()  # Zero has two signs.
        case _:
            return True
