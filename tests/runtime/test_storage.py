"""The promises of both storages: nothing saved is lost, nothing doubtful is used."""

import errno
import fcntl
import json
import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from tests.runtime import generators

from composable_paxos import AcceptorState, ProposalID
from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.durable import DecidedLink, DurableState, Session, Snapshot
from multipaxos.chain.effects import Save
from multipaxos.chain.links import Founding, Link, NewMaster, Nothing, Updates
from multipaxos.chain.register import Register
from multipaxos.chain.requests import RequestID, Update
from multipaxos.runtime.ports import StorageError
from multipaxos.runtime.storage import JsonStorage, SqliteStorage, default_directory
from multipaxos.runtime.storage.base import FileStorage

KINDS: list[type[FileStorage]] = [SqliteStorage, JsonStorage]
MASTER = NewMaster(uid="A", lease_seconds=2.0, bid="77aa")
HELLO = Updates(updates=(Update(request_id=RequestID("c1", 7), command=("SET", "hello"), since=3),))
STATE = DurableState(
    birth="4f1c",
    founders=(("A", "4f1c"), ("B", "a200")),
    founding=Founding(chain_id="9c61", machine_kind="register", founders=(("A", "4f1c"),)),
    instance=5,
    votes_from=2,
    acceptor=AcceptorState(
        promised_id=ProposalID(3, "C"), accepted_id=ProposalID(2, "A"), accepted_value=HELLO
    ),
    snapshot=Snapshot(
        value="hello, too",
        sessions={"c2": Session(sequence=1, link=4, result=None)},
        forgotten_before=1,
        master=MASTER,
    ),
)


class Disk:
    """One server's storage of one kind, opened and closed as its process would."""

    def __init__(self, kind: type[FileStorage], directory: Path) -> None:
        self.kind = kind
        self.directory = directory
        self.opened: list[FileStorage] = []

    @property
    def path(self) -> Path:
        """The file that holds the state."""
        return self.directory / ("A.sqlite3" if self.kind is SqliteStorage else "A.json")

    def open(self, kind: type[FileStorage] | None = None, **changes: Any) -> FileStorage:
        """Return a storage that has opened nothing yet."""
        arguments: dict[str, Any] = {
            "cluster": "main",
            "uid": "A",
            "machine": Register(),
            "sessions_max": 9,
            "history_max": 100,
        } | changes
        storage = (kind or self.kind)(self.directory, **arguments)
        self.opened.append(storage)
        return storage

    def close(self) -> None:
        """Close all that was opened."""
        for storage in self.opened:
            storage.close()
        self.opened.clear()

    def reload(self, **changes: Any) -> DurableState | None:
        """Return what the next process would find."""
        self.close()
        return self.open(**changes).load()

    def fill(self) -> None:
        """Save a state, and end the process."""
        self.open().save(Save(state=STATE, decided=(DecidedLink(number=4, link=HELLO),)))
        self.close()


@pytest.fixture(params=KINDS, ids=lambda kind: kind.kind)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """Return an empty directory for one kind of storage."""
    disk = Disk(request.param, tmp_path / "data")
    yield disk
    disk.close()


def decided(*numbers: int) -> Save:
    """Return the save of links that can be told apart, and are the newest."""
    return Save(state=replace(STATE, instance=numbers[-1] + 1), decided=links(*numbers))


def links(*numbers: int) -> tuple[DecidedLink, ...]:
    """Return decided links that can be told apart."""
    return tuple(
        DecidedLink(number=number, link=replace(MASTER, bid=f"b{number}")) for number in numbers
    )


# ------------------------------------------------------------------------------- saving and loading


def test_nothing_saved_is_none(disk: Disk) -> None:
    """A missing state is not an empty one: the protocol must know the difference."""
    storage = disk.open()

    assert storage.load() is None
    assert storage.history(10) == []
    assert disk.reload() is None


def test_what_was_saved_last_is_loaded(disk: Disk) -> None:
    """By this process and by the next one."""
    storage = disk.open()
    assert storage.load() is None
    storage.save(Save(state=DurableState(birth="4f1c")))
    storage.save(Save(state=STATE))

    assert storage.load() == STATE
    assert disk.reload() == STATE


@given(state=generators.states, later=generators.states)
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_every_state_survives(
    disk: Disk, tmp_path_factory: pytest.TempPathFactory, state: DurableState, later: DurableState
) -> None:
    """Whatever the protocol saves is read back exactly, the order of the sessions included."""
    disk.close()
    disk.directory = tmp_path_factory.mktemp("data")
    for saved in (state, later):
        disk.open().save(Save(state=saved))

        loaded = disk.reload()

        assert loaded == saved
        assert list(loaded.snapshot.sessions) == list(saved.snapshot.sessions)
        disk.close()


def test_votes_change_without_the_snapshot_and_with_it(disk: Disk) -> None:
    """Most saves change the votes only; the snapshot beside them must stay the right one."""
    storage = disk.open()
    storage.save(Save(state=STATE))
    voted = replace(STATE, acceptor=AcceptorState(promised_id=ProposalID(9, "B")))
    storage.save(Save(state=voted))
    assert disk.reload() == voted

    moved = replace(voted, instance=6, snapshot=replace(voted.snapshot, value="y"))
    disk.opened[-1].save(Save(state=moved))

    assert disk.reload() == moved


def test_a_restarted_server_goes_on_saving(disk: Disk) -> None:
    """Restart after restart."""
    for instance in range(5):
        state = replace(STATE, instance=instance)
        disk.open().save(Save(state=state))
        assert disk.reload() == state
        disk.close()


def test_what_cannot_be_written_is_not_saved(disk: Disk) -> None:
    """A state that could not be read again is an error now, not at the next start."""
    disk.fill()
    storage = disk.open()
    wrong = replace(STATE, birth="two words")

    with pytest.raises(StorageError, match="cannot save to"):
        storage.save(Save(state=wrong))

    assert disk.reload() == STATE


# ------------------------------------------------------------------------------------------ history


def test_history_is_ordered_and_kept(disk: Disk) -> None:
    """The newest links, the oldest of them first; also after a restart."""
    storage = disk.open()
    storage.save(decided(0, 1))
    storage.save(Save(state=replace(STATE, instance=2, votes_from=1)))
    storage.save(decided(2))

    assert storage.history(10) == list(links(0, 1, 2))
    assert storage.history(2) == list(links(1, 2))
    assert storage.history(0) == storage.history(-1) == []
    disk.close()
    assert disk.open().history(10) == list(links(0, 1, 2))


def test_history_holds_every_kind_of_link(disk: Disk) -> None:
    """As they were decided."""
    assert STATE.founding is not None
    kinds: list[Link] = [STATE.founding, HELLO, MASTER, Nothing()]
    decided = tuple(DecidedLink(number=number, link=link) for number, link in enumerate(kinds))

    disk.open().save(Save(state=STATE, decided=decided))
    disk.close()

    assert disk.open().history(10) == list(decided)


def test_history_is_bounded(disk: Disk) -> None:
    """It keeps links among the newest numbers; the bound may change between runs."""
    storage = disk.open(history_max=3)
    for number in range(10):
        storage.save(decided(number))
    assert storage.history(100) == list(links(7, 8, 9))

    disk.close()
    storage = disk.open(history_max=2)
    storage.save(decided(10))
    assert storage.history(100) == list(links(9, 10))


def test_history_may_have_gaps(disk: Disk) -> None:
    """A server that caught up has not seen the links between."""
    storage = disk.open(history_max=5)
    storage.save(decided(0, 1))
    storage.save(decided(4))
    assert storage.history(10) == list(links(0, 1, 4))

    storage.save(decided(1000))

    assert storage.history(10) == list(links(1000))


def test_no_history_can_be_kept(disk: Disk) -> None:
    """links_max = 0 keeps none."""
    storage = disk.open(history_max=0)
    storage.save(decided(0, 1))

    assert storage.history(10) == []
    assert disk.reload(history_max=0) == replace(STATE, instance=2)


# ------------------------------------------------------------------------------- directory and lock


def test_the_directory_is_its_owners_alone(disk: Disk) -> None:
    """New directories have mode 0700, files 0600: values may be confidential."""
    disk.directory = disk.directory / "deeper"

    disk.fill()
    disk.open().load()

    assert stat.S_IMODE(disk.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(disk.directory.parent.stat().st_mode) == 0o700
    for path in disk.directory.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_nothing_is_made_before_the_first_use(disk: Disk) -> None:
    """A command that only looks at the configuration leaves nothing behind."""
    disk.open()

    assert not disk.directory.exists()


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777])
def test_a_directory_that_others_may_write_is_refused(disk: Disk, mode: int) -> None:
    """Whoever may replace the state may make a server break its promises."""
    disk.directory.mkdir()
    disk.directory.chmod(mode)

    with pytest.raises(StorageError, match=f"run chmod go-w {disk.directory}"):
        disk.open().load()

    assert list(disk.directory.iterdir()) == []


def test_a_directory_of_another_user_is_refused(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner may write there."""
    disk.directory.mkdir(mode=0o700)
    os.chown(disk.directory, 12345, -1) if os.geteuid() == 0 else monkeypatch.setattr(
        os, "geteuid", lambda: 12345
    )

    with pytest.raises(StorageError, match="belongs to another user"):
        disk.open().load()


def test_a_directory_that_others_may_read_is_taken(disk: Disk) -> None:
    """The owner may have wanted that; the files in it are still private."""
    disk.directory.mkdir()
    disk.directory.chmod(0o755)

    disk.fill()

    assert disk.reload() == STATE


def test_a_file_in_the_place_of_the_directory_gets_a_sentence(disk: Disk) -> None:
    """The user named the wrong path."""
    disk.directory.write_text("")
    disk.directory.chmod(0o600)

    with pytest.raises(StorageError, match=r"cannot keep state in .*: Not a directory"):
        disk.open().load()


def test_a_second_process_is_told_who_holds_the_state(disk: Disk) -> None:
    """Two processes with one state would promise against each other."""
    disk.open().save(Save(state=STATE))
    code = (
        "from pathlib import Path\n"
        "from multipaxos.chain.register import Register\n"
        f"from multipaxos.runtime.storage import {disk.kind.__name__} as Storage\n"
        f"Storage(Path({str(disk.directory)!r}), cluster='main', uid='A',\n"
        "        machine=Register(), sessions_max=9, history_max=1).load()\n"
    )

    second = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )

    assert f"A.lock is held by process {os.getpid()}: the same server runs" in second.stderr
    disk.opened[0].save(Save(state=STATE))


def test_a_second_storage_in_one_process_is_refused_too(disk: Disk) -> None:
    """Also when the first has saved nothing yet."""
    disk.open().load()

    with pytest.raises(StorageError, match=r"A\.lock is held by process"):
        disk.open().save(Save(state=STATE))


def test_two_servers_share_a_directory(disk: Disk) -> None:
    """A cluster on one machine keeps all its states in one place."""
    disk.open().save(Save(state=STATE))
    disk.open(uid="B").save(Save(state=replace(STATE, birth="bbbb")))

    assert disk.reload() == STATE
    assert disk.open(uid="B").load() == replace(STATE, birth="bbbb")


def test_a_refused_state_is_not_kept_locked(disk: Disk) -> None:
    """The user mends it and starts again."""
    disk.fill()
    text = disk.path.read_bytes()
    disk.path.write_bytes(b"garbage")
    storage = disk.open()
    with pytest.raises(StorageError):
        storage.load()

    disk.path.write_bytes(text)

    assert disk.open().load() == STATE


def test_a_file_system_without_locks_gets_a_sentence(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a lock nothing keeps a second process away: the state is not used."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", fail)

    with pytest.raises(StorageError, match=r"cannot keep state in .*: No locks available"):
        disk.open().load()


def test_an_unreadable_lock_file_holds_nobody_up(disk: Disk) -> None:
    """What it says is a courtesy; that it is locked is what counts."""
    disk.directory.mkdir(mode=0o700)
    (disk.directory / "A.lock").write_bytes(b"\xff" * 1000)

    first = disk.open()
    first.save(Save(state=STATE))
    (disk.directory / "A.lock").write_bytes(b"who knows")

    with pytest.raises(StorageError, match="held by another process"):
        disk.open().load()


def test_the_default_place_is_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the user's state directory, by cluster; never the directory for temporary files."""
    monkeypatch.setenv("XDG_STATE_HOME", "/home/ada/.state")
    if sys.platform == "linux":
        assert default_directory("main") == Path("/home/ada/.state/multipaxos/main")
    assert default_directory("main").name == "main"


# ------------------------------------------------------------------------------------------- damage


def truncate(path: Path) -> None:
    """Cut the file in half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    """Change one byte of the value."""
    text = path.read_bytes()
    assert text.count(b"hello") >= 1
    path.write_bytes(text.replace(b"hello", b"jello"))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "truncated": truncate,
    "garbage": lambda path: path.write_bytes(os.urandom(5000)),
    "text": lambda path: path.write_text("hello\n"),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "a changed byte": flip,
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_state_is_refused_and_never_taken_for_a_missing_one(
    disk: Disk, name: str
) -> None:
    """The sentence says that the promises are lost, and what to do; nothing is overwritten."""
    disk.fill()
    DAMAGE[name](disk.path)
    damaged = disk.path.read_bytes()

    with pytest.raises(StorageError, match=r"is damaged: .*Move the file away"):
        disk.open().load()
    with pytest.raises(StorageError, match=r"is damaged: .*Move the file away"):
        disk.open().save(Save(state=STATE))

    assert disk.path.read_bytes() == damaged


def test_a_damaged_state_that_is_moved_away_is_a_missing_one(disk: Disk) -> None:
    """What the sentence advises works: the server starts without memory."""
    disk.fill()
    disk.path.write_bytes(b"garbage")
    with pytest.raises(StorageError):
        disk.open().load()

    disk.path.rename(disk.path.with_suffix(".damaged"))

    assert disk.reload() is None
    disk.opened[-1].save(Save(state=STATE))
    assert disk.reload() == STATE


def test_a_state_that_cannot_be_read_is_not_called_damaged(disk: Disk) -> None:
    """The cause may be mended: here, a directory stands where the file should be."""
    disk.fill()
    disk.path.unlink()
    disk.path.mkdir()

    with pytest.raises(StorageError, match=r"cannot read .*Nothing is known to be damaged"):
        disk.open().load()


# ------------------------------------------------------------------------------------------ foreign


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"cluster": "test"}, "is the state of server A of cluster main, not of A of test"),
        ({"machine": Dictionary()}, "holds the state of a register, not of a dictionary"),
    ],
)
def test_the_state_of_another_is_refused(
    disk: Disk, changes: dict[str, Any], sentence: str
) -> None:
    """A chain keeps its cluster and its kind of state machine."""
    disk.fill()

    with pytest.raises(StorageError, match=sentence):
        disk.open(**changes).load()

    assert disk.reload() == STATE


def test_the_state_of_another_server_is_refused(disk: Disk) -> None:
    """Two servers that go by one memory are one server with two votes."""
    disk.fill()
    shutil.copy(disk.path, disk.path.with_stem("B"))

    with pytest.raises(StorageError, match="state of server A of cluster main, not of B of main"):
        disk.open(uid="B").load()


def test_another_format_is_refused(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another version wrote is not guessed at; nor is what no version wrote."""
    for version, sentence in (
        (4, "has format 4, of a newer version"),
        (2, "has format 2, of an older version"),
        (0, "is damaged: there ne"),
    ):
        monkeypatch.setattr("multipaxos.runtime.storage.base.FORMAT", version)
        disk.fill()
        monkeypatch.undo()

        with pytest.raises(StorageError, match=sentence):
            disk.open().load()

        disk.path.unlink()


def test_a_state_of_the_other_kind_is_refused(disk: Disk) -> None:
    """Beside the state that is there, a new one would forget what was promised."""
    (other,) = (kind for kind in KINDS if kind is not disk.kind)
    disk.fill()

    with pytest.raises(StorageError, match=f"start it with --storage {disk.kind.kind}"):
        disk.open(other).load()

    assert disk.reload() == STATE


def test_an_old_copy_is_refused(disk: Disk) -> None:
    """Whoever restores a backup makes a server forget its newest promises; a crash does not."""
    disk.fill()
    copy = disk.path.read_bytes()
    storage = disk.open()
    storage.save(Save(state=replace(STATE, instance=6)))
    disk.close()

    disk.path.write_bytes(copy)

    with pytest.raises(StorageError, match="is an old copy: it was saved 1 times"):
        disk.open().load()


def test_a_copy_is_not_old_where_its_lock_file_is_unknown(disk: Disk) -> None:
    """The count of saves is beside the state: where it is lost, so is the comparison."""
    disk.fill()
    (disk.directory / "A.lock").unlink()

    assert disk.reload() == STATE


def test_a_new_life_does_not_count_the_old_ones_saves(disk: Disk) -> None:
    """A server without memory starts anew; the count of the file before does not refuse it."""
    storage = disk.open()
    for _ in range(5):
        storage.save(Save(state=STATE))
    disk.close()
    disk.path.unlink()

    disk.fill()

    assert disk.reload() == STATE


# ------------------------------------------------------------------------------------ failing saves


@contextmanager
def no_room() -> Iterator[None]:
    """Let no file grow beyond a few bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("is_first", [True, False])
def test_a_save_that_fails_is_the_last(disk: Disk, is_first: bool) -> None:
    """What is on disk is uncertain then: all later saves are refused; the old state stays."""
    if not is_first:
        disk.fill()
    storage = disk.open()
    storage.load()

    with no_room(), pytest.raises(StorageError, match=r"cannot save to .*The server must stop"):
        storage.save(Save(state=replace(STATE, instance=6)))
    with pytest.raises(StorageError, match=r"an earlier save to .* failed"):
        storage.save(Save(state=replace(STATE, instance=7)))

    assert disk.reload() == (None if is_first else STATE)


def test_the_strongest_sync_of_the_system_is_used(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On macOS fsync leaves data in the drive's cache; F_FULLFSYNC does not."""
    commands: list[int] = []
    monkeypatch.setattr("multipaxos.runtime.storage.file_system._FULL_SYNC", 51)
    monkeypatch.setattr(fcntl, "fcntl", lambda _, command: commands.append(command))

    disk.fill()

    assert commands == [51] * 3  # the directory's name, the file, the file's name
    assert disk.reload() == STATE


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_every_step_of_the_first_save_may_fail(
    disk: Disk, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """A disk that does not sync has not saved."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    storage = disk.open()
    storage.load()
    with monkeypatch.context() as patch:
        patch.setattr(os if failing == "fsync" else Path, failing, fail)
        with pytest.raises(StorageError, match=r"cannot save to .*: Input/output error"):
            storage.save(Save(state=STATE))

    assert disk.reload() is None


def test_a_note_that_cannot_be_written_is_no_failure(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state is safe; the note beside it only notices less."""

    def fail(*_: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", fail)
        disk.fill()

    assert disk.reload() == STATE


# --------------------------------------------------------------------------- the end at any instant


class Witness:
    """Copies the directory at every step of the write path, as a kill would leave it."""

    def __init__(self, disk: Disk, directory: Path) -> None:
        self.disk = disk
        self.directory = directory
        self.copies: list[Path] = []

    def copy(self, *_: object) -> None:
        """Keep what is on disk now."""
        copy = self.directory / str(len(self.copies))
        shutil.copytree(self.disk.directory, copy)
        self.copies.append(copy)

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return *function* with a copy before and after it."""

        def wrapped(*arguments: Any, **named: Any) -> Any:
            self.copy()
            try:
                return function(*arguments, **named)
            finally:
                self.copy()

        return wrapped

    def found(self) -> list[DurableState | None]:
        """Return what a restarted server would find in each copy."""
        return [self._load(Disk(self.disk.kind, copy)) for copy in self.copies]

    def _load(self, disk: Disk) -> DurableState | None:
        try:
            return disk.open().load()
        finally:
            disk.close()


def test_a_kill_at_any_step_leaves_the_old_state_or_the_new_one(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first save on: nothing, then one state after the other, never half of one."""
    witness = Witness(disk, tmp_path)
    states = [replace(STATE, instance=instance) for instance in range(3)]
    connect = sqlite3.connect

    def connect_and_watch(*arguments: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **named)
        connection.set_trace_callback(witness.copy)
        return connection

    storage = disk.open()
    storage.load()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", witness.around(os.fsync))
        patch.setattr(os, "open", witness.around(os.open))
        patch.setattr(Path, "replace", witness.around(Path.replace))
        patch.setattr(sqlite3, "connect", connect_and_watch)
        for state in states:
            storage.save(Save(state=state))
            witness.copy()
        disk.close()
        witness.copy()

    found = witness.found()

    order = [-1 if state is None else states.index(state) for state in found]
    assert order == sorted(order)
    assert set(order) == {-1, 0, 1, 2}
    assert len(found) > 20


def test_what_is_found_is_synced_before_it_is_trusted(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed save may have left it in the system's cache only: a power cut could take it back."""
    disk.fill()
    disk.close()
    synced: list[int] = []
    fsync = os.fsync

    def note_and_sync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note_and_sync)

    disk.open().load()

    assert {disk.path.stat().st_ino, disk.directory.stat().st_ino} <= set(synced)


# ----------------------------------------------------------------------------- SQLite in particular


@pytest.fixture
def sqlite_disk(tmp_path: Path) -> Iterator[Disk]:
    """Return an empty directory for SQLite."""
    disk = Disk(SqliteStorage, tmp_path / "data")
    yield disk
    disk.close()


def run_sql(disk: Disk, *statements: str) -> None:
    """Meddle with the database."""
    with closing(sqlite3.connect(disk.path, isolation_level=None)) as database:
        for statement in statements:
            database.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM identity",
        "INSERT INTO identity SELECT * FROM identity",
        "UPDATE identity SET format = 'one'",
        "DROP TABLE identity",
        "DROP TABLE votes",
        "DELETE FROM votes",
        "INSERT INTO votes SELECT 2, saves, 9, 9, '', 0, '', checksum FROM votes",
        "UPDATE votes SET promised_number = promised_number + 1",
        "UPDATE votes SET accepted_uid = x'ff'",
        "UPDATE votes SET checksum = ''",
        "DELETE FROM life",
        "UPDATE life SET text = replace(text, '4f1c', '4f1d')",
        "DELETE FROM snapshot",
        "UPDATE snapshot SET text = replace(text, 'hello', 'jello')",
        "UPDATE snapshot SET text = 1",
        "UPDATE snapshot SET instance = 4",
        "DELETE FROM links WHERE number = 5",
        "UPDATE links SET text = replace(text, 'hello', 'jello')",
        "UPDATE OR REPLACE links SET number = 5 WHERE number = 4",
        "UPDATE links SET checksum = (SELECT checksum FROM links WHERE number = 4)",
    ],
)
def test_a_database_that_is_not_what_was_saved_is_damaged(
    sqlite_disk: Disk, statement: str
) -> None:
    """SQLite finds it in order; we do not."""
    sqlite_disk.fill()
    run_sql(sqlite_disk, statement)

    with pytest.raises(StorageError, match="is damaged"):
        sqlite_disk.open().load()


def test_a_database_with_a_lost_page_is_damaged(sqlite_disk: Disk) -> None:
    """Also where the state itself can still be read."""
    storage = sqlite_disk.open(history_max=1000)
    for number in range(0, 400, 100):
        storage.save(decided(*range(number, number + 100)))
    sqlite_disk.close()
    size = sqlite_disk.path.stat().st_size
    with sqlite_disk.path.open("r+b") as file:
        file.seek(size - 4096)
        file.write(bytes(4096))

    with pytest.raises(StorageError, match="is damaged"):
        sqlite_disk.open().load()


def test_the_database_of_another_program_is_left_alone(sqlite_disk: Disk) -> None:
    """It is refused as damaged, and not turned into anything."""
    sqlite_disk.directory.mkdir(mode=0o700)
    run_sql(sqlite_disk, "CREATE TABLE pets (name TEXT)")
    before = sqlite_disk.path.read_bytes()

    with pytest.raises(StorageError, match="no such table: identity"):
        sqlite_disk.open().load()

    assert sqlite_disk.path.read_bytes() == before


def test_a_link_of_the_history_that_is_damaged_gets_a_sentence(sqlite_disk: Disk) -> None:
    """The votes are fine; the history says that it is not."""
    sqlite_disk.fill()
    run_sql(sqlite_disk, "UPDATE links SET text = replace(text, 'hello', 'jello') WHERE number = 4")
    storage = sqlite_disk.open()
    assert storage.load() == STATE

    with pytest.raises(StorageError, match=r"cannot read the history in .*: its checksum is wrong"):
        storage.history(10)


def save_and_die(directory: Path, saves: int) -> None:
    """Save STATE with *saves* instances, and end without closing anything."""
    storage = Disk(SqliteStorage, directory).open()
    for instance in range(saves):
        storage.save(Save(state=replace(STATE, instance=instance)))
    os._exit(0)


def crash(disk: Disk, saves: int) -> None:
    """Let a process save and die."""
    code = (
        "import sys, pathlib, tests.runtime.test_storage as t\n"
        "t.save_and_die(pathlib.Path(sys.argv[1]), int(sys.argv[2]))\n"
    )
    root = Path(__file__).parents[2]
    arguments = [sys.executable, "-c", code, str(disk.directory), str(saves)]
    subprocess.run(arguments, cwd=root, check=True, timeout=60)


def test_the_state_after_a_crash_is_in_the_log_too(sqlite_disk: Disk) -> None:
    """What was committed is read from the file ending in -wal."""
    crash(sqlite_disk, 3)
    assert sqlite_disk.path.with_name("A.sqlite3-wal").stat().st_size > 0

    assert sqlite_disk.reload() == replace(STATE, instance=2)


@pytest.mark.parametrize("size", [None, 0, 4000])
def test_a_log_that_was_removed_or_cut_is_noticed(sqlite_disk: Disk, size: int | None) -> None:
    """The last commits went with it: the count of saves in the lock file tells."""
    crash(sqlite_disk, 3)
    log = sqlite_disk.path.with_name("A.sqlite3-wal")
    if size is None:
        log.unlink()
    else:
        os.truncate(log, size)

    with pytest.raises(StorageError, match=r"old copy: .*-wal is part of it"):
        sqlite_disk.open().load()


def test_a_log_without_its_database_is_not_a_missing_state(sqlite_disk: Disk) -> None:
    """Somebody removed the one and not the other: SQLite would replay it into a new database."""
    crash(sqlite_disk, 3)
    sqlite_disk.path.unlink()

    with pytest.raises(StorageError, match=r"it is missing, while A\.sqlite3-wal"):
        sqlite_disk.open().load()

    sqlite_disk.path.with_name("A.sqlite3-wal").unlink()
    assert sqlite_disk.reload() is None


def test_looking_into_the_database_does_no_harm(sqlite_disk: Disk) -> None:
    """A person opens it after a crash with the sqlite3 command, which moves the log into it."""
    crash(sqlite_disk, 3)

    run_sql(sqlite_disk, "SELECT * FROM votes")

    assert not sqlite_disk.path.with_name("A.sqlite3-wal").exists()
    assert sqlite_disk.reload() == replace(STATE, instance=2)


def test_remains_of_an_interrupted_first_save_are_swept_away(sqlite_disk: Disk) -> None:
    """Nothing was promised from them."""
    sqlite_disk.directory.mkdir(mode=0o700)
    for end in ("", "-journal", "-wal"):
        (sqlite_disk.directory / f"A.sqlite3.new{end}").write_bytes(b"half")

    assert sqlite_disk.open().load() is None
    sqlite_disk.close()
    sqlite_disk.fill()

    assert sqlite_disk.reload() == STATE
    assert not list(sqlite_disk.directory.glob("*.new*"))


def test_a_commit_is_on_disk_when_it_returns(sqlite_disk: Disk) -> None:
    """WAL with synchronous=FULL: with NORMAL, a power cut takes acknowledged commits."""
    storage = sqlite_disk.open()
    assert isinstance(storage, SqliteStorage)
    storage.save(Save(state=STATE))
    for _ in range(2):
        database = storage._database  # noqa: SLF001 - the setting lives in the connection
        assert database is not None
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("PRAGMA synchronous").fetchone() == (2,)
        storage.close()
        assert storage.load() == STATE


# ------------------------------------------------------------------------------- JSON in particular


@pytest.fixture
def json_disk(tmp_path: Path) -> Iterator[Disk]:
    """Return an empty directory for JSON."""
    disk = Disk(JsonStorage, tmp_path / "data")
    yield disk
    disk.close()


def test_the_file_can_be_read_by_a_person(json_disk: Disk) -> None:
    """Whose it is, how often it was saved, the votes, the snapshot, the history."""
    json_disk.fill()

    content = json.loads(json_disk.path.read_text())["content"]

    assert {key: content[key] for key in ("format", "cluster", "uid", "machine", "saves")} == {
        "format": 3,
        "cluster": "main",
        "uid": "A",
        "machine": "register",
        "saves": 1,
    }
    assert content["state"]["votes"]["promised"] == [3, "C"]
    assert content["state"]["snapshot"]["value"] == "hello, too"
    assert [number for number, _ in content["history"]] == [4]


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b"[]",
        b'{"format":3}',
        b'{"format":"2"}',
        b'{"format":3,"surprise":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    ],
)
def test_content_with_the_right_checksum_is_still_checked(json_disk: Disk, content: bytes) -> None:
    """A checksum guards against accidents, not against programs with mistakes."""
    from multipaxos.runtime.storage.base import checksum  # noqa: PLC0415 - only needed here

    json_disk.directory.mkdir(mode=0o700)
    json_disk.path.write_bytes(
        b'{"checksum":"%s","content":%s}' % (checksum(content).encode(), content)
    )

    with pytest.raises(StorageError, match="is damaged"):
        json_disk.open().load()


def test_remains_of_an_interrupted_save_are_replaced(json_disk: Disk) -> None:
    """The new file was never renamed: nothing was promised from it."""
    json_disk.directory.mkdir(mode=0o700)
    (json_disk.directory / "A.json.new").write_bytes(b"half")
    assert json_disk.open().load() is None
    json_disk.close()

    json_disk.fill()

    assert json_disk.reload() == STATE
    assert not list(json_disk.directory.glob("*.new*"))
