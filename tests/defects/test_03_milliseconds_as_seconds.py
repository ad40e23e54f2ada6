"""Defect 3: milliseconds were passed where seconds were asked for."""

from dataclasses import fields
from pathlib import Path

import pytest
from tests.defects.support import WatchedCluster
from twisted.internet.task import Clock

from composable_paxos import Accept, Prepare, Promise
from multipaxos.chain.settings import Settings
from multipaxos.runtime.clock import BootTimeClock
from multipaxos.runtime.config import ConfigError, load_config


def test_a_lost_accept_is_repeated_after_a_second() -> None:
    """The ancestor meant to repeat it each second, and repeated it after 1000."""
    cluster = WatchedCluster(manual=True)
    cluster.start()
    cluster.ask("A", "x")
    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)
    cluster.drop_all()
    first = len(cluster.sent(Accept, by="A"))

    cluster.run_for(Settings().retransmit_seconds - 0.01)
    before = len(cluster.sent(Accept, by="A"))
    cluster.run_for(0.02)

    assert before == first
    assert len(cluster.sent(Accept, by="A")) == 2 * first
    cluster.deliver("A->B", Accept)
    assert 1 in cluster.invariants.chosen


def test_the_real_clock_takes_seconds() -> None:
    """What the driver asks of the clock in seconds, the clock asks of the reactor in seconds."""
    reactor = Clock()
    fired: list[float] = []
    clock = BootTimeClock(reactor, seconds=reactor.seconds)

    clock.call_later(1.0, lambda: fired.append(clock.seconds()))
    reactor.advance(0.9)
    before = list(fired)
    reactor.advance(0.1)

    assert before == []
    assert fired == [1.0]


def test_every_time_setting_names_its_unit() -> None:
    """A setting that is a time says so: ``_seconds``. None counts in anything else."""
    times = [field.name for field in fields(Settings) if field.type is float]

    assert [name for name in times if "_seconds" not in name] == ["clock_rate_error"]


def test_a_time_that_can_only_be_milliseconds_is_refused(tmp_path: Path) -> None:
    """Whoever writes 10000 for a lease of ten seconds is told which key is wrong, and how."""
    path = tmp_path / "cluster.toml"
    path.write_text(
        'cluster = "main"\n'
        '[servers.A]\npeer = "127.0.0.1:7101"\nclient = "127.0.0.1:7001"\n'
        "[settings]\nlease_seconds = 10000\n"
    )

    with pytest.raises(ConfigError, match=r"settings\.lease_seconds must be .* at most 3600"):
        load_config(path)
