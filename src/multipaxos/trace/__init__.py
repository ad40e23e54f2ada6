"""
One trace for every engine: what happened, when, on which server.

The driver tells an observer; :class:`TraceObserver` turns that into :class:`TraceEvent` objects and
hands them to sinks. Read it in this order: plain, unplain, events, schema, file, text, console.
"""

from multipaxos.trace.console import ConsoleSink
from multipaxos.trace.events import VERSION, Silence, Sink, TraceEvent, TraceObserver
from multipaxos.trace.file import FileSink, parse_line, read_trace, write_trace
from multipaxos.trace.plain import plain
from multipaxos.trace.schema import KINDS, TraceError, check_event, check_trace
from multipaxos.trace.text import describe_link, describe_state, printable, quoted
from multipaxos.trace.unplain import (
    parse_link,
    parse_message,
    parse_outcome,
    parse_proposal,
    parse_request,
    unplain,
)

__all__ = [
    "KINDS",
    "VERSION",
    "ConsoleSink",
    "FileSink",
    "Silence",
    "Sink",
    "TraceError",
    "TraceEvent",
    "TraceObserver",
    "check_event",
    "check_trace",
    "describe_link",
    "describe_state",
    "parse_line",
    "parse_link",
    "parse_message",
    "parse_outcome",
    "parse_proposal",
    "parse_request",
    "plain",
    "printable",
    "quoted",
    "read_trace",
    "unplain",
    "write_trace",
]
