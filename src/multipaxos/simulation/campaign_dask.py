"""
A campaign's runs on a Dask cluster: the way past one machine.

Dask comes with the extra ``multipaxos[campaign]`` and is imported here only, when it is asked for.
"""

import importlib
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from itertools import islice
from typing import Any, TypeVar

Task = TypeVar("Task")
Report = TypeVar("Report")

CONNECT_SECONDS = 5.0
WORKERS_SECONDS = 5.0
TASKS_PER_THREAD = 3
"""So many runs are handed out for each thread of the cluster: none waits for the next one."""


class ClusterError(Exception):
    """A Dask cluster cannot be used; the message says why, and what to do."""


class ClusterLostError(Exception):
    """A Dask cluster did not finish what it was given."""


def reports_of_cluster(
    address: str, work: Callable[[Task], Report], tasks: Iterable[Task]
) -> Iterator[Report]:
    """
    Yield what becomes of *tasks* on the Dask cluster at *address*, in the order they are done.

    Raises ClusterError before the first of them, ClusterLostError later.
    """
    distributed = _import_dask()
    client = _connect(distributed, address)
    try:
        _check_workers(client, address)
        yield from _reports(distributed, client, address, work, iter(tasks))
    finally:
        # What is still under way there is of no use to anybody.
        client.close()


def installed_version() -> str:
    """Return which version of this package is installed here: the workers are asked this."""
    return version("multipaxos")


def _import_dask() -> Any:
    try:
        return importlib.import_module("distributed")
    except ImportError as error:
        raise ClusterError(
            f"Dask is not installed here ({error}): install multipaxos[campaign]"
        ) from error


def _connect(distributed: Any, address: str) -> Any:
    try:
        return distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(f"no Dask scheduler answers at {address}: {error}") from error


def _check_workers(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=WORKERS_SECONDS)
    except TimeoutError as error:
        raise ClusterError(f"the Dask cluster at {address} has no workers") from error
    ours = installed_version()
    try:
        theirs = client.run(installed_version)
    except Exception as error:
        raise ClusterError(
            f"a worker of {address} cannot run it ({error}): install multipaxos {ours} there"
        ) from error
    for worker, installed in theirs.items():
        if installed != ours:
            raise ClusterError(
                f"worker {worker} has multipaxos {installed}, and here is {ours}: a seed may mean "
                "something else there"
            )


def _reports(
    distributed: Any,
    client: Any,
    address: str,
    work: Callable[[Task], Report],
    waiting: Iterator[Task],
) -> Iterator[Report]:
    window = TASKS_PER_THREAD * sum(client.nthreads().values())
    # Equal tasks would otherwise count as one, with one result. No list keeps a future: the cluster
    # holds a report only until it is fetched.
    first = (client.submit(work, task, pure=False) for task in islice(waiting, window))
    done = distributed.as_completed(first, loop=client.loop)
    for future in done:
        if future.status != "finished":
            raise ClusterLostError(f"the Dask cluster at {address} {_describe_failure(future)}")
        report: Report = future.result()
        for task in islice(waiting, 1):
            done.add(client.submit(work, task, pure=False))
        yield report


def _describe_failure(future: Any) -> str:
    if future.status == "error":
        return f"failed at a run: {future.exception()}"
    return "did not finish: it went away, or somebody cancelled the runs"
