"""The SQLite storage writes a link once: when its value is accepted, or else when it is decided."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.runtime.saves import (
    accepting,
    after,
    command,
    first,
    put,
    reloaded,
    rows,
    storage,
)

from multipaxos.chain.durable import DecidedLink
from multipaxos.chain.effects import Save
from multipaxos.chain.links import Nothing
from multipaxos.runtime.ports import StorageError
from multipaxos.runtime.storage import SqliteStorage
from multipaxos.runtime.storage.rows import seal

ONE, TWO, THREE = put("k", "1"), put("k", "2", sequence=2), put("k", "3", sequence=3)


@contextmanager
def written(disk: SqliteStorage) -> Iterator[list[str]]:
    """Yield the statements with which links are written meanwhile."""
    statements: list[str] = []
    database = disk._database  # noqa: SLF001 - what it executes is not to be seen elsewhere
    assert database is not None
    seen: list[str] = []
    database.set_trace_callback(seen.append)
    yield statements
    database.set_trace_callback(None)
    statements += [text for text in seen if "INTO links" in text]


def test_a_value_that_is_decided_as_it_was_accepted_is_written_once(tmp_path: Path) -> None:
    """Also if the decision came in another message: it is the text that counts."""
    with closing(storage(tmp_path)) as disk:
        disk.save(Save(state=first()))
        with written(disk) as statements:
            disk.save(accepting(Save(state=first()), ONE))
            save = accepting(after(first(), put("k", "1")), TWO)
            disk.save(save)
            disk.save(after(save.state, TWO))

    assert len(statements) == 2
    assert reloaded(tmp_path) == after(first(), ONE, TWO).state


def test_a_value_that_is_accepted_again_is_not_written_again(tmp_path: Path) -> None:
    """A retransmitted request under a higher number brings the same value."""
    with closing(storage(tmp_path)) as disk:
        disk.save(Save(state=first()))
        with written(disk) as statements:
            disk.save(accepting(Save(state=first()), ONE, number=2))
            again = accepting(Save(state=first()), put("k", "1"), number=3)
            disk.save(again)

    assert len(statements) == 1
    assert reloaded(tmp_path) == again.state


def test_a_value_that_was_accepted_gives_way_to_the_one_that_is_decided(tmp_path: Path) -> None:
    """A minority may have accepted another."""
    with closing(storage(tmp_path)) as disk:
        disk.save(accepting(Save(state=first()), ONE))
        disk.save(after(first(), TWO))

        assert disk.history(9) == [DecidedLink(number=0, link=TWO)]

    assert reloaded(tmp_path) == after(first(), TWO).state


def test_a_value_that_was_accepted_gives_way_to_another_acceptance(tmp_path: Path) -> None:
    """Under a higher number."""
    save = accepting(Save(state=first()), TWO, number=3)
    with closing(storage(tmp_path)) as disk:
        disk.save(accepting(Save(state=first()), ONE, number=2))
        disk.save(save)

    assert reloaded(tmp_path) == save.state
    assert len(rows(tmp_path, "SELECT number FROM links")) == 1


def test_a_value_that_was_accepted_is_no_history(tmp_path: Path) -> None:
    """Nobody knows that it is chosen; after a restart no more than before."""
    save = accepting(after(first(), ONE), TWO)
    with closing(storage(tmp_path)) as disk:
        disk.save(save)

        assert disk.history(9) == [DecidedLink(number=0, link=ONE)]

    with closing(storage(tmp_path)) as disk:
        assert disk.history(9) == [DecidedLink(number=0, link=ONE)]


def test_a_value_that_was_accepted_and_skipped_leaves_nothing(tmp_path: Path) -> None:
    """A catch-up says what the links amount to, not that this value was among them."""
    save = Save(state=replace(first(), instance=7))
    with closing(storage(tmp_path)) as disk:
        disk.save(accepting(Save(state=first()), ONE))
        disk.save(save)
        disk.save(after(save.state, TWO))

        assert disk.history(9) == [DecidedLink(number=7, link=TWO)]

    assert rows(tmp_path, "SELECT number FROM links") == [7]


def test_a_save_may_be_several_links_ahead(tmp_path: Path) -> None:
    """What was resolved since the last one comes with the next acceptance."""
    before = accepting(Save(state=first()), ONE)
    save = accepting(after(first(), ONE, Nothing(), TWO), THREE)
    with closing(storage(tmp_path)) as disk:
        disk.save(before)
        with written(disk) as statements:
            disk.save(save)

        assert [decided.number for decided in disk.history(9)] == [0, 1, 2]

    assert len(statements) == 3  # All but the one that was accepted before.
    assert rows(tmp_path, "SELECT instance FROM snapshot") == [0]
    assert reloaded(tmp_path) == save.state


def test_a_value_that_was_accepted_earlier_does_not_pass_for_the_last(tmp_path: Path) -> None:
    """A disk that lost one write of two has a row that is right by itself."""
    with closing(storage(tmp_path)) as disk:
        disk.save(accepting(Save(state=first()), ONE, number=2))
    rows(tmp_path, "CREATE TABLE earlier AS SELECT * FROM links")
    with closing(storage(tmp_path)) as disk:
        disk.load()
        disk.save(accepting(Save(state=first()), TWO, number=3))

    rows(tmp_path, "INSERT OR REPLACE INTO links SELECT * FROM earlier")

    with pytest.raises(StorageError, match="is damaged: its checksum is wrong"):
        reloaded(tmp_path)


def test_a_life_that_is_older_than_the_votes_does_not_pass(tmp_path: Path) -> None:
    """It says from which link on this server may vote."""
    with closing(storage(tmp_path)) as disk:
        disk.save(Save(state=first()))
    rows(tmp_path, "CREATE TABLE earlier AS SELECT * FROM life")
    with closing(storage(tmp_path)) as disk:
        disk.load()
        disk.save(Save(state=replace(first(), votes_from=9)))

    rows(tmp_path, "INSERT OR REPLACE INTO life SELECT * FROM earlier")

    with pytest.raises(StorageError, match="is damaged: its checksum is wrong"):
        reloaded(tmp_path)


def test_an_acceptance_above_the_promise_is_damage(tmp_path: Path) -> None:
    """Also with the right checksum: no acceptor can come to remember that."""
    with closing(storage(tmp_path)) as disk:
        disk.save(accepting(Save(state=first()), ONE, number=2))
    (life,) = rows(tmp_path, "SELECT checksum FROM life")
    (link,) = rows(tmp_path, "SELECT checksum FROM links")
    checksum = seal((1, 0, 1, "A", 2, "A"), life + link).hex()

    rows(tmp_path, f"UPDATE votes SET promised_number = 1, checksum = x'{checksum}'")  # noqa: S608

    with pytest.raises(StorageError, match="is damaged: it accepted above its promise"):
        reloaded(tmp_path)


def test_old_links_are_swept_away_some_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file grows with the history that is kept, not with time."""
    monkeypatch.setattr("multipaxos.runtime.storage.checkpoint.CHECKPOINT_BYTES_MIN", 1000)
    state = first()
    with closing(storage(tmp_path, history_max=5)) as disk:
        for number in range(200):
            save = after(state, put("k", str(number), sequence=number + 1))
            disk.save(save)
            state = save.state

    numbers = rows(tmp_path, "SELECT number FROM links ORDER BY number")
    assert numbers[-5:] == [195, 196, 197, 198, 199]
    assert len(numbers) < 5 + 16 + 20


def test_a_history_of_large_links_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand links of a megabyte would fill a disk; also after a restart."""
    storages = "multipaxos.runtime.storage"
    monkeypatch.setattr(f"{storages}.checkpoint.CHECKPOINT_BYTES_MIN", 10_000)
    monkeypatch.setattr(f"{storages}.link_rows.HISTORY_BYTES_MAX", 100_000)
    state = first()
    for start in range(0, 100, 10):
        with closing(storage(tmp_path, history_max=1000)) as disk:
            disk.load()
            for number in range(start, start + 10):
                save = after(state, put("k", "v" * 9000, sequence=number + 1))
                disk.save(save)
                state = save.state

    (size,) = rows(tmp_path, "SELECT sum(length(text)) FROM links")
    assert 10_000 < size < 130_000
    assert reloaded(tmp_path) == state


def test_the_log_of_the_database_is_bounded(tmp_path: Path) -> None:
    """SQLite moves it into the database by and by, and cuts what one large save made of it."""
    log = tmp_path / "A.sqlite3-wal"
    state = first()
    with closing(storage(tmp_path)) as disk:
        disk.save(Save(state=state))
        for number in range(60):
            save = after(state, put(f"k{number}", "v" * 200_000, sequence=number + 1))
            disk.save(save)
            state = save.state
            assert log.stat().st_size < 8_000_000
        values = state.snapshot.value
        for number in range(30):
            values = values.set(f"l{number}", "v" * 1_000_000)
        caught_up = replace(state, instance=10**6, snapshot=replace(state.snapshot, value=values))
        disk.save(Save(state=caught_up))
        assert log.stat().st_size > 30_000_000
        for number in range(3):
            disk.save(Save(state=replace(caught_up, votes_from=number)))

        assert log.stat().st_size <= 16 * 1024 * 1024


def test_a_command_that_means_nothing_names_no_key(tmp_path: Path) -> None:
    """Another version may have proposed it: it changes nothing, and stops nothing."""
    links = [command("FLUSH", sequence=1), command("DEL", sequence=2), put("k", "v", sequence=3)]
    save = after(first(), *links)
    with closing(storage(tmp_path)) as disk:
        disk.save(Save(state=first()))
        disk.save(save)

    assert reloaded(tmp_path) == save.state
