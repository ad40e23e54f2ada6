"""The reference of the bugs is what the registry says."""

from tests.docs.documents import read
from tests.docs.tables import rows

from multipaxos.cli.bugs import numbers_of
from multipaxos.strategies.broken import BUGS, Bug

BUGS_PAGE = "docs/reference/bugs.md"


def row_of(bug: Bug) -> tuple[str, ...]:
    """Return the row that *bug* should have."""
    summary = bug.summary.rstrip(".")
    shortest = [f"{d.breaks.split()[0]}: {d.steps} ({d.states:,})" for d in bug.shortest]
    return (
        f"`{bug.name}`",
        numbers_of(bug),
        summary[:1].lower() + summary[1:],
        ", ".join(shortest) or "-",
    )


def test_every_bug_is_described_with_its_shortest_disasters() -> None:
    """In the order of the registry, and with the numbers that the explorer's tests hold."""
    table = rows(read(BUGS_PAGE), ("bug", "breaks", "the server", "steps (states)"))

    assert [tuple(row) for row in table] == [row_of(bug) for bug in BUGS.values()]
