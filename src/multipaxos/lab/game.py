"""
You are the network: the game in which two values are to be chosen for one link.

A player delivers, loses and doubles messages, and lets servers crash and come back. With correct
servers nobody wins. With a bug switched on somebody can, and the best known script says in how few
moves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from multipaxos.strategies.broken import find_bug

OPENING = ("propose A x", "propose B y")
"""Two clients want different values: without that there is nothing to disagree about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Game:
    """
    A game with the *bug* switched on (None: with none), on the *servers*.

    *best* is the shortest winning play that is known: commands, each of them a move.
    """

    bug: str | None
    best: tuple[str, ...] = ()
    servers: str = "A B C"

    @property
    def script(self) -> str:
        """What the game begins with."""
        bug = [] if self.bug is None else [f"bug {self.bug}"]
        title = f"# You are the network: {self.bug or 'correct servers'}"
        return "\n".join([title, f"servers {self.servers}", *bug, *OPENING, ""])

    @property
    def winning_script(self) -> str:
        """The game, played as well as is known."""
        return self.script + "".join(f"{move}\n" for move in self.best)

    def plain(self) -> Mapping[str, object]:
        """Return the game as JSON can hold it; how it is won is not told."""
        summary = "The servers keep all the rules." if self.bug is None else _says(self.bug)
        return {
            "bug": self.bug,
            "moves": len(self.best) or None,
            "summary": summary,
            "script": self.script,
        }


def games() -> list[Mapping[str, Any]]:
    """Return all games as JSON can hold them."""
    return [game.plain() for game in GAMES]


def _says(bug: str) -> str:
    return f"Each server {find_bug(bug).summary[0].lower()}{find_bug(bug).summary[1:]}"


GAMES: tuple[Game, ...] = (
    Game(bug=None),
    Game(bug="no-phase-one", best=("deliver A->C Accept", "deliver B->A Accept")),
    Game(bug="one-promise-of-three", best=("deliver A->C Accept", "deliver B->A Accept")),
    Game(
        bug="forgetful-acceptor",
        best=(
            "deliver A->B Prepare",
            "deliver B->A Prepare",
            "deliver B->A Promise",
            "deliver A->B Promise",
            "deliver A->C Accept",
            "deliver B->A Accept",
        ),
    ),
    Game(
        bug="gullible-acceptor",
        best=(
            "deliver A->C Prepare",
            "deliver B->A Prepare",
            "deliver C->A Promise",
            "deliver A->B Promise",
            "deliver A->B Accept",
            "deliver B->A Accept",
        ),
    ),
    Game(
        bug="own-value",
        best=(
            "deliver A->C Prepare",
            "deliver C->A Promise",
            "deliver B->A Prepare",
            "deliver A->C Accept",
            "deliver A->B Promise",
            "deliver B->A Accept",
        ),
    ),
    Game(
        bug="silent-promise",
        best=(
            "deliver A->C Prepare",
            "deliver C->A Promise",
            "deliver B->A Prepare",
            "deliver A->C Accept",
            "deliver A->B Promise",
            "deliver B->A Accept",
        ),
    ),
    Game(
        bug="half-is-enough",
        servers="A B C D",
        best=(
            "deliver A->C Prepare",
            "deliver B->C Prepare",
            "deliver C->A Promise",
            "deliver C->B Promise",
            "deliver A->D Accept",
            "deliver B->A Accept",
        ),
    ),
)
"""
The games, from the one that cannot be won on.

No shorter play wins any of them: all orders of deliveries up to these lengths were tried.
"""
