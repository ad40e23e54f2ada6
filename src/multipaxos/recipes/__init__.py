"""What can be built on a replicated value; each recipe is an example to read, and works as it is."""

from multipaxos.recipes.lock import AsyncLock, Lock, LockLostError

__all__ = ["AsyncLock", "Lock", "LockLostError"]
