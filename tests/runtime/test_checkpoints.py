"""The SQLite storage saves links, not states: what it loads is what they lead to."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.durable import DecidedLink, DurableState, Snapshot
from multipaxos.chain.effects import Save
from multipaxos.chain.ledger import apply_link
from multipaxos.chain.links import Link, NewMaster, Nothing, Updates
from multipaxos.chain.requests import RequestID, Update
from multipaxos.runtime.ports import StorageError
from multipaxos.runtime.storage import SqliteStorage

MACHINE = Dictionary()
SESSIONS_MAX = 3


def storage(
    directory: Path, *, history_max: int = 100, sessions_max: int = SESSIONS_MAX
) -> SqliteStorage:
    """Return the storage of a dictionary."""
    return SqliteStorage(
        directory,
        cluster="main",
        uid="A",
        machine=MACHINE,
        sessions_max=sessions_max,
        history_max=history_max,
    )


def first() -> DurableState:
    """Return the state before link 0."""
    return DurableState(birth="b", snapshot=Snapshot(value=MACHINE.initial()))


def after(state: DurableState, *links: Link) -> Save:
    """Return the save of what *links* make of *state*."""
    decided = []
    for link in links:
        decided.append(DecidedLink(number=state.instance, link=link))
        effect = apply_link(
            state.snapshot, state.instance, link, machine=MACHINE, sessions_max=SESSIONS_MAX
        )
        state = replace(state, instance=state.instance + 1, snapshot=effect.snapshot)
    return Save(state=state, decided=tuple(decided))


def put(key: str, value: str, *, client: str = "c", sequence: int = 1) -> Updates:
    """Return a link that sets *key*."""
    request_id = RequestID(client, sequence)
    return Updates(updates=(Update(request_id=request_id, command=("SET", key, value), since=0),))


def reloaded(directory: Path, **options: int) -> DurableState | None:
    """Return what the next process would find."""
    with closing(storage(directory, **options)) as disk:
        return disk.load()


def checkpoint(directory: Path) -> int:
    """Return the link in progress where the snapshot on disk was written."""
    with closing(sqlite3.connect(directory / "A.sqlite3")) as database:
        ((instance,),) = database.execute("SELECT instance FROM state WHERE part = 'snapshot'")
        assert isinstance(instance, int)
        return instance


def saved(directory: Path, links: Sequence[Link], **options: int) -> DurableState:
    """Save the state before link 0, and then link by link; return the last state."""
    state = first()
    with closing(storage(directory, **options)) as disk:
        disk.save(Save(state=state))
        for link in links:
            save = after(state, link)
            disk.save(save)
            state = save.state
    return state


def test_a_link_saves_itself_and_not_the_state(tmp_path: Path) -> None:
    """What a write costs does not grow with the number of keys."""
    state = saved(tmp_path, [put(f"k{n}", "v", sequence=n + 1) for n in range(50)])

    assert checkpoint(tmp_path) == 0
    assert reloaded(tmp_path) == state
    assert len(state.snapshot.value) == 50


def test_the_snapshot_is_written_anew_when_the_links_outweigh_it(tmp_path: Path) -> None:
    """Otherwise the start would take longer and longer."""
    links = [put(f"k{n % 4}", str(n) * 5000, sequence=n + 1) for n in range(60)]

    state = saved(tmp_path, links, history_max=5)

    assert checkpoint(tmp_path) > 10
    assert reloaded(tmp_path) == state


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
    state = saved(tmp_path, [put("k", str(n), sequence=n + 1) for n in range(9)], history_max=2)

    assert reloaded(tmp_path, history_max=2) == state
    with closing(storage(tmp_path, history_max=2)) as disk:
        assert [link.number for link in disk.history(99)] == [7, 8]


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


@settings(max_examples=40, deadline=None)
@given(events=st.lists(st.lists(links, min_size=1, max_size=3), max_size=12))
def test_whatever_the_links_hold_what_is_loaded_is_what_was_saved(
    tmp_path_factory: pytest.TempPathFactory, events: list[list[Link]]
) -> None:
    """Sessions that are forgotten, repeated requests, reads and failures included."""
    directory = tmp_path_factory.mktemp("data")
    state = first()
    with closing(storage(directory)) as disk:
        disk.save(Save(state=state))
    for event in events:
        save = after(state, *event)
        with closing(storage(directory)) as disk:
            assert disk.load() == state
            disk.save(save)
        state = save.state

    found = reloaded(directory)
    assert found == state
    assert found is not None
    assert list(found.snapshot.sessions) == list(state.snapshot.sessions)
