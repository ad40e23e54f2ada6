"""The paths that are found, as traces: complete, in order, and true to the schema."""

from collections import Counter

import pytest

from multipaxos.exploration.engine import explore
from multipaxos.exploration.role_case import role_case
from multipaxos.exploration.role_server import Begin, Deliver
from multipaxos.exploration.role_story import RoleStory
from multipaxos.exploration.roles import RolesModel
from multipaxos.strategies.broken import BUGS, Bug
from multipaxos.strategies.broken.bug import Model
from multipaxos.trace import check_trace

QUICK = [
    bug
    for bug in BUGS.values()
    if bug.model is Model.ROLES and all(d.states < 100_000 for d in bug.shortest)
]


@pytest.mark.parametrize("bug", QUICK, ids=lambda bug: bug.name)
def test_the_trace_of_a_disaster_can_be_read(bug: Bug) -> None:
    """It fits the schema, counts steps as time, and delivers nothing that was not sent."""
    case = role_case({}, bug)
    found = explore(case.model)

    events = list(check_trace(case.tell(found)))

    assert events[0].fields["engine"] == "exploration"
    times = [event.seconds for event in events]
    assert times == sorted(times)
    assert times[-1] >= len(found.path) - 1
    sent = {event.fields["id"] for event in events if event.kind == "sent"}
    assert {e.fields["id"] for e in events if e.kind in ("delivered", "duplicated")} <= sent


def test_a_second_delivery_is_a_duplicate() -> None:
    """A message that arrives again is told to have been doubled, under the same id."""
    model = RolesModel()
    story = RoleStory(model, {})
    story.play([Begin("A", "x")])
    (prepare,) = (sent for sent, receiver in story.ids if receiver == "B")

    story.play([Deliver("B", prepare), Deliver("B", prepare)])

    kinds = Counter(event.kind for event in story.events)
    assert kinds["duplicated"] == 1
    assert kinds["delivered"] == 2
    assert len({e.fields["id"] for e in story.events if e.kind == "delivered"}) == 1


def test_what_is_on_the_disk_is_told_before_what_it_reveals() -> None:
    """As in every engine: saved, then what the protocol says, then what leaves."""
    story = RoleStory(RolesModel(), {})

    story.play([Begin("A", "x")])

    assert [event.kind for event in story.events if event.server == "A"] == [
        "started",
        "called",
        "saved",
        "promised",
        "sent",
        "sent",
    ]
