"""
The quorum lens: which acceptors made a decision, and which earlier ones a proposal must meet.

Whatever lower number may have been chosen, its quorum shares a server with the one that promised
the higher number: the witness, which reports what it accepted.
"""

from dataclasses import dataclass

from multipaxos.lab.explain.ballots import Ballot, Report
from multipaxos.lab.explain.broken import say_what_breaks
from multipaxos.lab.explain.choice import choice_in_words, choice_of
from multipaxos.lab.explain.past import Choice, Past
from multipaxos.lab.explain.words import (
    NOTHING,
    PARAGRAPH_LENGTH_MAX,
    clipped,
    joined,
    number,
    value,
)


@dataclass(frozen=True, slots=True)
class Decision:
    """The instant of a choice."""

    choice: Choice

    def plain(self) -> dict[str, object]:
        """Return the decision as JSON can hold it."""
        return {
            "event": self.choice.place,
            "link": self.choice.link,
            "proposal": self.choice.proposal_id,
            "value": value(self.choice.value),
            "acceptors": list(self.choice.acceptors),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """The highest lower proposal that anybody had accepted: by whom, and whether it was chosen."""

    proposal_id: str
    acceptors: tuple[str, ...]
    value: str
    chosen: bool

    def plain(self) -> dict[str, object]:
        """Return it as JSON can hold it."""
        return {
            "proposal": self.proposal_id,
            "acceptors": list(self.acceptors),
            "value": self.value,
            "chosen": self.chosen,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """
    A request to accept, as it first shows at *place*: what its proposer knew, and what it chose.

    Who *promised* it, and what they *reported*; the *choice* that this left; which lower proposal
    it *meets*, and the *witness*: who has accepted that one and promised this.
    """

    place: int
    link: int
    proposal_id: str
    proposer: str
    value: str
    promised: tuple[str, ...]
    reports: tuple[tuple[str, Report], ...]
    choice: str
    meets: Meeting | None
    witness: tuple[str, ...]
    text: str

    def plain(self) -> dict[str, object]:
        """Return the proposal as JSON can hold it."""
        return {
            "event": self.place,
            "link": self.link,
            "proposal": self.proposal_id,
            "proposer": self.proposer,
            "value": self.value,
            "promised_by": list(self.promised),
            "reports": [
                {"server": uid, "accepted": report.accepted, "value": value(report.value)}
                for uid, report in self.reports
            ],
            "choice": self.choice,
            "meets": None if self.meets is None else self.meets.plain(),
            "witness": list(self.witness),
            "text": self.text,
        }


def proposal_of(past: Past, ballot: Ballot) -> Proposal:
    """Return *ballot*, which was asked for just now, under the lens."""
    assert ballot.asked is not None
    reports = tuple(
        (uid, report)
        for uid, report in sorted(ballot.promised.items())
        if report.accepted != NOTHING
    )
    meets = _meeting(past, ballot)
    accepted = () if meets is None else meets.acceptors
    witness = tuple(uid for uid in sorted(ballot.promised) if uid in accepted)
    said = f"{choice_in_words(past, ballot)} {_meeting_in_words(ballot, meets, witness)}".strip()
    return Proposal(
        place=ballot.asked,
        link=ballot.link,
        proposal_id=ballot.proposal_id,
        proposer=ballot.proposer,
        value=value(ballot.value),
        promised=tuple(sorted(ballot.promised)),
        reports=reports,
        choice=choice_of(past, ballot),
        meets=meets,
        witness=witness,
        text=clipped(say_what_breaks(past.bug, "", said)[1], PARAGRAPH_LENGTH_MAX),
    )


def _meeting(past: Past, ballot: Ballot) -> Meeting | None:
    below = past.ballots.accepted_below(ballot.link, ballot.proposal_id)
    if below is None:
        return None
    return Meeting(
        proposal_id=below.proposal_id,
        acceptors=tuple(sorted(below.accepted)),
        value=value(below.value),
        chosen=past.is_chosen(ballot.link, below.proposal_id),
    )


def _meeting_in_words(ballot: Ballot, meets: Meeting | None, witness: tuple[str, ...]) -> str:
    if meets is None:
        return ""
    n, below = number(ballot.proposal_id), number(meets.proposal_id)
    have = "has" if len(meets.acceptors) == 1 else "have"
    was = "a quorum, so it was chosen" if meets.chosen else "no quorum, so it was not chosen yet"
    said = f"{joined(meets.acceptors)} {have} accepted {below} with {meets.value}: {was}."
    if witness:
        verb = "is" if len(witness) == 1 else "are"
        return f"{said} {joined(witness)} {verb} among those and among the promises of {n}."
    if meets.chosen:
        return f"{said} Nobody among them promised {n} first: the two quorums do not meet."
    return f"{said} None of them is among the promises of {n}, nor need be."
