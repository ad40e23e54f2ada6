"""The commands: ``multipaxos --help`` lists them, and each has a file here, with its name."""

import click

from multipaxos.cli.entry import Commands

__all__ = ["main"]

NAMES = (
    "server",
    "client",
    "set",
    "get",
    "cas",
    "delete",
    "watch",
    "execute",
    "shell",
    "status",
    "history",
    "cluster",
    "demo",
    "simulate",
    "explore",
    "lab",
    "diagram",
    "conform",
    "bugs",
    "bench",
)


@click.group(cls=Commands, names=NAMES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="multipaxos")
def main() -> None:
    """Multi-Paxos: servers that keep one replicated value in agreement."""
