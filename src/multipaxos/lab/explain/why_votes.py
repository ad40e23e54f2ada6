"""Why an acceptor voted as it did."""

from multipaxos.lab.explain.ballots import proposer_of, rank
from multipaxos.lab.explain.moment import Moment, Why
from multipaxos.lab.explain.words import BROKEN, NOTHING, acceptance, joined, name, number, value


def why_promised(now: Moment) -> Why:
    """Explain a promise: what was promised before, what it binds to, what it reports."""
    proposal_id, link = now.fields["proposal_id"], now.fields["instance"]
    own = proposer_of(proposal_id) == now.event.server
    asks = "It is its own acceptor, too, and asks itself first. " if own else ""
    return "promise", (
        f"{asks}{_before_promise(now, link, proposal_id)} With that it binds itself to refuse "
        f"everything below {number(proposal_id)} in link {link}. "
        f"{_report(now, link)}{_saved_first(now, 'the promise')}"
    )


def _before_promise(now: Moment, link: int, proposal_id: str) -> str:
    before, p = now.server.vote(link).promised, number(proposal_id)
    if before is None:
        return (
            f"What {now.who} had promised before this trace does not tell; it cannot have been "
            f"higher than {p}: it promises."
        )
    if before == NOTHING:
        return (
            f"{now.who} had promised nothing in link {link}; any number is higher than that: it "
            f"promises {p}."
        )
    if before == proposal_id:
        return (
            f"{now.who} had promised {p} already: this is a repetition, and its first answer may "
            "have been lost. It gives the same promise again."
        )
    if rank(before) > rank(proposal_id):
        return (
            f"{now.who} had promised {number(before)}, and {p} is lower: a correct acceptor "
            f"refuses here. {BROKEN}"
        )
    return f"{now.who} had promised {number(before)}; {p} is higher: it promises."


def _report(now: Moment, link: int) -> str:
    vote, reported = now.server.vote(link), now.fields["accepted_id"]
    if reported == NOTHING and vote.accepted not in (None, NOTHING):
        return (
            f"It had accepted {acceptance(vote.accepted, vote.value)} and does not report it. "
            f"{BROKEN} "
        )
    if reported == NOTHING:
        return "It reports that it has accepted nothing. "
    what = acceptance(reported, vote.value) if vote.accepted == reported else f"{number(reported)}"
    return f"It reports that it has accepted {what}: the proposer must heed that. "


def _saved_first(now: Moment, what: str) -> str:
    if now.causes.precedes(now.place, "saved"):
        return f"It saves {what} before the answer leaves."
    return ""


def why_accepted(now: Moment) -> Why:
    """Explain an acceptance: what was promised, and how many have accepted now."""
    proposal_id, link = now.fields["proposal_id"], now.fields["instance"]
    vote = now.server.vote(link)
    if vote.accepted == proposal_id:
        return "accept", (
            f"{now.who} has accepted {number(proposal_id)} already. It is asked again, for the "
            "request or the answer may have been lost, and gives the same answer: a repetition "
            "changes nothing."
        )
    return "accept", (
        f"{_before_acceptance(now, link, proposal_id)} "
        f"{_overwritten(vote.accepted, vote.value)}{_count(now, link, proposal_id)}"
    )


def _before_acceptance(now: Moment, link: int, proposal_id: str) -> str:
    promised, p = now.server.vote(link).promised, number(proposal_id)
    if promised is None or rank(promised) < rank(proposal_id):
        had = (
            "nothing higher" if promised in (None, NOTHING) else f"{number(promised)}, a lower one"
        )
        return (
            f"{now.who} has promised {had}: it accepts {p}. To accept it is to promise it, too: "
            "nothing lower can be accepted here any more."
        )
    if promised == proposal_id:
        return f"{now.who} has promised {p} itself and nothing higher: it accepts."
    return (
        f"{now.who} has promised {number(promised)}, which is higher than {p}: a correct acceptor "
        f"refuses here. {BROKEN}"
    )


def _overwritten(accepted: str | None, before: object) -> str:
    if accepted in (None, NOTHING):
        return ""
    return f"It had accepted {acceptance(accepted, before)}; only the newest acceptance is kept. "


def _count(now: Moment, link: int, proposal_id: str) -> str:
    ballot = now.past.ballots.find(link, proposal_id)
    accepted = {*(() if ballot is None else ballot.accepted), now.event.server}
    have = f"{joined(sorted(accepted))} {'has' if len(accepted) == 1 else 'have'} accepted it now"
    if len(accepted) < now.past.accept_size:
        return f"{have}; a quorum is {now.accepting_quorum()}, so it is not chosen yet."
    if len(accepted) == now.past.accept_size:
        return (
            f"{have}. That is a quorum: {value(now.fields['value'])} is chosen for link {link}, "
            "though nobody may know it yet."
        )
    return f"{have}, more than a quorum: the link was decided before."


# --------------------------------------------------------------------------------------- refusals


def why_refused(now: Moment) -> Why | None:
    """Explain a refusal by its reason."""
    explain = _REFUSALS.get(now.fields["reason"])
    return None if explain is None else explain(now)


def _asked(now: Moment) -> str:
    message = now.fields["message"]
    what = "accept" if message["type"] == "Accept" else "promise"
    under = f" {number(message['proposal_id'])}" if "proposal_id" in message else ""
    return f"{name(now.fields['sender'])} asks {now.who} to {what}{under}"


def _promised(now: Moment) -> Why:
    promised, asked = now.fields["promised_id"], now.fields["message"]["proposal_id"]
    since = "" if proposer_of(promised) != now.event.server else ", its own number"
    return "refuse-promised", (
        f"{_asked(now)} in link {now.fields['instance']}. {now.who} has promised "
        f"{number(promised)}{since}, and {number(promised)} > {number(asked)}. To promise "
        f"{number(promised)} was to refuse everything below it, however late it comes: otherwise "
        f"{number(asked)} could still be chosen after {name(proposer_of(promised))} was told that "
        f"it was not. The answer names {number(promised)}, so that {name(proposer_of(asked))} "
        "knows what it must go above."
    )


def _lease(now: Moment) -> Why:
    foreign, until = now.server.foreign, ""
    if foreign is not None and now.past.is_timed:
        until = f", for another {max(0.0, foreign['until'] - now.event.seconds):.2f} s"
    master = name(now.fields["master"])
    return "refuse-lease", (
        f"{_asked(now)}, and the lease of {master} still runs here{until}. {now.who} votes for "
        f"nobody but {master} until it ends, and gives no answer: with its vote another master "
        f"could be elected, and decide links, while {master} still answers reads alone."
    )


def _number_one(now: Moment) -> Why:
    master = now.fields["master"]
    owner = "the chain names no master yet" if master is None else f"it belongs to {name(master)}"
    return "refuse-number-one", (
        f"{_asked(now)}. Number 1 of link {now.fields['instance']} is the master's alone, and "
        f"{owner}. {name(now.fields['sender'])} may hold itself for master, or may not know of "
        "another yet; its requests under number 1 get no vote, so no two values can travel under "
        "that number."
    )


def _votes_from(now: Moment) -> Why:
    first = now.fields["votes_from"]
    return "refuse-votes-from", (
        f"{_asked(now)} in link {now.fields['instance']}. {now.who} has lost its memory and may "
        f"have voted on links below {first} without knowing: a new vote there could take an old "
        f"one back. It votes from link {first} on."
    )


def _founders(now: Moment) -> Why:
    return "refuse-founders", (
        f"{_asked(now)} for the first link of a chain that {name(now.fields['sender'])} founds "
        f"without {now.who}. {now.who} votes only for founders that name it as it is in this life, "
        "so that a chain begins with the quorum that its first link names."
    )


def _no_memory(now: Moment) -> Why:
    kind = name(now.fields["message"]["type"])
    return "refuse-no-memory", (
        f"{now.who} has no memory yet, so it takes no {kind}. It may have promised and accepted "
        "what it does not know any more; before it has heard where the others are it takes part "
        "in nothing."
    )


def _other_chain(now: Moment) -> Why:
    return "refuse-other-chain", (
        f"The message of {name(now.fields['sender'])} is about chain {name(now.fields['chain'])}, "
        f"and {now.who} keeps another one. Links of two chains have nothing to do with each other; "
        f"{now.who} says so and takes nothing of it."
    )


def _other_founding(now: Moment) -> Why:
    return "refuse-other-founding", (
        f"What {name(now.fields['sender'])} tells rests on another link 0, that of chain "
        f"{name(now.fields['chain'])}. {now.who} knows the link 0 of its own chain, and takes over "
        "nothing that began otherwise."
    )


def _too_far(now: Moment) -> Why:
    return "refuse-too-far", (
        f"{name(now.fields['sender'])} offers a jump over {now.fields['links']} links. No cluster "
        f"decides so many while {now.who} is away: it is taken for a forgery or an accident."
    )


def _behind(now: Moment) -> Why:
    asked = now.fields["asked"]
    return "refuse-behind", (
        f"{_asked(now)} in link {asked}. {now.who} knows what that link decided and is at link "
        f"{now.fields['instance']}; its votes on link {asked} are gone, and it must not vote there "
        f"anew. {name(now.fields['sender'])} is behind, and {now.who} tells it what it missed."
    )


def _ahead(now: Moment) -> Why:
    asked = now.fields["asked"]
    keeps = (
        f" keeps the message for when it comes to link {asked}," if now.past.uses("early") else ""
    )
    return "refuse-ahead", (
        f"{_asked(now)} in link {asked}. {now.who} is at link {now.fields['instance']} and does "
        "not know yet what comes before: not even who the master is there. It casts no vote now,"
        f"{keeps} and asks for what it missed."
    )


_REFUSALS = {
    "promised": _promised,
    "lease": _lease,
    "number one": _number_one,
    "votes from": _votes_from,
    "founders": _founders,
    "no memory": _no_memory,
    "other chain": _other_chain,
    "other founding": _other_founding,
    "too far": _too_far,
    "behind": _behind,
    "ahead": _ahead,
}
