"""``multipaxos watch``: each new value, as it comes."""

import json
from itertools import count

import click

from multipaxos.cli.parameters import WholeNumber
from multipaxos.cli.reaching import ClientCommand, Reach, client_options
from multipaxos.cli.requests import check_texts, keys_explained, tell
from multipaxos.cli.results import in_quotes
from multipaxos.client import Change, Value

COUNT_MAX = 999_999_999


@click.command(cls=ClientCommand, short_help="Print each new value, until Ctrl+C.")
@click.argument("key", required=False)
@click.option(
    "--count",
    "count_max",
    metavar="N",
    type=WholeNumber(1, COUNT_MAX),
    help="End after N changes; without it, with Ctrl+C.",
)
@client_options
def watch(reach: Reach, key: str | None, count_max: int | None) -> None:
    """
    Print each new value of a register, or of KEY, or of all keys of a dictionary, as it comes.

    Each change from now on has a line, once and in the order of the chain; a deleted key has one,
    too. It goes on at another server when one fails, and waits as long as there is none; --timeout
    is for its beginning. If no server has all changes any more, it says so on standard error, and
    goes on from what is there.

    Exit code 0: N changes were printed. Exit code 130: Ctrl+C. Exit code 1: it could not begin.
    """
    check_texts(reach, *(() if key is None else (key,)))
    with reach.value(is_read=True) as value, keys_explained(reach, value, key):
        print_changes(value, key, reach=reach, count_max=count_max)


def print_changes(
    value: Value, key: str | None, *, reach: Reach, count_max: int | None = None
) -> None:
    """Print the changes of *value* from now on: *count_max* of them, or without end."""
    with value.watch(key) as changes:
        if not reach.as_json:
            what = "all changes" if key is None else f"the changes of {in_quotes(key)}"
            end = "until Ctrl+C" if count_max is None else f"{count_max} at most"
            click.echo(f"watching {what}, {end}", err=True)
        for number, change in zip(count(1), changes, strict=False):
            _print(change, reach)
            if number == count_max:
                return


def _print(change: Change, reach: Reach) -> None:
    if change.missed and not reach.as_json:
        goes_on = "what is there now follows" if _has_value(change) else "read what you rely on"
        click.echo(
            f"changes were missed: no server has all of those up to link {change.link} any more; "
            f"{goes_on}",
            err=True,
        )
        if not _has_value(change):
            return
    tell(
        reach,
        _line_of(change),
        done=f"Link {change.link} has a change",
        link=change.link,
        index=change.index,
        key=change.key,
        value=change.value,
        missed=change.missed,
    )


def _has_value(change: Change) -> bool:
    # Of a dictionary as a whole there is no value to tell.
    return change.key is not None or change.value is not None


def _line_of(change: Change) -> str:
    match change:
        case Change(key=None, value=value):
            said = _shown(value)
        case Change(key=str(key), value=None):
            said = f"{in_quotes(key)} {'is not there' if change.missed else 'deleted'}"
        case _:
            said = f"{in_quotes(change.key or '')} = {_shown(change.value)}"
    return f"link {change.link}  {said}"


def _shown(value: object) -> str:
    # A state machine of one's own may keep more than texts.
    return in_quotes(value) if isinstance(value, str) else json.dumps(value)
