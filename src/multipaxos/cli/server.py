"""``multipaxos server``: run one server."""

import sys
from pathlib import Path

import click

from multipaxos.cli.entry import BadInputError
from multipaxos.cli.parameters import bad_config_refused, config_option, read_config


@click.command(short_help="Run one server until Ctrl+C.")
@click.argument("uid", metavar="SERVER")
@click.option("--master", is_flag=True, help="Seek master leases: one round trip for a value.")
@config_option
@click.option(
    "--data",
    "directory",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the state is kept; by default where this system keeps such things.",
)
@click.option(
    "--storage",
    type=click.Choice(["sqlite", "json"]),
    default="sqlite",
    show_default=True,
    help="How the state is kept.",
)
@click.option("--quiet", is_flag=True, help="Do not print the traffic.")
@click.option(
    "--trace",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Append everything that happens to FILE, one JSON object a line.",
)
@click.option(
    "--without",
    metavar="STRATEGY",
    multiple=True,
    help="Leave a strategy out, to see what it is for.",
)
def server(
    uid: str,
    master: bool,
    config_path: Path | None,
    directory: Path | None,
    storage: str,
    quiet: bool,
    trace: Path | None,
    without: tuple[str, ...],
) -> None:
    """
    Run SERVER (A, B or C) until Ctrl+C.

    Prints all messages it sends and receives, and each value that it finds to be chosen. It prints
    "ready" when it serves. Exit code 2: it could not start. Exit code 1: it had to stop.
    """
    from multipaxos.composition import UnknownStrategyError, strategy_names
    from multipaxos.runtime.storage import default_directory

    config = read_config(config_path)
    with bad_config_refused():
        config.server(uid)
    try:
        strategy_names(master=master, without=without)
    except UnknownStrategyError as error:
        raise BadInputError(f"Strategy {error}.") from error

    from multipaxos.runtime.server import ServerOptions, run_server

    options = ServerOptions(
        config=config,
        uid=uid,
        directory=directory or default_directory(config.cluster),
        storage=storage,
        is_master=master,
        without=without,
        trace=trace,
        is_quiet=quiet,
    )
    sys.exit(run_server(options))
