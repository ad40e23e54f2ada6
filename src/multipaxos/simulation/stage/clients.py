"""The commands of a script that ask as a client does."""

from multipaxos.chain.state_machine import Command
from multipaxos.simulation.stage.base import BadCommandError, StageBase

SEQUENCE_MAX = 10**9


class ClientCommands(StageBase):
    """Asks the servers for something."""

    def propose(self, rest: str) -> None:
        """``propose A x``: a new client asks A; ``propose A x as ann/1``: under this request id."""
        words = rest.split()
        match words:
            case [uid, value]:
                self._ask(uid, ("SET", value), None)
            case [uid, value, "as", request]:
                self._ask(uid, ("SET", value), request)
            case _:
                raise BadCommandError("write: propose SERVER VALUE, or: ... as CLIENT/SEQUENCE")

    def read(self, rest: str) -> None:
        """``read A``: a new client asks A for the value."""
        self._ask(rest, ("GET",), None)

    def ask(self, rest: str) -> None:
        """``ask A INCR n``: a new client asks A for a command; ``ask A INCR n as ann/1``."""
        request: str | None = None
        match rest.split():
            case [uid, name, *arguments, "as", request]:
                command = (name.upper(), *arguments)
            case [uid, name, *arguments]:
                command = (name.upper(), *arguments)
            case _:
                raise BadCommandError("write: ask SERVER COMMAND, or: ... as CLIENT/SEQUENCE")
        self._ask(uid, command, request)

    def _ask(self, uid: str, command: Command, request: str | None) -> None:
        self._check_uid(uid)
        fault = self.setup.machine.refusal(command)
        if fault is not None:
            raise BadCommandError(fault)
        if request is None:
            self.cluster.submit(uid, command)
            return
        client, slash, sequence = request.partition("/")
        if not slash:
            raise BadCommandError(f"{request!r} is no request id: write CLIENT/SEQUENCE")
        number = self._count(sequence, 0, SEQUENCE_MAX, "the sequence of a request")
        known = next((c for c in self.cluster.calls.values() if str(c.request_id) == request), None)
        if known is None:
            self.cluster.submit(uid, command, client=client, sequence=number)
        else:
            self.cluster.retry(known, uid)
