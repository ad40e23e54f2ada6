"""Tables, files and plots of the figures."""

import csv
import io
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.bench.examples import measurement, observation

from multipaxos.bench.figures import (
    NoPlotsError,
    over_time_figure,
    throughput_figure,
    write_plots,
)
from multipaxos.bench.files import (
    NotReplaceableError,
    check_directory,
    loads_csv,
    over_time_csv,
    write_files,
)
from multipaxos.bench.machine import this_machine
from multipaxos.bench.plan import Load
from multipaxos.bench.table import (
    CLIENT_COLUMNS,
    COST_COLUMNS,
    SERVER_COLUMNS,
    client_rows,
    cost_rows,
    server_rows,
)


def test_the_table_says_what_clients_saw() -> None:
    """A row a load; three digits that count."""
    row = dict(zip(CLIENT_COLUMNS, client_rows([measurement(Load(clients=64))])[0], strict=True))

    assert row["clients"] == "64"
    assert row["requests/s"] == "20"
    assert row["p50 ms"] == "1.00"
    assert row["max ms"] == "2.00"
    assert row["errors"] == "0"


def test_the_table_says_what_servers_took() -> None:
    """The master comes first; what is not known is a dash."""
    [row] = server_rows([measurement(servers=5)])
    found = dict(zip(SERVER_COLUMNS, row, strict=True))

    assert found["servers"] == "5"
    assert found["CPU %"] == "50 25 25 25 25"
    assert found["MB"] == "2 2 2 2 2"
    assert found["messages/write"] == "-"


def test_costs_are_compared_with_the_smallest_cluster() -> None:
    """Under the same load; what ran on one size only, or reads, is left out."""
    alone, reading = Load(clients=9), Load(reads=1.0)
    measurements = [
        measurement(servers=5),
        measurement(servers=3),
        measurement(alone, servers=3),
        measurement(reading, servers=3),
        measurement(reading, servers=5),
    ]

    rows = cost_rows(measurements)

    assert [dict(zip(COST_COLUMNS[:4], row, strict=False))["servers"] for row in rows] == ["5", "3"]
    assert [row[-1] for row in rows] == ["1.50", "1.00"]


def test_csv_has_a_line_for_each_load() -> None:
    """And one for each tenth of a second, with the same first columns."""
    measurements = [measurement(), measurement(Load(clients=2, pipeline=16))]

    loads = list(csv.DictReader(io.StringIO(loads_csv(measurements))))
    slices = list(csv.DictReader(io.StringIO(over_time_csv(measurements))))

    assert [line["pipeline"] for line in loads] == ["1", "16"]
    assert float(loads[0]["requests_per_second"]) == pytest.approx(20)
    assert float(loads[0]["cpu_of_all"]) == pytest.approx(1.0)
    assert loads[0]["counted"] == loads[0]["gap_seconds"] == ""
    assert [line["second"] for line in slices] == ["0.0", "0.1"] * 2
    assert [line["clients"] for line in slices] == ["1", "1", "2", "2"]


def test_json_has_everything(tmp_path: Path) -> None:
    """With the machine, without which figures say nothing."""
    check_directory(tmp_path / "new")

    write_files(
        tmp_path / "new",
        [measurement()],
        machine=this_machine(tmp_path),
        options={"value_bytes": 64},
    )

    document: dict[str, Any] = msgspec.json.decode((tmp_path / "new/results.json").read_bytes())
    assert document["kind"] == "multipaxos bench"
    assert document["options"] == {"value_bytes": 64}
    assert document["machine"]["processors"] >= 1
    [one] = document["measurements"]
    assert one["load"] == {"clients": 1, "pipeline": 1, "reads": 0.0}
    assert len(one["slices"]) == 2
    check_directory(tmp_path / "new")


def test_only_earlier_results_are_replaced(tmp_path: Path) -> None:
    """What is somebody else's stays as it is."""
    path = tmp_path / "results.json"
    for text in ('{"kind": "holiday"}', "[]", "no JSON"):
        path.write_text(text, encoding="utf-8")

        with pytest.raises(NotReplaceableError, match="is left as it is"):
            check_directory(tmp_path)

        assert path.read_text(encoding="utf-8") == text


def test_throughput_is_plotted_against_latency() -> None:
    """A line for each cluster and pipeline, with ever more clients, however they were measured."""
    loads = [Load(clients=64), Load(clients=1), Load(clients=64, pipeline=16)]

    figure = throughput_figure([measurement(load) for load in loads])

    [axes] = figure.axes
    assert [len(line.get_xydata()) for line in axes.lines] == [2, 2, 1, 1]  # type: ignore[arg-type]
    assert [text.get_text() for text in axes.texts] == ["1", "64", "64"]


def test_a_failover_is_marked() -> None:
    """The plot over time shows when who was killed, and what came of it."""
    figure = over_time_figure([measurement(observed=observation(killed=("B", 0.11)))])
    plain = over_time_figure([measurement()])

    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]  # type: ignore[union-attr]
    usual = [text.get_text() for text in plain.axes[0].get_legend().get_texts()]  # type: ignore[union-attr]
    assert labels[len(usual) :] == ["B is killed", "0.07 s without an acknowledged write"]


def test_plots_are_written_in_all_formats(tmp_path: Path) -> None:
    """Those for which there are measurements, and the same each time."""
    failover = measurement(observed=observation(killed=("B", 0.11)))

    written = write_plots(tmp_path, [measurement(), failover])

    assert sorted(path.name for path in written) == [
        "failover.png", "failover.svg", "over-time.png", "over-time.svg",
        "throughput.png", "throughput.svg",
    ]  # fmt: skip
    assert all(path.stat().st_size > 1000 for path in written)
    assert [path.name for path in write_plots(tmp_path, [failover])] == [
        "failover.svg",
        "failover.png",
    ]


def test_without_matplotlib_a_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no dependency of the servers."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    with pytest.raises(NoPlotsError, match=r"pip install 'multipaxos\[bench\]'"):
        write_plots(tmp_path, [measurement()])

    assert list(tmp_path.iterdir()) == []
