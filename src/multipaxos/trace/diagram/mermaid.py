"""The diagram as a Mermaid ``sequenceDiagram``, for documents that render such."""

import re
from collections.abc import Iterable, Iterator

from multipaxos.trace.diagram.selection import collapse
from multipaxos.trace.diagram.staging import stage
from multipaxos.trace.diagram.steps import Arrow, Banner, Note, Scene, Tip
from multipaxos.trace.events import TraceEvent

ARROWS = {Tip.ARRIVES: "->>", Tip.LOST: "-x", Tip.UNDER_WAY: "--)", Tip.UNSEEN: "--)"}
SAFE = re.compile(r"[A-Za-z0-9 .,_\"'()/=|!?*-]")


def mermaid(events: Iterable[TraceEvent]) -> str:
    """Return *events* as the text of a Mermaid diagram."""
    return draw_mermaid(collapse(stage(events)))


def draw_mermaid(scene: Scene) -> str:
    """Return *scene* as the text of a Mermaid diagram: an arrow stands where it arrives."""
    names = _names(scene)
    lines = ["sequenceDiagram"]
    lines += [
        f"    {'actor' if column in scene.clients else 'participant'} {name} as {_safe(column)}"
        for column, name in names.items()
    ]
    lines += [f"    {line}" for line in _lines(scene, names)]
    return "\n".join(lines) + "\n"


def _names(scene: Scene) -> dict[str, str]:
    # A name of ours for each: any word of theirs may be one of Mermaid's own.
    clients = {client: f"client{place}" for place, client in enumerate(scene.clients, start=1)}
    servers = {uid: f"server{place}" for place, uid in enumerate(scene.servers, start=1)}
    return {**clients, **servers}


def _lines(scene: Scene, names: dict[str, str]) -> Iterator[str]:
    columns = list(names.values())
    across = ",".join(dict.fromkeys([*columns[:1], *columns[-1:]]))
    for step in scene.steps:
        match step:
            case Arrow() if step.tip is Tip.LEAVES:
                continue
            case Arrow():
                start, end = names[step.start], names[step.end]
                yield f"{start}{ARROWS[step.tip]}{end}: {_safe(_arrow_words(step))}"
            case Note():
                words = f"{step.words}, saved" if step.saved else step.words
                yield f"Note over {names[step.server]}: {_safe(words)}"
            case Banner():
                yield f"Note over {across}: {_safe(step.words)}"


def _arrow_words(arrow: Arrow) -> str:
    words = f"again: {arrow.words}" if arrow.again else arrow.words
    if arrow.tip is Tip.UNDER_WAY:
        return f"{words} (on its way)"
    if arrow.tip is Tip.UNSEEN:
        return f"{words} (not seen to arrive)"
    if arrow.saved:
        return f"{words} (saved)"
    return words


def _safe(words: str) -> str:
    """Return *words* with all that means anything to Mermaid, or to HTML, as an entity."""
    return "".join(
        character if SAFE.fullmatch(character) else f"#{ord(character)};" for character in words
    )
