"""Why a message is not taken: a reason that programs compare, with its data, and in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from composable_paxos import Message
from multipaxos.chain.messages import ChainMessage


class Reason(StrEnum):
    """The reasons for a refusal; after each, the data that come with it."""

    PROMISED = "promised"
    """The acceptor has promised more: *promised_id*."""
    LEASE = "lease"
    """Another server's lease still runs: that of *master*."""
    NUMBER_ONE = "number one"
    """The number belongs to the master alone: *master*, None where the chain names nobody."""
    VOTES_FROM = "votes from"
    """This server may have forgotten its votes below link *votes_from*."""
    FOUNDERS = "founders"
    """The proposer founds a chain without this server."""
    NO_MEMORY = "no memory"
    """This server has no memory yet."""
    OTHER_CHAIN = "other chain"
    """The message is about *chain*; this server keeps another."""
    OTHER_FOUNDING = "other founding"
    """A catch-up tells of another link 0, that of *chain*."""
    TOO_FAR = "too far"
    """A catch-up skips *links*, more than is plausible."""
    BEHIND = "behind"
    """The message asks about a link that is closed here, *asked*."""
    AHEAD = "ahead"
    """The message asks about a link that is to come here, *asked*."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a message is not taken: a *reason* with its *details* by name, and in *words*."""

    reason: Reason
    words: str
    details: Mapping[str, object] = field(default_factory=dict)


def name_of(message: Message | ChainMessage) -> str:
    """Return the name of *message*, with its proposal if it has one: ``Accept 1.A``."""
    proposal_id = getattr(message, "proposal_id", None)
    name = type(message).__name__
    return name if proposal_id is None else f"{name} {proposal_id}"
