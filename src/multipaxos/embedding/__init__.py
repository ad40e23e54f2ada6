"""A server inside a program of one's own; see :class:`ReplicatedValue`."""

from multipaxos.embedding.replicated_value import NotRunningError, ReplicatedValue

__all__ = ["NotRunningError", "ReplicatedValue"]
