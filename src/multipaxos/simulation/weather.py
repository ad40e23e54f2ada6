"""
The network's weather: what may happen to a message on its way, and how long that takes.

Delays are drawn with additions, multiplications and divisions only. Those are exact to the last bit
on every machine; logarithms and powers are not.
"""

from dataclasses import dataclass
from enum import StrEnum


class DelayLaw(StrEnum):
    """By which law the time that a message takes is drawn."""

    UNIFORM = "uniform"
    """Between the shortest and the longest delay, each as likely."""
    BURSTS = "bursts"
    """A wire may stop for a while; what is sent meanwhile arrives when it goes on, all at once."""
    HEAVY_TAIL = "heavy tail"
    """Mostly short, and without a typical longest: twice the delay is half as likely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """
    How the network behaves: probabilities of *loss*, *duplication* and a long *detour* per message.

    Every message takes between *delay_seconds_min* and *delay_seconds_max*, by *law*; one that
    makes a detour up to *detour_seconds_max* more: that is what puts messages out of order. By the
    law of bursts a message makes its wire stop with probability *burst*, for up to
    *burst_seconds_max*.
    """

    loss: float = 0.0
    duplication: float = 0.0
    detour: float = 0.0
    law: DelayLaw = DelayLaw.UNIFORM
    delay_seconds_min: float = 0.000_5
    delay_seconds_max: float = 0.002
    detour_seconds_max: float = 0.0
    burst: float = 0.0
    burst_seconds_max: float = 0.0


NONE = Weather(delay_seconds_min=0.001, delay_seconds_max=0.001)
"""No chance at all: every message takes one millisecond."""

CALM = Weather()
ROUGH = Weather(loss=0.05, duplication=0.05, detour=0.1, detour_seconds_max=0.3)
CRUEL = Weather(loss=0.2, duplication=0.2, detour=0.2, detour_seconds_max=4.0)


def heavy_tail(chance: float, least: float, most: float) -> float:
    """
    Return a number from *least* to *most*, for *chance* drawn evenly from [0, 1).

    It exceeds x with a probability of about *least* / x: a bounded Pareto law.
    """
    return least / (1.0 - chance * (1.0 - least / most))


def often_short(chance: float, most: float) -> float:
    """Return a number from zero to *most*, a third of it on the average and mostly less."""
    return most * chance * chance
