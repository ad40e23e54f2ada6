"""The dictionary: texts by key, with those of Redis' commands for strings that go with it."""

from binascii import crc32
from collections.abc import Callable, Iterable
from typing import ClassVar, TypeAlias

from immutables import Map, MapMutation
from typing_extensions import override

from multipaxos.chain.patterns import matcher
from multipaxos.chain.state_machine import (
    Change,
    Command,
    CommandForm,
    Failure,
    Result,
    StateMachine,
    apply_safely,
)

INTEGER_MAX = 2**63 - 1
SCAN_COUNT = 10
"""About so many keys a SCAN finds, if it is not asked for more or fewer."""
SCAN_STEPS_MAX = 64
"""A SCAN from the first key to the last looks through all keys so often at most."""

KEY_CHARACTERS_MAX = 4096
PATTERN_CHARACTERS_MAX = 1024
"""To match a key with a pattern takes time that grows with the product of their lengths."""

LONG_PATTERN = f"ERR a pattern has at most {PATTERN_CHARACTERS_MAX} characters"
NO_INTEGER = Failure("ERR value is not an integer or out of range")
OVERFLOW = Failure("ERR increment or decrement would overflow")
SYNTAX = "ERR syntax error"

Texts: TypeAlias = Map[str, str]
_Applied: TypeAlias = tuple[Texts, Result]


class Dictionary(StateMachine):
    """
    Keeps texts by key.

    What a command means and returns, `Redis' own documentation <https://redis.io/commands>`_ says;
    CAS, which Redis does not have, sets *key* if it holds the expected text; to set one that holds
    none is what SET with NX does.
    """

    kind = "dictionary"
    is_keyed = True
    forms: ClassVar = {
        "SET": CommandForm(
            usage="SET key value [NX | XX] [GET]", arguments_min=2, arguments_max=4, first_key=0
        ),
        "GET": CommandForm(
            usage="GET key", arguments_min=1, arguments_max=1, reads=True, first_key=0
        ),
        "CAS": CommandForm(
            usage="CAS key expected new", arguments_min=3, arguments_max=3, first_key=0
        ),
        "DEL": CommandForm(
            usage="DEL key [key ...]",
            arguments_min=1,
            arguments_max=None,
            first_key=0,
            last_key=-1,
        ),
        "EXISTS": CommandForm(
            usage="EXISTS key [key ...]",
            arguments_min=1,
            arguments_max=None,
            reads=True,
            first_key=0,
            last_key=-1,
        ),
        "INCR": CommandForm(usage="INCR key", arguments_min=1, arguments_max=1, first_key=0),
        "INCRBY": CommandForm(
            usage="INCRBY key increment", arguments_min=2, arguments_max=2, first_key=0
        ),
        "APPEND": CommandForm(
            usage="APPEND key value", arguments_min=2, arguments_max=2, first_key=0
        ),
        "MSET": CommandForm(
            usage="MSET key value [key value ...]",
            arguments_min=2,
            arguments_max=None,
            first_key=0,
            last_key=-2,
            key_step=2,
        ),
        "MGET": CommandForm(
            usage="MGET key [key ...]",
            arguments_min=1,
            arguments_max=None,
            reads=True,
            first_key=0,
            last_key=-1,
        ),
        "KEYS": CommandForm(usage="KEYS pattern", arguments_min=1, arguments_max=1, reads=True),
        "SCAN": CommandForm(
            usage="SCAN cursor [MATCH pattern] [COUNT count]",
            arguments_min=1,
            arguments_max=5,
            reads=True,
        ),
        "DBSIZE": CommandForm(usage="DBSIZE", reads=True),
    }

    @override
    def initial(self) -> Texts:
        """Return a dictionary without keys."""
        return Map()

    @override
    def refusal(self, command: Command) -> str | None:
        """Return what is wrong with the form of *command*, its options included."""
        if _PLAIN.get(command[0]) == len(command) and _is_key(command[1]):
            return None
        return (
            super().refusal(command)
            or _length_fault(self.keys(command))
            or _argument_fault(command)
        )

    @override
    def apply(self, state: Texts, command: Command) -> tuple[Texts, Result]:
        """Do *command*, which has the form of one of :attr:`forms`."""
        return _COMMANDS[command[0]](state, command[1:])

    @override
    def apply_all(
        self, state: Texts, commands: Iterable[Command]
    ) -> tuple[Texts, tuple[Result, ...]]:
        """Do *commands* one after the other: those that only set a key on one copy of the state."""
        results: list[Result] = []
        texts: MapMutation[str, str] | None = None
        for command in commands:
            if command[0] == "SET" and _PLAIN["SET"] == len(command) and _is_key(command[1]):
                texts = state.mutate() if texts is None else texts
                texts[command[1]] = command[2]
                results.append(True)
                continue
            if texts is not None:
                state, texts = texts.finish(), None
            state, result = apply_safely(self, state, command)
            results.append(result)
        return state if texts is None else texts.finish(), tuple(results)

    @override
    def keys_of_all(self, commands: Iterable[Command]) -> tuple[str, ...]:
        """Return the keys that *commands* name; of the plain ones it is the first argument."""
        keys: dict[str, None] = {}
        for command in commands:
            if _PLAIN.get(command[0]) == len(command):
                keys[command[1]] = None
            else:
                keys.update(dict.fromkeys(self.keys(command)))
        return tuple(keys)

    @override
    def changes(self, before: Texts, after: Texts, command: Command) -> tuple[Change, ...]:
        """Return the keys whose text *command* changed, each with its new one."""
        keys = self.keys(command)
        return tuple([(key, after.get(key)) for key in keys if before.get(key) != after.get(key)])

    @override
    def summary(self, state: Texts) -> str | None:
        """Return how many keys there are."""
        return f"{len(state)} {'key' if len(state) == 1 else 'keys'}"


_PLAIN = {"SET": 3, "GET": 2, "INCR": 2, "APPEND": 3, "CAS": 4}
"""How many words a command of one key has whose other arguments may be any text."""

# ----------------------------------------------------------------------------------------- commands


def _set(state: Texts, arguments: Command) -> _Applied:
    key, value, *options = arguments
    if not options:
        return state.set(key, value), True
    wanted = _set_options(options) or frozenset()
    old = state.get(key)
    holds = old is None if "NX" in wanted else old is not None or "XX" not in wanted
    after = state.set(key, value) if holds else state
    return after, old if "GET" in wanted else holds


def _get(state: Texts, arguments: Command) -> _Applied:
    return state, state.get(arguments[0])


def _compare_and_set(state: Texts, arguments: Command) -> _Applied:
    key, expected, new = arguments
    return (state.set(key, new), True) if state.get(key) == expected else (state, False)


def _delete(state: Texts, arguments: Command) -> _Applied:
    there = [key for key in dict.fromkeys(arguments) if key in state]
    for key in there:
        state = state.delete(key)
    return state, len(there)


def _exists(state: Texts, arguments: Command) -> _Applied:
    return state, sum(key in state for key in arguments)


def _increment(state: Texts, arguments: Command) -> _Applied:
    key, *amounts = arguments
    held = _integer(state.get(key, "0"))
    amount = _integer(amounts[0]) if amounts else 1
    if held is None or amount is None:
        return state, NO_INTEGER
    total = held + amount
    if not -INTEGER_MAX - 1 <= total <= INTEGER_MAX:
        return state, OVERFLOW
    return state.set(key, str(total)), total


def _append(state: Texts, arguments: Command) -> _Applied:
    key, suffix = arguments
    whole = state.get(key, "") + suffix
    return state.set(key, whole), len(whole.encode())


def _set_many(state: Texts, arguments: Command) -> _Applied:
    return state.update(zip(arguments[::2], arguments[1::2], strict=True)), True


def _get_many(state: Texts, arguments: Command) -> _Applied:
    return state, tuple(state.get(key) for key in arguments)


def _keys(state: Texts, arguments: Command) -> _Applied:
    matches = matcher(arguments[0])
    return state, tuple(sorted(key for key in state if matches(key)))


def _scan(state: Texts, arguments: Command) -> _Applied:
    # Keys in the order of a checksum, which knows neither what was added since nor what was taken
    # away: who was there throughout is found, and the cursor is the checksum to go on from.
    cursor, *options = arguments
    given = _scan_options(options)
    matches = matcher(given.get("MATCH", "*"))
    steps = min(SCAN_STEPS_MAX, max(1, len(state) // int(given.get("COUNT", SCAN_COUNT))))
    begin = int(cursor)
    end = begin + 2**32 // steps
    end = min(2**32, end)
    found = sorted(key for key in state if begin <= crc32(key.encode()) < end and matches(key))
    return state, (str(end % 2**32), tuple(found))


def _size(state: Texts, arguments: Command) -> _Applied:
    del arguments
    return state, len(state)


_COMMANDS: dict[str, Callable[[Texts, Command], _Applied]] = {
    "SET": _set,
    "GET": _get,
    "CAS": _compare_and_set,
    "DEL": _delete,
    "EXISTS": _exists,
    "INCR": _increment,
    "INCRBY": _increment,
    "APPEND": _append,
    "MSET": _set_many,
    "MGET": _get_many,
    "KEYS": _keys,
    "SCAN": _scan,
    "DBSIZE": _size,
}

# ---------------------------------------------------------------------------------------- arguments


def _argument_fault(command: Command) -> str | None:
    """Return what is wrong with the options, numbers and patterns of *command*."""
    match command:
        case ("KEYS", pattern) if len(pattern) > PATTERN_CHARACTERS_MAX:
            return LONG_PATTERN
        case ("SET", _, _, *options):
            return None if _set_options(options) is not None else SYNTAX
        case ("MSET", *pairs) if len(pairs) % 2:
            return "ERR wrong number of arguments for 'mset' command"
        case ("INCRBY", _, amount) if _integer(amount) is None:
            return NO_INTEGER.text
        case ("SCAN", cursor, *options):
            return _scan_fault(cursor, options)
        case _:
            return None


def _length_fault(keys: tuple[str, ...]) -> str | None:
    if all(map(_is_key, keys)):
        return None
    return f"ERR a key has at most {KEY_CHARACTERS_MAX} characters"


def _is_key(text: str) -> bool:
    return len(text) <= KEY_CHARACTERS_MAX


def _set_options(options: list[str]) -> frozenset[str] | None:
    """Return the options of a SET, None if they are none or contradict each other."""
    wanted = frozenset(option.upper() for option in options)
    is_known = wanted <= {"NX", "XX", "GET"} and len(wanted) == len(options)
    return wanted if is_known and not {"NX", "XX"} <= wanted else None


def _scan_fault(cursor: str, options: list[str]) -> str | None:
    if not (_is_digits(cursor) and len(cursor) <= len(str(2**32)) and int(cursor) < 2**32):
        return "ERR invalid cursor"
    given = _scan_options(options)
    if len(given) * 2 != len(options) or not given.keys() <= {"MATCH", "COUNT"}:
        return SYNTAX
    if len(given.get("MATCH", "")) > PATTERN_CHARACTERS_MAX:
        return LONG_PATTERN
    count = given.get("COUNT", "1")
    if _integer(count) is None:
        return NO_INTEGER.text
    return SYNTAX if int(count) < 1 else None


def _scan_options(options: list[str]) -> dict[str, str]:
    return {name.upper(): value for name, value in zip(options[::2], options[1::2], strict=False)}


def _integer(text: str) -> int | None:
    """Return the number that *text* writes as Redis would, None if it writes none."""
    digits = text.removeprefix("-")
    if not _is_digits(digits) or len(digits) > len(str(INTEGER_MAX)):
        return None
    if digits.startswith("0") and text != "0":
        return None
    number = int(text)
    return number if -INTEGER_MAX - 1 <= number <= INTEGER_MAX else None


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
