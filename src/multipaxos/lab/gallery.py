"""The gallery: the scenarios of the package, each a story with captions and a question."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from multipaxos.errors import MultipaxosError
from multipaxos.lab.play import Line, read_lines
from multipaxos.simulation.scenario import script_in

PARTS = ("Why", "Look at", "Question", "Answer")
NUMBER = re.compile(r"0*(\d+\w?)_")
SHOWN_MAX = 60


class UnknownScenarioError(MultipaxosError, LookupError):
    """There is no scenario of that name; the message says which there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """
    A scenario as it is told.

    Its *name* is that of its file, its *number* the one it begins with. *title*, *why*, what to
    *look* at, and a *question* to predict with its *answer* stand in the comment at its top; the
    *script* holds the captions of its steps.
    """

    name: str
    number: str
    title: str
    why: str
    look: str
    question: str
    answer: str
    script: str

    @property
    def lines(self) -> tuple[Line, ...]:
        """The commands, with their captions."""
        return read_lines(self.script)

    def plain(self) -> dict[str, str]:
        """Return the story as JSON can hold it, without its script."""
        return {
            "name": self.name,
            "number": self.number,
            "title": self.title,
            "why": self.why,
            "look": self.look,
            "question": self.question,
            "answer": self.answer,
        }


@cache
def scenarios() -> tuple[Story, ...]:
    """Return all stories, in the order of their numbers."""
    folder = files("multipaxos").joinpath("scenarios")
    found = sorted((f for f in folder.iterdir() if f.name.endswith(".txt")), key=lambda f: f.name)
    return tuple(
        story_of(f.name.removesuffix(".txt"), f.read_text(encoding="utf-8")) for f in found
    )


def find(name: str) -> Story:
    """Return the story called *name*. Raises UnknownScenarioError."""
    for story in scenarios():
        if story.name == name:
            return story
    names = ", ".join(story.name for story in scenarios())
    raise UnknownScenarioError(f"there is no scenario {name[:SHOWN_MAX]!r}; these are: {names}")


def story_of(name: str, text: str) -> Story:
    """Return the story in the *text* of a scenario file, called *name*."""
    script = script_in(text)
    top: list[str] = []
    for line in script.splitlines():
        if not line.startswith("#"):
            break
        top.append(line.lstrip("#").strip())
    parts = _parts(top)
    number = NUMBER.match(name)
    return Story(
        name=name,
        number=number[1] if number else "",
        title=parts[""].rstrip("."),
        why=parts.get("Why", ""),
        look=parts.get("Look at", ""),
        question=parts.get("Question", ""),
        answer=parts.get("Answer", ""),
        script=script,
    )


def _parts(lines: list[str]) -> dict[str, str]:
    """Return the parts of a comment: each begins with its name; the first one has none."""
    found: dict[str, list[str]] = {"": []}
    name = ""
    for line in lines:
        word, colon, rest = line.partition(":")
        if colon and word in PARTS:
            name = word
            found[name] = [rest.strip()]
        else:
            found[name].append(line)
    return {part: " ".join(said).strip() for part, said in found.items()}
