"""The commands: ``multipaxos --help`` lists them, and each has a file here."""

import click

from multipaxos.cli.bugs import bugs
from multipaxos.cli.client import client
from multipaxos.cli.cluster import cluster
from multipaxos.cli.conform import conform
from multipaxos.cli.demo import demo
from multipaxos.cli.diagram import diagram
from multipaxos.cli.entry import Commands
from multipaxos.cli.explore import explore
from multipaxos.cli.get import get
from multipaxos.cli.history import history
from multipaxos.cli.server import server
from multipaxos.cli.simulate import simulate
from multipaxos.cli.status import status

__all__ = ["main"]


@click.group(
    cls=Commands,
    commands=[
        server,
        client,
        get,
        status,
        history,
        cluster,
        demo,
        simulate,
        explore,
        diagram,
        conform,
        bugs,
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="multipaxos")
def main() -> None:
    """Multi-Paxos: servers that keep one replicated value in agreement."""
