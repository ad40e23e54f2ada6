"""What can be built on a replicated value: examples to read, which work as they are."""

from multipaxos.recipes.lock import AsyncLock, Lock, LockLostError

__all__ = ["AsyncLock", "Lock", "LockLostError"]
