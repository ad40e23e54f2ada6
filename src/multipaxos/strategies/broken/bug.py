"""What there is to say of a bug, and where it is put in."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from composable_paxos import PaxosInstance, PeerID, Quorums
from multipaxos.chain.replicated_value import BaseReplicatedValue


class UnknownBugError(ValueError):
    """There is no bug of that name; the message lists those there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """
    One mistake, to be switched on by its *name*.

    *culprit* is the class of a few lines that makes it, and whose docstring tells its story. It is
    put in as the *roles* of single-decree Paxos, as a *mixin* over all strategies, or as the
    *quorums* that the servers count with. *breaks* names the invariants of which one is found
    broken. A bug with *master* needs the strategies that seek mastership. *servers* is the smallest
    cluster that shows it. Where exploration cannot find it, *not_explored* says why; where seeds
    cannot, *not_simulated* does.
    """

    name: str
    culprit: type
    breaks: tuple[str, ...]
    roles: type[PaxosInstance] | None = None
    mixin: type[BaseReplicatedValue] | None = None
    quorums: Callable[[Collection[PeerID]], Quorums] | None = None
    master: bool = False
    servers: int = 3
    not_explored: str = ""
    not_simulated: str = ""

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

    def _paragraphs(self) -> list[str]:
        docstring = self.culprit.__doc__ or ""
        return [" ".join(paragraph.split()) for paragraph in docstring.split("\n\n")]

    def _paragraph(self, heading: str) -> str:
        (text,) = [p for p in self._paragraphs() if p.startswith(heading)]
        return text.removeprefix(heading)
