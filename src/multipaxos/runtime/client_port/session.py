"""What a client has told of itself, and what all clients of a server have in common."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from multipaxos.chain.state_machine import StateMachine
from multipaxos.runtime.client_port.resp import Encoding


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """
    One connection, as far as a command may depend on it or change it.

    It has a *number* of its own, counted from 1 since the server started; *peer* and *own* are the
    addresses of its two ends. A client *is trusted* if there is no password, or once it gave it. It
    *is in a transaction* between a MULTI, which was refused, and its EXEC: nothing there is done.
    """

    number: int = 0
    peer: str = ""
    own: str = ""
    is_trusted: bool = True
    encoding: Encoding = field(default_factory=Encoding)
    is_in_transaction: bool = False
    name: str = ""
    library_name: str = ""
    library_version: str = ""

    def begun_anew(self, *, is_trusted: bool) -> "Session":
        """Return the session as it was when the connection was made."""
        return replace(
            self,
            is_trusted=is_trusted,
            encoding=Encoding(),
            is_in_transaction=False,
            name="",
            library_name="",
            library_version="",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """
    What a server's clients have in common: the commands of its *machine*, and the bounds.

    Each argument of a command may take *value_bytes_max* bytes as JSON. A *password* of None asks
    nobody for one. *names* are those of the machine's commands, by what clients usually write.
    """

    machine: StateMachine
    value_bytes_max: int
    password: str | None = field(default=None, repr=False)
    connections_max: int = 0
    names: Mapping[bytes, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Find the names of the machine's commands, as clients usually write them."""
        forms = self.machine.forms
        cases = {written.encode(): name for name in forms for written in (name, name.lower())}
        object.__setattr__(self, "names", cases)
