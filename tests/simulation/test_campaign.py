"""Campaigns: which runs they are made of, what is counted, and what must happen sometimes."""

import pickle
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from composable_paxos import PeerID, ProposalID
from multipaxos.simulation.campaign import (
    COMBINATIONS,
    DEMANDING_RUNS_MIN,
    RATES,
    CampaignPlan,
    Combination,
    RunReport,
    Tally,
    in_order,
    play,
)
from multipaxos.simulation.disk import Disk, SimulatedDisk
from multipaxos.simulation.fault_plan import LEVELS
from multipaxos.simulation.plan import RunPlan
from multipaxos.simulation.random_run import RandomRun
from multipaxos.simulation.statistics import (
    MEANINGS,
    Counting,
    Sometimes,
    Statistics,
    is_duel,
)

SHORT = RunPlan(seed=0, seconds=3)


def disks_of(_plan: RunPlan) -> Callable[[PeerID], Disk]:
    """Return what makes disks for any plan: simulated ones."""
    return lambda _uid: SimulatedDisk()


def play_all(plan: CampaignPlan) -> list[RunReport]:
    """Return the reports of all runs of *plan*."""
    return [play(run, disks_of=disks_of) for run in plan.all_runs()]


def test_a_campaign_goes_through_all_levels_and_combinations() -> None:
    """One round of a campaign has each level of faults with each combination of strategies."""
    plan = CampaignPlan(seed=1, runs=2 * len(LEVELS) * len(COMBINATIONS))

    runs = list(plan.all_runs())

    pairs = Counter((run.plan.faults, run.combination) for run in runs)
    assert set(pairs.values()) == {2}
    assert len(pairs) == len(LEVELS) * len(COMBINATIONS)
    assert Counter(run.plan.founded for run in runs) == {False: len(pairs), True: len(pairs)}
    assert {run.plan.rate for run in runs} == set(RATES)
    assert len({run.plan.seed for run in runs}) == len(runs)
    assert all(run.plan.demands_progress for run in runs)


def test_the_same_seed_gives_the_same_runs_and_another_gives_others() -> None:
    """A run depends on the campaign's seed and its own number only, not on how many there are."""
    few, many = (list(CampaignPlan(seed=7, runs=runs).all_runs()) for runs in (10, 50))

    assert many[:10] == few
    assert CampaignPlan(seed=8, runs=10).run(3).plan.seed != few[3].plan.seed


def test_what_is_settled_is_the_same_in_all_runs() -> None:
    """The pattern's seconds, storage and clients hold in every run."""
    pattern = RunPlan(seed=0, seconds=5, clients=2, founded=True)

    runs = CampaignPlan(seed=1, runs=30, levels=("calm",), rates=(2.0,), pattern=pattern).all_runs()

    for run in runs:
        plan = run.plan
        assert (plan.seconds, plan.clients, plan.founded) == (5, 2, True)
        assert (plan.faults, plan.rate) == ("calm", 2.0)


def test_reports_are_taken_in_order_however_they_come() -> None:
    """Of two violations the one with the lower number is told, whichever process was faster."""
    reports = play_all(CampaignPlan(seed=1, runs=6, pattern=SHORT))
    mixed = [reports[number] for number in (2, 0, 1, 5, 4, 3)]

    assert list(in_order(mixed)) == reports
    assert list(in_order(mixed[:1])) == []


def test_the_sums_are_those_of_the_runs() -> None:
    """Each run is counted once in the total, once at its level, once with its combination."""
    reports = play_all(CampaignPlan(seed=2, runs=28, pattern=SHORT))
    tally = Tally()

    for report in reports:
        tally.add(report)

    assert tally.total.runs == 28
    assert tally.total.delivered == sum(report.statistics.delivered for report in reports) > 0
    for sums in (tally.by_level, tally.by_combination):
        assert sum(each.runs for each in sums.values()) == 28
        assert sum(each.links for each in sums.values()) == tally.total.links
    assert set(tally.by_level) == set(LEVELS)
    assert set(tally.by_combination) == {each.name for each in COMBINATIONS}


def test_combinations_have_names_of_their_own() -> None:
    """A line of the table stands for one combination."""
    assert len({each.name for each in COMBINATIONS}) == len(COMBINATIONS)
    assert Combination(master=True, without=("reads",)).name == "master, 3, no reads"


@pytest.mark.parametrize("master", [False, True], ids=["plain", "master"])
def test_statistics_say_what_the_trace_says(master: bool) -> None:
    """What is counted without a trace is what a trace of the same run shows."""
    counting = Counting()
    plan = RunPlan(seed=11, faults="cruel", master=master, rate=2.0, traced=True)
    run = RandomRun(plan, observers=(counting,))

    result = run.play()

    counted = counting.result(run.cluster.invariants.chosen, result)
    events = run.cluster.trace.events
    kinds = Counter(event.kind for event in events)
    assert counted.sent == kinds["sent"] > 100
    assert counted.delivered == kinds["delivered"] > 100
    assert counted.dropped == kinds["dropped"] > 0
    assert counted.duplicated == kinds["duplicated"]
    assert counted.takeovers == kinds["takeover"]
    assert counted.catch_ups == kinds["caught up"] > 0
    assert counted.lease_losses == kinds["lease ended"]
    assert counted.forwarded_requests == kinds["forwarded"]
    assert counted.links == kinds["chosen"]
    refused = [event.fields["message"] for event in events if event.kind == "refused"]
    assert counted.refused_accepts == sum(
        isinstance(message, dict) and message["type"] == "Accept" for message in refused
    )
    assert (counted.lease_losses > 0) == (counted.forwarded_requests > 0) == master
    assert 0 < counted.wasted_rounds < counted.rounds
    conditions = [
        event for event in events if event.kind == "returned" and event.fields["result"] is False
    ]
    assert counted.failed_conditions == len(conditions) > 0
    assert counted.requests_answered_elsewhere > 0
    assert (counted.local_reads > 0) == master


def test_counting_does_not_change_a_run() -> None:
    """A run that is counted is the same, to the last byte of its trace, as one that is not."""
    plan = RunPlan(seed=5, faults="rough", seconds=20, traced=True)
    counted, alone = RandomRun(plan, observers=(Counting(),)), RandomRun(plan)

    counted.play()
    alone.play()

    assert counted.cluster.trace.digest() == alone.cluster.trace.digest()


def test_a_link_taken_as_given_is_not_counted() -> None:
    """A run that begins with a founded chain has not decided link 0."""
    counting = Counting()
    run = RandomRun(replace(SHORT, founded=True, rate=0.001), observers=(counting,))

    result = run.play()

    assert counting.result(run.cluster.invariants.chosen, result).links == 0


def test_a_duel_is_to_outbid_each_other_in_turn() -> None:
    """Two proposals in one link are no duel; a third one by whoever was outbid makes one."""
    first, second = ProposalID(2, "A"), ProposalID(3, "B")

    def duel(*rounds: ProposalID) -> bool:
        return is_duel(dict.fromkeys(rounds))

    assert not duel()
    assert not duel(first)
    assert not duel(first, ProposalID(3, "A"))
    assert not duel(first, second)
    assert not duel(first, second, ProposalID(4, "B"))
    assert duel(first, second, ProposalID(4, "A"))
    assert duel(ProposalID(4, "A"), second, first)


def test_everything_happens_sometimes() -> None:
    """In idle and busy clusters under many faults nothing that must happen is missing."""
    plan = CampaignPlan(seed=1, runs=126, levels=("cruel",), rates=(0.1, 0.1, 2.0))
    reports = play_all(plan)

    total = sum((report.statistics for report in reports), start=Statistics())

    assert not any(report.failed for report in reports)
    assert total.missing == ()
    assert total.crashes > 100
    assert total.partitions > 100


def test_what_must_happen_depends_on_what_is_tried() -> None:
    """Nothing is demanded of few runs, of runs without faults, or of runs with a bug."""
    large = CampaignPlan(seed=1, runs=DEMANDING_RUNS_MIN)
    plain = (Combination(), Combination(servers=5))

    assert large.demanded == tuple(Sometimes)
    assert replace(large, runs=DEMANDING_RUNS_MIN - 1).demanded == ()
    assert replace(large, levels=("none", "calm")).demanded == ()
    assert replace(large, combinations=(Combination(servers=2),)).demanded == ()
    assert replace(large, pattern=replace(SHORT, bug="own-value")).demanded == ()
    without_masters = replace(large, combinations=plain).demanded
    assert set(Sometimes) - set(without_masters) == {
        Sometimes.LEASE_LOSS,
        Sometimes.FORWARDED,
        Sometimes.LOCAL_READ,
    }
    of_bids = replace(large, pattern=replace(SHORT, state="tests.simulation.machines:Bids"))
    assert set(Sometimes) - set(of_bids.demanded) == {Sometimes.FAILED_CONDITION}


def test_nothing_at_all_is_missing_everything() -> None:
    """Statistics of no run lack all that must happen; each of it is explained."""
    assert Statistics().missing == tuple(Sometimes)
    assert set(MEANINGS) == set(Sometimes)


def test_a_violation_is_reported_and_can_be_sent() -> None:
    """What breaks in another process arrives here with its name, link and explanation."""
    plan = CampaignPlan(seed=1, runs=1, pattern=RunPlan(seed=0, bug="saved-after-sent"))

    (report,) = play_all(plan)
    received: RunReport = pickle.loads(pickle.dumps(report))  # noqa: S301 - our own, just made

    assert report.failed
    assert received.violation is not None
    assert str(received.violation) == str(report.violation)
    assert received.violation.name == "I8 SavedBeforeSent"
    assert received.run == report.run
    assert received.statistics.runs == 1


def test_a_fault_of_the_program_is_reported_with_its_run() -> None:
    """An exception that is no violation ends its run, and its traceback is told."""

    def broken_disks(_plan: RunPlan) -> Callable[[PeerID], Disk]:
        def make(_uid: PeerID) -> Disk:
            disk = SimulatedDisk()
            disk.write = None  # type: ignore[method-assign,assignment]
            return disk

        return make

    run = CampaignPlan(seed=1, runs=1, pattern=SHORT).run(0)

    report = play(run, disks_of=broken_disks)

    assert report.failed
    assert report.violation is None
    assert report.fault is not None
    assert "TypeError" in report.fault
    assert f"--seed {run.plan.seed}" in str(run)
