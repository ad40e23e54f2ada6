"""
Wrong on purpose: the classic mistakes, each a few lines over the correct code.

They teach, and they test the tests: each of them must be caught. A bug is switched on by its name.
"""

from multipaxos.strategies.broken.bug import Bug, Disaster, Model, UnknownBugError
from multipaxos.strategies.broken.registry import BUGS, find_bug

__all__ = ["BUGS", "Bug", "Disaster", "Model", "UnknownBugError", "find_bug"]
