"""The way in and out of every command: how errors are told, and with which exit code."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

import click
from typing_extensions import override

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NOT_DONE = 3
EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_BROKEN_PIPE = 128 + signal.SIGPIPE


class FailedError(click.ClickException):
    """What was asked for did not happen: a sentence, and exit code 1 unless it says otherwise."""

    def __init__(self, message: str, exit_code: int = EXIT_FAILED) -> None:
        """End with *message* and *exit_code*."""
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]

    @override
    def show(self, file: Any = None) -> None:
        click.echo(self.format_message(), file=file, err=file is None)


class BadInputError(click.ClickException):
    """What was asked for makes no sense: a sentence, and exit code 2."""

    exit_code = EXIT_USAGE


class OutputLostError(FailedError):
    """*What* could not be printed: a sentence, and an exit code that says why."""

    def __init__(self, what: str, error: OSError) -> None:
        """Tell that *error* kept *what* from being printed."""
        is_closed = isinstance(error, BrokenPipeError)
        cause = "nobody reads it" if is_closed else error.strerror
        super().__init__(
            f"{what} could not be printed: {cause}.",
            EXIT_BROKEN_PIPE if is_closed else EXIT_FAILED,
        )


class Commands(click.Group):
    """
    A group of commands that ends with a sentence when what it prints goes nowhere.

    The command *name* is that of the module ``multipaxos.cli.name``, which is imported when it is
    asked for: a server does not wait for the explorer to be loaded.
    """

    def __init__(self, *arguments: Any, names: Sequence[str] = (), **extra: Any) -> None:
        """Hold the commands *names*."""
        super().__init__(*arguments, **extra)
        self.names = tuple(names)

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(self.names)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command *cmd_name*; None if there is none."""
        if cmd_name not in self.names:
            return None
        command: click.Command = getattr(import_module(f"multipaxos.cli.{cmd_name}"), cmd_name)
        return command

    @override
    def main(self, *arguments: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run a command; as a program (*standalone_mode*), end with its exit code."""
        _refuse_closed_output()
        _write_what_the_terminal_cannot_show_as_escapes()
        run: Any = super().main
        if not standalone_mode:
            return run(*arguments, standalone_mode=False, **extra)
        try:
            code = run(*arguments, standalone_mode=False, **extra)
            sys.stdout.flush()
        except OutputLostError as error:
            error.show()
            code = error.exit_code
            _discard_output()
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except (click.Abort, KeyboardInterrupt):
            code = EXIT_INTERRUPTED
        except (_NobodyReadsError, BrokenPipeError):
            code = EXIT_BROKEN_PIPE
            _discard_output()
        except OSError as error:
            if not _is_output_lost():
                raise
            lost = OutputLostError("What was to be printed", error)
            lost.show()
            code = lost.exit_code
            _discard_output()
        sys.exit(code)

    @override
    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        """Parse the command line, and tell a closed pipe from what click makes of it."""
        with _closed_pipe_told():
            return super().make_context(*arguments, **extra)

    @override
    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and tell a closed pipe from what click makes of it."""
        with _closed_pipe_told():
            return super().invoke(ctx)


class _NobodyReadsError(Exception):
    """Whoever read the output went away: no error worth a sentence."""


@contextmanager
def _closed_pipe_told() -> Iterator[None]:
    # Click would end the program there, with exit code 1.
    try:
        yield
    except BrokenPipeError as error:
        raise _NobodyReadsError from error


def _refuse_closed_output() -> None:
    if sys.stderr is None:
        # Or the next file that is opened would be standard error.
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stdout is None:
        sys.stderr.write(
            "Standard output is closed, so nothing was done; to print nowhere, use > /dev/null.\n"
        )
        sys.exit(EXIT_USAGE)


def _write_what_the_terminal_cannot_show_as_escapes() -> None:
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _is_output_lost() -> bool:
    # If the output was what failed, it fails again; anything else is a fault of the program.
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError:
        return True
    return False


def _discard_output() -> None:
    # What is still buffered would raise once more when the interpreter flushes it at its end.
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
