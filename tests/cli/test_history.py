"""How ``multipaxos history`` looks."""

from multipaxos.chain.links import Link, NewMaster, Nothing
from multipaxos.cli.history import lines_of
from multipaxos.client import HistoryLink
from multipaxos.trace import plain


def _history(links: dict[int, Link]) -> list[HistoryLink]:
    found = []
    for number, link in links.items():
        holds = plain(link)
        assert isinstance(holds, dict)
        found.append(HistoryLink(number=number, holds=holds))
    return found


def _lease(uid: str, bid: str) -> NewMaster:
    return NewMaster(uid=uid, lease_seconds=2.0, bid=bid)


def test_renewals_in_a_row_share_a_line() -> None:
    """A master's lease and its renewals are one line; another master's are another."""
    links: dict[int, Link] = {number: _lease("C", str(number)) for number in range(18, 38)}
    links |= {38: Nothing(), 39: _lease("C", "x"), 40: _lease("C", "y"), 41: _lease("A", "z")}

    assert lines_of(_history(links)) == [
        "links 18 to 37  C is master for 2 s, renewed 19 times",
        "link 38  nothing",
        "links 39 to 40  C is master for 2 s, renewed once",
        "link 41  A is master for 2 s",
    ]


def test_gap_has_a_line() -> None:
    """Links that the server skipped by a catch-up are missing, and the history says why."""
    links: dict[int, Link] = {
        3: Nothing(),
        5: _lease("A", "a"),
        9: _lease("A", "b"),
    }

    assert lines_of(_history(links)) == [
        "link 3  nothing",
        "link 4  not learned one by one here: caught up",
        "link 5  A is master for 2 s",
        "links 6 to 8  not learned one by one here: caught up",
        "link 9  A is master for 2 s",
    ]


def test_nothing_but_nothing_is_not_merged() -> None:
    """Links that close an instance are decided one by one, and shown so."""
    assert lines_of(_history({1: Nothing(), 2: Nothing()})) == [
        "link 1  nothing",
        "link 2  nothing",
    ]
    assert lines_of([]) == []
