"""How long a peer that could not be connected to is left alone."""

from random import Random

RETRY_SECONDS_MIN = 0.05
"""The first window: a server that is started anew listens again in about so long."""
RETRY_SECONDS_MAX = 1.0
"""
The widest window: about what the protocol waits before it repeats a request.

So a peer that is back misses one repetition at most, while one that is gone for good costs each
other server no more than two attempts a second.
"""


class Backoff:
    """
    Draws how long to wait after each failure, from *rng*.

    State: the *window* that the next wait is drawn from. It doubles with each failure.
    """

    def __init__(self, rng: Random) -> None:
        """Begin as after a success."""
        self._rng = rng
        self.window = RETRY_SECONDS_MIN

    def fail(self) -> float:
        """Return how many seconds to wait: the upper half of the window, so never next to none."""
        window, self.window = self.window, min(2 * self.window, RETRY_SECONDS_MAX)
        return self._rng.uniform(window / 2, window)

    def succeed(self) -> None:
        """Begin anew with the first window."""
        self.window = RETRY_SECONDS_MIN
