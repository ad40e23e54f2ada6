"""
Scenarios: a script that a person wrote, and the trace that it must give.

A file has a comment that says what happens, why, and what to look at; commands, one a line; a line
``----``; and the golden trace. Messages are held until the script delivers them, time passes only
where the script lets it. See :data:`COMMANDS` for the vocabulary.
"""

from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from multipaxos.simulation.manual_network import NoSuchMessageError
from multipaxos.simulation.stage import COMMANDS, SETTINGS, BadCommandError, Stage

__all__ = ["COMMANDS", "SETTINGS", "Scenario", "ScenarioError", "Stage", "read_scenario"]

SEPARATOR = "----"


class ScenarioError(Exception):
    """A line of a script cannot be carried out: the message names the file and the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario file: its *path*, the *script* as written, and the *golden* trace."""

    path: Path
    script: str
    golden: str

    def run(self) -> str:
        """Play the script and return its trace in words. Raises as :meth:`play` does."""
        return "\n".join(self.play().lines) + "\n"

    def play(self) -> Stage:
        """Play the script, and return the stage. Raises ScenarioError and InvariantViolation."""
        stage = Stage()
        for number, line in enumerate(self.script.splitlines(), start=1):
            command = command_of(line)
            if command:
                try:
                    stage.perform(command)
                except (BadCommandError, NoSuchMessageError) as error:
                    raise ScenarioError(f"{self.path.name}, line {number}: {error}") from error
        return stage

    def rewrite(self, golden: str) -> None:
        """Put *golden* in place of the file's trace."""
        self.path.write_text(f"{self.script}{SEPARATOR}\n{golden}", encoding="utf-8")


def command_of(line: str) -> str:
    """
    Return the command on a *line* of a script; an empty text if it has none.

    What follows a ``#`` at the beginning, or behind a blank, is a comment; ``#12`` is a message.
    """
    words = line.split(" ")
    for place, word in enumerate(words):
        if word.startswith("#") and not word.rstrip(",")[1:].isdigit():
            return " ".join(words[:place]).strip()
    return line.strip()


def read_scenario(path: Path) -> Scenario:
    """Read the file at *path*; one without a trace yet is complete, too."""
    text = path.read_text(encoding="utf-8")
    script = script_in(text)
    return Scenario(path=path, script=script, golden=text[len(script) :].partition("\n")[2])


def script_in(text: str) -> str:
    """Return the script in the *text* of a scenario file: all that stands above its ``----``."""
    lines = text.splitlines(keepends=True)
    return "".join(takewhile(lambda line: line.splitlines() != [SEPARATOR], lines))
