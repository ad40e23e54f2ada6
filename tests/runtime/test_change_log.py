"""The newest changes are kept for those who watch, and what is missing is never hidden."""

import pytest

from multipaxos.chain.effects import Changes
from multipaxos.runtime import change_log
from multipaxos.runtime.change_log import (
    END_OF_LINK,
    ChangeLog,
    ChangesMissingError,
    PlacedChange,
    Position,
)


def log_of(*links: tuple[int, str], instance: int = 1) -> ChangeLog:
    """Return a log that began at *instance*, and took one change for each of *links*."""
    log = ChangeLog(instance)
    for link, value in links:
        log.take(Changes(link=link, changes=((None, value),)))
    return log


def values_after(log: ChangeLog, link: int, index: int = END_OF_LINK) -> list[object]:
    """Return the values after a position."""
    return [change.value for change in log.since(log.number_after(Position(link, index)))]


def test_changes_come_in_order_from_a_position_on() -> None:
    """Whoever knows link 1 is told of what came after it."""
    log = log_of((1, "a"), (3, "b"), (4, "c"))

    assert values_after(log, 1) == ["b", "c"]
    assert values_after(log, 0) == ["a", "b", "c"]
    assert values_after(log, 4) == []
    assert values_after(log, 9) == []


def test_a_link_can_be_left_in_its_midst() -> None:
    """A position counts the changes of its link, so none of them comes twice."""
    log = ChangeLog(1)
    log.take(Changes(link=1, changes=(("k", "a"), ("l", "b"), ("k", None))))

    assert values_after(log, 1, 0) == ["b", None]
    assert next(log.since(0)) == PlacedChange(Position(1, 0), "k", "a")


def test_what_was_before_the_start_is_not_known() -> None:
    """A server that was started at link 5 can tell of link 5 on, to those who know link 4."""
    log = log_of((5, "e"), instance=5)

    assert values_after(log, 4) == ["e"]
    with pytest.raises(ChangesMissingError, match="up to link 4 are not known"):
        log.number_after(Position(4, 0))


def test_a_catch_up_is_a_gap_for_all() -> None:
    """Whoever was up to date, or behind, learns that changes are missing; others go on after it."""
    log = log_of((1, "a"))
    up_to_date, behind = log.number_after(Position(1, END_OF_LINK)), 0
    log.take(Changes(link=7, changes=None))
    log.take(Changes(link=8, changes=((None, "h"),)))

    for number in (up_to_date, behind):
        with pytest.raises(ChangesMissingError, match="up to link 7 are not kept"):
            list(log.since(number))
    assert values_after(log, 7) == ["h"]
    with pytest.raises(ChangesMissingError):
        log.number_after(Position(6, END_OF_LINK))


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a link of which one change is forgotten, the rest can be told to who knows that one."""
    monkeypatch.setattr(change_log, "CHANGES_MAX", 3)
    log = ChangeLog(1)
    log.take(Changes(link=1, changes=(("k", "a"), ("l", "b"))))
    log.take(Changes(link=2, changes=(("k", "c"), ("l", "d"))))

    assert values_after(log, 1, 0) == ["b", "c", "d"]
    with pytest.raises(ChangesMissingError):
        log.number_after(Position(0, END_OF_LINK))


def test_many_characters_are_forgotten_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few large values do not fill the memory."""
    monkeypatch.setattr(change_log, "CHARACTERS_MAX", 10)

    log = log_of((1, "x" * 6), (2, "y" * 6), (3, "z"))

    assert values_after(log, 1) == ["y" * 6, "z"]
    with pytest.raises(ChangesMissingError):
        log.number_after(Position(0, END_OF_LINK))


def test_who_waits_is_woken_until_it_waits_no_more() -> None:
    """Each change, and each gap, wakes all who asked for it."""
    log, woken = log_of(), []
    log.wake("one", lambda: woken.append(1))
    log.take(Changes(link=1, changes=((None, "a"),)))
    log.take(Changes(link=3, changes=None))
    log.wake("one", None)
    log.take(Changes(link=4, changes=((None, "b"),)))

    assert woken == [1, 1]
