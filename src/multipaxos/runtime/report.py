"""What a server tells about itself: its status and its history, as JSON."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from composable_paxos import LOWEST, ProposalID
from multipaxos.chain.durable import DecidedLink
from multipaxos.chain.effects import Timer
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.runtime.messenger.arrivals import Refusal
from multipaxos.runtime.messenger.faults import NetworkFaults
from multipaxos.trace import plain, quoted

HISTORY_BYTES_MAX = 16 * 2**20
"""An answer of so many bytes tells of no more links."""
HISTORY_LINKS_AT_FIRST = 256


def status(
    replica: BaseReplicatedValue,
    *,
    seconds_left: Callable[[Timer], float],
    silence_seconds: Mapping[str, float | None],
    refused: Counter[Refusal],
    faults: NetworkFaults | None,
) -> str:
    """
    Return how the server is, as JSON.

    *seconds_left* asks the driver about a timer; *silence_seconds* says for each peer how long ago
    it was heard of, None if never; *refused* counts refused messages by reason; *faults* are those
    on purpose, None: there is no layer that could make any.
    """
    acceptor = replica.paxos.state
    return json.dumps(
        {
            "uid": replica.uid,
            "cluster": replica.membership.cluster,
            "chain": replica.chain_id,
            "phase": phase(replica),
            "link": replica.instance - 1,
            "state": replica.machine.kind,
            "value": replica.machine.summary(replica.snapshot.value),
            "master": replica.master,
            "lease": _lease(replica, seconds_left),
            "promised": _proposal(acceptor.promised_id),
            "accepted": _proposal(acceptor.accepted_id),
            "queue_length": len(replica.queue),
            "peers": dict(silence_seconds),
            "refused_datagrams": refused.total(),
            "refused_by_reason": {reason.value: count for reason, count in refused.items()},
            "fault_layer": "off" if faults is None else faults.plain(),
        }
    )


def phase(replica: BaseReplicatedValue) -> str:
    """Return in words how far the server is on its way to serving."""
    if replica.memoryless:
        return f"no memory: waiting for {', '.join(replica.waits_for()) or 'nobody'}"
    if replica.instance < replica.votes_from:
        return f"sitting out until link {replica.votes_from}"
    return "serving"


def position(replica: BaseReplicatedValue) -> str:
    """Return in words which link the server has reached."""
    if replica.memoryless:
        return "no state yet"
    if replica.instance == 0:
        return "no link yet"
    return f"link {replica.instance - 1}, {_value(replica)}"


def _value(replica: BaseReplicatedValue) -> str:
    value = replica.snapshot.value
    if value is None or isinstance(value, str):
        return quoted(value)
    return replica.machine.summary(value) or "nothing"


def history(newest: Callable[[int], Sequence[DecidedLink]], count: int) -> str:
    """
    Return the *newest* links as JSON: each with its number and what it holds, as in the trace.

    At most *count*, and not many more bytes than HISTORY_BYTES_MAX: large links are few.
    """
    asked = min(count, HISTORY_LINKS_AT_FIRST)
    while True:
        links = newest(asked)
        told = [json.dumps({"link": each.number, "holds": plain(each.link)}) for each in links]
        if sum(map(len, told)) > HISTORY_BYTES_MAX or len(links) < asked or asked >= count:
            break
        asked = min(count, 4 * asked)
    while len(told) > 1 and sum(map(len, told)) > HISTORY_BYTES_MAX:
        del told[0]
    return f"[{', '.join(told)}]"


def _lease(
    replica: BaseReplicatedValue, seconds_left: Callable[[Timer], float]
) -> dict[str, object] | None:
    kind = "respected" if replica.lease is None else "held"
    seconds = seconds_left(replica.lease or Timer.FOREIGN_LEASE)
    return {"kind": kind, "seconds_left": round(seconds, 3)} if seconds > 0 else None


def _proposal(proposal_id: ProposalID) -> str | None:
    return None if proposal_id == LOWEST else str(proposal_id)
