"""
One trace for every engine: what happened, when, on which server.

The driver tells an observer; :class:`TraceObserver` turns that into :class:`TraceEvent` objects and
hands them to sinks. Read it in this order: plain, events, file, text, console.
"""

from multipaxos.trace.console import ConsoleSink
from multipaxos.trace.events import Silence, Sink, TraceEvent, TraceObserver
from multipaxos.trace.file import FileSink, parse_line, read_trace
from multipaxos.trace.plain import plain
from multipaxos.trace.text import describe_link, printable, quoted

__all__ = [
    "ConsoleSink",
    "FileSink",
    "Silence",
    "Sink",
    "TraceEvent",
    "TraceObserver",
    "describe_link",
    "parse_line",
    "plain",
    "printable",
    "quoted",
    "read_trace",
]
