"""Trace events, held against the tables of the trace's reference."""

import re
from functools import cache

from tests.docs.documents import read
from tests.docs.tables import rows

from multipaxos.trace import TraceEvent

TRACE_PAGE = "docs/reference/trace.md"

SOMETIMES = {("refused", "promised_id")}
"""Fields that an event may lack."""


@cache
def documented_kinds() -> dict[str, tuple[str, ...]]:
    """Return the kinds of events that the reference has, with the fields of each."""
    return {
        kind.strip("`"): tuple(re.findall(r"`([^`]+)`", fields))
        for kind, fields, _ in rows(read(TRACE_PAGE), ("kind", "fields", "when"))
    }


def check_trace_event(event: TraceEvent) -> None:
    """Assert that *event* has the fields that the reference gives its kind."""
    fields = documented_kinds()[event.kind]
    always = {name for name in fields if (event.kind, name) not in SOMETIMES}
    assert always <= event.fields.keys() <= set(fields), event
