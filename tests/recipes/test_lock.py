"""The replicated lock: one holder at a time, under faults of the servers and of the holders."""

import asyncio
import doctest
import time
from collections.abc import Generator
from random import Random
from typing import Any

import pytest
from tests.recipes.candidate import TERMS, Candidate, Guarded

from multipaxos.client.errors import UnknownOutcomeError
from multipaxos.composition import strategy_names
from multipaxos.recipes import AsyncLock, Lock, LockLostError, lock, lock_rules
from multipaxos.recipes.lock_rules import (
    CompareAndSet,
    Grant,
    LockRecord,
    Look,
    Read,
    Sleep,
    parse_record,
)
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.network import Weather

HELD = LockRecord(token=3, owner="me")
OTHERS = LockRecord(token=5, owner="another")
NO_TOKEN = '{"token": "x", "owner": null, "renewals": 0}'

# ----------------------------------------------------------------------------------- in the cluster


def play(seed: int, *, sleeps: float = 0.0) -> tuple[list[Candidate], Guarded, float]:
    """Let three candidates compete for a minute of faults; return how long two trusted at once."""
    cluster = SimulatedCluster(
        seed=seed,
        strategies=strategy_names(master=True),
        founded=True,
        weather=Weather(loss=0.05, duplication=0.05),
        traced=False,
    )
    guarded = Guarded()
    candidates = [
        Candidate(cluster, name, guarded, rate=rate, sleeps=sleeps if name == "sleepy" else 0.0)
        for name, rate in (("fast", 1.018), ("slow", 0.982), ("sleepy", 1.0))
    ]
    cluster.start()
    for candidate in candidates:
        candidate.start()
    rng = Random(seed)
    both = 0.0
    for _ in range(20):
        trouble(cluster, rng)
        for _ in range(300):
            cluster.run_for(0.01)
            both += 0.01 * (sum(candidate.trusts for candidate in candidates) > 1)
    return candidates, guarded, both


def trouble(cluster: SimulatedCluster, rng: Random) -> None:
    """End the last trouble, and make another: a crash, a pause, a partition, or none."""
    for uid in cluster.uids:
        cluster.resume(uid)
        if cluster.servers[uid].driver is None:
            cluster.restart(uid)
    cluster.heal()
    uid, other = rng.sample(cluster.uids, 2)
    match rng.randrange(4):
        case 0:
            cluster.crash(uid)
        case 1:
            cluster.pause(uid)
        case 2:
            cluster.block(uid, other)


@pytest.mark.parametrize("seed", range(6))
def test_no_two_trust_the_lock_at_once(seed: int) -> None:
    """Whatever befalls servers and messages, with clocks of different rates; and work goes on."""
    candidates, guarded, both = play(seed)

    assert both == 0.0
    assert guarded.refused == []
    assert guarded.tokens == sorted(guarded.tokens)
    assert all(candidate.grants > 0 for candidate in candidates)
    assert sum(candidate.grants for candidate in candidates) > 9


def test_who_slept_through_its_time_is_kept_out_by_its_token() -> None:
    """It wakes, believes nothing new, and works: what is guarded has seen a higher token."""
    refused = 0
    for seed in (0, 1, 2):
        candidates, guarded, both = play(seed, sleeps=2.5 * TERMS.lease_seconds)
        assert both == 0.0
        assert guarded.tokens == sorted(guarded.tokens)
        assert candidates[2].grants > 0
        refused += len(guarded.refused)

    assert refused > 0


# --------------------------------------------------------------------------------- rule by rule


def follow(
    rule: Generator[Any, Any, Grant | None], *answers: object
) -> tuple[object, list[object]]:
    """Answer the wishes of *rule* one by one; return what it wishes next, or its result."""
    wishes: list[object] = []
    try:
        wish = next(rule)
        for answer in answers:
            wishes.append(wish)
            wish = rule.throw(answer) if isinstance(answer, Exception) else rule.send(answer)
    except StopIteration as end:
        return end.value, wishes
    return wish, wishes


def test_a_free_lock_is_taken_under_the_next_token() -> None:
    """The token counts on, also after a release; the lease counts from before the question."""
    rule = lock_rules.acquire("me", TERMS, give_up_at=99.0)

    grant, wishes = follow(rule, 10.0, LockRecord(token=2).text, 11.0, True, 11.5)

    assert grant == Grant(record=HELD, until=10.0 + TERMS.held_seconds)
    bid = CompareAndSet(LockRecord(token=2).text, HELD.text)
    assert wishes == [Look(), Read(), Look(), bid, Look()]


def test_a_held_lock_is_taken_over_after_a_lease_without_a_change() -> None:
    """Only the same text for a whole lease tells that its holder is gone."""
    rule = lock_rules.acquire("me", TERMS, give_up_at=99.0)
    renewed = LockRecord(token=5, owner="another", renewals=1)

    looks = [
        *(9.0, OTHERS.text, 10.0, None),
        *(11.0, renewed.text, 12.9, None),
        *(15.0, renewed.text, 15.8, None),
        *(15.8, renewed.text, 15.9),
    ]

    wish, wishes = follow(rule, *looks)

    assert sum(isinstance(wish, Sleep) for wish in wishes) == 3
    assert wish == CompareAndSet(renewed.text, LockRecord(token=6, owner="me").text)


def test_whose_time_is_up_gives_up() -> None:
    """It does not wait for ever unless it is told to."""
    rule = lock_rules.acquire("me", TERMS, give_up_at=10.0)

    assert follow(rule, 9.0, OTHERS.text, 10.0)[0] is None


def test_a_lost_answer_is_found_out_by_reading() -> None:
    """The lock may have been granted; then the lease counts from when it was asked for."""
    rule = lock_rules.acquire("me", TERMS, give_up_at=99.0)
    lost = UnknownOutcomeError("nobody answered")

    grant, _ = follow(rule, 10.0, LockRecord(token=2).text, 10.1, lost, 11.0, HELD.text, 12.0, 12.0)

    assert grant == Grant(record=HELD, until=10.0 + TERMS.held_seconds)


def test_what_seemed_lost_may_be_done_while_the_text_is_read() -> None:
    """Others may have seen the grant since then: the lease counts from before the reading."""
    rule = lock_rules.acquire("me", TERMS, give_up_at=99.0)
    free, lost = LockRecord(token=2).text, UnknownOutcomeError("nobody answered")

    grant, _ = follow(
        rule, *(10.0, free, 10.1, lost), *(12.0, free, 14.0, False), *(14.1, HELD.text, 14.2, 14.3)
    )

    assert grant == Grant(record=HELD, until=12.0 + TERMS.held_seconds)


def test_a_renewal_keeps_the_token() -> None:
    """It changes the text, so that those who wait go on waiting."""
    renewed = LockRecord(token=3, owner="me", renewals=1)

    grant, wishes = follow(lock_rules.renew(HELD, TERMS), 20.0, True, 20.1)

    assert grant == Grant(record=renewed, until=20.0 + TERMS.held_seconds)
    assert wishes == [Look(), CompareAndSet(HELD.text, renewed.text), Look()]


def test_a_renewal_that_came_too_late_finds_another_holder() -> None:
    """Nothing is taken back from whoever has the lock now."""
    assert follow(lock_rules.renew(HELD, TERMS), 20.0, False, OTHERS.text)[0] is None


def test_a_renewal_whose_answer_was_lost_counts_only_once_another_is_known() -> None:
    """The others may have seen the text of the lost one since it was done, whenever that was."""
    renewed = LockRecord(token=3, owner="me", renewals=1)
    again = LockRecord(token=3, owner="me", renewals=2)
    lost = UnknownOutcomeError("nobody answered")

    grant, wishes = follow(
        lock_rules.renew(HELD, TERMS), *(20.0, lost, renewed.text), *(22.0, True, 22.1)
    )

    assert grant == Grant(record=again, until=22.0 + TERMS.held_seconds)
    assert CompareAndSet(renewed.text, again.text) in wishes


def test_a_renewal_does_not_take_an_earlier_one_for_its_own() -> None:
    """The first was done and told to nobody; whoever waits counts from there, not from now."""
    first = LockRecord(token=3, owner="me", renewals=1)

    wish, _ = follow(lock_rules.renew(HELD, TERMS), 29.0, False, first.text, 29.1)

    second = LockRecord(token=3, owner="me", renewals=2)
    assert wish == CompareAndSet(first.text, second.text)


def test_a_grant_whose_time_is_up_when_it_is_known_is_renewed_first() -> None:
    """Nobody works under a lock that is over already."""
    rule = lock_rules.acquire("me", TERMS, give_up_at=99.0)
    renewed = LockRecord(token=3, owner="me", renewals=1)

    grant, _ = follow(
        rule, *(10.0, LockRecord(token=2).text, 10.1, True), 19.0, *(19.1, True, 19.2)
    )

    assert grant == Grant(record=renewed, until=19.1 + TERMS.held_seconds)


def test_a_lock_that_is_always_late_is_given_up() -> None:
    """Where each answer takes longer than the lease, there is nothing to hold."""
    texts = [LockRecord(token=3, owner="me", renewals=n).text for n in range(9)]
    answers = [part for n in range(5) for part in (20.0 + 10 * n, True, 29.0 + 10 * n)]

    result, wishes = follow(lock_rules.renew(HELD, TERMS), *answers)

    assert result is None
    assert CompareAndSet(texts[4], texts[5]) in wishes


def test_whose_bids_fail_gives_up_in_time() -> None:
    """Also where others are always quicker."""
    rule = lock_rules.acquire("me", TERMS, give_up_at=10.0)

    assert follow(rule, 9.0, None, 10.0, False)[0] is None


@pytest.mark.parametrize(
    "text", ["hello", "7", "{}x", '{"token": 1, "colour": "red"}', "[1]", NO_TOKEN]
)
def test_another_text_is_no_lock(text: str) -> None:
    """A value that something else uses is never overwritten."""
    with pytest.raises(ValueError, match="this is no lock, something else is kept there"):
        parse_record(text)


# ---------------------------------------------------------------------- for threads and for asyncio


class Text:
    """A replicated value in memory, with the two methods that a lock needs."""

    def __init__(self) -> None:
        """Hold nothing."""
        self.texts: dict[tuple[str, ...], str] = {}

    def get(self, *key: str) -> str | None:
        """Return the text at *key*."""
        return self.texts.get(key)

    def compare_and_set(self, *arguments: Any) -> bool:
        """Set the text if it is as expected."""
        *key, expected, new = arguments
        if self.texts.get(tuple(key)) != expected:
            return False
        self.texts[tuple(key)] = new
        return True


class LaterText:
    """The same for asyncio."""

    def __init__(self) -> None:
        """Hold nothing."""
        self.text = Text()

    async def get(self, *key: str) -> str | None:
        """Return the text at *key*."""
        return self.text.get(*key)

    async def compare_and_set(self, *arguments: Any) -> bool:
        """Set the text if it is as expected."""
        return self.text.compare_and_set(*arguments)


def test_a_lock_is_held_renewed_and_released() -> None:
    """Its token is there as long as it is held, and the next one is higher."""
    text = Text()
    lock = Lock(text, key="printer")

    with lock as token:
        assert token == lock.token == 1
        assert 9.0 < lock.seconds_left <= 10.0
        lock.renew()
        assert lock.token == 1
    with pytest.raises(LockLostError, match="not held"):
        _ = lock.token
    assert lock.seconds_left == 0.0
    with Lock(text, key="printer") as token:
        assert token == 2


def test_a_lock_that_is_held_is_not_given_away() -> None:
    """Who has no more time is told so; whoever was pushed out is told when it renews."""
    text = Text()
    first, second = Lock(text), Lock(text, lease_seconds=0.001)

    assert first.acquire()
    assert not second.acquire(timeout_seconds=0.0)
    assert second.acquire()
    with pytest.raises(LockLostError, match="the lock was lost"):
        first.renew()


def test_an_async_lock_follows_the_same_rules() -> None:
    """With await instead of waiting."""

    async def hold() -> list[int]:
        text, tokens = LaterText(), []
        async with AsyncLock(text) as token:
            tokens.append(token)
        lock = AsyncLock(text, lease_seconds=0.001)
        assert await lock.acquire()
        tokens.append(lock.token)
        await lock.renew()
        assert await AsyncLock(text, lease_seconds=0.001).acquire()
        with pytest.raises(LockLostError):
            await lock.renew()
        return tokens

    assert asyncio.run(hold()) == [1, 2]


@pytest.mark.parametrize("lease_seconds", [0.0, -1.0, float("inf"), float("nan")])
def test_a_lease_has_a_length(lease_seconds: float) -> None:
    """Without an end, a lock whose holder died would be lost."""
    with pytest.raises(ValueError, match="lease_seconds must be above 0"):
        Lock(Text(), lease_seconds=lease_seconds)


def test_the_example_holds() -> None:
    """It is run as it stands, on a value in memory."""
    failed, tried = doctest.testmod(lock, extraglobs={"value": Text()})

    assert (failed, tried) == (0, 1)


def work_too_long(*, fails: bool) -> None:
    """Do something that takes longer than the lease, and may fail."""
    with Lock(Text(), lease_seconds=0.001) as token:
        time.sleep(0.002)
        if fails:
            raise KeyError(token)


def test_whoever_worked_too_long_is_told() -> None:
    """Somebody else may have had the lock meanwhile; another error is not hidden by that."""
    with pytest.raises(LockLostError, match="time was up before the work under it was done"):
        work_too_long(fails=False)
    with pytest.raises(KeyError):
        work_too_long(fails=True)
