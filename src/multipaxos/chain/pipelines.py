"""
Pipelines: commands that came in together, and go through the chain as one.

A client that sends many commands without waiting for the answers sends a pipeline (the word is
Redis'). What each of them costs beside its own work, a place in the queue, a name, a session, is
then paid once for all.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from typing_extensions import override

from multipaxos.chain.state_machine import (
    Change,
    Command,
    Failure,
    Result,
    State,
    StateMachine,
)

PIPELINE = "PIPELINE"
READS = "READS"
"""A pipeline of reads only."""
NAMES = frozenset({PIPELINE, READS})
"""No state machine has commands of these names."""

MALFORMED = "ERR what stands in the pipeline cannot be told apart"
NO_READS = Failure("ERR a pipeline of reads holds something else")


def pack(commands: Sequence[Command], *, reads: bool) -> Command:
    """
    Return *commands* as one: each with the number of its words before it.

    *reads* says that all of them are reads.

    >>> pack([("SET", "a", "1"), ("GET", "a")], reads=False)
    ('PIPELINE', '3', 'SET', 'a', '1', '2', 'GET', 'a')
    """
    words = chain.from_iterable((str(len(command)), *command) for command in commands)
    return (READS if reads else PIPELINE, *words)


def unpack(pipeline: Command) -> tuple[Command, ...]:
    """
    Return the commands that :func:`pack` made *pipeline* of; ValueError if it made no such.

    >>> unpack(("READS", "2", "GET", "a", "1", "DBSIZE"))
    (('GET', 'a'), ('DBSIZE',))
    """
    newest = _newest[0]
    if newest[0] is pipeline:
        return newest[1]
    commands = []
    place, end = 1, len(pipeline)
    while place < end:
        begin = place + 1
        place = begin + int(pipeline[place])
        if not begin < place <= end:
            raise ValueError(MALFORMED)
        commands.append(pipeline[begin:place])
    unpacked = tuple(commands)
    _newest[0] = (pipeline, unpacked)
    return unpacked


_newest: list[tuple[Command, tuple[Command, ...]]] = [((), ())]
"""What was unpacked last: whoever looks at a pipeline looks at it from several sides."""


def commands_of(command: Command) -> tuple[Command, ...]:
    """Return what *command*, a pipeline or not, asks for; a malformed pipeline is itself one."""
    if command[0] not in NAMES:
        return (command,)
    try:
        return unpack(command)
    except ValueError:
        return (command,)


def inner(machine: StateMachine) -> StateMachine:
    """Return the machine whose commands *machine* pipelines, or itself if it pipelines none."""
    return machine.machine if isinstance(machine, Pipelining) else machine


class Pipelining(StateMachine):
    """
    Does what *machine* does, and pipelines of that.

    The result of a pipeline is the tuple of its commands' results. One that fails keeps no other
    from being done, as if each had come alone; but nobody else's command comes between them.
    """

    def __init__(self, machine: StateMachine) -> None:
        """Do the commands of *machine*."""
        self.machine = machine
        self.kind = machine.kind  # type: ignore[misc]
        self.forms = machine.forms  # type: ignore[misc]
        self.is_keyed = machine.is_keyed  # type: ignore[misc]

    @override
    def initial(self) -> State:
        """Return the state before the first link."""
        return self.machine.initial()

    @override
    def refusal(self, command: Command) -> str | None:
        """Return what is wrong with *command*; of a pipeline, only that it is none."""
        if command[0] not in NAMES:
            return self.machine.refusal(command)
        try:
            return None if unpack(command) else MALFORMED
        except ValueError:
            return MALFORMED

    @override
    def apply(self, state: State, command: Command) -> tuple[State, Result]:
        """Do *command*, or each of a pipeline."""
        if command[0] not in NAMES:
            return self.machine.apply(state, command)
        commands = unpack(command)
        if command[0] == READS and not all(map(self.machine.is_read, commands)):
            return state, (NO_READS,) * len(commands)
        return self.machine.apply_all(state, commands)

    @override
    def is_read(self, command: Command) -> bool:
        """Tell whether *command* leaves every state as it is."""
        return command[0] == READS or self.machine.is_read(command)

    @override
    def keys(self, command: Command) -> tuple[str, ...]:
        """Return the keys that *command* names, each once."""
        if command[0] not in NAMES:
            return self.machine.keys(command)
        return self.machine.keys_of_all(commands_of(command))

    @override
    def keys_of_all(self, commands: Iterable[Command]) -> tuple[str, ...]:
        """Return the keys that *commands* name, each once."""
        return self.machine.keys_of_all(chain.from_iterable(map(commands_of, commands)))

    @override
    def changes(self, before: State, after: State, command: Command) -> tuple[Change, ...]:
        """Return what *command* changed; what a pipeline changed twice, once."""
        if command[0] not in NAMES:
            return self.machine.changes(before, after, command)
        return tuple(_merged(self.machine.changes(before, after, c) for c in commands_of(command)))

    @override
    def summary(self, state: State) -> str | None:
        """Return *state* in short."""
        return self.machine.summary(state)


def _merged(changes: Iterable[tuple[Change, ...]]) -> Iterator[Change]:
    yield from dict(chain.from_iterable(changes)).items()
