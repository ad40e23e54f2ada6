"""The commands that the documents show: held against their definition, and run."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
from tests.docs.documents import ROOT, Block

from multipaxos.cli import main

_CONTEXT = click.Context(main)
SUBCOMMANDS = {
    name: command
    for name in main.list_commands(_CONTEXT)
    if (command := main.get_command(_CONTEXT, name)) is not None
}
"""All commands of ``multipaxos``, by name."""

WRAPPERS = {"server.py": "server", "client.py": "client"}
"""The ancestor's two commands, at the root of a checkout."""

KILL = re.compile(r"kill -(?P<signal>9|INT) (?P<process>\d+)( +#.*)?")
"""How a reader ends one server from another terminal, by the process id that it printed."""

REDIS_CLI = re.compile(r"redis-cli -p (?P<port>\d+) (?P<rest>.+)")
"""How a reader asks the server at a port with the client of Redis."""

REMOVE = re.compile(r"rm (?P<pattern>state/\w+\.\*)")
"""How a reader loses a server's state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A command of a console block, and the lines that it prints there."""

    command: str
    output: list[str] = field(default_factory=list)


def steps_of(block: Block) -> Iterator[Step]:
    """Yield the commands of a console *block*."""
    step: Step | None = None
    for line in block.text.splitlines():
        if line.startswith("$ "):
            if step is not None:
                yield step
            step = Step(command=line.removeprefix("$ "))
        else:
            assert step is not None, f"{block.place}: output without a command"
            step.output.append(line)
    assert step is not None, f"{block.place}: no line begins with $"
    yield step


def arguments_of(command: str) -> list[str] | None:
    """Return the arguments that *command* gives to ``multipaxos``; None for another program."""
    match shlex.split(command, comments=True):
        case ["multipaxos", *arguments] | ["python", "-m", "multipaxos", *arguments]:
            return arguments
        case ["python", str(wrapper), *arguments] if wrapper in WRAPPERS:
            assert (ROOT / wrapper).exists()
            return [WRAPPERS[wrapper], *arguments]
        case _:
            return None


def check_command(command: str) -> None:
    """Hold *command* against the definition of the command line: AssertionError if it is wrong."""
    if command == "echo $?" or KILL.fullmatch(command) or REMOVE.fullmatch(command):
        return
    if shlex.split(command)[0] == "redis-cli":
        assert REDIS_CLI.match(command), f"{command}: the port tells which server is meant"
        return
    arguments = arguments_of(command)
    assert arguments, f"{command!r} is no command that the tests know"
    name, *rest = arguments
    assert name in SUBCOMMANDS, f"{name!r} is no command"
    try:
        SUBCOMMANDS[name].make_context(name, rest)
    except click.exceptions.Exit:
        assert {"--help", "-h"} & set(rest), command
    except click.ClickException as error:
        raise AssertionError(f"{command}: {error.format_message()}") from error


def check_shell(command: str) -> None:
    """Hold *command*, typed at the root of a checkout, against what there is."""
    match shlex.split(command, comments=True):
        case ["make", target, *variables]:
            makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
            assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), command
            for variable in variables:
                name = variable.partition("=")[0]
                assert f"$({name})" in makefile, f"{command}: nothing uses {name}"
        case ["pip", "install", str(directory)]:
            assert (ROOT / directory / "pyproject.toml").exists(), command
        case [".venv/bin/pytest", *arguments]:
            check_pytest(arguments)
        case _:
            raise AssertionError(f"{command!r} is no command that the tests know")


def check_pytest(arguments: list[str]) -> None:
    """Hold *arguments* against the tests there are, and the options that they add."""
    options = iter(arguments)
    for option in options:
        if option in ("-m", "-k"):
            assert next(options, None), f"{option} needs an expression"
        elif option.startswith("--"):
            added = [
                path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("conftest.py")
            ]
            assert any(f'"{option}"' in text for text in added), f"no test knows {option}"
        else:
            assert (ROOT / option).exists(), option


def run_here(block: Block, directory: Path) -> str:
    """Run the commands of *block*, none of which needs a server, and return the session."""
    exit_code = 0
    session: list[str] = []
    for step in steps_of(block):
        session.append(f"$ {step.command}")
        if step.command == "echo $?":
            session.append(str(exit_code))
        else:
            finished = run(step.command, directory)
            exit_code = finished.returncode
            session += finished.stdout.splitlines()
    return "\n".join(session) + "\n"


def run(
    command: str, directory: Path, extra: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a ``multipaxos`` *command* with *extra* arguments; errors are part of its output."""
    arguments = arguments_of(command)
    assert arguments is not None
    return subprocess.run(
        [sys.executable, "-m", "multipaxos", *arguments, *extra],
        cwd=directory,
        env=environment(directory),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
        timeout=60,
    )


def environment(directory: Path) -> dict[str, str]:
    """Return the environment in which state is kept below *directory* unless --data says else."""
    plain = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
    return {**plain, "XDG_STATE_HOME": str(directory / "state-home"), "COLUMNS": "80"}
