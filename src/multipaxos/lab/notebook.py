"""A simulation for a notebook: it runs, and shows itself as the lab's page does."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from multipaxos.lab.export import page_of
from multipaxos.lab.play import Played, ScriptError, play
from multipaxos.lab.run import Run, run_of
from multipaxos.trace import TraceEvent

HEIGHT_PIXELS = 720
REQUESTS_A_SECOND = 1.0
CLIENTS = 2
CALMEST = "none"
NAMES = "ABCDEFGHI"


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """
    A cluster in virtual time, to be run in a notebook, or in a program.

    It has so many *servers* (1 to 9), which seek mastership if *master*; faults of the level
    *faults*, ``none``, ``calm``, ``rough`` or ``cruel``, for so many *seconds*, and *clients* that
    ask *rate* times a second altogether; everything drawn from *seed*. *without* leaves strategies
    out, *bug* switches one on, *settings* change the servers' settings. More *commands* of a script
    follow when that time is over.

    Raises ScriptError, with a sentence, where one of them is of the wrong kind.
    """

    servers: int = 3
    seed: int = 0
    master: bool = False
    faults: str = CALMEST
    seconds: float = 5.0
    clients: int = CLIENTS
    rate: float = REQUESTS_A_SECOND
    without: Sequence[str] = ()
    bug: str | None = None
    settings: Mapping[str, float] | None = None
    commands: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Refuse what is not of its kind, here, where it was written."""
        for name in ("servers", "seed", "clients"):
            _must_be(_is_whole(getattr(self, name)), name, "a whole number", getattr(self, name))
        for name in ("seconds", "rate"):
            _must_be(_is_number(getattr(self, name)), name, "a number", getattr(self, name))
        _must_be(isinstance(self.master, bool), "master", "True or False", self.master)
        _must_be(isinstance(self.faults, str), "faults", "a level by name", self.faults)
        _must_be(self.bug is None or isinstance(self.bug, str), "bug", "a name", self.bug)
        are_texts = _are_texts(self.without)
        _must_be(are_texts, "without", 'a list of names, as in ["sync"]', self.without)
        are_texts = _are_texts(self.commands)
        _must_be(are_texts, "commands", 'a list of texts, as in ["crash B"]', self.commands)
        are_settings = self.settings is None or _are_settings(self.settings)
        wanted = 'a dict of numbers, as in {"lease_seconds": 2}'
        _must_be(are_settings, "settings", wanted, self.settings)

    @property
    def script(self) -> str:
        """The simulation as a script of the lab: to be shared, kept, and changed."""
        if not 1 <= self.servers <= len(NAMES):
            raise ScriptError(f"a simulation has 1 to {len(NAMES)} servers, not {self.servers}")
        length = f"{_number(self.seconds)}s"
        lines = [f"# {self._title()}"]
        lines += [f"servers {' '.join(NAMES[: self.servers])}", f"seed {self.seed}"]
        lines += ["master"] * self.master
        lines += [f"without {name}" for name in self.without]
        lines += [] if self.bug is None else [f"bug {self.bug}"]
        lines += [f"set {name} {_number(value)}" for name, value in (self.settings or {}).items()]
        lines += [f"faults {self.faults} {length}"]
        lines += [f"clients {self.clients} {_number(self.rate)} {length}"] * (self.clients > 0)
        lines += [f"advance {length}", *self.commands]
        return "\n".join([*lines, ""])

    def _title(self) -> str:
        parts = [f"{self.servers} servers", f"seed {self.seed}"]
        parts += ["with a master"] * self.master
        parts += [f"{self.faults} faults"] if self.faults != CALMEST else []
        parts += [f"without {name}" for name in self.without]
        parts += [f"bug {self.bug}"] if self.bug is not None else []
        return f"A simulation: {', '.join(parts)}"

    def run(self) -> "SimulationRun":
        """
        Run it to its end.

        Raises ScriptError, with a sentence, for what is no simulation, or too long a one.
        """
        return SimulationRun(play(self.script))


class SimulationRun:
    """What came of a simulation. In a notebook it shows itself."""

    def __init__(self, played: Played) -> None:
        """Tell of what was *played*."""
        self._played = played

    @property
    def script(self) -> str:
        """The script that gives this very run."""
        return self._played.script

    @property
    def events(self) -> list[TraceEvent]:
        """The trace."""
        return self._played.stage.events

    @cached_property
    def explained(self) -> Run:
        """The run as plain data, explained, as the page gets it."""
        return run_of(self._played)

    @property
    def decisions(self) -> list[Mapping[str, Any]]:
        """What was chosen, by whom, and at which event."""
        return list(self.explained["decisions"])

    @property
    def violations(self) -> list[Mapping[str, Any]]:
        """Which invariants broke, and how."""
        return list(self.explained["violations"])

    def save_html(self, path: str | Path) -> None:
        """Write the run to *path* as one HTML page. Raises OSError."""
        Path(path).write_text(page_of(self.explained), encoding="utf-8")

    def _repr_html_(self) -> str:
        """Return the page, in a frame that can neither reach the notebook nor the network."""
        page = html.escape(page_of(self.explained), quote=True)
        return (
            f'<iframe srcdoc="{page}" sandbox="allow-scripts allow-downloads" width="100%" '
            f'height="{HEIGHT_PIXELS}" style="border: 0"></iframe>'
        )


def _number(value: Any) -> str:
    """Write the number *value* so that reading it gives the very same one."""
    # Numbers of numpy would write their type around themselves.
    exact = int(value) if isinstance(value, Integral) else float(value)
    return repr(exact).removesuffix(".0")


def _must_be(condition: bool, name: str, wanted: str, found: object) -> None:  # noqa: FBT001
    if not condition:
        raise ScriptError(f"{name} must be {wanted}, not {found!r}")


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _are_texts(values: object) -> bool:
    # A text is a sequence of texts, too: of its letters.
    if isinstance(values, str) or not isinstance(values, Sequence):
        return False
    return all(isinstance(value, str) for value in values)


def _are_settings(values: object) -> bool:
    return isinstance(values, Mapping) and all(
        isinstance(name, str) and _is_number(value) for name, value in values.items()
    )
