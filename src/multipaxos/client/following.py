"""
To run a generator of steps: each step that it yields is performed, and its answer sent back.

So the same rules, which decide and never wait, run blocking and under asyncio.
"""

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeVar

from multipaxos.errors import MultipaxosError

S = TypeVar("S")
A = TypeVar("A")


def follow(steps: Generator[S, Any, A], perform: Callable[[S], Any]) -> A:
    """Perform *steps*, which meet its MultipaxosErrors; return what they lead to."""
    answer: Any = None
    error: MultipaxosError | None = None
    while True:
        try:
            step = steps.send(answer) if error is None else steps.throw(error)
        except StopIteration as end:
            value: A = end.value
            return value
        answer, error = None, None
        try:
            answer = perform(step)
        except MultipaxosError as met:
            error = met


async def follow_async(steps: Generator[S, Any, A], perform: Callable[[S], Awaitable[Any]]) -> A:
    """Do as :func:`follow`, in the task that asks."""
    answer: Any = None
    error: MultipaxosError | None = None
    while True:
        try:
            step = steps.send(answer) if error is None else steps.throw(error)
        except StopIteration as end:
            value: A = end.value
            return value
        answer, error = None, None
        try:
            answer = await perform(step)
        except MultipaxosError as met:
            error = met
