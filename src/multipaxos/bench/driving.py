"""Load processes, as whoever starts them sees them."""

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any

import msgspec
from typing_extensions import override

from multipaxos.bench.plan import LoadPlan
from multipaxos.bench.tally import LoadResult

END_SECONDS_MAX = 5.0

PROGRAM = (sys.executable, "-m", "multipaxos.bench.load_process")


class LoadFailedError(Exception):
    """A load process came to no result; the message is a sentence without its full stop."""


class LoadProcess(AbstractContextManager["LoadProcess"]):
    """
    A child process that plays one plan; leaving it as a context ends it.

    State: how many *answers* and *errors* it told of so far, and its *result*, once there is one.
    *program* may be another one that reads the same plan and tells the same things.
    """

    def __init__(self, plan: LoadPlan, program: Sequence[str] = PROGRAM) -> None:
        """Start it and hand it the *plan*."""
        self.answers = 0
        self.errors = 0
        self.result: LoadResult | None = None
        self._failure: str | None = None
        self._ready = threading.Event()
        self._process = subprocess.Popen(  # noqa: S603 - this program itself, or a benchmark's
            program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl+C is for whoever started it, who ends it in order.
            process_group=0,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._say(msgspec.json.encode(plan))

    @override
    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        # It takes that for the end of whoever started it.
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def wait_until_ready(self, seconds: float) -> None:
        """Wait until all clients are connected; LoadFailedError if they do not come to be."""
        if not self._ready.wait(seconds):
            raise LoadFailedError(f"the clients were not connected within {seconds:.0f} seconds")
        if self._failure is not None:
            raise LoadFailedError(self._failure)

    def begin(self) -> None:
        """Let the load begin."""
        self._say(b"begin")

    def wait(self, seconds: float) -> bool:
        """Wait for the end of the process, at most *seconds*; return whether it came."""
        self._reader.join(seconds)
        if self._reader.is_alive():
            return False
        if self._failure is not None or self.result is None:
            raise LoadFailedError(self._failure or "a load process ended without a result")
        return True

    def _say(self, line: bytes) -> None:
        assert self._process.stdin is not None
        # If it is gone, its output has ended: the reader tells.
        with suppress(OSError):
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._take(json.loads(line))
        if not self._ready.is_set():
            self._failure = self._failure or "a load process ended before it was ready"
            self._ready.set()

    def _take(self, told: dict[str, Any]) -> None:
        if "failed" in told:
            self._failure = told["failed"]
        elif "result" in told:
            self.result = msgspec.convert(told["result"], LoadResult, strict=False)
        elif "ready" in told:
            self._ready.set()
        else:
            self.answers, self.errors = told["answers"], told["errors"]
