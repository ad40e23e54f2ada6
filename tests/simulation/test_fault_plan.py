"""The chances of a run: drawn from its seed by level, printable, switched off part by part."""

from pathlib import Path

import pytest

from multipaxos.simulation.fault_plan import (
    LEVELS,
    PARTS,
    FaultKind,
    FaultPlan,
    Gone,
    draw_fault_plan,
)
from multipaxos.simulation.faults import draw_faults
from multipaxos.simulation.weather import CALM, NONE, DelayLaw

SEEDS = range(200)


def test_without_chance_every_message_takes_the_same_time() -> None:
    """Level none: nothing is drawn."""
    assert draw_fault_plan(1, "none") == FaultPlan(weather=NONE)
    assert NONE.delay_seconds_min == NONE.delay_seconds_max


def test_calm_is_chance_without_faults() -> None:
    """Only the small delays are drawn."""
    assert draw_fault_plan(1, "calm") == FaultPlan(weather=CALM)
    assert (CALM.loss, CALM.duplication, CALM.detour) == (0, 0, 0)


@pytest.mark.parametrize("level", ["rough", "cruel"])
def test_every_fault_is_drawn_by_some_seeds_and_not_by_others(level: str) -> None:
    """So that runs differ in kind; cruel ones have more of everything."""
    plans = [draw_fault_plan(seed, level) for seed in SEEDS]

    for kind in FaultKind:
        assert 0 < sum(kind in plan.chances for plan in plans) < len(plans)
    for part in ("loss", "duplication", "detour"):
        assert 0 < sum(getattr(plan.weather, part) > 0 for plan in plans) < len(plans)
    assert {plan.weather.law for plan in plans} == set(DelayLaw)
    assert {plan.gone for plan in plans} == set(Gone)


def test_cruel_is_worse_than_rough() -> None:
    """On the average over many seeds."""

    def sum_of_chances(level: str) -> float:
        return sum(sum(draw_fault_plan(seed, level).chances.values()) for seed in SEEDS)

    assert sum_of_chances("cruel") > 2 * sum_of_chances("rough")


@pytest.mark.parametrize("level", LEVELS)
def test_a_plan_is_told_in_words_before_the_run(level: str) -> None:
    """Whatever can happen is in them, with the chance that is used."""
    plan = draw_fault_plan(7, level)

    words = "\n".join(plan.describe())

    assert "delays: " in words
    for kind, chance in plan.chances.items():
        assert f"{kind} {chance:.1%}" in words
    if plan.weather.loss:
        assert f"{plan.weather.loss:.1%} lost" in words


def test_what_is_printed_is_what_happens() -> None:
    """A chance has no more digits than are shown."""
    for seed in SEEDS:
        for chance in draw_fault_plan(seed, "cruel").chances.values():
            assert chance == round(chance, 3)


def test_all_parts_switched_off_leave_calm_weather() -> None:
    """Each part on its own changes nothing else."""
    plan = next(
        plan
        for plan in (draw_fault_plan(seed, "cruel") for seed in SEEDS)
        if plan.weather.loss and plan.weather.detour and plan.gone is Gone.DEAD
    )
    off = plan.without(*PARTS)

    assert (off.weather.loss, off.weather.duplication, off.weather.detour) == (0, 0, 0)
    assert off.weather.law is DelayLaw.UNIFORM
    assert (off.clock_error, off.gone) == (0.0, Gone.NOBODY)
    assert off.chances == plan.chances
    assert plan.without("loss").weather.detour == plan.weather.detour


def test_a_schedule_is_drawn_before_the_run_and_a_longer_one_begins_alike() -> None:
    """Numbers stay what they are when a run is shortened."""
    plan = draw_fault_plan(3, "cruel")

    long, short = draw_faults(3, plan, 60.0), draw_faults(3, plan, 20.5)

    assert short == long[: len(short)]
    assert [fault.number for fault in long] == list(range(1, len(long) + 1))
    assert all(fault.at < 20.5 for fault in short)
    assert [fault.at for fault in long] == sorted(fault.at for fault in long)


def test_the_kinds_of_faults_are_drawn_apart() -> None:
    """Without one kind, all others happen as before."""
    plan = FaultPlan(chances=dict.fromkeys(FaultKind, 0.2))
    fewer = FaultPlan(chances=dict.fromkeys([FaultKind.CRASH, FaultKind.PAUSE], 0.2))

    times = {(fault.kind, fault.at) for fault in draw_faults(1, plan, 60.0)}

    drawn = draw_faults(1, fewer, 60.0)
    assert len(drawn) > 10
    assert {(fault.kind, fault.at) for fault in drawn} <= times


def test_chances_are_per_second() -> None:
    """One in ten, over a thousand seconds."""
    plan = FaultPlan(chances={FaultKind.CRASH: 0.1})

    assert 70 < len(draw_faults(1, plan, 1000.0)) < 130


@pytest.mark.parametrize("servers", range(1, 10))
def test_a_fault_fits_clusters_of_every_size(servers: int) -> None:
    """It names servers that exist, two different ones where it needs two, and can be told."""
    uids = tuple("ABCDEFGHI"[:servers])
    met = set()
    for fault in draw_faults(1, FaultPlan(chances=dict.fromkeys(FaultKind, 0.5)), 100.0):
        met.add(fault.server(uids))
        assert fault.server(uids) in fault.group(uids)
        assert fault.describe(uids)
        if servers > 1:
            assert fault.other(uids) != fault.server(uids)
        if servers > 2:
            left, right = fault.sides(uids)
            assert left
            assert right
            assert {*left, *right, fault.server(uids)} == set(uids)
            assert len(left) + len(right) == servers - 1
    assert met == set(uids)


def test_the_reference_has_every_level_and_every_fault_with_its_chance() -> None:
    """A person reads there what the words of a plan mean."""
    page = Path(__file__).parents[2] / "docs/reference/simulation.md"
    rows = [
        [cell.strip(" `%") for cell in line.split("|")[1:-1]]
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]

    described = {row[0]: row[1] for row in rows}

    assert set(LEVELS) <= set(described)
    for kind in FaultKind:
        highest = max(draw_fault_plan(seed, "rough").chances.get(kind, 0.0) for seed in SEEDS)
        assert float(described[kind]) / 100 * 0.9 < highest <= float(described[kind]) / 100
