"""A script cut short: what led to one instant of a run, so that it can go on otherwise."""

from dataclasses import dataclass

from multipaxos.simulation.stage.base import StageBase, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """The *commands* with which a run begins, and how many *events* its trace has after them."""

    commands: tuple[str, ...]
    events: int


def cut(stage: StageBase, events: int) -> Beginning:
    """
    Return what leads to the first step after which there are so many *events*, or more.

    A command that had not ended by then is told by its parts. The whole run, if it has no more:
    its last commands may add no event and change what follows (`hold`, `delay`, `crash before`).
    """
    last = next((step for step in stage.steps_taken if step.events >= events), None)
    if last is None or events >= len(stage.events):
        return Beginning(commands=tuple(stage.performed), events=len(stage.events))
    if _ends_its_command(stage, last):
        return Beginning(commands=tuple(stage.performed[: last.line + 1]), events=last.events)
    parts = [
        step.command
        for step in stage.steps_taken[: stage.steps_taken.index(last) + 1]
        if step.line == last.line
    ]
    commands = (*stage.performed[: last.line], *_joined(parts))
    return Beginning(commands=commands, events=last.events)


def _ends_its_command(stage: StageBase, step: Step) -> bool:
    return any(
        s.whole and s.line == step.line and s.events == step.events for s in stage.steps_taken
    )


def _joined(parts: list[str]) -> list[str]:
    """Write many single steps of time as one command."""
    if all(part == "steps 1" for part in parts):
        return [f"steps {len(parts)}"]
    return parts
