"""The lab as its user starts it: a process that listens on this machine, and ends with Ctrl+C."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

pytestmark = pytest.mark.live

WAIT_SECONDS_MAX = 30.0
LINK = re.compile(r"The lab is at http://127\.0\.0\.1:(\d+)/\?token=([\w-]+)\n")


class RunningLab:
    """A lab that runs. State: the *process*, and the *port* and *token* of the link it printed."""

    def __init__(self) -> None:
        """Start it on a free port, without a browser."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "multipaxos", "lab", "--port", "0", "--no-browser"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        found = LINK.fullmatch(self.process.stdout.readline())
        assert found is not None
        self.port, self.token = int(found[1]), found[2]

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
        """Return the status and the body of the answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=WAIT_SECONDS_MAX)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def api(self, name: str, body: object) -> Any:
        """Return the answer to *name*, asked as the page does."""
        status, answer = self.ask("POST", f"/api/{name}", body, **{"X-Lab-Token": self.token})
        return status, json.loads(answer)

    def end(self) -> tuple[int, str]:
        """Press Ctrl+C; return the exit code, and what stood on standard error."""
        self.process.send_signal(signal.SIGINT)
        _, errors = self.process.communicate(timeout=WAIT_SECONDS_MAX)
        return self.process.returncode, errors


@pytest.fixture
def lab() -> Iterator[RunningLab]:
    """Run a lab, and end it in any case."""
    running = RunningLab()
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.communicate()


def test_the_lab_answers_its_page_and_ends_in_silence(lab: RunningLab) -> None:
    """The page, and a run that it asks for."""
    page = lab.ask("GET", "/")
    run = lab.api("play", {"script": "propose A x\ndeliver all\n"})
    ended = lab.end()

    assert page[0] == 200
    assert b"<title>multipaxos lab</title>" in page[1]
    assert run[0] == 200
    assert run[1]["decisions"][0]["value"] == '"x"'
    assert ended == (0, "")


def test_the_lab_listens_on_this_machine_only(lab: RunningLab) -> None:
    """Not on the addresses by which others reach it."""
    # Another address of the loopback interface stands for all those by which others would come.
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", lab.port), timeout=2.0).close()


def test_a_hostile_script_does_not_keep_others_waiting(lab: RunningLab) -> None:
    """It is refused with a sentence, and the next question is answered."""
    hostile = "servers A B C D E F G H I\nfaults cruel 600s\nclients 8 8 600s\nadvance 600s\n"

    status, answer = lab.api("play", {"script": hostile})
    after = lab.api("catalogue", {})

    assert status == 400
    assert "too long for the lab" in answer["error"]
    assert after[0] == 200


def test_without_the_token_nothing_is_played(lab: RunningLab) -> None:
    """Other programs' pages, and other users of this machine, have not the link."""
    status, answer = lab.ask("POST", "/api/play", {"script": "propose A x\n"})

    assert status == 403
    assert b"token" in answer
