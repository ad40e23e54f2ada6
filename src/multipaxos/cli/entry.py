"""The way in and out of every command: how errors are told, and with which exit code."""

import os
import signal
import sys
from typing import Any, NoReturn

import click
from typing_extensions import override

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_BROKEN_PIPE = 128 + signal.SIGPIPE


class FailedError(click.ClickException):
    """What was asked for did not happen: a sentence, and exit code 1."""

    exit_code = EXIT_FAILED

    @override
    def show(self, file: Any = None) -> None:
        click.echo(self.format_message(), file=file, err=file is None)


class BadInputError(click.ClickException):
    """What was asked for makes no sense: a sentence, and exit code 2."""

    exit_code = EXIT_USAGE


class Commands(click.Group):
    """A group of commands that ends quietly when interrupted, or when nobody reads any more."""

    @override
    def main(self, *arguments: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run a command; as a program (*standalone_mode*), end with its exit code."""
        _write_what_the_terminal_cannot_show_as_escapes()
        run: Any = super().main
        if not standalone_mode:
            return run(*arguments, standalone_mode=False, **extra)
        try:
            code = run(*arguments, standalone_mode=False, **extra)
            sys.stdout.flush()
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except (click.Abort, KeyboardInterrupt):
            code = EXIT_INTERRUPTED
        except BrokenPipeError:
            _end_for_broken_pipe()
        sys.exit(code)


def _write_what_the_terminal_cannot_show_as_escapes() -> None:
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _end_for_broken_pipe() -> NoReturn:
    # What is still buffered would raise once more when the interpreter flushes it at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(EXIT_BROKEN_PIPE)
