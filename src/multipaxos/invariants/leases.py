"""I10: at one instant at most one server believes that it may answer reads alone."""

from collections.abc import Callable

from composable_paxos import PeerID
from multipaxos.invariants.names import ONE_READER
from multipaxos.invariants.quorums import in_words
from multipaxos.invariants.violation import InvariantViolation


class LeaseWatch:
    """
    Looks, after each event of a server, whether two believe at that instant.

    Nobody begins to believe but in an event of its own, so it suffices to look at the server that
    had one, and at those that believed when last looked at. State: the latter, each with what asks
    it again; and how often it was looked.
    """

    def __init__(self) -> None:
        """Begin with no believer."""
        self.looks = 0
        self._believing: dict[PeerID, Callable[[], bool]] = {}

    def look(self, uid: PeerID, believes: Callable[[], bool], *, link: int | None = None) -> None:
        """Look at *uid*, which had an event just now, perhaps about *link*."""
        self.looks += 1
        believing = self._believing
        if not believes():
            believing.pop(uid, None)
            return
        believing[uid] = believes
        if len(believing) > 1:
            for other, asks in list(believing.items()):
                if not asks():
                    del believing[other]
            if len(believing) > 1:
                check_believers([uid, *(other for other in believing if other != uid)], link=link)


def check_believers(believers: list[PeerID], *, link: int | None = None) -> None:
    """Raise InvariantViolation if *believers* are more than one."""
    if len(believers) > 1:
        names = sorted(believers)
        raise InvariantViolation(
            ONE_READER,
            link,
            f"{in_words(names)} each trust a lease at one instant: either would answer reads "
            "alone, and one of them with what the other has overwritten",
        )
