"""Building a server from what it is started with: its state machine, storage, protocol object."""

from collections.abc import Callable, Sequence
from random import SystemRandom
from typing import Any

from multipaxos.chain import pipelines
from multipaxos.chain.durable import DurableState
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.state_machine import StateMachine
from multipaxos.composition import compose
from multipaxos.machines import UnknownMachineError, find_machine
from multipaxos.runtime.client_port.commands import TABLE
from multipaxos.runtime.clock import BootTimeClock
from multipaxos.runtime.options import NotStartedError, ServerOptions
from multipaxos.runtime.ports import Storage
from multipaxos.runtime.server import Server
from multipaxos.runtime.storage import JsonStorage, SqliteStorage
from multipaxos.trace import Silence, Sink, TraceObserver

STORAGES = {"sqlite": SqliteStorage, "json": JsonStorage}


def build_server(
    options: ServerOptions,
    *,
    reactor: Any,
    sinks: Sequence[Sink],
    on_halt: Callable[[str], None],
) -> Server:
    """
    Return the server that *options* describe, with its state loaded, on *reactor*.

    What happens goes to *sinks*, too; *on_halt* is told why, should it stop by itself. Raises
    NotStartedError, ConfigError or StorageError.
    """
    clock = BootTimeClock(reactor)
    machine = _find_machine(options.state)
    observer = TraceObserver(options.uid, clock.seconds, sinks) if sinks else Silence()
    storage = _open_storage(options, machine)
    try:
        return Server(
            options,
            replica=_make_replica(options, machine, storage.load()),
            storage=storage,
            observer=observer,
            clock=clock,
            reactor=reactor,
            on_halt=on_halt,
        )
    except BaseException:
        storage.close()
        raise


def _find_machine(name: str) -> StateMachine:
    try:
        machine = find_machine(name)
    except UnknownMachineError as error:
        raise NotStartedError(str(error)) from error
    taken = sorted((TABLE.keys() | pipelines.NAMES) & machine.forms.keys())
    if taken:
        raise NotStartedError(
            f"state machine {name} has a command {taken[0]}, which is one of the connection's own: "
            "give it another name"
        )
    return machine


def _open_storage(options: ServerOptions, machine: StateMachine) -> Storage:
    return STORAGES[options.storage](
        options.directory,
        cluster=options.config.cluster,
        uid=options.uid,
        machine=machine,
        sessions_max=options.config.settings.sessions_max,
        history_max=options.config.history_max,
    )


def _make_replica(
    options: ServerOptions, machine: StateMachine, state: DurableState | None
) -> BaseReplicatedValue:
    replica_class = compose(options.strategies)
    return replica_class(
        membership=options.config.membership(options.uid),
        settings=options.config.settings,
        machine=machine,
        state=state,
        rng=SystemRandom(),
    )
