"""Why a server is master, trusts a lease, or respects another's."""

from multipaxos.chain.settings import Settings
from multipaxos.lab.explain.moment import Moment, Why
from multipaxos.lab.explain.words import BROKEN, duration, name, request_name


def why_lease_began(now: Moment) -> Why:
    """Explain from when a master counts, and why it trusts less than a whole lease."""
    seconds, since, until = (now.fields[field] for field in ("seconds", "from", "until"))
    late = left = ""
    if now.past.is_timed:
        late = f", {duration(max(0.0, now.event.seconds - since))} ago"
        left = f", so {duration(until - now.event.seconds)} are left"
    return "lease-began", (
        f"{_overlap(now)}{now.who} finds its own bid in the chain: it is master. It counts its "
        f"lease not from now but from its bid{late}: the others learned of it later than that, and "
        f"respect it for a whole lease from then on. {now.who} trusts it for {duration(seconds)} "
        f"of its own clock{_shortened(now, seconds)}{left}. At the end of these the others still "
        "respect it."
    )


def _overlap(now: Moment) -> str:
    if not (now.past.sees_all and now.past.is_timed):
        return ""
    for other in now.past.servers.values():
        if other.lease is not None and other.uid != now.event.server:
            until = other.lease["until"] - now.event.seconds
            if until > 0:
                return (
                    f"{name(other.uid)} trusts its lease, too, for another {duration(until)}: two "
                    f"servers may answer reads alone. {BROKEN} "
                )
    return ""


def _shortened(now: Moment, seconds: float) -> str:
    bids = [
        choice.value["lease_seconds"]
        for choice in now.past.choices[-RECENT_CHOICES:]
        if isinstance(choice.value, dict)
        and choice.value.get("type") == "NewMaster"
        and choice.value["uid"] == now.event.server
    ]
    if not bids or not seconds < bids[-1]:
        return ""
    return f", not {duration(bids[-1])}, for two clocks may differ"


def why_lease_ended(now: Moment) -> Why:
    """Explain why a server is master no more."""
    cause = now.cause
    if cause is not None and cause.kind == "timer fired":
        return "lease-ended", (
            f"The hourglass that {now.who} turned when its bid left is empty, and no renewal was "
            "found in the chain in time. It may not answer reads alone any more, for the others "
            "will soon be free to elect another master."
        )
    master = now.server.master
    who = "another server" if master in (None, now.event.server) else name(master)
    return "lease-ended", (
        f"{now.who} learns that the chain names {who} as master: its own lease is of no use any "
        "more, whatever its hourglass shows."
    )


def why_foreign_lease(now: Moment) -> Why:
    """Explain from when on another's lease is respected."""
    master, length = name(now.fields["master"]), duration(now.fields["seconds"])
    cause = now.cause
    since = "learns"
    if cause is not None and cause.kind == "started":
        since = "starts again and does not know how long ago it learned"
    return "foreign-lease", (
        f"{now.who} {since} that the chain names {master} as master. From this moment it votes for "
        f"nobody else, and proposes nothing itself, for {length} of its own clock. {master} counts "
        "from when its bid left, which was earlier: so its own trust ends before this does."
    )


def why_forwarded(now: Moment) -> Why:
    """Explain why a request goes to the master."""
    master = name(now.fields["master"])
    return "forward", (
        f"The lease of {master} runs, so {now.who} must not propose request "
        f"{request_name(now.fields['request_id'])} itself. It sends it to {master}, and keeps it "
        "until it is in the chain: if the message is lost, it sends it again."
    )


def why_hourglass_set(now: Moment) -> Why:
    """Explain the hourglass of a bid."""
    lease = now.server.lease
    if lease is not None and lease["lease"] == now.fields["timer"]:
        return "bid", (
            f"{now.who} turns the hourglass of the lease that it trusts already, and so trusts it "
            f"for {duration(now.fields['after'])} from now on: longer than the others respect it. "
            f"{BROKEN}"
        )
    r = Settings().clock_rate_error
    return "bid", (
        f"{now.who} asks to be master, or to stay it, and turns the hourglass of that lease now, "
        f"when its request leaves: for {duration(now.fields['after'])}. That is a lease times (1 - "
        f"r) / (1 + r), where clocks run within r of true time (usually {r:g}): however its clock "
        "and the others' differ, its own time ends first."
    )


def why_hourglass_fired(now: Moment) -> Why:
    """Explain the end of an hourglass."""
    if now.server.lease is not None and now.server.lease["lease"] == now.fields["timer"]:
        return "lease-ended", (
            f"The lease that {now.who} trusted is over by its own clock. The others respect it a "
            "little longer; so at no instant do two servers trust a lease."
        )
    return "lease-ended", (
        f"The hourglass of a bid is empty before {now.who} found the bid in the chain. What that "
        "bid may still win is a lease that is over already, so it will not count."
    )


def why_foreign_lease_fired(now: Moment) -> Why:
    """Explain what follows when a foreign lease ends."""
    master = now.server.master
    whose = "the master" if master is None else name(master)
    return "foreign-lease-ended", (
        f"{now.who} has respected the lease of {whose} for its whole length, and learned of no "
        "renewal. From now on it votes for anybody again. If it seeks mastership, it waits a "
        "random moment first, so that not all do so at once."
    )


def why_election_fired(now: Moment) -> Why:
    """Explain a bid for mastership."""
    if now.fields["timer"] == "renewal":
        return "election", (
            f"The lease of {now.who} ends soon. It proposes a link that names it master again, "
            "early enough that a lost message does not cost it the lease."
        )
    return "election", (
        f"{now.who} respects nobody's lease now, and the random wait before a bid is over. It "
        "proposes a link that names itself master: the chain decides, as on any link."
    )


RECENT_CHOICES = 64
"""A bid that was found is among the newest links."""
