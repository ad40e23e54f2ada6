"""What is known of one request while it is retried: nothing more is claimed than that."""

from multipaxos.chain.requests import Chosen, Outcome, Refused, Unknown
from multipaxos.client.errors import NotReachableError, OtherServerError, ProtocolError
from multipaxos.client.servers import shown
from multipaxos.client.steps import Endpoint
from multipaxos.client.wire import outcome_of

SETTLED = ("it waited so long", "a later request of this client")
"""
How the reasons begin that no server will ever think better of: they come from the chain itself.

(``multipaxos.chain.ledger`` gives them.) Other Unknowns are of one server and its moment.
"""

BUSY = "busy"
"""How the reason begins of a server that has too much to do now."""


class Fate:
    """
    What is known of one request.

    State: whether it *may be taken*: an attempt was sent, and neither answered nor refused; the
    newest refusal; each server's newest reason for having no outcome; the *strangers*: which of
    them turned out to be others than those that were meant.
    """

    def __init__(self) -> None:
        """Begin before anything was sent."""
        self.may_be_taken = False
        self.is_busy = False
        self.strangers: set[Endpoint] = set()
        self._refusal: Refused | None = None
        self._reasons: dict[Endpoint, str] = {}

    def not_sent(self, server: Endpoint, error: Exception) -> None:
        """Note that *server* could not be asked."""
        self.is_busy = False
        if isinstance(error.__cause__, TimeoutError):
            # Time was up in the midst of an attempt: what an earlier one met tells more.
            self._reasons.setdefault(server, str(error))
            return
        self._reasons[server] = str(error)
        if isinstance(error, OtherServerError):
            self.strangers.add(server)
        else:
            self.strangers.discard(server)

    def unanswered(self, server: Endpoint, reason: str) -> None:
        """Note that *server* was asked, and said nothing that tells what it did."""
        self.is_busy = False
        self.may_be_taken = True
        self._reasons[server] = reason

    def judge(self, server: Endpoint, reply: object) -> Outcome | None:
        """Return the outcome in the *reply* of *server*; None if another attempt may tell more."""
        self.is_busy = False
        try:
            outcome = outcome_of(reply)
        except ProtocolError as error:
            self.unanswered(server, str(error))
            return None
        match outcome:
            case Chosen():
                return outcome
            case Unknown(reason=reason):
                self.unanswered(server, reason)
                return outcome if reason.startswith(SETTLED) else None
            case Refused(reason=reason):
                self._refusal = outcome
                self._reasons[server] = reason
                self.is_busy = reason.startswith(BUSY)
                # One refusal says nothing of an earlier attempt, which may be on its way still.
                return None if self.is_busy or self.may_be_taken else outcome

    def outcome(self) -> Outcome:
        """
        Return what is known at the end.

        If nobody was asked: NotReachableError, or OtherServerError if all are strangers.
        """
        if not self.may_be_taken and self._refusal is not None:
            return self._refusal
        reasons = "; ".join(f"{shown(server)}: {why}" for server, why in self._reasons.items())
        if self.may_be_taken:
            return Unknown(reason=reasons)
        if self._reasons and self.strangers == self._reasons.keys():
            raise OtherServerError("; ".join(self._reasons.values()))
        raise NotReachableError(reasons or "there was no time to ask a server")
