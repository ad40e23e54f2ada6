"""
How large a value may be: one that a server takes must fit every message that it may travel in.

A value that fits an Accept, but neither the Promise that reports it later nor the CatchUp that
carries it beside all sessions, would stop the cluster for good.
"""

from collections.abc import Iterator

from composable_paxos import Accept, Accepted, Message, Promise, ProposalID
from multipaxos.chain.durable import Session, Snapshot
from multipaxos.chain.links import Founding, Link, NewMaster, Updates
from multipaxos.chain.messages import Answered, CatchUp, ChainMessage, Envelope, Forward
from multipaxos.chain.requests import RequestID, Update
from multipaxos.runtime.codec import wire

LONGEST_UID = "Z" * wire.UID_LENGTH_MAX
LONGEST_NAME = "z" * wire.NAME_LENGTH_MAX
LONGEST_PROPOSAL = ProposalID(wire.NUMBER_MAX, LONGEST_UID)
LONGEST_REQUEST = RequestID("c" * wire.CLIENT_LENGTH_MAX, wire.INTEGER_MAX)
LONGEST_LEASE_SECONDS = 2.2250738585072014e-308
"""No float in the range is longer in writing."""
LONGEST_FOUNDING = Founding(
    chain_id=LONGEST_NAME,
    machine_kind=LONGEST_NAME,
    founders=tuple(
        (f"{number}{LONGEST_UID[1:]}", LONGEST_NAME) for number in range(wire.SERVERS_MAX)
    ),
)
LONGEST_NEW_MASTER = NewMaster(
    uid=LONGEST_UID, lease_seconds=LONGEST_LEASE_SECONDS, bid=LONGEST_NAME
)


def largest_envelopes(value: str, sessions_max: int) -> Iterator[Envelope]:
    """Yield the largest envelope of every kind that can carry *value*."""
    update = Update(request_id=LONGEST_REQUEST, command=("SET", value), since=wire.INTEGER_MAX)
    yield from largest_envelopes_with_link(Updates(updates=(update,)))
    yield _envelope(Forward(update=update))
    yield _envelope(Answered(request_id=LONGEST_REQUEST, link=wire.INTEGER_MAX, result=value))
    yield _envelope(
        CatchUp(founding=LONGEST_FOUNDING, snapshot=_largest_snapshot(value, sessions_max))
    )


def largest_envelopes_with_link(link: Link) -> Iterator[Envelope]:
    """Yield the largest envelope of every kind of Paxos message that can carry *link*."""
    yield _envelope(
        Promise(
            acceptor=LONGEST_UID,
            proposal_id=LONGEST_PROPOSAL,
            accepted_id=LONGEST_PROPOSAL,
            accepted_value=link,
        )
    )
    yield _envelope(Accept(proposal_id=LONGEST_PROPOSAL, value=link))
    yield _envelope(Accepted(acceptor=LONGEST_UID, proposal_id=LONGEST_PROPOSAL, value=link))


def _largest_snapshot(value: str, sessions_max: int) -> Snapshot:
    # The result of what changes the register is None, and a read leaves no session.
    session = Session(sequence=wire.INTEGER_MAX, link=wire.INTEGER_MAX, result=None)
    width = wire.CLIENT_LENGTH_MAX
    sessions = {f"{number:0{width}d}": session for number in range(sessions_max)}
    return Snapshot(
        value=value,
        sessions=sessions,
        forgotten_before=wire.INTEGER_MAX,
        master=LONGEST_NEW_MASTER,
    )


def _envelope(message: Message | ChainMessage) -> Envelope:
    return Envelope(
        cluster="c" * wire.CLUSTER_LENGTH_MAX,
        chain_id=LONGEST_NAME,
        instance=wire.INTEGER_MAX,
        sender=LONGEST_UID,
        receiver=LONGEST_UID,
        message=message,
    )
