"""What is read of the machine and of servers' metrics."""

import os
from pathlib import Path

import pytest
from prometheus_client.exposition import generate_latest

from multipaxos.bench.counts import Counts, read_counts
from multipaxos.bench.disk import file_system_of
from multipaxos.bench.usage import TICKS_PER_SECOND, Usage, usage_of
from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.requests import Chosen, Outcome, Refused, RequestID
from multipaxos.runtime.monitoring.metrics import Metrics

MOUNTS = """\
/dev/vda / ext4 rw 0 0
tmpfs /tmp tmpfs rw 0 0
/dev/vdb /tmp/a\\040disk xfs rw 0 0
"""


def test_the_metrics_of_our_servers_are_read() -> None:
    """Their names are those that a server gives them; refused requests are no answers."""
    metrics = Metrics(seconds=lambda: 0.0, machine=Dictionary())
    outcomes: tuple[Outcome, ...] = (
        Chosen(link=1, result=True),
        Chosen(link=2, result=True),
        Refused(reason="no"),
    )
    for sequence, outcome in enumerate(outcomes):
        request = RequestID(client="c", sequence=sequence + 1)
        metrics.called(request, ("SET", "k", "v"))
        metrics.returned(request, ("SET", "k", "v"), outcome)

    counts = read_counts(generate_latest(metrics.registry).decode())

    assert counts == Counts(answers=2)


def test_all_counts_are_read() -> None:
    """Messages of all types are added."""
    text = (
        "# TYPE multipaxos_messages_sent_total counter\n"
        'multipaxos_messages_sent_total{type="Accept"} 4.0\n'
        'multipaxos_messages_sent_total{type="Accepted"} 6.0\n'
        "# TYPE multipaxos_links_resolved_total counter\n"
        "multipaxos_links_resolved_total 3.0\n"
        "# TYPE multipaxos_save_seconds histogram\n"
        'multipaxos_save_seconds_bucket{le="+Inf"} 7.0\n'
        "multipaxos_save_seconds_count 7.0\n"
        "multipaxos_save_seconds_sum 0.5\n"
    )

    counts = read_counts(text)

    assert counts == Counts(saves=7, messages=10, links=3)
    assert counts + counts - counts == counts


def test_the_use_of_a_process_is_read(tmp_path: Path) -> None:
    """Whatever its name is."""
    own = tmp_path / "7"
    own.mkdir()
    fields = ["S", *["0"] * 10, "250", "50", *["0"] * 30]
    (own / "stat").write_text(f"7 (a) name) {' '.join(fields)}\n", encoding="utf-8")
    (own / "statm").write_text("900 100 3 4 5 6 7\n", encoding="utf-8")

    found = usage_of(7, tmp_path)

    assert found == Usage(300 / TICKS_PER_SECOND, 100 * os.sysconf("SC_PAGE_SIZE"))
    assert usage_of(8, tmp_path) is None


@pytest.mark.parametrize(
    "directory, kind",
    [("/var", "ext4"), ("/tmp/x", "tmpfs"), ("/tmp/a disk/x", "xfs")],  # noqa: S108
)
def test_the_disk_of_a_directory_is_known(directory: str, kind: str) -> None:
    """The innermost one counts; a place may have a blank in its name."""
    assert file_system_of(Path(directory), MOUNTS) == kind
    assert file_system_of(Path(directory), "") == ""
