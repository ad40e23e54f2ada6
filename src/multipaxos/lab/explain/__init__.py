"""
Explains a trace: what happened, in plain sentences, and which rule decided it.

It runs no protocol. It reads the events, keeps what they told so far, and says of each why it came
as it did, with the names and numbers of that very event.

Read it in this order: words, ballots, server_past, past, folding, causes, moment; rules,
rulebook, broken; said, why; choice, lens, transmissions, violations; explanation.
"""

from multipaxos.lab.explain.explanation import Explanation, PlainExplanation, explain
from multipaxos.lab.explain.rulebook import RULES
from multipaxos.lab.explain.rules import Rule

__all__ = ["RULES", "Explanation", "PlainExplanation", "Rule", "explain"]
