"""The core of the client: retries, request ids, and what is claimed, in virtual time."""

import json

import pytest
from tests.client.cluster import (
    DROP,
    HANG,
    LOSE,
    THREE,
    A,
    B,
    C,
    FakeClock,
    FakeCluster,
    VirtualShell,
    make_talk,
)

from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.requests import Chosen, Outcome, Refused, Unknown
from multipaxos.client.errors import (
    AuthenticationError,
    ClosedError,
    CommandError,
    NotReachableError,
)
from multipaxos.client.servers import Progress, Servers
from multipaxos.client.steps import Endpoint, IsOpen, Open, Receive, Send
from multipaxos.client.talk import IDLE_SECONDS_MAX, Talk
from multipaxos.client.wire import pack

TIMEOUT_SECONDS = 6.0


class Scene:
    """A cluster, a clock, and one lane that talks."""

    def __init__(self, *endpoints: Endpoint, password: str | None = None) -> None:
        self.cluster = FakeCluster(*endpoints)
        self.clock = FakeClock()
        self.shell = VirtualShell(self.cluster, self.clock)
        self.talk = make_talk(self.clock, *endpoints, password=password)

    def execute(self, *command: str) -> Outcome:
        """Return what becomes of *command*, in the usual time."""
        deadline = self.clock.time + TIMEOUT_SECONDS
        return self.shell.run(self.talk.execute(command, deadline=deadline))

    def proposals(self) -> list[list[str]]:
        """Return the proposals that any server was asked."""
        return [each for server in self.cluster.servers.values() for each in server.proposals()]


@pytest.fixture
def scene() -> Scene:
    """Return a cluster of three servers, and a lane."""
    return Scene()


def test_request_is_chosen_by_the_first_server(scene: Scene) -> None:
    """With all well, the first server is asked, once, and its link is told."""
    assert scene.execute("SET", "x") == Chosen(link=1, result=True)
    assert scene.execute("GET") == Chosen(link=2, result="x")

    assert scene.shell.opened() == [A]
    assert [words[1] for words in scene.cluster.servers[A].asked] == ["HELLO", "PROPOSE", "PROPOSE"]


def test_since_is_the_newest_link_in_progress_that_any_server_told() -> None:
    """Before its first request the client hears of it by a greeting, later from the answers."""
    scene = Scene()
    scene.cluster.links += [()] * 41
    scene.cluster.snapshots += [scene.cluster.snapshots[0]] * 41

    scene.execute("SET", "x")
    scene.execute("SET", "y")

    assert scene.proposals() == [["c", "1", "42", "SET", "x"], ["c", "2", "43", "SET", "y"]]


def test_lanes_share_what_they_heard() -> None:
    """What one lane was told, the requests of all others can rely on."""
    scene = Scene()
    progress = Progress()
    first, second = (make_talk(scene.clock, progress=progress) for _ in range(2))
    scene.shell.run(first.execute(("SET", "x"), deadline=200))
    scene.cluster.servers[A].cut_off_at = 1

    scene.shell.run(second.execute(("SET", "y"), deadline=200))

    assert scene.proposals()[1][2] == "2"


@pytest.mark.parametrize(
    "plan", [LOSE, DROP, HANG, b"-UNKNOWN no idea\r\n", b"*bad*\r\n", b"+OK\r\n"]
)
def test_retry_goes_to_the_next_server_under_the_same_id(scene: Scene, plan: bytes) -> None:
    """A request whose attempt came to nothing is repeated unchanged, and applied once."""
    scene.cluster.servers[A].plans.append(plan)

    outcome = scene.execute("SET", "x")

    assert outcome == Chosen(link=1, result=True)
    assert len(list(scene.cluster.changes())) == 1
    assert scene.cluster.servers[A].proposals() == scene.cluster.servers[B].proposals()


def test_since_stays_as_it_was_made(scene: Scene) -> None:
    """A retry does not name a newer link, though more were decided meanwhile."""
    scene.cluster.servers[A].plans.append(LOSE)
    scene.clock.plan(0, lambda: None)

    scene.execute("SET", "x")

    assert {words[2] for words in scene.proposals()} == {"1"}


def test_hung_server_takes_its_share_of_the_time_only(scene: Scene) -> None:
    """A server that takes connections and says nothing leaves time for the two after it."""
    scene.cluster.servers[A].is_hung = True

    outcome = scene.execute("SET", "x")

    assert outcome == Chosen(link=1, result=True)
    assert scene.clock.time == 100 + TIMEOUT_SECONDS / 3


def test_server_that_hangs_at_the_greeting_got_no_request(scene: Scene) -> None:
    """Until a server has said who it is, nothing is proposed to it."""
    for server in scene.cluster.servers.values():
        server.is_hung = True

    with pytest.raises(NotReachableError, match="a:1: no answer in time; b:2: no answer in time"):
        scene.execute("SET", "x")

    assert scene.proposals() == []


def test_request_that_could_not_be_sent_is_not_on_its_way(scene: Scene) -> None:
    """When the greeting took all the time, or the connection ended then, nothing was sent."""
    steps = scene.talk.execute(("SET", "x"), deadline=scene.clock.time + 1)
    assert next(steps) == Open(server=A, deadline=scene.clock.time + 1 / 3)
    assert isinstance(steps.send(None), Send)
    assert isinstance(steps.send(None), Receive)
    request = steps.send(4)
    assert isinstance(request, Send)
    assert b"PROPOSE" in request.request

    assert isinstance(steps.throw(NotReachableError("no answer in time")), Open)

    with pytest.raises(ClosedError):
        steps.throw(ClosedError("this client is closed"))


def test_failed_server_is_not_preferred_any_more() -> None:
    """What one lane has found out, the next one does not pay for again."""
    scene = Scene()
    servers = Servers(THREE)
    scene.cluster.servers[A].is_hung = True
    first, second = (make_talk(scene.clock, servers=servers) for _ in range(2))
    scene.shell.run(first.execute(("SET", "x"), deadline=scene.clock.time + 3))
    before = scene.clock.time

    scene.shell.run(second.execute(("SET", "y"), deadline=scene.clock.time + 3))

    assert scene.clock.time == before


def test_nobody_there_is_no_outcome(scene: Scene) -> None:
    """If no server can be reached all the time, certainly nothing was sent: an error says so."""
    for server in scene.cluster.servers.values():
        server.is_down = True

    with pytest.raises(NotReachableError, match="a:1: Connection refused; b:2: Connection refused"):
        scene.execute("SET", "x")

    assert scene.clock.time <= 100 + TIMEOUT_SECONDS
    assert scene.talk.sequence == 0


def test_server_that_comes_back_in_time_is_found(scene: Scene) -> None:
    """The client goes on trying while there is time."""
    for server in scene.cluster.servers.values():
        server.is_down = True
    scene.clock.plan(3, lambda: setattr(scene.cluster.servers[C], "is_down", False))

    assert scene.execute("SET", "x") == Chosen(link=1, result=True)


def test_rests_grow_and_stay_short(scene: Scene) -> None:
    """Between rounds the client rests a little, longer each time, with chance in it."""
    for server in scene.cluster.servers.values():
        server.is_down = True

    with pytest.raises(NotReachableError):
        scene.execute("SET", "x")

    pauses = scene.shell.pauses()
    assert pauses[0] <= 0.02
    assert pauses[3] > pauses[0]
    assert max(pauses) <= 0.5
    assert len(set(pauses)) == len(pauses)


def test_answer_is_unknown_if_an_attempt_may_be_on_its_way(scene: Scene) -> None:
    """A request that was sent once may be chosen at any time: no later failure takes that back."""
    scene.cluster.servers[A].plans.append(HANG)
    for uid in (B, C):
        scene.cluster.servers[uid].is_down = True
    scene.clock.plan(1, lambda: setattr(scene.cluster.servers[A], "is_down", True))

    outcome = scene.execute("SET", "x")

    assert isinstance(outcome, Unknown)
    assert "b:2: Connection refused" in outcome.reason


def test_refusal_after_an_unanswered_attempt_is_no_refusal(scene: Scene) -> None:
    """One server refuses for itself; another may have taken the same request before."""
    scene.cluster.servers[A].plans.append(HANG)
    for _ in range(50):
        for uid in THREE:
            scene.cluster.servers[uid].plans.append(b"-REFUSED the value is too large\r\n")

    assert isinstance(scene.execute("SET", "x"), Unknown)


def test_first_refusal_is_final(scene: Scene) -> None:
    """A value that a server never takes is not carried from server to server."""
    scene.cluster.servers[A].plans.append(b"-REFUSED the value is too large\r\n")

    assert scene.execute("SET", "x") == Refused(reason="the value is too large")
    assert len(scene.proposals()) == 1


def test_value_that_a_server_does_not_even_read_is_refused(scene: Scene) -> None:
    """It says so in Redis' words, which speak of bulks; people are told of the value."""
    reply = b"-ERR Protocol error: invalid bulk length\r\n"
    scene.cluster.servers[A].plans.append(reply)

    outcome = scene.execute("SET", "x")

    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith("the value is too large: ")


def test_busy_server_is_left_for_another_after_a_rest(scene: Scene) -> None:
    """A busy server has not taken the request; the next may, under the same id."""
    scene.cluster.servers[A].plans.append(b"-REFUSED busy: 200 updates wait already\r\n")

    assert scene.execute("SET", "x") == Chosen(link=1, result=True)
    assert len(scene.shell.pauses()) == 1
    assert scene.talk.server == B


def test_busy_servers_refuse_in_the_end(scene: Scene) -> None:
    """If all were busy all the time, the request is in no link: that is known, and said."""
    for server in scene.cluster.servers.values():
        server.plans.extend([b"-REFUSED busy: 200 updates wait already\r\n"] * 100)

    assert scene.execute("SET", "x") == Refused(reason="busy: 200 updates wait already")


def test_malformed_command_is_refused_in_redis_words(scene: Scene) -> None:
    """What means nothing was not proposed."""
    assert scene.execute("FOO") == Refused(reason="ERR unknown command 'FOO'")


def test_reason_of_the_chain_itself_is_final() -> None:
    """A request that the chain may have forgotten is forgotten on every server."""
    scene = Scene()
    scene.cluster.sessions_max = 1
    scene.execute("SET", "x")
    for _ in range(3):
        scene.cluster.someone_does("SET", "y")

    outcome = scene.execute("SET", "z")

    assert outcome == Unknown(reason="it waited so long that the chain may have forgotten it")
    assert len(scene.proposals()) == 2


def test_idle_connection_is_greeted_before_the_next_request() -> None:
    """After some silence the client hears of the newest link first: its request is not too old."""
    scene = Scene()
    scene.cluster.sessions_max = 1
    scene.execute("SET", "x")
    for _ in range(3):
        scene.cluster.someone_does("SET", "y")
    scene.clock.advance_to(scene.clock.time + IDLE_SECONDS_MAX + 0.1)

    assert scene.execute("SET", "z") == Chosen(link=5, result=True)
    assert scene.proposals()[1][2] == "5"
    assert scene.shell.opened() == [A]


def test_idle_connection_to_a_hung_server_costs_no_certainty(scene: Scene) -> None:
    """The greeting finds out that the server hangs: the request is sent to another only."""
    scene.execute("SET", "x")
    scene.cluster.servers[A].is_hung = True
    scene.clock.advance_to(scene.clock.time + IDLE_SECONDS_MAX + 0.1)

    scene.execute("SET", "y")

    assert len(scene.cluster.servers[A].proposals()) == 1
    assert len(scene.cluster.servers[B].proposals()) == 1


def test_server_that_closed_the_connection_is_connected_again(scene: Scene) -> None:
    """A connection that the server closed between two requests is no failure of the server."""
    scene.execute("SET", "x")
    assert scene.shell.connection is not None
    scene.shell.connection.is_closed = True

    assert scene.execute("SET", "y") == Chosen(link=2, result=True)
    assert scene.shell.opened() == [A, A]


def test_name_goes_on_after_an_unknown_outcome(scene: Scene) -> None:
    """
    The next request of the name ends the old one: once it is chosen, the old one is not applied.

    So a program that makes one request after the other is not surprised by an old one.
    """
    for server in scene.cluster.servers.values():
        server.plans.extend([HANG] * 100)
    assert isinstance(scene.execute("SET", "old"), Unknown)
    for server in scene.cluster.servers.values():
        server.plans.clear()
    old = scene.cluster.servers[A].proposals()[0]

    scene.execute("SET", "new")
    late = Talk.execute(scene.talk, ("GET",), deadline=scene.clock.time + 1)
    scene.shell.run(late)
    scene.shell.connection.feed(pack("MULTIPAXOS", "PROPOSE", *old))  # type: ignore[union-attr]

    assert scene.cluster.snapshots[-1].value == "new"


def test_interrupted_request_leaves_a_connection_that_is_not_used_again(scene: Scene) -> None:
    """Whatever ends a request early, the reply that comes late is nobody's."""
    scene.execute("SET", "x")
    steps = scene.talk.execute(("SET", "y"), deadline=scene.clock.time + 1)
    assert next(steps) == IsOpen()
    assert isinstance(steps.send(True), Send)
    steps.close()

    scene.execute("SET", "z")

    assert scene.shell.opened() == [A, A]
    assert scene.proposals()[-1][1] == "3"


def test_password_is_told_before_anything_else() -> None:
    """The password goes in front of the greeting, once for a connection."""
    scene = Scene(password="secret")
    scene.cluster.servers[A].password = "secret"

    assert scene.execute("SET", "x") == Chosen(link=1, result=True)
    assert scene.cluster.servers[A].asked[0] == ["AUTH", "secret"]


@pytest.mark.parametrize("password, reason", [(None, "asks for a password"), ("wrong", "no")])
def test_missing_or_wrong_password_is_an_error_at_once(password: str | None, reason: str) -> None:
    """To try other servers would help nobody: the person who knows the password must."""
    scene = Scene(password=password)
    scene.cluster.servers[A].password = "secret"

    with pytest.raises(AuthenticationError, match=reason):
        scene.execute("SET", "x")

    assert scene.cluster.servers[B].asked == []


def test_wrong_password_does_not_hide_that_a_request_is_on_its_way() -> None:
    """What was sent may be chosen, whatever the next server says of the password."""
    scene = Scene()
    scene.cluster.servers[A].plans.append(HANG)
    scene.cluster.servers[A].cut_off_at = 0
    for uid in (B, C):
        scene.cluster.servers[uid].password = "secret"
    scene.clock.plan(1, lambda: setattr(scene.cluster.servers[A], "is_down", True))

    assert isinstance(scene.execute("SET", "x"), Unknown)


@pytest.mark.parametrize(
    "greeting", [b"+OK\r\n", b"-ERR max number of clients reached\r\n", b"-ERR what?\r\n"]
)
def test_server_that_does_not_greet_back_is_left(scene: Scene, greeting: bytes) -> None:
    """What answers anything else than a link is no server that could take the request."""
    scene.cluster.servers[A].greeting = greeting

    assert scene.execute("SET", "x") == Chosen(link=1, result=True)
    assert scene.cluster.servers[A].proposals() == []


@pytest.mark.parametrize(
    "value, reason", [("\ud800", "lone surrogates"), ("x" * (2**26 + 1), "large")]
)
def test_value_that_no_server_reads_is_refused_before_anything_is_sent(
    scene: Scene, value: str, reason: str
) -> None:
    """Neither lone surrogates nor more than a server reads are sent."""
    outcome = scene.execute("SET", value)

    assert isinstance(outcome, Refused)
    assert reason in outcome.reason
    assert scene.shell.steps == []


def test_question_goes_to_whoever_answers(scene: Scene) -> None:
    """A question that changes nothing may be lost and asked again, as often as need be."""
    scene.cluster.servers[A].is_hung = True
    packed = pack("MULTIPAXOS", "STATUS")

    server, reply = scene.shell.run(scene.talk.question(packed, deadline=scene.clock.time + 3))

    assert (server, json.loads(reply)["uid"]) == (B, "b")


def test_question_without_meaning_is_an_error(scene: Scene) -> None:
    """What one server does not understand, no other will."""
    with pytest.raises(CommandError, match="unknown command"):
        scene.shell.run(scene.talk.question(pack("FOO"), deadline=scene.clock.time + 3))


def test_question_that_nobody_answers_is_as_if_nobody_was_there(scene: Scene) -> None:
    """A question may be sent and lost without harm: NotReachableError says enough."""
    for server in scene.cluster.servers.values():
        server.is_hung = True

    with pytest.raises(NotReachableError):
        scene.shell.run(scene.talk.question(pack("FOO"), deadline=scene.clock.time + 3))


def test_any_command_can_be_proposed() -> None:
    """The results of a dictionary come with their exact types."""
    cluster = FakeCluster(machine=Dictionary())
    clock = FakeClock()
    shell, talk = VirtualShell(cluster, clock), make_talk(clock)

    def execute(*command: str) -> Outcome:
        return shell.run(talk.execute(command, deadline=clock.time + 3))

    assert execute("SET", "k", "OK") == Chosen(link=1, result=True)
    assert execute("GET", "k") == Chosen(link=2, result="OK")
    assert execute("SET", "k", "v", "NX") == Chosen(link=3, result=False)
    assert execute("MGET", "k", "none") == Chosen(link=4, result=("OK", None))
