"""The quorum lens: what a proposer knew, which quorum it must meet, and who is in both."""

from collections.abc import Callable

from multipaxos.lab.explain import Explanation, explain
from multipaxos.trace import TraceEvent

Told = tuple[list[TraceEvent], Explanation]


def test_a_free_choice_meets_nobody(told: Callable[[str], Told]) -> None:
    """The first round of a link has nothing below it."""
    events, explanation = told("propose A x\ndeliver A->B Prepare, B->A Promise\n")

    (first,) = explanation.proposals

    assert first.choice == "free"
    assert first.meets is None
    assert first.witness == ()
    assert first.promised == ("A", "B")
    assert events[first.place].kind == "accepted"
    assert first.value == '"x"'


def test_a_promise_that_comes_after_the_request_does_not_count(
    told: Callable[[str], Told],
) -> None:
    """The proposer chose without it."""
    _, explanation = told(
        "propose A x\ndeliver A->B Prepare, A->C Prepare, B->A Promise, C->A Promise\n"
    )

    assert explanation.proposals[0].promised == ("A", "B")


def test_a_minority_that_accepted_is_met_but_was_not_chosen(told: Callable[[str], Told]) -> None:
    """C asks A, which alone has accepted x: it is bound, although x was not chosen."""
    _, explanation = told(
        "propose A x\ndeliver A->B Prepare, B->A Promise\npropose C z\ndeliver C->A Prepare, A->C "
        "Promise\n"
    )

    bound = explanation.proposals[-1]

    assert (bound.proposal_id, bound.choice, bound.witness) == ("2.C", "bound", ("A",))
    assert bound.meets is not None
    assert bound.meets.chosen is False
    assert bound.text.endswith(
        'A has accepted 2.A with "x": no quorum, so it was not chosen yet. A is among those and '
        "among the promises of 2.C."
    )


def test_a_minority_that_nobody_asked_is_not_met(told: Callable[[str], Told]) -> None:
    """C asks B, which has accepted nothing: it is free, although A holds x."""
    _, explanation = told(
        "propose A x\ndeliver A->B Prepare, B->A Promise\npropose C z\ndeliver C->B Prepare, B->C "
        "Promise\n"
    )

    free = explanation.proposals[-1]

    assert (free.choice, free.witness) == ("free", ())
    assert free.text.endswith("None of them is among the promises of 2.C, nor need be.")


def test_the_master_needs_no_promise(told: Callable[[str], Told]) -> None:
    """Number 1 is its own."""
    _, explanation = told(
        "master\nwithout abstention batching brevity group-commit\nfire A election\ndeliver "
        "all\npropose A x\ndeliver all\n"
    )

    one = explanation.proposals[-1]

    assert (one.proposal_id, one.choice, one.promised) == ("1.A", "number one", ())
    assert explanation.decisions[-1].plain()["proposal"] == "1.A"


def test_what_a_trace_does_not_show_is_unknown(told: Callable[[str], Told]) -> None:
    """Of the trace of B alone: A asked it to accept; whose promises A had nobody can tell."""
    events, _ = told("propose A x\ndeliver A->B Prepare, B->A Promise, A->B Accept\n")
    header = TraceEvent(
        seconds=0.0, server="B", kind="trace", fields={**events[0].fields, "engine": "server"}
    )
    of_b = [event for event in events if event.server == "B" and event.kind != "chosen"]

    explanation = explain([header, *of_b])

    (seen,) = explanation.proposals
    assert seen.choice == "unknown"
    assert seen.text == (
        'A asks for "x" under 2.A in link 1. It needs the promises of 2 servers for that, and this '
        "trace shows none of them: what bound it is not known."
    )


def test_a_decision_has_the_acceptors_that_made_it(told: Callable[[str], Told]) -> None:
    """And the number they accepted, at the instant of the last of them."""
    events, explanation = told(
        "propose A x\ndeliver A->B Prepare, B->A Promise, A->B Accept, A->C Accept\n"
    )

    (decision,) = (one.plain() for one in explanation.decisions)

    assert decision == {
        "event": next(place for place, event in enumerate(events) if event.kind == "chosen"),
        "link": 1,
        "proposal": "2.A",
        "value": '"x"',
        "acceptors": ["A", "B"],
    }


def test_a_part_without_a_header_is_explained_as_far_as_it_goes(
    told: Callable[[str], Told],
) -> None:
    """A stretch of a live cluster may begin anywhere: the servers are those that it tells of."""
    events, _ = told("propose A x\ndeliver all\npropose B y\ndeliver all\n")

    explanation = explain(events[20:])

    said = [why[1] for why in explanation.why if why]
    assert not [paragraph for paragraph in said if "breaks the rule" in paragraph]
    assert any("a quorum is 2 of 3" in paragraph for paragraph in said)
