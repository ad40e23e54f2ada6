"""Each reason for a refusal is explained by the rule that it follows from."""

import pytest

from multipaxos.chain.refusals import Reason
from multipaxos.lab.explain import RULES, explain
from multipaxos.trace import TraceEvent

HEADER = TraceEvent(
    seconds=0.0,
    server="",
    kind="trace",
    fields={
        "version": 3,
        "engine": "scenario",
        "cluster": "test",
        "servers": ["A", "B", "C"],
        "clock": "virtual",
        "about": {},
    },
)

DETAILS: dict[Reason, tuple[dict[str, object], str]] = {
    Reason.PROMISED: ({"promised_id": "3.C"}, "B has promised 3.C, and 3.C > 2.A."),
    Reason.LEASE: ({"master": "C"}, "the lease of C still runs here"),
    Reason.NUMBER_ONE: ({"master": "C"}, "it belongs to C"),
    Reason.VOTES_FROM: ({"votes_from": 7}, "It votes from link 7 on."),
    Reason.FOUNDERS: ({}, "that A founds without B"),
    Reason.NO_MEMORY: ({}, "B has no memory yet, so it takes no Accept."),
    Reason.OTHER_CHAIN: ({"chain": "other"}, "about chain other, and B keeps another one"),
    Reason.OTHER_FOUNDING: ({"chain": "other"}, "another link 0, that of chain other"),
    Reason.TOO_FAR: ({"links": 999}, "A offers a jump over 999 links."),
    Reason.BEHIND: ({"asked": 3}, "B knows what that link decided and is at link 5"),
    Reason.AHEAD: ({"asked": 9}, "in link 9. B is at link 5 and does not know yet"),
}


def refused(reason: Reason, details: dict[str, object]) -> TraceEvent:
    """Return the event in which B refuses an Accept of A."""
    return TraceEvent(
        seconds=1.0,
        server="B",
        kind="refused",
        fields={
            "instance": 5,
            "message": {"type": "Accept", "proposal_id": "2.A", "value": "x"},
            "sender": "A",
            "reason": reason.value,
            "text": "refused Accept 2.A: because",
            **details,
        },
    )


@pytest.mark.parametrize("reason", list(Reason))
def test_a_refusal_is_explained_by_its_own_rule(reason: Reason) -> None:
    """The paragraph has the names and the numbers of this very refusal."""
    details, expected = DETAILS[reason]

    explanation = explain([HEADER, refused(reason, details)])

    why = explanation.why[1]
    assert why is not None
    assert why[0] == f"refuse-{reason.value.replace(' ', '-')}"
    assert why[0] in RULES
    assert expected in why[1]


def test_number_one_belongs_to_nobody_while_the_chain_names_no_master() -> None:
    """Nobody may use it then."""
    explanation = explain([HEADER, refused(Reason.NUMBER_ONE, {"master": None})])

    why = explanation.why[1]
    assert why is not None
    assert "the chain names no master yet" in why[1]
