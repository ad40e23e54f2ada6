"""The parts of the chain model: time without numbers, the clients' past, and the told story."""

from multipaxos.chain.effects import Answer, CancelTimer, SetTimer, Timer
from multipaxos.chain.requests import Chosen
from multipaxos.exploration.chain_bounds import ChainBounds
from multipaxos.exploration.chain_case import chain_case
from multipaxos.exploration.chain_clock import Clocks, Turn, sand_of, turn_of
from multipaxos.exploration.chain_past import Past, check_calls, history_of, not_called
from multipaxos.exploration.engine import explore
from multipaxos.strategies.broken import find_bug
from multipaxos.trace.schema import check_trace

LEFT = Timer.HOURGLASS_LEFT
FOREIGN = Timer.FOREIGN_LEASE


def test_respect_outlives_the_hourglasses_turned_before() -> None:
    """When respect ends, the sand of each hourglass that ran when it began has run out."""
    clocks = Clocks(2)
    turned = clocks.after(0, clocks.move(0, [(LEFT, Turn.SET)]))
    respected = clocks.after(turned, clocks.move(1, [(FOREIGN, Turn.SET)]))

    ended = clocks.after(respected, clocks.move(1, [(FOREIGN, Turn.FIRED)]))

    assert clocks.sand[respected] == sand_of(0, LEFT)
    assert clocks.sand[ended] == 0


def test_respect_may_end_before_hourglasses_turned_after() -> None:
    """An hourglass that is turned later, or anew, is outlived by nobody's earlier respect."""
    clocks = Clocks(2)
    turned = clocks.after(0, clocks.move(0, [(LEFT, Turn.SET)]))
    respected = clocks.after(turned, clocks.move(1, [(FOREIGN, Turn.SET)]))
    again = clocks.after(respected, clocks.move(0, [(LEFT, Turn.SET)]))

    ended = clocks.after(again, clocks.move(1, [(FOREIGN, Turn.FIRED)]))

    assert clocks.sand[ended] == sand_of(0, LEFT)


def test_respect_that_is_cancelled_tells_nothing_of_time() -> None:
    """Only a timer that fires has waited."""
    clocks = Clocks(2)
    turned = clocks.after(0, clocks.move(0, [(LEFT, Turn.SET)]))
    respected = clocks.after(turned, clocks.move(1, [(FOREIGN, Turn.SET)]))

    ended = clocks.after(respected, clocks.move(1, [turn_of(CancelTimer(timer=FOREIGN))]))

    assert clocks.sand[ended] == sand_of(0, LEFT)
    assert turn_of(SetTimer(timer=LEFT, seconds=1.0)) == (LEFT, Turn.SET)


def test_a_read_that_follows_a_write_must_see_it() -> None:
    """The order of calls and returns is kept, though nobody knows their times."""
    bounds = ChainBounds(writes=1, reads=1)
    write, read = (request_id for _, request_id, _ in bounds.requests)
    written = Past(calls=not_called(bounds)).called(0, 1)
    told = written.answered(0, Answer(request_id=write, outcome=Chosen(link=1, result=None)))
    stale = Answer(request_id=read, outcome=Chosen(link=0, result=None))

    after = told.called(1, 0).answered(1, stale)
    meanwhile = written.called(1, 0).answered(1, stale)

    wrong = check_calls(after, bounds)
    assert wrong is not None
    assert wrong.name == "I11 Linearizable"
    assert check_calls(meanwhile, bounds) is None
    first, second = history_of(after, bounds)
    assert first.returned_at < second.called_at


def test_a_client_asks_again_elsewhere_only() -> None:
    """A request goes to its first server, and then, while retries last, to another."""
    bounds = ChainBounds(writes=1, retries=1)
    past = Past(calls=not_called(bounds))

    called = past.called(0, 1)
    again = called.called(0, 0)

    assert past.may_call(0, 1, bounds, 1)
    assert not past.may_call(0, 0, bounds, 1)
    assert called.may_call(0, 0, bounds, 1)
    assert not called.may_call(0, 1, bounds, 1)
    assert not again.may_call(0, 0, bounds, 1)
    assert again.retries == 1


def test_a_disaster_is_told_as_a_trace() -> None:
    """The trace of a path keeps to the schema; the two leases overlap in it."""
    case = chain_case({}, find_bug("lease-from-learning"))
    found = explore(case.model)

    events = list(case.tell(found))

    check_trace(events)
    assert found.violation is not None
    assert found.violation.name == "I10 OneReader"
    leases = [event for event in events if event.kind == "lease began"]
    assert [event.server for event in leases] == ["A", "B"]
    until, began = leases[0].fields["until"], leases[1].seconds
    assert isinstance(until, float)
    assert until > began
    assert case.on_the_way(found) == ()


def test_a_story_begins_with_the_election() -> None:
    """Where a master is elected before the run, the trace tells how."""
    case = chain_case({}, find_bug("no-second-look"))
    found = explore(case.model)

    events = list(case.tell(found))

    check_trace(events)
    assert found.violation is not None
    assert found.violation.name == "I11 Linearizable"
    kinds = [event.kind for event in events]
    assert kinds.index("lease began") < kinds.index("called")
    returned = [event.fields["operation"] for event in events if event.kind == "returned"]
    assert returned == ["set", "get"]


def test_three_servers_come_with_a_warning() -> None:
    """Whoever asks for much is told before it begins."""
    assert chain_case({}).warning == ""
    assert "minutes" in chain_case({"servers": 3}).warning
