"""Another future: a script is cut at an instant of its run, and goes on otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass

from multipaxos.lab.play import Played, ScriptError, go_on, judged, play_unjudged
from multipaxos.simulation.stage.cut import cut

COMMANDS_MAX = 100
TICKS_PER_SECOND = 1_000_000
"""Times in a script that the lab writes are whole microseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """A run that parts from another one: it is *played*, and parts after *events* events."""

    played: Played
    events: int


def fork(script: str, *, at: int, commands: Sequence[str], keep_time: bool) -> Fork:
    """
    Play *script* up to its step with *at* events, and then *commands*.

    With *keep_time*, what the network carries by itself goes on as long as it did in the script.
    Raises ScriptError.
    """
    _check(at, commands)
    # What the clients saw is judged at a run's end: that is no event of its beginning.
    before = play_unjudged(script)
    beginning = cut(before.stage, at)
    kept = _lines_of(before, beginning.commands)
    after = play_unjudged("\n".join([*kept, *commands, ""]))
    if keep_time:
        after = _prolong(after, before)
    return Fork(played=judged(after), events=beginning.events)


def _check(at: int, commands: Sequence[str]) -> None:
    if at < 0:
        raise ScriptError("a run is cut at one of its events: they count from 0")
    if len(commands) > COMMANDS_MAX:
        raise ScriptError(f"at most {COMMANDS_MAX} commands change a run at once")
    if any("\n" in command or "\r" in command for command in commands):
        raise ScriptError("a command is one line")


def _lines_of(played: Played, commands: Sequence[str]) -> list[str]:
    """Return the script's lines, comments included, that say *commands*, with which it begins."""
    whole = 0
    for command, performed in zip(commands, played.stage.performed, strict=False):
        if command != performed:
            break
        whole += 1
    end: int | None = None
    if whole:
        end = played.lines[whole - 1].number
    elif played.lines:
        end = played.lines[0].number - 1
    return [*played.script.splitlines()[:end], *commands[whole:]]


def _prolong(after: Played, before: Played) -> Played:
    """Let as much time pass as did in *before*, where the network delivers by itself."""
    if after.stage.cluster.is_manual:
        return after
    missing = before.stage.cluster.time.now - after.stage.cluster.time.now
    ticks = round(missing * TICKS_PER_SECOND)
    if ticks <= 0:
        return after
    command = f"advance {ticks / 1000!r}ms"
    return go_on(after, command)
