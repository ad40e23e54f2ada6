"""
Faults of the network on purpose, for the lab and for tests.

A server that was not started for that has no such layer: its messages go straight to the messenger.
Only whoever started the server can reach the layer, through the server's standard input.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from math import isfinite
from random import Random
from typing import Any

from multipaxos.chain.messages import Envelope
from multipaxos.errors import MultipaxosError
from multipaxos.runtime.ports import Messenger

LINE_BYTES_MAX = 65_536
DELAY_SECONDS_MAX = 60.0
FIELDS = frozenset({"blocked", "loss", "delay_seconds"})
LOST = "loss on purpose"
CUT_OFF = "partition on purpose"


class FaultLineError(MultipaxosError, ValueError):
    """A line does not say which faults there are to be; the message says what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFaults:
    """
    What is wrong with the network, on purpose.

    Nothing passes from the first to the second of each *blocked* pair; of the rest each message is
    lost with the probability *loss*, and takes *delay_seconds* more than it would.
    """

    blocked: frozenset[tuple[str, str]] = frozenset()
    loss: float = 0.0
    delay_seconds: float = 0.0

    def plain(self) -> dict[str, object]:
        """Return the faults as JSON can hold them."""
        return {
            "blocked": [list(pair) for pair in sorted(self.blocked)],
            "loss": self.loss,
            "delay_seconds": self.delay_seconds,
        }


def parse_faults(line: str | bytes, servers: Collection[str]) -> NetworkFaults:
    """Read what :meth:`NetworkFaults.plain` gives, as JSON. Raises FaultLineError."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FaultLineError("faults are told as one JSON object a line") from error
    return faults_of(told, servers)


def faults_of(told: Any, servers: Collection[str]) -> NetworkFaults:
    """Return the faults that *told*, read from JSON, stands for. Raises FaultLineError."""
    if not (isinstance(told, dict) and told.keys() <= FIELDS):
        raise FaultLineError(f"faults are an object with no more than {', '.join(sorted(FIELDS))}")
    return NetworkFaults(
        blocked=_pairs(told.get("blocked", []), servers),
        loss=_number(told.get("loss", 0.0), "loss", 1.0),
        delay_seconds=_number(told.get("delay_seconds", 0.0), "delay_seconds", DELAY_SECONDS_MAX),
    )


def _pairs(told: Any, servers: Collection[str]) -> frozenset[tuple[str, str]]:
    if not (isinstance(told, list) and all(_is_pair(pair, servers) for pair in told)):
        raise FaultLineError(f"blocked is a list of pairs of two servers of {', '.join(servers)}")
    return frozenset((sender, receiver) for sender, receiver in told)


def _is_pair(pair: Any, servers: Collection[str]) -> bool:
    match pair:
        case [str() as sender, str() as receiver]:
            return sender != receiver and sender in servers and receiver in servers
        case _:
            return False


def _number(told: Any, name: str, most: float) -> float:
    is_number = isinstance(told, int | float) and not isinstance(told, bool)
    if not (is_number and isfinite(told) and 0 <= told <= most):
        raise FaultLineError(f"{name} is a number from 0 to {most:g}")
    return float(told)


class FaultyMessenger:
    """
    Sends through *messenger* what the faults let pass.

    *call_later* wakes it for what is late; *on_lost* is told of each message that will not arrive,
    and why. State: the *faults*, none at first.
    """

    def __init__(
        self,
        messenger: Messenger,
        *,
        call_later: Callable[[float, Callable[[], None]], object],
        rng: Random,
        on_lost: Callable[[Envelope, str], None],
    ) -> None:
        """Let everything pass, until told otherwise."""
        self.faults = NetworkFaults()
        self._messenger = messenger
        self._call_later = call_later
        self._rng = rng
        self._on_lost = on_lost

    def send(self, envelope: Envelope) -> None:
        """Send *envelope*, now or later, or lose it."""
        faults = self.faults
        if (envelope.sender, envelope.receiver) in faults.blocked:
            self._on_lost(envelope, CUT_OFF)
        elif faults.loss and self._rng.random() < faults.loss:
            self._on_lost(envelope, LOST)
        elif faults.delay_seconds:
            self._call_later(faults.delay_seconds, partial(self._messenger.send, envelope))
        else:
            self._messenger.send(envelope)
