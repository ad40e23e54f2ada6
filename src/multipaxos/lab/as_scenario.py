"""A run as a scenario file: its script, and below it the golden trace that it must give again."""

from itertools import takewhile

from multipaxos.lab.play import play
from multipaxos.simulation.scenario import SEPARATOR


def scenario_of(script: str) -> str:
    """Return the text of a scenario file with *script*, and what happens. Raises ScriptError."""
    played = play(script)
    own = takewhile(lambda line: line != SEPARATOR, script.splitlines())
    return "\n".join([*own, SEPARATOR, *played.stage.lines, ""])
