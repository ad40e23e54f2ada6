"""
Multi-Paxos: a chain of Paxos instances, one after the other, that keeps one value replicated.

The names below are loaded when they are first used: to import this package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multipaxos.chain.state_machine import CommandForm, Failure, StateMachine
    from multipaxos.client import (
        AsyncValue,
        AuthenticationError,
        BadArgumentError,
        Change,
        Chosen,
        ClientError,
        ClosedError,
        CommandError,
        NotReachableError,
        OutcomeError,
        ProtocolError,
        Refused,
        RefusedError,
        StaleValue,
        Unknown,
        UnknownOutcomeError,
        Value,
        connect,
        connect_async,
    )
    from multipaxos.embedding import NotRunningError, ReplicatedValue
    from multipaxos.errors import MultipaxosError
    from multipaxos.runtime.config import ConfigError
    from multipaxos.runtime.options import NotStartedError
    from multipaxos.runtime.ports import StorageError

__all__ = [
    "AsyncValue",
    "AuthenticationError",
    "BadArgumentError",
    "Change",
    "Chosen",
    "ClientError",
    "ClosedError",
    "CommandError",
    "CommandForm",
    "ConfigError",
    "Failure",
    "MultipaxosError",
    "NotReachableError",
    "NotRunningError",
    "NotStartedError",
    "OutcomeError",
    "ProtocolError",
    "Refused",
    "RefusedError",
    "ReplicatedValue",
    "StaleValue",
    "StateMachine",
    "StorageError",
    "Unknown",
    "UnknownOutcomeError",
    "Value",
    "connect",
    "connect_async",
]

_HOMES = dict.fromkeys(__all__, "multipaxos.client") | {
    "CommandForm": "multipaxos.chain.state_machine",
    "Failure": "multipaxos.chain.state_machine",
    "ConfigError": "multipaxos.runtime.config",
    "StorageError": "multipaxos.runtime.ports",
    "NotStartedError": "multipaxos.runtime.options",
    "NotRunningError": "multipaxos.embedding",
    "MultipaxosError": "multipaxos.errors",
    "ReplicatedValue": "multipaxos.embedding",
    "StateMachine": "multipaxos.chain.state_machine",
}
"""The module of each name, where it is not TYPE_CHECKING that asks."""


def __getattr__(name: str) -> Any:
    """Load *name* from the module where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found


def __dir__() -> list[str]:
    """Name what can be loaded, too."""
    return sorted({*globals(), *__all__})
