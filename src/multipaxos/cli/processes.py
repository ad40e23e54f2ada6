"""Servers as child processes: started, watched, killed and always ended by whoever started them."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.text import Text

from multipaxos.runtime.config import Address, Config, ServerConfig

STOP_SECONDS_MAX = 5.0
POLL_SECONDS = 0.02
PORTS = range(20_000, 32_000)
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ServerProcess:
    """
    One server as a child process.

    State: the process, and its *output* so far, a line each, with its colours. *on_line* is called
    with each line, from a thread of its own.
    """

    def __init__(
        self,
        uid: str,
        arguments: Sequence[str],
        *,
        on_line: Callable[[Text], None] = lambda _: None,
        colour: bool = False,
        width: int | None = None,
        listens: bool = False,
        program: Sequence[str] = (sys.executable, "-m", "multipaxos"),
    ) -> None:
        """
        Start *program*'s ``server`` with *arguments*; its lines have *width* columns.

        One that *listens* can be told lines, and ends with the program that started it.
        """
        self.uid = uid
        self.output: list[Text] = []
        self._on_line = on_line
        self._process = subprocess.Popen(
            [*program, "server", uid, *arguments],
            stdin=subprocess.PIPE if listens else subprocess.DEVNULL,
            # A group of its own loses its last parent with us: the kernel then wakes and hangs up
            # even a server that stands still, which would never see its input end.
            process_group=0 if listens else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(colour=colour, width=width),
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How the child ended: minus the signal that killed it; None while it runs."""
        return self._process.poll()

    @property
    def lines(self) -> list[str]:
        """What the server printed so far, without its colours."""
        return [line.plain for line in self.output]

    @property
    def is_ready(self) -> bool:
        """Tell whether the server said that it serves."""
        return "ready" in self.lines

    def tell(self, line: str) -> None:
        """Write *line* to the child's standard input; nothing happens if it has ended."""
        assert self._process.stdin is not None, "only a server that listens can be told anything"
        with suppress(OSError, ValueError):
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()

    def stop(self) -> None:
        """Let the child stand still, in the middle of whatever it does (SIGSTOP)."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let a child that stands still go on (SIGCONT)."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End the child as a power cut would: at once, without a chance to tidy up (kill -9)."""
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def terminate(self) -> int:
        """Ask the child to end, and wait until it did; return its exit code."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reader.join()
        return self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.output.append(Text.from_ansi(line.rstrip("\n")))
            self._on_line(self.output[-1])
        self._process.stdout.close()


def interrupt_at_end() -> None:
    """
    Take a request to end, and the end of the terminal, as Ctrl+C.

    Whoever ends this program must leave neither its servers behind nor its files.
    """
    take_ends(_interrupt, (signal.SIGTERM, signal.SIGHUP))


def interrupt_once() -> None:
    """
    Take the first request to end as Ctrl+C, and ignore those that follow.

    Whoever must end many processes before it ends itself is not to be kept from that.
    """
    take_ends(_interrupt_once)


def take_ends(
    action: Callable[[int, FrameType | None], None], signals: Iterable[signal.Signals] = _ENDS
) -> None:
    """
    Let *action* take the *signals* that ask this program to end.

    One that is ignored, as ``nohup`` has it, stays so.
    """
    for number in signals:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, action)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _interrupt_once(*_: object) -> NoReturn:
    for number in _ENDS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def end_all(processes: Sequence[ServerProcess]) -> None:
    """End those of *processes* that run: all are asked first, then waited for."""
    running = [process for process in processes if process.exit_code is None]
    for process in running:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
            # One that stands still would not hear of it.
            process.go_on()
    for process in running:
        process.terminate()


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Wait for *condition*, at most *seconds*; return whether it came true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def free_ports(count: int, *kinds: socket.SocketKind) -> list[int]:
    """
    Return *count* ports of loopback that nobody uses just now for sockets of these *kinds*.

    They lie below those that systems give to outgoing connections: while a server is dead, nobody
    gets its port by chance.
    """
    candidates = random.sample(PORTS, len(PORTS))
    free = (port for port in candidates if all(_is_free(port, kind) for kind in kinds))
    return list(islice(free, count))


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def loopback_servers(uids: Sequence[str]) -> dict[str, ServerConfig]:
    """Return servers on loopback, with ports that nobody uses just now."""
    # Servers speak to each other over both, so no client's port may be a peer's.
    ports = free_ports(2 * len(uids), socket.SOCK_DGRAM, socket.SOCK_STREAM)
    return {
        uid: ServerConfig(
            uid=uid,
            peer=Address(host="127.0.0.1", port=peer),
            client=Address(host="127.0.0.1", port=client),
        )
        for uid, peer, client in zip(uids, ports[::2], ports[1::2], strict=True)
    }


def write_config(
    path: Path, config: Config, settings: Mapping[str, float | str] | None = None
) -> None:
    """Write the servers of *config*, and *settings*, to *path* as TOML."""
    lines = [f'cluster = "{config.cluster}"']
    for server in config.servers.values():
        lines += [
            "",
            f"[servers.{server.uid}]",
            f'peer = "{server.peer}"',
            f'client = "{server.client}"',
        ]
        if server.metrics is not None:
            lines.append(f'metrics = "{server.metrics}"')
    if settings:
        lines += ["", "[settings]", *(f"{name} = {value}" for name, value in settings.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _environment(*, colour: bool, width: int | None) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
    if colour:
        environment["FORCE_COLOR"] = "1"
    if width is not None:
        environment["COLUMNS"] = str(width)
    return environment
