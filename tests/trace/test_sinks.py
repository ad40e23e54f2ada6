"""What a driver does becomes events; events become lines."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from typing_extensions import override

from composable_paxos import Accept, Accepted, ProposalID
from multipaxos.chain.durable import DurableState
from multipaxos.chain.effects import Answer, Outbox, Save, Timer
from multipaxos.chain.events import Event, EventKind
from multipaxos.chain.links import Updates
from multipaxos.chain.messages import Envelope
from multipaxos.chain.requests import Chosen, RequestID, Update
from multipaxos.composition import compose, describe, strategy_names
from multipaxos.trace import (
    ConsoleSink,
    FileSink,
    Silence,
    TraceError,
    TraceEvent,
    TraceObserver,
    read_trace,
    write_trace,
)
from multipaxos.trace.console import REMEMBERED_MAX, STYLES, UID_STYLES, stack_lines
from multipaxos.trace.file import format_line, parse_line

TWO_A = ProposalID(2, "A")
REQUEST = RequestID("client", 7)


def _link(value: str) -> Updates:
    return Updates(updates=(Update(request_id=REQUEST, command=("SET", value), since=1),))


HELLO = Accept(proposal_id=TWO_A, value=_link("hello"))
CHOSEN = Chosen(link=5, result=None)


def _envelope(sender: str, receiver: str, message: Accept | Accepted) -> Envelope:
    return Envelope(
        cluster="main",
        chain_id="c1",
        instance=5,
        sender=sender,
        receiver=receiver,
        message=message,
    )


def _resolved(value: str) -> Event:
    return Event(
        kind=EventKind.RESOLVED,
        template="link 5 is decided",
        details={
            "instance": 5,
            "link": _link(value),
            "proposal_id": TWO_A,
            "acceptors": ("A", "B"),
        },
    )


class _Kept:
    """A sink that keeps the events."""

    def __init__(self) -> None:
        self.events: list[TraceEvent] = []

    def write(self, event: TraceEvent) -> None:
        self.events.append(event)

    def close(self) -> None:
        self.events.clear()


def _play(observer: TraceObserver) -> None:
    """Do something of every kind."""
    observer.header("server", cluster="main", servers=["A", "B"], clock="boot", about={})
    observer.started(memory=True)
    observer.delivered(_envelope("B", "A", HELLO))
    observer.sent(
        _envelope("A", "B", Accepted(acceptor="A", proposal_id=TWO_A, value=_link("hello")))
    )
    observer.saved(Outbox(save=Save(state=DurableState(birth="b"))))
    observer.happened(_resolved("hello"))
    observer.timer_set(Timer.SYNC, 10.0)
    observer.timer_cancelled(Timer.SYNC)
    observer.timer_fired(Timer.SYNC)
    observer.called(REQUEST, ("SET", "hello"))
    observer.answered(Answer(request_id=REQUEST, outcome=CHOSEN))
    observer.returned(REQUEST, ("SET", "hello"), CHOSEN)
    observer.dropped(_envelope("A", "B", HELLO), "lost")
    observer.duplicated(_envelope("A", "B", HELLO))
    observer.datagram_refused("malformed datagram: no JSON", "127.0.0.1:9")
    observer.stopped()
    observer.halted("the disk is full")


def test_every_event_goes_to_every_sink() -> None:
    """The observer tells all sinks, in order, with the clock's time and the server's name."""
    first, second = _Kept(), _Kept()

    _play(TraceObserver("A", lambda: 1.5, [first, second]))

    assert first.events == second.events
    assert {(event.seconds, event.server) for event in first.events} == {(1.5, "A")}
    assert [event.kind for event in first.events] == [
        "trace",
        "started",
        "delivered",
        "sent",
        "saved",
        "resolved",
        "timer set",
        "timer cancelled",
        "timer fired",
        "called",
        "answered",
        "returned",
        "dropped",
        "duplicated",
        "datagram refused",
        "stopped",
        "halted",
    ]


def test_silence_records_nothing() -> None:
    """Without a sink nothing is made of the events."""
    silence = Silence()
    kept = _Kept()
    silence.sinks = (kept,)

    _play(silence)

    assert kept.events == []


def test_file_has_one_object_a_line_and_reads_back(tmp_path: Path) -> None:
    """What the file sink writes is plain JSON, line by line, and equal to the events."""
    kept = _Kept()
    path = tmp_path / "trace"
    observer = TraceObserver("A", lambda: 1.5, [kept, FileSink(path)])

    _play(observer)

    lines = path.read_text(encoding="ascii").splitlines()
    assert json.loads(lines[2]) == {
        "time": 1.5,
        "server": "A",
        "kind": "delivered",
        "sender": "B",
        "receiver": "A",
        "chain": "c1",
        "instance": 5,
        "message": {
            "type": "Accept",
            "proposal_id": "2.A",
            "value": {
                "type": "Updates",
                "updates": [
                    {
                        "type": "Update",
                        "request_id": "client/7",
                        "command": ["SET", "hello"],
                        "since": 1,
                    }
                ],
            },
        },
    }
    assert list(read_trace(path)) == kept.events
    observer.close()


def _header() -> TraceEvent:
    kept = _Kept()
    observer = TraceObserver("A", lambda: 0.5, [kept])
    observer.header("server", cluster="main", servers=["A"], clock="boot", about={})
    return kept.events[0]


def test_file_of_an_earlier_run_is_continued(tmp_path: Path) -> None:
    """A server that starts again appends to its trace, and takes away half a line of its death."""
    path = tmp_path / "trace"
    halted = TraceEvent(seconds=1.0, server="A", kind="halted", fields={"reason": "\ud800"})
    for _ in range(2):
        sink = FileSink(path)
        sink.write(_header())
        sink.write(halted)
        sink.close()
        sink.write(halted)
        with path.open("a") as file:
            file.write('{"time": 3, "ser' + "x" * 100_000)
    FileSink(path).close()

    assert list(read_trace(path)) == [_header(), halted, _header(), halted]


@pytest.mark.parametrize("half", ["", "{", '{"time": 1' + "0" * 200_000])
def test_file_of_half_a_line_is_begun_anew(tmp_path: Path, half: str) -> None:
    """A process that was killed at its first event has left nothing to be read."""
    path = tmp_path / "trace"
    path.write_text(half)

    FileSink(path).close()

    assert path.read_text() == ""


def test_a_file_that_is_no_trace_is_left_alone(tmp_path: Path) -> None:
    """Who names the wrong file loses nothing of it."""
    path = tmp_path / "letter"
    path.write_text("Dear all")

    with pytest.raises(OSError, match="something else than a trace is there"):
        FileSink(path)

    assert path.read_text() == "Dear all"


def test_events_of_a_run_can_be_written_at_once(tmp_path: Path) -> None:
    """A simulator has them all in memory; the file is what the sink would have written."""
    kept = _Kept()
    _play(TraceObserver("A", lambda: 1.5, [kept, sink := FileSink(tmp_path / "one")]))

    write_trace(tmp_path / "two", kept.events)

    sink.close()
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("line", ["", "1", "[]", "{}", '{"time": 1, "server": "A"}', "[" * 10**5])
def test_other_lines_are_no_events(line: str) -> None:
    """Reading a file that is no trace says so."""
    with pytest.raises(TraceError, match="not a trace event"):
        parse_line(line)


def test_field_may_not_hide_the_time() -> None:
    """A field named like the event's own would be taken for it: an error in our own code."""
    event = TraceEvent(seconds=1.0, server="A", kind="x", fields={"time": 2})
    with pytest.raises(AssertionError):
        format_line(event)


def test_full_disk_ends_the_trace_and_not_the_server(capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be traced is told once; the server goes on."""
    sink = FileSink(Path("/dev/full"))
    event = TraceEvent(seconds=1.0, server="A", kind="halted", fields={})

    sink.write(event)
    sink.write(event)
    sink.close()

    assert capsys.readouterr().err.count("The trace ends here") == 1


def test_console_shows_traffic_and_resolutions() -> None:
    """The console has a line for each message, refusal and resolution, and none for the rest."""
    stream = io.StringIO()

    _play(TraceObserver("A", lambda: 1.5, [ConsoleSink(stream, on_closed=lambda _: None)]))

    assert stream.getvalue().splitlines() == [
        'A <- B  link 5  Accept 2.A  "hello"',
        'A -> B  link 5  Accepted 2.A  "hello"',
        'A  link 5 = "hello"  (accepted by A, B)',
        "A  refused what came from 127.0.0.1:9: malformed datagram: no JSON",
    ]


def test_console_interprets_nothing_in_values() -> None:
    """Neither rich's markup nor a terminal's commands in a value have any effect."""
    stream = io.StringIO()
    observer = TraceObserver("A", lambda: 0.0, [ConsoleSink(stream, on_closed=lambda _: None)])

    observer.happened(_resolved("[bold]:smile:\x1b[2J\n\ud800"))

    assert stream.getvalue() == (
        'A  link 5 = "[bold]:smile:\\x1b[2J\\n\\ud800"  (accepted by A, B)\n'
    )


def test_console_tells_the_refused_message_and_why() -> None:
    """A refusal names the message, its sender and the reason in words."""
    stream = io.StringIO()
    observer = TraceObserver("A", lambda: 0.0, [ConsoleSink(stream, on_closed=lambda _: None)])
    message = Accept(proposal_id=TWO_A, value=_link("x"))

    observer.happened(
        Event(
            kind=EventKind.REFUSED,
            template="refused Accept 2.A: promised 3.C",
            details={"instance": 5, "message": message, "sender": "B"},
        )
    )

    assert stream.getvalue() == 'A  refuses Accept 2.A  "x" of B: promised 3.C\n'


def _say(observer: TraceObserver, *texts: str, kind: EventKind = EventKind.FOUNDED) -> None:
    for text in texts:
        observer.happened(Event(kind=kind, template=text, details={}))


def test_repeated_traffic_is_counted() -> None:
    """What repeats itself while nothing comes of it is printed once; then its number."""
    stream = io.StringIO()
    observer = TraceObserver("A", lambda: 0.0, [ConsoleSink(stream, on_closed=lambda _: None)])
    accept = _envelope("A", "B", Accept(proposal_id=TWO_A, value=_link("x")))
    other = _envelope("A", "C", Accept(proposal_id=TWO_A, value=_link("x")))

    for _ in range(3):
        observer.sent(accept)
        observer.sent(other)
    _say(observer, "waits", kind=EventKind.WAITING)
    observer.sent(accept)
    _say(observer, "founds")
    observer.sent(accept)

    assert stream.getvalue().splitlines() == [
        'A -> B  link 5  Accept 2.A  "x"',
        'A -> C  link 5  Accept 2.A  "x"',
        "A  ... the same again: 4 lines not shown",
        "A  waits",
        "A  ... the same again: one line not shown",
        "A  founds",
        'A -> B  link 5  Accept 2.A  "x"',
    ]


def test_long_repetition_is_told_at_growing_intervals() -> None:
    """A server that waits for hours says so now and then, ever less often."""
    stream = io.StringIO()
    times = iter(range(100_000))
    observer = TraceObserver(
        "A", lambda: float(next(times)), [ConsoleSink(stream, on_closed=lambda _: None)]
    )

    for _ in range(3600):
        observer.sent(_envelope("A", "B", Accept(proposal_id=TWO_A, value=_link("x"))))

    first, *reminders = stream.getvalue().splitlines()
    assert first == 'A -> B  link 5  Accept 2.A  "x"'
    assert reminders[:2] == [
        "A  ... the same again: 11 lines not shown",
        "A  ... the same again: 21 lines not shown",
    ]
    assert len(reminders) < 20


def test_file_has_every_repetition(tmp_path: Path) -> None:
    """The trace in a file leaves nothing out."""
    path = tmp_path / "trace"
    observer = TraceObserver("A", lambda: 0.0, [FileSink(path)])
    observer.header("server", cluster="main", servers=["A"], clock="boot", about={})
    for _ in range(5):
        observer.sent(_envelope("A", "B", Accept(proposal_id=TWO_A, value=_link("x"))))
    observer.close()

    assert len(list(read_trace(path))) == 6


def test_what_is_remembered_for_repetitions_is_bounded() -> None:
    """Ever new lines are all printed, and not all remembered."""
    stream = io.StringIO()
    observer = TraceObserver("A", lambda: 0.0, [ConsoleSink(stream, on_closed=lambda _: None)])
    for number in range(2 * REMEMBERED_MAX):
        observer.datagram_refused("no JSON", f"127.0.0.1:{number}")
    observer.datagram_refused("no JSON", f"127.0.0.1:{2 * REMEMBERED_MAX - 1}")

    assert len(stream.getvalue().splitlines()) == 2 * REMEMBERED_MAX + 1


@pytest.mark.parametrize("width", [60, 80])
def test_stack_is_wrapped_on_a_terminal(width: int) -> None:
    """No sentence about a strategy is cut, and none is wider than the screen."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True)
    description = describe(compose(strategy_names(master=True)))

    _, *shown = [line.plain for line in stack_lines(description, console)]

    assert all(len(line) <= width for line in shown)
    assert " ".join(shown).split() == description.split()


def test_stack_in_a_pipe_has_a_line_for_each_strategy() -> None:
    """A program that reads the output gets whole lines."""
    description = describe(compose(strategy_names(master=True)))

    _, *shown = [line.plain for line in stack_lines(description, Console(file=io.StringIO()))]

    assert [line.strip() for line in shown] == description.splitlines()


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("style", sorted({*STYLES.values(), *UID_STYLES}))
def test_colours_can_be_read_on_white_and_on_black(style: str) -> None:
    """Each colour has a contrast of 4.5 to both."""
    luminance = _luminance(style.removeprefix("bold "))

    assert (luminance + 0.05) / 0.05 >= 4.5
    assert 1.05 / (luminance + 0.05) >= 4.5


class _ClosedPipe(io.StringIO):
    @override
    def write(self, text: str) -> int:
        raise BrokenPipeError(text)


def test_console_without_a_reader_says_so_once() -> None:
    """When nobody reads any more the owner is told, once, and nothing else happens."""
    closed: list[OSError] = []
    sink = ConsoleSink(_ClosedPipe(), on_closed=closed.append)

    _play(TraceObserver("A", lambda: 0.0, [sink]))

    assert [type(error) for error in closed] == [BrokenPipeError]
