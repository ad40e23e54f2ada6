"""What a server is started with."""

from dataclasses import dataclass
from pathlib import Path

from multipaxos.chain.register import Register
from multipaxos.composition import strategy_names
from multipaxos.errors import MultipaxosError
from multipaxos.runtime.config import Address, Config
from multipaxos.runtime.storage.base import SUFFIXES


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """
    What is said of a server to run, on the command line or where it is embedded.

    *directory* is where its state lies, *state* names its state machine. *transport* is "auto",
    which goes by the size of a message, or "tcp", which sends no datagram. One that *takes faults*
    was started for the lab: through its standard input, its network can be made worse.
    """

    config: Config
    uid: str
    directory: Path
    storage: str = "sqlite"
    state: str = Register.kind
    transport: str = "auto"
    is_master: bool = False
    without: tuple[str, ...] = ()
    trace: Path | None = None
    metrics: Address | None = None
    is_quiet: bool = False
    is_brief: bool = False
    takes_faults: bool = False

    @property
    def metrics_address(self) -> Address | None:
        """Where the server tells how it is: as the command line says, or the configuration."""
        return self.metrics or self.config.server(self.uid).metrics

    @property
    def strategies(self) -> tuple[str, ...]:
        """The names of its strategies."""
        return strategy_names(master=self.is_master, without=self.without)

    @property
    def state_path(self) -> Path:
        """The file that its state is in."""
        return self.directory / f"{self.uid}{SUFFIXES[self.storage]}"


class NotStartedError(MultipaxosError):
    """The server cannot start; the message is a sentence for the person who started it."""
