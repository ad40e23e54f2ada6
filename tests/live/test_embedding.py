"""Servers inside a program: under asyncio, and under Twisted."""

import asyncio
import doctest
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from tests.live.cluster import SETTINGS
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher

from multipaxos import (
    Change,
    CommandError,
    RefusedError,
    ReplicatedValue,
    UnknownOutcomeError,
    connect_async,
)
from multipaxos.chain.requests import Chosen, Outcome, RequestID
from multipaxos.chain.settings import Settings
from multipaxos.cli.processes import loopback_servers, write_config
from multipaxos.client.calls import Call
from multipaxos.embedding import NotRunningError, replicated_value
from multipaxos.recipes import AsyncLock
from multipaxos.runtime.config import Config
from multipaxos.runtime.options import NotStartedError
from multipaxos.runtime.ports import StorageError
from multipaxos.runtime.server import GATHERED_MAX, Server

pytestmark = pytest.mark.live

WAIT_SECONDS_MAX = 15.0


def config(uids: str = "ABC") -> Config:
    """Return a cluster on free ports, with short times."""
    settings = Settings(**SETTINGS)  # type: ignore[arg-type]
    return Config(cluster="embedded", servers=loopback_servers(tuple(uids)), settings=settings)


def servers(directory: Path, uids: str = "ABC", **options: Any) -> list[ReplicatedValue]:
    """Return the servers of a cluster; nothing runs yet."""
    options = {"master": True, "timeout_seconds": WAIT_SECONDS_MAX, **options}
    common = config(uids)
    return [ReplicatedValue(uid, common, directory=directory, **options) for uid in uids]


@asynccontextmanager
async def running(*values: ReplicatedValue) -> AsyncIterator[None]:
    """Run the servers."""
    try:
        for value in values:
            await value.start()
        yield
    finally:
        for value in values:
            await value.stop()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for *condition*."""
    give_up_at = time.monotonic() + WAIT_SECONDS_MAX
    while not condition():
        assert time.monotonic() < give_up_at, "waited in vain"
        await asyncio.sleep(0.01)


def run(main: Awaitable[None]) -> None:
    """Run *main* under asyncio."""

    async def run_it() -> None:
        await main

    asyncio.run(run_it())


def test_three_servers_in_one_program_agree(tmp_path: Path) -> None:
    """Each takes what is asked, and each sees what the others set."""

    async def main() -> None:
        a, b, c = values = servers(tmp_path)
        async with running(*values):
            assert await a.set("hello")
            assert await b.get() == "hello"
            assert await c.compare_and_set("hello", "bye")
            assert not await a.compare_and_set("hello", "again")
            assert (await a.stale_get()).server == "A"
            results = await asyncio.gather(*(v.set(str(n)) for n in range(20) for v in values))
            assert results == [True] * 60
        assert not a.is_running

    run(main())


def test_what_is_asked_in_one_turn_shares_a_link(tmp_path: Path) -> None:
    """As many as go to the protocol at once; one that is asked alone waits for nobody."""

    async def main() -> None:
        (value,) = servers(tmp_path, "A")
        async with running(value):
            await value.set("alone")
            await asyncio.gather(*(value.set(str(n)) for n in range(GATHERED_MAX + 9)))
            assert value.server is not None
            links = json.loads(value.server.history(100))
        counts = [len(each["holds"]["updates"]) for each in links if "updates" in each["holds"]]
        assert counts == [1, GATHERED_MAX, 9]
        told = [
            update["command"][1] for each in links for update in each["holds"].get("updates", ())
        ]
        assert told == ["alone", *map(str, range(GATHERED_MAX + 9))]

    run(main())


def test_whoever_is_answered_may_ask_again_at_once(tmp_path: Path) -> None:
    """Callbacks of Twisted run within the answer, which may leave before a save; many may ask."""

    async def main() -> None:
        halted: list[str] = []
        values = servers(tmp_path, on_halt=halted.append)
        async with running(*values):
            await values[0].set("first")
            finished: list[int] = []

            def ask(server: Server, caller: int, number: int) -> None:
                def again(outcome: Outcome) -> None:
                    assert isinstance(outcome, Chosen), outcome
                    if number < 40:
                        ask(server, caller, number + 1)
                    else:
                        finished.append(caller)

                request_id = RequestID(f"caller-{server.uid}-{caller}", number)
                server.call(request_id, ("SET", str(number)), again)

            for value in values:
                assert value.server is not None
                for caller in range(2 * GATHERED_MAX):
                    ask(value.server, caller, 1)
            await until(lambda: bool(halted) or len(finished) == 6 * GATHERED_MAX)
            assert halted == []

    run(main())


def test_a_program_is_told_of_each_change_once_and_in_order(tmp_path: Path) -> None:
    """By on_change and by watch, whichever server was asked."""

    async def main() -> None:
        seen: list[Change] = []
        a, b, c = values = servers(tmp_path, state="dictionary", on_change=seen.append)
        async with running(*values):
            # Whoever joins late catches up, and cannot tell the changes before it was there.
            for value in values:
                await value.get("k")
            await a.set("k", "0")
            # Each server tells what it has learned itself; B may learn last.
            await until(lambda: len(seen) == 3)
            watch = b.watch("k")
            for number in range(1, 11):
                await c.increment("k")
                await a.set("other", str(number))
            watched = [(await watch.__anext__()).value for _ in range(10)]
            await watch.close()
            await until(lambda: len(seen) == 3 * 21)

        assert watched == [str(number) for number in range(1, 11)]
        assert [value async for value in watch] == []
        places = [(change.link, change.index) for change in seen]
        assert {places.count(place) for place in places} == {3}

    run(main())


def test_a_listener_that_fails_stops_nothing(tmp_path: Path) -> None:
    """Its fault is its own: it is logged, the next change is told, and the server goes on."""
    logged: list[LogEvent] = []
    observer = cast("ILogObserver", logged.append)

    async def main() -> None:
        seen: list[str] = []

        def listen(change: Change) -> None:
            seen.append(change.value)
            if change.value == "1":
                raise LookupError("the listener fails")

        (value,) = servers(tmp_path, "A", on_change=listen)
        async with running(value):
            for number in range(4):
                await value.set(str(number))
            await until(lambda: len(seen) == 4)
        assert seen == ["0", "1", "2", "3"]

    globalLogPublisher.addObserver(observer)
    try:
        run(main())
    finally:
        globalLogPublisher.removeObserver(observer)

    assert [str(event["log_failure"].value) for event in logged if "log_failure" in event] == [
        "the listener fails"
    ]


def test_clients_from_outside_are_served_too(tmp_path: Path) -> None:
    """An embedded server is a server like any other; its addresses are in the configuration."""

    async def main() -> None:
        values = servers(tmp_path)
        address = str(values[1].options.config.server("B").client)
        async with running(*values):
            await values[0].set("hello")
            async with connect_async(address, timeout_seconds=WAIT_SECONDS_MAX) as client:
                assert await client.get() == "hello"
                await client.set("from outside")
            assert await values[2].get() == "from outside"

    run(main())


def test_a_program_may_hold_a_lock(tmp_path: Path) -> None:
    """What works over the network works here."""

    async def main() -> None:
        values = servers(tmp_path, state="dictionary")
        async with running(*values):
            async with AsyncLock(values[0], key="lock") as token:
                assert token == 1
                assert not await AsyncLock(values[1], key="lock").acquire(timeout_seconds=0)
            async with AsyncLock(values[1], key="lock") as token:
                assert token == 2

    run(main())


def test_without_a_majority_the_outcome_is_unknown(tmp_path: Path) -> None:
    """Nobody is told that nothing happened: it may be done when the others are back."""

    async def main() -> None:
        a, b, c = values = servers(tmp_path, timeout_seconds=WAIT_SECONDS_MAX)
        async with running(*values):
            await a.set("x")
            await b.stop()
            await c.stop()
            a.timeout_seconds = 0.3
            with pytest.raises(UnknownOutcomeError, match=r"no answer in 0\.3 seconds"):
                await a.set("y")
            waiting = asyncio.ensure_future(a.set("z"))
            await asyncio.sleep(0)
            await a.stop()
            with pytest.raises(UnknownOutcomeError, match="the server stopped before the answer"):
                await waiting
            with pytest.raises(NotRunningError, match="server A does not run: it was stopped"):
                await a.get()
            for value in values:
                await value.start()
            a.timeout_seconds = WAIT_SECONDS_MAX
            assert await a.get() in ("x", "y", "z")

    run(main())


def test_a_disk_that_fails_stops_the_server_and_tells_the_program(tmp_path: Path) -> None:
    """Nothing is asked of it any more; the program goes on."""

    async def main() -> None:
        reasons: list[str] = []
        (value,) = servers(tmp_path, "A", on_halt=reasons.append)
        async with running(value):
            await value.set("x")
            assert value.server is not None
            storage: Any = value.server.driver.storage

            def fail(_: object) -> None:
                raise StorageError("the disk is full")

            storage.save = fail
            with pytest.raises(UnknownOutcomeError, match="the disk is full"):
                await value.set("y")
            await until(lambda: reasons == ["the disk is full"])
            with pytest.raises(NotRunningError, match="the disk is full"):
                await value.set("z")

    run(main())


def test_what_cannot_be_kept_is_refused_before_it_is_proposed(tmp_path: Path) -> None:
    """It would stop the server at its next save."""

    async def main() -> None:
        (value,) = servers(tmp_path, "A")
        async with running(value):
            for text, reason in (("\ud800", "lone surrogates"), ("x" * 2**21, "too large")):
                with pytest.raises(RefusedError, match=reason):
                    await value.set(text)
            with pytest.raises(CommandError, match="there is no command"):
                await value._call(Call((), str))  # noqa: SLF001 - no method of its sends none
            with pytest.raises(CommandError, match="unknown command"):
                await value.increment("k")
            assert await value.get() is None

    run(main())


# Twisted leaves the socket that it could not bind to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_cannot_be_started_is_said_in_a_sentence(tmp_path: Path) -> None:
    """A taken address, a second start, and an unknown state machine."""

    async def main() -> None:
        common = config("A")
        first = ReplicatedValue("A", common, directory=tmp_path / "1")
        second = ReplicatedValue("A", common, directory=tmp_path / "2")
        async with running(first):
            with pytest.raises(NotStartedError, match="cannot listen on"):
                await second.start()
            assert not second.is_running
            with pytest.raises(NotStartedError, match="runs already in this program"):
                await first.start()
        untraced = ReplicatedValue("A", common, directory=tmp_path / "1", trace=tmp_path)
        with pytest.raises(NotStartedError, match="cannot write the trace to"):
            await untraced.start()
        strange = ReplicatedValue("A", common, directory=tmp_path / "1", state="list")
        with pytest.raises(NotStartedError, match="there is no state machine 'list'"):
            await strange.start()
        await first.start()
        await first.stop()

    run(main())


UNDER_TWISTED = """
import sys
from twisted.internet.defer import Deferred
from twisted.internet.task import react
from multipaxos import ReplicatedValue

async def main(reactor):
    changes = []
    of_the_program = reactor.callLater(1000, print)
    a, b, c = (
        ReplicatedValue(
            uid, sys.argv[1], directory=sys.argv[2], on_change=changes.append, timeout_seconds=15
        )
        for uid in "ABC"
    )
    for value in (a, b, c):
        await value.start()
    watch = b.watch()
    await a.set("hello")
    print(await b.get(), (await watch.__anext__()).value, await c.compare_and_set("hello", "bye"))
    for value in (a, b, c):
        await value.stop()
    of_the_program.cancel()

react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
"""


def test_it_runs_under_twisted_as_well(tmp_path: Path) -> None:
    """The same methods, in coroutines that Twisted drives."""
    path = tmp_path / "cluster.toml"
    write_config(path, config(), SETTINGS)

    done = subprocess.run(
        [sys.executable, "-c", UNDER_TWISTED, str(path), str(tmp_path / "state")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.stdout, done.stderr) == ("hello hello True\n", "")


def test_the_example_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is run as it stands, on a cluster of one."""
    monkeypatch.chdir(tmp_path)
    write_config(tmp_path / "cluster.toml", config("A"), SETTINGS)

    failed, tried = doctest.testmod(replicated_value, extraglobs={"asyncio": asyncio})

    assert (failed, tried) == (0, 2)


def test_arguments_that_are_no_texts_are_a_mistake_of_the_program(tmp_path: Path) -> None:
    """They are told at once: a server that proposed them could not save them."""

    async def main() -> None:
        (value,) = servers(tmp_path, "A", state="dictionary")
        async with running(value):
            with pytest.raises(TypeError, match="made of texts"):
                await value.set("k", 5)  # type: ignore[call-overload]
            with pytest.raises(RefusedError, match="too large"):
                await value.set_many({"k": "v", "l": "x" * 2**21})
            await value.set("k", "v")
            assert value.is_running

    run(main())


def test_a_fault_in_the_program_stops_the_server_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it would do from then on could not be relied upon; nobody waits in vain."""

    async def main() -> None:
        reasons: list[str] = []
        (value,) = servers(tmp_path, "A", on_halt=reasons.append)
        async with running(value):
            assert value.server is not None
            monkeypatch.setattr(value.server.driver.replica, "take_outbox", lambda: 1 / 0)
            with pytest.raises(UnknownOutcomeError, match="met a fault in its own program"):
                await value.set("x")
            await until(lambda: bool(reasons))
            with pytest.raises(NotRunningError, match="met a fault in its own program"):
                await value.get()

    run(main())


def test_a_watch_that_is_closed_wakes_who_waits(tmp_path: Path) -> None:
    """By another task, too."""

    async def main() -> None:
        (value,) = servers(tmp_path, "A")
        async with running(value):
            watch = value.watch()
            waiting = asyncio.ensure_future(anext(watch, None))
            await asyncio.sleep(0)
            await watch.close()
            assert await asyncio.wait_for(waiting, WAIT_SECONDS_MAX) is None

    run(main())


def test_loops_that_are_closed_leave_no_descriptors(tmp_path: Path) -> None:
    """A program may run asyncio again and again."""

    async def main() -> None:
        (value,) = servers(tmp_path, "A")
        async with running(value):
            await value.set("x")

    run(main())
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        run(main())

    assert len(list(Path("/proc/self/fd").iterdir())) <= before
