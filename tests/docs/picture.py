"""Pictures of runs: text sequence diagrams, drawn from the trace of a simulated cluster."""

from collections.abc import Mapping
from typing import Any

from multipaxos.chain.effects import Timer
from multipaxos.chain.state_machine import Set
from multipaxos.composition import strategy_names
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.trace import TraceEvent
from multipaxos.trace.text import describe_link

CLIENT_COLUMN = 2
COLUMNS = {"A": 18, "B": 48, "C": 78}
WIDTH = 80


def picture_of_an_update() -> str:
    """Return the picture of one update through A, every message delivered by hand."""
    cluster = SimulatedCluster(manual=True, founded=True)
    cluster.start()
    _deliver_all(cluster)
    return _draw_update(
        cluster,
        "A->B Prepare",
        "A->C Prepare",
        "B->A Promise",
        "C->A Promise",
        "A->B Accept",
        "B->A Accepted",
        "A->C Accept",
        "A->B Accepted",
        "A->C Accepted",
    )


def picture_of_a_master_s_update() -> str:
    """Return the picture of one update through A, which the chain names as master."""
    cluster = SimulatedCluster(manual=True, founded=True, strategies=strategy_names(master=True))
    cluster.start()
    cluster.hurry("A", Timer.ELECTION)
    _deliver_all(cluster)
    assert cluster.trusting() == ["A"]
    return _draw_update(
        cluster,
        "A->B Accept",
        "B->A Accepted",
        "A->C Accept",
        "A->B Accepted",
        "A->C Accepted",
    )


def _deliver_all(cluster: SimulatedCluster) -> None:
    while cluster.manual.held:
        cluster.manual.deliver(cluster.manual.held[0])


def _draw_update(cluster: SimulatedCluster, *deliveries: str) -> str:
    first = len(cluster.trace.events)
    cluster.submit("A", Set(value="hello"))
    for delivery in deliveries:
        route, kind = delivery.split()
        sender, receiver = route.split("->")
        cluster.manual.deliver(cluster.manual.find(sender, receiver, kind))
    return draw(cluster.trace.events[first:])


def draw(events: list[TraceEvent]) -> str:
    """
    Draw *events*: a row for each arrival, ``#`` where it made a server save, and what came of it.

    The servers stand in columns; time runs down.
    """
    head = _blank(lifeline=" ")
    for uid, column in COLUMNS.items():
        head[column] = uid
    rows = ["client" + "".join(head)[6:]]
    for place, event in enumerate(events):
        saves = _saves(events[place + 1 :], event.server)
        rows += _rows_of(event, saves=saves)
    return "\n".join(row.rstrip() for row in rows) + "\n"


def _saves(following: list[TraceEvent], server: str) -> bool:
    """Tell whether the event of *server* just before *following* made it save."""
    for event in following:
        if event.kind in ("delivered", "called"):
            return False
        if event.kind == "saved" and event.server == server:
            return True
    return False


def _rows_of(event: TraceEvent, *, saves: bool) -> list[str]:
    fields: Any = event.fields
    match event.kind:
        case "called":
            label = f' set "{fields["arguments"][0]}" '
            return [_arrow(CLIENT_COLUMN, COLUMNS[event.server], label, saves=saves)]
        case "delivered":
            sender, receiver = COLUMNS[fields["sender"]], COLUMNS[fields["receiver"]]
            return [_arrow(sender, receiver, f" {_label(fields['message'])} ", saves=saves)]
        case "chosen":
            names = " and ".join(fields["acceptors"])
            said = f" {describe_link(fields['value'])} is chosen: {names} have accepted it "
            return [said.center(COLUMNS["C"] + 1, "=")]
        case "resolved":
            return [_note(event.server, f"resolves link {fields['instance']}")]
        case "returned":
            label = f" in link {fields['link']} "
            return [_arrow(COLUMNS[event.server], CLIENT_COLUMN, label, saves=False)]
        case _:
            return []


def _label(message: Mapping[str, Any]) -> str:
    proposal = f"{message['type']} {message['proposal_id']}"
    match message["type"]:
        case "Promise":
            return f"{proposal}, none accepted"
        case "Accept" | "Accepted":
            return f"{proposal} {describe_link(message['value'])}"
        case _:
            return proposal


def _blank(lifeline: str = "|") -> list[str]:
    row = [" "] * WIDTH
    for column in (CLIENT_COLUMN, *COLUMNS.values()):
        row[column] = lifeline
    return row


def _arrow(start: int, end: int, label: str, *, saves: bool) -> str:
    row = _blank()
    left, right = min(start, end) + 1, max(start, end)
    shaft = label.center(right - left - 1, "-")
    row[left:right] = f"{shaft}>" if start < end else f"<{shaft}"
    if saves:
        row[end] = "#"
    return "".join(row)


def _note(uid: str, text: str) -> str:
    row = _blank()
    column = COLUMNS[uid]
    room = slice(column - len(text) - 1, column - 1) if uid == "C" else slice(column + 2, None)
    start = room.start
    row[start : start + len(text)] = text
    return "".join(row)
