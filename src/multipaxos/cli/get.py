"""``multipaxos get``: read the current value."""

import json
import time
from collections.abc import Mapping
from pathlib import Path

import click

from multipaxos.chain.requests import Chosen
from multipaxos.cli.entry import FailedError
from multipaxos.cli.parameters import (
    config_option,
    endpoints,
    json_option,
    read_config,
    timeout_option,
)
from multipaxos.client import Client, ClientError, Endpoint


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

    chosen = _read(endpoints(read_config(config_path), uid), timeout_seconds)
    if as_json:
        click.echo(json.dumps({"link": chosen.link, "value": chosen.result}))
    elif chosen.result is None:
        click.echo("no value was set yet", err=True)
    else:
        click.echo(printable(chosen.result))


def _read(servers: Mapping[str, Endpoint], timeout_seconds: float) -> Chosen:
    deadline = time.monotonic() + timeout_seconds
    reasons = []
    for place, (uid, endpoint) in enumerate(servers.items()):
        # Who cannot reach the others must leave time to ask someone who can.
        share_seconds = (deadline - time.monotonic()) / (len(servers) - place)
        try:
            with Client([endpoint]) as connection:
                outcome = connection.get(timeout_seconds=share_seconds)
        except ClientError as error:
            reasons.append(f"{uid}: {error}")
            continue
        if isinstance(outcome, Chosen):
            return outcome
        reasons.append(f"{uid}: {outcome.reason}")
    raise FailedError(f"The value could not be read: {'; '.join(reasons)}.")
