"""The traces to be judged: read from their files, and checked for being of one cluster."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from multipaxos.errors import MultipaxosError
from multipaxos.trace import TraceError, TraceEvent, check_event, parse_line
from multipaxos.trace.schema import check_header

ENGINES = ("server", "simulation", "scenario")


class BadTracesError(MultipaxosError):
    """The traces cannot be judged; the message says in a sentence why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One *event*, where it stands (*number*, from 1), and by which *clock* it was timed."""

    path: Path
    number: int
    clock: str
    event: TraceEvent

    @property
    def place(self) -> str:
        """Write where the line stands as tools do: ``a.ndjson:17``."""
        return f"{self.path}:{self.number}"


@dataclass(slots=True)
class Source:
    """
    One trace file: the *lines* of one server, or of all where an engine wrote it that sees all.

    *servers* is what its newest header says of the cluster; *is_cut* that its last line was.
    """

    path: Path
    engine: str
    cluster: str
    servers: tuple[str, ...]
    lines: list[Line] = field(default_factory=list)
    is_cut: bool = False

    @property
    def tellers(self) -> tuple[str, ...]:
        """The servers that tell their events in this file."""
        told = {line.event.server: None for line in self.lines if line.event.server}
        return tuple(told)


def read_sources(paths: Sequence[Path]) -> list[Source]:
    """
    Read the traces at *paths*, which must be of one cluster and each of other servers.

    Raises BadTracesError.
    """
    sources = [_read(path) for path in paths]
    _check_one_cluster(sources)
    _check_tellers(sources)
    return sources


def _read(path: Path) -> Source:
    try:
        text = path.read_bytes().decode("ascii", errors="surrogateescape")
    except OSError as error:
        raise BadTracesError(f"{path} cannot be read: {error.strerror}.") from error
    lines = text.split("\n")
    is_cut = bool(lines.pop())
    if not lines:
        raise BadTracesError(f"{path} is empty: a trace begins with an event of kind 'trace'.")
    source: Source | None = None
    clock = ""
    for number, line in enumerate(lines, start=1):
        event = _parse(path, number, line, is_first=source is None)
        if event.kind == "trace":
            header = event.fields
            clock = str(header["clock"])
            source = _with_header(source, path, event)
        assert source is not None, "the first event is the header"
        source.lines.append(Line(path, number, clock, event))
    assert source is not None, "there is at least one line"
    source.is_cut = is_cut
    return source


def _parse(path: Path, number: int, line: str, *, is_first: bool) -> TraceEvent:
    try:
        event = parse_line(line)
        if is_first or event.kind == "trace":
            check_header(event)
        check_event(event)
    except TraceError as error:
        raise BadTracesError(f"{path}, line {number}: {error}.") from error
    return event


def _with_header(source: Source | None, path: Path, event: TraceEvent) -> Source:
    engine, cluster = str(event.fields["engine"]), str(event.fields["cluster"])
    servers: tuple[str, ...] = tuple(event.fields["servers"])  # type: ignore[arg-type]
    if engine not in ENGINES:
        raise BadTracesError(
            f"{path} is the trace of an {engine}: its states were judged while they were explored. "
            "This judges what servers and simulations traced."
        )
    if not servers:
        raise BadTracesError(f"{path} names no servers: there is nobody to be judged.")
    if source is None:
        return Source(path, engine, cluster, servers)
    if source.cluster != cluster or source.engine != engine:
        raise BadTracesError(
            f"{path} goes on with the trace of another cluster: {cluster!r} ({engine}) after "
            f"{source.cluster!r} ({source.engine})."
        )
    source.servers = servers
    return source


def _check_one_cluster(sources: Sequence[Source]) -> None:
    first = sources[0]
    for source in sources[1:]:
        if (source.cluster, source.engine) != (first.cluster, first.engine):
            raise BadTracesError(
                f"{first.path} and {source.path} are of two clusters: {first.cluster!r} "
                f"({first.engine}) and {source.cluster!r} ({source.engine})."
            )
    names = {chain: source.path for source in sources for chain in _chains(source)}
    if len(names) > 1 and first.engine == "server":
        told = "; ".join(f"{chain} in {path}" for chain, path in names.items())
        raise BadTracesError(
            f"The traces tell of more than one chain: {told}. Each chain is judged by itself: give "
            "traces that begin after the older one was left."
        )


def _chains(source: Source) -> list[str]:
    saves = [line.event.fields for line in source.lines if line.event.kind == "saved"]
    return list(dict.fromkeys(str(fields["chain"]) for fields in saves if fields["chain"]))


def _check_tellers(sources: Sequence[Source]) -> None:
    told_by: dict[str, Path] = {}
    for source in sources:
        members = {uid for other in sources for uid in other.servers}
        for uid in source.tellers:
            if uid in told_by:
                raise BadTracesError(
                    f"{told_by[uid]} and {source.path} are both traces of server {uid}: give one "
                    "file for each server."
                )
            if uid not in members:
                raise BadTracesError(
                    f"{source.path} tells of server {uid}, which is not in the cluster: it has "
                    f"{', '.join(source.servers)}."
                )
            told_by[uid] = source.path


def content(line: Line) -> str:
    """Return what makes a message the same where it is sent and where it arrives."""
    fields = line.event.fields
    if "id" in fields:
        return f"#{fields['id']}"
    names = ("sender", "receiver", "chain", "instance", "message")
    return json.dumps([fields[name] for name in names])
