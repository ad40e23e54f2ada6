"""From the protocol's values to plain ones and back."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runtime import generators

from composable_paxos import LOWEST, Message, ProposalID
from multipaxos.chain.durable import DecidedLink
from multipaxos.chain.messages import ChainMessage
from multipaxos.chain.requests import Chosen, Outcome, Refused, RequestID, Unknown
from multipaxos.trace import (
    parse_link,
    parse_message,
    parse_outcome,
    parse_proposal,
    parse_request,
    plain,
    unplain,
)

OUTCOMES = (
    st.builds(Chosen, link=generators.integers, result=generators.results)
    | st.builds(Refused, reason=generators.texts)
    | st.builds(Unknown, reason=generators.texts)
)


def through_json(value: object) -> Any:
    """Return the plain form of *value* as a reader of a file gets it."""
    return json.loads(json.dumps(plain(value)))


@given(st.one_of(*generators.messages.values()))
def test_every_message_comes_back_as_it_was(message: Message | ChainMessage) -> None:
    """Whoever reads a trace has the messages that were sent."""
    assert parse_message(through_json(message)) == message


def test_the_messages_that_come_back_are_all_there_are() -> None:
    """The test above leaves no message out."""
    names = {each.__name__ for each in (*get_args(Message), *get_args(ChainMessage))}

    assert {name.replace("_", "") for name in generators.messages} == {n.lower() for n in names}


@given(generators.links, OUTCOMES, generators.proposal_ids, generators.request_ids)
def test_links_outcomes_and_names_come_back_as_they_were(
    link: Any, outcome: Outcome, proposal_id: ProposalID, request_id: RequestID
) -> None:
    """What stands beside the messages has its way back, too."""
    assert parse_link(through_json(link)) == link
    assert parse_outcome(through_json(outcome)) == outcome
    assert parse_proposal(through_json(proposal_id)) == proposal_id
    assert parse_request(through_json(request_id)) == request_id
    decided = (DecidedLink(number=3, link=link),)
    assert unplain(through_json(decided), tuple[DecidedLink, ...]) == decided


def test_nobodys_proposal_comes_back_too() -> None:
    """Nothing promised is written as 0. with no server behind the dot."""
    assert parse_proposal("0.") == LOWEST


@pytest.mark.parametrize(
    "message",
    [
        None,
        7,
        "Prepare",
        [],
        {},
        {"type": "Prepare"},
        {"type": "Prepare", "proposal_id": 2},
        {"type": "Prepare", "proposal_id": "A"},
        {"type": "Prepare", "proposal_id": "-1.A"},
        {"type": "Prepare", "proposal_id": "2.A", "value": 1},
        {"type": "Sing", "proposal_id": "2.A"},
        {"type": ["Prepare"], "proposal_id": "2.A"},
        {"type": "Sync", "votes_from": True},
        {"type": "Sync", "votes_from": 1.5},
        {"type": "Answered", "request_id": "client", "link": 1, "result": None},
        {"type": "Answered", "request_id": "client/7", "link": 1, "result": 7.5},
        {"type": "Accept", "proposal_id": "2.A", "value": {"type": "Updates", "updates": "x"}},
        {
            "type": "CatchUp",
            "founding": {
                "type": "Founding",
                "chain_id": "c",
                "machine_kind": "register",
                "founders": [["A"]],
            },
            "snapshot": {},
        },
    ],
)
def test_what_is_no_message_is_refused_with_a_sentence(message: object) -> None:
    """A reader of a trace that somebody edited is told what is wrong, not shown a stack."""
    with pytest.raises(ValueError, match=r" is no "):
        parse_message(message)


def test_a_long_value_is_shown_in_part() -> None:
    """The sentence stays one that can be read."""
    with pytest.raises(ValueError, match=r"x\.\.\. is no proposal") as error:
        parse_proposal("x" * 10_000)

    assert len(str(error.value)) < 200


def test_a_type_without_a_way_back_is_a_fault_of_our_own() -> None:
    """Whoever adds a field of a new type to a message must say how it is read."""
    with pytest.raises(AssertionError, match="no way back"):
        unplain({}, set[int])
