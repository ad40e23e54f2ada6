"""Traces as servers would have written them, from runs in the simulator."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from multipaxos.trace import TraceEvent
from multipaxos.trace.file import format_line

UIDS = ("A", "B", "C")
NEVER_TRACED_BY_SERVERS = {"trace", "chosen", "dropped", "violated"}


def as_servers_write(
    events: Sequence[TraceEvent], directory: Path, *, about: Any = None
) -> list[Path]:
    """Write *events* as three servers would have traced them; return the files."""
    paths = []
    header = {
        "time": 0.0,
        "kind": "trace",
        "version": 3,
        "engine": "server",
        "cluster": "test",
        "servers": list(UIDS),
        "clock": "boot-1",
        "about": about or {},
    }
    for uid in UIDS:
        lines: list[dict[str, object]] = [{**header, "server": uid}]
        for event in events:
            if event.server == uid and event.kind not in NEVER_TRACED_BY_SERVERS:
                fields = json.loads(format_line(event))
                fields.pop("id", None)
                lines.append(fields)
        path = directory / f"{uid}.ndjson"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="ascii")
        paths.append(path)
    return paths
