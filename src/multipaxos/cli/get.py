"""``multipaxos get``: read the current value."""

import json
from pathlib import Path

import click

from multipaxos.chain.requests import Chosen
from multipaxos.cli.asking import ask_in_turn
from multipaxos.cli.parameters import (
    config_option,
    json_option,
    read_config,
    timeout_option,
)
from multipaxos.client import Client, NotReachableError
from multipaxos.runtime.config import Config


@click.command(short_help="Read the current value.")
@click.argument("uid", metavar="[SERVER]", required=False)
@timeout_option(5.0)
@json_option
@config_option
def get(uid: str | None, timeout_seconds: float, as_json: bool, config_path: Path | None) -> None:
    """
    Read the current value through SERVER, or through any that answers.

    The read is linearizable: it sees every value that was chosen before it began. What a terminal
    would obey is printed as an escape; --json prints the exact value.

    Exit code 0: the value was read. Exit code 1: nobody answered in time.
    """
    from multipaxos.trace import printable

    chosen = _read(read_config(config_path), uid, timeout_seconds)
    if as_json:
        click.echo(json.dumps({"link": chosen.link, "value": chosen.result}))
    elif chosen.result is None:
        click.echo("no value was set yet", err=True)
    else:
        click.echo(printable(str(chosen.result)))


def _read(config: Config, uid: str | None, timeout_seconds: float) -> Chosen:
    def ask(connection: Client, share_seconds: float) -> Chosen:
        outcome = connection.get(timeout_seconds=share_seconds)
        if isinstance(outcome, Chosen):
            return outcome
        raise NotReachableError(outcome.reason)

    return ask_in_turn(config, uid, timeout_seconds, ask, what="The value could not be read")
