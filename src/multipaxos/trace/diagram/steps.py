"""What a diagram shows, whichever way it is drawn: arrows, notes and banners, in their order."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Life(StrEnum):
    """What a server's lifeline tells at one moment."""

    UP = "up"
    DOWN = "down"
    PAUSED = "paused"
    TRUSTING = "trusting"
    """It believes that it may answer reads alone."""


class Tip(StrEnum):
    """How an arrow ends."""

    ARRIVES = "arrives"
    LOST = "lost"
    LEAVES = "leaves"
    """It goes on later, under the same tag."""
    UNDER_WAY = "under way"
    """The trace ends before it arrives."""
    UNSEEN = "unseen"
    """The trace of a server tells nothing of its arrival: it was lost, or nobody traced that."""


class BannerKind(StrEnum):
    """What a line across the whole diagram is for."""

    CHOSEN = "chosen"
    CHOSEN_AGAIN = "chosen again"
    """Another value than before: the disaster that all the rules are there to prevent."""
    BROKEN = "broken"
    """An invariant, by a server that is wrong on purpose."""
    WIRES = "wires"
    LINK = "link"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """
    Where a step stands: its time, the *place* of its event in the trace, and the link it is about.

    *routine* says what it is for, if that is nothing out of the ordinary. *lives* says how each
    server fares from here on; it stands in every step, so that a diagram may begin at any.
    """

    seconds: float
    place: int
    instance: int | None
    routine: str
    lives: Mapping[str, Life]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow(_Placed):
    """
    A message, or a client's call or answer, from *start* to *end*.

    *left* is the place of its departure, where the trace has one. An arrow that took long has two
    steps, where it leaves and where it ends, with the same *tag*.
    *short* are words that will do where there is little room.
    *saved*: it made its receiver save; *refused*: its receiver took no notice.
    """

    start: str
    end: str
    words: str
    short: str
    tip: Tip
    proposer: str | None
    left: int | None = None
    tag: int | None = None
    again: bool = False
    saved: bool = False
    refused: bool = False
    by_client: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(_Placed):
    """Something that a server did by itself, or that was done to it; *kind* is the event's."""

    server: str
    words: str
    kind: str
    saved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner(_Placed):
    """A line across the whole diagram."""

    words: str
    kind: BannerKind


Step: TypeAlias = Arrow | Note | Banner


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """
    A whole diagram: its columns and its *steps*.

    *clients* are empty where no client was seen. Times are counted from *origin*. The
    scene is *untimed* where all happens at one instant, *stepwise* where steps are counted instead.
    """

    servers: tuple[str, ...]
    clients: tuple[str, ...]
    steps: tuple[Step, ...]
    origin: float
    untimed: bool
    stepwise: bool

    def time(self, seconds: float) -> str:
        """Return the time *seconds* as diagrams tell it; an exploration counts its steps."""
        return f"{seconds:.0f}" if self.stepwise else f"{seconds - self.origin:.3f}"
