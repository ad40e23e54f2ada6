"""
What servers tell clients: it is chosen (I7), and the same each time (I9).

Chosen is what the disks of a quorum hold: an answer reveals no more than that (I8). That the
answering server itself has saved it is not asked: a crash cannot take back what others hold.
"""

from composable_paxos import PeerID
from multipaxos.chain.effects import Answer
from multipaxos.chain.requests import Chosen, Outcome, RequestID
from multipaxos.chain.state_machine import Command
from multipaxos.invariants.applied import Applied
from multipaxos.invariants.model import holds
from multipaxos.invariants.names import APPLIED_ONCE, RESOLVED_MEANS_CHOSEN
from multipaxos.invariants.results import remembered, same
from multipaxos.invariants.shown import shown, shown_command, shown_result
from multipaxos.invariants.violation import InvariantViolation


class Answers:
    """Holds each answer against the chain."""

    def __init__(self, applied: Applied) -> None:
        """Compare with what was *applied*."""
        self.applied = applied

    def check(
        self,
        uid: PeerID,
        command: Command,
        answer: Answer,
        *,
        earlier: Outcome | None,
    ) -> None:
        """
        Check what *uid* answers to a *command*.

        *earlier* is what the same request was answered before, if it was. What a read may return,
        linearizability judges, too: here it must be what the chain held at the link that it names.
        """
        request_id, outcome = answer.request_id, answer.outcome
        if not isinstance(outcome, Chosen):
            return
        if self.applied.model.machine.is_read(command):
            self._check_read(uid, request_id, command, outcome)
            return
        self._check_write(uid, request_id, outcome, earlier)

    def _check_write(
        self, uid: PeerID, request_id: RequestID, outcome: Chosen, earlier: Outcome | None
    ) -> None:
        chosen = self.applied.votes.chosen.get(outcome.link)
        if chosen is None and self.applied.votes.is_chosen_unseen(outcome.link):
            return
        if chosen is None or not holds(chosen.value, request_id):
            held = (
                "nothing is chosen there" if chosen is None else f"it holds {shown(chosen.value)}"
            )
            raise InvariantViolation(
                RESOLVED_MEANS_CHOSEN,
                outcome.link,
                f"{uid} says that request {request_id} is in it, and {held}",
            )
        if isinstance(earlier, Chosen) and earlier.link != outcome.link:
            raise InvariantViolation(
                APPLIED_ONCE,
                outcome.link,
                f"request {request_id} was answered with link {earlier.link} before, and by {uid} "
                f"with link {outcome.link} now: it was applied twice",
            )
        self._check_result(uid, request_id, outcome)

    def _check_result(self, uid: PeerID, request_id: RequestID, outcome: Chosen) -> None:
        """I9: whoever asks, and however often, is told what the link did the first time."""
        model = self.applied.model
        if outcome.link >= model.length:
            return  # What came before is not known, where a trace begins in the midst of a chain.
        done = model.done.get(request_id)
        if done is None or done.link != outcome.link:
            there = "skipped in every link" if done is None else f"applied in link {done.link}"
            raise InvariantViolation(
                APPLIED_ONCE,
                outcome.link,
                f"{uid} answers {request_id} with it, and the request was {there}",
            )
        told = outcome.result
        if not (same(told, done.result) or same(told, remembered(done.result))):
            raise InvariantViolation(
                APPLIED_ONCE,
                outcome.link,
                f"{uid} answers {request_id} with {shown_result(told)}; by the links so far it "
                f"comes to {shown_result(done.result)}",
            )

    def _check_read(
        self, uid: PeerID, request_id: RequestID, read: Command, outcome: Chosen
    ) -> None:
        model = self.applied.model
        self.applied.position(uid, outcome.link + 1)
        if outcome.link >= model.length:
            return  # What came before is not known, where a trace begins in the midst of a chain.
        right = list(model.results_in(outcome.link, read))
        if not any(same(outcome.result, result) for result in right):
            raise InvariantViolation(
                APPLIED_ONCE,
                outcome.link,
                f"{uid} answers the read {request_id} ({shown_command(read)}) with "
                f"{shown_result(outcome.result)} as of it; by the links so far it comes to "
                f"{shown_result(right[0])}",
            )
