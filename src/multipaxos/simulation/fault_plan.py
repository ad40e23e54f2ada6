"""
The chances of everything that may go wrong in a run: drawn from its seed, and printed first.

Of each level, a run gets some kinds of faults and not others, each with a chance of its own: a run
in which everything happens at once shows less than many runs in which different things do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random

from multipaxos.simulation.weather import CALM, NONE, DelayLaw, Weather

LEVELS = ("none", "calm", "rough", "cruel")
"""How bad it gets: no chance at all; chance without faults; faults; many faults."""

PARTS = ("loss", "duplication", "detour", "delay", "clocks", "gone")
"""What of a plan can be switched off, beside the single faults."""


class FaultKind(StrEnum):
    """What may happen to a server, or between servers, at an instant of a run."""

    CRASH = "crash"
    CRASH_IN_SAVE = "crash in save"
    POWER_FAILURE = "power failure"
    LOST_DISK = "lost disk"
    POWER_CUT = "power cut"
    FULL_DISK = "full disk"
    FAILING_WRITE = "failing write"
    PAUSE = "pause"
    STALL = "stall"
    PARTITION = "partition"
    ONE_WAY = "one-way"
    BRIDGE = "bridge"
    CLOCK = "clock"


class Gone(StrEnum):
    """What becomes of a minority when the others heal."""

    NOBODY = "nobody"
    DEAD = "dead"
    CUT_OFF = "cut off"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """
    The chances in one run.

    Per message: the *weather*. Per second, in the whole cluster: *chances*, by kind of fault; each
    is mended after at most *outage_seconds_max*. Clocks err by up to *clock_error* times what the
    settings allow. When the faults end, a minority stays *gone*.
    """

    weather: Weather = CALM
    chances: Mapping[FaultKind, float] = field(default_factory=dict)
    outage_seconds_max: float = 9.0
    clock_error: float = 0.0
    gone: Gone = Gone.NOBODY

    def without(self, *parts: str) -> "FaultPlan":
        """Return the same with some of :data:`PARTS` switched off."""
        weather, calm = self.weather, CALM
        if "loss" in parts:
            weather = replace(weather, loss=0.0)
        if "duplication" in parts:
            weather = replace(weather, duplication=0.0)
        if "detour" in parts:
            weather = replace(weather, detour=0.0)
        if "delay" in parts:
            weather = replace(
                weather,
                law=DelayLaw.UNIFORM,
                delay_seconds_min=calm.delay_seconds_min,
                delay_seconds_max=calm.delay_seconds_max,
            )
        return replace(
            self,
            weather=weather,
            clock_error=0.0 if "clocks" in parts else self.clock_error,
            gone=Gone.NOBODY if "gone" in parts else self.gone,
        )

    def describe(self) -> list[str]:
        """Return the plan in words, a line for each concern."""
        weather = self.weather
        lines = [f"delays: {_describe_delays(weather)}"]
        per_message = [
            f"{chance:.1%} {word}"
            for chance, word in (
                (weather.loss, "lost"),
                (weather.duplication, "doubled"),
                (weather.detour, f"up to {weather.detour_seconds_max:g} s late, out of order"),
            )
            if chance
        ]
        if per_message:
            lines.append(f"messages: {', '.join(per_message)}")
        if self.chances:
            each = ", ".join(f"{kind} {chance:.1%}" for kind, chance in self.chances.items())
            lines.append(f"faults, a second: {each}")
            lines.append(f"mended: after at most {self.outage_seconds_max:g} s")
        if self.clock_error:
            lines.append(f"clocks: up to {self.clock_error:.0%} of the allowed error")
        if self.gone is not Gone.NOBODY:
            lines.append(f"in the end: a minority stays {self.gone}")
        return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """The highest chances of a level; *share* of the kinds of faults a run gets on the average."""

    share: float
    loss: float
    duplication: float
    detour: float
    detour_seconds: float
    delay_seconds: float
    burst: float
    burst_seconds: float
    outage_seconds: float
    chances: Mapping[FaultKind, float]


_ROUGH_CHANCES = {
    FaultKind.CRASH: 0.1,
    FaultKind.CRASH_IN_SAVE: 0.1,
    FaultKind.POWER_FAILURE: 0.05,
    FaultKind.LOST_DISK: 0.03,
    FaultKind.POWER_CUT: 0.02,
    FaultKind.FULL_DISK: 0.03,
    FaultKind.FAILING_WRITE: 0.05,
    FaultKind.PAUSE: 0.08,
    FaultKind.STALL: 0.08,
    FaultKind.PARTITION: 0.06,
    FaultKind.ONE_WAY: 0.06,
    FaultKind.BRIDGE: 0.04,
    FaultKind.CLOCK: 0.1,
}

_LEVELS = {
    "rough": _Level(
        share=0.7,
        loss=0.1,
        duplication=0.1,
        detour=0.2,
        detour_seconds=0.5,
        delay_seconds=0.5,
        burst=0.02,
        burst_seconds=0.5,
        outage_seconds=9.0,
        chances=_ROUGH_CHANCES,
    ),
    "cruel": _Level(
        share=0.85,
        loss=0.3,
        duplication=0.3,
        detour=0.3,
        detour_seconds=4.0,
        delay_seconds=4.0,
        burst=0.05,
        burst_seconds=3.0,
        outage_seconds=6.0,
        chances={kind: 2.5 * chance for kind, chance in _ROUGH_CHANCES.items()},
    ),
}


def draw_fault_plan(seed: int, level: str) -> FaultPlan:
    """
    Return what *seed* means at *level*, one of :data:`LEVELS`.

    All numbers are rounded as they are printed: what is printed is what happens.
    """
    if level == "none":
        return FaultPlan(weather=NONE)
    if level == "calm":
        return FaultPlan(weather=CALM)
    bounds = _LEVELS[level]
    rng = Random(f"{seed}/{level}")
    return FaultPlan(
        weather=_draw_weather(rng, bounds),
        chances=_draw_chances(rng, bounds),
        outage_seconds_max=bounds.outage_seconds,
        clock_error=round(rng.random(), 2),
        gone=rng.choice((Gone.NOBODY, Gone.NOBODY, Gone.DEAD, Gone.CUT_OFF)),
    )


def _draw_weather(rng: Random, bounds: _Level) -> Weather:
    def chance(most: float) -> float:
        has_it, value = rng.random() < bounds.share, rng.uniform(0.0, most)
        return round(value, 3) if has_it else 0.0

    law = rng.choice(tuple(DelayLaw))
    return Weather(
        loss=chance(bounds.loss),
        duplication=chance(bounds.duplication),
        detour=chance(bounds.detour),
        detour_seconds_max=round(rng.uniform(0.05, bounds.detour_seconds), 2),
        law=law,
        delay_seconds_max=(
            bounds.delay_seconds if law is DelayLaw.HEAVY_TAIL else CALM.delay_seconds_max
        ),
        burst=round(rng.uniform(0.002, bounds.burst), 3),
        burst_seconds_max=round(rng.uniform(0.1, bounds.burst_seconds), 1),
    )


def _draw_chances(rng: Random, bounds: _Level) -> dict[FaultKind, float]:
    chances = {}
    for kind, most in bounds.chances.items():
        has_it, chance = rng.random() < bounds.share, round(rng.uniform(0.002, most), 3)
        if has_it:
            chances[kind] = chance
    return chances


def _describe_delays(weather: Weather) -> str:
    least, most = weather.delay_seconds_min * 1000, weather.delay_seconds_max * 1000
    if least == most:
        return f"{least:g} ms each"
    words = f"{least:g} to {most:g} ms, {weather.law}"
    if weather.law is DelayLaw.BURSTS:
        words += f": {weather.burst:.1%} stop a wire for up to {weather.burst_seconds_max:g} s"
    return words
