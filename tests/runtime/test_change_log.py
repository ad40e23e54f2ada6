"""The newest changes are kept for those who watch, and what is missing is never hidden."""

import pytest
from typing_extensions import override

from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.effects import Applied, Changes
from multipaxos.chain.state_machine import Change, Command, State
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


# -- changes that are found out later --------------------------------------------------------------


class CountingMachine(Dictionary):
    """A dictionary that counts how often it is asked what a command changes."""

    def __init__(self) -> None:
        """Begin without a question."""
        self.asked = 0

    @override
    def changes(self, before: State, after: State, command: Command) -> tuple[Change, ...]:
        self.asked += 1
        return super().changes(before, after, command)


class Chain:
    """A dictionary's chain that tells a *log* what its links apply."""

    def __init__(self) -> None:
        """Begin at link 1, empty."""
        self.machine = CountingMachine()
        self.state = self.machine.initial()
        self.log = ChangeLog(1)
        self.link = 0

    def apply(self, *commands: Command) -> None:
        """Let *commands* be the next link."""
        self.link += 1
        before = self.state
        self.state, _ = self.machine.apply_all(before, commands)
        self.log.take(
            Applied(link=self.link, commands=commands, before=before, machine=self.machine)
        )


def told_after(
    log: ChangeLog, link: int, index: int = END_OF_LINK
) -> list[tuple[int, int, str | None, object]]:
    """Return the changes after a position, each with its own."""
    number = log.number_after(Position(link, index))
    return [(*each.position, each.key, each.value) for each in log.since(number)]


def test_what_a_link_changed_is_found_out_when_somebody_asks() -> None:
    """Until then nothing is computed; then all is there, in order, each change in its place."""
    chain = Chain()
    chain.apply(("SET", "k", "a"), ("MSET", "k", "b", "l", "c"))
    chain.apply(("INCR", "n"), ("SET", "k", "b"), ("DEL", "l", "k"))
    assert chain.machine.asked == 0

    assert told_after(chain.log, 0) == [
        (1, 0, "k", "a"),
        (1, 1, "k", "b"),
        (1, 2, "l", "c"),
        (2, 0, "n", "1"),
        (2, 1, "l", None),
        (2, 2, "k", None),
    ]
    assert told_after(chain.log, 1) == told_after(chain.log, 0)[3:]
    assert chain.machine.asked == 5


def test_who_listens_is_told_of_each_link_at_once() -> None:
    """Of those that were put off before it listened it is told nothing: it asks for them."""
    chain, heard = Chain(), list[Changes]()
    chain.apply(("SET", "k", "a"))
    chain.log.listen("me", heard.append)
    chain.apply(("SET", "k", "b"))
    chain.apply(("SET", "l", "c"), ("SET", "l", "d"))
    chain.log.listen("me", None)
    chain.apply(("SET", "k", "e"))

    assert heard == [
        Changes(link=2, changes=(("k", "b"),)),
        Changes(link=3, changes=(("l", "c"), ("l", "d"))),
    ]
    assert [each[0] for each in told_after(chain.log, 0)] == [1, 2, 3, 3, 4]


def test_who_waits_is_woken_when_the_change_can_be_read() -> None:
    """What it reads then is all up to there."""
    chain, woken = Chain(), list[int]()
    chain.apply(("SET", "k", "a"))
    number = chain.log.number_after(Position(1, END_OF_LINK))
    chain.log.wake("me", lambda: woken.extend(p.position.link for p in chain.log.since(number)))

    chain.apply(("SET", "k", "b"))

    assert woken == [2]


def test_a_skip_makes_all_that_was_put_off_incomplete() -> None:
    """It stays in its place: what came before it is gone, what comes after it is told."""
    chain = Chain()
    chain.apply(("SET", "k", "a"))
    chain.log.take(Changes(link=7, changes=None))
    chain.link = 7
    chain.apply(("SET", "k", "b"))
    chain.apply(("SET", "k", "c"))

    assert chain.log.complete_after == Position(7, END_OF_LINK)
    assert told_after(chain.log, 7) == [(8, 0, "k", "b"), (9, 0, "k", "c")]
    with pytest.raises(ChangesMissingError, match="up to link 7"):
        chain.log.number_after(Position(1, END_OF_LINK))


def test_changes_and_what_was_applied_keep_their_order() -> None:
    """Whatever the log is told comes out in that order."""
    chain = Chain()
    chain.apply(("SET", "k", "a"))
    chain.log.take(Changes(link=2, changes=(("k", "b"),)))
    chain.link = 2
    chain.apply(("SET", "k", "c"))

    assert [each[-1] for each in told_after(chain.log, 0)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "bound, most",
    [("CHANGES_MAX", 3), ("CHARACTERS_MAX", 3 * len("SETk!"))],
)
def test_what_is_put_off_is_bounded(bound: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest links are forgotten, unasked; whoever was there learns that they are missing."""
    monkeypatch.setattr(change_log, bound, most)
    chain = Chain()
    early = chain.log.next_number
    for value in "abcde":
        chain.apply(("SET", "k", value))
    assert chain.machine.asked == 0

    assert told_after(chain.log, 2) == [(3, 0, "k", "c"), (4, 0, "k", "d"), (5, 0, "k", "e")]
    assert chain.machine.asked == 3
    assert chain.log.complete_after == Position(2, END_OF_LINK)
    with pytest.raises(ChangesMissingError, match="up to link 2"):
        list(chain.log.since(early))
    # What was asked for once is bounded as everything is, and the count begins anew.
    chain.apply(("SET", "k", "f"))
    assert [each[0] for each in told_after(chain.log, 5)] == [6]


def test_the_newest_link_is_kept_however_large_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to the bound for changes, like any other."""
    monkeypatch.setattr(change_log, "CHANGES_MAX", 2)
    chain = Chain()
    chain.apply(("SET", "k", "a"))
    chain.apply(("SET", "k", "b"), ("SET", "k", "c"), ("SET", "k", "d"))

    assert told_after(chain.log, 2, 0) == [(2, 1, "k", "c"), (2, 2, "k", "d")]
    with pytest.raises(ChangesMissingError):
        chain.log.number_after(Position(1, END_OF_LINK))
