"""How each event adds to what is known of the cluster: one step a kind."""

from collections.abc import Callable, Mapping
from typing import Any

from multipaxos.lab.explain.ballots import Report, proposer_of
from multipaxos.lab.explain.past import CHOICES_MAX, Choice, Past, key_of
from multipaxos.lab.explain.server_past import ServerPast, Vote
from multipaxos.lab.explain.words import NOTHING
from multipaxos.trace import TraceEvent


def take(past: Past, event: TraceEvent, place: int) -> None:
    """Let *past* go on beyond *event*, which stands at *place*."""
    step = _STEPS.get(event.kind)
    if step is not None:
        step(past, past.server(event.server), event, place)


def _sent(past: Past, server: ServerPast, event: TraceEvent, place: int) -> None:
    fields: Any = event.fields
    message, link = fields["message"], fields["instance"]
    server.enter(link)
    if "proposal_id" in message:
        past.sent.add(key_of(fields))
        server.meet(link, message["proposal_id"])
    if message["type"] in ("Prepare", "Accept") and link == server.link:
        server.round = message["proposal_id"]
    if message["type"] == "Accept":
        _asked(past, link, message, place)


def _asked(past: Past, link: int, message: Any, place: int) -> None:
    ballot = past.ballots.of(link, message["proposal_id"])
    if ballot.asked is None:
        ballot.asked, ballot.value = place, message["value"]


def _delivered(past: Past, server: ServerPast, event: TraceEvent, place: int) -> None:
    fields: Any = event.fields
    message, link = fields["message"], fields["instance"]
    for field in ("proposal_id", "accepted_id", "promised_id"):
        if field in message:
            server.meet(link, message[field])
    match message["type"]:
        case "Accept":
            _asked(past, link, message, place)
        case "Promise":
            _promise_arrived(past, server, message, link, place)
        case "Accepted":
            ballot = past.ballots.of(link, message["proposal_id"])
            ballot.accept(message["acceptor"], place)
            server.count(link, message["proposal_id"])[message["acceptor"]] = None
        case "Nack" if link == server.link:
            ballot = past.ballots.of(link, message["proposal_id"])
            ballot.refuse(message["acceptor"], message["promised_id"])


def _promise_arrived(past: Past, server: ServerPast, message: Any, link: int, place: int) -> None:
    acceptor, accepted_id = message["acceptor"], message["accepted_id"]
    if accepted_id != NOTHING:
        earlier = past.ballots.of(link, accepted_id)
        earlier.accept(acceptor, place)
        if earlier.value is None:
            earlier.value = message["accepted_value"]
    ballot = past.ballots.of(link, message["proposal_id"])
    if ballot.asked is None and server.link in (None, link) and server.uid == ballot.proposer:
        ballot.promise(acceptor, Report(accepted_id, message["accepted_value"]))


def _dropped(past: Past, _server: ServerPast, event: TraceEvent, place: int) -> None:
    fields: Any = event.fields
    if fields["message"]["type"] == "Accept":
        _asked(past, fields["instance"], fields["message"], place)


def _promised(past: Past, server: ServerPast, event: TraceEvent, _place: int) -> None:
    fields: Any = event.fields
    link, proposal_id = fields["instance"], fields["proposal_id"]
    server.enter(link)
    vote = server.vote(link)
    vote.promised = proposal_id
    server.meet(link, proposal_id)
    ballot = past.ballots.of(link, proposal_id)
    if proposer_of(proposal_id) == server.uid:
        server.round = proposal_id
        if ballot.asked is None:
            ballot.promise(server.uid, Report(fields["accepted_id"], vote.value))


def _refused(past: Past, server: ServerPast, event: TraceEvent, _place: int) -> None:
    # What a proposer's own acceptor refuses travels on no wire.
    fields: Any = event.fields
    if fields["reason"] == "promised" and fields["sender"] == server.uid:
        ballot = past.ballots.of(fields["instance"], fields["message"]["proposal_id"])
        ballot.refuse(server.uid, fields["promised_id"])


def _accepted(past: Past, server: ServerPast, event: TraceEvent, place: int) -> None:
    fields: Any = event.fields
    link, proposal_id = fields["instance"], fields["proposal_id"]
    server.enter(link)
    server.votes[link] = Vote(proposal_id, proposal_id, fields["value"])
    server.meet(link, proposal_id)
    server.count(link, proposal_id)[server.uid] = None
    _asked(past, link, fields, place)
    past.ballots.of(link, proposal_id).accept(server.uid, place)


def _chosen(past: Past, _server: ServerPast, event: TraceEvent, place: int) -> None:
    fields: Any = event.fields
    link, proposal_id = fields["instance"], fields["proposal_id"]
    acceptors = tuple(fields["acceptors"])
    choice = Choice(place, link, proposal_id, fields["value"], acceptors)
    past.choices.append(choice)
    of_link = past.chosen.setdefault(link, [])
    if len(of_link) < CHOICES_MAX:
        of_link.append(choice)
    past.name_master(link, fields["value"])
    ballot = past.ballots.of(link, proposal_id)
    for uid in acceptors:
        ballot.accept(uid, place)


def _closed(past: Past, server: ServerPast, event: TraceEvent, _place: int) -> None:
    fields: Any = event.fields
    server.enter(fields["instance"] + 1)
    link = fields["link"]
    past.name_master(fields["instance"], link)
    if isinstance(link, dict) and link.get("type") == "NewMaster":
        server.master = link["uid"]


def _caught_up(_past: Past, server: ServerPast, event: TraceEvent, _place: int) -> None:
    server.enter(event.fields["instance"])  # type: ignore[arg-type]


def _saved(_past: Past, server: ServerPast, event: TraceEvent, _place: int) -> None:
    fields: Any = event.fields
    server.disk = fields
    server.votes_from = fields["votes_from"]
    if server.link is None:
        server.enter(fields["instance"])


def _round_lost(_past: Past, server: ServerPast, _event: TraceEvent, _place: int) -> None:
    server.lost += 1


def _lease_began(_past: Past, server: ServerPast, event: TraceEvent, _place: int) -> None:
    server.lease, server.master = event.fields, server.uid


def _timer_set(_past: Past, server: ServerPast, event: TraceEvent, _place: int) -> None:
    fields: Any = event.fields
    if server.lease is not None and server.lease["lease"] == fields["timer"]:
        # No correct master turns the hourglass of the lease that it trusts.
        server.lease = {**server.lease, "until": event.seconds + fields["after"]}


def _lease_ended(_past: Past, server: ServerPast, _event: TraceEvent, _place: int) -> None:
    server.lease = None


def _foreign_lease(_past: Past, server: ServerPast, event: TraceEvent, _place: int) -> None:
    server.foreign, server.master = event.fields, str(event.fields["master"])


def _timer_fired(_past: Past, server: ServerPast, event: TraceEvent, _place: int) -> None:
    if event.fields["timer"] == "foreign lease":
        server.foreign = None


def _called(_past: Past, server: ServerPast, event: TraceEvent, _place: int) -> None:
    server.requests[str(event.fields["request"])] = event.fields


def _answered(_past: Past, server: ServerPast, event: TraceEvent, _place: int) -> None:
    server.requests.pop(str(event.fields["request"]), None)


def _stopped(_past: Past, server: ServerPast, _event: TraceEvent, _place: int) -> None:
    server.stop()


def _started(_past: Past, server: ServerPast, event: TraceEvent, _place: int) -> None:
    server.start(memory=bool(event.fields["memory"]))


def _wiped(_past: Past, server: ServerPast, _event: TraceEvent, _place: int) -> None:
    server.disk = None


def _rejoined(_past: Past, server: ServerPast, event: TraceEvent, _place: int) -> None:
    server.votes_from = int(event.fields["votes_from"])  # type: ignore[call-overload]


def _disk(_past: Past, server: ServerPast, event: TraceEvent, _place: int) -> None:
    if event.fields["fault"] in ("lost writes", "torn write"):
        # What was saved is not what it will find when it starts again.
        server.disk, server.is_seen_whole = None, False


_STEPS: Mapping[str, Callable[[Past, ServerPast, TraceEvent, int], None]] = {
    "sent": _sent,
    "delivered": _delivered,
    "dropped": _dropped,
    "promised": _promised,
    "accepted": _accepted,
    "refused": _refused,
    "chosen": _chosen,
    "resolved": _closed,
    "learned": _closed,
    "caught up": _caught_up,
    "saved": _saved,
    "round lost": _round_lost,
    "timer set": _timer_set,
    "timer fired": _timer_fired,
    "lease began": _lease_began,
    "lease ended": _lease_ended,
    "foreign lease": _foreign_lease,
    "called": _called,
    "answered": _answered,
    "returned": _answered,
    "crashed": _stopped,
    "stopped": _stopped,
    "halted": _stopped,
    "started": _started,
    "wiped": _wiped,
    "rejoined": _rejoined,
    "disk": _disk,
}
