"""A stage: a cluster under a person's hand. Here is what all its commands share."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from typing import Any, ClassVar

from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.hand import Hand
from multipaxos.simulation.narration import narrate
from multipaxos.simulation.stage.setup import Setup
from multipaxos.trace import TraceEvent

SHOWN_LENGTH_MAX = 60


class BadCommandError(Exception):
    """What is wrong with a command, in words; whoever reads the script adds where it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    The smallest part of a script after which a person may take over.

    After it the trace has so many *events*. It is part of the line number *line* of what was
    performed: all of it so far, if it is *whole*; or *command* does what this part did.
    """

    events: int
    line: int
    command: str
    whole: bool


class StageBase:
    """
    A cluster under a person's hand, and the *lines* that tell what happened on it.

    The cluster is built, and all servers start, with the first command that is not a setting. State
    beside that: the commands *performed*, and the *steps taken* that they were made of.
    """

    commands: ClassVar[Mapping[str, Callable[[Any, str], None]]]
    settings: ClassVar[frozenset[str]]
    silent: ClassVar[frozenset[str]]

    def __init__(
        self, *, tolerant: bool = False, on_step: Callable[[], None] = lambda: None
    ) -> None:
        """
        Begin with the default settings and no cluster.

        A *tolerant* stage goes on when an invariant is violated, as every stage with a bug does.
        *on_step* is called after each step.
        """
        self.setup = Setup()
        self.lines: list[str] = []
        self.performed: list[str] = []
        self.steps_taken: list[Step] = []
        self._tolerant = tolerant
        self._on_step = on_step
        self._started: SimulatedCluster | None = None
        self._told = 0
        self._told_time = 0.0
        self._depth = 0

    @property
    def begun(self) -> bool:
        """Whether the cluster is built: no setting may follow."""
        return self._started is not None

    @property
    def cluster(self) -> SimulatedCluster:
        """The cluster, once the first command that is not a setting was given."""
        assert self._started is not None, "no command may use the cluster before it is built"
        return self._started

    @property
    def hand(self) -> Hand:
        """The hand that takes messages from whichever network carries them."""
        return Hand(self.cluster)

    @property
    def events(self) -> list[TraceEvent]:
        """The trace so far, as every engine writes it."""
        return self.cluster.trace.events

    def perform(self, command: str) -> None:
        """Carry out one *command* and tell what came of it. Raises BadCommandError."""
        verb, _, rest = command.partition(" ")
        method = self.commands.get(verb)
        if method is None:
            shown = verb if len(verb) <= SHOWN_LENGTH_MAX else f"{verb[:SHOWN_LENGTH_MAX]}..."
            raise BadCommandError(f"{shown!r} is no command; these are: {', '.join(self.commands)}")
        if verb in self.settings:
            if self.begun:
                raise BadCommandError(f"{verb!r} must stand before everything that happens")
        else:
            self.begin()
            if verb not in self.silent:
                self.lines.append(f"> {command}")
        is_outermost = self._depth == 0
        if is_outermost:
            self.performed.append(command)
        self._depth += 1
        try:
            method(self, rest.strip())
        finally:
            self._depth -= 1
        if is_outermost and verb not in self.settings:
            self._note_step(command, whole=True)
        self._tell()

    def begin(self) -> None:
        """Build the cluster, unless that is done."""
        if self._started is not None:
            return
        try:
            self._started = self.setup.build(tolerant=self._tolerant)
            self.setup.start(self._started)
        except ValueError as error:
            # Settings that do not go together, such as quorums that need not meet.
            self._started = None
            raise BadCommandError(str(error)) from error
        self._started.invariants.judge(self._started.invariants.quorums.check)
        if self.setup.founded:
            # Greetings and first timers are the same in every scenario.
            self._started.manual.held.clear()
            self._told = len(self._started.trace.events)
        self._tell()

    # -- what commands are made of -----------------------------------------------------------------

    def _step(self, command: str) -> None:
        """Note that a part of the command in hand is done: *command* does it, too."""
        if self._depth == 1:
            self._note_step(command, whole=False)

    def _note_step(self, command: str, *, whole: bool) -> None:
        events, line = len(self.events), len(self.performed) - 1
        self.steps_taken.append(Step(events=events, line=line, command=command, whole=whole))
        self._on_step()

    def _tell(self) -> None:
        if self._started is None:
            return
        events = self._started.trace.events
        for event in events[self._told :]:
            line = narrate(event)
            if line is not None:
                self._tell_time(event.seconds)
                self.lines.append(f"  {line}")
        self._told = len(events)
        self._tell_time(self._started.time.now)

    def _tell_time(self, seconds: float) -> None:
        if round(seconds, 3) != self._told_time:
            self._told_time = round(seconds, 3)
            self.lines.append(f"  -- {self._told_time:.3f} s")

    # -- words of a command ------------------------------------------------------------------------

    def _uid(self, text: str) -> str:
        self._check_uid(text)
        return text

    def _check_uid(self, uid: str) -> None:
        if uid not in self.cluster.servers:
            servers = ", ".join(self.setup.servers)
            raise BadCommandError(f"{uid!r} is no server; these are: {servers}")

    def _pair(self, text: str, *, anyone: bool = False) -> tuple[str, str]:
        sender, arrow, receiver = text.partition("->")
        if not arrow:
            raise BadCommandError(f"{text!r} is no pair: write SENDER->RECEIVER")
        for uid in (sender, receiver):
            if not (anyone and uid == "*"):
                self._check_uid(uid)
        if sender == receiver != "*":
            raise BadCommandError(f"what {sender} tells itself never travels: name two servers")
        return sender, receiver

    def _seconds(self, text: str) -> float:
        for unit, factor in (("ms", 0.001), ("s", 1.0)):
            if text.endswith(unit):
                seconds = self._number(text.removesuffix(unit)) * factor
                if seconds >= 0:
                    return seconds
                raise BadCommandError(f"{text!r} lies in the past: time goes forward only")
        raise BadCommandError(f"{text!r} is no duration: write 3s or 250ms")

    def _number(self, text: str) -> float:
        with suppress(ValueError):
            number = float(text)
            if isfinite(number):
                return number
        raise BadCommandError(f"{text!r} is no number")

    def _count(self, text: str, least: int, most: int, what: str) -> int:
        if text.isascii() and text.isdigit() and len(text) <= len(str(most)):
            number = int(text)
            if least <= number <= most:
                return number
        raise BadCommandError(f"{what} is a whole number from {least} to {most}, not {text!r}")

    def _no_more(self, rest: str) -> None:
        if rest:
            raise BadCommandError(f"nothing may follow here, not even {rest!r}")
