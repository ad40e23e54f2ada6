"""What a trace has told so far of the whole cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from multipaxos.lab.explain.ballots import Ballots
from multipaxos.lab.explain.broken import bug_of
from multipaxos.lab.explain.server_past import ServerPast
from multipaxos.trace import TraceEvent

LARGEST_CLUSTER = 1000
"""More servers than that are no cluster: a header that names them is not believed."""
UNTIMED = ("steps", "order of causes")
"""Clocks that count events: what they show are no seconds."""
CHOICES_MAX = 16
"""So many choices of one link are compared: two that differ are a disaster already."""

MASTERS_KEPT = 64
"""So many of the newest links that name a master are remembered."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A link was chosen at a *place* of the trace: which proposal, by whom, with what in it."""

    place: int
    link: int
    proposal_id: str
    value: Any
    acceptors: tuple[str, ...]


class Past:
    """
    All that the events before the present one have told.

    State: the *servers*, by uid; the *ballots*; the *choices* in their order, and those of each
    link; the *masters* that links name; what was *sent* (to tell a repetition).
    """

    def __init__(self, events: Sequence[TraceEvent]) -> None:
        """Begin before the first of *events*, of which only the headers are looked at."""
        headers: list[Any] = [event.fields for event in events if event.kind == "trace"]
        named = {uid: None for header in headers for uid in header["servers"][:LARGEST_CLUSTER]}
        self.sees_all = bool(headers) and all(header["engine"] != "server" for header in headers)
        # Where the bare roles are explored there is no chain, and no number belongs to a master.
        self.has_masters = all(header["about"].get("model") != "roles" for header in headers)
        self.bug = next((bug for header in headers if (bug := bug_of(header)) is not None), None)
        self.uids = tuple(named or _seen(events))
        sizes = [len(header["servers"]) for header in headers] or [len(self.uids)]
        majority = max(sizes) // 2 + 1
        asked = (header["about"].get("quorums") for header in headers)
        sizes = next((given for given in asked if _are_sizes(given)), [majority] * 2)
        self.promise_size, self.accept_size = sizes
        used = [header["about"].get("strategies") for header in headers]
        self.strategies = next((given for given in used if isinstance(given, list)), None)
        settings = [header["about"].get("settings") for header in headers]
        self.settings: Mapping[str, Any] = next(
            (given for given in settings if isinstance(given, Mapping)), {}
        )
        self.is_timed = {header["clock"] for header in headers}.isdisjoint(UNTIMED)
        self.servers: dict[str, ServerPast] = {}
        self.ballots = Ballots()
        self.choices: list[Choice] = []
        self.chosen: dict[int, list[Choice]] = {}
        self.masters: dict[int, str] = {}
        self.sent: set[tuple[Any, ...]] = set()

    def uses(self, strategy: str) -> bool:
        """Tell whether the servers use *strategy*, as far as their headers tell."""
        return self.strategies is None or strategy in self.strategies

    def server(self, uid: str) -> ServerPast:
        """Return what was told of *uid*."""
        server = self.servers.get(uid)
        if server is None:
            server = self.servers[uid] = ServerPast(uid, is_seen_whole=self.sees_all)
        return server

    def is_chosen(self, link: int, proposal_id: str) -> bool:
        """Tell whether a quorum is known to have accepted *proposal_id*."""
        if any(choice.proposal_id == proposal_id for choice in self.chosen.get(link, ())):
            return True
        ballot = self.ballots.find(link, proposal_id)
        return ballot is not None and len(ballot.accepted) >= self.accept_size

    def master_in(self, link: int) -> str | None:
        """Return whom the links before *link* name as master, as far as they are known."""
        earlier = max((named for named in self.masters if named < link), default=None)
        return None if earlier is None else self.masters[earlier]

    def name_master(self, link: int, value: Any) -> None:
        """Note that *link* holds *value*, which may name a master."""
        if isinstance(value, dict) and value.get("type") == "NewMaster":
            self.masters[link] = value["uid"]
            if len(self.masters) > MASTERS_KEPT:
                del self.masters[min(self.masters)]

    def was_sent(self, fields: Mapping[str, Any]) -> bool:
        """Tell whether the request in *fields* went to the same receiver before."""
        return key_of(fields) in self.sent


def _seen(events: Sequence[TraceEvent]) -> list[str]:
    """Return the servers that *events* tell of: a part of a trace may have no header."""
    seen: dict[str, None] = {}
    for event in events:
        names = (event.server, event.fields.get("sender"), event.fields.get("receiver"))
        if len(seen) < LARGEST_CLUSTER:
            seen.update({str(uid): None for uid in names if uid})
    return sorted(seen)


def key_of(fields: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what makes two requests the same: the link, who asks whom, for what."""
    message = fields["message"]
    name, proposal_id = message["type"], message.get("proposal_id")
    return fields["instance"], fields["sender"], fields["receiver"], name, proposal_id


def _are_sizes(given: Any) -> bool:
    """Tell whether a header's *given* quorums are the sizes of two, promising and accepting."""
    return (
        isinstance(given, list)
        and len(given) == len(("promising", "accepting"))
        and all(isinstance(size, int) and size > 0 for size in given)
    )
