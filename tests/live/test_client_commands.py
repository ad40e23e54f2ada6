"""The commands for clients, and the shell, against three real servers."""

import json
import os
import pty
import select
import signal
import stat
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest
from tests.live.cluster import WAIT_SECONDS_MAX, LiveCluster, keeping

from multipaxos.cli.processes import wait_until

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def dictionary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCluster]:
    """Three servers that keep a dictionary, for the tests of this file that end none of them."""
    with keeping(tmp_path_factory.mktemp("dictionary"), "dictionary") as cluster:
        yield cluster


def command(cluster: LiveCluster, name: str, *arguments: str) -> list[str]:
    """Return the words of a command on *cluster*."""
    options = ["--config", str(cluster.config_path), "--timeout", str(WAIT_SECONDS_MAX)]
    return [sys.executable, "-m", "multipaxos", name, *options, *arguments]


def run(cluster: LiveCluster, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command on *cluster* to its end."""
    return subprocess.run(
        command(cluster, *arguments),
        input=typed,
        capture_output=True,
        text=True,
        timeout=2 * WAIT_SECONDS_MAX,
        check=False,
    )


def told(cluster: LiveCluster, *arguments: str) -> tuple[str, int]:
    """Return what a command prints, without the numbers of links, and its exit code."""
    result = run(cluster, *arguments)
    said = (result.stdout + result.stderr).rstrip("\n")
    return said.partition(", as of link")[0].partition(": link")[0], result.returncode


def test_a_register_through_the_commands(tmp_path: Path) -> None:
    """Each command, on servers that keep one text."""
    with keeping(tmp_path, "register") as cluster:
        assert told(cluster, "get") == ("no value was set yet", 0)
        assert told(cluster, "cas", "--absent", "one") == ("done", 0)
        assert told(cluster, "cas", "--absent", "two") == ("not done: it is there", 3)
        assert told(cluster, "cas", "one", "two") == ("done", 0)
        assert told(cluster, "set", "three", "--via", "B,C") == ("done", 0)
        assert told(cluster, "get", "--via", "C") == ("three", 0)
        assert told(cluster, "execute", "get") == ('"three"', 0)
        refusal, code = told(cluster, "get", "C")
        assert refusal.endswith("leave that out. To ask server C, use --via C.")
        assert code == 2
        stale = run(cluster, "get", "--stale", "--via", "A", "--json")
        assert json.loads(stale.stdout)["server"] == "A"
        assert "  three" not in run(cluster, "status").stdout
        assert '"three"' in run(cluster, "status").stdout


def test_a_dictionary_through_the_commands(dictionary: LiveCluster) -> None:
    """Each command, on servers that keep texts by key."""
    assert told(dictionary, "set", "k", "v", "--nx") == ("done", 0)
    assert told(dictionary, "set", "k", "w", "--nx") == ("not done: it is there already", 3)
    assert told(dictionary, "set", "k", "w", "--xx") == ("done", 0)
    assert told(dictionary, "cas", "k", "w", "x") == ("done", 0)
    assert told(dictionary, "cas", "k", "w", "y") == ("not done: it is not as expected", 3)
    assert told(dictionary, "get", "k") == ("x", 0)
    assert told(dictionary, "execute", "incr", "n") == ("(integer) 1", 0)
    assert told(dictionary, "execute", "--", "incrby", "n", "-3") == ("(integer) -2", 0)
    assert told(dictionary, "execute", "append", "k") == (
        "Wrong number of arguments for 'append' command. It is written: APPEND key value",
        2,
    )
    assert told(dictionary, "delete", "k", "n", "no") == ("deleted 2 of 3 keys", 0)
    assert "0 keys" in run(dictionary, "status").stdout
    history = run(dictionary, "history").stdout
    assert '  CAS "k" "w" "x"\n' in history
    assert '  DEL "k" "n" "no"\n' in history


def test_a_shell_through_a_pipe(dictionary: LiveCluster) -> None:
    """Commands in, results out; ``status`` and ``help`` are there, too."""
    typed = "set p 1\nincr p\nincr q r\nstatus\nhelp incr\ndel p\n"

    result = run(dictionary, "shell", typed=typed)

    lines = result.stdout.splitlines()
    assert lines[0].startswith("OK  link ")
    assert lines[1].startswith("(integer) 2  link ")
    assert lines[2].split()[:4] == ["server", "state", "link", "dictionary"]
    assert lines[6] == "INCR key"
    assert result.stderr.startswith("line 3: Wrong number of arguments for 'incr' command.")
    assert result.returncode == 2


# -- a server is killed meanwhile ------------------------------------------------------------------


class Program:
    """A command that runs beside the test; what it printed is read by a thread."""

    def __init__(self, words: list[str]) -> None:
        """Start it."""
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Who is run in the background ignores SIGINT, and so would its child.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def type(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def wait_for(self, text: str) -> None:
        """Wait until it has printed *text*."""
        found = wait_until(lambda: text in "\n".join(self.lines), seconds=WAIT_SECONDS_MAX)
        assert found, self.lines

    def end(self) -> int:
        """Wait for its end, and return its exit code."""
        code = self.process.wait(WAIT_SECONDS_MAX)
        self._reader.join()
        assert self.process.stdin is not None
        self.process.stdin.close()
        return code

    def kill(self) -> None:
        """End it, if it has not ended."""
        self.process.kill()
        self.end()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
        self.process.stdout.close()


def test_a_watch_and_a_shell_outlive_their_server(tmp_path: Path) -> None:
    """When the server that they ask gets kill -9, the watch misses nothing, the shell goes on."""
    with keeping(tmp_path, "register") as cluster:
        cluster.propose("A", "before")
        watch = Program(command(cluster, "watch", "--count", "4"))
        shell = Program(command(cluster, "shell"))
        try:
            watch.wait_for("watching all changes, 4 at most")
            shell.type("set one")
            watch.wait_for('"one"')

            cluster.kill("A")
            shell.type("set two")
            shell.type("set three")
            watch.wait_for('"three"')
            cluster.start("A", options=["--state", "register"])
            shell.type("set four")
            shell.type("quit")

            assert watch.end() == 0
            assert [line.split()[-1] for line in watch.lines[1:]] == [
                '"one"',
                '"two"',
                '"three"',
                '"four"',
            ]
            assert shell.end() == 0
            assert [line.split()[0] for line in shell.lines] == ["OK"] * 4
        finally:
            watch.kill()
            shell.kill()


def test_an_interrupted_watch_ends_quietly(dictionary: LiveCluster) -> None:
    """Ctrl+C: exit code 130, and no traceback."""
    watch = Program(command(dictionary, "watch"))
    try:
        watch.wait_for("until Ctrl+C")

        watch.process.send_signal(signal.SIGINT)

        assert watch.end() == 130
        assert [line for line in watch.lines if line] == ["watching all changes, until Ctrl+C"]
    finally:
        watch.kill()


# -- at a terminal ---------------------------------------------------------------------------------


class Terminal:
    """The shell on a pseudo-terminal, and what is on its screen so far."""

    def __init__(self, cluster: LiveCluster, home: Path, *, columns: int = 100) -> None:
        """Start it; its history lies below *home*."""
        self.screen = ""
        self._near, far = pty.openpty()
        termios.tcsetwinsize(far, (30, columns))
        # The other end of a real terminal would say where the cursor is.
        own = {"TERM": "xterm", "XDG_STATE_HOME": str(home), "PROMPT_TOOLKIT_NO_CPR": "1"}
        self.process = subprocess.Popen(
            command(cluster, "shell"),
            env={**os.environ, **own},
            # Ctrl+C is a signal for those whose terminal it is.
            preexec_fn=lambda: os.login_tty(far),  # noqa: PLW1509
        )
        os.close(far)

    def type(self, text: str) -> None:
        """Press keys; what was on the screen before is forgotten."""
        self.screen = ""
        os.write(self._near, text.encode())

    def wait_for(self, text: str) -> None:
        """Wait until *text* is on the screen."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while text not in self.screen:
            assert time.monotonic() < deadline, self.screen
            if select.select([self._near], [], [], 0.1)[0]:
                self.screen += os.read(self._near, 65_536).decode(errors="replace")

    def end(self) -> int:
        """Wait for the end, and return the exit code."""
        # What it still writes must be read, or it could not end.
        with suppress(OSError):
            while os.read(self._near, 65_536):
                pass
        return self.process.wait(WAIT_SECONDS_MAX)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._near)


def test_the_prompt_completes_hints_and_remembers(dictionary: LiveCluster, tmp_path: Path) -> None:
    """Names are completed from what the servers can do; Ctrl+C gives a line up, Ctrl+D ends."""
    with Terminal(dictionary, tmp_path) as terminal:
        terminal.wait_for("cluster live: dictionary")
        terminal.wait_for("live>")

        terminal.type("sc")
        terminal.wait_for("SCAN cursor [MATCH pattern] [COUNT count]")
        terminal.type("\t ")
        terminal.wait_for("cursor [MATCH pattern] [COUNT count]")
        terminal.type("\x03")
        terminal.wait_for("live>")

        terminal.type('set shown "red \\x1b[31m"\r')
        terminal.wait_for("OK")
        terminal.type("get shown\r")
        terminal.wait_for('"red \\x1b[31m"')
        terminal.type("get 'shown\r")
        terminal.wait_for("is opened and not closed")

        terminal.type("watch shown\r")
        terminal.wait_for("until Ctrl+C")
        assert run(dictionary, "set", "shown", "again").returncode == 0
        terminal.wait_for('"shown" = "again"')
        terminal.type("\x03")
        terminal.wait_for("live>")

        terminal.type("\x04")
        assert terminal.end() == 0

    history = tmp_path / "multipaxos-shell" / "history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert "+get shown\n" in history.read_text()


def test_the_shell_works_without_a_place_for_its_history(
    dictionary: LiveCluster, tmp_path: Path
) -> None:
    """Where the history cannot be kept, that is said, and no more than that is lost."""
    home = tmp_path / "file"
    home.write_text("no directory")
    with Terminal(dictionary, home, columns=40) as terminal:
        terminal.wait_for("the history ends with this shell")
        terminal.wait_for("live>")
        terminal.type("quit\r")
        assert terminal.end() == 0
