"""How ``multipaxos status`` looks, on screens of every width."""

from typing import Any

import pytest

from multipaxos.cli.status import lines_of
from multipaxos.client import ClientError, NotReachableError, OtherServerError

SERVES: dict[str, Any] = {
    "phase": "serving",
    "link": 12,
    "state": "register",
    "value": "the quick brown fox jumps over the lazy dog",
    "master": "A",
    "lease": {"kind": "respected", "seconds_left": 1.9},
    "promised": "2.A",
    "accepted": None,
}
NEW: dict[str, Any] = {
    "phase": "no memory: waiting for B, C",
    "link": -1,
    "state": "register",
    "value": None,
    "master": None,
    "lease": None,
    "promised": None,
    "accepted": None,
}
DEAD = NotReachableError("127.0.0.1:7003: Connection refused")
OTHER = OtherServerError("127.0.0.1:7003 is server C of cluster x, the configuration says C of y")


def shown(width: int, **found: dict[str, Any] | ClientError) -> list[str]:
    """Return the lines for servers of these names."""
    return [line.plain for line in lines_of(found, width)]


def test_table_fits_80_columns() -> None:
    """Of servers that serve, all fits into 80 columns but the end of a long value."""
    lines = shown(80, A=SERVES, B=SERVES, C=DEAD)

    assert lines[0].split()[:4] == ["server", "state", "link", "register"]
    assert [len(line) <= 80 for line in lines] == [True] * 4
    assert lines[1].endswith("A       respected 1.9 s  2.A       -")
    assert lines[3] == "C       not reachable: 127.0.0.1:7003: Connection refused"


@pytest.mark.parametrize("width", [160, 200])
def test_value_takes_the_room_there_is(width: int) -> None:
    """On a wide screen, and in a pipe, a value is not cut that has room."""
    lines = shown(width, A=SERVES, B={**SERVES, "value": "x" * 500})

    assert '"the quick brown fox jumps over the lazy dog"' in lines[1]
    assert len(lines[2]) == width - len("accepted") + 1


@pytest.mark.parametrize("width", [40, 60])
def test_narrow_screen_gets_paragraphs(width: int) -> None:
    """On a narrow screen each server has some lines, none of them cut but for the value."""
    lines = shown(width, A=SERVES, B=NEW, C=OTHER)

    assert all(len(line) <= width for line in lines)
    assert "   master A, lease respected 1.9 s" in lines
    assert "   promised 2.A, accepted -" in lines
    assert "B  no memory: waiting for B, C" in lines
    assert " ".join(line.strip() for line in lines).endswith(
        "C  another cluster's: 127.0.0.1:7003 is server C of cluster x, the configuration says C "
        "of y"
    )


def test_server_without_memory_does_not_make_the_screen_overflow() -> None:
    """A long state leaves no room for a table on 80 columns: nothing is cut there."""
    assert "A  no memory: waiting for B, C" in shown(80, A=NEW)


def test_a_dictionary_is_told_in_words() -> None:
    """The column has the name of what is kept; a number of keys is no text, so without quotes."""
    keys = {**SERVES, "state": "dictionary", "value": "3 keys"}

    assert shown(80, A=keys)[0].split()[3] == "dictionary"
    assert "  12    3 keys      A" in shown(80, A=keys)[1]
    assert "   link 12, dictionary: 3 keys" in shown(40, A=keys)
    assert shown(80, A=keys, B=SERVES)[0].split()[3] == "value"


def test_nobody_reachable() -> None:
    """Without any answer there are no columns, but the reasons."""
    assert shown(80, A=DEAD) == ["A       not reachable: 127.0.0.1:7003: Connection refused"]


@pytest.mark.parametrize("width", [40, 120])
def test_servers_that_may_lose_messages_on_purpose_are_named(width: int) -> None:
    """Nobody takes a cluster that was started for the lab for one to rely on."""
    lab = {"blocked": [], "loss": 0.0, "delay_seconds": 0.0}

    lines = shown(width, A={**SERVES, "fault_layer": lab}, B={**SERVES, "fault_layer": "off"})

    said = " ".join(lines)
    assert "Started for the lab: A. Messages may be lost there on purpose." in said
    assert all(len(line) <= width for line in lines)
    assert not any("for the lab" in line for line in shown(width, A=SERVES, C=DEAD))
