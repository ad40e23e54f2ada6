"""Processes that play runs: each is given one after the other, and dies without being missed."""

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

Task = TypeVar("Task")
Report = TypeVar("Report")


class WorkerLostError(Exception):
    """A process ended in the middle of a task; the message says how, and of which."""


class Workers(Generic[Task, Report]):
    """
    Fresh processes that do *work* on tasks, as many at a time as there are *jobs*.

    Ctrl+C does not reach them: whoever has them ends them with :meth:`close`. State: the processes,
    each by the connection to it, and what each is at.
    """

    def __init__(self, work: Callable[[Task], Report], jobs: int) -> None:
        """Start *jobs* processes; *work* is found there by its name."""
        self._processes: dict[Connection, BaseProcess] = {}
        self._at: dict[Connection, Task] = {}
        # A fresh interpreter for each: nothing of this one, its threads included, is copied.
        context = multiprocessing.get_context("spawn")
        # This helper of the library's unblocks the signal when it is started: that is done before.
        resource_tracker.ensure_running()
        # They inherit that the signal is blocked, and are never hit while they start.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            for _ in range(jobs):
                here, there = context.Pipe()
                process = context.Process(target=_serve, args=(work, there), daemon=True)
                self._processes[here] = process
                process.start()
                there.close()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def reports(self, tasks: Iterable[Task]) -> Iterator[Report]:
        """
        Yield what becomes of each of *tasks*, in the order in which they are done.

        Raises WorkerLostError when a process ends before its task.
        """
        waiting = iter(tasks)
        for connection in self._processes:
            self._give_next(connection, waiting)
        while self._at:
            ready = wait(list(self._at))
            for connection in [each for each in self._at if each in ready]:
                report = self._take(connection)
                self._give_next(connection, waiting)
                yield report

    def close(self) -> None:
        """End all processes, wherever they are."""
        for connection, process in self._processes.items():
            connection.close()
            if process.pid is not None:
                process.terminate()
                process.join()
        self._processes.clear()
        self._at.clear()

    def _give_next(self, connection: Connection, waiting: Iterator[Task]) -> None:
        self._at.pop(connection, None)
        for task in waiting:
            self._at[connection] = task
            # One that died meanwhile is noticed where its answer is taken.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.send(task)
            return

    def _take(self, connection: Connection) -> Report:
        try:
            report: Report = connection.recv()
        except (EOFError, ConnectionResetError):
            process = self._processes[connection]
            process.join()
            end, task = _describe_end(process.exitcode), self._at[connection]
            raise WorkerLostError(f"a process {end} while it was at {task}") from None
        return report


def _serve(work: Callable[[Task], Report], connection: Connection) -> None:
    # The end of the connection is the end of whoever would read the answer.
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            connection.send(work(connection.recv()))


def _describe_end(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"was killed by {signal.Signals(-exit_code).name}"
    return f"ended with exit code {exit_code}"
