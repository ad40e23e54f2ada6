"""What the clients of a run ask for: drawn from the seed before the run, request by request."""

from dataclasses import dataclass
from random import Random

from multipaxos.chain.state_machine import Command, Get, Set
from multipaxos.simulation.faults import DRAWS

PATIENCE_SECONDS = (4.0, 30.0)
"""A client gives a request up after a time between these, in a third of all cases the shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    One request: what a client asks, *at* which second or, if it still waits then, soon after.

    *draw* stands for the client, *server_draw* for the server that it asks first. It gives up after
    *patience_seconds* without an answer.
    """

    number: int
    at: float
    command: Command
    draw: int
    server_draw: int
    patience_seconds: float


def draw_requests(seed: int, *, rate: float, reads: float, seconds: float) -> tuple[Request, ...]:
    """
    Return the requests of *seconds*: *rate* a second on the average, a share of *reads* in them.

    A longer run begins with the same requests as a shorter one. Every write has a value of its own.
    """
    rng = Random(f"{seed}/requests")
    requests: list[Request] = []
    at = 0.0
    while True:
        at += 2.0 / rate * rng.random()
        if at >= seconds:
            return tuple(requests)
        number = len(requests) + 1
        is_read = rng.random() < reads
        requests.append(
            Request(
                number=number,
                at=at,
                command=Get() if is_read else Set(value=f"v{number}"),
                draw=rng.randrange(DRAWS),
                server_draw=rng.randrange(DRAWS),
                patience_seconds=PATIENCE_SECONDS[rng.randrange(3) > 0],
            )
        )
