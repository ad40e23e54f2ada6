"""The entries of a keyed state: a checkpoint saves what changed, and all of it can be read."""

import gc
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from immutables import Map
from tests.runtime.saves import (
    after,
    command,
    first,
    put,
    reloaded,
    rows,
    saved,
    storage,
)
from typing_extensions import override

from multipaxos.chain.durable import DurableState, Snapshot
from multipaxos.chain.effects import Save
from multipaxos.chain.links import Link, Nothing
from multipaxos.chain.state_machine import CommandForm, State, StateMachine
from multipaxos.runtime.ports import StorageError
from multipaxos.runtime.storage.checkpoint import Checkpoint
from multipaxos.runtime.storage.rows import seal

STORAGES = "multipaxos.runtime.storage"


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let checkpoints come after a few links."""
    monkeypatch.setattr(f"{STORAGES}.checkpoint.CHECKPOINT_BYTES_MIN", 1000)


def sets(*pairs: tuple[str, str], start: int = 1) -> Iterator[Link]:
    """Yield a link for each pair of key and value."""
    for sequence, (key, value) in enumerate(pairs, start):
        yield put(key, value, sequence=sequence)


def block_bytes(directory: Path) -> int:
    """Return how many bytes all blocks take."""
    (size,) = rows(directory, "SELECT total(length(text)) FROM blocks")
    return int(size)


def many(count: int) -> DurableState:
    """Return a state with *count* keys."""
    entries = Map({f"key-{n}": f"{n:064d}" for n in range(count)})
    return replace(first(), snapshot=replace(first().snapshot, value=entries))


def test_a_checkpoint_saves_what_changed(tmp_path: Path) -> None:
    """What it costs does not grow with the number of keys."""
    state = many(1000)
    with closing(storage(tmp_path)) as disk:
        disk.save(Save(state=state))
        before = block_bytes(tmp_path)
        for link in sets(*[("k", str(n) * 40) for n in range(20)]):
            save = after(state, link)
            disk.save(save)
            state = save.state

    assert before > 64_000
    assert 0 < block_bytes(tmp_path) - before < 2000
    assert rows(tmp_path, "SELECT instance FROM snapshot")[0] > 5
    assert reloaded(tmp_path) == state


def test_keys_that_are_gone_stay_gone(tmp_path: Path) -> None:
    """An older block still has them."""
    links = [
        *sets(*[(f"k{n}", "v" * 100) for n in range(20)]),
        *(command("DEL", f"k{n}", "x" * 100, sequence=100 + n) for n in range(0, 20, 2)),
        *sets(*[("l", "v" * 100)] * 20, start=200),
    ]

    state = saved(tmp_path, links)

    assert reloaded(tmp_path) == state
    assert sorted(state.snapshot.value) == sorted([*(f"k{n}" for n in range(1, 20, 2)), "l"])


@pytest.mark.parametrize("period", [1, 2, 1000])
def test_the_log_grows_with_the_data_and_not_with_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, period: int
) -> None:
    """Whether values change for good, or go back and forth; beside keys that never change."""
    monkeypatch.setattr(f"{STORAGES}.blocks.GARBAGE_BYTES_MIN", 1000)
    monkeypatch.setattr(f"{STORAGES}.blocks.BLOCK_BYTES", 500)
    state = many(100)
    with closing(storage(tmp_path)) as disk:
        disk.save(Save(state=state))
        alive = block_bytes(tmp_path)
        sizes = []
        for n in range(1500):
            save = after(state, put(f"key-{n % 7}", f"{n // 7 % period:064d}", sequence=n + 1))
            disk.save(save)
            state = save.state
            sizes.append(block_bytes(tmp_path) if n % 50 == 0 else 0)

    assert max(sizes) < 4 * alive
    assert rows(tmp_path, "SELECT blocks_from FROM snapshot")[0] > 0
    assert reloaded(tmp_path) == state


def test_the_garbage_goes_after_a_restart_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that never runs for long has as much of it."""
    monkeypatch.setattr(f"{STORAGES}.blocks.GARBAGE_BYTES_MIN", 1000)
    state = many(20)
    for life in range(60):
        with closing(storage(tmp_path)) as disk:
            disk.load()
            for n in range(12):
                save = after(state, put(f"key-{n}", f"{life:064d}", sequence=life * 12 + n + 1))
                disk.save(save)
                state = save.state

    assert block_bytes(tmp_path) < 12_000
    assert reloaded(tmp_path) == state


def test_new_entries_are_no_garbage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that grows with the data is not written again for that."""
    monkeypatch.setattr(f"{STORAGES}.blocks.GARBAGE_BYTES_MIN", 1000)

    saved(tmp_path, list(sets(*[(f"key-{n}", "v" * 100) for n in range(200)])))

    assert block_bytes(tmp_path) > 15_000
    assert rows(tmp_path, "SELECT blocks_from FROM snapshot") == [0]


def test_what_changed_before_a_restart_is_saved_after_it(tmp_path: Path) -> None:
    """The checkpoint comes in another life than the links that it is for."""
    state = many(1000)
    with closing(storage(tmp_path)) as disk:
        disk.save(Save(state=state))
    for n in range(12):
        with closing(storage(tmp_path)) as disk:
            disk.load()
            save = after(state, put(f"key-{n}", "new" * 30, sequence=n + 1))
            disk.save(save)
            state = save.state

    assert rows(tmp_path, "SELECT instance FROM snapshot")[0] > 5
    assert reloaded(tmp_path) == state


def test_a_catch_up_saves_what_differs(tmp_path: Path) -> None:
    """No link says what that is; so all entries are compared."""
    state = many(1000)
    values = state.snapshot.value.set("key-3", "other").delete("key-4").set("new", "value")
    far = replace(state, instance=10**9, snapshot=replace(state.snapshot, value=values))
    with closing(storage(tmp_path)) as disk:
        disk.save(Save(state=state))
        before = block_bytes(tmp_path)
        disk.save(Save(state=far))

    assert block_bytes(tmp_path) - before < 100
    assert reloaded(tmp_path) == far


# ------------------------------------------------------------------------------------------- damage


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE blocks SET text = replace(text, 'key-7', 'key-8') WHERE number = 0",
        "UPDATE blocks SET text = x'' WHERE number = 1",
        "UPDATE blocks SET checksum = x'00'",
        "DELETE FROM blocks WHERE number = 0",
        "DELETE FROM blocks WHERE number = 1",
        "DELETE FROM blocks WHERE number = (SELECT max(number) FROM blocks)",
        "DELETE FROM blocks",
        "UPDATE OR REPLACE blocks SET number = 0 WHERE number = 1",
        "UPDATE snapshot SET blocks_from = 1",
        "UPDATE snapshot SET blocks_from = NULL",
        "UPDATE snapshot SET blocks_until = 1",
        "DROP TABLE blocks",
    ],
)
def test_a_log_that_is_not_what_was_saved_is_damage(tmp_path: Path, statement: str) -> None:
    """A changed block, a lost one, one in the place of another."""
    with closing(storage(tmp_path)) as disk:
        disk.save(Save(state=many(3000)))
    assert len(rows(tmp_path, "SELECT number FROM blocks")) > 2

    rows(tmp_path, statement)

    with pytest.raises(StorageError, match="is damaged"):
        reloaded(tmp_path)


@pytest.mark.parametrize("text", [b"{}", b'{"set":[],"gone":[]}', b"\xff", b"[" * 50_000])
def test_a_block_with_the_right_checksum_is_still_checked(tmp_path: Path, text: bytes) -> None:
    """A checksum guards against accidents, not against programs with mistakes."""
    with closing(storage(tmp_path)) as disk:
        disk.save(Save(state=many(1)))
    row = f"text = x'{text.hex()}', checksum = x'{seal(('block', 0), text).hex()}'"

    rows(tmp_path, f"UPDATE blocks SET {row} WHERE number = 0")  # noqa: S608 - of our own making

    with pytest.raises(StorageError, match="is damaged"):
        reloaded(tmp_path)


def test_entries_that_cannot_be_written_are_not_saved(tmp_path: Path) -> None:
    """A state that could not be read again is an error now, not at the next start."""
    state = many(1)
    values = state.snapshot.value.set("k", "\ud800")
    with closing(storage(tmp_path)) as disk:
        disk.save(Save(state=state))
        with pytest.raises(StorageError, match="cannot save to"):
            disk.save(Save(state=replace(state, snapshot=Snapshot(value=values))))

    assert reloaded(tmp_path) == state


def test_the_programs_own_way_with_garbage_is_left_alone(tmp_path: Path) -> None:
    """A program that has turned Python's collector off has it off when its server has started."""
    with closing(storage(tmp_path)) as disk:
        disk.save(Save(state=many(1)))
    was_enabled = gc.isenabled()
    try:
        for turn, is_on in ((gc.enable, True), (gc.disable, False)):
            turn()
            assert reloaded(tmp_path) == many(1)
            assert gc.isenabled() == is_on
    finally:
        (gc.enable if was_enabled else gc.disable)()


def test_blocks_that_count_no_more_may_be_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait to be deleted, some with each checkpoint."""
    monkeypatch.setattr(f"{STORAGES}.blocks.GARBAGE_BYTES_MIN", 0)
    monkeypatch.setattr(f"{STORAGES}.blocks.BLOCK_BYTES", 100)
    monkeypatch.setattr(f"{STORAGES}.blocks.SWEPT_TOGETHER", 1)
    state = saved(tmp_path, list(sets(*[(f"k{n % 9}", str(n) * 50) for n in range(200)])))

    rows(tmp_path, "DELETE FROM blocks WHERE number < (SELECT blocks_from FROM snapshot)")

    assert reloaded(tmp_path) == state


def test_a_kill_at_any_step_of_a_checkpoint_leaves_one_state_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With links, entries and garbage in one transaction: all of it, or nothing."""
    monkeypatch.setattr(f"{STORAGES}.checkpoint.CHECKPOINT_BYTES_MIN", 300)
    monkeypatch.setattr(f"{STORAGES}.blocks.GARBAGE_BYTES_MIN", 0)
    monkeypatch.setattr(f"{STORAGES}.blocks.BLOCK_BYTES", 10)
    directory, states, copies = tmp_path / "data", [first()], list[Path]()

    def copy(_: str) -> None:
        copies.append(shutil.copytree(directory, tmp_path / str(len(copies))))

    with closing(storage(directory)) as disk:
        disk.save(Save(state=states[0]))
        assert disk._database is not None  # noqa: SLF001 - it tells of each of its steps
        disk._database.set_trace_callback(copy)  # noqa: SLF001
        for n in range(6):
            link = put(f"k{n % 2}", str(n) * 300, sequence=2 * n)
            save = after(states[-1], link, command("DEL", f"k{n % 3}", sequence=2 * n + 1))
            disk.save(save)
            states.append(save.state)
        copy("")

    found = [reloaded(copied) for copied in copies]

    order = [states.index(state) for state in found if state is not None]
    assert len(order) == len(copies)
    assert order == sorted(order)
    assert set(order) == set(range(len(states)))
    assert rows(directory, "SELECT blocks_from FROM snapshot")[0] > 0


# ----------------------------------------------------------------------- machines of somebody's own


class Boxes(StateMachine):
    """Keeps anything by key: PUT key kind; TOUCH key changes another key than it names."""

    kind = "boxes"
    is_keyed = True
    forms: ClassVar = {
        "PUT": CommandForm(usage="PUT key kind", arguments_min=2, arguments_max=2, first_key=0),
        "TOUCH": CommandForm(usage="TOUCH key", arguments_min=1, arguments_max=1, first_key=0),
    }
    things: ClassVar[dict[str, State]] = {
        "one": 1,
        "true": True,
        "float": 1.0,
        "none": None,
        "zero": 0.0,
        "below": -0.0,
        "tuple": (1, ("a", None)),
        "map": Map({"a": Map({"b": True})}),
        "long": "v" * 900,
    }

    @override
    def initial(self) -> State:
        """Return no boxes."""
        return Map()

    @override
    def apply(self, state: State, command: tuple[str, ...]) -> tuple[State, bool]:
        """Fill a box."""
        if command[0] == "TOUCH":
            return state.set("touched", command[1]), True
        return state.set(command[1], self.things[command[2]]), True


class Sealed(Boxes):
    """The same boxes, said to be one thing."""

    is_keyed = False


def fill_boxes(kinds: list[str]) -> list[Link]:
    """Return links that put things of *kinds* into few boxes, one after the other."""
    return [command("PUT", f"k{n % 3}", kind, sequence=n + 1) for n, kind in enumerate(kinds)]


def test_values_that_are_equal_and_not_the_same_are_told_apart(tmp_path: Path) -> None:
    """1, 1.0 and True are equal in Python, and nowhere else."""
    machine = Boxes()
    for directory, kinds in enumerate([["one", "true"], ["true", "float"], ["zero", "below"]]):
        place = tmp_path / str(directory)
        links = [command("PUT", "k", kind, sequence=n) for n, kind in enumerate(kinds * 9)]
        state = saved(place, links, machine)
        value = state.snapshot.value["k"]
        caught_up = replace(state, instance=100)
        with closing(storage(place, machine=machine)) as disk:
            disk.load()
            disk.save(Save(state=caught_up))

        found = reloaded(place, machine=machine)

        assert found == caught_up
        assert found is not None
        assert repr(found.snapshot.value["k"]) == repr(value)


def test_any_state_can_be_kept_by_key(tmp_path: Path) -> None:
    """Maps, tuples, nothing: what a state may be made of."""
    machine = Boxes()

    state = saved(tmp_path, fill_boxes([*Boxes.things] * 5), machine)

    assert rows(tmp_path, "SELECT instance FROM snapshot")[0] > 0
    assert reloaded(tmp_path, machine=machine) == state


def test_a_machine_that_adds_what_it_did_not_name_is_found_out(tmp_path: Path) -> None:
    """Its keys are counted: the state on disk is the state all the same."""
    machine = Boxes()
    words = [("TOUCH", "key-1"), *(("PUT", f"key-{n}", "long") for n in range(20))]
    links = [command(*each, sequence=sequence) for sequence, each in enumerate(words)]
    before = many(100)
    save = after(before, *links, machine=machine)
    with closing(storage(tmp_path, machine=machine)) as disk:
        disk.save(Save(state=before))
        disk.save(save)
    state = save.state

    assert rows(tmp_path, "SELECT instance FROM snapshot") == [21]
    assert "touched" in state.snapshot.value
    assert reloaded(tmp_path, machine=machine) == state


def test_a_large_state_that_is_not_keyed_is_written_seldom(tmp_path: Path) -> None:
    """It is written as a whole: not before the links take as much room."""
    machine = Sealed()
    state = replace(many(0), snapshot=Snapshot(value=Map({"old": "v" * 9000})))
    with closing(storage(tmp_path, machine=machine)) as disk:
        disk.save(Save(state=state))
        for n in range(60):
            save = after(state, command("PUT", "k", "one", sequence=n + 1), machine=machine)
            disk.save(save)
            state = save.state

    (size,) = rows(tmp_path, "SELECT sum(length(text)) FROM links")
    assert 3000 < size < 9000
    assert rows(tmp_path, "SELECT instance FROM snapshot") == [0]
    assert reloaded(tmp_path, machine=machine) == state


@pytest.mark.parametrize("order", [(Boxes, Sealed, Boxes), (Sealed, Boxes, Sealed)])
def test_a_machine_may_become_keyed_or_cease_to_be(
    tmp_path: Path, order: tuple[type[StateMachine], ...]
) -> None:
    """Its author finds out later; the chain is the same."""
    state = first(Boxes())
    for life, kind in enumerate(order):
        machine = kind()
        with closing(storage(tmp_path, machine=machine)) as disk:
            assert disk.load() == (state if life else None)
            for n in range(6):
                link = command("PUT", f"k{n}", "long", sequence=life * 6 + n + 1)
                save = after(state, link, machine=machine)
                disk.save(save)
                state = save.state

    (blocks_from,) = rows(tmp_path, "SELECT blocks_from FROM snapshot")
    assert (blocks_from is None) == (order[-1] is Sealed)
    assert reloaded(tmp_path, machine=order[0]()) == state


def test_the_servers_write_their_checkpoints_at_different_links() -> None:
    """They apply the same links: clients would wait for all of them at once."""
    checkpoints = [Checkpoint(uid=uid, is_keyed=True) for uid in "ABC"]

    due_at = []
    for checkpoint in checkpoints:
        links = 0
        while not checkpoint.is_due:
            checkpoint.follow(Nothing(), 10)
            links += 1
        due_at.append(links)

    assert len(set(due_at)) == 3
    assert 100 <= min(due_at) <= max(due_at) <= 151
