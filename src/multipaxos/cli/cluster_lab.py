"""``multipaxos cluster --lab``: the servers as processes, and the lab's page in front of them."""

import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from multipaxos.chain.register import Register
from multipaxos.cli.lab_page import open_lab
from multipaxos.cli.output import open_console
from multipaxos.cli.processes import ServerProcess, end_all, take_ends
from multipaxos.cli.reaching import Reach, find_servers
from multipaxos.cli.server_lines import end_of, start_on
from multipaxos.client import ClientError
from multipaxos.lab.live import LiveCluster
from multipaxos.lab.live.stream import Stream
from multipaxos.lab.live.tail import TraceTail
from multipaxos.runtime.clock import boot_seconds
from multipaxos.runtime.config import Config
from multipaxos.trace import printable

ASK_SECONDS_MAX = 3.0
ASK_PATIENCE_SECONDS = 0.5
"""The page sees nothing new while it waits for an answer: after this long it is shown instead."""
ASKED_AT_ONCE_MAX = 4
LOOK_SECONDS = 0.2


def run_with_lab(
    config: Config, options: Sequence[str], state: str, *, port: int, opens_browser: bool
) -> int:
    """
    Run the servers of *config*, which keep a *state* of that kind, and the lab, until Ctrl+C.

    Returns the exit code. Raises FailedError if the lab cannot listen.
    """
    with ExitStack() as stack:
        traces = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="multipaxos-lab-")))
        children = _Children(
            config, [*options, "--faults-from-stdin"], traces, has_keys=state != Register.kind
        )
        stack.callback(children.end)
        children.start_all()
        tails = [TraceTail(path) for path in children.traces.values()]
        live = LiveCluster(tuple(config.servers), Stream(tails, seconds=boot_seconds), children)
        _serve(live, children, port, opens_browser=opens_browser)
    return 0


def _serve(live: LiveCluster, children: "_Children", port: int, *, opens_browser: bool) -> None:
    from twisted.internet.task import LoopingCall

    from multipaxos.lab.web.service import Service

    notice = "Its servers lose, delay and cut messages on purpose, if the page says so."
    loop = open_lab(Service(live=live), port, opens_browser=opens_browser, notice=notice)
    take_ends(lambda *_: loop.callFromThread(_stop, loop))
    LoopingCall(children.look).start(LOOK_SECONDS)
    loop.run(installSignalHandlers=False)


def _stop(loop: Any) -> None:
    if loop.running:
        loop.stop()


class _Children:
    """
    The servers as child processes, in the hand of the lab.

    State: the newest process of each server; who stands still; whose end was told; the threads that
    wait for answers.
    """

    def __init__(
        self, config: Config, options: Sequence[str], directory: Path, *, has_keys: bool
    ) -> None:
        self.traces = {uid: directory / f"{uid}.ndjson" for uid in config.servers}
        self._config = config
        self._options = list(options)
        self._console = open_console()
        self._processes: dict[str, ServerProcess] = {}
        self._has_keys = has_keys
        self._still: set[str] = set()
        self._told: set[int] = set()
        self._asking = ThreadPoolExecutor(ASKED_AT_ONCE_MAX, "ask")

    def start_all(self) -> None:
        for uid in self._config.servers:
            self._start(uid)

    def end(self) -> None:
        end_all(list(self._processes.values()))
        # Whoever still waits is told now that nobody is there.
        self._asking.shutdown(cancel_futures=True)

    def look(self) -> None:
        """Tell of each process that has ended."""
        for uid, process in list(self._processes.items()):
            if process.exit_code is not None and process.pid not in self._told:
                self._told.add(process.pid)
                self._print(end_of(uid, process.exit_code))

    # -- what the lab asks for ---------------------------------------------------------------------

    def state(self, uid: str) -> str:
        if self._processes[uid].exit_code is not None:
            return "down"
        return "paused" if uid in self._still else "up"

    def strike(self, deed: str, uid: str) -> None:
        process = self._processes[uid]
        if deed == "restart":
            self._start(uid)
        elif deed == "pause":
            self._still.add(uid)
            process.stop()
        elif deed == "resume":
            self._still.discard(uid)
            process.go_on()
        else:
            self._still.discard(uid)
            process.kill()

    def tell(self, uid: str, line: str) -> None:
        self._processes[uid].tell(line)

    def ask(self, uid: str, value: str) -> str:
        answer = self._asking.submit(self._set, uid, value)
        try:
            return answer.result(ASK_PATIENCE_SECONDS)
        except TimeoutError:
            return f"{uid} has not answered yet; what it does is shown below."

    # -- own affairs -------------------------------------------------------------------------------

    def _set(self, uid: str, value: str) -> str:
        reach = Reach(
            config=self._config,
            servers=find_servers(self._config, uid),
            timeout_seconds=ASK_SECONDS_MAX,
        )
        words = value.split(maxsplit=1) if self._has_keys else [value]
        began = time.monotonic()
        try:
            with reach.value() as replicated:
                replicated.set(*words)
        except (ClientError, TypeError, click.ClickException) as error:
            return str(error)
        milliseconds = (time.monotonic() - began) * 1000
        return f"{uid} has set {printable(value, length_max=60)}, {milliseconds:.1f} ms later."

    def _start(self, uid: str) -> None:
        self._processes[uid] = start_on(
            self._console,
            uid,
            [*self._options, "--trace", str(self.traces[uid])],
            on_line=self._print,
            listens=True,
        )

    def _print(self, line: Text) -> None:
        try:
            self._console.print(line)
        except OSError:
            # Nobody reads the output; the page goes on.
            self._console.quiet = True
