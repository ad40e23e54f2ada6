"""``multipaxos get``: read the value, or that of a key."""

from typing import Any

import click

from multipaxos.cli.reaching import ClientCommand, Reach, client_options
from multipaxos.cli.requests import ask_about, check_texts, keys_explained, quoted_key, tell
from multipaxos.cli.results import plain_lines
from multipaxos.client.calls import StaleValue


@click.command(cls=ClientCommand, short_help="Read the value, or that of a key.")
@click.argument("key", required=False)
@click.option("--stale", is_flag=True, help="Read what one server has at once, old or not.")
@client_options
def get(reach: Reach, key: str | None, stale: bool) -> None:
    """
    Read the value of a register, or that of KEY in a dictionary.

    The read is linearizable: it sees every value that was chosen before it began. What a terminal
    would obey is printed as an escape; --json prints the exact value.

    With --stale one server answers from what it has, without asking the others: that may be out of
    date, and works without a majority, too. Which server, and how old, is said on standard error.

    Exit code 0: it was read; if nothing is there, that is said on standard error. Exit code 1:
    nobody answered in time.
    """
    if stale:
        found = _read_stale(reach, key)
        fields = {"link": found.link, "key": key, "value": found.value}
        server = reach.name_of(found.server)
        _print(reach, found.value, {**fields, "stale": True, "server": server})
        if not reach.as_json:
            what = f"what server {server} has, as of link {found.link}"
            click.echo(f"stale: {what}; there may be something newer", err=True)
        return
    chosen = ask_about(reach, key, "GET", *_arguments(key), is_read=True)
    _print(reach, chosen.result, {"link": chosen.link, "key": key, "value": chosen.result})


def _read_stale(reach: Reach, key: str | None) -> StaleValue:
    check_texts(reach, *_arguments(key))
    with reach.value(is_read=True) as value, keys_explained(reach, value, key):
        return value.stale_get(*_arguments(key))


def _arguments(key: str | None) -> tuple[str, ...]:
    return () if key is None else (key,)


def _print(reach: Reach, value: Any, fields: dict[str, Any]) -> None:
    if value is None and not reach.as_json:
        absent = "no value was set yet" if fields["key"] is None else None
        click.echo(absent or f"there is no {quoted_key(fields['key'])}", err=True)
        return
    tell(reach, "\n".join(plain_lines(value)), done="The value was read", **fields)
