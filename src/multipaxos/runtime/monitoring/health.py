"""Whether a server can do its part, in sentences for whoever watches it."""

from collections.abc import Mapping
from functools import cache
from itertools import count
from math import comb

from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.settings import Settings

FALSE_ALARM_CHANCE = 1e-4
"""How likely a whole but idle cluster may look silent to a server, at a moment taken at random."""
SYNC_PERIODS_MIN = 3
"""A datagram or two may be lost."""


def why_not_ready(
    replica: BaseReplicatedValue, silence_seconds: Mapping[str, float | None]
) -> str | None:
    """
    Return in words what the server waits for before it can decide with the others; None: nothing.

    *silence_seconds* says for each other server how long ago it was heard of, None if never.
    """
    if replica.memoryless:
        whom = ", ".join(replica.waits_for())
        return f"it has no memory yet, and waits for {f'word of {whom}' if whom else 'the others'}"
    if not replica.chain_id:
        return "it does not know the chain yet: it waits for link 0"
    if replica.instance < replica.votes_from:
        return (
            f"it may have forgotten votes: it sits out the links below {replica.votes_from}, and "
            f"link {replica.instance} is in progress"
        )
    return _why_alone(replica, silence_seconds)


def _why_alone(
    replica: BaseReplicatedValue, silence_seconds: Mapping[str, float | None]
) -> str | None:
    servers = replica.membership.servers
    limit_seconds = silence_seconds_max(replica.settings, len(servers))
    silent = [
        uid
        for uid, seconds in silence_seconds.items()
        if seconds is None or seconds > limit_seconds
    ]
    missing = len(servers) // 2 + 1 - (len(servers) - len(silent))
    if missing <= 0:
        return None
    return (
        f"it has heard of no majority for {limit_seconds:g} seconds: it waits for word of "
        f"{missing} of {', '.join(silent)}"
    )


def silence_seconds_max(settings: Settings, servers: int) -> float:
    """
    Return for how long a server of *servers* that hears of no majority is still taken as connected.

    Where nobody writes and no master renews its lease, others are heard of only when they tell a
    random server, once in *sync_seconds*, where they are. A shorter time would take chance for a
    failure.
    """
    return _sync_periods(servers) * settings.sync_seconds


@cache
def _sync_periods(servers: int) -> int:
    """Return after how many periods chance is no explanation any more for hearing of too few."""
    peers = servers - 1
    needed = servers // 2
    for periods in count(SYNC_PERIODS_MIN):
        heard = 1 - (1 - 1 / peers) ** periods if peers else 1
        too_few = sum(
            comb(peers, few) * heard**few * (1 - heard) ** (peers - few) for few in range(needed)
        )
        if too_few <= FALSE_ALARM_CHANCE:
            return periods
    raise AssertionError("the chance falls towards zero")
