"""The SQLite storage saves links, not states: what it loads is what they lead to."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from immutables import Map
from tests.runtime.saves import (
    MACHINE,
    accepting,
    after,
    first,
    put,
    reloaded,
    rows,
    saved,
    storage,
)

from multipaxos.chain.durable import DecidedLink, Snapshot
from multipaxos.chain.effects import Save
from multipaxos.chain.links import Link, NewMaster, Nothing, Updates
from multipaxos.chain.requests import RequestID, Update
from multipaxos.runtime.ports import StorageError


def checkpoint(directory: Path) -> int:
    """Return the link in progress where the snapshot on disk was written."""
    (instance,) = rows(directory, "SELECT instance FROM snapshot")
    assert isinstance(instance, int)
    return instance


def test_a_link_saves_itself_and_not_the_state(tmp_path: Path) -> None:
    """What a write costs does not grow with the number of keys."""
    state = saved(tmp_path, [put(f"k{n}", "v", sequence=n + 1) for n in range(50)])

    assert checkpoint(tmp_path) == 0
    assert reloaded(tmp_path) == state
    assert len(state.snapshot.value) == 50


def test_the_snapshot_is_written_anew_when_the_links_outweigh_it(tmp_path: Path) -> None:
    """Otherwise the start would take longer and longer."""
    links = [put(f"k{n % 4}", str(n) * 15_000, sequence=n + 1) for n in range(90)]

    state = saved(tmp_path, links, history_max=5)

    assert checkpoint(tmp_path) > 10
    assert reloaded(tmp_path) == state


def test_large_values_are_not_written_a_second_time_at_once(tmp_path: Path) -> None:
    """A value that is larger than all that a checkpoint waits for must not double its own save."""
    links = [put("k", str(n) * 2**20, sequence=n + 1) for n in range(9)]

    state = saved(tmp_path, links, history_max=5)
    assert checkpoint(tmp_path) == 0
    assert reloaded(tmp_path) == state

    links += [put("k", str(n) * 2**20, sequence=n + 1) for n in range(9, 18)]
    saved(tmp_path / "more", links, history_max=5)
    assert checkpoint(tmp_path / "more") > 9


def test_what_was_skipped_is_saved_as_a_snapshot(tmp_path: Path) -> None:
    """After a catch-up there are no links that would lead to the state."""
    state = saved(tmp_path, [put("k", "v")])
    far = replace(state, instance=10**9, snapshot=replace(state.snapshot, value=MACHINE.initial()))
    with closing(storage(tmp_path)) as disk:
        disk.load()
        disk.save(Save(state=far))
        save = after(far, put("l", "w", sequence=2))
        disk.save(save)

    assert checkpoint(tmp_path) == 10**9
    assert reloaded(tmp_path) == save.state


def test_several_links_of_one_event_lead_there_together(tmp_path: Path) -> None:
    """A server that is alone decides more than one link at once."""
    save = after(first(), put("k", "v"), Nothing(), put("k", "w", sequence=2))
    with closing(storage(tmp_path)) as disk:
        disk.save(Save(state=first()))
        disk.save(save)

    assert checkpoint(tmp_path) == 0
    assert reloaded(tmp_path) == save.state


def test_a_short_history_keeps_what_the_state_needs(tmp_path: Path) -> None:
    """It shows no more than it should; and the state is all there."""
    state = saved(tmp_path, [put("k", str(n), sequence=n + 1) for n in range(90)], history_max=2)

    assert checkpoint(tmp_path) == 0
    assert reloaded(tmp_path, history_max=2) == state
    with closing(storage(tmp_path, history_max=2)) as disk:
        assert [link.number for link in disk.history(99)] == [88, 89]


@pytest.mark.parametrize("number", [0, 2, 4])
def test_a_link_that_is_gone_is_damage(tmp_path: Path, number: int) -> None:
    """What it led to cannot be known: the server must learn it from the others."""
    saved(tmp_path, [put("k", str(n), sequence=n + 1) for n in range(5)])
    with closing(sqlite3.connect(tmp_path / "A.sqlite3")) as database:
        database.execute("DELETE FROM links WHERE number = ?", (number,))
        database.commit()

    with pytest.raises(StorageError, match="it needs the links 0 to 4, and some are gone"):
        reloaded(tmp_path)


@pytest.mark.parametrize("sessions_max", [1, 9])
def test_another_setting_changes_nothing_that_was_saved(tmp_path: Path, sessions_max: int) -> None:
    """The links were applied under the old one; the next save begins under the new one."""
    links = [put("k", str(n), client=f"c{n}") for n in range(6)]
    state = saved(tmp_path, links)

    with closing(storage(tmp_path, sessions_max=sessions_max)) as disk:
        assert disk.load() == state
        disk.save(Save(state=replace(state, votes_from=1)))

    assert checkpoint(tmp_path) == state.instance
    assert reloaded(tmp_path, sessions_max=sessions_max) == replace(state, votes_from=1)


commands = st.sampled_from(
    [
        ("SET", "k", "v"),
        ("SET", "l", "w", "GET"),
        ("INCR", "n"),
        ("APPEND", "k", "x" * 2000),
        ("DEL", "k", "l"),
        ("GET", "k"),
        ("INCR", "k"),
    ]
)
updates = st.builds(
    Update,
    request_id=st.builds(RequestID, st.sampled_from("abcde"), st.integers(1, 9)),
    command=commands,
    since=st.integers(0, 9),
)
links = (
    st.builds(Updates, updates=st.lists(updates, max_size=3).map(tuple))
    | st.just(Nothing())
    | st.builds(NewMaster, uid=st.sampled_from("AB"), lease_seconds=st.just(2.0), bid=st.just("x"))
)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the storage do in a few links what it does in many."""
    storages = "multipaxos.runtime.storage"
    monkeypatch.setattr(f"{storages}.checkpoint.CHECKPOINT_BYTES_MIN", 400)
    monkeypatch.setattr(f"{storages}.checkpoint.CHECKPOINT_BYTES_OF_LARGE", 400)
    monkeypatch.setattr(f"{storages}.blocks.BLOCK_BYTES", 50)
    monkeypatch.setattr(f"{storages}.blocks.GARBAGE_BYTES_MIN", 100)
    monkeypatch.setattr(f"{storages}.blocks.SWEPT_TOGETHER", 2)
    monkeypatch.setattr(f"{storages}.link_rows.SWEPT_TOGETHER", 2)


steps = st.tuples(
    st.sampled_from(["goes on", "starts again", "catches up"]),
    st.booleans(),
    st.lists(links, max_size=3),
    st.none() | links,
)
"""What a server does next: whether it resolves what it accepted, and more; what it accepts next."""


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(run=st.lists(steps, max_size=12))
@pytest.mark.usefixtures("hasty")
def test_whatever_happens_what_is_loaded_is_what_was_saved(
    tmp_path_factory: pytest.TempPathFactory,
    run: list[tuple[str, bool, list[Link], Link | None]],
) -> None:
    """Sessions that are forgotten, repeated requests, reads, failures, values never decided."""
    directory = tmp_path_factory.mktemp("data")
    # More keys than updates between two checkpoints: these are looked for by their names.
    keys = Map({f"key-{n}": "v" for n in range(40)})
    state, history = replace(first(), snapshot=Snapshot(value=keys)), list[DecidedLink]()
    disk = storage(directory, history_max=1000)
    disk.save(Save(state=state))
    for event, is_resolved, decided, accepted in run:
        value = state.acceptor.accepted_value
        save = after(state, *[value] * (is_resolved and value is not None), *decided)
        if event == "catches up":
            save = Save(state=replace(save.state, instance=save.state.instance + 1))
        if accepted is not None:
            save = accepting(save, accepted)
        disk.save(save)
        state = save.state
        history += save.decided
        if event == "starts again":
            disk.close()
            disk = storage(directory, history_max=1000)
        assert disk.load() == state
        assert disk.history(1000) == history[-1000:]
    disk.close()

    found = reloaded(directory)
    assert found == state
    assert found is not None
    assert list(found.snapshot.sessions) == list(state.snapshot.sessions)
