"""How the benchmark fails: with a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

from multipaxos.bench.asking import AskingError
from multipaxos.bench.counts import CountsError
from multipaxos.bench.driving import LoadFailedError
from multipaxos.cli.entry import FailedError


class BenchFailedError(FailedError):
    """The benchmark could not be run to its end: a sentence, and exit code 1."""


@contextmanager
def failures_told() -> Iterator[None]:
    """Turn what went wrong between the benchmark and the servers into a sentence."""
    try:
        yield
    except (AskingError, CountsError, LoadFailedError) as error:
        text = str(error)
        raise BenchFailedError(f"{text[:1].upper()}{text[1:]}.") from error
