"""kill -9 while a process saves: what it was told is saved, is saved."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from multipaxos.chain.register import Register
from multipaxos.runtime.storage import JsonStorage, SqliteStorage
from multipaxos.runtime.storage.base import FileStorage

pytestmark = pytest.mark.live

KINDS: list[type[FileStorage]] = [SqliteStorage, JsonStorage]

SAVE_FOR_EVER = """
import sys
from dataclasses import replace
from pathlib import Path
from multipaxos.chain.durable import DecidedLink, DurableState
from multipaxos.chain.effects import Save
from multipaxos.chain.ledger import apply_link
from multipaxos.chain.links import Updates
from multipaxos.chain.register import Register
from multipaxos.chain.requests import RequestID, Update
from multipaxos.runtime import storage
kind, directory = sys.argv[1:]
machine = Register()
disk = getattr(storage, kind)(
    Path(directory), cluster="main", uid="A", machine=machine, sessions_max=9, history_max=20
)
state = disk.load() or DurableState(birth="b")
print("ready", flush=True)
while True:
    number = state.instance
    command = ("SET", str(number + 1) * 1000)
    update = Update(request_id=RequestID("c", number), command=command, since=0)
    link = Updates(updates=(update,))
    effect = apply_link(state.snapshot, number, link, machine=machine, sessions_max=9)
    state = replace(state, instance=number + 1, snapshot=effect.snapshot)
    disk.save(Save(state=state, decided=(DecidedLink(number=number, link=link),)))
    print(number + 1, flush=True)
"""


def save_until_killed(kind: type[FileStorage], directory: Path, seconds: float) -> int:
    """Let a process save for *seconds*, kill it; return the last save that it was told of."""
    command = [sys.executable, "-c", SAVE_FOR_EVER, kind.__name__, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        process.kill()
        # The last line may be cut short: only whole lines count.
        lines = [line for line in process.stdout if line.endswith("\n")]
    return int(lines[-1]) if lines else 0


def check(kind: type[FileStorage], directory: Path, acknowledged: int) -> None:
    """Check that a restarted server finds at least what was *acknowledged*, and it whole."""
    disk = kind(
        directory, cluster="main", uid="A", machine=Register(), sessions_max=9, history_max=20
    )
    state = disk.load()
    newest = [decided.number for decided in disk.history(20)]
    disk.close()
    if state is None:
        assert acknowledged == 0
        return
    assert state.instance in {acknowledged, acknowledged + 1}
    assert state.snapshot.value == str(state.instance) * 1000
    assert newest == list(range(max(0, state.instance - 20), state.instance))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_kill_9_loses_nothing_acknowledged(kind: type[FileStorage], tmp_path: Path) -> None:
    """Ten times in a row, each process going on where the last one was killed."""
    rng = random.Random(1)
    acknowledged = 0
    for _ in range(10):
        last = save_until_killed(kind, tmp_path / "data", rng.uniform(0, 0.2))
        acknowledged = max(acknowledged, last)

        check(kind, tmp_path / "data", acknowledged)

        disk = kind(
            tmp_path / "data",
            cluster="main",
            uid="A",
            machine=Register(),
            sessions_max=9,
            history_max=20,
        )
        state = disk.load()
        disk.close()
        acknowledged = 0 if state is None else state.instance
    assert acknowledged > 10


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_kill_9_in_the_first_save_leaves_a_state_or_none(
    kind: type[FileStorage], tmp_path: Path
) -> None:
    """A state file that is half made would stop the server for ever."""
    rng = random.Random(2)
    for number in range(10):
        directory = tmp_path / str(number)

        acknowledged = save_until_killed(kind, directory, rng.uniform(0, 0.01))

        check(kind, directory, acknowledged)
