"""A script cut short: what led to one instant of a run, so that it can go on otherwise."""

from multipaxos.simulation.stage.base import StageBase, Step


def cut(stage: StageBase, events: int) -> list[str]:
    """
    Return the commands that lead to the first step after which there are so many *events*, or more.

    A command that had not ended by then is told by its parts. All commands, if there are too few.
    """
    last = next((step for step in stage.steps_taken if step.events >= events), None)
    if last is None:
        return list(stage.performed)
    if _ends_its_command(stage, last):
        return stage.performed[: last.line + 1]
    parts = [
        step.command
        for step in stage.steps_taken[: stage.steps_taken.index(last) + 1]
        if step.line == last.line
    ]
    return [*stage.performed[: last.line], *_joined(parts)]


def _ends_its_command(stage: StageBase, step: Step) -> bool:
    return any(
        s.whole and s.line == step.line and s.events == step.events for s in stage.steps_taken
    )


def _joined(parts: list[str]) -> list[str]:
    """Write many single steps of time as one command."""
    if all(part == "steps 1" for part in parts):
        return [f"steps {len(parts)}"]
    return parts
