"""The lab over HTTP, in memory: whom it answers, what it refuses, and that nothing stops it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.lab.pages import Parsed, use_pages
from tests.runtime.http import Answer, Asker, nothing_critical_logged
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.web import http

from multipaxos.lab.web import files
from multipaxos.lab.web.guard import Guard
from multipaxos.lab.web.pages import BODY_BYTES_MAX, Pages, Reply
from multipaxos.lab.web.port import BOUNDS, CONNECTIONS_MAX
from multipaxos.lab.web.service import Service
from multipaxos.runtime.bounded_http import BoundedConnections

OWN = "Host: 127.0.0.1:7800\r\n"
SCRIPT = "propose A <b>x</b>\ndeliver all\n"


class Lab(Asker):
    """A lab of which a test opens connections."""

    def __init__(self, service: Service | None = None) -> None:
        """Answer at once, in the same thread."""

        def defer(answer: Callable[[], Reply], finish: Callable[[Reply], None]) -> None:
            self.finishes.append(lambda: finish(answer()))
            if not self.is_slow:
                self.finishes.pop()()

        self.is_slow = False
        self.finishes: list[Callable[[], None]] = []
        self.guard = Guard(port=7800)
        pages = Pages(service or Service(), self.guard, defer)
        super().__init__(BoundedConnections(pages, reactor=Clock(), bounds=BOUNDS))

    def get(self, path: str, *, headers: str = OWN, method: str = "GET") -> Answer:
        """Ask for a file."""
        head = f"{method} {path} HTTP/1.1\r\n{headers}\r\n"
        return Answer(self.send(head.encode("latin-1")).value())

    def request(
        self, name: str, body: object, *, headers: str = OWN, token: str | None = None
    ) -> bytes:
        """Return the bytes that ask for *name*."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        known = self.guard.token if token is None else token
        head = (
            f"POST /api/{name} HTTP/1.1\r\n{headers}X-Lab-Token: {known}\r\n"
            f"Content-Length: {len(sent)}\r\n\r\n"
        )
        return head.encode("latin-1") + sent

    def ask(self, name: str, body: object, **options: Any) -> Answer:
        """Ask as the page does."""
        return Answer(self.send(self.request(name, body, **options)).value())


@pytest.fixture(autouse=True)
def _log() -> Iterator[None]:
    """Let no test leave anything critical in Twisted's log."""
    with nothing_critical_logged():
        yield


# ------------------------------------------------------------------------------------------ answers


def test_a_script_is_played_and_markup_in_it_stays_text() -> None:
    """What comes back is JSON: it cannot be taken for a page."""
    answer = Lab().ask("play", {"script": SCRIPT})

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.told["script"] == SCRIPT
    assert answer.told["decisions"][0]["value"] == '"<b>x</b>"'


def test_a_run_is_forked() -> None:
    """The page says where, and what is done otherwise."""
    lab = Lab()

    answer = lab.ask("fork", {"script": SCRIPT, "at": 30, "commands": ["crash B"]})

    assert answer.told["forked_at"] >= 30
    assert answer.told["script"].endswith("crash B\n")
    assert answer.told["events"][-1]["kind"] == "crashed"


def test_the_gallery_is_told_and_each_of_its_scenarios_opens() -> None:
    """With its title, and what to look at."""
    lab = Lab()

    stories = lab.ask("scenarios", {}).told
    for story in stories:
        run = lab.ask("scenario", {"name": story["name"]}).told
        assert run["scenario"] == story
        assert run["decisions"]


def test_the_first_run_is_the_one_that_the_lab_was_opened_with() -> None:
    """By default, the gallery's first scenario."""
    run = Lab().ask("scenario", {"name": "04_value_survives_its_proposer"}).told

    assert Lab().ask("opened", {}).told["scenario"]["name"] == "01_happy_path"
    assert Lab(Service(opened=run)).ask("opened", {}).told == run


def test_the_catalogue_the_test_and_the_file_are_handed_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the page's panels need."""
    use_pages(monkeypatch)
    lab = Lab()
    frame = lab.ask("export", {}).told

    assert lab.ask("catalogue", {}).told["bugs"]
    assert "def test_" in lab.ask("test", {"script": SCRIPT}).told["text"]
    assert lab.ask("as_scenario", {"script": SCRIPT}).told["text"].startswith(f"{SCRIPT}----\n> ")
    assert Parsed(f"{frame['before']}{{}}{frame['after']}").scripts[0][1] == "{}"
    assert lab.ask("catalogue", {}).told["live"] is False


# ----------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "name, body, status, sentence",
    [
        ("play", {"script": "jump"}, 400, "line 1, jump: 'jump' is no command"),
        ("play", {"script": 7}, 400, "script must be a text"),
        ("play", {}, 400, "script must be a text"),
        ("play", [], 400, "must be a JSON object"),
        ("play", b"{", 400, "must be JSON"),
        ("play", b"[" * 100_000, 400, "must be JSON"),
        ("fork", {"script": SCRIPT, "at": -1}, 400, "at must be a whole number, 0 or more"),
        ("fork", {"script": SCRIPT, "at": True}, 400, "at must be a whole number"),
        ("fork", {"script": SCRIPT, "at": 1, "commands": "x"}, 400, "must be a list of texts"),
        ("fork", {"script": SCRIPT, "at": 1, "commands": [7]}, 400, "must be a list of texts"),
        ("scenario", {"name": "../../etc/passwd"}, 400, "there is no scenario"),
        ("lunch", {}, 404, "The lab has nothing called 'lunch'."),
        ("live", {"since": 0}, 404, "The lab has nothing called 'live'."),
    ],
)
def test_what_makes_no_sense_gets_a_sentence(
    name: str, body: object, status: int, sentence: str
) -> None:
    """Whatever arrives, the answer is JSON with one."""
    answer = Lab().ask(name, body)

    assert answer.status == status
    assert sentence in answer.told["error"]


@pytest.mark.parametrize("token", ["", "wrong", "ü"])
def test_who_has_not_the_link_is_asked_nothing(token: str) -> None:
    """Any page in the browser can send requests to this machine."""
    answer = Lab().ask("play", {"script": SCRIPT}, token=token)

    assert answer.status == 403
    assert "Open the link" in answer.told["error"]


@pytest.mark.parametrize(
    "headers",
    [
        "Host: evil.example\r\n",
        "Host: 127.0.0.1\r\n",
        "Host: 127.0.0.1:7800\r\nHost: evil.example\r\n",
        "",
        OWN + "Origin: http://evil.example\r\n",
        OWN + "Origin: null\r\n",
        OWN + "Origin: https://127.0.0.1:7800\r\n",
    ],
)
def test_another_host_and_another_page_are_refused(headers: str) -> None:
    """Even with the token: it may have leaked."""
    lab = Lab()

    assert lab.ask("catalogue", {}, headers=headers).status in (400, 403)
    assert lab.get("/", headers=headers).status in (400, 403)


@pytest.mark.parametrize("origin", ["http://127.0.0.1:7800", "http://localhost:7800"])
def test_its_own_page_is_served(origin: str) -> None:
    """Under both of its names."""
    host = origin.removeprefix("http://")

    answer = Lab().ask("catalogue", {}, headers=f"Host: {host}\r\nOrigin: {origin}\r\n")

    assert answer.status == 200


def test_the_service_is_asked_with_post_only_and_files_are_only_read() -> None:
    """A link, or a picture's address, must not be able to ask for anything."""
    lab = Lab()

    asked = lab.get("/api/catalogue", headers=f"{OWN}X-Lab-Token: {lab.guard.token}\r\n")
    written = lab.get("/static/api.js", method="POST", headers=f"{OWN}Content-Length: 0\r\n")

    assert asked.status == written.status == 405


@pytest.mark.parametrize(
    "path",
    [
        "/static/../__init__.py",
        "/static/%2e%2e/run.py",
        "/static/",
        "/static",
        "/api.js",
        "/favicon.ico",
        "/static//api.js",
    ],
)
def test_only_the_page_s_own_files_are_handed_out(path: str) -> None:
    """By their names, and nothing beside them."""
    assert Lab().get(path).status == 404


def test_every_file_of_the_page_has_its_type_and_the_policy() -> None:
    """No script but the page's own files runs, and nothing is fetched from elsewhere."""
    assert "api.js" in files.names()

    for name in files.names():
        answer = Lab().get(f"/static/{name}")
        assert answer.status == 200
        assert answer.headers["Content-Type"] == files.TYPES[name.rpartition(".")[2]]
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_too_large_a_body_is_refused_before_it_is_read() -> None:
    """Its length is enough to see that."""
    lab = Lab()
    head = f"POST /api/play HTTP/1.1\r\n{OWN}Content-Length: {BODY_BYTES_MAX + 1}\r\n\r\n"

    answer = Answer(lab.send(head.encode()).value())

    assert answer.status == 413
    assert "too large" in answer.told["error"]


def test_a_body_without_a_length_is_refused() -> None:
    """It would be read as long as it comes."""
    head = f"POST /api/play HTTP/1.1\r\n{OWN}Transfer-Encoding: chunked\r\n\r\n"

    assert Answer(Lab().send(head.encode()).value()).status == 413


def test_a_form_of_another_page_is_not_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any page can send one, of any size: it would keep the lab busy for seconds."""
    lab = Lab()
    taken: list[bytes] = []

    def take(text: bytes, *_: object) -> dict[bytes, list[bytes]]:
        taken.append(text)
        return {}

    monkeypatch.setattr(http, "parse_qs", take)
    head = "POST /api/play HTTP/1.1\r\nHost: 127.0.0.1:7800\r\nOrigin: http://evil.example\r\n"
    form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na&b"

    answer = Answer(lab.send(f"{head}{form}".encode()).value())

    assert answer.status == 403
    assert b"a&b" not in taken


def test_there_are_at_most_so_many_connections() -> None:
    """Whoever opens more is closed at once."""
    lab = Lab()
    for _ in range(CONNECTIONS_MAX):
        lab.connect()

    assert lab.port.buildProtocol(None) is None


def test_who_goes_away_while_the_run_is_played_is_not_answered() -> None:
    """And nothing raises."""
    lab = Lab()
    lab.is_slow = True
    connection, transport = lab.connect()
    connection.dataReceived(lab.request("play", {"script": SCRIPT}))

    connection.connectionLost(Failure(ConnectionDone()))  # type: ignore[no-untyped-call]
    lab.finishes.pop()()

    assert transport.value() == b""


def test_a_fault_of_the_lab_is_told_and_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next question is answered."""
    service = Service()
    lab = Lab(service)

    def fail(name: str, body: object) -> object:
        raise RuntimeError(f"a bug in {name}: {body}")

    monkeypatch.setattr(service, "call", fail)
    broken = lab.ask("catalogue", {})
    monkeypatch.undo()

    assert broken.status == 500
    assert "a fault in the program" in broken.told["error"]
    assert lab.ask("catalogue", {}).status == 200


@given(st.binary(max_size=300))
def test_whatever_arrives_nothing_raises(data: bytes) -> None:
    """Not even in the reactor, where it would end the lab."""
    Lab().send(data)
    Lab().send(f"POST /api/play HTTP/1.1\r\n{OWN}".encode() + data)


def test_a_link_has_a_token_of_its_own_each_time() -> None:
    """Nobody can guess it."""
    one, other = Guard(port=1), Guard(port=1)

    assert one.token != other.token
    assert len(one.token) >= 32
    assert one.link == f"http://127.0.0.1:1/?token={one.token}"
