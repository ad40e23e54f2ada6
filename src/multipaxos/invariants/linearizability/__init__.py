"""
Whether what the clients saw fits one order of single steps (I11 Linearizable).

Read it in this order: operation, stepping, search, explanation; edn and porcupine write histories
for other checkers.
"""

from multipaxos.invariants.linearizability.explanation import check_linearizable
from multipaxos.invariants.linearizability.operation import (
    UNTOLD,
    Function,
    History,
    Operation,
    Status,
)
from multipaxos.invariants.linearizability.search import find_violation

__all__ = [
    "UNTOLD",
    "Function",
    "History",
    "Operation",
    "Status",
    "check_linearizable",
    "find_violation",
]
