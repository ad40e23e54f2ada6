"""``multipaxos bench``: how fast the servers are, and what a write costs them."""

import sys
from pathlib import Path

import click

from multipaxos.bench.plan import STATES, Endpoint
from multipaxos.cli.bench_parameters import Endpoints, Setting, Shares, WholeNumbers, Words
from multipaxos.cli.entry import BadInputError
from multipaxos.cli.parameters import FilePath, Seconds, WholeNumber
from multipaxos.runtime.config import SERVERS_MAX

CLIENTS_MAX = 10_000
PIPELINE_MAX = 10_000
VALUE_BYTES_MAX = 1 << 26
KEYS_MAX = 10_000_000
PROCESSES_MAX = 64
FAILOVER_SERVERS_MIN = 3


@click.command(short_help="Measure how fast the servers are.")
@click.option(
    "--clients",
    metavar="LIST",
    type=WholeNumbers(1, CLIENTS_MAX),
    default="1,64,256",
    show_default=True,
    help="How many clients; each is a connection.",
)
@click.option(
    "--pipeline",
    metavar="LIST",
    type=WholeNumbers(1, PIPELINE_MAX),
    default="1,16",
    show_default=True,
    help="How many requests each client sends at once, before it waits for the answers.",
)
@click.option(
    "--servers",
    metavar="LIST",
    type=WholeNumbers(1, SERVERS_MAX),
    help="How many servers are started, with --master and SQLite; without it 3.",
)
@click.option(
    "--value-bytes",
    metavar="N",
    type=WholeNumber(1, VALUE_BYTES_MAX),
    default=64,
    show_default=True,
    help="How large each value is.",
)
@click.option(
    "--reads",
    metavar="LIST",
    type=Shares(),
    default="0",
    show_default=True,
    help="Which part of the requests reads: 0, 1 or in between.",
)
@click.option(
    "--keys",
    metavar="N",
    type=WholeNumber(1, KEYS_MAX),
    default=1000,
    show_default=True,
    help="How many keys there are, chosen by chance.",
)
@click.option(
    "--seconds",
    metavar="S",
    type=Seconds(),
    default=5.0,
    show_default=True,
    help="How long each load is measured.",
)
@click.option(
    "--warm-up",
    metavar="S",
    type=Seconds(),
    default=1.0,
    show_default=True,
    help="How long it runs before.",
)
@click.option(
    "--state",
    type=click.Choice(STATES),
    default="dictionary",
    show_default=True,
    help="What is replicated.",
)
@click.option(
    "--failover",
    is_flag=True,
    help="At the end, kill the master under load, and measure how long nothing is acknowledged.",
)
@click.option(
    "--via",
    metavar="HOST:PORT,...",
    type=Endpoints(),
    help="Measure servers that run already, instead of starting some.",
)
@click.option(
    "--setting",
    "settings",
    metavar="NAME=VALUE",
    type=Setting(),
    multiple=True,
    help="A setting of the servers that are started; may be given several times.",
)
@click.option(
    "--server-options",
    metavar="WORDS",
    type=Words(),
    help='More options of the servers that are started, as in "--without batching".',
)
@click.option(
    "--data",
    "directory",
    metavar="DIR",
    type=FilePath(what="directory", file_okay=False),
    help="Where the servers keep their state meanwhile; by default where temporary files go.",
)
@click.option(
    "--processes",
    metavar="N",
    type=WholeNumber(1, PROCESSES_MAX),
    default=1,
    show_default=True,
    help="Among how many processes the clients are divided.",
)
@click.option(
    "--output",
    metavar="DIR",
    type=FilePath(what="directory", file_okay=False),
    help="Write the figures to DIR, as JSON, CSV and plots.",
)
def bench(  # noqa: PLR0917 - click passes them by name
    clients: tuple[int, ...],
    pipeline: tuple[int, ...],
    servers: tuple[int, ...] | None,
    value_bytes: int,
    reads: tuple[float, ...],
    keys: int,
    seconds: float,
    warm_up: float,
    state: str,
    failover: bool,
    via: tuple[Endpoint, ...] | None,
    settings: tuple[tuple[str, str], ...],
    server_options: tuple[str, ...] | None,
    directory: Path | None,
    processes: int,
    output: Path | None,
) -> None:
    """
    Measure how fast the servers are, and what a write costs them.

    Servers are started on free ports of this machine, with their state in a temporary directory;
    other processes put load on them. Each combination of the lists is measured once.
    """
    from itertools import product

    from multipaxos.bench.plan import Content, Load
    from multipaxos.cli.bench_run import BenchOptions, run_bench

    _check_via(via, servers=servers, settings=settings, options=server_options, data=directory)
    sizes = (3,) if servers is None else servers
    if failover:
        _check_failover(sizes, via, state)
    options = BenchOptions(
        loads=tuple(
            Load(clients=number, pipeline=together, reads=share)
            for share, together, number in product(reads, pipeline, clients)
        ),
        content=Content(state=state, keys=keys, value_bytes=value_bytes),
        sizes=sizes,
        seconds=seconds,
        warm_up_seconds=warm_up,
        failover=failover,
        via=via or (),
        settings=dict(settings),
        server_options=server_options or (),
        directory=directory,
        processes=processes,
        output=output,
    )
    sys.exit(run_bench(options))


def _check_via(via: tuple[Endpoint, ...] | None, **others: object) -> None:
    """Refuse options that are about servers of our own if there are others."""
    if via is None:
        return
    names = {"options": "--server-options", "settings": "--setting"}
    for name, value in others.items():
        if value:
            raise BadInputError(
                f"{names.get(name, f'--{name}')} is about servers that are started here, and --via "
                "names some that run already: leave one of them out."
            )


def _check_failover(sizes: tuple[int, ...], via: tuple[Endpoint, ...] | None, state: str) -> None:
    if via is not None:
        raise BadInputError(
            "--failover kills a server, and --via names some that others started: leave one of "
            "them out."
        )
    if min(sizes) < FAILOVER_SERVERS_MIN:
        raise BadInputError(
            f"--failover needs {FAILOVER_SERVERS_MIN} servers or more: of {min(sizes)}, none may "
            "die."
        )
    if state != "dictionary":
        raise BadInputError("--failover counts in a dictionary: leave --state out.")
