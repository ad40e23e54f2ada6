"""The commands of a script that let time pass."""

from multipaxos.chain.effects import Timer
from multipaxos.simulation.stage.base import BadCommandError, StageBase

STEPS_MAX = 100_000
RATE_MIN, RATE_MAX = 0.01, 100.0


class TimeCommands(StageBase):
    """Lets time pass, and timers end."""

    def advance(self, rest: str) -> None:
        """``advance 3s``, ``advance 250ms``: what is due by then happens."""
        time = self.cluster.time
        end = time.now + self._seconds(rest)
        while time.step(end):
            self._step("steps 1")
        time.run_until(end)

    def steps(self, rest: str) -> None:
        """Let what is due next happen, whenever that is: ``steps 40``, so many things."""
        for _ in range(self._count(rest, 0, STEPS_MAX, "the number of steps")):
            if not self.cluster.time.step():
                raise BadCommandError("nothing is due any more: no timer runs, nothing is sent")
            self._step("steps 1")

    def after(self, rest: str) -> None:
        """``after 12s propose B y``: carry out a command later, when time has got there."""
        duration, _, command = rest.partition(" ")
        if command.partition(" ")[0] not in self.commands:
            raise BadCommandError("write: after 12s COMMAND")
        time = self.cluster.time
        time.call_at(time.now + self._seconds(duration), lambda: self._perform_later(command))

    def fire(self, rest: str) -> None:
        """``fire A takeover``: this timer of A ends now."""
        uid, _, name = rest.partition(" ")
        self._check_uid(uid)
        try:
            self.cluster.hurry(uid, Timer(name))
        except ValueError as error:
            names = ", ".join(timer.value for timer in Timer)
            raise BadCommandError(f"{name!r} is no timer; these are: {names}") from error
        except LookupError as error:
            raise BadCommandError(f"{error}") from error

    def clock(self, rest: str) -> None:
        """``clock B 1.03``: B's clock runs at this rate from now on."""
        uid, _, text = rest.partition(" ")
        self._check_uid(uid)
        rate = self._number(text)
        if not RATE_MIN <= rate <= RATE_MAX:
            raise BadCommandError(f"a clock runs at a rate from {RATE_MIN:g} to {RATE_MAX:g}")
        self.cluster.set_clock_rate(uid, rate)

    def _perform_later(self, command: str) -> None:
        self._tell()
        self.perform(command)
