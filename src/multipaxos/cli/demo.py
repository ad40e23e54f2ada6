"""``multipaxos demo``: watch three real servers agree, fail and recover."""

import sys
import tempfile
from pathlib import Path

import click

from multipaxos.cli.demo_cluster import DemoCluster, StepFailedError
from multipaxos.cli.demo_steps import STEPS
from multipaxos.cli.entry import EXIT_FAILED
from multipaxos.cli.narration import Narrator
from multipaxos.cli.output import open_console
from multipaxos.cli.processes import interrupt_at_end


@click.command(short_help="Watch three servers agree, fail and recover.")
def demo() -> None:
    """
    Watch three servers agree, fail and recover, in less than half a minute.

    Real processes, on free ports of this machine, with their state in a temporary directory.
    Nothing is claimed that was not verified by asking the servers: exit code 0 means that every
    step was, exit code 1 that one failed.
    """
    interrupt_at_end()
    sys.exit(_run(Narrator(open_console())))


def _run(narrator: Narrator) -> int:
    narrator.title("Three servers, one value: multi-Paxos on this machine")
    with (
        tempfile.TemporaryDirectory(prefix="multipaxos-demo-") as directory,
        DemoCluster(Path(directory), colour=narrator.has_colour) as cluster,
    ):
        for number, (title, play) in enumerate(STEPS, start=1):
            narrator.step(number, title)
            try:
                play(cluster, narrator)
            except StepFailedError as error:
                narrator.failed(f"Step {number} failed: {error}.")
                return EXIT_FAILED
    narrator.end(f"All {len(STEPS)} steps were verified by asking the servers.")
    return 0
