"""What went wrong between a command and the servers: sentences for people, JSON for programs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import click

from multipaxos.cli.entry import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    FailedError,
    OutputLostError,
)
from multipaxos.client import (
    AuthenticationError,
    ClientError,
    CommandError,
    NotReachableError,
    OtherServerError,
    RefusedError,
    UnknownOutcomeError,
)
from multipaxos.client.fate import BUSY
from multipaxos.trace import printable


class NoResultError(FailedError):
    """A request came to no result: a sentence for people, and one word for programs, its *kind*."""

    def __init__(self, kind: str, message: str, exit_code: int = EXIT_FAILED) -> None:
        """End with *message* and *exit_code*."""
        super().__init__(message, exit_code)
        self.kind = kind


@contextmanager
def errors_told(*, as_json: bool) -> Iterator[None]:
    """Let errors be JSON, one object a line, if *as_json*."""
    try:
        yield
    except OutputLostError:
        raise
    except click.ClickException as error:
        if not as_json:
            raise
        raise FailedError(error_as_json(error), error.exit_code) from error


@contextmanager
def interruption_told() -> Iterator[None]:
    """Let whoever stops a request by Ctrl+C know what is not known; exit code 130."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise NoResultError(
            "unknown",
            "stopped before the outcome was known: what was to be changed may be changed all the "
            "same, now or later. Read before you try again.",
            EXIT_INTERRUPTED,
        ) from error


def error_as_json(error: click.ClickException, **more: int) -> str:
    """Return *error* as an object: what kind it is of, the sentence, and what is *more*."""
    kind = getattr(error, "kind", "input")
    return json.dumps({"error": kind, "reason": error.format_message(), **more})


def failure_of(error: ClientError, *, is_read: bool = False) -> NoResultError:  # noqa: PLR0911
    """Return *error* as a sentence that says what is known, what is not, and what to do."""
    match error:
        case UnknownOutcomeError() if is_read:
            return NoResultError(
                "unreachable",
                f"No server answered in time, and nothing was changed: {error}. Try again.",
            )
        case NotReachableError():
            return NoResultError(
                "unreachable",
                f"No server answered, so nothing was done: {error}. "
                "Do they run there, and do they serve clients there? --via and --config say who is "
                "asked.",
            )
        case UnknownOutcomeError():
            return NoResultError(
                "unknown",
                "outcome unknown: it may have been done, may be done later, or not at all "
                f"({error}). Read before you try again.",
            )
        case RefusedError():
            advice = " Try again." if str(error).startswith(BUSY) else ""
            return NoResultError("refused", f"refused, and certainly not done: {error}.{advice}")
        case CommandError():
            # Redis goes on with the arguments, which are on the screen already.
            said, _, _ = str(error).partition(", with args beginning with")
            return NoResultError("command", _sentence(said), EXIT_USAGE)
        case AuthenticationError():
            return NoResultError("password", _about_password(error), EXIT_USAGE)
        case OtherServerError():
            return NoResultError("other server", f"{error}. Nothing was done.", EXIT_USAGE)
        case _:
            return NoResultError("failed", _sentence(str(error)))


def _about_password(error: ClientError) -> str:
    return (
        f"{_sentence(str(error))} Nothing was done. The file that holds the password is named by "
        "--password-file, or by client_password_file in the configuration."
    )


def _sentence(text: str) -> str:
    said = printable(text).strip()
    end = "" if said.endswith((".", "?", "!")) else "."
    return f"{said[:1].upper()}{said[1:]}{end}"
