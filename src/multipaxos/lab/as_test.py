"""A run as a test: what happened in it, asserted, so that it never happens otherwise."""

import re
from collections.abc import Iterable

from multipaxos.invariants.names import LINEARIZABLE
from multipaxos.lab.play import play
from multipaxos.lab.run import title_of

TITLE_LENGTH_MAX = 80
NAME_LENGTH_MAX = 60
TEMPLATE = '''\
"""Holds a run that was played in the lab."""

from multipaxos.simulation.scenario import Stage

SCRIPT = [{script}]


def test_{name}() -> None:
    """{title}."""
    stage = Stage(tolerant=True)
    for command in SCRIPT:
        stage.perform(command)

    events = stage.events
    chosen = [
        (event.fields["instance"], event.fields["proposal_id"], event.fields["acceptors"])
        for event in events
        if event.kind == "chosen"
    ]
    refused = [(event.server, event.fields["text"]) for event in events if event.kind == "refused"]
    broken = [event.fields["name"] for event in events if event.kind == "violated"]

    assert chosen == [{chosen}]
    assert refused == [{refused}]
    assert broken == [{broken}]
    assert len(events) == {count}
'''


def source_of_test(script: str) -> str:
    """Return the source of a pytest that passes: it plays *script*. Raises ScriptError."""
    played = play(script)
    # What the clients saw is judged by the lab, at the end: a stage alone does not do that.
    events = [
        event
        for event in played.stage.events
        if not (event.kind == "violated" and event.fields["name"] == LINEARIZABLE)
    ]
    title = title_of(script)
    return TEMPLATE.format(
        title=_sentence(title),
        name=_identifier(title),
        script=_lines(line.command for line in played.lines),
        chosen=_lines(
            (event.fields["instance"], event.fields["proposal_id"], event.fields["acceptors"])
            for event in events
            if event.kind == "chosen"
        ),
        refused=_lines(
            (event.server, event.fields["text"]) for event in events if event.kind == "refused"
        ),
        broken=_lines(event.fields["name"] for event in events if event.kind == "violated"),
        count=len(events),
    )


def _lines(items: Iterable[object]) -> str:
    """Write *items* one a line, for between the brackets of a list."""
    shown = "".join(f"\n        {item!r}," for item in items)
    return f"{shown}\n    " if shown else ""


def _sentence(title: str) -> str:
    """Return *title* as a docstring can hold it: no quote or backslash ends that early."""
    kept = re.sub(r"[^\w ,:;()'-]", "", title[:TITLE_LENGTH_MAX]).strip()
    return kept or "A run of your own"


def _identifier(title: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    return words[:NAME_LENGTH_MAX].strip("_") or "the_run"
