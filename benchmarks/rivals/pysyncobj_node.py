"""
A server of PySyncObj: ``pysyncobj_node.py DIRECTORY yes|no OWN PARTNER...``, and its load.

PySyncObj has no protocol for clients: whoever writes is a server himself. So the load runs inside
the leader, without any network between client and server, which is to its advantage. Each "client"
writes again from the callback of its last write. The second argument says whether the leader
collects writes for a tenth of a second, as it does by default. Plans and results are those of
multipaxos.bench.load_process, over a socket in DIRECTORY; pysyncobj_relay.py connects to it.
"""

import json
import os
import random
import socket
import sys
from pathlib import Path
from time import monotonic_ns
from typing import Any

import msgspec
from pysyncobj import SyncObj, SyncObjConf, replicated

from multipaxos.bench.plan import LoadPlan
from multipaxos.bench.tally import Tally

TICK_SECONDS = 0.05
"""How long its own thread would wait for something to happen, if it ran one."""
REPORT_NS = 200_000_000
DRAIN_NS = 10_000_000_000


class Texts(SyncObj):  # type: ignore[misc]
    """A dictionary that is replicated."""

    def __init__(self, directory: Path, own: str, partners: list[str], *, batches: bool) -> None:
        """Keep the journal in *directory*."""
        conf = SyncObjConf(
            autoTick=False,
            journalFile=str(directory / "journal"),
            fullDumpFile=str(directory / "dump"),
            appendEntriesUseBatch=batches,
        )
        super().__init__(own, partners, conf)
        self.texts: dict[str, str] = {}

    @replicated  # type: ignore[untyped-decorator]
    def set_text(self, key: str, text: str) -> None:
        """Set *key* to *text*."""
        self.texts[key] = text


class Load:
    """The writes of one plan, inside the leader."""

    def __init__(self, node: Texts, plan: LoadPlan) -> None:
        """Begin now."""
        self.tally = Tally()
        self.under_way = 0
        self.is_sending = True
        self._node = node
        self._content = plan.content
        self._rng = random.Random(plan.seed)
        self.pairs = [
            (plan.content.key(number).decode(), plan.content.value(number).decode())
            for number in range(plan.content.keys)
        ]

    def write(self) -> None:
        """Write once, and again when that is done."""
        key, text = self._rng.choice(self.pairs)
        began = monotonic_ns()
        self.under_way += 1

        def done(_: object, failure: int) -> None:
            now = monotonic_ns()
            self.under_way -= 1
            if failure:
                self.tally.fail(f"failure {failure}")
            else:
                self.tally.times.append(now)
                self.tally.latencies.append(now - began)
                self.tally.sizes.append(1)
                self.tally.writes += 1
            if self.is_sending:
                self.write()

        self._node.set_text(key, text, callback=done)


def play(node: Texts, plan: LoadPlan, tell: Any) -> None:
    """Play *plan*, and tell what came of it."""
    load = Load(node, plan)
    cpu = sum(os.times()[:2])
    began = monotonic_ns() + round(plan.warm_up_seconds * 1e9)
    ended = began + round(plan.seconds * 1e9)
    for _ in range(plan.load.clients):
        load.write()
    next_report = monotonic_ns() + REPORT_NS
    while (now := monotonic_ns()) < ended:
        node.doTick(TICK_SECONDS)
        if now > next_report:
            tell({"answers": load.tally.answered, "errors": load.tally.errors.total()})
            next_report = now + REPORT_NS
    load.is_sending = False
    while load.under_way and monotonic_ns() < ended + DRAIN_NS:
        node.doTick(TICK_SECONDS)
    load.tally.unknown = load.under_way
    cpu = sum(os.times()[:2]) - cpu
    result = load.tally.result(began=began, ended=ended, cpu_seconds=cpu)
    tell({"result": msgspec.to_builtins(result, str_keys=True)})


def main() -> None:
    """Serve until the end, and play what comes over the socket in the file ``load.sock``."""
    directory, batches, own, *partners = sys.argv[1:]
    node = Texts(Path(directory), own, partners, batches=batches == "yes")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(Path(directory) / "load.sock"))
    listener.listen()
    listener.settimeout(0)
    state = Path(directory) / "leader"
    while True:
        node.doTick(TICK_SECONDS)
        # The parent looks for this file.
        if node._isLeader() and node.isReady():  # noqa: SLF001 - it has no other name
            state.touch()
        else:
            state.unlink(missing_ok=True)
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            continue
        serve(node, connection)


def serve(node: Texts, connection: socket.socket) -> None:
    """Play one plan that comes over *connection*."""
    connection.settimeout(0)
    lines = bytearray()

    def tell(what: dict[str, object]) -> None:
        connection.settimeout(5)
        connection.sendall(json.dumps(what).encode() + b"\n")
        connection.settimeout(0)

    def read_lines(count: int) -> bool:
        """Serve the others until so many lines came; tell whether they did."""
        while lines.count(b"\n") < count:
            node.doTick(0.01)
            try:
                data = connection.recv(1 << 16)
            except BlockingIOError:
                continue
            if not data:
                return False
            lines.extend(data)
        return True

    with connection:
        try:
            if read_lines(1):
                plan = msgspec.json.decode(bytes(lines).split(b"\n")[0], type=LoadPlan)
                tell({"ready": True})
                if read_lines(2):
                    play(node, plan, tell)
        except OSError:
            return  # Whoever asked is gone.


if __name__ == "__main__":
    main()
