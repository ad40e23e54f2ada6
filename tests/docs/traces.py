"""The tables of the trace's reference, to be held against the schema."""

import re
from functools import cache

from tests.docs.documents import read
from tests.docs.tables import rows

TRACE_PAGE = "docs/reference/trace.md"


@cache
def documented_kinds() -> dict[str, tuple[str, ...]]:
    """Return the kinds of events that the reference has, with the fields of each."""
    return {
        kind.strip("`"): tuple(re.findall(r"`([^`]+)`", fields))
        for kind, fields, _ in rows(read(TRACE_PAGE), ("kind", "fields", "when"))
    }


@cache
def documented_reasons() -> dict[str, tuple[str, ...]]:
    """Return the reasons of refusals that the reference has, with the data of each."""
    return {
        reason.strip("`"): tuple(re.findall(r"`([^`]+)`", data))
        for reason, data, _ in rows(read(TRACE_PAGE), ("reason", "data", "says"))
    }
