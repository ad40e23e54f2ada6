"""What a run can be made of: strategies, bugs, settings, commands, as plain data for a page."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from multipaxos.chain.effects import Timer
from multipaxos.chain.settings import Settings
from multipaxos.composition import INDISPENSABLE, MASTER_ONLY, STRATEGIES
from multipaxos.simulation.fault_plan import LEVELS
from multipaxos.simulation.stage import COMMANDS, SETTINGS
from multipaxos.strategies.broken import BUGS, Bug


def catalogue() -> dict[str, Any]:
    """Return all that can be switched, set and commanded."""
    return {
        "strategies": [_strategy(name) for name in STRATEGIES],
        "bugs": [_bug(bug) for bug in BUGS.values()],
        "settings": _defaults(),
        "commands": [_command(name) for name in COMMANDS],
        "levels": list(LEVELS),
        "timers": [timer.value for timer in Timer],
    }


def _strategy(name: str) -> Mapping[str, object]:
    return {
        "name": name,
        "says": _first_line(STRATEGIES[name]),
        "removable": name not in INDISPENSABLE,
        "master_only": name in MASTER_ONLY,
    }


def _bug(bug: Bug) -> Mapping[str, object]:
    return {
        "name": bug.name,
        "summary": bug.summary,
        "mistake": bug.mistake,
        "rule": bug.rule,
        "met": bug.met,
        "breaks": [invariant.partition(" ")[0] for invariant in bug.breaks],
        "master": bug.master,
        "shortest": [
            {"breaks": disaster.breaks.partition(" ")[0], "steps": disaster.steps}
            for disaster in bug.shortest
        ],
    }


def _defaults() -> list[Mapping[str, object]]:
    standard = Settings()
    return [
        {"name": field.name, "default": getattr(standard, field.name)} for field in fields(Settings)
    ]


def _command(name: str) -> Mapping[str, object]:
    return {
        "name": name,
        "doc": _first_line(COMMANDS[name]).replace("``", ""),
        "is_setting": name in SETTINGS,
    }


def _first_line(documented: Any) -> str:
    return str(documented.__doc__).strip().splitlines()[0]
