"""
Single-decree Paxos as composable roles, after "Paxos Made Simple" (Lamport, 2001).

A pure algorithm module: it knows nothing of networks, files, clocks or of other instances. Read it
in this order: proposal_id, messages, quorum, acceptor, proposer, learner, instance.
"""

from composable_paxos.acceptor import Acceptor, AcceptorState
from composable_paxos.instance import PaxosInstance
from composable_paxos.learner import Learner
from composable_paxos.messages import (
    Accept,
    Accepted,
    Message,
    Nack,
    Prepare,
    Promise,
    Resolution,
    Value,
)
from composable_paxos.proposal_id import LOWEST, PeerID, ProposalID
from composable_paxos.proposer import Proposer
from composable_paxos.quorum import Quorums

__all__ = [
    "LOWEST",
    "Accept",
    "Accepted",
    "Acceptor",
    "AcceptorState",
    "Learner",
    "Message",
    "Nack",
    "PaxosInstance",
    "PeerID",
    "Prepare",
    "Promise",
    "ProposalID",
    "Proposer",
    "Quorums",
    "Resolution",
    "Value",
]
