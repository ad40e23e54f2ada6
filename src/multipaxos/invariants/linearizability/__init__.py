"""
Whether what the clients saw fits one order of single steps (I11 Linearizable).

Read it in this order: operation, stepping, parts, links, search, detours, simple, explanation. With
processes, asked, edn and porcupine a history is written for other checkers.
"""

from multipaxos.invariants.linearizability.edn import edn_lines
from multipaxos.invariants.linearizability.explanation import check_linearizable
from multipaxos.invariants.linearizability.operation import UNTOLD, History, Operation, Status
from multipaxos.invariants.linearizability.porcupine import (
    NotExpressibleError,
    porcupine_lines,
)
from multipaxos.invariants.linearizability.search import find_violation

__all__ = [
    "UNTOLD",
    "History",
    "NotExpressibleError",
    "Operation",
    "Status",
    "check_linearizable",
    "edn_lines",
    "find_violation",
    "porcupine_lines",
]
