"""What the page may ask for, and the answers, as plain data. Nothing here knows of HTTP."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from multipaxos.errors import MultipaxosError
from multipaxos.lab.as_scenario import scenario_of
from multipaxos.lab.as_test import source_of_test
from multipaxos.lab.catalogue import catalogue
from multipaxos.lab.export import frame
from multipaxos.lab.forking import fork
from multipaxos.lab.gallery import UnknownScenarioError, find, scenarios
from multipaxos.lab.game import games
from multipaxos.lab.play import play
from multipaxos.lab.run import Run, run_of

Body: TypeAlias = Mapping[str, Any]

SHOWN_MAX = 60


class BadRequestError(MultipaxosError, ValueError):
    """The page asks for something that makes no sense; the message is a sentence."""


class NoSuchPageError(MultipaxosError, LookupError):
    """There is nothing under that name here."""


class Live(Protocol):
    """A running cluster of real processes that the page may watch and trouble."""

    def events_since(self, number: int) -> Mapping[str, Any]:
        """Return what happened from event *number* on, and how the servers are."""

    def fault(self, wish: Body) -> Mapping[str, Any]:
        """Do what *wish* says; ValueError, with a sentence, for what cannot be done."""

    def freeze(self, since: int, until: int) -> Run:
        """Return a stretch of what happened as a run."""


class Service:
    """
    The lab behind the page. State: the run that was *opened* with it, if there is one.

    Its methods may take seconds, and may be called from one thread at a time.
    """

    def __init__(self, *, opened: Run | None = None, live: Live | None = None) -> None:
        """Begin with the run that is shown first, by default the gallery's first scenario."""
        self._opened = opened
        self._calls: dict[str, Callable[[Body], object]] = {
            "play": lambda body: run_of(play(_text(body, "script"))),
            "fork": self._fork,
            "scenarios": lambda _: [story.plain() for story in scenarios()],
            "scenario": lambda body: self._scenario(_text(body, "name")),
            "catalogue": lambda _: catalogue() | {"games": games(), "live": live is not None},
            "opened": lambda _: self.first(),
            # The page has the run: it need not travel here and back, and may come from a trace.
            "export": lambda _: frame()._asdict(),
            "as_scenario": lambda body: {"text": scenario_of(_text(body, "script"))},
            "test": lambda body: {"text": source_of_test(_text(body, "script"))},
        }
        if live is not None:
            self._calls |= {
                "live": lambda body: live.events_since(_count(body, "since")),
                "live/fault": live.fault,
                "live/freeze": lambda body: live.freeze(
                    _count(body, "since"), _count(body, "until")
                ),
            }

    def call(self, name: str, body: Body) -> object:
        """
        Return the answer to *name*, asked with *body*.

        Raises NoSuchPageError, and ValueError with a sentence for what cannot be done.
        """
        method = self._calls.get(name)
        if method is None:
            raise NoSuchPageError(f"The lab has nothing called {name[:SHOWN_MAX]!r}.")
        return method(body)

    def _fork(self, body: Body) -> Run:
        commands = body.get("commands", [])
        if not (isinstance(commands, list) and all(isinstance(c, str) for c in commands)):
            raise BadRequestError("commands must be a list of texts")
        forked = fork(
            _text(body, "script"),
            at=_count(body, "at"),
            commands=commands,
            keep_time=body.get("keep_time", False) is True,
        )
        return run_of(forked.played) | {"forked_at": forked.events}

    def _scenario(self, name: str) -> Run:
        try:
            story = find(name)
        except UnknownScenarioError as error:
            raise BadRequestError(str(error)) from error
        return run_of(play(story.script)) | {"scenario": story.plain()}

    def first(self) -> Run:
        """Return the run that is shown first."""
        if self._opened is None:
            self._opened = self._scenario(scenarios()[0].name)
        return self._opened


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise BadRequestError(f"{name} must be a text")
    return value


def _count(body: Body, name: str) -> int:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadRequestError(f"{name} must be a whole number, 0 or more")
    return value
