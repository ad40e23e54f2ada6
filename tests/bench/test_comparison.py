"""What the comparison with other systems makes of its measurements."""

from dataclasses import replace

import pytest
from benchmarks.rivals.cases import (
    BIG,
    ETCD,
    MANY,
    MOST,
    ONE,
    OURS,
    PIPED,
    PYSYNCOBJ,
    SHARED,
    SOME,
    Case,
)
from benchmarks.rivals.findings import Cost, Findings, Verdict, shortfalls, verdicts
from tests.bench.examples import measurement


def add(findings: Findings, system: str, case: Case, *speeds: float) -> None:
    """Let *system* have done so many requests a second, each in one repetition."""
    for speed in speeds:
        one = replace(measurement(case.load), requests_per_second=speed)
        findings.add(system, case, one)


def verdict_on(findings: Findings, load: str, against: str = "etcd's") -> Verdict:
    """Return the verdict on *load*."""
    [one] = [v for v in verdicts(findings) if (v.load, v.against) == (load, against)]
    return one


def test_the_median_of_the_repetitions_counts() -> None:
    """One repetition that was disturbed changes nothing."""
    findings = Findings()
    add(findings, OURS, MANY, 310, 1, 330)
    add(findings, ETCD, MANY, 100, 100, 900)

    verdict = verdict_on(findings, "256 clients, writes/s")

    assert (verdict.found, verdict.holds) == ("3.10 times", True)


def test_pipelines_stand_against_the_best_of_etcd() -> None:
    """At whichever number of clients that is."""
    findings = Findings()
    add(findings, OURS, PIPED, 2_300)
    for case, speed in ((ONE, 10), (SOME, 200), (MANY, 150)):
        add(findings, ETCD, case, speed)
    for case, speed in ((SOME, 200), (MANY, 210), (MOST, 230)):
        add(findings, SHARED, case, speed)

    load = "64 clients, pipeline of 16, writes/s"
    verdict = verdict_on(findings, load, "etcd's best at any client count")

    assert (verdict.found, verdict.holds) == ("11.50 times", False)
    assert any(load in sentence and "11.50" in sentence for sentence in shortfalls([verdict]))
    shared = verdict_on(findings, load, "etcd's, callers sharing connections, its best")
    assert shared.found == "10.00 times"
    assert shortfalls([shared]) == []


def test_callers_that_share_connections_stand_beside_for_comparison() -> None:
    """They are no clients of their own: nothing is wanted of ours against them."""
    findings = Findings()
    add(findings, OURS, MANY, 300)
    add(findings, SHARED, MANY, 200)
    add(findings, ETCD, MANY, 100)

    beside = verdict_on(findings, "256 clients, writes/s", "etcd's, callers sharing connections")

    assert (beside.found, beside.holds, beside.word) == ("1.50 times", None, "for comparison")
    assert verdict_on(findings, "256 clients, writes/s", "etcd's").found == "3.00 times"


def test_latencies_and_times_must_be_low() -> None:
    """A failover may take as long as that of etcd, and no longer."""
    findings = Findings(gaps={OURS: [1.2, 1.1, 9.0], ETCD: [1.2]}, memory={OURS: 3, ETCD: 2})
    add(findings, OURS, ONE, 1)
    add(findings, ETCD, ONE, 1)

    gap = "time without acknowledged writes after kill -9 of the master"
    assert verdict_on(findings, gap).holds is True
    assert verdict_on(findings, "1 client, write p50").found == "1.00 of its latency"
    assert verdict_on(findings, "1 client, write p50").holds is False
    memory = "memory of a server after many writes to 1,000 keys"
    assert verdict_on(findings, memory).holds is False


def test_large_values_must_work() -> None:
    """What failed is no missing measurement."""
    findings = Findings(failed={(OURS, BIG.name)})
    add(findings, ETCD, BIG, 20)

    verdict = verdict_on(findings, "1 client, values of 1 MiB, writes/s")

    assert (verdict.word, verdict.found) == ("falls short", "they do not work")


@pytest.mark.parametrize("cpu, word", [(2.9e-6, "holds"), (3.1e-6, "falls short")])
def test_costs_may_grow_as_messages_do(cpu: float, word: str) -> None:
    """Three times the messages may cost three times as much."""
    findings = Findings(costs={3: [Cost(1e-6, 2.0)], 5: [Cost(cpu, 6.0)]})

    verdict = verdict_on(findings, "cost of a write at 5 servers against 3", "")

    assert verdict.word == word
    assert verdict.wanted == "at most 3.00 times, as the messages"


def test_what_was_not_measured_is_no_success() -> None:
    """It is told as that."""
    words = {verdict.word for verdict in verdicts(Findings())}

    assert words == {"not measured"}
    assert len(shortfalls(verdicts(Findings()))) == len(verdicts(Findings()))


def test_what_has_no_target_is_told_all_the_same() -> None:
    """PySyncObj with all that helps it stands there for comparison."""
    findings = Findings()
    add(findings, OURS, MANY, 200)
    add(findings, PYSYNCOBJ, MOST, 100)

    verdict = verdict_on(
        findings, "256 clients, writes/s", "PySyncObj's best, with any options and callers"
    )

    assert (verdict.word, verdict.found) == ("for comparison", "2.00 times")
    assert shortfalls([verdict]) == []
