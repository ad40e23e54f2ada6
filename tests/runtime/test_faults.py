"""The network's faults on purpose: what is lost, what is late, and what no line can do."""

import json
from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.testing import StringTransport

from composable_paxos import Prepare, ProposalID
from multipaxos.chain.messages import Envelope
from multipaxos.runtime.fault_lines import FaultLines
from multipaxos.runtime.messenger.faults import (
    CUT_OFF,
    LINE_BYTES_MAX,
    LOST,
    FaultLineError,
    FaultyMessenger,
    NetworkFaults,
    parse_faults,
)

SERVERS = ("A", "B", "C")


def envelope(number: int, receiver: str = "B") -> Envelope:
    """Return a message of A, told apart by its *number*."""
    return Envelope(
        cluster="main",
        chain_id="chain",
        sender="A",
        receiver=receiver,
        instance=1,
        message=Prepare(proposal_id=ProposalID(number, "A")),
    )


class Network:
    """A messenger under the layer, a clock that a test moves, and what was lost."""

    def __init__(self) -> None:
        """Begin with nothing sent."""
        self.arrived: list[Envelope] = []
        self.late: list[tuple[float, Callable[[], None]]] = []
        self.lost: list[tuple[Envelope, str]] = []
        self.layer = FaultyMessenger(
            self,
            call_later=lambda seconds, action: self.late.append((seconds, action)),
            rng=Random(1),
            on_lost=lambda envelope, reason: self.lost.append((envelope, reason)),
        )

    def send(self, envelope: Envelope) -> None:
        """Carry *envelope*."""
        self.arrived.append(envelope)


def test_without_a_fault_everything_passes_at_once() -> None:
    """A layer that nobody told anything changes nothing."""
    network, sent = Network(), [envelope(number) for number in range(2, 9)]

    for each in sent:
        network.layer.send(each)

    assert network.arrived == sent
    assert not network.lost
    assert not network.late


def test_a_blocked_pair_is_cut_off_one_way() -> None:
    """The other receiver still gets what it is sent."""
    network = Network()
    network.layer.faults = NetworkFaults(blocked=frozenset({("A", "B"), ("C", "A")}))

    network.layer.send(envelope(2, "B"))
    network.layer.send(envelope(2, "C"))

    assert network.lost == [(envelope(2, "B"), CUT_OFF)]
    assert network.arrived == [envelope(2, "C")]


def test_some_are_lost_by_chance() -> None:
    """About as many as asked for; which, the generator decides that was handed in."""
    network = Network()
    network.layer.faults = NetworkFaults(loss=0.3)

    for number in range(2, 1002):
        network.layer.send(envelope(number))

    assert 250 < len(network.lost) < 350
    assert len(network.arrived) == 1000 - len(network.lost)
    assert {reason for _, reason in network.lost} == {LOST}


def test_all_are_late_where_that_is_wished() -> None:
    """They arrive when the clock says so."""
    network = Network()
    network.layer.faults = NetworkFaults(delay_seconds=0.25)

    network.layer.send(envelope(2))
    before = list(network.arrived)
    ((seconds, action),) = network.late
    action()

    assert (before, seconds) == ([], 0.25)
    assert network.arrived == [envelope(2)]


def test_what_is_told_as_json_is_read_as_it_was() -> None:
    """And an empty object means that all is well."""
    faults = NetworkFaults(blocked=frozenset({("A", "C")}), loss=0.5, delay_seconds=2.0)

    assert parse_faults(json.dumps(faults.plain()), SERVERS) == faults
    assert parse_faults("{}", SERVERS) == NetworkFaults()


@pytest.mark.parametrize(
    "line, sentence",
    [
        ("lose all", "one JSON object a line"),
        ("[" * 100_000, "one JSON object a line"),
        ("[]", "an object with no more than blocked, delay_seconds, loss"),
        ('{"crash": "A"}', "an object with no more than"),
        ('{"blocked": "A"}', "blocked is a list of pairs of two servers of A, B, C"),
        ('{"blocked": [["A", "Z"]]}', "blocked is a list of pairs"),
        ('{"blocked": [["A", "A"]]}', "blocked is a list of pairs"),
        ('{"blocked": [["A", "B", "C"]]}', "blocked is a list of pairs"),
        ('{"blocked": [["A", ["B"]]]}', "blocked is a list of pairs"),
        ('{"loss": 1.5}', "loss is a number from 0 to 1"),
        ('{"loss": true}', "loss is a number from 0 to 1"),
        ('{"loss": NaN}', "loss is a number from 0 to 1"),
        ('{"delay_seconds": -1}', "delay_seconds is a number from 0 to 60"),
        ('{"delay_seconds": 1e9}', "delay_seconds is a number from 0 to 60"),
    ],
)
def test_another_line_gets_a_sentence(line: str, sentence: str) -> None:
    """It says what is wrong, and changes nothing."""
    with pytest.raises(FaultLineError) as error:
        parse_faults(line, SERVERS)

    assert sentence in str(error.value)


@given(st.text(max_size=200))
def test_no_line_raises_anything_else(line: str) -> None:
    """A server must not end for what it is told."""
    with suppress(FaultLineError):
        parse_faults(line, SERVERS)


class Input:
    """A server's standard input, with what came of it."""

    def __init__(self) -> None:
        """Begin without a line."""
        self.taken: list[NetworkFaults] = []
        self.said: list[str] = []
        self.ends = 0
        self.lines = FaultLines(
            lambda line: self.taken.append(parse_faults(line, SERVERS)), self.said.append, self.end
        )
        self.lines.makeConnection(StringTransport())  # type: ignore[no-untyped-call]

    def receive(self, data: bytes) -> None:
        """Let *data* come in."""
        self.lines.dataReceived(data)  # type: ignore[no-untyped-call]

    def end(self) -> None:
        """Count an end."""
        self.ends += 1


def test_each_line_of_the_input_is_one_wish() -> None:
    """In whatever pieces they come; a bad one is told of, and the next one counts."""
    given_in = Input()

    for piece in (b'{"loss"', b": 0.5}\nnonsense\n{}", b"\n"):
        given_in.receive(piece)

    assert given_in.taken == [NetworkFaults(loss=0.5), NetworkFaults()]
    assert given_in.said == ["no faults were changed: faults are told as one JSON object a line"]


def test_a_line_without_an_end_is_not_kept() -> None:
    """Nobody fills the memory that way."""
    given_in = Input()

    given_in.receive(b"x" * (LINE_BYTES_MAX + 1))

    assert given_in.said == [f"no faults were changed: a line has at most {LINE_BYTES_MAX} bytes"]


def test_the_end_of_the_input_is_the_end_of_whoever_started_the_server() -> None:
    """The server hears of it once."""
    given_in = Input()

    given_in.lines.connectionLost(None)  # type: ignore[arg-type]

    assert given_in.ends == 1
