"""Defect 12: a value that fitted an accept, but not the larger promise, stopped the cluster."""

from typing import Any

import pytest
from tests.defects.support import WHOLE, WatchedCluster
from tests.runtime.sockets import Server, from_a
from typing_extensions import override

from composable_paxos import Accept, Accepted, Prepare, Promise, ProposalID
from multipaxos.chain.durable import Session, Snapshot
from multipaxos.chain.links import Founding, NewMaster, Updates
from multipaxos.chain.messages import Answered, CatchUp, Envelope, Forward
from multipaxos.chain.register import Register
from multipaxos.chain.requests import Chosen, RequestID, Update
from multipaxos.chain.settings import Settings
from multipaxos.composition import compose
from multipaxos.runtime.client_port import resp
from multipaxos.runtime.client_port.actions import Propose, Say
from multipaxos.runtime.client_port.commands import interpret
from multipaxos.runtime.client_port.session import Rules
from multipaxos.runtime.client_port.session import Session as ClientSession
from multipaxos.runtime.codec import (
    VALUE_BYTES_DEFAULT,
    decode_envelope,
    encode_envelope,
    value_bytes,
    wire,
)
from multipaxos.runtime.messenger.frames import MESSAGE_BYTES_MAX
from multipaxos.runtime.messenger.udp import DATAGRAM_BYTES_MAX

SESSIONS_MAX = Settings().sessions_max
LARGEST = VALUE_BYTES_DEFAULT
TEXTS = {"ascii": "x", "escaped": "\n", "wide": "\N{GREEK SMALL LETTER PI}"}

HIGHEST = wire.INTEGER_MAX
LONG_UID = "S" * wire.UID_LENGTH_MAX
LONG_NAME = "n" * wire.NAME_LENGTH_MAX
LONG_PROPOSAL = ProposalID(wire.NUMBER_MAX, LONG_UID)
LONG_REQUEST = RequestID("c" * wire.CLIENT_LENGTH_MAX, HIGHEST)
FOUNDING = Founding(chain_id=LONG_NAME, machine_kind=LONG_NAME, founders=())


def value_of(size: int, text: str) -> str:
    """Return a value of *text* only (and one x, where need be) that takes *size* bytes as JSON."""
    room = size - value_bytes("")
    count, rest = divmod(room, value_bytes(text) - value_bytes(""))
    return text * count + "x" * rest


def messages_with(value: str) -> list[Any]:
    """Return the longest message of each kind that a value ever travels in."""
    update = Update(request_id=LONG_REQUEST, command=("SET", value), since=HIGHEST)
    link = Updates(updates=(update,))
    founders = tuple((f"{n}{LONG_UID[1:]}", LONG_NAME) for n in range(wire.SERVERS_MAX))
    sessions = {
        f"{n:0{wire.CLIENT_LENGTH_MAX}}": Session(sequence=HIGHEST, link=HIGHEST, result=None)
        for n in range(SESSIONS_MAX)
    }
    return [
        Forward(updates=(update,)),
        Accept(proposal_id=LONG_PROPOSAL, value=link),
        Accepted(acceptor=LONG_UID, proposal_id=LONG_PROPOSAL, value=link),
        Promise(
            acceptor=LONG_UID,
            proposal_id=LONG_PROPOSAL,
            accepted_id=LONG_PROPOSAL,
            accepted_value=link,
        ),
        Answered(request_id=LONG_REQUEST, link=HIGHEST, result=value),
        CatchUp(
            founding=Founding(chain_id=LONG_NAME, machine_kind=LONG_NAME, founders=founders),
            snapshot=Snapshot(
                value=value,
                sessions=sessions,
                forgotten_before=HIGHEST,
                master=NewMaster(uid=LONG_UID, lease_seconds=3599.9999999999995, bid=LONG_NAME),
            ),
        ),
    ]


def enveloped(message: Any) -> Envelope:
    """Return *message* in the longest envelope."""
    return Envelope(
        cluster="c" * wire.CLUSTER_LENGTH_MAX,
        chain_id=LONG_NAME,
        instance=HIGHEST,
        sender=LONG_UID,
        receiver=LONG_UID,
        message=message,
    )


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_value_that_is_taken_fits_every_message_it_may_travel_in(text: str) -> None:
    """The largest value fits the promise and the catch-up, with all names at their longest."""
    value = value_of(LARGEST, text)

    sizes = {type(m).__name__: len(encode_envelope(enveloped(m))) for m in messages_with(value)}

    assert value_bytes(value) == LARGEST
    assert max(sizes.values()) <= MESSAGE_BYTES_MAX
    assert sizes["Accept"] < sizes["Promise"] < sizes["CatchUp"]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_larger_value_is_refused_before_it_is_proposed(text: str) -> None:
    """A client is told at once, in words, that its value is too large; nobody votes on it."""
    fits = value_of(LARGEST, text).encode()
    too_large = value_of(LARGEST + value_bytes(text) - value_bytes(""), text).encode()

    rules = Rules(machine=Register(), value_bytes_max=LARGEST)
    taken = interpret([b"SET", fits], session=ClientSession(), rules=rules)
    refused = interpret([b"SET", too_large], session=ClientSession(), rules=rules)

    assert isinstance(taken, Propose)
    assert isinstance(refused, Say)
    assert refused.reply[:1] == resp.error("")[:1]
    assert b"the value is too large" in refused.reply


@pytest.mark.parametrize("size", [DATAGRAM_BYTES_MAX, DATAGRAM_BYTES_MAX + 1, 5 * 2**20])
def test_no_message_is_cut(size: int) -> None:
    """
    What is sent arrives whole, as a datagram or, if it fits none, as a frame in a stream.

    The ancestor's socket cut what it received at 8192 bytes.
    """
    server = Server()
    empty = len(encode_envelope(from_a(CatchUp(founding=FOUNDING, snapshot=Snapshot(value="")))))
    snapshot = Snapshot(value="x" * (size - empty))
    envelope = from_a(CatchUp(founding=FOUNDING, snapshot=snapshot))

    server.messenger.send(envelope)

    if size <= DATAGRAM_BYTES_MAX:
        ((sent, _),) = server.reactor.written
    else:
        sent = server.attempt.succeed().drain()[4:]
    assert len(sent) == size
    assert decode_envelope(sent) == envelope


class WrittenCluster(WatchedCluster):
    """A cluster whose messages travel as datagrams: written, and read again."""

    @override
    def send(self, envelope: Envelope) -> None:
        super().send(decode_envelope(encode_envelope(envelope)))


def test_the_largest_value_survives_its_proposer() -> None:
    """
    The worst case of the ancestor: accepted by one, reported in a promise, caught up by the last.

    All of the chain's sessions are in use meanwhile, so that the catch-up is as full as it gets.
    """
    cluster = WrittenCluster(replica_class=compose(WHOLE))
    cluster.start()
    for number in range(SESSIONS_MAX):
        call = cluster.submit("A", ("SET", "-"), client=f"{number:040}")
        cluster.wait_for(call)
    cluster.run_for(1)
    cluster.crash("C")
    cluster.is_manual = True
    value = value_of(LARGEST, "x")
    cluster.submit("A", ("SET", value), client="c" * 40)
    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)
    cluster.deliver("A->B", Accept)
    cluster.crash("A")
    cluster.let_mail_flow()
    cluster.start("C")

    read = cluster.submit("C", ("GET",))
    cluster.run_for(10)
    cluster.start("A")
    cluster.run_for(1)

    assert {cluster.value_on_disk(uid) for uid in cluster.uids} == {value}
    assert isinstance(read.outcome, Chosen)
    assert read.outcome.result == value
    assert any(p.accepted_value is not None for p in cluster.sent(Promise, by="B"))
    assert len(cluster.sent(CatchUp)) > 0
