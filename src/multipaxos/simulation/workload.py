"""What the clients of a run ask for: drawn from the seed before the run, request by request."""

from dataclasses import dataclass
from random import Random

from multipaxos.chain.state_machine import Command, StateMachine
from multipaxos.simulation.commands import commands_of
from multipaxos.simulation.faults import DRAWS

PATIENCE_SECONDS = (4.0, 30.0, 30.0)
"""A client gives a request up after one of these times, each as likely."""

RETRY_SECONDS = (2.0, 2.0, 8.0)
"""After one of these times without an answer a client asks the next server, too."""

TOGETHER = 0.25
"""How likely a request is to come at the same instant as the one before: servers then compete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    One request: what a client asks, *at* which second or, if it still waits then, soon after.

    *draw* stands for the client, *server_draw* for the server that it asks first. Without an answer
    it asks the next one every *retry_seconds*, and gives up after *patience_seconds*.
    """

    number: int
    at: float
    command: Command
    draw: int
    server_draw: int
    retry_seconds: float
    patience_seconds: float


def draw_requests(
    seed: int, *, machine: StateMachine, rate: float, reads: float, seconds: float
) -> tuple[Request, ...]:
    """
    Return the requests of *seconds*: *rate* a second on the average, a share of *reads* in them.

    A longer run begins with the same requests as a shorter one, and every *machine* is asked at the
    same times.
    """
    rng = Random(f"{seed}/requests")
    commands = commands_of(machine, Random(f"{seed}/commands"))
    requests: list[Request] = []
    at = 0.0
    while True:
        luck = rng.random()
        if luck >= TOGETHER:
            # On the average, all gaps together are 1 / rate.
            at += 2.0 / rate * (luck - TOGETHER) / (1.0 - TOGETHER) ** 2
        if at >= seconds:
            return tuple(requests)
        number = len(requests) + 1
        is_read = rng.random() < reads
        requests.append(
            Request(
                number=number,
                at=at,
                command=commands.draw(number, is_read=is_read),
                draw=rng.randrange(DRAWS),
                server_draw=rng.randrange(DRAWS),
                retry_seconds=rng.choice(RETRY_SECONDS),
                patience_seconds=rng.choice(PATIENCE_SECONDS),
            )
        )
