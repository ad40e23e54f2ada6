"""
Space-time diagrams of a trace: a column for each server, time downwards, messages as arrows.

Read it in this order: matching, index, words, notes, routine, steps, staging, selection; then the
ways to draw: canvas, layout and text.
"""

from multipaxos.trace.diagram.matching import Fate, Transmission, match_messages
from multipaxos.trace.diagram.text import text_diagram

__all__ = ["Fate", "Transmission", "match_messages", "text_diagram"]
