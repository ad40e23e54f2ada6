"""A running cluster behind the page, with traces that the test writes and processes it invents."""

import json
from pathlib import Path
from typing import Any

import pytest

from multipaxos.lab.live import LiveCluster
from multipaxos.lab.live.stream import KEPT_MAX, SETTLE_SECONDS, Stream
from multipaxos.lab.live.tail import TraceTail
from multipaxos.trace import TraceEvent
from multipaxos.trace.events import VERSION
from multipaxos.trace.file import FileSink, format_line

SERVERS = ("A", "B", "C")


def event(seconds: float, server: str = "A", kind: str = "stopped", **fields: object) -> TraceEvent:
    """Return an event of a trace."""
    return TraceEvent(seconds=seconds, server=server, kind=kind, fields=fields)


def header(seconds: float, server: str = "A") -> TraceEvent:
    """Return what a server's trace begins with."""
    return event(
        seconds,
        server,
        "trace",
        version=VERSION,
        engine="server",
        cluster="main",
        servers=list(SERVERS),
        clock="boot",
        about={},
    )


class Processes:
    """Processes that do what they are told."""

    def __init__(self) -> None:
        """Begin with all of them up."""
        self.states = dict.fromkeys(SERVERS, "up")
        self.struck: list[tuple[str, str]] = []
        self.told: list[tuple[str, Any]] = []

    def state(self, uid: str) -> str:
        """Return how *uid* is."""
        return self.states[uid]

    def strike(self, deed: str, uid: str) -> None:
        """Change how *uid* is."""
        after = {"kill": "down", "restart": "up", "pause": "paused", "resume": "up"}
        self.states[uid] = after[deed]
        self.struck.append((deed, uid))

    def tell(self, uid: str, line: str) -> None:
        """Note what *uid* is told."""
        self.told.append((uid, json.loads(line)))

    def ask(self, uid: str, value: str) -> str:
        """Say that it was done."""
        return f"{uid} has set {value}"


class Stage:
    """A cluster whose traces lie in *directory*, and whose clock the test moves."""

    def __init__(self, directory: Path) -> None:
        """Begin at ten seconds, without a line."""
        self.now = 10.0
        self.paths = {uid: directory / f"{uid}.ndjson" for uid in SERVERS}
        tails = [TraceTail(path) for path in self.paths.values()]
        self.stream = Stream(tails, seconds=lambda: self.now)
        self.processes = Processes()
        self.live = LiveCluster(SERVERS, self.stream, self.processes)

    def write(self, *events: TraceEvent) -> None:
        """Append each of *events* to its server's trace."""
        for each in events:
            with self.paths[each.server].open("a") as file:
                file.write(format_line(each) + "\n")

    def times(self, since: int = 0) -> list[float]:
        """Return when the events were that the page is told."""
        return [each["time"] for each in self.live.events_since(since)["events"]]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Return a stage in a directory of the test's own."""
    return Stage(tmp_path)


# ---------------------------------------------------------------------------------------- the trace


def test_the_end_of_a_file_is_read_as_it_grows(tmp_path: Path) -> None:
    """A line counts when it has ended, and once; what is no event is left out."""
    path = tmp_path / "A.ndjson"
    tail = TraceTail(path)
    missing = tail.new_events()
    line = format_line(event(1.0)).encode() + b"\n"

    path.write_bytes(line[:20])
    half = tail.new_events()
    with path.open("ab") as file:
        file.write(line[20:] + b'{"time": 1\n\xff\n' + line)
    whole = tail.new_events()

    assert (missing, half) == ([], [])
    assert whole == [event(1.0), event(1.0)]
    assert tail.new_events() == []


def test_half_a_line_that_a_killed_server_left_costs_no_event_of_its_next_life(
    tmp_path: Path,
) -> None:
    """The next life cuts it off; what it writes instead is read from its beginning."""
    path = tmp_path / "A.ndjson"
    tail = TraceTail(path)
    path.write_bytes(format_line(event(1.0)).encode() + b"\n" + b'{"time": 1.5, ' + b" " * 200)
    before = tail.new_events()

    sink = FileSink(path)
    for seconds in (2.0, 3.0, 4.0):
        sink.write(event(seconds))
    sink.close()

    assert before == [event(1.0)]
    assert tail.new_events() == [event(2.0), event(3.0), event(4.0)]


def test_a_line_longer_than_a_block_is_read_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the lines behind it."""
    monkeypatch.setattr("multipaxos.lab.live.tail.BLOCK_BYTES_MAX", 10)
    path = tmp_path / "A.ndjson"
    lines = [format_line(event(seconds)).encode() + b"\n" for seconds in (1.0, 2.0)]
    path.write_bytes(b"".join(lines))
    tail = TraceTail(path)

    seen = [tail.new_events(), tail.new_events(), tail.new_events()]

    assert seen == [[event(1.0)], [event(2.0)], []]


def test_events_of_all_servers_come_in_the_order_of_their_times(stage: Stage) -> None:
    """The youngest wait a moment: an older one may not have reached its file yet."""
    stage.write(event(1.0, "A"), event(3.0, "A"), event(2.0, "B"), event(9.99, "C"))
    early = stage.times()

    stage.now += SETTLE_SECONDS

    assert early == [1.0, 2.0, 3.0]
    assert stage.times(3) == [9.99]


def test_the_page_asks_on_from_where_it_is(stage: Stage) -> None:
    """And is told each event once."""
    stage.write(event(1.0), event(2.0))
    first = stage.live.events_since(0)
    stage.write(event(3.0))

    second = stage.live.events_since(first["next"])

    assert [each["time"] for each in second["events"]] == [3.0]
    assert second["next"] == 3
    assert stage.live.events_since(99)["events"] == []


def test_only_the_newest_events_are_kept_and_it_is_said_how_many_are_not(stage: Stage) -> None:
    """Memory is bounded, however long the cluster runs."""
    stage.write(*(event(number / 10_000) for number in range(KEPT_MAX + 50)))
    stage.live.events_since(0)

    told = stage.live.events_since(1)

    assert told["first"] == 50
    assert told["missing"] == 49
    assert stage.stream.oldest == 50


# --------------------------------------------------------------------------------------- its faults


def test_a_server_is_killed_started_paused_and_resumed(stage: Stage) -> None:
    """What it cannot tell itself stands in the trace."""
    for deed in ("kill", "restart", "pause", "resume"):
        stage.live.fault({"action": deed, "server": "B"})
    stage.now += SETTLE_SECONDS

    told = stage.live.events_since(0)

    assert stage.processes.struck == [(d, "B") for d in ("kill", "restart", "pause", "resume")]
    assert [each["kind"] for each in told["events"]] == ["crashed", "paused", "resumed"]
    assert told["servers"] == dict.fromkeys(SERVERS, "up")


def test_the_network_is_troubled_for_all_and_for_whoever_starts_later(stage: Stage) -> None:
    """A process that is started anew is told what is wrong."""
    wish = {"action": "network", "blocked": [["A", "B"]], "loss": 0.5, "delay_seconds": 0.1}
    stage.live.fault(wish)
    stage.live.fault({"action": "kill", "server": "C"})
    stage.live.fault({"action": "restart", "server": "C"})
    stage.now += SETTLE_SECONDS

    told = stage.live.events_since(0)

    faults = {"blocked": [["A", "B"]], "loss": 0.5, "delay_seconds": 0.1}
    assert stage.processes.told == [(uid, faults) for uid in (*SERVERS, "C")]
    assert told["faults"] == faults
    assert told["events"][0] == {
        "time": 10.0,
        "server": "",
        "kind": "wires",
        "blocked": [["A", "B"]],
    }


def test_whoever_stands_still_is_told_when_it_goes_on(stage: Stage) -> None:
    """Until then it reads nothing, and to tell it more than a pipe holds would last for ever."""
    stage.live.fault({"action": "pause", "server": "B"})
    stage.live.fault({"action": "network", "loss": 0.25})
    stage.live.fault({"action": "network", "loss": 0.5})
    before = [uid for uid, _ in stage.processes.told]

    stage.live.fault({"action": "resume", "server": "B"})

    assert before == ["A", "C", "A", "C"]
    assert stage.processes.told[4:] == [("B", {"blocked": [], "loss": 0.5, "delay_seconds": 0.0})]


def test_a_value_is_proposed(stage: Stage) -> None:
    """Through the server that was named, unless it is down."""
    said = stage.live.fault({"action": "propose", "server": "A", "value": "x"})
    stage.live.fault({"action": "kill", "server": "A"})

    assert said == {"text": "A has set x"}
    with pytest.raises(ValueError, match="A is down: nobody can ask it"):
        stage.live.fault({"action": "propose", "server": "A", "value": "x"})


@pytest.mark.parametrize(
    "wish, sentence",
    [
        ({}, "an action is one of kill, restart, pause, resume"),
        ({"action": "burn", "server": "A"}, "an action is one of"),
        ({"action": "kill"}, "an action is one of"),
        ({"action": "kill", "server": 7}, "an action is one of"),
        ({"action": "kill", "server": "Z"}, "there is no server 'Z'; there are A, B, C"),
        ({"action": "restart", "server": "A"}, "A is up: there is nothing to restart"),
        ({"action": "resume", "server": "A"}, "A is up: there is nothing to resume"),
        ({"action": "network", "loss": 2}, "loss is a number from 0 to 1"),
        ({"action": "network", "blocked": [["A", "Z"]]}, "blocked is a list of pairs"),
        ({"action": "network", "earthquake": 1}, "no more than blocked, delay_seconds, loss"),
        ({"action": "propose", "server": "A", "value": ""}, "a value has 1 to 1,000 characters"),
        ({"action": "propose", "server": "A", "value": "x" * 1001}, "a value has 1 to 1,000"),
    ],
)
def test_what_cannot_be_done_gets_a_sentence(
    stage: Stage, wish: dict[str, Any], sentence: str
) -> None:
    """And nothing happens."""
    with pytest.raises(ValueError, match=sentence):
        stage.live.fault(wish)

    assert stage.processes.struck == stage.processes.told == []


# ---------------------------------------------------------------------------------------- a stretch


def test_a_stretch_becomes_a_run(stage: Stage) -> None:
    """With the instant of choice that its votes give."""
    vote: dict[str, object] = {
        "instance": 4,
        "proposal_id": "2.A",
        "value": {"type": "Nothing"},
        "text": "accepted 2.A",
    }
    stage.write(
        header(1.0), event(2.0, "A", "accepted", **vote), event(2.5, "B", "accepted", **vote)
    )
    stage.live.events_since(0)

    run = stage.live.freeze(1, 3)

    assert run["title"] == "0.5 s of the running cluster"
    assert run["source"] == "live"
    assert [each["kind"] for each in run["events"]] == ["trace", "accepted", "accepted", "chosen"]
    assert run["decisions"][0]["acceptors"] == ["A", "B"]
    assert run["totals"]["seconds"] == 0.5


def test_a_stretch_begins_with_what_stood_before_it(stage: Stage) -> None:
    """Who was down or stood still, and which wires were cut: nothing in the stretch tells of it."""
    stage.write(header(1.0), event(1.5, "C", "halted", reason="its disk is full"))
    stage.live.fault({"action": "kill", "server": "A"})
    stage.live.fault({"action": "pause", "server": "B"})
    stage.live.fault({"action": "network", "blocked": [["A", "B"]]})
    stage.now += SETTLE_SECONDS + 1
    stage.write(event(10.5, "B", "stopped"))
    told = stage.live.events_since(0)

    run = stage.live.freeze(told["next"] - 1, told["next"])

    kinds = [(each["server"], each["kind"]) for each in run["events"]]
    assert kinds == [
        ("A", "trace"),
        ("C", "halted"),
        ("A", "crashed"),
        ("B", "paused"),
        ("", "wires"),
        ("B", "stopped"),
    ]
    assert {each["time"] for each in run["events"]} == {10.5}


def test_where_nothing_happened_nothing_is_frozen(stage: Stage) -> None:
    """It is said so."""
    with pytest.raises(ValueError, match="nothing has happened there"):
        stage.live.freeze(0, 10)
