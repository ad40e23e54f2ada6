"""What the network did, and why that does no harm; how servers keep each other up to date."""

from multipaxos.lab.explain.moment import Moment, Why
from multipaxos.lab.explain.said_of_messages import label
from multipaxos.lab.explain.words import PAIRS_MAX, joined, name, number, text


def why_dropped(now: Moment) -> Why:
    """Explain a loss: its cause, and why nothing depends on the message."""
    message = now.fields["message"]
    sender, receiver = name(now.fields["sender"]), name(now.fields["receiver"])
    match now.fields["reason"]:
        case "partition":
            cause = f"Nothing passes from {sender} to {receiver} now: there is a partition"
        case "receiver is down":
            cause = f"{receiver} is down when it arrives"
        case "lost":
            cause = "The network loses it"
        case reason:
            cause = f"The reason: {text(reason, 100)}"
    return "network", f"{label(message)} of {sender} never reaches {receiver}. {cause}. {_so(now)}"


def _so(now: Moment) -> str:
    message, sender = now.fields["message"], name(now.fields["sender"])
    receiver = name(now.fields["receiver"])
    match message["type"]:
        case "Prepare" | "Accept":
            return (
                f"{sender} needs a quorum, not {receiver}: if enough others answer, nothing is "
                "missing; if not, it asks again."
            )
        case "Promise":
            return (
                f"{sender} keeps its promise all the same. {receiver} needs a quorum of them, from "
                "whomever, and asks again if it gets none."
            )
        case "Accepted":
            return (
                f"{sender} has accepted {number(message['proposal_id'])} all the same, and that "
                f"counts: what is chosen depends on the disks. {receiver} only does not know it "
                "yet."
            )
        case "Nack":
            return f"A refusal is a courtesy: {receiver} finds out when its round gets no quorum."
        case _:
            return "What it tells is told again, or found out otherwise."


def why_duplicated(now: Moment) -> Why:
    """Explain why a second copy does no harm."""
    receiver = name(now.fields["receiver"])
    return "network", (
        f"The network makes a second copy of {label(now.fields['message'])} for {receiver}. A "
        "repeated request gets the answer that it got, and a repeated answer counts once: servers "
        "are counted, not messages."
    )


def why_wires(now: Moment) -> Why:
    """Explain what a partition allows, and what it does not."""
    blocked = {(one, other) for one, other in now.fields["blocked"][:PAIRS_MAX] if one != other}
    if not blocked:
        return "network", (
            "Everybody reaches everybody again. What was lost is asked again, and whoever is "
            "behind is told what it missed."
        )
    needed = max(now.past.promise_size, now.past.accept_size)
    able = [uid for uid in now.past.uids if _reaches(now, uid, blocked) >= needed]
    if not able:
        progress = "Nobody is in both-way touch with a quorum: no new round can come to its end"
    else:
        verb = "is" if len(able) == 1 else "are"
        progress = (
            f"{joined(able)} {verb} in both-way touch with a quorum, and can finish rounds; nobody "
            "else can begin one that ends"
            if len(able) < len(now.past.uids)
            else "All still are in both-way touch with a quorum"
        )
    return "network", (
        f"Some messages do not pass from now on. {progress}. Two quorums always share a server, so "
        "no two sides can decide differently."
    )


def _reaches(now: Moment, uid: str, blocked: set[tuple[str, str]]) -> int:
    return sum(not {(uid, other), (other, uid)} & blocked for other in now.past.uids)


def why_greeting(now: Moment) -> Why:
    """Explain a greeting that is sent."""
    receiver, link = name(now.fields["receiver"]), now.fields["instance"]
    if now.fields["message"]["votes_from"] > link:
        return "rejoined", (
            f"{now.who} must sit out the links below {now.fields['message']['votes_from']} and "
            f"tells {receiver} so: whoever is idle closes them, with nothing in them if need be."
        )
    cause = now.cause
    if cause is not None and cause.kind == "timer fired" and cause.fields["timer"] == "tell":
        return "brevity", (
            f"{now.who} tells {receiver} that it is at link {link}, and under which number link "
            f"{link - 1} was decided. If {receiver} has accepted that one, it knows the link now, "
            "though nobody told it the value again."
        )
    return "sync", (
        f"{now.who} says where it is: at link {link}. If it is behind, {receiver} helps; if it is "
        f"ahead, {receiver} asks for help. So nobody stays behind for long, whatever was lost."
    )


def why_greeting_arrived(now: Moment) -> Why:
    """Explain what a greeting shows to whom it reaches."""
    sender, theirs, ours = name(now.fields["sender"]), now.fields["instance"], now.server.link
    if ours is None:
        where = f"{sender} is at link {theirs}"
    elif theirs < ours:
        where = (
            f"{sender} is at link {theirs} and so behind {now.who}, at link {ours}: it is helped"
        )
    elif theirs > ours:
        where = (
            f"{sender} is at link {theirs}, ahead of {now.who}, at link {ours}, which asks for help"
        )
    else:
        where = f"{sender} and {now.who} are both at link {ours}: nobody needs help"
    return "sync", f"{where}."


def why_help(now: Moment) -> Why:
    """Explain help that is sent to a server that is behind."""
    receiver = name(now.fields["receiver"])
    cause = now.cause_message
    shown = "shown that it is behind" if cause is None else f"sent {label(cause)}, and so is behind"
    return "help", (
        f"{receiver} has {shown}. {now.who} tells it what was decided: one round trip, and it "
        "takes part again."
    )


def why_forward(now: Moment) -> Why:
    """Explain a request on its way to the master."""
    receiver = name(now.fields["receiver"])
    return "forward", (
        f"{now.who} may not propose while the lease of {receiver} runs, and hands its clients' "
        "requests on. It keeps them until they are in the chain, and sends them again if need be."
    )


def why_read_answered(now: Moment) -> Why:
    """Explain the result of a read that another server's client asked for."""
    message, receiver = now.fields["message"], name(now.fields["receiver"])
    return "local-read", (
        f"{now.who} is master. Its lease still ran after it had read the value, and no link was in "
        f"flight: so the result, as of link {message['link']}, is the newest there was. {receiver} "
        "hands it to its client."
    )


def why_nothing_came(now: Moment) -> Why:
    """Explain a request that led to nothing that shows."""
    kind = name(now.fields["message"]["type"])
    return "network", (
        f"{now.who} has got the {kind}, and this trace shows nothing that came of it: the server "
        "stopped before, or its next events are not in the trace."
    )


def why_known_already(now: Moment) -> Why:
    """Explain news that is no news."""
    return "help", (
        f"{now.who} knows already what {name(now.fields['sender'])} tells of decided links: it "
        "asked twice, or found out in between. A link is applied once."
    )


def why_part_arrived(_now: Moment) -> Why:
    """Explain a part of a state, or the wish for one."""
    return "help", (
        "A state that is too long for one message goes in parts, each asked for by the server "
        "that is behind. It is taken over when all of them are there, not before."
    )


def why_forward_arrived(now: Moment) -> Why:
    """Explain what the master does with requests that were handed on."""
    sender, server = name(now.fields["sender"]), now.server
    holds = "is master" if server.lease is not None else "may not be master any more"
    return "forward", (
        f"{now.who} {holds} and queues what the clients of {sender} ask for, as if they had asked "
        f"here. {sender} answers them itself when it has learned the link; what is in the chain "
        "already is not taken twice."
    )


def why_read_result_arrived(now: Moment) -> Why:
    """Explain a read's result on its way back to the client."""
    message = now.fields["message"]
    return "local-read", (
        f"{name(now.fields['sender'])}, the master, has answered the read that {now.who} handed "
        f"on: as of link {message['link']}. {now.who} tells its client."
    )
