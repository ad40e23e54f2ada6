"""Where ``multipaxos bench`` writes its figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from multipaxos.bench.figures import NoPlotsError, check_plots, write_plots
from multipaxos.bench.files import NotReplaceableError, check_directory, write_files
from multipaxos.bench.machine import Machine
from multipaxos.bench.measurement import Measurement
from multipaxos.cli.bench_failures import BenchFailedError
from multipaxos.cli.entry import BadInputError


@dataclass(frozen=True, slots=True)
class Described:
    """On what *machine*, and with which *options*, figures came about."""

    machine: Machine
    options: Mapping[str, object]


def check_output(directory: Path) -> None:
    """Refuse a *directory* that figures cannot go to; say before the run if there is no plotter."""
    try:
        check_directory(directory)
    except NotReplaceableError as error:
        raise BadInputError(str(error)) from error
    except OSError as error:
        raise BadInputError(f"{directory} cannot be written: {error.strerror}.") from error
    try:
        check_plots()
    except NoPlotsError as error:
        click.echo(str(error), err=True)


def write_output(
    directory: Path, measurements: Sequence[Measurement], described: Described
) -> None:
    """Write everything that can be written; a sentence and exit code 1 if that fails."""
    try:
        write_files(directory, measurements, machine=described.machine, options=described.options)
        write_plots(directory, measurements)
    except NoPlotsError:
        pass  # That was told before the run.
    except OSError as error:
        raise BenchFailedError(f"{directory} cannot be written: {error.strerror}.") from error
    click.echo(f"The figures are in {directory}.")
