"""
Space-time diagrams of a trace: a column for each server, time downwards, messages as arrows.

Read it in this order: matching, index, words, notes, routine, steps, staging, selection; then the
ways to draw: canvas, layout and text; mermaid; svg. What is read from files comes through reading.
"""

from multipaxos.trace.diagram.matching import Fate, Transmission, match_messages
from multipaxos.trace.diagram.mermaid import draw_mermaid, mermaid
from multipaxos.trace.diagram.reading import read_traces
from multipaxos.trace.diagram.selection import collapse, select
from multipaxos.trace.diagram.staging import stage
from multipaxos.trace.diagram.steps import Scene
from multipaxos.trace.diagram.svg import draw_svg, svg
from multipaxos.trace.diagram.text import draw_text, legend, text_diagram

__all__ = [
    "Fate",
    "Scene",
    "Transmission",
    "collapse",
    "draw_mermaid",
    "draw_svg",
    "draw_text",
    "legend",
    "match_messages",
    "mermaid",
    "read_traces",
    "select",
    "stage",
    "svg",
    "text_diagram",
]
