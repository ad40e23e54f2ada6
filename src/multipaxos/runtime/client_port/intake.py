"""What a connection's bytes ask for, one action after the other."""

from multipaxos.runtime.client_port import resp
from multipaxos.runtime.client_port.actions import Action, Propose, Quit
from multipaxos.runtime.client_port.commands import interpret
from multipaxos.runtime.client_port.request_reader import (
    LIMITS_OF_STRANGERS,
    Limits,
    RequestError,
    RequestReader,
    limits_for,
)
from multipaxos.runtime.client_port.session import Rules, Session

PIPELINE_COMMANDS_MAX = 128
"""So many commands at most go through the chain as one ..."""
PIPELINE_CHARACTERS_MAX = 16 * 1024
"""... and, beyond the first, about so many characters."""


class Intake:
    """
    Reads actions, and finds those that may go through the chain together.

    State: the *reader*, which holds the bytes not yet served; the action that was read ahead.
    """

    def __init__(self, rules: Rules, session: Session) -> None:
        """Begin without any byte, for a client with this *session*."""
        self.rules = rules
        self._limits = limits_for(rules.value_bytes_max)
        self.reader = RequestReader(self._limits_of(session))
        self._ahead: Action | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether there may be something to do: bytes, or what was read ahead."""
        return self._ahead is not None or len(self.reader) > 0

    @property
    def is_full(self) -> bool:
        """Whether more bytes wait than the longest request has."""
        return len(self.reader) > self._limits.request_bytes_max

    def feed(self, received: bytes) -> None:
        """Add the bytes that were *received*."""
        self.reader.feed(received)

    def become(self, session: Session) -> None:
        """Go on for a client with another *session*; nothing was read ahead."""
        self.reader.limits = self._limits_of(session)

    def next_action(self, session: Session) -> Action | None:
        """Return what is asked next, None if that is not there yet; what is no request ends all."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            return ahead
        try:
            request = self.reader.next_request()
        except RequestError as error:
            return Quit(reply=resp.error(f"ERR {error}"))
        return None if request is None else interpret(request, session=session, rules=self.rules)

    def gather(self, first: Propose, session: Session) -> list[Propose]:
        """
        Return *first* with the commands right behind it that can go through the chain with it.

        They are those that were sent without waiting for an answer, and have no id of their own.
        """
        gathered = [first]
        room = PIPELINE_CHARACTERS_MAX - _characters(first)
        while first.request_id is None and len(gathered) < PIPELINE_COMMANDS_MAX and room > 0:
            action = self.next_action(session)
            if not isinstance(action, Propose) or action.request_id is not None:
                self._ahead = action
                break
            gathered.append(action)
            room -= _characters(action)
        return gathered

    def _limits_of(self, session: Session) -> Limits:
        return self._limits if session.is_trusted else LIMITS_OF_STRANGERS


def _characters(propose: Propose) -> int:
    return sum(map(len, propose.command))
