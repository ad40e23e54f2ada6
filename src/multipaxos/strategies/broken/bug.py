"""What there is to say of a bug, and where it is put in."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from composable_paxos import PaxosInstance, PeerID, Quorums
from multipaxos.chain.replicated_value import BaseReplicatedValue


class UnknownBugError(ValueError):
    """There is no bug of that name; the message lists those there are."""


class Model(StrEnum):
    """Which of the explorer's models shows a bug."""

    ROLES = "roles"
    """One decision, by the roles of :mod:`composable_paxos`."""
    CHAIN = "chain"
    """A few links of the chain, with leases, restarts and clients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disaster:
    """A shortest run that breaks the invariant *breaks*: *steps*, found among so many *states*."""

    breaks: str
    steps: int
    states: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """
    One mistake, to be switched on by its *name*.

    *culprit* is the class of a few lines that makes it, and whose docstring tells its story. It is
    put in as the *roles* of single-decree Paxos, as a *mixin* over all strategies, or as the
    *quorums* that the servers count with. *breaks* names the invariants of which one is found
    broken. A bug with *master* needs the strategies that seek mastership.

    *plan* are the arguments of a random run under which seeds find it soon, *bounds* those of the
    explorer's *model* under which it does: what a command takes where its user says nothing else.
    *unexplored* are strategies that the explorer's servers do without: they would only hide it.
    *not_simulated* and *not_explored* are sentences that say why that engine cannot find it; empty
    if it can. *shortest* are the shortest disasters, as far as they are known.
    """

    name: str
    culprit: type
    breaks: tuple[str, ...]
    roles: type[PaxosInstance] | None = None
    mixin: type[BaseReplicatedValue] | None = None
    quorums: Callable[[Collection[PeerID]], Quorums] | None = None
    master: bool = False
    plan: Mapping[str, int | float | str | bool | tuple[str, ...]] = field(default_factory=dict)
    model: Model = Model.CHAIN
    bounds: Mapping[str, int] = field(default_factory=dict)
    unexplored: tuple[str, ...] = ()
    not_simulated: str = ""
    not_explored: str = ""
    shortest: tuple[Disaster, ...] = ()

    @property
    def summary(self) -> str:
        """The bug in one line: what the server does."""
        return self._paragraphs()[0]

    @property
    def mistake(self) -> str:
        """What is wrong with it."""
        return self._paragraph("Mistake: ")

    @property
    def rule(self) -> str:
        """The rule that it breaks, with paper and section."""
        return self._paragraph("Rule: ")

    @property
    def met(self) -> str:
        """Where one meets it in real systems."""
        return self._paragraph("Met: ")

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that find it."""
        engines = (("explore", self.not_explored), ("simulate", self.not_simulated))
        return tuple(
            f"multipaxos {engine} --bug {self.name}" for engine, why_not in engines if not why_not
        )

    def _paragraphs(self) -> list[str]:
        docstring = self.culprit.__doc__ or ""
        return [" ".join(paragraph.split()) for paragraph in docstring.split("\n\n")]

    def _paragraph(self, heading: str) -> str:
        (text,) = [p for p in self._paragraphs() if p.startswith(heading)]
        return text.removeprefix(heading)
