"""The chain model: the real servers keep every invariant, and each reduction is sound."""

from collections.abc import Iterator, Mapping

import pytest

from multipaxos.chain.effects import Outbox, Timer
from multipaxos.chain.messages import CatchUp, Decided, Envelope, Sync
from multipaxos.chain.requests import Chosen
from multipaxos.composition import NEEDLESS_IN_EXPLORATION, compose, strategy_names
from multipaxos.exploration.chain_bounds import ChainBounds
from multipaxos.exploration.chain_events import Event, Fire, Receive, Restart, Stage
from multipaxos.exploration.chain_model import ChainModel
from multipaxos.exploration.chain_process import NEEDLESS, Process, copy_of, value_of
from multipaxos.exploration.engine import explore
from multipaxos.exploration.role_bounds import BoundsError

Bounds = Mapping[str, int]


def chain(*without: str, **bounds: int) -> ChainModel:
    """Return the model of the right servers, some strategies left out."""
    master = bool(bounds.pop("master", 1))
    names = strategy_names(master=master, without=(*NEEDLESS_IN_EXPLORATION, *without))
    replica_class = compose(names)
    return ChainModel(ChainBounds(master=master, **bounds), replica_class)


@pytest.fixture(scope="module")
def explored() -> ChainModel:
    """Return a model after its exploration: two servers, two links, timers at any moment."""
    model = chain(links=2, firings=2)
    assert explore(model).complete
    return model


@pytest.mark.parametrize(
    "bounds, states, transitions, depth",
    [
        pytest.param({"links": 1}, 1_425, 6_252, 15, id="an election"),
        pytest.param({"links": 2}, 81_473, 481_824, 25, id="two links with a master"),
        pytest.param({"links": 1, "crashes": 1}, 7_190, 31_821, 16, id="a restart"),
        pytest.param({"master": 0, "writes": 2, "reads": 1}, 662, 1_974, 14, id="no master"),
        pytest.param({"master": 0, "swaps": 2, "retries": 1}, 385, 1_313, 14, id="two swaps"),
        pytest.param(
            {"writes": 1, "reads": 1, "firings": 0, "elected": 1}, 40_538, 161_640, 21, id="a read"
        ),
        pytest.param(
            {"servers": 3, "links": 1, "firings": 1, "proposers": 1}, 4_683, 20_830, 18, id="three"
        ),
        pytest.param(
            {"writes": 0, "crashes": 1, "firings": 1, "elected": 1},
            46_818,
            182_942,
            21,
            id="a crash before the save of a bid that others know",
        ),
    ],
)
def test_the_right_chain_is_safe(bounds: Bounds, states: int, transitions: int, depth: int) -> None:
    """Every order of events is explored, nothing breaks, and what should happen does."""
    found = explore(chain(**bounds))

    assert found.complete
    assert found.violation is None
    assert found.missing == ()
    assert (found.states, found.transitions, found.depth) == (states, transitions, depth)


@pytest.mark.parametrize(
    "without, bounds, states, transitions, depth",
    [
        pytest.param(
            ("abstention", "brevity"),
            {"writes": 1, "crashes": 1, "firings": 0, "elected": 1},
            25_458,
            110_103,
            18,
            id="a crash before the save of what others know",
        ),
        pytest.param(
            ("group-commit",),
            {"servers": 3, "writes": 0, "firings": 1, "proposers": 1, "elected": 1},
            23_824,
            132_532,
            16,
            id="a master that does not vote",
        ),
    ],
)
def test_a_smaller_stack_is_safe(
    without: tuple[str, ...], bounds: Bounds, states: int, transitions: int, depth: int
) -> None:
    """Where strategies that multiply the states are left out, others can be explored further."""
    found = explore(chain(*without, **bounds))

    assert found.complete
    assert found.violation is None
    assert found.missing == ()
    assert (found.states, found.transitions, found.depth) == (states, transitions, depth)


@pytest.mark.parametrize(
    "bounds",
    [
        pytest.param({"links": 2, "writes": 1, "firings": 1}, id="plain"),
        pytest.param({"links": 2, "writes": 1, "firings": 0, "elected": 1, "master": 1}, id="led"),
        pytest.param({"links": 2, "crashes": 1, "writes": 1, "firings": 0}, id="with a restart"),
    ],
)
def test_links_that_are_told_are_safe(bounds: Bounds) -> None:
    """Also where servers tell each other links, and keep what comes early, nothing breaks."""
    limits = {"master": False, **bounds}
    strategies = strategy_names(master=bool(limits["master"]))
    model = ChainModel(ChainBounds(**limits), compose(strategies))  # type: ignore[arg-type]

    found = explore(model, states_max=20_000)

    assert found.violation is None
    assert any(isinstance(e.message, Decided) for server in model.servers for e in server.mail)


def test_of_two_that_set_what_is_not_there_one_does() -> None:
    """Whatever happens, whoever asks again, and whoever comes first."""
    model = chain(master=0, swaps=2, retries=1)
    assert explore(model).violation is None

    ended = {
        tuple(call.outcome.result for call in past.calls if isinstance(call.outcome, Chosen))
        for past in model.pasts
    }

    assert ended == {(), (True,), (True, False), (False, True)}


def test_states_share_nothing_that_changes(explored: ChainModel) -> None:
    """After thousands of events on copies, each process still is what it was when it was met."""
    for server in explored.servers:
        keys = [process.key() for process in server.processes]

        assert len(set(keys)) == len(keys)
        assert keys == list(server.process_numbers)


def test_a_copy_is_equal_and_apart(explored: ChainModel) -> None:
    """What happens to a copy does not happen to the original."""
    process = explored.servers[0].processes[0]
    before = value_of(process.replica)

    twin = copy_of(process.replica)
    assert value_of(twin) == before
    twin.timeout(Timer.ELECTION)

    assert value_of(twin) != before
    assert value_of(process.replica) == before


def test_an_unknown_kind_of_object_is_not_shared() -> None:
    """Rather than share what may change, the model refuses."""
    with pytest.raises(TypeError, match="cannot copy a object"):
        copy_of(object())
    with pytest.raises(TypeError, match="cannot tell a object"):
        value_of(object())


def events_without_effect(model: ChainModel) -> Iterator[tuple[Stage, int, Event]]:
    """Yield what the model leaves out: with the stage, and the number of the process."""
    for server in model.servers:
        for number, process in enumerate(server.processes):
            if process.reads:
                continue
            local = server.locals[server.local(number, (1 << len(server.mail)) - 1)]
            alive = set(map(id, server.letters(local.inbox)))
            for envelope in server.mail:
                if id(envelope) not in alive:
                    yield server.stage, number, Receive(envelope)
            for timer in sorted(NEEDLESS):
                yield server.stage, number, Fire(timer)
            for peer in model.bounds.uids:
                if peer != server.stage.membership.uid:
                    yield server.stage, number, Receive(greeting(model, server.stage, peer))


def greeting(model: ChainModel, stage: Stage, peer: str) -> Envelope:
    """Return a Sync of *peer* about the last link."""
    return Envelope(
        cluster=stage.membership.cluster,
        chain_id=model.founding.chain_id,
        instance=model.bounds.links,
        sender=peer,
        receiver=stage.membership.uid,
        message=Sync(votes_from=0),
    )


def test_what_is_left_out_makes_no_difference(explored: ChainModel) -> None:
    """Old votes, further greetings and their timers change nothing: at most, help is sent."""
    tried = 0
    for stage, number, event in events_without_effect(explored):
        process = explored.servers[stage.server].processes[number]
        with_choice = isinstance(event, Fire) and event.timer is Timer.SYNC
        if with_choice:
            continue
        played = stage.play(process, event)

        assert played.process.key() == process.key()
        sent = [e.message for _, outbox in played.outboxes for e in outbox.sent]
        assert all(isinstance(message, CatchUp | Sync) for message in sent)
        tried += 1
    assert tried > 1_000


def crashes_in_mid_event(model: ChainModel) -> Iterator[tuple[Process, Restart]]:
    """Yield those of the first server of *model*, each with the process that it befalls."""
    server = model.servers[0]
    for local in server.locals:
        for outcome in local.outcomes or ():
            if isinstance(outcome.event, Restart) and outcome.event.during is not None:
                yield server.processes[local.process], outcome.event


def test_a_crash_comes_in_the_midst_of_an_event_that_something_leaves_early() -> None:
    """What need not wait for the save was sent by the life that ends; its disk knows nothing."""
    model = chain(writes=0, crashes=1, firings=1, elected=1)
    assert explore(model).complete
    crashes = list(crashes_in_mid_event(model))
    assert crashes

    for process, crash in crashes:
        assert crash.during is not None
        whole = model.servers[0].stage.play(process, crash.during)
        cut = model.servers[0].stage.play(process, crash)

        assert (cut.process.life, cut.process.disk) == (process.life + 1, process.disk)
        left = cut.outboxes[0][1]
        saving = next(outbox for _, outbox in whole.outboxes if outbox.save is not None)
        assert left == Outbox(early=saving.early, early_answers=saving.early_answers)


def test_bounds_that_cannot_be_are_refused() -> None:
    """A sentence says which bound, and what it may be."""
    with pytest.raises(BoundsError, match="servers must be from 1 to 5 here, not 6"):
        ChainBounds(servers=6)
    with pytest.raises(BoundsError, match="proposers must be from 0 to 2 here, not 3"):
        ChainBounds(proposers=3)
    with pytest.raises(BoundsError, match="through another server"):
        ChainBounds(servers=1, retries=1)
    with pytest.raises(BoundsError, match="only with --master"):
        ChainBounds(elected=1)
    with pytest.raises(BoundsError, match="links must be 2 or more"):
        ChainBounds(elected=1, links=1, master=True)
