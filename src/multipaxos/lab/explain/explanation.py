"""A whole trace explained: each event in words, each message, each choice."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

from multipaxos.lab.explain.ballots import Ballot
from multipaxos.lab.explain.broken import rule_of_bug
from multipaxos.lab.explain.causes import Causes
from multipaxos.lab.explain.folding import take
from multipaxos.lab.explain.lens import Decision, Proposal, proposal_of
from multipaxos.lab.explain.moment import Moment, Why
from multipaxos.lab.explain.past import Past
from multipaxos.lab.explain.rulebook import RULES
from multipaxos.lab.explain.rules import Rule
from multipaxos.lab.explain.said import said
from multipaxos.lab.explain.transmissions import Message, messages_of
from multipaxos.lab.explain.violations import Broken, broken_at
from multipaxos.lab.explain.why import why
from multipaxos.trace import TraceEvent

VIOLATIONS_MAX = 1000
"""So many broken invariants are told of: each is told once a link anyway."""


class PlainExplanation(TypedDict):
    """An explanation as JSON can hold it."""

    said: list[str]
    why: list[list[str] | None]
    rules: dict[str, dict[str, object]]
    messages: list[dict[str, object]]
    decisions: list[dict[str, object]]
    proposals: list[dict[str, object]]
    violations: list[dict[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """
    What there is to say of a trace.

    Of each event a sentence (*said*) and, where a rule decided it, which and how (*why*); the
    *rules* that came up; all *messages*, *decisions*, *proposals* and *violations*.
    """

    said: tuple[str, ...]
    why: tuple[Why | None, ...]
    rules: tuple[Rule, ...]
    messages: tuple[Message, ...]
    decisions: tuple[Decision, ...]
    proposals: tuple[Proposal, ...]
    violations: tuple[Broken, ...]

    def plain(self) -> PlainExplanation:
        """Return the explanation as JSON can hold it."""
        return {
            "said": list(self.said),
            "why": [None if one is None else list(one) for one in self.why],
            "rules": {rule.id: rule.plain() for rule in self.rules},
            "messages": [message.plain() for message in self.messages],
            "decisions": [decision.plain() for decision in self.decisions],
            "proposals": [proposal.plain() for proposal in self.proposals],
            "violations": [violation.plain() for violation in self.violations],
        }


def explain(events: Sequence[TraceEvent]) -> Explanation:
    """
    Explain *events*, those of one trace, in their order.

    They were checked against the schema: :func:`multipaxos.trace.check_event`.
    """
    causes, past = Causes(events), Past(events)
    reasons: list[Why | None] = []
    proposals: list[Proposal] = []
    for place, event in enumerate(events):
        reasons.append(why(Moment(event, place, past, causes)))
        ballot = _ballot_of(past, event)
        is_new = ballot is not None and ballot.asked is None
        take(past, event, place)
        if ballot is not None and is_new and ballot.asked == place:
            proposals.append(proposal_of(past, ballot))
    _explain_arrivals(events, causes, reasons)
    used = dict.fromkeys(reason[0] for reason in reasons if reason is not None)
    return Explanation(
        said=tuple(said(event, past.uids) for event in events),
        why=tuple(reasons),
        rules=_rules(past, used),
        messages=messages_of(events, causes),
        decisions=tuple(Decision(choice) for choice in past.choices),
        proposals=tuple(proposals),
        violations=tuple(_violations(past, events)),
    )


def _violations(past: Past, events: Sequence[TraceEvent]) -> Iterator[Broken]:
    broken = [place for place, event in enumerate(events) if event.kind == "violated"]
    for place in broken[:VIOLATIONS_MAX]:
        numbers = past.ballots.numbers(events[place].fields["link"])
        yield broken_at(place, events[place], servers=past.uids, proposals=numbers)


def _rules(past: Past, used: Iterable[str]) -> tuple[Rule, ...]:
    rules = dict(RULES)
    if past.bug is not None:
        of_bug = rule_of_bug(past.bug)
        rules[of_bug.id] = of_bug
    return tuple(rules[rule] for rule in used)


def _ballot_of(past: Past, event: TraceEvent) -> Ballot | None:
    """Return the proposal that *event* may be the first to ask for."""
    fields = event.fields
    if event.kind == "accepted":
        return past.ballots.of(fields["instance"], fields["proposal_id"])  # type: ignore[arg-type]
    if event.kind in ("sent", "delivered", "dropped"):
        message = fields["message"]
        if isinstance(message, dict) and message["type"] == "Accept":
            return past.ballots.of(fields["instance"], message["proposal_id"])  # type: ignore[arg-type]
    return None


def _explain_arrivals(
    events: Sequence[TraceEvent], causes: Causes, reasons: list[Why | None]
) -> None:
    """Explain an arrival by what its receiver makes of it, where that shows."""
    for place, event in enumerate(events):
        if event.kind == "delivered":
            result = causes.result(place)
            if result is not None:
                reasons[place] = reasons[result]
