"""
Judging what servers traced while they ran: the same checkers, fed from files.

Read it in this order: source, merge, gaps, calls, feed, verdict.
"""

from multipaxos.invariants.conformance.source import BadTracesError
from multipaxos.invariants.conformance.verdict import Verdict, judge

__all__ = ["BadTracesError", "Verdict", "judge"]
