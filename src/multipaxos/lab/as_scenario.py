"""A run as a scenario file: its script, and below it the golden trace that it must give again."""

from multipaxos.lab.play import play
from multipaxos.simulation.scenario import SEPARATOR, script_in


def scenario_of(script: str) -> str:
    """Return the text of a scenario file with *script*, and what happens. Raises ScriptError."""
    played = play(script)
    return "\n".join([*script_in(script).splitlines(), SEPARATOR, *played.stage.lines, ""])
