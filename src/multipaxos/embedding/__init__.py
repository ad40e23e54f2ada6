"""A server inside a program of one's own; see :class:`ReplicatedValue`."""

from multipaxos.embedding.replicated_value import ReplicatedValue
from multipaxos.embedding.surroundings import NotRunningError

__all__ = ["NotRunningError", "ReplicatedValue"]
