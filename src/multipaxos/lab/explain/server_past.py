"""What a trace has told so far of one server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from multipaxos.lab.explain.ballots import rank
from multipaxos.lab.explain.words import NOTHING

LINKS_KEPT = 4
"""Of so many links a server's votes and counts are remembered; later nobody asks for them."""


@dataclass(slots=True)
class Vote:
    """What an acceptor has *promised* and *accepted* in one link; None: the trace does not tell."""

    promised: str | None
    accepted: str | None
    value: Any = None


@dataclass(slots=True)
class ServerPast:
    """
    One server: its *link* in progress (None: not known yet), its votes, its disk, its clients.

    *disk* are the fields of its newest save, None if none was seen. *counted* are the acceptors
    whose acceptances reached it, by link and proposal; *highest* the highest number that it met in
    its link, *round* the one of its own that it drives there. *lost* are the rounds that it gave up
    there. *requests* are its clients' open ones; *master* is who the links that it learned name.
    *lease* is the one that it trusts, *foreign* the one that it respects.
    """

    uid: str
    is_seen_whole: bool
    link: int | None = None
    first_link: int | None = None
    votes: dict[int, Vote] = field(default_factory=dict)
    disk: Mapping[str, Any] | None = None
    votes_from: int = 0
    counted: dict[tuple[int, str], dict[str, None]] = field(default_factory=dict)
    highest: str = NOTHING
    round: str | None = None
    lost: int = 0
    requests: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    master: str | None = None
    lease: Mapping[str, Any] | None = None
    foreign: Mapping[str, Any] | None = None

    def vote(self, link: int) -> Vote:
        """Return this server's vote on *link*."""
        vote = self.votes.get(link)
        if vote is None:
            is_new = self.is_seen_whole or (self.first_link is not None and link > self.first_link)
            none = NOTHING if is_new else None
            vote = self.votes[link] = Vote(none, none)
        return vote

    def count(self, link: int, proposal_id: str) -> dict[str, None]:
        """Return the acceptors whose acceptances of *proposal_id* reached this server."""
        return self.counted.setdefault((link, proposal_id), {})

    def meet(self, link: int, proposal_id: str) -> None:
        """Note that this server has met *proposal_id* in *link*."""
        if link == self.link and rank(proposal_id) > rank(self.highest):
            self.highest = proposal_id

    def enter(self, link: int) -> None:
        """Go on to *link*, unless the server is there, or further, already."""
        if self.link is not None and link <= self.link:
            return
        if self.first_link is None:
            self.first_link = link
        self.link = link
        self.highest, self.round, self.lost = NOTHING, None, 0
        self.votes = {n: vote for n, vote in self.votes.items() if n > link - LINKS_KEPT}
        self.counted = {key: uids for key, uids in self.counted.items() if key[0] > link - 2}

    def stop(self) -> None:
        """Lose all that is in memory only: what is on the disk is left."""
        self.votes, self.counted, self.requests = {}, {}, {}
        self.round, self.lost, self.highest = None, 0, NOTHING
        self.lease = self.foreign = None

    def start(self, *, memory: bool) -> None:
        """Begin again with what the disk holds, or without *memory*."""
        self.stop()
        if not memory:
            self.disk, self.link, self.votes_from = None, None, 0
        elif self.disk is not None:
            link = self.link = self.disk["instance"]
            self.first_link = link if self.first_link is None else self.first_link
            self.votes[link] = Vote(
                self.disk["promised"], self.disk["accepted"], self.disk["value"]
            )
            self.highest = self.disk["promised"]
