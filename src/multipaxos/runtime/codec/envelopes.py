"""Envelopes and messages, between the wire's structures and the protocol's own dataclasses."""

from typing import Any, TypeAlias, assert_never

from msgspec import Raw

import composable_paxos as paxos
from composable_paxos import ProposalID
from multipaxos.chain import durable, messages, requests
from multipaxos.chain.messages import Envelope
from multipaxos.chain.state_machine import result_to_plain
from multipaxos.runtime.codec import wire
from multipaxos.runtime.codec.errors import MalformedDatagramError
from multipaxos.runtime.codec.link_texts import decode_link, encode_link
from multipaxos.runtime.codec.parts import (
    acceptance_from_wire,
    acceptance_to_wire,
    founders_from_wire,
    founding_from_wire,
    founding_or_none_from_wire,
    founding_or_none_to_wire,
    founding_to_wire,
    link_from_wire,
    link_to_wire,
    proposal_id_from_wire,
    proposal_or_none_to_wire,
    proposal_to_wire,
    result_from_wire,
    snapshot_from_wire,
    snapshot_to_wire,
    update_from_wire,
    update_to_wire,
)

AnyMessage: TypeAlias = paxos.Message | messages.ChainMessage

# ---------------------------------------------------------------------------------------- envelopes


def envelope_to_wire(envelope: Envelope) -> wire.AnyDatagram:
    """Return the structure that *envelope* is written as."""
    head = {
        "cluster": envelope.cluster,
        "chain": envelope.chain_id,
        "link": envelope.instance,
        "sender": envelope.sender,
        "receiver": envelope.receiver,
        "decided": None if envelope.decided_by is None else proposal_to_wire(envelope.decided_by),
    }
    match envelope.message:
        case (
            paxos.Prepare() | paxos.Promise() | paxos.Accept() | paxos.Accepted() | paxos.Nack()
        ) as message:
            return _paxos_to_wire(message, head)
        case message:
            return _chain_to_wire(message, head)


def envelope_from_wire(datagram: wire.AnyDatagram) -> Envelope:
    """Return the envelope that *datagram* stands for; MalformedDatagramError for nonsense."""
    return Envelope(
        cluster=datagram.cluster,
        chain_id=datagram.chain,
        instance=datagram.link,
        sender=datagram.sender,
        receiver=datagram.receiver,
        message=_message_from_wire(datagram),
        decided_by=None if datagram.decided is None else ProposalID(*datagram.decided),
    )


def _paxos_to_wire(message: paxos.Message, head: dict[str, Any]) -> wire.AnyDatagram:
    match message:
        case paxos.Prepare():
            return wire.Prepare(**head, proposal=proposal_to_wire(message.proposal_id))
        case paxos.Promise():
            accepted, value = acceptance_to_wire(message.accepted_id, message.accepted_value)
            return wire.Promise(
                **head,
                acceptor=message.acceptor,
                proposal=proposal_to_wire(message.proposal_id),
                accepted=accepted,
                value=value,
            )
        case paxos.Accept():
            proposal = proposal_to_wire(message.proposal_id)
            return wire.Accept(**head, proposal=proposal, value=Raw(encode_link(message.value)))
        case paxos.Accepted():
            return wire.Accepted(
                **head,
                acceptor=message.acceptor,
                proposal=proposal_to_wire(message.proposal_id),
                value=None if message.value is None else link_to_wire(message.value),
            )
        case paxos.Nack():
            return wire.Nack(
                **head,
                acceptor=message.acceptor,
                proposal=proposal_to_wire(message.proposal_id),
                promised=proposal_or_none_to_wire(message.promised_id),
            )
        case _:
            assert_never(message)


def _chain_to_wire(  # noqa: C901, PLR0911 - one a message
    message: messages.ChainMessage, head: dict[str, Any]
) -> wire.AnyDatagram:
    match message:
        case messages.Sync():
            return wire.Sync(**head, votes_from=message.votes_from)
        case messages.CatchUp():
            return wire.CatchUp(
                **head,
                founding=founding_to_wire(message.founding),
                snapshot=snapshot_to_wire(message.snapshot),
            )
        case messages.Decided():
            links = tuple((each.number, link_to_wire(each.link)) for each in message.links)
            return wire.Decided(**head, links=links)
        case messages.SnapshotPart():
            return wire.SnapshotPart(
                **head,
                founding=founding_to_wire(message.founding),
                at=message.at,
                number=message.number,
                last=message.is_last,
                snapshot=snapshot_to_wire(message.snapshot),
            )
        case messages.FetchPart():
            return wire.FetchPart(**head, at=message.at, number=message.number)
        case messages.OtherChain():
            return wire.OtherChain(**head)
        case messages.Forward():
            return wire.Forward(**head, updates=tuple(map(update_to_wire, message.updates)))
        case messages.Answered():
            return wire.Answered(
                **head,
                client=message.request_id.client,
                sequence=message.request_id.sequence,
                at=message.link,
                result=result_to_plain(message.result),
            )
        case messages.WhereAreYou():
            return wire.WhereAreYou(**head, birth=message.birth)
        case messages.IAmAt():
            return wire.IAmAt(
                **head,
                asked_in=message.asked_in,
                birth=message.birth,
                newborn=message.newborn,
                voted=message.may_have_voted_on,
                founders=message.founders,
                founding=founding_or_none_to_wire(message.founding),
            )
        case _:
            assert_never(message)


def _message_from_wire(datagram: wire.AnyDatagram) -> AnyMessage:
    match datagram:
        case wire.Prepare():
            return paxos.Prepare(proposal_id=ProposalID(*datagram.proposal))
        case wire.Promise():
            return _promise_from_wire(datagram)
        case wire.Accept():
            value = decode_link(bytes(datagram.value))
            return paxos.Accept(proposal_id=ProposalID(*datagram.proposal), value=value)
        case wire.Accepted():
            return paxos.Accepted(
                acceptor=datagram.acceptor,
                proposal_id=ProposalID(*datagram.proposal),
                value=None if datagram.value is None else link_from_wire(datagram.value),
            )
        case wire.Nack():
            return paxos.Nack(
                acceptor=datagram.acceptor,
                proposal_id=ProposalID(*datagram.proposal),
                promised_id=proposal_id_from_wire(datagram.promised),
            )
        case chain_datagram:
            return _chain_from_wire(chain_datagram)


def _chain_from_wire(  # noqa: C901, PLR0911 - one a message
    datagram: wire.Sync
    | wire.CatchUp
    | wire.Decided
    | wire.SnapshotPart
    | wire.FetchPart
    | wire.OtherChain
    | wire.Forward
    | wire.Answered
    | wire.WhereAreYou
    | wire.IAmAt,
) -> messages.ChainMessage:
    match datagram:
        case wire.Sync():
            return messages.Sync(votes_from=datagram.votes_from)
        case wire.CatchUp():
            return messages.CatchUp(
                founding=founding_from_wire(datagram.founding),
                snapshot=snapshot_from_wire(datagram.snapshot),
            )
        case wire.Decided():
            links = (
                durable.DecidedLink(number=number, link=link_from_wire(link))
                for number, link in datagram.links
            )
            return messages.Decided(links=tuple(links))
        case wire.SnapshotPart():
            return messages.SnapshotPart(
                founding=founding_from_wire(datagram.founding),
                at=datagram.at,
                number=datagram.number,
                is_last=datagram.last,
                snapshot=snapshot_from_wire(datagram.snapshot),
            )
        case wire.FetchPart():
            return messages.FetchPart(at=datagram.at, number=datagram.number)
        case wire.OtherChain():
            return messages.OtherChain()
        case wire.Forward():
            return messages.Forward(updates=tuple(map(update_from_wire, datagram.updates)))
        case wire.Answered():
            return messages.Answered(
                request_id=requests.RequestID(datagram.client, datagram.sequence),
                link=datagram.at,
                result=result_from_wire(datagram.result),
            )
        case wire.WhereAreYou():
            return messages.WhereAreYou(birth=datagram.birth)
        case wire.IAmAt():
            return messages.IAmAt(
                asked_in=datagram.asked_in,
                birth=datagram.birth,
                newborn=datagram.newborn,
                may_have_voted_on=datagram.voted,
                founders=founders_from_wire(datagram.founders),
                founding=founding_or_none_from_wire(datagram.founding),
            )
        case _:
            assert_never(datagram)


def _promise_from_wire(datagram: wire.Promise) -> paxos.Promise:
    proposal_id = ProposalID(*datagram.proposal)
    accepted_id, value = acceptance_from_wire(datagram.accepted, datagram.value)
    if accepted_id > proposal_id:
        raise MalformedDatagramError(f"{accepted_id} accepted above the promise {proposal_id}")
    return paxos.Promise(
        acceptor=datagram.acceptor,
        proposal_id=proposal_id,
        accepted_id=accepted_id,
        accepted_value=value,
    )
