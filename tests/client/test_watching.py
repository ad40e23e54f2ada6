"""The core of a watch: each change once, in order, from whichever server has it; virtual time."""

from typing import ClassVar

import pytest
from tests.client.cluster import (
    THREE,
    A,
    B,
    C,
    FakeClock,
    FakeCluster,
    VirtualShell,
    make_talk,
)
from typing_extensions import override

from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.state_machine import Command, CommandForm, StateMachine
from multipaxos.client.errors import CommandError
from multipaxos.client.servers import Progress, Servers
from multipaxos.client.steps import Close, Pause
from multipaxos.client.watching import (
    BEHIND_SECONDS_MAX,
    SILENCE_SECONDS_MAX,
    Change,
    Watching,
    newest_link,
)
from multipaxos.runtime.change_log import END_OF_LINK


class Scene:
    """A cluster, a clock, and a watch that begins behind link 0."""

    def __init__(self, *, machine: StateMachine | None = None, key: str | None = None) -> None:
        self.cluster = FakeCluster(machine=machine)
        self.clock = FakeClock()
        self.shell = VirtualShell(self.cluster, self.clock)
        servers, progress = Servers(THREE), Progress()
        talk, scout = (make_talk(self.clock, servers=servers, progress=progress) for _ in range(2))
        self.progress = progress
        self.watching = Watching(talk, scout, link=0, key=key)

    def next(self) -> Change:
        """Return the next change."""
        return self.shell.run(self.watching.next_change())

    def set(self, *values: str) -> None:
        """Let another client set the register to one value after the other."""
        for value in values:
            self.cluster.someone_does("SET", value)


@pytest.fixture
def scene() -> Scene:
    """Return a register of three servers, and a watch."""
    return Scene()


def _change(link: int, value: str, index: int = 0) -> Change:
    return Change(link=link, index=index, key=None, value=value)


def test_changes_come_in_order(scene: Scene) -> None:
    """What was set since the watch began is told, in the order of the chain."""
    scene.set("x", "y")

    assert [scene.next(), scene.next()] == [_change(1, "x"), _change(2, "y")]


def test_what_changes_nothing_is_not_told(scene: Scene) -> None:
    """To set the value that is there is no change."""
    scene.set("x", "x", "y")

    assert [scene.next().link, scene.next().link] == [1, 3]


def test_watch_waits_as_long_as_nothing_happens(scene: Scene) -> None:
    """Beats keep it where it is, for hours."""
    scene.clock.plan(7200, lambda: scene.set("x"))

    assert scene.next() == _change(1, "x")
    assert scene.watching.source == A
    assert scene.shell.opened().count(A) == 1


def test_beat_brings_watch_forward() -> None:
    """What other keys did meanwhile need not be told again after a move to another server."""
    scene = Scene(machine=Dictionary(), key="k")
    scene.cluster.someone_does("SET", "other", "1")
    positions: list[tuple[int, int]] = []
    scene.clock.plan(10, lambda: positions.append((scene.watching.link, scene.watching.index)))
    scene.clock.plan(20, lambda: scene.cluster.someone_does("SET", "k", "2"))

    assert scene.next().link == 2
    assert positions == [(1, END_OF_LINK)]


def test_silent_server_is_left(scene: Scene) -> None:
    """No beat for some seconds: the server is dead, or cut off; the next one goes on."""
    scene.set("x")
    scene.next()
    scene.cluster.servers[A].is_silent = True
    scene.set("y")
    before = scene.clock.time

    assert scene.next() == _change(2, "y")
    assert scene.watching.source == B
    assert scene.clock.time == before + SILENCE_SECONDS_MAX


def test_closed_connection_is_noticed_at_once(scene: Scene) -> None:
    """A server that dies costs no change and no time."""
    scene.set("x", "y")
    scene.next()
    scene.cluster.servers[A].is_down = True
    before = scene.clock.time

    assert scene.next() == _change(2, "y")
    assert scene.clock.time == before


def test_change_that_two_servers_tell_is_told_once(scene: Scene) -> None:
    """After a move, a server that begins too early is corrected."""
    scene.set("x", "y")
    scene.next()
    scene.watching.link, scene.watching.index = 2, 0

    scene.clock.plan(1, lambda: scene.set("z"))

    assert scene.next() == _change(3, "z")


def test_server_that_is_cut_off_is_left(scene: Scene) -> None:
    """A server whose beats go on, though the chain goes on without it, is found out."""
    scene.set("x")
    scene.next()
    scene.cluster.servers[A].cut_off_at = 2
    scene.clock.plan(10, lambda: scene.set("y"))

    change = scene.next()

    assert change == _change(2, "y")
    assert scene.watching.source != A
    assert scene.clock.time < 100 + 10 + BEHIND_SECONDS_MAX + 5


def test_what_other_lanes_hear_tells_that_a_server_is_cut_off(scene: Scene) -> None:
    """The watch goes to the server that was heard to be ahead."""
    scene.set("x")
    scene.next()
    scene.cluster.servers[A].cut_off_at = scene.cluster.servers[B].cut_off_at = 2
    scene.set("y")
    scene.progress.hear(3, C)

    assert scene.next() == _change(2, "y")
    assert scene.watching.source == C


def test_server_that_is_behind_for_a_moment_is_kept(scene: Scene) -> None:
    """Servers learn at slightly different times: that is no reason to move."""
    scene.set("x")
    scene.next()
    scene.cluster.servers[A].cut_off_at = 2
    scene.set("y")
    scene.progress.hear(3, B)
    scene.clock.plan(
        BEHIND_SECONDS_MAX - 1, lambda: setattr(scene.cluster.servers[A], "cut_off_at", None)
    )

    assert scene.next() == _change(2, "y")
    assert scene.watching.source == A


def test_server_that_lacks_changes_is_passed_over(scene: Scene) -> None:
    """A server that was restarted does not have all changes; another does, and none is missed."""
    scene.set("x", "y", "z")
    scene.next()
    scene.cluster.servers[A].is_down = True
    scene.cluster.servers[B].lacks_below = 4

    assert [scene.next(), scene.next()] == [_change(2, "y"), _change(3, "z")]
    assert scene.watching.source == C


def test_changes_that_nobody_has_are_missed_once(scene: Scene) -> None:
    """If all servers skipped changes, one change says so, with the value now; then it goes on."""
    scene.set("x", "y", "z")
    for server in scene.cluster.servers.values():
        server.lacks_below = 4

    missed = scene.next()
    scene.set("new")

    assert missed == Change(link=3, index=END_OF_LINK, key=None, value="z", missed=True)
    assert scene.next() == _change(4, "new")


def test_server_that_cannot_be_reached_is_waited_for_before_changes_are_missed(
    scene: Scene,
) -> None:
    """The one that does not answer may be the one that has them all."""
    scene.set("x", "y", "z")
    for server in (A, B):
        scene.cluster.servers[server].lacks_below = 4
    scene.cluster.servers[C].is_down = True
    scene.clock.plan(2, lambda: setattr(scene.cluster.servers[C], "is_down", False))

    assert scene.next() == _change(1, "x")
    assert scene.watching.source == C


def test_server_that_stays_away_is_not_waited_for_for_ever(scene: Scene) -> None:
    """After some seconds the watch goes on with what there is."""
    scene.set("x", "y", "z")
    for server in (A, B):
        scene.cluster.servers[server].lacks_below = 4
    scene.cluster.servers[C].is_down = True

    assert scene.next().missed


def test_value_of_a_server_that_is_behind_is_not_told(scene: Scene) -> None:
    """What is told never goes back, not even where changes were missed."""
    scene.set("x", "y", "z")
    for _ in range(3):
        scene.next()
    scene.cluster.servers[A].is_down = True
    for server in (B, C):
        scene.cluster.servers[server].cut_off_at = 2
        scene.cluster.servers[server].lacks_below = 9
    scene.clock.plan(60, lambda: setattr(scene.cluster.servers[A], "is_down", False))
    scene.clock.plan(60, lambda: scene.set("new"))

    assert scene.next() == _change(4, "new")


def test_gap_told_later_sends_the_watch_elsewhere(scene: Scene) -> None:
    """A server that finds that it skips links says so, and another one goes on."""
    scene.set("x")
    scene.next()
    assert scene.shell.connection is not None
    scene.shell.connection.output += b"*2\r\n$3\r\ngap\r\n:9\r\n"
    scene.cluster.servers[A].is_silent = True
    scene.set("y")

    assert scene.next() == _change(2, "y")
    assert scene.watching.source == B


def test_nobody_there_is_waited_for(scene: Scene) -> None:
    """While no server can be reached the watch tries again and again, with rests."""
    for server in scene.cluster.servers.values():
        server.is_down = True
    scene.clock.plan(3600, lambda: setattr(scene.cluster.servers[B], "is_down", False))
    scene.set("x")

    assert scene.next() == _change(1, "x")
    assert scene.clock.time == pytest.approx(3700, abs=2)
    assert len(scene.shell.pauses()) < 8000


def test_one_key_is_watched_alone() -> None:
    """A watch of a key hears of no other; a deleted key has no value."""
    scene = Scene(machine=Dictionary(), key="k")
    scene.cluster.someone_does("MSET", "j", "1", "k", "2")
    scene.cluster.someone_does("DEL", "k")

    assert scene.next() == Change(link=1, index=1, key="k", value="2")
    assert scene.next() == Change(link=2, index=0, key="k", value=None)


def test_a_stranger_is_passed_by(scene: Scene) -> None:
    """Another server at one of the addresses is as good as none: the others have the changes."""
    scene.set("x")
    scene.next()
    stranger = scene.cluster.servers[scene.watching.source or A]
    stranger.is_down = True
    for server in scene.cluster.servers.values():
        if server is not stranger:
            server.greeting = b"-OTHER server X of cluster other\r\n"
            break
    scene.set("y")

    assert scene.next() == _change(2, "y")


def test_all_keys_are_watched() -> None:
    """Without a key, each change has its own."""
    scene = Scene(machine=Dictionary())
    scene.cluster.someone_does("MSET", "j", "1", "k", "2")

    assert [scene.next().key, scene.next().key] == ["j", "k"]


@pytest.mark.parametrize("key, value", [("k", "now"), (None, None)])
def test_missed_changes_of_a_dictionary(key: str | None, value: str | None) -> None:
    """Of a key the current value is told; of a dictionary only that something was missed."""
    scene = Scene(machine=Dictionary(), key=key)
    scene.cluster.someone_does("SET", "k", "then")
    scene.cluster.someone_does("SET", "k", "now")
    for server in scene.cluster.servers.values():
        server.lacks_below = 3

    assert scene.next() == Change(link=2, index=END_OF_LINK, key=key, value=value, missed=True)


def test_interruption_loses_no_change(scene: Scene) -> None:
    """Whoever stops waiting can wait again: nothing is lost or told twice."""
    scene.set("x")
    scene.next()
    waiting = scene.watching.next_change()
    next(waiting)
    waiting.close()
    scene.set("y")

    assert scene.next() == _change(2, "y")


def test_other_connections_are_closed_after_a_look(scene: Scene) -> None:
    """To look at how far others are takes a connection, which is not kept."""
    scene.clock.plan(20, lambda: scene.set("x"))
    scene.next()

    opened = scene.shell.opened()

    assert set(opened) == set(THREE)
    assert opened.count(A) == 1
    assert not any(isinstance(step, Close | Pause) for step in scene.shell.steps)


def test_key_of_a_register_is_an_error(scene: Scene) -> None:
    """What cannot be read cannot be watched; the error is the server's."""
    talk = make_talk(scene.clock)

    with pytest.raises(CommandError, match="wrong number of arguments"):
        scene.shell.run(newest_link(talk, "k", deadline=scene.clock.time + 1))


@pytest.mark.parametrize("machine", [None, Dictionary()])
def test_watch_begins_behind_a_read(machine: StateMachine | None) -> None:
    """Every kind of state can be watched as a whole: some read of it tells where to begin."""
    scene = Scene(machine=machine)
    talk = make_talk(scene.clock)

    link = scene.shell.run(newest_link(talk, None, deadline=scene.clock.time + 1))

    assert link == len(scene.cluster.links) - 1


class Counter(StateMachine):
    """Has no command of the built-in kinds."""

    kind = "counter"
    forms: ClassVar = {"ADD": CommandForm(usage="ADD")}

    @override
    def initial(self) -> int:
        return 0

    @override
    def apply(self, state: int, command: Command) -> tuple[int, int]:
        return state + 1, state + 1


def test_machine_that_reads_nothing_known_is_watched() -> None:
    """The watch begins behind the links that are decided for certain: nothing new is left out."""
    scene = Scene(machine=Counter())
    scene.cluster.someone_does("ADD")
    talk = make_talk(scene.clock)

    link = scene.shell.run(newest_link(talk, None, deadline=scene.clock.time + 1))

    assert link == 1
