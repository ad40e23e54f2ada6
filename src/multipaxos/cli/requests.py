"""One request through the library, and how its result is told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, NoReturn

import click

from multipaxos.chain.requests import Chosen, Outcome
from multipaxos.cli.entry import (
    EXIT_NOT_DONE,
    EXIT_USAGE,
    BadInputError,
    FailedError,
    OutputLostError,
)
from multipaxos.cli.failures import NoResultError, interruption_told
from multipaxos.cli.parameters import SHOWN_LENGTH_MAX, check_text
from multipaxos.cli.reaching import EXPLANATION_SECONDS_MAX, Reach
from multipaxos.client import ClientError, CommandError, Value
from multipaxos.client.calls import result_of
from multipaxos.trace import printable

# ------------------------------------------------------------------------------------------ to ask


def check_texts(reach: Reach, *texts: str) -> None:
    """Refuse what the servers would not take; exit code 2."""
    for text in texts:
        check_text(text, reach.config)


def ask(reach: Reach, *command: str) -> Chosen:
    """Return where the chain holds *command*, and its result."""
    check_texts(reach, *command)
    with reach.value() as value, interruption_told():
        return chosen_of(value.execute(*command))


def ask_about(reach: Reach, key: str | None, *command: str, is_read: bool = False) -> Chosen:
    """
    Return the same of a *command* about *key*, or, if that is None, about what has no keys.

    If the servers keep something else, the sentence says so.
    """
    check_texts(reach, *command)
    interruption = nullcontext() if is_read else interruption_told()
    with reach.value(is_read=is_read) as value, keys_explained(reach, value, key), interruption:
        return chosen_of(value.execute(*command))


def chosen_of(outcome: Outcome) -> Chosen:
    """Return *outcome* if it has a result; else raise the OutcomeError that it is."""
    result_of(outcome)
    assert isinstance(outcome, Chosen), "only that has a result"
    return outcome


@contextmanager
def keys_explained(reach: Reach, value: Value, key: str | None) -> Iterator[None]:
    """Where a command makes no sense to the servers for its *key*, or for want of one, say so."""
    try:
        yield
    except CommandError as error:
        sentence = _about_keys(reach, _kind_of(value), key)
        if sentence is None:
            raise
        raise NoResultError("command", sentence, EXIT_USAGE) from error


def _kind_of(value: Value) -> object:
    value.timeout_seconds = EXPLANATION_SECONDS_MAX
    with suppress(ClientError):
        return value.status().get("state")
    return None


def _about_keys(reach: Reach, kind: object, key: str | None) -> str | None:
    match kind:
        case "register" if key is not None:
            hint = f" To ask server {key}, use --via {key}." if key in reach.config.servers else ""
            return f"A register has no keys, so it has no {quoted_key(key)}: leave that out.{hint}"
        case "dictionary" if key is None:
            return "A dictionary keeps a value for each key: say which key, before all else."
        case _:
            return None


def quoted_key(key: str) -> str:
    """Return *key* in quotes, for a sentence."""
    return f'"{printable(key, length_max=SHOWN_LENGTH_MAX)}"'


def refuse_count(what: str, takes: str, arguments: tuple[str, ...]) -> BadInputError:
    """Return that the command *what* takes other arguments than these."""
    return BadInputError(
        f"{what} takes {takes}; {len(arguments)} given. A value with blanks needs quotes."
    )


# ----------------------------------------------------------------------------------------- to tell


def tell(reach: Reach, line: str, *, done: str, **fields: Any) -> None:
    """
    Print *line*, or *fields* as JSON.

    *done* is what was done, for the sentence that must be said if nothing can be printed.
    """
    try:
        click.echo(json.dumps(fields) if reach.as_json else line)
    except OSError as error:
        raise OutputLostError(f"{done}. This", error) from error


def tell_done(reach: Reach, chosen: Chosen, key: str | None, *, why_not: str) -> None:
    """Print that the value, or that of *key*, was set; or tell *why_not*, with exit code 3."""
    if chosen.result or reach.as_json:
        line = f"done: link {chosen.link}"
        done = f"The value was set, in link {chosen.link}" if chosen.result else "Nothing was done"
        tell(reach, line, done=done, link=chosen.link, key=key, result=chosen.result)
    if not chosen.result:
        refuse_as_not_done(reach, f"{why_not}, as of link {chosen.link}")


def refuse_as_not_done(reach: Reach, why: str) -> NoReturn:
    """End with exit code 3 and, unless the result was printed as JSON, with *why*."""
    if reach.as_json:
        raise click.exceptions.Exit(EXIT_NOT_DONE)
    raise FailedError(f"not done: {why}", EXIT_NOT_DONE)
