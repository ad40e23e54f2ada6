"""The sessions that the documents show, typed into real terminals as it were."""

import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import click
import pytest
from tests.docs.commands import (
    KILL,
    REDIS_CLI,
    REMOVE,
    SUBCOMMANDS,
    Step,
    arguments_of,
    environment,
    run,
    steps_of,
)
from tests.docs.documents import Block, blocks_in, documents

from multipaxos.cli.processes import loopback_servers, wait_until, write_config
from multipaxos.runtime.config import Config, built_in_config, load_config

pytestmark = pytest.mark.live

WAIT_SECONDS_MAX = 20.0
DOCUMENTS = [
    document
    for document in documents()
    if any(block.kind == "console live" for block in blocks_in(document))
]
NORMALISED = (
    (re.compile(r"\b[0-9a-f]{16}\b"), "NAME"),
    (re.compile(r"\d+(\.\d+)?"), "N"),
    (re.compile(r"told by [A-C]\b"), "told by WHOEVER CAME FIRST"),
    (re.compile(r"\s+"), " "),
)
"""
What differs from run to run: names drawn at random, numbers, and the columns they widen; and which
of several servers helps first.
"""

PROCESS = re.compile(r", process (\d+)$", re.MULTILINE)
"""How a server says its process id."""

LINK = re.compile(r"link \d+  .*")
EMPTY_LINK = re.compile(r"link \d+  nothing")
"""A line of a list of links, and one of a link that a server closed for want of anything else."""


class Terminal:
    """A server that was started in a terminal of its own: its process, and what it printed."""

    def __init__(self, arguments: Sequence[str], directory: Path) -> None:
        """Start ``multipaxos`` with *arguments*."""
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "multipaxos", *arguments],
            cwd=directory,
            env=environment(directory),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def shows(self, expected: Sequence[str]) -> bool:
        """Tell whether the *expected* lines were printed, in this order, maybe among others."""
        printed = iter([normalise(line) for line in self.lines])
        return all(normalise(line) in printed for line in expected)

    def end(self, number: signal.Signals) -> int:
        """Send the signal, and return the exit code."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)
        code = self.process.wait(WAIT_SECONDS_MAX)
        self._reader.join(WAIT_SECONDS_MAX)
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
        self.process.stdout.close()


class Session:
    """A person at the keyboard, who follows one document in *directory*."""

    def __init__(self, directory: Path) -> None:
        """Take free ports for the servers: the configured ones may be in use here."""
        self.directory = directory
        self.config = directory / "cluster.toml"
        write_config(self.config, Config(cluster="main", servers=loopback_servers("ABC")))
        self.terminals: dict[str, Terminal] = {}
        self._shown: dict[str, str] = {}

    def type(self, step: Step) -> None:
        """Type the command, and compare what it prints with what the document shows."""
        killed, removed = KILL.fullmatch(step.command), REMOVE.fullmatch(step.command)
        redis = REDIS_CLI.fullmatch(step.command)
        if redis:
            self._ask_as_redis_does(redis["port"], redis["rest"], step)
        elif killed:
            number = signal.SIGKILL if killed["signal"] == "9" else signal.SIGINT
            uid = self._shown.pop(killed["process"])
            code = self.terminals.pop(uid).end(number)
            assert code == (0 if number is signal.SIGINT else -number)
        elif removed:
            lost = list(self.directory.glob(removed["pattern"]))
            assert lost, step.command
            for path in lost:
                path.unlink()
        else:
            self._run(step)

    def execute(self, block: Block) -> list[str]:
        """Run a program of a document, on this session's ports, and return what it prints."""
        program = block.text
        for built_in, port in self._ports().items():
            program = re.sub(rf"(?<=[ :]){built_in}\b", port, program)
        finished = subprocess.run(
            [sys.executable, "-c", program],
            cwd=self.directory,
            env=environment(self.directory),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert finished.returncode == 0, (block.place, finished.stderr, self._told())
        return finished.stdout.splitlines()

    def _ports(self) -> dict[str, str]:
        """Return the ports for clients of this session, by those that the documents show."""
        own = map(str, loopback_ports(load_config(self.config)))
        return dict(zip(map(str, loopback_ports(built_in_config())), own, strict=True))

    def _ask_as_redis_does(self, port: str, rest: str, step: Step) -> None:
        if shutil.which("redis-cli") is None:
            pytest.skip("redis-cli is missing: Debian has it in the package redis-tools")
        # On a terminal it writes for people; here it would not.
        command = ["redis-cli", "--no-raw", "-p", self._ports()[port], *shlex.split(rest)]
        finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        printed = finished.stdout.splitlines()
        assert fits(printed, step.output), (step, finished.stdout, finished.stderr, self._told())

    def close(self) -> None:
        """End what still runs."""
        for terminal in self.terminals.values():
            terminal.end(signal.SIGTERM)
            assert not any("Traceback" in line for line in terminal.lines), terminal.lines

    def _run(self, step: Step) -> None:
        arguments = arguments_of(step.command)
        assert arguments, step.command
        if arguments[0] == "server":
            terminal = Terminal([*arguments, *self._extra("server")], self.directory)
            self.terminals[arguments[1]] = terminal
            is_ready = wait_until(lambda: "ready" in terminal.lines, seconds=WAIT_SECONDS_MAX)
            assert is_ready, terminal.lines
            shown = wait_until(lambda: terminal.shows(step.output), seconds=WAIT_SECONDS_MAX)
            assert shown, (step, terminal.lines)
            self._note_process(arguments[1], step)
        else:
            finished = run(step.command, self.directory, self._extra(arguments[0]))
            assert finished.returncode == 0, (step, finished.stdout, self._told())
            if step.output:
                assert fits(finished.stdout.splitlines(), step.output), (step, finished.stdout)

    def _note_process(self, uid: str, step: Step) -> None:
        """Remember whose process id the document shows, and look whether it prints its own."""
        for shown in PROCESS.findall("\n".join(step.output)):
            terminal = self.terminals[uid]
            self._shown[shown] = uid
            assert PROCESS.findall(terminal.lines[0]) == [str(terminal.process.pid)]

    def _extra(self, command: str) -> tuple[str, ...]:
        options = {
            option.opts[-1]
            for option in SUBCOMMANDS[command].params
            if isinstance(option, click.Option)
        }
        extra: tuple[str, ...] = ()
        if "--config" in options:
            extra += ("--config", str(self.config))
        if "--timeout" in options:
            extra += ("--timeout", str(WAIT_SECONDS_MAX))
        return extra

    def _told(self) -> dict[str, list[str]]:
        return {uid: terminal.lines[-20:] for uid, terminal in self.terminals.items()}


def loopback_ports(config: Config) -> list[int]:
    """Return the ports for clients, in the order of the servers."""
    return [server.client.port for server in config.servers.values()]


def normalise(line: str) -> str:
    """Return *line* without what differs from run to run."""
    for pattern, replacement in NORMALISED:
        line = pattern.sub(replacement, line)
    return line.strip()


def fits(printed: Sequence[str], expected: Sequence[str]) -> bool:
    """
    Tell whether *printed* is as *expected*, where a line ``...`` stands for any lines.

    Of a list of links, more may be empty than the document shows: on a busy machine a server that
    waits in vain takes over, and closes what the one before had begun with ``nothing``. How many
    such links there are is up to chance and says nothing about the commands; so in a list of links
    a line ``link N  nothing`` too many is passed over. Those that are shown must be there.
    """
    takes_more_empty_links = any(LINK.fullmatch(line) for line in expected)
    return _fits(printed, expected, takes_more_empty_links=takes_more_empty_links)


def _fits(printed: Sequence[str], expected: Sequence[str], *, takes_more_empty_links: bool) -> bool:
    def rest_fits(skip: int, rest: Sequence[str]) -> bool:
        return _fits(printed[skip:], rest, takes_more_empty_links=takes_more_empty_links)

    if expected and expected[0] == "...":
        return any(rest_fits(skip, expected[1:]) for skip in range(len(printed) + 1))
    if printed and expected and normalise(printed[0]) == normalise(expected[0]):
        return rest_fits(1, expected[1:])
    if printed and takes_more_empty_links and EMPTY_LINK.fullmatch(printed[0]):
        return rest_fits(1, expected)
    return not printed and not expected


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """Return a person at the keyboard."""
    someone = Session(tmp_path)
    yield someone
    someone.close()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_session_goes_as_the_document_shows(document: str, session: Session) -> None:
    """Every command of a document, typed in its order, does what stands below it."""
    for block in blocks_in(document):
        if block.kind == "console live":
            for step in steps_of(block):
                session.type(step)


def documents_with(kind: str) -> list[str]:
    """Return the documents that have blocks of this *kind*."""
    return [
        document
        for document in documents()
        if any(block.kind == kind for block in blocks_in(document))
    ]


def play(document: str, session: Session, kind: str) -> None:
    """Run the programs of one *kind* in *document*, and compare what they print."""
    printed: list[str] = []
    for block in blocks_in(document):
        if block.kind == f"python {kind}":
            printed = session.execute(block)
        elif block.kind == f"text output {kind}":
            assert fits(printed, block.text.splitlines()), (block.place, printed)


@pytest.mark.parametrize("document", documents_with("python live"))
def test_a_program_prints_what_the_document_shows(document: str, session: Session) -> None:
    """A document's programs for clients run against three servers, one after the other."""
    text = "\n".join(block.text for block in blocks_in(document))
    kind = "dictionary" if "--state dictionary" in text else "register"
    for uid in "ABC":
        session.type(Step(command=f"multipaxos server {uid} --data state --state {kind}"))

    play(document, session, "live")


@pytest.mark.parametrize("document", documents_with("python embedded"))
def test_a_program_with_servers_inside_prints_what_the_document_shows(
    document: str, session: Session
) -> None:
    """Its configuration lies beside it, in cluster.toml."""
    play(document, session, "embedded")


def test_the_comparison_tells_lines_apart() -> None:
    """Numbers and random names may differ; words may not, and no line may be missing."""
    assert fits(["link 7  nothing"], ["link 4  nothing"])
    assert fits(["a", "b", "c"], ["a", "...", "c"])
    assert not fits(["a", "b"], ["a"])
    assert not fits(["a"], ["a", "b"])
    assert not fits(["chosen: link 1 = x"], ["chosen: link 1 = y"])


def test_the_comparison_passes_over_empty_links_in_a_list_of_links_only() -> None:
    """They may be anywhere in it; but nothing else may be too many, or missing."""
    shown = ['link 3  "x"', "link 4  nothing", "link 5  a read"]

    assert fits(shown, shown)
    assert fits(
        ["link 1  nothing", 'link 2  "x"', "link 3  nothing", "link 4  nothing", "link 5  a read"],
        shown,
    )
    assert fits([*shown, "link 6  nothing"], shown)
    assert fits(["link 0  a", "link 1  b", "link 2  nothing", *shown], ["link 0  a", "...", *shown])
    assert not fits(['link 3  "x"', "link 4  a read"], shown)
    assert not fits([*shown, "link 6  a read"], shown)
    assert not fits(['link 3  "x"', 'link 4  "nothing"', *shown[1:]], shown)
    assert not fits(['link 3  "y"', "link 4  nothing", "link 5  a read"], shown)
    assert not fits(["link 7  nothing", "chosen"], ["chosen"])
    assert not fits(["link 7  nothing"], [])
