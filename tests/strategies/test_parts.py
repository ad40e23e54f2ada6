"""Parts: a large state is fetched part by part."""

import pytest
from immutables import Map
from tests.chain.support import FOUNDING, Hand, link_of, refusals, sent, stored, timers
from tests.strategies.support import MASTER, PLAIN, instances, kind_of, messages, traced

from multipaxos.chain import transfer
from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.durable import Session, Snapshot
from multipaxos.chain.effects import Outbox, Timer
from multipaxos.chain.links import Founding, NewMaster
from multipaxos.chain.messages import CatchUp, Decided, FetchPart, SnapshotPart, Sync
from multipaxos.chain.requests import RequestID, Update
from multipaxos.chain.settings import Settings
from multipaxos.composition import compose
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.weather import CALM, ROUGH, Weather
from multipaxos.strategies import parts, replay

FETCHING = compose(["replay", "parts", "sync"])
STATE = Map({f"key-{n:03}": "x" * 100 for n in range(100)})
SESSIONS = {"client": Session(sequence=7, link=8, result=True)}
MASTER_A = NewMaster(uid="A", lease_seconds=2.0, bid="bid")
SNAPSHOT = Snapshot(value=STATE, sessions=SESSIONS, forgotten_before=3, master=MASTER_A)
LINK = link_of(Update(request_id=RequestID("other", 1), command=("SET", "new", "y"), since=9))


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a part have 2,000 characters, so that a state of some is large."""
    monkeypatch.setattr(transfer, "PART_CHARACTERS", 2_000)


def helping(snapshot: Snapshot = SNAPSHOT, *, instance: int = 9) -> Hand:
    """Make a server that is at link 9."""
    return Hand(FETCHING, state=stored(instance=instance, snapshot=snapshot), machine=Dictionary())


def behind() -> Hand:
    """Make a server C that is at link 1."""
    return Hand(FETCHING, uid="C", state=stored("C"), machine=Dictionary())


def part_of(outbox: Outbox) -> SnapshotPart:
    """Return the one message of *outbox*, a part."""
    ((_, part),) = sent(outbox)
    assert isinstance(part, SnapshotPart)
    return part


def fetch_of(outbox: Outbox) -> FetchPart:
    """Return the one message of *outbox*, which asks for a part."""
    ((_, fetch),) = sent(outbox)
    assert isinstance(fetch, FetchPart)
    return fetch


def first_part(helper: Hand) -> SnapshotPart:
    """Return what *helper* says to C, which is at link 1."""
    return part_of(helper.receive(Sync(votes_from=0), sender="C", instance=1))


def hand_over(helper: Hand, receiver: Hand, part: SnapshotPart) -> Outbox:
    """Carry parts and questions from one to the other until all parts are there."""
    outbox = Outbox()
    for _ in range(1_000):
        outbox = receiver.receive(part, sender="A", instance=helper.value.instance)
        if part.is_last:
            return outbox
        asked = fetch_of(outbox)
        part = part_of(helper.receive(asked, sender="C", instance=receiver.value.instance))
    raise AssertionError("the parts have no end")


# ------------------------------------------------------------------------------------------ helping


def test_a_small_state_goes_at_once() -> None:
    """One message is the simplest way, where it is enough."""
    small = Snapshot(value=Map({"key": "x"}))

    outbox = helping(small).receive(Sync(votes_from=0), instance=1)

    assert sent(outbox) == [("B", CatchUp(founding=FOUNDING, snapshot=small))]


@pytest.mark.parametrize("value", ["x" * 10_000, Map({"key": "x" * 10_000}), ("x" * 10_000,)])
def test_what_is_not_of_many_entries_goes_at_once(value: object) -> None:
    """One value cannot be cut."""
    outbox = helping(Snapshot(value=value)).receive(Sync(votes_from=0), instance=1)

    assert [type(message) for _, message in sent(outbox)] == [CatchUp]


def test_a_large_state_begins_with_all_but_the_state() -> None:
    """The receiver asks for the rest, part by part."""
    helper = helping()

    outbox = helper.receive(Sync(votes_from=0), sender="C", instance=1)

    head = Snapshot(value=Map(), sessions=SESSIONS, forgotten_before=3, master=MASTER_A)
    assert part_of(outbox) == SnapshotPart(
        founding=FOUNDING, at=9, number=0, is_last=False, snapshot=head
    )
    assert timers(outbox) == {Timer.PINNED: parts.PINNED_TRIES * 1.0}


def test_the_parts_are_the_state_and_none_is_long() -> None:
    """Each entry is in one of them; a part ends with the entry that makes it long enough."""
    helper = helping()
    first_part(helper)

    entries: list[str] = []
    part = None
    for number in range(1, 100):
        part = part_of(helper.receive(FetchPart(at=9, number=number), sender="C", instance=1))
        entries += part.snapshot.value
        length = transfer.characters_of_state(part.snapshot.value)
        assert length <= transfer.PART_CHARACTERS + 200
        if part.is_last:
            break

    assert part is not None
    assert part.is_last
    assert part.number >= len(STATE) * 100 // transfer.PART_CHARACTERS
    assert sorted(entries) == sorted(STATE)


def test_any_part_can_be_asked_for_again() -> None:
    """What was lost, on the way there or back, is the same the second time."""
    helper = helping()
    first_part(helper)
    asked = [FetchPart(at=9, number=number) for number in (1, 2, 3, 1, 3)]

    told = [part_of(helper.receive(each, sender="C", instance=1)) for each in asked]

    assert told[0] == told[3]
    assert told[2] == told[4]
    assert told[0] != told[1]


def test_a_part_that_is_not_there_is_not_sent() -> None:
    """Silence, for a question that nobody in his senses asks."""
    helper = helping()
    first_part(helper)

    assert sent(helper.receive(FetchPart(at=9, number=1_000), sender="C", instance=1)) == []


def test_the_snapshot_stays_as_it_was() -> None:
    """What is decided meanwhile is not in it."""
    helper = helping()
    receiver = behind()
    first = first_part(helper)
    helper.decide(LINK)

    hand_over(helper, receiver, first)

    assert receiver.state.snapshot == SNAPSHOT


def test_the_links_since_are_kept_for_who_fetches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many they are, as long as they are not longer than the snapshot itself."""
    monkeypatch.setattr(replay, "KEPT_LINKS_MAX", 2)
    helper, receiver = helping(), behind()
    first = first_part(helper)
    for n in range(5):
        helper.decide(
            link_of(Update(request_id=RequestID("c", n), command=("SET", "n", str(n)), since=9))
        )
    hand_over(helper, receiver, first)

    outbox = helper.receive(Sync(votes_from=0), sender="C", instance=9)

    ((_, told),) = sent(outbox)
    assert isinstance(told, Decided)
    assert [link.number for link in told.links] == [9, 10, 11, 12, 13]


def test_a_snapshot_that_nobody_asks_for_is_let_go() -> None:
    """And with it what has changed since; whoever asks later gets the newest one."""
    helper = helping()
    first_part(helper)
    helper.decide(LINK)
    helper.timeout(Timer.PINNED)

    outbox = helper.receive(FetchPart(at=9, number=1), sender="C", instance=1)

    assert (part_of(outbox).at, part_of(outbox).number) == (10, 0)


def test_another_that_is_behind_shares_the_snapshot() -> None:
    """The same parts serve both."""
    helper = helping()
    first = first_part(helper)
    helper.decide(LINK)

    assert part_of(helper.receive(Sync(votes_from=0), sender="B", instance=1)) == first


def test_who_is_beyond_the_snapshot_gets_another() -> None:
    """It needs what came since."""
    helper = helping()
    first_part(helper)
    helper.value.install(20, FOUNDING, SNAPSHOT)
    helper.value.take_outbox()

    assert part_of(helper.receive(Sync(votes_from=0), sender="B", instance=15)).at == 20


# ------------------------------------------------------------------------------------- being helped


def test_part_after_part_is_asked_for() -> None:
    """The next one when one has come; the receiver sets the pace."""
    helper, receiver = helping(), behind()

    outbox = receiver.receive(first_part(helper), sender="A", instance=9)

    assert sent(outbox) == [("A", FetchPart(at=9, number=1))]
    assert timers(outbox) == {Timer.PART: 1.0}


def test_all_parts_make_a_snapshot() -> None:
    """Then, and not before, it is taken: as if it had come in one message."""
    helper, receiver = helping(), behind()

    outbox = hand_over(helper, receiver, first_part(helper))

    assert receiver.state == stored("C", instance=9, snapshot=SNAPSHOT)
    assert outbox.save is not None
    assert timers(outbox)[Timer.PART] is None


def test_nothing_is_taken_of_half_a_snapshot() -> None:
    """A crash in the midst leaves the server where it was."""
    helper, receiver = helping(), behind()
    asked = fetch_of(receiver.receive(first_part(helper), sender="A", instance=9))

    outbox = receiver.receive(part_of(helper.receive(asked, instance=1)), sender="A", instance=9)

    assert outbox.save is None
    assert receiver.state == stored("C")


def test_after_the_last_part_the_links_since_are_asked_for() -> None:
    """The helper has gone on, and is asked at once."""
    helper, receiver = helping(), behind()
    first = first_part(helper)
    helper.decide(LINK)

    outbox = hand_over(helper, receiver, first)

    assert sent(outbox) == [("A", Sync(votes_from=0))]
    assert outbox.send[0].instance == 9


def test_a_part_that_does_not_come_is_asked_for_again() -> None:
    """After a while, and not from the beginning."""
    helper, receiver = helping(), behind()
    asked = fetch_of(receiver.receive(first_part(helper), sender="A", instance=9))
    second = fetch_of(
        receiver.receive(part_of(helper.receive(asked, instance=1)), sender="A", instance=9)
    )

    outbox = receiver.timeout(Timer.PART)

    assert sent(outbox) == [("A", second)]
    assert timers(outbox) == {Timer.PART: 1.0}


def test_a_part_that_comes_twice_counts_once() -> None:
    """Neither are its entries taken twice, nor is the next part asked for twice."""
    helper, receiver = helping(), behind()
    first = first_part(helper)
    asked = fetch_of(receiver.receive(first, sender="A", instance=9))
    part = part_of(helper.receive(asked, instance=1))
    receiver.receive(part, sender="A", instance=9)

    assert receiver.receive(part, sender="A", instance=9) == Outbox()
    assert receiver.receive(first, sender="A", instance=9) == Outbox()


def test_a_helper_that_is_silent_is_given_up() -> None:
    """Somebody is asked for help anew."""
    helper, receiver = helping(), behind()
    receiver.receive(first_part(helper), sender="A", instance=9)

    for _ in range(parts.TRIES_MAX - 1):
        assert fetch_of(receiver.timeout(Timer.PART)).number == 1
    outbox = receiver.timeout(Timer.PART)

    assert [message for _, message in sent(outbox)] == [Sync(votes_from=0)]


def test_a_helper_that_was_started_anew_begins_anew() -> None:
    """It holds no snapshot any more; the receiver drops what it has of the old one."""
    helper, receiver = helping(), behind()
    asked = fetch_of(receiver.receive(first_part(helper), sender="A", instance=9))
    receiver.receive(part_of(helper.receive(asked, instance=1)), sender="A", instance=9)
    other_state = STATE.set("new", "y")
    another = helping(Snapshot(value=other_state), instance=12)

    again = fetch_of(receiver.timeout(Timer.PART))
    hand_over(another, receiver, part_of(another.receive(again, sender="C", instance=1)))

    assert receiver.state.snapshot == Snapshot(value=other_state)
    assert receiver.state.instance == 12


def test_while_one_helps_no_other_is_asked_nor_heard() -> None:
    """What would they do but send the same."""
    helper, receiver = helping(), behind()
    first = first_part(helper)
    receiver.receive(first, sender="A", instance=9)

    asked = receiver.receive(Sync(votes_from=0), sender="B", instance=9)
    heard = receiver.receive(first, sender="B", instance=9)

    assert (asked, heard) == (Outbox(), Outbox())


def test_a_transfer_that_was_overtaken_is_over() -> None:
    """Another way was faster: late parts change nothing."""
    helper, receiver = helping(), behind()
    asked = fetch_of(receiver.receive(first_part(helper), sender="A", instance=9))
    receiver.catch_up(10, SNAPSHOT)

    outbox = receiver.receive(part_of(helper.receive(asked, instance=1)), sender="A", instance=9)

    assert sent(outbox) == []
    assert sent(receiver.timeout(Timer.PART)) == []
    assert receiver.state.instance == 10


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param(Map(), id="none"),
        pytest.param(Map({"key-000": "x"}), id="one that was there before"),
        pytest.param("x", id="no entries"),
    ],
)
def test_a_part_that_is_not_plausible_is_not_taken(entries: object) -> None:
    """Each brings entries that were not there: so nobody is kept busy for ever."""
    receiver = behind()
    head = Snapshot(value=Map())

    def receive(number: int, value: object) -> Outbox:
        part = SnapshotPart(
            founding=FOUNDING,
            at=9,
            number=number,
            is_last=False,
            snapshot=head if number == 0 else Snapshot(value=value),
        )
        return receiver.receive(part, sender="A", instance=9)

    receive(0, None)
    receive(1, Map({"key-000": "x"}))

    assert receive(2, entries) == Outbox()


def test_what_a_catch_up_may_not_do_parts_may_not_do_either() -> None:
    """Another link 0, or a jump too far, is refused when all is there."""
    helper = helping()
    other = Founding(chain_id="chain-2", machine_kind="dictionary", founders=())
    first = first_part(helper)

    receiver = behind()
    outbox = Outbox()
    part = first
    while True:
        forged = SnapshotPart(
            founding=other,
            at=9,
            number=part.number,
            is_last=part.is_last,
            snapshot=part.snapshot,
        )
        outbox = receiver.receive(forged, sender="A", instance=9)
        if part.is_last:
            break
        part = part_of(helper.receive(fetch_of(outbox), sender="C", instance=1))

    assert refusals(outbox) == ["it tells of another link 0"]
    assert sent(outbox) == [], "all of it would come again, and be refused again"
    assert receiver.state == stored("C")


# ------------------------------------------------------------------------------------- in a cluster


def filled(
    *, seed: int, weather: Weather = CALM, master: bool = False, keys: int = 60
) -> SimulatedCluster:
    """Return a cluster whose C has missed all of a large dictionary, and more than is kept."""
    cluster = SimulatedCluster(
        seed=seed,
        founded=True,
        machine=Dictionary(),
        strategies=MASTER if master else PLAIN,
        weather=weather,
    )
    cluster.start()
    cluster.run_for(1.0)
    cluster.crash("C")
    for n in range(0, keys, 10):
        pairs = [text for k in range(n, n + 10) for text in (f"key-{k}", "x" * 200)]
        cluster.submit("A", ("MSET", *pairs))
        cluster.run_for(3.0)
    assert not cluster.unanswered
    return cluster


def has_all(cluster: SimulatedCluster, uid: str = "C", keys: int = 60) -> bool:
    """Tell whether *uid* has the whole dictionary."""
    return len(cluster.servers[uid].replica.snapshot.value) >= keys


@pytest.mark.parametrize("master", [False, True], ids=["plain", "master"])
def test_a_server_that_was_away_for_long_fetches_a_large_state(
    master: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is in step with the others after it, who have decided more meanwhile."""
    monkeypatch.setattr(replay, "KEPT_LINKS_MAX", 2)
    cluster = filled(seed=1, master=master)
    since = cluster.time.now

    cluster.restart("C")
    for n in range(20):
        cluster.submit("A", ("SET", f"new-{n}", "y"))
        cluster.run_for(0.05)
    cluster.run_for(1.0)

    assert has_all(cluster, keys=80)
    assert len(set(instances(cluster))) == 1
    counted = messages(cluster, since=since)
    assert counted["SnapshotPart"] >= 60 * 200 // transfer.PART_CHARACTERS
    assert counted["CatchUp"] == 0
    assert counted["Decided"] > 0
    assert len(traced(cluster, "caught up", server="C", since=since)) == 1


@pytest.mark.parametrize("seed", range(6))
def test_a_transfer_survives_loss_doubles_and_the_death_of_the_helper(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is lost is asked for again; who has died is not waited for."""
    monkeypatch.setattr(replay, "KEPT_LINKS_MAX", 2)
    cluster = filled(seed=seed)
    cluster.network.weather = ROUGH
    cluster.restart("C")
    assert cluster.run_until(
        lambda: any(
            kind_of(e) == "SnapshotPart" and e.fields["message"]["number"] > 1  # type: ignore[index]
            for e in traced(cluster, "delivered", server="C")
        ),
        limit_seconds=60.0,
    )
    helper = next(
        e.fields["sender"]
        for e in traced(cluster, "delivered", server="C")
        if kind_of(e) == "SnapshotPart"
    )
    assert isinstance(helper, str)
    cluster.crash(helper)
    cluster.run_for(5.0)
    cluster.restart(helper)

    assert cluster.run_until(lambda: has_all(cluster), limit_seconds=120.0)


def test_a_receiver_that_dies_in_the_midst_begins_anew() -> None:
    """It took nothing of what had come, and the helper still holds its snapshot."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "KEPT_LINKS_MAX", 2)
        cluster = filled(seed=3)
        cluster.restart("C")
        assert cluster.run_until(
            lambda: (
                len(
                    [
                        e
                        for e in traced(cluster, "delivered", server="C")
                        if kind_of(e) == "SnapshotPart"
                    ]
                )
                > 2
            ),
            limit_seconds=10.0,
        )
        cluster.crash("C")
        cluster.run_for(1.0)

        cluster.restart("C")

        assert cluster.run_until(lambda: has_all(cluster), limit_seconds=30.0)


def test_the_settings_bound_how_long_a_snapshot_is_held() -> None:
    """Longer than the receiver goes on asking, so that a pause does not cost a beginning."""
    assert parts.PINNED_TRIES > parts.TRIES_MAX
    assert Settings().retransmit_seconds * parts.PINNED_TRIES < 60


# --------------------------------------------------------------------------------- what comes late


def test_a_question_of_somebody_who_is_not_behind_gets_no_answer() -> None:
    """The transfer that it belongs to is over on both sides."""
    helper = helping()

    outbox = helper.receive(FetchPart(at=9, number=1), sender="C", instance=9)

    assert sent(outbox) == []


def test_a_late_part_begins_no_transfer() -> None:
    """Only part 0 tells what the rest is part of."""
    helper, receiver = helping(), behind()
    first = first_part(helper)
    asked = fetch_of(receiver.receive(first, sender="A", instance=9))
    later = part_of(helper.receive(asked, sender="C", instance=1))
    stranger = behind()

    outbox = stranger.receive(later, sender="A", instance=9)

    assert sent(outbox) == []
    assert stranger.value.instance == 1


def test_a_state_may_hold_whatever_a_state_is_made_of() -> None:
    """A machine of one's own may keep lists, numbers and maps under its keys."""
    item = ("x" * 500, Map({"k": 5}), None)
    state = Map({f"{n}-same-end": item for n in range(20)})

    helper = helping(Snapshot(value=state))
    receiver = behind()
    hand_over(helper, receiver, first_part(helper))

    assert receiver.value.instance == 9
    assert receiver.value.snapshot.value == state
