"""What the clients of a run ask a state machine for: drawn from a seed, command by command."""

from abc import ABC, abstractmethod
from collections import deque
from random import Random
from typing import ClassVar

from typing_extensions import override

from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.pipelines import inner
from multipaxos.chain.register import Register
from multipaxos.chain.state_machine import Command, StateMachine

RECENT = 3
"""Of so many values that were written last, one may be there."""

CONDITIONS = 0.2
"""The share of a register's writes that are compare-and-sets."""

TEXT_KEYS = ("a", "b", "c")
COUNTER_KEYS = ("n", "m")
CROSSED = 0.1
"""How often a number is asked of a text, or a text of a number."""

TRIES_MAX = 100
ARGUMENTS_MORE_MAX = 3
"""So many arguments more than it needs a command is given at most."""


class NoCommandError(ValueError):
    """A state machine refuses every command that can be drawn for it."""


class Commands(ABC):
    """Draws command after command. Every write has a value of its own, where it has one."""

    def __init__(self, machine: StateMachine, rng: Random) -> None:
        """Draw commands of *machine* from *rng*."""
        self.machine = machine
        self.rng = rng

    @abstractmethod
    def draw(self, number: int, *, is_read: bool) -> Command:
        """Return the command of request *number*, which *is_read* or changes something."""


def commands_of(machine: StateMachine, rng: Random) -> Commands:
    """Return what draws commands of *machine*. Raises NoCommandError."""
    machine = inner(machine)
    match machine:
        case Register() if machine.forms == Register.forms:
            return RegisterCommands(machine, rng)
        case Dictionary() if machine.forms == Dictionary.forms:
            return DictionaryCommands(machine, rng)
        case _:
            return AnyCommands(machine, rng)


class RegisterCommands(Commands):
    """GET, SET, and CAS that expects a value that may be there. State: the newest values."""

    def __init__(self, machine: StateMachine, rng: Random) -> None:
        """Begin without a value."""
        super().__init__(machine, rng)
        self._recent: deque[str] = deque(maxlen=RECENT)

    @override
    def draw(self, number: int, *, is_read: bool) -> Command:
        if is_read:
            return ("GET",)
        value = f"v{number}"
        # The newest value is there most often.
        newest = list(self._recent)[-1:]
        expected = self.rng.choice((None, *self._recent, *newest))
        self._recent.append(value)
        if self.rng.random() >= CONDITIONS:
            return ("SET", value)
        return ("CAS", value) if expected is None else ("CAS", expected, value)


class DictionaryCommands(Commands):
    """
    All of a dictionary's commands, over a few keys with texts and a few with numbers.

    State: the newest values of each key.
    """

    READS = ("GET", "GET", "GET", "MGET", "MGET", "EXISTS", "KEYS", "SCAN", "DBSIZE")
    WRITES = (
        *("SET", "SET", "SET", "CAS", "CAS", "INCR", "INCR", "INCR"),
        *("INCRBY", "INCRBY", "APPEND", "APPEND", "MSET", "MSET", "DEL"),
    )
    KEYS_MAX: ClassVar = {"GET": 1, "MGET": 3, "EXISTS": 3}
    LOOKS: ClassVar = {
        "KEYS": (("*",), ("[ab]",), ("n*",), ("?",)),
        "SCAN": (("0",), ("0", "COUNT", "2"), ("0", "MATCH", "[abn]")),
        "DBSIZE": ((),),
    }
    OPTIONS = ((), (), (), ("NX",), ("XX",), ("GET",), ("NX", "GET"))
    AMOUNTS = ("-2", "-1", "1", "2", "5")

    def __init__(self, machine: StateMachine, rng: Random) -> None:
        """Begin without a value."""
        super().__init__(machine, rng)
        self._recent = {key: deque[str](maxlen=RECENT) for key in (*TEXT_KEYS, *COUNTER_KEYS)}

    @override
    def draw(self, number: int, *, is_read: bool) -> Command:
        if is_read:
            return self._read(self.rng.choice(self.READS))
        return self._write(self.rng.choice(self.WRITES), f"v{number}")

    def _read(self, name: str) -> Command:
        if name in self.LOOKS:
            return (name, *self.rng.choice(self.LOOKS[name]))
        return (name, *self._keys(self.KEYS_MAX[name]))

    def _write(self, name: str, value: str) -> Command:
        match name:
            case "INCR":
                return (name, self._key(COUNTER_KEYS))
            case "INCRBY":
                return (name, self._key(COUNTER_KEYS), self.rng.choice(self.AMOUNTS))
            case "DEL":
                return (name, *self._keys(2))
            case "MSET":
                pairs = [(key, self._note(key, value)) for key in self._keys(3)]
                return (name, *(part for pair in pairs for part in pair))
            case _:
                return (name, *self._of_one_text(name, value))

    def _of_one_text(self, name: str, value: str) -> tuple[str, ...]:
        key = self._key(TEXT_KEYS)
        match name:
            case "APPEND":
                return (key, f"+{value}")
            case "CAS":
                expected = self.rng.choice((value, *self._recent[key]))
                return (key, expected, self._note(key, value))
            case _:
                return (key, self._note(key, value), *self.rng.choice(self.OPTIONS))

    def _key(self, keys: tuple[str, ...]) -> str:
        is_crossed = self.rng.random() < CROSSED
        return self.rng.choice((*TEXT_KEYS, *COUNTER_KEYS) if is_crossed else keys)

    def _keys(self, most: int) -> tuple[str, ...]:
        keys = [*TEXT_KEYS, *COUNTER_KEYS]
        self.rng.shuffle(keys)
        return tuple(keys[: self.rng.randint(1, most)])

    def _note(self, key: str, value: str) -> str:
        """Note that *value* may be what *key* holds; return it."""
        self._recent[key].append(value)
        return value


class AnyCommands(Commands):
    """
    Commands of any state machine, by their forms: reads or others, each form as likely.

    A key is one of a few; any other argument is a value of its own, a small number, or one that was
    drawn before. What the machine refuses is drawn anew. State: the values drawn last; a command of
    each name that was not refused.
    """

    def __init__(self, machine: StateMachine, rng: Random) -> None:
        """Try which commands can be drawn. Raises NoCommandError."""
        super().__init__(machine, rng)
        self._recent: deque[str] = deque(maxlen=RECENT)
        self._accepted: dict[str, Command] = {}
        for name in sorted(machine.forms):
            command = self._try(name, 0)
            if command is not None:
                self._accepted[name] = command
        if not self._accepted:
            raise NoCommandError(f"the state machine {machine.kind} refuses all that is drawn")

    @override
    def draw(self, number: int, *, is_read: bool) -> Command:
        names = [
            name
            for name, command in self._accepted.items()
            if self.machine.is_read(command) is is_read
        ]
        name = self.rng.choice(names or list(self._accepted))
        return self._try(name, number) or self._accepted[name]

    def _try(self, name: str, number: int) -> Command | None:
        form = self.machine.forms[name]
        most = form.arguments_min + ARGUMENTS_MORE_MAX
        if form.arguments_max is not None:
            most = min(most, form.arguments_max)
        for _ in range(TRIES_MAX):
            places = [str(place) for place in range(self.rng.randint(form.arguments_min, most))]
            keys = form.keys((name, *places))
            command = (name, *(self._argument(number, is_key=place in keys) for place in places))
            if self.machine.refusal(command) is None:
                self._recent.append(f"v{number}")
                return command
        return None

    def _argument(self, number: int, *, is_key: bool) -> str:
        if is_key:
            return self.rng.choice(TEXT_KEYS)
        return self.rng.choice((f"v{number}", str(self.rng.randint(1, 3)), *self._recent))
