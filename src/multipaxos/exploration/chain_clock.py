"""
Time without numbers: which hourglasses still have sand, and which respect outlives them.

Of all that clocks within their error do, the design claims one thing: a server's respect for a
lease, which counts from learning of it, ends after every hourglass that was turned before that. So
no more is assumed here; whatever else is set may fire at any moment, before or after anything.

That sand runs out is no event of its own. Nobody notices it before a server looks, its timer fires,
or a respect ends that was to outlive it; so it runs out right then. Whatever happens earlier could
happen with the sand still running as well, and with more belief in the lease.
"""

from collections.abc import Iterable
from enum import Enum
from typing import TypeAlias

from multipaxos.chain.effects import SetTimer, Timer, TimerChange

HOURGLASSES = (Timer.HOURGLASS_LEFT, Timer.HOURGLASS_RIGHT)
LEASE_TIMERS = frozenset({*HOURGLASSES, Timer.FOREIGN_LEASE})

Reading: TypeAlias = tuple[int, ...]
"""The sand, a bit for each hourglass; then for each server the sand that its respect outlives."""


class Turn(Enum):
    """What happens to a timer: set anew, cancelled, or fired."""

    SET = "set"
    CANCELLED = "cancelled"
    FIRED = "fired"


Move: TypeAlias = tuple[int, tuple[tuple[Timer, Turn], ...]]
"""What an event of a server, by position, does to its timers that measure leases, in order."""


def sand_of(server: int, hourglass: Timer) -> int:
    """Return the bit of the *server*'s *hourglass*."""
    return 1 << (2 * server + HOURGLASSES.index(hourglass))


def turn_of(change: TimerChange) -> tuple[Timer, Turn]:
    """Return what *change* does."""
    return change.timer, Turn.SET if isinstance(change, SetTimer) else Turn.CANCELLED


class Clocks:
    """
    The clocks of all *servers* together.

    State: the readings and moves that were met, each known by its number, and what a move makes of
    a reading. Number 0 is the reading in which nothing runs, and the move that changes nothing.
    """

    def __init__(self, servers: int) -> None:
        """Begin with no sand anywhere."""
        self.servers = servers
        self.readings: list[Reading] = []
        self.sand: list[int] = []
        self._numbers: dict[Reading, int] = {}
        self._moves: list[Move] = [(0, ())]
        self._move_numbers: dict[Move, int] = {}
        self._after: dict[tuple[int, int], int] = {}
        self._number_of((0,) * (1 + servers))

    def move(self, server: int, turns: Iterable[tuple[Timer, Turn]]) -> int:
        """Return the number of the move that consists of *turns* at *server*."""
        relevant = tuple((timer, turn) for timer, turn in turns if timer in LEASE_TIMERS)
        if not relevant:
            return 0
        move = (server, relevant)
        number = self._move_numbers.get(move)
        if number is None:
            number = self._move_numbers[move] = len(self._moves)
            self._moves.append(move)
        return number

    def after(self, reading: int, move: int) -> int:
        """Return the number of the reading after *move*."""
        if not move:
            return reading
        number = self._after.get((reading, move))
        if number is None:
            number = self._number_of(self._moved(self.readings[reading], self._moves[move]))
            self._after[reading, move] = number
        return number

    def _moved(self, reading: Reading, move: Move) -> Reading:
        sand, *outlived = reading
        server, turns = move
        for timer, turn in turns:
            if timer is not Timer.FOREIGN_LEASE:
                bit = sand_of(server, timer)
                # Turned anew, it is another hourglass, which nobody's earlier respect outlives.
                outlived = [mask & ~bit for mask in outlived]
                sand = sand | bit if turn is Turn.SET else sand & ~bit
                continue
            if turn is Turn.FIRED:
                sand &= ~outlived[server]
            outlived[server] = sand if turn is Turn.SET else 0
        return sand, *(mask & sand for mask in outlived)

    def _number_of(self, reading: Reading) -> int:
        number = self._numbers.get(reading)
        if number is None:
            number = self._numbers[reading] = len(self.readings)
            self.readings.append(reading)
            self.sand.append(reading[0])
        return number
