"""Values, links and messages in words."""

from typing import get_args

import pytest

from composable_paxos import (
    LOWEST,
    Accept,
    Accepted,
    Message,
    Nack,
    Prepare,
    Promise,
    ProposalID,
)
from multipaxos.chain.durable import DecidedLink, Snapshot
from multipaxos.chain.links import Founding, NewMaster, Nothing, Updates
from multipaxos.chain.messages import (
    Answered,
    CatchUp,
    ChainMessage,
    Decided,
    FetchPart,
    Forward,
    IAmAt,
    OtherChain,
    SnapshotPart,
    Sync,
    WhereAreYou,
)
from multipaxos.chain.requests import RequestID, Update
from multipaxos.chain.state_machine import Command
from multipaxos.trace import describe_link, plain, printable, quoted
from multipaxos.trace.text import describe_message

TWO_A = ProposalID(2, "A")


FOUNDING = Founding(chain_id="c1", machine_kind="register", founders=())


def _whereabouts(*, newborn: bool) -> IAmAt:
    return IAmAt(
        asked_in="x", birth="y", newborn=newborn, may_have_voted_on=4, founders=(), founding=None
    )


def _updates(*commands: Command) -> Updates:
    return Updates(
        updates=tuple(
            Update(request_id=RequestID("c", number), command=command, since=0)
            for number, command in enumerate(commands)
        )
    )


@pytest.mark.parametrize(
    "value, shown",
    [
        ("plain, ünïcödé, 漢字 😀", "plain, ünïcödé, 漢字 😀"),
        ("a\tb\r\n\x00\x1b[31m", r"a\tb\r\n\x00\x1b[31m"),
        ("\ud800", r"\ud800"),
        ("left\u202eright\u2028", r"left\u202eright\u2028"),
        ("C:\\dir", "C:\\dir"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(value: str, shown: str) -> None:
    """What can be seen stays as it is; what a terminal obeys or hides becomes an escape."""
    assert printable(value) == shown


def test_long_values_are_shortened_and_say_so() -> None:
    """A value that was cut says how long it is, so that nobody takes the part for the whole."""
    assert quoted("x" * 50, length_max=5) == '"xxxxx"... (50 characters)'
    assert quoted("...", length_max=3) == '"..."'
    assert quoted("x" * 50, length_max=None) == f'"{"x" * 50}"'
    assert quoted(None) == "no value"


@pytest.mark.parametrize(
    "link, shown",
    [
        (_updates(("SET", "hello")), '"hello"'),
        (_updates(("SET", "a"), ("GET",), ("SET", "b")), '"a", a read, "b"'),
        (_updates(("PIPELINE", "2", "SET", "a", "1", "GET"), ("GET",)), '"a" | a read, a read'),
        (
            _updates(("READS", *("1", "GET", "2", "GET", "k") * 3)),
            'a read | GET "k" | a read | GET "k" | ... (6 commands)',
        ),
        (_updates(("PIPELINE", "x")), 'PIPELINE "x"'),
        (NewMaster(uid="A", lease_seconds=2.0, bid="x"), "A is master for 2 s"),
        (FOUNDING, "a new chain: register c1"),
        (Nothing(), "nothing"),
    ],
)
def test_links_are_described(link: object, shown: str) -> None:
    """Each kind of link has its own words."""
    assert describe_link(plain(link)) == shown


def _decided(number: int) -> DecidedLink:
    return DecidedLink(number=number, link=Nothing())


MESSAGES: list[tuple[Message | ChainMessage, str]] = [
    (Prepare(proposal_id=TWO_A), "Prepare 2.A"),
    (Accept(proposal_id=TWO_A, value=_updates(("SET", "v"))), 'Accept 2.A  "v"'),
    (
        Promise(acceptor="B", proposal_id=TWO_A, accepted_id=LOWEST, accepted_value=None),
        "Promise 2.A  nothing accepted",
    ),
    (
        Promise(acceptor="B", proposal_id=TWO_A, accepted_id=TWO_A, accepted_value=Nothing()),
        "Promise 2.A  accepted 2.A nothing",
    ),
    (
        Nack(acceptor="B", proposal_id=TWO_A, promised_id=ProposalID(3, "B")),
        "Nack 2.A  promised 3.B",
    ),
    (
        Accepted(acceptor="B", proposal_id=TWO_A, value=Nothing()),
        "Accepted 2.A  nothing",
    ),
    (Accepted(acceptor="B", proposal_id=TWO_A, value=None), "Accepted 2.A"),
    (Sync(votes_from=0), "Sync"),
    (
        CatchUp(founding=FOUNDING, snapshot=Snapshot(value="hello")),
        'CatchUp  value "hello"',
    ),
    (Decided(links=(_decided(3),)), "Decided  link 3"),
    (Decided(links=(_decided(3), _decided(4), _decided(5))), "Decided  links 3 to 5"),
    (
        SnapshotPart(founding=FOUNDING, at=9, number=2, is_last=True, snapshot=Snapshot()),
        "SnapshotPart  2 of the state at link 9",
    ),
    (FetchPart(at=9, number=2), "FetchPart  2 of the state at link 9"),
    (OtherChain(), "OtherChain"),
    (Forward(updates=_updates(("SET", "v"), ("GET",)).updates), 'Forward  "v", a read'),
    (
        Answered(request_id=RequestID("c", 1), link=7, result=None),
        "Answered  no value as of link 7",
    ),
    (WhereAreYou(birth="x"), "WhereAreYou"),
    (_whereabouts(newborn=True), "IAmAt  new too"),
    (_whereabouts(newborn=False), "IAmAt  may have voted on link 4"),
]


@pytest.mark.parametrize("message, shown", MESSAGES)
def test_messages_are_described(message: Message | ChainMessage, shown: str) -> None:
    """A message is named as in the paper, with its number and what it carries."""
    described = plain(message)
    assert isinstance(described, dict)

    assert describe_message(described) == shown


def test_no_message_is_left_out() -> None:
    """Every type of message that there is stands in the test above."""
    assert {type(message) for message, _ in MESSAGES} == {*get_args(Message | ChainMessage)}
