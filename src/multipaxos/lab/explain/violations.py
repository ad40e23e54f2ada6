"""Broken invariants: the sentence, and the servers and numbers in it that a picture can light."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from multipaxos.lab.explain.words import text
from multipaxos.trace import TraceEvent

TEXT_LENGTH_MAX = 2000
_WORD = re.compile(r"[^\s,;:()\"]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """An invariant that broke at *place*: its *name*, the *link*, in words, and who is in these."""

    place: int
    name: str
    link: int | None
    text: str
    servers: tuple[str, ...]
    proposals: tuple[str, ...]

    def plain(self) -> dict[str, object]:
        """Return it as JSON can hold it."""
        return {
            "event": self.place,
            "name": self.name,
            "link": self.link,
            "text": self.text,
            "servers": list(self.servers),
            "proposals": list(self.proposals),
        }


def broken_at(
    place: int, event: TraceEvent, *, servers: Collection[str], proposals: Collection[str]
) -> Broken:
    """Return what the ``violated`` *event* at *place* tells, with whom and what it names."""
    fields: Any = event.fields
    explanation = str(fields["explanation"])[:TEXT_LENGTH_MAX]
    said = fields.get("text") or explanation
    words = {word.rstrip(".") for word in _WORD.findall(explanation)}
    return Broken(
        place=place,
        name=text(fields["name"], 60),
        link=fields["link"],
        text=text(said, TEXT_LENGTH_MAX),
        servers=tuple(uid for uid in servers if uid in words),
        proposals=tuple(sorted(words.intersection(proposals))),
    )
