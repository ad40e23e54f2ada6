"""
A cluster under a person's hand: the commands of a script, and the stage that they act on.

Read it in this order: setup, base, settings, clients, messages, servers, passing, expecting, cut.
"""

from collections.abc import Callable

from multipaxos.simulation.stage.base import BadCommandError, Step
from multipaxos.simulation.stage.clients import ClientCommands
from multipaxos.simulation.stage.expecting import ExpectCommand
from multipaxos.simulation.stage.messages import MessageCommands
from multipaxos.simulation.stage.passing import TimeCommands
from multipaxos.simulation.stage.servers import ServerCommands
from multipaxos.simulation.stage.settings import SettingCommands

__all__ = ["COMMANDS", "SETTINGS", "BadCommandError", "Stage", "Step"]


class Stage(
    SettingCommands,
    ClientCommands,
    MessageCommands,
    ServerCommands,
    TimeCommands,
    ExpectCommand,
):
    """The stage with all its commands. See :data:`COMMANDS` for the vocabulary."""


_SETTINGS = (
    Stage.servers,
    Stage.seed,
    Stage.master,
    Stage.without,
    Stage.bug,
    Stage.quorums,
    Stage.newborn,
    Stage.automatic,
    Stage.faults,
    Stage.clients,
    Stage.state,
    Stage.set,
)

_DEEDS = (
    Stage.propose,
    Stage.read,
    Stage.ask,
    Stage.deliver,
    Stage.drop,
    Stage.duplicate,
    Stage.delay,
    Stage.hold,
    Stage.flow,
    Stage.partition,
    Stage.block,
    Stage.heal,
    Stage.crash,
    Stage.restart,
    Stage.wipe,
    Stage.pause,
    Stage.resume,
    Stage.stall,
    Stage.disk_full,
    Stage.disk_ok,
    Stage.advance,
    Stage.steps,
    Stage.after,
    Stage.fire,
    Stage.clock,
    Stage.show,
    Stage.expect,
)

COMMANDS: dict[str, Callable[[Stage, str], None]] = {
    method.__name__.replace("_", "-"): method for method in (*_SETTINGS, *_DEEDS)
}
"""The commands by name; the docstring of each shows how it is written."""

SETTINGS = frozenset(method.__name__ for method in _SETTINGS)
"""Those that must stand before everything that happens."""

Stage.commands = COMMANDS
Stage.settings = SETTINGS
Stage.silent = frozenset({"expect"})
