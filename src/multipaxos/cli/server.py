"""``multipaxos server``: run one server."""

import sys
from pathlib import Path

import click

from multipaxos.cli.entry import BadInputError
from multipaxos.cli.parameters import (
    FilePath,
    HostAndPort,
    config_option,
    data_option,
    read_config,
    server_of,
    state_option,
    transport_option,
)
from multipaxos.runtime.address import Address
from multipaxos.trace import printable


@click.command(short_help="Run one server until Ctrl+C.")
@click.argument("uid", metavar="SERVER")
@click.option("--master", is_flag=True, help="Seek master leases: one round trip for a value.")
@config_option
@data_option
@click.option(
    "--storage",
    type=click.Choice(["sqlite", "json"]),
    default="sqlite",
    show_default=True,
    help="How the state is kept.",
)
@state_option
@transport_option
@click.option("--quiet", is_flag=True, help="Do not print the traffic.")
@click.option("--brief", is_flag=True, help="Do not print the strategies.")
@click.option(
    "--trace",
    metavar="FILE",
    type=FilePath(what="file", dir_okay=False),
    help="Append everything that happens to FILE, one JSON object a line.",
)
@click.option(
    "--metrics",
    metavar="HOST:PORT",
    type=HostAndPort(),
    help="Serve metrics and health there, over HTTP; by default where the configuration says.",
)
@click.option(
    "--without",
    metavar="STRATEGY",
    multiple=True,
    help="Leave a strategy out, to see what it is for.",
)
@click.option(
    "--faults-from-stdin",
    "takes_faults",
    is_flag=True,
    help="For the lab and for tests: lose and delay messages as standard input says.",
)
def server(  # noqa: PLR0917 - click passes them by name
    uid: str,
    master: bool,
    config_path: Path | None,
    directory: Path | None,
    storage: str,
    state: str,
    transport: str,
    quiet: bool,
    brief: bool,
    trace: Path | None,
    metrics: Address | None,
    without: tuple[str, ...],
    takes_faults: bool,
) -> None:
    """
    Run SERVER (A, B or C) until Ctrl+C.

    Prints all messages it sends and receives, and each value that it finds to be chosen. It prints
    "ready" when it listens. Exit code 2: it could not start. Exit code 1: it had to stop.
    """
    from multipaxos.runtime.storage import default_directory

    config = read_config(config_path)
    server_of(config, uid)
    _check_strategies(without, master=master)

    from multipaxos.runtime.options import ServerOptions
    from multipaxos.runtime.process import run_server

    options = ServerOptions(
        config=config,
        uid=uid,
        directory=directory or default_directory(config.cluster),
        storage=storage,
        state=state,
        transport=transport,
        is_master=master,
        without=without,
        trace=trace,
        metrics=metrics,
        is_quiet=quiet,
        is_brief=brief,
        takes_faults=takes_faults,
    )
    sys.exit(run_server(options))


def _check_strategies(without: tuple[str, ...], *, master: bool) -> None:
    from multipaxos.composition import (
        INDISPENSABLE,
        STRATEGIES,
        UnknownStrategyError,
        strategy_names,
    )

    for name in without:
        if name not in STRATEGIES:
            removable = ", ".join(known for known in STRATEGIES if known not in INDISPENSABLE)
            raise BadInputError(
                f'There is no strategy "{printable(name, length_max=40)}". '
                f"These can be left out: {removable}."
            )
    try:
        strategy_names(master=master, without=without)
    except UnknownStrategyError as error:
        raise BadInputError(f"Strategy {error}.") from error
